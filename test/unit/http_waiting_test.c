/* SPDX-License-Identifier: Apache-2.0 */
#include "http_world.h"

/* ---- Time and cancels ---- */

static void *fire_when_handled(void *arg)
{
    (void)arg;
    peer_wait_for(w->server, &w->server->handled, 1);
    dv_cancel_fire(w->cancel);
    return NULL;
}

static void a_cancel_ends_the_wait(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/silent");
    pthread_t other = dv_thread_start("canceler", DV_STACK_BYTES, fire_when_handled, NULL);

    (void)state;
    dv_err *err = send_it(&request, &response);
    pthread_join(other, NULL);
    assert_err(err, DV_CANCELED, "GET http");
}

static void a_fired_cancel_sends_nothing(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/ok");

    (void)state;
    dv_cancel_fire(w->cancel);
    assert_err(send_it(&request, &response), DV_CANCELED, NULL);
    assert_int_equal(peer_conns(w->server), 0);
}

static void a_deadline_ends_the_wait(void **state)
{
    dv_http_response *response = NULL;
    dv_http_request request = get("/silent");

    (void)state;
    dv_ctx_set_timeout(&w->ctx, 50);
    dv_err *err = send_it(&request, &response);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "DeadlineExceeded");
    assert_err(err, DV_TRANSIENT, NULL);
}

/* ---- Batches ---- */

static void a_batch_fills_each_result(void **state)
{
    static const char *const paths[] = {"/ok", "/status/404", "/drop", "/big/9999", "/ok"};
    dv_http_request requests[DV_LEN(paths)];
    dv_http_result results[DV_LEN(paths)];
    char urls[DV_LEN(paths)][256];

    (void)state;
    for (size_t i = 0; i < DV_LEN(paths); i++) {
        requests[i] = get(paths[i]);
        memcpy(urls[i], requests[i].url, sizeof(urls[i]));
        requests[i].url = urls[i];
        requests[i].response_max = 4096;
    }
    dv_http_batch(&w->ctx, w->lane, requests, DV_LEN(paths), 2, results);
    assert_null(results[0].err);
    assert_int_equal(results[0].response->status, 200);
    assert_int_equal(results[1].response->status, 404);
    assert_null(results[2].response);
    assert_err(results[2].err, DV_TRANSIENT, "/drop");
    assert_null(results[3].response);
    assert_err(results[3].err, DV_INVALID, "/big");
    assert_int_equal(results[4].response->status, 200);
    dv_http_response_free(results[0].response);
    dv_http_response_free(results[1].response);
    dv_http_response_free(results[4].response);
}

enum { MANY = 200 };

/* Sends MANY copies; how many were answered with 200. Errors must be of the kind. */
static int send_many(dv_http_lane *lane, const dv_http_request *request, size_t in_flight,
                     dv_err_kind kind)
{
    static dv_http_request requests[MANY];
    static dv_http_result results[MANY];
    int ok = 0;

    for (size_t i = 0; i < MANY; i++)
        requests[i] = *request;
    dv_http_batch(&w->ctx, lane, requests, MANY, in_flight, results);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_not_equal(results[i].err == NULL, results[i].response == NULL);
        ok += results[i].response && results[i].response->status == 200;
        dv_http_response_free(results[i].response);
        if (results[i].err)
            assert_err(results[i].err, kind, NULL);
    }
    return ok;
}

static void many_requests_share_a_few_connections(void **state)
{
    dv_http_request request = get("/ok");

    (void)state;
    assert_int_equal(send_many(w->lane, &request, 16, DV_TRANSIENT), MANY);
    assert_in_range(peer_conns(w->server), 1, 4);
    dv_http_lane_stats stats = dv_http_lane_get_stats(w->lane);
    assert_int_equal(stats.requests, MANY);
    assert_int_equal(stats.errors, 0);
    assert_in_range(stats.connections_opened, 1, 4);
    assert_int_equal(stats.queued, 0);
}

static void many_refused_requests_end_too(void **state)
{
    dv_http_request request = get("/ok");

    (void)state;
    request.url = "nonsense";
    assert_int_equal(send_many(w->lane, &request, 1, DV_INVALID), 0);
}

static void a_full_queue_refuses(void **state)
{
    dv_http_lane *narrow = dv_http_lane_new(
        w->http, &(dv_http_lane_options){.name = "narrow", .in_flight_max = 1, .queue_max = 10});
    dv_http_request request = get("/ok");

    (void)state;
    int ok = send_many(narrow, &request, MANY, DV_TRANSIENT);
    assert_in_range(ok, 10, MANY - 1);
    assert_in_range(dv_http_lane_get_stats(narrow).errors, 1, MANY - 10);
}

static void a_cancel_ends_a_batch_and_what_it_had_not_sent(void **state)
{
    dv_http_request request = get("/silent");
    pthread_t other = dv_thread_start("canceler", DV_STACK_BYTES, fire_when_handled, NULL);

    (void)state;
    assert_int_equal(send_many(w->lane, &request, 3, DV_CANCELED), 0);
    pthread_join(other, NULL);
    assert_in_range(w->server->requests, 1, 3);
}

static void an_empty_batch_is_nothing(void **state)
{
    (void)state;
    dv_http_batch(&w->ctx, w->lane, NULL, 0, 4, NULL);
    assert_int_equal(dv_http_lane_get_stats(w->lane).requests, 0);
}

/* ---- Without waiting ---- */

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    dv_http_result result;
    int calls;
} promise;

static void keep(void *arg, dv_http_result result)
{
    promise *p = arg;

    DV_LOCK_SCOPE(&p->mu);
    p->result = result;
    p->calls++;
    pthread_cond_signal(&p->changed);
}

static void wait_for(promise *p)
{
    DV_LOCK_SCOPE(&p->mu);
    while (!p->calls)
        dv_cond_wait_ms(&p->changed, &p->mu, -1);
}

static void promise_init(promise *p)
{
    *p = (promise){.calls = 0};
    pthread_mutex_init(&p->mu, NULL);
    dv_cond_init(&p->changed);
}

static void lanes_do_not_wait_for_each_other(void **state)
{
    dv_http_lane *other = dv_http_lane_new(w->http, &(dv_http_lane_options){.in_flight_max = 1});
    dv_http_request held = get("/held");
    promise p;

    (void)state;
    promise_init(&p);
    dv_http_start(other, &held, 0, keep, &p);
    peer_wait_for(w->server, &w->server->handled, 1);
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = get("/ok");
    assert_ok(send_it(&request, &response));
    assert_int_equal(p.calls, 0);
    peer_release(w->server);
    wait_for(&p);
    assert_null(p.result.err);
    dv_http_response_free(p.result.response);
}

static void a_started_request_answers_by_callback(void **state)
{
    dv_http_request request = get("/echo");
    char body[] = "borrowed";
    promise p;

    (void)state;
    promise_init(&p);
    request.method = "POST";
    request.body = dv_str_of(body);
    dv_http_start(w->lane, &request, 0, keep, &p);
    memset(body, 'z', sizeof(body) - 1);
    wait_for(&p);
    assert_null(p.result.err);
    assert_non_null(strstr(dv_buf_cstr(&p.result.response->body), "\r\n\r\nborrowed"));
    dv_http_response_free(p.result.response);
}

static void a_started_request_has_its_own_time_limit(void **state)
{
    dv_http_request request = get("/silent");
    promise p;

    (void)state;
    promise_init(&p);
    dv_http_start(w->lane, &request, 50, keep, &p);
    wait_for(&p);
    assert_null(p.result.response);
    assert_string_equal(dv_err_reason(p.result.err), "DeadlineExceeded");
    assert_err(p.result.err, DV_TRANSIENT, NULL);
}

static void time_passes_in_the_queue_too(void **state)
{
    dv_http_lane *narrow = dv_http_lane_new(w->http, &(dv_http_lane_options){.in_flight_max = 1});
    dv_http_request request = get("/silent");
    promise first, second;

    (void)state;
    promise_init(&first);
    promise_init(&second);
    dv_http_start(narrow, &request, 0, keep, &first);
    dv_http_start(narrow, &request, 50, keep, &second);
    wait_for(&second);
    assert_err(second.result.err, DV_TRANSIENT, NULL);
    assert_int_equal(first.calls, 0);
    dv_http_free(DV_TAKE(w->http));
    assert_err(first.result.err, DV_CANCELED, "shutting down");
}

static void the_end_cuts_what_runs(void **state)
{
    dv_http_request request = get("/silent");
    promise p;

    (void)state;
    promise_init(&p);
    dv_http_start(w->lane, &request, 0, keep, &p);
    peer_wait_for(w->server, &w->server->handled, 1);
    dv_http_free(DV_TAKE(w->http));
    assert_int_equal(p.calls, 1);
    assert_err(p.result.err, DV_CANCELED, NULL);
}

/* Starts the next request from within the callback. */
static void chain(void *arg, dv_http_result result)
{
    dv_http_request request = {.url = w->url, .profile = w->profile};

    dv_http_response_free(result.response);
    assert_null(result.err);
    dv_http_start(w->lane, &request, 0, keep, arg);
}

static void a_callback_may_start_a_request(void **state)
{
    dv_http_request request = get("/ok");
    promise p;

    (void)state;
    promise_init(&p);
    dv_http_start(w->lane, &request, 0, chain, &p);
    wait_for(&p);
    assert_null(p.result.err);
    dv_http_response_free(p.result.response);
    assert_int_equal(w->server->requests, 2);
}

/* ---- Streams ---- */

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int status, ends, refuse_at; /* bytes after which `data` returns false; -1: `begin` does */
    char kind[32];
    dv_buf bytes;
    dv_err *err;
} tape;

static tape *tape_new(void)
{
    tape *t = DV_NEW(tape);

    pthread_mutex_init(&t->mu, NULL);
    dv_cond_init(&t->changed);
    dv_buf_init(&t->bytes, DV_LINE_MAX);
    return t;
}

static void tape_free(tape *t)
{
    dv_buf_done(&t->bytes);
    dv_err_free(t->err);
    free(t);
}

static void tape_header(void *arg, const char *name, const char *value)
{
    tape *t = arg;

    DV_LOCK_SCOPE(&t->mu);
    if (strcmp(name, "x-kind") == 0)
        snprintf(t->kind, sizeof(t->kind), "%s", value);
}

static bool tape_begin(void *arg, int status)
{
    tape *t = arg;

    DV_LOCK_SCOPE(&t->mu);
    t->status = status;
    pthread_cond_signal(&t->changed);
    return t->refuse_at >= 0;
}

static bool tape_data(void *arg, dv_str bytes)
{
    tape *t = arg;

    DV_LOCK_SCOPE(&t->mu);
    dv_buf_add_str(&t->bytes, bytes);
    pthread_cond_signal(&t->changed);
    return !t->refuse_at || t->bytes.n < (size_t)t->refuse_at;
}

static void tape_end(void *arg, dv_err *err)
{
    tape *t = arg;

    DV_LOCK_SCOPE(&t->mu);
    t->err = err;
    t->ends++;
    pthread_cond_signal(&t->changed);
}

static const dv_http_sink tape_sink = {tape_header, tape_begin, tape_data, tape_end};

static void tape_wait(tape *t, size_t bytes, int ends)
{
    DV_LOCK_SCOPE(&t->mu);
    while (t->bytes.n < bytes || t->ends < ends)
        dv_cond_wait_ms(&t->changed, &t->mu, -1);
}

static void a_stream_brings_what_comes_when_it_comes(void **state)
{
    tape *t = tape_new();
    dv_http_request request = get("/stream");

    (void)state;
    dv_http_stream *stream = dv_http_stream_open(w->lane, &request, &tape_sink, t);
    tape_wait(t, 8, 0);
    assert_int_equal(t->status, 200);
    assert_string_equal(t->kind, "stream");
    assert_string_equal(dv_buf_cstr(&t->bytes), "one\ntwo\n");
    assert_int_equal(t->ends, 0);
    peer_release(w->server);
    tape_wait(t, 0, 1);
    assert_string_equal(dv_buf_cstr(&t->bytes), "one\ntwo\nthree\n");
    assert_null(t->err);
    dv_http_stream_close(stream);
    assert_int_equal(t->ends, 1);
    assert_false(peer_saw(w->server, "Accept-Encoding"));
    tape_free(t);
}

static void closing_a_stream_ends_it_once(void **state)
{
    tape *t = tape_new();
    dv_http_request request = get("/stream");

    (void)state;
    dv_http_stream *stream = dv_http_stream_open(w->lane, &request, &tape_sink, t);
    tape_wait(t, 8, 0);
    dv_http_stream_close(stream);
    assert_int_equal(t->ends, 1);
    assert_true(dv_err_is(t->err, DV_CANCELED));
    tape_free(t);
}

static void closing_a_stream_that_has_not_begun(void **state)
{
    tape *t = tape_new();
    dv_http_request request = get("/silent");

    (void)state;
    dv_http_stream_close(dv_http_stream_open(w->lane, &request, &tape_sink, t));
    assert_int_equal(t->ends, 1);
    assert_int_equal(t->status, 0);
    assert_true(dv_err_is(t->err, DV_CANCELED));
    tape_free(t);
    dv_http_stream_close(NULL);
}

static const struct end_row {
    const char *name, *path;
    int refuse_at;
    dv_err_kind kind; /* 0: no error */
    const char *reason;
} ends[] = {
    {"a server that dies in a stream", "/cut", 0, DV_TRANSIENT, "ConnectionLost"},
    {"a stream that falls silent", "/half-silent", 0, DV_TRANSIENT, "IdleTimeout"},
    {"a stream that never begins", "/silent", 0, DV_TRANSIENT, "IdleTimeout"},
    {"a sink that refuses the status", "/stream", -1, DV_CANCELED, "StreamEnded"},
    {"a sink that has enough", "/stream", 3, DV_CANCELED, "StreamEnded"},
    {"a stream of another status", "/status/410", 0, 0, NULL},
};

static void stream_ends(void **state)
{
    const struct end_row *row = *state;
    tape *t = tape_new();
    dv_http_request request = get(row->path);

    t->refuse_at = row->refuse_at;
    request.idle_timeout_ms = strstr(row->path, "silent") ? 50 : 0;
    dv_http_stream *stream = dv_http_stream_open(w->lane, &request, &tape_sink, t);
    tape_wait(t, 0, 1);
    dv_http_stream_close(stream);
    assert_int_equal(t->ends, 1);
    if (row->kind) {
        assert_non_null(t->err);
        assert_string_equal(dv_err_reason(t->err), row->reason);
        assert_err(DV_TAKE(t->err), row->kind, NULL);
    } else {
        assert_null(t->err);
    }
    tape_free(t);
}

static void many_streams_run_at_once(void **state)
{
    enum { STREAMS = 100 };
    dv_http_lane *wide = dv_http_lane_new(
        w->http, &(dv_http_lane_options){.connections_max = STREAMS, .in_flight_max = STREAMS});
    dv_http_stream *streams[STREAMS];
    tape *tapes[STREAMS];
    dv_http_request request = get("/stream");

    (void)state;
    for (int i = 0; i < STREAMS; i++) {
        tapes[i] = tape_new();
        streams[i] = dv_http_stream_open(wide, &request, &tape_sink, tapes[i]);
    }
    for (int i = 0; i < STREAMS; i++)
        tape_wait(tapes[i], 8, 0);
    assert_int_equal(dv_http_lane_get_stats(wide).in_flight, STREAMS);
    for (int i = 0; i < STREAMS; i++) {
        dv_http_stream_close(streams[i]);
        tape_free(tapes[i]);
    }
}

int main(void)
{
    dv_suite suite = {.name = "http/waiting"};

    dv_http_setup();
    TEST(a_cancel_ends_the_wait);
    TEST(a_fired_cancel_sends_nothing);
    TEST(a_deadline_ends_the_wait);
    TEST(a_batch_fills_each_result);
    TEST(many_requests_share_a_few_connections);
    TEST(many_refused_requests_end_too);
    TEST(a_full_queue_refuses);
    TEST(a_cancel_ends_a_batch_and_what_it_had_not_sent);
    TEST(an_empty_batch_is_nothing);
    TEST(lanes_do_not_wait_for_each_other);
    TEST(a_started_request_answers_by_callback);
    TEST(a_started_request_has_its_own_time_limit);
    TEST(time_passes_in_the_queue_too);
    TEST(the_end_cuts_what_runs);
    TEST(a_callback_may_start_a_request);
    TEST(a_stream_brings_what_comes_when_it_comes);
    TEST(closing_a_stream_ends_it_once);
    TEST(closing_a_stream_that_has_not_begun);
    TABLE(stream_ends, ends);
    TEST(many_streams_run_at_once);
    return dv_suite_run(&suite);
}
