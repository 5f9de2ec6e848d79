/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the wire for each request, without sending it. */
#include "testlib.h"

#include <unistd.h>

#include "base/file.h"
#include "kube/client_internal.h"

static const dv_resource configmaps = {"", "v1", "ConfigMap", "configmaps", "v1", true, 0, 0, 0};
static const dv_resource namespaces = {"", "v1", "Namespace", "namespaces", "v1", 0, 0, 0, 0};
static const dv_resource deployments = {
    "apps", "v1", "Deployment", "deployments", "apps/v1", true, 0, 0, 0};
static const dv_resource accounts = {"", "v1", "ServiceAccount", "serviceaccounts", "v1", true, 0,
                                     0,  0};
static const dv_resource roles = {"rbac.authorization.k8s.io",
                                  "v1",
                                  "ClusterRole",
                                  "clusterroles",
                                  "rbac.authorization.k8s.io/v1",
                                  0,
                                  0,
                                  0,
                                  0};

static struct {
    dv_http *http;
    dv_kube *kube;
} t;

static dv_kube *make_kube(const char *user_fields)
{
    const char *tmp = getenv("TMPDIR");
    dv_auto_str path = dv_asprintf("%s/davit-request-XXXXXX", tmp ? tmp : P_tmpdir);
    dv_auto_str yaml = dv_asprintf("clusters: [{name: k, cluster: {server: 'http://s:1/p'}}]\n"
                                   "users: [{name: u, user: {%s}}]\n"
                                   "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                                   "current-context: c\n",
                                   user_fields);
    dv_kube_config *config = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_ok(dv_file_write(path, dv_str_of(yaml), 0600, /* durable= */ false));
    assert_ok(dv_kube_config_load(&ctx, &(dv_kube_config_options){.kubeconfig = path}, &config));
    unlink(path);
    return dv_kube_new(t.http, config, "davit/1");
}

#define META ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
#define META_LIST ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
#define BACKGROUND                                                                                 \
    "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Background\"}"

static const struct row {
    const char *name;
    dv_kube_request request;
    dv_call_mode mode;
    const char *method, *url; /* behind http://s:1/p */
    const char *accept;       /* behind application/json */
    const char *content_type; /* NULL: none */
    const char *body;
} rows[] = {
    {"get in the core group",
     {.verb = DV_KUBE_GET, .resource = &configmaps, .ns = "a", .name = "b"},
     DV_CALL_PLAIN,
     "GET",
     "/api/v1/namespaces/a/configmaps/b",
     "",
     NULL,
     ""},
    {"get in another group",
     {.verb = DV_KUBE_GET, .resource = &deployments, .ns = "a", .name = "b"},
     DV_CALL_PLAIN,
     "GET",
     "/apis/apps/v1/namespaces/a/deployments/b",
     "",
     NULL,
     ""},
    {"get what is cluster-scoped",
     {.verb = DV_KUBE_GET, .resource = &namespaces, .ns = "a", .name = "b"},
     DV_CALL_PLAIN,
     "GET",
     "/api/v1/namespaces/b",
     "",
     NULL,
     ""},
    {"get at a version, metadata only",
     {.verb = DV_KUBE_GET,
      .resource = &configmaps,
      .ns = "a",
      .name = "b",
      .metadata_only = true,
      .resource_version = "0"},
     DV_CALL_PLAIN,
     "GET",
     "/api/v1/namespaces/a/configmaps/b?resourceVersion=0",
     META,
     NULL,
     ""},
    {"a name is encoded",
     {.verb = DV_KUBE_GET, .resource = &roles, .name = "system:node x?#"},
     DV_CALL_PLAIN,
     "GET",
     "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode%20x%3F%23",
     "",
     NULL,
     ""},
    {"list everywhere",
     {.verb = DV_KUBE_LIST, .resource = &configmaps},
     DV_CALL_PLAIN,
     "GET",
     "/api/v1/configmaps",
     "",
     NULL,
     ""},
    {"list a page of a selection",
     {.verb = DV_KUBE_LIST,
      .resource = &configmaps,
      .ns = "a",
      .metadata_only = true,
      .label_selector = "x/y in (a,b)",
      .field_selector = "metadata.name=c",
      .limit = 7,
      .continue_token = "t=="},
     DV_CALL_PLAIN,
     "GET",
     "/api/v1/namespaces/a/configmaps?labelSelector=x%2Fy%20in%20%28a%2Cb%29&fieldSelector="
     "metadata.name%3Dc&limit=7&continue=t%3D%3D",
     META_LIST,
     NULL,
     ""},
    {"list not older than",
     {.verb = DV_KUBE_LIST,
      .resource = &configmaps,
      .resource_version = "5",
      .resource_version_match = "NotOlderThan"},
     DV_CALL_PLAIN,
     "GET",
     "/api/v1/configmaps?resourceVersion=5&resourceVersionMatch=NotOlderThan",
     "",
     NULL,
     ""},
    {"watch",
     {.verb = DV_KUBE_LIST,
      .resource = &configmaps,
      .metadata_only = true,
      .label_selector = "a",
      .resource_version = "5"},
     DV_CALL_WATCH,
     "GET",
     "/api/v1/configmaps?resourceVersion=5&labelSelector=a&watch=true&allowWatchBookmarks=true",
     META,
     NULL,
     ""},
    {"create",
     {.verb = DV_KUBE_CREATE,
      .resource = &configmaps,
      .ns = "a",
      .name = "ignored",
      .body_bytes = {"{}", 2},
      .field_manager = "davit",
      .force = true},
     DV_CALL_PLAIN,
     "POST",
     "/api/v1/namespaces/a/configmaps?fieldManager=davit",
     "",
     "application/json",
     "{}"},
    {"create a subresource",
     {.verb = DV_KUBE_CREATE,
      .resource = &accounts,
      .ns = "a",
      .name = "b",
      .subresource = "token",
      .body_bytes = {"{}", 2}},
     DV_CALL_PLAIN,
     "POST",
     "/api/v1/namespaces/a/serviceaccounts/b/token",
     "",
     "application/json",
     "{}"},
    {"apply by force, without the answer",
     {.verb = DV_KUBE_APPLY,
      .resource = &configmaps,
      .ns = "a",
      .name = "b",
      .body_bytes = {"{}", 2},
      .field_manager = "davit",
      .force = true},
     DV_CALL_NO_ANSWER,
     "PATCH",
     "/api/v1/namespaces/a/configmaps/b?fieldManager=davit&force=true",
     META,
     "application/apply-patch+yaml",
     "{}"},
    {"apply a status, dry",
     {.verb = DV_KUBE_APPLY,
      .resource = &deployments,
      .ns = "a",
      .name = "b",
      .subresource = "status",
      .body_bytes = {"{}", 2},
      .field_manager = "davit",
      .dry_run = true},
     DV_CALL_PLAIN,
     "PATCH",
     "/apis/apps/v1/namespaces/a/deployments/b/status?fieldManager=davit&dryRun=All",
     "",
     "application/apply-patch+yaml",
     "{}"},
    {"replace",
     {.verb = DV_KUBE_REPLACE,
      .resource = &configmaps,
      .ns = "a",
      .name = "b",
      .body_bytes = {"{}", 2}},
     DV_CALL_PLAIN,
     "PUT",
     "/api/v1/namespaces/a/configmaps/b",
     "",
     "application/json",
     "{}"},
    {"merge patch",
     {.verb = DV_KUBE_MERGE_PATCH,
      .resource = &configmaps,
      .ns = "a",
      .name = "b",
      .body_bytes = {"{}", 2},
      .metadata_only = true},
     DV_CALL_PLAIN,
     "PATCH",
     "/api/v1/namespaces/a/configmaps/b",
     META,
     "application/merge-patch+json",
     "{}"},
    {"JSON patch",
     {.verb = DV_KUBE_JSON_PATCH,
      .resource = &configmaps,
      .ns = "a",
      .name = "b",
      .body_bytes = {"[]", 2}},
     DV_CALL_PLAIN,
     "PATCH",
     "/api/v1/namespaces/a/configmaps/b",
     "",
     "application/json-patch+json",
     "[]"},
    {"delete in the background",
     {.verb = DV_KUBE_DELETE, .resource = &configmaps, .ns = "a", .name = "b"},
     DV_CALL_PLAIN,
     "DELETE",
     "/api/v1/namespaces/a/configmaps/b",
     "",
     "application/json",
     BACKGROUND},
    {"delete this one only, dry",
     {.verb = DV_KUBE_DELETE,
      .resource = &configmaps,
      .ns = "a",
      .name = "b",
      .propagation = "Orphan",
      .precondition_uid = "u",
      .precondition_resource_version = "7",
      .dry_run = true},
     DV_CALL_PLAIN,
     "DELETE",
     "/api/v1/namespaces/a/configmaps/b",
     "",
     "application/json",
     "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Orphan\","
     "\"dryRun\":[\"All\"],\"preconditions\":{\"uid\":\"u\",\"resourceVersion\":\"7\"}}"},
};

static const char *header_of(const dv_http_request *http, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < http->n_headers; i++)
        if (strncmp(http->headers[i], name, n) == 0 && http->headers[i][n] == ':')
            return http->headers[i] + n + 2;
    return NULL;
}

static void request_becomes(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_kube_call_done) dv_kube_call call;
    dv_auto_str url = dv_asprintf("http://s:1/p%s", row->url);
    dv_auto_str accept = dv_asprintf("application/json%s", row->accept);

    assert_ok(dv_kube_call_make(t.kube, &row->request, row->mode, &call));
    dv_http_request http = dv_kube_call_http(&call);
    assert_string_equal(http.method, row->method);
    assert_string_equal(http.url, url);
    assert_string_equal(header_of(&http, "Accept"), accept);
    assert_string_equal(header_of(&http, "User-Agent"), "davit/1");
    assert_null(header_of(&http, "Impersonate-User"));
    if (row->content_type)
        assert_string_equal(header_of(&http, "Content-Type"), row->content_type);
    else
        assert_null(header_of(&http, "Content-Type"));
    assert_int_equal(http.body.n, strlen(row->body));
    assert_memory_equal(http.body.n ? http.body.p : "", row->body, http.body.n);
}

static const struct refused_row {
    const char *name;
    dv_kube_request request;
    const char *text;
} refused[] = {
    {"a name that climbs",
     {.verb = DV_KUBE_GET, .resource = &namespaces, .name = ".."},
     "get Namespace ..: the name holds what no name in Kubernetes may hold"},
    {"a name with a slash",
     {.verb = DV_KUBE_DELETE, .resource = &configmaps, .ns = "a", .name = "../secrets/x"},
     "the name holds"},
    {"a name with a percent sign",
     {.verb = DV_KUBE_GET, .resource = &namespaces, .name = "a%2f"},
     "the name holds"},
    {"a name with a line end",
     {.verb = DV_KUBE_GET, .resource = &namespaces, .name = "a\nb"},
     "the name holds"},
    {"a namespace that climbs",
     {.verb = DV_KUBE_GET, .resource = &configmaps, .ns = "../x", .name = "b"},
     "the namespace holds"},
    {"a subresource that climbs",
     {.verb = DV_KUBE_GET, .resource = &namespaces, .name = "b", .subresource = ".."},
     "the subresource holds"},
    {"no name",
     {.verb = DV_KUBE_GET, .resource = &configmaps, .ns = "a"},
     "get ConfigMap in a: a name is needed"},
    {"no namespace",
     {.verb = DV_KUBE_APPLY, .resource = &configmaps, .name = "b"},
     "apply ConfigMap b: a namespace is needed"},
    {"a user with a line end",
     {.verb = DV_KUBE_GET, .resource = &namespaces, .name = "b", .as = "a\r\nX: y"},
     "the impersonated user is no user name"},
};

static void request_is_refused(void **state)
{
    const struct refused_row *row = *state;
    DV_CLEANUP(dv_kube_call_done) dv_kube_call call;

    assert_err(dv_kube_call_make(t.kube, &row->request, DV_CALL_PLAIN, &call), DV_INVALID,
               row->text);
}

static void a_body_past_the_servers_limit_is_refused(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_kube_call_done) dv_kube_call call;
    DV_CLEANUP(dv_buf_done) dv_buf big = DV_BUF_INIT(DV_KUBE_BODY_MAX * 2);

    dv_buf_fill(&big, 'x', DV_KUBE_BODY_MAX + 1);
    dv_kube_request request = {.verb = DV_KUBE_APPLY,
                               .resource = &configmaps,
                               .ns = "a",
                               .name = "b",
                               .body_bytes = dv_buf_str(&big)};
    assert_err(dv_kube_call_make(t.kube, &request, DV_CALL_PLAIN, &call), DV_INVALID,
               "larger than the API server takes");
}

static void a_document_is_written_and_named(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_kube_call_done) dv_kube_call call;
    json_auto_t *body = json_pack("{s:{s:s}}", "metadata", "name", "web");
    dv_kube_request request = {
        .verb = DV_KUBE_CREATE, .resource = &configmaps, .body = body, .ns = "../"};

    assert_err(dv_kube_call_make(t.kube, &request, DV_CALL_PLAIN, &call), DV_INVALID,
               "create ConfigMap ..//web: ");
    dv_kube_call_done(&call);
    request.ns = "a";
    assert_ok(dv_kube_call_make(t.kube, &request, DV_CALL_PLAIN, &call));
    assert_string_equal(dv_buf_cstr(&call.body), "{\"metadata\":{\"name\":\"web\"}}");
}

static void a_request_impersonates_in_place_of_the_kubeconfig(void **state DV_UNUSED)
{
    dv_auto(dv_kube) kube = make_kube("token: t, as: jane, as-groups: [admins]");
    dv_kube_request request = {.verb = DV_KUBE_GET, .resource = &namespaces, .name = "a"};
    dv_kube_call call;

    assert_ok(dv_kube_call_make(kube, &request, DV_CALL_PLAIN, &call));
    dv_http_request http = dv_kube_call_http(&call);
    assert_string_equal(header_of(&http, "Impersonate-User"), "jane");
    assert_string_equal(header_of(&http, "Impersonate-Group"), "admins");
    dv_kube_call_done(&call);
    request.as = "system:serviceaccount:a:b";
    assert_ok(dv_kube_call_make(kube, &request, DV_CALL_PLAIN, &call));
    http = dv_kube_call_http(&call);
    assert_string_equal(header_of(&http, "Impersonate-User"), "system:serviceaccount:a:b");
    assert_null(header_of(&http, "Impersonate-Group"));
    dv_kube_call_done(&call);
}

static bool may(const void *arg DV_UNUSED)
{
    return true;
}

static void the_fence_is_before_writes(void **state DV_UNUSED)
{
    static const dv_resource reviews = {"authorization.k8s.io", "v1", "X", "xs", "", 0, 0, 0, 0};
    static const struct {
        dv_kube_request request;
        bool fenced, repeatable;
    } cases[] = {
        {{.verb = DV_KUBE_GET, .resource = &namespaces, .name = "a"}, false, false},
        {{.verb = DV_KUBE_LIST, .resource = &namespaces}, false, false},
        {{.verb = DV_KUBE_CREATE, .resource = &namespaces}, true, false},
        {{.verb = DV_KUBE_APPLY, .resource = &namespaces, .name = "a"}, true, true},
        {{.verb = DV_KUBE_MERGE_PATCH, .resource = &namespaces, .name = "a"}, true, true},
        {{.verb = DV_KUBE_JSON_PATCH, .resource = &namespaces, .name = "a"}, true, false},
        {{.verb = DV_KUBE_DELETE, .resource = &namespaces, .name = "a"}, true, false},
        {{.verb = DV_KUBE_REPLACE, .resource = &namespaces, .name = "a", .lease_lane = true},
         false,
         false},
        {{.verb = DV_KUBE_CREATE, .resource = &reviews}, false, false},
    };

    dv_kube_set_fence(t.kube, may, NULL);
    for (size_t i = 0; i < DV_LEN(cases); i++) {
        DV_CLEANUP(dv_kube_call_done) dv_kube_call call;

        assert_ok(dv_kube_call_make(t.kube, &cases[i].request, DV_CALL_PLAIN, &call));
        dv_http_request http = dv_kube_call_http(&call);
        assert_int_equal(http.may_send != NULL, cases[i].fenced);
        assert_int_equal(http.repeatable, cases[i].repeatable);
    }
    dv_kube_set_fence(t.kube, NULL, NULL);
}

int main(void)
{
    dv_suite suite = {.name = "kube/request"};

    DV_TABLE(&suite, request_becomes, rows);
    DV_TABLE(&suite, request_is_refused, refused);
    DV_TEST(&suite, a_body_past_the_servers_limit_is_refused);
    DV_TEST(&suite, a_document_is_written_and_named);
    DV_TEST(&suite, a_request_impersonates_in_place_of_the_kubeconfig);
    DV_TEST(&suite, the_fence_is_before_writes);
    dv_http_setup();
    t.http = dv_http_new();
    t.kube = make_kube("token: t");
    int failed = dv_suite_run(&suite);
    dv_http_free(t.http);
    dv_kube_free(t.kube);
    return failed;
}
