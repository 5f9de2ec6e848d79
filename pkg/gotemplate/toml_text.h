/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template values as TOML 1.0, both ways, laid out as BurntSushi's library lays it out.
 *
 * Threads: owner of the heap.
 */
#pragma once

#include "gotemplate/value.h"

/* Appends the text. False: the value has none; the library's message is in fault. */
bool dv_toml_encode(dv_heap *heap, dv_buf *out, dv_val value, dv_buf *fault);
/*
 * Reads a document into a dict: integers become int64, tables maps. Dates stay what they are as
 * times in UTC. False: "toml: line 3 (last key "a"): …" is in fault.
 */
bool dv_toml_decode(dv_heap *heap, dv_str text, dv_val *ret_value, dv_buf *fault);
