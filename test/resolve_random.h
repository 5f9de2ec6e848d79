/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the solver's tests share: problems as plain tables, written out as problem files in any
 * order, checked and solved by brute force without any code of the solver's.
 *
 * Threads: owner.
 */
#pragma once

#include "base/buf.h"
#include "base/vec.h"
#include "resolve/problem.h"

/* A small generator of our own: the same numbers on every machine. */
typedef struct {
    uint64_t state;
} test_random;

static inline uint32_t random_below(test_random *r, uint32_t n)
{
    r->state += 0x9e3779b97f4a7c15u;
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static inline bool random_chance(test_random *r, uint32_t percent)
{
    return random_below(r, 100) < percent;
}

typedef struct {
    char on[32], range[40];
} test_need;

typedef struct {
    char text[32];
    DV_VEC(test_need) needs;
} test_version;

typedef struct {
    char name[32];
    DV_VEC(test_version) versions;
} test_package;

typedef struct {
    DV_VEC(test_package) packages;
    DV_VEC(test_need) roots;
    DV_VEC(test_need) installed, pinned; /* range is the version */
} test_problem;

static inline void test_problem_done(test_problem *p)
{
    for (size_t i = 0; i < p->packages.n; i++) {
        for (size_t k = 0; k < p->packages.at[i].versions.n; k++)
            dv_vec_done(&p->packages.at[i].versions.at[k].needs);
        dv_vec_done(&p->packages.at[i].versions);
    }
    dv_vec_done(&p->packages);
    dv_vec_done(&p->roots);
    dv_vec_done(&p->installed);
    dv_vec_done(&p->pinned);
}

static inline const test_package *test_find(const test_problem *p, const char *name)
{
    for (size_t i = 0; i < p->packages.n; i++)
        if (strcmp(p->packages.at[i].name, name) == 0)
            return &p->packages.at[i];
    return NULL;
}

static inline bool test_accepts(const char *range, const char *version)
{
    dv_auto(dv_constraint) constraint = NULL;
    dv_version v;

    if (!range[0])
        return true;
    dv_auto(dv_err) err = dv_constraint_parse(dv_str_of(range), &constraint);
    DV_ASSERT(!err && dv_version_is(dv_str_of(version), &v));
    return dv_constraint_accepts(constraint, &v);
}

/* ---- Writing a problem file ---- */

/* order[i] = i, or a random permutation when r is given. */
static inline void test_order(size_t *order, size_t n, test_random *r)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; r && i > 1; i--) {
        size_t k = random_below(r, (uint32_t)i), held = order[i - 1];

        order[i - 1] = order[k];
        order[k] = held;
    }
}

static inline void test_write_pairs(dv_buf *out, const test_need *pairs, size_t n, test_random *r)
{
    size_t *order = dv_calloc(n + 1, sizeof(size_t));

    test_order(order, n, r);
    dv_buf_addc(out, '{');
    for (size_t i = 0; i < n; i++)
        dv_buf_addf(out, "%s\"%s\": \"%s\"", i ? ", " : "", pairs[order[i]].on,
                    pairs[order[i]].range);
    dv_buf_addc(out, '}');
    free(order);
}

static inline void test_write_package(dv_buf *out, const test_package *p, test_random *r)
{
    size_t *order = dv_calloc(p->versions.n + 1, sizeof(size_t));

    test_order(order, p->versions.n, r);
    dv_buf_addf(out, "\"%s\": {", p->name);
    for (size_t i = 0; i < p->versions.n; i++) {
        const test_version *v = &p->versions.at[order[i]];

        dv_buf_addf(out, "%s\n  \"%s\": ", i ? "," : "", v->text);
        test_write_pairs(out, v->needs.at, v->needs.n, r);
    }
    dv_buf_addc(out, '}');
    free(order);
}

/* Shuffled in every list when r is given. */
static inline void test_write(dv_buf *out, const test_problem *p, test_random *r)
{
    size_t *order = dv_calloc(p->packages.n + 1, sizeof(size_t));

    test_order(order, p->packages.n, r);
    dv_buf_adds(out, "{\"format\": \"davit-resolve/1\", \"packages\": {");
    for (size_t i = 0; i < p->packages.n; i++) {
        dv_buf_adds(out, i ? ",\n " : "\n ");
        test_write_package(out, &p->packages.at[order[i]], r);
    }
    dv_buf_adds(out, "},\n \"root\": ");
    test_write_pairs(out, p->roots.at, p->roots.n, r);
    dv_buf_adds(out, ",\n \"installed\": ");
    test_write_pairs(out, p->installed.at, p->installed.n, r);
    dv_buf_adds(out, ",\n \"pinned\": ");
    test_write_pairs(out, p->pinned.at, p->pinned.n, r);
    dv_buf_adds(out, "}\n");
    free(order);
}

/* ---- Judging an answer ---- */

/* pick[i]: index of package i's version, or -1. */
static inline bool test_reaches_only_needed(const test_problem *p, const int *pick)
{
    bool *reached = dv_calloc(p->packages.n + 1, sizeof(bool));
    bool more = true, all = true;

    for (size_t i = 0; i < p->roots.n; i++) {
        const test_package *root = test_find(p, p->roots.at[i].on);
        if (root)
            reached[root - p->packages.at] = true;
    }
    while (more) {
        more = false;
        for (size_t i = 0; i < p->packages.n; i++) {
            if (!reached[i] || pick[i] < 0)
                continue;
            const test_version *v = &p->packages.at[i].versions.at[pick[i]];
            for (size_t k = 0; k < v->needs.n; k++) {
                const test_package *on = test_find(p, v->needs.at[k].on);
                if (on && !reached[on - p->packages.at])
                    more = reached[on - p->packages.at] = true;
            }
        }
    }
    for (size_t i = 0; i < p->packages.n; i++)
        all = all && (reached[i] || pick[i] < 0);
    free(reached);
    return all;
}

static inline bool test_is_met(const test_problem *p, const int *pick, const test_need *need)
{
    const test_package *on = test_find(p, need->on);
    int at = on ? pick[on - p->packages.at] : -1;

    return at >= 0 && test_accepts(need->range, on->versions.at[at].text);
}

/* Roots and dependencies are met, pins are kept. */
static inline bool test_is_valid(const test_problem *p, const int *pick)
{
    for (size_t i = 0; i < p->roots.n; i++)
        if (!test_is_met(p, pick, &p->roots.at[i]))
            return false;
    for (size_t i = 0; i < p->packages.n; i++) {
        if (pick[i] < 0)
            continue;
        const test_version *v = &p->packages.at[i].versions.at[pick[i]];
        for (size_t k = 0; k < v->needs.n; k++)
            if (!test_is_met(p, pick, &v->needs.at[k]))
                return false;
        for (size_t k = 0; k < p->pinned.n; k++)
            if (strcmp(p->pinned.at[k].on, p->packages.at[i].name) == 0 &&
                strcmp(p->pinned.at[k].range, v->text) != 0)
                return false;
    }
    return true;
}

/* False: the solution names what the problem lacks. */
static inline bool test_picks(const test_problem *p, const dv_solution *solution, int *pick)
{
    size_t found = 0;

    for (size_t i = 0; i < p->packages.n; i++) {
        const test_package *package = &p->packages.at[i];
        const char *text = dv_solution_get(solution, package->name);

        pick[i] = -1;
        for (size_t k = 0; text && k < package->versions.n; k++)
            if (strcmp(package->versions.at[k].text, text) == 0)
                pick[i] = (int)k;
        found += pick[i] >= 0;
    }
    return found == solution->choices.n;
}

typedef enum { GONE, KEPT, MOVED } test_fate;

/* What became of the package that is installed, if one is. */
static inline test_fate test_installed(const test_problem *p, const int *pick)
{
    const test_package *package = p->installed.n ? test_find(p, p->installed.at[0].on) : NULL;
    int at = package ? pick[package - p->packages.at] : -1;

    if (at < 0)
        return GONE;
    return strcmp(package->versions.at[at].text, p->installed.at[0].range) == 0 ? KEPT : MOVED;
}

/* ---- Judging an explanation ---- */

static inline bool test_names_exist(const test_problem *p, const char *text)
{
    const char *end;
    char name[64];

    for (const char *at = strchr(text, '`'); at; at = strchr(end + 1, '`')) {
        end = strchr(at + 1, '`');
        if (!end)
            return false;
        snprintf(name, sizeof(name), "%.*s", (int)(end - at - 1), at + 1);
        if (!test_find(p, name))
            return false;
    }
    return true;
}

/* Backquoted names are packages of the problem; sentences have rising numbers; all is bounded. */
static inline bool test_is_told_well(const test_problem *p, const char *text)
{
    unsigned long number = 0;

    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        char *rest;
        unsigned long told = strtoul(line, &rest, 10);

        if (!strchr(line, '\n'))
            return false;
        if (rest == line || *rest != '.')
            continue;
        if (told <= number)
            return false;
        number = told;
    }
    return number > 0 && strlen(text) <= DV_EXPLANATION_MAX && test_names_exist(p, text);
}
