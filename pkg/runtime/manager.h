/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a controller runs on: one queue and N workers shared by all kinds, started and stopped in
 * order.
 *
 *     start: HTTP ─► caches ─► synced ─► lease ─► workers         stop: the other way round
 *
 * A standby has its caches warm and serves health and metrics; it writes nothing. A leader that
 * can't renew stops writing before its lease can have passed on, then dv_manager_run() returns.
 * On cancel: no key is handed out any more, runs get `grace_ms` to end, the lease is given back.
 *
 * Threads: dv_manager_run() main, which also renews the lease; the rest any.
 */
#pragma once

#include "kube/events.h"
#include "runtime/informer.h"
#include "runtime/lease.h"
#include "runtime/metrics.h"
#include "runtime/queue.h"

/* What is to happen with a key after its run. */
typedef struct {
    enum {
        DV_DONE,    /* forget the backoff; again after after_ms, if not 0 */
        DV_AGAIN,   /* at once, from fresh reads; backs off from the third in a row */
        DV_WAIT,    /* after after_ms, no backoff counted */
        DV_RETRY,   /* backoff, at least after_ms */
        DV_REFUSED, /* the backoff of refusals (dv_queue_refused()), at least after_ms */
    } what;
    int64_t after_ms;
} dv_result;

#define DV_WAITING_MS ((int64_t)5000)
/*
 * The one switch from an error's kind to a requeue. Takes err. interval_ms: after success, and
 * after INVALID; 0: never.
 */
dv_result dv_result_from(dv_err *err, int64_t interval_ms);

typedef struct dv_manager dv_manager;
typedef struct dv_controller dv_controller;

typedef struct {
    const char *name; /* "packagemanifest"; static */
    /*
     * Brings one object to its wish. ctx carries the deadline run_timeout_ms, and a logger with
     * controller, namespace, name, reconcileID. Must be idempotent.
     */
    dv_result (*reconcile)(void *arg, dv_ctx *ctx, const char *key);
    void *arg;              /* borrowed */
    int64_t run_timeout_ms; /* 0: 2 minutes */
} dv_controller_options;

typedef struct {
    dv_kube *kube;                 /* borrowed */
    const dv_clock *clock;         /* borrowed */
    const dv_log *log;             /* borrowed */
    dv_metrics *metrics;           /* borrowed */
    int64_t concurrent;            /* workers */
    const dv_lease_options *lease; /* copied; NULL: no leader election */
    /* As dv_httpd_listen(); "0" or NULL: none. Equal ones share a listener. Borrowed. */
    const char *metrics_address, *health_address;
    int64_t grace_ms;
} dv_manager_options;

/* With a lease, writes through kube pass only while it is held: none does once this is freed. */
dv_manager *dv_manager_new(const dv_manager_options *options);
void dv_manager_free(dv_manager *manager);
DV_DEFINE_AUTO(dv_manager)
dv_cache *dv_manager_cache(dv_manager *manager);
/* Before dv_manager_run(). Owned by manager. */
dv_controller *dv_manager_add(dv_manager *manager, const dv_controller_options *options);
/* Waited for before workers start. */
void dv_manager_await(dv_manager *manager, dv_informer *informer);
/* Called once on the main thread when we lead and caches are synced, before the workers start. */
void dv_manager_on_lead(dv_manager *manager, dv_err *(*lead)(void *arg, dv_ctx *ctx), void *arg);
/*
 * Called once on the main thread when the workers have ended, while the lease is still held: the
 * place to flush events. It may take a few seconds at most.
 */
void dv_manager_on_stop(dv_manager *manager, void (*stop)(void *arg), void *arg);
void dv_controller_enqueue(dv_controller *controller, const char *key, int64_t delay_ms);
/* The API server is back: what has failed meanwhile is tried again within DV_HURRY_MS. */
#define DV_HURRY_MS ((int64_t)1000)
void dv_manager_hurry(dv_manager *manager);
/*
 * Has every run of the key been refused for DV_REFUSAL_LASTS_MS? Before that a refusal may be one
 * of an API server that is starting.
 */
#define DV_REFUSAL_LASTS_MS ((int64_t)5 * 1000)
bool dv_controller_refusal_lasts(const dv_controller *controller, const char *key);
/* True while we lead (always, without election). */
bool dv_manager_leading(const dv_manager *manager);
/* Ports of the listeners that were asked for; 0: none. After run began. */
int dv_manager_metrics_port(const dv_manager *manager);
int dv_manager_health_port(const dv_manager *manager);
/* NULL after a cancel; TRANSIENT "LeaseLost": exit with a failure, the restart begins afresh. */
DV_MUST_USE dv_err *dv_manager_run(dv_ctx *ctx, dv_manager *manager);
