/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_peer.h"

#define WEB "name: web\ndefaultNamespace: web\nmanifests:\n- url: web.yaml\n"
#define CM "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

typedef struct {
    shelf shelf;
    reader reader;
    char base[256]; /* URL of package.yaml */
} fixture;

static void put_wish(fixture *f, bool suspended)
{
    dv_repo_wish wish = wish_for("main", &f->shelf);

    wish.suspended = suspended;
    assert_ok(dv_repos_put(f->reader.repos, &wish));
}

static void start(fixture *f, bool with_cache)
{
    *f = (fixture){0};
    shelf_start(&f->shelf);
    shelf_put(&f->shelf, "web/v1.0.0+1/package.yaml", WEB);
    shelf_put(&f->shelf, "web/v1.0.0+1/web.yaml", CM);
    snprintf(f->base, sizeof(f->base), "%s/web/v1.0.0+1/package.yaml", f->shelf.url);
    reader_start(&f->reader, with_cache);
    put_wish(f, false);
}

static void stop(fixture *f)
{
    reader_stop(&f->reader);
    shelf_stop(&f->shelf);
}

#define FIXTURE(with_cache)                                                                        \
    DV_CLEANUP(stop) fixture f;                                                                    \
    (void)state;                                                                                   \
    start(&f, with_cache)

static void restart(fixture *f)
{
    reader_restart(&f->reader);
    put_wish(f, false);
}

static void unrefp(dv_repo_package **at)
{
    dv_repo_package_unref(*at);
}
#define auto_package DV_CLEANUP(unrefp) dv_repo_package *

static dv_err *get(fixture *f, dv_repo_package **ret)
{
    return dv_repos_package(&f->reader.ctx, f->reader.repos, "main", "web", "v1.0.0+1", ret);
}

static dv_err *check(fixture *f, dv_repo_package **ret)
{
    return dv_repos_package_check(&f->reader.ctx, f->reader.repos, "main", "web", "v1.0.0+1", ret);
}

/* ---- Packages ---- */

static void a_package_comes_with_its_address_and_digest(void **state)
{
    FIXTURE(false);
    auto_package package = NULL;
    char sha256[DV_SHA256_HEX + 1];

    shelf_put(&f.shelf, "web/v1.0.0+1/package.yaml", WEB "foo: 1\n");
    dv_sha256_hex(DV_STR(WEB "foo: 1\n"), sha256);
    assert_ok(get(&f, &package));
    assert_string_equal(package->package->name, "web");
    assert_string_equal(package->url, f.base);
    assert_string_equal(package->sha256, sha256);
    assert_int_equal(package->warnings.n, 1);
    assert_string_equal(package->warnings.at[0], "line 5: unknown field \"foo\"");
}

static void it_is_fetched_once(void **state)
{
    FIXTURE(false);
    auto_package first = NULL;
    auto_package second = NULL;

    assert_ok(get(&f, &first));
    assert_ok(get(&f, &second));
    assert_ptr_equal(first, second);
    assert_int_equal(f.shelf.asked, 1);
    assert_int_equal(f.reader.decoded, 1);
}

static void it_outlives_the_process_on_disk(void **state)
{
    FIXTURE(true);
    auto_package first = NULL;
    auto_package second = NULL;

    assert_ok(get(&f, &first));
    restart(&f);
    shelf_set_down(&f.shelf, true);
    assert_ok(get(&f, &second));
    assert_string_equal(second->sha256, first->sha256);
    assert_int_equal(f.shelf.asked, 1);
}

static const struct missing {
    const char *name, *path, *text;
    dv_err_kind kind;
    const char *message;
    int asked; /* after two tries */
} missings[] = {
    {"what is not there is not asked for again at once", "none", "", DV_NOT_FOUND, "404", 1},
    {"what is broken is not asked for again at once", "web/v1.0.0+1/package.yaml", "name: [\n",
     DV_INVALID, "package web v1.0.0+1 of repository main: line ", 1},
    {"what crashes its parser is not tried again at once", "web/v1.0.0+1/package.yaml", "crash me",
     DV_INVALID, "the worker died", 1},
    {"what names another package is refused", "web/v1.0.0+1/package.yaml", "name: base\n",
     DV_INVALID, "its package.yaml names base", 1},
};

static void refusal_is_remembered(void **state)
{
    const struct missing *row = *state;
    FIXTURE(true);
    dv_repo_package *package = NULL;

    shelf_put(&f.shelf, "web/v1.0.0+1/package.yaml", NULL);
    shelf_put(&f.shelf, row->path, row->text);
    assert_err(get(&f, &package), row->kind, row->message);
    assert_err(get(&f, &package), row->kind, row->message);
    assert_int_equal(f.shelf.asked, row->asked);
}

static void a_refusal_is_forgotten_after_a_minute(void **state)
{
    FIXTURE(true);
    dv_fake_clock fake;
    auto_package package = NULL;

    dv_fake_clock_init(&fake, 0);
    f.reader.ctx.clock = &fake.clock;
    shelf_put(&f.shelf, "web/v1.0.0+1/package.yaml", "crash me");
    assert_err(get(&f, &package), DV_INVALID, NULL);
    shelf_put(&f.shelf, "web/v1.0.0+1/package.yaml", WEB);
    assert_err(get(&f, &package), DV_INVALID, NULL);
    dv_fake_clock_advance(&fake, 61 * 1000);
    assert_ok(get(&f, &package));
}

static void what_is_out_of_reach_is_asked_for_again(void **state)
{
    FIXTURE(true);
    auto_package package = NULL;

    shelf_set_down(&f.shelf, true);
    assert_err(get(&f, &package), DV_TRANSIENT, "503");
    shelf_set_down(&f.shelf, false);
    assert_ok(get(&f, &package));
}

static const struct bad_name {
    const char *name, *repository, *package, *version;
    dv_err_kind kind;
} bad_names[] = {
    {"a path for a package", "main", "../web", "v1.0.0", DV_INVALID},
    {"dots for a package", "main", "..", "v1.0.0", DV_INVALID},
    {"nothing for a package", "main", "", "v1.0.0", DV_INVALID},
    {"a path for a version", "main", "web", "../v1.0.0", DV_INVALID},
    {"dots for a version", "main", "web", "..", DV_INVALID},
    {"an encoded path for a version", "main", "web", "v1.0.0%2f..", DV_INVALID},
    {"nothing for a version", "main", "web", "", DV_INVALID},
    {"another repository", "none", "web", "v1.0.0", DV_NOT_FOUND},
};

static void name_is_refused_before_a_url_is_made(void **state)
{
    const struct bad_name *row = *state;
    FIXTURE(false);
    dv_repo_package *package = NULL;

    assert_err(dv_repos_package(&f.reader.ctx, f.reader.repos, row->repository, row->package,
                                row->version, &package),
               row->kind, NULL);
    assert_int_equal(f.shelf.asked, 0);
}

static void a_name_it_may_not_serve_is_not_found(void **state)
{
    FIXTURE(false);
    DV_CLEANUP(dv_strings_done) dv_strings globs = {0};
    dv_repo_wish wish = wish_for("main", &f.shelf);
    dv_repo_package *package = NULL;

    dv_strings_add(&globs, "base*");
    wish.packages = &globs;
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_err(get(&f, &package), DV_NOT_FOUND, "may not serve package web");
    assert_int_equal(f.shelf.asked, 0);
}

static void a_suspended_repository_gives_what_is_cached(void **state)
{
    FIXTURE(true);
    auto_package package = NULL;
    dv_repo_package *other = NULL;

    assert_ok(get(&f, &package));
    restart(&f);
    put_wish(&f, true);
    auto_package again = NULL;
    assert_ok(get(&f, &again));
    assert_err(dv_repos_package(&f.reader.ctx, f.reader.repos, "main", "web", "v2.0.0", &other),
               DV_WAITING, "main is suspended");
    assert_int_equal(f.shelf.asked, 1);
}

static void memory_is_bounded(void **state)
{
    FIXTURE(false);
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PACKAGE_BYTES_MAX);

    dv_buf_adds(&text, "name: web\nlongDescription: ");
    dv_buf_fill(&text, 'x', 200 * 1000);
    for (int i = 0; i < 10; i++) {
        auto_package package = NULL;
        dv_auto_str version = dv_asprintf("v1.0.%d", i);
        dv_auto_str path = dv_asprintf("web/%s/package.yaml", version);
        shelf_put(&f.shelf, path, dv_buf_cstr(&text));
        assert_ok(
            dv_repos_package(&f.reader.ctx, f.reader.repos, "main", "web", version, &package));
        assert_true(dv_repos_memory(f.reader.repos) < 5 * 1000 * 1000);
    }
    /* The newest is still there, the oldest not. */
    auto_package newest = NULL;
    auto_package oldest = NULL;
    assert_ok(dv_repos_package(&f.reader.ctx, f.reader.repos, "main", "web", "v1.0.9", &newest));
    assert_int_equal(f.shelf.asked, 10);
    assert_ok(dv_repos_package(&f.reader.ctx, f.reader.repos, "main", "web", "v1.0.0", &oldest));
    assert_int_equal(f.shelf.asked, 11);
}

/* ---- Whether it is still so ---- */

static void a_check_of_equal_bytes_changes_nothing(void **state)
{
    FIXTURE(true);
    auto_package first = NULL;
    auto_package second = NULL;

    assert_ok(get(&f, &first));
    assert_ok(check(&f, &second));
    assert_ptr_equal(first, second);
    assert_int_equal(f.shelf.not_modified, 1);
    assert_int_equal(f.reader.decoded, 1);
}

static void a_check_after_a_restart_decodes_what_is_on_disk(void **state)
{
    FIXTURE(true);
    auto_package first = NULL;
    auto_package second = NULL;

    assert_ok(get(&f, &first));
    restart(&f);
    assert_ok(check(&f, &second));
    assert_int_equal(f.shelf.not_modified, 1);
    assert_string_equal(first->sha256, second->sha256);
}

static void a_check_finds_other_bytes(void **state)
{
    FIXTURE(true);
    auto_package first = NULL;
    auto_package second = NULL;
    auto_package third = NULL;

    assert_ok(get(&f, &first));
    shelf_put(&f.shelf, "web/v1.0.0+1/package.yaml", WEB "shortDescription: other\n");
    assert_ok(get(&f, &second));
    assert_ptr_equal(first, second);
    assert_ok(check(&f, &third));
    assert_string_not_equal(first->sha256, third->sha256);
    assert_string_equal(third->package->short_description, "other");
    restart(&f);
    auto_package fourth = NULL;
    assert_ok(get(&f, &fourth));
    assert_string_equal(fourth->sha256, third->sha256);
}

static void a_check_fails_where_nobody_answers(void **state)
{
    FIXTURE(true);
    auto_package first = NULL;
    auto_package second = NULL;
    dv_repo_package *none = NULL;

    assert_ok(get(&f, &first));
    shelf_set_down(&f.shelf, true);
    assert_err(check(&f, &none), DV_TRANSIENT, "503");
    assert_ok(get(&f, &second));
}

/* ---- Manifests ---- */

static dv_err *manifest(fixture *f, const char *reference, const char *known, dv_buf *out,
                        char sha256[DV_SHA256_HEX + 1], char **url)
{
    return dv_repos_manifest(&f->reader.ctx, f->reader.repos, "main", f->base, reference, known,
                             out, url, sha256);
}

static void a_relative_manifest_stands_beside_its_package(void **state)
{
    FIXTURE(false);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);
    char sha256[DV_SHA256_HEX + 1], wanted[DV_SHA256_HEX + 1];
    dv_auto_str url = NULL;
    dv_auto_str full = dv_asprintf("%s/web/v1.0.0+1/web.yaml", f.shelf.url);

    assert_ok(manifest(&f, "./web.yaml", NULL, &out, sha256, &url));
    assert_string_equal(dv_buf_cstr(&out), CM);
    assert_string_equal(url, full);
    dv_sha256_hex(DV_STR(CM), wanted);
    assert_string_equal(sha256, wanted);
}

static void known_bytes_are_not_asked_for(void **state)
{
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);
    char sha256[DV_SHA256_HEX + 1], again[DV_SHA256_HEX + 1];
    dv_auto_str url = NULL;
    dv_auto_str same = NULL;
    dv_auto_str third = NULL;

    assert_ok(manifest(&f, "web.yaml", NULL, &out, sha256, &url));
    dv_buf_reset(&out);
    assert_ok(manifest(&f, "web.yaml", sha256, &out, again, &same));
    assert_string_equal(dv_buf_cstr(&out), CM);
    assert_string_equal(again, sha256);
    assert_int_equal(f.shelf.asked, 1);

    /* Others are, conditionally. */
    dv_buf_reset(&out);
    again[0] = again[0] == '0' ? '1' : '0';
    assert_ok(manifest(&f, "web.yaml", again, &out, again, &third));
    assert_string_equal(dv_buf_cstr(&out), CM);
    assert_int_equal(f.shelf.not_modified, 1);
}

static void changed_bytes_are_seen(void **state)
{
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);
    char first[DV_SHA256_HEX + 1], second[DV_SHA256_HEX + 1];
    dv_auto_str url = NULL;
    dv_auto_str same = NULL;

    assert_ok(manifest(&f, "web.yaml", NULL, &out, first, &url));
    shelf_put(&f.shelf, "web/v1.0.0+1/web.yaml", CM "data: {}\n");
    dv_buf_reset(&out);
    assert_ok(manifest(&f, "web.yaml", NULL, &out, second, &same));
    assert_string_not_equal(first, second);
    assert_string_equal(dv_buf_cstr(&out), CM "data: {}\n");
}

static void a_cached_manifest_serves_while_the_repository_is_down(void **state)
{
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);
    char sha256[DV_SHA256_HEX + 1];
    dv_auto_str url = NULL;
    dv_auto_str same = NULL;
    char *none = NULL;

    assert_ok(manifest(&f, "web.yaml", NULL, &out, sha256, &url));
    shelf_set_down(&f.shelf, true);
    dv_buf_reset(&out);
    assert_ok(manifest(&f, "web.yaml", NULL, &out, sha256, &same));
    assert_string_equal(dv_buf_cstr(&out), CM);
    dv_buf_reset(&out);
    assert_err(manifest(&f, "other.yaml", NULL, &out, sha256, &none), DV_TRANSIENT, "503");
    put_wish(&f, true);
    assert_err(manifest(&f, "other.yaml", NULL, &out, sha256, &none), DV_WAITING, "is suspended");
}

static const struct bad_reference {
    const char *name, *reference;
    dv_err_kind kind;
    const char *message;
} bad_references[] = {
    {"a reference that climbs", "../v2.0.0/web.yaml", DV_INVALID, "leaves the folder"},
    {"a reference from the root", "/r/web/v2.0.0/web.yaml", DV_INVALID, "leaves the folder"},
    {"an encoded reference that climbs", "..%2f..%2fweb.yaml", DV_INVALID, "encoded slash"},
    {"a file", "file:///etc/hostname", DV_DENIED, "a file outside of the repository"},
    {"another scheme", "ftp://example.com/x", DV_INVALID, "manifest "},
    {"the address of a cloud's metadata", "http://169.254.169.254/latest", DV_DENIED, "manifest "},
    {"plain http elsewhere", "http://192.0.2.1/web.yaml", DV_DENIED, "manifest "},
    {"a password", "https://me:hush@example.com/x", DV_INVALID, "manifest "},
    {"what is not there", "none.yaml", DV_NOT_FOUND, "404"},
};

static void reference_is_refused(void **state)
{
    const struct bad_reference *row = *state;
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);
    char sha256[DV_SHA256_HEX + 1];
    char *url = NULL;

    dv_err *err = manifest(&f, row->reference, NULL, &out, sha256, &url);
    assert_null(strstr(err ? dv_err_str(err) : "", "hush"));
    assert_err(err, row->kind, row->message);
    assert_int_equal(out.n, 0);
}

static const struct type {
    const char *name, *type;
    const char *message; /* NULL: accepted */
} types[] = {
    {"no type", NULL, NULL},
    {"JSON", "application/json", NULL},
    {"YAML", "application/yaml; charset=utf-8", NULL},
    {"YAML before it was registered", "application/x-yaml", NULL},
    {"YAML as text", "Text/YAML", NULL},
    {"YAML as text before it was registered", "text/x-yaml;charset=utf-8", NULL},
    {"plain text", "text/plain", NULL},
    {"bytes", "application/octet-stream", NULL},
    {"a web page", "text/html; charset=utf-8", "content type is text/html;"},
    {"an image", "image/png", "content type is image/png;"},
    {"a type with odd letters", "te(x)t/plain", "content type is unreadable;"},
};

static void type_is_accepted_or_not(void **state)
{
    const struct type *row = *state;
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);
    char sha256[DV_SHA256_HEX + 1];
    dv_auto_str url = NULL;

    f.shelf.content_type = dv_strdup(row->type);
    dv_err *err = manifest(&f, "web.yaml", NULL, &out, sha256, &url);
    if (row->message)
        assert_err(err, DV_INVALID, row->message);
    else
        assert_ok(err);
}

static void a_buffer_too_small_is_an_error(void **state)
{
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(10);
    char sha256[DV_SHA256_HEX + 1];
    char *url = NULL;

    assert_err(manifest(&f, "web.yaml", NULL, &out, sha256, &url), DV_INVALID, "longer than");
}

/* ---- Inline packages ---- */

static dv_err *inlined(fixture *f, const char *url, dv_buf *out)
{
    char sha256[DV_SHA256_HEX + 1];
    dv_auto_str resolved = NULL;

    return dv_repos_manifest(&f->reader.ctx, f->reader.repos, NULL, NULL, url, NULL, out, &resolved,
                             sha256);
}

static void an_inline_package_names_absolute_urls_only(void **state)
{
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);

    assert_err(inlined(&f, "web.yaml", &out), DV_INVALID, "manifest web.yaml");
    assert_err(inlined(&f, "file:///etc/hostname", &out), DV_DENIED, "a file can't be");
    assert_err(inlined(&f, "http://169.254.169.254/x", &out), DV_DENIED, NULL);
}

/* Neither its credentials, nor what is cached of it. */
static void an_inline_package_has_no_repositorys_rights(void **state)
{
    FIXTURE(true);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4096);
    char sha256[DV_SHA256_HEX + 1];
    dv_auto_str url = NULL;
    dv_repo_wish wish = wish_for("main", &f.shelf);

    wish.auth.username = DV_STR("me");
    wish.auth.password = DV_STR("hush");
    assert_ok(dv_repos_put(f.reader.repos, &wish));
    assert_ok(manifest(&f, "web.yaml", NULL, &out, sha256, &url));
    assert_true(peer_saw(f.shelf.server, "Authorization: Basic"));
    dv_buf_reset(&out);
    assert_ok(inlined(&f, url, &out));
    assert_int_equal(f.shelf.given, 2);
    assert_false(peer_saw(f.shelf.server, "Authorization"));
}

/* ---- Slow repositories ---- */

static void serve_slowly(peer_conn *conn)
{
    char request[8192];

    while (conn_read_request(conn, request, sizeof(request))) {
        peer_wait_release(conn->owner);
        conn_answer(conn, 200, "", DV_STR(WEB));
    }
}

typedef struct {
    reader *reader;
    const char *version;
    dv_err *err;
} caller;

static void *fetch_package(void *arg)
{
    caller *c = arg;
    auto_package package = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);

    c->err = dv_repos_package(&ctx, c->reader->repos, "slow", "web", c->version, &package);
    return NULL;
}

static void a_slow_repository_does_not_take_all_workers(void **state)
{
    (void)state;
    reader r;
    peer *slow = peer_start(serve_slowly, NULL, NULL);
    dv_auto_str url = dv_asprintf("http://127.0.0.1:%d", slow->port);
    caller callers[] = {{&r, "v1.0.0", NULL}, {&r, "v2.0.0", NULL}};
    pthread_t threads[DV_LEN(callers)];
    dv_repo_package *package = NULL;

    reader_start(&r, false);
    assert_ok(dv_repos_put(r.repos, &(dv_repo_wish){.name = "slow", .url = url, .insecure = true}));
    for (size_t i = 0; i < DV_LEN(callers); i++)
        threads[i] = dv_thread_start("caller", DV_STACK_BYTES, fetch_package, &callers[i]);
    peer_wait_for(slow, &slow->requests, 2);
    dv_err *busy = dv_repos_package(&r.ctx, r.repos, "slow", "web", "v3.0.0", &package);
    peer_release(slow);
    for (size_t i = 0; i < DV_LEN(callers); i++)
        pthread_join(threads[i], NULL);
    dv_err *free_again = dv_repos_package(&r.ctx, r.repos, "slow", "web", "v3.0.0", &package);
    dv_repo_package_unref(package);
    reader_stop(&r);
    peer_stop(slow);
    assert_string_equal(busy ? dv_err_reason(busy) : "", "RepositoryBusy");
    assert_err(busy, DV_WAITING, "repository slow");
    assert_ok(callers[0].err);
    assert_ok(callers[1].err);
    assert_ok(free_again);
}

/* All want the same: the one that finds no place finds what another one brought. */
static void those_who_wait_share_what_comes(void **state)
{
    (void)state;
    reader r;
    peer *slow = peer_start(serve_slowly, NULL, NULL);
    dv_auto_str url = dv_asprintf("http://127.0.0.1:%d", slow->port);
    caller callers[] = {{&r, "v1.0.0", NULL}, {&r, "v1.0.0", NULL}, {&r, "v1.0.0", NULL}};
    pthread_t threads[DV_LEN(callers)];

    reader_start(&r, false);
    assert_ok(dv_repos_put(r.repos, &(dv_repo_wish){.name = "slow", .url = url, .insecure = true}));
    for (size_t i = 0; i < 2; i++)
        threads[i] = dv_thread_start("caller", DV_STACK_BYTES, fetch_package, &callers[i]);
    peer_wait_for(slow, &slow->requests, 2);
    threads[2] = dv_thread_start("caller", DV_STACK_BYTES, fetch_package, &callers[2]);
    peer_release(slow);
    for (size_t i = 0; i < DV_LEN(callers); i++)
        pthread_join(threads[i], NULL);
    int requests = slow->requests;
    reader_stop(&r);
    peer_stop(slow);
    for (size_t i = 0; i < DV_LEN(callers); i++)
        assert_ok(callers[i].err);
    assert_int_equal(requests, 2);
}

int main(void)
{
    dv_suite suite = {.name = "repo/package"};

    dv_json_setup();
    dv_http_setup();
    DV_TEST(&suite, a_package_comes_with_its_address_and_digest);
    DV_TEST(&suite, it_is_fetched_once);
    DV_TEST(&suite, it_outlives_the_process_on_disk);
    DV_TABLE(&suite, refusal_is_remembered, missings);
    DV_TEST(&suite, a_refusal_is_forgotten_after_a_minute);
    DV_TEST(&suite, what_is_out_of_reach_is_asked_for_again);
    DV_TABLE(&suite, name_is_refused_before_a_url_is_made, bad_names);
    DV_TEST(&suite, a_name_it_may_not_serve_is_not_found);
    DV_TEST(&suite, a_suspended_repository_gives_what_is_cached);
    DV_TEST(&suite, memory_is_bounded);
    DV_TEST(&suite, a_check_of_equal_bytes_changes_nothing);
    DV_TEST(&suite, a_check_after_a_restart_decodes_what_is_on_disk);
    DV_TEST(&suite, a_check_finds_other_bytes);
    DV_TEST(&suite, a_check_fails_where_nobody_answers);
    DV_TEST(&suite, a_relative_manifest_stands_beside_its_package);
    DV_TEST(&suite, known_bytes_are_not_asked_for);
    DV_TEST(&suite, changed_bytes_are_seen);
    DV_TEST(&suite, a_cached_manifest_serves_while_the_repository_is_down);
    DV_TABLE(&suite, reference_is_refused, bad_references);
    DV_TABLE(&suite, type_is_accepted_or_not, types);
    DV_TEST(&suite, a_buffer_too_small_is_an_error);
    DV_TEST(&suite, an_inline_package_names_absolute_urls_only);
    DV_TEST(&suite, an_inline_package_has_no_repositorys_rights);
    DV_TEST(&suite, a_slow_repository_does_not_take_all_workers);
    DV_TEST(&suite, those_who_wait_share_what_comes);
    return dv_suite_run(&suite);
}
