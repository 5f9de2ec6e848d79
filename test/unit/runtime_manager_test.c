/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "http/http.h"
#include "runtime/manager_internal.h"
#include "testlib.h"

/* ---- Results ---- */

static const struct result_row {
    const char *name;
    int kind; /* 0: no error */
    int64_t retry_after_ms;
    dv_result want;
} result_rows[] = {
    {"success comes again after the interval", 0, 0, {DV_DONE, 600}},
    {"a transient error backs off", DV_TRANSIENT, 0, {DV_RETRY, 0}},
    {"at least as long as the server says", DV_TRANSIENT, 7000, {DV_RETRY, 7000}},
    {"a conflict comes again at once", DV_CONFLICT, 0, {DV_AGAIN, 0}},
    {"waiting has a fixed interval", DV_WAITING, 0, {DV_WAIT, DV_WAITING_MS}},
    {"or the one that was named", DV_WAITING, 1000, {DV_WAIT, 1000}},
    {"what is not found backs off", DV_NOT_FOUND, 0, {DV_RETRY, 0}},
    {"what is forbidden comes again soon, then in minutes", DV_DENIED, 0, {DV_REFUSED, 0}},
    {"what is invalid waits for a change or the interval", DV_INVALID, 0, {DV_DONE, 600}},
    {"what was cancelled backs off", DV_CANCELED, 0, {DV_RETRY, 0}},
    {"a bug backs off", DV_BUG, 0, {DV_RETRY, 0}},
};

static void kinds_become_requeues(void **state)
{
    const struct result_row *row = *state;
    dv_err *err = row->kind ? dv_err_new((dv_err_kind)row->kind, "Reason", "text") : NULL;
    dv_result got;

    if (row->retry_after_ms)
        dv_err_set_retry_after(err, row->retry_after_ms);
    got = dv_result_from(err, 600);
    assert_int_equal(got.what, row->want.what);
    assert_int_equal(got.after_ms, row->want.after_ms);
}

/* ---- A manager at work ---- */

typedef struct {
    dv_fake_clock time;
    dv_metrics *metrics;
    dv_manager_options options;
    dv_manager *manager;
    dv_controller *controller;
    dv_cancel *cancel;
    pthread_t thread;
    bool running;
    dv_err *returned; /* by dv_manager_run() */

    pthread_mutex_t mu;
    pthread_cond_t changed;
    int runs, conflicts_left;
    bool hold;            /* runs last until it is cleared */
    bool until_cancelled; /* runs last until their ctx is cancelled */
    bool hold_lead;       /* so does the call before we lead */
    bool led, stopped;
    dv_err_kind saw; /* what ended a run that lasts until it is cancelled */
    int64_t time_left_ms;
    int led_at_runs, stopped_at_runs;
    dv_err *lead_err;

    /* A lease's server. */
    char *holder;
    bool server_down;
    int renewals;
} fixture;

static dv_result reconcile(void *arg, dv_ctx *ctx, const char *key)
{
    fixture *f = arg;
    DV_LOCK_SCOPE(&f->mu);

    if (strcmp(key, "team-a/web") != 0)
        return (dv_result){DV_DONE, 0};
    f->runs++;
    f->time_left_ms = dv_ctx_left_ms(ctx);
    pthread_cond_broadcast(&f->changed);
    while (f->hold)
        dv_cond_wait_ms(&f->changed, &f->mu, -1);
    while (f->until_cancelled) {
        dv_err *err = dv_ctx_check(ctx);

        if (err) {
            f->saw = dv_err_kind_of(err);
            return dv_result_from(err, 0);
        }
        dv_cond_wait_ms(&f->changed, &f->mu, 1);
    }
    if (f->conflicts_left > 0) {
        f->conflicts_left--;
        return (dv_result){DV_AGAIN, 0};
    }
    return (dv_result){DV_DONE, 0};
}

static dv_err *lead(void *arg, dv_ctx *ctx)
{
    fixture *f = arg;
    DV_LOCK_SCOPE(&f->mu);

    (void)ctx;
    f->led = true;
    f->led_at_runs = f->runs;
    pthread_cond_broadcast(&f->changed);
    while (f->hold_lead)
        dv_cond_wait_ms(&f->changed, &f->mu, -1);
    return DV_TAKE(f->lead_err);
}

static void stop(void *arg)
{
    fixture *f = arg;
    DV_LOCK_SCOPE(&f->mu);

    f->stopped = true;
    f->stopped_at_runs = f->runs;
}

static fixture *fixture_new(void)
{
    fixture *f = DV_NEW(fixture);

    dv_fake_clock_init(&f->time, 1700000000000);
    pthread_mutex_init(&f->mu, NULL);
    dv_cond_init(&f->changed);
    f->metrics = dv_metrics_new();
    f->cancel = dv_cancel_new();
    f->options = (dv_manager_options){.clock = &f->time.clock,
                                      .metrics = f->metrics,
                                      .concurrent = 2,
                                      .health_address = "127.0.0.1:0",
                                      .metrics_address = "127.0.0.1:0",
                                      .grace_ms = 60000};
    return f;
}

static void make(fixture *f)
{
    f->manager = dv_manager_new(&f->options);
    f->controller = dv_manager_add(
        f->manager, &(dv_controller_options){
                        .name = "thing", .reconcile = reconcile, .arg = f, .run_timeout_ms = 5000});
    dv_manager_on_lead(f->manager, lead, f);
    dv_manager_on_stop(f->manager, stop, f);
}

static void *run(void *arg)
{
    fixture *f = arg;
    dv_ctx ctx = dv_ctx_make(f->cancel);

    f->returned = dv_manager_run(&ctx, f->manager);
    DV_LOCK_SCOPE(&f->mu);
    f->running = false;
    pthread_cond_broadcast(&f->changed);
    return NULL;
}

static void start(fixture *f)
{
    f->running = true;
    f->thread = dv_thread_start("main", DV_STACK_BYTES, run, f);
}

/* What dv_manager_run() returned; owned. */
static dv_err *finish(fixture *f)
{
    dv_cancel_fire(f->cancel);
    pthread_join(f->thread, NULL);
    return DV_TAKE(f->returned);
}

static void fixture_free(fixture *f)
{
    dv_manager_free(f->manager);
    dv_metrics_free(f->metrics);
    dv_cancel_free(f->cancel);
    free(f->holder);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->mu);
    free(f);
}
DV_DEFINE_AUTO(fixture)

static void wait_for_runs(fixture *f, int runs)
{
    DV_LOCK_SCOPE(&f->mu);

    while (f->runs < runs)
        dv_cond_wait_ms(&f->changed, &f->mu, -1);
}

static void let_go(fixture *f)
{
    DV_LOCK_SCOPE(&f->mu);

    f->hold = false;
    pthread_cond_broadcast(&f->changed);
}

static void a_key_is_reconciled_after_we_lead_and_before_we_stop(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    assert_true(dv_manager_leading(f->manager));
    assert_ok(finish(f));
    assert_true(f->led);
    assert_int_equal(f->led_at_runs, 0);
    assert_true(f->stopped);
    assert_int_equal(f->stopped_at_runs, 1);
    assert_int_equal(f->time_left_ms, 5000);
}

static void conflicts_are_run_again_until_they_end(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->conflicts_left = 2;
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 3);
    assert_ok(finish(f));
}

static void a_run_ends_in_peace_within_the_grace(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->hold = true;
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    dv_controller_enqueue(f->controller, "team-a/web", 0); /* nobody comes for it any more */
    dv_cancel_fire(f->cancel);
    let_go(f);
    assert_ok(finish(f));
    assert_in_range(f->runs, 1, 2);
    assert_int_equal(f->stopped_at_runs, f->runs);
}

static void a_run_past_the_grace_is_cancelled(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->until_cancelled = true;
    f->options.grace_ms = 0;
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    assert_ok(finish(f));
    assert_int_equal(f->saw, DV_CANCELED);
}

static void a_run_has_its_deadline(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->until_cancelled = true;
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    dv_fake_clock_advance(&f->time, 5000);
    assert_ok(finish(f));
    assert_int_equal(f->saw, DV_TRANSIENT);
}

static void what_fails_before_we_lead_ends_the_run(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->lead_err = dv_err_new(DV_INVALID, "OldCRDs", "the CRDs are too old");
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    pthread_join(f->thread, NULL);
    assert_err(DV_TAKE(f->returned), DV_INVALID, "too old");
    assert_int_equal(f->runs, 0);
}

static void an_address_that_cannot_be_read_ends_the_run(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->options.health_address = "nonsense";
    make(f);
    start(f);
    pthread_join(f->thread, NULL);
    assert_err(DV_TAKE(f->returned), DV_INVALID, "health address");
}

/* ---- Health and metrics ---- */

/* GET; the status, and the body (owned). */
static int get(int port, const char *path, char **ret_body)
{
    dv_auto(dv_http) http = dv_http_new();
    dv_http_lane *lane = dv_http_lane_new(http, &(dv_http_lane_options){.name = "test"});
    dv_auto_str url = dv_asprintf("http://127.0.0.1:%d%s", port, path);
    dv_http_profile *profile = NULL;
    dv_auto(dv_http_response) response = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);

    assert_ok(dv_http_profile_new(&(dv_http_profile_options){.allow_plain = true}, &profile));
    assert_ok(dv_http_do(&ctx, lane,
                         &(dv_http_request){.method = "GET", .url = url, .profile = profile},
                         &response));
    dv_http_profile_unref(profile);
    *ret_body = dv_strdup(dv_buf_cstr(&response->body));
    return response->status;
}

static void assert_get(int port, const char *path, int status, const char *holds)
{
    dv_auto_str body = NULL;

    assert_int_equal(get(port, path, &body), status);
    if (!strstr(body, holds))
        print_error("no \"%s\" in:\n%s", holds, body);
    assert_non_null(strstr(body, holds));
}

static void health_and_metrics_share_an_address_that_is_equal(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    int port = dv_manager_health_port(f->manager);
    assert_true(port > 0);
    assert_int_equal(dv_manager_metrics_port(f->manager), port);
    assert_get(port, "/healthz", 200, "ok");
    assert_get(port, "/readyz", 200, "ok");
    assert_get(port, "/metrics", 200, "davit_leader 1\n");
    assert_get(port, "/metrics", 200, "# TYPE davit_reconcile_seconds histogram\n");
    assert_get(port, "/metrics", 200, "davit_queue_depth{state=\"held\"}");
    assert_get(port, "/metrics", 200, "process_resident_memory_bytes");
    assert_get(port, "/elsewhere", 404, "");
    assert_ok(finish(f));
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    dv_metrics_write(f->metrics, &out);
    assert_non_null(strstr(dv_buf_cstr(&out),
                           "davit_reconcile_total{controller=\"thing\",result=\"done\"} 1\n"));
}

static void addresses_that_differ_have_listeners_of_their_own(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->options.metrics_address = "localhost:0";
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    assert_int_not_equal(dv_manager_health_port(f->manager), dv_manager_metrics_port(f->manager));
    assert_get(dv_manager_health_port(f->manager), "/healthz", 200, "ok");
    assert_get(dv_manager_health_port(f->manager), "/metrics", 404, "");
    assert_get(dv_manager_metrics_port(f->manager), "/metrics", 200, "davit_leader");
    assert_get(dv_manager_metrics_port(f->manager), "/healthz", 404, "");
    assert_ok(finish(f));
}

static void without_addresses_nothing_is_served(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->options.metrics_address = "0";
    f->options.health_address = NULL;
    make(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    assert_int_equal(dv_manager_health_port(f->manager), 0);
    assert_int_equal(dv_manager_metrics_port(f->manager), 0);
    assert_ok(finish(f));
}

static void wait_for_lead(fixture *f)
{
    DV_LOCK_SCOPE(&f->mu);

    while (!f->led)
        dv_cond_wait_ms(&f->changed, &f->mu, -1);
}

static void a_main_thread_that_does_not_look_up_is_unhealthy(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->hold_lead = true;
    make(f);
    start(f);
    wait_for_lead(f);
    assert_get(dv_manager_health_port(f->manager), "/healthz", 200, "ok");
    dv_fake_clock_advance(&f->time, DV_DEAD_MS + 1);
    assert_get(dv_manager_health_port(f->manager), "/healthz", 503, "the main thread does not");
    {
        DV_LOCK_SCOPE(&f->mu);
        f->hold_lead = false;
        pthread_cond_broadcast(&f->changed);
    }
    assert_ok(finish(f));
}

/* ---- Caches ---- */

static const dv_resource config_maps = {.group = "",
                                        .version = "v1",
                                        .kind = "ConfigMap",
                                        .resource = "configmaps",
                                        .api_version = "v1",
                                        .namespaced = true};

typedef struct {
    pthread_mutex_t mu;
    void (*done)(void *arg, dv_kube_raw raw); /* NULL: no list is asked for */
    void *arg;
} pending_list;

static void ask_list(void *arg, const dv_kube_request *request, int64_t timeout_ms,
                     void (*done)(void *arg, dv_kube_raw raw), void *done_arg)
{
    pending_list *p = arg;
    DV_LOCK_SCOPE(&p->mu);

    (void)request, (void)timeout_ms;
    p->done = done;
    p->arg = done_arg;
}

static dv_err *ask_watch(void *arg, const dv_kube_request *request, const dv_http_sink *sink,
                         void *sink_arg, dv_http_stream **ret_stream)
{
    (void)arg, (void)request, (void)sink, (void)sink_arg;
    *ret_stream = NULL;
    return NULL;
}

static void unwatch(void *arg, dv_http_stream *stream)
{
    (void)arg, (void)stream;
}

static dv_entry *keep_none(void *arg, const json_t *object)
{
    (void)arg, (void)object;
    return NULL;
}

static bool answer_list(pending_list *p, int status, const char *text)
{
    dv_kube_raw raw = {.status = status};
    void (*done)(void *arg, dv_kube_raw raw);

    dv_lock(&p->mu);
    done = p->done;
    p->done = NULL;
    pthread_mutex_unlock(&p->mu);
    if (!done)
        return false;
    dv_buf_init(&raw.body, DV_BODY_MAX);
    dv_buf_adds(&raw.body, text);
    done(p->arg, raw);
    return true;
}

static const dv_source list_source = {ask_list, ask_watch, unwatch};

static void wait_for_port(fixture *f)
{
    while (!dv_manager_health_port(f->manager))
        sched_yield();
}

static void no_key_is_worked_on_before_the_caches_are_synced(void **state)
{
    dv_auto(fixture) f = fixture_new();
    pending_list list = {.mu = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    make(f);
    dv_cache_free(f->manager->cache);
    f->manager->cache = dv_cache_new_from(&list_source, &list, &f->time.clock, NULL);
    dv_manager_await(f->manager, dv_informer_start(dv_manager_cache(f->manager),
                                                   &(dv_informer_options){.resource = &config_maps,
                                                                          .reduce = keep_none}));
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_port(f);
    assert_get(dv_manager_health_port(f->manager), "/readyz", 503, "waiting for: ConfigMap\n");
    assert_get(dv_manager_health_port(f->manager), "/healthz", 200, "ok");
    assert_false(f->led);
    while (!answer_list(&list, 200, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}"))
        sched_yield();
    wait_for_runs(f, 1);
    assert_get(dv_manager_health_port(f->manager), "/readyz", 200, "ok");
    assert_get(dv_manager_health_port(f->manager), "/metrics", 200,
               "davit_informer_lists_total{kind=\"ConfigMap\"} 1\n");
    assert_ok(finish(f));
}

static void a_manager_that_waits_for_caches_can_be_stopped(void **state)
{
    dv_auto(fixture) f = fixture_new();
    pending_list list = {.mu = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    make(f);
    dv_cache_free(f->manager->cache);
    f->manager->cache = dv_cache_new_from(&list_source, &list, &f->time.clock, NULL);
    dv_manager_await(f->manager, dv_informer_start(dv_manager_cache(f->manager),
                                                   &(dv_informer_options){.resource = &config_maps,
                                                                          .reduce = keep_none}));
    start(f);
    wait_for_port(f);
    assert_ok(finish(f));
    assert_false(f->led);
    while (!answer_list(&list, 200, "{}"))
        sched_yield();
}

/* ---- Election ---- */

static dv_err *serve_lease(void *arg, dv_ctx *ctx, const dv_kube_request *request,
                           json_t **ret_object)
{
    fixture *f = arg;
    DV_LOCK_SCOPE(&f->mu);

    (void)ctx;
    if (f->server_down)
        return dv_err_new(DV_TRANSIENT, "ConnectionFailed", "refused");
    if (request->verb != DV_KUBE_GET) {
        free(f->holder);
        f->holder = dv_strdup(dv_json_str(request->body, "/spec/holderIdentity"));
    }
    if (!f->holder)
        return dv_err_new(DV_NOT_FOUND, "NotFound", "no lease");
    f->renewals++;
    pthread_cond_broadcast(&f->changed);
    *ret_object =
        json_pack("{s:{s:s},s:{s:s,s:i,s:i}}", "metadata", "resourceVersion", "1", "spec",
                  "holderIdentity", f->holder, "leaseDurationSeconds", 15, "n", f->renewals);
    return NULL;
}

static void elect(fixture *f)
{
    static const dv_clock *clock;
    static dv_lease_options lease = {
        .ns = "system", .name = "davit", .identity = "me", .retry_ms = 1};

    clock = &f->time.clock;
    lease.clock = clock;
    f->options.lease = &lease;
    make(f);
    dv_lease_send_by(f->manager->lease, serve_lease, f);
}

static void wait_for_renewals(fixture *f, int n)
{
    DV_LOCK_SCOPE(&f->mu);

    while (f->renewals < n)
        dv_cond_wait_ms(&f->changed, &f->mu, -1);
}

static void a_leader_gives_its_lease_back(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    elect(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    assert_true(dv_manager_leading(f->manager));
    assert_ok(finish(f));
    assert_string_equal(f->holder, "");
    assert_false(dv_manager_leading(f->manager));
}

static void a_standby_is_ready_and_works_on_nothing(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->holder = dv_strdup("other");
    elect(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_renewals(f, 5);
    assert_get(dv_manager_health_port(f->manager), "/readyz", 200, "ok");
    assert_get(dv_manager_health_port(f->manager), "/metrics", 200, "davit_leader 0\n");
    assert_ok(finish(f));
    assert_int_equal(f->runs, 0);
    assert_false(f->led);
    assert_string_equal(f->holder, "other");
}

static void a_standby_takes_over_what_was_given_back(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->holder = dv_strdup("other");
    elect(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_renewals(f, 3);
    {
        DV_LOCK_SCOPE(&f->mu);
        free(f->holder);
        f->holder = dv_strdup("");
    }
    wait_for_runs(f, 1);
    assert_ok(finish(f));
}

static void a_leader_that_cannot_renew_ends_with_an_error(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    f->until_cancelled = true; /* a run that would go on for long */
    elect(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    {
        DV_LOCK_SCOPE(&f->mu);
        f->server_down = true;
    }
    dv_fake_clock_advance(&f->time, DV_LEASE_RENEW_DEADLINE_MS);
    pthread_join(f->thread, NULL);
    assert_err(DV_TAKE(f->returned), DV_TRANSIENT, "davit");
    assert_true(f->saw == DV_CANCELED || f->saw == DV_TRANSIENT);
    assert_true(f->stopped);
}

static void the_lease_is_kept_while_runs_end(void **state)
{
    dv_auto(fixture) f = fixture_new();
    int renewals;

    (void)state;
    f->hold = true;
    elect(f);
    dv_controller_enqueue(f->controller, "team-a/web", 0);
    start(f);
    wait_for_runs(f, 1);
    dv_cancel_fire(f->cancel);
    {
        DV_LOCK_SCOPE(&f->mu);
        renewals = f->renewals;
    }
    wait_for_renewals(f, renewals + 5);
    let_go(f);
    assert_ok(finish(f));
    assert_string_equal(f->holder, "");
}

int main(void)
{
    dv_suite suite = {.name = "runtime/manager"};

    dv_json_setup();
    dv_http_setup();
    dv_log_setup(DV_LOG_ERROR, DV_LOG_TEXT);
    DV_TABLE(&suite, kinds_become_requeues, result_rows);
    DV_TEST(&suite, a_key_is_reconciled_after_we_lead_and_before_we_stop);
    DV_TEST(&suite, conflicts_are_run_again_until_they_end);
    DV_TEST(&suite, a_run_ends_in_peace_within_the_grace);
    DV_TEST(&suite, a_run_past_the_grace_is_cancelled);
    DV_TEST(&suite, a_run_has_its_deadline);
    DV_TEST(&suite, what_fails_before_we_lead_ends_the_run);
    DV_TEST(&suite, an_address_that_cannot_be_read_ends_the_run);
    DV_TEST(&suite, health_and_metrics_share_an_address_that_is_equal);
    DV_TEST(&suite, addresses_that_differ_have_listeners_of_their_own);
    DV_TEST(&suite, without_addresses_nothing_is_served);
    DV_TEST(&suite, a_main_thread_that_does_not_look_up_is_unhealthy);
    DV_TEST(&suite, no_key_is_worked_on_before_the_caches_are_synced);
    DV_TEST(&suite, a_manager_that_waits_for_caches_can_be_stopped);
    DV_TEST(&suite, a_leader_gives_its_lease_back);
    DV_TEST(&suite, a_standby_is_ready_and_works_on_nothing);
    DV_TEST(&suite, a_standby_takes_over_what_was_given_back);
    DV_TEST(&suite, a_leader_that_cannot_renew_ends_with_an_error);
    DV_TEST(&suite, the_lease_is_kept_while_runs_end);
    return dv_suite_run(&suite);
}
