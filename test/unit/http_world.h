/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each test of the HTTP client stands on: a server that misbehaves by path, a transport with
 * a lane, and a profile that allows plain http.
 */
#pragma once

#include "http_routes.h"

#include "http/http.h"
#include "testlib.h"

typedef struct {
    peer *server;
    dv_http *http;
    dv_http_lane *lane;
    dv_http_profile *profile;
    dv_cancel *cancel;
    dv_ctx ctx;
    char url[256];
} world;

static world *w;

static int set_up(void **state)
{
    (void)state;
    w = DV_NEW(world);
    w->server = peer_start(serve_routes, NULL, NULL);
    w->http = dv_http_new();
    w->lane = dv_http_lane_new(w->http, &(dv_http_lane_options){.name = "test"});
    w->cancel = dv_cancel_new();
    w->ctx = dv_ctx_make(w->cancel);
    assert_ok(dv_http_profile_new(&(dv_http_profile_options){.allow_plain = true}, &w->profile));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dv_http_profile_unref(w->profile);
    dv_http_free(w->http);
    peer_stop(w->server);
    dv_cancel_free(w->cancel);
    free(w);
    return 0;
}

static inline const char *url_of(const char *path)
{
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d%s", w->server->port, path);
    return w->url;
}

/* A GET of path that the test may change before it sends it. */
static inline dv_http_request get(const char *path)
{
    return (dv_http_request){.url = url_of(path), .profile = w->profile};
}

static inline dv_err *send_it(const dv_http_request *request, dv_http_response **ret)
{
    return dv_http_do(&w->ctx, w->lane, request, ret);
}

#define TEST(function)                                                                             \
    *dv_vec_push(&suite.tests) =                                                                   \
        (struct CMUnitTest)cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TABLE(function, rows)                                                                      \
    for (size_t i = 0; i < DV_LEN(rows); i++)                                                      \
        *dv_vec_push(&suite.tests) = (struct CMUnitTest)                                           \
        {                                                                                          \
            (rows)[i].name, function, set_up, tear_down, (void *)(uintptr_t) & (rows)[i]           \
        }
