/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handful of macros that every file uses: attributes, cleanup slots, assertions.
 *
 * An owning local is a cleanup slot: initialised where it is declared, filled once, moved out
 * with DV_TAKE(). Nothing else in this code base hides control flow; see also DV_TRY in err.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/banned.h"

#define DV_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define DV_MUST_USE __attribute__((warn_unused_result))
#define DV_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define DV_UNUSED __attribute__((unused))
#define DV_NORETURN __attribute__((noreturn))

#define DV_CLEANUP(fn) __attribute__((cleanup(fn)))

/* For a heap type T with T_free(T *): lets a local be declared dv_auto(T) x = NULL. */
#define DV_DEFINE_AUTO(type)                                                                       \
    DV_UNUSED static inline void type##_autofree(type **at)                                        \
    {                                                                                              \
        type##_free(*at);                                                                          \
    }
#define dv_auto(type) DV_CLEANUP(type##_autofree) type *

/* Moves the value out of an owning slot and leaves NULL behind. */
#define DV_TAKE(slot)                                                                              \
    ({                                                                                             \
        __typeof__(slot) held_ = (slot);                                                           \
        (slot) = NULL;                                                                             \
        held_;                                                                                     \
    })

#define DV_MIN(a, b) ((a) < (b) ? (a) : (b))
#define DV_MAX(a, b) ((a) > (b) ? (a) : (b))

/*
 * Guards an invariant, in release builds too: prints the place and aborts. Never for what
 * an outsider can cause.
 */
#define DV_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            dv_assert_failed(#condition, __FILE__, __LINE__);                                      \
    } while (0)

DV_NORETURN void dv_assert_failed(const char *condition, const char *file, int line);

/* A number that may be absent: 0 replicas is not "unset". */
typedef struct {
    bool set;
    int64_t value;
} dv_opt_i64;
