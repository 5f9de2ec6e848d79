/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/httpd_internal.h" /* first: see there */

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADERS_BYTES = 4096, /* of a request, all together */
    HEADERS_POOL = 16,    /* requests whose headers are read at once */
    READ_TIMEOUT_S = 10,
    KEEPALIVE_TIMEOUT_S = 60,
};

/* libwebsockets logs for the whole process, without an argument to say for whom. */
static void emit(int level, const char *line)
{
    dv_str text = dv_str_trim(dv_str_of(line));
    dv_auto_str plain = dv_str_dup(text);

    if (level == LLL_ERR)
        dv_error(NULL, "HTTP server", dv_s("detail", plain));
    else
        dv_debug(NULL, "HTTP server", dv_s("detail", plain));
}

dv_httpd *dv_httpd_new(const dv_log *log)
{
    dv_httpd *httpd = DV_NEW(dv_httpd);

    httpd->log = log;
    return httpd;
}

/* ---- Listeners ---- */

static dv_err *bad_address(const char *address)
{
    return dv_err_new(DV_INVALID, "BadAddress", "\"%s\" is no address to listen on", address);
}

/* Splits "HOST:PORT"; HOST without brackets. False: unreadable. */
static bool split(dv_str address, dv_str *host, int *port)
{
    ptrdiff_t colon = dv_str_rfind(address, ':');
    uint64_t number = 0;

    if (colon < 0)
        return false;
    *host = dv_str_head(address, (size_t)colon);
    dv_auto(dv_err) err = dv_str_u64(dv_str_skip(address, (size_t)colon + 1), &number);
    if (err || number > UINT16_MAX)
        return false;
    *port = (int)number;
    if (dv_str_starts(*host, DV_STR("[")) && dv_str_ends(*host, DV_STR("]")))
        *host = dv_str_head(dv_str_skip(*host, 1), host->n - 2);
    else if (dv_str_find(*host, ':') >= 0)
        return false;
    return true;
}

static void free_addresses(struct addrinfo **list)
{
    if (*list)
        freeaddrinfo(*list);
}

/* The first address of a host, in numbers; false: it has none. */
static bool to_numeric(const char *host, char **ret_numeric, bool *ret_v6)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    DV_CLEANUP(free_addresses) struct addrinfo *list = NULL;
    char text[NI_MAXHOST];

    if (getaddrinfo(host, NULL, &hints, &list) != 0 ||
        getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) !=
            0)
        return false;
    *ret_v6 = list->ai_family == AF_INET6;
    *ret_numeric = dv_strdup(text);
    return true;
}

static void listener_free(dv_httpd_listener *listener)
{
    free(listener->address);
    free(listener->host);
    free(listener->routes);
    free(listener);
}

dv_err *dv_httpd_listen(dv_httpd *httpd, const char *address, const dv_httpd_route *routes,
                        size_t n)
{
    dv_str host;
    dv_auto_str numeric = NULL;
    bool v6 = true;
    int port;

    DV_ASSERT(!httpd->started);
    if (!split(dv_str_of(address), &host, &port))
        return bad_address(address);
    dv_auto_str name = dv_str_dup(host);
    if (host.n && !to_numeric(name, &numeric, &v6))
        return bad_address(address);

    dv_httpd_listener *listener = DV_NEW(dv_httpd_listener);
    listener->httpd = httpd;
    listener->address = dv_strdup(address);
    listener->host = DV_TAKE(numeric);
    listener->v6 = v6;
    listener->port = port;
    listener->n = n;
    listener->routes = dv_calloc(n, sizeof(*routes));
    if (n)
        memcpy(listener->routes, routes, n * sizeof(*routes));
    *dv_vec_push(&httpd->listeners) = listener;
    return NULL;
}

int dv_httpd_port(const dv_httpd *httpd, size_t i)
{
    return lws_get_vhost_listen_port(httpd->listeners.at[i]->vhost);
}

/* ---- Binding ---- */

static void close_fd(int *fd)
{
    int error = errno;

    if (*fd >= 0)
        close(*fd);
    errno = error;
}

/* Can it be bound? 0, or the error that libwebsockets would not tell. */
static int try_bind(const dv_httpd_listener *listener)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_family = listener->v6 ? AF_INET6 : AF_INET};
    DV_CLEANUP(free_addresses) struct addrinfo *at = NULL;
    char port[16];
    int one = 1;

    snprintf(port, sizeof(port), "%d", listener->port);
    if (getaddrinfo(listener->host, port, &hints, &at) != 0)
        return EAFNOSUPPORT;
    DV_CLEANUP(close_fd) int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || (listener->port && listen(fd, 1) < 0))
        return errno;
    return 0;
}

static dv_err *check_bind(dv_httpd_listener *listener)
{
    int error = try_bind(listener);

    /* All addresses of a machine without IPv6. */
    if (!listener->host && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL)) {
        listener->v6 = false;
        error = try_bind(listener);
    }
    if (!error)
        return NULL;
    return dv_err_new(DV_TRANSIENT, error == EADDRINUSE ? "AddressInUse" : "ListenFailed",
                      "listening on %s: %s", listener->address, strerrordesc_np(error));
}

static dv_err *bind_listener(dv_httpd *httpd, dv_httpd_listener *listener)
{
    static const struct lws_protocols protocols[] = {
        {.name = "http",
         .callback = dv_httpd_callback,
         .per_session_data_size = sizeof(dv_httpd_exchange)},
        {.name = NULL},
    };
    struct lws_context_creation_info info = {
        .port = listener->port,
        .iface = listener->host,
        .protocols = protocols,
        .user = listener,
        .vhost_name = listener->address,
        .keepalive_timeout = KEEPALIVE_TIMEOUT_S,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (listener->v6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
    };

    DV_CHECK(check_bind(listener));
    listener->vhost = lws_create_vhost(httpd->context, &info);
    if (!listener->vhost) /* taken since we looked */
        return dv_err_new(DV_TRANSIENT, "AddressInUse", "listening on %s", listener->address);
    return NULL;
}

static struct lws_context *make_context(void)
{
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        /* Without it there is a table entry for each descriptor that ulimit allows. */
        .fd_limit_per_thread = DV_HTTPD_FDS_MAX,
        .max_http_header_data = HEADERS_BYTES,
        .max_http_header_pool = HEADERS_POOL,
        .timeout_secs = READ_TIMEOUT_S,
        .server_string = "davit",
        .gid = -1,
        .uid = -1,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, emit);
    struct lws_context *context = lws_create_context(&info);
    DV_ASSERT(context);
    return context;
}

/* ---- The thread ---- */

static void wake(lws_sorted_usec_list_t *sul)
{
    (void)sul; /* its arrival ends lws_service() */
}

static void *run(void *arg)
{
    dv_httpd *httpd = arg;
    lws_sorted_usec_list_t drained = {0};
    lws_usec_t end = 0;

    for (;;) {
        if (httpd->stopping && !end) {
            end = lws_now_usecs() + DV_HTTPD_DRAIN_MS * LWS_US_PER_MS;
            lws_sul_schedule(httpd->context, 0, &drained, wake, DV_HTTPD_DRAIN_MS * LWS_US_PER_MS);
        }
        if (end && (httpd->answering == 0 || lws_now_usecs() >= end))
            break;
        if (lws_service(httpd->context, 0) < 0)
            break;
    }
    lws_sul_cancel(&drained);
    return NULL;
}

dv_err *dv_httpd_start(dv_httpd *httpd)
{
    httpd->context = make_context();
    for (size_t i = 0; i < httpd->listeners.n; i++)
        DV_CHECK(bind_listener(httpd, httpd->listeners.at[i]));
    httpd->started = true;
    httpd->thread = dv_thread_start("http-server", DV_STACK_BYTES, run, httpd);
    return NULL;
}

void dv_httpd_free(dv_httpd *httpd)
{
    if (!httpd)
        return;
    if (httpd->started) {
        httpd->stopping = true;
        lws_cancel_service(httpd->context);
        pthread_join(httpd->thread, NULL);
    }
    if (httpd->context)
        lws_context_destroy(httpd->context);
    for (size_t i = 0; i < httpd->listeners.n; i++)
        listener_free(httpd->listeners.at[i]);
    dv_vec_done(&httpd->listeners);
    free(httpd);
}
