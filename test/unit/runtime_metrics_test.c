/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "runtime/metrics.h"
#include "testlib.h"

static char *text_of(dv_metrics *metrics)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    dv_metrics_write(metrics, &out);
    return dv_buf_take(&out);
}

static void assert_has(dv_metrics *metrics, const char *line)
{
    dv_auto_str text = text_of(metrics);

    if (!strstr(text, line))
        print_error("no \"%s\" in:\n%s", line, text);
    assert_non_null(strstr(text, line));
}

static void assert_has_not(dv_metrics *metrics, const char *line)
{
    dv_auto_str text = text_of(metrics);

    assert_null(strstr(text, line));
}

static void a_counter_is_printed_with_help_and_type(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_metric *runs = dv_metric_new(metrics, DV_COUNTER, "runs_total", "All runs.", "");
    dv_auto_str text = NULL;

    (void)state;
    dv_metric_add(runs, 2, NULL);
    dv_metric_add(runs, 1, NULL);
    text = text_of(metrics);
    assert_string_equal(text,
                        "# HELP runs_total All runs.\n# TYPE runs_total counter\nruns_total 3\n");
}

static void series_are_sorted_by_their_labels(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_metric *runs = dv_metric_new(metrics, DV_GAUGE, "runs", "R", "kind,result");
    dv_auto_str text = NULL;

    (void)state;
    dv_metric_set(runs, 1.5, DV_LABELS("b", "ok"));
    dv_metric_set(runs, 2, DV_LABELS("a", "ok"));
    dv_metric_set(runs, -3, DV_LABELS("a", "bad"));
    text = text_of(metrics);
    assert_string_equal(text, "# HELP runs R\n# TYPE runs gauge\n"
                              "runs{kind=\"a\",result=\"bad\"} -3\n"
                              "runs{kind=\"a\",result=\"ok\"} 2\n"
                              "runs{kind=\"b\",result=\"ok\"} 1.5\n");
}

static const struct number_row {
    const char *name;
    double value;
    const char *text;
} number_rows[] = {
    {"a tenth is short", 0.1, "g 0.1\n"},
    {"a third has all its digits", 1.0 / 3, "g 0.3333333333333333\n"},
    {"a large integer is exact", 9007199254740992.0, "g 9007199254740992\n"},
    {"infinity has a sign", HUGE_VAL, "g +Inf\n"},
    {"minus infinity", -HUGE_VAL, "g -Inf\n"},
    {"not a number", NAN, "g NaN\n"},
};

static void numbers_read_back_equal(void **state)
{
    const struct number_row *row = *state;
    dv_auto(dv_metrics) metrics = dv_metrics_new();

    dv_metric_set(dv_metric_new(metrics, DV_GAUGE, "g", "G", ""), row->value, NULL);
    assert_has(metrics, row->text);
}

static void label_values_and_help_are_escaped(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_metric *gauge = dv_metric_new(metrics, DV_GAUGE, "g", "one\\two\nthree \"x\"", "l");

    (void)state;
    dv_metric_set(gauge, 1, DV_LABELS("a\"b\\c\nd"));
    assert_has(metrics, "# HELP g one\\\\two\\nthree \"x\"\n");
    assert_has(metrics, "g{l=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void a_histogram_adds_its_buckets_up(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_metric *seconds = dv_metric_new(metrics, DV_HISTOGRAM, "t", "T", "c");

    (void)state;
    dv_metric_observe(seconds, 0.001, DV_LABELS("x")); /* a bound belongs to its bucket */
    dv_metric_observe(seconds, 0.03, DV_LABELS("x"));
    dv_metric_observe(seconds, 100, DV_LABELS("x"));
    assert_has(metrics, "t_bucket{c=\"x\",le=\"0.001\"} 1\n");
    assert_has(metrics, "t_bucket{c=\"x\",le=\"0.025\"} 1\n");
    assert_has(metrics, "t_bucket{c=\"x\",le=\"0.05\"} 2\n");
    assert_has(metrics, "t_bucket{c=\"x\",le=\"60\"} 2\n");
    assert_has(metrics, "t_bucket{c=\"x\",le=\"+Inf\"} 3\n");
    assert_has(metrics, "t_sum{c=\"x\"} 100.031\n");
    assert_has(metrics, "t_count{c=\"x\"} 3\n");
}

static void a_histogram_without_labels_has_le_alone(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();

    (void)state;
    dv_metric_observe(dv_metric_new(metrics, DV_HISTOGRAM, "t", "T", ""), 2, NULL);
    assert_has(metrics, "t_bucket{le=\"2.5\"} 1\n");
    assert_has(metrics, "t_sum 2\n");
}

static void a_dropped_series_is_gone(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_metric *gauge = dv_metric_new(metrics, DV_GAUGE, "g", "G", "l");

    (void)state;
    dv_metric_set(gauge, 1, DV_LABELS("a"));
    dv_metric_set(gauge, 2, DV_LABELS("b"));
    dv_metric_drop(gauge, DV_LABELS("a"));
    dv_metric_drop(gauge, DV_LABELS("never was"));
    assert_has_not(metrics, "l=\"a\"");
    assert_has(metrics, "g{l=\"b\"} 2\n");
    dv_metric_clear(gauge);
    assert_has_not(metrics, "l=\"b\"");
}

static void series_past_the_limit_are_counted_together(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_metric *count = dv_metric_new(metrics, DV_COUNTER, "c", "C", "a,b");
    char name[16];

    (void)state;
    for (int i = 0; i < DV_METRIC_SERIES_MAX + 7; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        dv_metric_add(count, 1, DV_LABELS(name, "x"));
    }
    assert_has(metrics, "c{a=\"other\",b=\"other\"} 7\n");
    assert_has(metrics, "c{a=\"n999\",b=\"x\"} 1\n");
    assert_has_not(metrics, "n1000");
    dv_metric_add(count, 5, DV_LABELS("n0", "x")); /* one that has its place keeps it */
    assert_has(metrics, "c{a=\"n0\",b=\"x\"} 6\n");
}

static void collect(void *arg)
{
    static double times;

    dv_metric_set(arg, ++times, NULL);
}

static void collectors_are_asked_at_each_scrape(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_metric *gauge = dv_metric_new(metrics, DV_GAUGE, "g", "G", "");

    (void)state;
    dv_metrics_on_scrape(metrics, collect, gauge);
    assert_has(metrics, "g 1\n");
    assert_has(metrics, "g 2\n");
}

static double value_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    assert_non_null(at);
    return strtod(at + strlen(name), NULL);
}

static void the_process_tells_of_itself(void **state)
{
    dv_auto(dv_metrics) metrics = dv_metrics_new();
    dv_auto_str text = NULL;
    const dv_clock *clock = dv_clock_real();
    double now = (double)clock->unix_us(clock) / 1e6;

    (void)state;
    dv_metrics_add_process(metrics);
    dv_metrics_add_process(metrics); /* says nothing twice */
    text = text_of(metrics);
    assert_null(strstr(strstr(text, "TYPE process_open_fds") + 1, "TYPE process_open_fds"));
    assert_true(value_of(text, "\nprocess_resident_memory_bytes ") > 1e5);
    assert_true(value_of(text, "\nprocess_cpu_seconds_total ") >= 0);
    assert_true(value_of(text, "\nprocess_open_fds ") >= 3);
    assert_true(value_of(text, "\nprocess_start_time_seconds ") > now - 3600);
    assert_true(value_of(text, "\nprocess_start_time_seconds ") < now + 2);
}

int main(void)
{
    dv_suite suite = {.name = "runtime/metrics"};

    DV_TEST(&suite, a_counter_is_printed_with_help_and_type);
    DV_TEST(&suite, series_are_sorted_by_their_labels);
    DV_TABLE(&suite, numbers_read_back_equal, number_rows);
    DV_TEST(&suite, label_values_and_help_are_escaped);
    DV_TEST(&suite, a_histogram_adds_its_buckets_up);
    DV_TEST(&suite, a_histogram_without_labels_has_le_alone);
    DV_TEST(&suite, a_dropped_series_is_gone);
    DV_TEST(&suite, series_past_the_limit_are_counted_together);
    DV_TEST(&suite, collectors_are_asked_at_each_scrape);
    DV_TEST(&suite, the_process_tells_of_itself);
    return dv_suite_run(&suite);
}
