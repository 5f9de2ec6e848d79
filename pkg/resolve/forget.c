/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the search light: now and then it starts from the top, with what conflicts have taught
 * about the order of packages, and learned rules that tie together many decisions are no longer
 * watched. They stay in memory, for a proof may rest on them.
 */
#include "resolve/solver_internal.h"

/* Conflicts that a small problem has, too: up to then no version is expanded ahead. */
enum { LOOK_AHEAD_FROM = 8 };
/* Conflicts of the shortest run between two restarts. */
enum { RESTART_UNIT = 128 };
/* Learned rules that are watched at first, and how many more each time. */
enum { WATCHED_FIRST = 1000, WATCHED_MORE = 300 };
/* Rules that span at most so many levels are watched for ever. */
enum { SPAN_KEPT = 2 };

/*
 * 1 1 2 1 1 2 4 1 1 2 …: the best that is possible where nothing is known of the run time (Luby,
 * Sinclair and Zuckerman, 1993).
 */
static uint32_t luby(uint32_t i)
{
    for (;;) {
        uint32_t size = 1;

        while (size < i + 1)
            size = 2 * size + 1;
        if (size == i + 1)
            return (size + 1) / 2;
        i -= (size - 1) / 2;
    }
}

static int by_span(const void *a, const void *b)
{
    const rule *x = *(rule *const *)a, *y = *(rule *const *)b;

    if (x->span != y->span)
        return x->span < y->span ? -1 : 1;
    return x->id > y->id ? -1 : 1; /* of equals the newer stays */
}

static void sweep(package *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->watches.n; i++)
        if (!p->watches.at[i].rule->unwatched)
            p->watches.at[kept++] = p->watches.at[i];
    p->watches.n = kept;
}

static void unwatch_half(solver *s)
{
    size_t keep = s->watched.n / 2;

    qsort(s->watched.at, s->watched.n, sizeof(rule *), by_span);
    while (keep < s->watched.n && s->watched.at[keep]->span <= SPAN_KEPT)
        keep++;
    for (size_t i = keep; i < s->watched.n; i++)
        s->watched.at[i]->unwatched = true;
    s->watched.n = keep;
    for (size_t i = 0; i < s->by_id.n; i++)
        sweep(s->by_id.at[i]);
}

void dv_solver_note_learned(solver *s, rule *r)
{
    uint32_t mark = ++s->level_mark;

    while (s->level_marks.n <= level_of(s))
        *dv_vec_push(&s->level_marks) = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t since = dv_solver_holds_since(s, r->terms[i].pkg, r->terms[i].set);
        uint32_t level = since == NO_ENTRY ? 0 : s->trail.at[since].level;

        r->span += s->level_marks.at[level] != mark;
        s->level_marks.at[level] = mark;
    }
    if (r->n > 1)
        *dv_vec_push(&s->watched) = r;
    s->since_restart++;
}

void dv_solver_forget(solver *s)
{
    if (s->watched.n >= WATCHED_FIRST + (size_t)WATCHED_MORE * s->forgets) {
        s->forgets++;
        unwatch_half(s);
    }
    if (s->conflicts >= LOOK_AHEAD_FROM && !s->closed && !s->looks_ahead && !s->conflict) {
        s->looks_ahead = true;
        dv_solver_look_ahead(s);
    }
    if (s->since_restart >= RESTART_UNIT * luby(s->restarts) && level_of(s) > 0 && !s->conflict) {
        s->restarts++;
        s->since_restart = 0;
        dv_solver_backjump(s, 0);
    }
}
