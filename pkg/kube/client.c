/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client.h"

#include "kube/client_internal.h"

/* In flight on the request lane, and the connections they share. */
enum { REQUESTS_IN_FLIGHT = 64, REQUEST_CONNECTIONS = 4, STREAMS_PER_CONNECTION = 16 };
/* kube-apiserver allows 100 streams a connection. */
enum { WATCH_CONNECTIONS = 8, WATCH_STREAMS = 90 };
enum { LEASE_IN_FLIGHT = 4 };

dv_kube *dv_kube_new(dv_http *http, dv_kube_config *config, const char *user_agent)
{
    static const dv_http_lane_options requests = {.name = "requests",
                                                  .connections_max = REQUEST_CONNECTIONS,
                                                  .streams_max = STREAMS_PER_CONNECTION,
                                                  .in_flight_max = REQUESTS_IN_FLIGHT};
    static const dv_http_lane_options watches = {.name = "watches",
                                                 .connections_max = WATCH_CONNECTIONS,
                                                 .streams_max = WATCH_STREAMS,
                                                 .in_flight_max =
                                                     (size_t)WATCH_CONNECTIONS * WATCH_STREAMS};
    static const dv_http_lane_options lease = {
        .name = "lease", .connections_max = 1, .in_flight_max = LEASE_IN_FLIGHT};
    dv_kube *kube = DV_NEW(dv_kube);

    kube->config = config;
    kube->user_agent = dv_asprintf("User-Agent: %s", user_agent);
    kube->requests = dv_http_lane_new(http, &requests);
    kube->watches = dv_http_lane_new(http, &watches);
    kube->lease = dv_http_lane_new(http, &lease);
    dv_discovery_init(&kube->discovery);
    dv_kube_counts_init(&kube->counts);
    return kube;
}

void dv_kube_free(dv_kube *kube)
{
    if (!kube)
        return;
    dv_kube_config_free(kube->config);
    free(kube->user_agent);
    dv_discovery_done(&kube->discovery);
    dv_kube_counts_done(&kube->counts);
    free(kube);
}

const dv_kube_config *dv_kube_get_config(const dv_kube *kube)
{
    return kube->config;
}

void dv_kube_set_fence(dv_kube *kube, bool (*may_write)(const void *arg), const void *arg)
{
    kube->may_write = may_write;
    kube->may_write_arg = arg;
}

/* ---- Sending ---- */

/* One try for all of them. */
static void send_all(dv_ctx *ctx, dv_kube *kube, dv_http_lane *lane, dv_http_request *requests,
                     size_t n, size_t in_flight, dv_http_result *ret_results)
{
    dv_auto(dv_secret) authorization = NULL;
    dv_auto(dv_err) err = dv_kube_config_authorization(ctx, kube->config, &authorization);

    if (err) {
        for (size_t i = 0; i < n; i++)
            ret_results[i] = (dv_http_result){.err = dv_err_dup(err)};
        return;
    }
    dv_http_profile *profile = dv_kube_config_profile(kube->config);
    for (size_t i = 0; i < n; i++) {
        requests[i].authorization = authorization;
        requests[i].profile = profile;
    }
    dv_http_batch(ctx, lane, requests, n, in_flight, ret_results);
    dv_http_profile_unref(profile);
}

static bool is_unauthorized(const dv_http_result *result)
{
    return result->response && result->response->status == 401;
}

void dv_kube_exchange(dv_ctx *ctx, dv_kube *kube, dv_http_lane *lane, dv_http_request *requests,
                      size_t n, size_t in_flight, dv_http_result *ret_results)
{
    size_t refused = 0;

    send_all(ctx, kube, lane, requests, n, in_flight, ret_results);
    for (size_t i = 0; i < n; i++)
        refused += is_unauthorized(&ret_results[i]);
    if (!refused)
        return;
    /* The token may have been replaced since it was read; once more with a fresh one. */
    dv_kube_config_refuse(kube->config);
    dv_http_request *again = dv_calloc(refused, sizeof(*again));
    dv_http_result *results = dv_calloc(refused, sizeof(*results));
    for (size_t i = 0, at = 0; i < n; i++)
        if (is_unauthorized(&ret_results[i]))
            again[at++] = requests[i];
    send_all(ctx, kube, lane, again, refused, in_flight, results);
    for (size_t i = 0, at = 0; i < n; i++) {
        if (!is_unauthorized(&ret_results[i]))
            continue;
        dv_http_response_free(ret_results[i].response);
        ret_results[i] = results[at++];
    }
    free(again);
    free(results);
}

/* ---- Answers ---- */

static dv_err *name_request(dv_err *err, const dv_kube_request *request)
{
    DV_CLEANUP(dv_buf_done) dv_buf what = DV_BUF_INIT(DV_PATH_MAX);

    dv_kube_request_add(&what, request);
    return dv_err_wrap(err, "%s", dv_buf_cstr(&what));
}

static dv_err *read_object(const dv_kube_request *request, const dv_http_response *response,
                           json_t **ret_object)
{
    dv_err *err = dv_json_read(dv_buf_str(&response->body), ret_object);

    return name_request(dv_err_recast(err, DV_TRANSIENT, "BadAnswer"), request);
}

/* Takes the answer; fills ret_result. */
static void settle(const dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request,
                   dv_http_result answer, bool want_object, dv_kube_result *ret_result)
{
    dv_auto(dv_http_response) response = answer.response;
    int status = response ? response->status : 0;

    *ret_result = (dv_kube_result){.status = status};
    dv_kube_count_add(kube, dv_kube_verb_name(request->verb), status);
    if (answer.err) {
        ret_result->err = name_request(answer.err, request);
    } else if (status < 200 || status > 299) {
        ret_result->err = dv_kube_answer_error(request, status, dv_buf_str(&response->body),
                                               dv_http_retry_after_ms(response, ctx->clock));
        if (strcmp(dv_err_reason(ret_result->err), "KindNotFound") == 0)
            dv_kube_discovery_suspect(kube);
        if (strcmp(dv_err_reason(ret_result->err), "ApplyConflict") == 0)
            ret_result->causes = dv_kube_answer_causes(dv_buf_str(&response->body));
    } else if (want_object) {
        ret_result->err = read_object(request, response, &ret_result->object);
    }
}

typedef DV_VEC(dv_kube_call) calls;

static void calls_done(calls *made)
{
    for (size_t i = 0; i < made->n; i++)
        dv_kube_call_done(&made->at[i]);
    dv_vec_done(made);
}

/* Sends those that can be sent; the others have their error already. */
static void run(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *requests, size_t n,
                dv_call_mode mode, dv_kube_result *ret_results)
{
    DV_CLEANUP(calls_done) calls made = {0};
    dv_http_request *https = dv_calloc(n, sizeof(*https));
    dv_http_result *answers = dv_calloc(n, sizeof(*answers));
    size_t *slots = dv_calloc(n, sizeof(*slots)); /* answer -> result */
    size_t sent = 0;

    for (size_t i = 0; i < n; i++) {
        dv_kube_call *call = dv_vec_push(&made);

        ret_results[i] = (dv_kube_result){0};
        ret_results[i].err = dv_kube_call_make(kube, &requests[i], mode, call);
        if (ret_results[i].err)
            continue;
        slots[sent] = i;
        https[sent++] = dv_kube_call_http(call);
    }
    bool lease = n > 0 && requests[0].lease_lane;
    if (sent)
        dv_kube_exchange(ctx, kube, lease ? kube->lease : kube->requests, https, sent,
                         DV_KUBE_BATCH_IN_FLIGHT, answers);
    for (size_t i = 0; i < sent; i++)
        settle(ctx, kube, &requests[slots[i]], answers[i], mode == DV_CALL_PLAIN,
               &ret_results[slots[i]]);
    free(https);
    free(answers);
    free(slots);
}

/* ---- For callers ---- */

dv_err *dv_kube_do(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request, json_t **ret_object)
{
    dv_kube_result result;

    run(ctx, kube, request, 1, ret_object ? DV_CALL_PLAIN : DV_CALL_NO_ANSWER, &result);
    json_decref(result.causes);
    if (!result.err && ret_object)
        *ret_object = result.object;
    return result.err;
}

void dv_kube_batch(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *requests, size_t n,
                   dv_kube_result *ret_results)
{
    run(ctx, kube, requests, n, DV_CALL_PLAIN, ret_results);
}

static json_t *access_review(const char *verb, const dv_resource *resource, const char *ns)
{
    json_t *review = json_object();
    json_t *attributes = json_object();
    json_t *spec = json_object();

    dv_json_put_str(review, "apiVersion", "authorization.k8s.io/v1");
    dv_json_put_str(review, "kind", "SelfSubjectAccessReview");
    dv_json_put_str(attributes, "verb", verb);
    dv_json_put_str(attributes, "group", resource->group);
    dv_json_put_str(attributes, "version", resource->version);
    dv_json_put_str(attributes, "resource", resource->resource);
    dv_json_put_str(attributes, "namespace", resource->namespaced ? ns : NULL);
    json_object_set_new(spec, "resourceAttributes", attributes);
    json_object_set_new(review, "spec", spec);
    return review;
}

static dv_err *review_access(dv_ctx *ctx, dv_kube *kube, const char *as, const json_t *review,
                             bool *ret_allowed)
{
    const dv_resource *reviews =
        dv_kube_resource_static(kube, "authorization.k8s.io", "v1", "SelfSubjectAccessReview",
                                "selfsubjectaccessreviews", /* namespaced= */ false);
    json_auto_t *answer = NULL;
    const dv_kube_request request = {
        .verb = DV_KUBE_CREATE, .resource = reviews, .as = as, .body = review};

    DV_CHECK(dv_kube_do(ctx, kube, &request, &answer));
    *ret_allowed = dv_json_bool(answer, "/status/allowed", false);
    return NULL;
}

/* A server that has not read its roles yet allows nothing: a no counts from one that is ready. */
static dv_err *review_twice(dv_ctx *ctx, dv_kube *kube, const char *as, const json_t *review,
                            bool *ret_allowed)
{
    DV_CHECK(review_access(ctx, kube, as, review, ret_allowed));
    if (*ret_allowed)
        return NULL;
    DV_CHECK(dv_kube_check_ready(ctx, kube));
    return review_access(ctx, kube, as, review, ret_allowed);
}

dv_err *dv_kube_may(dv_ctx *ctx, dv_kube *kube, const char *as, const char *verb,
                    const dv_resource *resource, const char *ns, bool *ret_allowed)
{
    json_auto_t *review = access_review(verb, resource, ns);

    DV_TRY(review_twice(ctx, kube, as, review, ret_allowed), "may %s %s %s", as ? as : "we", verb,
           resource->resource);
    return NULL;
}

/* ---- The server itself ---- */

/* What is not 2xx is an answer too. */
static dv_err *get_path(dv_ctx *ctx, dv_kube *kube, const char *path,
                        dv_http_response **ret_response)
{
    DV_CLEANUP(dv_buf_done) dv_buf url = DV_BUF_INIT(DV_URL_MAX);
    const char *headers[] = {"Accept: application/json", kube->user_agent};
    dv_http_result answer = {0};

    dv_buf_addf(&url, "%s%s", dv_kube_config_server(kube->config), path);
    DV_CHECK(dv_buf_check(&url));
    dv_http_request request = {.method = "GET",
                               .url = dv_buf_cstr(&url),
                               .headers = headers,
                               .n_headers = DV_LEN(headers),
                               .response_max = DV_KUBE_DISCOVERY_MAX};
    dv_kube_exchange(ctx, kube, kube->requests, &request, 1, 1, &answer);
    dv_kube_count_add(kube, "get", answer.response ? answer.response->status : 0);
    DV_CHECK(answer.err);
    *ret_response = answer.response;
    return NULL;
}

dv_err *dv_kube_version(dv_ctx *ctx, dv_kube *kube, json_t **ret_version)
{
    dv_auto(dv_http_response) response = NULL;

    DV_TRY(get_path(ctx, kube, "/version", &response), "version of the API server");
    if (response->status != 200)
        return dv_err_wrap(dv_kube_answer_error(NULL, response->status, dv_buf_str(&response->body),
                                                dv_http_retry_after_ms(response, ctx->clock)),
                           "version of the API server");
    return dv_err_recast(dv_json_read(dv_buf_str(&response->body), ret_version), DV_TRANSIENT,
                         "BadAnswer");
}

dv_err *dv_kube_check_ready(dv_ctx *ctx, dv_kube *kube)
{
    dv_auto(dv_http_response) response = NULL;

    DV_TRY(get_path(ctx, kube, "/readyz", &response), "readiness of the API server");
    if (response->status < 500 && response->status != 429)
        return NULL;
    dv_err *err = dv_err_new(DV_TRANSIENT, "ServerNotReady",
                             "the API server says that it is not ready (%d)", response->status);
    int64_t retry_after_ms = dv_http_retry_after_ms(response, ctx->clock);
    if (retry_after_ms > 0)
        dv_err_set_retry_after(err, retry_after_ms);
    return err;
}
