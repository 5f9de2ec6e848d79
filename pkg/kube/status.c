/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer that is no success means. The API server says it in a Status document; what
 * stands before it (a proxy, a load balancer) says it in a number only.
 *
 * The server's sentences quote what was sent. For a Secret only those pass that can't: where
 * they may, the reason and the paths of the fields are all that is kept.
 */
#include "kube/client_internal.h"

enum { CAUSES_SHOWN = 16 };

typedef struct {
    const dv_kube_request *request; /* NULL: not known */
    const json_t *status;           /* NULL: the answer was no Status */
    dv_str body;
    int code;
    bool secret;
} answer;

/* ---- Texts ---- */

/* Bounded, one line. */
static void add_clean(dv_buf *out, dv_str text)
{
    dv_str head = dv_str_head(text, DV_KUBE_MESSAGE_MAX);

    for (size_t i = 0; i < head.n; i++)
        dv_buf_addc(out, (unsigned char)head.p[i] < ' ' ? ' ' : head.p[i]);
    if (head.n < text.n)
        dv_buf_adds(out, "…");
}

static dv_str message_of(const answer *a)
{
    return dv_json_view(a->status, "/message");
}

static const json_t *causes_of(const answer *a)
{
    return dv_json_array(a->status, "/details/causes");
}

static bool has_cause(const answer *a, const char *reason)
{
    const json_t *cause;
    size_t i;

    json_array_foreach(causes_of(a), i,
                       cause) if (dv_str_is(dv_json_view(cause, "/reason"), reason)) return true;
    return false;
}

static bool reason_is(const answer *a, const char *reason)
{
    return dv_str_is(dv_json_view(a->status, "/reason"), reason);
}

static bool message_has(const answer *a, const char *text)
{
    return dv_str_contains(message_of(a), dv_str_of(text));
}

/* ---- Kinds ---- */

typedef struct {
    dv_err_kind kind;
    const char *reason;
} verdict;

/*
 * Server-side apply answers 500 without a reason when an object does not fit its schema. No
 * retry helps it.
 */
static bool is_schema_error(const answer *a)
{
    return a->code == 500 && !dv_json_view(a->status, "/reason").n &&
           (dv_str_starts(message_of(a), DV_STR("failed to create typed patch object")) ||
            dv_str_starts(message_of(a), DV_STR("failed to create manager for existing fields")) ||
            dv_str_starts(message_of(a), DV_STR("failed to convert new object")));
}

/* The object that was meant is another one now: an apply with a uid says it in its own way. */
static bool is_uid_mismatch(const answer *a)
{
    const json_t *causes = causes_of(a);
    const json_t *cause;
    size_t i;

    if (a->code == 409)
        return message_has(a, "uid mismatch") || message_has(a, "UID in precondition") ||
               message_has(a, "the UID in the precondition");
    json_array_foreach(causes, i, cause) if (!dv_str_is(dv_json_view(cause, "/field"),
                                                        "metadata.uid")) return false;
    return json_array_size(causes) > 0;
}

static verdict not_found(const answer *a)
{
    const char *kind = dv_json_str(a->status, "/details/kind");
    const char *name = dv_json_str(a->status, "/details/name");
    const char *wanted = a->request ? a->request->resource->resource : "";

    /* No such path, which says nothing about an object: the kind is not served (now), or it was not
     * the API server that answered. Discovery knows. */
    if (!name || !*name)
        return (verdict){DV_TRANSIENT, "KindNotFound"};
    if (kind && strcmp(kind, "namespaces") == 0 && strcmp(wanted, "namespaces") != 0 && *wanted)
        return (verdict){DV_NOT_FOUND, "NamespaceNotFound"};
    return (verdict){DV_NOT_FOUND, "NotFound"};
}

static verdict conflict(const answer *a)
{
    if (has_cause(a, "FieldManagerConflict"))
        return (verdict){DV_DENIED, "ApplyConflict"};
    if (is_uid_mismatch(a))
        return (verdict){DV_CONFLICT, "UIDMismatch"};
    if (reason_is(a, "AlreadyExists"))
        return (verdict){DV_CONFLICT, "AlreadyExists"};
    return (verdict){DV_CONFLICT, "Conflict"};
}

static const struct {
    int code;
    verdict verdict;
} by_code[] = {
    {400, {DV_INVALID, "BadRequest"}},
    {401, {DV_TRANSIENT, "Unauthorized"}},
    {403, {DV_DENIED, "Forbidden"}},
    {405, {DV_INVALID, "MethodNotAllowed"}},
    {406, {DV_INVALID, "NotAcceptable"}},
    {408, {DV_TRANSIENT, "Timeout"}},
    {410, {DV_TRANSIENT, "Expired"}},
    {413, {DV_INVALID, "RequestTooLarge"}},
    {415, {DV_INVALID, "UnsupportedMediaType"}},
    {422, {DV_INVALID, "Invalid"}},
    {429, {DV_TRANSIENT, "TooManyRequests"}},
    {500, {DV_TRANSIENT, "InternalError"}},
    {502, {DV_TRANSIENT, "BadGateway"}},
    {503, {DV_TRANSIENT, "ServiceUnavailable"}},
    {504, {DV_TRANSIENT, "Timeout"}},
};

static verdict judge(const answer *a)
{
    if ((a->code == 403 || a->code == 409) && has_cause(a, "NamespaceTerminating"))
        return (verdict){DV_WAITING, "NamespaceTerminating"};
    if (a->code == 404)
        return not_found(a);
    if (a->code == 409)
        return conflict(a);
    if (a->code == 422 && is_uid_mismatch(a))
        return (verdict){DV_CONFLICT, "UIDMismatch"};
    if (is_schema_error(a))
        return (verdict){DV_INVALID, "Invalid"};
    for (size_t i = 0; i < DV_LEN(by_code); i++)
        if (by_code[i].code == a->code)
            return by_code[i].verdict;
    if (a->code >= 500)
        return (verdict){DV_TRANSIENT, "ServerError"};
    return (verdict){DV_INVALID, "HTTPStatus"};
}

/* ---- Messages ---- */

/* `conflict with "kubectl-edit" over .spec.replicas, .spec.paused` */
static void add_conflicts(const answer *a, dv_buf *out)
{
    const json_t *cause;
    dv_str manager = {0};
    size_t i;

    json_array_foreach(causes_of(a), i, cause)
    {
        dv_str said = dv_json_view(cause, "/message");
        bool same = i > 0 && dv_str_eq(said, manager);

        if (i == CAUSES_SHOWN) {
            dv_buf_addf(out, " and %zu more", json_array_size(causes_of(a)) - i);
            return;
        }
        dv_buf_adds(out, i == 0 ? "" : same ? ", " : "; ");
        if (!same) {
            add_clean(out, said);
            dv_buf_adds(out, " over ");
        }
        add_clean(out, dv_json_view(cause, "/field"));
        manager = said;
    }
}

/* May this sentence of the server about a Secret hold what is in it? */
static bool may_quote(const answer *a)
{
    switch (a->code) {
    case 401:
    case 404:
    case 409:
    case 410:
    case 429:
        return false;
    case 403: /* by RBAC or quota; an admission webhook may say anything */
        return !message_has(a, "is forbidden: User \"") &&
               !message_has(a, "is forbidden: exceeded quota") &&
               !has_cause(a, "NamespaceTerminating");
    default:
        return true;
    }
}

/* "… (/zz; /v1, Kind=Secret): .stringData.a: expected string, got …": the path alone. */
static dv_str schema_path(const answer *a)
{
    dv_str message = message_of(a);

    for (size_t i = 0; i + 3 < message.n; i++) {
        if (memcmp(message.p + i, "): .", 4) != 0)
            continue;
        dv_str path;
        dv_str_cut(dv_str_skip(message, i + 3), ':', &path);
        return path;
    }
    return (dv_str){0};
}

/* "it is invalid at data[.dockerconfigjson]" */
static void add_paths(const answer *a, dv_buf *out)
{
    const json_t *cause;
    dv_str schema = is_schema_error(a) ? schema_path(a) : (dv_str){0};
    const char *before = "the server refused it because of ";
    size_t i;

    json_array_foreach(causes_of(a), i, cause)
    {
        if (i == CAUSES_SHOWN)
            break;
        dv_buf_adds(out, before);
        add_clean(out, dv_json_view(cause, "/field"));
        before = ", ";
    }
    if (!i && schema.n) {
        dv_buf_adds(out, before);
        add_clean(out, schema);
    } else if (!i) {
        dv_buf_addf(out, "the server answered %d", a->code);
    }
}

static void add_message(const answer *a, dv_buf *out)
{
    if (a->code == 409 && has_cause(a, "FieldManagerConflict"))
        add_conflicts(a, out);
    else if (!message_of(a).n)
        dv_buf_addf(out, "the server answered %d", a->code);
    else if (a->secret && may_quote(a))
        add_paths(a, out);
    else
        add_clean(out, message_of(a));
}

/* ---- Whole ---- */

static bool concerns_secret(const dv_kube_request *request, const json_t *status)
{
    const char *kind = dv_json_str(status, "/details/kind");
    dv_str message = dv_json_view(status, "/message");

    if (request)
        return !*request->resource->group && strcmp(request->resource->kind, "Secret") == 0;
    return (kind && (strcmp(kind, "Secret") == 0 || strcmp(kind, "secrets") == 0)) ||
           dv_str_contains(message, DV_STR("Kind=Secret"));
}

static dv_err *make(const answer *a, int64_t retry_after_ms)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(16 * 1024);
    int64_t asked_s = dv_json_int(a->status, "/details/retryAfterSeconds", 0);
    verdict v = judge(a);

    if (a->request) {
        dv_kube_request_add(&text, a->request);
        dv_buf_adds(&text, ": ");
    }
    add_message(a, &text);
    dv_err *err = dv_err_new(v.kind, v.reason, "%s", dv_buf_cstr(&text));
    if (retry_after_ms <= 0 && asked_s > 0 && asked_s <= INT32_MAX)
        retry_after_ms = asked_s * 1000;
    if (retry_after_ms > 0)
        dv_err_set_retry_after(err, retry_after_ms);
    return err;
}

dv_err *dv_kube_answer_error(const dv_kube_request *request, int http_status, dv_str body,
                             int64_t retry_after_ms)
{
    json_auto_t *document = NULL;
    dv_auto(dv_err) unreadable = dv_json_read(body, &document);
    bool is_status = !unreadable && dv_str_is(dv_json_view(document, "/kind"), "Status");
    answer a = {.request = request,
                .status = is_status ? document : NULL,
                .code = http_status,
                .secret = concerns_secret(request, document)};

    return make(&a, retry_after_ms);
}

json_t *dv_kube_answer_causes(dv_str body)
{
    json_auto_t *document = NULL;

    dv_err_free(dv_json_read(body, &document)); /* what can't be read has no causes */
    return json_incref(dv_json_array(document, "/details/causes"));
}

dv_err *dv_kube_status_error(const json_t *status, int http_status)
{
    answer a = {.status = status,
                .code = (int)dv_json_int(status, "/code", http_status),
                .secret = concerns_secret(NULL, status)};

    return make(&a, 0);
}
