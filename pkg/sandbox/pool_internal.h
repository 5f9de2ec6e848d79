/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One worker as its parent sees it, and talking to it. A worker that is busy belongs to the
 * thread that made it so.
 *
 * Threads: the one that holds the worker.
 */
#pragma once

#include "base/ctx.h"
#include "sandbox/frame_internal.h"

typedef struct {
    int pid; /* 0: none */
    int fd;  /* ours, non-blocking */
} dv_worker;

/* How a try to talk to a worker ended. */
typedef enum {
    DV_TALK_DONE,
    DV_TALK_GONE,     /* it closed the channel */
    DV_TALK_STOPPED,  /* our ctx says so */
    DV_TALK_TOO_LONG, /* wall_ms are over */
    DV_TALK_NONSENSE, /* what it says is no answer */
} dv_talk;

/* Starts one and hears its hello. TRANSIENT "SandboxUnavailable", CANCELED. Nothing is left behind
 * then. */
DV_MUST_USE dv_err *dv_worker_start(const dv_ctx *ctx, int64_t idle_ms, dv_worker *ret_worker);
/* Ends it if it runs, reaps it, closes the channel. The wait status. */
int dv_worker_bury(dv_worker *worker);
/* True, with all of it cleaned up, when it has ended by itself. Never blocks. */
bool dv_worker_reap(dv_worker *worker);
/* From now on it may use cpu_s more seconds of CPU time. */
void dv_worker_rearm(const dv_worker *worker, int64_t cpu_s);

/*
 * Sends a request and reads the answer, within wall_ms. text: all up to the blobs. *ret_body is
 * owned, behind ret_answer's views; it may be set whatever the result is.
 */
dv_talk dv_worker_ask(const dv_ctx *ctx, const dv_worker *worker, int64_t wall_ms, dv_str text,
                      const dv_str *blobs, size_t n_blobs, char **ret_body, dv_answer *ret_answer);
