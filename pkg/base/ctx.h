/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every call that may block is given: a cancellation, a deadline, a clock, a logger.
 *
 * A dv_cancel is a flag with an eventfd behind it, so that what sleeps in poll() wakes too.
 * A callee returns within a second of a cancel (CANCELED) or of the deadline (TRANSIENT).
 * A ctx is a plain value: to narrow it, copy it and change a field.
 *
 *     dv_ctx inner = *ctx;
 *     dv_ctx_set_timeout(&inner, 5000);
 *
 * Threads: a dv_cancel any; a ctx its owner.
 */
#pragma once

#include "base/clock.h"
#include "base/log.h"

typedef struct dv_cancel dv_cancel;

dv_cancel *dv_cancel_new(void);
/* Every ctx that borrows it must be gone. */
void dv_cancel_free(dv_cancel *cancel);
/* Idempotent and async-signal-safe. */
void dv_cancel_fire(dv_cancel *cancel);
bool dv_cancel_fired(const dv_cancel *cancel);
/* Readable once fired; never read from it. */
int dv_cancel_fd(const dv_cancel *cancel);
DV_DEFINE_AUTO(dv_cancel)

typedef struct {
    dv_cancel *cancel;     /* borrowed; NULL: can't be cancelled */
    int64_t deadline_ms;   /* on clock's monotonic time; 0: none */
    const dv_clock *clock; /* borrowed, never NULL */
    const dv_log *log;     /* borrowed, may be NULL */
} dv_ctx;

/* A ctx with the real clock, no deadline, no logger. */
dv_ctx dv_ctx_make(dv_cancel *cancel);
/* Deadline timeout_ms from now, unless an earlier one is set. */
void dv_ctx_set_timeout(dv_ctx *ctx, int64_t timeout_ms);
int64_t dv_ctx_now_ms(const dv_ctx *ctx);
/* Milliseconds until the deadline, at least 0; INT64_MAX without one. */
int64_t dv_ctx_left_ms(const dv_ctx *ctx);
/* CANCELED when cancelled, TRANSIENT ("DeadlineExceeded") past the deadline, else NULL. */
DV_MUST_USE dv_err *dv_ctx_check(const dv_ctx *ctx);
/* Sleeps on the real clock; early return with the error of dv_ctx_check(). */
DV_MUST_USE dv_err *dv_ctx_sleep(const dv_ctx *ctx, int64_t ms);
