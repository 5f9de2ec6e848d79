/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cache.c (the thread) and informer.c (its readers) both know of an informer.
 *
 * Threads: as the members say. Lock order: the mailbox's mutex, then a store's.
 */
#pragma once

#include "runtime/mailbox_internal.h"
#include "runtime/reflector_internal.h"

/* Lists under way at once: their pages are in memory. */
#define DV_LISTS_MAX 16
#define DV_LIST_TIMEOUT_MS ((int64_t)60 * 1000)
/* Of an answer that refuses a watch. */
#define DV_REFUSAL_MAX ((size_t)64 * 1024)
/* Lines of one informer before the others have their turn. */
#define DV_CACHE_TURN 256
/* The thread looks up that often, so that its health can be told. */
#define DV_CACHE_IDLE_MS ((int64_t)20 * 1000)
/* After so many bytes were read, memory goes back to the system once all is quiet. */
#define DV_CACHE_TRIM_BYTES ((size_t)2 * 1024 * 1024)

/* Where objects come from: an API server, or a test. Answers may come from any thread. */
typedef struct {
    void (*list)(void *arg, const dv_kube_request *request, int64_t timeout_ms,
                 void (*done)(void *arg, dv_kube_raw raw), void *done_arg);
    dv_err *(*watch)(void *arg, const dv_kube_request *request, const dv_http_sink *sink,
                     void *sink_arg, dv_http_stream **ret_stream);
    /* No callback of the watch runs any more when it returns. */
    void (*unwatch)(void *arg, dv_http_stream *stream);
} dv_source;

struct dv_informer {
    dv_cache *cache;
    dv_informer_options options; /* its texts are ours */
    dv_reflector reflector;
    dv_inbox *inbox;
    _Atomic bool synced; /* the first list is in the store, and its changes are told */
    bool gone;           /* guarded by the mailbox's mutex */

    /* The cache thread's. */
    bool started, told_denied;
    unsigned told_resumes;
    dv_http_stream *stream;
    dv_frames frames;
    uint64_t too_long; /* lines, counted so far */
    int status;        /* of the watch; 0: not answered */
    int64_t retry_after_ms;
    dv_buf refusal;
    bool ended;
    dv_err *end_err;
    int64_t list_limit; /* a list to be sent when there is a place; 0: none */
    char *list_token;
    bool listing;
};

struct dv_cache {
    const dv_source *source;
    void *source_arg;
    void *own_source; /* freed with the cache; NULL: none */
    const dv_clock *clock;
    const dv_log *log;
    dv_mailbox *box;
    pthread_t thread;
    _Atomic int64_t ticked_ms;
    DV_VEC(dv_informer *) informers; /* guarded by the mailbox's mutex */

    /* The cache thread's. */
    DV_VEC(dv_informer *) waiting; /* for a place to list */
    size_t listing;
    size_t read_bytes; /* since memory was given back */
};

/* Borrows source until freed. */
dv_cache *dv_cache_new_from(const dv_source *source, void *source_arg, const dv_clock *clock,
                            const dv_log *log);
/* When its thread last looked up, on the monotonic clock. */
int64_t dv_cache_ticked_ms(const dv_cache *cache);
/* As dv_informer_wait(), but goes on waiting when the list is refused. */
DV_MUST_USE dv_err *dv_informer_wait_on(dv_ctx *ctx, dv_informer *informer);
/* Calls `each` for every informer's kind and figures, with no lock held. */
void dv_cache_figures(dv_cache *cache,
                      void (*each)(void *arg, const char *kind, const dv_informer_stats *stats),
                      void *arg);
void dv_informer_free(dv_informer *informer);
