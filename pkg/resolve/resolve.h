/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dependency solver: pure, no I/O, deterministic whatever the order of its inputs.
 *
 * A dv_problem is filled with roots (what people asked for), with what is installed (kept where
 * it still fits) and pinned (a person's choice, never moved). Versions and dependencies are
 * asked for lazily, through a dv_candidates: only when the solver considers them. The answer is
 * one version for each package reached from the roots, or an explanation that names packages,
 * ranges and who demands them.
 *
 * Preference, in this order: keep what is installed where it still fits, newest of the roots,
 * newest of the rest; releases before prereleases where no range was given. Cycles are fine.
 *
 * Threads: owner.
 */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"
#include "semver/constraint.h"

/* One dependency: a name and a constraint text; empty: any version, releases preferred. */
typedef struct {
    char *package;
    char *range;
} dv_dependency;
typedef DV_VEC(dv_dependency) dv_dependencies;
void dv_dependencies_done(dv_dependencies *dependencies);

/* Where candidates come from; implemented over repositories, and over a file. */
typedef struct dv_candidates dv_candidates;
struct dv_candidates {
    /*
     * All version texts of a package, in any order, appended to ret_versions. NOT_FOUND: nobody
     * has the name (the package can't be had; not a failure of the run). Others end the run.
     */
    dv_err *(*versions)(const dv_candidates *self, dv_ctx *ctx, const char *package,
                        dv_strings *ret_versions);
    /*
     * Dependencies of one version. INVALID and NOT_FOUND: this version is unusable (the message
     * becomes part of an explanation). Others end the run.
     */
    dv_err *(*dependencies)(const dv_candidates *self, dv_ctx *ctx, const char *package,
                            const char *version, dv_dependencies *ret_dependencies);
    /*
     * May be NULL. Which repositories give the package's versions, after "in", for explanations:
     * "repository main, which goes before extra". Owned; NULL: nothing is to be said.
     */
    char *(*origin)(const dv_candidates *self, const char *package);
};

typedef struct dv_problem dv_problem;
dv_problem *dv_problem_new(void);
void dv_problem_free(dv_problem *problem);
/* who is named in explanations ("PackageManifest team-a/web"). Copies. INVALID: bad range. */
DV_MUST_USE dv_err *dv_problem_add_root(dv_problem *problem, const char *package, const char *range,
                                        const char *who);
/*
 * Kept where it fits. For what a person wants upgraded, leave it out. A version that is not
 * among the candidates gives no preference.
 */
void dv_problem_add_installed(dv_problem *problem, const char *package, const char *version);
/* Never moved: where the package is needed, it has this version. Asks for nothing by itself. */
void dv_problem_add_pinned(dv_problem *problem, const char *package, const char *version,
                           const char *who);
/*
 * A name whose only candidate is this version with these dependencies (an inline manifest). A
 * text that is no version ("inline-1a2b3c4d") satisfies roots without a range, and no dependency.
 * Copies.
 */
void dv_problem_add_fixed(dv_problem *problem, const char *package, const char *version,
                          const dv_dependencies *dependencies);
DV_DEFINE_AUTO(dv_problem)

typedef struct {
    char *package;
    char *version; /* the text as the repository has it */
} dv_choice;
typedef struct {
    DV_VEC(dv_choice) choices; /* in byte order of package */
} dv_solution;
void dv_solution_done(dv_solution *solution);
/* Borrowed; NULL: not chosen. */
const char *dv_solution_get(const dv_solution *solution, const char *package);

/*
 * Solves. NULL: *ret_solution is filled (release with dv_solution_done()). DENIED
 * "DependencyConflict": nothing fits; the message is the reason in one sentence of at most
 * DV_EXPLANATION_FIRST_MAX bytes, fit for a condition, and *ret_explanation (owned; NULL where
 * nobody wants it; set for these two refusals only) the whole derivation in numbered sentences and
 * what change would help, at most DV_EXPLANATION_MAX bytes. NOT_FOUND "PackageNotFound": likewise,
 * a root asks for a name that nobody has, or for a range that none of its versions is in. INVALID
 * "ProblemTooHard": no answer within the limits; INVALID "TooLarge". Others come from candidates
 * and ctx.
 *
 * In both texts names in backquotes are packages that exist, a name that nobody has stands in
 * double quotes.
 */
#define DV_EXPLANATION_FIRST_MAX ((size_t)700)
#define DV_EXPLANATION_MAX ((size_t)20000)
DV_MUST_USE dv_err *dv_resolve(dv_ctx *ctx, const dv_problem *problem,
                               const dv_candidates *candidates, dv_solution *ret_solution,
                               char **ret_explanation);
