/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/httpd_internal.h"

enum {
    HEAD_BYTES = 1024,  /* of an answer; ours have a handful of short headers */
    CHUNK_BYTES = 4096, /* written at a time */
    QUERY_BYTES = 4096, /* as long as all headers of a request together may be */
};

/* A request that can't be read to its end: its connection is closed behind the answer. */
typedef struct {
    int status;
    const char *text;
} refusal;

typedef dv_httpd_exchange exchange;

static const dv_httpd_listener *listener_of(struct lws *wsi)
{
    return lws_vhost_user(lws_get_vhost(wsi));
}

/* ---- Routing ---- */

static const struct method {
    enum lws_token_indexes token;
    dv_str name;
} methods[] = {
    {WSI_TOKEN_GET_URI, {"GET", 3}},
    {WSI_TOKEN_HEAD_URI, {"HEAD", 4}},
    {WSI_TOKEN_POST_URI, {"POST", 4}},
};

/* Empty: a method that no route takes. Static. */
static dv_str method_of(struct lws *wsi)
{
    for (size_t i = 0; i < DV_LEN(methods); i++)
        if (lws_hdr_total_length(wsi, methods[i].token))
            return methods[i].name;
    return (dv_str){0};
}

static const dv_httpd_route *find_route(const dv_httpd_listener *listener, dv_str path)
{
    const dv_httpd_route *best = NULL;
    size_t best_n = 0;

    for (size_t i = 0; i < listener->n; i++) {
        dv_str wanted = dv_str_of(listener->routes[i].path);

        if (dv_str_eq(wanted, path))
            return &listener->routes[i];
        if (dv_str_ends(wanted, DV_STR("/")) && dv_str_starts(path, wanted) && wanted.n > best_n) {
            best = &listener->routes[i];
            best_n = wanted.n;
        }
    }
    return best;
}

/* ---- Answering ---- */

static void forget(exchange *at)
{
    free(at->path);
    free(at->query);
    dv_buf_done(&at->body);
    *at = (exchange){.state = DV_EXCHANGE_IDLE};
}

/* Ends the exchange; what libwebsockets is to be told. */
static int completed(struct lws *wsi, exchange *at)
{
    if (at->state == DV_EXCHANGE_ANSWERING)
        listener_of(wsi)->httpd->answering--;
    forget(at);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* Takes the body. */
static int answer(struct lws *wsi, exchange *at, dv_httpd_response *response, bool head)
{
    uint8_t room[LWS_PRE + HEAD_BYTES], *start = room + LWS_PRE, *p = start;
    uint8_t *end = room + sizeof(room) - 1;

    if (lws_add_http_common_headers(wsi, (unsigned)response->status, response->content_type,
                                    response->body.n, &p, end) ||
        (response->status == HTTP_STATUS_METHOD_NOT_ALLOWED &&
         lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_ALLOW, (const uint8_t *)"GET, HEAD", 9,
                                      &p, end)) ||
        lws_finalize_write_http_header(wsi, start, &p, end)) {
        dv_buf_done(&response->body);
        return -1;
    }
    forget(at);
    at->body = response->body;
    at->state = DV_EXCHANGE_ANSWERING;
    listener_of(wsi)->httpd->answering++;
    if (head || at->body.n == 0)
        return completed(wsi, at);
    lws_callback_on_writable(wsi);
    return 0;
}

static void response_init(dv_httpd_response *response, int status)
{
    *response = (dv_httpd_response){.status = status, .content_type = "text/plain; charset=utf-8"};
    dv_buf_init(&response->body, DV_BODY_MAX);
}

static int refuse(struct lws *wsi, exchange *at, int status, const char *text, bool head)
{
    dv_httpd_response response;

    response_init(&response, status);
    dv_buf_addf(&response.body, "%s\n", text);
    return answer(wsi, at, &response, head);
}

static int handle(struct lws *wsi, exchange *at, const dv_httpd_route *route,
                  const dv_httpd_request *request)
{
    bool head = dv_str_is(request->method, "HEAD");
    dv_httpd_response response;

    response_init(&response, HTTP_STATUS_OK);
    route->handle(route->arg, request, &response);
    if (!response.body.overflow)
        return answer(wsi, at, &response, head);
    dv_buf_done(&response.body);
    return refuse(wsi, at, HTTP_STATUS_INTERNAL_SERVER_ERROR, "the answer is too long", head);
}

/* Writes a piece of the answer. */
static int write_more(struct lws *wsi, exchange *at)
{
    uint8_t room[LWS_PRE + CHUNK_BYTES];
    size_t n = DV_MIN(at->body.n - at->sent, (size_t)CHUNK_BYTES);
    bool last = at->sent + n == at->body.n;

    memcpy(room + LWS_PRE, at->body.p + at->sent, n);
    if (lws_write(wsi, room + LWS_PRE, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    at->sent += n;
    if (last)
        return completed(wsi, at);
    lws_callback_on_writable(wsi);
    return 0;
}

/* ---- Reading ---- */

/* libwebsockets keeps the query in pieces, cut at each '&'. */
static char *dup_query(struct lws *wsi)
{
    DV_CLEANUP(dv_buf_done) dv_buf query = DV_BUF_INIT(QUERY_BYTES);
    char piece[QUERY_BYTES];

    for (int i = 0;; i++) {
        int n = lws_hdr_copy_fragment(wsi, piece, sizeof(piece), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n < 0)
            return dv_buf_take(&query);
        if (i)
            dv_buf_addc(&query, '&');
        dv_buf_add(&query, piece, (size_t)n);
    }
}

/* The length of the body that follows; NULL: readable. */
static const refusal *body_length(struct lws *wsi, size_t *ret_n)
{
    static const refusal no_length = {HTTP_STATUS_LENGTH_REQUIRED, "a length is required"};
    static const refusal too_large = {HTTP_STATUS_REQ_ENTITY_TOO_LARGE, "too large"};
    bool takes = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) ||
                 lws_hdr_total_length(wsi, WSI_TOKEN_PUT_URI) ||
                 lws_hdr_total_length(wsi, WSI_TOKEN_PATCH_URI);
    uint64_t length = 0;
    char text[32];

    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING))
        return &no_length; /* chunks are not read */
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) || takes) {
        int n = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH);
        dv_auto(dv_err) err = dv_str_u64((dv_str){text, n > 0 ? (size_t)n : 0}, &length);
        if (err)
            return &no_length;
    }
    *ret_n = (size_t)length;
    return length > DV_HTTPD_REQUEST_MAX ? &too_large : NULL;
}

/* Head and all, at once; then the connection ends. */
static int turn_away(struct lws *wsi, const refusal *why)
{
    uint8_t room[LWS_PRE + HEAD_BYTES], *start = room + LWS_PRE, *p = start;
    uint8_t *end = room + sizeof(room) - 1;
    size_t n = strlen(why->text);

    if (lws_add_http_header_status(wsi, (unsigned)why->status, &p, end) ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_CONNECTION, (const uint8_t *)"close", 5, &p,
                                     end) ||
        lws_add_http_header_content_length(wsi, n, &p, end) ||
        lws_finalize_write_http_header(wsi, start, &p, end))
        return -1;
    memcpy(start, why->text, n);
    (void)lws_write(wsi, start, n, LWS_WRITE_HTTP_FINAL);
    return -1;
}

/* The whole request is there. Takes the body. */
static int answer_request(struct lws *wsi, exchange *at, dv_str method, dv_str path, dv_str query,
                          dv_buf *take_body)
{
    DV_CLEANUP(dv_buf_done) dv_buf body = *take_body;
    bool head = dv_str_is(method, "HEAD"), post = dv_str_is(method, "POST");
    const dv_httpd_route *route = find_route(listener_of(wsi), path);
    dv_httpd_request request = {method, path, query, post ? dv_buf_str(&body) : (dv_str){0}};

    *take_body = (dv_buf){0};
    if (!route)
        return refuse(wsi, at, HTTP_STATUS_NOT_FOUND, "not found", head);
    if (!method.n || (post && !route->post))
        return refuse(wsi, at, HTTP_STATUS_METHOD_NOT_ALLOWED, "method not allowed", false);
    return handle(wsi, at, route, &request);
}

/* The head of a request is there. An answer waits for the body, be it wanted or not. */
static int begin(struct lws *wsi, exchange *at, dv_str path)
{
    dv_str method = method_of(wsi);
    size_t length = 0;

    forget(at);
    const refusal *why = body_length(wsi, &length);
    if (why)
        return turn_away(wsi, why);
    dv_auto_str query = dup_query(wsi);
    /* A POST is told of the end of its body though that is empty, other methods are not. */
    if (length == 0 && !dv_str_is(method, "POST"))
        return answer_request(wsi, at, method, path, dv_str_of(query), &(dv_buf){0});
    at->state = DV_EXCHANGE_READING;
    at->method = method;
    at->path = dv_str_dup(path);
    at->query = DV_TAKE(query);
    dv_buf_init(&at->body, DV_HTTPD_REQUEST_MAX);
    return 0;
}

static int body_came(struct lws *wsi, exchange *at)
{
    dv_auto_str path = DV_TAKE(at->path);
    dv_auto_str query = DV_TAKE(at->query);

    return answer_request(wsi, at, at->method, dv_str_of(path), dv_str_of(query), &at->body);
}

static void dropped(struct lws *wsi, exchange *at)
{
    if (at->state == DV_EXCHANGE_ANSWERING)
        listener_of(wsi)->httpd->answering--;
    forget(at);
}

int dv_httpd_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t n)
{
    exchange *at = user;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return begin(wsi, at, (dv_str){in, n});
    case LWS_CALLBACK_HTTP_BODY:
        if (at->state == DV_EXCHANGE_READING)
            dv_buf_add(&at->body, in, n);
        return 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return at->state == DV_EXCHANGE_READING ? body_came(wsi, at) : 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return at && at->state == DV_EXCHANGE_ANSWERING ? write_more(wsi, at) : 0;
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (at)
            dropped(wsi, at);
        return 0;
    /* Neither WebSocket nor HTTP/2 by upgrade, nor a tunnel. */
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return turn_away(wsi, &(refusal){HTTP_STATUS_NOT_IMPLEMENTED, "no upgrades"});
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0;
    }
}
