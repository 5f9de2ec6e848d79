/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time with a zone, and Go's layouts for writing and reading them. There is one local
 * zone here, UTC: what a chart renders must not depend on the machine.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

enum { DV_ZONE_NAME_MAX = 8 };

typedef struct {
    int64_t sec; /* Unix */
    int32_t nsec;
    int32_t offset; /* seconds east */
    char zone[DV_ZONE_NAME_MAX];
} dv_moment;

/* The calendar in the moment's zone. */
typedef struct {
    int64_t year;
    int month, day, yday, weekday; /* from 1; weekday from Sunday, 0 */
    int hour, minute, second;
} dv_calendar;

dv_moment dv_moment_utc(int64_t sec, int32_t nsec);
dv_calendar dv_moment_calendar(const dv_moment *at);
/* Appends at as the layout ("2006-01-02") has it. */
void dv_moment_format(dv_buf *out, const dv_moment *at, dv_str layout);
/* time.Parse. False: Go's message is in fault. */
bool dv_moment_parse(dv_str layout, dv_str text, dv_moment *ret, dv_buf *fault);

/* time.ParseDuration, in nanoseconds. False: Go's message is in fault. */
bool dv_span_parse(dv_str text, int64_t *ret_ns, dv_buf *fault);
/* Appends as a time.Duration prints: "1h30m0s", "1.5s". */
void dv_span_add(dv_buf *out, int64_t ns);

/* ---- Layouts ---- */

typedef enum {
    STD_NONE,
    STD_LONG_MONTH,
    STD_MONTH,
    STD_NUM_MONTH,
    STD_ZERO_MONTH,
    STD_LONG_WEEKDAY,
    STD_WEEKDAY,
    STD_DAY,
    STD_UNDER_DAY,
    STD_ZERO_DAY,
    STD_UNDER_YDAY,
    STD_ZERO_YDAY,
    STD_HOUR,
    STD_HOUR12,
    STD_ZERO_HOUR12,
    STD_MINUTE,
    STD_ZERO_MINUTE,
    STD_SECOND,
    STD_ZERO_SECOND,
    STD_LONG_YEAR,
    STD_YEAR,
    STD_PM,
    STD_SMALL_PM,
    STD_ZONE,
    STD_Z_HMS,       /* Z070000 */
    STD_Z_HM,        /* Z0700 */
    STD_Z_H,         /* Z07 */
    STD_Z_COLON_HM,  /* Z07:00 */
    STD_Z_COLON_HMS, /* Z07:00:00 */
    STD_N_HMS,       /* -070000 */
    STD_N_HM,
    STD_N_H,
    STD_N_COLON_HM,
    STD_N_COLON_HMS,
    STD_FRACTION0, /* .000 */
    STD_FRACTION9, /* .999 */
} dv_std;

typedef struct {
    dv_str prefix, text, rest;
    dv_std type;
    int digits; /* of a fraction */
    char mark;  /* before a fraction: '.' or ',' */
} dv_chunk;

/* The first element of the layout and what stands around it. */
dv_chunk dv_layout_next(dv_str layout);
extern const char *const dv_month_names[12], *const dv_weekday_names[7];
/* Days from 1970-01-01 to a date. */
int64_t dv_days_of(int64_t year, int month, int day);
int dv_days_in_month(int64_t year, int month);
