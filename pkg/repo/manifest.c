/* SPDX-License-Identifier: Apache-2.0 */
/* The manifests that a package.yaml names. */
#include "repo/repo_internal.h"

/* The scope of manifests that belong to no repository. */
static const char inline_scope[] = "0000000000000000";

typedef struct {
    dv_ctx *ctx;
    dv_repos *repos;
    dv_repo_conf *conf; /* NULL: inline */
    dv_buf url;
} want;

static void want_done(want *w)
{
    dv_repo_conf_unref(w->conf);
    dv_buf_done(&w->url);
}

static const char *scope_of(const want *w)
{
    return w->conf ? w->conf->scope : inline_scope;
}

/* ---- Where it is ---- */

static dv_err *not_allowed(const char *what)
{
    return dv_err_new(DV_DENIED, "SchemeNotAllowed", "%s", what);
}

/* A file is only read where the repository's own files are. */
static dv_err *check_scheme(const want *w)
{
    dv_url url;

    DV_CHECK(dv_url_parse(dv_buf_str(&w->url), &url));
    if (!dv_str_is(url.scheme, "file"))
        return NULL;
    if (!w->conf)
        return not_allowed("a file can't be the manifest of an inline package");
    dv_auto_str folder = dv_asprintf("%s/", w->conf->url);
    if (!dv_str_starts(dv_buf_str(&w->url), dv_str_of(folder)))
        return not_allowed("a file outside of the repository can't be a manifest");
    return NULL;
}

static dv_err *resolve(want *w, const char *base_url, const char *reference)
{
    dv_url url;

    if (base_url) {
        DV_CHECK(
            dv_url_resolve(dv_str_of(base_url), dv_str_of(reference), /* inside= */ true, &w->url));
    } else {
        DV_CHECK(dv_url_parse(dv_str_of(reference), &url));
        dv_buf_adds(&w->url, reference);
    }
    return check_scheme(w);
}

/* Takes err. */
static dv_err *name(const want *w, const char *reference, dv_err *err)
{
    DV_CLEANUP(dv_buf_done) dv_buf shown = DV_BUF_INIT(2 * DV_URL_MAX);

    dv_url_add_public(&shown, w->url.n ? dv_buf_str(&w->url) : dv_str_of(reference));
    return dv_err_wrap(err, "manifest %s", dv_buf_cstr(&shown));
}

/* ---- What it is ---- */

static dv_err *check_type(const char *content_type)
{
    static const char *const accepted[] = {
        "application/json", "application/yaml", "application/x-yaml", "application/octet-stream",
        "text/yaml",        "text/x-yaml",      "text/plain",
    };
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$&-^_.+/";
    dv_str type;

    dv_str_cut(dv_str_of(content_type), ';', &type);
    type = dv_str_trim(type);
    for (size_t i = 0; i < DV_LEN(accepted); i++)
        if (type.n == strlen(accepted[i]) && strncasecmp(type.p, accepted[i], type.n) == 0)
            return NULL;
    if (!type.n)
        return NULL;
    dv_auto_str text = dv_str_dup(type);
    bool shown = type.n <= 64 && strspn(text, token) == type.n;
    return dv_err_new(DV_INVALID, "ContentType",
                      "its content type is %s; JSON, YAML, plain text or octet-stream is expected",
                      shown ? text : "unreadable");
}

static dv_err *fetch(const want *w, const dv_repo_cached *cached, dv_fetch_result *result)
{
    const dv_fetch_request request = {
        .url = dv_buf_cstr(&w->url),
        .auth = w->conf ? w->conf->auth : NULL,
        .etag = cached ? cached->etag : NULL,
        .last_modified = cached ? cached->last_modified : NULL,
        .body_max = DV_REPO_MANIFEST_BYTES_MAX,
    };

    if (w->conf && w->conf->suspended)
        return dv_err_new(DV_WAITING, "RepositorySuspended", "repository %s is suspended",
                          w->conf->name);
    DV_CHECK(dv_repos_enter(w->ctx, w->repos, w->conf));
    dv_err *err = dv_fetch(w->ctx, w->repos->fetcher, &request, result);
    dv_repos_leave(w->repos, w->conf);
    return err;
}

static dv_err *give(dv_buf *out, dv_str bytes, const char *sha256,
                    char ret_sha256[DV_SHA256_HEX + 1])
{
    dv_buf_add_str(out, bytes);
    DV_CHECK(dv_buf_check(out));
    memcpy(ret_sha256, sha256, DV_SHA256_HEX + 1);
    return NULL;
}

static dv_err *keep_fetched(const want *w, const dv_fetch_result *result, dv_buf *out,
                            char ret_sha256[DV_SHA256_HEX + 1])
{
    dv_str bytes = dv_buf_str(&result->body);
    char sha256[DV_SHA256_HEX + 1];

    DV_CHECK(check_type(result->content_type));
    dv_sha256_hex(bytes, sha256);
    dv_repo_cache_put(w->repos->cache, scope_of(w), dv_buf_cstr(&w->url), result->etag,
                      result->last_modified, sha256, bytes);
    return give(out, bytes, sha256, ret_sha256);
}

static dv_err *take(const want *w, const char *known_sha256, dv_buf *out,
                    char ret_sha256[DV_SHA256_HEX + 1])
{
    DV_CLEANUP(dv_repo_cached_done) dv_repo_cached cached = {0};
    DV_CLEANUP(dv_fetch_result_done) dv_fetch_result result = {0};
    bool have = dv_repo_cache_get(w->repos->cache, scope_of(w), dv_buf_cstr(&w->url),
                                  DV_REPO_MANIFEST_BYTES_MAX, &cached);

    if (have && known_sha256 && strcmp(known_sha256, cached.sha256) == 0)
        return give(out, dv_buf_str(&cached.bytes), cached.sha256, ret_sha256);
    dv_auto(dv_err) err = fetch(w, have ? &cached : NULL, &result);
    if (!err && !result.not_modified)
        return keep_fetched(w, &result, out, ret_sha256);
    bool out_of_reach = dv_err_is(err, DV_TRANSIENT) || dv_err_is(err, DV_WAITING);
    if (have && (!err || out_of_reach))
        return give(out, dv_buf_str(&cached.bytes), cached.sha256, ret_sha256);
    return DV_TAKE(err);
}

dv_err *dv_repos_manifest(dv_ctx *ctx, dv_repos *repos, const char *repository,
                          const char *base_url, const char *reference, const char *known_sha256,
                          dv_buf *out, char **ret_url, char ret_sha256[DV_SHA256_HEX + 1])
{
    DV_CLEANUP(want_done) want w = {.ctx = ctx, .repos = repos, .url = DV_BUF_INIT(DV_URL_MAX)};

    if (repository)
        DV_CHECK(dv_repos_find(repos, repository, &w.conf, /* ret_snapshot= */ NULL));
    dv_err *err = resolve(&w, base_url, reference);
    if (!err)
        err = take(&w, known_sha256, out, ret_sha256);
    if (err)
        return name(&w, reference, err);
    *ret_url = dv_buf_take(&w.url);
    return NULL;
}
