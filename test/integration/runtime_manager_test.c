/* SPDX-License-Identifier: Apache-2.0 */
/* Managers that share a lease on a real API server: DAVIT_KUBECONFIG names an administrator's
 * kubeconfig. */
#include "testlib.h"

#include "base/crypto.h"
#include "base/sync.h"
#include "kube/object.h"
#include "runtime/manager.h"

enum { PATIENCE_MS = 60000 };

/* One process' worth: a client, a manager, a controller that stamps ConfigMaps. */
typedef struct {
    const char *identity;
    dv_http *http;
    dv_kube *kube;
    const dv_resource *configmaps;
    dv_metrics *metrics;
    dv_manager *manager;
    dv_controller *controller;
    dv_informer *informer;
    dv_cancel *cancel;
    pthread_t thread;
    dv_err *returned;
    int64_t began_ms;
    _Atomic int64_t first_run_ms;
} actor;

static struct {
    dv_ctx ctx;
    char ns[32];
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int runs;
    char stamped_by[16];
} t;

/* ---- The controller ---- */

typedef struct {
    dv_entry entry;
    bool stamped;
} kept;

static void kept_free(dv_entry *entry)
{
    free(entry);
}

static dv_entry *keep(void *arg DV_UNUSED, const json_t *object)
{
    kept *one = DV_NEW(kept);

    dv_entry_init(&one->entry, kept_free);
    one->stamped = dv_obj_annotation(object, "by") != NULL;
    return &one->entry;
}

static void changed(void *arg, const char *key, const dv_entry *old DV_UNUSED, const dv_entry *now)
{
    actor *a = arg;

    if (now && !strstr(key, "kube-root-ca.crt")) /* every namespace has that one */
        dv_controller_enqueue(a->controller, key, 0);
}

static dv_err *stamp(actor *a, dv_ctx *ctx, const char *key)
{
    dv_auto_str ns = NULL;
    dv_auto_str name = NULL;
    json_t *written = NULL;

    dv_key_split(key, &ns, &name);
    json_auto_t *wish = dv_obj_new("v1", "ConfigMap", ns, name);
    DV_CHECK(dv_json_set(wish, "/metadata/annotations/by", json_string(a->identity)));
    dv_kube_request request = {.verb = DV_KUBE_APPLY,
                               .resource = a->configmaps,
                               .ns = ns,
                               .name = name,
                               .body = wish,
                               .field_manager = "davit-test"};
    DV_CHECK(dv_kube_do(ctx, a->kube, &request, &written));
    dv_informer_observe(a->informer, written);
    json_decref(written);
    return NULL;
}

static dv_result reconcile(void *arg, dv_ctx *ctx, const char *key)
{
    actor *a = arg;
    kept *entry = (kept *)dv_informer_get(a->informer, key);
    bool stamped = !entry || entry->stamped;

    if (!a->first_run_ms)
        a->first_run_ms = dv_ctx_now_ms(ctx);
    dv_entry_unref(entry ? &entry->entry : NULL);
    dv_err *err = stamped ? NULL : stamp(a, ctx, key);
    if (!stamped && !err) {
        DV_LOCK_SCOPE(&t.mu);
        t.runs++;
        snprintf(t.stamped_by, sizeof(t.stamped_by), "%s", a->identity);
        pthread_cond_broadcast(&t.changed);
    }
    return dv_result_from(err, 0);
}

/* ---- Actors ---- */

static void *act(void *arg)
{
    actor *a = arg;
    dv_ctx ctx = dv_ctx_make(a->cancel);

    a->returned = dv_manager_run(&ctx, a->manager);
    return NULL;
}

static void connect(actor *a)
{
    dv_kube_config_options options = {.kubeconfig = getenv("DAVIT_KUBECONFIG")};
    dv_kube_config *config = NULL;

    a->http = dv_http_new();
    assert_ok(dv_kube_config_load(&t.ctx, &options, &config));
    a->kube = dv_kube_new(a->http, config, a->identity);
    a->configmaps = dv_kube_resource_static(a->kube, "", "v1", "ConfigMap", "configmaps", true);
}

static void start(actor *a, const char *identity)
{
    dv_lease_options lease = {.clock = dv_clock_real(),
                              .ns = t.ns,
                              .name = "davit-test",
                              .identity = identity,
                              .duration_ms = 3000,
                              .renew_deadline_ms = 2000,
                              .retry_ms = 200};

    *a = (actor){.identity = identity, .began_ms = dv_ctx_now_ms(&t.ctx)};
    connect(a);
    lease.kube = a->kube;
    a->metrics = dv_metrics_new();
    a->cancel = dv_cancel_new();
    a->manager = dv_manager_new(&(dv_manager_options){.kube = a->kube,
                                                      .clock = dv_clock_real(),
                                                      .metrics = a->metrics,
                                                      .concurrent = 4,
                                                      .lease = &lease,
                                                      .health_address = "127.0.0.1:0",
                                                      .grace_ms = 5000});
    a->controller = dv_manager_add(
        a->manager, &(dv_controller_options){.name = "stamper", .reconcile = reconcile, .arg = a});
    a->informer = dv_informer_start(dv_manager_cache(a->manager),
                                    &(dv_informer_options){.resource = a->configmaps,
                                                           .ns = t.ns,
                                                           .metadata_only = true,
                                                           .reduce = keep,
                                                           .changed = changed,
                                                           .arg = a});
    dv_manager_await(a->manager, a->informer);
    a->thread = dv_thread_start("main", DV_STACK_BYTES, act, a);
}

/* What dv_manager_run() returned; owned. */
static dv_err *stop(actor *a)
{
    dv_err *err;

    dv_cancel_fire(a->cancel);
    pthread_join(a->thread, NULL);
    err = a->returned;
    dv_manager_free(a->manager);
    dv_http_free(a->http);
    dv_kube_free(a->kube);
    dv_metrics_free(a->metrics);
    dv_cancel_free(a->cancel);
    return err;
}

static void make_configmap(actor *a, const char *name)
{
    json_auto_t *object = dv_obj_new("v1", "ConfigMap", t.ns, name);
    dv_kube_request create = {
        .verb = DV_KUBE_CREATE, .resource = a->configmaps, .ns = t.ns, .body = object};

    assert_ok(dv_kube_do(&t.ctx, a->kube, &create, NULL));
}

static void wait_for_stamps(int runs)
{
    DV_LOCK_SCOPE(&t.mu);

    while (t.runs < runs)
        assert_true(dv_cond_wait_ms(&t.changed, &t.mu, PATIENCE_MS));
}

static json_t *lease_of(actor *a)
{
    const dv_resource *leases =
        dv_kube_resource_static(a->kube, "coordination.k8s.io", "v1", "Lease", "leases", true);
    dv_kube_request get = {
        .verb = DV_KUBE_GET, .resource = leases, .ns = t.ns, .name = "davit-test"};
    json_t *lease = NULL;

    assert_ok(dv_kube_do(&t.ctx, a->kube, &get, &lease));
    return lease;
}

/* ---- Somebody who arranges and checks, without a lease ---- */

static actor arranger;

static int set_up(void **state DV_UNUSED)
{
    unsigned suffix;

    t.ctx = dv_ctx_make(NULL);
    arranger = (actor){.identity = "arranger"};
    connect(&arranger);
    dv_random_bytes(&suffix, sizeof(suffix));
    snprintf(t.ns, sizeof(t.ns), "manager-%08x", suffix);
    json_auto_t *ns = dv_obj_new("v1", "Namespace", NULL, t.ns);
    dv_kube_request create = {.verb = DV_KUBE_CREATE,
                              .resource = dv_kube_resource_static(arranger.kube, "", "v1",
                                                                  "Namespace", "namespaces", false),
                              .body = ns};
    assert_ok(dv_kube_do(&t.ctx, arranger.kube, &create, NULL));
    t.runs = 0;
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    dv_kube_request drop = {.verb = DV_KUBE_DELETE,
                            .resource = dv_kube_resource_static(arranger.kube, "", "v1",
                                                                "Namespace", "namespaces", false),
                            .name = t.ns};

    assert_ok(dv_kube_do(&t.ctx, arranger.kube, &drop, NULL));
    dv_http_free(arranger.http);
    dv_kube_free(arranger.kube);
    return 0;
}

/* ---- Tests ---- */

static void every_object_is_reconciled(void **state DV_UNUSED)
{
    actor a;

    make_configmap(&arranger, "one");
    make_configmap(&arranger, "two");
    start(&a, "a");
    wait_for_stamps(2);
    make_configmap(&arranger, "three");
    wait_for_stamps(3);
    print_message("first reconcile %lld ms after the start\n",
                  (long long)(a.first_run_ms - a.began_ms));
    assert_ok(stop(&a));
}

static void a_standby_takes_over_when_the_leader_stops(void **state DV_UNUSED)
{
    actor a, b;

    start(&a, "a");
    make_configmap(&arranger, "one");
    wait_for_stamps(1);
    start(&b, "b");
    json_auto_t *held = lease_of(&arranger);
    assert_string_equal(dv_json_str(held, "/spec/holderIdentity"), "a");
    assert_int_equal(dv_json_int(held, "/spec/leaseDurationSeconds", 0), 3);
    assert_int_equal(dv_json_int(held, "/spec/leaseTransitions", -1), 0);
    make_configmap(&arranger, "two");
    wait_for_stamps(2);
    assert_string_equal(t.stamped_by, "a");
    assert_false(dv_manager_leading(b.manager));
    assert_ok(stop(&a));
    json_auto_t *passed = lease_of(&arranger);
    assert_string_not_equal(dv_json_str(passed, "/spec/holderIdentity"), "a");
    make_configmap(&arranger, "three");
    wait_for_stamps(3);
    assert_string_equal(t.stamped_by, "b");
    json_auto_t *taken = lease_of(&arranger);
    assert_string_equal(dv_json_str(taken, "/spec/holderIdentity"), "b");
    assert_int_equal(dv_json_int(taken, "/spec/leaseTransitions", -1), 1);
    assert_ok(stop(&b));
}

static void a_leader_whose_lease_was_stolen_ends_and_writes_nothing(void **state DV_UNUSED)
{
    actor a;
    json_auto_t *lease = NULL;
    json_auto_t *object = NULL;
    dv_err *err;

    start(&a, "a");
    make_configmap(&arranger, "one");
    wait_for_stamps(1);
    for (bool stolen = false; !stolen;) {
        json_decref(lease);
        lease = lease_of(&arranger);
        assert_ok(dv_json_set(lease, "/spec/holderIdentity", json_string("thief")));
        dv_kube_request steal = {.verb = DV_KUBE_REPLACE,
                                 .resource =
                                     dv_kube_resource_static(arranger.kube, "coordination.k8s.io",
                                                             "v1", "Lease", "leases", true),
                                 .ns = t.ns,
                                 .name = "davit-test",
                                 .body = lease};
        dv_auto(dv_err) raced = dv_kube_do(&t.ctx, arranger.kube, &steal, NULL);
        stolen = !raced;
    }
    pthread_join(a.thread, NULL);
    assert_err(a.returned, DV_TRANSIENT, "davit-test");
    object = dv_obj_new("v1", "ConfigMap", t.ns, "late");
    dv_kube_request create = {
        .verb = DV_KUBE_CREATE, .resource = a.configmaps, .ns = t.ns, .body = object};
    err = dv_kube_do(&t.ctx, a.kube, &create, NULL);
    assert_string_equal(dv_err_reason(err), "Fenced");
    dv_err_free(err);
    dv_manager_free(a.manager);
    dv_http_free(a.http);
    dv_kube_free(a.kube);
    dv_metrics_free(a.metrics);
    dv_cancel_free(a.cancel);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_object_is_reconciled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_standby_takes_over_when_the_leader_stops, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_leader_whose_lease_was_stolen_ends_and_writes_nothing,
                                        set_up, tear_down),
    };

    dv_json_setup();
    dv_http_setup();
    dv_log_setup(DV_LOG_WARN, DV_LOG_TEXT);
    pthread_mutex_init(&t.mu, NULL);
    dv_cond_init(&t.changed);
    return cmocka_run_group_tests_name("runtime/manager", tests, NULL, NULL);
}
