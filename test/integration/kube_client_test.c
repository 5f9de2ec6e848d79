/* SPDX-License-Identifier: Apache-2.0 */
/* The client on a real API server: DAVIT_KUBECONFIG names an administrator's kubeconfig. */
#include "testlib.h"

#include "base/crypto.h"
#include "base/sync.h"
#include "kube/client.h"
#include "kube/events.h"
#include "kube/object.h"
#include "kube/readiness.h"

enum { PATIENCE_MS = 30000 };

static struct {
    dv_http *http;
    dv_kube *kube;
    dv_ctx ctx;
    const dv_resource *namespaces, *configmaps, *crds;
    char ns[32];
} t;

#define ACCOUNT "system:serviceaccount:%s:nobody"

/* ---- Short forms ---- */

static json_t *configmap(const char *name, const char *value)
{
    json_t *object = dv_obj_new("v1", "ConfigMap", t.ns, name);

    json_object_set_new(object, "data", json_pack("{s:s}", "k", value));
    return object;
}

static dv_kube_request on(dv_kube_verb verb, const char *name)
{
    return (dv_kube_request){.verb = verb, .resource = t.configmaps, .ns = t.ns, .name = name};
}

static dv_kube_request apply(const json_t *object)
{
    dv_kube_request request = on(DV_KUBE_APPLY, dv_obj_name(object));

    request.body = object;
    request.field_manager = "davit-test";
    return request;
}

static json_t *done(const dv_kube_request *request)
{
    json_t *object = NULL;

    assert_ok(dv_kube_do(&t.ctx, t.kube, request, &object));
    assert_non_null(object);
    return object;
}

static dv_err *fails(const dv_kube_request *request)
{
    json_auto_t *object = NULL;

    return dv_kube_do(&t.ctx, t.kube, request, &object);
}

/* ---- Setting up ---- */

static int set_up(void **state DV_UNUSED)
{
    dv_kube_config_options options = {.kubeconfig = getenv("DAVIT_KUBECONFIG"),
                                      .allow_exec = false};
    dv_kube_config *config = NULL;
    unsigned suffix;

    dv_http_setup();
    t.ctx = dv_ctx_make(NULL);
    dv_ctx_set_timeout(&t.ctx, (int64_t)5 * 60 * 1000);
    t.http = dv_http_new();
    assert_ok(dv_kube_config_load(&t.ctx, &options, &config));
    t.kube = dv_kube_new(t.http, config, "davit-test");
    assert_ok(dv_kube_resource(&t.ctx, t.kube, "v1", "Namespace", &t.namespaces));
    assert_ok(dv_kube_resource(&t.ctx, t.kube, "v1", "ConfigMap", &t.configmaps));
    assert_ok(dv_kube_resource(&t.ctx, t.kube, "apiextensions.k8s.io/v1",
                               "CustomResourceDefinition", &t.crds));
    dv_random_bytes(&suffix, sizeof(suffix));
    snprintf(t.ns, sizeof(t.ns), "kube-client-%08x", suffix);
    json_auto_t *ns = dv_obj_new("v1", "Namespace", NULL, t.ns);
    dv_kube_request create = {.verb = DV_KUBE_CREATE, .resource = t.namespaces, .body = ns};
    assert_ok(dv_kube_do(&t.ctx, t.kube, &create, NULL));
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    dv_kube_request drop = {.verb = DV_KUBE_DELETE, .resource = t.namespaces, .name = t.ns};

    assert_ok(dv_kube_do(&t.ctx, t.kube, &drop, NULL));
    dv_http_free(t.http);
    dv_kube_free(t.kube);
    return 0;
}

/* ---- Discovery ---- */

static void kinds_are_found_and_missed(void **state DV_UNUSED)
{
    const dv_resource *one = NULL, *two = NULL, *preferred = NULL;
    size_t cursor = 0, n = 0;

    assert_ok(dv_kube_resource(&t.ctx, t.kube, "apps/v1", "Deployment", &one));
    assert_string_equal(one->resource, "deployments");
    assert_true(one->namespaced && one->has_status && one->can_list_watch && one->can_delete);
    assert_ok(dv_kube_resource(&t.ctx, t.kube, "apps/v1", "Deployment", &two));
    assert_ptr_equal(one, two);
    assert_ok(dv_kube_resource_preferred(&t.ctx, t.kube, "apps", "Deployment", &preferred));
    assert_ptr_equal(one, preferred);
    assert_false(t.namespaces->namespaced);
    assert_err(dv_kube_resource(&t.ctx, t.kube, "example.com/v1", "Nothing", &one), DV_NOT_FOUND,
               "no kind Nothing in example.com/v1");
    while (dv_kube_next_resource(t.kube, &cursor, &two))
        n += strcmp(two->kind, "Deployment") == 0;
    assert_int_equal(n, 1);
}

static void the_version_is_known(void **state DV_UNUSED)
{
    json_auto_t *version = NULL;

    assert_ok(dv_kube_version(&t.ctx, t.kube, &version));
    assert_string_equal(dv_json_str(version, "/major"), "1");
}

/* ---- Objects ---- */

static void an_object_lives(void **state DV_UNUSED)
{
    json_auto_t *wish = configmap("life", "one");
    dv_kube_request create = on(DV_KUBE_CREATE, NULL);
    dv_kube_request get = on(DV_KUBE_GET, "life");
    dv_kube_request drop = on(DV_KUBE_DELETE, "life");

    create.body = wish;
    json_auto_t *made = done(&create);
    assert_err(fails(&create), DV_CONFLICT, "create ConfigMap ");
    json_auto_t *read = done(&get);
    assert_string_equal(dv_obj_uid(read), dv_obj_uid(made));
    assert_string_equal(dv_json_str(read, "/data/k"), "one");

    dv_kube_request replace = on(DV_KUBE_REPLACE, "life");
    replace.body = read;
    assert_ok(dv_json_set(read, "/data/k", json_string("two")));
    json_auto_t *replaced = done(&replace);
    assert_string_not_equal(dv_obj_rv(replaced), dv_obj_rv(made));
    assert_err(fails(&replace), DV_CONFLICT, "the object has been modified");

    drop.precondition_uid = "00000000-0000-0000-0000-000000000000";
    dv_auto(dv_err) other = fails(&drop);
    assert_true(dv_err_is(other, DV_CONFLICT));
    assert_string_equal(dv_err_reason(other), "UIDMismatch");
    drop.precondition_uid = dv_obj_uid(made);
    drop.precondition_resource_version = dv_obj_rv(made);
    assert_err(fails(&drop), DV_CONFLICT, "ResourceVersion");
    drop.precondition_resource_version = dv_obj_rv(replaced);
    assert_ok(dv_kube_do(&t.ctx, t.kube, &drop, NULL));
    assert_err(fails(&get), DV_NOT_FOUND, "get ConfigMap ");
}

static void patches_change_what_they_name(void **state DV_UNUSED)
{
    json_auto_t *wish = configmap("patched", "one");
    dv_kube_request create = on(DV_KUBE_CREATE, NULL);
    dv_kube_request merge = on(DV_KUBE_MERGE_PATCH, "patched");
    dv_kube_request json = on(DV_KUBE_JSON_PATCH, "patched");

    create.body = wish;
    json_decref(done(&create));
    merge.body_bytes = DV_STR("{\"data\":{\"l\":\"two\"}}");
    json_auto_t *merged = done(&merge);
    assert_string_equal(dv_json_str(merged, "/data/k"), "one");
    assert_string_equal(dv_json_str(merged, "/data/l"), "two");
    json.body_bytes = DV_STR("[{\"op\":\"remove\",\"path\":\"/data/k\"}]");
    json.metadata_only = true;
    json_auto_t *removed = done(&json);
    assert_string_equal(dv_obj_kind(removed), "PartialObjectMetadata");
    assert_null(dv_json_at(removed, "/data"));
    json.dry_run = true;
    assert_err(fails(&json), DV_INVALID, "patch ConfigMap ");
}

static void an_apply_creates_keeps_and_conflicts(void **state DV_UNUSED)
{
    json_auto_t *wish = configmap("applied", "one");
    json_auto_t *rival = configmap("applied", "other");
    dv_kube_request first = apply(wish);
    dv_kube_request second = apply(rival);
    dv_kube_result results[2];

    first.metadata_only = true;
    dv_kube_batch(&t.ctx, t.kube, &first, 1, &results[0]);
    dv_kube_batch(&t.ctx, t.kube, &first, 1, &results[1]);
    assert_ok(results[0].err);
    assert_ok(results[1].err);
    assert_int_equal(results[0].status, 201);
    assert_int_equal(results[1].status, 200);
    assert_string_equal(dv_obj_rv(results[0].object), dv_obj_rv(results[1].object));

    second.field_manager = "rival";
    dv_auto(dv_err) conflict = fails(&second);
    assert_true(dv_err_is(conflict, DV_DENIED));
    assert_string_equal(dv_err_reason(conflict), "ApplyConflict");
    assert_non_null(strstr(dv_err_str(conflict), "conflict with \"davit-test\" over .data.k"));
    second.force = true;
    assert_ok(dv_kube_do(&t.ctx, t.kube, &second, NULL));

    /* With version 1 a forced apply creates or fails; with a uid it is for that object alone. */
    first.force = true;
    assert_ok(dv_json_set(wish, "/metadata/resourceVersion", json_string("1")));
    assert_err(fails(&first), DV_CONFLICT, "the object has been modified");
    dv_json_remove(wish, "/metadata/resourceVersion");
    assert_ok(dv_json_set(wish, "/metadata/uid", json_string(dv_obj_uid(results[0].object))));
    assert_ok(dv_kube_do(&t.ctx, t.kube, &first, NULL));
    assert_ok(
        dv_json_set(wish, "/metadata/uid", json_string("00000000-0000-0000-0000-000000000000")));
    dv_auto(dv_err) wrong = fails(&first);
    assert_true(dv_err_is(wrong, DV_CONFLICT));
    assert_string_equal(dv_err_reason(wrong), "UIDMismatch");
    assert_ok(dv_json_set(wish, "/metadata/name", json_string("not-there")));
    first.name = "not-there";
    dv_auto(dv_err) missing = fails(&first);
    assert_true(dv_err_is(missing, DV_CONFLICT));
    assert_string_equal(dv_err_reason(missing), "UIDMismatch");
    json_decref(results[0].object);
    json_decref(results[1].object);
}

static void what_does_not_fit_is_invalid(void **state DV_UNUSED)
{
    const dv_resource *secrets;
    json_auto_t *wish = configmap("bad", "x");
    json_auto_t *secret = dv_obj_new("v1", "Secret", t.ns, "bad");
    dv_kube_request request = apply(wish);

    json_object_set_new(wish, "nonsense", json_integer(1));
    assert_err(fails(&request), DV_INVALID, ".nonsense: field not declared in schema");
    json_object_del(wish, "nonsense");
    assert_ok(dv_json_set(wish, "/data", json_pack("{s:s}", "a b", "x")));
    assert_err(fails(&request), DV_INVALID, "data[a b]");

    assert_ok(dv_kube_resource(&t.ctx, t.kube, "v1", "Secret", &secrets));
    request = apply(secret);
    request.resource = secrets;
    assert_ok(dv_json_set(secret, "/stringData", json_pack("{s:s}", "a b", "hunter2")));
    dv_auto(dv_err) err = fails(&request);
    assert_true(dv_err_is(err, DV_INVALID));
    assert_null(strstr(dv_err_str(err), "hunter2"));
    assert_ok(dv_json_set(secret, "/stringData", json_pack("{s:i}", "a", 4711)));
    dv_auto(dv_err) schema = fails(&request);
    assert_true(dv_err_is(schema, DV_INVALID));
    assert_non_null(strstr(dv_err_str(schema), ".stringData.a"));
    assert_null(strstr(dv_err_str(schema), "4711"));
}

static void places_that_are_not_there(void **state DV_UNUSED)
{
    json_auto_t *wish = configmap("x", "y");
    dv_kube_request request = apply(wish);
    const dv_resource *gone = dv_kube_resource_static(t.kube, "gone.example.com", "v1", "Gone",
                                                      "gones", /* namespaced= */ true);

    json_object_del(json_object_get(wish, "metadata"), "namespace");
    request.ns = "no-such-namespace";
    dv_auto(dv_err) no_ns = fails(&request);
    assert_true(dv_err_is(no_ns, DV_NOT_FOUND));
    assert_string_equal(dv_err_reason(no_ns), "NamespaceNotFound");
    request.ns = t.ns;
    request.resource = gone;
    dv_auto(dv_err) no_kind = fails(&request);
    assert_true(dv_err_is(no_kind, DV_TRANSIENT));
    assert_string_equal(dv_err_reason(no_kind), "KindNotFound");
}

static void a_batch_fills_every_result(void **state DV_UNUSED)
{
    enum { N = 40 };
    json_t *wishes[N];
    dv_kube_request requests[N];
    dv_kube_result results[N];

    for (int i = 0; i < N; i++) {
        dv_auto_str name = dv_asprintf("batch-%02d", i);

        wishes[i] = configmap(name, "x");
        requests[i] = apply(wishes[i]);
        requests[i].metadata_only = true;
    }
    requests[3].name = "..";
    requests[7].as = "system:serviceaccount:nowhere:nobody";
    dv_kube_batch(&t.ctx, t.kube, requests, N, results);
    for (int i = 0; i < N; i++) {
        if (i == 3)
            assert_err(results[i].err, DV_INVALID, "holds what no name");
        else if (i == 7)
            assert_err(results[i].err, DV_DENIED, "is forbidden");
        else
            assert_ok(results[i].err);
        if (i != 3 && i != 7)
            assert_int_equal(results[i].status, 201);
        json_decref(results[i].object);
        json_decref(wishes[i]);
    }
}

/* ---- Lists ---- */

typedef struct {
    size_t n, whole;
} tally;

static dv_err *count_item(void *arg, const json_t *item)
{
    tally *seen = arg;

    seen->n++;
    seen->whole += strcmp(dv_obj_kind(item), "ConfigMap") == 0 && dv_json_at(item, "/data");
    return NULL;
}

static void a_list_comes_in_pages(void **state DV_UNUSED)
{
    tally plain = {0}, small = {0}, meta = {0}, selected = {0};
    dv_kube_request list = on(DV_KUBE_LIST, NULL);
    dv_auto_str version = NULL;
    size_t skipped = 1;

    for (int i = 0; i < 7; i++) {
        dv_auto_str name = dv_asprintf("listed-%d", i);
        json_auto_t *wish = configmap(name, "x");
        dv_kube_request request = apply(wish);

        json_object_set_new(json_object_get(wish, "metadata"), "labels",
                            json_pack("{s:s}", "davit.dev/owner", i % 2 ? "odd" : "even"));
        assert_ok(dv_kube_do(&t.ctx, t.kube, &request, NULL));
    }
    assert_ok(dv_kube_list(&t.ctx, t.kube, &list, count_item, &plain, &version, &skipped));
    assert_int_equal(skipped, 0);
    assert_true(version && *version);
    assert_true(plain.n >= 7 && plain.whole == plain.n);
    list.limit = 2;
    assert_ok(dv_kube_list(&t.ctx, t.kube, &list, count_item, &small, NULL, NULL));
    assert_int_equal(small.n, plain.n);
    list.metadata_only = true;
    assert_ok(dv_kube_list(&t.ctx, t.kube, &list, count_item, &meta, NULL, NULL));
    assert_int_equal(meta.n, plain.n);
    assert_int_equal(meta.whole, 0);
    list.label_selector = "davit.dev/owner=odd";
    assert_ok(dv_kube_list(&t.ctx, t.kube, &list, count_item, &selected, NULL, NULL));
    assert_int_equal(selected.n, 3);
    list.continue_token = "nonsense";
    assert_err(dv_kube_list(&t.ctx, t.kube, &list, count_item, &meta, NULL, NULL), DV_INVALID,
               "list ConfigMap");
}

/* ---- Who may ---- */

static void an_account_may_what_it_may(void **state DV_UNUSED)
{
    dv_auto_str nobody = dv_asprintf(ACCOUNT, t.ns);
    dv_kube_request get = on(DV_KUBE_GET, "kube-root-ca.crt");
    bool allowed = true;

    get.as = nobody;
    assert_err(fails(&get), DV_DENIED, "cannot get resource");
    assert_ok(dv_kube_may(&t.ctx, t.kube, nobody, "get", t.configmaps, t.ns, &allowed));
    assert_false(allowed);
    assert_ok(dv_kube_may(&t.ctx, t.kube, NULL, "get", t.configmaps, NULL, &allowed));
    assert_true(allowed);
}

static bool refuse(const void *arg DV_UNUSED)
{
    return false;
}

static void the_fence_stops_writes_only(void **state DV_UNUSED)
{
    json_auto_t *wish = configmap("fenced", "x");
    dv_kube_request request = apply(wish);
    dv_kube_request list = on(DV_KUBE_LIST, NULL);
    bool allowed = false;

    dv_kube_set_fence(t.kube, refuse, NULL);
    dv_auto(dv_err) err = fails(&request);
    assert_true(dv_err_is(err, DV_CANCELED));
    assert_string_equal(dv_err_reason(err), "Fenced");
    json_decref(done(&list));
    assert_ok(dv_kube_may(&t.ctx, t.kube, NULL, "get", t.configmaps, NULL, &allowed));
    assert_true(allowed);
    request.lease_lane = true;
    assert_ok(dv_kube_do(&t.ctx, t.kube, &request, NULL));
    dv_kube_set_fence(t.kube, NULL, NULL);
}

/* ---- Watches ---- */

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    dv_buf bytes;
    int status;
    bool ended;
    dv_err *err;
} watched;

static bool on_begin(void *arg, int status)
{
    watched *w = arg;
    DV_LOCK_SCOPE(&w->mu);

    w->status = status;
    pthread_cond_broadcast(&w->changed);
    return true;
}

static bool on_data(void *arg, dv_str bytes)
{
    watched *w = arg;
    DV_LOCK_SCOPE(&w->mu);

    dv_buf_add_str(&w->bytes, bytes);
    pthread_cond_broadcast(&w->changed);
    return true;
}

static void on_end(void *arg, dv_err *err)
{
    watched *w = arg;
    DV_LOCK_SCOPE(&w->mu);

    w->ended = true;
    w->err = err;
    pthread_cond_broadcast(&w->changed);
}

/* Waits until the bytes hold the text, or the watch has ended. */
static bool await_text(watched *w, const char *text)
{
    const dv_clock *clock = dv_clock_real();
    int64_t until_ms = clock->mono_ms(clock) + PATIENCE_MS;
    DV_LOCK_SCOPE(&w->mu);

    while (clock->mono_ms(clock) < until_ms && !w->ended) {
        if (strstr(dv_buf_cstr(&w->bytes), text))
            return true;
        dv_cond_wait_ms(&w->changed, &w->mu, 100);
    }
    return strstr(dv_buf_cstr(&w->bytes), text) != NULL;
}

static const dv_http_sink watched_sink = {.begin = on_begin, .data = on_data, .end = on_end};

static void open_watch(watched *w, const dv_kube_request *request, dv_http_stream **stream)
{
    *w = (watched){.bytes = DV_BUF_INIT(1 << 20)};
    pthread_mutex_init(&w->mu, NULL);
    dv_cond_init(&w->changed);
    assert_ok(dv_kube_watch(&t.ctx, t.kube, request, &watched_sink, w, stream));
}

static void close_watch(watched *w, dv_http_stream *stream)
{
    dv_http_stream_close(stream);
    assert_true(w->ended);
    dv_err_free(w->err);
    dv_buf_done(&w->bytes);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mu);
}

static void a_watch_tells_of_changes_and_bookmarks(void **state DV_UNUSED)
{
    dv_http_stream *stream = NULL;
    json_auto_t *wish = configmap("watched", "x");
    dv_kube_request request = on(DV_KUBE_LIST, NULL);
    dv_kube_request change = apply(wish);
    dv_kube_request drop = on(DV_KUBE_DELETE, "watched");
    watched w;

    /* From version 0 the server sends what is there and, behind it, a bookmark. */
    request.resource_version = "0";
    request.metadata_only = true;
    request.field_selector = "metadata.name=watched";
    open_watch(&w, &request, &stream);
    assert_ok(dv_kube_do(&t.ctx, t.kube, &change, NULL));
    assert_true(await_text(&w, "\"type\":\"ADDED\""));
    assert_int_equal(w.status, 200);
    assert_non_null(strstr(dv_buf_cstr(&w.bytes), "PartialObjectMetadata"));
    assert_null(strstr(dv_buf_cstr(&w.bytes), "\"data\""));
    assert_ok(dv_kube_do(&t.ctx, t.kube, &drop, NULL));
    assert_true(await_text(&w, "\"type\":\"DELETED\""));
    assert_true(await_text(&w, "\"type\":\"BOOKMARK\""));
    close_watch(&w, stream);
}

/* More than one connection's streams, each with something to say, and requests beside them. */
static void many_watches_starve_nothing(void **state DV_UNUSED)
{
    enum { MANY = 150 };
    watched *watches = dv_calloc(MANY, sizeof(*watches));
    dv_http_stream *streams[MANY];

    for (int i = 0; i < MANY; i++) {
        dv_auto_str selector = dv_asprintf("metadata.name=many-%d", i);
        dv_kube_request request = on(DV_KUBE_LIST, NULL);

        request.resource_version = "0";
        request.metadata_only = true;
        request.field_selector = selector;
        open_watch(&watches[i], &request, &streams[i]);
    }
    for (int i = 0; i < MANY; i++) {
        dv_auto_str name = dv_asprintf("many-%d", i);
        json_auto_t *wish = configmap(name, "x");
        dv_kube_request request = apply(wish);

        assert_ok(dv_kube_do(&t.ctx, t.kube, &request, NULL));
    }
    for (int i = 0; i < MANY; i++)
        assert_true(await_text(&watches[i], "\"type\":\"ADDED\""));
    for (int i = 0; i < MANY; i++)
        close_watch(&watches[i], streams[i]);
    free(watches);
}

static void a_watch_of_a_kind_that_is_gone_ends_with_404(void **state DV_UNUSED)
{
    dv_http_stream *stream = NULL;
    dv_kube_request request = {.verb = DV_KUBE_LIST,
                               .resource = dv_kube_resource_static(t.kube, "gone.example.com", "v1",
                                                                   "Gone", "gones",
                                                                   /* namespaced= */ true)};
    watched w;

    open_watch(&w, &request, &stream);
    assert_true(await_text(&w, "404 page not found"));
    assert_int_equal(w.status, 404);
    close_watch(&w, stream);
}

static void an_impersonated_watch_is_denied(void **state DV_UNUSED)
{
    dv_http_stream *stream = NULL;
    dv_auto_str nobody = dv_asprintf(ACCOUNT, t.ns);
    dv_kube_request request = on(DV_KUBE_LIST, NULL);
    watched w;

    request.as = nobody;
    open_watch(&w, &request, &stream);
    assert_true(await_text(&w, "\"code\":403"));
    assert_int_equal(w.status, 403);
    close_watch(&w, stream);
}

/* ---- Custom kinds ---- */

/* A kind of this run's own: one that another run deletes may still be going. */
static json_t *definition(void)
{
    dv_auto_str text = dv_asprintf(
        "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
        "\"metadata\":{\"name\":\"gadgets.%s.test\"},\"spec\":{\"group\":\"%s.test\",\"scope\":"
        "\"Namespaced\",\"names\":{\"plural\":\"gadgets\",\"kind\":\"Gadget\"},\"versions\":[{"
        "\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},"
        "\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
        "\"x-kubernetes-preserve-unknown-fields\":true}}}]}}",
        t.ns, t.ns);
    json_t *crd = NULL;

    assert_ok(dv_json_read(dv_str_of(text), &crd));
    return crd;
}

static void await_ready(const dv_kube_request *get)
{
    for (int64_t waited = 0; waited < PATIENCE_MS; waited += 50) {
        json_auto_t *object = done(get);

        if (dv_readiness_of(object, NULL) == DV_READY)
            return;
        assert_ok(dv_ctx_sleep(&t.ctx, 50));
    }
    fail_msg("%s did not become ready", get->name);
}

/* Asks until discovery agrees: the server takes a moment to learn of a new kind. */
static const dv_resource *await_kind(const char *api_version)
{
    const dv_resource *resource = NULL;

    for (int64_t waited = 0; waited < PATIENCE_MS; waited += 100) {
        dv_kube_discovery_stale(t.kube);
        dv_auto(dv_err) err = dv_kube_resource(&t.ctx, t.kube, api_version, "Gadget", &resource);

        if (!err)
            return resource;
        assert_true(dv_err_is(err, DV_NOT_FOUND) || dv_err_is(err, DV_TRANSIENT));
        assert_ok(dv_ctx_sleep(&t.ctx, 100));
    }
    fail_msg("discovery never showed the kind");
    return NULL;
}

static void a_new_kind_is_discovered_and_used(void **state DV_UNUSED)
{
    json_auto_t *crd = definition();
    dv_auto_str api_version = dv_asprintf("%s.test/v1", t.ns);
    json_auto_t *gadget = dv_obj_new(api_version, "Gadget", t.ns, "g");
    dv_kube_request define = {.verb = DV_KUBE_APPLY,
                              .resource = t.crds,
                              .name = dv_obj_name(crd),
                              .body = crd,
                              .field_manager = "davit-test"};
    dv_kube_request drop = {.verb = DV_KUBE_DELETE, .resource = t.crds, .name = dv_obj_name(crd)};
    dv_kube_request get = {.verb = DV_KUBE_GET, .resource = t.crds, .name = dv_obj_name(crd)};

    assert_ok(dv_kube_do(&t.ctx, t.kube, &define, NULL));
    await_ready(&get);
    const dv_resource *gadgets = await_kind(api_version);
    assert_true(gadgets->namespaced && gadgets->has_status);
    dv_kube_request request = apply(gadget);
    request.resource = gadgets;
    json_auto_t *made = done(&request);
    assert_int_equal(dv_obj_generation(made), 1);
    json_auto_t *status = dv_obj_new(api_version, "Gadget", t.ns, "g");
    json_object_set_new(status, "status", json_pack("{s:i}", "observedGeneration", 1));
    request.body = status;
    request.subresource = "status";
    request.field_manager = "davit-status";
    json_auto_t *with_status = done(&request);
    assert_int_equal(dv_json_int(with_status, "/status/observedGeneration", 0), 1);
    assert_ok(dv_kube_do(&t.ctx, t.kube, &drop, NULL));
}

/* ---- Events ---- */

static dv_err *find_event(void *arg, const json_t *item)
{
    json_t **found = arg;

    if (dv_str_is(dv_json_view(item, "/reason"), "Tested"))
        *found = json_deep_copy(item);
    return NULL;
}

static json_t *await_event(int64_t count)
{
    const dv_resource *resource = dv_kube_resource_static(t.kube, "events.k8s.io", "v1", "Event",
                                                          "events", /* namespaced= */ true);
    dv_kube_request list = {.verb = DV_KUBE_LIST, .resource = resource, .ns = t.ns};

    for (int64_t waited = 0; waited < PATIENCE_MS; waited += 50) {
        json_t *found = NULL;

        assert_ok(dv_kube_list(&t.ctx, t.kube, &list, find_event, &found, NULL, NULL));
        if (found && dv_json_int(found, "/series/count", 1) == count)
            return found;
        json_decref(found);
        assert_ok(dv_ctx_sleep(&t.ctx, 50));
    }
    fail_msg("no event with count %lld", (long long)count);
    return NULL;
}

static void an_event_is_made_once_and_counted(void **state DV_UNUSED)
{
    dv_fake_clock clock;
    dv_objref ref = {(char *)(uintptr_t) "v1", (char *)(uintptr_t) "ConfigMap", t.ns,
                     (char *)(uintptr_t) "web", (char *)(uintptr_t) "u1"};
    const dv_clock *real = dv_clock_real();

    dv_fake_clock_init(&clock, real->unix_us(real) / 1000);
    dv_events *events =
        dv_events_new(t.kube, &clock.clock, "davit.dev/controller", "test-instance");
    for (int i = 0; i < 3; i++)
        dv_event(events, &ref, "Normal", "Tested", "Test", "it was %s", "tested");
    json_auto_t *first = await_event(1);
    assert_string_equal(dv_json_str(first, "/note"), "it was tested");
    assert_string_equal(dv_json_str(first, "/regarding/name"), "web");
    dv_fake_clock_advance(&clock, DV_EVENT_PATCH_MS);
    dv_event(events, &ref, "Normal", "Tested", "Test", "it was %s", "tested");
    json_auto_t *second = await_event(4);
    assert_string_equal(dv_obj_name(first), dv_obj_name(second));
    dv_events_pause(events, true);
    dv_event(events, &ref, "Normal", "Paused", "Test", "never sent");
    assert_int_equal(dv_events_dropped(events), 0);
    dv_events_free(events);
}

/* ---- Figures ---- */

typedef struct {
    uint64_t created, denied, watches;
} figures;

static void add_figure(void *arg, const char *verb, int code, uint64_t count)
{
    figures *f = arg;

    f->created += strcmp(verb, "apply") == 0 && code == 201 ? count : 0;
    f->denied += code == 403 ? count : 0;
    f->watches += strcmp(verb, "watch") == 0 && code == 200 ? count : 0;
}

static void requests_were_counted(void **state DV_UNUSED)
{
    figures seen = {0};

    dv_kube_request_counts(t.kube, add_figure, &seen);
    assert_true(seen.created >= 38);
    assert_true(seen.denied >= 3);
    assert_true(seen.watches >= 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_found_and_missed),
        cmocka_unit_test(the_version_is_known),
        cmocka_unit_test(an_object_lives),
        cmocka_unit_test(patches_change_what_they_name),
        cmocka_unit_test(an_apply_creates_keeps_and_conflicts),
        cmocka_unit_test(what_does_not_fit_is_invalid),
        cmocka_unit_test(places_that_are_not_there),
        cmocka_unit_test(a_batch_fills_every_result),
        cmocka_unit_test(a_list_comes_in_pages),
        cmocka_unit_test(an_account_may_what_it_may),
        cmocka_unit_test(the_fence_stops_writes_only),
        cmocka_unit_test(a_watch_tells_of_changes_and_bookmarks),
        cmocka_unit_test(many_watches_starve_nothing),
        cmocka_unit_test(a_watch_of_a_kind_that_is_gone_ends_with_404),
        cmocka_unit_test(an_impersonated_watch_is_denied),
        cmocka_unit_test(a_new_kind_is_discovered_and_used),
        cmocka_unit_test(an_event_is_made_once_and_counted),
        cmocka_unit_test(requests_were_counted),
    };

    if (!getenv("DAVIT_KUBECONFIG")) {
        printf("skipped: DAVIT_KUBECONFIG names no cluster\n");
        return 0;
    }
    return cmocka_run_group_tests_name("integration/kube_client", tests, set_up, tear_down);
}
