/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/solver_internal.h"

/* Activities are scaled down past this; order among them stays. */
#define WEIGHT_MAX 1e100

/*
 * Roots first, in order of name, so that each is the newest that the ones before it leave; then
 * what took part in conflicts, so that a contradiction is met near the top of the search; then
 * in order of discovery.
 */
static bool goes_first(const package *a, const package *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->activity != b->activity)
        return a->activity > b->activity;
    return a->id < b->id;
}

static void place(solver *s, size_t at, package *p)
{
    s->heap.at[at] = p;
    p->heap_at = (uint32_t)at;
}

static void sift_up(solver *s, package *p)
{
    size_t at = p->heap_at;

    while (at > 0 && goes_first(p, s->heap.at[(at - 1) / 2])) {
        place(s, at, s->heap.at[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(s, at, p);
}

static void sift_down(solver *s, package *p)
{
    size_t at = p->heap_at;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < s->heap.n && goes_first(s->heap.at[child + 1], s->heap.at[child]))
            child++;
        if (child >= s->heap.n || !goes_first(s->heap.at[child], p))
            break;
        place(s, at, s->heap.at[child]);
        at = child;
    }
    place(s, at, p);
}

void dv_solver_heap_add(solver *s, package *p)
{
    if (p->decidable)
        return;
    p->decidable = true;
    p->heap_at = (uint32_t)s->heap.n;
    *dv_vec_push(&s->heap) = p;
    sift_up(s, p);
}

/* Recent conflicts count more: each weighs more than the one before it. */
void dv_solver_heap_raise(solver *s, package *p)
{
    p->activity += s->weight;
    if (p->activity > WEIGHT_MAX) {
        for (size_t i = 0; i < s->by_id.n; i++)
            s->by_id.at[i]->activity /= WEIGHT_MAX;
        s->weight /= WEIGHT_MAX;
    }
    if (p->decidable)
        sift_up(s, p);
}

static void drop_top(solver *s)
{
    package *last = s->heap.at[--s->heap.n];

    s->heap.at[0]->decidable = false;
    if (s->heap.n == 0)
        return;
    last->heap_at = 0;
    sift_down(s, last);
}

package *dv_solver_next(solver *s)
{
    while (s->heap.n) {
        package *p = s->heap.at[0];

        if (is_needed(p) && !is_settled(p))
            return p;
        drop_top(s);
    }
    return NULL;
}

static bool is_pre(const package *p, size_t value)
{
    return value > 0 && dv_version_is_pre(&p->versions[value - 1].v);
}

/* Somebody who is chosen asks in words; what is left of the domain fits those words. */
static bool is_asked_in_words(const package *p)
{
    for (size_t i = 0; i < p->facts.n; i++)
        if (p->facts.at[i]->kind == RULE_ROOT && p->facts.at[i]->ask->range[0])
            return true;
    for (size_t i = 0; i < p->asks.n; i++) {
        const ask *a = p->asks.at[i].ask;

        for (size_t k = 0; a->range && a->range[0] && k < a->needs.n; k++) {
            const term *dependant = &a->needs.at[k].rule->terms[0];

            if (dv_set_within(dependant->pkg->dom, dependant->set, dependant->pkg->words))
                return true;
        }
    }
    return false;
}

/* From the value on downwards; 0: none. */
static size_t next_below(const package *p, const dv_word *allow, size_t value, bool releases)
{
    while (value > 0 && !(dv_set_has(p->dom, value) && dv_set_has(allow, value) &&
                          !(releases && is_pre(p, value))))
        value--;
    return value;
}

size_t dv_solver_pick(const package *p)
{
    size_t newest = dv_set_top(p->dom, p->words), release;

    if (!is_pre(p, newest) || is_asked_in_words(p))
        return newest;
    release = next_below(p, p->dom, newest, /* releases= */ true);
    return release ? release : newest;
}

size_t dv_solver_pick_for(const package *p, const ask *a)
{
    size_t newest = dv_set_top(p->dom, p->words);
    size_t value = next_below(p, a->allow, newest, /* releases= */ !a->range[0]);

    return value ? value : next_below(p, a->allow, newest, /* releases= */ false);
}
