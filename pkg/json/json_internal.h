/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step down a JSON pointer: what lookup, change and patch share.
 *
 * Threads: any, on documents of their own.
 */
#pragma once

#include "json/json.h"

/* An array index as RFC 6901 writes it: digits, no leading zero. */
bool dv_json_index(dv_str token, size_t *ret_index);
/* Borrowed; NULL: no such place. */
json_t *dv_json_child(const json_t *parent, dv_str token);
/* Puts value (taken) under token, replacing what is there; "-" appends. False: no such place. */
bool dv_json_put_child(json_t *parent, dv_str token, json_t *value);
/* False: nothing was there. */
bool dv_json_drop_child(json_t *parent, dv_str token);
/* As dv_json_equal(), but a number equals one of the other type with its value. */
bool dv_json_same_value(const json_t *a, const json_t *b);
