/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Informers against a real API server: DAVIT_KUBECONFIG names the kubeconfig of an administrator.
 * With DAVIT_CLUSTER, the name of a dev cluster, its API server is restarted too. With DAVIT_SLOW
 * set, a test waits for the server's bookmark, which comes once a minute.
 */
#include "testlib.h"

#include <stdatomic.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "base/sync.h"
#include "runtime/cache_internal.h"

enum { PATIENCE_MS = 60000, MANY = 120 };

/* What is done to the requests of informers on their way. Set before the cache, or under mu. */
typedef struct {
    _Atomic bool old_version; /* the next watch asks for a version that is long gone */
    _Atomic bool cut;         /* the next bytes of a watch end it */
    const char *as;           /* lists and watches are made as somebody else */
} meddler;

static struct {
    dv_http *http;
    dv_kube *kube;
    dv_ctx ctx;
    const dv_resource *namespaces, *configmaps;
    char ns[32];

    dv_cache *cache;
    meddler meddler;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    dv_strings told; /* "name:old>now" */
} t;

/* ---- Between informers and the server ---- */

static dv_kube_request meddle(const dv_kube_request *request)
{
    dv_kube_request changed = *request;

    changed.as = t.meddler.as;
    return changed;
}

static void meddled_list(void *arg DV_UNUSED, const dv_kube_request *request, int64_t timeout_ms,
                         void (*done)(void *arg, dv_kube_raw raw), void *done_arg)
{
    dv_kube_request changed = meddle(request);

    dv_kube_start(&t.ctx, t.kube, &changed, timeout_ms, done, done_arg);
}

/* A watch whose bytes pass through here. */
typedef struct {
    const dv_http_sink *sink;
    void *arg;
    dv_http_stream *stream;
} passing;

static void pass_header(void *arg, const char *name, const char *value)
{
    passing *p = arg;

    p->sink->header(p->arg, name, value);
}

static bool pass_begin(void *arg, int status)
{
    passing *p = arg;

    return p->sink->begin(p->arg, status);
}

static bool pass_data(void *arg, dv_str bytes)
{
    passing *p = arg;

    return !atomic_exchange(&t.meddler.cut, false) && p->sink->data(p->arg, bytes);
}

static void pass_end(void *arg, dv_err *err)
{
    passing *p = arg;

    p->sink->end(p->arg, err);
}

static dv_err *meddled_watch(void *arg DV_UNUSED, const dv_kube_request *request,
                             const dv_http_sink *sink, void *sink_arg, dv_http_stream **ret_stream)
{
    static const dv_http_sink between = {pass_header, pass_begin, pass_data, pass_end};
    dv_kube_request changed = meddle(request);
    passing *p = DV_NEW(passing);
    dv_err *err;

    if (atomic_exchange(&t.meddler.old_version, false))
        changed.resource_version = "1";
    *p = (passing){.sink = sink, .arg = sink_arg};
    err = dv_kube_watch(&t.ctx, t.kube, &changed, &between, p, &p->stream);
    if (err)
        free(p);
    else
        *ret_stream = (dv_http_stream *)p;
    return err;
}

static void meddled_unwatch(void *arg DV_UNUSED, dv_http_stream *stream)
{
    passing *p = (passing *)stream;

    dv_http_stream_close(p->stream);
    free(p);
}

static const dv_source meddled = {meddled_list, meddled_watch, meddled_unwatch};

/* ---- Informers ---- */

typedef struct {
    dv_entry entry;
    char value[];
} kept;

static void kept_free(dv_entry *entry)
{
    free(entry);
}

/* Keeps a ConfigMap's /data/k, or of what has no data its version. */
static dv_entry *keep(void *arg DV_UNUSED, const json_t *object)
{
    const char *data = dv_json_str(object, "/data/k");
    const char *value = data ? data : dv_json_str(object, "/metadata/resourceVersion");
    kept *one = dv_calloc(1, sizeof(kept) + strlen(value) + 1);

    dv_entry_init(&one->entry, kept_free);
    memcpy(one->value, value, strlen(value));
    return &one->entry;
}

static const char *value_or(const dv_entry *entry)
{
    return entry ? ((const kept *)entry)->value : "";
}

static void changed(void *arg DV_UNUSED, const char *key, const dv_entry *old, const dv_entry *now)
{
    const char *name = strchr(key, '/') ? strchr(key, '/') + 1 : key;
    DV_LOCK_SCOPE(&t.mu);

    if (strcmp(name, "kube-root-ca.crt") == 0)
        return;
    dv_strings_take(&t.told, dv_asprintf("%s:%s>%s", name, value_or(old), value_or(now)));
    pthread_cond_broadcast(&t.changed);
}

static dv_informer *inform(void)
{
    return dv_informer_start(
        t.cache, &(dv_informer_options){
                     .resource = t.configmaps, .ns = t.ns, .reduce = keep, .changed = changed});
}

/* Waits until the nth change (from 0) is told. */
static void assert_told(size_t i, const char *want)
{
    DV_LOCK_SCOPE(&t.mu);

    while (t.told.n <= i)
        assert_true(dv_cond_wait_ms(&t.changed, &t.mu, PATIENCE_MS));
    assert_string_equal(t.told.at[i], want);
}

static size_t told(void)
{
    DV_LOCK_SCOPE(&t.mu);

    return t.told.n;
}

static void wait_until_watching(const dv_informer *informer)
{
    for (int i = 0; dv_informer_broken_since_ms(informer); i++) {
        assert_true(i < PATIENCE_MS / 10);
        assert_ok(dv_ctx_sleep(&t.ctx, 10));
    }
}

/* ---- Objects ---- */

static json_t *applied(const char *name, const char *value)
{
    json_auto_t *object =
        json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
                  "metadata", "name", name, "namespace", t.ns, "data", "k", value);
    dv_kube_request request = {.verb = DV_KUBE_APPLY,
                               .resource = t.configmaps,
                               .ns = t.ns,
                               .name = name,
                               .body = object,
                               .field_manager = "davit-test"};
    json_t *answer = NULL;

    assert_ok(dv_kube_do(&t.ctx, t.kube, &request, &answer));
    return answer;
}

static void apply(const char *name, const char *value)
{
    json_decref(applied(name, value));
}

static void drop(const char *name)
{
    dv_kube_request request = {
        .verb = DV_KUBE_DELETE, .resource = t.configmaps, .ns = t.ns, .name = name};

    assert_ok(dv_kube_do(&t.ctx, t.kube, &request, NULL));
}

/* ---- Each test has a namespace and a cache of its own ---- */

static int set_up(void **state DV_UNUSED)
{
    dv_kube_config_options options = {.kubeconfig = getenv("DAVIT_KUBECONFIG")};
    dv_kube_config *config = NULL;
    unsigned suffix;

    t.ctx = dv_ctx_make(NULL);
    t.http = dv_http_new();
    assert_ok(dv_kube_config_load(&t.ctx, &options, &config));
    t.kube = dv_kube_new(t.http, config, "davit-test");
    assert_ok(dv_kube_resource(&t.ctx, t.kube, "v1", "Namespace", &t.namespaces));
    assert_ok(dv_kube_resource(&t.ctx, t.kube, "v1", "ConfigMap", &t.configmaps));
    dv_random_bytes(&suffix, sizeof(suffix));
    snprintf(t.ns, sizeof(t.ns), "informer-%08x", suffix);
    json_auto_t *ns = json_pack("{s:s,s:s,s:{s:s}}", "apiVersion", "v1", "kind", "Namespace",
                                "metadata", "name", t.ns);
    dv_kube_request create = {.verb = DV_KUBE_CREATE, .resource = t.namespaces, .body = ns};
    assert_ok(dv_kube_do(&t.ctx, t.kube, &create, NULL));
    t.cache = dv_cache_new_from(&meddled, NULL, dv_clock_real(), NULL);
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    dv_kube_request request = {.verb = DV_KUBE_DELETE, .resource = t.namespaces, .name = t.ns};

    dv_cache_free(t.cache);
    t.meddler = (meddler){.as = NULL};
    dv_strings_done(&t.told);
    assert_ok(dv_kube_do(&t.ctx, t.kube, &request, NULL));
    dv_http_free(t.http);
    dv_kube_free(t.kube);
    return 0;
}

/* ---- Tests ---- */

static void changes_are_told_once_and_in_order(void **state DV_UNUSED)
{
    dv_informer *informer;

    apply("a", "1");
    informer = inform();
    assert_ok(dv_informer_wait(&t.ctx, informer));
    assert_told(0, "a:>1");
    apply("a", "2");
    apply("b", "1");
    drop("a");
    apply("a", "3");
    assert_told(1, "a:1>2");
    assert_told(2, "b:>1");
    assert_told(3, "a:2>");
    assert_told(4, "a:>3");
    assert_int_equal(told(), 5);
    assert_int_equal(dv_informer_get_stats(informer).lists, 1);
}

static void a_list_longer_than_a_page_is_whole(void **state DV_UNUSED)
{
    enum { OBJECTS = 520 };
    static dv_kube_request requests[OBJECTS];
    static dv_kube_result results[OBJECTS];
    static char names[OBJECTS][16];
    dv_informer *informer;

    for (int i = 0; i < OBJECTS; i++) {
        snprintf(names[i], sizeof(names[i]), "o%d", i);
        requests[i] =
            (dv_kube_request){.verb = DV_KUBE_CREATE, .resource = t.configmaps, .ns = t.ns};
        requests[i].body = json_pack("{s:s,s:s,s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
                                     "metadata", "name", names[i]);
    }
    dv_kube_batch(&t.ctx, t.kube, requests, OBJECTS, results);
    for (int i = 0; i < OBJECTS; i++) {
        if (results[i].err) /* a server that says GOAWAY may lose an answer */
            apply(names[i], "again");
        dv_err_free(results[i].err);
        json_decref(results[i].object);
        json_decref((json_t *)(uintptr_t)requests[i].body);
    }
    informer = inform();
    assert_ok(dv_informer_wait(&t.ctx, informer));
    assert_true(dv_informer_count(informer) >= OBJECTS);
    for (int i = 0; i < OBJECTS; i++) {
        dv_auto_str key = dv_key_make(t.ns, names[i]);
        dv_entry *entry = dv_informer_get(informer, key);

        assert_non_null(entry);
        dv_entry_unref(entry);
    }
}

static void a_cut_watch_loses_and_doubles_nothing(void **state DV_UNUSED)
{
    dv_informer *informer = inform();

    assert_ok(dv_informer_wait(&t.ctx, informer));
    wait_until_watching(informer);
    apply("a", "1");
    assert_told(0, "a:>1");
    t.meddler.cut = true;
    apply("a", "2"); /* lost with the watch */
    apply("a", "3");
    drop("a");
    apply("b", "1");
    assert_told(1, "a:1>2");
    assert_told(2, "a:2>3");
    assert_told(3, "a:3>");
    assert_told(4, "b:>1");
    assert_int_equal(told(), 5);
    assert_int_equal(dv_informer_get_stats(informer).lists, 1);
    assert_int_equal(dv_informer_get_stats(informer).watches, 2);
}

static void what_may_not_be_listed_is_denied(void **state DV_UNUSED)
{
    dv_informer *informer;

    t.meddler.as = "system:serviceaccount:default:nobody";
    informer = inform();
    assert_err(dv_informer_wait(&t.ctx, informer), DV_DENIED, "ConfigMap");
    assert_int_equal(dv_informer_count(informer), 0);
}

static void a_NUL_in_a_value_stops_nothing(void **state DV_UNUSED)
{
    static const char body[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"nul\"},"
        "\"data\":{\"k\":\"a\\u0000b\"}}";
    dv_kube_request create = {
        .verb = DV_KUBE_CREATE, .resource = t.configmaps, .ns = t.ns, .body_bytes = DV_STR(body)};
    dv_informer *informer = inform();

    assert_ok(dv_informer_wait(&t.ctx, informer));
    wait_until_watching(informer);
    assert_ok(dv_kube_do(&t.ctx, t.kube, &create, NULL));
    apply("after", "1");
    assert_told(0, "nul:>a"); /* the test's own entry ends at the NUL */
    assert_told(1, "after:>1");
    assert_int_equal(dv_informer_get_stats(informer).skipped, 0);
}

static void a_write_of_ours_is_seen_at_once_and_told_once(void **state DV_UNUSED)
{
    dv_informer *informer = inform();
    dv_auto_str key = dv_key_make(t.ns, "a");
    dv_entry *entry;

    assert_ok(dv_informer_wait(&t.ctx, informer));
    json_auto_t *written = applied("a", "1");
    dv_informer_observe(informer, written);
    entry = dv_informer_get(informer, key);
    assert_string_equal(value_or(entry), "1");
    dv_entry_unref(entry);
    apply("b", "1");
    assert_told(1, "b:>1");
    drop("a");
    assert_told(2, "a:1>");
    dv_informer_observe(informer, written); /* somebody who is late */
    assert_null(dv_informer_get(informer, key));
    assert_told(0, "a:>1");
    assert_int_equal(told(), 3);
}

static bool has_data;

static dv_entry *note_data(void *arg, const json_t *object)
{
    has_data |= json_object_get(object, "data") != NULL;
    assert_string_equal(dv_json_str(object, "/kind"), "ConfigMap");
    return keep(arg, object);
}

static void metadata_alone_is_watched(void **state DV_UNUSED)
{
    dv_informer *informer;

    apply("a", "1");
    has_data = false;
    informer = dv_informer_start(t.cache, &(dv_informer_options){.resource = t.configmaps,
                                                                 .ns = t.ns,
                                                                 .metadata_only = true,
                                                                 .reduce = note_data,
                                                                 .changed = changed});
    assert_ok(dv_informer_wait(&t.ctx, informer));
    apply("b", "1");
    while (told() < 2)
        assert_ok(dv_ctx_sleep(&t.ctx, 10));
    assert_false(has_data);
}

static size_t resident_kib(void)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PATH_MAX);
    dv_str rest, size;

    assert_ok(dv_file_read("/proc/self/statm", &text));
    rest = dv_str_cut(dv_buf_str(&text), ' ', &size);
    return (size_t)strtoul(rest.p, NULL, 10) * 4;
}

static void more_than_a_hundred_kinds_starve_nothing(void **state DV_UNUSED)
{
    dv_informer *informers[MANY] = {NULL};
    const dv_resource *resource;
    size_t cursor = 0, n = 0, before = resident_kib();

    while (n < MANY) {
        if (!dv_kube_next_resource(t.kube, &cursor, &resource)) {
            cursor = 0;
            continue;
        }
        if (resource->can_list_watch && strcmp(resource->kind, "ConfigMap") != 0)
            informers[n++] = dv_informer_start(
                t.cache, &(dv_informer_options){
                             .resource = resource, .metadata_only = true, .reduce = keep});
    }
    dv_informer *last = inform();
    for (size_t i = 0; i < MANY; i++)
        assert_ok(dv_informer_wait(&t.ctx, informers[i]));
    for (size_t i = 0; i < MANY; i++)
        wait_until_watching(informers[i]);
    assert_ok(dv_informer_wait(&t.ctx, last));
    apply("a", "1");
    assert_told(0, "a:>1");
    print_message("%d informers take %zu KiB\n", MANY, resident_kib() - before);
}

/* Returns when it answers again. */
static void restart_server(void)
{
    const char *argv[] = {DV_SOURCE_DIR "/hack/devcluster", "restart", getenv("DAVIT_CLUSTER"),
                          "apiserver", NULL};
    dv_process_result result = {0};

    assert_ok(dv_process_run(&t.ctx, &(dv_process_spec){.argv = argv}, &result));
    if (result.exit_code)
        print_error("%s", result.err);
    assert_int_equal(result.exit_code, 0);
    dv_process_result_done(&result);
    for (bool up = false; !up;) {
        json_auto_t *answer = NULL;
        dv_auto(dv_err) err = dv_kube_version(&t.ctx, t.kube, &answer);

        up = !err;
    }
}

static void a_restarted_server_is_watched_on(void **state DV_UNUSED)
{
    dv_informer *informer;
    size_t seen;

    if (!getenv("DAVIT_CLUSTER"))
        skip();
    apply("a", "1");
    informer = inform();
    assert_ok(dv_informer_wait(&t.ctx, informer));
    wait_until_watching(informer);
    apply("a", "2");
    assert_told(1, "a:1>2");
    restart_server();
    seen = told();
    apply("a", "3");
    drop("a");
    assert_told(seen, "a:2>3");
    assert_told(seen + 1, "a:3>");
    assert_int_equal(seen, 2);
    assert_true(dv_informer_get_stats(informer).watches >= 2);
}

static void a_version_that_is_gone_is_listed_anew(void **state DV_UNUSED)
{
    dv_informer *informer;

    if (!getenv("DAVIT_CLUSTER"))
        skip();
    apply("a", "1");
    restart_server(); /* it forgets what was before */
    t.meddler.old_version = true;
    informer = inform();
    assert_ok(dv_informer_wait(&t.ctx, informer));
    wait_until_watching(informer);
    apply("a", "2");
    assert_told(0, "a:>1");
    assert_told(1, "a:1>2");
    assert_int_equal(dv_informer_get_stats(informer).lists, 2);
}

static void a_bookmark_moves_on_where_nothing_changes(void **state DV_UNUSED)
{
    dv_informer *informer;
    dv_auto_str before = NULL;
    dv_auto_str after = NULL;
    uint64_t events;

    if (!getenv("DAVIT_SLOW"))
        skip();
    informer = inform();
    assert_ok(dv_informer_wait(&t.ctx, informer));
    wait_until_watching(informer);
    while (!dv_informer_count(informer)) /* the CA bundle that every namespace is given */
        assert_ok(dv_ctx_sleep(&t.ctx, 10));
    events = dv_informer_get_stats(informer).events;
    before = dv_store_position(informer->reflector.store);
    after = dv_strdup(before);
    for (int i = 0; i < 150 && strcmp(before, after) == 0; i++) {
        assert_ok(dv_ctx_sleep(&t.ctx, 1000));
        free(after);
        after = dv_store_position(informer->reflector.store);
    }
    assert_string_not_equal(before, after);
    assert_int_equal(dv_informer_get_stats(informer).events, events);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_are_told_once_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_longer_than_a_page_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_watch_loses_and_doubles_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_not_be_listed_is_denied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_NUL_in_a_value_stops_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_of_ours_is_seen_at_once_and_told_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(metadata_alone_is_watched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_a_hundred_kinds_starve_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_restarted_server_is_watched_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_version_that_is_gone_is_listed_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bookmark_moves_on_where_nothing_changes, set_up,
                                        tear_down),
    };

    dv_json_setup();
    dv_http_setup();
    dv_log_setup(DV_LOG_WARN, DV_LOG_TEXT);
    pthread_mutex_init(&t.mu, NULL);
    dv_cond_init(&t.changed);
    return cmocka_run_group_tests_name("runtime/informer", tests, NULL, NULL);
}
