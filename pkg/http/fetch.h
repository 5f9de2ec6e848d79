/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching what an outsider's URL names, under the rules for URLs: http (only where allowed)
 * and https, redirects followed by hand (at most DV_REDIRECTS_MAX, each address checked again,
 * credentials and client certificate only to their own origin), file:// only below the
 * allowed roots, body and time bounded, conditional when the caller holds an ETag or date.
 *
 * A dv_fetcher is shared by all workers; a dv_fetch_auth belongs to one repository.
 *
 * Threads: any.
 */
#pragma once

#include "http/http.h"
#include "http/url.h"

#define DV_REDIRECTS_MAX 5
/* A fetch ends by then whatever the caller's deadline is. */
#define DV_FETCH_TIME_MAX_MS ((int64_t)10 * 60 * 1000)
/* A longer ETag, date or content type is dropped. */
#define DV_FETCH_HEADER_MAX ((size_t)1024)

typedef struct dv_fetcher dv_fetcher;
/* Borrows http and policy until freed; copies file_roots (absolute folders). */
dv_fetcher *dv_fetcher_new(dv_http *http, const dv_address_policy *policy,
                           const dv_strings *file_roots);
void dv_fetcher_free(dv_fetcher *fetcher);
DV_DEFINE_AUTO(dv_fetcher)

/* How one origin is asked. All copied; any may be empty. */
typedef struct {
    const char *origin;        /* URL whose origin the credentials belong to */
    dv_str username, password; /* basic */
    dv_str bearer;
    dv_str cert_pem, key_pem, ca_pem;
    bool allow_plain; /* http:// to this origin */
} dv_fetch_auth_options;
typedef struct dv_fetch_auth dv_fetch_auth;
DV_MUST_USE dv_err *dv_fetch_auth_new(const dv_fetcher *fetcher,
                                      const dv_fetch_auth_options *options,
                                      dv_fetch_auth **ret_auth);
dv_fetch_auth *dv_fetch_auth_ref(dv_fetch_auth *auth);
void dv_fetch_auth_unref(dv_fetch_auth *auth);

typedef struct {
    const char *url;
    dv_fetch_auth *auth;       /* NULL: none */
    const char *etag;          /* If-None-Match; NULL */
    const char *last_modified; /* If-Modified-Since; NULL */
    size_t body_max;           /* 0: DV_BODY_MAX */
} dv_fetch_request;
typedef struct {
    bool not_modified; /* 304: body is empty */
    dv_buf body;
    char *etag, *last_modified; /* owned, NULL: absent */
    char *content_type;
} dv_fetch_result;
void dv_fetch_result_done(dv_fetch_result *result);

/*
 * NOT_FOUND: 404, 410, no such file. DENIED "Unauthorized": 401, 403; "AddressNotAllowed",
 * "SchemeNotAllowed". INVALID: another 4xx ("HTTPStatus"), "TooManyRedirects", "ResponseTooLarge",
 * "BadURL". TRANSIENT: 5xx, 429 (with Retry-After), network, TLS ("TLSFailed"), half a body, time
 * limit.
 */
DV_MUST_USE dv_err *dv_fetch(dv_ctx *ctx, dv_fetcher *fetcher, const dv_fetch_request *request,
                             dv_fetch_result *ret_result);

/*
 * n fetches, at most at_once requests of them on their way at any moment; each outcome is filled:
 * its err (owned), or its result. All bodies are in memory at the end.
 */
typedef struct {
    dv_err *err;
    dv_fetch_result result;
} dv_fetch_outcome;
void dv_fetch_batch(dv_ctx *ctx, dv_fetcher *fetcher, const dv_fetch_request *requests, size_t n,
                    size_t at_once, dv_fetch_outcome *ret_outcomes);
