/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/manager_internal.h"

#include "base/crypto.h"

enum { KEY_SEPARATOR = '|' };

/* ---- Results ---- */

dv_result dv_result_from(dv_err *err, int64_t interval_ms)
{
    int64_t after_ms = err ? dv_err_retry_after_ms(err) : 0;
    dv_result result = {DV_RETRY, after_ms};

    if (!err)
        return (dv_result){DV_DONE, interval_ms};
    switch (dv_err_kind_of(err)) {
    case DV_CONFLICT:
        result = (dv_result){DV_AGAIN, 0};
        break;
    case DV_WAITING:
        result = (dv_result){DV_WAIT, after_ms ? after_ms : DV_WAITING_MS};
        break;
    case DV_DENIED:
        result = (dv_result){DV_REFUSED, after_ms};
        break;
    case DV_INVALID:
        result = (dv_result){DV_DONE, interval_ms};
        break;
    case DV_TRANSIENT:
    case DV_NOT_FOUND:
    case DV_CANCELED:
    case DV_BUG:
        break;
    }
    dv_err_free(err);
    return result;
}

static const char *result_name(dv_result result)
{
    static const char *const names[] = {
        [DV_DONE] = "done",   [DV_AGAIN] = "again",     [DV_WAIT] = "wait",
        [DV_RETRY] = "retry", [DV_REFUSED] = "refused",
    };

    return names[result.what];
}

/* ---- Making ---- */

static bool lease_allows(const void *lease)
{
    return dv_lease_held(lease);
}

/* What has given its lease back never writes again. */
static bool never(const void *arg)
{
    (void)arg;
    return false;
}

dv_manager *dv_manager_new(const dv_manager_options *options)
{
    dv_manager *manager = DV_NEW(dv_manager);

    manager->options = *options;
    manager->options.concurrent = DV_MAX(options->concurrent, (int64_t)1);
    pthread_mutex_init(&manager->mu, NULL);
    dv_cond_init(&manager->idle);
    manager->queue = dv_queue_new(options->clock);
    manager->cache = dv_cache_new(options->kube, options->clock, options->log);
    manager->work_cancel = dv_cancel_new();
    manager->options.lease = NULL; /* dv_lease_new() copies */
    if (options->lease) {
        manager->lease = dv_lease_new(options->lease);
        if (options->kube)
            dv_kube_set_fence(options->kube, lease_allows, manager->lease);
    }
    dv_manager_add_metrics(manager);
    return manager;
}

void dv_manager_free(dv_manager *manager)
{
    if (!manager)
        return;
    dv_httpd_free(manager->httpd);
    dv_cache_free(manager->cache);
    dv_queue_free(manager->queue);
    if (manager->lease && manager->options.kube)
        dv_kube_set_fence(manager->options.kube, never, NULL);
    dv_lease_free(manager->lease);
    dv_cancel_free(manager->work_cancel);
    for (size_t i = 0; i < manager->controllers.n; i++)
        free(manager->controllers.at[i]);
    dv_vec_done(&manager->controllers);
    dv_vec_done(&manager->awaited);
    dv_vec_done(&manager->workers);
    pthread_cond_destroy(&manager->idle);
    pthread_mutex_destroy(&manager->mu);
    free(manager);
}

dv_cache *dv_manager_cache(dv_manager *manager)
{
    return manager->cache;
}

dv_controller *dv_manager_add(dv_manager *manager, const dv_controller_options *options)
{
    dv_controller *controller = DV_NEW(dv_controller);

    controller->manager = manager;
    controller->options = *options;
    if (!controller->options.run_timeout_ms)
        controller->options.run_timeout_ms = DV_RUN_TIMEOUT_MS;
    *dv_vec_push(&manager->controllers) = controller;
    return controller;
}

void dv_manager_await(dv_manager *manager, dv_informer *informer)
{
    *dv_vec_push(&manager->awaited) = informer;
}

void dv_manager_on_lead(dv_manager *manager, dv_err *(*lead)(void *arg, dv_ctx *ctx), void *arg)
{
    manager->lead = lead;
    manager->lead_arg = arg;
}

void dv_manager_on_stop(dv_manager *manager, void (*stop)(void *arg), void *arg)
{
    manager->stop = stop;
    manager->stop_arg = arg;
}

/* Owned. */
static char *full_key(const dv_controller *controller, const char *key)
{
    return dv_asprintf("%s%c%s", controller->options.name, KEY_SEPARATOR, key);
}

void dv_controller_enqueue(dv_controller *controller, const char *key, int64_t delay_ms)
{
    dv_auto_str full = full_key(controller, key);

    dv_queue_add(controller->manager->queue, full, delay_ms);
}

void dv_manager_hurry(dv_manager *manager)
{
    dv_queue_hurry(manager->queue, DV_HURRY_MS);
}

bool dv_controller_refusal_lasts(const dv_controller *controller, const char *key)
{
    dv_auto_str full = full_key(controller, key);

    return dv_queue_refused_for_ms(controller->manager->queue, full) >= DV_REFUSAL_LASTS_MS;
}

bool dv_manager_leading(const dv_manager *manager)
{
    return !manager->lease || dv_lease_held(manager->lease);
}

/* ---- Workers ---- */

static dv_controller *controller_of(const dv_manager *manager, dv_str name)
{
    for (size_t i = 0; i < manager->controllers.n; i++)
        if (dv_str_is(name, manager->controllers.at[i]->options.name))
            return manager->controllers.at[i];
    return NULL;
}

static dv_result reconcile(const dv_controller *controller, const char *key)
{
    const dv_manager *manager = controller->manager;
    DV_CLEANUP(dv_buf_done) dv_buf id = DV_BUF_INIT(64);
    dv_auto_str ns = NULL;
    dv_auto_str name = NULL;

    dv_uuid_add(&id);
    dv_key_split(key, &ns, &name);
    dv_auto(dv_log) log = DV_LOG_WITH(
        manager->options.log, dv_s("controller", controller->options.name), dv_s("namespace", ns),
        dv_s("name", name), dv_s("reconcileID", dv_buf_cstr(&id)));
    dv_ctx ctx = {.cancel = manager->work_cancel, .clock = manager->options.clock, .log = log};
    dv_ctx_set_timeout(&ctx, controller->options.run_timeout_ms);
    return controller->options.reconcile(controller->options.arg, &ctx, key);
}

static void requeue(dv_queue *queue, const char *key, dv_result result)
{
    switch (result.what) {
    case DV_DONE:
        dv_queue_forget(queue, key);
        if (result.after_ms > 0)
            dv_queue_add(queue, key, result.after_ms);
        break;
    case DV_AGAIN:
        dv_queue_again(queue, key);
        break;
    case DV_WAIT:
        dv_queue_wait(queue, key, result.after_ms);
        break;
    case DV_RETRY:
        dv_queue_retry(queue, key, result.after_ms);
        break;
    case DV_REFUSED:
        dv_queue_refused(queue, key, result.after_ms);
        break;
    }
}

static void run_key(dv_manager *manager, const char *full)
{
    dv_str name, key = dv_str_cut(dv_str_of(full), KEY_SEPARATOR, &name);
    const dv_controller *controller = controller_of(manager, name);
    const dv_clock *clock = manager->options.clock;
    int64_t began_ms = clock->mono_ms(clock);
    dv_result result;

    DV_ASSERT(controller && key.p);
    result = reconcile(controller, key.p); /* ends where full does */
    dv_metric_observe(manager->run_seconds, (double)(clock->mono_ms(clock) - began_ms) / 1e3,
                      DV_LABELS(controller->options.name));
    dv_metric_add(manager->runs, 1, DV_LABELS(controller->options.name, result_name(result)));
    requeue(manager->queue, full, result);
    dv_queue_done(manager->queue, full);
}

static void worker_ended(dv_manager *manager)
{
    DV_LOCK_SCOPE(&manager->mu);

    if (--manager->working == 0)
        pthread_cond_broadcast(&manager->idle);
}

static void *work(void *arg)
{
    dv_manager *manager = arg;
    const char *key;
    dv_err *stopped;

    while (!(stopped = dv_queue_get(manager->queue, &key)))
        run_key(manager, key);
    dv_err_free(stopped);
    worker_ended(manager);
    return NULL;
}

static void start_workers(dv_manager *manager)
{
    manager->working = (size_t)manager->options.concurrent;
    for (int64_t i = 0; i < manager->options.concurrent; i++)
        *dv_vec_push(&manager->workers) = dv_thread_start("worker", DV_STACK_BYTES, work, manager);
}

/* Waits at most ms; true: no worker runs any more. */
static bool workers_idle(dv_manager *manager, int64_t ms)
{
    DV_LOCK_SCOPE(&manager->mu);

    if (manager->working && ms > 0)
        dv_cond_wait_ms(&manager->idle, &manager->mu, ms);
    return manager->working == 0;
}

/* ---- The main thread ---- */

static int64_t now_ms(const dv_manager *manager)
{
    return manager->options.clock->mono_ms(manager->options.clock);
}

static void tick(dv_manager *manager)
{
    manager->ticked_ms = now_ms(manager);
}

/* Until the informer is synced; however long that takes, the thread is alive. */
static dv_err *await_informer(dv_ctx *ctx, dv_manager *manager, dv_informer *informer)
{
    while (!dv_informer_synced(informer)) {
        dv_ctx slice = *ctx;
        dv_auto(dv_err) err = NULL;

        tick(manager);
        dv_ctx_set_timeout(&slice, DV_TICK_MS);
        err = dv_informer_wait_on(&slice, informer);
        if (dv_err_is(err, DV_CANCELED))
            return DV_TAKE(err);
        DV_CHECK(dv_ctx_check(ctx));
    }
    return NULL;
}

static dv_err *await_caches(dv_ctx *ctx, dv_manager *manager)
{
    for (size_t i = 0; i < manager->awaited.n; i++)
        DV_CHECK(await_informer(ctx, manager, manager->awaited.at[i]));
    manager->synced = true;
    dv_info(ctx->log, "caches are synced", dv_i("awaited", (int64_t)manager->awaited.n));
    return NULL;
}

static dv_err *await_lease(dv_ctx *ctx, dv_manager *manager)
{
    while (manager->lease) {
        int64_t wait_ms = dv_lease_step(ctx, manager->lease);

        tick(manager);
        if (dv_lease_held(manager->lease))
            break;
        DV_CHECK(dv_ctx_sleep(ctx, wait_ms));
    }
    return NULL;
}

static dv_err *lead(dv_ctx *ctx, dv_manager *manager)
{
    if (manager->lead)
        DV_CHECK(manager->lead(manager->lead_arg, ctx));
    start_workers(manager);
    return NULL;
}

/* Until cancelled, or until the lease is lost. */
static dv_err *hold(dv_ctx *ctx, dv_manager *manager)
{
    for (;;) {
        int64_t wait_ms = DV_TICK_MS;

        tick(manager);
        if (manager->lease) {
            wait_ms = DV_MIN(wait_ms, dv_lease_step(ctx, manager->lease));
            if (!dv_lease_held(manager->lease))
                return dv_err_new(DV_TRANSIENT, "LeaseLost", "the lease \"%s\" could not be kept",
                                  dv_lease_name(manager->lease));
        }
        DV_CHECK(dv_ctx_sleep(ctx, wait_ms));
    }
}

/* Lets what runs end, the lease kept meanwhile; what has not ended by then is cancelled. */
static void end_workers(dv_manager *manager, int64_t grace_ms)
{
    dv_ctx ctx = {.clock = manager->options.clock, .log = manager->options.log};
    int64_t until_ms = now_ms(manager) + grace_ms;
    int64_t next_ms = manager->lease ? dv_lease_retry_ms(manager->lease) : DV_TICK_MS;

    dv_queue_stop(manager->queue);
    while (now_ms(manager) < until_ms && dv_manager_leading(manager)) {
        dv_ctx step = ctx;

        if (workers_idle(manager, DV_MIN(next_ms, until_ms - now_ms(manager))))
            break;
        tick(manager);
        next_ms = DV_TICK_MS;
        dv_ctx_set_timeout(&step, DV_LAST_STEP_MS);
        if (manager->lease)
            next_ms = dv_lease_step(&step, manager->lease);
    }
    dv_cancel_fire(manager->work_cancel);
    for (size_t i = 0; i < manager->workers.n; i++)
        pthread_join(manager->workers.at[i], NULL);
    dv_vec_done(&manager->workers);
}

static void finish(dv_manager *manager, bool gently)
{
    dv_ctx ctx = {.clock = manager->options.clock, .log = manager->options.log};

    end_workers(manager, gently ? manager->options.grace_ms : 0);
    if (manager->stop)
        manager->stop(manager->stop_arg);
    dv_ctx_set_timeout(&ctx, DV_LAST_STEP_MS);
    if (manager->lease)
        dv_lease_release(&ctx, manager->lease);
}

static dv_err *run(dv_ctx *ctx, dv_manager *manager)
{
    tick(manager);
    DV_CHECK(dv_manager_serve(manager));
    DV_CHECK(await_caches(ctx, manager));
    DV_CHECK(await_lease(ctx, manager));
    DV_CHECK(lead(ctx, manager));
    return hold(ctx, manager);
}

dv_err *dv_manager_run(dv_ctx *ctx, dv_manager *manager)
{
    dv_err *err = run(ctx, manager);
    bool canceled = dv_err_is(err, DV_CANCELED);

    finish(manager, canceled);
    if (canceled) {
        dv_err_free(err);
        return NULL;
    }
    return err;
}
