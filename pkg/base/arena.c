/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

enum { FIRST_BLOCK_BYTES = 4 * 1024, BLOCK_MAX_BYTES = 1024 * 1024 };

typedef struct block block;
struct block {
    block *next; /* older */
    size_t used, cap;
    max_align_t bytes[];
};

struct dv_arena {
    block *head; /* the one that is being filled; the oldest is the first */
    size_t limit, used;
    size_t next_cap;
    bool refused;
};

dv_arena *dv_arena_new(size_t limit_bytes)
{
    dv_arena *arena = DV_NEW(dv_arena);

    arena->limit = limit_bytes;
    arena->next_cap = FIRST_BLOCK_BYTES;
    return arena;
}

/* Frees blocks until only the oldest is left, or none. */
static void free_blocks(dv_arena *arena, bool keep_first)
{
    while (arena->head && !(keep_first && !arena->head->next)) {
        block *older = arena->head->next;

        free(arena->head);
        arena->head = older;
    }
}

void dv_arena_free(dv_arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena, false);
    free(arena);
}

void dv_arena_reset(dv_arena *arena)
{
    free_blocks(arena, true);
    if (arena->head) {
        memset(arena->head->bytes, 0, arena->head->used);
        arena->head->used = 0;
    }
    arena->used = 0;
    arena->refused = false;
}

static block *block_new(size_t cap)
{
    block *b = dv_calloc(1, sizeof(*b) + cap);

    b->cap = cap;
    return b;
}

/* A block with room for size bytes; a big one of its own leaves the head's rest in use. */
static block *block_for(dv_arena *arena, size_t size)
{
    if (arena->head && arena->head->cap - arena->head->used >= size)
        return arena->head;
    if (arena->head && size > arena->next_cap / 4) {
        block *own = block_new(size);

        own->next = arena->head->next;
        arena->head->next = own;
        return own;
    }
    block *fresh = block_new(DV_MAX(size, arena->next_cap));
    fresh->next = arena->head;
    arena->head = fresh;
    arena->next_cap = DV_MIN(arena->next_cap * 2, (size_t)BLOCK_MAX_BYTES);
    return fresh;
}

void *dv_arena_alloc(dv_arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t),
                 ceiling = arena->limit ? arena->limit : SIZE_MAX / 2;
    size_t rounded = size > SIZE_MAX / 2 ? SIZE_MAX : (DV_MAX(size, 1) + align - 1) / align * align;

    if (arena->refused || rounded > ceiling || arena->used > ceiling - rounded) {
        DV_ASSERT(arena->limit);
        arena->refused = true;
        return NULL;
    }
    block *b = block_for(arena, rounded);
    void *p = (char *)b->bytes + b->used;
    b->used += rounded;
    arena->used += rounded;
    return p;
}

char *dv_arena_dup(dv_arena *arena, dv_str s)
{
    char *copy = dv_arena_alloc(arena, s.n + 1);

    if (copy && s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

dv_err *dv_arena_check(const dv_arena *arena)
{
    if (!arena->refused)
        return NULL;
    return dv_err_new(DV_INVALID, "TooLarge", "needs more memory than the limit of %zu bytes",
                      arena->limit);
}

size_t dv_arena_used(const dv_arena *arena)
{
    return arena->used;
}
