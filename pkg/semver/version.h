/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions: Semantic Versioning 2.0.0 with the lenient reading users meet ("v1", "1.2"), as
 * Masterminds/semver v3.5 decides it, plus Davit's rule for builds: metadata is digits only and
 * breaks ties (2.7.0+1 < 2.7.0+2; none < any number).
 *
 * A dv_version is a value that borrows the text it was read from.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

#define DV_VERSION_MAX_BYTES 256

typedef struct {
    uint64_t major, minor, patch;
    dv_str pre;   /* "" or "rc.1"; borrowed */
    dv_str build; /* "" or digits; borrowed */
    dv_str text;  /* as given; borrowed */
} dv_version;

/* NewVersion of the library, and the build rule. INVALID "BadVersion": with the reason. */
DV_MUST_USE dv_err *dv_version_parse(dv_str text, dv_version *ret_version);
/* The same without an error's cost, for those who only ask. False: not a version. */
DV_MUST_USE bool dv_version_is(dv_str text, dv_version *ret_version);
/* StrictNewVersion: all three numbers, no "v", no leading zeros. */
DV_MUST_USE dv_err *dv_version_parse_strict(dv_str text, dv_version *ret_version);
/* -1, 0, 1. A total order: precedence, then build. */
int dv_version_cmp(const dv_version *a, const dv_version *b);
/* Precedence alone: all builds of a version are equal. */
int dv_version_cmp_precedence(const dv_version *a, const dv_version *b);
bool dv_version_is_pre(const dv_version *version);
