/* SPDX-License-Identifier: Apache-2.0 */
/* The solver against brute force, on small problems from a seed that a failure prints. */
#include "testlib.h"

#include "resolve_random.h"

enum { ROUNDS = 4000, SHUFFLED_EVERY = 4, FIRST_SEED = 20260 };

static const char *const versions[] = {"1.0.0",   "1.1.0",        "1.1.0+1", "1.2.0-rc.1", "2.0.0",
                                       "2.0.0+2", "2.1.0-beta.1", "2.1.0",   "3.0.0",      "0.9.0"};
static const char *const ranges[] = {
    "",        "*",         "^1",       "^2",  "~1.1",   ">=1.1",  "<2",      "1 - 2",
    "!=2.0.0", ">=1.2.0-0", "^1 || ^3", "2.x", ">=2 <3", "=1.0.0", "<=1.1.0", "9.x"};

static void make_needs(test_random *r, const test_problem *p, test_version *v)
{
    uint32_t n = random_below(r, 3);
    test_need need;

    for (uint32_t i = 0; i < n; i++) {
        bool doubled = false;

        if (random_chance(r, 3))
            snprintf(need.on, sizeof(need.on), "ghost");
        else
            snprintf(need.on, sizeof(need.on), "p%u", random_below(r, (uint32_t)p->packages.n));
        snprintf(need.range, sizeof(need.range), "%s", ranges[random_below(r, DV_LEN(ranges))]);
        for (size_t k = 0; k < v->needs.n; k++)
            doubled |= strcmp(v->needs.at[k].on, need.on) == 0;
        if (!doubled)
            *dv_vec_push(&v->needs) = need;
    }
}

static void add_chosen(test_random *r, const test_problem *p, test_need *to)
{
    const test_package *package = &p->packages.at[random_below(r, (uint32_t)p->packages.n)];
    const test_version *v = &package->versions.at[random_below(r, (uint32_t)package->versions.n)];

    snprintf(to->on, sizeof(to->on), "%s", package->name);
    snprintf(to->range, sizeof(to->range), "%s", v->text);
}

static void make_problem(test_random *r, test_problem *p)
{
    uint32_t packages = 2 + random_below(r, 4), roots;

    for (uint32_t i = 0; i < packages; i++)
        snprintf(dv_vec_push(&p->packages)->name, 32, "p%u", i);
    for (uint32_t i = 0; i < packages; i++) {
        test_package *package = &p->packages.at[i];
        uint32_t n = 1 + random_below(r, 4), at = random_below(r, DV_LEN(versions));

        for (uint32_t k = 0; k < n; k++, at = (at + 3) % DV_LEN(versions)) {
            test_version *v = dv_vec_push(&package->versions);

            snprintf(v->text, sizeof(v->text), "%s", versions[at]);
            make_needs(r, p, v);
        }
    }
    roots = 1 + random_below(r, 2);
    for (uint32_t i = 0; i < roots; i++) {
        test_need *root = dv_vec_push(&p->roots);

        snprintf(root->on, sizeof(root->on), "p%u", i);
        snprintf(root->range, sizeof(root->range), "%s", ranges[random_below(r, 10)]);
    }
    if (random_chance(r, 40))
        add_chosen(r, p, dv_vec_push(&p->installed));
    if (random_chance(r, 15))
        add_chosen(r, p, dv_vec_push(&p->pinned));
}

typedef struct {
    bool solvable;
    bool keepable; /* some solution has what is installed, as it is */
} truth;

/* Every combination of every package's versions and absence. */
static truth brute_force(const test_problem *p)
{
    truth t = {0};
    int pick[8];
    size_t at = 0;

    for (size_t i = 0; i < p->packages.n; i++)
        pick[i] = -1;
    while (at < p->packages.n) {
        if (test_is_valid(p, pick) && test_reaches_only_needed(p, pick)) {
            t.solvable = true;
            t.keepable |= test_installed(p, pick) == KEPT;
        }
        for (at = 0; at < p->packages.n; at++) {
            if (++pick[at] < (int)p->packages.at[at].versions.n)
                break;
            pick[at] = -1;
        }
    }
    return t;
}

/* The answer in one text: the choices, or the whole explanation. */
static char *solve_text(const test_problem *p, test_random *shuffle, dv_solution *ret_solution,
                        bool *ret_solved)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_BODY_MAX), out = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_problem_file) file = NULL;
    DV_CLEANUP(dv_freep) char *explanation = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);
    dv_err *err;

    test_write(&json, p, shuffle);
    assert_ok(dv_problem_read(dv_buf_str(&json), &file));
    err = dv_resolve(&ctx, dv_problem_file_problem(file), dv_problem_file_candidates(file),
                     ret_solution, &explanation);
    *ret_solved = !err;
    for (size_t i = 0; !err && i < ret_solution->choices.n; i++)
        dv_buf_addf(&out, "%s=%s\n", ret_solution->choices.at[i].package,
                    ret_solution->choices.at[i].version);
    if (err) {
        assert_true(dv_err_is(err, DV_DENIED) || dv_err_is(err, DV_NOT_FOUND));
        assert_true(test_is_told_well(p, explanation));
        assert_true(test_names_exist(p, dv_err_str(err)));
        dv_buf_addf(&out, "%s\n%s", dv_err_str(err), explanation);
    }
    dv_err_free(err);
    return dv_buf_take(&out);
}

/* Somebody who is chosen asks with a range, so that a pre-release in it is welcome. */
static bool is_asked_in_words(const test_problem *p, const int *pick, const char *name)
{
    for (size_t i = 0; i < p->roots.n; i++)
        if (strcmp(p->roots.at[i].on, name) == 0 && p->roots.at[i].range[0])
            return true;
    for (size_t i = 0; i < p->packages.n; i++) {
        const test_version *v = pick[i] < 0 ? NULL : &p->packages.at[i].versions.at[pick[i]];

        for (size_t k = 0; v && k < v->needs.n; k++)
            if (strcmp(v->needs.at[k].on, name) == 0 && v->needs.at[k].range[0] &&
                strcmp(p->packages.at[i].name, name) != 0)
                return true;
    }
    return false;
}

/* Nothing chosen can be replaced by something newer with all others left as they are. */
static bool is_raisable(const test_problem *p, int *pick)
{
    for (size_t i = 0; i < p->packages.n; i++) {
        int chosen = pick[i];
        bool kept = false;
        dv_version now, other;

        for (size_t k = 0; k < p->installed.n; k++)
            kept |= strcmp(p->installed.at[k].on, p->packages.at[i].name) == 0;
        if (chosen < 0 || kept)
            continue;
        (void)!dv_version_is(dv_str_of(p->packages.at[i].versions.at[chosen].text), &now);
        for (size_t k = 0; k < p->packages.at[i].versions.n; k++) {
            bool better;

            (void)!dv_version_is(dv_str_of(p->packages.at[i].versions.at[k].text), &other);
            if (dv_version_cmp(&other, &now) <= 0 ||
                (dv_version_is_pre(&other) && !is_asked_in_words(p, pick, p->packages.at[i].name)))
                continue;
            pick[i] = (int)k;
            better = test_is_valid(p, pick) && test_reaches_only_needed(p, pick);
            pick[i] = chosen;
            if (better)
                return true;
        }
    }
    return false;
}

static const char *judge(const test_problem *p, const dv_solution *solution, bool solved)
{
    truth t = brute_force(p);
    int pick[8];

    if (solved != t.solvable)
        return solved ? "solved what has no solution" : "found no solution though there is one";
    if (!solved)
        return NULL;
    if (!test_picks(p, solution, pick))
        return "chose what is not there";
    if (!test_is_valid(p, pick))
        return "the solution breaks a demand";
    if (!test_reaches_only_needed(p, pick))
        return "something extra was chosen";
    if (test_installed(p, pick) == MOVED && t.keepable)
        return "moved an installed package without need";
    if (is_raisable(p, pick))
        return "a package could be newer";
    return NULL;
}

static const char *check_shuffled(const test_problem *p, test_random *r, const char *first)
{
    dv_solution solution = {0};
    bool solved;
    DV_CLEANUP(dv_freep) char *again = solve_text(p, r, &solution, &solved);

    dv_solution_done(&solution);
    return strcmp(first, again) == 0 ? NULL : "another order, another answer";
}

static void random_problems_are_answered_rightly(void **state)
{
    size_t solved_count = 0;

    (void)state;
    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
        test_random r = {seed};
        test_problem p = {0};
        dv_solution solution = {0};
        bool solved = false;
        const char *fault;

        make_problem(&r, &p);
        DV_CLEANUP(dv_freep) char *text = solve_text(&p, NULL, &solution, &solved);
        fault = judge(&p, &solution, solved);
        if (!fault && seed % SHUFFLED_EVERY == 0)
            fault = check_shuffled(&p, &r, text);
        if (fault) {
            DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_BODY_MAX);

            test_write(&json, &p, NULL);
            print_error("seed %lu: %s\n%s\n%s\n", seed, fault, text, dv_buf_cstr(&json));
        }
        solved_count += solved;
        dv_solution_done(&solution);
        test_problem_done(&p);
        assert_null(fault);
    }
    /* The generator makes both kinds. */
    assert_in_range(solved_count, ROUNDS / 5, ROUNDS * 4 / 5);
}

int main(void)
{
    dv_suite suite = {.name = "resolve/random"};

    DV_TEST(&suite, random_problems_are_answered_rightly);
    return dv_suite_run(&suite);
}
