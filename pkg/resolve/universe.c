/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/solver_internal.h"

static const char cannot_be_read[] = "in a range that cannot be read";

dv_word *dv_solver_row(solver *s, const package *p)
{
    return dv_arena_alloc(s->arena, p->words * sizeof(dv_word));
}

rule *dv_solver_rule_new(solver *s, rule_kind kind, uint32_t n)
{
    rule *r = dv_arena_alloc(s->arena, sizeof(*r) + n * sizeof(term));

    r->kind = kind;
    r->n = n;
    r->id = s->rules++;
    return r;
}

static const char *keep_text(solver *s, const char *text)
{
    return text ? dv_arena_dup(s->arena, dv_str_of(text)) : NULL;
}

/* ---- Versions ---- */

static int by_version(const void *a, const void *b)
{
    const version *x = a, *y = b;
    int order = dv_version_cmp(&x->v, &y->v);

    return order ? order : dv_str_cmp(x->v.text, y->v.text);
}

/* Ascending; of texts that say the same version ("1.0", "v1.0.0") the first in byte order stays. */
static void read_versions(solver *s, package *p)
{
    size_t n = 0;

    p->versions = dv_arena_alloc(s->arena, p->texts.n * sizeof(version) + 1);
    for (size_t i = 0; i < p->texts.n; i++) {
        dv_str text = dv_str_of(p->texts.at[i]);

        if (dv_version_is(text, &p->versions[n].v)) {
            n++;
        } else if (p->fixed) {
            p->versions[n] = (version){.v.text = text, .opaque = true};
            n++;
        } else {
            p->unreadable++;
        }
    }
    qsort(p->versions, n, sizeof(version), by_version);
    p->values = 1;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || dv_version_cmp(&p->versions[i].v, &p->versions[i - 1].v) != 0)
            p->versions[p->values++ - 1] = p->versions[i];
    p->words = (uint32_t)dv_set_words(p->values);
}

static size_t value_of(const package *p, const char *text)
{
    dv_version wanted;
    size_t low = 1, high = p->values;

    if (!dv_version_is(dv_str_of(text), &wanted))
        return 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = dv_version_cmp(&wanted, &p->versions[mid - 1].v);

        if (order == 0)
            return mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return 0;
}

/* ---- What the problem says of a package ---- */

static size_t first_named(const named *list, const char *name)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(list->at[mid]->package, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

#define EACH_NAMED(i, list, name)                                                                  \
    for (size_t i = first_named(list, name);                                                       \
         i < (list)->n && strcmp((list)->at[i]->package, name) == 0; i++)

static void add_fact(solver *s, rule_kind kind, package *p, dv_word *denied, ask *asked,
                     const char *note)
{
    rule *r = dv_solver_rule_new(s, kind, 1);

    r->terms[0] = (term){p, denied};
    r->ask = asked;
    r->note = note;
    *dv_vec_push(&p->facts) = r;
    dv_solver_add_late(s, r);
}

static void add_pin(solver *s, package *p, const problem_version *pinned)
{
    dv_word *denied = dv_solver_row(s, p);
    size_t value = value_of(p, pinned->version);

    dv_set_fill(denied, p->values);
    dv_set_drop(denied, 0);
    if (value)
        dv_set_drop(denied, value);
    if (dv_set_count(denied, p->words))
        add_fact(s, RULE_PIN, p, denied, NULL, keep_text(s, pinned->who));
    p->pinned = pinned->version;
}

static void note_installed(solver *s, package *p)
{
    size_t at = s->installed.n;

    EACH_NAMED(i, &s->given_installed, p->name)
    if (!p->installed)
        p->installed = (uint32_t)value_of(p, s->given_installed.at[i]->version);
    if (!p->installed)
        return;
    dv_vec_push(&s->installed);
    for (; at > 0 && strcmp(s->installed.at[at - 1]->name, p->name) > 0; at--)
        s->installed.at[at] = s->installed.at[at - 1];
    s->installed.at[at] = p;
    s->installed_fresh = true;
}

static package *package_new(solver *s, const char *name)
{
    package *p = DV_ARENA_NEW(s->arena, package);

    p->name = keep_text(s, name);
    p->id = (uint32_t)s->by_id.n;
    p->last = NO_ENTRY;
    p->rank = UINT32_MAX;
    EACH_NAMED(i, &s->given_fixed, name)
    p->fixed = (const problem_fixed *)s->given_fixed.at[i];
    *dv_vec_push(&s->by_id) = p;
    dv_map_put(s->packages, dv_str_of(name), p);
    return p;
}

static dv_err *list_versions(solver *s, package *p)
{
    dv_err *err = NULL;

    p->known = true;
    if (p->fixed)
        dv_strings_add(&p->texts, p->fixed->is.version);
    else
        err = s->candidates->versions(s->candidates, s->ctx, p->name, &p->texts);
    if (dv_err_is(err, DV_NOT_FOUND)) {
        p->known = false;
        dv_strings_done(&p->texts);
        dv_err_free(DV_TAKE(err));
    }
    DV_TRY(err, "versions of %s", p->name);
    if (p->texts.n > DV_RESOLVE_VERSIONS_MAX)
        return dv_err_new(DV_INVALID, "TooLarge", "package %s has more than %d versions", p->name,
                          DV_RESOLVE_VERSIONS_MAX);
    return NULL;
}

static void note_origin(solver *s, package *p)
{
    DV_CLEANUP(dv_freep)
    char *origin = p->known && !p->fixed && s->candidates->origin
                       ? s->candidates->origin(s->candidates, p->name)
                       : NULL;

    p->origin = keep_text(s, origin);
}

dv_err *dv_solver_find_package(solver *s, const char *name, package **ret_package)
{
    package *p = dv_map_get(s->packages, dv_str_of(name));

    if (p) {
        *ret_package = p;
        return NULL;
    }
    if (s->by_id.n >= DV_RESOLVE_PACKAGES_MAX)
        return dv_err_new(DV_INVALID, "TooLarge", "more than %d packages have to be looked at",
                          DV_RESOLVE_PACKAGES_MAX);
    p = package_new(s, name);
    DV_CHECK(list_versions(s, p));
    read_versions(s, p);
    note_origin(s, p);
    p->dom = dv_arena_alloc(s->domains, p->words * sizeof(dv_word));
    p->work = dv_solver_row(s, p);
    dv_set_fill(p->dom, p->values);
    EACH_NAMED(i, &s->given_pinned, name)
    add_pin(s, p, s->given_pinned.at[i]);
    note_installed(s, p);
    *ret_package = p;
    return NULL;
}

/* ---- Ranges ---- */

/* *ret_constraint: NULL for the empty text. */
static dv_err *read_range(solver *s, const char *range, const dv_constraint **ret_constraint)
{
    dv_constraint *constraint = NULL;

    if (range[0]) {
        constraint = dv_map_get(s->constraints, dv_str_of(range));
        if (!constraint) {
            DV_CHECK(dv_constraint_parse(dv_str_of(range), &constraint));
            dv_map_put(s->constraints, dv_str_of(range), constraint);
        }
    }
    *ret_constraint = constraint;
    return NULL;
}

static bool takes(const dv_constraint *constraint, const version *v, bool from_root)
{
    if (v->opaque)
        return from_root && !constraint;
    return !constraint || dv_constraint_accepts(constraint, &v->v);
}

static ask *ask_new(solver *s, package *p, dv_word *allow, const char *range)
{
    ask *a = DV_ARENA_NEW(s->arena, ask);

    a->pkg = p;
    a->allow = allow;
    a->deny = dv_solver_row(s, p);
    dv_set_fill(a->deny, p->values);
    dv_set_without(a->deny, allow, p->words);
    a->range = keep_text(s, range);
    *dv_vec_push(&p->asks) = (ask_ref){a->allow[0], a};
    return a;
}

/* Ranges that take the same versions share an ask; the empty text, which prefers releases, not. */
static ask *shared_ask(solver *s, package *p, dv_word *allow, const char *range)
{
    s->effort += p->asks.n;
    for (size_t i = 0; i < p->asks.n; i++) {
        ask *a = p->asks.at[i].ask;

        if (p->asks.at[i].first == allow[0] && dv_set_eq(a->allow, allow, p->words) &&
            !a->range[0] == !range[0])
            return a;
    }
    return ask_new(s, p, allow, range);
}

static ask *find_ask(solver *s, package *p, const char *range, const dv_constraint *constraint,
                     bool from_root)
{
    struct {
        const void *package, *constraint;
        uintptr_t root;
    } key = {p, constraint, from_root};
    const dv_str bytes = {(const char *)&key, sizeof(key)};
    ask *a = dv_map_get(s->asks, bytes);
    dv_word *allow;

    if (a)
        return a;
    allow = dv_solver_row(s, p);
    for (size_t i = 1; i < p->values; i++)
        if (takes(constraint, &p->versions[i - 1], from_root))
            dv_set_put(allow, i);
    s->effort += p->values;
    a = shared_ask(s, p, allow, range);
    dv_map_put(s->asks, bytes, a);
    return a;
}

/* ---- Dependencies ---- */

static void add_unusable(solver *s, package *p, size_t value, const char *note)
{
    dv_word *one = dv_solver_row(s, p);

    dv_set_put(one, value);
    add_fact(s, RULE_UNUSABLE, p, one, NULL, keep_text(s, note));
}

void dv_solver_hang_need(rule *r, bool backwards)
{
    static const dv_word any = 1;
    package *p = r->terms[0].pkg;
    const need_ref ref =
        p->words == 1 ? (need_ref){r->terms[0].set[0], p->dom, r} : (need_ref){any, &any, r};

    r->hangs_at = (uint32_t)p->needs.n;
    *dv_vec_push(&p->needs) = ref;
    if (!backwards)
        return;
    r->asks_at = (uint32_t)r->ask->needs.n;
    *dv_vec_push(&r->ask->needs) = ref;
}

/* Versions of p that need the same thing share one rule; it is most often the newest. */
static rule *find_need(const solver *s, const package *p, const ask *a, dv_str key)
{
    rule *last = a->needs.n ? a->needs.at[a->needs.n - 1].rule : NULL;

    if (!last || last->terms[0].pkg == p)
        return last;
    return dv_map_get(s->same_needs, key);
}

static void add_need(solver *s, package *p, size_t value, ask *a)
{
    const struct {
        const void *package, *ask;
    } key = {p, a};
    const dv_str bytes = {(const char *)&key, sizeof(key)};
    rule *r = find_need(s, p, a, bytes);

    if (!r) {
        r = dv_solver_rule_new(s, RULE_NEED, 2);
        r->terms[0] = (term){p, dv_solver_row(s, p)};
        r->terms[1] = (term){a->pkg, a->deny};
        r->ask = a;
        dv_solver_hang_need(r, /* backwards= */ true);
        dv_map_put(s->same_needs, bytes, r);
    }
    dv_set_put(r->terms[0].set, value);
    if (p->words == 1)
        p->needs.at[r->hangs_at].first = a->needs.at[r->asks_at].first = r->terms[0].set[0];
    dv_solver_add_late(s, r);
}

static dv_err *add_dependency(solver *s, package *p, size_t value, const dv_dependency *dependency)
{
    const dv_constraint *constraint;
    package *other;
    ask *a;

    DV_CHECK(read_range(s, dependency->range, &constraint));
    DV_CHECK(dv_solver_look(s));
    DV_CHECK(dv_solver_find_package(s, dependency->package, &other));
    a = find_ask(s, other, dependency->range, constraint, /* from_root= */ false);
    if (other != p)
        add_need(s, p, value, a);
    else if (!dv_set_has(a->allow, value))
        add_unusable(s, p, value, "asks for itself in a range that leaves it out");
    return NULL;
}

/* A range that nobody can read makes the version unusable; the first in order is named. */
static bool ranges_are_readable(solver *s, package *p, size_t value, const dv_dependencies *list)
{
    const dv_constraint *constraint;

    for (size_t i = 0; i < list->n; i++) {
        dv_auto(dv_err) err = read_range(s, list->at[i].range, &constraint);
        DV_CLEANUP(dv_freep) char *note = NULL;

        if (!err)
            continue;
        note =
            dv_asprintf("asks for %s %s: %s", list->at[i].package, cannot_be_read, dv_err_str(err));
        add_unusable(s, p, value, note);
        return false;
    }
    return true;
}

static void dependencies_cleanup(dv_dependencies *list)
{
    dv_dependencies_done(list);
}

dv_err *dv_solver_expand(solver *s, package *p, size_t value)
{
    DV_CLEANUP(dependencies_cleanup) dv_dependencies owned = {0};
    version *v = &p->versions[value - 1];
    const dv_dependencies *list = p->fixed ? &p->fixed->dependencies : &owned;
    dv_err *err = NULL;

    v->expanded = true;
    if (!p->fixed)
        err = s->candidates->dependencies(s->candidates, s->ctx, p->name, v->v.text.p, &owned);
    if (dv_err_is(err, DV_INVALID) || dv_err_is(err, DV_NOT_FOUND)) {
        add_unusable(s, p, value, dv_err_str(err));
        dv_err_free(err);
        return NULL;
    }
    DV_TRY(err, "dependencies of %s %s", p->name, v->v.text.p);
    if (list->n > DV_RESOLVE_DEPENDENCIES_MAX) {
        add_unusable(s, p, value, "has more dependencies than are read");
        return NULL;
    }
    dv_dependencies_sort(&owned);
    if (!ranges_are_readable(s, p, value, list))
        return NULL;
    for (size_t i = 0; i < list->n; i++)
        DV_CHECK(add_dependency(s, p, value, &list->at[i]));
    return NULL;
}

/* ---- Roots ---- */

static int by_demand(const void *a, const void *b)
{
    const problem_root *x = *(const problem_root *const *)a, *y = *(const problem_root *const *)b;
    int order = strcmp(x->package, y->package);

    if (!order)
        order = strcmp(x->range, y->range);
    return order ? order : strcmp(x->who ? x->who : "", y->who ? y->who : "");
}

static dv_err *add_root(solver *s, const problem_root *root)
{
    package *p;
    ask *a;

    DV_CHECK(dv_solver_find_package(s, root->package, &p));
    a = find_ask(s, p, root->range, root->constraint, /* from_root= */ true);
    if (p->rank == UINT32_MAX)
        p->rank = s->roots++;
    add_fact(s, RULE_ROOT, p, a->deny, a, keep_text(s, root->who));
    return NULL;
}

dv_err *dv_solver_add_roots(solver *s)
{
    DV_VEC(const problem_root *) sorted = {0};
    dv_err *err = NULL;

    for (size_t i = 0; i < s->problem->roots.n; i++)
        *dv_vec_push(&sorted) = &s->problem->roots.at[i];
    if (sorted.n)
        qsort(sorted.at, sorted.n, sizeof(sorted.at[0]), by_demand);
    for (size_t i = 0; i < sorted.n && !err; i++)
        err = add_root(s, sorted.at[i]);
    dv_vec_done(&sorted);
    return err;
}
