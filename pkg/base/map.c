/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <sys/random.h>

/* Keys of up to NEAR_BYTES stand in their slot. */
enum { FIRST_CAP = 16, NEAR_BYTES = 24 };

/*
 * A slot is empty (value NULL) or taken; removal shifts followers back, so there are no
 * tombstones.
 */
typedef struct {
    void *value;
    uint64_t hash;
    size_t key_n;
    union {
        char near[NEAR_BYTES];
        char *far;
    } key;
} slot;

struct dv_map {
    slot *slots;
    size_t cap; /* power of two */
    size_t count;
    uint64_t seed;
    void (*free_value)(void *value);
};

dv_map *dv_map_new(void (*free_value)(void *value))
{
    dv_map *map = DV_NEW(dv_map);

    map->free_value = free_value;
    map->cap = FIRST_CAP;
    map->slots = dv_calloc(map->cap, sizeof(slot));
    if (getrandom(&map->seed, sizeof(map->seed), GRND_NONBLOCK) != sizeof(map->seed))
        map->seed = (uintptr_t)map;
    return map;
}

void dv_map_free(dv_map *map)
{
    if (!map)
        return;
    dv_map_clear(map);
    free(map->slots);
    free(map);
}

size_t dv_map_count(const dv_map *map)
{
    return map->count;
}

/* FNV alone is predictable; the seed and a final mix keep outsiders from choosing collisions
 * cheaply. */
static uint64_t hash_of(const dv_map *map, dv_str key)
{
    uint64_t hash = dv_str_hash(key) ^ map->seed;

    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;
    return hash;
}

static dv_str key_of(const slot *s)
{
    return (dv_str){s->key_n > NEAR_BYTES ? s->key.far : s->key.near, s->key_n};
}

static void set_key(slot *s, dv_str key)
{
    s->key_n = key.n;
    if (key.n > NEAR_BYTES)
        s->key.far = dv_str_dup(key);
    else if (key.n)
        memcpy(s->key.near, key.p, key.n);
}

static void drop_key(slot *s)
{
    if (s->key_n > NEAR_BYTES)
        free(s->key.far);
}

/* The slot that holds key, or the empty one where it belongs. */
static size_t find(const dv_map *map, dv_str key, uint64_t hash)
{
    size_t at = hash & (map->cap - 1);

    while (map->slots[at].value) {
        const slot *s = &map->slots[at];

        if (s->hash == hash && dv_str_eq(key_of(s), key))
            break;
        at = (at + 1) & (map->cap - 1);
    }
    return at;
}

void *dv_map_get(const dv_map *map, dv_str key)
{
    return map->slots[find(map, key, hash_of(map, key))].value;
}

static void grow(dv_map *map)
{
    slot *old = map->slots;
    size_t old_cap = map->cap;

    map->cap *= 2;
    map->slots = dv_calloc(map->cap, sizeof(slot));
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].value)
            map->slots[find(map, key_of(&old[i]), old[i].hash)] = old[i];
    free(old);
}

void dv_map_put(dv_map *map, dv_str key, void *value)
{
    DV_ASSERT(value);
    if ((map->count + 1) * 4 > map->cap * 3)
        grow(map);
    uint64_t hash = hash_of(map, key);
    slot *s = &map->slots[find(map, key, hash)];
    if (s->value) {
        if (map->free_value && s->value != value)
            map->free_value(s->value);
        s->value = value;
        return;
    }
    *s = (slot){.hash = hash, .value = value};
    set_key(s, key);
    map->count++;
}

/* Closes the gap at `at` so that every follower stays reachable from its home slot. */
static void close_gap(dv_map *map, size_t at)
{
    size_t mask = map->cap - 1, next = (at + 1) & mask;

    for (; map->slots[next].value; next = (next + 1) & mask) {
        size_t home = map->slots[next].hash & mask;

        if (((next - home) & mask) >= ((next - at) & mask)) {
            map->slots[at] = map->slots[next];
            at = next;
        }
    }
    map->slots[at] = (slot){0};
}

void *dv_map_take(dv_map *map, dv_str key)
{
    size_t at = find(map, key, hash_of(map, key));
    void *value = map->slots[at].value;

    if (!value)
        return NULL;
    drop_key(&map->slots[at]);
    close_gap(map, at);
    map->count--;
    return value;
}

bool dv_map_drop(dv_map *map, dv_str key)
{
    void *value = dv_map_take(map, key);

    if (value && map->free_value)
        map->free_value(value);
    return value != NULL;
}

void dv_map_clear(dv_map *map)
{
    for (size_t i = 0; i < map->cap; i++) {
        if (!map->slots[i].value)
            continue;
        drop_key(&map->slots[i]);
        if (map->free_value)
            map->free_value(map->slots[i].value);
        map->slots[i] = (slot){0};
    }
    map->count = 0;
}

bool dv_map_next(const dv_map *map, size_t *cursor, dv_str *ret_key, void **ret_value)
{
    for (; *cursor < map->cap; (*cursor)++) {
        const slot *s = &map->slots[*cursor];

        if (!s->value)
            continue;
        *ret_key = key_of(s);
        *ret_value = s->value;
        (*cursor)++;
        return true;
    }
    return false;
}

dv_strings dv_map_keys(const dv_map *map)
{
    dv_strings keys = {0};
    size_t cursor = 0;
    dv_str key;
    void *value;

    while (dv_map_next(map, &cursor, &key, &value))
        dv_strings_take(&keys, dv_str_dup(key));
    dv_strings_sort(&keys);
    return keys;
}
