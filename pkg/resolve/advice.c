/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What change would help: of those demands of people that a proof rests on, each is left out once,
 * and what the others allow then is looked for, within bounds.
 *
 *     `keptn` 2.1.0 would accept `cert-manager` 1.15.0 if the root did not ask for `keptn` ~2.0.
 *
 * Only the demands of the proof take part: what else is asked for had no share in the conflict.
 */
#include "resolve/solver_internal.h"

/* Demands that are left out in turn, and narrowings for each of them. */
enum { DEMANDS_MAX = 8, TRY_STEPS_MAX = 1000 };

static bool is_demand(const rule *r)
{
    return r->kind == RULE_ROOT || r->kind == RULE_PIN;
}

/* A root without a range asks for nothing that could be given up. */
static bool may_be_left_out(const rule *r)
{
    return r->kind == RULE_PIN || (r->kind == RULE_ROOT && r->ask->range[0]);
}

/* A root that is left out still wants the package, in any version. */
static dv_err *add_demand(dv_problem *problem, const rule *r, bool left_out)
{
    const package *p = r->terms[0].pkg;

    if (r->kind == RULE_ROOT)
        return dv_problem_add_root(problem, p->name, left_out ? "" : r->ask->range, r->note);
    if (!left_out)
        dv_problem_add_pinned(problem, p->name, p->pinned, r->note);
    return NULL;
}

static dv_err *problem_without(const solver *s, const rules *leaves, const rule *out,
                               dv_problem **ret_problem)
{
    dv_auto(dv_problem) problem = dv_problem_new();

    for (size_t i = 0; i < s->problem->fixed.n; i++) {
        const problem_fixed *fixed = &s->problem->fixed.at[i];

        dv_problem_add_fixed(problem, fixed->is.package, fixed->is.version, &fixed->dependencies);
    }
    for (size_t i = 0; i < leaves->n; i++)
        if (is_demand(leaves->at[i]))
            DV_CHECK(add_demand(problem, leaves->at[i], leaves->at[i] == out));
    *ret_problem = DV_TAKE(problem);
    return NULL;
}

/* The package that the last step of the proof could not have as it was wanted. */
static const package *clash_of(const solver *s)
{
    const rule *conflict = s->proof->sources[0].rule;

    return conflict->kind == RULE_NEED ? conflict->ask->pkg
           : conflict->n               ? conflict->terms[0].pkg
                                       : NULL;
}

static void tell(dv_buf *out, const rule *left_out, const package *clash, const dv_solution *found)
{
    const package *p = left_out->terms[0].pkg;
    const char *chosen = dv_solution_get(found, p->name);
    const char *other = clash && clash != p ? dv_solution_get(found, clash->name) : NULL;

    if (!chosen)
        return;
    dv_words_name(out, p);
    dv_buf_addc(out, ' ');
    dv_words_version(out, chosen);
    if (other) {
        dv_buf_adds(out, " would accept ");
        dv_words_name(out, clash);
        dv_buf_addc(out, ' ');
        dv_words_version(out, other);
    } else {
        dv_buf_adds(out, " would suit all others");
    }
    dv_buf_adds(out, " if ");
    dv_words_undemanded(out, left_out);
    dv_buf_adds(out, ".\n");
}

static dv_err *try_without(solver *s, const rules *leaves, const rule *left_out, dv_buf *out)
{
    DV_CLEANUP(dv_solution_done) dv_solution found = {0};
    dv_auto(dv_problem) problem = NULL;
    bool solved = false;

    DV_CHECK(problem_without(s, leaves, left_out, &problem));
    DV_CHECK(dv_solver_try(s, problem, TRY_STEPS_MAX, &found, &solved));
    if (solved)
        tell(out, left_out, clash_of(s), &found);
    return NULL;
}

void dv_solver_advise(solver *s, dv_buf *out)
{
    proof_parts parts;
    size_t tried = 0;

    dv_proof_collect(s, &parts);
    for (size_t i = 0; i < parts.leaves.n && tried < DEMANDS_MAX; i++) {
        dv_auto(dv_err) failed = NULL; /* the refusal stands without advice, too */

        if (!may_be_left_out(parts.leaves.at[i]))
            continue;
        failed = try_without(s, &parts.leaves, parts.leaves.at[i], out);
        tried++;
    }
    dv_proof_parts_done(&parts);
}
