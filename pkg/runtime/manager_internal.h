/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What manager.c (queue, workers, order of things) and manager_http.c (health, metrics) share.
 *
 * Threads: members are set before dv_manager_run() and read by any, unless they are atomic.
 */
#pragma once

#include "base/sync.h"
#include "httpd/httpd.h"
#include "runtime/cache_internal.h"
#include "runtime/lease_internal.h"
#include "runtime/manager.h"

#define DV_RUN_TIMEOUT_MS ((int64_t)2 * 60 * 1000)
/* The main thread shows that often that it is alive. */
#define DV_TICK_MS ((int64_t)10 * 1000)
/* A thread that has not shown it for that long is taken for dead. */
#define DV_DEAD_MS ((int64_t)60 * 1000)
/* For each request to the lease while stopping. */
#define DV_LAST_STEP_MS ((int64_t)2000)

struct dv_controller {
    dv_manager *manager;
    dv_controller_options options;
};

struct dv_manager {
    dv_manager_options options;
    dv_queue *queue;
    dv_cache *cache;
    dv_lease *lease; /* NULL: no election */
    dv_httpd *httpd; /* NULL: not served */
    _Atomic int metrics_port, health_port;
    DV_VEC(dv_controller *) controllers;
    DV_VEC(dv_informer *) awaited;
    dv_err *(*lead)(void *arg, dv_ctx *ctx);
    void *lead_arg;
    void (*stop)(void *arg);
    void *stop_arg;

    dv_cancel *work_cancel; /* of the runs */
    DV_VEC(pthread_t) workers;
    pthread_mutex_t mu; /* of the next two */
    pthread_cond_t idle;
    size_t working;

    _Atomic bool synced;
    _Atomic int64_t ticked_ms; /* by the main thread; 0: not running yet */

    dv_metric *runs, *run_seconds, *depth, *requests, *leader;
    dv_metric *objects, *lists, *watches, *events, *skipped;
};

/* Registers what the manager counts, and what it asks others for at each scrape. */
void dv_manager_add_metrics(dv_manager *manager);
/* Starts the listeners that were asked for. */
DV_MUST_USE dv_err *dv_manager_serve(dv_manager *manager);
