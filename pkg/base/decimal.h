/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shortest decimal digits that read back as the same floating-point number, and the texts
 * that Go makes of them. C's printf() must be told a precision; Go finds it.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

/* More than any double needs. */
#define DV_DECIMAL_DIGITS 24

/* The value 0.d1d2d3… × 10^point; zero has no digits. */
typedef struct {
    bool negative;
    int n, point;
    char digits[DV_DECIMAL_DIGITS]; /* n of them, no zero at the end, and a NUL */
} dv_decimal;

/* value is finite. */
dv_decimal dv_decimal_of(double value);
/* The same for a number of 32 bits. */
dv_decimal dv_decimal_of_float(float value);
/* True for a whole number. */
bool dv_decimal_is_whole(const dv_decimal *decimal);
/* Appends it without exponent, as Go's 'f' format with precision -1: "1500", "0.001". */
void dv_decimal_add_plain(dv_buf *out, const dv_decimal *decimal);
/*
 * Appends it as Go's 'g' format with precision -1, with an exponent below 1e-4 and from
 * 10^exponent_from on: 6 in strconv, 21 in fmt. "1e+06", "0.0001".
 */
void dv_decimal_add_general(dv_buf *out, const dv_decimal *decimal, int exponent_from);
