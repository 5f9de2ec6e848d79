/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides of the cage must agree on. Threads: any. */
#pragma once

#include "base/defs.h"

/* Builds whose runtime can't live in the strict cage. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DV_SANDBOX_RELAXED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DV_SANDBOX_RELAXED 1
#endif
#endif
#ifndef DV_SANDBOX_RELAXED
#define DV_SANDBOX_RELAXED 0
#endif

/* The worker's end of the socket pair. */
#define DV_SANDBOX_FD 3
/* Exit status of a worker that could not lock its cage; 0 is the exit for idleness. */
#define DV_SANDBOX_EXIT_UNCAGED 70

/* Drops what a worker has no need of, for good. False: refused, serve nobody. */
bool dv_cage_enter(void);
