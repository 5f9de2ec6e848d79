/* SPDX-License-Identifier: Apache-2.0 */
/* Large generated problems, one family for each weakness that resolvers have; nothing is timed. */
#include "testlib.h"

#include <pthread.h>

#include "resolve_families.h"

enum { HUNDRED = 100, MANY = 1000, LEVELS = 10000, SMALL_STACK = 512 * 1024 };

/* ---- Making ---- */

/*
 * Every version of every package asks for three others, each in a narrow window of ten minor
 * versions: so tangled that the search has to learn much. planted: one combination fits.
 */
static void make_tangled(test_random *r, test_problem *p, size_t n, uint32_t window, bool planted)
{
    char text[32];

    family_add_packages(p, "t", n);
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < 10; k++) {
            test_version *v;

            snprintf(text, sizeof(text), "1.%u.0", k);
            v = family_add_version(&p->packages.at[i], text);
            for (int d = 0; d < 3; d++) {
                uint32_t on = random_below(r, (uint32_t)n), low = random_below(r, 11 - window);
                uint32_t want = on % 10; /* what is planted of it */

                if (on == i)
                    continue;
                if (planted && k == i % 10)
                    low = want < window ? 0 : want - window + 1;
                snprintf(text, sizeof(text), ">=1.%u <1.%u", low, low + window);
                family_add_need(v, p->packages.at[on].name, text);
            }
        }
    for (size_t i = 0; i < 3; i++)
        family_add_root(p, p->packages.at[i].name, "");
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

static void family_of_a_hundred_is_answered(void **state)
{
    const test_family *family = *state;

    for (uint64_t seed = 1; seed <= 10; seed++) {
        PROBLEM p = {0};
        test_random r = {seed};

        family->make(&r, &p, HUNDRED);
        assert_int_equal(p.packages.n, HUNDRED);
        if (family->solvable)
            assert_solved(&p);
        else
            assert_conflict(&p, NULL, 0);
    }
}

static void easy_is_solved(void **state)
{
    PROBLEM p = {0};
    test_random r = {1};

    (void)state;
    family_easy(&r, &p, MANY);
    assert_solved(&p);
}

static void conflict_is_solved_by_older_versions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        PROBLEM p = {0};
        test_random r = {seed};

        family_conflict(&r, &p, MANY);
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
    family_unsat(&r, &p, MANY);
    assert_conflict(&p, names, DV_LEN(names));
}

static void contradiction_in_everybodys_own_words_is_told(void **state)
{
    static const char *const names[] = {"`chain0-0`", "`chain1-0`", "`chain0-69`", "`chain1-69`",
                                        "`clash`"};
    PROBLEM p = {0};
    test_random r = {3};

    (void)state;
    family_unsat_hard(&r, &p, MANY);
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
    family_deep(&random, &p, LEVELS);
    solve_on_small_stack(&r);
    assert_null(r.err);
    assert_int_equal(r.solution.choices.n, LEVELS);
    for (size_t i = 0; i < r.solution.choices.n; i++)
        assert_true(strncmp(r.solution.choices.at[i].version, "1.4.0", strlen("1.4.0")) == 0);
}

static void chain_of_ten_thousand_is_explained_in_bounds(void **state)
{
    PROBLEM p = {0};
    test_random random = {5};
    DV_CLEANUP(run_done) run r = {.p = &p};

    (void)state;
    family_deep_unsat(&random, &p, LEVELS);
    solve_on_small_stack(&r);
    assert_true(dv_err_is(r.err, DV_DENIED));
    assert_true(test_is_told_well(&p, r.explanation));
    assert_non_null(strstr(r.explanation, "`d0` >=1.5"));
}

int main(void)
{
    dv_suite suite = {.name = "resolve/families"};

    DV_TABLE(&suite, family_of_a_hundred_is_answered, test_families);
    DV_TEST(&suite, easy_is_solved);
    DV_TEST(&suite, conflict_is_solved_by_older_versions);
    DV_TEST(&suite, contradiction_in_a_crowd_is_found);
    DV_TEST(&suite, contradiction_in_everybodys_own_words_is_told);
    DV_TEST(&suite, tangle_with_a_way_out_is_solved);
    DV_TEST(&suite, tangle_without_a_way_out_is_told_in_bounds);
    DV_TEST(&suite, chain_of_ten_thousand_is_solved_from_its_end);
    DV_TEST(&suite, chain_of_ten_thousand_is_explained_in_bounds);
    return dv_suite_run(&suite);
}
