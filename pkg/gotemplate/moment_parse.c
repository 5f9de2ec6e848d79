/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/time_internal.h"

#include <strings.h>

/* What was read so far; fault: out of its range, static. */
typedef struct {
    dv_str value;
    int64_t year;
    int month, day, yday, hour, minute, second;
    int32_t nsec;
    bool am, pm, utc, has_offset;
    int offset;
    dv_str zone;
    const char *range;
} reading;

static bool is_digit(dv_str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

static void take(reading *r, size_t n)
{
    r->value = dv_str_skip(r->value, n);
}

/* One or two digits; fixed: two. */
static bool take_number(reading *r, bool fixed, int *ret)
{
    if (!is_digit(r->value, 0) || (fixed && !is_digit(r->value, 1)))
        return false;
    *ret = r->value.p[0] - '0';
    take(r, 1);
    if (is_digit(r->value, 0)) {
        *ret = *ret * 10 + r->value.p[0] - '0';
        take(r, 1);
    }
    return true;
}

/* Up to three digits. */
static bool take_yday(reading *r, bool fixed)
{
    size_t n = 0;

    r->yday = 0;
    for (; n < 3 && is_digit(r->value, n); n++)
        r->yday = r->yday * 10 + r->value.p[n] - '0';
    if (n == 0 || (fixed && n != 3))
        return false;
    take(r, n);
    return true;
}

static bool take_name(reading *r, const char *const *list, int count, bool brief, int *ret)
{
    for (int i = 0; i < count; i++) {
        size_t n = brief ? 3 : strlen(list[i]);

        if (r->value.n >= n && strncasecmp(r->value.p, list[i], n) == 0) {
            *ret = i;
            take(r, n);
            return true;
        }
    }
    *ret = -1;
    return false;
}

/* The mark and digits of a fraction, n bytes in all. */
static bool take_fraction(reading *r, size_t n)
{
    int64_t value = 0;
    size_t digits = 0;

    if (r->value.n < n || (r->value.p[0] != '.' && r->value.p[0] != ','))
        return false;
    for (size_t i = 1; i < n; i++) {
        if (!is_digit(r->value, i))
            return false;
        if (digits == 9)
            continue;
        value = value * 10 + r->value.p[i] - '0';
        digits++;
    }
    for (; digits < 9; digits++)
        value *= 10;
    r->nsec = (int32_t)value;
    take(r, n);
    return true;
}

static bool is_fraction(dv_str s)
{
    return s.n >= 2 && (s.p[0] == '.' || s.p[0] == ',') && is_digit(s, 1);
}

static size_t fraction_length(dv_str s)
{
    size_t n = 2;

    while (is_digit(s, n))
        n++;
    return n;
}

/* A fraction may follow though the layout has none. */
static bool take_second(reading *r, bool fixed, dv_str layout)
{
    if (!take_number(r, fixed, &r->second))
        return false;
    if (r->second >= 60) {
        r->range = "second";
        return true;
    }
    if (!is_fraction(r->value))
        return true;
    dv_std next = dv_layout_next(layout).type;
    if (next == STD_FRACTION0 || next == STD_FRACTION9)
        return true;
    return take_fraction(r, fraction_length(r->value));
}

static bool take_half(reading *r, const char *before, const char *after)
{
    dv_str half = dv_str_head(r->value, 2);

    r->pm |= dv_str_is(half, after);
    r->am |= dv_str_is(half, before);
    if (!dv_str_is(half, before) && !dv_str_is(half, after))
        return false;
    take(r, 2);
    return true;
}

static bool take_two(reading *r, int *ret)
{
    if (!is_digit(r->value, 0) || !is_digit(r->value, 1))
        return false;
    *ret = (r->value.p[0] - '0') * 10 + r->value.p[1] - '0';
    take(r, 2);
    return true;
}

static bool take_colon(reading *r, bool wanted)
{
    if (!wanted)
        return true;
    if (!r->value.n || r->value.p[0] != ':')
        return false;
    take(r, 1);
    return true;
}

static bool take_offset(reading *r, dv_std type)
{
    bool colon = type == STD_Z_COLON_HM || type == STD_N_COLON_HM || type == STD_Z_COLON_HMS ||
                 type == STD_N_COLON_HMS;
    bool seconds = type == STD_Z_HMS || type == STD_N_HMS || type == STD_Z_COLON_HMS ||
                   type == STD_N_COLON_HMS;
    bool brief = type == STD_Z_H || type == STD_N_H;
    int hours = 0, minutes = 0, secs = 0;
    char sign = r->value.n ? r->value.p[0] : '\0';

    if (type <= STD_Z_COLON_HMS && sign == 'Z') {
        r->utc = true;
        take(r, 1);
        return true;
    }
    take(r, 1);
    if ((sign != '+' && sign != '-') || !take_two(r, &hours) ||
        (!brief && (!take_colon(r, colon) || !take_two(r, &minutes))) ||
        (seconds && (!take_colon(r, colon) || !take_two(r, &secs))))
        return false;
    r->range = secs > 60      ? "time zone offset second"
               : minutes > 60 ? "time zone offset minute"
               : hours > 24   ? "time zone offset hour"
                              : r->range;
    r->offset = ((hours * 60 + minutes) * 60 + secs) * (sign == '-' ? -1 : 1);
    r->has_offset = r->offset != -1;
    return true;
}

/* "+05" in place of a name: at most 23 hours. */
static size_t signed_offset(dv_str s)
{
    size_t n = 1;
    int value = 0;

    if (!s.n || (s.p[0] != '+' && s.p[0] != '-'))
        return 0;
    for (; is_digit(s, n); n++)
        value = DV_MIN(value * 10 + s.p[n] - '0', 1000);
    return n == 1 || value > 23 ? 0 : n;
}

/* Bytes of what looks like a zone's name. */
static size_t zone_length(dv_str s)
{
    size_t upper = 0;

    if (s.n < 3)
        return 0;
    if (dv_str_starts(s, DV_STR("ChST")) || dv_str_starts(s, DV_STR("MeST")))
        return 4;
    if (dv_str_starts(s, DV_STR("GMT")))
        return 3 + signed_offset(dv_str_skip(s, 3));
    if (s.p[0] == '+' || s.p[0] == '-')
        return signed_offset(s);
    while (upper < 6 && upper < s.n && s.p[upper] >= 'A' && s.p[upper] <= 'Z')
        upper++;
    if (upper == 5)
        return s.p[4] == 'T' ? 5 : 0;
    if (upper == 4)
        return s.p[3] == 'T' || dv_str_starts(s, DV_STR("WITA")) ? 4 : 0;
    return upper == 3 ? 3 : 0;
}

static bool take_zone(reading *r)
{
    size_t n = dv_str_starts(r->value, DV_STR("UTC")) ? 3 : zone_length(r->value);

    if (dv_str_starts(r->value, DV_STR("UTC")))
        r->utc = true;
    else
        r->zone = dv_str_head(r->value, n);
    take(r, n);
    return n > 0;
}

static bool take_year(reading *r, size_t digits)
{
    int64_t year = 0;

    if (r->value.n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(r->value, i))
            return false;
        year = year * 10 + r->value.p[i] - '0';
    }
    take(r, digits);
    if (digits == 2)
        year += year >= 69 ? 1900 : 2000;
    r->year = year;
    return true;
}

static void check_range(reading *r, int value, int low, int high, const char *what)
{
    if (value < low || value > high)
        r->range = what;
}

static void skip_blanks(reading *r, int most)
{
    for (int i = 0; i < most && r->value.n && r->value.p[0] == ' '; i++)
        take(r, 1);
}

/* Hours, minutes, seconds. */
static bool take_clock(reading *r, const dv_chunk *chunk)
{
    bool ok;

    switch (chunk->type) {
    case STD_HOUR:
        ok = take_number(r, false, &r->hour);
        check_range(r, r->hour, 0, 23, "hour");
        return ok;
    case STD_HOUR12:
    case STD_ZERO_HOUR12:
        ok = take_number(r, chunk->type == STD_ZERO_HOUR12, &r->hour);
        check_range(r, r->hour, 0, 12, "hour");
        return ok;
    case STD_MINUTE:
    case STD_ZERO_MINUTE:
        ok = take_number(r, chunk->type == STD_ZERO_MINUTE, &r->minute);
        check_range(r, r->minute, 0, 59, "minute");
        return ok;
    default:
        return take_second(r, chunk->type == STD_ZERO_SECOND, chunk->rest);
    }
}

/* False: the value does not fit the element. */
static bool take_element(reading *r, const dv_chunk *chunk)
{
    int ignored;
    bool ok;

    switch (chunk->type) {
    case STD_YEAR:
        return take_year(r, 2);
    case STD_LONG_YEAR:
        return take_year(r, 4);
    case STD_MONTH:
    case STD_LONG_MONTH:
        ok = take_name(r, dv_month_names, 12, chunk->type == STD_MONTH, &r->month);
        r->month++;
        return ok;
    case STD_NUM_MONTH:
    case STD_ZERO_MONTH:
        if (!take_number(r, chunk->type == STD_ZERO_MONTH, &r->month))
            return false;
        check_range(r, r->month, 1, 12, "month");
        return true;
    case STD_WEEKDAY:
    case STD_LONG_WEEKDAY:
        return take_name(r, dv_weekday_names, 7, chunk->type == STD_WEEKDAY, &ignored);
    case STD_DAY:
    case STD_UNDER_DAY:
    case STD_ZERO_DAY:
        skip_blanks(r, chunk->type == STD_UNDER_DAY ? 1 : 0);
        return take_number(r, chunk->type == STD_ZERO_DAY, &r->day);
    case STD_UNDER_YDAY:
    case STD_ZERO_YDAY:
        skip_blanks(r, chunk->type == STD_UNDER_YDAY ? 2 : 0);
        return take_yday(r, chunk->type == STD_ZERO_YDAY);
    case STD_PM:
        return take_half(r, "AM", "PM");
    case STD_SMALL_PM:
        return take_half(r, "am", "pm");
    case STD_ZONE:
        return take_zone(r);
    case STD_FRACTION0:
        return take_fraction(r, (size_t)chunk->digits + 1);
    case STD_FRACTION9:
        return !is_fraction(r->value) || take_fraction(r, fraction_length(r->value));
    case STD_HOUR:
    case STD_HOUR12:
    case STD_ZERO_HOUR12:
    case STD_MINUTE:
    case STD_ZERO_MINUTE:
    case STD_SECOND:
    case STD_ZERO_SECOND:
        return take_clock(r, chunk);
    default:
        return take_offset(r, chunk->type);
    }
}

/* Text between elements; a blank stands for any number of them. */
static bool take_prefix(reading *r, dv_str prefix)
{
    while (prefix.n) {
        if (prefix.p[0] == ' ') {
            if (r->value.n && r->value.p[0] != ' ')
                return false;
            while (prefix.n && prefix.p[0] == ' ')
                prefix = dv_str_skip(prefix, 1);
            while (r->value.n && r->value.p[0] == ' ')
                take(r, 1);
            continue;
        }
        if (!r->value.n || r->value.p[0] != prefix.p[0])
            return false;
        take(r, 1);
        prefix = dv_str_skip(prefix, 1);
    }
    return true;
}

/* ---- Faults ---- */

static void quote(dv_buf *out, dv_str s)
{
    dv_buf_addc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x80 || c < ' ')
            dv_buf_addf(out, "\\x%02x", c);
        else
            dv_buf_addf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    dv_buf_addc(out, '"');
}

static bool fail_at(dv_buf *fault, dv_str layout, dv_str text, dv_str element, dv_str at)
{
    dv_buf_adds(fault, "parsing time ");
    quote(fault, text);
    dv_buf_adds(fault, " as ");
    quote(fault, layout);
    dv_buf_adds(fault, ": cannot parse ");
    quote(fault, at);
    dv_buf_adds(fault, " as ");
    quote(fault, element);
    return false;
}

static bool fail(dv_buf *fault, dv_str text, const char *what)
{
    dv_buf_adds(fault, "parsing time ");
    quote(fault, text);
    dv_buf_addf(fault, ": %s", what);
    return false;
}

static bool fail_range(dv_buf *fault, dv_str text, const char *what)
{
    fail(fault, text, what);
    dv_buf_adds(fault, " out of range");
    return false;
}

/* ---- Putting together ---- */

/* The day of the year as month and day, which must agree with those that were read. */
static const char *settle_yday(reading *r)
{
    int month = 1, day = r->yday, most = dv_days_in_month(r->year, 2) == 29 ? 366 : 365;

    if (day < 1 || day > most)
        return "day-of-year out of range";
    while (day > dv_days_in_month(r->year, month))
        day -= dv_days_in_month(r->year, month++);
    if (r->month >= 0 && r->month != month)
        return "day-of-year does not match month";
    if (r->day >= 0 && r->day != day)
        return "day-of-year does not match day";
    r->month = month;
    r->day = day;
    return NULL;
}

static dv_moment make_moment(const reading *r)
{
    int64_t days = dv_days_of(r->year, r->month, r->day);
    dv_moment at =
        dv_moment_utc(((days * 24 + r->hour) * 60 + r->minute) * 60 + r->second, r->nsec);
    bool named = r->zone.n > 0;

    if (r->utc || (!r->has_offset && !named))
        return at;
    if (r->has_offset) {
        at.sec -= r->offset;
        if (r->offset == 0 && !named)
            return at;
        at.offset = r->offset;
    } else if (r->zone.n > 3 && dv_str_starts(r->zone, DV_STR("GMT"))) {
        at.offset = (int32_t)strtol(r->zone.p + 3, NULL, 10) * 3600;
    }
    snprintf(at.zone, sizeof(at.zone), "%.*s", DV_FMT(r->zone));
    return at;
}

bool dv_moment_parse(dv_str layout, dv_str text, dv_moment *ret, dv_buf *fault)
{
    reading r = {.value = text, .month = -1, .day = -1, .yday = -1};

    for (dv_str rest = layout;;) {
        dv_chunk chunk = dv_layout_next(rest);

        if (!take_prefix(&r, chunk.prefix))
            return fail_at(fault, layout, text, chunk.prefix, r.value);
        if (!chunk.type)
            break;
        dv_str before = r.value;
        bool ok = take_element(&r, &chunk);
        if (r.range)
            return fail_range(fault, text, r.range);
        if (!ok)
            return fail_at(fault, layout, text, chunk.text, before);
        rest = chunk.rest;
    }
    if (r.value.n) {
        fail(fault, text, "extra text: ");
        quote(fault, r.value);
        return false;
    }
    if (r.pm && r.hour < 12)
        r.hour += 12;
    else if (r.am && r.hour == 12)
        r.hour = 0;
    const char *what = r.yday >= 0 ? settle_yday(&r) : NULL;
    if (what)
        return fail(fault, text, what);
    r.month = r.month < 0 ? 1 : r.month;
    r.day = r.day < 0 ? 1 : r.day;
    if (r.day < 1 || r.day > dv_days_in_month(r.year, r.month))
        return fail_range(fault, text, "day");
    *ret = make_moment(&r);
    return true;
}
