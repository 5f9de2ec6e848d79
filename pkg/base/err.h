/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one channel of failure. A fallible function returns dv_err *: NULL is success, anything
 * else is owned by the caller, who handles it, returns it, or wraps it with what it was doing.
 *
 * An error holds a kind (what to do about it), a reason (static CamelCase text, fit for a
 * condition), a message, and, where a server said so, how long to wait. Wrapping adds a frame
 * in front of the message and keeps the rest, so kind and reason travel to the worker.
 *
 * Messages start in lower case, name the object, and carry no secret, token, URL query or
 * fetched content.
 *
 * Threads: an error belongs to one thread at a time.
 */
#pragma once

#include "base/alloc.h"
#include "base/defs.h"

typedef enum {
    DV_TRANSIENT = 1, /* socket, TLS, timeout, 429, 5xx, 401: back off, or Retry-After if longer */
    DV_CONFLICT,      /* stale resourceVersion, name just taken: at once, from a fresh read */
    DV_WAITING,       /* something else is not ready yet: fixed interval, no backoff */
    DV_NOT_FOUND,     /* 404; at the worker it counts as transient */
    DV_DENIED,        /* 403, policy refusal, apply conflict: slow retry (minutes) */
    DV_INVALID,       /* bad spec, 400, 422, limit exceeded: no retry until an input changes */
    DV_CANCELED,      /* shutdown */
    DV_BUG,           /* an inconsistency was caught */
} dv_err_kind;

typedef struct dv_err dv_err;

/* Never NULL. reason is static text. */
DV_MUST_USE dv_err *dv_err_new(dv_err_kind kind, const char *reason, const char *format, ...)
    DV_PRINTF(3, 4) __attribute__((returns_nonnull));
/* Takes err (NULL gives NULL) and puts "text: " in front of its message. */
DV_MUST_USE dv_err *dv_err_wrap(dv_err *err, const char *format, ...) DV_PRINTF(2, 3);
/* The one way to change a kind. Takes err; reason NULL keeps the old one. */
DV_MUST_USE dv_err *dv_err_recast(dv_err *err, dv_err_kind kind, const char *reason);
/* Takes both; keeps a and appends the text of b. Either may be NULL. */
DV_MUST_USE dv_err *dv_err_join(dv_err *a, dv_err *b);
/* Owned copy; NULL gives NULL. */
dv_err *dv_err_dup(const dv_err *err);
void dv_err_free(dv_err *err);

dv_err_kind dv_err_kind_of(const dv_err *err);
bool dv_err_is(const dv_err *err, dv_err_kind kind); /* false for NULL */
const char *dv_err_reason(const dv_err *err);        /* static */
const char *dv_err_str(const dv_err *err);           /* "outer: inner: root"; borrowed */
/* Milliseconds that the server asked to wait; 0: it said nothing. */
int64_t dv_err_retry_after_ms(const dv_err *err);
void dv_err_set_retry_after(dv_err *err, int64_t retry_after_ms);
const char *dv_err_kind_name(dv_err_kind kind); /* "Transient"; static */

DV_DEFINE_AUTO(dv_err)

/* Returns from the function when call fails, with what it was doing put in front. */
#define DV_TRY(call, ...)                                                                          \
    do {                                                                                           \
        dv_err *e_ = (call);                                                                       \
        if (e_)                                                                                    \
            return dv_err_wrap(e_, __VA_ARGS__);                                                   \
    } while (0)
/* The same where the callee's message already says it all. */
#define DV_CHECK(call)                                                                             \
    do {                                                                                           \
        dv_err *e_ = (call);                                                                       \
        if (e_)                                                                                    \
            return e_;                                                                             \
    } while (0)
