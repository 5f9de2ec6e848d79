/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdarg.h>
#include <unistd.h>

static DV_NORETURN void out_of_memory(void)
{
    static const char text[] = "davit: out of memory\n";

    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        abort();
    abort();
}

void dv_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "davit: %s:%d: invariant broken: %s\n", file, line, condition);
    abort();
}

void *dv_alloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *dv_calloc(size_t count, size_t size)
{
    DV_ASSERT(dv_size_mul(count, size) != SIZE_MAX);
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *dv_realloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

char *dv_strdup(const char *text)
{
    return text ? dv_strndup(text, strlen(text)) : NULL;
}

char *dv_strndup(const char *text, size_t n)
{
    char *copy = dv_alloc(n + 1);

    if (n)
        memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

void *dv_memdup(const void *bytes, size_t n)
{
    void *copy = dv_alloc(n);

    if (n)
        memcpy(copy, bytes, n);
    return copy;
}

char *dv_asprintf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        out_of_memory();
    return text;
}

size_t dv_size_mul(size_t a, size_t b)
{
    size_t product;

    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

void dv_freep(void *at)
{
    void **slot = at;

    free(*slot);
    *slot = NULL;
}
