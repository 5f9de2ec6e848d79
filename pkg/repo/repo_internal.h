/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the repositories share.
 *
 *     dv_repos ─► repo ─► conf       the administrator's wish           ┐ frozen, shared by count:
 *                     └─► snapshot ─► entry: a name and its versions    ┘ taken under the lock,
 * read without
 *
 * Threads: any. Locks: dv_repos.mu for all that is not frozen; never held across I/O, a callback
 * or a log call.
 */
#pragma once

#include "base/map.h"
#include "base/sync.h"
#include "repo/cache_internal.h"
#include "repo/repo.h"

/* An INVALID or NOT_FOUND package.yaml is not asked for again so soon. */
#define DV_REPO_REFUSAL_MS ((int64_t)60 * 1000)
/* Of one sync. */
#define DV_REPO_REQUESTS_AT_ONCE 4
/* Decoded packages kept in memory, by estimate. */
#define DV_REPO_PACKAGES_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define DV_REPO_PACKAGES_KEPT_MAX ((size_t)4096)

/* Those who wait for one repository. It outlives changes of the wish. */
typedef struct {
    _Atomic int refs;
    int fetching; /* with the set's lock held */
} dv_repo_gate;

/* ---- Frozen things ---- */

typedef struct {
    _Atomic int refs;
    dv_repo_gate *gate;
    char *name;
    char *url;                         /* without "/" at its end */
    char scope[DV_REPO_SCOPE_HEX + 1]; /* of name and url: the cache's */
    int64_t priority;
    dv_strings globs;
    bool suspended;
    bool (*may_use)(void *arg, const char *ns);
    void *arg;
    void (*arg_free)(void *arg);
    dv_fetch_auth *auth;
} dv_repo_conf;

typedef struct {
    _Atomic int refs;
    char *name;
    bool known;     /* its versions were read, or are known not to be there */
    char *versions; /* one behind the other, each with its NUL */
    size_t versions_bytes, n_versions;
    char sha256[DV_SHA256_HEX + 1]; /* of versions.yaml; empty: there is none */
    char *etag, *last_modified;
} dv_repo_entry;

typedef struct {
    _Atomic int refs;
    dv_repo_entry **entries; /* of every name in the index, in byte order */
    size_t n_entries;
    char sha256[DV_SHA256_HEX + 1]; /* of index.yaml */
    char *etag, *last_modified;
    char revision[72];
    size_t bytes; /* held, by estimate */
} dv_repo_snapshot;

void dv_repo_gate_unref(dv_repo_gate *gate);
void dv_repo_conf_unref(dv_repo_conf *conf);
dv_repo_conf *dv_repo_conf_ref(dv_repo_conf *conf);
void dv_repo_entry_unref(dv_repo_entry *entry);
dv_repo_entry *dv_repo_entry_ref(dv_repo_entry *entry);
void dv_repo_snapshot_unref(dv_repo_snapshot *snapshot);
dv_repo_snapshot *dv_repo_snapshot_ref(dv_repo_snapshot *snapshot); /* NULL gives NULL */
const dv_repo_entry *dv_repo_snapshot_find(const dv_repo_snapshot *snapshot, const char *name);
/* Whether the repository may serve this name at all. */
bool dv_repo_conf_serves(const dv_repo_conf *conf, const char *package);

static inline void dv_repo_conf_unrefp(dv_repo_conf **at)
{
    dv_repo_conf_unref(*at);
}
static inline void dv_repo_snapshot_unrefp(dv_repo_snapshot **at)
{
    dv_repo_snapshot_unref(*at);
}
#define dv_auto_conf DV_CLEANUP(dv_repo_conf_unrefp) dv_repo_conf *
#define dv_auto_snapshot DV_CLEANUP(dv_repo_snapshot_unrefp) dv_repo_snapshot *

/* ---- The set ---- */

typedef struct dv_repo dv_repo;
struct dv_repo {
    dv_repo_conf *conf;
    dv_repo_snapshot *snapshot; /* NULL: never read */
    bool attempted;             /* a sync has ended, well or not */
    bool syncing;
};

typedef struct dv_repo_memory dv_repo_memory;

struct dv_repos {
    dv_fetcher *fetcher;
    dv_repo_decoder decoder;
    dv_repo_cache *cache;
    pthread_mutex_t mu;     /* all below */
    pthread_cond_t fetched; /* a place to fetch has become free */
    dv_map *by_name;        /* dv_repo */
    dv_repo_gate inlined;   /* manifests of no repository */
    dv_repo_memory *memory;
};

/* One that is configured, with a hold on what is frozen. NOT_FOUND "RepositoryNotFound". */
DV_MUST_USE dv_err *dv_repos_find(dv_repos *repos, const char *name, dv_repo_conf **ret_conf,
                                  dv_repo_snapshot **ret_snapshot);
/* A place among those who may wait for this repository (NULL: for none in particular). WAITING
 * "RepositoryBusy". */
DV_MUST_USE dv_err *dv_repos_enter(dv_ctx *ctx, dv_repos *repos, dv_repo_conf *conf);
void dv_repos_leave(dv_repos *repos, dv_repo_conf *conf);

/* ---- URLs ---- */

/* A semantic version, which is always a plain path segment. */
bool dv_repo_version_valid(dv_str version);
/* Owned: "<url>/<a>/<b>/<c>" of those that are not NULL, each a segment, encoded where RFC 3986
 * says so. */
char *dv_repo_url(const dv_repo_conf *conf, const char *a, const char *b, const char *c);

/* ---- Decoded packages in memory; with the set's lock held ---- */

dv_repo_memory *dv_repo_memory_new(void);
void dv_repo_memory_free(dv_repo_memory *memory);
/*
 * A hold on the package that is kept for this key, or what was refused for it (owned) as long as it
 * counts; both NULL: nothing is known.
 */
dv_repo_package *dv_repo_memory_get(dv_repo_memory *memory, const char *key, int64_t now_ms,
                                    dv_err **ret_refused);
/* Keeps a package (by a hold of its own), or a copy of what was refused. */
void dv_repo_memory_put(dv_repo_memory *memory, const char *key, dv_repo_package *package,
                        const dv_err *refused, int64_t now_ms, size_t cost);
/* All whose key begins so. */
void dv_repo_memory_drop(dv_repo_memory *memory, const char *prefix);
size_t dv_repo_memory_bytes(const dv_repo_memory *memory);

/* ---- Documents ---- */

/*
 * Decodes in the cage and takes what it says with care: "warnings" moves to ret_warnings (may be
 * NULL), bounded, as texts of one line each.
 */
DV_MUST_USE dv_err *dv_repos_decode(dv_ctx *ctx, dv_repos *repos, const char *what, dv_str bytes,
                                    json_t **ret_json, dv_strings *ret_warnings);

/* One document that is kept fresh. */
typedef struct {
    char *url;        /* owned */
    const char *what; /* for the decoder */
    size_t bytes_max;
    const char *etag, *last_modified; /* of what is held, borrowed; NULL: none */
    const char *sha256;               /* of what is held, borrowed; NULL: nothing is */

    /* What came of it. */
    bool unchanged; /* what is held is right; the validators below may be newer, or NULL */
    json_t *json;   /* owned: other content, decoded */
    char *new_etag, *new_last_modified; /* owned */
    char new_sha256[DV_SHA256_HEX + 1]; /* of json */
    dv_strings warnings;                /* of json */
    bool fetched, not_modified;         /* how the request was answered, if it was */
    dv_err *err; /* owned: what stood in the way; json may be the copy from disk nevertheless */
} dv_repo_document;
void dv_repo_document_done(dv_repo_document *document);
/* Refreshes n documents, a few at once. With `offline` nobody is asked: what is not held comes from
 * disk or not at all. */
void dv_repos_refresh(dv_ctx *ctx, dv_repos *repos, const dv_repo_conf *conf, bool offline,
                      dv_repo_document *documents, size_t n);
