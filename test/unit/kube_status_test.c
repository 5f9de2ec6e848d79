/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a real kube-apiserver 1.34, and of what may stand before one. */
#include "testlib.h"

#include "kube/client_internal.h"

static const dv_resource configmaps = {"", "v1", "ConfigMap", "configmaps", "v1", true, 0, 0, 0};
static const dv_resource secrets = {"", "v1", "Secret", "secrets", "v1", true, 0, 0, 0};
static const dv_resource namespaces = {"", "v1", "Namespace", "namespaces", "v1", 0, 0, 0, 0};

#define STATUS(rest) "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\"," rest "}"

static const struct row {
    const char *name;
    int code;
    const char *body;
    const dv_resource *resource;
    dv_err_kind kind;
    const char *reason;
    const char *message; /* the whole */
} rows[] = {
    {"an object that is not there", 404,
     STATUS("\"message\":\"configmaps \\\"a\\\" not found\",\"reason\":\"NotFound\","
            "\"details\":{\"name\":\"a\",\"kind\":\"configmaps\"},\"code\":404"),
     &configmaps, DV_NOT_FOUND, "NotFound", "apply ConfigMap team/a: configmaps \"a\" not found"},
    {"a namespace that is not there", 404,
     STATUS("\"message\":\"namespaces \\\"team\\\" not found\",\"reason\":\"NotFound\","
            "\"details\":{\"name\":\"team\",\"kind\":\"namespaces\"},\"code\":404"),
     &configmaps, DV_NOT_FOUND, "NamespaceNotFound",
     "apply ConfigMap team/a: namespaces \"team\" not found"},
    {"a namespace that was asked for", 404,
     STATUS("\"message\":\"namespaces \\\"a\\\" not found\",\"reason\":\"NotFound\","
            "\"details\":{\"name\":\"a\",\"kind\":\"namespaces\"},\"code\":404"),
     &namespaces, DV_NOT_FOUND, "NotFound", "apply Namespace a: namespaces \"a\" not found"},
    {"a resource that is not served", 404,
     STATUS("\"message\":\"the server could not find the requested resource\","
            "\"reason\":\"NotFound\",\"details\":{},\"code\":404"),
     &configmaps, DV_TRANSIENT, "KindNotFound",
     "apply ConfigMap team/a: the server could not find the requested resource"},
    {"a group that is not served answers in plain text", 404, "404 page not found\n", &configmaps,
     DV_TRANSIENT, "KindNotFound", "apply ConfigMap team/a: the server answered 404"},
    {"what RBAC forbids", 403,
     STATUS("\"message\":\"secrets is forbidden: User \\\"x\\\" cannot list resource\","
            "\"reason\":\"Forbidden\",\"details\":{\"kind\":\"secrets\"},\"code\":403"),
     &secrets, DV_DENIED, "Forbidden",
     "apply Secret team/a: secrets is forbidden: User \"x\" cannot list resource"},
    {"a namespace that goes", 403,
     STATUS("\"message\":\"configmaps \\\"a\\\" is forbidden: unable to create new content in "
            "namespace team because it is being terminated\",\"reason\":\"Forbidden\",\"details\":{"
            "\"causes\":[{\"reason\":\"NamespaceTerminating\",\"message\":\"x\"}]},\"code\":403"),
     &configmaps, DV_WAITING, "NamespaceTerminating",
     "apply ConfigMap team/a: configmaps \"a\" is forbidden: unable to create new content in "
     "namespace team because it is being terminated"},
    {"a namespace that goes, with a conflict", 409,
     STATUS("\"message\":\"m\",\"reason\":\"Conflict\",\"details\":{\"causes\":[{\"reason\":"
            "\"NamespaceTerminating\"}]},\"code\":409"),
     &configmaps, DV_WAITING, "NamespaceTerminating", "apply ConfigMap team/a: m"},
    {"a stale version", 409,
     STATUS("\"message\":\"Operation cannot be fulfilled on configmaps \\\"a\\\": the object has "
            "been modified\",\"reason\":\"Conflict\",\"code\":409"),
     &configmaps, DV_CONFLICT, "Conflict",
     "apply ConfigMap team/a: Operation cannot be fulfilled on configmaps \"a\": the object has "
     "been modified"},
    {"a name that is taken", 409,
     STATUS("\"message\":\"configmaps \\\"a\\\" already exists\",\"reason\":\"AlreadyExists\","
            "\"code\":409"),
     &configmaps, DV_CONFLICT, "AlreadyExists",
     "apply ConfigMap team/a: configmaps \"a\" already exists"},
    {"a uid that is gone", 409,
     STATUS("\"message\":\"Operation cannot be fulfilled on configmaps \\\"a\\\": uid mismatch: "
            "the provided object specified uid x, and no existing object was found\","
            "\"reason\":\"Conflict\",\"code\":409"),
     &configmaps, DV_CONFLICT, "UIDMismatch",
     "apply ConfigMap team/a: Operation cannot be fulfilled on configmaps \"a\": uid mismatch: "
     "the provided object specified uid x, and no existing object was found"},
    {"a deletion of another object of that name", 409,
     STATUS("\"message\":\"Operation cannot be fulfilled on X \\\"a\\\": the UID in the "
            "precondition (x) does not match the UID in record (y).\",\"reason\":\"Conflict\","
            "\"code\":409"),
     &configmaps, DV_CONFLICT, "UIDMismatch",
     "apply ConfigMap team/a: Operation cannot be fulfilled on X \"a\": the UID in the "
     "precondition (x) does not match the UID in record (y)."},
    {"an apply with another object's uid", 422,
     STATUS("\"message\":\"ConfigMap \\\"a\\\" is invalid: metadata.uid: Invalid value: x: field "
            "is immutable\",\"reason\":\"Invalid\",\"details\":{\"causes\":[{\"reason\":"
            "\"FieldValueInvalid\",\"field\":\"metadata.uid\"},{\"reason\":"
            "\"FieldValueInvalid\",\"field\":\"metadata.uid\"}]},\"code\":422"),
     &configmaps, DV_CONFLICT, "UIDMismatch",
     "apply ConfigMap team/a: ConfigMap \"a\" is invalid: metadata.uid: Invalid value: x: field "
     "is immutable"},
    {"fields that others manage", 409,
     STATUS("\"message\":\"Apply failed with 3 conflicts\",\"reason\":\"Conflict\",\"details\":{"
            "\"causes\":[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with "
            "\\\"edit\\\"\",\"field\":\".data.k\"},{\"reason\":\"FieldManagerConflict\","
            "\"message\":\"conflict with \\\"edit\\\"\",\"field\":\".data.l\"},{\"reason\":"
            "\"FieldManagerConflict\",\"message\":\"conflict with \\\"helm\\\" using v1\","
            "\"field\":\".data.k\"}]},\"code\":409"),
     &configmaps, DV_DENIED, "ApplyConflict",
     "apply ConfigMap team/a: conflict with \"edit\" over .data.k, .data.l; conflict with "
     "\"helm\" using v1 over .data.k"},
    {"an invalid object", 422,
     STATUS("\"message\":\"ConfigMap \\\"a\\\" is invalid: data[k /]: Invalid value\",\"reason\":"
            "\"Invalid\",\"details\":{\"causes\":[{\"reason\":\"FieldValueInvalid\",\"field\":"
            "\"data[k /]\"}]},\"code\":422"),
     &configmaps, DV_INVALID, "Invalid",
     "apply ConfigMap team/a: ConfigMap \"a\" is invalid: data[k /]: Invalid value"},
    {"an invalid Secret shows the fields only", 422,
     STATUS("\"message\":\"Secret is invalid: data[a]: Invalid value: hunter2\",\"reason\":"
            "\"Invalid\",\"details\":{\"kind\":\"Secret\",\"causes\":[{\"message\":\"hunter2\","
            "\"field\":\"data[a]\"},{\"message\":\"hunter2\",\"field\":\"type\"}]},"
            "\"code\":422"),
     &secrets, DV_INVALID, "Invalid",
     "apply Secret team/a: the server refused it because of data[a], type"},
    {"a Secret that does not fit the schema shows the field only", 500,
     STATUS("\"message\":\"failed to create typed patch object (/zz; /v1, Kind=Secret): "
            ".stringData.a: expected string, got hunter2\",\"code\":500"),
     &secrets, DV_INVALID, "Invalid",
     "apply Secret team/a: the server refused it because of .stringData.a"},
    {"a Secret that can't be decoded shows nothing of itself", 500,
     STATUS("\"message\":\"failed to convert new object: illegal hunter2\",\"code\":500"), &secrets,
     DV_INVALID, "Invalid", "apply Secret team/a: the server answered 500"},
    {"a webhook that denies a Secret is not quoted", 403,
     STATUS("\"message\":\"admission webhook \\\"w\\\" denied the request: hunter2\",\"reason\":"
            "\"Forbidden\",\"code\":403"),
     &secrets, DV_DENIED, "Forbidden", "apply Secret team/a: the server answered 403"},
    {"an object that does not fit its schema", 500,
     STATUS("\"message\":\"failed to create typed patch object (/zz; apps/v1, Kind=Deployment): "
            ".spec.foo: field not declared in schema\",\"code\":500"),
     &configmaps, DV_INVALID, "Invalid",
     "apply ConfigMap team/a: failed to create typed patch object (/zz; apps/v1, "
     "Kind=Deployment): .spec.foo: field not declared in schema"},
    {"another 500", 500,
     STATUS("\"message\":\"failed calling webhook\",\"reason\":\"InternalError\",\"code\":500"),
     &configmaps, DV_TRANSIENT, "InternalError", "apply ConfigMap team/a: failed calling webhook"},
    {"no credentials", 401,
     STATUS("\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401"), &configmaps,
     DV_TRANSIENT, "Unauthorized", "apply ConfigMap team/a: Unauthorized"},
    {"a version that is gone", 410,
     STATUS("\"message\":\"too old resource version\",\"reason\":\"Expired\",\"code\":410"),
     &configmaps, DV_TRANSIENT, "Expired", "apply ConfigMap team/a: too old resource version"},
    {"a malformed request", 400, STATUS("\"message\":\"bad\",\"reason\":\"BadRequest\""),
     &configmaps, DV_INVALID, "BadRequest", "apply ConfigMap team/a: bad"},
    {"a body that is too large", 413, "too large", &configmaps, DV_INVALID, "RequestTooLarge",
     "apply ConfigMap team/a: the server answered 413"},
    {"a proxy's page is not quoted", 502, "<html>secret</html>", &configmaps, DV_TRANSIENT,
     "BadGateway", "apply ConfigMap team/a: the server answered 502"},
    {"JSON that is no Status is not quoted", 503, "{\"message\":\"secret\"}", &configmaps,
     DV_TRANSIENT, "ServiceUnavailable", "apply ConfigMap team/a: the server answered 503"},
    {"a server error without a name", 599, "", &configmaps, DV_TRANSIENT, "ServerError",
     "apply ConfigMap team/a: the server answered 599"},
    {"another refusal", 418, "", &configmaps, DV_INVALID, "HTTPStatus",
     "apply ConfigMap team/a: the server answered 418"},
    {"a redirect", 301, "", &configmaps, DV_INVALID, "HTTPStatus",
     "apply ConfigMap team/a: the server answered 301"},
    {"a message of several lines becomes one", 400,
     STATUS("\"message\":\"one\\ntwo\\tthree\",\"code\":400"), &configmaps, DV_INVALID,
     "BadRequest", "apply ConfigMap team/a: one two three"},
};

static void answer_means(void **state)
{
    const struct row *row = *state;
    dv_kube_request request = {
        .verb = DV_KUBE_APPLY, .resource = row->resource, .ns = "team", .name = "a"};
    dv_auto(dv_err) err = dv_kube_answer_error(&request, row->code, dv_str_of(row->body), 0);

    assert_string_equal(dv_err_str(err), row->message);
    assert_string_equal(dv_err_kind_name(dv_err_kind_of(err)), dv_err_kind_name(row->kind));
    assert_string_equal(dv_err_reason(err), row->reason);
    assert_null(strstr(dv_err_str(err), "hunter2"));
}

static void retry_after_is_the_headers_else_the_bodys(void **state DV_UNUSED)
{
    dv_str body = dv_str_of(STATUS("\"message\":\"slow down\",\"reason\":\"TooManyRequests\","
                                   "\"details\":{\"retryAfterSeconds\":7},\"code\":429"));
    dv_auto(dv_err) header = dv_kube_answer_error(NULL, 429, body, 3000);
    dv_auto(dv_err) details = dv_kube_answer_error(NULL, 429, body, 0);
    dv_auto(dv_err) neither = dv_kube_answer_error(NULL, 429, DV_STR(""), 0);

    assert_int_equal(dv_err_retry_after_ms(header), 3000);
    assert_int_equal(dv_err_retry_after_ms(details), 7000);
    assert_int_equal(dv_err_retry_after_ms(neither), 0);
    assert_string_equal(dv_err_reason(neither), "TooManyRequests");
}

static void a_watch_event_has_its_code_in_the_body(void **state DV_UNUSED)
{
    json_auto_t *status =
        json_pack("{s:s,s:s,s:s,s:i}", "kind", "Status", "message",
                  "too old resource version: 1 (247)", "reason", "Expired", "code", 410);

    assert_err(dv_kube_status_error(status, 200), DV_TRANSIENT, "too old resource version");
    assert_err(dv_kube_status_error(NULL, 503), DV_TRANSIENT, "the server answered 503");
}

static void a_secrets_values_are_kept_back_without_a_request_too(void **state DV_UNUSED)
{
    json_auto_t *status = json_pack("{s:s,s:s,s:i,s:{s:s}}", "message", "Invalid value: hunter2",
                                    "reason", "Invalid", "code", 422, "details", "kind", "Secret");
    dv_auto(dv_err) err = dv_kube_status_error(status, 422);

    assert_null(strstr(dv_err_str(err), "hunter2"));
}

static void many_conflicts_are_counted(void **state DV_UNUSED)
{
    json_auto_t *status =
        json_pack("{s:i,s:s,s:{s:[]}}", "code", 409, "message", "m", "details", "causes");
    json_t *causes = dv_json_at(status, "/details/causes");

    for (int i = 0; i < 40; i++)
        json_array_append_new(causes, json_pack("{s:s,s:s,s:s}", "reason", "FieldManagerConflict",
                                                "message", "conflict with \"x\"", "field", ".f"));
    assert_err(dv_kube_status_error(status, 409), DV_DENIED, ".f, .f and 24 more");
}

static void a_long_message_is_cut(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(1 << 16);

    dv_buf_fill(&text, 'x', 9000);
    json_auto_t *status = json_pack("{s:i,s:s}", "code", 400, "message", dv_buf_cstr(&text));
    dv_auto(dv_err) err = dv_kube_status_error(status, 400);
    assert_true(strlen(dv_err_str(err)) < 1100);
}

int main(void)
{
    dv_suite suite = {.name = "kube/status"};

    DV_TABLE(&suite, answer_means, rows);
    DV_TEST(&suite, retry_after_is_the_headers_else_the_bodys);
    DV_TEST(&suite, a_watch_event_has_its_code_in_the_body);
    DV_TEST(&suite, a_secrets_values_are_kept_back_without_a_request_too);
    DV_TEST(&suite, many_conflicts_are_counted);
    DV_TEST(&suite, a_long_message_is_cut);
    return dv_suite_run(&suite);
}
