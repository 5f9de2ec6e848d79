/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/solver_internal.h"

static bool holds(const term *t)
{
    return dv_set_within(t->pkg->dom, t->set, t->pkg->words);
}

static void push_entry(solver *s, package *p, rule *reason)
{
    entry e = {.pkg = p,
               .reason = reason,
               .level = level_of(s),
               .prev = p->last,
               .old = s->undo.n,
               .stamp = s->rules};

    for (size_t i = 0; i < p->words; i++)
        *dv_vec_push(&s->undo) = p->dom[i];
    p->last = (uint32_t)s->trail.n;
    *dv_vec_push(&s->trail) = e;
    __builtin_prefetch(p->asks.at); /* it is looked at soon */
    __builtin_prefetch(p->needs.at);
}

void dv_solver_narrow(solver *s, package *p, const dv_word *deny, rule *reason)
{
    bool was_needed = is_needed(p);

    if (!dv_set_meets(p->dom, deny, p->words))
        return;
    if (dv_set_within(p->dom, deny, p->words)) {
        if (!s->conflict)
            s->conflict = reason;
        return;
    }
    push_entry(s, p, reason);
    dv_set_without(p->dom, deny, p->words);
    if (dv_solver_is_forced(s, p))
        *dv_vec_push(&s->forced) = p;
    if (is_needed(p) && !was_needed && !is_settled(p))
        dv_solver_heap_add(s, p);
}

/* ---- Rules that may bite ---- */

bool dv_solver_check_rule(solver *s, rule *r)
{
    const term *open = NULL;

    for (uint32_t i = 0; i < r->n; i++) {
        if (holds(&r->terms[i]))
            continue;
        if (open)
            return false;
        open = &r->terms[i];
    }
    if (open)
        dv_solver_narrow(s, open->pkg, open->set, r);
    else if (!s->conflict)
        s->conflict = r;
    return true;
}

void dv_solver_add_late(solver *s, rule *r)
{
    if (dv_solver_check_rule(s, r) && level_of(s) > 0)
        *dv_vec_push(&s->late) = (late){r, level_of(s)};
}

/*
 * Rules that bit above the level may bite at it, though nothing here moves any more to wake them.
 * Those that do not are woken by what moves from now on.
 */
static void check_late(solver *s)
{
    uint32_t level = level_of(s);
    size_t first = s->late.n, n = s->late.n, kept;

    while (first > 0 && s->late.at[first - 1].level > level)
        first--;
    kept = first;
    for (size_t i = first; i < n; i++)
        if (dv_solver_check_rule(s, s->late.at[i].rule))
            s->late.at[kept++] = (late){s->late.at[i].rule, level};
    s->late.n = level ? kept : 0;
}

/* ---- Propagation ---- */

/* The dependant's term holds now, and did not before; of one word, the rule isn't looked at. */
static bool began_to_hold(const package *p, const need_ref *ref, const dv_word *before)
{
    const dv_word *set;

    if (p->words == 1)
        return !(p->dom[0] & ~ref->first) && (before[0] & ~ref->first);
    set = ref->rule->terms[0].set;
    return dv_set_within(p->dom, set, p->words) && !dv_set_within(before, set, p->words);
}

/* Only what began to hold with this entry is looked at: the rest was seen before. */
static void wake_needs(solver *s, const package *p, size_t old)
{
    /* While the package may be absent, none of its needs is certain. */
    for (size_t i = 0; i < p->needs.n && is_needed(p) && !s->conflict; i++) {
        const need_ref *need = &p->needs.at[i];

        if (began_to_hold(p, need, s->undo.at + old))
            dv_solver_narrow(s, need->rule->terms[1].pkg, need->rule->terms[1].set, need->rule);
    }
}

/* Nothing of what the ask allows is left, and something was; of one word, it isn't looked at. */
static bool began_to_fail(const package *p, const ask_ref *ref, const dv_word *before)
{
    if (p->dom[0] & ref->first)
        return false;
    if (p->words == 1)
        return before[0] & ref->first;
    return !dv_set_meets(p->dom, ref->ask->allow, p->words) &&
           dv_set_meets(before, ref->ask->allow, p->words);
}

static void wake_asks(solver *s, const package *p, size_t old)
{
    for (size_t i = 0; i < p->asks.n; i++) {
        const ask *a = p->asks.at[i].ask;

        if (!began_to_fail(p, &p->asks.at[i], s->undo.at + old))
            continue;
        for (size_t k = 0; k < a->needs.n && !s->conflict; k++) {
            const need_ref *need = &a->needs.at[k];

            if (*need->dom & need->first)
                dv_solver_narrow(s, need->rule->terms[0].pkg, need->rule->terms[0].set, need->rule);
        }
    }
}

static void swap_terms(rule *r, uint32_t i, uint32_t k)
{
    term held = r->terms[i];

    r->terms[i] = r->terms[k];
    r->terms[k] = held;
}

static void add_watch(rule *r, uint32_t i)
{
    *dv_vec_push(&r->terms[i].pkg->watches) = (watch){r, r->terms[i].set[0]};
}

/* True: another term of r is watched instead of its mine-th. */
static bool watch_elsewhere(rule *r, uint32_t mine)
{
    for (uint32_t k = 2; k < r->n; k++)
        if (!holds(&r->terms[k])) {
            swap_terms(r, mine, k);
            add_watch(r, mine);
            return true;
        }
    return false;
}

/* False: the watch has moved to another package. */
static bool wake_rule(solver *s, const package *p, rule *r)
{
    uint32_t mine = r->terms[0].pkg == p ? 0 : 1;
    const term *other = &r->terms[1 - mine];

    if (!holds(&r->terms[mine]) || !dv_set_meets(other->pkg->dom, other->set, other->pkg->words))
        return true;
    if (watch_elsewhere(r, mine))
        return false;
    dv_solver_narrow(s, other->pkg, other->set, r);
    return true;
}

static void wake_watches(solver *s, package *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->watches.n; i++) {
        const watch w = p->watches.at[i];

        /* The first word alone tells of most that the term does not hold. */
        if ((p->dom[0] & ~w.first) || s->conflict || wake_rule(s, p, w.rule))
            p->watches.at[kept++] = w;
    }
    p->watches.n = kept;
}

void dv_solver_propagate(solver *s)
{
    while (s->head < s->trail.n && !s->conflict && !dv_solver_is_due(s)) {
        const entry e = s->trail.at[s->head++];
        const package *p = e.pkg;

        s->steps++;
        s->effort += 1 + p->needs.n + p->asks.n + p->watches.n;
        wake_needs(s, e.pkg, e.old);
        if (!s->forward)
            wake_asks(s, e.pkg, e.old);
        wake_watches(s, e.pkg);
    }
}

void dv_solver_watch(rule *r)
{
    add_watch(r, 0);
    add_watch(r, 1);
}

/* ---- Decisions ---- */

void dv_solver_decide(solver *s, package *p, const dv_word *deny)
{
    *dv_vec_push(&s->level_starts) = (uint32_t)s->trail.n;
    dv_solver_narrow(s, p, deny, /* reason= */ NULL);
}

static void undo_entry(solver *s)
{
    const entry e = s->trail.at[--s->trail.n];
    package *p = e.pkg;

    dv_set_copy(p->dom, entry_old(s, &e), p->words);
    s->undo.n = e.old;
    p->last = e.prev;
    if (is_needed(p) && !is_settled(p))
        dv_solver_heap_add(s, p);
}

void dv_solver_backjump(solver *s, uint32_t level)
{
    size_t keep;

    if (level >= level_of(s))
        return;
    s->conflict = NULL; /* whatever it was, it is met again if it still holds */
    keep = s->level_starts.at[level];
    while (s->trail.n > keep)
        undo_entry(s);
    s->level_starts.n = level;
    s->head = DV_MIN(s->head, s->trail.n);
    s->installed_next = level < s->installed_level ? 0 : s->installed_next;
    check_late(s);
}
