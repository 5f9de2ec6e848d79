/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a proof rests on, and a shorter proof.
 *
 * The search asks for dependencies late and decides early, so its proof takes detours. With only
 * the rules that it used, all known from the beginning, most of it follows without any decision;
 * that proof in turn uses fewer rules, and so on. At last single rules are left out by trial.
 *
 * What the versions of one package need of another is joined, too: "1.0.0 needs db ^1" and "1.1.0
 * needs db ^2" give "1.0.0 and 1.1.0 need db 1.0.0 to 2.9.0", which leads along a chain of
 * packages without a decision for each of them.
 */
#include "resolve/solver_internal.h"

/* Narrowings that shrinking may take in all, and rules up to which single ones are tried. */
enum { SHRINK_STEPS_MAX = 15000, SHRINK_ROUNDS = 8, SHRINK_RULES_MAX = 600 };

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
    else if (r->sources_n == 0)
        *dv_vec_push(&w->parts.leaves) = r;
    for (uint32_t i = 0; r->kind != RULE_LEARNED && i < r->sources_n; i++)
        visit_rule(w, r->sources[i].rule); /* of a joined one; these have no sources */
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

void dv_proof_entries(const solver *s, const package *p, const dv_word *set, uint32_t last,
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
            dv_proof_entries(w->s, e.reason->terms[i].pkg, e.reason->terms[i].set, at, visit_entry,
                             w);
}

static void open_rule(walk *w, const rule *r)
{
    for (uint32_t i = 0; i < r->sources_n; i++) {
        const source *from = &r->sources[i];

        if (from->rule)
            visit_rule(w, from->rule);
        else
            dv_proof_entries(w->s, from->pkg, from->set, from->entry, visit_entry, w);
    }
}

static int by_id(const void *a, const void *b)
{
    const rule *x = *(rule *const *)a, *y = *(rule *const *)b;

    return (x->id > y->id) - (x->id < y->id);
}

void dv_proof_collect(solver *s, proof_parts *ret_parts)
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

void dv_proof_parts_done(proof_parts *parts)
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

    dv_proof_collect(s, &parts);
    leaves = parts.leaves;
    parts.leaves = (rules){0};
    dv_proof_parts_done(&parts);
    return leaves;
}

/* ---- Joining ---- */

/* Dependencies of one package on another stand together. */
static int by_pair(const void *a, const void *b)
{
    const rule *x = *(rule *const *)a, *y = *(rule *const *)b;
    const package *p = x->terms[0].pkg, *q = y->terms[0].pkg;

    if (p == q) {
        p = x->terms[1].pkg;
        q = y->terms[1].pkg;
    }
    return p == q ? by_id(a, b) : (p->id > q->id) - (p->id < q->id);
}

static rule *join(solver *s, rule *const *list, size_t n)
{
    package *p = list[0]->terms[0].pkg, *other = list[0]->terms[1].pkg;
    rule *r = dv_solver_rule_new(s, RULE_NEED, 2);
    ask *a = DV_ARENA_NEW(s->arena, ask);

    a->pkg = other;
    a->allow = dv_solver_row(s, other);
    a->deny = dv_solver_row(s, other);
    r->ask = a;
    r->sources_n = (uint32_t)n;
    r->sources = dv_arena_alloc(s->arena, n * sizeof(source));
    r->terms[0] = (term){p, dv_solver_row(s, p)};
    r->terms[1] = (term){other, a->deny};
    for (size_t i = 0; i < n; i++) {
        r->sources[i].rule = list[i];
        dv_set_unite(r->terms[0].set, list[i]->terms[0].set, p->words);
        dv_set_unite(a->allow, list[i]->ask->allow, other->words);
    }
    dv_set_fill(a->deny, other->values);
    dv_set_without(a->deny, a->allow, other->words);
    return r;
}

/* What a proof may rest on, and what is joined from it. */
typedef struct {
    rules list;   /* in order of making */
    rules joined; /* by the two packages */
} premises;

static bool is_same_pair(const rule *a, const rule *b)
{
    return a->terms[0].pkg == b->terms[0].pkg && a->terms[1].pkg == b->terms[1].pkg;
}

static void join_all(solver *s, premises *from)
{
    rules needs = {0};

    from->joined.n = 0;
    for (size_t i = 0; i < from->list.n; i++)
        if (from->list.at[i]->kind == RULE_NEED)
            *dv_vec_push(&needs) = from->list.at[i];
    if (needs.n)
        qsort(needs.at, needs.n, sizeof(rule *), by_pair);
    for (size_t first = 0, end; first < needs.n; first = end) {
        end = first + 1;
        while (end < needs.n && is_same_pair(needs.at[end], needs.at[first]))
            end++;
        if (end - first > 1)
            *dv_vec_push(&from->joined) = join(s, needs.at + first, end - first);
    }
    dv_vec_done(&needs);
}

/* Of the rules that `joined` stands for, the one left out. */
static void join_without(solver *s, const rule *joined, const rule *out, rules *all)
{
    rules left = {0};

    for (uint32_t i = 0; i < joined->sources_n; i++)
        if (joined->sources[i].rule != out)
            *dv_vec_push(&left) = joined->sources[i].rule;
    if (left.n > 1)
        *dv_vec_push(all) = join(s, left.at, left.n);
    dv_vec_done(&left);
}

/* The list, behind what is joined from it; the caller frees the result. out: NULL for all. */
static rules all_without(solver *s, const premises *from, const rule *out)
{
    rules all = {0};

    for (size_t i = 0; i < from->joined.n; i++) {
        rule *joined = from->joined.at[i];

        if (out && out->kind == RULE_NEED && is_same_pair(joined, out))
            join_without(s, joined, out, &all);
        else
            *dv_vec_push(&all) = joined;
    }
    for (size_t i = 0; i < from->list.n; i++)
        if (from->list.at[i] != out)
            *dv_vec_push(&all) = from->list.at[i];
    return all;
}

/* Now what s->proof rests on. */
static void take_premises(solver *s, premises *ret)
{
    dv_vec_done(&ret->list);
    ret->list = leaves_of(s);
    join_all(s, ret);
}

static void premises_done(premises *from)
{
    dv_vec_done(&from->list);
    dv_vec_done(&from->joined);
}

/* ---- Shrinking ---- */

/* Proves without the rule (NULL: with all); true: it is a proof, and `from` is what it used. */
static dv_err *prove_without(solver *s, premises *from, const rule *out, bool *ret_proved)
{
    rules all = all_without(s, from, out);
    bool solved = false;
    dv_err *err;

    dv_solver_load(s, all.at, all.n);
    dv_vec_done(&all);
    err = dv_solver_search(s, &solved);
    *ret_proved = !err && !solved;
    if (*ret_proved)
        take_premises(s, from);
    return err;
}

static dv_err *prove(solver *s, premises *from)
{
    bool proved = false;

    DV_CHECK(prove_without(s, from, /* out= */ NULL, &proved));
    DV_ASSERT(proved);
    return NULL;
}

static dv_err *shrink(solver *s, premises *from)
{
    size_t before = SIZE_MAX, i;
    bool proved;

    for (int round = 0; round < SHRINK_ROUNDS && from->list.n < before; round++) {
        before = from->list.n;
        DV_CHECK(prove(s, from));
    }
    s->steps_max = s->steps + SHRINK_STEPS_MAX;
    i = from->list.n > SHRINK_RULES_MAX ? 0 : from->list.n;
    /* From the end: what lies near the roots stays. A smaller list may lose its end at once. */
    while (i-- > 0 && s->steps < s->steps_max)
        if (i < from->list.n)
            DV_CHECK(prove_without(s, from, from->list.at[i], &proved));
    s->steps_max = 0;
    return prove(s, from);
}

dv_err *dv_proof_shrink(solver *s)
{
    premises from = {0};
    dv_err *err;

    take_premises(s, &from);
    err = shrink(s, &from);
    premises_done(&from);
    return err;
}
