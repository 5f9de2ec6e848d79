/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/solver_internal.h"

/* ---- Set up and tear down ---- */

static int by_name(const void *a, const void *b)
{
    const problem_version *x = *(const problem_version *const *)a;
    const problem_version *y = *(const problem_version *const *)b;
    int order = strcmp(x->package, y->package);

    return order ? order : strcmp(x->version, y->version);
}

static void sort_named(named *list)
{
    if (list->n)
        qsort(list->at, list->n, sizeof(list->at[0]), by_name);
}

static void free_constraint(void *constraint)
{
    dv_constraint_free(constraint);
}

static void solver_init(solver *s, dv_ctx *ctx, const dv_problem *problem,
                        const dv_candidates *candidates)
{
    *s = (solver){.ctx = ctx, .problem = problem, .candidates = candidates, .weight = 1};
    s->arena = dv_arena_new(/* limit_bytes= */ 0);
    s->domains = dv_arena_new(/* limit_bytes= */ 0);
    s->packages = dv_map_new(/* free_value= */ NULL);
    s->constraints = dv_map_new(free_constraint);
    s->asks = dv_map_new(/* free_value= */ NULL);
    s->same_needs = dv_map_new(/* free_value= */ NULL);
    for (size_t i = 0; i < problem->installed.n; i++)
        *dv_vec_push(&s->given_installed) = &problem->installed.at[i];
    for (size_t i = 0; i < problem->pinned.n; i++)
        *dv_vec_push(&s->given_pinned) = &problem->pinned.at[i];
    for (size_t i = 0; i < problem->fixed.n; i++)
        *dv_vec_push(&s->given_fixed) = &problem->fixed.at[i].is;
    sort_named(&s->given_installed);
    sort_named(&s->given_pinned);
    sort_named(&s->given_fixed);
}

static void package_done(package *p)
{
    for (size_t i = 0; i < p->asks.n; i++)
        dv_vec_done(&p->asks.at[i].ask->needs);
    dv_vec_done(&p->asks);
    dv_vec_done(&p->needs);
    dv_vec_done(&p->watches);
    dv_vec_done(&p->facts);
    dv_strings_done(&p->texts);
}

static void solver_done(solver *s)
{
    for (size_t i = 0; i < s->by_id.n; i++)
        package_done(s->by_id.at[i]);
    dv_vec_done(&s->by_id);
    dv_vec_done(&s->given_installed);
    dv_vec_done(&s->given_pinned);
    dv_vec_done(&s->given_fixed);
    dv_vec_done(&s->trail);
    dv_vec_done(&s->undo);
    dv_vec_done(&s->level_starts);
    dv_vec_done(&s->late);
    dv_vec_done(&s->forced);
    dv_vec_done(&s->heap);
    dv_vec_done(&s->installed);
    dv_vec_done(&s->work);
    dv_vec_done(&s->watched);
    dv_vec_done(&s->level_marks);
    dv_vec_done(&s->sources);
    dv_vec_done(&s->loaded);
    dv_map_free(s->packages);
    dv_map_free(s->constraints);
    dv_map_free(s->asks);
    dv_map_free(s->same_needs);
    dv_arena_free(s->arena);
    dv_arena_free(s->domains);
}

/* ---- Search ---- */

dv_err *dv_solver_look(solver *s)
{
    if (!dv_solver_is_due(s))
        return NULL;
    s->looked = s->effort;
    if (s->conflicts > DV_RESOLVE_CONFLICTS_MAX || dv_arena_used(s->arena) > DV_RESOLVE_MEMORY_MAX)
        return dv_err_new(DV_INVALID, "ProblemTooHard",
                          "no answer after %u conflicts between %zu packages", s->conflicts,
                          s->by_id.n);
    return dv_ctx_check(s->ctx);
}

/* True: something was decided. What is installed stays, or is absent, where that is possible. */
static bool keep_installed(solver *s)
{
    if (s->installed_fresh) {
        /* Found late: it goes before what was decided meanwhile. */
        s->installed_fresh = false;
        s->installed_level = UINT32_MAX;
        dv_solver_backjump(s, 0);
        s->installed_next = 0;
        return true;
    }
    while (s->installed_next < s->installed.n) {
        package *p = s->installed.at[s->installed_next++];
        dv_word *moved;

        if (!dv_set_has(p->dom, p->installed))
            continue;
        moved = p->work; /* free between conflicts */
        dv_set_fill(moved, p->values);
        dv_set_drop(moved, 0);
        dv_set_drop(moved, p->installed);
        if (!dv_set_meets(p->dom, moved, p->words))
            continue;
        dv_solver_decide(s, p, moved);
        return true;
    }
    if (s->installed_level > level_of(s))
        s->installed_level = level_of(s);
    return false;
}

/* *ret_done: every needed package is settled. */
static dv_err *decide(solver *s, bool *ret_done)
{
    package *p;
    size_t value;

    if (keep_installed(s))
        return NULL;
    p = dv_solver_next(s);
    if (!p) {
        *ret_done = true;
        return NULL;
    }
    value = dv_solver_pick(p);
    if (!s->closed && !p->versions[value - 1].expanded)
        return dv_solver_expand(s, p, value); /* it may fall at once; then nothing is decided */
    dv_set_copy(p->work, p->dom, p->words);
    dv_set_drop(p->work, value);
    dv_solver_decide(s, p, p->work);
    return NULL;
}

dv_err *dv_solver_search(solver *s, bool *ret_solved)
{
    bool done = false;

    while (!done) {
        dv_solver_propagate(s);
        DV_CHECK(dv_solver_look(s));
        if (s->conflict) {
            if (!dv_solver_learn(s)) {
                *ret_solved = false;
                return NULL;
            }
            dv_solver_forget(s);
        }
        if (s->steps_max && s->steps > s->steps_max)
            break;
        if (s->head < s->trail.n || s->conflict)
            continue;
        if (s->forced.n)
            DV_CHECK(dv_solver_expand_forced(s));
        else
            DV_CHECK(decide(s, &done));
    }
    *ret_solved = true;
    return NULL;
}

/* ---- Once more, with some rules only ---- */

static void reset_package(package *p)
{
    dv_set_fill(p->dom, p->values);
    p->last = NO_ENTRY;
    p->activity = 0;
    p->decidable = p->in_work = p->work_now = p->work_listed = p->loaded = false;
    p->needs.n = p->facts.n = p->watches.n = 0;
    for (size_t i = 0; i < p->asks.n; i++)
        p->asks.at[i].ask->needs.n = 0;
}

/* The first time everything goes, later only what was loaded last. */
static void reset(solver *s)
{
    if (!s->closed)
        for (size_t i = 0; i < s->by_id.n; i++)
            reset_package(s->by_id.at[i]);
    for (size_t i = 0; i < s->loaded.n; i++)
        reset_package(s->loaded.at[i]);
    s->closed = true;
    s->loaded.n = s->trail.n = s->undo.n = s->level_starts.n = s->head = 0;
    s->late.n = s->forced.n = s->heap.n = s->installed.n = s->installed_next = s->work.n = 0;
    s->installed_fresh = false;
    s->weight = 1;
    s->watched.n = s->since_restart = s->restarts = s->forgets = 0;
    s->conflict = s->proof = NULL;
}

static void hang_rule(solver *s, rule *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        package *p = r->terms[i].pkg;

        if (p->loaded)
            continue;
        p->loaded = true;
        *dv_vec_push(&s->loaded) = p;
    }
    if (r->kind == RULE_NEED) {
        /* Backwards the single ones say as much as what was joined. */
        dv_solver_hang_need(r, /* backwards= */ r->ask->range != NULL);
    } else {
        *dv_vec_push(&r->terms[0].pkg->facts) = r;
    }
}

/* From the roots along what they need as far as that leads: so a proof is read most easily. */
void dv_solver_load(solver *s, rule *const *list, size_t n)
{
    reset(s);
    for (size_t i = 0; i < n; i++)
        hang_rule(s, list[i]);
    s->forward = true;
    for (size_t i = 0; i < n; i++)
        if (list[i]->kind != RULE_NEED)
            dv_solver_check_rule(s, list[i]);
    while (s->head < s->trail.n && !s->conflict) {
        dv_solver_propagate(s);
        s->looked = s->effort;
    }
    s->forward = false;
    s->head = 0;
    for (size_t i = 0; i < n && !s->conflict; i++)
        dv_solver_check_rule(s, list[i]);
}

/* ---- Answer ---- */

static int by_choice(const void *a, const void *b)
{
    return strcmp(((const dv_choice *)a)->package, ((const dv_choice *)b)->package);
}

static void take_solution(const solver *s, dv_solution *ret_solution)
{
    *ret_solution = (dv_solution){0};
    for (size_t i = 0; i < s->by_id.n; i++) {
        const package *p = s->by_id.at[i];

        if (!is_needed(p))
            continue;
        *dv_vec_push(&ret_solution->choices) = (dv_choice){
            .package = dv_strdup(p->name),
            .version = dv_strdup(p->versions[dv_set_top(p->dom, p->words) - 1].v.text.p)};
    }
    if (ret_solution->choices.n)
        qsort(ret_solution->choices.at, ret_solution->choices.n, sizeof(dv_choice), by_choice);
}

/* The root that can't be had whatever the others say; NULL: none is alone to blame. */
static const rule *hopeless_root(const solver *s)
{
    for (size_t i = 0; i < s->by_id.n; i++) {
        const package *p = s->by_id.at[i];

        for (size_t k = 0; k < p->facts.n; k++) {
            const rule *fact = p->facts.at[k];

            if (fact->kind == RULE_ROOT && !dv_set_count(fact->ask->allow, p->words))
                return fact;
        }
    }
    return NULL;
}

static dv_err *refuse(solver *s, char **ret_explanation)
{
    DV_CLEANUP(dv_freep) char *first = NULL;
    DV_CLEANUP(dv_freep) char *text = NULL;
    bool missing = hopeless_root(s) != NULL;

    DV_CHECK(dv_proof_shrink(s));
    dv_solver_explain(s, &first, &text);
    if (ret_explanation)
        *ret_explanation = DV_TAKE(text);
    return dv_err_new(missing ? DV_NOT_FOUND : DV_DENIED,
                      missing ? "PackageNotFound" : "DependencyConflict", "%s", first);
}

static dv_err *solve(solver *s, dv_solution *ret_solution, char **ret_explanation)
{
    bool solved = false;

    DV_CHECK(dv_ctx_check(s->ctx));
    DV_CHECK(dv_solver_add_roots(s));
    DV_CHECK(dv_solver_search(s, &solved));
    if (!solved)
        return refuse(s, ret_explanation);
    DV_CHECK(dv_solver_polish(s));
    take_solution(s, ret_solution);
    return NULL;
}

dv_err *dv_solver_try(const solver *like, const dv_problem *problem, uint64_t steps_max,
                      dv_solution *ret_solution, bool *ret_solved)
{
    solver s;
    bool solved = false;
    dv_err *err;

    solver_init(&s, like->ctx, problem, like->candidates);
    s.steps_max = steps_max;
    err = dv_solver_add_roots(&s);
    if (!err)
        err = dv_solver_search(&s, &solved);
    if (!err && solved && s.steps <= steps_max) {
        take_solution(&s, ret_solution);
        *ret_solved = true;
    }
    solver_done(&s);
    return err;
}

dv_err *dv_resolve(dv_ctx *ctx, const dv_problem *problem, const dv_candidates *candidates,
                   dv_solution *ret_solution, char **ret_explanation)
{
    solver s;
    dv_err *err;

    if (ret_explanation)
        *ret_explanation = NULL;
    solver_init(&s, ctx, problem, candidates);
    err = solve(&s, ret_solution, ret_explanation);
    solver_done(&s);
    return err;
}
