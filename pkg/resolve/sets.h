/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bit rows over the values of one package: bit 0 stands for "absent", bit i for the i-th version
 * in ascending order. All rows of a package have the same number of words; bits past its last
 * value are never set.
 *
 * Threads: any, on rows of their own.
 */
#pragma once

#include "base/defs.h"

typedef uint64_t dv_word;

#define DV_WORD_BITS 64

static inline size_t dv_set_words(size_t values)
{
    return (values + DV_WORD_BITS - 1) / DV_WORD_BITS;
}

static inline bool dv_set_has(const dv_word *set, size_t bit)
{
    return set[bit / DV_WORD_BITS] >> (bit % DV_WORD_BITS) & 1;
}

static inline void dv_set_put(dv_word *set, size_t bit)
{
    set[bit / DV_WORD_BITS] |= (dv_word)1 << (bit % DV_WORD_BITS);
}

static inline void dv_set_drop(dv_word *set, size_t bit)
{
    set[bit / DV_WORD_BITS] &= ~((dv_word)1 << (bit % DV_WORD_BITS));
}

/* The bits of all values, absent included. */
static inline void dv_set_fill(dv_word *set, size_t values)
{
    for (size_t i = 0; i < dv_set_words(values); i++)
        set[i] = ~(dv_word)0;
    if (values % DV_WORD_BITS)
        set[values / DV_WORD_BITS] = ((dv_word)1 << (values % DV_WORD_BITS)) - 1;
}

static inline void dv_set_copy(dv_word *to, const dv_word *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] = from[i];
}

static inline bool dv_set_eq(const dv_word *a, const dv_word *b, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Every value of a is in b. */
static inline bool dv_set_within(const dv_word *a, const dv_word *b, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (a[i] & ~b[i])
            return false;
    return true;
}

static inline bool dv_set_meets(const dv_word *a, const dv_word *b, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (a[i] & b[i])
            return true;
    return false;
}

static inline void dv_set_unite(dv_word *to, const dv_word *with, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] |= with[i];
}

static inline void dv_set_cross(dv_word *to, const dv_word *with, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] &= with[i];
}

static inline void dv_set_without(dv_word *to, const dv_word *what, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] &= ~what[i];
}

static inline size_t dv_set_count(const dv_word *set, size_t words)
{
    size_t count = 0;

    for (size_t i = 0; i < words; i++)
        count += (size_t)__builtin_popcountll(set[i]);
    return count;
}

/* The highest value; the set must not be empty. */
static inline size_t dv_set_top(const dv_word *set, size_t words)
{
    while (words > 1 && !set[words - 1])
        words--;
    return words * DV_WORD_BITS - 1 - (size_t)__builtin_clzll(set[words - 1]);
}

/* Exactly one value. */
static inline bool dv_set_single(const dv_word *set, size_t words)
{
    bool seen = false;

    for (size_t i = 0; i < words; i++) {
        if (!set[i])
            continue;
        if (seen || (set[i] & (set[i] - 1)))
            return false;
        seen = true;
    }
    return seen;
}
