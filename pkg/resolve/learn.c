/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learning from a conflict.
 *
 * The conflict's rule is resolved, newest narrowing first, with the reasons of what made its
 * terms hold, until only one term holds through the current level: at the level where the others
 * began to hold the new rule narrows that one. Resolving two rules on package p:
 *
 *     not (p in A and rest)  +  not (p in B and other)  =  not (p in A or B, and rest, and other)
 *
 * Terms that hold without any decision are left out; what made them hold is noted as a source.
 */
#include "resolve/solver_internal.h"

/* By how much a conflict counts more than the one before it. */
#define WEIGHT_GROWTH 1.01
/*
 * How far is far back, and in how many conflicts a package may be before it counts as often met:
 * see way_back().
 */
enum { FAR = 20, SELDOM = 8 };

uint32_t dv_solver_holds_since(const solver *s, const package *p, const dv_word *set)
{
    uint32_t at = p->last;

    while (at != NO_ENTRY && dv_set_within(entry_old(s, &s->trail.at[at]), set, p->words))
        at = s->trail.at[at].prev;
    return at;
}

static uint32_t level_since(const solver *s, const package *p, const dv_word *set)
{
    uint32_t at = dv_solver_holds_since(s, p, set);

    return at == NO_ENTRY ? 0 : s->trail.at[at].level;
}

typedef struct {
    size_t now; /* terms that hold through the current level */
} learning;

static void drop_term(learning *l, package *p)
{
    l->now -= p->work_now;
    p->in_work = p->work_now = false;
}

/* A search keeps it short; an explanation wants to know exactly what was needed. */
static void note_known(solver *s, package *p, uint32_t since)
{
    source *known = dv_vec_push(&s->sources);

    known->pkg = p;
    known->entry = since;
    if (s->closed) {
        dv_word *set = dv_solver_row(s, p);

        dv_set_copy(set, p->work, p->words);
        known->set = set;
    }
}

/* Brings the state of p's term up to date after its set changed. */
static void weigh_term(solver *s, learning *l, package *p)
{
    uint32_t since = dv_solver_holds_since(s, p, p->work);
    uint32_t level = since == NO_ENTRY ? 0 : s->trail.at[since].level;
    bool now = level == level_of(s);

    if (level == 0) {
        drop_term(l, p);
        if (since != NO_ENTRY)
            note_known(s, p, since);
        return;
    }
    l->now += now - p->work_now;
    p->work_now = now;
}

static void add_term(solver *s, learning *l, package *p, const dv_word *set)
{
    if (p->in_work) {
        dv_set_cross(p->work, set, p->words);
    } else {
        dv_set_copy(p->work, set, p->words);
        p->in_work = true;
        if (!p->work_listed)
            *dv_vec_push(&s->work) = p;
        p->work_listed = true;
    }
    weigh_term(s, l, p);
}

static bool is_everything(const package *p, const dv_word *set)
{
    return dv_set_count(set, p->words) == p->values;
}

/* Replaces p's term by what its reason says. */
static void resolve_term(solver *s, learning *l, package *p, rule *reason)
{
    *dv_vec_push(&s->sources) = (source){.rule = reason};
    for (uint32_t i = 0; i < reason->n; i++) {
        const term *t = &reason->terms[i];

        if (t->pkg != p) {
            add_term(s, l, t->pkg, t->set);
            continue;
        }
        dv_set_unite(p->work, t->set, p->words);
        if (is_everything(p, p->work))
            drop_term(l, p);
        else
            weigh_term(s, l, p);
    }
}

/* The level at which the conflict arose; it may lie below the current one. */
static uint32_t conflict_level(const solver *s, const rule *conflict)
{
    uint32_t level = 0;

    for (uint32_t i = 0; i < conflict->n; i++)
        level = DV_MAX(level, level_since(s, conflict->terms[i].pkg, conflict->terms[i].set));
    return level;
}

static void resolve_down(solver *s, learning *l)
{
    for (size_t at = s->trail.n; l->now > 1 && at-- > 0;) {
        const entry *e = &s->trail.at[at];
        package *p = e->pkg;

        if (!p->in_work || dv_set_within(entry_old(s, e), p->work, p->words))
            continue;
        DV_ASSERT(e->reason); /* a decision opens its level: there its term is the last */
        resolve_term(s, l, p, e->reason);
    }
}

static rule *make_rule(solver *s)
{
    uint32_t n = 0;
    rule *r;

    for (size_t i = 0; i < s->work.n; i++)
        n += s->work.at[i]->in_work;
    r = dv_solver_rule_new(s, RULE_LEARNED, n);
    r->n = 0;
    for (size_t i = 0; i < s->work.n; i++) {
        package *p = s->work.at[i];

        if (!p->in_work)
            continue;
        r->terms[r->n] = (term){p, dv_solver_row(s, p)};
        dv_set_copy(r->terms[r->n].set, p->work, p->words);
        r->n++;
    }
    r->sources_n = (uint32_t)s->sources.n;
    r->sources = dv_arena_alloc(s->arena, s->sources.n * sizeof(source));
    memcpy(r->sources, s->sources.at, s->sources.n * sizeof(source));
    return r;
}

/* The current level's term goes first, then the one that held last; its level is the result. */
static uint32_t order_terms(const solver *s, rule *r)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < r->n; i++)
        if (r->terms[i].pkg->work_now) {
            term held = r->terms[i];

            r->terms[i] = r->terms[0];
            r->terms[0] = held;
        }
    for (uint32_t i = 1; i < r->n; i++) {
        uint32_t level = level_since(s, r->terms[i].pkg, r->terms[i].set);

        if (i == 1 || level > best) {
            term held = r->terms[i];

            r->terms[i] = r->terms[1];
            r->terms[1] = held;
            best = level;
        }
    }
    return best;
}

static void forget_work(solver *s)
{
    for (size_t i = 0; i < s->work.n; i++) {
        package *p = s->work.at[i];

        p->in_work = p->work_now = p->work_listed = false;
        dv_solver_heap_raise(s, p);
    }
    s->work.n = 0;
}

/* Resolves the conflict until one term at most holds through its level. */
static rule *learn_once(solver *s, rule *conflict, size_t *ret_now)
{
    learning l = {0};

    dv_solver_backjump(s, conflict_level(s, conflict));
    s->conflict = NULL;
    s->sources.n = 0;
    *dv_vec_push(&s->sources) = (source){.rule = conflict};
    for (uint32_t i = 0; i < conflict->n; i++)
        add_term(s, &l, conflict->terms[i].pkg, conflict->terms[i].set);
    resolve_down(s, &l);
    *ret_now = l.now;
    return make_rule(s);
}

/*
 * The level to go back to. Usually it is the one where the rule bites, so that packages that are
 * often in conflicts come first from there on. Where the conflict is a new one, and far down,
 * only its own level goes: the rule bites there, too, and is kept for when the search gets
 * further back, and what was decided meanwhile stays (as Nadel and Ryvchin, 2018).
 */
static uint32_t way_back(const solver *s, const rule *r, uint32_t back)
{
    bool seldom = r->terms[0].pkg->conflicts++ < SELDOM;

    return seldom && level_of(s) > back + FAR ? level_of(s) - 1 : back;
}

bool dv_solver_learn(solver *s)
{
    rule *r = s->conflict;
    size_t now = 0;
    uint32_t back;

    s->conflicts++;
    s->weight *= WEIGHT_GROWTH;
    for (;;) {
        r = learn_once(s, r, &now);
        if (r->n == 0) {
            s->proof = r;
            return false;
        }
        if (now == 1)
            break;
        forget_work(s); /* the new rule is a conflict of a lower level */
    }
    back = order_terms(s, r);
    dv_solver_note_learned(s, r);
    forget_work(s);
    dv_solver_backjump(s, way_back(s, r, back));
    if (r->n > 1)
        dv_solver_watch(r);
    dv_solver_add_late(s, r);
    return true;
}
