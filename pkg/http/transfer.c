/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_internal.h"
#include "version.h"
#include "http/url.h"

enum {
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_STEP_S = 10,
    KEEPALIVE_PROBES = 3,
    /*
     * As much as a TLS record and so, at once, a DATA frame can bring. Of what does not fit libcurl
     * 7.88 keeps the rest until the socket is readable again: for a watch, until its next event.
     */
    STREAM_BUFFER_BYTES = 16384,
    UPLOAD_BUFFER_BYTES = 16384,
};

/* ---- The request ---- */

static bool is_repeatable(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};

    for (size_t i = 0; i < DV_LEN(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

/* "Name: value" without a byte that would end the line. */
static bool header_ok(const char *line)
{
    const char *colon = strchr(line, ':');

    return colon && colon > line && !strpbrk(line, "\r\n");
}

/* libcurl drops "Name:" and takes "Name;" for a header with an empty value. */
static void add_header(dv_transfer *transfer, const char *line)
{
    size_t n = strlen(line);

    while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
        n--;
    if (n && line[n - 1] == ':') {
        dv_auto_str empty = dv_asprintf("%.*s;", (int)n - 1, line);
        transfer->headers = curl_slist_append(transfer->headers, empty);
    } else {
        transfer->headers = curl_slist_append(transfer->headers, line);
    }
    DV_ASSERT(transfer->headers);
}

static bool has_header(const dv_http_request *request, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < request->n_headers; i++)
        if (strncasecmp(request->headers[i], name, n) == 0 && request->headers[i][n] == ':')
            return true;
    return false;
}

static dv_err *add_authorization(dv_transfer *transfer, const dv_secret *secret)
{
    DV_CLEANUP(dv_buf_done) dv_buf line = DV_BUF_INIT(DV_HTTP_HEADERS_MAX_BYTES);

    dv_buf_room(&line, dv_secret_reveal(secret).n + 32); /* grown once: no copy is left behind */
    dv_buf_addf(&line, "Authorization: %.*s", DV_FMT(dv_secret_reveal(secret)));
    bool fits = !line.overflow && header_ok(dv_buf_cstr(&line));
    if (fits)
        add_header(transfer, dv_buf_cstr(&line));
    dv_wipe(line.p, line.n);
    return fits ? NULL
                : dv_err_new(DV_INVALID, "BadHeader", "the credentials don't fit into a header");
}

static dv_err *add_headers(dv_transfer *transfer, const dv_http_request *request)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        if (!header_ok(request->headers[i]))
            return dv_err_new(DV_INVALID, "BadHeader", "header %zu is not one line of text", i);
        add_header(transfer, request->headers[i]);
    }
    if (request->authorization)
        DV_CHECK(add_authorization(transfer, request->authorization));
    if (!has_header(request, "content-type"))
        transfer->headers = curl_slist_append(transfer->headers, "Content-Type:");
    /* Without it libcurl waits a second for "100 Continue" before a large body. */
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");
    return NULL;
}

/*
 * A server name other than the URL's host: libcurl is told that the URL's host is the name to
 * verify, that it is found at the real host, and what to call the host in the request.
 */
static void rename_host(dv_transfer *transfer, const dv_url *url, const char *server_name)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_URL_MAX);
    bool v6 = dv_str_find(url->host, ':') >= 0;

    dv_buf_addf(&text, v6 ? "::[%.*s]:%u" : "::%.*s:%u", DV_FMT(url->host), url->port);
    transfer->connect_to = curl_slist_append(NULL, dv_buf_cstr(&text));
    dv_buf_reset(&text);
    dv_buf_addf(&text, v6 ? "Host: [%.*s]:%u" : "Host: %.*s:%u", DV_FMT(url->host), url->port);
    add_header(transfer, dv_buf_cstr(&text));
    dv_buf_reset(&text);
    dv_buf_addf(&text, "https://%s:%u%.*s", server_name, url->port,
                DV_FMT(url->path.n ? url->path : DV_STR("/")));
    if (url->query.p)
        dv_buf_addf(&text, "?%.*s", DV_FMT(url->query));
    transfer->sent_url = dv_buf_take(&text);
}

static dv_err *prepare(dv_transfer *transfer, const dv_http_request *request)
{
    const dv_http_profile *profile = request->profile;
    dv_url url;

    DV_CHECK(dv_url_parse(dv_str_of(request->url), &url));
    bool tls = dv_str_is(url.scheme, "https");
    if (!tls && !(profile->allow_plain && dv_str_is(url.scheme, "http")))
        return dv_err_new(DV_DENIED, "SchemeNotAllowed", "%.*s URLs are not allowed here",
                          DV_FMT(url.scheme));
    transfer->plain = !tls;
    transfer->proxy = dv_http_profile_proxy(profile, url.host, url.port, tls);
    DV_CHECK(add_headers(transfer, request));
    if (tls && profile->server_name)
        rename_host(transfer, &url, profile->server_name);
    return NULL;
}

dv_transfer *dv_transfer_new(dv_http_lane *lane, const dv_http_request *request, bool copy_body)
{
    dv_transfer *transfer = DV_NEW(dv_transfer);

    transfer->lane = lane;
    transfer->method = dv_strdup(request->method ? request->method : "GET");
    transfer->url = dv_strdup(request->url);
    transfer->repeatable = request->repeatable || is_repeatable(transfer->method);
    transfer->response_max = request->response_max ? request->response_max : DV_BODY_MAX;
    transfer->idle_ms =
        request->idle_timeout_ms ? request->idle_timeout_ms : DV_HTTP_IDLE_DEFAULT_MS;
    transfer->may_send = request->may_send;
    transfer->may_send_arg = request->may_send_arg;
    transfer->profile = dv_http_profile_ref(request->profile);
    transfer->body = request->body;
    if (copy_body && request->body.n) {
        transfer->body_copy = dv_memdup(request->body.p, request->body.n);
        transfer->body.p = transfer->body_copy;
    }
    transfer->refusal = prepare(transfer, request);
    return transfer;
}

static void free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *at = headers; at; at = at->next)
        if (strncasecmp(at->data, "authorization:", 14) == 0)
            dv_wipe(at->data, strlen(at->data));
    curl_slist_free_all(headers);
}

void dv_transfer_free(dv_transfer *transfer)
{
    if (!transfer)
        return;
    free_headers(transfer->headers);
    curl_slist_free_all(transfer->connect_to);
    dv_http_profile_unref(transfer->profile);
    dv_http_response_free(transfer->response);
    dv_err_free(transfer->refusal);
    dv_err_free(transfer->why);
    free(transfer->body_copy);
    free(transfer->method);
    free(transfer->url);
    free(transfer->sent_url);
    free(transfer);
}

/* ---- libcurl's callbacks ---- */

static void touch(dv_transfer *transfer)
{
    transfer->active_ms = transfer->lane->http->now_ms;
}

/* Ends the transfer with err, unless it is ending already. */
static size_t object(dv_transfer *transfer, dv_err *err)
{
    if (transfer->why)
        dv_err_free(err);
    else
        transfer->why = err;
    return 0;
}

static size_t too_large(dv_transfer *transfer, const char *what, size_t limit)
{
    return object(transfer, dv_err_new(DV_INVALID, "ResponseTooLarge",
                                       "%s of the answer is longer than the limit of %zu bytes",
                                       what, limit));
}

/* Keeps what stands behind the colon; the name in lower case. */
static void keep_header(dv_http_response *response, dv_str line)
{
    dv_str name, value = dv_str_trim(dv_str_cut(line, ':', &name));

    if (name.n == 0 || name.n == line.n)
        return;
    __typeof__(response->headers.at) header = dv_vec_push(&response->headers);
    header->name = dv_str_dup(dv_str_trim(name));
    header->value = dv_str_dup(value);
    for (char *c = header->name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

/* The headers of an answer are complete. False ends the transfer. */
static bool begin(dv_transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) /* an interim answer: the real one follows */
        return true;
    transfer->headers_done = true;
    transfer->status = transfer->response->status = (int)status;
    transfer->response->repeated = transfer->repeated;
    if (!transfer->sink)
        return true;
    for (size_t i = 0; transfer->sink->header && i < transfer->response->headers.n; i++)
        transfer->sink->header(transfer->sink_arg, transfer->response->headers.at[i].name,
                               transfer->response->headers.at[i].value);
    dv_http_drop_headers(transfer->response);
    transfer->ended_by_sink =
        transfer->sink->begin && !transfer->sink->begin(transfer->sink_arg, transfer->status);
    return !transfer->ended_by_sink;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
    dv_transfer *transfer = arg;
    dv_str line = dv_str_trim((dv_str){bytes, size * n});

    touch(transfer);
    transfer->answered = true;
    transfer->header_bytes += size * n;
    if (transfer->header_bytes > DV_HTTP_HEADERS_MAX_BYTES)
        return too_large(transfer, "the head", DV_HTTP_HEADERS_MAX_BYTES);
    if (transfer->headers_done) /* trailers */
        return size * n;
    if (dv_str_starts(line, DV_STR("HTTP/")))
        dv_http_drop_headers(transfer->response);
    else if (line.n)
        keep_header(transfer->response, line);
    else if (!begin(transfer))
        return 0;
    return size * n;
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
    dv_transfer *transfer = arg;
    dv_str chunk = {bytes, size * n};

    touch(transfer);
    transfer->answered = true;
    if (transfer->sink) {
        transfer->ended_by_sink = !transfer->sink->data(transfer->sink_arg, chunk);
        return transfer->ended_by_sink ? 0 : chunk.n;
    }
    dv_buf_add_str(&transfer->response->body, chunk);
    if (transfer->response->body.overflow)
        return too_large(transfer, "the body", transfer->response_max);
    return chunk.n;
}

static size_t on_upload(char *room, size_t size, size_t n, void *arg)
{
    dv_transfer *transfer = arg;
    size_t count = DV_MIN(size * n, transfer->body.n - transfer->body_sent);

    if (count)
        memcpy(room, transfer->body.p + transfer->body_sent, count);
    transfer->body_sent += count;
    touch(transfer);
    return count;
}

/*
 * libcurl is about to send the request again on another connection, because this one ended
 * or the stream was refused (GOAWAY, REFUSED_STREAM) before a byte of an answer came. Which of
 * the two it was can't be told, so what the server may have done is not sent again.
 */
static int on_rewind(void *arg, curl_off_t offset, int origin)
{
    dv_transfer *transfer = arg;

    if (origin != SEEK_SET || offset != 0)
        return CURL_SEEKFUNC_FAIL;
    if (!transfer->repeatable)
        return CURL_SEEKFUNC_FAIL;
    transfer->body_sent = 0;
    return CURL_SEEKFUNC_OK;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    dv_transfer *transfer = arg;

    (void)total, (void)now, (void)up_total;
    if (up_now != transfer->uploaded)
        touch(transfer);
    transfer->uploaded = up_now;
    return 0;
}

/* ---- Sockets ---- */

static bool may_connect(dv_transfer *transfer, const struct sockaddr *address)
{
    const dv_http_profile *profile = transfer->profile;
    const void *bytes = NULL;

    if (transfer->proxy || !profile->may_connect || profile->may_connect(profile->arg, address))
        return true;
    if (address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    else if (address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (!bytes || !inet_ntop(address->sa_family, bytes, transfer->refused_address,
                             sizeof(transfer->refused_address)))
        snprintf(transfer->refused_address, sizeof(transfer->refused_address), "of its kind");
    return false;
}

static void set_option(int fd, int level, int name, int value)
{
    /* Fails on sockets of other families only, where the option has no meaning. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    dv_transfer *transfer = arg;

    (void)purpose;
    if (!may_connect(transfer, &address->addr))
        return CURL_SOCKET_BAD;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    transfer->lane->connections++;
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_STEP_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, DV_HTTP_USER_TIMEOUT_MS);
    return fd;
}

/* A connection that another profile opened is checked by this one's rules too. */
static bool may_use(dv_transfer *transfer, const char *ip, int port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    if (transfer->proxy || !transfer->profile->may_connect)
        return true;
    if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
        return may_connect(transfer, (const struct sockaddr *)&v4);
    return inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1 &&
           may_connect(transfer, (const struct sockaddr *)&v6);
}

/* There is a connection, new or pooled, and the request is about to be written to it. */
static int on_connected(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    dv_transfer *transfer = arg;

    (void)local_ip, (void)local_port;
    if (!may_use(transfer, ip, port))
        return CURL_PREREQFUNC_ABORT;
    if (transfer->may_send && !transfer->may_send(transfer->may_send_arg)) {
        object(transfer, dv_err_new(DV_CANCELED, "Fenced", "not sent: it may not be by now"));
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer->sends)
        transfer->repeated = true;
    dv_transport_sent(transfer);
    return CURL_PREREQFUNC_OK;
}

/* ---- Options ---- */

/* The first failure sticks. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK)                                                                      \
            code = curl_easy_setopt(easy, option, value);                                          \
    } while (0)

static struct curl_blob blob(const char *bytes, size_t n)
{
    /* The profile outlives the handle's use of it. */
    return (struct curl_blob){(void *)(uintptr_t)bytes, n, CURL_BLOB_NOCOPY};
}

static CURLcode setup_tls(const dv_http_profile *profile, CURL *easy)
{
    struct curl_blob ca = blob(profile->ca, profile->ca_n);
    struct curl_blob cert = blob(profile->cert, profile->cert_n);
    struct curl_blob key = blob(profile->key, profile->key_n);
    CURLcode code = CURLE_OK;

    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca.len)
        SET(CURLOPT_CAINFO_BLOB, &ca);
    else if (profile->ca_file)
        SET(CURLOPT_CAINFO, profile->ca_file);
    if (cert.len) {
        SET(CURLOPT_SSLCERT_BLOB, &cert);
        SET(CURLOPT_SSLCERTTYPE, "PEM");
        SET(CURLOPT_SSLKEY_BLOB, &key);
        SET(CURLOPT_SSLKEYTYPE, "PEM");
    }
    SET(CURLOPT_SSL_VERIFYPEER, profile->skip_verify ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, profile->skip_verify ? 0L : 2L);
    return code;
}

static CURLcode setup_body(dv_transfer *transfer, CURL *easy)
{
    CURLcode code = CURLE_OK;
    bool body = transfer->body.n || !strcmp(transfer->method, "POST") ||
                !strcmp(transfer->method, "PUT") || !strcmp(transfer->method, "PATCH");

    if (!strcmp(transfer->method, "HEAD")) {
        SET(CURLOPT_NOBODY, 1L);
        return code;
    }
    if (body) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.n);
        SET(CURLOPT_READFUNCTION, on_upload);
        SET(CURLOPT_READDATA, transfer);
        SET(CURLOPT_SEEKFUNCTION, on_rewind);
        SET(CURLOPT_SEEKDATA, transfer);
        SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, transfer->method);
    if (!transfer->repeatable && !transfer->body.n)
        SET(CURLOPT_FRESH_CONNECT, 1L); /* nothing to rewind: libcurl would repeat it unasked */
    return code;
}

static CURLcode setup_callbacks(dv_transfer *transfer, CURL *easy)
{
    CURLcode code = CURLE_OK;

    SET(CURLOPT_PRIVATE, transfer);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, transfer);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, transfer);
    SET(CURLOPT_ERRORBUFFER, transfer->error_text);
    return code;
}

static CURLcode setup_connection(const dv_transfer *transfer, CURL *easy)
{
    const dv_http_profile *profile = transfer->profile;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_NOSIGNAL, 1L);
    /* Else a transfer that ends while a name is looked up would stop the thread until it is. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, DV_HTTP_CONNECT_MS);
    SET(CURLOPT_PROTOCOLS_STR, transfer->plain ? "http" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, transfer->proxy ? transfer->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_HTTP_VERSION, profile->http1_only || transfer->plain
                                  ? (long)CURL_HTTP_VERSION_1_1
                                  : (long)CURL_HTTP_VERSION_2TLS);
    /* On plain HTTP/1.1 it would wait for another request's answer to learn the version. */
    SET(CURLOPT_PIPEWAIT, profile->http1_only || transfer->plain ? 0L : 1L);
    if (transfer->connect_to)
        SET(CURLOPT_CONNECT_TO, transfer->connect_to);
    if (!transfer->plain || transfer->proxy)
        SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (code == CURLE_OK && !transfer->plain)
        code = setup_tls(profile, easy);
    return code;
}

CURLcode dv_transfer_setup(dv_transfer *transfer, CURL *easy)
{
    CURLcode code = CURLE_OK;

    transfer->easy = easy;
    if (!transfer->response) {
        transfer->response = DV_NEW(dv_http_response);
        dv_buf_init(&transfer->response->body, transfer->response_max);
    }
    SET(CURLOPT_URL, transfer->sent_url ? transfer->sent_url : transfer->url);
    SET(CURLOPT_HTTPHEADER, transfer->headers);
    SET(CURLOPT_USERAGENT, "davit/" DV_VERSION);
    if (transfer->sink)
        SET(CURLOPT_BUFFERSIZE, (long)STREAM_BUFFER_BYTES);
    else
        SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    if (code == CURLE_OK)
        code = setup_connection(transfer, easy);
    if (code == CURLE_OK)
        code = setup_callbacks(transfer, easy);
    return code == CURLE_OK ? setup_body(transfer, easy) : code;
}

void dv_transfer_rewind(dv_transfer *transfer)
{
    dv_http_drop_headers(transfer->response);
    dv_buf_reset(&transfer->response->body);
    dv_err_free(DV_TAKE(transfer->why));
    transfer->repeated = true;
    transfer->body_sent = transfer->header_bytes = 0;
    transfer->uploaded = 0;
    transfer->answered = transfer->headers_done = false;
    transfer->error_text[0] = '\0';
}
