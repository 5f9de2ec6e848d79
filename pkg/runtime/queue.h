/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work queue of keys, with per-key backoff.
 *
 *            add(0)            get             done
 *     idle ─────────► ready ─────────► held ─────────► idle
 *       │  add(ms)      ▲ due            │ add: dirty
 *       └─────────► delayed              └──► done makes it ready (or delayed) again
 *
 * A key is held by exactly one worker; adding a held key marks it dirty, so one object is never
 * worked on twice at once and no wish is lost. Ready keys come in the order they became ready.
 *
 * Threads: any, for every function. Locks: the queue's own, never held while calling out.
 */
#pragma once

#include "base/ctx.h"

typedef struct dv_queue dv_queue;

/* Never NULL. Borrows clock until dv_queue_free(). */
dv_queue *dv_queue_new(const dv_clock *clock);
/* Stop the queue and join its workers first. */
void dv_queue_free(dv_queue *queue);
/* Ready after delay_ms (0: now); of two delays the shorter wins. Copies key. */
void dv_queue_add(dv_queue *queue, const char *key, int64_t delay_ms);
/*
 * As dv_queue_add() after the key's backoff: DV_BACKOFF_FIRST_MS, doubled each time in a row up
 * to DV_BACKOFF_MAX_MS, with up to 10 % jitter; at least min_ms. Returns the delay.
 */
#define DV_BACKOFF_FIRST_MS ((int64_t)250)
#define DV_BACKOFF_MAX_MS ((int64_t)5 * 60 * 1000)
int64_t dv_queue_retry(dv_queue *queue, const char *key, int64_t min_ms);
/* As dv_queue_retry(), but at once the first two times in a row: for conflicts. */
int64_t dv_queue_again(dv_queue *queue, const char *key);
/*
 * As dv_queue_retry(), for what was refused: DV_REFUSED_FIRST_MS, four times as long each time in a
 * row up to DV_REFUSED_MAX_MS. An API server that is starting refuses what it allows later, so the
 * first are asked again soon; one that lasts ends when somebody changes a role, and of that no
 * event tells.
 */
#define DV_REFUSED_FIRST_MS ((int64_t)2000)
#define DV_REFUSED_MAX_MS ((int64_t)3 * 60 * 1000)
int64_t dv_queue_refused(dv_queue *queue, const char *key, int64_t min_ms);
/* As dv_queue_add(), after a run that was not refused and has not failed. */
void dv_queue_wait(dv_queue *queue, const char *key, int64_t delay_ms);
/*
 * What made keys fail or be refused is over: those that are backing off are ready within spread_ms,
 * and their backoff starts over.
 */
void dv_queue_hurry(dv_queue *queue, int64_t spread_ms);
/* The key has succeeded: its backoff starts over. */
void dv_queue_forget(dv_queue *queue, const char *key);
/* How often the key has been retried in a row. */
unsigned dv_queue_retries(dv_queue *queue, const char *key);
/* For how long all runs of the key have been refused; 0: the last one was not. */
int64_t dv_queue_refused_for_ms(dv_queue *queue, const char *key);
/* Blocks. *ret_key is borrowed until dv_queue_done(), which must follow. CANCELED: stopped. */
DV_MUST_USE dv_err *dv_queue_get(dv_queue *queue, const char **ret_key);
/* Does not block; false: nothing is ready now. For tests with a clock of their own. */
bool dv_queue_try_get(dv_queue *queue, const char **ret_key);
void dv_queue_done(dv_queue *queue, const char *key);
/* Wakes all that wait in dv_queue_get(); nothing is handed out any more. */
void dv_queue_stop(dv_queue *queue);
/* Keys ready, delayed and held, for metrics. */
typedef struct {
    size_t ready, delayed, held;
} dv_queue_depth;
dv_queue_depth dv_queue_get_depth(dv_queue *queue);
DV_DEFINE_AUTO(dv_queue)
