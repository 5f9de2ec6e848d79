/* SPDX-License-Identifier: Apache-2.0 */
#include "http_world.h"

/* ---- Answers ---- */

static void an_answer_has_status_headers_and_body(void **state)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    assert_ok(send_it(&request, &response));
    assert_int_equal(response->status, 200);
    assert_string_equal(dv_buf_cstr(&response->body), "ok");
    assert_string_equal(dv_http_header(response, "content-type"), "text/plain");
    assert_string_equal(dv_http_header(response, "x-two"), "a");
    assert_string_equal(dv_http_header(response, "x-empty"), "");
    assert_null(dv_http_header(response, "x-none"));
    assert_false(response->repeated);
}

static const struct status_row {
    const char *name, *path;
    int status;
} statuses[] = {
    {"201 is an answer", "/status/201", 201}, {"301 is not followed", "/status/301", 301},
    {"404 is an answer", "/status/404", 404}, {"409 is an answer", "/status/409", 409},
    {"500 is an answer", "/status/500", 500}, {"503 is an answer", "/status/503", 503},
};

static void status_is_an_answer(void **state)
{
    const struct status_row *row = *state;
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get(row->path);

    assert_ok(send_it(&request, &response));
    assert_int_equal(response->status, row->status);
    assert_string_equal(dv_buf_cstr(&response->body), "body");
}

static void interim_answers_are_skipped(void **state)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/interim");

    (void)state;
    assert_ok(send_it(&request, &response));
    assert_int_equal(response->status, 200);
    assert_null(dv_http_header(response, "x-early"));
    assert_string_equal(dv_http_header(response, "x-two"), "a");
}

static void a_request_carries_what_it_was_given(void **state)
{
    static const char *const headers[] = {"X-One: 1", "Content-Type: a/b", "X-Empty:"};
    dv_auto(dv_secret) secret = dv_secret_new(DV_STR("Bearer abc"));
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/echo");

    (void)state;
    request.method = "PATCH";
    request.headers = headers;
    request.n_headers = DV_LEN(headers);
    request.authorization = secret;
    request.body = DV_STR("the body");
    assert_ok(send_it(&request, &response));
    const char *seen = dv_buf_cstr(&response->body);
    assert_non_null(strstr(seen, "PATCH /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(seen, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(seen, "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(seen, "\r\nContent-Type: a/b\r\n"));
    assert_non_null(strstr(seen, "\r\nContent-Length: 8\r\n"));
    assert_non_null(strstr(seen, "\r\nAuthorization: Bearer abc\r\n"));
    assert_non_null(strstr(seen, "\r\n\r\nthe body"));
    assert_null(strstr(seen, "Expect:"));
    assert_non_null(strstr(seen, "\r\nUser-Agent: davit/"));
}

static const struct method_row {
    const char *name, *method, *body, *want, *never;
} methods[] = {
    {"GET has no body", "GET", "", "GET /echo", "Content-Length"},
    {"POST without a body says so", "POST", "", "Content-Length: 0", "Content-Type"},
    {"PUT sends its body", "PUT", "abc", "\r\n\r\nabc", "Transfer-Encoding"},
    {"DELETE may have a body", "DELETE", "abc", "\r\n\r\nabc", "Expect"},
    {"DELETE may have none", "DELETE", "", "DELETE /echo", "Content-Length"},
};

static void method_is_sent(void **state)
{
    const struct method_row *row = *state;
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/echo");

    request.method = row->method;
    request.body = dv_str_of(row->body);
    assert_ok(send_it(&request, &response));
    assert_non_null(strstr(dv_buf_cstr(&response->body), row->want));
    assert_null(strstr(dv_buf_cstr(&response->body), row->never));
}

static void a_head_has_no_body(void **state)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/status/200");

    (void)state;
    request.method = "HEAD";
    assert_ok(send_it(&request, &response));
    assert_int_equal(response->status, 200);
    assert_string_equal(dv_http_header(response, "content-length"), "4");
    assert_int_equal(response->body.n, 0);
}

static void a_large_body_arrives_whole(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf body = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/echo");

    (void)state;
    dv_buf_fill(&body, 'y', 200 * 1024);
    request.method = "POST";
    request.body = dv_buf_str(&body);
    assert_ok(send_it(&request, &response));
    assert_true(dv_str_ends(dv_buf_str(&response->body), dv_buf_str(&body)));
}

static void compressed_answers_are_expanded(void **state)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/gzip/100000");

    (void)state;
    assert_ok(send_it(&request, &response));
    assert_int_equal(response->body.n, 100000);
    assert_true(peer_saw(w->server, "Accept-Encoding: gzip\r\n"));
}

static void retry_after_is_read(void **state)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/retry-after/7");

    (void)state;
    assert_ok(send_it(&request, &response));
    assert_int_equal(response->status, 429);
    assert_int_equal(dv_http_retry_after_ms(response, dv_clock_real()), 7000);
}

static const struct after_row {
    const char *name, *value;
    int64_t want_ms;
} afters[] = {
    {"seconds", "30", 30000},
    {"seconds with blanks", " 30 ", 30000},
    {"no header", NULL, 0},
    {"nonsense", "soon", 0},
    {"negative", "-5", 0},
    {"a date to come", "Sat, 21 Nov 2026 09:01:00 GMT", 60000},
    {"a date gone by", "Sat, 21 Nov 2026 08:00:00 GMT", 0},
    {"a year is cut to a day", "31536000", 86400000},
    {"a date next year is cut to a day", "Sun, 21 Nov 2027 09:00:00 GMT", 86400000},
    {"more than 64 bits", "99999999999999999999", 0},
};

static void after_is_parsed(void **state)
{
    const struct after_row *row = *state;
    dv_fake_clock fake;

    dv_fake_clock_init(&fake, (int64_t)1795251600 * 1000); /* 2026-11-21T09:00:00Z */
    assert_int_equal(dv_http_retry_after_parse(row->value, &fake.clock), row->want_ms);
}

/* ---- Failures ---- */

static const struct failure_row {
    const char *name, *path;
    dv_err_kind kind;
    const char *reason;
} failures[] = {
    {"half a body", "/cut", DV_TRANSIENT, "ConnectionLost"},
    {"half a chunk", "/cut-chunk", DV_TRANSIENT, "ConnectionLost"},
    {"no answer at all", "/drop", DV_TRANSIENT, "ConnectionLost"},
    {"another protocol", "/garbage", DV_TRANSIENT, "ConnectionFailed"},
    {"a body over the limit", "/big/5000", DV_INVALID, "ResponseTooLarge"},
    {"a body that expands over the limit", "/gzip/1000000", DV_INVALID, "ResponseTooLarge"},
    {"a head over the limit", "/headers/100", DV_INVALID, "ResponseTooLarge"},
    {"silence", "/silent", DV_TRANSIENT, "IdleTimeout"},
    {"silence in the middle", "/half-silent", DV_TRANSIENT, "IdleTimeout"},
};

static void failure_has_kind_and_reason(void **state)
{
    const struct failure_row *row = *state;
    dv_http_response *response = NULL;
    dv_http_request request = get(row->path);
    bool silent = strstr(row->path, "silent");

    request.response_max = 4096;
    request.idle_timeout_ms = silent ? 50 : 0;
    dv_err *err = send_it(&request, &response);
    assert_null(response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), row->reason);
    assert_err(err, row->kind, row->path);
}

static void a_body_of_just_the_limit_fits(void **state)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/big/4096");

    (void)state;
    request.response_max = 4096;
    assert_ok(send_it(&request, &response));
    assert_int_equal(response->body.n, 4096);
}

static void messages_hold_no_query(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/drop?token=secret");

    (void)state;
    request.response_max = 1;
    w->ctx.deadline_ms = 1;
    dv_err *err = send_it(&request, &response);
    assert_non_null(err);
    assert_null(strstr(dv_err_str(err), "secret"));
    dv_err_free(err);
}

static void nobody_listening_is_transient(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");
    peer *gone = peer_start(serve_routes, NULL, NULL);
    dv_auto_str url = dv_asprintf("http://127.0.0.1:%d/x", gone->port);

    (void)state;
    peer_stop(gone);
    request.url = url;
    dv_err *err = send_it(&request, &response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "ConnectFailed");
    assert_err(err, DV_TRANSIENT, NULL);
}

static void an_unknown_name_is_transient(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    request.url = "http://no-such-host.invalid/";
    dv_err *err = send_it(&request, &response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "ResolveFailed");
    assert_err(err, DV_TRANSIENT, "no-such-host.invalid");
}

static const struct refusal_row {
    const char *name, *url, *header;
    dv_err_kind kind;
    const char *reason;
} refusals[] = {
    {"a file URL", "file:///etc/passwd", NULL, DV_DENIED, "SchemeNotAllowed"},
    {"another scheme", "gopher://x/", NULL, DV_INVALID, "BadURL"},
    {"a user in the URL", "http://u:p@127.0.0.1/", NULL, DV_INVALID, "BadURL"},
    {"a relative URL", "/x", NULL, DV_INVALID, "BadURL"},
    {"a header that goes on", "http://127.0.0.1:1/", "X: a\r\nY: b", DV_INVALID, "BadHeader"},
    {"a header without a colon", "http://127.0.0.1:1/", "X", DV_INVALID, "BadHeader"},
};

static void request_is_refused(void **state)
{
    const struct refusal_row *row = *state;
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    request.url = row->url;
    request.headers = &row->header;
    request.n_headers = row->header != NULL;
    dv_err *err = send_it(&request, &response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), row->reason);
    assert_err(err, row->kind, NULL);
    assert_int_equal(peer_conns(w->server), 0);
}

static void a_token_with_a_line_break_is_refused(void **state)
{
    dv_auto(dv_secret) secret = dv_secret_new(DV_STR("Bearer a\r\nX: y"));
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    request.authorization = secret;
    assert_err(send_it(&request, &response), DV_INVALID, "credentials");
    assert_int_equal(peer_conns(w->server), 0);
}

static void plain_http_needs_permission(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    assert_ok(dv_http_profile_new(&(dv_http_profile_options){0}, &request.profile));
    assert_err(send_it(&request, &response), DV_DENIED, "not allowed");
    dv_http_profile_unref(request.profile);
    assert_int_equal(peer_conns(w->server), 0);
}

/* ---- Who may be connected to ---- */

static bool refuse_all(const void *arg, const struct sockaddr *address)
{
    (void)arg;
    assert_int_equal(address->sa_family, AF_INET);
    return false;
}

static dv_http_profile *profile_with(bool (*may)(const void *, const struct sockaddr *))
{
    dv_http_profile *profile = NULL;

    assert_ok(dv_http_profile_new(
        &(dv_http_profile_options){.allow_plain = true, .may_connect = may}, &profile));
    return profile;
}

static void a_refused_address_is_not_connected_to(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    request.profile = profile_with(refuse_all);
    dv_err *err = send_it(&request, &response);
    dv_http_profile_unref(request.profile);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "AddressNotAllowed");
    assert_err(err, DV_DENIED, "127.0.0.1");
    assert_int_equal(peer_conns(w->server), 0);
}

static void a_pooled_connection_of_another_profile_is_checked(void **state)
{
    dv_auto(dv_http_response) first = NULL;
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    assert_ok(send_it(&request, &first));
    request.profile = profile_with(refuse_all);
    dv_err *err = send_it(&request, &response);
    dv_http_profile_unref(request.profile);
    assert_err(err, DV_DENIED, "127.0.0.1");
    assert_int_equal(w->server->requests, 1);
}

/* ---- Sending again ---- */

static void a_closed_pooled_connection_is_replaced(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        dv_auto(dv_http_response) response = NULL;
        dv_http_request request = get("/once");

        assert_ok(send_it(&request, &response));
        assert_int_equal(response->status, 200);
        assert_int_equal(response->repeated, i > 0);
    }
    assert_int_equal(peer_conns(w->server), 3);
    assert_int_equal(w->server->requests, 5);
}

static void a_post_is_not_sent_twice(void **state)
{
    dv_auto(dv_http_response) first = NULL;
    dv_http_response *second = NULL;
    dv_http_request request = get("/once");

    (void)state;
    request.method = "POST";
    request.body = DV_STR("{}");
    assert_ok(send_it(&request, &first));
    dv_err *err = send_it(&request, &second);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "ConnectionLost");
    assert_err(err, DV_TRANSIENT, "may have been carried out");
    assert_int_equal(w->server->requests, 2);
}

static void a_post_without_a_body_is_not_sent_twice(void **state)
{
    dv_auto(dv_http_response) first = NULL;
    dv_auto(dv_http_response) second = NULL;
    dv_http_request request = get("/once");

    (void)state;
    request.method = "POST";
    assert_ok(send_it(&request, &first));
    assert_ok(send_it(&request, &second)); /* on a connection of its own */
    assert_int_equal(w->server->requests, 2);
    assert_int_equal(peer_conns(w->server), 2);
}

static void a_repeatable_post_is_sent_again(void **state)
{
    dv_auto(dv_http_response) first = NULL;
    dv_auto(dv_http_response) second = NULL;
    dv_http_request request = get("/once");

    (void)state;
    request.method = "POST";
    request.body = DV_STR("{}");
    request.repeatable = true;
    assert_ok(send_it(&request, &first));
    assert_ok(send_it(&request, &second));
    assert_true(second->repeated);
    assert_int_equal(w->server->requests, 3);
    assert_true(peer_saw(w->server, "\r\n\r\n{}"));
}

/* ---- The fence ---- */

static bool fenced(const void *arg)
{
    const _Atomic int *left = arg;

    return --*(_Atomic int *)(uintptr_t)left >= 0;
}

static void a_fenced_request_is_not_sent(void **state)
{
    _Atomic int left = 0;
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    request.may_send = fenced;
    request.may_send_arg = (const void *)&left;
    dv_err *err = send_it(&request, &response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "Fenced");
    assert_err(err, DV_CANCELED, NULL);
    assert_int_equal(w->server->requests, 0);
}

static void a_repetition_passes_the_fence_too(void **state)
{
    _Atomic int left = 2;
    dv_auto(dv_http_response) first = NULL;
    dv_http_response *second = NULL;
    dv_http_request request = get("/once");

    (void)state;
    request.may_send = fenced;
    request.may_send_arg = (const void *)&left;
    assert_ok(send_it(&request, &first));
    assert_err(send_it(&request, &second), DV_CANCELED, NULL);
    assert_int_equal(w->server->requests, 2);
}

/* ---- Proxies ---- */

/* What a proxy of another host was asked, and what it would send as our request. */
static dv_err *ask_by_proxy(const char *url, bool (*may)(const void *, const struct sockaddr *),
                            const char *no_proxy, dv_http_response **ret)
{
    dv_auto_str proxy = dv_asprintf("http://user:word@127.0.0.1:%d", w->server->port);
    dv_http_profile *profile = NULL;

    assert_ok(dv_http_profile_new(
        &(dv_http_profile_options){
            .allow_plain = true, .proxy = proxy, .no_proxy = no_proxy, .may_connect = may},
        &profile));
    dv_http_request request = {.url = url, .profile = profile};
    dv_err *err = send_it(&request, ret);
    dv_http_profile_unref(profile);
    return err;
}

static void a_proxy_is_asked_for_plain_http(void **state)
{
    dv_auto(dv_http_response) response = NULL;

    (void)state;
    /* refuse_all: who the proxy connects to is its own affair. */
    assert_ok(ask_by_proxy("http://far.invalid/x", refuse_all, NULL, &response));
    assert_int_equal(response->status, 404);
    assert_true(peer_saw(w->server, "GET http://far.invalid/x HTTP/1.1\r\n"));
    assert_true(peer_saw(w->server, "Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n"));
}

static void a_proxy_is_asked_for_a_tunnel_to_tls(void **state)
{
    dv_http_response *response = NULL;

    (void)state;
    assert_err(ask_by_proxy("https://far.invalid/x", NULL, NULL, &response), DV_TRANSIENT,
               "far.invalid");
    assert_true(peer_saw(w->server, "CONNECT far.invalid:443 HTTP/1.1\r\n"));
}

static void a_bypassed_proxy_is_not_asked(void **state)
{
    dv_http_response *response = NULL;

    (void)state;
    dv_err *err = ask_by_proxy("http://far.invalid/x", NULL, "invalid", &response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "ResolveFailed");
    dv_err_free(err);
    assert_int_equal(peer_conns(w->server), 0);
}

static void the_environment_names_proxies(void **state)
{
    dv_auto_str proxy = dv_asprintf("http://127.0.0.1:%d", w->server->port);
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = {.url = "http://far.invalid/x"};

    (void)state;
    setenv("HTTP_PROXY", proxy, 1);
    setenv("NO_PROXY", "near.invalid", 1);
    assert_ok(dv_http_profile_new(&(dv_http_profile_options){.allow_plain = true, .proxy = "env"},
                                  &request.profile));
    unsetenv("HTTP_PROXY");
    unsetenv("NO_PROXY");
    assert_ok(send_it(&request, &response));
    assert_true(peer_saw(w->server, "GET http://far.invalid/x HTTP/1.1\r\n"));
    request.url = "http://near.invalid/x";
    dv_http_response *none = NULL;
    assert_err(send_it(&request, &none), DV_TRANSIENT, "near.invalid");
    dv_http_profile_unref(request.profile);
}

int main(void)
{
    dv_suite suite = {.name = "http/client"};

    dv_http_setup();
    TEST(an_answer_has_status_headers_and_body);
    TABLE(status_is_an_answer, statuses);
    TEST(interim_answers_are_skipped);
    TEST(a_request_carries_what_it_was_given);
    TABLE(method_is_sent, methods);
    TEST(a_head_has_no_body);
    TEST(a_large_body_arrives_whole);
    TEST(compressed_answers_are_expanded);
    TEST(retry_after_is_read);
    TABLE(after_is_parsed, afters);
    TABLE(failure_has_kind_and_reason, failures);
    TEST(a_body_of_just_the_limit_fits);
    TEST(messages_hold_no_query);
    TEST(nobody_listening_is_transient);
    TEST(an_unknown_name_is_transient);
    TABLE(request_is_refused, refusals);
    TEST(a_token_with_a_line_break_is_refused);
    TEST(plain_http_needs_permission);
    TEST(a_refused_address_is_not_connected_to);
    TEST(a_pooled_connection_of_another_profile_is_checked);
    TEST(a_closed_pooled_connection_is_replaced);
    TEST(a_post_is_not_sent_twice);
    TEST(a_post_without_a_body_is_not_sent_twice);
    TEST(a_repeatable_post_is_sent_again);
    TEST(a_fenced_request_is_not_sent);
    TEST(a_repetition_passes_the_fence_too);
    TEST(a_proxy_is_asked_for_plain_http);
    TEST(a_proxy_is_asked_for_a_tunnel_to_tls);
    TEST(a_bypassed_proxy_is_not_asked);
    TEST(the_environment_names_proxies);
    return dv_suite_run(&suite);
}
