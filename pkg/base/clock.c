/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#define NS_PER_MS ((int64_t)1000 * 1000)
#define US_PER_S ((int64_t)1000 * 1000)
#define SECONDS_PER_DAY 86400

/* ---- Clocks ---- */

static int64_t read_us(clockid_t id)
{
    struct timespec now;

    DV_ASSERT(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

static int64_t real_mono_ms(const dv_clock *clock DV_UNUSED)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

static int64_t real_unix_us(const dv_clock *clock DV_UNUSED)
{
    return read_us(CLOCK_REALTIME);
}

static int64_t real_boot_ms(const dv_clock *clock DV_UNUSED)
{
    return read_us(CLOCK_BOOTTIME) / 1000;
}

const dv_clock *dv_clock_real(void)
{
    static const dv_clock real = {real_mono_ms, real_unix_us, real_boot_ms};

    return &real;
}

/* A fake's monotonic time does not begin at 0, which as a deadline means "none". */
enum { FAKE_START_MS = 1000 };

static int64_t fake_mono_ms(const dv_clock *clock)
{
    return ((const dv_fake_clock *)clock)->now_ms;
}

static int64_t fake_unix_us(const dv_clock *clock)
{
    const dv_fake_clock *fake = (const dv_fake_clock *)clock;

    return fake->unix_base_us + fake->now_ms * 1000;
}

void dv_fake_clock_init(dv_fake_clock *fake, int64_t unix_base_ms)
{
    fake->clock = (dv_clock){fake_mono_ms, fake_unix_us, fake_mono_ms};
    fake->now_ms = FAKE_START_MS;
    fake->unix_base_us = (unix_base_ms - FAKE_START_MS) * 1000;
}

void dv_fake_clock_advance(dv_fake_clock *fake, int64_t ms)
{
    fake->now_ms += ms;
}

/* ---- RFC 3339 ---- */

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, by counting from a 1st of
 * March. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

typedef struct {
    int64_t year;
    int month, day;
} date;

/* The inverse. */
static date date_of(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, d = z - era * 146097;
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int day_of_year = (int)(d - (365 * y + y / 4 - y / 100)), shifted = (5 * day_of_year + 2) / 153;
    int month = shifted < 10 ? shifted + 3 : shifted - 9;

    return (date){y + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Appends the date and time to seconds, without the zone. */
static void add_seconds(dv_buf *out, int64_t unix_s)
{
    int64_t days = floor_div(unix_s, SECONDS_PER_DAY);
    int rest = (int)(unix_s - days * SECONDS_PER_DAY);
    date d = date_of(days);

    dv_buf_addf(out, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)d.year, d.month, d.day,
                rest / 3600, rest / 60 % 60, rest % 60);
}

void dv_time_add(dv_buf *out, int64_t unix_ms)
{
    add_seconds(out, floor_div(unix_ms, 1000));
    dv_buf_addc(out, 'Z');
}

void dv_time_add_micro(dv_buf *out, int64_t unix_us)
{
    int64_t s = floor_div(unix_us, US_PER_S);

    add_seconds(out, s);
    dv_buf_addf(out, ".%06dZ", (int)(unix_us - s * US_PER_S));
}

/* Reads exactly `digits` digits off the front; -1 where there are fewer. */
static int take_digits(dv_str *s, size_t digits)
{
    int value = 0;

    if (s->n < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return -1;
        value = value * 10 + (s->p[i] - '0');
    }
    *s = dv_str_skip(*s, digits);
    return value;
}

static bool take_char(dv_str *s, char upper)
{
    if (!s->n || (s->p[0] != upper && !(upper >= 'A' && s->p[0] == (upper | 0x20))))
        return false;
    *s = dv_str_skip(*s, 1);
    return true;
}

/* A two-digit number in [low, high], then (unless 0) a separator. */
static bool take_part(dv_str *s, int low, int high, char separator, int *ret_value)
{
    *ret_value = take_digits(s, 2);
    return *ret_value >= low && *ret_value <= high && (!separator || take_char(s, separator));
}

static int days_in_month(int64_t year, int month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (month == 2)
        return leap ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* ".123": digits past the sixth are cut off. */
static bool take_fraction(dv_str *s, int64_t *ret_us)
{
    int64_t scale = US_PER_S / 10;

    *ret_us = 0;
    if (!take_char(s, '.'))
        return true;
    if (!s->n || s->p[0] < '0' || s->p[0] > '9')
        return false;
    for (int digit; s->n && (digit = take_digits(s, 1)) >= 0; scale /= 10)
        *ret_us += digit * scale;
    return true;
}

static bool take_zone(dv_str *s, int64_t *ret_offset_s)
{
    int hours, minutes;

    *ret_offset_s = 0;
    if (take_char(s, 'Z'))
        return true;
    bool west = s->n && s->p[0] == '-';
    if (!west && !(s->n && s->p[0] == '+'))
        return false;
    *s = dv_str_skip(*s, 1);
    if (!take_part(s, 0, 23, ':', &hours) || !take_part(s, 0, 59, 0, &minutes))
        return false;
    *ret_offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool parse_time(dv_str s, int64_t *ret_unix_us)
{
    int year, month, day, hour, minute, second;
    int64_t us, offset_s;

    year = take_digits(&s, 4);
    if (year < 0 || !take_char(&s, '-') || !take_part(&s, 1, 12, '-', &month) ||
        !take_part(&s, 1, days_in_month(year, month), 'T', &day) ||
        !take_part(&s, 0, 23, ':', &hour) || !take_part(&s, 0, 59, ':', &minute) ||
        !take_part(&s, 0, 59, 0, &second) || !take_fraction(&s, &us) || !take_zone(&s, &offset_s) ||
        s.n)
        return false;
    int64_t seconds =
        days_of(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset_s;
    *ret_unix_us = seconds * US_PER_S + us;
    return true;
}

dv_err *dv_time_parse(dv_str text, int64_t *ret_unix_us)
{
    if (!parse_time(text, ret_unix_us))
        return dv_err_new(DV_INVALID, "BadTime", "\"%.*s\" is not an RFC 3339 time",
                          DV_FMT(dv_str_head(text, 64)));
    return NULL;
}

/* ---- Go durations ---- */

#define DURATION_MAX_NS ((int64_t)100 * 366 * SECONDS_PER_DAY * 1000 * NS_PER_MS)
enum { FRACTION_DIGITS_MAX = 15 }; /* more can't change a nanosecond count */

static const struct {
    dv_str name;
    int64_t ns;
} units[] = {
    {{"ns", 2}, 1},
    {{"us", 2}, 1000},
    {{"\xc2\xb5s", 3}, 1000}, /* U+00B5, micro sign */
    {{"\xce\xbcs", 3}, 1000}, /* U+03BC, Greek mu */
    {{"ms", 2}, NS_PER_MS},
    {{"s", 1}, 1000 * NS_PER_MS},
    {{"m", 1}, 60 * 1000 * NS_PER_MS},
    {{"h", 1}, 3600 * 1000 * NS_PER_MS},
};

/* The unit runs to the next digit or dot; 0: unknown. */
static int64_t take_unit(dv_str *s)
{
    size_t n = 0;

    while (n < s->n && s->p[n] != '.' && (s->p[n] < '0' || s->p[n] > '9'))
        n++;
    dv_str name = dv_str_head(*s, n);
    *s = dv_str_skip(*s, n);
    for (size_t i = 0; i < DV_LEN(units); i++)
        if (dv_str_eq(units[i].name, name))
            return units[i].ns;
    return 0;
}

/* One "12.5m". */
static bool take_term(dv_str *s, int64_t *total_ns)
{
    int64_t whole = 0, fraction = 0, scale = 1, ns;
    size_t digits = 0;

    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; digits++, *s = dv_str_skip(*s, 1))
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, s->p[0] - '0', &whole))
            return false;
    if (take_char(s, '.')) {
        size_t at = 0;

        for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; digits++, at++, *s = dv_str_skip(*s, 1)) {
            if (at >= FRACTION_DIGITS_MAX)
                continue;
            fraction = fraction * 10 + (s->p[0] - '0');
            scale *= 10;
        }
    }
    int64_t unit = digits ? take_unit(s) : 0;
    if (!unit || __builtin_mul_overflow(whole, unit, &ns))
        return false;
    ns += (int64_t)((__int128)fraction * unit / scale);
    *total_ns += ns;
    return ns <= DURATION_MAX_NS && *total_ns <= DURATION_MAX_NS;
}

static bool parse_duration(dv_str s, int64_t *ret_ns)
{
    *ret_ns = 0;
    take_char(&s, '+');
    if (dv_str_is(s, "0"))
        return true;
    if (!s.n)
        return false;
    while (s.n)
        if (!take_term(&s, ret_ns))
            return false;
    return true;
}

dv_err *dv_duration_parse(dv_str text, int64_t *ret_ms)
{
    int64_t ns;

    if (!parse_duration(text, &ns))
        return dv_err_new(DV_INVALID, "BadDuration", "\"%.*s\" is not a duration",
                          DV_FMT(dv_str_head(text, 64)));
    *ret_ms = ns / NS_PER_MS;
    return NULL;
}

/* Appends ".5" of 500 thousandths, nothing of 0. */
static void add_thousandths(dv_buf *out, int thousandths)
{
    if (!thousandths)
        return;
    dv_buf_addf(out, ".%03d", thousandths);
    while (out->n && dv_buf_cstr(out)[out->n - 1] == '0')
        dv_buf_cut(out, out->n - 1);
}

void dv_duration_add(dv_buf *out, int64_t ms)
{
    uint64_t u = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    unsigned long long minutes = u / 60000, hours = minutes / 60;

    if (ms < 0)
        dv_buf_addc(out, '-');
    if (u > 0 && u < 1000) {
        dv_buf_addf(out, "%dms", (int)u);
        return;
    }
    if (hours)
        dv_buf_addf(out, "%lluh", hours);
    if (minutes)
        dv_buf_addf(out, "%llum", minutes % 60);
    dv_buf_addf(out, "%d", (int)(u / 1000 % 60));
    add_thousandths(out, (int)(u % 1000));
    dv_buf_addc(out, 's');
}
