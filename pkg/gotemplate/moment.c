/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/time_internal.h"

const char *const dv_month_names[12] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
const char *const dv_weekday_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday"};

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097 };

dv_moment dv_moment_utc(int64_t sec, int32_t nsec)
{
    return (dv_moment){.sec = sec, .nsec = nsec, .zone = "UTC"};
}

/* ---- The calendar ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int dv_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Counted in eras of 400 years that begin in March, so that the leap day is their last. */
int64_t dv_days_of(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2), era = floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

dv_calendar dv_moment_calendar(const dv_moment *at)
{
    int64_t local = at->sec + at->offset, days = floor_div(local, DAY_SECONDS);
    int64_t rest = local - days * DAY_SECONDS, shifted = days + 719468;
    int64_t era = floor_div(shifted, ERA_DAYS), of_era = shifted - era * ERA_DAYS;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    dv_calendar c = {.month = (int)(m < 10 ? m + 3 : m - 9),
                     .day = (int)(of_year - (153 * m + 2) / 5 + 1),
                     .weekday = (int)(((days + 4) % 7 + 7) % 7),
                     .hour = (int)(rest / 3600),
                     .minute = (int)(rest / 60 % 60),
                     .second = (int)(rest % 60)};

    c.year = y + era * 400 + (c.month <= 2);
    c.yday = (int)(days - dv_days_of(c.year, 1, 1)) + 1;
    return c;
}

/* ---- Layouts ---- */

/* In the order in which they are tried: longer ones before what they begin with. */
static const struct {
    dv_str text;
    dv_std type;
} elements[] = {
    {DV_STR("January"), STD_LONG_MONTH},
    {DV_STR("Monday"), STD_LONG_WEEKDAY},
    {DV_STR("MST"), STD_ZONE},
    {DV_STR("01"), STD_ZERO_MONTH},
    {DV_STR("002"), STD_ZERO_YDAY},
    {DV_STR("02"), STD_ZERO_DAY},
    {DV_STR("03"), STD_ZERO_HOUR12},
    {DV_STR("04"), STD_ZERO_MINUTE},
    {DV_STR("05"), STD_ZERO_SECOND},
    {DV_STR("06"), STD_YEAR},
    {DV_STR("15"), STD_HOUR},
    {DV_STR("1"), STD_NUM_MONTH},
    {DV_STR("2006"), STD_LONG_YEAR},
    {DV_STR("2"), STD_DAY},
    {DV_STR("__2"), STD_UNDER_YDAY},
    {DV_STR("_2"), STD_UNDER_DAY},
    {DV_STR("3"), STD_HOUR12},
    {DV_STR("4"), STD_MINUTE},
    {DV_STR("5"), STD_SECOND},
    {DV_STR("PM"), STD_PM},
    {DV_STR("pm"), STD_SMALL_PM},
    {DV_STR("-070000"), STD_N_HMS},
    {DV_STR("-07:00:00"), STD_N_COLON_HMS},
    {DV_STR("-0700"), STD_N_HM},
    {DV_STR("-07:00"), STD_N_COLON_HM},
    {DV_STR("-07"), STD_N_H},
    {DV_STR("Z070000"), STD_Z_HMS},
    {DV_STR("Z07:00:00"), STD_Z_COLON_HMS},
    {DV_STR("Z0700"), STD_Z_HM},
    {DV_STR("Z07:00"), STD_Z_COLON_HM},
    {DV_STR("Z07"), STD_Z_H},
};

static bool starts_small(dv_str s)
{
    return s.n && s.p[0] >= 'a' && s.p[0] <= 'z';
}

/* "Jan" and "Mon" count unless a small letter follows. */
static dv_std short_name(dv_str s)
{
    if (starts_small(dv_str_skip(s, 3)))
        return STD_NONE;
    if (dv_str_starts(s, DV_STR("Jan")))
        return STD_MONTH;
    return dv_str_starts(s, DV_STR("Mon")) ? STD_WEEKDAY : STD_NONE;
}

/* ".000" or ",999", with no digit behind; its length, or 0. */
static size_t fraction(dv_str s, dv_chunk *chunk)
{
    size_t n = 1;

    if (s.n < 2 || (s.p[0] != '.' && s.p[0] != ',') || (s.p[1] != '0' && s.p[1] != '9'))
        return 0;
    while (n < s.n && s.p[n] == s.p[1])
        n++;
    if (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        return 0;
    chunk->type = s.p[1] == '0' ? STD_FRACTION0 : STD_FRACTION9;
    chunk->digits = (int)n - 1;
    chunk->mark = s.p[0];
    return n;
}

/* An element at the start of s; its length, or 0. */
static size_t element(dv_str s, dv_chunk *chunk)
{
    /* "_2006" is an underscore and the year. */
    if (dv_str_starts(s, DV_STR("_2006")))
        return 0;
    for (size_t i = 0; i < DV_LEN(elements); i++)
        if (dv_str_starts(s, elements[i].text)) {
            chunk->type = elements[i].type;
            return elements[i].text.n;
        }
    chunk->type = short_name(s);
    return chunk->type ? 3 : fraction(s, chunk);
}

dv_chunk dv_layout_next(dv_str layout)
{
    dv_chunk chunk = {.prefix = layout};

    for (size_t i = 0; i < layout.n; i++) {
        dv_str here = dv_str_skip(layout, i);
        size_t n = element(here, &chunk);

        if (!n)
            continue;
        chunk.prefix = dv_str_head(layout, i);
        chunk.text = dv_str_head(here, n);
        chunk.rest = dv_str_skip(here, n);
        return chunk;
    }
    return chunk;
}

/* ---- Writing ---- */

static int hour12(int hour)
{
    return hour % 12 ? hour % 12 : 12;
}

static void add_year(dv_buf *out, int64_t year)
{
    if (year < 0)
        dv_buf_addf(out, "-%04lld", (long long)-year);
    else
        dv_buf_addf(out, "%04lld", (long long)year);
}

static void add_offset(dv_buf *out, int offset, dv_std type)
{
    bool colon = type == STD_Z_COLON_HM || type == STD_N_COLON_HM || type == STD_Z_COLON_HMS ||
                 type == STD_N_COLON_HMS;
    bool seconds = type == STD_Z_HMS || type == STD_N_HMS || type == STD_Z_COLON_HMS ||
                   type == STD_N_COLON_HMS;
    bool brief = type == STD_Z_H || type == STD_N_H, negative = offset / 60 < 0;
    int size = negative ? -offset : offset;

    if (offset == 0 && type <= STD_Z_COLON_HMS) {
        dv_buf_addc(out, 'Z');
        return;
    }
    dv_buf_addf(out, "%c%02d", negative ? '-' : '+', size / 3600);
    if (!brief)
        dv_buf_addf(out, colon ? ":%02d" : "%02d", size / 60 % 60);
    if (seconds)
        dv_buf_addf(out, colon ? ":%02d" : "%02d", size % 60);
}

static void add_zone(dv_buf *out, const dv_moment *at)
{
    int minutes = at->offset / 60;

    if (at->zone[0])
        dv_buf_adds(out, at->zone);
    else
        dv_buf_addf(out, "%c%02d%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60,
                    abs(minutes) % 60);
}

static void add_fraction(dv_buf *out, int32_t nsec, const dv_chunk *chunk)
{
    char digits[16];
    int n = DV_MIN(chunk->digits, 9);

    snprintf(digits, sizeof(digits), "%09d", nsec);
    if (chunk->type == STD_FRACTION9) {
        while (n > 0 && digits[n - 1] == '0')
            n--;
        if (n == 0)
            return;
    }
    dv_buf_addf(out, "%c%.*s", chunk->mark, n, digits);
}

static void add_element(dv_buf *out, const dv_moment *at, const dv_calendar *c,
                        const dv_chunk *chunk)
{
    switch (chunk->type) {
    case STD_LONG_MONTH:
        dv_buf_adds(out, dv_month_names[c->month - 1]);
        break;
    case STD_MONTH:
        dv_buf_add(out, dv_month_names[c->month - 1], 3);
        break;
    case STD_LONG_WEEKDAY:
        dv_buf_adds(out, dv_weekday_names[c->weekday]);
        break;
    case STD_WEEKDAY:
        dv_buf_add(out, dv_weekday_names[c->weekday], 3);
        break;
    case STD_LONG_YEAR:
        add_year(out, c->year);
        break;
    case STD_YEAR:
        dv_buf_addf(out, "%02d", (int)((c->year < 0 ? -c->year : c->year) % 100));
        break;
    case STD_PM:
        dv_buf_adds(out, c->hour >= 12 ? "PM" : "AM");
        break;
    case STD_SMALL_PM:
        dv_buf_adds(out, c->hour >= 12 ? "pm" : "am");
        break;
    case STD_ZONE:
        add_zone(out, at);
        break;
    case STD_FRACTION0:
    case STD_FRACTION9:
        add_fraction(out, at->nsec, chunk);
        break;
    default:
        add_offset(out, at->offset, chunk->type);
    }
}

/* The elements that are numbers; false: it is another. */
static bool add_number(dv_buf *out, const dv_calendar *c, dv_std type)
{
    const struct {
        dv_std type;
        int value, width;
        char pad;
    } numbers[] = {
        {STD_NUM_MONTH, c->month, 0, '0'},
        {STD_ZERO_MONTH, c->month, 2, '0'},
        {STD_DAY, c->day, 0, '0'},
        {STD_UNDER_DAY, c->day, 2, ' '},
        {STD_ZERO_DAY, c->day, 2, '0'},
        {STD_UNDER_YDAY, c->yday, 3, ' '},
        {STD_ZERO_YDAY, c->yday, 3, '0'},
        {STD_HOUR, c->hour, 2, '0'},
        {STD_HOUR12, hour12(c->hour), 0, '0'},
        {STD_ZERO_HOUR12, hour12(c->hour), 2, '0'},
        {STD_MINUTE, c->minute, 0, '0'},
        {STD_ZERO_MINUTE, c->minute, 2, '0'},
        {STD_SECOND, c->second, 0, '0'},
        {STD_ZERO_SECOND, c->second, 2, '0'},
    };

    for (size_t i = 0; i < DV_LEN(numbers); i++) {
        if (numbers[i].type != type)
            continue;
        dv_buf_addf(out, numbers[i].pad == ' ' ? "%*d" : "%0*d", numbers[i].width,
                    numbers[i].value);
        return true;
    }
    return false;
}

void dv_moment_format(dv_buf *out, const dv_moment *at, dv_str layout)
{
    dv_calendar c = dv_moment_calendar(at);

    while (layout.n && !out->overflow) {
        dv_chunk chunk = dv_layout_next(layout);

        dv_buf_add_str(out, chunk.prefix);
        if (!chunk.type)
            return;
        if (!add_number(out, &c, chunk.type))
            add_element(out, at, &c, &chunk);
        layout = chunk.rest;
    }
}
