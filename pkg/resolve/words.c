/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/solver_internal.h"

/* Outsiders' texts in a sentence are cut here. */
enum { NAME_SHOWN = 100, VERSION_SHOWN = 48, RANGE_SHOWN = 80, NOTE_SHOWN = 300 };
/* Runs of versions that are listed. */
enum { RUNS_SHOWN = 4 };
/* Packages of one learned rule that are listed. */
enum { TERMS_SHOWN = 6 };

/* Printable, without the backquote that delimits names. */
static void add_text(dv_buf *out, const char *text, size_t shown)
{
    size_t n = 0;

    for (; text[n] && n < shown; n++)
        dv_buf_addc(
            out, (unsigned char)text[n] < ' ' || text[n] == '`' || text[n] == 0x7f ? '?' : text[n]);
    if (text[n])
        dv_buf_adds(out, "...");
}

void dv_words_name(dv_buf *out, const package *p)
{
    const char quote = p->known ? '`' : '"';

    dv_buf_addc(out, quote);
    add_text(out, p->name, NAME_SHOWN);
    dv_buf_addc(out, quote);
}

void dv_words_version(dv_buf *out, const char *text)
{
    add_text(out, text, VERSION_SHOWN);
}

static void add_version(dv_buf *out, const package *p, size_t value)
{
    dv_words_version(out, p->versions[value - 1].v.text.p);
}

/* The next run of versions in the set, from `from` on; false: there is none. */
static bool next_run(const package *p, const dv_word *set, size_t from, size_t *ret_first,
                     size_t *ret_last)
{
    size_t first = from, last;

    while (first < p->values && !dv_set_has(set, first))
        first++;
    if (first >= p->values)
        return false;
    last = first;
    while (last + 1 < p->values && dv_set_has(set, last + 1))
        last++;
    if (last == first + 1 && from <= first)
        last = first; /* a pair is told one by one */
    *ret_first = first;
    *ret_last = last;
    return true;
}

static void add_runs(dv_buf *out, const package *p, const dv_word *set, const char *conjunction)
{
    size_t first, last, next, next_last, shown = 0, told = 0;
    bool more = next_run(p, set, 1, &first, &last);

    while (more && shown < RUNS_SHOWN) {
        more = next_run(p, set, last + 1, &next, &next_last);
        dv_buf_adds(out, !shown ? "" : more ? ", " : conjunction);
        add_version(out, p, first);
        if (last > first) {
            dv_buf_adds(out, " to ");
            add_version(out, p, last);
        }
        shown++;
        told += last - first + 1;
        first = next;
        last = next_last;
    }
    if (more)
        dv_buf_addf(out, "%s%zu more", conjunction,
                    dv_set_count(set, p->words) - dv_set_has(set, 0) - told);
}

/* A range that somebody wrote and that takes just these versions; NULL: none does. */
static const char *range_of(const package *p, const dv_word *set)
{
    for (size_t i = 0; i < p->asks.n; i++) {
        const ask *a = p->asks.at[i].ask;
        bool same = a->range && a->range[0] && strlen(a->range) <= RANGE_SHOWN;

        for (size_t k = 0; k < p->words && same; k++)
            same = a->allow[k] == (k ? set[k] : set[k] & ~(dv_word)1);
        if (same)
            return a->range;
    }
    return NULL;
}

void dv_words_set(dv_buf *out, const package *p, const dv_word *set, const char *last)
{
    size_t n = dv_set_count(set, p->words) - dv_set_has(set, 0);
    const char *range = n > 2 ? range_of(p, set) : NULL;

    if (n == 0)
        dv_buf_adds(out, "no version of ");
    else if (n > 1 && n == p->values - 1)
        dv_buf_adds(out, "every version of ");
    dv_words_name(out, p);
    if (n == 0 || (n > 1 && n == p->values - 1))
        return;
    dv_buf_addc(out, ' ');
    if (range)
        add_text(out, range, RANGE_SHOWN);
    else
        add_runs(out, p, set, last);
}

/* What there is where a range takes nothing of it. */
static void add_what_there_is(dv_buf *out, const package *p)
{
    if (!p->known)
        dv_buf_adds(out, ", which nobody has");
    else if (p->values == 1)
        dv_buf_adds(out, ", which has no version");
    else if (p->values == 2)
        dv_buf_adds(out, ", of which there is only ");
    else
        dv_buf_adds(out, ", of which there are only ");
    if (p->known && p->values > 1) {
        add_version(out, p, 1);
        if (p->values > 2) {
            dv_buf_adds(out, p->values == 3 ? " and " : " to ");
            add_version(out, p, p->values - 1);
        }
    }
    if (p->unreadable)
        dv_buf_addf(out, " (and %u that are no versions)", p->unreadable);
    if (p->origin) {
        dv_buf_adds(out, " in ");
        add_text(out, p->origin, NOTE_SHOWN);
    }
}

void dv_words_ask(dv_buf *out, const ask *a)
{
    if (!a->range) {
        dv_words_set(out, a->pkg, a->allow, " or ");
        return;
    }
    dv_words_name(out, a->pkg);
    if (a->range[0]) {
        dv_buf_addc(out, ' ');
        add_text(out, a->range, RANGE_SHOWN);
    }
    if (!dv_set_count(a->allow, a->pkg->words))
        add_what_there_is(out, a->pkg);
}

/* "`web` 1.0.0 and 1.1.0 need", "every version of `web` needs", "`web` ^1 needs". */
static bool is_plural(const package *p, const dv_word *set)
{
    size_t n = dv_set_count(set, p->words) - dv_set_has(set, 0);

    return n > 1 && n < p->values - 1 && !(n > 2 && range_of(p, set));
}

void dv_words_denied(dv_buf *out, solver *s, const package *p, const dv_word *deny)
{
    dv_word *left;

    if (!dv_set_has(deny, 0)) {
        dv_words_set(out, p, deny, " and ");
        dv_buf_adds(out, is_plural(p, deny) ? " are out" : " is out");
        return;
    }
    left = dv_solver_row(s, p);
    dv_set_fill(left, p->values);
    dv_set_without(left, deny, p->words);
    dv_words_set(out, p, left, " or ");
    dv_buf_adds(out, " is needed");
}

static void add_list(dv_buf *out, const rule *r, bool needed, const char *last)
{
    size_t n = 0, at = 0;

    for (uint32_t i = 0; i < r->n; i++)
        n += dv_set_has(r->terms[i].set, 0) == needed;
    for (uint32_t i = 0; i < r->n; i++) {
        const package *p = r->terms[i].pkg;
        dv_word left[DV_RESOLVE_VERSIONS_MAX / DV_WORD_BITS + 2];

        if (dv_set_has(r->terms[i].set, 0) != needed)
            continue;
        if (at++ >= TERMS_SHOWN)
            continue;
        if (at > 1)
            dv_buf_adds(out, at == n ? last : ", ");
        dv_set_fill(left, p->values);
        if (needed)
            dv_set_without(left, r->terms[i].set, p->words);
        dv_words_set(out, p, needed ? left : r->terms[i].set, needed ? " or " : " and ");
    }
    if (n > TERMS_SHOWN)
        dv_buf_addf(out, "%s%zu more packages", last, n - TERMS_SHOWN);
}

/* not (a and b and absent c): "a and b need c". */
static void add_learned(dv_buf *out, const rule *r)
{
    uint32_t needed = 0, given;
    bool plural = false; /* of the one that is given */

    for (uint32_t i = 0; i < r->n; i++) {
        needed += dv_set_has(r->terms[i].set, 0);
        if (!dv_set_has(r->terms[i].set, 0))
            plural = is_plural(r->terms[i].pkg, r->terms[i].set);
    }
    given = r->n - needed;
    if (given == 0) {
        add_list(out, r, true, " or ");
        dv_buf_adds(out, " is needed");
        return;
    }
    add_list(out, r, false, " and ");
    if (needed) {
        dv_buf_adds(out, given > 1 ? " together need " : plural ? " need " : " needs ");
        add_list(out, r, true, " or ");
    } else {
        dv_buf_adds(out, given > 1 ? " exclude each other" : plural ? " are out" : " is out");
    }
}

static void add_who(dv_buf *out, const rule *r)
{
    if (r->note)
        add_text(out, r->note, NAME_SHOWN);
    else
        dv_buf_adds(out, "the root");
}

void dv_words_undemanded(dv_buf *out, const rule *r)
{
    const package *p = r->terms[0].pkg;

    if (r->kind == RULE_ROOT) {
        add_who(out, r);
        dv_buf_adds(out, " did not ask for ");
        dv_words_name(out, p);
        dv_buf_addc(out, ' ');
        add_text(out, r->ask->range, RANGE_SHOWN);
        return;
    }
    dv_buf_adds(out, "it was not pinned to ");
    dv_words_version(out, p->pinned);
    if (r->note) {
        dv_buf_adds(out, " by ");
        add_who(out, r);
    }
}

void dv_words_rule(dv_buf *out, const rule *r)
{
    const package *p = r->n ? r->terms[0].pkg : NULL;

    switch (r->kind) {
    case RULE_ROOT:
        add_who(out, r);
        dv_buf_adds(out, " asks for ");
        dv_words_ask(out, r->ask);
        return;
    case RULE_PIN:
        dv_words_name(out, p);
        dv_buf_adds(out, " is pinned to ");
        add_text(out, p->pinned, VERSION_SHOWN);
        if (dv_set_count(r->terms[0].set, p->words) == p->values - 1)
            dv_buf_adds(out, ", which there is not");
        if (r->note) {
            dv_buf_adds(out, " by ");
            add_text(out, r->note, NAME_SHOWN);
        }
        return;
    case RULE_UNUSABLE:
        dv_words_set(out, p, r->terms[0].set, " and ");
        dv_buf_adds(out, " cannot be used: ");
        add_text(out, r->note, NOTE_SHOWN);
        return;
    case RULE_NEED:
        dv_words_set(out, p, r->terms[0].set, " and ");
        dv_buf_adds(out, is_plural(p, r->terms[0].set) ? " need " : " needs ");
        dv_words_ask(out, r->ask);
        return;
    case RULE_LEARNED:
        add_learned(out, r);
        return;
    }
}
