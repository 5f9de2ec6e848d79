/* SPDX-License-Identifier: Apache-2.0 */
#include "http_routes.h"

#include <ftw.h>
#include <sys/stat.h>

#include "http/fetch.h"
#include "base/file.h"
#include "testlib.h"

/* ---- Two servers: the repository's own, and another origin ---- */

typedef struct {
    peer *own, *other;
    dv_http *http;
    dv_address_policy *policy;
    dv_fetcher *fetcher;
    dv_fetch_auth *auth;
    dv_ctx ctx;
    char folder[64];
    char url[512], origin[64];
} world;

static world *w;

/* What the peers do beyond http_routes.h: "/to/PLACE" redirects, "/tagged" knows its ETag. */
static bool serve_redirect(peer_conn *conn, dv_str path)
{
    static const struct place {
        const char *name, *location;
        int status;
    } places[] = {
        {"/to/ok", "/ok", 302},           {"/to/relative", "../echo", 301},
        {"/to/loop", "/to/loop", 307},    {"/to/file", "file:///etc/passwd", 302},
        {"/to/ftp", "ftp://x/", 302},     {"/to/user", "http://u:p@127.0.0.1/", 302},
        {"/to/metadata", "http://169.254.169.254/latest", 302},
        {"/to/nowhere", NULL, 302},
    };

    for (size_t i = 0; i < DV_LEN(places); i++) {
        if (!dv_str_is(path, places[i].name))
            continue;
        dv_auto_str header = places[i].location
                                 ? dv_asprintf("Location: %s\r\n", places[i].location)
                                 : dv_strdup("");
        return conn_answer(conn, places[i].status, header, DV_STR("moved"));
    }
    if (dv_str_starts(path, DV_STR("/to/port/"))) { /* "/to/port/N/rest" at the other one */
        dv_str rest = dv_str_skip(path, 9), port;

        rest = dv_str_cut(rest, '/', &port);
        dv_auto_str header = dv_asprintf("Location: http://127.0.0.1:%.*s/%.*s\r\n", DV_FMT(port),
                                         DV_FMT(rest));
        return conn_answer(conn, 302, header, DV_STR(""));
    }
    if (dv_str_starts(path, DV_STR("/steps/"))) { /* "/steps/3" redirects three times */
        int left = (int)strtol(path.p + 7, NULL, 10);
        dv_auto_str header = left > 1 ? dv_asprintf("Location: /steps/%d\r\n", left - 1)
                                      : dv_strdup("Location: /ok\r\n");
        return conn_answer(conn, 302, header, DV_STR(""));
    }
    return false;
}

static bool serve_tagged(peer_conn *conn, const char *request)
{
    static const char tags[] = "ETag: \"v1\"\r\nLast-Modified: Sat, 21 Nov 2026 09:00:00 GMT\r\n"
                               "Content-Type: text/yaml\r\n";
    bool known = strstr(request, "If-None-Match: \"v1\"\r\n") ||
                 strstr(request, "If-Modified-Since: Sat, 21 Nov 2026 09:00:00 GMT\r\n");

    if (known)
        return conn_say(conn, "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n");
    return conn_answer(conn, 200, tags, DV_STR("content"));
}

static void serve(peer_conn *conn)
{
    static __thread char request[16384];

    while (conn_read_request(conn, request, sizeof(request))) {
        dv_str method, path;
        dv_str_cut(dv_str_cut(dv_str_of(request), ' ', &method), ' ', &path);
        bool goes_on = dv_str_is(path, "/tagged") ? serve_tagged(conn, request)
                       : dv_str_starts(path, DV_STR("/to/")) ||
                               dv_str_starts(path, DV_STR("/steps/"))
                           ? serve_redirect(conn, path)
                           : serve_one(conn, request);
        if (!goes_on)
            return;
    }
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where)
{
    (void)at, (void)kind, (void)where;
    return remove(path);
}

static void allow_loopback(void)
{
    assert_ok(dv_address_policy_allow(w->policy, "127.0.0.0/8"));
}

static dv_fetch_auth *auth_for(dv_fetch_auth_options options)
{
    dv_fetch_auth *auth = NULL;

    assert_ok(dv_fetch_auth_new(w->fetcher, &options, &auth));
    return auth;
}

static int set_up(void **state)
{
    dv_strings roots = {0};

    (void)state;
    w = DV_NEW(world);
    snprintf(w->folder, sizeof(w->folder), "%s/fetchXXXXXX", getenv("TMPDIR") ?: "/tmp");
    assert_non_null(mkdtemp(w->folder));
    dv_auto_str root = dv_asprintf("%s/root", w->folder);
    assert_int_equal(mkdir(root, 0700), 0);
    dv_strings_add(&roots, "/no/such/root");
    dv_strings_add(&roots, root);
    w->own = peer_start(serve, NULL, NULL);
    w->other = peer_start(serve, NULL, NULL);
    w->http = dv_http_new();
    w->policy = dv_address_policy_new();
    w->fetcher = dv_fetcher_new(w->http, w->policy, &roots);
    dv_strings_done(&roots);
    w->ctx = dv_ctx_make(NULL);
    snprintf(w->origin, sizeof(w->origin), "http://127.0.0.1:%d/", w->own->port);
    w->auth = auth_for((dv_fetch_auth_options){
        .origin = w->origin, .username = DV_STR("me"), .password = DV_STR("geheim"),
        .allow_plain = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dv_fetch_auth_unref(w->auth);
    dv_fetcher_free(w->fetcher);
    dv_http_free(w->http);
    dv_address_policy_free(w->policy);
    peer_stop(w->own);
    peer_stop(w->other);
    nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

static const char *own_url(const char *path)
{
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d%s", w->own->port, path);
    return w->url;
}

/* Path at the own server that redirects to path at the other one (or back at the own). */
static const char *crossing_url(int port, const char *path)
{
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d/to/port/%d%s", w->own->port, port,
             path);
    return w->url;
}

static dv_err *fetch(const char *url, dv_fetch_result *result)
{
    dv_fetch_request request = {.url = url, .auth = w->auth, .body_max = 4096};

    return dv_fetch(&w->ctx, w->fetcher, &request, result);
}

/* ---- Answers ---- */

static void a_body_comes_with_its_tags(void **state)
{
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    assert_ok(fetch(own_url("/tagged"), &result));
    assert_false(result.not_modified);
    assert_string_equal(dv_buf_cstr(&result.body), "content");
    assert_string_equal(result.etag, "\"v1\"");
    assert_string_equal(result.last_modified, "Sat, 21 Nov 2026 09:00:00 GMT");
    assert_string_equal(result.content_type, "text/yaml");
    dv_fetch_result_done(&result);
}

static const struct condition {
    const char *name, *etag, *modified;
    bool same;
} conditions[] = {
    {"the same tag", "\"v1\"", NULL, true},
    {"another tag", "\"v0\"", NULL, false},
    {"the same date", NULL, "Sat, 21 Nov 2026 09:00:00 GMT", true},
    {"another date", NULL, "Sat, 21 Nov 2025 09:00:00 GMT", false},
    {"both", "\"v1\"", "Sat, 21 Nov 2026 09:00:00 GMT", true},
};

static void fetch_is_conditional(void **state)
{
    const struct condition *row = *state;
    dv_fetch_result result;
    dv_fetch_request request = {.url = own_url("/tagged"),
                                .auth = w->auth,
                                .etag = row->etag,
                                .last_modified = row->modified};

    allow_loopback();
    assert_ok(dv_fetch(&w->ctx, w->fetcher, &request, &result));
    assert_int_equal(result.not_modified, row->same);
    assert_string_equal(dv_buf_cstr(&result.body), row->same ? "" : "content");
    assert_string_equal(result.etag, "\"v1\"");
    dv_fetch_result_done(&result);
}

static const struct failure {
    const char *name, *path;
    dv_err_kind kind;
    const char *reason;
} failures[] = {
    {"404", "/status/404", DV_NOT_FOUND, "NotFound"},
    {"410", "/status/410", DV_NOT_FOUND, "NotFound"},
    {"401", "/status/401", DV_DENIED, "Unauthorized"},
    {"403", "/status/403", DV_DENIED, "Unauthorized"},
    {"400", "/status/400", DV_INVALID, "HTTPStatus"},
    {"418", "/status/418", DV_INVALID, "HTTPStatus"},
    {"408", "/status/408", DV_TRANSIENT, "HTTPStatus"},
    {"429", "/status/429", DV_TRANSIENT, "HTTPStatus"},
    {"500", "/status/500", DV_TRANSIENT, "HTTPStatus"},
    {"503", "/status/503", DV_TRANSIENT, "HTTPStatus"},
    {"204 is no content", "/status/204", DV_INVALID, "HTTPStatus"},
    {"304 to an unconditional request", "/status/304", DV_INVALID, "HTTPStatus"},
    {"a redirect to nowhere", "/to/nowhere", DV_INVALID, "HTTPStatus"},
    {"a body over the limit", "/big/4097", DV_INVALID, "ResponseTooLarge"},
    {"a body that expands over the limit", "/gzip/100000", DV_INVALID, "ResponseTooLarge"},
    {"half a body", "/cut", DV_TRANSIENT, "ConnectionLost"},
    {"a redirect loop", "/to/loop", DV_INVALID, "TooManyRedirects"},
    {"a redirect to a file", "/to/file", DV_DENIED, "SchemeNotAllowed"},
    {"a redirect to another scheme", "/to/ftp", DV_INVALID, "BadURL"},
    {"a redirect with a user", "/to/user", DV_INVALID, "BadURL"},
    {"a redirect to the metadata address", "/to/metadata", DV_DENIED, "AddressNotAllowed"},
    {"one redirect too many", "/steps/6", DV_INVALID, "TooManyRedirects"},
};

static void failure_has_kind_and_reason(void **state)
{
    const struct failure *row = *state;
    dv_fetch_result result;
    dv_auto_str path = dv_asprintf("127.0.0.1:%d%s", w->own->port, row->path);

    allow_loopback();
    dv_err *err = fetch(own_url(row->path), &result);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), row->reason);
    assert_null(strstr(dv_err_str(err), "geheim"));
    assert_err(err, row->kind, path);
}

static void retry_after_is_handed_on(void **state)
{
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    dv_err *err = fetch(own_url("/retry-after/9"), &result);
    assert_non_null(err);
    assert_int_equal(dv_err_retry_after_ms(err), 9000);
    assert_err(err, DV_TRANSIENT, "429");
}

static void a_query_stays_out_of_messages(void **state)
{
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    dv_err *err = fetch(own_url("/status/404?token=geheim"), &result);
    assert_non_null(err);
    assert_null(strstr(dv_err_str(err), "geheim"));
    dv_err_free(err);
}

/* ---- Redirects and credentials ---- */

/* base64 of me:geheim */
#define BASIC "Authorization: Basic bWU6Z2VoZWlt\r\n"

static void credentials_go_to_their_origin(void **state)
{
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    assert_ok(fetch(own_url("/ok"), &result));
    dv_fetch_result_done(&result);
    assert_true(peer_saw(w->own, BASIC));
}

static void a_redirect_within_the_origin_keeps_them(void **state)
{
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    assert_ok(fetch(own_url("/to/relative"), &result));
    assert_non_null(strstr(dv_buf_cstr(&result.body), "GET /echo HTTP"));
    assert_non_null(strstr(dv_buf_cstr(&result.body), BASIC));
    dv_fetch_result_done(&result);
}

static void five_redirects_are_followed(void **state)
{
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    assert_ok(fetch(own_url("/steps/5"), &result));
    assert_string_equal(dv_buf_cstr(&result.body), "ok");
    dv_fetch_result_done(&result);
    assert_int_equal(w->own->requests, 6);
}

static void plain_http_elsewhere_is_for_opened_addresses(void **state)
{
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    assert_ok(fetch(crossing_url(w->other->port, "/ok"), &result));
    assert_string_equal(dv_buf_cstr(&result.body), "ok");
    dv_fetch_result_done(&result);
}

static void plain_http_without_a_repository_is_for_opened_addresses(void **state)
{
    dv_fetch_result result;
    dv_fetch_request request = {.url = own_url("/ok")};

    (void)state;
    dv_err *err = dv_fetch(&w->ctx, w->fetcher, &request, &result);
    assert_err(err, DV_DENIED, NULL);
    assert_int_equal(peer_conns(w->own), 0);
    allow_loopback();
    assert_ok(dv_fetch(&w->ctx, w->fetcher, &request, &result));
    dv_fetch_result_done(&result);
}

static void a_file_is_not_for_an_http_repository(void **state)
{
    dv_fetch_result result;
    dv_auto_str url = dv_asprintf("file://%s/root/a.yaml", w->folder);

    (void)state;
    fill_folder();
    dv_err *err = fetch(url, &result);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "SchemeNotAllowed");
    assert_err(err, DV_DENIED, NULL);
}

#define TEST(function)                                                                             \
    *dv_vec_push(&suite.tests) =                                                                   \
        (struct CMUnitTest)cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TABLE(function, rows_)                                                                     \
    for (size_t i = 0; i < DV_LEN(rows_); i++)                                                     \
        *dv_vec_push(&suite.tests) = (struct CMUnitTest)                                           \
        {                                                                                          \
            (rows_)[i].name, function, set_up, tear_down, (void *)(uintptr_t)&(rows_)[i]           \
        }

int main(void)
{
    dv_suite suite = {.name = "http/fetch"};

    dv_http_setup();
    TEST(a_body_comes_with_its_tags);
    TABLE(fetch_is_conditional, conditions);
    TABLE(failure_has_kind_and_reason, failures);
    TEST(retry_after_is_handed_on);
    TEST(a_query_stays_out_of_messages);
    TEST(credentials_go_to_their_origin);
    TEST(a_redirect_within_the_origin_keeps_them);
    TEST(five_redirects_are_followed);
    TEST(plain_http_elsewhere_is_for_opened_addresses);
    TEST(plain_http_without_a_repository_is_for_opened_addresses);
    TEST(a_bearer_token_is_sent);
    TABLE(auth_is_refused, bad_auths);
    TEST(loopback_needs_to_be_opened);
    TEST(a_name_of_loopback_is_refused_too);
    TEST(the_api_server_stays_closed);
    TABLE(url_is_refused, literals);
    TEST(a_url_that_is_too_long);
    TABLE(file_is_read_or_not, files);
    TEST(a_file_has_an_etag_of_its_content);
    TEST(a_file_is_not_for_an_http_repository);
    return dv_suite_run(&suite);
}
