/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_peer.h"

/* A shelf with two packages, and a set that reads it. */
typedef struct {
    shelf shelf;
    reader reader;
    dv_repo_sync_result result; /* of the last sync */
} fixture;

static void start(fixture *f, bool with_cache)
{
    dv_repo_wish wish;

    *f = (fixture){0};
    shelf_start(&f->shelf);
    shelf_list(&f->shelf, "web base");
    shelf_versions(&f->shelf, "web", "v1.0.0 v1.1.0");
    shelf_versions(&f->shelf, "base", "v2.0.0+1");
    reader_start(&f->reader, with_cache);
    wish = wish_for("main", &f->shelf);
    assert_ok(dv_repos_put(f->reader.repos, &wish));
}

static void stop(fixture *f)
{
    dv_repo_sync_result_done(&f->result);
    reader_stop(&f->reader);
    shelf_stop(&f->shelf);
}

/* The next one counts from 0. */
static dv_err *sync_now(fixture *f)
{
    dv_repo_sync_result_done(&f->result);
    f->shelf.asked = f->shelf.given = f->shelf.not_modified = f->reader.decoded = 0;
    return dv_repo_sync(&f->reader.ctx, f->reader.repos, "main", &f->result);
}

static void restart(fixture *f)
{
    dv_repo_wish wish = wish_for("main", &f->shelf);

    reader_restart(&f->reader);
    assert_ok(dv_repos_put(f->reader.repos, &wish));
}

#define FIXTURE(with_cache)                                                                        \
    DV_CLEANUP(stop) fixture f;                                                                    \
    (void)state;                                                                                   \
    start(&f, with_cache)

/* ---- The usual ---- */

static void a_first_sync_reads_everything(void **state)
{
    FIXTURE(false);

    assert_ok(sync_now(&f));
    assert_int_equal(f.result.packages, 2);
    assert_int_equal(f.result.versions, 3);
    assert_true(f.result.changed);
    assert_false(f.result.stale);
    assert_int_equal(f.result.changed_packages.n, 0);
    assert_int_equal(f.result.fetched, 3);
    assert_int_equal(f.shelf.asked, 3);
    assert_memory_equal(f.result.revision, "sha256:", 7);
    assert_int_equal(strlen(f.result.revision), 71);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
    assert_candidates(&f.reader, "base", "v2.0.0+1@main");
    assert_candidates(&f.reader, "none", "PackageNotFound");
}

static void a_quiet_repository_answers_304_and_nothing_else_happens(void **state)
{
    FIXTURE(true);
    char before[72];

    assert_ok(sync_now(&f));
    memcpy(before, f.result.revision, sizeof(before));
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.asked, 3);
    assert_int_equal(f.shelf.not_modified, 3);
    assert_int_equal(f.reader.decoded, 0);
    assert_false(f.result.changed);
    assert_int_equal(f.result.not_modified, 3);
    assert_int_equal(f.result.fetched, 0);
    assert_int_equal(f.result.packages, 2);
    assert_string_equal(f.result.revision, before);
}

static void without_validators_equal_bytes_change_nothing(void **state)
{
    FIXTURE(false);

    f.shelf.plain = true;
    assert_ok(sync_now(&f));
    assert_ok(sync_now(&f));
    assert_int_equal(f.result.fetched, 3);
    assert_int_equal(f.reader.decoded, 0);
    assert_false(f.result.changed);
}

static void new_validators_of_equal_bytes_are_used(void **state)
{
    FIXTURE(false);

    f.shelf.plain = true;
    assert_ok(sync_now(&f));
    f.shelf.plain = false;
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.given, 3);
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.not_modified, 3);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void a_new_version_names_its_package(void **state)
{
    FIXTURE(false);

    assert_ok(sync_now(&f));
    shelf_versions(&f.shelf, "web", "v1.0.0 v1.1.0 v1.2.0");
    assert_ok(sync_now(&f));
    assert_true(f.result.changed);
    assert_int_equal(f.result.changed_packages.n, 1);
    assert_string_equal(f.result.changed_packages.at[0], "web");
    assert_int_equal(f.reader.decoded, 1);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main v1.2.0@main");
}

static void names_that_come_and_go_are_named(void **state)
{
    FIXTURE(false);

    assert_ok(sync_now(&f));
    shelf_list(&f.shelf, "web extra");
    shelf_versions(&f.shelf, "extra", "v0.1.0");
    assert_ok(sync_now(&f));
    assert_int_equal(f.result.changed_packages.n, 2);
    assert_string_equal(f.result.changed_packages.at[0], "base");
    assert_string_equal(f.result.changed_packages.at[1], "extra");
    assert_candidates(&f.reader, "base", "PackageNotFound");
    assert_candidates(&f.reader, "extra", "v0.1.0@main");
}

static void only_names_that_it_may_serve_are_read(void **state)
{
    FIXTURE(false);
    DV_CLEANUP(dv_strings_done) dv_strings globs = {0};
    dv_repo_wish wish = wish_for("main", &f.shelf);

    dv_strings_add(&globs, "b*");
    wish.packages = &globs;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.asked, 2);
    assert_int_equal(f.result.packages, 1);
    assert_candidates(&f.reader, "web", "PackageNotFound");
    assert_candidates(&f.reader, "base", "v2.0.0+1@main");

    /* Wider again: a name whose versions were never read is not said to be absent. */
    wish.packages = NULL;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_candidates(&f.reader, "web", "RepositoryNotReady");
    assert_ok(sync_now(&f));
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void many_packages_are_read_in_order(void **state)
{
    FIXTURE(false);
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(DV_LINE_MAX);

    for (int i = 0; i < 50; i++) {
        dv_auto_str name = dv_asprintf("p%d", i);
        dv_auto_str version = dv_asprintf("v0.0.%d", i);
        dv_buf_addf(&names, "%s%s", i ? " " : "", name);
        shelf_versions(&f.shelf, name, version);
    }
    shelf_list(&f.shelf, dv_buf_cstr(&names));
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.asked, 51);
    assert_int_equal(f.result.packages, 50);
    assert_candidates(&f.reader, "p7", "v0.0.7@main");
    assert_candidates(&f.reader, "p49", "v0.0.49@main");
}

/* A repository that answers for versions only once four questions are there. */
typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int waiting, most, left;
} crowd;

static void wait_for_crowd(crowd *c)
{
    DV_LOCK_SCOPE(&c->mu);
    c->waiting++;
    c->most = DV_MAX(c->most, c->waiting);
    c->left--;
    pthread_cond_broadcast(&c->changed);
    while (c->waiting < 4 && c->left > 0 && c->most < 4)
        dv_cond_wait_ms(&c->changed, &c->mu, -1);
}

static void serve_crowd(peer_conn *conn)
{
    char request[8192];
    crowd *c = conn->owner->arg;

    while (conn_read_request(conn, request, sizeof(request))) {
        if (strstr(request, "index.yaml")) {
            conn_answer(conn, 200, "",
                        DV_STR("packages: [{name: a}, {name: b}, {name: c}, "
                               "{name: d}, {name: e}, {name: f}]"));
            continue;
        }
        wait_for_crowd(c);
        {
            DV_LOCK_SCOPE(&c->mu);
            c->waiting--;
        }
        conn_answer(conn, 200, "", DV_STR("versions: [{version: 1.0.0}]"));
    }
}

static void a_few_requests_are_under_way_at_once(void **state)
{
    (void)state;
    reader r;
    crowd c = {.mu = PTHREAD_MUTEX_INITIALIZER, .left = 6};
    DV_CLEANUP(dv_repo_sync_result_done) dv_repo_sync_result result = {0};

    dv_cond_init(&c.changed);
    peer *server = peer_start(serve_crowd, NULL, &c);
    dv_auto_str url = dv_asprintf("http://127.0.0.1:%d", server->port);
    reader_start(&r, false);
    assert_ok(dv_repos_put(r.repos, &(dv_repo_wish){.name = "main", .url = url, .insecure = true}));
    dv_err *err = dv_repo_sync(&r.ctx, r.repos, "main", &result);
    reader_stop(&r);
    peer_stop(server);
    pthread_cond_destroy(&c.changed);
    assert_ok(err);
    assert_int_equal(result.packages, 6);
    assert_int_equal(c.most, 4);
}

/* ---- What is left out ---- */

static void what_is_not_there_is_a_warning_and_others_are_fine(void **state)
{
    FIXTURE(false);

    shelf_list(&f.shelf, "web base ghost");
    assert_ok(sync_now(&f));
    assert_false(f.result.stale);
    assert_int_equal(f.result.packages, 2);
    assert_int_equal(f.result.warnings.n, 1);
    assert_string_equal(f.result.warnings.at[0], "ghost/versions.yaml is missing");
    assert_candidates(&f.reader, "ghost", "PackageNotFound");
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void odd_names_and_versions_are_left_out_with_a_warning(void **state)
{
    FIXTURE(false);

    shelf_list(&f.shelf, "web ../web base");
    shelf_versions(&f.shelf, "web", "v1.0.0 ../v9.0.0 latest");
    assert_ok(sync_now(&f));
    assert_int_equal(f.result.warnings.n, 3);
    assert_string_equal(f.result.warnings.at[0],
                        "index.yaml: packages[1]: no valid package name; left out");
    assert_string_equal(f.result.warnings.at[1],
                        "web/versions.yaml: versions[1]: no semantic version; left out");
    assert_candidates(&f.reader, "web", "v1.0.0@main");
}

static void an_unreadable_list_of_versions_is_a_warning(void **state)
{
    FIXTURE(false);

    shelf_put(&f.shelf, "web/versions.yaml", "versions: [\n");
    shelf_put(&f.shelf, "base/versions.yaml", "crash me\n");
    assert_ok(sync_now(&f));
    assert_int_equal(f.result.warnings.n, 2);
    assert_candidates(&f.reader, "web", "PackageNotFound");
    assert_candidates(&f.reader, "base", "PackageNotFound");
}

static void an_unreadable_list_leaves_the_old_one(void **state)
{
    FIXTURE(false);

    assert_ok(sync_now(&f));
    shelf_put(&f.shelf, "web/versions.yaml", "versions: [\n");
    assert_ok(sync_now(&f));
    assert_int_equal(f.result.warnings.n, 1);
    assert_false(f.result.changed);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void warnings_beyond_the_limit_are_counted(void **state)
{
    FIXTURE(false);
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(DV_LINE_MAX);

    for (int i = 0; i < 30; i++)
        dv_buf_addf(&names, "%sghost%d", i ? " " : "", i);
    shelf_list(&f.shelf, dv_buf_cstr(&names));
    assert_ok(sync_now(&f));
    assert_int_equal(f.result.warnings.n, DV_REPO_WARNINGS_MAX + 1);
    assert_string_equal(f.result.warnings.at[DV_REPO_WARNINGS_MAX], "and 10 more");
}

/* ---- Down ---- */

static void nothing_old_leaves_only_the_error(void **state)
{
    FIXTURE(true);

    shelf_set_down(&f.shelf, true);
    dv_err *err = sync_now(&f);
    assert_int_equal(f.result.packages, 0);
    assert_string_equal(f.result.revision, "");
    assert_null(strstr(err ? dv_err_str(err) : "", "secret words"));
    assert_err(err, DV_TRANSIENT, "repository main");
    assert_candidates(&f.reader, "web", "RepositoryNotReady");
}

static const char *const troubles[] = {"503", "404", "403", "400", "cut"};

static void the_old_copy_is_served_and_said_to_be_stale(void **state)
{
    FIXTURE(false);

    assert_ok(sync_now(&f));
    for (size_t i = 0; i < DV_LEN(troubles); i++) {
        shelf_fail(&f.shelf, "index.yaml", troubles[i]);
        dv_auto(dv_err) err = sync_now(&f);
        assert_non_null(err);
        assert_true(f.result.stale);
        assert_false(f.result.changed);
        assert_int_equal(f.result.packages, 2);
        assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
    }
    shelf_fail(&f.shelf, "index.yaml", NULL);
    assert_ok(sync_now(&f));
    assert_false(f.result.stale);
}

static void an_unreadable_index_leaves_the_old_one(void **state)
{
    FIXTURE(false);

    assert_ok(sync_now(&f));
    shelf_put(&f.shelf, "index.yaml", "<html>");
    assert_err(sync_now(&f), DV_INVALID, "index.yaml: object expected, got string");
    assert_true(f.result.stale);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void one_list_out_of_reach_leaves_the_rest_fresh(void **state)
{
    FIXTURE(false);

    assert_ok(sync_now(&f));
    shelf_fail(&f.shelf, "web/versions.yaml", "500");
    shelf_versions(&f.shelf, "web", "v3.0.0");
    shelf_versions(&f.shelf, "base", "v3.0.0");
    assert_err(sync_now(&f), DV_TRANSIENT, "500");
    assert_true(f.result.stale);
    assert_true(f.result.changed);
    assert_candidates(&f.reader, "base", "v3.0.0@main");
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void a_list_that_was_never_read_is_awaited(void **state)
{
    FIXTURE(false);

    shelf_fail(&f.shelf, "web/versions.yaml", "500");
    assert_err(sync_now(&f), DV_TRANSIENT, "500");
    assert_true(f.result.stale);
    assert_candidates(&f.reader, "web", "RepositoryNotReady");
    assert_candidates(&f.reader, "base", "v2.0.0+1@main");
}

static void after_some_failures_the_rest_is_left_alone(void **state)
{
    FIXTURE(false);
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(DV_LINE_MAX);

    for (int i = 0; i < 100; i++) {
        dv_auto_str path = dv_asprintf("p%d/versions.yaml", i);
        dv_buf_addf(&names, "%sp%d", i ? " " : "", i);
        shelf_fail(&f.shelf, path, "500");
    }
    shelf_list(&f.shelf, dv_buf_cstr(&names));
    assert_err(sync_now(&f), DV_TRANSIENT, "500");
    assert_in_range(f.shelf.asked, 2, 40);
}

static void the_copy_on_disk_outlives_the_process(void **state)
{
    FIXTURE(true);
    char before[72];

    assert_ok(sync_now(&f));
    memcpy(before, f.result.revision, sizeof(before));
    restart(&f);
    shelf_set_down(&f.shelf, true);
    assert_candidates(&f.reader, "web", "RepositoryNotReady");
    assert_err(sync_now(&f), DV_TRANSIENT, "503");
    assert_true(f.result.stale);
    assert_int_equal(f.shelf.asked, 1);
    assert_int_equal(f.result.packages, 2);
    assert_string_equal(f.result.revision, before);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
    shelf_set_down(&f.shelf, false);
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.not_modified, 3);
    assert_false(f.result.changed);
}

static void after_a_restart_requests_are_conditional(void **state)
{
    FIXTURE(true);

    assert_ok(sync_now(&f));
    restart(&f);
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.not_modified, 3);
    assert_int_equal(f.result.packages, 2);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

/* ---- Suspended, changed, dropped ---- */

static void a_suspended_one_asks_nothing_and_serves_what_it_has(void **state)
{
    FIXTURE(true);
    dv_repo_wish wish = wish_for("main", &f.shelf);

    wish.suspended = true;
    assert_ok(sync_now(&f));
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.asked, 0);
    assert_int_equal(f.result.packages, 2);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");

    restart(&f);
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.asked, 0);
    assert_int_equal(f.result.packages, 2);
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void a_suspended_one_that_was_never_read_is_awaited(void **state)
{
    FIXTURE(true);
    dv_repo_wish wish = wish_for("main", &f.shelf);

    wish.suspended = true;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_err(sync_now(&f), DV_WAITING, "suspended and was never read");
    assert_int_equal(f.shelf.asked, 0);
    assert_candidates(&f.reader, "web", "RepositoryNotReady");
}

static void another_url_forgets_what_was_there(void **state)
{
    FIXTURE(true);
    dv_repo_wish wish = wish_for("main", &f.shelf);
    dv_auto_str other = dv_asprintf("%s/other", f.shelf.url);

    assert_ok(sync_now(&f));
    wish.url = other;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_candidates(&f.reader, "web", "RepositoryNotReady");
    assert_err(sync_now(&f), DV_NOT_FOUND, "repository main");

    wish.url = f.shelf.url;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_ok(sync_now(&f));
    assert_int_equal(f.shelf.given, 3);
}

static void another_priority_keeps_what_was_there(void **state)
{
    FIXTURE(false);
    dv_repo_wish wish = wish_for("main", &f.shelf);
    dv_auto_str slash = dv_asprintf("%s/", f.shelf.url);

    assert_ok(sync_now(&f));
    wish.priority = 7;
    wish.url = slash;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void a_dropped_one_is_gone(void **state)
{
    FIXTURE(true);
    DV_CLEANUP(dv_strings_done) dv_strings files = {0};

    assert_ok(sync_now(&f));
    dv_repos_drop(f.reader.repos, "main");
    dv_repos_drop(f.reader.repos, "main");
    assert_candidates(&f.reader, "web", "PackageNotFound");
    assert_err(sync_now(&f), DV_NOT_FOUND, "no repository main");
    assert_ok(dv_dir_list(f.reader.cache, 100, &files));
    assert_int_equal(files.n, 0);
}

static void a_cancel_leaves_all_as_it_was(void **state)
{
    FIXTURE(false);
    dv_auto(dv_cancel) cancel = dv_cancel_new();

    dv_cancel_fire(cancel);
    f.reader.ctx.cancel = cancel;
    assert_err(sync_now(&f), DV_CANCELED, NULL);
    f.reader.ctx.cancel = NULL;
    assert_ok(sync_now(&f));
    f.reader.ctx.cancel = cancel;
    assert_err(sync_now(&f), DV_CANCELED, NULL);
    f.reader.ctx.cancel = NULL;
    assert_candidates(&f.reader, "web", "v1.0.0@main v1.1.0@main");
}

static void memory_is_counted(void **state)
{
    FIXTURE(false);
    size_t before = dv_repos_memory(f.reader.repos);

    assert_ok(sync_now(&f));
    assert_in_range(dv_repos_memory(f.reader.repos), before + 1, before + 4096);
}

/* ---- Wishes ---- */

static bool freed;

static void note_free(void *arg)
{
    (void)arg;
    freed = true;
}

static const struct bad_wish {
    const char *name, *url, *glob, *message;
    bool insecure;
} bad_wishes[] = {
    {"a URL that is none", "example.com/packages", NULL, "repository bad", false},
    {"another scheme", "ftp://example.com/packages", NULL, "repository bad", false},
    {"a password in the URL", "https://me:hush@example.com/packages", NULL, "repository bad",
     false},
    {"a query", "https://example.com/packages?token=hush", NULL, "its URL has a query", false},
    {"plain http without leave", "http://example.com/packages", NULL,
     "plain http is only used with insecure: true", false},
    {"an empty glob", "https://example.com/packages", "", "a glob of a name", false},
    {"a glob of paths", "https://example.com/packages", "a/*", "a glob of a name", false},
};

static void wish_is_refused(void **state)
{
    const struct bad_wish *row = *state;
    DV_CLEANUP(reader_stop) reader r;
    DV_CLEANUP(dv_strings_done) dv_strings globs = {0};
    dv_repo_wish wish = {.name = "bad",
                         .url = row->url,
                         .insecure = row->insecure,
                         .packages = &globs,
                         .arg_free = note_free};

    reader_start(&r, false);
    if (row->glob)
        dv_strings_add(&globs, row->glob);
    freed = false;
    dv_err *err = dv_repos_put(r.repos, &wish);
    assert_null(strstr(err ? dv_err_str(err) : "", "hush"));
    assert_err(err, DV_INVALID, row->message);
    assert_true(freed);
}

static void a_bad_certificate_is_refused(void **state)
{
    (void)state;
    DV_CLEANUP(reader_stop) reader r;
    dv_repo_wish wish = {.name = "bad", .url = "https://example.com", .auth.ca_pem = DV_STR("x")};

    reader_start(&r, false);
    assert_err(dv_repos_put(r.repos, &wish), DV_INVALID, "repository bad");
}

static void a_replaced_wish_frees_its_argument(void **state)
{
    FIXTURE(false);
    dv_repo_wish wish = wish_for("main", &f.shelf);

    freed = false;
    wish.arg_free = note_free;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_false(freed);
    wish.arg_free = NULL;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_true(freed);
}

/* ---- Real data ---- */

static void a_real_repository_is_synced_from_files(void **state)
{
    (void)state;
    const char *corpus = test_corpus_dir();
    char real[DV_PATH_MAX];

    if (!corpus || !realpath(corpus, real)) {
        print_message("no corpus of real packages here\n");
        skip();
    }
    DV_CLEANUP(reader_stop) reader r;
    DV_CLEANUP(dv_strings_done) dv_strings roots = {0};
    DV_CLEANUP(dv_repo_sync_result_done) dv_repo_sync_result result = {0};
    dv_auto_str url = dv_asprintf("file://%s/glasskube", real);

    reader_start(&r, true);
    dv_strings_add(&roots, real);
    dv_fetcher_free(r.fetcher);
    r.fetcher = dv_fetcher_new(r.http, r.policy, &roots);
    reader_restart(&r);
    assert_ok(dv_repos_put(r.repos, &(dv_repo_wish){.name = "real", .url = url}));
    assert_ok(dv_repo_sync(&r.ctx, r.repos, "real", &result));
    assert_int_equal(result.warnings.n, 0);
    assert_true(result.packages >= 24 && result.versions > 300);
    assert_int_equal(result.fetched, result.packages + 1);
    int64_t packages = result.packages;
    dv_repo_sync_result_done(&result);
    assert_ok(dv_repo_sync(&r.ctx, r.repos, "real", &result));
    assert_int_equal(result.not_modified, packages + 1);
}

int main(void)
{
    dv_suite suite = {.name = "repo/sync"};

    dv_json_setup();
    dv_http_setup();
    DV_TEST(&suite, a_first_sync_reads_everything);
    DV_TEST(&suite, a_quiet_repository_answers_304_and_nothing_else_happens);
    DV_TEST(&suite, without_validators_equal_bytes_change_nothing);
    DV_TEST(&suite, new_validators_of_equal_bytes_are_used);
    DV_TEST(&suite, a_new_version_names_its_package);
    DV_TEST(&suite, names_that_come_and_go_are_named);
    DV_TEST(&suite, only_names_that_it_may_serve_are_read);
    DV_TEST(&suite, many_packages_are_read_in_order);
    DV_TEST(&suite, a_few_requests_are_under_way_at_once);
    DV_TEST(&suite, what_is_not_there_is_a_warning_and_others_are_fine);
    DV_TEST(&suite, odd_names_and_versions_are_left_out_with_a_warning);
    DV_TEST(&suite, an_unreadable_list_of_versions_is_a_warning);
    DV_TEST(&suite, an_unreadable_list_leaves_the_old_one);
    DV_TEST(&suite, warnings_beyond_the_limit_are_counted);
    DV_TEST(&suite, nothing_old_leaves_only_the_error);
    DV_TEST(&suite, the_old_copy_is_served_and_said_to_be_stale);
    DV_TEST(&suite, an_unreadable_index_leaves_the_old_one);
    DV_TEST(&suite, one_list_out_of_reach_leaves_the_rest_fresh);
    DV_TEST(&suite, a_list_that_was_never_read_is_awaited);
    DV_TEST(&suite, after_some_failures_the_rest_is_left_alone);
    DV_TEST(&suite, the_copy_on_disk_outlives_the_process);
    DV_TEST(&suite, after_a_restart_requests_are_conditional);
    DV_TEST(&suite, a_suspended_one_asks_nothing_and_serves_what_it_has);
    DV_TEST(&suite, a_suspended_one_that_was_never_read_is_awaited);
    DV_TEST(&suite, another_url_forgets_what_was_there);
    DV_TEST(&suite, another_priority_keeps_what_was_there);
    DV_TEST(&suite, a_dropped_one_is_gone);
    DV_TEST(&suite, a_cancel_leaves_all_as_it_was);
    DV_TEST(&suite, memory_is_counted);
    DV_TABLE(&suite, wish_is_refused, bad_wishes);
    DV_TEST(&suite, a_bad_certificate_is_refused);
    DV_TEST(&suite, a_replaced_wish_frees_its_argument);
    DV_TEST(&suite, a_real_repository_is_synced_from_files);
    return dv_suite_run(&suite);
}
