/* SPDX-License-Identifier: Apache-2.0 */
/* Large generated problems, one family for each weakness that resolvers have; nothing is timed. */
#include "testlib.h"

#include <pthread.h>

#include "resolve_random.h"

enum { MANY = 1000, LEVELS = 10000, CROWD_STEP = 50, SMALL_STACK = 512 * 1024 };

/* ---- Making ---- */

static void add_packages(test_problem *p, const char *prefix, size_t n)
{
    for (size_t i = 0; i < n; i++)
        snprintf(dv_vec_push(&p->packages)->name, 32, "%s%zu", prefix, i);
}

static test_version *add_version(test_package *package, const char *text)
{
    test_version *v = dv_vec_push(&package->versions);

    snprintf(v->text, sizeof(v->text), "%s", text);
    return v;
}

static void add_need(test_version *v, const char *on, const char *range)
{
    test_need *need;

    for (size_t i = 0; i < v->needs.n; i++)
        if (strcmp(v->needs.at[i].on, on) == 0)
            return;
    need = dv_vec_push(&v->needs);
    snprintf(need->on, sizeof(need->on), "%s", on);
    snprintf(need->range, sizeof(need->range), "%s", range);
}

static void add_root(test_problem *p, const char *on, const char *range)
{
    test_need *root = dv_vec_push(&p->roots);

    snprintf(root->on, sizeof(root->on), "%s", on);
    snprintf(root->range, sizeof(root->range), "%s", range);
}

/* 1.0.0 to 1.<n-1>.0, with builds and pre-releases between them. */
static void add_versions(test_random *r, test_package *package, uint32_t n)
{
    char text[32];

    for (uint32_t i = 0; i < n; i++) {
        if (random_chance(r, 6)) {
            snprintf(text, sizeof(text), "1.%u.0-rc.%u", i, random_below(r, 3));
            add_version(package, text);
        }
        snprintf(text, sizeof(text), random_chance(r, 70) ? "1.%u.0+1" : "1.%u.0", i);
        add_version(package, text);
    }
}

/* Ranges in many shapes that all take 1.<minor>.0, and those above it. */
static void shape_from(test_random *r, uint32_t minor, char *range)
{
    static const char *const shapes[] = {"^1.%u.0",          ">=1.%u.0",          ">=1.%u, <2",
                                         "1.%u.0 - 1",       ">=1.%u.0 !=0.9.%u", "^1.%u || ^7",
                                         "1.%u.x || >=1.%u", "=>1.%u.0-0"};
    const char *shape = shapes[random_below(r, DV_LEN(shapes))];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    snprintf(range, 40, shape, minor, minor);
#pragma GCC diagnostic pop
}

/* Every package needs some with higher numbers, in ranges that take the newest. */
static void make_easy(test_random *r, test_problem *p, size_t n)
{
    char range[40];

    add_packages(p, "p", n);
    for (size_t i = 0; i < n; i++) {
        add_versions(r, &p->packages.at[i], 10 + random_below(r, 20));
        for (size_t k = 0; k < p->packages.at[i].versions.n && i + 1 < n; k++) {
            test_version *v = &p->packages.at[i].versions.at[k];

            for (size_t d = 1; d <= 3 && i + d * 7 - 6 < n; d++) {
                shape_from(r, random_below(r, 10), range);
                add_need(v, p->packages.at[i + d * 7 - 6].name, range);
            }
        }
    }
    for (size_t i = 0; i < n; i += CROWD_STEP)
        add_root(p, p->packages.at[i].name, "");
}

/* A solution is planted at 1.0.0 to 1.3.0 of each; newer versions ask for random lines. */
static void make_conflict(test_random *r, test_problem *p, size_t n)
{
    char range[40];

    add_packages(p, "p", n);
    for (size_t i = 0; i < n; i++) {
        test_package *package = &p->packages.at[i];
        uint32_t versions = 10 + random_below(r, 20), planted = (uint32_t)(i % 4);

        for (uint32_t k = 0; k < versions; k++) {
            char text[32];
            test_version *v;

            snprintf(text, sizeof(text), "1.%u.0", k);
            v = add_version(package, text);
            for (uint32_t d = 0; d < 2 && i + 1 < n; d++) {
                size_t on = i + 1 + random_below(r, (uint32_t)DV_MIN(n - i - 1, 40));

                snprintf(range, sizeof(range), k <= planted ? "<=1.%zu.0" : "~1.%zu",
                         k <= planted ? on % 4 : random_below(r, 10));
                add_need(v, p->packages.at[on].name, range);
            }
        }
    }
    for (size_t i = 0; i < n; i += CROWD_STEP)
        add_root(p, p->packages.at[i].name, "");
}

/* Two chains that end in opposite wishes. own_words: each version asks in other words. */
static void add_contradiction(test_random *r, test_problem *p, size_t length, bool own_words)
{
    char name[32], range[40];

    for (uint32_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < length; i++) {
            test_package *package = dv_vec_push(&p->packages);
            uint32_t versions = 10 + random_below(r, 20);

            snprintf(package->name, sizeof(package->name), "chain%u-%zu", side, i);
            for (uint32_t k = 0; k < versions; k++) {
                snprintf(name, sizeof(name), "1.%u.0", k);
                test_version *v = add_version(package, name);

                if (i + 1 < length)
                    snprintf(name, sizeof(name), "chain%u-%zu", side, i + 1);
                else
                    snprintf(name, sizeof(name), "clash");
                snprintf(range, sizeof(range), own_words ? ">=%u.0.0 <%u !=%u.7.%u" : "^%u",
                         i + 1 < length ? 1 : side + 1, i + 1 < length ? 2 : side + 2,
                         i + 1 < length ? 1 : side + 1, 1000 + k);
                add_need(v, name, range);
            }
        }
        snprintf(name, sizeof(name), "chain%u-0", side);
        add_root(p, name, "");
    }
    snprintf(dv_vec_push(&p->packages)->name, 32, "clash");
    add_version(&p->packages.at[p->packages.n - 1], "1.0.0");
    add_version(&p->packages.at[p->packages.n - 1], "1.4.0+1");
    add_version(&p->packages.at[p->packages.n - 1], "2.0.0");
}

/* One chain; what stands at its end rules out all versions above 1.4.0 of each. */
static void make_deep(test_random *r, test_problem *p, size_t n, const char *root)
{
    char text[32], range[40];

    add_packages(p, "d", n + 1);
    for (size_t i = 0; i <= n; i++)
        for (uint32_t k = 0; k < (i < n ? 10u : 5u); k++) {
            snprintf(text, sizeof(text), "1.%u.0", k);
            test_version *v = add_version(&p->packages.at[i], text);

            if (i == n)
                continue;
            snprintf(range, sizeof(range), random_chance(r, 50) ? ">=1.%u" : "^1.%u.0", k);
            add_need(v, p->packages.at[i + 1].name, range);
        }
    add_root(p, "d0", root);
}

/*
 * Every version of every package asks for three others, each in a narrow window of ten minor
 * versions: so tangled that the search has to learn much. planted: one combination fits.
 */
static void make_tangled(test_random *r, test_problem *p, size_t n, uint32_t window, bool planted)
{
    char text[32];

    add_packages(p, "t", n);
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < 10; k++) {
            test_version *v;

            snprintf(text, sizeof(text), "1.%u.0", k);
            v = add_version(&p->packages.at[i], text);
            for (int d = 0; d < 3; d++) {
                uint32_t on = random_below(r, (uint32_t)n), low = random_below(r, 11 - window);
                uint32_t want = on % 10; /* what is planted of it */

                if (on == i)
                    continue;
                if (planted && k == i % 10)
                    low = want < window ? 0 : want - window + 1;
                snprintf(text, sizeof(text), ">=1.%u <1.%u", low, low + window);
                add_need(v, p->packages.at[on].name, text);
            }
        }
    for (size_t i = 0; i < 3; i++)
        add_root(p, p->packages.at[i].name, "");
}

/* ---- Judging ---- */

/* Packages that could be newer with all others left as they are. */
static size_t count_raisable(const test_problem *p, const int *pick)
{
    size_t count = 0;

    for (size_t i = 0; i < p->packages.n; i++) {
        const test_package *package = &p->packages.at[i];
        bool better = false;

        for (int k = pick[i] + 1; pick[i] >= 0 && k < (int)package->versions.n && !better; k++) {
            const test_version *v = &package->versions.at[k];

            better = !strchr(v->text, '-');
            for (size_t d = 0; d < v->needs.n && better; d++)
                better = test_is_met(p, pick, &v->needs.at[d]);
            for (size_t o = 0; o < p->packages.n && better; o++) {
                if (pick[o] < 0)
                    continue;
                const test_version *other = &p->packages.at[o].versions.at[pick[o]];
                for (size_t d = 0; d < other->needs.n && better; d++)
                    better = strcmp(other->needs.at[d].on, package->name) != 0 ||
                             test_accepts(other->needs.at[d].range, v->text);
            }
        }
        count += better;
    }
    return count;
}

static void check_solution(const test_problem *p, const dv_solution *solution, bool thorough)
{
    int *pick = dv_calloc(p->packages.n, sizeof(int));
    bool picked = test_picks(p, solution, pick);

    assert_true(picked);
    if (thorough) {
        assert_true(test_is_valid(p, pick));
        assert_true(test_reaches_only_needed(p, pick));
        assert_int_equal(count_raisable(p, pick), 0);
    }
    free(pick);
}

typedef struct {
    const test_problem *p;
    dv_solution solution;
    char *explanation;
    dv_err *err;
} run;

static void *solve(void *context)
{
    run *r = context;
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT((size_t)256 * 1024 * 1024);
    dv_auto(dv_problem_file) file = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);

    test_write(&json, r->p, NULL);
    r->err = dv_problem_read(dv_buf_str(&json), &file);
    if (!r->err)
        r->err = dv_resolve(&ctx, dv_problem_file_problem(file), dv_problem_file_candidates(file),
                            &r->solution, &r->explanation);
    return NULL;
}

static void run_done(run *r)
{
    dv_solution_done(&r->solution);
    free(r->explanation);
    dv_err_free(r->err);
}

static void assert_solved(const test_problem *p)
{
    DV_CLEANUP(run_done) run r = {.p = p};

    solve(&r);
    if (r.err)
        print_error("%s\n", r.explanation);
    assert_null(r.err);
    check_solution(p, &r.solution, /* thorough= */ true);
}

static void assert_conflict(const test_problem *p, const char *const *names, size_t n)
{
    DV_CLEANUP(run_done) run r = {.p = p};

    solve(&r);
    assert_true(dv_err_is(r.err, DV_DENIED));
    assert_true(strlen(dv_err_str(r.err)) < 1000);
    assert_true(test_is_told_well(p, r.explanation));
    for (size_t i = 0; i < n; i++)
        assert_non_null(strstr(r.explanation, names[i]));
}

/* ---- Families ---- */

#define PROBLEM DV_CLEANUP(test_problem_done) test_problem

static void easy_is_solved(void **state)
{
    PROBLEM p = {0};
    test_random r = {1};

    (void)state;
    make_easy(&r, &p, MANY);
    assert_solved(&p);
}

static void conflict_is_solved_by_older_versions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        PROBLEM p = {0};
        test_random r = {seed};

        make_conflict(&r, &p, MANY);
        assert_solved(&p);
    }
}

static void contradiction_in_a_crowd_is_found(void **state)
{
    static const char *const names[] = {"`chain0-0`", "`chain1-0`", "`chain0-3`", "`chain1-3`",
                                        "`clash`"};
    PROBLEM p = {0};
    test_random r = {2};

    (void)state;
    make_easy(&r, &p, MANY);
    add_contradiction(&r, &p, 4, /* own_words= */ false);
    assert_conflict(&p, names, DV_LEN(names));
}

static void contradiction_in_everybodys_own_words_is_told(void **state)
{
    static const char *const names[] = {"`chain0-0`", "`chain1-0`", "`chain0-49`", "`chain1-49`",
                                        "`clash`"};
    PROBLEM p = {0};
    test_random r = {3};

    (void)state;
    make_easy(&r, &p, MANY);
    add_contradiction(&r, &p, 50, /* own_words= */ true);
    assert_conflict(&p, names, DV_LEN(names));
}

static void tangle_with_a_way_out_is_solved(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        PROBLEM p = {0};
        test_random r = {seed};

        make_tangled(&r, &p, 40, 3, /* planted= */ true);
        assert_solved(&p);
    }
}

/* The proof has thousands of steps; what is told of it is bounded and in order. */
static void tangle_without_a_way_out_is_told_in_bounds(void **state)
{
    PROBLEM p = {0};
    test_random r = {2};

    (void)state;
    make_tangled(&r, &p, 40, 3, /* planted= */ false);
    DV_CLEANUP(run_done) run told = {.p = &p};
    solve(&told);
    assert_true(dv_err_is(told.err, DV_DENIED));
    assert_true(test_is_told_well(&p, told.explanation));
    assert_non_null(strstr(told.explanation, " steps of this kind are left out ...\n"));
    assert_non_null(strstr(told.explanation, "\nPackages in this conflict: "));
}

/* On a stack that recursion along the chain would overrun. */
static void solve_on_small_stack(run *r)
{
    pthread_attr_t attr;
    pthread_t thread;

    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, SMALL_STACK), 0);
    assert_int_equal(pthread_create(&thread, &attr, solve, r), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attr);
}

static void chain_of_ten_thousand_is_solved_from_its_end(void **state)
{
    PROBLEM p = {0};
    test_random random = {4};
    DV_CLEANUP(run_done) run r = {.p = &p};

    (void)state;
    make_deep(&random, &p, LEVELS, "");
    solve_on_small_stack(&r);
    assert_null(r.err);
    assert_int_equal(r.solution.choices.n, LEVELS + 1);
    for (size_t i = 0; i < r.solution.choices.n; i++)
        assert_string_equal(r.solution.choices.at[i].version, "1.4.0");
}

static void chain_of_ten_thousand_is_explained_in_two_steps(void **state)
{
    PROBLEM p = {0};
    test_random random = {5};
    DV_CLEANUP(run_done) run r = {.p = &p};

    (void)state;
    make_deep(&random, &p, LEVELS, ">=1.5");
    solve_on_small_stack(&r);
    assert_true(dv_err_is(r.err, DV_DENIED));
    assert_true(strlen(r.explanation) <= DV_EXPLANATION_MAX);
    assert_non_null(strstr(r.explanation, "1. The root asks for `d0` >=1.5, which needs `d1` "));
    assert_non_null(strstr(r.explanation, "and so on through 9984 packages to "));
    assert_non_null(strstr(r.explanation, "\n2. Yet `d9999` "));
    assert_non_null(strstr(r.explanation, "of which there are only 1.0.0 to 1.4.0."));
}

int main(void)
{
    dv_suite suite = {.name = "resolve/families"};

    DV_TEST(&suite, easy_is_solved);
    DV_TEST(&suite, conflict_is_solved_by_older_versions);
    DV_TEST(&suite, contradiction_in_a_crowd_is_found);
    DV_TEST(&suite, contradiction_in_everybodys_own_words_is_told);
    DV_TEST(&suite, tangle_with_a_way_out_is_solved);
    DV_TEST(&suite, tangle_without_a_way_out_is_told_in_bounds);
    DV_TEST(&suite, chain_of_ten_thousand_is_solved_from_its_end);
    DV_TEST(&suite, chain_of_ten_thousand_is_explained_in_two_steps);
    return dv_suite_run(&suite);
}
