/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Package repositories in Glasskube's layout, as one set shared by all workers.
 *
 *     <url>/index.yaml                      names            ┐ kept fresh by dv_repo_sync(), every
 * interval; <url>/<package>/versions.yaml         version texts    ┘ conditional requests, disk
 * cache <url>/<package>/<version>/package.yaml                 never changes: cached by content,
 * checked when asked
 *
 * Rules. A package name or version that is no plain path segment is refused before a URL is made
 * of it. Priority is a filter: of the repositories that a namespace may use, only those of the
 * highest priority that have the name give candidates, and one that is stale or has never been
 * reached never lets a lower one answer (a name that it might have is then WAITING). A name that an
 * index lists is had by its repository, though its versions.yaml be missing or unreadable: there
 * are no candidates then. Of several repositories of one priority, one whose first sync failed
 * holds up no name that another one of them has; while that first sync has not ended, all names
 * wait. While a repository is down its old copy is served and said to be stale.
 *
 * Content is parsed by the dv_repo_decoder that the owner gives: the cage.
 *
 * At most DV_REPO_FETCHES_MAX workers wait for one repository at once; others wait
 * DV_REPO_BUSY_WAIT_MS for a place and then get WAITING "RepositoryBusy", so a slow repository
 * never takes all workers.
 *
 * Threads: any. Locks: the set's own, never held across I/O, a callback or a decode.
 */
#pragma once

#include "http/fetch.h"
#include "manifest/package.h"

#define DV_REPO_FETCHES_MAX 2
#define DV_REPO_BUSY_WAIT_MS ((int64_t)250)
#define DV_REPO_INDEX_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define DV_REPO_MANIFEST_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define DV_REPO_PACKAGES_MAX ((size_t)20000)
#define DV_REPO_VERSIONS_MAX ((size_t)20000) /* of one package */
#define DV_REPO_WARNINGS_MAX ((size_t)20)

/*
 * Parses what was fetched. "index": {"packages":[{"name",…}]}; "versions":
 * {"latestVersion","versions":["…"]}; "package": the form of dv_package_encode(). Each with
 * "warnings":[…]. *ret_json is owned. Blocks.
 */
typedef struct {
    dv_err *(*decode)(void *arg, dv_ctx *ctx, const char *what, dv_str bytes, json_t **ret_json);
    void *arg;
} dv_repo_decoder;
/*
 * The operations themselves, to be run in a cage. Pure. Unreadable version texts and invalid names
 * are left out with a warning each. INVALID "InvalidRepository" (index, versions),
 * "InvalidPackage".
 */
DV_MUST_USE dv_err *dv_repo_decode(const char *what, dv_str bytes, json_t **ret_json);

typedef struct dv_repos dv_repos;
/* Borrows fetcher and decoder. cache_dir: made when missing; NULL: memory only. cache bytes on disk
 * are bounded (DV_REPO_CACHE_MAX). */
#define DV_REPO_CACHE_MAX ((size_t)512 * 1024 * 1024)
dv_repos *dv_repos_new(dv_fetcher *fetcher, dv_repo_decoder decoder, const char *cache_dir);
void dv_repos_free(dv_repos *repos);
DV_DEFINE_AUTO(dv_repos)

/* One repository as an administrator wishes it. Texts and lists are copied. */
typedef struct {
    const char *name;
    const char *url;
    int64_t priority;
    const dv_strings *packages; /* globs of names it may serve; NULL or empty: all */
    bool insecure;              /* plain http */
    bool suspended;             /* serves what it has, fetches nothing new */
    /* Which namespaces may use it; NULL: all. Asked without a lock, from any thread. */
    bool (*may_use)(void *arg, const char *ns);
    void *arg;
    void (*arg_free)(void *arg); /* called when the wish is replaced and nobody uses it any more,
                                    also when dv_repos_put() fails; NULL */
    dv_fetch_auth_options auth;  /* origin and allow_plain are set from url and insecure */
} dv_repo_wish;
/* Adds or changes a repository. What was cached stays unless url changed. INVALID: bad URL, glob or
 * certificate. */
DV_MUST_USE dv_err *dv_repos_put(dv_repos *repos, const dv_repo_wish *wish);
/* Forgets it and what was cached of it. */
void dv_repos_drop(dv_repos *repos, const char *name);

typedef struct {
    int64_t packages, versions; /* names it may serve that have versions; their versions together */
    char revision[72];          /* "sha256:<64 hex>" of the index and all versions.yaml */
    bool stale; /* an old copy is served, whole or in part; the error says what stood in the way */
    bool changed;                    /* revision differs from the sync before */
    DV_VEC(char *) changed_packages; /* names whose versions changed; empty with changed set: all */
    int64_t fetched, not_modified;   /* requests by outcome */
    dv_strings warnings; /* what was left out of index and versions, at most DV_REPO_WARNINGS_MAX,
                            then their number */
} dv_repo_sync_result;
void dv_repo_sync_result_done(dv_repo_sync_result *result);
/*
 * Reads index.yaml and, of the names it may serve, versions.yaml (conditionally, a few at once).
 * What fails leaves the old copy in place: the result is filled, stale is set, and the error says
 * why. With nothing old there only the error. A versions.yaml that is missing or unreadable is a
 * warning (its old copy stays); after DV_REPO_SYNC_FAILURES_MAX other failures the rest is left for
 * the next sync. Of a suspended one the copy on disk is read, if nothing was yet. NOT_FOUND
 * "RepositoryNotFound"; WAITING "RepositoryBusy": a sync of it is running; WAITING
 * "RepositorySuspended".
 */
#define DV_REPO_SYNC_FAILURES_MAX 3
DV_MUST_USE dv_err *dv_repo_sync(dv_ctx *ctx, dv_repos *repos, const char *name,
                                 dv_repo_sync_result *ret_result);

/*
 * Version texts of a package for a namespace, and the repositories that give them (the highest
 * priority that has the name; several of one priority: the union, and a version served by two is
 * given by the repository whose name sorts first), in no particular order. repository: only this
 * one; NULL: by priority. NOT_FOUND "PackageNotFound", "RepositoryNotFound". DENIED
 * "RepositoryNotAllowed". WAITING "RepositoryNotReady": one that might have it was never read.
 */
typedef DV_VEC(struct {
    char *version;
    char *repository;
}) dv_repo_versions;
void dv_repo_versions_done(dv_repo_versions *versions);
DV_MUST_USE dv_err *dv_repos_versions(dv_ctx *ctx, dv_repos *repos, const char *ns,
                                      const char *repository, const char *package,
                                      dv_repo_versions *ret_versions);

/* A package.yaml with what must be known of its bytes. Shared by count, never changed. */
typedef struct dv_repo_package dv_repo_package;
struct dv_repo_package {
    _Atomic int refs;
    dv_package *package;
    dv_strings warnings;
    char *url;                      /* of package.yaml */
    char sha256[DV_SHA256_HEX + 1]; /* of its bytes */
};
void dv_repo_package_unref(dv_repo_package *package);
/*
 * From memory, from disk, or fetched, in this order. NOT_FOUND: the index lists what is not there;
 * "RepositoryNotFound". INVALID: unreadable; name differs. Both are remembered for a minute.
 * WAITING "RepositoryBusy", "RepositorySuspended" (not in the cache). No permission is asked here:
 * dv_repos_versions() does.
 */
DV_MUST_USE dv_err *dv_repos_package(dv_ctx *ctx, dv_repos *repos, const char *repository,
                                     const char *package, const char *version,
                                     dv_repo_package **ret_package);
/* The same, after asking the repository (conditionally) whether the bytes are still these; others
 * replace what was cached. Fails where it can't be asked. */
DV_MUST_USE dv_err *dv_repos_package_check(dv_ctx *ctx, dv_repos *repos, const char *repository,
                                           const char *package, const char *version,
                                           dv_repo_package **ret_package);

/*
 * The bytes of one of its manifests (reference relative to package.yaml, or absolute), appended to
 * out. *ret_url is the resolved URL, owned; ret_sha256 of the bytes. known_sha256 (may be NULL):
 * when the cache holds these bytes for this URL, no request is made. A relative reference stays in
 * package.yaml's folder. repository NULL: of an inline manifest, base_url is NULL and the reference
 * absolute. Accepts the content types application/json, yaml, x-yaml, octet-stream, text/yaml,
 * text/x-yaml, text/plain or none (INVALID "ContentType"). When the repository can't be reached,
 * what is cached for this URL is given.
 */
DV_MUST_USE dv_err *dv_repos_manifest(dv_ctx *ctx, dv_repos *repos, const char *repository,
                                      const char *base_url, const char *reference,
                                      const char *known_sha256, dv_buf *out, char **ret_url,
                                      char ret_sha256[DV_SHA256_HEX + 1]);
/* Names of all packages a namespace may use, as the last syncs had them; sorted. */
void dv_repos_names(dv_repos *repos, const char *ns, dv_strings *ret_names);
/*
 * What the indexes of these repositories say now, without a sync: an owned array of {"name",
 * "latestVersion"?, "shortDescription"?, "repository"}, each name from the first repository that
 * has it, best priority first. What stood in the way is appended to ret_unread, a sentence a
 * repository; an old copy may be listed nevertheless. Others: CANCELED, TRANSIENT by ctx.
 */
DV_MUST_USE dv_err *dv_repos_index(dv_ctx *ctx, dv_repos *repos, const char *ns, json_t **ret_list,
                                   dv_strings *ret_unread);
/* Bytes held in memory, for metrics. */
size_t dv_repos_memory(dv_repos *repos);
