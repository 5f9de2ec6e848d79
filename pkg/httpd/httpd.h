/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP server: routes on one thread of libwebsockets, several listeners.
 *
 * A handler answers at once from memory; it must not block. (Longer work is a later need.)
 * Unknown paths are 404, other methods than a route takes 405. HEAD is GET without the body.
 * Connections are kept alive; upgrades are refused.
 *
 * Threads: handlers run on the server's thread; the functions are their owner's.
 */
#pragma once

#include "base/ctx.h"

typedef struct dv_httpd dv_httpd;

/* Descriptors of all listeners together; what comes beyond waits in the kernel's queue. */
#define DV_HTTPD_FDS_MAX 256
/* Body of a request; beyond: 413. */
#define DV_HTTPD_REQUEST_MAX ((size_t)1024 * 1024)
/* A stopping server finishes the answers it has begun, but no longer than this. */
#define DV_HTTPD_DRAIN_MS 1000

typedef struct {
    dv_str method; /* "GET", "HEAD", "POST" */
    dv_str path;   /* percent-decoded, without dot segments */
    dv_str query;  /* percent-decoded */
    dv_str body;   /* of a POST */
} dv_httpd_request;

typedef struct {
    int status;               /* default 200 */
    const char *content_type; /* default "text/plain; charset=utf-8" */
    dv_buf body;              /* limit DV_BODY_MAX; overflow becomes 500 */
} dv_httpd_response;

typedef struct {
    const char *path; /* exact; a trailing slash makes it a prefix, of which the longest wins */
    void (*handle)(void *arg, const dv_httpd_request *request, dv_httpd_response *response);
    void *arg; /* borrowed until dv_httpd_free() */
    bool post; /* takes POST; GET and HEAD are always taken */
} dv_httpd_route;

/* log may be NULL; borrowed until dv_httpd_free(). */
dv_httpd *dv_httpd_new(const dv_log *log);
/*
 * Adds a listener: "HOST:PORT", ":PORT" (all addresses) or "[::1]:PORT"; port 0 takes a free one.
 * HOST is an address or a name that has one. Copies the routes. Only before dv_httpd_start().
 * INVALID "BadAddress": unreadable.
 */
DV_MUST_USE dv_err *dv_httpd_listen(dv_httpd *httpd, const char *address,
                                    const dv_httpd_route *routes, size_t n);
/* Binds and starts the thread. TRANSIENT "AddressInUse", "ListenFailed". */
DV_MUST_USE dv_err *dv_httpd_start(dv_httpd *httpd);
/* Port of listener i, in the order of dv_httpd_listen(); after dv_httpd_start(). */
int dv_httpd_port(const dv_httpd *httpd, size_t i);
/* Stops, joins, frees. */
void dv_httpd_free(dv_httpd *httpd);
DV_DEFINE_AUTO(dv_httpd)
