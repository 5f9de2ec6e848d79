/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Go's packages unicode and utf8 say of a character, for Unicode 15.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

/* What stands for bytes that are no UTF-8. */
#define DV_RUNE_ERROR 0xfffdu

/* One character off the front of s; DV_RUNE_ERROR and one byte where that is no UTF-8. s is not
 * empty. */
uint32_t dv_rune_take(dv_str *s);
/* The length of what dv_rune_take() would take; 0 for an empty s. */
size_t dv_rune_width(dv_str s);
size_t dv_rune_count(dv_str s);
/* Appends it in UTF-8; what is no character as DV_RUNE_ERROR. */
void dv_rune_add(dv_buf *out, uint32_t rune);

bool dv_rune_is_letter(uint32_t rune);
bool dv_rune_is_digit(uint32_t rune);
bool dv_rune_is_number(uint32_t rune);
bool dv_rune_is_space(uint32_t rune);
bool dv_rune_is_upper(uint32_t rune);
bool dv_rune_is_lower(uint32_t rune);
bool dv_rune_is_punct(uint32_t rune);
bool dv_rune_is_print(uint32_t rune);
uint32_t dv_rune_upper(uint32_t rune);
uint32_t dv_rune_lower(uint32_t rune);
uint32_t dv_rune_title(uint32_t rune);

/* s without the white space (Unicode's) at both ends. */
dv_str dv_trim_space(dv_str s);
