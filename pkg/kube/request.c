/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client_internal.h"
#include "kube/config_internal.h"

/* The longest name there is; what is longer is refused, and shown cut. */
enum { NAME_SHOWN_BYTES = 253 };

#define ACCEPT_JSON "Accept: application/json"
/* An aggregated API server may not know the short form; then it sends the whole. */
#define ACCEPT_METADATA                                                                            \
    "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
#define ACCEPT_METADATA_LIST                                                                       \
    "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

static const struct verb {
    const char *name, *method;
    const char *content_type; /* NULL: no body of the caller's */
} verbs[] = {
    [DV_KUBE_GET] = {"get", "GET", NULL},
    [DV_KUBE_LIST] = {"list", "GET", NULL},
    [DV_KUBE_CREATE] = {"create", "POST", "application/json"},
    /* JSON is YAML, and this is the one name that every version since 1.22 takes. */
    [DV_KUBE_APPLY] = {"apply", "PATCH", "application/apply-patch+yaml"},
    [DV_KUBE_REPLACE] = {"update", "PUT", "application/json"},
    [DV_KUBE_MERGE_PATCH] = {"patch", "PATCH", "application/merge-patch+json"},
    [DV_KUBE_JSON_PATCH] = {"patch", "PATCH", "application/json-patch+json"},
    [DV_KUBE_DELETE] = {"delete", "DELETE", NULL},
};

const char *dv_kube_verb_name(dv_kube_verb verb)
{
    return verbs[verb].name;
}

static bool is_set(const char *text)
{
    return text && *text;
}

void dv_kube_request_add(dv_buf *out, const dv_kube_request *request)
{
    bool with_ns = request->resource->namespaced && is_set(request->ns);
    const char *body_name = dv_json_str(request->body, "/metadata/name");
    const char *name = is_set(request->name) ? request->name : body_name;

    dv_buf_addf(out, "%s %s", verbs[request->verb].name, request->resource->kind);
    if (request->subresource)
        dv_buf_addf(out, " (%s)", request->subresource);
    if (is_set(name))
        dv_buf_addf(out, " %.*s%s%.*s", NAME_SHOWN_BYTES, with_ns ? request->ns : "",
                    with_ns ? "/" : "", NAME_SHOWN_BYTES, name);
    else if (with_ns)
        dv_buf_addf(out, " in %.*s", NAME_SHOWN_BYTES, request->ns);
}

/* ---- Path ---- */

/* What the API server refuses as a segment of a path, before any other check. */
static bool is_path_segment(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (const char *at = name; *at; at++)
        if (*at == '/' || *at == '%' || (unsigned char)*at < ' ')
            return false;
    return true;
}

static dv_err *add_segment(dv_buf *url, const char *segment, const char *what)
{
    if (!is_path_segment(segment))
        return dv_err_new(DV_INVALID, "BadName", "the %s holds what no name in Kubernetes may hold",
                          what);
    dv_buf_addc(url, '/');
    dv_buf_add_uri(url, dv_str_of(segment));
    return NULL;
}

static bool is_collection(const dv_kube_request *request)
{
    return request->verb == DV_KUBE_LIST ||
           (request->verb == DV_KUBE_CREATE && !is_set(request->subresource));
}

static dv_err *add_path(const dv_kube_request *request, dv_buf *url)
{
    const dv_resource *resource = request->resource;

    dv_buf_adds(url, *resource->group ? "/apis" : "/api");
    if (*resource->group)
        DV_CHECK(add_segment(url, resource->group, "group"));
    DV_CHECK(add_segment(url, resource->version, "version"));
    if (resource->namespaced && is_set(request->ns)) {
        dv_buf_adds(url, "/namespaces");
        DV_CHECK(add_segment(url, request->ns, "namespace"));
    } else if (resource->namespaced && request->verb != DV_KUBE_LIST) {
        return dv_err_new(DV_INVALID, "NamespaceRequired", "a namespace is needed");
    }
    DV_CHECK(add_segment(url, resource->resource, "resource"));
    if (is_collection(request))
        return NULL;
    if (!is_set(request->name))
        return dv_err_new(DV_INVALID, "NameRequired", "a name is needed");
    DV_CHECK(add_segment(url, request->name, "name"));
    return is_set(request->subresource) ? add_segment(url, request->subresource, "subresource")
                                        : NULL;
}

/* ---- Query ---- */

typedef struct {
    dv_buf *url;
    char separator;
} query;

static void add_query(query *q, const char *key, const char *value)
{
    if (!is_set(value))
        return;
    dv_buf_addf(q->url, "%c%s=", q->separator, key);
    dv_buf_add_uri(q->url, dv_str_of(value));
    q->separator = '&';
}

static bool is_write(dv_kube_verb verb)
{
    return verb != DV_KUBE_GET && verb != DV_KUBE_LIST;
}

static void add_read_query(query *q, const dv_kube_request *request)
{
    char limit[32] = "";

    if (request->limit > 0)
        snprintf(limit, sizeof(limit), "%lld", (long long)request->limit);
    add_query(q, "resourceVersion", request->resource_version);
    add_query(q, "resourceVersionMatch", request->resource_version_match);
    if (request->verb != DV_KUBE_LIST)
        return;
    add_query(q, "labelSelector", request->label_selector);
    add_query(q, "fieldSelector", request->field_selector);
    add_query(q, "limit", limit);
    add_query(q, "continue", request->continue_token);
}

static void add_all_queries(const dv_kube_request *request, dv_call_mode mode, dv_buf *url)
{
    query q = {url, '?'};

    if (!is_write(request->verb)) {
        add_read_query(&q, request);
    } else if (request->verb != DV_KUBE_DELETE) {
        add_query(&q, "fieldManager", request->field_manager);
        add_query(&q, "force", request->verb == DV_KUBE_APPLY && request->force ? "true" : NULL);
        add_query(&q, "dryRun", request->dry_run ? "All" : NULL);
    }
    if (mode == DV_CALL_WATCH) {
        add_query(&q, "watch", "true");
        add_query(&q, "allowWatchBookmarks", "true");
    }
}

/* ---- Headers ---- */

static const char *accept_header(const dv_kube_request *request, dv_call_mode mode)
{
    if (!request->metadata_only && mode != DV_CALL_NO_ANSWER)
        return ACCEPT_JSON;
    return request->verb == DV_KUBE_LIST && mode != DV_CALL_WATCH ? ACCEPT_METADATA_LIST
                                                                  : ACCEPT_METADATA;
}

static dv_err *add_identity(const dv_kube *kube, const dv_kube_request *request,
                            dv_strings *headers)
{
    const dv_strings *configured = dv_kube_config_headers(kube->config);

    if (!request->as) {
        for (size_t i = 0; i < configured->n; i++)
            dv_strings_add(headers, configured->at[i]);
        return NULL;
    }
    for (const char *at = request->as; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return dv_err_new(DV_INVALID, "BadName", "the impersonated user is no user name");
    dv_strings_take(headers, dv_asprintf("Impersonate-User: %s", request->as));
    return NULL;
}

/* ---- Body ---- */

static void add_delete_options(const dv_kube_request *request, dv_buf *body)
{
    json_auto_t *options = json_object();
    json_t *preconditions = json_object();

    dv_json_put_str(options, "kind", "DeleteOptions");
    dv_json_put_str(options, "apiVersion", "v1");
    dv_json_put_str(options, "propagationPolicy",
                    request->propagation ? request->propagation : "Background");
    dv_json_put_str(preconditions, "uid", request->precondition_uid);
    dv_json_put_str(preconditions, "resourceVersion", request->precondition_resource_version);
    if (request->dry_run)
        json_object_set_new(options, "dryRun", json_pack("[s]", "All"));
    if (json_object_size(preconditions))
        json_object_set(options, "preconditions", preconditions);
    json_decref(preconditions);
    dv_json_write(options, body);
}

static dv_err *add_body(const dv_kube_request *request, dv_buf *body)
{
    if (request->verb == DV_KUBE_DELETE)
        add_delete_options(request, body);
    else if (request->body)
        dv_json_write(request->body, body);
    else
        dv_buf_add_str(body, request->body_bytes);
    DV_TRY(dv_buf_check(body), "it is larger than the API server takes");
    return NULL;
}

/* ---- Whole ---- */

static dv_err *fill(const dv_kube *kube, const dv_kube_request *request, dv_call_mode mode,
                    dv_kube_call *call)
{
    const struct verb *verb = &verbs[request->verb];

    dv_buf_adds(&call->url, dv_kube_config_server(kube->config));
    DV_CHECK(add_path(request, &call->url));
    add_all_queries(request, mode, &call->url);
    DV_CHECK(dv_buf_check(&call->url));
    dv_strings_add(&call->headers, accept_header(request, mode));
    dv_strings_add(&call->headers, kube->user_agent);
    DV_CHECK(add_identity(kube, request, &call->headers));
    if (!is_write(request->verb))
        return NULL;
    dv_strings_take(&call->headers,
                    dv_asprintf("Content-Type: %s",
                                verb->content_type ? verb->content_type : "application/json"));
    return add_body(request, &call->body);
}

dv_err *dv_kube_call_make(const dv_kube *kube, const dv_kube_request *request, dv_call_mode mode,
                          dv_kube_call *ret_call)
{
    *ret_call =
        (dv_kube_call){.kube = kube, .request = request, .method = verbs[request->verb].method};
    dv_buf_init(&ret_call->url, DV_URL_MAX);
    dv_buf_init(&ret_call->body, DV_KUBE_BODY_MAX);
    dv_err *err = fill(kube, request, mode, ret_call);
    if (!err)
        return NULL;
    DV_CLEANUP(dv_buf_done) dv_buf what = DV_BUF_INIT(DV_PATH_MAX);
    dv_kube_request_add(&what, request);
    return dv_err_wrap(err, "%s", dv_buf_cstr(&what));
}

void dv_kube_call_done(dv_kube_call *call)
{
    dv_buf_done(&call->url);
    dv_buf_done(&call->body);
    dv_strings_done(&call->headers);
}

/* Access reviews are questions that are asked by POST. */
static bool is_fenced(const dv_kube_request *request)
{
    return is_write(request->verb) && !request->lease_lane &&
           strcmp(request->resource->group, "authorization.k8s.io") != 0;
}

dv_http_request dv_kube_call_http(const dv_kube_call *call)
{
    const dv_kube_request *request = call->request;
    bool fenced = is_fenced(request);

    return (dv_http_request){
        .method = call->method,
        .url = dv_buf_cstr(&call->url),
        .headers = (const char *const *)call->headers.at,
        .n_headers = call->headers.n,
        .body = dv_buf_str(&call->body),
        .idle_timeout_ms = DV_KUBE_IDLE_MS,
        .may_send = fenced ? call->kube->may_write : NULL,
        .may_send_arg = fenced ? call->kube->may_write_arg : NULL,
        .repeatable = request->verb == DV_KUBE_APPLY || request->verb == DV_KUBE_MERGE_PATCH,
    };
}
