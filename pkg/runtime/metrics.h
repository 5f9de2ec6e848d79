/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics in the Prometheus text format (version 0.0.4): counters, gauges, histograms with
 * labels, and collectors that are asked at scrape time. Names and label values are written as
 * given by us; at most DV_METRIC_SERIES_MAX series a metric, further ones are counted together
 * under the label values "other".
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

#define DV_METRIC_SERIES_MAX 1000

typedef struct dv_metrics dv_metrics;
typedef struct dv_metric dv_metric;
typedef enum { DV_COUNTER, DV_GAUGE, DV_HISTOGRAM } dv_metric_type;

dv_metrics *dv_metrics_new(void);
void dv_metrics_free(dv_metrics *metrics);
DV_DEFINE_AUTO(dv_metrics)
/*
 * labels: comma-separated names ("controller,result"), "" for none. Histograms have fixed buckets
 * from 1 ms to 60 s, in seconds. Owned by metrics.
 */
dv_metric *dv_metric_new(dv_metrics *metrics, dv_metric_type type, const char *name,
                         const char *help, const char *labels);
/* Label values in the order of the names. */
void dv_metric_add(dv_metric *metric, double value, const char *const *label_values);
void dv_metric_set(dv_metric *metric, double value, const char *const *label_values);
void dv_metric_observe(dv_metric *metric, double seconds, const char *const *label_values);
/* Removes a series (an object is gone). */
void dv_metric_drop(dv_metric *metric, const char *const *label_values);
/* Removes all series: before a collector sets those that still are. */
void dv_metric_clear(dv_metric *metric);
#define DV_LABELS(...) ((const char *const[]){__VA_ARGS__})
/* Called at each scrape before printing, on the scraping thread, to set gauges and counters. */
void dv_metrics_on_scrape(dv_metrics *metrics, void (*collect)(void *arg), void *arg);
void dv_metrics_write(dv_metrics *metrics, dv_buf *out);
/*
 * Adds process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds and
 * process_start_time_seconds. A second call does nothing; a manager makes the first.
 */
void dv_metrics_add_process(dv_metrics *metrics);
