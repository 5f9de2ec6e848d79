/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, /healthz, /readyz; handlers run on the HTTP server's thread. */
#include "runtime/manager_internal.h"

/* ---- Metrics ---- */

static void add_figures(void *arg, const char *kind, const dv_informer_stats *stats)
{
    const dv_manager *manager = arg;

    dv_metric_add(manager->objects, (double)stats->objects, DV_LABELS(kind));
    dv_metric_add(manager->lists, (double)stats->lists, DV_LABELS(kind));
    dv_metric_add(manager->watches, (double)stats->watches, DV_LABELS(kind));
    dv_metric_add(manager->events, (double)stats->events, DV_LABELS(kind));
    dv_metric_add(manager->skipped, (double)stats->skipped, DV_LABELS(kind));
}

static void add_requests(void *arg, const char *verb, int code, uint64_t count)
{
    const dv_manager *manager = arg;
    char text[16];

    snprintf(text, sizeof(text), "%d", code);
    dv_metric_set(manager->requests, (double)count, DV_LABELS(verb, text));
}

static void collect(void *arg)
{
    dv_manager *manager = arg;
    dv_queue_depth depth = dv_queue_get_depth(manager->queue);
    dv_metric *by_kind[] = {manager->objects, manager->lists, manager->watches, manager->events,
                            manager->skipped};

    dv_metric_set(manager->depth, (double)depth.ready, DV_LABELS("ready"));
    dv_metric_set(manager->depth, (double)depth.delayed, DV_LABELS("delayed"));
    dv_metric_set(manager->depth, (double)depth.held, DV_LABELS("held"));
    dv_metric_set(manager->leader, dv_manager_leading(manager) ? 1 : 0, NULL);
    for (size_t i = 0; i < DV_LEN(by_kind); i++)
        dv_metric_clear(by_kind[i]); /* informers of one kind are added up */
    dv_cache_figures(manager->cache, add_figures, manager);
    if (manager->options.kube)
        dv_kube_request_counts(manager->options.kube, add_requests, manager);
}

void dv_manager_add_metrics(dv_manager *manager)
{
    dv_metrics *metrics = manager->options.metrics;

    manager->runs =
        dv_metric_new(metrics, DV_COUNTER, "davit_reconcile_total",
                      "Reconciles by controller and what came of them.", "controller,result");
    manager->run_seconds = dv_metric_new(metrics, DV_HISTOGRAM, "davit_reconcile_seconds",
                                         "Time a reconcile took.", "controller");
    manager->depth =
        dv_metric_new(metrics, DV_GAUGE, "davit_queue_depth", "Keys in the work queue.", "state");
    manager->requests =
        dv_metric_new(metrics, DV_COUNTER, "davit_kube_requests_total",
                      "Requests to the API server; code 0: no answer.", "verb,code");
    manager->leader =
        dv_metric_new(metrics, DV_GAUGE, "davit_leader", "1 while this process leads.", "");
    manager->objects = dv_metric_new(metrics, DV_GAUGE, "davit_informer_objects",
                                     "Objects in the informers' stores.", "kind");
    manager->lists = dv_metric_new(metrics, DV_COUNTER, "davit_informer_lists_total",
                                   "Lists that informers have read.", "kind");
    manager->watches = dv_metric_new(metrics, DV_COUNTER, "davit_informer_watches_total",
                                     "Watches that informers have opened.", "kind");
    manager->events = dv_metric_new(metrics, DV_COUNTER, "davit_informer_events_total",
                                    "Changes that watches have told.", "kind");
    manager->skipped = dv_metric_new(metrics, DV_COUNTER, "davit_informer_skipped_total",
                                     "Objects that could not be read.", "kind");
    dv_metrics_add_process(metrics);
    dv_metrics_on_scrape(metrics, collect, manager);
}

/* ---- Answers ---- */

static void answer_metrics(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    const dv_manager *manager = arg;

    (void)request;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    dv_metrics_write(manager->options.metrics, &response->body);
}

static bool is_dead(const dv_manager *manager, int64_t ticked_ms)
{
    const dv_clock *clock = manager->options.clock;

    return clock->mono_ms(clock) - ticked_ms > DV_DEAD_MS;
}

static void answer_health(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    const dv_manager *manager = arg;
    const char *dead = is_dead(manager, manager->ticked_ms)                   ? "main"
                       : is_dead(manager, dv_cache_ticked_ms(manager->cache)) ? "cache"
                                                                              : NULL;

    (void)request;
    if (!dead) {
        dv_buf_adds(&response->body, "ok\n");
        return;
    }
    response->status = 503;
    dv_buf_addf(&response->body, "the %s thread does not answer\n", dead);
}

static void answer_ready(void *arg, const dv_httpd_request *request, dv_httpd_response *response)
{
    const dv_manager *manager = arg;

    (void)request;
    if (manager->synced) {
        dv_buf_adds(&response->body, "ok\n");
        return;
    }
    response->status = 503;
    dv_buf_adds(&response->body, "waiting for:");
    for (size_t i = 0; i < manager->awaited.n; i++)
        if (!dv_informer_synced(manager->awaited.at[i]))
            dv_buf_addf(&response->body, " %s", manager->awaited.at[i]->options.resource->kind);
    dv_buf_addc(&response->body, '\n');
}

/* ---- Listeners ---- */

static bool is_wanted(const char *address)
{
    return address && *address && strcmp(address, "0") != 0;
}

dv_err *dv_manager_serve(dv_manager *manager)
{
    const dv_httpd_route routes[] = {
        {.path = "/healthz", .handle = answer_health, .arg = manager},
        {.path = "/readyz", .handle = answer_ready, .arg = manager},
        {.path = "/metrics", .handle = answer_metrics, .arg = manager},
    };
    enum { HEALTH_ROUTES = 2 };
    const char *metrics = manager->options.metrics_address;
    const char *health = manager->options.health_address;
    bool shared = is_wanted(metrics) && is_wanted(health) && strcmp(metrics, health) == 0;
    size_t n = 0;

    if (!is_wanted(metrics) && !is_wanted(health))
        return NULL;
    manager->httpd = dv_httpd_new(manager->options.log);
    if (is_wanted(health)) {
        DV_TRY(dv_httpd_listen(manager->httpd, health, routes,
                               shared ? DV_LEN(routes) : HEALTH_ROUTES),
               "health address");
        n++;
    }
    if (is_wanted(metrics) && !shared)
        DV_TRY(dv_httpd_listen(manager->httpd, metrics, routes + HEALTH_ROUTES, 1),
               "metrics address");
    DV_TRY(dv_httpd_start(manager->httpd), "health and metrics");
    if (is_wanted(health))
        manager->health_port = dv_httpd_port(manager->httpd, 0);
    if (is_wanted(metrics))
        manager->metrics_port = dv_httpd_port(manager->httpd, shared ? 0 : n);
    return NULL;
}

int dv_manager_metrics_port(const dv_manager *manager)
{
    return manager->metrics_port;
}

int dv_manager_health_port(const dv_manager *manager)
{
    return manager->health_port;
}
