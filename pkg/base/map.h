/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from text to pointer: open addressing, seeded hash, keys copied in.
 *
 * Iteration order is not defined; whoever prints sorts first (dv_map_keys()).
 *
 * Threads: owner.
 */
#pragma once

#include "base/str.h"
#include "base/vec.h"

typedef struct dv_map dv_map;

/* free_value may be NULL: then the values are borrowed. */
dv_map *dv_map_new(void (*free_value)(void *value));
void dv_map_free(dv_map *map);
size_t dv_map_count(const dv_map *map);
/* NULL when absent. */
void *dv_map_get(const dv_map *map, dv_str key);
/* Copies key, takes value; a value that was there is freed. value must not be NULL. */
void dv_map_put(dv_map *map, dv_str key, void *value);
/* Moves the value out (NULL when absent), the caller owns it. */
void *dv_map_take(dv_map *map, dv_str key);
/* Frees the value. False when absent. */
bool dv_map_drop(dv_map *map, dv_str key);
void dv_map_clear(dv_map *map);
/*
 * Walks all entries: start with *cursor = 0; false at the end. The map must not gain entries
 * meanwhile; the key is borrowed.
 */
bool dv_map_next(const dv_map *map, size_t *cursor, dv_str *ret_key, void **ret_value);
/* The keys in byte order; release with dv_strings_done(). */
dv_strings dv_map_keys(const dv_map *map);

DV_DEFINE_AUTO(dv_map)
