/* SPDX-License-Identifier: Apache-2.0 */
/* What readers of an informer call; the thread behind it is in cache.c. */
#include "runtime/cache_internal.h"

/* A wait looks at its cancel that often; what it waits for wakes it at once. */
enum { WAIT_SLICE_MS = 200 };

bool dv_informer_synced(const dv_informer *informer)
{
    return informer->synced;
}

/* False: it is not there yet, and a slice has passed or something has changed. */
static bool wait_a_slice(dv_informer *informer, bool through_refusal)
{
    dv_mailbox *box = informer->cache->box;
    DV_LOCK_SCOPE(&box->mu);

    for (int look = 0; look < 2; look++) {
        if (informer->synced || (informer->reflector.denied && !through_refusal))
            return true;
        if (look == 0)
            dv_cond_wait_ms(&box->state, &box->mu, WAIT_SLICE_MS);
    }
    return false;
}

static dv_err *wait_for(dv_ctx *ctx, dv_informer *informer, bool through_refusal)
{
    const char *kind = informer->options.resource->kind;

    while (!wait_a_slice(informer, through_refusal))
        DV_TRY(dv_ctx_check(ctx), "waiting for the list of %s", kind);
    if (!informer->synced)
        return dv_err_new(DV_DENIED, "ListForbidden", "%s may not be listed or watched", kind);
    return NULL;
}

dv_err *dv_informer_wait(dv_ctx *ctx, dv_informer *informer)
{
    return wait_for(ctx, informer, /* through_refusal= */ false);
}

dv_err *dv_informer_wait_on(dv_ctx *ctx, dv_informer *informer)
{
    return wait_for(ctx, informer, /* through_refusal= */ true);
}

int64_t dv_informer_broken_since_ms(const dv_informer *informer)
{
    return informer->reflector.broken_since_ms;
}

uint64_t dv_informer_revision(const dv_informer *informer)
{
    dv_auto_str position = dv_store_position(informer->reflector.store);
    uint64_t revision = 0;

    dv_err_free(dv_str_u64(dv_str_of(position), &revision));
    return revision;
}

dv_entry *dv_informer_get(dv_informer *informer, const char *key)
{
    return dv_store_get(informer->reflector.store, key);
}

dv_entries dv_informer_list(dv_informer *informer)
{
    return dv_store_list(informer->reflector.store, NULL);
}

dv_entries dv_informer_by_index(dv_informer *informer, const char *value)
{
    return dv_store_list(informer->reflector.store, value);
}

size_t dv_informer_count(dv_informer *informer)
{
    return dv_store_count(informer->reflector.store);
}

void dv_informer_observe(dv_informer *informer, const json_t *object)
{
    dv_reflector_observe(&informer->reflector, object);
    dv_inbox_queue(informer->inbox); /* the cache's thread tells of it */
}

dv_informer_stats dv_informer_get_stats(const dv_informer *informer)
{
    const dv_reflector *reflector = &informer->reflector;

    return (dv_informer_stats){
        .lists = reflector->lists,
        .watches = reflector->watches,
        .events = reflector->events,
        .skipped = reflector->skipped,
        .objects = dv_store_count(reflector->store),
    };
}

/* ---- Figures ---- */

typedef struct {
    const char *kind; /* lives as long as the kube */
    dv_informer_stats stats;
} figure;

typedef DV_VEC(figure) figures;

static figures collect(dv_cache *cache)
{
    DV_LOCK_SCOPE(&cache->box->mu);
    figures all = {0};

    for (size_t i = 0; i < cache->informers.n; i++) {
        const dv_informer *informer = cache->informers.at[i];

        *dv_vec_push(&all) =
            (figure){informer->options.resource->kind, dv_informer_get_stats(informer)};
    }
    return all;
}

void dv_cache_figures(dv_cache *cache,
                      void (*each)(void *arg, const char *kind, const dv_informer_stats *stats),
                      void *arg)
{
    figures all = collect(cache);

    for (size_t i = 0; i < all.n; i++)
        each(arg, all.at[i].kind, &all.at[i].stats);
    dv_vec_done(&all);
}

/* ---- The API server as a source ---- */

typedef struct {
    dv_kube *kube;
    dv_ctx ctx;
} server;

static void server_list(void *arg, const dv_kube_request *request, int64_t timeout_ms,
                        void (*done)(void *arg, dv_kube_raw raw), void *done_arg)
{
    server *self = arg;

    dv_kube_start(&self->ctx, self->kube, request, timeout_ms, done, done_arg);
}

static dv_err *server_watch(void *arg, const dv_kube_request *request, const dv_http_sink *sink,
                            void *sink_arg, dv_http_stream **ret_stream)
{
    server *self = arg;

    return dv_kube_watch(&self->ctx, self->kube, request, sink, sink_arg, ret_stream);
}

static void server_unwatch(void *arg, dv_http_stream *stream)
{
    (void)arg;
    dv_http_stream_close(stream);
}

dv_cache *dv_cache_new(dv_kube *kube, const dv_clock *clock, const dv_log *log)
{
    static const dv_source source = {
        .list = server_list, .watch = server_watch, .unwatch = server_unwatch};
    server *self = DV_NEW(server);
    dv_cache *cache;

    self->kube = kube;
    self->ctx = (dv_ctx){.clock = clock, .log = log};
    cache = dv_cache_new_from(&source, self, clock, log);
    cache->own_source = self;
    return cache;
}
