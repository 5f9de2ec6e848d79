/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of this process, under the names that Prometheus' client libraries use. */
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/metrics_internal.h"

enum { FD_LIMIT = 1 << 20 };
/* Fields of /proc/self/stat behind the ")" of the name, counted from the state (proc(5)). */
enum { STAT_UTIME = 11, STAT_STIME = 12, STAT_START = 19, STAT_FIELDS };

typedef struct {
    dv_metric *resident, *cpu, *fds, *start;
    double started_unix_s;
} process;

/* The numbers behind the program's name, which may hold anything. False: no /proc. */
static bool read_stat(double ret_fields[STAT_FIELDS])
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PATH_MAX);
    dv_auto(dv_err) err = dv_file_read("/proc/self/stat", &text);
    dv_str rest = dv_buf_str(&text), field;
    ptrdiff_t at = dv_str_rfind(rest, ')');

    if (err || at < 0)
        return false;
    rest = dv_str_trim(dv_str_skip(rest, (size_t)at + 1));
    for (size_t i = 0; i < STAT_FIELDS; i++) {
        rest = dv_str_cut(rest, ' ', &field);
        ret_fields[i] = field.n ? strtod(field.p, NULL) : 0;
    }
    return true;
}

static double resident_bytes(void)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PATH_MAX);
    dv_auto(dv_err) err = dv_file_read("/proc/self/statm", &text);
    dv_str size;
    dv_str rest = dv_str_cut(dv_buf_str(&text), ' ', &size);

    if (err || !rest.n)
        return 0;
    return strtod(rest.p, NULL) * (double)sysconf(_SC_PAGESIZE);
}

static void collect(void *arg)
{
    const process *self = arg;
    double ticks = (double)sysconf(_SC_CLK_TCK), stat[STAT_FIELDS];
    dv_strings fds = {0};
    dv_auto(dv_err) err = dv_dir_list("/proc/self/fd", FD_LIMIT, &fds);

    if (read_stat(stat))
        dv_metric_set(self->cpu, (stat[STAT_UTIME] + stat[STAT_STIME]) / ticks, NULL);
    dv_metric_set(self->resident, resident_bytes(), NULL);
    if (!err)
        dv_metric_set(self->fds, (double)fds.n - 1, NULL); /* one was the folder itself */
    dv_metric_set(self->start, self->started_unix_s, NULL);
    dv_strings_done(&fds);
}

/* When the process began: the wall clock now, less the time since then. */
static double started(void)
{
    const dv_clock *clock = dv_clock_real();
    double now = (double)clock->unix_us(clock) / 1e6, stat[STAT_FIELDS];
    double up = (double)clock->boot_ms(clock) / 1e3;

    if (!read_stat(stat))
        return now;
    return now - up + stat[STAT_START] / (double)sysconf(_SC_CLK_TCK);
}

void dv_metrics_add_process(dv_metrics *metrics)
{
    process *self;

    if (!dv_metrics_claim_process(metrics))
        return;
    self = DV_NEW(process);
    self->started_unix_s = started();
    self->resident = dv_metric_new(metrics, DV_GAUGE, "process_resident_memory_bytes",
                                   "Resident memory size in bytes.", "");
    self->cpu = dv_metric_new(metrics, DV_COUNTER, "process_cpu_seconds_total",
                              "User and system CPU time spent in seconds.", "");
    self->fds = dv_metric_new(metrics, DV_GAUGE, "process_open_fds",
                              "Number of open file descriptors.", "");
    self->start = dv_metric_new(metrics, DV_GAUGE, "process_start_time_seconds",
                                "Start time of the process since the Unix epoch in seconds.", "");
    dv_metrics_own(metrics, self);
    dv_metrics_on_scrape(metrics, collect, self);
}
