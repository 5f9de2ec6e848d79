/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which repository answers for a name, as a table: these are security rules. "high" has priority
 * 10, "low" and "low2" have 0.
 */
#include "repo_peer.h"

/* What one repository is like when it is asked. */
typedef enum {
    ABSENT,    /* not configured */
    HAS,       /* has web at the versions of the row */
    LACKS,     /* has others */
    EMPTY,     /* lists web, has no versions.yaml of it */
    STALE,     /* had web, cannot be reached any more */
    FAILED,    /* its first sync failed */
    UNREAD,    /* no sync has ended yet */
    HALF,      /* lists web, its versions.yaml could not be reached */
    ELSEWHERE, /* has web, for other namespaces */
    FILTERED,  /* has web, may not serve it */
    SUSPENDED, /* has web, was suspended then */
} condition;

static const struct row {
    const char *name;
    condition high, low, low2;
    const char *wanted; /* candidates, or the reason for none */
} rows[] = {
    {"one that has the name answers", HAS, ABSENT, ABSENT, "v1.0.0@high"},
    {"nobody has the name", LACKS, LACKS, ABSENT, "PackageNotFound"},
    {"nobody is there", ABSENT, ABSENT, ABSENT, "PackageNotFound"},

    /* A higher one has the name. */
    {"the higher one alone answers, whatever versions a lower one has", HAS, HAS, HAS,
     "v1.0.0@high"},
    {"a higher one that is stale still answers alone", STALE, HAS, ABSENT, "v1.0.0@high"},
    {"a higher one that is suspended still answers alone", SUSPENDED, HAS, ABSENT, "v1.0.0@high"},
    {"a higher one that lists the name without versions keeps it", EMPTY, HAS, ABSENT,
     "PackageNotFound"},

    /* A higher one might have the name. */
    {"a higher one that was never read is awaited", UNREAD, HAS, ABSENT, "RepositoryNotReady"},
    {"a higher one that could never be read is awaited", FAILED, HAS, ABSENT, "RepositoryNotReady"},
    {"a higher one whose list of versions is out of reach is awaited", HALF, HAS, ABSENT,
     "RepositoryNotReady"},

    /* A higher one can't give it. */
    {"a higher one without the name lets a lower one answer", LACKS, HAS, ABSENT, "v9.0.0@low"},
    {"a higher one for others lets a lower one answer", ELSEWHERE, HAS, ABSENT, "v9.0.0@low"},
    {"a higher one that may not serve the name lets a lower one answer", FILTERED, HAS, ABSENT,
     "v9.0.0@low"},

    /* What is lower is never looked at. */
    {"a lower one that was never read holds up nothing", HAS, UNREAD, FAILED, "v1.0.0@high"},

    /* Several of one priority. */
    {"equals give the union, and of both the first by name", LACKS, HAS, HAS,
     "v8.0.0@low2 v9.0.0@low"},
    {"an equal that lacks the name changes nothing", LACKS, HAS, LACKS, "v9.0.0@low"},
    {"an equal that could not be read holds up no name that another has", LACKS, HAS, FAILED,
     "v9.0.0@low"},
    {"an equal whose versions are out of reach neither", LACKS, HAS, HALF, "v9.0.0@low"},
    {"an equal whose first sync has not ended is awaited", LACKS, HAS, UNREAD,
     "RepositoryNotReady"},
    {"an equal that could not be read might have what others lack", LACKS, LACKS, FAILED,
     "RepositoryNotReady"},
    {"an equal for others gives nothing", LACKS, ELSEWHERE, HAS, "v8.0.0@low2 v9.0.0@low2"},
};

/* ---- Making it so ---- */

typedef struct {
    const char *name;
    int64_t priority;
    const char *versions;
    condition condition;
    shelf shelf;
} place;

static bool for_others(void *arg, const char *ns)
{
    (void)arg;
    return strcmp(ns, "others") == 0;
}

static void put(reader *r, place *p, bool suspended)
{
    DV_CLEANUP(dv_strings_done) dv_strings globs = {0};
    dv_repo_wish wish = wish_for(p->name, &p->shelf);

    dv_strings_add(&globs, p->condition == FILTERED ? "other-*" : "*");
    wish.priority = p->priority;
    wish.packages = &globs;
    wish.suspended = suspended;
    wish.may_use = p->condition == ELSEWHERE ? for_others : NULL;
    assert_ok(dv_repos_put(r->repos, &wish));
}

static void sync_place(reader *r, const place *p)
{
    DV_CLEANUP(dv_repo_sync_result_done) dv_repo_sync_result result = {0};
    dv_auto(dv_err) err = dv_repo_sync(&r->ctx, r->repos, p->name, &result);
    bool fails = p->shelf.down || p->condition == HALF;

    assert_int_equal(err != NULL, fails);
}

static void arrange(reader *r, place *p)
{
    bool lists = p->condition != LACKS;

    shelf_start(&p->shelf);
    shelf_list(&p->shelf, lists ? "base web" : "base");
    shelf_versions(&p->shelf, "base", "v0.1.0");
    if (p->condition != EMPTY)
        shelf_versions(&p->shelf, "web", p->versions);
    if (p->condition == HALF)
        shelf_fail(&p->shelf, "web/versions.yaml", "500");
    if (p->condition == FAILED)
        shelf_set_down(&p->shelf, true);
    if (p->condition == ABSENT)
        return;
    put(r, p, false);
    if (p->condition != UNREAD)
        sync_place(r, p);
    if (p->condition == STALE) {
        shelf_set_down(&p->shelf, true);
        sync_place(r, p);
    }
    if (p->condition == SUSPENDED)
        put(r, p, true);
}

static void the_right_one_answers(void **state)
{
    const struct row *row = *state;
    reader r;
    place places[] = {
        {.name = "high", .priority = 10, .versions = "v1.0.0", .condition = row->high},
        {.name = "low", .versions = "v9.0.0", .condition = row->low},
        {.name = "low2", .versions = "v9.0.0 v8.0.0", .condition = row->low2},
    };

    reader_start(&r, false);
    for (size_t i = 0; i < DV_LEN(places); i++)
        arrange(&r, &places[i]);
    dv_auto_str got = candidates(&r, NULL, "web");
    reader_stop(&r);
    for (size_t i = 0; i < DV_LEN(places); i++)
        shelf_stop(&places[i].shelf);
    assert_string_equal(got, row->wanted);
}

/* ---- One by name ---- */

static const struct named {
    const char *name;
    condition condition;
    const char *repository, *wanted;
} named[] = {
    {"a repository that is named answers, though a higher one has the name", HAS, "low",
     "v9.0.0@low"},
    {"a repository that is named and lacks the name", LACKS, "low", "PackageNotFound"},
    {"a repository that is named and was never read", UNREAD, "low", "RepositoryNotReady"},
    {"a repository that is named and is for others", ELSEWHERE, "low", "RepositoryNotAllowed"},
    {"a repository that is named and may not serve the name", FILTERED, "low", "PackageNotFound"},
    {"a repository that is named and is not there", HAS, "none", "RepositoryNotFound"},
};

static void the_named_one_answers(void **state)
{
    const struct named *row = *state;
    reader r;
    place high = {.name = "high", .priority = 10, .versions = "v1.0.0", .condition = HAS};
    place low = {.name = "low", .versions = "v9.0.0", .condition = row->condition};

    reader_start(&r, false);
    arrange(&r, &high);
    arrange(&r, &low);
    dv_auto_str got = candidates(&r, row->repository, "web");
    reader_stop(&r);
    shelf_stop(&high.shelf);
    shelf_stop(&low.shelf);
    assert_string_equal(got, row->wanted);
}

/* ---- Names ---- */

static void names_are_those_a_namespace_may_use(void **state)
{
    (void)state;
    reader r;
    DV_CLEANUP(dv_strings_done) dv_strings mine = {0};
    DV_CLEANUP(dv_strings_done) dv_strings theirs = {0};
    place high = {.name = "high", .versions = "v1.0.0", .condition = ELSEWHERE};
    place low = {.name = "low", .versions = "v9.0.0", .condition = LACKS};
    place low2 = {.name = "low2", .versions = "v9.0.0", .condition = UNREAD};

    reader_start(&r, false);
    arrange(&r, &high);
    arrange(&r, &low);
    arrange(&r, &low2);
    dv_repos_names(r.repos, "ns", &mine);
    dv_repos_names(r.repos, "others", &theirs);
    reader_stop(&r);
    shelf_stop(&high.shelf);
    shelf_stop(&low.shelf);
    shelf_stop(&low2.shelf);
    assert_int_equal(mine.n, 1);
    assert_string_equal(mine.at[0], "base");
    assert_int_equal(theirs.n, 2);
    assert_string_equal(theirs.at[1], "web");
}

/* ---- Indexes ---- */

/* "name@repository" of all, with blanks; owned. */
static char *listed(const json_t *list)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    size_t i;
    json_t *row;

    json_array_foreach(list, i, row) dv_buf_addf(
        &text, "%s%s@%s", i ? " " : "", dv_json_str(row, "/name"), dv_json_str(row, "/repository"));
    return dv_buf_take(&text);
}

static void a_name_is_listed_once_from_the_best_that_serves_it(void **state)
{
    (void)state;
    reader r;
    DV_CLEANUP(dv_strings_done) dv_strings unread = {0};
    json_auto_t *list = NULL;
    place high = {.name = "high", .priority = 10, .versions = "v1.0.0", .condition = HAS};
    place low = {.name = "low", .versions = "v9.0.0", .condition = HAS};
    place other = {.name = "other", .priority = 20, .versions = "v9.0.0", .condition = FILTERED};
    place closed = {.name = "closed", .priority = 30, .versions = "v9.0.0", .condition = ELSEWHERE};

    reader_start(&r, false);
    arrange(&r, &high);
    arrange(&r, &low);
    arrange(&r, &other);
    arrange(&r, &closed);
    assert_ok(dv_repos_index(&r.ctx, r.repos, "ns", &list, &unread));
    reader_stop(&r);
    shelf_stop(&high.shelf);
    shelf_stop(&low.shelf);
    shelf_stop(&other.shelf);
    shelf_stop(&closed.shelf);
    dv_auto_str got = listed(list);
    assert_non_null(strstr(got, "web@high"));
    assert_null(strstr(got, "web@low"));
    assert_null(strstr(got, "web@other"));
    assert_null(strstr(got, "@closed"));
    assert_int_equal(unread.n, 0);
}

static void an_index_that_can_not_be_read_is_told_of(void **state)
{
    (void)state;
    reader r;
    DV_CLEANUP(dv_strings_done) dv_strings unread = {0};
    json_auto_t *list = NULL;
    place failed = {.name = "failed", .priority = 10, .versions = "v1.0.0", .condition = FAILED};
    place low = {.name = "low", .versions = "v9.0.0", .condition = HAS};

    reader_start(&r, false);
    arrange(&r, &failed);
    arrange(&r, &low);
    assert_ok(dv_repos_index(&r.ctx, r.repos, "ns", &list, &unread));
    reader_stop(&r);
    shelf_stop(&failed.shelf);
    shelf_stop(&low.shelf);
    dv_auto_str got = listed(list);
    assert_non_null(strstr(got, "web@low"));
    assert_int_equal(unread.n, 1);
    assert_non_null(strstr(unread.at[0], "repository failed: "));
}

/* ---- Many at once ---- */

typedef struct {
    reader *reader;
    const char *name;
    dv_err *err;
} worker;

/* Candidates are one snapshot's or the other's, never a mix. */
static void *look_often(void *arg)
{
    worker *w = arg;

    for (int i = 0; i < 300 && !w->err; i++) {
        DV_CLEANUP(dv_repo_versions_done) dv_repo_versions versions = {0};
        dv_ctx ctx = dv_ctx_make(NULL);
        w->err = dv_repos_versions(&ctx, w->reader->repos, "ns", NULL, "web", &versions);
        bool first = versions.n == 2 && strcmp(versions.at[0].version, "v1.0.0") == 0;
        bool second = versions.n == 1 && strcmp(versions.at[0].version, "v2.0.0") == 0;
        if (!w->err && !first && !second)
            w->err = dv_err_new(DV_BUG, "Mixed", "%zu versions", versions.n);
    }
    return NULL;
}

static void a_sync_changes_candidates_at_once(void **state)
{
    (void)state;
    reader r;
    place p = {.name = "main", .versions = "v1.0.0 v1.1.0", .condition = HAS};
    worker workers[4];
    pthread_t threads[DV_LEN(workers)];

    reader_start(&r, false);
    arrange(&r, &p);
    for (size_t i = 0; i < DV_LEN(workers); i++) {
        workers[i] = (worker){.reader = &r};
        threads[i] = dv_thread_start("looker", DV_STACK_BYTES, look_often, &workers[i]);
    }
    for (int i = 0; i < 10; i++) {
        shelf_versions(&p.shelf, "web", i % 2 ? "v1.0.0 v1.1.0" : "v2.0.0");
        sync_place(&r, &p);
    }
    for (size_t i = 0; i < DV_LEN(workers); i++)
        pthread_join(threads[i], NULL);
    reader_stop(&r);
    shelf_stop(&p.shelf);
    for (size_t i = 0; i < DV_LEN(workers); i++)
        assert_ok(workers[i].err);
}

int main(void)
{
    dv_suite suite = {.name = "repo/lookup"};

    dv_json_setup();
    dv_http_setup();
    DV_TABLE(&suite, the_right_one_answers, rows);
    DV_TABLE(&suite, the_named_one_answers, named);
    DV_TEST(&suite, names_are_those_a_namespace_may_use);
    DV_TEST(&suite, a_name_is_listed_once_from_the_best_that_serves_it);
    DV_TEST(&suite, an_index_that_can_not_be_read_is_told_of);
    DV_TEST(&suite, a_sync_changes_candidates_at_once);
    return dv_suite_run(&suite);
}
