/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the transport's thread hands what it receives to the cache's.
 *
 *     transport ──bytes──► inbox ──queued──► mailbox ──► cache thread: frames ─► reflector ─► store
 *
 * An inbox holds one list's answer and what a watch told since it was last emptied, bounded by
 * DV_WATCH_QUEUE_MAX and, over all of them, DV_CACHE_QUEUE_MAX: past that the watch is ended and
 * marked. It outlives its informer while a list is on its way; closed, it drops what comes.
 *
 * Threads: any. Locks: the mailbox's mutex guards every inbox; never held while calling out.
 */
#pragma once

#include "base/sync.h"
#include "runtime/informer.h"

/* Bytes that all watches of a cache may have waiting. */
#define DV_CACHE_QUEUE_MAX ((size_t)64 * 1024 * 1024)

typedef struct dv_inbox dv_inbox;

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t wake;  /* something is queued, or stop is set */
    pthread_cond_t state; /* an informer is synced, refused or gone */
    size_t refs;          /* the cache, and each inbox */
    dv_inbox *first, *last;
    size_t bytes; /* in all inboxes */
    bool stop;
} dv_mailbox;

dv_mailbox *dv_mailbox_new(void);
void dv_mailbox_unref(dv_mailbox *box);
/* The informer whose inbox was queued first; waits wait_ms for one. NULL: none, or stopped. */
dv_informer *dv_mailbox_next(dv_mailbox *box, int64_t wait_ms);
/* Wakes all that wait for a state. */
void dv_mailbox_tell(dv_mailbox *box);

/* Owned by informer until closed. */
dv_inbox *dv_inbox_new(dv_mailbox *box, dv_informer *informer);
void dv_inbox_close(dv_inbox *inbox);
/* Its informer is to be looked at. */
void dv_inbox_queue(dv_inbox *inbox);

/* Also that, with the mark that it is to be stopped. */
void dv_inbox_stop(dv_inbox *inbox);
bool dv_inbox_is_stopping(dv_inbox *inbox);

/* One holder more, for dv_inbox_listed(), which is a dv_kube_start() callback. */
void *dv_inbox_expect_list(dv_inbox *inbox);
void dv_inbox_listed(void *inbox, dv_kube_raw raw);

/* Of a watch; its arg is the inbox. */
extern const dv_http_sink dv_inbox_sink;
/* The watch is no more, what it told is dropped. No callback of it may run any more. */
void dv_inbox_forget_watch(dv_inbox *inbox);

/* What is in an inbox; all owned. */
typedef struct {
    bool listed;
    dv_kube_raw list;
    int status; /* of the watch; 0: not answered yet */
    int64_t retry_after_ms;
    bool overflow; /* it was ended: bytes would have been too many */
    bool ended;
    dv_err *end_err;
    dv_buf bytes;
} dv_mail;
/* Empties the inbox; the watch's status stays. */
dv_mail dv_inbox_take(dv_inbox *inbox);
