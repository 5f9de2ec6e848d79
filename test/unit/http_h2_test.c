/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against an HTTP/2 server of a few frames: it answers each stream with ":status: 200"
 * (one byte of HPACK, static entry 8) and never looks at what was asked.
 */
#include "http_peer.h"
#include "http_pki.h"

#include "http/http.h"
#include "testlib.h"

enum frame_type {
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
};
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { MAX_CONCURRENT_STREAMS = 3 };
enum { INTERNAL_ERROR = 2, REFUSED_STREAM = 7, ENHANCE_YOUR_CALM = 11 };

/* What the server does with the streams; the first connection may be treated otherwise. */
typedef struct {
    int streams_max; /* announced; 0: nothing */
    bool hold;       /* one line of body, and no end */
    int refuse_from; /* on the first connection, from its nth request on (1 is the first) … */
    enum { NOT, BY_RST, BY_GOAWAY, BY_DYING, BY_ERROR, BY_MANNERS } how;
    uint32_t last; /* the last stream looked at after a GOAWAY; 0: none was sent */
    /* With the third stream come so many bytes on the first and on the second, and then silence. */
    size_t first_bytes, second_bytes, record_bytes;
} plan;

static bool send_frame(peer_conn *conn, int type, int flags, uint32_t stream, const void *bytes,
                       size_t n)
{
    uint8_t head[9] = {(uint8_t)(n >> 16),      (uint8_t)(n >> 8),      (uint8_t)n,
                       (uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
                       (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};

    return conn_send(conn, head, sizeof(head)) && conn_send(conn, bytes, n);
}

static bool send_numbers(peer_conn *conn, int type, uint32_t stream, uint32_t first, int second)
{
    uint32_t payload[2] = {htonl(first), htonl((uint32_t)second)};

    return send_frame(conn, type, 0, stream, payload, second < 0 ? 4 : 8);
}

static bool send_settings(peer_conn *conn, int streams_max)
{
    uint8_t setting[6] = {0, MAX_CONCURRENT_STREAMS, 0, 0, 0, (uint8_t)streams_max};

    return send_frame(conn, SETTINGS, 0, 0, setting, streams_max ? sizeof(setting) : 0);
}

static bool answer_stream(peer_conn *conn, const plan *p, uint32_t stream)
{
    static const uint8_t head[] = {0x88, 0x0f, 0x0d, 1, '5'}; /* and "content-length: 5" */

    return send_frame(conn, HEADERS, END_HEADERS, stream, head, p->hold ? 1 : sizeof(head)) &&
           send_frame(conn, DATA, p->hold ? 0 : END_STREAM, stream, "line\n", 5);
}

enum { FIRST_STREAM = 1, SECOND_STREAM = 3, THIRD_STREAM = 5, FRAME_BYTES_MAX = 16384 };

/* As servers do it: frames are gathered, and leave together. */
static void add_bytes(dv_buf *out, uint32_t stream, size_t n)
{
    for (size_t part; n; n -= part) {
        part = DV_MIN(n, (size_t)FRAME_BYTES_MAX);
        const uint8_t head[9] = {
            (uint8_t)(part >> 16), (uint8_t)(part >> 8), (uint8_t)part, DATA, 0, 0, 0, 0,
            (uint8_t)stream};
        dv_buf_add(out, head, sizeof(head));
        dv_buf_fill(out, 'x', part);
    }
}

static bool send_bursts(peer_conn *conn, const plan *p)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(2 * 1024 * 1024);

    add_bytes(&out, FIRST_STREAM, p->first_bytes);
    add_bytes(&out, SECOND_STREAM, p->second_bytes);
    for (size_t at = 0; at < out.n; at += p->record_bytes)
        if (!conn_send(conn, out.p + at, DV_MIN(out.n - at, p->record_bytes)))
            return false;
    return true;
}

static bool send_goaway(peer_conn *conn, plan *p, uint32_t last)
{
    p->last = last;
    return send_numbers(conn, GOAWAY, 0, last, 0);
}

/* A whole request has come. */
static bool serve_stream(peer_conn *conn, plan *p, uint32_t stream)
{
    bool first = conn->owner->conns[0] == conn;

    conn->requests++;
    peer_count(conn->owner, &conn->owner->requests);
    if (p->first_bytes && stream == THIRD_STREAM)
        return answer_stream(conn, p, stream) && send_bursts(conn, p);
    if (!first || p->how == NOT || conn->requests < p->refuse_from ||
        (p->how == BY_ERROR && conn->requests > p->refuse_from))
        return answer_stream(conn, p, stream);
    if (p->last) /* what was under way is answered, what came later is not looked at */
        return stream > p->last || answer_stream(conn, p, stream);
    switch (p->how) {
    case BY_RST:
        return send_numbers(conn, RST_STREAM, stream, REFUSED_STREAM, -1);
    case BY_ERROR:
        return send_numbers(conn, RST_STREAM, stream, INTERNAL_ERROR, -1);
    case BY_GOAWAY: /* the last one looked at is the one before */
        return send_goaway(conn, p, stream - 2);
    case BY_MANNERS: /* as kube-apiserver sheds connections: answered, and then no more */
        return send_goaway(conn, p, stream) && answer_stream(conn, p, stream);
    default:
        return false;
    }
}

static bool serve_frame(peer_conn *conn, plan *p)
{
    uint8_t body[16384]; /* as long as a frame may be unless we said otherwise */
    uint8_t head[9];

    if (!conn_read_all(conn, head, sizeof(head)))
        return false;
    size_t n = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    uint32_t stream =
        ((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]) &
        0x7fffffff;
    DV_ASSERT(n <= sizeof(body));
    if (n && !conn_read_all(conn, body, n))
        return false;
    if (head[3] == SETTINGS && !(head[4] & ACK))
        return send_frame(conn, SETTINGS, ACK, 0, NULL, 0);
    if (head[3] == PING && !(head[4] & ACK))
        return send_frame(conn, PING, ACK, 0, body, n);
    if (head[3] == GOAWAY)
        return false;
    if (head[3] == HEADERS)
        DV_ASSERT(head[4] & END_HEADERS);
    if ((head[3] == HEADERS || head[3] == DATA) && (head[4] & END_STREAM))
        return serve_stream(conn, p, stream);
    return true;
}

static void serve_h2(peer_conn *conn)
{
    plan *p = conn->owner->arg;
    char preface[24];

    if (!conn_read_all(conn, preface, sizeof(preface)) || !send_settings(conn, p->streams_max))
        return;
    while (serve_frame(conn, p))
        continue;
}

/* ---- The world of a test ---- */

static pki_pair authority, leaf;

typedef struct {
    peer *server;
    plan plan;
    dv_http *http;
    dv_http_profile *profile;
    dv_http_lane *lane;
    dv_ctx ctx;
    char url[128];
} world;

static world *w;

static int set_up(void **state)
{
    (void)state;
    w = DV_NEW(world);
    w->http = dv_http_new();
    w->lane = dv_http_lane_new(w->http, &(dv_http_lane_options){.name = "test"});
    w->ctx = dv_ctx_make(NULL);
    assert_ok(dv_http_profile_new(
        &(dv_http_profile_options){.ca_pem = dv_str_of(authority.cert_pem)}, &w->profile));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dv_http_profile_unref(w->profile);
    dv_http_free(w->http);
    peer_stop(w->server);
    free(w);
    return 0;
}

static void serve(plan p)
{
    w->plan = p;
    w->server = peer_start(serve_h2, pki_server(&leaf, "h2", NULL), &w->plan);
    snprintf(w->url, sizeof(w->url), "https://127.0.0.1:%d/x", w->server->port);
}

static dv_http_request request_of(const char *method)
{
    dv_http_request request = {.url = w->url, .profile = w->profile, .method = method};

    if (method[0] == 'P')
        request.body = DV_STR("{}");
    return request;
}

static dv_err *send_one(const char *method, bool *ret_repeated)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = request_of(method);

    DV_CHECK(dv_http_do(&w->ctx, w->lane, &request, &response));
    assert_int_equal(response->status, 200);
    assert_string_equal(dv_buf_cstr(&response->body), "line\n");
    *ret_repeated = response->repeated;
    return NULL;
}

enum { MANY = 300 };

/* Every other one of the method, the rest GET. */
static void send_many(size_t n, size_t in_flight, const char *method)
{
    static dv_http_request requests[MANY];
    static dv_http_result results[MANY];

    for (size_t i = 0; i < n; i++)
        requests[i] = request_of(i % 2 ? method : "GET");
    dv_http_batch(&w->ctx, w->lane, requests, n, in_flight, results);
    for (size_t i = 0; i < n; i++) {
        assert_ok(results[i].err);
        assert_int_equal(results[i].response->status, 200);
        dv_http_response_free(results[i].response);
    }
}

/* ---- Sharing connections ---- */

static void requests_share_one_connection(void **state)
{
    (void)state;
    serve((plan){.streams_max = 100});
    send_many(MANY, 64, "PUT");
    assert_int_equal(peer_conns(w->server), 1);
    assert_int_equal(w->server->requests, MANY);
}

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int lines, ends;
    size_t bytes;
} counter;

static bool count_line(void *arg, dv_str bytes)
{
    counter *c = arg;

    assert_int_equal(bytes.n, 5);
    DV_LOCK_SCOPE(&c->mu);
    c->lines++;
    pthread_cond_signal(&c->changed);
    return true;
}

static void count_end(void *arg, dv_err *err)
{
    counter *c = arg;

    dv_err_free(err);
    DV_LOCK_SCOPE(&c->mu);
    c->ends++;
}

static const struct streams_row {
    const char *name;
    size_t streams, connections_max;
    int server_max;  /* announced */
    int least, most; /* connections */
} streams[] = {
    {"ninety streams fit on a connection", 90, 4, 100, 1, 1},
    {"one more opens a second connection", 91, 4, 100, 2, 2},
    {"hundreds fill one connection after the other", 250, 8, 100, 3, 3},
    /* How many streams a new one gets before its settings are read is a matter of luck. */
    {"a server that allows fewer gets more connections", 40, 4, 10, 2, 4},
};

static void wait_lines(counter *c, size_t lines)
{
    DV_LOCK_SCOPE(&c->mu);
    while (c->lines < (int)lines)
        dv_cond_wait_ms(&c->changed, &c->mu, -1);
}

static void streams_spread_over_connections(void **state)
{
    const struct streams_row *row = *state;
    const dv_http_sink sink = {.data = count_line, .end = count_end};
    dv_http_stream *open[MANY];
    counter c = {.lines = 0};

    pthread_mutex_init(&c.mu, NULL);
    dv_cond_init(&c.changed);
    serve((plan){.streams_max = row->server_max, .hold = true});
    dv_http_lane *lane =
        dv_http_lane_new(w->http, &(dv_http_lane_options){.connections_max = row->connections_max,
                                                          .in_flight_max = MANY});
    dv_http_request request = request_of("GET");
    for (size_t i = 0; i < row->streams; i++) {
        open[i] = dv_http_stream_open(lane, &request, &sink, &c);
        if (i == 0) /* by then the server's settings are known */
            wait_lines(&c, 1);
    }
    wait_lines(&c, row->streams);
    assert_in_range(peer_conns(w->server), row->least, row->most);
    for (size_t i = 0; i < row->streams; i++)
        dv_http_stream_close(open[i]);
    assert_int_equal(c.ends, row->streams);
}

/* ---- What a server sends away ---- */

static const struct shed_row {
    const char *name;
    plan plan;
    const char *method;
    bool repeated;
    const char *error; /* NULL: the caller notices nothing */
} sheds[] = {
    {"GET on a refused stream", {.refuse_from = 2, .how = BY_RST}, "GET", true, NULL},
    {"GET behind a GOAWAY", {.refuse_from = 2, .how = BY_GOAWAY}, "GET", true, NULL},
    {"GET on a connection that dies", {.refuse_from = 2, .how = BY_DYING}, "GET", true, NULL},
    {"GET on a stream that fails", {.refuse_from = 2, .how = BY_ERROR}, "GET", true, NULL},
    {"GET after a polite GOAWAY", {.refuse_from = 1, .how = BY_MANNERS}, "GET", false, NULL},
    {"DELETE behind a GOAWAY", {.refuse_from = 2, .how = BY_GOAWAY}, "DELETE", true, NULL},
    {"PUT behind a GOAWAY", {.refuse_from = 2, .how = BY_GOAWAY}, "PUT", true, NULL},
    {"PUT on a connection that dies", {.refuse_from = 2, .how = BY_DYING}, "PUT", true, NULL},
    {"POST after a polite GOAWAY", {.refuse_from = 1, .how = BY_MANNERS}, "POST", false, NULL},
    {"POST on a connection that dies",
     {.refuse_from = 2, .how = BY_DYING},
     "POST",
     false,
     "ConnectionLost"},
    {"POST behind a GOAWAY may not be told from a lost one",
     {.refuse_from = 2, .how = BY_GOAWAY},
     "POST",
     false,
     "ConnectionLost"},
    {"POST on a stream that fails",
     {.refuse_from = 2, .how = BY_ERROR},
     "POST",
     false,
     "ConnectionLost"},
};

static void request_is_sent_again_or_not(void **state)
{
    const struct shed_row *row = *state;
    bool repeated = true;

    serve(row->plan);
    assert_ok(send_one("GET", &repeated));
    assert_false(repeated);
    dv_err *err = send_one(row->method, &repeated);
    if (row->error) {
        assert_non_null(err);
        assert_string_equal(dv_err_reason(err), row->error);
        assert_err(err, DV_TRANSIENT, row->method);
        assert_int_equal(w->server->requests, 2);
        return;
    }
    assert_ok(err);
    assert_int_equal(repeated, row->repeated);
    assert_int_equal(peer_conns(w->server), row->plan.how == BY_ERROR ? 1 : 2);
    assert_int_equal(w->server->requests, row->repeated ? 3 : 2);
}

static const struct storm_row {
    const char *name;
    plan plan;
    const char *method;
} storms[] = {
    {"refused streams among many", {.streams_max = 100, .refuse_from = 20, .how = BY_RST}, "PUT"},
    {"a GOAWAY among many", {.streams_max = 100, .refuse_from = 20, .how = BY_GOAWAY}, "PUT"},
    {"a polite GOAWAY among many",
     {.streams_max = 100, .refuse_from = 20, .how = BY_MANNERS},
     "PUT"},
    /* Half an answer may come through, so a PUT would be another story. */
    {"a death among many", {.streams_max = 100, .refuse_from = 20, .how = BY_DYING}, "GET"},
};

static void batch_survives(void **state)
{
    const struct storm_row *row = *state;
    bool repeated;

    serve(row->plan);
    assert_ok(send_one("GET", &repeated)); /* so that the connection is a pooled one */
    send_many(100, 16, row->method);
    assert_in_range(peer_conns(w->server), 2, 8);
}

static void a_stream_outlives_a_polite_goaway(void **state)
{
    const dv_http_sink sink = {.data = count_line, .end = count_end};
    counter c = {.lines = 0};

    (void)state;
    pthread_mutex_init(&c.mu, NULL);
    dv_cond_init(&c.changed);
    serve((plan){.hold = true, .refuse_from = 2, .how = BY_MANNERS});
    dv_http_request request = request_of("GET");
    dv_http_stream *open[3];
    for (int i = 0; i < 3; i++) { /* the second brings the GOAWAY, the third has to move */
        open[i] = dv_http_stream_open(w->lane, &request, &sink, &c);
        wait_lines(&c, (size_t)i + 1);
    }
    assert_int_equal(c.ends, 0);
    assert_int_equal(peer_conns(w->server), 2);
    for (int i = 0; i < 3; i++)
        dv_http_stream_close(open[i]);
}

static const struct burst_row {
    const char *name;
    size_t first_bytes, second_bytes, record_bytes; /* Go's TLS begins with small records */
} bursts[] = {
    {"a small event is whole at once", 100, 0, 16384},
    {"an event in one record is whole at once", 12500, 0, 16384},
    {"an event that fills a record is whole at once", 16366, 0, 16384},
    {"an event in two records is whole at once", 17000, 0, 16384},
    {"an event in many records is whole at once", 200000, 0, 16384},
    {"an event in small records is whole at once", 20000, 0, 1400},
    {"small events of two streams in one record are whole at once", 100, 100, 16384},
    {"large events of two streams in one record are whole at once", 7000, 9000, 16384},
    {"large events of two streams in many records are whole at once", 100000, 300000, 16384},
    {"large events of two streams in small records are whole at once", 100000, 300000, 1400},
};

static bool count_bytes(void *arg, dv_str bytes)
{
    counter *c = arg;
    DV_LOCK_SCOPE(&c->mu);

    c->bytes += bytes.n;
    pthread_cond_signal(&c->changed);
    return true;
}

/* Though nothing comes after it: a watch may be silent for a minute. */
static void wait_bytes(counter *c, size_t bytes)
{
    DV_LOCK_SCOPE(&c->mu);

    bool moves = true;

    while (c->bytes < bytes && moves)
        moves = dv_cond_wait_ms(&c->changed, &c->mu, 5000);
    assert_int_equal(c->bytes, bytes);
}

static void bursts_are_whole_at_once(void **state)
{
    const struct burst_row *row = *state;
    const dv_http_sink sink = {.data = count_bytes, .end = count_end};
    counter c[3] = {0};
    dv_http_stream *open[DV_LEN(c)];

    serve((plan){.streams_max = 100,
                 .hold = true,
                 .first_bytes = row->first_bytes,
                 .second_bytes = row->second_bytes,
                 .record_bytes = row->record_bytes});
    dv_http_request request = request_of("GET");
    for (size_t i = 0; i < DV_LEN(c); i++) {
        pthread_mutex_init(&c[i].mu, NULL);
        dv_cond_init(&c[i].changed);
        open[i] = dv_http_stream_open(w->lane, &request, &sink, &c[i]);
        wait_bytes(&c[i], strlen("line\n"));
    }
    wait_bytes(&c[0], strlen("line\n") + row->first_bytes);
    wait_bytes(&c[1], strlen("line\n") + row->second_bytes);
    for (size_t i = 0; i < DV_LEN(c); i++)
        dv_http_stream_close(open[i]);
}

int main(void)
{
    dv_suite suite = {.name = "http/h2"};

    dv_http_setup();
    authority = pki_make(NULL, NULL, -1, 10);
    leaf = pki_make("IP:127.0.0.1", &authority, -1, 5);
    *dv_vec_push(&suite.tests) = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
        requests_share_one_connection, set_up, tear_down);
    for (size_t i = 0; i < DV_LEN(streams); i++)
        *dv_vec_push(&suite.tests) =
            (struct CMUnitTest){streams[i].name, streams_spread_over_connections, set_up, tear_down,
                                (void *)(uintptr_t)&streams[i]};
    for (size_t i = 0; i < DV_LEN(sheds); i++)
        *dv_vec_push(&suite.tests) =
            (struct CMUnitTest){sheds[i].name, request_is_sent_again_or_not, set_up, tear_down,
                                (void *)(uintptr_t)&sheds[i]};
    for (size_t i = 0; i < DV_LEN(storms); i++)
        *dv_vec_push(&suite.tests) = (struct CMUnitTest){storms[i].name, batch_survives, set_up,
                                                         tear_down, (void *)(uintptr_t)&storms[i]};
    *dv_vec_push(&suite.tests) = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
        a_stream_outlives_a_polite_goaway, set_up, tear_down);
    for (size_t i = 0; i < DV_LEN(bursts); i++)
        *dv_vec_push(&suite.tests) =
            (struct CMUnitTest){bursts[i].name, bursts_are_whole_at_once, set_up, tear_down,
                                (void *)(uintptr_t)&bursts[i]};
    int status = dv_suite_run(&suite);
    pki_done(&authority);
    pki_done(&leaf);
    return status;
}
