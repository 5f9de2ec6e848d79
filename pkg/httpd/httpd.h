/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP server: routes on one thread of libwebsockets, several listeners.
 *
 * A handler answers at once from memory; it must not block. (Longer work is a later need.)
 *
 * Threads: handlers run on the server's thread; dv_httpd_stop() any.
 */
#pragma once

#include "base/ctx.h"

typedef struct dv_httpd dv_httpd;

typedef struct {
    dv_str method; /* "GET", "HEAD", "POST" */
    dv_str path;
    dv_str query;
} dv_httpd_request;

typedef struct {
    int status;               /* default 200 */
    const char *content_type; /* default "text/plain; charset=utf-8" */
    dv_buf body;              /* limit DV_BODY_MAX */
} dv_httpd_response;

typedef struct {
    const char *path; /* exact; a trailing slash makes it a prefix */
    void (*handle)(void *arg, const dv_httpd_request *request, dv_httpd_response *response);
    void *arg;        /* borrowed until dv_httpd_free() */
} dv_httpd_route;

dv_httpd *dv_httpd_new(const dv_log *log);
/*
 * Adds a listener: "HOST:PORT", ":PORT" (all addresses) or "[::1]:PORT"; port 0 takes a free one. Copies the routes.
 * Only before dv_httpd_start(). INVALID: unreadable address.
 */
DV_MUST_USE dv_err *dv_httpd_listen(dv_httpd *httpd, const char *address, const dv_httpd_route *routes, size_t n);
/* Binds and starts the thread. TRANSIENT "AddressInUse". */
DV_MUST_USE dv_err *dv_httpd_start(dv_httpd *httpd);
/* Port of listener i, in the order of dv_httpd_listen(). */
int dv_httpd_port(const dv_httpd *httpd, size_t i);
/* Stops, joins, frees. */
void dv_httpd_free(dv_httpd *httpd);
DV_DEFINE_AUTO(dv_httpd)
