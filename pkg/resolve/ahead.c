/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expanding versions before they are decided on.
 *
 * A package with one version left must have it: what that needs is known at once.
 *
 * When the search meets conflicts, it looks ahead as well: without any decision, the version that
 * each package would get by the first one who asks for it is expanded, from the roots on. What
 * can't be had falls right there, then what needs it, then the next in turn is expanded. Along a
 * chain of packages, whose end rules out most, that takes one way there and back; the search alone
 * would go all the way again for each version.
 */
#include "resolve/solver_internal.h"

static bool is_ahead(const solver *s, const package *p)
{
    return p->hope && level_of(s) == 0;
}

static size_t only_value(const package *p)
{
    return is_needed(p) && is_settled(p) ? dv_set_top(p->dom, p->words) : 0;
}

bool dv_solver_is_forced(const solver *s, const package *p)
{
    size_t only;

    if (s->closed)
        return false;
    if (is_ahead(s, p))
        return true;
    only = only_value(p);
    return only && !p->versions[only - 1].expanded;
}

/* Who asked first is followed until nothing is left of what he asks for. */
static void hope_for(solver *s, const ask *a)
{
    if (a->pkg->hope && dv_solver_pick_for(a->pkg, a->pkg->hope))
        return;
    a->pkg->hope = a;
    *dv_vec_push(&s->forced) = a->pkg;
}

static dv_err *expand(solver *s, package *p)
{
    bool ahead = is_ahead(s, p);
    size_t value = only_value(p);

    if (!value && ahead)
        value = dv_solver_pick_for(p, p->hope);
    if (!value)
        return NULL;
    if (!p->versions[value - 1].expanded)
        DV_CHECK(dv_solver_expand(s, p, value));
    /* Where it fell, the package is forced again. */
    for (size_t i = 0; ahead && i < p->needs.n && dv_set_has(p->dom, value); i++)
        if (dv_set_has(p->needs.at[i].rule->terms[0].set, value))
            hope_for(s, p->needs.at[i].rule->ask);
    return NULL;
}

dv_err *dv_solver_expand_forced(solver *s)
{
    while (s->forced.n && !s->conflict && s->head == s->trail.n)
        DV_CHECK(expand(s, s->forced.at[--s->forced.n]));
    return NULL;
}

void dv_solver_look_ahead(solver *s)
{
    dv_solver_backjump(s, 0);
    for (size_t i = 0; i < s->by_id.n; i++)
        for (size_t k = 0; k < s->by_id.at[i]->facts.n; k++)
            if (s->by_id.at[i]->facts.at[k]->kind == RULE_ROOT)
                hope_for(s, s->by_id.at[i]->facts.at[k]->ask);
}
