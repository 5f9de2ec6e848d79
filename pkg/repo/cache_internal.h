/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What repositories gave, on disk: one file a URL, bounded in bytes, verified when read.
 *
 *     <16 hex of the scope>-<64 hex: sha256 of the URL>
 *     {"url":…,"etag":…,"lastModified":…,"sha256":…}\n<bytes>
 *
 * A scope is a repository (its name and URL): two repositories never read each other's files,
 * for one may have been given what the other may not see. A damaged file is a miss. A write that
 * fails (disk full) leaves the cache without the entry and is nobody's error.
 *
 * Threads: any. Locks: the cache's own, never held across I/O.
 */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"

typedef struct dv_repo_cache dv_repo_cache;

#define DV_REPO_SCOPE_HEX 16
#define DV_REPO_CACHE_FILES_MAX ((size_t)50000)

typedef struct {
    dv_buf bytes;
    char *etag, *last_modified; /* owned, NULL: none */
    char sha256[DV_SHA256_HEX + 1];
} dv_repo_cached;
void dv_repo_cached_done(dv_repo_cached *cached);

/* dir NULL: a cache that never holds anything. Makes dir; one that can't be made is as NULL. */
dv_repo_cache *dv_repo_cache_new(const char *dir, size_t bytes_max);
void dv_repo_cache_free(dv_repo_cache *cache);
/* False: not there. bytes_max: of the content. */
DV_MUST_USE bool dv_repo_cache_get(dv_repo_cache *cache, const char *scope, const char *url,
                                   size_t bytes_max, dv_repo_cached *ret_cached);
/* etag and last_modified may be NULL. */
void dv_repo_cache_put(dv_repo_cache *cache, const char *scope, const char *url, const char *etag,
                       const char *last_modified, const char *sha256, dv_str bytes);
void dv_repo_cache_drop(dv_repo_cache *cache, const char *scope, const char *url);
/* All of a repository. */
void dv_repo_cache_drop_scope(dv_repo_cache *cache, const char *scope);
/* Bytes on disk, as far as is known. */
size_t dv_repo_cache_bytes(dv_repo_cache *cache);
