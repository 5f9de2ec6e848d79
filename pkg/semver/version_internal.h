/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of the version grammar that constraints are made of, too.
 *
 * Threads: any.
 */
#pragma once

#include "semver/version.h"

/* False: not digits only, none, or past 64 bits. Leading zeros are read away. */
bool dv_version_read_u64(dv_str digits, uint64_t *ret_value);
/* Length of the longest list of dotted identifiers that s starts with; 0: none. */
size_t dv_version_span_ids(dv_str s);
/* No identifier of digits has a leading zero. pre is a list as dv_version_span_ids() finds it. */
bool dv_version_pre_is_valid(dv_str pre);
/* Order of two pre-releases; the empty one (a release) is above all. */
int dv_version_cmp_pre(dv_str a, dv_str b);
/* INVALID: "text is not a version: fault". reason, what and fault are static. */
DV_MUST_USE dv_err *dv_version_refuse(const char *reason, const char *what, dv_str text,
                                      const char *fault);
