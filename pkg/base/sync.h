/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks held for a scope, condition variables on the monotonic clock, threads with a name and a
 * named stack size.
 */
#pragma once

#include <pthread.h>

#include "base/err.h"

/* Holds mu until the end of the scope. */
#define DV_LOCK_SCOPE(mu) DV_LOCK_SCOPE_AT(mu, __COUNTER__)
#define DV_LOCK_SCOPE_AT(mu, id) DV_LOCK_SCOPE_AS(mu, id)
#define DV_LOCK_SCOPE_AS(mu, id)                                                                   \
    DV_CLEANUP(dv_unlock_at) DV_UNUSED pthread_mutex_t *dv_held_##id = dv_lock(mu)

pthread_mutex_t *dv_lock(pthread_mutex_t *mu); /* returns mu */
void dv_unlock_at(pthread_mutex_t **mu);

/* A condition variable that waits on CLOCK_MONOTONIC. */
void dv_cond_init(pthread_cond_t *cond);
/* False when ms passed first; ms < 0 waits without limit. Spurious wake-ups happen. */
bool dv_cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mu, int64_t ms);

#define DV_STACK_BYTES ((size_t)512 * 1024)

/* Starts a joinable thread with all signals blocked. name: at most 15 bytes. Aborts when none can
 * be had. */
pthread_t dv_thread_start(const char *name, size_t stack_bytes, void *(*run)(void *arg), void *arg);
