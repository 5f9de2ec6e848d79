/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing array of any type, by macro: the element type stays visible to the compiler.
 *
 *     DV_VEC(int) numbers = {0};
 *     *dv_vec_push(&numbers) = 7;      new elements are zeroed
 *     for (size_t i = 0; i < numbers.n; i++) use(numbers.at[i]);
 *     dv_vec_done(&numbers);
 *
 * Threads: owner.
 */
#pragma once

#include "base/alloc.h"

/* As a struct member or a typedef: typedef DV_VEC(char *) dv_strings; */
#define DV_VEC(...)                                                                                \
    struct {                                                                                       \
        __VA_ARGS__ *at;                                                                           \
        size_t n, cap;                                                                             \
    }

/* Address of a new, zeroed last element; valid until the next push. */
#define dv_vec_push(vec)                                                                           \
    ({                                                                                             \
        __typeof__(vec) v_ = (vec);                                                                \
        v_->at = dv_vec_reserve(v_->at, &v_->cap, v_->n, sizeof(*v_->at));                         \
        memset(&v_->at[v_->n], 0, sizeof(*v_->at));                                                \
        &v_->at[v_->n++];                                                                          \
    })
/* Removes element i by moving the ones behind it down. */
#define dv_vec_remove(vec, i)                                                                      \
    do {                                                                                           \
        __typeof__(vec) v_ = (vec);                                                                \
        size_t i_ = (i);                                                                           \
        memmove(&v_->at[i_], &v_->at[i_ + 1], (v_->n - i_ - 1) * sizeof(*v_->at));                 \
        v_->n--;                                                                                   \
    } while (0)
/* Frees the array, not what its elements own. */
#define dv_vec_done(vec)                                                                           \
    do {                                                                                           \
        __typeof__(vec) v_ = (vec);                                                                \
        free(v_->at);                                                                              \
        v_->at = NULL;                                                                             \
        v_->n = v_->cap = 0;                                                                       \
    } while (0)

void *dv_vec_reserve(void *at, size_t *cap, size_t n, size_t element_size);

/* The commonest one: owned strings. */
typedef DV_VEC(char *) dv_strings;
/* Appends an owned copy. */
void dv_strings_add(dv_strings *strings, const char *text);
/* Takes text. */
void dv_strings_take(dv_strings *strings, char *text);
bool dv_strings_has(const dv_strings *strings, const char *text);
/* Bytewise order. */
void dv_strings_sort(dv_strings *strings);
void dv_strings_done(dv_strings *strings);
