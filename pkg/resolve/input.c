/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/resolve.h"

#include "resolve/problem_internal.h"

void dv_dependencies_done(dv_dependencies *dependencies)
{
    for (size_t i = 0; i < dependencies->n; i++) {
        free(dependencies->at[i].package);
        free(dependencies->at[i].range);
    }
    dv_vec_done(dependencies);
}

static int by_package(const void *a, const void *b)
{
    const dv_dependency *x = a, *y = b;
    int order = strcmp(x->package, y->package);

    return order ? order : strcmp(x->range, y->range);
}

void dv_dependencies_sort(dv_dependencies *dependencies)
{
    if (dependencies->n)
        qsort(dependencies->at, dependencies->n, sizeof(dependencies->at[0]), by_package);
}

dv_problem *dv_problem_new(void)
{
    return DV_NEW(dv_problem);
}

static void version_done(problem_version *v)
{
    free(v->package);
    free(v->version);
    free(v->who);
}

void dv_problem_free(dv_problem *problem)
{
    if (!problem)
        return;
    for (size_t i = 0; i < problem->roots.n; i++) {
        problem_root *root = &problem->roots.at[i];

        free(root->package);
        free(root->range);
        free(root->who);
        dv_constraint_free(root->constraint);
    }
    for (size_t i = 0; i < problem->installed.n; i++)
        version_done(&problem->installed.at[i]);
    for (size_t i = 0; i < problem->pinned.n; i++)
        version_done(&problem->pinned.at[i]);
    for (size_t i = 0; i < problem->fixed.n; i++) {
        version_done(&problem->fixed.at[i].is);
        dv_dependencies_done(&problem->fixed.at[i].dependencies);
    }
    dv_vec_done(&problem->roots);
    dv_vec_done(&problem->installed);
    dv_vec_done(&problem->pinned);
    dv_vec_done(&problem->fixed);
    free(problem);
}

dv_err *dv_problem_add_root(dv_problem *problem, const char *package, const char *range,
                            const char *who)
{
    dv_auto(dv_constraint) constraint = NULL;
    problem_root *root;

    if (range[0])
        DV_TRY(dv_constraint_parse(dv_str_of(range), &constraint), "version of %s", package);
    root = dv_vec_push(&problem->roots);
    root->package = dv_strdup(package);
    root->range = dv_strdup(range);
    root->who = dv_strdup(who);
    root->constraint = DV_TAKE(constraint);
    return NULL;
}

void dv_problem_add_installed(dv_problem *problem, const char *package, const char *version)
{
    *dv_vec_push(&problem->installed) =
        (problem_version){.package = dv_strdup(package), .version = dv_strdup(version)};
}

void dv_problem_add_pinned(dv_problem *problem, const char *package, const char *version,
                           const char *who)
{
    *dv_vec_push(&problem->pinned) = (problem_version){
        .package = dv_strdup(package), .version = dv_strdup(version), .who = dv_strdup(who)};
}

void dv_problem_add_fixed(dv_problem *problem, const char *package, const char *version,
                          const dv_dependencies *dependencies)
{
    problem_fixed *fixed = dv_vec_push(&problem->fixed);

    fixed->is = (problem_version){.package = dv_strdup(package), .version = dv_strdup(version)};
    for (size_t i = 0; i < dependencies->n; i++)
        *dv_vec_push(&fixed->dependencies) =
            (dv_dependency){.package = dv_strdup(dependencies->at[i].package),
                            .range = dv_strdup(dependencies->at[i].range)};
    dv_dependencies_sort(&fixed->dependencies);
}

void dv_solution_done(dv_solution *solution)
{
    for (size_t i = 0; i < solution->choices.n; i++) {
        free(solution->choices.at[i].package);
        free(solution->choices.at[i].version);
    }
    dv_vec_done(&solution->choices);
}

const char *dv_solution_get(const dv_solution *solution, const char *package)
{
    size_t low = 0, high = solution->choices.n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(package, solution->choices.at[mid].package);

        if (order == 0)
            return solution->choices.at[mid].version;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}
