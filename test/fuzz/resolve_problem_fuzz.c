/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A problem file: what is read is solved, and the solution, asked of the same candidates, has all
 * that its versions need; the same bytes give the same answer.
 */
#include "resolve/problem.h"

/* Search that a small input can cause; more is cut off. */
enum { INPUT_MAX = 16 * 1024 };

static bool accepts(const char *range, const char *version)
{
    dv_auto(dv_constraint) constraint = NULL;
    dv_version v;

    if (!range[0])
        return true;
    dv_auto(dv_err) err = dv_constraint_parse(dv_str_of(range), &constraint);
    return !err && dv_version_is(dv_str_of(version), &v) && dv_constraint_accepts(constraint, &v);
}

static void check_solution(dv_ctx *ctx, const dv_candidates *candidates,
                           const dv_solution *solution)
{
    for (size_t i = 0; i < solution->choices.n; i++) {
        const dv_choice *choice = &solution->choices.at[i];
        DV_CLEANUP(dv_dependencies_done) dv_dependencies needs = {0};
        dv_auto(dv_err) err =
            candidates->dependencies(candidates, ctx, choice->package, choice->version, &needs);

        DV_ASSERT(!err);
        for (size_t k = 0; k < needs.n; k++) {
            const char *other = dv_solution_get(solution, needs.at[k].package);

            DV_ASSERT(other && accepts(needs.at[k].range, other));
        }
    }
}

static void check_equal(const dv_solution *a, const dv_solution *b)
{
    DV_ASSERT(a->choices.n == b->choices.n);
    for (size_t i = 0; i < a->choices.n; i++)
        DV_ASSERT(strcmp(a->choices.at[i].package, b->choices.at[i].package) == 0 &&
                  strcmp(a->choices.at[i].version, b->choices.at[i].version) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const dv_str json = {(const char *)data, DV_MIN(size, (size_t)INPUT_MAX)};
    DV_CLEANUP(dv_solution_done) dv_solution first = {0}, second = {0};
    DV_CLEANUP(dv_freep) char *explanation = NULL;
    dv_auto(dv_problem_file) file = NULL;
    dv_auto(dv_err) refused = dv_problem_read(json, &file);
    dv_ctx ctx = dv_ctx_make(NULL);

    if (refused)
        return 0;
    const dv_problem *problem = dv_problem_file_problem(file);
    const dv_candidates *candidates = dv_problem_file_candidates(file);
    dv_auto(dv_err) conflict = dv_resolve(&ctx, problem, candidates, &first, &explanation);
    dv_auto(dv_err) again = dv_resolve(&ctx, problem, candidates, &second, NULL);

    DV_ASSERT(!conflict == !again);
    if (conflict) {
        DV_ASSERT(explanation && strlen(explanation) <= DV_EXPLANATION_MAX);
        DV_ASSERT(strcmp(dv_err_str(conflict), dv_err_str(again)) == 0);
        return 0;
    }
    check_solution(&ctx, candidates, &first);
    check_equal(&first, &second);
    return 0;
}
