/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated dependency problems of any size, one family for each weakness that resolvers have. The
 * tests solve small ones, the benchmark (test/bench/resolve) writes large ones.
 *
 *     easy          the newest releases fit together
 *     conflict      a solution is planted on old versions; newer ones pull their dependencies apart
 *     unsat         such a crowd, and a contradiction behind two chains
 *     unsat-hard    the same with long chains whose every version asks in its own words
 *     deep          one chain of all packages, whose end rules out the newest versions
 *     deep-unsat    the same, with a root that asks for what the end rules out
 *
 * All of them have builds, pre-releases and ranges in many shapes.
 *
 * Threads: owner.
 */
#pragma once

#include "resolve_random.h"

/* ---- Pieces ---- */

static inline void family_add_packages(test_problem *p, const char *prefix, size_t n)
{
    for (size_t i = 0; i < n; i++)
        snprintf(dv_vec_push(&p->packages)->name, 32, "%s%zu", prefix, i);
}

static inline test_version *family_add_version(test_package *package, const char *text)
{
    test_version *v = dv_vec_push(&package->versions);

    snprintf(v->text, sizeof(v->text), "%s", text);
    return v;
}

static inline void family_add_need(test_version *v, const char *on, const char *range)
{
    test_need *need;

    for (size_t i = 0; i < v->needs.n; i++)
        if (strcmp(v->needs.at[i].on, on) == 0)
            return;
    need = dv_vec_push(&v->needs);
    snprintf(need->on, sizeof(need->on), "%s", on);
    snprintf(need->range, sizeof(need->range), "%s", range);
}

static inline void family_add_root(test_problem *p, const char *on, const char *range)
{
    test_need *root = dv_vec_push(&p->roots);

    snprintf(root->on, sizeof(root->on), "%s", on);
    snprintf(root->range, sizeof(root->range), "%s", range);
}

/* One of the shapes: A stands for minor, B for the minor after it. */
static inline void family_shape(test_random *r, const char *const *shapes, uint32_t n,
                                uint32_t minor, char *range)
{
    const char *shape = shapes[random_below(r, n)];
    size_t left = sizeof(((test_need *)0)->range);

    for (; *shape; shape++) {
        bool number = *shape == 'A' || *shape == 'B';
        int wrote = number ? snprintf(range, left, "%u", minor + (*shape == 'B'))
                           : snprintf(range, left, "%c", *shape);

        range += wrote;
        left -= (size_t)wrote;
    }
}

/* Takes 1.<minor>.0 and all above it. */
static inline void family_from(test_random *r, uint32_t minor, char *range)
{
    static const char *const shapes[] = {"^1.A.0",         ">=1.A.0",         ">=1.A, <2",
                                         "1.A.0 - 1",      ">=1.A.0 !=0.9.A", "^1.A || ^7",
                                         "1.A.x || >=1.A", "=>1.A.0"};

    family_shape(r, shapes, DV_LEN(shapes), minor, range);
}

/* Takes all up to the line 1.<minor>. */
static inline void family_up_to(test_random *r, uint32_t minor, char *range)
{
    static const char *const shapes[] = {"<=1.A",         "<1.B.0",          "0.1 - 1.A",
                                         ">=0.5 <=1.A.x", "<=1.A, !=1.99.0", "~0 || <1.B"};

    family_shape(r, shapes, DV_LEN(shapes), minor, range);
}

/* Takes the line 1.<minor>. */
static inline void family_line(test_random *r, uint32_t minor, char *range)
{
    static const char *const shapes[] = {"~1.A",    "1.A.x",        "=1.A",
                                         "~>1.A.0", "^1.A.0, <1.B", "1.A.0 - 1.A"};

    family_shape(r, shapes, DV_LEN(shapes), minor, range);
}

static inline uint32_t family_count(test_random *r)
{
    return 10 + random_below(r, 31);
}

typedef void family_needs(test_random *r, test_problem *p, size_t package, test_version *v,
                          uint32_t minor);

/* A version, a build of it or two, sometimes a pre-release: all have needs of the same kind. */
static inline void family_add_line(test_random *r, test_problem *p, size_t package, uint32_t minor,
                                   family_needs *needs)
{
    char text[32];
    uint32_t builds = random_chance(r, 60) ? 1 + random_below(r, 2) : 0;

    if (random_chance(r, 6)) {
        snprintf(text, sizeof(text), "1.%u.0-rc.%u", minor, random_below(r, 3));
        needs(r, p, package, family_add_version(&p->packages.at[package], text), minor);
    }
    for (uint32_t build = builds ? 1 : 0; build <= builds; build++) {
        snprintf(text, sizeof(text), build ? "1.%u.0+%u" : "1.%u.0", minor, build);
        needs(r, p, package, family_add_version(&p->packages.at[package], text), minor);
    }
}

static inline void family_add_crowd(test_random *r, test_problem *p, size_t n, family_needs *needs)
{
    enum { ROOT_EACH = 50 };

    family_add_packages(p, "p", n);
    for (size_t i = 0; i < n; i++) {
        for (uint32_t minor = 0, lines = family_count(r); minor < lines; minor++)
            family_add_line(r, p, i, minor, needs);
        if (i % ROOT_EACH == 0)
            family_add_root(p, p->packages.at[i].name, random_chance(r, 50) ? "" : "*");
    }
}

/* ---- easy ---- */

static inline void family_easy_needs(test_random *r, test_problem *p, size_t package,
                                     test_version *v, uint32_t minor)
{
    char range[40];

    (void)minor;
    for (size_t d = 1; d <= 2 && package + d * 9 - 8 < p->packages.n; d++) {
        family_from(r, random_below(r, 10), range);
        family_add_need(v, p->packages.at[package + d * 9 - 8].name, range);
    }
}

static inline void family_easy(test_random *r, test_problem *p, size_t n)
{
    family_add_crowd(r, p, n, family_easy_needs);
}

/* ---- conflict ---- */

/* What is planted of a package is its line 1.<i % 4>; all up to it go together. */
static inline void family_conflict_needs(test_random *r, test_problem *p, size_t package,
                                         test_version *v, uint32_t minor)
{
    enum { NEAR = 40 };
    char range[40];
    size_t left = p->packages.n - package - 1;

    for (int d = 0; d < 2 && left > 0; d++) {
        size_t on = package + 1 + random_below(r, (uint32_t)DV_MIN(left, (size_t)NEAR));

        if (minor <= package % 4)
            family_up_to(r, on % 4, range);
        else
            family_line(r, random_below(r, 10), range);
        family_add_need(v, p->packages.at[on].name, range);
    }
}

static inline void family_conflict(test_random *r, test_problem *p, size_t n)
{
    family_add_crowd(r, p, n, family_conflict_needs);
}

/* ---- unsat, unsat-hard ---- */

/* Any version of the chain's next package, or the line of `clash` that this chain wants. */
static inline void family_chain_range(test_random *r, uint32_t line, uint32_t k, bool own_words,
                                      char *range)
{
    const size_t n = sizeof(((test_need *)0)->range);

    if (!own_words)
        snprintf(range, n, "^%u", line);
    else if (random_chance(r, 50))
        snprintf(range, n, ">=%u.0.0 <%u !=%u.7.%u", line, line + 1, line, 1000 + k);
    else
        snprintf(range, n, "^%u, !=%u.%u.0", line, line, k + 1);
}

static inline void family_add_chain(test_random *r, test_problem *p, uint32_t side, size_t length,
                                    bool own_words)
{
    char text[32], range[40];

    for (size_t i = 0; i < length; i++) {
        test_package *package = dv_vec_push(&p->packages);
        uint32_t lines = family_count(r);
        bool last = i + 1 == length;

        snprintf(package->name, sizeof(package->name), "chain%u-%zu", side, i);
        for (uint32_t k = 0; k < lines; k++) {
            test_version *v;

            snprintf(text, sizeof(text), k % 3 == 2 ? "1.%u.0+1" : "1.%u.0", k);
            v = family_add_version(package, text);
            snprintf(text, sizeof(text), last ? "clash" : "chain%u-%zu", side, i + 1);
            family_chain_range(r, last ? side + 1 : 1, k, own_words, range);
            family_add_need(v, text, range);
        }
    }
    snprintf(text, sizeof(text), "chain%u-0", side);
    family_add_root(p, text, "");
}

/* Two chains that end in opposite wishes. */
static inline void family_add_contradiction(test_random *r, test_problem *p, size_t length,
                                            bool own_words)
{
    test_package *clash;

    for (uint32_t side = 0; side < 2; side++)
        family_add_chain(r, p, side, length, own_words);
    clash = dv_vec_push(&p->packages);
    snprintf(clash->name, sizeof(clash->name), "clash");
    family_add_version(clash, "1.0.0");
    family_add_version(clash, "1.99.0+1");
    family_add_version(clash, "2.99.0");
}

static inline void family_unsat(test_random *r, test_problem *p, size_t n)
{
    enum { LENGTH = 5 };

    family_add_crowd(r, p, n - 2 * LENGTH - 1, family_conflict_needs);
    family_add_contradiction(r, p, LENGTH, /* own_words= */ false);
}

static inline void family_unsat_hard(test_random *r, test_problem *p, size_t n)
{
    size_t length = DV_MIN(n / 5, 50 + n / 50);

    family_add_crowd(r, p, n - 2 * length - 1, family_conflict_needs);
    family_add_contradiction(r, p, length, /* own_words= */ true);
}

/* ---- deep, deep-unsat ---- */

/* Lines of the chain's last package, which decide how new all the others can be. */
enum { FAMILY_DEEP_END = 5 };

static inline void family_deep_needs(test_random *r, test_problem *p, size_t package,
                                     test_version *v, uint32_t minor)
{
    char range[40];

    if (package + 1 == p->packages.n)
        return;
    family_from(r, minor, range);
    family_add_need(v, p->packages.at[package + 1].name, range);
}

static inline void family_add_deep(test_random *r, test_problem *p, size_t n)
{
    family_add_packages(p, "d", n);
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0, lines = i + 1 < n ? family_count(r) : FAMILY_DEEP_END; k < lines; k++)
            family_add_line(r, p, i, k, family_deep_needs);
}

static inline void family_deep(test_random *r, test_problem *p, size_t n)
{
    family_add_deep(r, p, n);
    family_add_root(p, "d0", "");
}

static inline void family_deep_unsat(test_random *r, test_problem *p, size_t n)
{
    family_add_deep(r, p, n);
    family_add_root(p, "d0", ">=1.5");
}

/* ---- All of them ---- */

typedef struct {
    const char *name;
    void (*make)(test_random *r, test_problem *p, size_t n); /* n: packages, 100 or more */
    bool solvable;
} test_family;

static const test_family test_families[] = {
    {"easy", family_easy, true},    {"conflict", family_conflict, true},
    {"unsat", family_unsat, false}, {"unsat-hard", family_unsat_hard, false},
    {"deep", family_deep, true},    {"deep-unsat", family_deep_unsat, false},
};
