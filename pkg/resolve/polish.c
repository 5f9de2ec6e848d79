/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last look at a solution: no package is left in an older version than what everybody who is
 * chosen accepts and what it needs itself allow, and none that nobody needs is left at all.
 *
 * Decisions take the newest version that is possible, so there is seldom anything to do: a
 * pre-release that only a later choice asked for in words, a dependency that went away with it.
 */
#include "resolve/solver_internal.h"

static size_t chosen(const package *p)
{
    return is_needed(p) ? dv_set_top(p->dom, p->words) : 0;
}

static bool is_chosen_in(const rule *r)
{
    size_t value = chosen(r->terms[0].pkg);

    return value && dv_set_has(r->terms[0].set, value);
}

/* Leaves in `left` what all who ask accept; *ret_words: one of them asks with a range. */
static void accepted(const package *p, dv_word *left, bool *ret_words)
{
    *ret_words = false;
    dv_set_fill(left, p->values);
    dv_set_drop(left, 0);
    for (size_t i = 0; i < p->facts.n; i++) {
        const rule *r = p->facts.at[i];

        dv_set_without(left, r->terms[0].set, p->words);
        *ret_words |= r->kind == RULE_ROOT && r->ask->range[0];
    }
    for (size_t i = 0; i < p->asks.n; i++) {
        const ask *a = p->asks.at[i].ask;
        bool asked = false;

        for (size_t k = 0; k < a->needs.n && !asked; k++)
            asked = is_chosen_in(a->needs.at[k].rule);
        if (asked)
            dv_set_cross(left, a->allow, p->words);
        *ret_words |= asked && a->range[0];
    }
}

/* All that the version needs is chosen as it wants it. */
static bool fits(const package *p, size_t value)
{
    for (size_t i = 0; i < p->needs.n; i++) {
        const rule *r = p->needs.at[i].rule;
        size_t other = chosen(r->ask->pkg);

        if (dv_set_has(r->terms[0].set, value) && !(other && dv_set_has(r->ask->allow, other)))
            return false;
    }
    return true;
}

static bool is_unusable(const package *p, size_t value)
{
    for (size_t i = 0; i < p->facts.n; i++)
        if (dv_set_has(p->facts.at[i]->terms[0].set, value))
            return true;
    return false;
}

static dv_err *raise(solver *s, package *p, bool *ret_raised)
{
    size_t now = chosen(p);
    bool words;

    if (!now || now == p->installed)
        return NULL;
    accepted(p, p->work, &words);
    for (size_t value = dv_set_top(p->work, p->words); value > now; value--) {
        const version *v = &p->versions[value - 1];

        if (!dv_set_has(p->work, value) || (dv_version_is_pre(&v->v) && !words))
            continue;
        if (!v->expanded)
            DV_CHECK(dv_solver_expand(s, p, value));
        if (is_unusable(p, value) || !fits(p, value))
            continue;
        dv_set_drop(p->dom, now);
        dv_set_put(p->dom, value);
        *ret_raised = true;
        return NULL;
    }
    return NULL;
}

/* Marks what is reached from the roots; what is not becomes absent. */
static void drop_unreached(solver *s)
{
    DV_VEC(package *) open = {0};

    s->mark++;
    for (size_t i = 0; i < s->by_id.n; i++)
        if (s->by_id.at[i]->rank != UINT32_MAX) {
            *dv_vec_push(&open) = s->by_id.at[i];
            s->by_id.at[i]->mark = s->mark;
        }
    while (open.n) {
        package *p = open.at[--open.n];

        for (size_t i = 0; i < p->needs.n; i++) {
            package *other = p->needs.at[i].rule->ask->pkg;

            if (other->mark == s->mark || !is_chosen_in(p->needs.at[i].rule))
                continue;
            other->mark = s->mark;
            *dv_vec_push(&open) = other;
        }
    }
    dv_vec_done(&open);
    for (size_t i = 0; i < s->by_id.n; i++) {
        package *p = s->by_id.at[i];

        if (p->mark != s->mark && is_needed(p)) {
            dv_set_drop(p->dom, chosen(p));
            dv_set_put(p->dom, 0);
        }
    }
}

dv_err *dv_solver_polish(solver *s)
{
    bool raised = true;

    while (raised) { /* ends: versions only rise */
        raised = false;
        drop_unreached(s);
        for (size_t i = 0; i < s->by_id.n; i++)
            DV_CHECK(raise(s, s->by_id.at[i], &raised));
        DV_CHECK(dv_ctx_check(s->ctx));
    }
    return NULL;
}
