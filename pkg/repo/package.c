/* SPDX-License-Identifier: Apache-2.0 */
/* What never changes: a version's package.yaml. From memory, from disk, from the repository. */
#include "repo/repo_internal.h"

/* A decoded package costs about this many times its bytes. */
enum { COST_FACTOR = 6 };

void dv_repo_package_unref(dv_repo_package *package)
{
    if (!package || --package->refs > 0)
        return;
    dv_package_free(package->package);
    dv_strings_done(&package->warnings);
    free(package->url);
    free(package);
}

static void package_unrefp(dv_repo_package **at)
{
    dv_repo_package_unref(*at);
}
#define auto_package DV_CLEANUP(package_unrefp) dv_repo_package *

/* One package.yaml that is wanted. */
typedef struct {
    dv_ctx *ctx;
    dv_repos *repos;
    dv_repo_conf *conf;
    const char *package, *version;
    char *url;
    char *key; /* in memory */
} want;

static void want_done(want *w)
{
    dv_repo_conf_unref(w->conf);
    free(w->url);
    free(w->key);
}

static dv_err *begin(want *w, const char *repository)
{
    if (!dv_package_name_valid(dv_str_of(w->package)))
        return dv_err_new(DV_INVALID, "BadName", "no valid package name");
    if (!dv_repo_version_valid(dv_str_of(w->version)))
        return dv_err_new(DV_INVALID, "BadVersion", "package %s: no valid version", w->package);
    DV_CHECK(dv_repos_find(w->repos, repository, &w->conf, /* ret_snapshot= */ NULL));
    if (!dv_repo_conf_serves(w->conf, w->package))
        return dv_err_new(DV_NOT_FOUND, "PackageNotFound", "repository %s may not serve package %s",
                          repository, w->package);
    w->url = dv_repo_url(w->conf, w->package, w->version, "package.yaml");
    w->key = dv_asprintf("%s %s", w->conf->scope, w->url);
    return NULL;
}

/* True: the answer is there, a package or what is known against it. */
static bool in_memory(const want *w, dv_repo_package **ret_package, dv_err **ret_err)
{
    DV_LOCK_SCOPE(&w->repos->mu);
    dv_err *refused = NULL;

    *ret_package = dv_repo_memory_get(w->repos->memory, w->key, dv_ctx_now_ms(w->ctx), &refused);
    *ret_err = refused;
    return *ret_package || refused;
}

static void remember(const want *w, dv_repo_package *package, const dv_err *refused, size_t bytes)
{
    DV_LOCK_SCOPE(&w->repos->mu);
    dv_repo_memory_put(w->repos->memory, w->key, package, refused, dv_ctx_now_ms(w->ctx),
                       bytes * COST_FACTOR);
}

/* Refusals that the content deserves are remembered, others not. */
static dv_err *refuse(const want *w, dv_err *err)
{
    if (dv_err_is(err, DV_INVALID) || dv_err_is(err, DV_NOT_FOUND))
        remember(w, NULL, err, 0);
    return err;
}

static dv_err *decode(const want *w, dv_str bytes, const char *sha256,
                      dv_repo_package **ret_package)
{
    auto_package made = DV_NEW(dv_repo_package);
    json_auto_t *json = NULL;

    made->refs = 1;
    made->url = dv_strdup(w->url);
    memcpy(made->sha256, sha256, sizeof(made->sha256));
    DV_TRY(dv_repos_decode(w->ctx, w->repos, "package", bytes, &json, &made->warnings),
           "package %s %s of repository %s", w->package, w->version, w->conf->name);
    DV_TRY(dv_package_decode(json, &made->package, /* warnings= */ NULL),
           "package %s %s of repository %s", w->package, w->version, w->conf->name);
    if (strcmp(made->package->name, w->package) != 0)
        return dv_err_new(DV_INVALID, "InvalidPackage",
                          "package %s %s of repository %s: its package.yaml names %s", w->package,
                          w->version, w->conf->name, made->package->name);
    remember(w, made, NULL, bytes.n);
    *ret_package = DV_TAKE(made);
    return NULL;
}

/* What is on disk was once fetched and decoded; it only fails where we have become stricter. */
static bool on_disk(const want *w, dv_repo_cached *ret_cached)
{
    return dv_repo_cache_get(w->repos->cache, w->conf->scope, w->url, DV_PACKAGE_BYTES_MAX,
                             ret_cached);
}

static dv_err *fetch(const want *w, const dv_repo_cached *known, dv_fetch_result *ret_result)
{
    const dv_fetch_request request = {
        .url = w->url,
        .auth = w->conf->auth,
        .etag = known ? known->etag : NULL,
        .last_modified = known ? known->last_modified : NULL,
        .body_max = DV_PACKAGE_BYTES_MAX,
    };

    if (w->conf->suspended)
        return dv_err_new(DV_WAITING, "RepositorySuspended", "repository %s is suspended",
                          w->conf->name);
    return dv_fetch(w->ctx, w->repos->fetcher, &request, ret_result);
}

static dv_err *keep_fetched(const want *w, const dv_fetch_result *result,
                            dv_repo_package **ret_package)
{
    dv_str bytes = dv_buf_str(&result->body);
    char sha256[DV_SHA256_HEX + 1];

    dv_sha256_hex(bytes, sha256);
    DV_CHECK(decode(w, bytes, sha256, ret_package));
    dv_repo_cache_put(w->repos->cache, w->conf->scope, w->url, result->etag, result->last_modified,
                      sha256, bytes);
    return NULL;
}

static dv_err *bring(const want *w, dv_repo_package **ret_package)
{
    DV_CLEANUP(dv_fetch_result_done) dv_fetch_result result = {0};
    dv_err *err = NULL;

    /* Somebody may have brought it while we waited for a place. */
    if (in_memory(w, ret_package, &err))
        return err;
    err = fetch(w, /* known= */ NULL, &result);
    if (!err)
        err = keep_fetched(w, &result, ret_package);
    return refuse(w, err);
}

/* The place is held until the package is remembered, so that who waits for it finds it. */
static dv_err *with_place(const want *w, dv_repo_package **ret_package)
{
    DV_CHECK(dv_repos_enter(w->ctx, w->repos, w->conf));
    dv_err *err = bring(w, ret_package);
    dv_repos_leave(w->repos, w->conf);
    return err;
}

dv_err *dv_repos_package(dv_ctx *ctx, dv_repos *repos, const char *repository, const char *package,
                         const char *version, dv_repo_package **ret_package)
{
    DV_CLEANUP(want_done)
    want w = {.ctx = ctx, .repos = repos, .package = package, .version = version};
    DV_CLEANUP(dv_repo_cached_done) dv_repo_cached cached = {0};
    dv_repo_package *found = NULL;
    dv_err *err;

    DV_CHECK(begin(&w, repository));
    if (!in_memory(&w, &found, &err)) {
        err = on_disk(&w, &cached) ? decode(&w, dv_buf_str(&cached.bytes), cached.sha256, &found)
                                   : with_place(&w, &found);
        if (dv_err_is(err, DV_INVALID) && cached.bytes.n) {
            dv_repo_cache_drop(repos->cache, w.conf->scope, w.url);
            dv_err_free(err);
            err = with_place(&w, &found);
        }
    }
    if (!err)
        *ret_package = found;
    return err;
}

/* ---- Asking whether it is still so ---- */

static dv_err *ask_again(const want *w, const dv_repo_cached *known, dv_fetch_result *result)
{
    DV_CHECK(dv_repos_enter(w->ctx, w->repos, w->conf));
    dv_err *err = fetch(w, known, result);
    dv_repos_leave(w->repos, w->conf);
    return err;
}

static dv_err *check(const want *w, dv_repo_package **ret_package)
{
    DV_CLEANUP(dv_fetch_result_done) dv_fetch_result result = {0};
    DV_CLEANUP(dv_repo_cached_done) dv_repo_cached cached = {0};
    bool known = on_disk(w, &cached);
    dv_err *refused = NULL;

    DV_CHECK(ask_again(w, known ? &cached : NULL, &result));
    if (!result.not_modified)
        return keep_fetched(w, &result, ret_package);
    bool there = in_memory(w, ret_package, &refused);
    dv_err_free(refused);
    if (there && *ret_package && strcmp((*ret_package)->sha256, cached.sha256) == 0)
        return NULL;
    dv_repo_package_unref(*ret_package);
    return decode(w, dv_buf_str(&cached.bytes), cached.sha256, ret_package);
}

dv_err *dv_repos_package_check(dv_ctx *ctx, dv_repos *repos, const char *repository,
                               const char *package, const char *version,
                               dv_repo_package **ret_package)
{
    DV_CLEANUP(want_done)
    want w = {.ctx = ctx, .repos = repos, .package = package, .version = version};
    dv_repo_package *found = NULL;

    DV_CHECK(begin(&w, repository));
    dv_err *err = check(&w, &found);
    if (err)
        return refuse(&w, err);
    *ret_package = found;
    return NULL;
}
