/* SPDX-License-Identifier: Apache-2.0 */
#include "http_pki.h"
#include "http_routes.h"

#include "base/file.h"
#include "http/fetch.h"
#include "testlib.h"

static pki_pair authority, stranger, leaf, old_leaf, early_leaf, other_leaf, client, false_client;

static void make_pairs(void)
{
    static const char here[] = "IP:127.0.0.1,DNS:localhost,DNS:inner.example";

    authority = pki_make(NULL, NULL, -1, 10);
    stranger = pki_make(NULL, NULL, -1, 10);
    leaf = pki_make(here, &authority, -1, 5);
    old_leaf = pki_make(here, &authority, -5, -1);
    early_leaf = pki_make(here, &authority, 1, 5);
    other_leaf = pki_make("DNS:other.example", &authority, -1, 5);
    client = pki_make("", &authority, -1, 5);
    false_client = pki_make("", &stranger, -1, 5);
}

static void free_pairs(void)
{
    pki_pair *all[] = {&authority,  &stranger,   &leaf,   &old_leaf,
                       &early_leaf, &other_leaf, &client, &false_client};

    for (size_t i = 0; i < DV_LEN(all); i++)
        pki_done(all[i]);
}

typedef struct {
    peer *server;
    dv_http *http;
    dv_http_lane *lane;
    dv_ctx ctx;
    char url[256];
} world;

static world *w;

static int set_up(void **state)
{
    (void)state;
    w = DV_NEW(world);
    w->http = dv_http_new();
    w->lane = dv_http_lane_new(w->http, &(dv_http_lane_options){.name = "test"});
    w->ctx = dv_ctx_make(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dv_http_free(w->http);
    if (w->server)
        peer_stop(w->server);
    free(w);
    return 0;
}

static void serve_with(const pki_pair *pair, const pki_pair *clients)
{
    w->server = peer_start(serve_routes, pki_server(pair, "http/1.1", clients), NULL);
}

static dv_err *ask(const dv_http_profile_options *options, const char *host, const char *path,
                   dv_http_response **ret)
{
    dv_http_profile *profile = NULL;

    DV_CHECK(dv_http_profile_new(options, &profile));
    snprintf(w->url, sizeof(w->url), "https://%s:%d%s", host, w->server->port, path);
    dv_err *err =
        dv_http_do(&w->ctx, w->lane, &(dv_http_request){.url = w->url, .profile = profile}, ret);
    dv_http_profile_unref(profile);
    return err;
}

/* ---- Who is believed ---- */

static const struct row {
    const char *name;
    const pki_pair *server, *trusts, *clients, *shows;
    const char *host, *server_name;
    bool skip_verify, want;
} rows[] = {
    {"a certificate of a trusted authority", &leaf, &authority, NULL, NULL, "127.0.0.1", NULL,
     false, true},
    {"a name instead of an address", &leaf, &authority, NULL, NULL, "localhost", NULL, false, true},
    {"a stranger's authority", &leaf, &stranger, NULL, NULL, "127.0.0.1", NULL, false, false},
    {"the system's authorities don't know it", &leaf, NULL, NULL, NULL, "127.0.0.1", NULL, false,
     false},
    {"nobody is verified when told so", &leaf, NULL, NULL, NULL, "127.0.0.1", NULL, true, true},
    {"an expired certificate", &old_leaf, &authority, NULL, NULL, "127.0.0.1", NULL, false, false},
    {"a certificate from the future", &early_leaf, &authority, NULL, NULL, "127.0.0.1", NULL, false,
     false},
    {"another server's certificate", &other_leaf, &authority, NULL, NULL, "127.0.0.1", NULL, false,
     false},
    {"a server name that the certificate has", &leaf, &authority, NULL, NULL, "127.0.0.1",
     "inner.example", false, true},
    {"a server name that it has not", &leaf, &authority, NULL, NULL, "127.0.0.1", "outer.example",
     false, false},
    {"another's certificate by its server name", &other_leaf, &authority, NULL, NULL, "127.0.0.1",
     "other.example", false, true},
    {"a client certificate that is asked for", &leaf, &authority, &authority, &client, "127.0.0.1",
     NULL, false, true},
    {"no client certificate where one is asked for", &leaf, &authority, &authority, NULL,
     "127.0.0.1", NULL, false, false},
    {"a stranger's client certificate", &leaf, &authority, &authority, &false_client, "127.0.0.1",
     NULL, false, false},
};

static void peer_is_believed_or_not(void **state)
{
    const struct row *row = *state;
    dv_auto(dv_http_response) response = NULL;
    dv_http_profile_options options = {.server_name = row->server_name,
                                       .insecure_skip_verify = row->skip_verify};

    if (row->trusts)
        options.ca_pem = dv_str_of(row->trusts->cert_pem);
    if (row->shows) {
        options.cert_pem = dv_str_of(row->shows->cert_pem);
        options.key_pem = dv_str_of(row->shows->key_pem);
    }
    serve_with(row->server, row->clients);
    dv_err *err = ask(&options, row->host, "/echo", &response);
    if (row->want) {
        dv_auto_str host = dv_asprintf("Host: %s:%d\r\n", row->host, w->server->port);

        assert_ok(err);
        assert_int_equal(response->status, 200);
        assert_non_null(strstr(dv_buf_cstr(&response->body), "GET /echo HTTP/1.1\r\n"));
        assert_non_null(strstr(dv_buf_cstr(&response->body), host));
        return;
    }
    assert_err(err, DV_TRANSIENT, row->host);
    assert_int_equal(w->server->requests, 0);
}

static void a_failed_handshake_says_so(void **state)
{
    dv_http_response *response = NULL;

    (void)state;
    serve_with(&leaf, NULL);
    dv_err *err = ask(&(dv_http_profile_options){.ca_pem = dv_str_of(stranger.cert_pem)},
                      "127.0.0.1", "/ok?token=geheim", &response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "TLSFailed");
    assert_null(strstr(dv_err_str(err), "geheim"));
    assert_err(err, DV_TRANSIENT, "certificate");
}

static void a_server_without_tls_fails_the_handshake(void **state)
{
    dv_http_response *response = NULL;

    (void)state;
    w->server = peer_start(serve_routes, NULL, NULL);
    /* Its answer to our hello is none; it waits for the end of a line that doesn't come. */
    dv_ctx_set_timeout(&w->ctx, 200);
    assert_err(ask(&(dv_http_profile_options){0}, "127.0.0.1", "/ok", &response), DV_TRANSIENT,
               NULL);
}

static void a_pooled_connection_is_not_for_who_trusts_others(void **state)
{
    dv_auto(dv_http_response) first = NULL;
    dv_http_response *second = NULL;

    (void)state;
    serve_with(&leaf, NULL);
    assert_ok(ask(&(dv_http_profile_options){.ca_pem = dv_str_of(authority.cert_pem)}, "127.0.0.1",
                  "/ok", &first));
    assert_err(ask(&(dv_http_profile_options){.ca_pem = dv_str_of(stranger.cert_pem)}, "127.0.0.1",
                   "/ok", &second),
               DV_TRANSIENT, NULL);
    assert_int_equal(w->server->requests, 1);
}

static void a_pooled_connection_is_not_for_who_has_no_certificate(void **state)
{
    dv_auto(dv_http_response) first = NULL;
    dv_http_response *second = NULL;
    dv_http_profile_options options = {.ca_pem = dv_str_of(authority.cert_pem),
                                       .cert_pem = dv_str_of(client.cert_pem),
                                       .key_pem = dv_str_of(client.key_pem)};

    (void)state;
    serve_with(&leaf, &authority);
    assert_ok(ask(&options, "127.0.0.1", "/ok", &first));
    options.cert_pem = options.key_pem = (dv_str){0};
    assert_err(ask(&options, "127.0.0.1", "/ok", &second), DV_TRANSIENT, NULL);
    assert_int_equal(w->server->requests, 1);
}

/* ---- What is no certificate ---- */

static void pem_is_checked_at_once(void **state)
{
    dv_auto_str broken = dv_strdup(authority.cert_pem);
    dv_auto_str half = dv_asprintf("%s%.*s", authority.cert_pem, 200, stranger.cert_pem);
    dv_auto_str two =
        dv_asprintf("# first\n%s\n# second\n%s", authority.cert_pem, stranger.cert_pem);
    const struct {
        const char *ca, *cert, *key;
        const char *why; /* NULL: taken */
    } cases[] = {
        {"", "", "", NULL},
        {two, "", "", NULL},
        {"", leaf.cert_pem, leaf.key_pem, NULL},
        {"nonsense", "", "", "authorities"},
        {broken, "", "", "authorities"},
        {half, "", "", "authorities"},
        {leaf.key_pem, "", "", "authorities"},
        {"", leaf.cert_pem, "", "key"},
        {"", "", leaf.key_pem, "client certificate"},
        {"", leaf.cert_pem, client.key_pem, "does not belong"},
        {"", leaf.key_pem, leaf.key_pem, "client certificate"},
        {"", leaf.cert_pem, leaf.cert_pem, "key"},
    };

    (void)state;
    memset(broken + 60, '!', 20);
    for (size_t i = 0; i < DV_LEN(cases); i++) {
        dv_http_profile *profile = NULL;
        dv_err *err =
            dv_http_profile_new(&(dv_http_profile_options){.ca_pem = dv_str_of(cases[i].ca),
                                                           .cert_pem = dv_str_of(cases[i].cert),
                                                           .key_pem = dv_str_of(cases[i].key)},
                                &profile);
        if (cases[i].why) {
            assert_err(err, DV_INVALID, cases[i].why);
            assert_null(profile);
        } else {
            assert_ok(err);
        }
        dv_http_profile_unref(profile);
    }
}

/* ---- Credentials across origins ---- */

typedef struct {
    dv_address_policy *policy;
    dv_fetcher *fetcher;
    dv_fetch_auth *auth;
    char file[64];
} fetching;

/* SSL_CERT_FILE makes the other origin, which has no credentials of its own, believed. */
static void fetching_init(fetching *f, const char *origin)
{
    dv_fetch_auth_options options = {.origin = origin,
                                     .bearer = DV_STR("geheim"),
                                     .cert_pem = dv_str_of(client.cert_pem),
                                     .key_pem = dv_str_of(client.key_pem),
                                     .allow_plain = true};

    snprintf(f->file, sizeof(f->file), "%s/caXXXXXX", getenv("TMPDIR") ?: "/tmp");
    close(mkstemp(f->file));
    assert_ok(dv_file_write(f->file, dv_str_of(authority.cert_pem), 0600, false));
    setenv("SSL_CERT_FILE", f->file, 1);
    f->policy = dv_address_policy_new();
    assert_ok(dv_address_policy_allow(f->policy, "127.0.0.0/8"));
    f->fetcher = dv_fetcher_new(w->http, f->policy, NULL);
    assert_ok(dv_fetch_auth_new(f->fetcher, &options, &f->auth));
}

static void fetching_done(fetching *f)
{
    dv_fetch_auth_unref(f->auth);
    dv_fetcher_free(f->fetcher);
    dv_address_policy_free(f->policy);
    unsetenv("SSL_CERT_FILE");
    unlink(f->file);
}

/* Redirects "/away" to the port in arg, and "/back" too. */
static void serve_away(peer_conn *conn)
{
    static __thread char request[16384];
    const char *target = conn->owner->arg;

    while (conn_read_request(conn, request, sizeof(request))) {
        dv_auto_str header = dv_asprintf("Location: %s\r\n", target);
        bool away = strstr(request, " /away ") != NULL;

        if (away ? !conn_answer(conn, 302, header, DV_STR("")) : !serve_one(conn, request))
            return;
    }
}

static void credentials_stay_behind_a_redirect_to_another_origin(void **state)
{
    char target[128], origin[128], url[160];
    fetching f;
    dv_fetch_result result;

    (void)state;
    serve_with(&leaf, NULL);
    snprintf(target, sizeof(target), "https://127.0.0.1:%d/echo", w->server->port);
    peer *own = peer_start(serve_away, NULL, target);
    snprintf(origin, sizeof(origin), "http://127.0.0.1:%d", own->port);
    snprintf(url, sizeof(url), "%s/away", origin);
    fetching_init(&f, origin);

    assert_ok(
        dv_fetch(&w->ctx, f.fetcher, &(dv_fetch_request){.url = url, .auth = f.auth}, &result));
    assert_true(peer_saw(own, "Authorization: Bearer geheim"));
    assert_non_null(strstr(dv_buf_cstr(&result.body), "GET /echo HTTP/1.1"));
    assert_null(strstr(dv_buf_cstr(&result.body), "geheim"));
    dv_fetch_result_done(&result);
    fetching_done(&f);
    dv_http_free(DV_TAKE(w->http));
    peer_stop(own);
}

static void credentials_do_not_come_back_with_a_second_redirect(void **state)
{
    char there[128], back[128], url[160];
    fetching f;
    dv_fetch_result result;

    (void)state;
    /* own (https) → other (https) → own: what came from elsewhere is not ours to sign. */
    w->server = peer_start(serve_away, pki_server(&leaf, "http/1.1", NULL), there);
    peer *other = peer_start(serve_away, pki_server(&leaf, "http/1.1", NULL), back);
    snprintf(there, sizeof(there), "https://127.0.0.1:%d/away", other->port);
    snprintf(back, sizeof(back), "https://127.0.0.1:%d/echo", w->server->port);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/away", w->server->port);
    fetching_init(&f, url);

    assert_ok(
        dv_fetch(&w->ctx, f.fetcher, &(dv_fetch_request){.url = url, .auth = f.auth}, &result));
    assert_int_equal(other->requests, 1);
    assert_false(peer_saw(other, "geheim"));
    assert_int_equal(w->server->requests, 2);
    assert_null(strstr(dv_buf_cstr(&result.body), "geheim"));
    dv_fetch_result_done(&result);
    fetching_done(&f);
    dv_http_free(DV_TAKE(w->http));
    peer_stop(other);
}

#define TEST(function)                                                                             \
    *dv_vec_push(&suite.tests) =                                                                   \
        (struct CMUnitTest)cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    dv_suite suite = {.name = "http/tls"};

    dv_http_setup();
    unsetenv("SSL_CERT_FILE");
    make_pairs();
    for (size_t i = 0; i < DV_LEN(rows); i++)
        *dv_vec_push(&suite.tests) = (struct CMUnitTest){
            rows[i].name, peer_is_believed_or_not, set_up, tear_down, (void *)(uintptr_t)&rows[i]};
    TEST(a_failed_handshake_says_so);
    TEST(a_server_without_tls_fails_the_handshake);
    TEST(a_pooled_connection_is_not_for_who_trusts_others);
    TEST(a_pooled_connection_is_not_for_who_has_no_certificate);
    TEST(pem_is_checked_at_once);
    TEST(credentials_stay_behind_a_redirect_to_another_origin);
    TEST(credentials_do_not_come_back_with_a_second_redirect);
    int status = dv_suite_run(&suite);
    free_pairs();
    return status;
}
