/* SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"

enum { FIRST_CAP = 8 };

void *dv_vec_reserve(void *at, size_t *cap, size_t n, size_t element_size)
{
    if (n < *cap)
        return at;
    *cap = *cap ? dv_size_mul(*cap, 2) : FIRST_CAP;
    size_t bytes = dv_size_mul(*cap, element_size);
    DV_ASSERT(bytes != SIZE_MAX);
    return dv_realloc(at, bytes);
}

void dv_strings_add(dv_strings *strings, const char *text)
{
    dv_strings_take(strings, dv_strdup(text));
}

void dv_strings_take(dv_strings *strings, char *text)
{
    *dv_vec_push(strings) = text;
}

bool dv_strings_has(const dv_strings *strings, const char *text)
{
    for (size_t i = 0; i < strings->n; i++)
        if (strcmp(strings->at[i], text) == 0)
            return true;
    return false;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void dv_strings_sort(dv_strings *strings)
{
    if (strings->n)
        qsort(strings->at, strings->n, sizeof(strings->at[0]), by_bytes);
}

void dv_strings_done(dv_strings *strings)
{
    for (size_t i = 0; i < strings->n; i++)
        free(strings->at[i]);
    dv_vec_done(strings);
}
