/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client_internal.h"

/* What a call needs to go out: who we are, and where to. */
static dv_err *sign(dv_ctx *ctx, dv_kube *kube, dv_http_request *request,
                    dv_secret **ret_authorization)
{
    DV_CHECK(dv_kube_config_authorization(ctx, kube->config, ret_authorization));
    request->authorization = *ret_authorization;
    request->profile = dv_kube_config_profile(kube->config);
    return NULL;
}

/* ---- One request ---- */

typedef struct {
    dv_kube *kube;
    const char *verb;
    void (*done)(void *arg, dv_kube_raw raw);
    void *arg;
} pending;

static void finish(void *arg, dv_http_result result)
{
    pending *p = arg;
    dv_auto(dv_http_response) response = result.response;
    dv_kube_raw raw = {.err = result.err};

    dv_kube_count_add(p->kube, p->verb, response ? response->status : 0);
    if (response) {
        if (response->status == 401)
            dv_kube_config_refuse(p->kube->config);
        raw.status = response->status;
        raw.retry_after_ms = dv_http_retry_after_ms(response, dv_clock_real());
        raw.body = response->body;
        response->body = (dv_buf)DV_BUF_INIT(0);
    }
    p->done(p->arg, raw);
    free(p);
}

static dv_err *start(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request, int64_t timeout_ms,
                     pending *p)
{
    DV_CLEANUP(dv_kube_call_done) dv_kube_call call;
    dv_auto(dv_secret) authorization = NULL;

    DV_CHECK(dv_kube_call_make(kube, request, DV_CALL_PLAIN, &call));
    dv_http_request http = dv_kube_call_http(&call);
    DV_CHECK(sign(ctx, kube, &http, &authorization));
    dv_http_start(request->lease_lane ? kube->lease : kube->requests, &http, timeout_ms, finish, p);
    dv_http_profile_unref(http.profile);
    return NULL;
}

void dv_kube_start(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request, int64_t timeout_ms,
                   void (*done)(void *arg, dv_kube_raw raw), void *arg)
{
    pending *p = DV_NEW(pending);

    *p = (pending){kube, dv_kube_verb_name(request->verb), done, arg};
    dv_err *err = start(ctx, kube, request, timeout_ms, p);
    if (err) {
        free(p);
        done(arg, (dv_kube_raw){.err = err});
    }
}

/* ---- A watch ---- */

/* Stands between the transport and the caller's sink, to count and to see a 401. */
typedef struct {
    dv_kube *kube;
    dv_http_sink sink;
    void *arg;
    bool begun;
} watch;

static void watch_header(void *arg, const char *name, const char *value)
{
    watch *w = arg;

    if (w->sink.header)
        w->sink.header(w->arg, name, value);
}

static bool watch_begin(void *arg, int status)
{
    watch *w = arg;

    w->begun = true;
    dv_kube_count_add(w->kube, "watch", status);
    if (status == 401)
        dv_kube_config_refuse(w->kube->config);
    return w->sink.begin(w->arg, status);
}

static bool watch_data(void *arg, dv_str bytes)
{
    watch *w = arg;

    return w->sink.data(w->arg, bytes);
}

static void watch_end(void *arg, dv_err *err)
{
    watch *w = arg;

    if (!w->begun)
        dv_kube_count_add(w->kube, "watch", 0);
    w->sink.end(w->arg, err);
    free(w);
}

dv_err *dv_kube_watch(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request,
                      const dv_http_sink *sink, void *arg, dv_http_stream **ret_stream)
{
    static const dv_http_sink between = {
        .header = watch_header, .begin = watch_begin, .data = watch_data, .end = watch_end};
    DV_CLEANUP(dv_kube_call_done) dv_kube_call call;
    dv_auto(dv_secret) authorization = NULL;
    dv_kube_request as_list = *request;

    as_list.verb = DV_KUBE_LIST;
    as_list.limit = 0;
    as_list.continue_token = NULL;
    DV_CHECK(dv_kube_call_make(kube, &as_list, DV_CALL_WATCH, &call));
    dv_http_request http = dv_kube_call_http(&call);
    http.idle_timeout_ms = DV_WATCH_IDLE_MS;
    DV_TRY(sign(ctx, kube, &http, &authorization), "watch %s", request->resource->kind);
    watch *w = DV_NEW(watch);
    *w = (watch){.kube = kube, .sink = *sink, .arg = arg};
    *ret_stream = dv_http_stream_open(kube->watches, &http, &between, w);
    dv_http_profile_unref(http.profile);
    return NULL;
}
