/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal numbers of any length, for sums and products of floats without their errors: a value is
 * ±digits × 10^exponent.
 *
 * Threads: owner.
 */
#pragma once

#include "base/vec.h"

typedef struct {
    bool negative;
    int exponent;
    DV_VEC(uint8_t) digits; /* the lowest first; none: zero */
} bignum;

void dv_bignum_done(bignum *number);
/* The shortest decimal that reads back as value, which is finite. */
bignum dv_bignum_of(double value);
bignum dv_bignum_add(const bignum *a, const bignum *b);
bignum dv_bignum_mul(const bignum *a, const bignum *b);
/* To 16 digits behind the point, halves away from zero. b is not zero. */
bignum dv_bignum_div(const bignum *a, const bignum *b);
bool dv_bignum_is_zero(const bignum *number);
double dv_bignum_float(const bignum *number);
