/* SPDX-License-Identifier: Apache-2.0 */
#include "http/fetch.h"

#include <arpa/inet.h>

#include "http/fetch_internal.h"

struct dv_fetch_auth {
    _Atomic int refs;
    char *origin;
    dv_secret *authorization; /* NULL: none */
    dv_http_profile *profile; /* for the origin; NULL: a file URL */
};

/* ---- Policies ---- */

static bool may_connect_own(const void *arg, const struct sockaddr *address)
{
    return dv_address_allowed(arg, address, /* own_origin= */ true);
}

static bool may_connect_elsewhere(const void *arg, const struct sockaddr *address)
{
    return dv_address_allowed(arg, address, /* own_origin= */ false);
}

/* Elsewhere plain http is for what an administrator opened by name; no proxy hides where it goes.
 */
static bool may_connect_plainly(const void *arg, const struct sockaddr *address)
{
    return dv_address_opened(arg, address);
}

/*
 * A host that is an address is asked about before anything is sent, also where a proxy would do
 * the connecting.
 */
static dv_err *check_literal(const dv_fetcher *fetcher, const dv_url *url, bool own)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(url->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(url->port)};
    const struct sockaddr *address = NULL;
    char host[INET6_ADDRSTRLEN];

    if (url->host.n >= sizeof(host))
        return NULL;
    memcpy(host, url->host.p, url->host.n);
    host[url->host.n] = '\0';
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        address = (const struct sockaddr *)&v4;
    else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        address = (const struct sockaddr *)&v6;
    if (!address || dv_address_allowed(fetcher->policy, address, own))
        return NULL;
    return dv_err_new(DV_DENIED, "AddressNotAllowed", "the address %s may not be connected to",
                      host);
}

/* ---- Fetchers ---- */

dv_fetcher *dv_fetcher_new(dv_http *http, const dv_address_policy *policy,
                           const dv_strings *file_roots)
{
    dv_fetcher *fetcher = DV_NEW(dv_fetcher);
    dv_http_profile_options options = {
        .proxy = "env", .may_connect = may_connect_elsewhere, .arg = policy};

    fetcher->policy = policy;
    fetcher->lane = dv_http_lane_new(http, &(dv_http_lane_options){.name = "fetch"});
    for (size_t i = 0; file_roots && i < file_roots->n; i++)
        dv_strings_add(&fetcher->file_roots, file_roots->at[i]);
    dv_auto(dv_err) err = dv_http_profile_new(&options, &fetcher->elsewhere);
    options.proxy = NULL;
    options.allow_plain = true;
    options.may_connect = may_connect_plainly;
    err = dv_err_join(DV_TAKE(err), dv_http_profile_new(&options, &fetcher->plain_elsewhere));
    DV_ASSERT(!err); /* only certificates can be wrong, and there are none */
    return fetcher;
}

void dv_fetcher_free(dv_fetcher *fetcher)
{
    if (!fetcher)
        return;
    dv_http_profile_unref(fetcher->elsewhere);
    dv_http_profile_unref(fetcher->plain_elsewhere);
    dv_strings_done(&fetcher->file_roots);
    free(fetcher);
}

/* ---- Credentials ---- */

static bool one_line(dv_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return false;
    return true;
}

static dv_err *make_authorization(const dv_fetch_auth_options *options, dv_secret **secret)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf value = DV_BUF_INIT(DV_LINE_MAX);

    if (!one_line(options->bearer) || !one_line(options->username) ||
        !one_line(options->password) || dv_str_find(options->username, ':') >= 0)
        return dv_err_new(DV_INVALID, "BadCredentials",
                          "the credentials hold a character that can't be sent");
    /* Room at once, so that growing leaves no copies behind. */
    dv_buf_room(&plain, options->username.n + options->password.n + 1);
    dv_buf_room(&value, options->bearer.n + 2 * (options->username.n + options->password.n) + 16);
    if (options->bearer.n) {
        dv_buf_adds(&value, "Bearer ");
        dv_buf_add_str(&value, options->bearer);
    } else if (options->username.n || options->password.n) {
        dv_buf_addf(&plain, "%.*s:%.*s", DV_FMT(options->username), DV_FMT(options->password));
        dv_buf_adds(&value, "Basic ");
        dv_base64_add(&value, dv_buf_str(&plain));
    }
    bool fits = !plain.overflow && !value.overflow;
    if (fits && value.n)
        *secret = dv_secret_new(dv_buf_str(&value));
    dv_wipe(plain.p, plain.n);
    dv_wipe(value.p, value.n);
    return fits ? NULL : dv_err_new(DV_INVALID, "BadCredentials", "the credentials are too long");
}

dv_err *dv_fetch_auth_new(const dv_fetcher *fetcher, const dv_fetch_auth_options *options,
                          dv_fetch_auth **ret_auth)
{
    dv_http_profile_options profile = {
        .ca_pem = options->ca_pem,
        .cert_pem = options->cert_pem,
        .key_pem = options->key_pem,
        .proxy = "env",
        .allow_plain = options->allow_plain,
        .may_connect = may_connect_own,
        .arg = fetcher->policy,
    };
    dv_auto(dv_secret) authorization = NULL;
    dv_url url;

    DV_CHECK(dv_url_parse(dv_str_of(options->origin), &url));
    DV_CHECK(make_authorization(options, &authorization));
    dv_http_profile *made = NULL;
    DV_CHECK(dv_http_profile_new(&profile, &made));

    dv_fetch_auth *auth = DV_NEW(dv_fetch_auth);
    auth->refs = 1;
    auth->origin = dv_strdup(options->origin);
    auth->authorization = DV_TAKE(authorization);
    auth->profile = made;
    *ret_auth = auth;
    return NULL;
}

dv_fetch_auth *dv_fetch_auth_ref(dv_fetch_auth *auth)
{
    auth->refs++;
    return auth;
}

void dv_fetch_auth_unref(dv_fetch_auth *auth)
{
    if (!auth || --auth->refs > 0)
        return;
    dv_http_profile_unref(auth->profile);
    dv_secret_free(auth->authorization);
    free(auth->origin);
    free(auth);
}

static bool is_own(const dv_fetch_auth *auth, const dv_url *url)
{
    dv_url origin;

    if (!auth)
        return false;
    dv_auto(dv_err) err = dv_url_parse(dv_str_of(auth->origin), &origin);
    return !err && dv_url_same_origin(&origin, url);
}

/* ---- Answers ---- */

void dv_fetch_result_done(dv_fetch_result *result)
{
    dv_buf_done(&result->body);
    free(result->etag);
    free(result->last_modified);
    free(result->content_type);
    *result = (dv_fetch_result){0};
}

static char *dup_header(const dv_http_response *response, const char *name)
{
    const char *value = dv_http_header(response, name);

    return value && strlen(value) <= DV_FETCH_HEADER_MAX ? dv_strdup(value) : NULL;
}

static dv_err *status_error(int status)
{
    switch (status) {
    case 404:
    case 410:
        return dv_err_new(DV_NOT_FOUND, "NotFound", "the server answered %d", status);
    case 401:
    case 403:
        return dv_err_new(DV_DENIED, "Unauthorized", "the server answered %d", status);
    case 408:
    case 425:
    case 429:
        return dv_err_new(DV_TRANSIENT, "HTTPStatus", "the server answered %d", status);
    default:
        return dv_err_new(status >= 500 ? DV_TRANSIENT : DV_INVALID, "HTTPStatus",
                          "the server answered %d", status);
    }
}

static dv_err *take_answer(dv_ctx *ctx, const dv_fetch_request *request, dv_http_response *response,
                           dv_fetch_result *result)
{
    bool conditional = request->etag || request->last_modified;

    if (response->status != 200 && !(response->status == 304 && conditional)) {
        dv_err *err = status_error(response->status);
        if (dv_err_is(err, DV_TRANSIENT))
            dv_err_set_retry_after(err, dv_http_retry_after_ms(response, ctx->clock));
        return err;
    }
    result->not_modified = response->status == 304;
    result->etag = dup_header(response, "etag");
    result->last_modified = dup_header(response, "last-modified");
    result->content_type = dup_header(response, "content-type");
    if (!result->not_modified) {
        dv_buf_done(&result->body);
        result->body = response->body;
        dv_buf_init(&response->body, response->body.limit);
    }
    return NULL;
}

/* ---- Fetching ---- */

/* One request of a chain of redirects. */
typedef struct {
    dv_buf url;
    dv_url parts; /* of url */
    int redirects;
    bool crossed; /* has left the origin it began at: nothing secret is sent any more */
} hop;

/* One fetch on its way, a request at a time. */
typedef struct {
    const dv_fetch_request *request;
    hop at;
    char *if_none_match, *if_modified;
    const char *headers[2];
    bool over;
    dv_fetch_result result;
    dv_err *err;
} journey;

static void journey_done(journey *j)
{
    dv_buf_done(&j->at.url);
    free(j->if_none_match);
    free(j->if_modified);
}

static dv_err *set_hop(hop *at, dv_buf *url)
{
    dv_buf_done(&at->url);
    at->url = *url;
    dv_buf_init(url, DV_URL_MAX);
    return dv_url_parse(dv_buf_str(&at->url), &at->parts);
}

/* Takes err; puts the address in front. */
static dv_err *name(dv_err *err, const char *verb, dv_str url)
{
    DV_CLEANUP(dv_buf_done) dv_buf label = DV_BUF_INIT(2 * DV_URL_MAX);

    dv_url_add_public(&label, dv_str_head(url, DV_URL_MAX));
    return dv_err_wrap(err, "%s %s", verb, dv_buf_cstr(&label));
}

/* Takes err (NULL: it arrived). */
static void arrive(journey *j, dv_err *err)
{
    j->over = true;
    j->err = j->at.redirects ? name(err, "redirected from", dv_str_of(j->request->url)) : err;
    if (err)
        dv_fetch_result_done(&j->result);
}

static bool own_now(const journey *j)
{
    return !j->at.crossed && is_own(j->request->auth, &j->at.parts);
}

static bool plain_elsewhere(const journey *j, bool own)
{
    return !own && dv_str_is(j->at.parts.scheme, "http");
}

static dv_http_profile *profile_for(const dv_fetcher *fetcher, const journey *j, bool own)
{
    if (own)
        return j->request->auth->profile;
    return plain_elsewhere(j, own) ? fetcher->plain_elsewhere : fetcher->elsewhere;
}

/* The next request; false: it may not be made, and the journey is over. */
static bool prepare(const dv_fetcher *fetcher, journey *j, dv_http_request *ret_question)
{
    bool own = own_now(j);
    dv_err *err = check_literal(fetcher, &j->at.parts, own);

    if (err) {
        arrive(j, name(err, "GET", dv_buf_str(&j->at.url)));
        return false;
    }
    *ret_question = (dv_http_request){
        .url = dv_buf_cstr(&j->at.url),
        .headers = j->headers,
        .authorization = own ? j->request->auth->authorization : NULL,
        .profile = profile_for(fetcher, j, own),
        .response_max = j->request->body_max,
    };
    if (j->if_none_match)
        j->headers[ret_question->n_headers++] = j->if_none_match;
    if (j->if_modified)
        j->headers[ret_question->n_headers++] = j->if_modified;
    return true;
}

/* The Location of a redirect; NULL: the answer is none. */
static const char *redirect_of(const dv_http_response *response)
{
    switch (response->status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return dv_http_header(response, "location");
    default:
        return NULL;
    }
}

static dv_err *follow(hop *at, const char *location)
{
    DV_CLEANUP(dv_buf_done) dv_buf next = DV_BUF_INIT(DV_URL_MAX);
    dv_url to;

    DV_TRY(dv_url_resolve(dv_buf_str(&at->url), dv_str_of(location), /* inside= */ false, &next),
           "redirect");
    DV_CHECK(dv_url_parse(dv_buf_str(&next), &to));
    if (dv_str_is(to.scheme, "file"))
        return dv_err_new(DV_DENIED, "SchemeNotAllowed", "redirected to a file");
    if (at->redirects == DV_REDIRECTS_MAX)
        return dv_err_new(DV_INVALID, "TooManyRedirects", "redirected more than %d times",
                          DV_REDIRECTS_MAX);
    at->redirects++;
    at->crossed |= !dv_url_same_origin(&at->parts, &to);
    return set_hop(at, &next);
}

/* Takes err. It is the scheme, not the address, that a user can mend. */
static dv_err *explain_plain(dv_err *err)
{
    if (strcmp(dv_err_reason(err), "AddressNotAllowed") != 0)
        return err;
    return dv_err_wrap(dv_err_recast(err, DV_DENIED, "SchemeNotAllowed"),
                       "http is for addresses that an administrator has opened, else https");
}

/* Takes what came of the last request. */
static void proceed(dv_ctx *ctx, journey *j, dv_http_result got)
{
    dv_auto(dv_http_response) response = got.response;

    if (got.err) {
        arrive(j, plain_elsewhere(j, own_now(j)) ? explain_plain(got.err) : got.err);
        return;
    }
    const char *location = redirect_of(response);
    dv_err *err =
        location ? follow(&j->at, location) : take_answer(ctx, j->request, response, &j->result);
    if (err)
        arrive(j, name(err, "GET", dv_buf_str(&j->at.url)));
    else if (!location)
        arrive(j, NULL);
}

/* Takes all but http to its end; http is then ready for its first request. */
static void set_out(dv_fetcher *fetcher, const dv_fetch_request *request, journey *j)
{
    DV_CLEANUP(dv_buf_done) dv_buf url = DV_BUF_INIT(DV_URL_MAX);
    dv_str text = dv_str_of(request->url);
    dv_err *err;

    *j = (journey){.request = request, .at.url = DV_BUF_INIT(DV_URL_MAX)};
    j->result.body.limit = request->body_max ? request->body_max : DV_BODY_MAX;
    if (request->etag)
        j->if_none_match = dv_asprintf("If-None-Match: %s", request->etag);
    if (request->last_modified)
        j->if_modified = dv_asprintf("If-Modified-Since: %s", request->last_modified);
    dv_buf_add_str(&url, text);
    err = url.overflow ? dv_err_new(DV_INVALID, "BadURL", "the URL is too long")
                       : set_hop(&j->at, &url);
    if (err)
        arrive(j, name(err, "GET", text));
    else if (!dv_str_is(j->at.parts.scheme, "file"))
        return;
    else if (is_own(request->auth, &j->at.parts))
        arrive(j, name(dv_fetch_file(fetcher, &j->at.parts, request->etag, j->result.body.limit,
                                     &j->result),
                       "read", text));
    else
        arrive(j, name(dv_err_new(DV_DENIED, "SchemeNotAllowed", "file URLs are not allowed here"),
                       "read", text));
}

/* One request for each that is still on its way; false: there is none. */
static bool travel(dv_ctx *ctx, dv_fetcher *fetcher, journey *journeys, size_t n, size_t at_once)
{
    DV_CLEANUP(dv_freep) dv_http_request *questions = dv_calloc(n, sizeof(*questions));
    DV_CLEANUP(dv_freep) dv_http_result *answers = dv_calloc(n, sizeof(*answers));
    DV_CLEANUP(dv_freep) journey **asking = dv_calloc(n, sizeof(journey *));
    size_t asked = 0;

    for (size_t i = 0; i < n; i++)
        if (!journeys[i].over && prepare(fetcher, &journeys[i], &questions[asked]))
            asking[asked++] = &journeys[i];
    dv_http_batch(ctx, fetcher->lane, questions, asked, at_once, answers);
    for (size_t i = 0; i < asked; i++)
        proceed(ctx, asking[i], answers[i]);
    return asked > 0;
}

void dv_fetch_batch(dv_ctx *ctx, dv_fetcher *fetcher, const dv_fetch_request *requests, size_t n,
                    size_t at_once, dv_fetch_outcome *ret_outcomes)
{
    DV_CLEANUP(dv_freep) journey *journeys = dv_calloc(n, sizeof(*journeys));
    dv_ctx inner = *ctx;

    dv_ctx_set_timeout(&inner, DV_FETCH_TIME_MAX_MS);
    for (size_t i = 0; i < n; i++)
        set_out(fetcher, &requests[i], &journeys[i]);
    while (travel(&inner, fetcher, journeys, n, at_once))
        continue;
    for (size_t i = 0; i < n; i++) {
        ret_outcomes[i] = (dv_fetch_outcome){.err = journeys[i].err, .result = journeys[i].result};
        journey_done(&journeys[i]);
    }
}

dv_err *dv_fetch(dv_ctx *ctx, dv_fetcher *fetcher, const dv_fetch_request *request,
                 dv_fetch_result *ret_result)
{
    dv_fetch_outcome outcome;

    dv_fetch_batch(ctx, fetcher, request, 1, 1, &outcome);
    if (!outcome.err)
        *ret_result = outcome.result;
    return outcome.err;
}
