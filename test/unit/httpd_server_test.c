/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sync.h"
#include "http/http.h"
#include "httpd/httpd.h"
#include "testlib.h"

/* ---- The server under test ---- */

static void say_hello(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    (void)request;
    dv_buf_addf(&response->body, "hello %s", (const char *)arg);
}

static void echo(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    (void)arg;
    response->status = 202;
    response->content_type = "application/json";
    dv_buf_addf(&response->body, "%.*s|%.*s|%.*s|%.*s", DV_FMT(request->method),
                DV_FMT(request->path), DV_FMT(request->query), DV_FMT(request->body));
}

enum { BIG = 300 * 1000 };

static void be_big(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    (void)arg, (void)request;
    dv_buf_fill(&response->body, 'b', BIG);
}

static void be_empty(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    (void)arg, (void)request, (void)response;
}

static void be_too_big(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    (void)arg, (void)request;
    dv_buf_fill(&response->body, 'b', DV_BODY_MAX + 1);
}

static const dv_httpd_route routes[] = {
    {"/hello", say_hello, (void *)(uintptr_t) "you", false},
    {"/tree/", say_hello, (void *)(uintptr_t) "tree", false},
    {"/tree/deep/", say_hello, (void *)(uintptr_t) "deep", false},
    {"/tree/leaf", say_hello, (void *)(uintptr_t) "leaf", false},
    {"/echo", echo, NULL, true},
    {"/big", be_big, NULL, false},
    {"/empty", be_empty, NULL, false},
    {"/too-big", be_too_big, NULL, false},
};
static const dv_httpd_route others[] = {
    {"/hello", say_hello, (void *)(uintptr_t) "other", false},
};

typedef struct {
    dv_httpd *httpd;
    dv_http *http;
    dv_http_lane *lane;
    dv_http_profile *profile;
    dv_ctx ctx;
    char url[256];
} world;

static world *w;

static int set_up(void **state)
{
    (void)state;
    w = DV_NEW(world);
    w->httpd = dv_httpd_new(NULL);
    assert_ok(dv_httpd_listen(w->httpd, "127.0.0.1:0", routes, DV_LEN(routes)));
    assert_ok(dv_httpd_listen(w->httpd, "127.0.0.1:0", others, DV_LEN(others)));
    assert_ok(dv_httpd_start(w->httpd));
    w->http = dv_http_new();
    w->lane = dv_http_lane_new(w->http, &(dv_http_lane_options){.name = "test"});
    w->ctx = dv_ctx_make(NULL);
    assert_ok(dv_http_profile_new(&(dv_http_profile_options){.allow_plain = true}, &w->profile));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dv_http_profile_unref(w->profile);
    dv_http_free(w->http);
    dv_httpd_free(w->httpd);
    free(w);
    return 0;
}

static dv_http_request to(size_t listener, const char *path)
{
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d%s", dv_httpd_port(w->httpd, listener),
             path);
    return (dv_http_request){.url = w->url, .profile = w->profile};
}

/* ---- Requests of a usual client ---- */

static const struct row {
    const char *name, *method, *path, *body;
    int status;
    const char *want;
} rows[] = {
    {"a route answers", "GET", "/hello", "", 200, "hello you"},
    {"HEAD has no body", "HEAD", "/hello", "", 200, ""},
    {"an unknown path is 404", "GET", "/nothing", "", 404, "not found\n"},
    {"the root is no route by itself", "GET", "/", "", 404, "not found\n"},
    {"an exact route is no prefix", "GET", "/hello/x", "", 404, "not found\n"},
    {"HEAD of an unknown path", "HEAD", "/nothing", "", 404, ""},
    {"POST to an unknown path", "POST", "/nothing", "abc", 404, "not found\n"},
    {"a slash makes a prefix", "GET", "/tree/a/b", "", 200, "hello tree"},
    {"the prefix itself", "GET", "/tree/", "", 200, "hello tree"},
    {"a prefix without its slash is none", "GET", "/tree", "", 404, "not found\n"},
    {"the longest prefix wins", "GET", "/tree/deep/x", "", 200, "hello deep"},
    {"an exact route wins over a prefix", "GET", "/tree/leaf", "", 200, "hello leaf"},
    {"a handler sees the query", "GET", "/echo?a=b&c=d", "", 202, "GET|/echo|a=b&c=d|"},
    {"a handler sees a body", "POST", "/echo?q", "the body", 202, "POST|/echo|q|the body"},
    {"a POST may be empty", "POST", "/echo", "", 202, "POST|/echo||"},
    {"a route may refuse POST", "POST", "/hello", "abc", 405, "method not allowed\n"},
    {"a GET with a body is a GET", "GET", "/echo", "abc", 202, "GET|/echo||"},
    {"PUT is not allowed", "PUT", "/echo", "abc", 405, "method not allowed\n"},
    {"DELETE is not allowed", "DELETE", "/hello", "", 405, "method not allowed\n"},
    {"PATCH is not allowed", "PATCH", "/hello", "abc", 405, "method not allowed\n"},
    {"OPTIONS is not allowed", "OPTIONS", "/hello", "", 405, "method not allowed\n"},
    {"an empty answer", "GET", "/empty", "", 200, ""},
    {"too long an answer is our fault", "GET", "/too-big", "", 500, "the answer is too long\n"},
};

static void request_is_answered(void **state)
{
    const struct row *row = *state;
    dv_http_request request = to(0, row->path);

    request.method = row->method;
    request.body = dv_str_of(row->body);
    for (int i = 0; i < 3; i++) { /* the connection stays usable */
        dv_auto(dv_http_response) response = NULL;

        assert_ok(dv_http_do(&w->ctx, w->lane, &request, &response));
        assert_int_equal(response->status, row->status);
        assert_string_equal(dv_buf_cstr(&response->body), row->want);
        if (row->status == 405)
            assert_string_equal(dv_http_header(response, "allow"), "GET, HEAD");
    }
}

static void headers_say_what_comes(void **state)
{
    dv_auto(dv_http_response) hello = NULL;
    dv_auto(dv_http_response) json = NULL;
    dv_http_request request = to(0, "/hello");

    (void)state;
    request.method = "HEAD";
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &hello));
    assert_string_equal(dv_http_header(hello, "content-length"), "9");
    assert_string_equal(dv_http_header(hello, "content-type"), "text/plain; charset=utf-8");
    request = to(0, "/echo");
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &json));
    assert_string_equal(dv_http_header(json, "content-type"), "application/json");
}

static void each_listener_has_its_routes(void **state)
{
    dv_auto(dv_http_response) first = NULL;
    dv_auto(dv_http_response) second = NULL;
    dv_auto(dv_http_response) third = NULL;
    dv_http_request request = to(1, "/hello");

    (void)state;
    assert_int_not_equal(dv_httpd_port(w->httpd, 0), dv_httpd_port(w->httpd, 1));
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &first));
    assert_string_equal(dv_buf_cstr(&first->body), "hello other");
    request = to(0, "/hello");
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &second));
    assert_string_equal(dv_buf_cstr(&second->body), "hello you");
    request = to(1, "/echo");
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &third));
    assert_int_equal(third->status, 404);
}

static void a_large_answer_arrives_whole(void **state)
{
    dv_http_request request = to(0, "/big");

    (void)state;
    for (int i = 0; i < 3; i++) {
        dv_auto(dv_http_response) response = NULL;

        assert_ok(dv_http_do(&w->ctx, w->lane, &request, &response));
        assert_int_equal(response->body.n, BIG);
        assert_int_equal(strspn(dv_buf_cstr(&response->body), "b"), BIG);
    }
    assert_int_equal(dv_http_lane_get_stats(w->lane).connections_opened, 1);
}

static void a_large_request_is_read(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf body = DV_BUF_INIT(2 * DV_HTTPD_REQUEST_MAX);
    dv_auto(dv_http_response) fits = NULL;
    dv_http_request request = to(0, "/echo");

    (void)state;
    dv_buf_fill(&body, 'p', DV_HTTPD_REQUEST_MAX);
    request.method = "POST";
    request.body = dv_buf_str(&body);
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &fits));
    assert_int_equal(fits->status, 202);
    assert_int_equal(fits->body.n, DV_HTTPD_REQUEST_MAX + strlen("POST|/echo||"));
}

static void many_clients_at_once(void **state)
{
    enum { MANY = 200 };
    static dv_http_request requests[MANY];
    static dv_http_result results[MANY];
    dv_http_lane *wide = dv_http_lane_new(
        w->http, &(dv_http_lane_options){.connections_max = 64, .in_flight_max = 64});

    (void)state;
    for (int i = 0; i < MANY; i++)
        requests[i] = to(0, "/big");
    dv_http_batch(&w->ctx, wide, requests, MANY, 64, results);
    for (int i = 0; i < MANY; i++) {
        assert_ok(results[i].err);
        assert_int_equal(results[i].response->body.n, BIG);
        dv_http_response_free(results[i].response);
    }
}

/* ---- Bytes of an unusual one ---- */

static int connect_to(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

/* Reads until wanted is there, or to the end. */
static void read_until(int fd, const char *wanted, char *room, size_t size)
{
    size_t n = 0;

    room[0] = '\0';
    while (n + 1 < size && !(wanted && strstr(room, wanted))) {
        ssize_t got = recv(fd, room + n, size - 1 - n, 0);
        if (got <= 0)
            return;
        n += (size_t)got;
        room[n] = '\0';
    }
}

static const struct raw {
    const char *name, *request, *wanted; /* NULL: just the end of the connection */
} raws[] = {
    {"a WebSocket is not opened",
     "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
     " 501 Not Implemented\r\n"},
    {"HTTP/2 by upgrade is not spoken",
     "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
     "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
     " 501 Not Implemented\r\n"},
    {"another upgrade is refused",
     "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: irc\r\n\r\n",
     " 403 Forbidden\r\n"},
    {"a tunnel is not opened", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nabcdef\r\n", NULL},
    {"garbage ends the connection", "\x16\x03\x01\x02garbage\r\n\r\n", NULL},
    {"dot segments are resolved before routes are looked up",
     "GET /tree/../hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello you"},
    {"encoded dot segments too", "GET /tree/%2e%2e/hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello you"},
    {"a POST without a length is refused", "POST /echo HTTP/1.1\r\nHost: x\r\n\r\n",
     "HTTP/1.1 411 "},
    {"too large a POST is refused before its body comes",
     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", "HTTP/1.1 413 "},
    {"a body in chunks is refused",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 411 "},
    {"a POST with a wild length is refused",
     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 411 "},
    {"HTTP/1.0 is answered and closed", "GET /hello HTTP/1.0\r\n\r\n", "hello you"},
    {"a request without a host is answered", "GET /hello HTTP/1.1\r\n\r\n", "hello you"},
    {"requests may come in a row",
     "GET /tree/ HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello you"},
    {"a body that comes with a refused request is skipped",
     "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
     "GET /tree/ HTTP/1.1\r\nHost: x\r\n\r\n",
     "hello tree"},
};

static void raw_request_ends_well(void **state)
{
    const struct raw *row = *state;
    int fd = connect_to(dv_httpd_port(w->httpd, 0));
    char room[8192];
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = to(0, "/hello");

    assert_int_equal(send(fd, row->request, strlen(row->request), MSG_NOSIGNAL),
                     (ssize_t)strlen(row->request));
    read_until(fd, row->wanted, room, sizeof(room));
    close(fd);
    if (row->wanted && !strstr(room, row->wanted))
        print_error("got: %s\n", room);
    assert_true(!row->wanted || strstr(room, row->wanted));
    assert_null(strstr(room, "HTTP/1.1 101"));
    /* And the server goes on. */
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &response));
    assert_int_equal(response->status, 200);
}

static void a_client_that_leaves_in_the_middle_harms_nobody(void **state)
{
    dv_auto(dv_http_response) response = NULL;
    dv_http_request request = to(0, "/hello");
    static const char big[] = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char half[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";

    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = connect_to(dv_httpd_port(w->httpd, 0));
        const char *text = i % 2 ? big : half;
        char one;

        assert_true(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0);
        if (i % 2)
            assert_int_equal(recv(fd, &one, 1, 0), 1);
        close(fd);
    }
    assert_ok(dv_http_do(&w->ctx, w->lane, &request, &response));
    assert_int_equal(response->status, 200);
}

/* ---- Listening and stopping ---- */

static void *stop(void *arg)
{
    dv_httpd_free(DV_TAKE(w->httpd));
    return arg;
}

static void an_answer_that_has_begun_is_finished_on_stop(void **state)
{
    int fd = connect_to(dv_httpd_port(w->httpd, 0));
    static const char text[] = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    static char room[BIG + 4096];
    char one;

    (void)state;
    assert_true(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL) > 0);
    assert_int_equal(recv(fd, &one, 1, MSG_PEEK), 1);
    pthread_t other = dv_thread_start("stopper", DV_STACK_BYTES, stop, NULL);
    read_until(fd, NULL, room, sizeof(room));
    pthread_join(other, NULL);
    close(fd);
    const char *body = strstr(room, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(strlen(body + 4), BIG);
}

static void stopping_does_not_wait_for_the_idle(void **state)
{
    int fd = connect_to(dv_httpd_port(w->httpd, 0));
    char one;

    (void)state;
    dv_httpd_free(DV_TAKE(w->httpd));
    assert_true(recv(fd, &one, 1, 0) <= 0);
    close(fd);
}

static const struct bad {
    const char *name, *address;
} bads[] = {
    {"no port", "127.0.0.1"},
    {"an empty port", "127.0.0.1:"},
    {"a port past 16 bits", ":65536"},
    {"a port with letters", ":http"},
    {"IPv6 without brackets", "::1:80"},
    {"a name that has no address", "no.such.invalid:80"},
    {"nothing", ""},
};

static void address_is_refused(void **state)
{
    const struct bad *row = *state;
    dv_auto(dv_httpd) httpd = dv_httpd_new(NULL);

    assert_err(dv_httpd_listen(httpd, row->address, routes, DV_LEN(routes)), DV_INVALID,
               "no address");
}

static void a_port_in_use_is_said_to_be(void **state)
{
    dv_auto(dv_httpd) second = dv_httpd_new(NULL);
    dv_auto_str address = dv_asprintf("127.0.0.1:%d", dv_httpd_port(w->httpd, 0));

    (void)state;
    assert_ok(dv_httpd_listen(second, address, routes, DV_LEN(routes)));
    dv_err *err = dv_httpd_start(second);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "AddressInUse");
    assert_err(err, DV_TRANSIENT, address);
}

static void an_address_of_nobody_is_said_to_be(void **state)
{
    dv_auto(dv_httpd) httpd = dv_httpd_new(NULL);

    (void)state;
    assert_ok(dv_httpd_listen(httpd, "192.0.2.1:0", routes, DV_LEN(routes)));
    dv_err *err = dv_httpd_start(httpd);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "ListenFailed");
    assert_err(err, DV_TRANSIENT, "192.0.2.1");
}

static const struct good {
    const char *name, *address;
} goods[] = {
    {"all addresses", ":0"},
    {"all addresses of IPv4", "0.0.0.0:0"},
    {"a name", "localhost:0"},
    {"an address", "127.0.0.1:0"},
};

static void address_is_listened_on(void **state)
{
    const struct good *row = *state;
    dv_auto(dv_httpd) httpd = dv_httpd_new(NULL);
    static const char text[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    char room[1024];

    assert_ok(dv_httpd_listen(httpd, row->address, routes, DV_LEN(routes)));
    assert_ok(dv_httpd_start(httpd));
    assert_in_range(dv_httpd_port(httpd, 0), 1, 65535);
    if (strcmp(row->name, "a name") == 0) /* which may be ::1 */
        return;
    int fd = connect_to(dv_httpd_port(httpd, 0));
    assert_true(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL) > 0);
    read_until(fd, "hello you", room, sizeof(room));
    close(fd);
    assert_non_null(strstr(room, "hello you"));
}

static void a_server_that_never_started_is_freed(void **state)
{
    dv_httpd *httpd = dv_httpd_new(NULL);

    (void)state;
    assert_ok(dv_httpd_listen(httpd, "127.0.0.1:0", NULL, 0));
    dv_httpd_free(httpd);
    dv_httpd_free(NULL);
}

static void its_memory_does_not_grow_with_the_limit_of_files(void **state)
{
    struct rlimit limit, before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    FILE *status = fopen("/proc/self/statm", "r");
    long size = 0, first = 0, second = 0;
    assert_int_equal(fscanf(status, "%ld %ld", &size, &first), 2);
    fclose(status);

    dv_auto(dv_httpd) httpd = dv_httpd_new(NULL);
    assert_ok(dv_httpd_listen(httpd, "127.0.0.1:0", routes, DV_LEN(routes)));
    assert_ok(dv_httpd_start(httpd));
    status = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(status, "%ld %ld", &size, &second), 2);
    fclose(status);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_in_range(second - first < 0 ? 0 : second - first, 0,
                    1024 * 1024 / sysconf(_SC_PAGESIZE));
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
    dv_suite suite = {.name = "httpd/server"};

    dv_http_setup();
    TABLE(request_is_answered, rows);
    TEST(headers_say_what_comes);
    TEST(each_listener_has_its_routes);
    TEST(a_large_answer_arrives_whole);
    TEST(a_large_request_is_read);
    TEST(many_clients_at_once);
    TABLE(raw_request_ends_well, raws);
    TEST(a_client_that_leaves_in_the_middle_harms_nobody);
    TEST(an_answer_that_has_begun_is_finished_on_stop);
    TEST(stopping_does_not_wait_for_the_idle);
    DV_TABLE(&suite, address_is_refused, bads);
    TEST(a_port_in_use_is_said_to_be);
    DV_TEST(&suite, an_address_of_nobody_is_said_to_be);
    DV_TABLE(&suite, address_is_listened_on, goods);
    DV_TEST(&suite, a_server_that_never_started_is_freed);
    DV_TEST(&suite, its_memory_does_not_grow_with_the_limit_of_files);
    return dv_suite_run(&suite);
}
