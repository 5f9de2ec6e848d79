/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/metrics_internal.h"

#include <math.h>

#include "base/map.h"
#include "base/sync.h"

/* Upper bounds in seconds; a bucket for +Inf stands behind them. */
static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                0.5,   1,      2.5,   5,    10,    30,   60};

enum { BUCKETS = DV_LEN(bounds) + 1 };
enum { LABEL_END = '\x1f' }; /* between the label values in a series' key */

typedef struct {
    double value;      /* of a histogram the sum */
    uint64_t *buckets; /* BUCKETS of them, each alone; histograms only */
} series;

struct dv_metric {
    dv_metrics *owner;
    dv_metric_type type;
    char *name, *help;
    dv_strings labels;
    dv_map *series; /* by label values; of series */
};

typedef struct {
    void (*collect)(void *arg);
    void *arg;
} collector;

struct dv_metrics {
    pthread_mutex_t mu; /* all of what follows */
    DV_VEC(dv_metric *) metrics;
    DV_VEC(collector) collectors;
    DV_VEC(void *) owned;
    bool has_process;
};

static void series_free(void *at)
{
    series *one = at;

    free(one->buckets);
    free(one);
}

dv_metrics *dv_metrics_new(void)
{
    dv_metrics *metrics = DV_NEW(dv_metrics);

    pthread_mutex_init(&metrics->mu, NULL);
    return metrics;
}

void dv_metrics_free(dv_metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->metrics.n; i++) {
        dv_metric *metric = metrics->metrics.at[i];

        free(metric->name);
        free(metric->help);
        dv_strings_done(&metric->labels);
        dv_map_free(metric->series);
        free(metric);
    }
    dv_vec_done(&metrics->metrics);
    dv_vec_done(&metrics->collectors);
    for (size_t i = 0; i < metrics->owned.n; i++)
        free(metrics->owned.at[i]);
    dv_vec_done(&metrics->owned);
    pthread_mutex_destroy(&metrics->mu);
    free(metrics);
}

dv_metric *dv_metric_new(dv_metrics *metrics, dv_metric_type type, const char *name,
                         const char *help, const char *labels)
{
    dv_metric *metric = DV_NEW(dv_metric);
    dv_str rest = dv_str_of(labels), head;

    metric->owner = metrics;
    metric->type = type;
    metric->name = dv_strdup(name);
    metric->help = dv_strdup(help);
    metric->series = dv_map_new(series_free);
    while (rest.n) {
        rest = dv_str_cut(rest, ',', &head);
        dv_strings_take(&metric->labels, dv_str_dup(head));
    }
    DV_LOCK_SCOPE(&metrics->mu);
    *dv_vec_push(&metrics->metrics) = metric;
    return metric;
}

static void key_of(const dv_metric *metric, const char *const *values, dv_buf *key)
{
    for (size_t i = 0; i < metric->labels.n; i++) {
        dv_buf_adds(key, values ? values[i] : "other");
        dv_buf_addc(key, LABEL_END);
    }
}

/* The series of these label values; of "other" ones when there is no place for more. */
static series *series_of(dv_metric *metric, const char *const *values)
{
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(DV_LINE_MAX);
    series *one;

    DV_ASSERT(values || metric->labels.n == 0);
    key_of(metric, values, &key);
    one = dv_map_get(metric->series, dv_buf_str(&key));
    if (one)
        return one;
    if (dv_map_count(metric->series) >= DV_METRIC_SERIES_MAX || key.overflow) {
        dv_buf_reset(&key);
        key_of(metric, NULL, &key);
        one = dv_map_get(metric->series, dv_buf_str(&key));
        if (one)
            return one;
    }
    one = DV_NEW(series);
    if (metric->type == DV_HISTOGRAM)
        one->buckets = dv_calloc(BUCKETS, sizeof(uint64_t));
    dv_map_put(metric->series, dv_buf_str(&key), one);
    return one;
}

void dv_metric_add(dv_metric *metric, double value, const char *const *label_values)
{
    DV_LOCK_SCOPE(&metric->owner->mu);

    series_of(metric, label_values)->value += value;
}

void dv_metric_set(dv_metric *metric, double value, const char *const *label_values)
{
    DV_LOCK_SCOPE(&metric->owner->mu);

    series_of(metric, label_values)->value = value;
}

void dv_metric_observe(dv_metric *metric, double seconds, const char *const *label_values)
{
    size_t bucket = 0;

    DV_ASSERT(metric->type == DV_HISTOGRAM);
    while (bucket < DV_LEN(bounds) && seconds > bounds[bucket])
        bucket++;
    DV_LOCK_SCOPE(&metric->owner->mu);
    series *one = series_of(metric, label_values);
    one->value += seconds;
    one->buckets[bucket]++;
}

void dv_metric_drop(dv_metric *metric, const char *const *label_values)
{
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(DV_LINE_MAX);
    DV_LOCK_SCOPE(&metric->owner->mu);

    key_of(metric, label_values, &key);
    dv_map_drop(metric->series, dv_buf_str(&key));
}

void dv_metric_clear(dv_metric *metric)
{
    DV_LOCK_SCOPE(&metric->owner->mu);

    dv_map_clear(metric->series);
}

void dv_metrics_on_scrape(dv_metrics *metrics, void (*collect)(void *arg), void *arg)
{
    DV_LOCK_SCOPE(&metrics->mu);

    *dv_vec_push(&metrics->collectors) = (collector){collect, arg};
}

bool dv_metrics_claim_process(dv_metrics *metrics)
{
    DV_LOCK_SCOPE(&metrics->mu);
    bool first = !metrics->has_process;

    metrics->has_process = true;
    return first;
}

void dv_metrics_own(dv_metrics *metrics, void *memory)
{
    DV_LOCK_SCOPE(&metrics->mu);

    *dv_vec_push(&metrics->owned) = memory;
}

/* ---- Printing ---- */

static void add_number(dv_buf *out, double value)
{
    char text[40];

    if (isnan(value)) {
        dv_buf_adds(out, "NaN");
        return;
    }
    if (isinf(value)) {
        dv_buf_adds(out, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) { /* the shortest that reads back equal */
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    dv_buf_adds(out, text);
}

static void add_escaped(dv_buf *out, dv_str text, bool quotes)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            dv_buf_adds(out, "\\n");
        else if (text.p[i] == '\\' || (quotes && text.p[i] == '"'))
            dv_buf_addf(out, "\\%c", text.p[i]);
        else
            dv_buf_addc(out, text.p[i]);
    }
}

/* {name="value",…}, with le="…" last when there is one. */
static void add_labels(dv_buf *out, const dv_metric *metric, dv_str key, const double *le)
{
    dv_str value;
    char between = '{';

    for (size_t i = 0; i < metric->labels.n; i++) {
        key = dv_str_cut(key, LABEL_END, &value);
        dv_buf_addf(out, "%c%s=\"", between, metric->labels.at[i]);
        add_escaped(out, value, true);
        dv_buf_addc(out, '"');
        between = ',';
    }
    if (le) {
        dv_buf_addf(out, "%cle=\"", between);
        add_number(out, *le);
        dv_buf_addc(out, '"');
        between = ',';
    }
    if (between == ',')
        dv_buf_addc(out, '}');
}

static void add_sample(dv_buf *out, const dv_metric *metric, const char *suffix, dv_str key,
                       const double *le, double value)
{
    dv_buf_addf(out, "%s%s", metric->name, suffix);
    add_labels(out, metric, key, le);
    dv_buf_addc(out, ' ');
    add_number(out, value);
    dv_buf_addc(out, '\n');
}

static void add_histogram(dv_buf *out, const dv_metric *metric, dv_str key, const series *one)
{
    static const double infinite = INFINITY;
    uint64_t count = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        count += one->buckets[i];
        add_sample(out, metric, "_bucket", key, i < DV_LEN(bounds) ? &bounds[i] : &infinite,
                   (double)count);
    }
    add_sample(out, metric, "_sum", key, NULL, one->value);
    add_sample(out, metric, "_count", key, NULL, (double)count);
}

static void add_metric(dv_buf *out, const dv_metric *metric)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    dv_strings keys = dv_map_keys(metric->series);

    dv_buf_addf(out, "# HELP %s ", metric->name);
    add_escaped(out, dv_str_of(metric->help), false);
    dv_buf_addf(out, "\n# TYPE %s %s\n", metric->name, types[metric->type]);
    for (size_t i = 0; i < keys.n; i++) {
        dv_str key = dv_str_of(keys.at[i]);
        const series *one = dv_map_get(metric->series, key);

        if (metric->type == DV_HISTOGRAM)
            add_histogram(out, metric, key, one);
        else
            add_sample(out, metric, "", key, NULL, one->value);
    }
    dv_strings_done(&keys);
}

static bool collector_at(dv_metrics *metrics, size_t i, collector *ret_collector)
{
    DV_LOCK_SCOPE(&metrics->mu);

    if (i >= metrics->collectors.n)
        return false;
    *ret_collector = metrics->collectors.at[i];
    return true;
}

/* Without the lock: they set metrics. */
static void ask_collectors(dv_metrics *metrics)
{
    collector asked;

    for (size_t i = 0; collector_at(metrics, i, &asked); i++)
        asked.collect(asked.arg);
}

void dv_metrics_write(dv_metrics *metrics, dv_buf *out)
{
    ask_collectors(metrics);
    DV_LOCK_SCOPE(&metrics->mu);
    for (size_t i = 0; i < metrics->metrics.n; i++)
        add_metric(out, metrics->metrics.at[i]);
}
