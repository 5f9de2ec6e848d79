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
        {"/to/ok", "/ok", 302},
        {"/to/relative", "../echo", 301},
        {"/to/loop", "/to/loop", 307},
        {"/to/file", "file:///etc/passwd", 302},
        {"/to/ftp", "ftp://x/", 302},
        {"/to/user", "http://u:p@127.0.0.1/", 302},
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
        dv_auto_str header =
            dv_asprintf("Location: http://127.0.0.1:%.*s/%.*s\r\n", DV_FMT(port), DV_FMT(rest));
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
        bool goes_on =
            dv_str_is(path, "/tagged") ? serve_tagged(conn, request)
            : dv_str_starts(path, DV_STR("/to/")) || dv_str_starts(path, DV_STR("/steps/"))
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
    w->auth = auth_for((dv_fetch_auth_options){.origin = w->origin,
                                               .username = DV_STR("me"),
                                               .password = DV_STR("geheim"),
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
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d/to/port/%d%s", w->own->port, port, path);
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

static void a_batch_has_an_outcome_for_each(void **state)
{
    static const char *const paths[] = {"/tagged", "/status/404", "/steps/2", "/big/9999"};
    dv_fetch_request requests[DV_LEN(paths)];
    dv_fetch_outcome outcomes[DV_LEN(paths)];
    dv_strings urls = {0};

    (void)state;
    allow_loopback();
    for (size_t i = 0; i < DV_LEN(paths); i++) {
        dv_strings_add(&urls, own_url(paths[i]));
        requests[i] = (dv_fetch_request){.url = urls.at[i], .auth = w->auth, .body_max = 4096};
    }
    dv_fetch_batch(&w->ctx, w->fetcher, requests, DV_LEN(paths), 2, outcomes);
    dv_strings_done(&urls);
    assert_null(outcomes[0].err);
    assert_string_equal(dv_buf_cstr(&outcomes[0].result.body), "content");
    assert_err(outcomes[1].err, DV_NOT_FOUND, "/status/404");
    assert_null(outcomes[2].err);
    assert_string_equal(dv_buf_cstr(&outcomes[2].result.body), "ok");
    assert_err(outcomes[3].err, DV_INVALID, "/big/9999");
    dv_fetch_result_done(&outcomes[0].result);
    dv_fetch_result_done(&outcomes[2].result);
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
    assert_err(dv_fetch(&w->ctx, w->fetcher, &request, &result), DV_DENIED, "127.0.0.1");
    assert_int_equal(peer_conns(w->own), 0);
    allow_loopback();
    assert_ok(dv_fetch(&w->ctx, w->fetcher, &request, &result));
    dv_fetch_result_done(&result);
}

static void plain_http_elsewhere_is_said_to_be_the_trouble(void **state)
{
    dv_fetch_result result;
    dv_auto_str url = dv_asprintf("http://localhost:%d/ok", w->own->port);
    dv_fetch_request request = {.url = url};

    (void)state;
    dv_err *err = dv_fetch(&w->ctx, w->fetcher, &request, &result);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "SchemeNotAllowed");
    assert_err(err, DV_DENIED, "https");
    assert_int_equal(peer_conns(w->own), 0);
}

static void a_bearer_token_is_sent(void **state)
{
    dv_fetch_result result;
    dv_fetch_auth *auth = auth_for(
        (dv_fetch_auth_options){.origin = w->origin, .bearer = DV_STR("t0k"), .allow_plain = true});
    dv_fetch_request request = {.url = own_url("/ok"), .auth = auth};

    (void)state;
    allow_loopback();
    assert_ok(dv_fetch(&w->ctx, w->fetcher, &request, &result));
    dv_fetch_result_done(&result);
    assert_true(peer_saw(w->own, "Authorization: Bearer t0k\r\n"));
    dv_fetch_auth_unref(dv_fetch_auth_ref(auth));
    dv_fetch_auth_unref(auth);
}

static const struct bad_auth {
    const char *name;
    dv_fetch_auth_options options;
    const char *reason;
} bad_auths[] = {
    {"an origin that is no URL", {.origin = "repo"}, "BadURL"},
    {"a user with a colon",
     {.origin = "https://a/", .username = {"a:b", 3}, .password = {"c", 1}},
     "BadCredentials"},
    {"a password with a line break",
     {.origin = "https://a/", .username = {"a", 1}, .password = {"c\r\nX: y", 7}},
     "BadCredentials"},
    {"a token with a line break",
     {.origin = "https://a/", .bearer = {"a\nb", 3}},
     "BadCredentials"},
    {"authorities that are none", {.origin = "https://a/", .ca_pem = {"x", 1}}, "BadCertificate"},
    {"a certificate without a key",
     {.origin = "https://a/", .cert_pem = {"x", 1}},
     "BadCertificate"},
};

static void auth_is_refused(void **state)
{
    const struct bad_auth *row = *state;
    dv_fetch_auth *auth = NULL;

    dv_err *err = dv_fetch_auth_new(w->fetcher, &row->options, &auth);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), row->reason);
    assert_err(err, DV_INVALID, NULL);
    assert_null(auth);
}

/* ---- Addresses ---- */

static void loopback_needs_to_be_opened(void **state)
{
    dv_fetch_result result;

    (void)state;
    dv_err *err = fetch(own_url("/ok"), &result);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "AddressNotAllowed");
    assert_err(err, DV_DENIED, "127.0.0.1");
    assert_int_equal(peer_conns(w->own), 0);
}

static void a_name_of_loopback_is_refused_too(void **state)
{
    dv_fetch_result result;
    dv_auto_str url = dv_asprintf("http://localhost:%d/ok", w->own->port);
    dv_fetch_auth *auth = auth_for((dv_fetch_auth_options){.origin = url, .allow_plain = true});
    dv_fetch_request request = {.url = url, .auth = auth};

    (void)state;
    dv_err *err = dv_fetch(&w->ctx, w->fetcher, &request, &result);
    dv_fetch_auth_unref(auth);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "AddressNotAllowed");
    assert_err(err, DV_DENIED, NULL);
    assert_int_equal(peer_conns(w->own), 0);
}

static void the_api_server_stays_closed(void **state)
{
    struct sockaddr_in api = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)w->own->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    dv_fetch_result result;

    (void)state;
    allow_loopback();
    dv_address_policy_deny(w->policy, (const struct sockaddr *)&api);
    assert_err(fetch(own_url("/ok"), &result), DV_DENIED, "127.0.0.1");
    assert_int_equal(peer_conns(w->own), 0);
}

static const struct literal {
    const char *name, *url;
    dv_err_kind kind;
} literals[] = {
    {"the metadata address", "https://169.254.169.254/latest", DV_DENIED},
    {"the metadata address in IPv6", "https://[::ffff:169.254.169.254]/", DV_DENIED},
    {"a private address", "https://10.0.0.1/", DV_DENIED},
    {"loopback", "https://[::1]/", DV_DENIED},
    {"loopback as a number", "https://2130706433/", DV_DENIED},
    {"loopback in hexadecimal", "https://0x7f000001/", DV_DENIED},
    {"loopback in short", "https://127.1/", DV_DENIED},
    {"a relative URL", "index.yaml", DV_INVALID},
};

static void url_is_refused(void **state)
{
    const struct literal *row = *state;
    dv_fetch_result result;

    assert_err(fetch(row->url, &result), row->kind, NULL);
}

static void a_url_that_is_too_long(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf url = DV_BUF_INIT(2 * DV_URL_MAX);
    dv_fetch_result result;

    (void)state;
    dv_buf_adds(&url, "https://a/");
    dv_buf_fill(&url, 'x', DV_URL_MAX);
    assert_err(fetch(dv_buf_cstr(&url), &result), DV_INVALID, "too long");
}

/* ---- Files ---- */

static void put(const char *name, const char *text)
{
    dv_auto_str path = dv_asprintf("%s/%s", w->folder, name);

    assert_ok(dv_file_write(path, dv_str_of(text), 0600, false));
}

static void link_to(const char *name, const char *target)
{
    dv_auto_str path = dv_asprintf("%s/%s", w->folder, name);

    assert_int_equal(symlink(target, path), 0);
}

static void fill_folder(void)
{
    dv_auto_str sub = dv_asprintf("%s/root/sub", w->folder);
    dv_auto_str absolute = dv_asprintf("%s/root/sub/b.yaml", w->folder);
    dv_auto_str fifo = dv_asprintf("%s/root/fifo", w->folder);

    assert_int_equal(mkdir(sub, 0700), 0);
    put("secret", "secret");
    put("root/a.yaml", "a");
    put("root/sub/b.yaml", "b");
    put("root/with space", "blank");
    put("root/large", "0123456789");
    link_to("root/in", "sub/b.yaml");
    link_to("root/out", "../secret");
    link_to("root/absolute", absolute);
    link_to("root/dir-out", "..");
    assert_int_equal(mkfifo(fifo, 0600), 0);
}

static const struct file_row {
    const char *name, *path; /* behind the folder */
    dv_err_kind kind;        /* 0: read */
    const char *want;
} files[] = {
    {"a file below the root", "/root/a.yaml", 0, "a"},
    {"a file in a folder below", "/root/sub/b.yaml", 0, "b"},
    {"a name with an encoded blank", "/root/with%20space", 0, "blank"},
    {"a link that stays inside", "/root/in", 0, "b"},
    {"doubled slashes", "/root//sub//b.yaml", 0, "b"},
    {"up and down again", "/root/sub/../a.yaml", 0, "a"},
    {"a file that is absent", "/root/none", DV_NOT_FOUND, "no such file"},
    {"a file that is no folder", "/root/a.yaml/x", DV_NOT_FOUND, "no such file"},
    {"a folder", "/root/sub", DV_NOT_FOUND, "not a regular file"},
    {"a pipe", "/root/fifo", DV_NOT_FOUND, "not a regular file"},
    {"the root itself", "/root", DV_DENIED, "allowed root"},
    {"the root with a slash", "/root/", DV_DENIED, "allowed root"},
    {"a file beside the root", "/secret", DV_DENIED, "allowed root"},
    {"out by dots", "/root/../secret", DV_DENIED, "leaves"},
    {"out by encoded dots", "/root/%2e%2e/secret", DV_DENIED, "leaves"},
    {"out by an encoded slash", "/root/..%2fsecret", DV_DENIED, "leaves"},
    {"out by a link", "/root/out", DV_DENIED, "leaves"},
    {"out by a linked folder", "/root/dir-out/secret", DV_DENIED, "leaves"},
    {"an absolute link, even inward", "/root/absolute", DV_DENIED, "leaves"},
    {"a file over the limit", "/root/large", DV_INVALID, "longer than"},
};

static dv_err *fetch_file(const char *path, const char *etag, dv_fetch_result *result)
{
    dv_auto_str url = dv_asprintf("file://%s%s", w->folder, path);
    dv_fetch_auth *auth = auth_for((dv_fetch_auth_options){.origin = "file:///"});
    dv_fetch_request request = {.url = url, .auth = auth, .body_max = 8, .etag = etag};
    dv_err *err = dv_fetch(&w->ctx, w->fetcher, &request, result);

    dv_fetch_auth_unref(auth);
    return err;
}

static void file_is_read_or_not(void **state)
{
    const struct file_row *row = *state;
    dv_fetch_result result;

    fill_folder();
    dv_err *err = fetch_file(row->path, NULL, &result);
    if (row->kind) {
        assert_err(err, row->kind, row->want);
        return;
    }
    assert_ok(err);
    assert_string_equal(dv_buf_cstr(&result.body), row->want);
    assert_non_null(result.etag);
    dv_fetch_result_done(&result);
}

static void a_file_has_an_etag_of_its_content(void **state)
{
    dv_fetch_result first, same, changed;

    (void)state;
    fill_folder();
    assert_ok(fetch_file("/root/a.yaml", NULL, &first));
    assert_ok(fetch_file("/root/a.yaml", first.etag, &same));
    assert_true(same.not_modified);
    assert_int_equal(same.body.n, 0);
    put("root/a.yaml", "changed");
    assert_ok(fetch_file("/root/a.yaml", first.etag, &changed));
    assert_false(changed.not_modified);
    assert_string_equal(dv_buf_cstr(&changed.body), "changed");
    dv_fetch_result_done(&first);
    dv_fetch_result_done(&same);
    dv_fetch_result_done(&changed);
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
            (rows_)[i].name, function, set_up, tear_down, (void *)(uintptr_t) & (rows_)[i]         \
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
    TEST(a_batch_has_an_outcome_for_each);
    TEST(credentials_go_to_their_origin);
    TEST(a_redirect_within_the_origin_keeps_them);
    TEST(five_redirects_are_followed);
    TEST(plain_http_elsewhere_is_for_opened_addresses);
    TEST(plain_http_without_a_repository_is_for_opened_addresses);
    TEST(plain_http_elsewhere_is_said_to_be_the_trouble);
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
