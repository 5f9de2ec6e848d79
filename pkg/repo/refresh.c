/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that change: asked for conditionally, kept on disk, read from there in need. */
#include "repo/repo_internal.h"

void dv_repo_document_done(dv_repo_document *document)
{
    free(document->url);
    json_decref(document->json);
    free(document->new_etag);
    free(document->new_last_modified);
    dv_strings_done(&document->warnings);
    dv_err_free(document->err);
    *document = (dv_repo_document){0};
}

/* A document on its way. */
typedef struct {
    dv_repo_document *document;
    dv_repo_cached cached; /* what is on disk, where nothing is held in memory */
    bool on_disk, asked;
    dv_fetch_result result;
    dv_err *err;
} trip;

static void trip_done(trip *t)
{
    dv_repo_cached_done(&t->cached);
    dv_fetch_result_done(&t->result);
    dv_err_free(t->err);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void set_validators(dv_repo_document *document, const char *etag, const char *last_modified)
{
    document->new_etag = dv_strdup(etag);
    document->new_last_modified = dv_strdup(last_modified);
}

/* Decodes the copy on disk; one that can't be read is not kept. */
static void use_cached(dv_ctx *ctx, dv_repos *repos, const dv_repo_conf *conf, trip *t)
{
    dv_repo_document *document = t->document;
    dv_err *err = dv_repos_decode(ctx, repos, document->what, dv_buf_str(&t->cached.bytes),
                                  &document->json, &document->warnings);

    if (err && dv_err_is(err, DV_INVALID))
        dv_repo_cache_drop(repos->cache, conf->scope, document->url);
    if (err) {
        document->err = dv_err_join(document->err, err);
        return;
    }
    memcpy(document->new_sha256, t->cached.sha256, sizeof(document->new_sha256));
    set_validators(document, t->cached.etag, t->cached.last_modified);
}

/* Takes err; the document's URL is put in front. */
static dv_err *name(const dv_repo_document *document, dv_err *err)
{
    DV_CLEANUP(dv_buf_done) dv_buf shown = DV_BUF_INIT(2 * DV_URL_MAX);

    dv_url_add_public(&shown, dv_str_of(document->url));
    return dv_err_wrap(err, "%s", dv_buf_cstr(&shown));
}

static void use_fetched(dv_ctx *ctx, dv_repos *repos, const dv_repo_conf *conf, trip *t)
{
    dv_repo_document *document = t->document;
    dv_str bytes = dv_buf_str(&t->result.body);
    char sha256[DV_SHA256_HEX + 1];

    dv_sha256_hex(bytes, sha256);
    document->unchanged = document->sha256 && strcmp(document->sha256, sha256) == 0;
    if (!document->unchanged)
        document->err = name(document, dv_repos_decode(ctx, repos, document->what, bytes,
                                                       &document->json, &document->warnings));
    if (document->err)
        return;
    memcpy(document->new_sha256, sha256, sizeof(sha256));
    set_validators(document, t->result.etag, t->result.last_modified);
    if (!document->unchanged || !same_text(document->etag, t->result.etag))
        dv_repo_cache_put(repos->cache, conf->scope, document->url, t->result.etag,
                          t->result.last_modified, sha256, bytes);
}

static void finish(dv_ctx *ctx, dv_repos *repos, const dv_repo_conf *conf, trip *t)
{
    dv_repo_document *document = t->document;
    bool held = document->sha256 != NULL;

    document->fetched = t->asked && !t->err && !t->result.not_modified;
    document->not_modified = t->asked && !t->err && t->result.not_modified;
    if (document->fetched)
        use_fetched(ctx, repos, conf, t);
    else if (document->not_modified && held)
        document->unchanged = true;
    else if (!held && t->on_disk && !dv_err_is(t->err, DV_CANCELED))
        use_cached(ctx, repos, conf, t);
    document->err = dv_err_join(DV_TAKE(t->err), document->err);
}

static dv_fetch_request request_of(const dv_repo_conf *conf, const trip *t)
{
    return (dv_fetch_request){
        .url = t->document->url,
        .auth = conf->auth,
        .etag = t->on_disk ? t->cached.etag : t->document->etag,
        .last_modified = t->on_disk ? t->cached.last_modified : t->document->last_modified,
        .body_max = t->document->bytes_max,
    };
}

static void fetch_all(dv_ctx *ctx, dv_repos *repos, const dv_repo_conf *conf, trip *trips, size_t n)
{
    DV_CLEANUP(dv_freep) dv_fetch_request *requests = dv_calloc(n, sizeof(*requests));
    DV_CLEANUP(dv_freep) dv_fetch_outcome *outcomes = dv_calloc(n, sizeof(*outcomes));

    for (size_t i = 0; i < n; i++)
        requests[i] = request_of(conf, &trips[i]);
    dv_fetch_batch(ctx, repos->fetcher, requests, n, DV_REPO_REQUESTS_AT_ONCE, outcomes);
    for (size_t i = 0; i < n; i++) {
        trips[i].asked = true;
        trips[i].err = outcomes[i].err;
        trips[i].result = outcomes[i].result;
    }
}

void dv_repos_refresh(dv_ctx *ctx, dv_repos *repos, const dv_repo_conf *conf, bool offline,
                      dv_repo_document *documents, size_t n)
{
    DV_CLEANUP(dv_freep) trip *trips = dv_calloc(n, sizeof(*trips));

    for (size_t i = 0; i < n; i++) {
        trips[i].document = &documents[i];
        if (!documents[i].sha256)
            trips[i].on_disk = dv_repo_cache_get(repos->cache, conf->scope, documents[i].url,
                                                 documents[i].bytes_max, &trips[i].cached);
    }
    if (!offline)
        fetch_all(ctx, repos, conf, trips, n);
    for (size_t i = 0; i < n; i++) {
        finish(ctx, repos, conf, &trips[i]);
        trip_done(&trips[i]);
    }
}
