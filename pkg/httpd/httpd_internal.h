/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd.c holds the listeners and the thread, exchange.c one request and its answer.
 */
#pragma once

#include <libwebsockets.h> /* before base/banned.h, which poisons a name that it uses */

#include "base/sync.h"
#include "base/vec.h"
#include "httpd/httpd.h"

typedef struct {
    dv_httpd *httpd;
    char *address; /* as it was given, for messages */
    char *host;    /* numeric; NULL: all addresses */
    bool v6;
    int port;
    dv_httpd_route *routes;
    size_t n;
    struct lws_vhost *vhost;
} dv_httpd_listener;

struct dv_httpd {
    const dv_log *log;
    struct lws_context *context;
    DV_VEC(dv_httpd_listener *) listeners;
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    size_t answering; /* the server's thread: answers begun and not finished */
};

/* What one connection's request has come to; libwebsockets keeps it, zeroed at first. */
typedef struct {
    enum { DV_EXCHANGE_IDLE, DV_EXCHANGE_READING, DV_EXCHANGE_ANSWERING } state;
    dv_str method; /* of the request whose body is read; static */
    char *path, *query;
    dv_buf body; /* of the request, then of the answer */
    size_t sent;
} dv_httpd_exchange;

/* The protocol's callback for libwebsockets. */
int dv_httpd_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t n);
