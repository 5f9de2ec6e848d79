/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dv_problem holds. Lists are in the order they were given; the solver sorts.
 *
 * Threads: owner.
 */
#pragma once

#include "resolve/resolve.h"

typedef struct {
    char *package, *range, *who; /* who may be NULL */
    dv_constraint *constraint;   /* NULL: any version */
} problem_root;

typedef struct {
    char *package, *version, *who; /* who may be NULL */
} problem_version;

typedef struct {
    problem_version is; /* without who */
    dv_dependencies dependencies;
} problem_fixed;

struct dv_problem {
    DV_VEC(problem_root) roots;
    DV_VEC(problem_version) installed, pinned;
    DV_VEC(problem_fixed) fixed;
};

/* By name, then range, so that the order in which they came decides nothing. */
void dv_dependencies_sort(dv_dependencies *dependencies);
