/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a proof rests on, and a shorter proof.
 *
 * The search asks for dependencies late and decides early, so its proof takes detours. With only
 * the rules that it used, all known from the beginning, most of it follows without any decision;
 * that proof in turn uses fewer rules, and so on. At last single rules are left out by trial.
 */
#include "resolve/solver_internal.h"

/* Narrowings that shrinking may take in all, and rules up to which single ones are tried. */
enum { SHRINK_STEPS_MAX = 400000, SHRINK_ROUNDS = 8, SHRINK_RULES_MAX = 600 };

/* What is still to be visited: a rule, or a narrowed package. */
typedef struct {
    solver *s;
    proof_parts parts;
    size_t learned_next, known_next;
} walk;

static void visit_rule(walk *w, rule *r)
{
    if (r->mark == w->s->mark)
        return;
    r->mark = w->s->mark;
    if (r->kind == RULE_LEARNED)
        *dv_vec_push(&w->parts.learned) = r;
    else
        *dv_vec_push(&w->parts.leaves) = r;
}

static void visit_entry(void *context, uint32_t at)
{
    walk *w = context;
    entry *e = &w->s->trail.at[at];

    if (e->mark == w->s->mark)
        return;
    e->mark = w->s->mark;
    *dv_vec_push(&w->parts.known) = at;
}

void proof_entries(const solver *s, const package *p, const dv_word *set, uint32_t last,
                   void (*visit)(void *context, uint32_t entry), void *context)
{
    const dv_word *after = p->dom;

    for (uint32_t at = p->last; at != NO_ENTRY; at = s->trail.at[at].prev) {
        const dv_word *before = entry_old(s, &s->trail.at[at]);
        bool counts = !set;

        for (size_t i = 0; i < p->words && !counts; i++)
            counts = (before[i] & ~after[i] & ~set[i]) != 0;
        if (counts && at <= last)
            visit(context, at);
        after = before;
    }
}

static void open_entry(walk *w, uint32_t at)
{
    const entry e = w->s->trail.at[at];

    visit_rule(w, e.reason);
    for (uint32_t i = 0; i < e.reason->n; i++)
        if (e.reason->terms[i].pkg != e.pkg)
            proof_entries(w->s, e.reason->terms[i].pkg, e.reason->terms[i].set, at, visit_entry, w);
}

static void open_rule(walk *w, const rule *r)
{
    for (uint32_t i = 0; i < r->sources_n; i++) {
        const source *from = &r->sources[i];

        if (from->rule)
            visit_rule(w, from->rule);
        else
            proof_entries(w->s, from->pkg, from->set, from->entry, visit_entry, w);
    }
}

static int by_id(const void *a, const void *b)
{
    const rule *x = *(rule *const *)a, *y = *(rule *const *)b;

    return (x->id > y->id) - (x->id < y->id);
}

void proof_collect(solver *s, proof_parts *ret_parts)
{
    walk w = {.s = s};
    proof_parts *parts = &w.parts;

    s->mark++;
    open_rule(&w, s->proof);
    while (w.learned_next < parts->learned.n || w.known_next < parts->known.n) {
        if (w.learned_next < parts->learned.n)
            open_rule(&w, parts->learned.at[w.learned_next++]);
        else
            open_entry(&w, parts->known.at[w.known_next++]);
    }
    if (parts->leaves.n)
        qsort(parts->leaves.at, parts->leaves.n, sizeof(rule *), by_id);
    *ret_parts = *parts;
}

void proof_parts_done(proof_parts *parts)
{
    dv_vec_done(&parts->leaves);
    dv_vec_done(&parts->learned);
    dv_vec_done(&parts->known);
}

/* The rules that s->proof rests on; the caller frees the list. */
static rules leaves_of(solver *s)
{
    proof_parts parts;
    rules leaves;

    proof_collect(s, &parts);
    leaves = parts.leaves;
    parts.leaves = (rules){0};
    proof_parts_done(&parts);
    return leaves;
}

/* Proves with these rules alone; true: it is a proof, and *list holds what it used. */
static dv_err *prove(solver *s, rules *list, bool *ret_proved)
{
    bool solved = false;

    solver_load(s, list->at, list->n);
    DV_CHECK(solver_search(s, &solved));
    *ret_proved = !solved;
    if (solved)
        return NULL;
    dv_vec_done(list);
    *list = leaves_of(s);
    return NULL;
}

/* Without the i-th rule; *list is replaced where that is still a proof. */
static dv_err *try_without(solver *s, rules *list, size_t i)
{
    rules fewer = {0};
    bool proved = false;
    dv_err *err;

    for (size_t k = 0; k < list->n; k++)
        if (k != i)
            *dv_vec_push(&fewer) = list->at[k];
    err = prove(s, &fewer, &proved);
    if (proved && !err) {
        rules held = *list;

        *list = fewer;
        fewer = held;
    }
    dv_vec_done(&fewer);
    return err;
}

static dv_err *shrink(solver *s, rules *list)
{
    size_t before = SIZE_MAX;
    bool proved = false;

    for (int round = 0; round < SHRINK_ROUNDS && list->n < before; round++) {
        before = list->n;
        DV_CHECK(prove(s, list, &proved));
        DV_ASSERT(proved);
    }
    s->steps_max = s->steps + SHRINK_STEPS_MAX;
    /* From the end: what lies near the roots stays. A smaller list may lose its end at once. */
    for (size_t i = list->n > SHRINK_RULES_MAX ? 0 : list->n; i-- > 0 && s->steps < s->steps_max;)
        if (i < list->n)
            DV_CHECK(try_without(s, list, i));
    s->steps_max = 0;
    DV_CHECK(prove(s, list, &proved));
    DV_ASSERT(proved);
    return NULL;
}

dv_err *proof_shrink(solver *s)
{
    rules list = leaves_of(s);
    dv_err *err;

    err = shrink(s, &list);
    dv_vec_done(&list);
    return err;
}
