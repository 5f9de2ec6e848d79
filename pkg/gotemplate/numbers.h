/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in text as Go's strconv reads them.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

typedef enum { DV_NUMBER_OK, DV_NUMBER_SYNTAX, DV_NUMBER_RANGE } dv_number_fault;

/* ParseInt(s, base, 64); base 0: a prefix tells it, and underscores may separate digits. */
dv_number_fault dv_number_int(dv_str s, int base, int64_t *ret_value);
dv_number_fault dv_number_uint(dv_str s, int base, uint64_t *ret_value);
/* ParseFloat(s, 64): also hexadecimal, "inf" and "nan". Out of range: infinite. */
dv_number_fault dv_number_float(dv_str s, double *ret_value);
