/* SPDX-License-Identifier: Apache-2.0 */
/* Dates. */
#include "gotemplate/functions_internal.h"
#include "gotemplate/numbers.h"
#include "gotemplate/time_internal.h"

#define NS_PER_S INT64_C(1000000000)

/* ---- The type ---- */

static const dv_moment *moment_of(dv_val value)
{
    return value.object->self;
}

static bool is_time(dv_val value)
{
    return value.kind == DV_V_OBJECT && value.object->type == &dv_type_time;
}

static dv_val make_time(dv_run *run, dv_moment at)
{
    dv_moment *self = DV_HEAP_NEW(dv_run_heap(run), dv_moment);

    *self = at;
    return dv_val_object(dv_run_heap(run), &dv_type_time, self);
}

static void print_time(const void *self, dv_buf *out)
{
    dv_moment_format(out, self, DV_STR("2006-01-02 15:04:05.999999999 -0700 MST"));
}

static dv_val plain_time(dv_heap *heap, const void *self)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(128);

    dv_moment_format(&text, self, DV_STR("2006-01-02T15:04:05.999999999Z07:00"));
    return dv_val_string(heap, dv_buf_str(&text));
}

#define METHOD(name)                                                                               \
    static dv_val name(dv_run *run DV_UNUSED, dv_val self, const dv_val *args DV_UNUSED,           \
                       size_t n DV_UNUSED)
/* A method that gives a field of the calendar. */
#define CALENDAR_METHOD(name, member)                                                              \
    METHOD(name)                                                                                   \
    {                                                                                              \
        return dv_val_int((int64_t)dv_moment_calendar(moment_of(self)).member);                    \
    }
CALENDAR_METHOD(method_year, year)
CALENDAR_METHOD(method_day, day)
CALENDAR_METHOD(method_yday, yday)
CALENDAR_METHOD(method_hour, hour)
CALENDAR_METHOD(method_minute, minute)
CALENDAR_METHOD(method_second, second)

/* Months and weekdays, which are places in the lists of their names, print these and are numbers
 * in JSON. */
static void print_name(const void *self, dv_buf *out)
{
    dv_buf_adds(out, *(const char *const *)self);
}

static dv_val plain_month(dv_heap *heap DV_UNUSED, const void *self)
{
    return dv_val_int((const char *const *)self - dv_month_names + 1);
}

static dv_val plain_weekday(dv_heap *heap DV_UNUSED, const void *self)
{
    return dv_val_int((const char *const *)self - dv_weekday_names);
}

static const dv_type type_month = {.name = "time.Month",
                                   .kind = "int",
                                   .print = print_name,
                                   .plain = plain_month,
                                   .is_stringer = true};
static const dv_type type_weekday = {.name = "time.Weekday",
                                     .kind = "int",
                                     .print = print_name,
                                     .plain = plain_weekday,
                                     .is_stringer = true};

static dv_val named(dv_run *run, const dv_type *type, const char *const *name)
{
    return dv_val_object(dv_run_heap(run), type, (void *)(uintptr_t)name);
}

METHOD(method_month)
{
    return named(run, &type_month, &dv_month_names[dv_moment_calendar(moment_of(self)).month - 1]);
}

METHOD(method_weekday)
{
    return named(run, &type_weekday,
                 &dv_weekday_names[dv_moment_calendar(moment_of(self)).weekday]);
}

METHOD(method_unix)
{
    return dv_val_int64(moment_of(self)->sec);
}

METHOD(method_unix_milli)
{
    return dv_val_int64(moment_of(self)->sec * 1000 + moment_of(self)->nsec / 1000000);
}

METHOD(method_unix_nano)
{
    uint64_t ns = (uint64_t)moment_of(self)->sec * (uint64_t)NS_PER_S;

    return dv_val_int64((int64_t)(ns + (uint64_t)moment_of(self)->nsec));
}

METHOD(method_nanosecond)
{
    return dv_val_int(moment_of(self)->nsec);
}

METHOD(method_utc)
{
    return make_time(run, dv_moment_utc(moment_of(self)->sec, moment_of(self)->nsec));
}

static dv_val format(dv_run *run, const dv_moment *at, dv_str layout)
{
    dv_buf *out = dv_run_scratch(run);

    dv_moment_format(out, at, layout);
    return dv_run_text(run, out);
}

METHOD(method_format)
{
    return format(run, moment_of(self), dv_val_str(args[0]));
}

METHOD(method_string)
{
    dv_buf *out = dv_run_scratch(run);

    print_time(moment_of(self), out);
    return dv_run_text(run, out);
}

METHOD(method_add_date)
{
    const dv_moment *at = moment_of(self);
    dv_calendar c = dv_moment_calendar(at);
    int64_t months = c.year * 12 + c.month - 1 + args[0].i * 12 + args[1].i;
    dv_moment moved = *at;

    if (args[0].i > 100000 || args[0].i < -100000 || args[1].i > 1000000 || args[1].i < -1000000 ||
        args[2].i > 10000000 || args[2].i < -10000000)
        return dv_run_fail(run, "a date is moved by more than is allowed");
    int64_t year = months / 12 - (months % 12 < 0);
    int64_t days = dv_days_of(year, (int)(months - year * 12) + 1, 1) + c.day - 1 + args[2].i;
    moved.sec = days * 86400 + c.hour * 3600 + c.minute * 60 + c.second - at->offset;
    return make_time(run, moved);
}

static int compare(const dv_moment *a, const dv_moment *b)
{
    if (a->sec != b->sec)
        return a->sec < b->sec ? -1 : 1;
    return (a->nsec > b->nsec) - (a->nsec < b->nsec);
}

METHOD(method_after)
{
    return dv_val_bool(compare(moment_of(self), moment_of(args[0])) > 0);
}

METHOD(method_before)
{
    return dv_val_bool(compare(moment_of(self), moment_of(args[0])) < 0);
}

METHOD(method_equal)
{
    return dv_val_bool(compare(moment_of(self), moment_of(args[0])) == 0);
}

/* The first second of the year 1. */
#define ZERO_SEC INT64_C(-62135596800)

METHOD(method_is_zero)
{
    return dv_val_bool(moment_of(self)->sec == ZERO_SEC && moment_of(self)->nsec == 0);
}

static const dv_method methods[] = {
    {"AddDate", "iii", method_add_date},
    {"After", "t", method_after},
    {"Before", "t", method_before},
    {"Day", "", method_day},
    {"Equal", "t", method_equal},
    {"Format", "s", method_format},
    {"Hour", "", method_hour},
    {"IsZero", "", method_is_zero},
    {"Local", "", method_utc},
    {"Minute", "", method_minute},
    {"Month", "", method_month},
    {"Nanosecond", "", method_nanosecond},
    {"Second", "", method_second},
    {"String", "", method_string},
    {"UTC", "", method_utc},
    {"Unix", "", method_unix},
    {"UnixMilli", "", method_unix_milli},
    {"UnixNano", "", method_unix_nano},
    {"Weekday", "", method_weekday},
    {"Year", "", method_year},
    {"YearDay", "", method_yday},
};
const dv_type dv_type_time = {.name = "time.Time",
                              .kind = "struct",
                              .methods = methods,
                              .methods_n = DV_LEN(methods),
                              .print = print_time,
                              .plain = plain_time,
                              .is_stringer = true};

/* ---- Now and then ---- */

static dv_moment present(const dv_run *run)
{
    const dv_clock *clock = dv_run_options_of(run)->clock;
    int64_t us = (clock ? clock : dv_clock_real())->unix_us(clock ? clock : dv_clock_real());

    return dv_moment_utc(us / 1000000, (int32_t)(us % 1000000) * 1000);
}

/* A time, a number of seconds, or the present for anything else. */
static dv_moment moment_in(const dv_run *run, dv_val value)
{
    if (is_time(value))
        return *moment_of(value);
    return dv_val_is_int(value) ? dv_moment_utc(value.i, 0) : present(run);
}

DV_FN(now)
{
    return make_time(run, present(run));
}

/* All zones but UTC are unknown here, and sprig takes UTC for those. */
static dv_val date_of(dv_run *run, dv_str layout, dv_val value)
{
    dv_moment at = moment_in(run, value);

    at = dv_moment_utc(at.sec, at.nsec);
    return format(run, &at, layout);
}

DV_FN(date)
{
    return date_of(run, DV_ARG(0), args[1]);
}

DV_FN(dateInZone)
{
    return date_of(run, DV_ARG(0), args[1]);
}

DV_FN(htmlDate)
{
    return date_of(run, DV_STR("2006-01-02"), args[0]);
}

DV_FN(htmlDateInZone)
{
    return date_of(run, DV_STR("2006-01-02"), args[0]);
}

DV_FN(unixEpoch)
{
    dv_buf *out = dv_run_scratch(run);

    dv_buf_addf(out, "%lld", (long long)moment_of(args[0])->sec);
    return dv_run_text(run, out);
}

/* ---- Moving ---- */

static dv_val moved(dv_run *run, const dv_moment *at, int64_t ns)
{
    dv_moment to = *at;
    int64_t nsec = at->nsec + ns % NS_PER_S;

    to.sec += ns / NS_PER_S + (nsec >= NS_PER_S) - (nsec < 0);
    to.nsec = (int32_t)((nsec + NS_PER_S) % NS_PER_S);
    return make_time(run, to);
}

DV_FN(dateModify)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    int64_t ns;

    if (!dv_span_parse(DV_ARG(0), &ns, &fault))
        return args[1];
    return moved(run, moment_of(args[1]), ns);
}

DV_FN(mustDateModify)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    int64_t ns;

    if (!dv_span_parse(DV_ARG(0), &ns, &fault))
        return dv_run_fail_text(run, dv_buf_str(&fault));
    return moved(run, moment_of(args[1]), ns);
}

/* ---- Reading ---- */

static dv_val read_date(dv_run *run, const dv_val *args, bool must)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_moment at = dv_moment_utc(ZERO_SEC, 0);

    if (!dv_moment_parse(DV_ARG(0), DV_ARG(1), &at, &fault) && must)
        return dv_run_fail_text(run, dv_buf_str(&fault));
    return make_time(run, at);
}

DV_FN(toDate)
{
    return read_date(run, args, /* must= */ false);
}

DV_FN(mustToDate)
{
    return read_date(run, args, /* must= */ true);
}

/* ---- Durations ---- */

static int64_t wrapped_seconds(int64_t seconds)
{
    return (int64_t)((uint64_t)seconds * (uint64_t)NS_PER_S);
}

static int64_t since(const dv_run *run, const dv_moment *at)
{
    dv_moment now = present(run);

    return (int64_t)((uint64_t)wrapped_seconds((int64_t)((uint64_t)now.sec - (uint64_t)at->sec)) +
                     (uint64_t)(int64_t)(now.nsec - at->nsec));
}

static dv_val span(dv_run *run, int64_t ns)
{
    dv_buf *out = dv_run_scratch(run);

    dv_span_add(out, ns);
    return dv_run_text(run, out);
}

DV_FN(duration)
{
    int64_t seconds = args[0].kind == DV_V_INT64 ? args[0].i : 0;

    if (args[0].kind == DV_V_STRING && dv_number_int(DV_ARG(0), 10, &seconds) == DV_NUMBER_SYNTAX)
        seconds = 0;
    return span(run, wrapped_seconds(seconds));
}

DV_FN(ago)
{
    dv_moment at = moment_in(run, args[0]);
    int64_t ns = since(run, &at), rest = ns % NS_PER_S;

    ns -= rest;
    if (rest >= NS_PER_S / 2)
        ns += NS_PER_S;
    else if (rest <= -NS_PER_S / 2)
        ns -= NS_PER_S;
    return span(run, ns);
}

/* The largest unit of which there is more than one. */
DV_FN(durationRound)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{UINT64_C(86400) * 365, "y"},
                 {UINT64_C(86400) * 30, "mo"},
                 {86400, "d"},
                 {3600, "h"},
                 {60, "m"},
                 {1, "s"}};
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_buf *out = dv_run_scratch(run);
    int64_t ns = 0;

    if (args[0].kind == DV_V_STRING)
        dv_span_parse(DV_ARG(0), &ns, &fault);
    else if (args[0].kind == DV_V_INT64)
        ns = args[0].i;
    else if (is_time(args[0]))
        ns = since(run, moment_of(args[0]));
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    for (size_t i = 0; i < DV_LEN(units); i++) {
        uint64_t unit = units[i].seconds * (uint64_t)NS_PER_S;

        if (size <= unit)
            continue;
        dv_buf_addf(out, "%llu%s", (unsigned long long)(size / unit), units[i].name);
        return dv_run_text(run, out);
    }
    return dv_val_lit("0s");
}
