/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version constraints exactly as Masterminds/semver v3.5 decides them: operators, "~", "^",
 * wildcards, hyphen ranges, comma, blank and "||", its prerelease rule and its limits (512
 * bytes, 32 groups). Where the library is surprising, so are we ("^*" accepts 0.0.0 alone,
 * "~0.0.0" has no upper end). One difference: a "+" anywhere is an error, for all builds of a
 * version stand or fall together.
 *
 * Threads: any; a constraint is never changed after it was parsed.
 */
#pragma once

#include "semver/version.h"

#define DV_CONSTRAINT_MAX_BYTES 512
#define DV_CONSTRAINT_MAX_GROUPS 32

typedef struct dv_constraint dv_constraint;

/* *ret_constraint is owned; copies text. INVALID "BadConstraint": also for the empty text. */
DV_MUST_USE dv_err *dv_constraint_parse(dv_str text, dv_constraint **ret_constraint);
void dv_constraint_free(dv_constraint *constraint);
bool dv_constraint_accepts(const dv_constraint *constraint, const dv_version *version);
/* The text it was parsed from, borrowed. */
dv_str dv_constraint_text(const dv_constraint *constraint);

DV_DEFINE_AUTO(dv_constraint)
