/* SPDX-License-Identifier: Apache-2.0 */
/* The solver as the operator calls it: failing candidates, pins, inline manifests, words. */
#include "testlib.h"

#include "resolve/resolve.h"

/* One row a dependency; a version without any has package NULL. Ends with name NULL. */
typedef struct {
    const char *name, *version, *package, *range;
} offer;

typedef struct {
    dv_candidates candidates; /* first */
    const offer *offers;
    const char *broken; /* versions of this package fail */
    dv_err_kind versions_kind;
    const char *bad_version; /* dependencies of this version fail, in every package */
    dv_err_kind dependencies_kind;
    size_t *versions_asked, *dependencies_asked;
} shelf;

static dv_err *shelf_versions(const dv_candidates *self, dv_ctx *ctx, const char *package,
                              dv_strings *ret_versions)
{
    const shelf *s = (const shelf *)self;

    (void)ctx;
    if (s->versions_asked)
        ++*s->versions_asked;
    if (s->broken && strcmp(s->broken, package) == 0)
        return dv_err_new(s->versions_kind, "Broken", "the index is broken");
    for (const offer *o = s->offers; o->name; o++)
        if (strcmp(o->name, package) == 0 && !dv_strings_has(ret_versions, o->version))
            dv_strings_add(ret_versions, o->version);
    return ret_versions->n ? NULL : dv_err_new(DV_NOT_FOUND, "PackageNotFound", "no %s", package);
}

static dv_err *shelf_dependencies(const dv_candidates *self, dv_ctx *ctx, const char *package,
                                  const char *version, dv_dependencies *ret_dependencies)
{
    const shelf *s = (const shelf *)self;

    (void)ctx;
    if (s->dependencies_asked)
        ++*s->dependencies_asked;
    if (s->bad_version && strcmp(s->bad_version, version) == 0)
        return dv_err_new(s->dependencies_kind, "BadManifest", "package.yaml of %s %s has no name",
                          package, version);
    for (const offer *o = s->offers; o->name; o++)
        if (strcmp(o->name, package) == 0 && strcmp(o->version, version) == 0 && o->package)
            *dv_vec_push(ret_dependencies) =
                (dv_dependency){dv_strdup(o->package), dv_strdup(o->range)};
    return NULL;
}

static shelf shelf_of(const offer *offers)
{
    return (shelf){.candidates = {.versions = shelf_versions, .dependencies = shelf_dependencies},
                   .offers = offers};
}

typedef struct {
    dv_err *err;
    char *explanation, *choices;
} answer;

static answer solve(const dv_problem *problem, const shelf *s)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
    dv_ctx ctx = dv_ctx_make(NULL);
    answer a = {0};

    a.err = dv_resolve(&ctx, problem, &s->candidates, &solution, &a.explanation);
    for (size_t i = 0; i < solution.choices.n; i++)
        dv_buf_addf(&out, "%s%s=%s", i ? " " : "", solution.choices.at[i].package,
                    solution.choices.at[i].version);
    a.choices = dv_buf_take(&out);
    return a;
}

static void answer_done(answer *a)
{
    dv_err_free(a->err);
    free(a->explanation);
    free(a->choices);
}

#define ANSWER DV_CLEANUP(answer_done) answer

static dv_problem *problem_for(const char *package, const char *range)
{
    dv_problem *problem = dv_problem_new();

    assert_ok(dv_problem_add_root(problem, package, range, "PackageManifest team-a/web"));
    return problem;
}

static void assert_chosen(const answer *a, const char *want)
{
    if (a->err)
        print_error("%s\n%s", dv_err_str(a->err), a->explanation ? a->explanation : "");
    assert_null(a->err);
    assert_string_equal(a->choices, want);
}

static void assert_refused(const answer *a, dv_err_kind kind, const char *reason, const char *says)
{
    assert_non_null(a->err);
    if (!strstr(dv_err_str(a->err), says))
        print_error("%s\nhas no\n%s\n", dv_err_str(a->err), says);
    assert_int_equal(dv_err_kind_of(a->err), kind);
    assert_string_equal(dv_err_reason(a->err), reason);
    assert_non_null(strstr(dv_err_str(a->err), says));
}

static const offer web_and_db[] = {
    {"web", "1.0.0", "db", "^1"}, {"web", "2.0.0", "db", "^2"}, {"db", "1.0.0", NULL, NULL},
    {"db", "1.1.0", NULL, NULL},  {"db", "2.0.0", NULL, NULL},  {NULL, NULL, NULL, NULL},
};

static void nothing_asked_gives_nothing(void **state)
{
    dv_auto(dv_problem) problem = dv_problem_new();
    shelf s = shelf_of(web_and_db);
    ANSWER a = solve(problem, &s);

    (void)state;
    assert_chosen(&a, "");
}

static void solution_is_found_by_name(void **state)
{
    dv_auto(dv_problem) problem = problem_for("web", "");
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
    shelf s = shelf_of(web_and_db);
    dv_ctx ctx = dv_ctx_make(NULL);

    (void)state;
    assert_ok(dv_resolve(&ctx, problem, &s.candidates, &solution, NULL));
    assert_string_equal(dv_solution_get(&solution, "web"), "2.0.0");
    assert_string_equal(dv_solution_get(&solution, "db"), "2.0.0");
    assert_null(dv_solution_get(&solution, "cache"));
}

static void root_with_a_bad_range_is_refused_at_once(void **state)
{
    dv_auto(dv_problem) problem = dv_problem_new();

    (void)state;
    assert_err(dv_problem_add_root(problem, "web", ">=1<2", NULL), DV_INVALID, "version of web");
}

static void only_what_is_considered_is_asked_for(void **state)
{
    size_t versions = 0, dependencies = 0;
    dv_auto(dv_problem) problem = problem_for("web", "^2");
    shelf s = shelf_of(web_and_db);

    (void)state;
    s.versions_asked = &versions;
    s.dependencies_asked = &dependencies;
    ANSWER a = solve(problem, &s);
    assert_chosen(&a, "db=2.0.0 web=2.0.0");
    assert_int_equal(versions, 2);
    assert_int_equal(dependencies, 2);
}

static void unusable_version_is_passed_over(void **state)
{
    static const dv_err_kind kinds[] = {DV_INVALID, DV_NOT_FOUND};

    (void)state;
    for (size_t i = 0; i < DV_LEN(kinds); i++) {
        dv_auto(dv_problem) problem = problem_for("web", "");
        shelf s = shelf_of(web_and_db);

        s.bad_version = "2.0.0";
        s.dependencies_kind = kinds[i];
        ANSWER a = solve(problem, &s);
        assert_chosen(&a, "db=1.1.0 web=1.0.0");
    }
}

static void unusable_version_is_named_with_its_fault(void **state)
{
    dv_auto(dv_problem) problem = problem_for("web", "^2");
    shelf s = shelf_of(web_and_db);

    (void)state;
    s.bad_version = "2.0.0";
    s.dependencies_kind = DV_INVALID;
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict",
                   "`web` 2.0.0 cannot be used: package.yaml of web 2.0.0 has no name");
    assert_non_null(strstr(a.explanation, "PackageManifest team-a/web asks for `web` ^2"));
}

static void failing_repository_ends_the_run(void **state)
{
    dv_auto(dv_problem) problem = problem_for("web", "");
    shelf s = shelf_of(web_and_db);

    (void)state;
    s.broken = "db";
    s.versions_kind = DV_TRANSIENT;
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_TRANSIENT, "Broken", "versions of db: the index is broken");
    assert_null(a.explanation);

    s.broken = NULL;
    s.bad_version = "2.0.0";
    s.dependencies_kind = DV_TRANSIENT;
    ANSWER b = solve(problem, &s);
    assert_refused(&b, DV_TRANSIENT, "BadManifest", "dependencies of web 2.0.0");
}

static void unreadable_dependency_range_makes_a_version_unusable(void **state)
{
    static const offer offers[] = {{"web", "1.0.0", NULL, NULL},
                                   {"web", "2.0.0", "db", "newest"},
                                   {"db", "1.0.0", NULL, NULL},
                                   {NULL, NULL, NULL, NULL}};
    dv_auto(dv_problem) any = problem_for("web", "");
    dv_auto(dv_problem) two = problem_for("web", "2");
    shelf s = shelf_of(offers);
    ANSWER a = solve(any, &s);
    ANSWER b = solve(two, &s);

    (void)state;
    assert_chosen(&a, "web=1.0.0");
    assert_refused(&b, DV_DENIED, "DependencyConflict",
                   "asks for db in a range that cannot be read");
}

static void texts_that_are_no_versions_are_skipped(void **state)
{
    static const offer offers[] = {{"web", "1.0.0", NULL, NULL},
                                   {"web", "latest", NULL, NULL},
                                   {"web", "2.0.0+rc", NULL, NULL},
                                   {NULL, NULL, NULL, NULL}};
    dv_auto(dv_problem) any = problem_for("web", "");
    dv_auto(dv_problem) two = problem_for("web", "2");
    shelf s = shelf_of(offers);
    ANSWER a = solve(any, &s);
    ANSWER b = solve(two, &s);

    (void)state;
    assert_chosen(&a, "web=1.0.0");
    assert_refused(&b, DV_NOT_FOUND, "PackageNotFound",
                   "of which there is only 1.0.0 (and 2 that are no versions)");
}

static void texts_of_one_version_count_once(void **state)
{
    static const offer offers[] = {{"web", "v1.0.0", NULL, NULL},
                                   {"web", "1.0", NULL, NULL},
                                   {"web", "1.0.0", NULL, NULL},
                                   {NULL, NULL, NULL, NULL}};
    dv_auto(dv_problem) problem = problem_for("web", "");
    shelf s = shelf_of(offers);
    ANSWER a = solve(problem, &s);

    (void)state;
    assert_chosen(&a, "web=1.0");
}

static void inline_manifest_is_the_only_candidate_of_its_name(void **state)
{
    dv_dependencies needs = {0};
    dv_auto(dv_problem) problem = problem_for("web", "");
    shelf s = shelf_of(web_and_db);

    (void)state;
    *dv_vec_push(&needs) = (dv_dependency){dv_strdup("db"), dv_strdup("<2")};
    dv_problem_add_fixed(problem, "web", "inline-01234567", &needs);
    dv_dependencies_done(&needs);
    ANSWER a = solve(problem, &s);
    assert_chosen(&a, "db=1.1.0 web=inline-01234567");
}

static void inline_manifest_satisfies_nobodys_dependency(void **state)
{
    static const char *const ranges[] = {"", "*", "^1"};
    const dv_dependencies none = {0};

    (void)state;
    for (size_t i = 0; i < DV_LEN(ranges); i++) {
        const offer offers[] = {{"app", "1.0.0", "db", ranges[i]}, {NULL, NULL, NULL, NULL}};
        dv_auto(dv_problem) problem = problem_for("app", "");
        shelf s = shelf_of(offers);

        dv_problem_add_fixed(problem, "db", "inline-01234567", &none);
        ANSWER a = solve(problem, &s);
        assert_refused(&a, DV_DENIED, "DependencyConflict",
                       "of which there is only inline-01234567");
    }
}

static void fixed_version_that_is_a_version_may_be_needed(void **state)
{
    const dv_dependencies none = {0};
    dv_auto(dv_problem) problem = problem_for("web", "");
    shelf s = shelf_of(web_and_db);

    (void)state;
    dv_problem_add_fixed(problem, "db", "1.7.0", &none);
    ANSWER a = solve(problem, &s);
    assert_chosen(&a, "db=1.7.0 web=1.0.0");
}

static void everybody_who_asks_is_named(void **state)
{
    dv_auto(dv_problem) problem = problem_for("web", "^2");
    shelf s = shelf_of(web_and_db);

    (void)state;
    assert_ok(dv_problem_add_root(problem, "db", "^1", "PackageManifest team-b/db"));
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict",
                   "PackageManifest team-b/db asks for `db` ^1");
    assert_non_null(strstr(dv_err_str(a.err), "PackageManifest team-a/web asks for `web` ^2"));
}

static void two_demands_on_one_package_clash_in_one_sentence(void **state)
{
    dv_auto(dv_problem) problem = problem_for("web", "^2");
    shelf s = shelf_of(web_and_db);

    (void)state;
    assert_ok(dv_problem_add_root(problem, "web", "^1", "PackageManifest team-b/web"));
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict", "");
    assert_string_equal(dv_err_str(a.err),
                        "PackageManifest team-a/web asks for `web` ^2, but PackageManifest "
                        "team-b/web asks for `web` ^1");
    assert_string_equal(
        a.explanation,
        "1. PackageManifest team-b/web asks for `web` ^1.\n"
        "2. Yet PackageManifest team-a/web asks for `web` ^2, which 1 rules out.\n"
        "What would help:\n"
        "`web` 2.0.0 would suit all others if PackageManifest team-b/web did not ask "
        "for `web` ^1.\n"
        "`web` 1.0.0 would suit all others if PackageManifest team-a/web did not ask "
        "for `web` ^2.\n");
}

static void pin_is_told_with_who_pinned(void **state)
{
    dv_auto(dv_problem) problem = problem_for("web", "^2");
    shelf s = shelf_of(web_and_db);

    (void)state;
    dv_problem_add_pinned(problem, "db", "1.1.0", "PackageManifest ops/db");
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict",
                   "`db` is pinned to 1.1.0 by PackageManifest ops/db");
}

static void pin_to_a_version_that_is_gone_says_so(void **state)
{
    dv_auto(dv_problem) problem = problem_for("web", "");
    shelf s = shelf_of(web_and_db);

    (void)state;
    dv_problem_add_pinned(problem, "web", "1.5.0", "PackageManifest ops/web");
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict", "pinned to 1.5.0, which there is not");
}

static void chain_is_told_in_one_sentence(void **state)
{
    static const offer offers[] = {
        {"web", "1.0.0", "app", "^1"}, {"app", "1.0.0", "lib", "^1"}, {"app", "1.1.0", "lib", "^1"},
        {"lib", "1.0.0", "db", "^1"},  {"db", "1.0.0", NULL, NULL},   {"db", "2.0.0", NULL, NULL},
        {NULL, NULL, NULL, NULL},
    };
    dv_auto(dv_problem) problem = problem_for("web", "");
    shelf s = shelf_of(offers);

    (void)state;
    assert_ok(dv_problem_add_root(problem, "db", "^2", "PackageManifest ops/db"));
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict", "`lib` 1.0.0 needs `db` ^1, but ");
    assert_string_equal(
        a.explanation, "1. PackageManifest ops/db asks for `db` ^2.\n"
                       "2. PackageManifest team-a/web asks for `web`, which needs `app` ^1, which "
                       "needs `lib` ^1.\n"
                       "3. Yet `lib` 1.0.0 needs `db` ^1, which 1 rules out.\n"
                       "What would help:\n"
                       "`db` 1.0.0 would suit all others if PackageManifest ops/db did not ask for "
                       "`db` ^2.\n");
}

static const offer keptn_and_certificates[] = {
    {"keptn", "2.0.0", "cert-manager", "<1.15"},
    {"keptn", "2.1.0", "cert-manager", ">=1.15"},
    {"cert-manager", "1.14.0", NULL, NULL},
    {"cert-manager", "1.15.0", NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

static void change_that_would_help_is_told(void **state)
{
    dv_auto(dv_problem) problem = problem_for("keptn", "~2.0");
    shelf s = shelf_of(keptn_and_certificates);

    (void)state;
    assert_ok(dv_problem_add_root(problem, "cert-manager", "^1.15", "PackageManifest ops/certs"));
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict", "`keptn` 2.0.0 needs `cert-manager` <1.15");
    assert_non_null(strstr(a.explanation,
                           "`keptn` 2.1.0 would accept `cert-manager` 1.15.0 if PackageManifest "
                           "team-a/web did not ask for `keptn` ~2.0.\n"));
    assert_non_null(strstr(a.explanation,
                           "`cert-manager` 1.14.0 would suit all others if PackageManifest "
                           "ops/certs did not ask for `cert-manager` ^1.15.\n"));
}

static void pin_that_stands_in_the_way_is_told(void **state)
{
    dv_auto(dv_problem) problem = problem_for("keptn", "");
    shelf s = shelf_of(keptn_and_certificates);

    (void)state;
    dv_problem_add_pinned(problem, "keptn", "2.0.0", "PackageManifest ops/keptn");
    dv_problem_add_pinned(problem, "cert-manager", "1.15.0", NULL);
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict", "`keptn` 2.0.0 needs `cert-manager` <1.15");
    assert_non_null(strstr(a.explanation,
                           "`keptn` 2.1.0 would accept `cert-manager` 1.15.0 if it was not pinned "
                           "to 2.0.0 by PackageManifest ops/keptn.\n"));
}

/* Whatever one of them gave up, there is no version of clash that the other could have. */
static void no_advice_is_given_where_nothing_helps(void **state)
{
    static const offer offers[] = {{"left", "1.0.0", "clash", "^1"},
                                   {"right", "1.0.0", "clash", "^2"},
                                   {"clash", "1.0.0", NULL, NULL},
                                   {"clash", "2.0.0", NULL, NULL},
                                   {NULL, NULL, NULL, NULL}};
    dv_auto(dv_problem) problem = problem_for("left", "^1");
    shelf s = shelf_of(offers);

    (void)state;
    assert_ok(dv_problem_add_root(problem, "right", "^1", "PackageManifest ops/right"));
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict", "");
    assert_null(strstr(a.explanation, "What would help"));
}

static void outsiders_bytes_do_not_reach_a_terminal(void **state)
{
    static const offer offers[] = {{"we`b\x1b[2J", "1.0.0", NULL, NULL}, {NULL, NULL, NULL, NULL}};
    dv_auto(dv_problem) problem = problem_for("we`b\x1b[2J", "^2");
    shelf s = shelf_of(offers);
    ANSWER a = solve(problem, &s);

    (void)state;
    assert_refused(&a, DV_NOT_FOUND, "PackageNotFound", "asks for `we?b?[2J` ^2");
}

static void first_sentence_is_bounded(void **state)
{
    char name[400];
    const offer offers[] = {{"web", "1.0.0", name, "^1"},
                            {name, "1.0.0", NULL, NULL},
                            {name, "2.0.0", NULL, NULL},
                            {NULL, NULL, NULL, NULL}};
    dv_auto(dv_problem) problem = problem_for("web", "");
    shelf s = shelf_of(offers);

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < 4; i++)
        assert_ok(dv_problem_add_root(problem, name, "^2", name));
    ANSWER a = solve(problem, &s);
    assert_refused(&a, DV_DENIED, "DependencyConflict", "nnn...` ^1");
    assert_true(strlen(dv_err_str(a.err)) <= DV_EXPLANATION_FIRST_MAX);
}

static void cancel_ends_the_run(void **state)
{
    dv_auto(dv_cancel) cancel = dv_cancel_new();
    dv_auto(dv_problem) problem = problem_for("web", "");
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
    dv_ctx ctx = dv_ctx_make(cancel);
    shelf s = shelf_of(web_and_db);

    (void)state;
    dv_cancel_fire(cancel);
    assert_err(dv_resolve(&ctx, problem, &s.candidates, &solution, NULL), DV_CANCELED, NULL);
}

int main(void)
{
    dv_suite suite = {.name = "resolve/api"};

    DV_TEST(&suite, nothing_asked_gives_nothing);
    DV_TEST(&suite, solution_is_found_by_name);
    DV_TEST(&suite, root_with_a_bad_range_is_refused_at_once);
    DV_TEST(&suite, only_what_is_considered_is_asked_for);
    DV_TEST(&suite, unusable_version_is_passed_over);
    DV_TEST(&suite, unusable_version_is_named_with_its_fault);
    DV_TEST(&suite, failing_repository_ends_the_run);
    DV_TEST(&suite, unreadable_dependency_range_makes_a_version_unusable);
    DV_TEST(&suite, texts_that_are_no_versions_are_skipped);
    DV_TEST(&suite, texts_of_one_version_count_once);
    DV_TEST(&suite, inline_manifest_is_the_only_candidate_of_its_name);
    DV_TEST(&suite, inline_manifest_satisfies_nobodys_dependency);
    DV_TEST(&suite, fixed_version_that_is_a_version_may_be_needed);
    DV_TEST(&suite, everybody_who_asks_is_named);
    DV_TEST(&suite, two_demands_on_one_package_clash_in_one_sentence);
    DV_TEST(&suite, pin_is_told_with_who_pinned);
    DV_TEST(&suite, pin_to_a_version_that_is_gone_says_so);
    DV_TEST(&suite, chain_is_told_in_one_sentence);
    DV_TEST(&suite, change_that_would_help_is_told);
    DV_TEST(&suite, pin_that_stands_in_the_way_is_told);
    DV_TEST(&suite, no_advice_is_given_where_nothing_helps);
    DV_TEST(&suite, outsiders_bytes_do_not_reach_a_terminal);
    DV_TEST(&suite, first_sentence_is_bounded);
    DV_TEST(&suite, cancel_ends_the_run);
    return dv_suite_run(&suite);
}
