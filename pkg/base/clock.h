/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time as a value that can be handed in: what waits asks a dv_clock, tests own a fake one.
 *
 * Durations are int64_t milliseconds on the monotonic clock. Wall time appears in API fields and
 * logs only. The boot-time clock, which runs on while the machine sleeps, is for leases.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

typedef struct dv_clock dv_clock;
struct dv_clock {
    int64_t (*mono_ms)(const dv_clock *clock);
    int64_t (*unix_us)(const dv_clock *clock);
    int64_t (*boot_ms)(const dv_clock *clock);
};

/* The machine's clock; static. */
const dv_clock *dv_clock_real(void);

/* A clock that stands still until told; all three readings move together. */
typedef struct {
    dv_clock clock; /* first: pass &fake.clock */
    _Atomic int64_t now_ms;
    int64_t unix_base_us;
} dv_fake_clock;
void dv_fake_clock_init(dv_fake_clock *fake, int64_t unix_base_ms);
void dv_fake_clock_advance(dv_fake_clock *fake, int64_t ms);

/* Appends RFC 3339 in UTC: "2026-11-21T09:00:00Z" (metav1.Time). */
void dv_time_add(dv_buf *out, int64_t unix_ms);
/* Appends RFC 3339 with microseconds: "2026-11-21T09:00:00.000000Z" (metav1.MicroTime). */
void dv_time_add_micro(dv_buf *out, int64_t unix_us);
/* RFC 3339, any offset and fraction. INVALID: anything else. */
DV_MUST_USE dv_err *dv_time_parse(dv_str text, int64_t *ret_unix_us);
/*
 * Go's time.ParseDuration ("1h30m", "1.5s", "300ms", "0"), as metav1.Duration is written;
 * not negative. INVALID: anything else, or more than 100 years.
 */
DV_MUST_USE dv_err *dv_duration_parse(dv_str text, int64_t *ret_ms);
/* Appends as Go prints a time.Duration: "1h30m0s", "1.5s", "0s". */
void dv_duration_add(dv_buf *out, int64_t ms);
