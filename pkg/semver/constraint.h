/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version constraints exactly as Masterminds/semver v3.5 decides them: operators, "~", "^",
 * wildcards, hyphen ranges, comma, blank and "||", its prerelease rule and its limits (512
 * bytes, 32 groups). One difference: a "+" anywhere is an error, for all builds of a version
 * stand or fall together.
 *
 * Where the library is surprising, so are we:
 *
 *     ^*  <=*  !=*  >*    0.0.0 alone; any 0.0.z; all but 0.0.0; all above 0.0.0
 *     ~0.0.0              has no upper end
 *     >1  <=1.2           mean the whole line: above all of 1, up to all of 1.2
 *     >=1-0 <2            a pre-release in one term lets pre-releases into its whole AND group,
 *                         whatever the numbers; no other group has any, not even by "!="
 *     1.x.7               what follows a wildcard is dropped, even if it is no number
 *     1 - 2               is rewritten as text, before anything else is read: "1||2 - 3" means
 *                         >=1 || 2, <=3, and a blank before a range does not mean AND
 *     >=1<2               is an error: AND needs a blank or a comma
 *     1-18446744073709551616    a number past 64 bits in a pre-release sorts as a word
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
