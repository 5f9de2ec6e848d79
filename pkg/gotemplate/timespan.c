/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, as Go reads and writes them. */
#include "gotemplate/time_internal.h"

#define NS_MAX ((uint64_t)INT64_MAX + 1)

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

static bool fail(dv_buf *fault, dv_str text, const char *what, dv_str unit)
{
    dv_buf_addf(fault, "time: %s", what);
    if (unit.p) {
        quote(fault, unit);
        dv_buf_adds(fault, " in duration ");
    }
    quote(fault, text);
    return false;
}

static uint64_t unit_ns(dv_str unit)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"ns", 1},
        {"us", 1000},
        {"\xc2\xb5s", 1000},
        {"\xce\xbcs", 1000},
        {"ms", 1000000},
        {"s", 1000000000},
        {"m", UINT64_C(60) * 1000000000},
        {"h", UINT64_C(3600) * 1000000000},
    };

    for (size_t i = 0; i < DV_LEN(units); i++)
        if (dv_str_is(unit, units[i].name))
            return units[i].ns;
    return 0;
}

/* Digits off the front of *s; false: past the largest duration. */
static bool take_whole(dv_str *s, uint64_t *ret)
{
    *ret = 0;
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        if (*ret > NS_MAX / 10)
            return false;
        *ret = *ret * 10 + (uint64_t)(s->p[0] - '0');
        if (*ret > NS_MAX)
            return false;
        *s = dv_str_skip(*s, 1);
    }
    return true;
}

/* Digits behind a point, as far as they fit: *ret of *ret_scale. */
static void take_fraction(dv_str *s, uint64_t *ret, double *ret_scale)
{
    bool full = false;

    *ret = 0;
    *ret_scale = 1;
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = dv_str_skip(*s, 1)) {
        if (full)
            continue;
        uint64_t next =
            *ret > (NS_MAX - 1) / 10 ? NS_MAX + 1 : *ret * 10 + (uint64_t)(s->p[0] - '0');
        full = next > NS_MAX;
        if (full)
            continue;
        *ret = next;
        *ret_scale *= 10;
    }
}

static bool take_part(dv_str *s, dv_str text, uint64_t *total, dv_buf *fault)
{
    static const char *const invalid = "invalid duration ";
    const dv_str none = {NULL, 0};
    uint64_t whole, fraction = 0;
    double scale = 1;
    size_t digits = s->n, unit = 0;

    if (!(s->p[0] == '.' || (s->p[0] >= '0' && s->p[0] <= '9')) || !take_whole(s, &whole))
        return fail(fault, text, invalid, none);
    digits -= s->n;
    if (s->n && s->p[0] == '.') {
        *s = dv_str_skip(*s, 1);
        size_t before = s->n;
        take_fraction(s, &fraction, &scale);
        digits += before - s->n;
    }
    if (!digits)
        return fail(fault, text, invalid, none);
    while (unit < s->n && s->p[unit] != '.' && !(s->p[unit] >= '0' && s->p[unit] <= '9'))
        unit++;
    if (!unit)
        return fail(fault, text, "missing unit in duration ", none);
    uint64_t ns = unit_ns(dv_str_head(*s, unit));
    if (!ns)
        return fail(fault, text, "unknown unit ", dv_str_head(*s, unit));
    *s = dv_str_skip(*s, unit);
    if (whole > NS_MAX / ns)
        return fail(fault, text, invalid, none);
    whole *= ns;
    if (fraction)
        whole += (uint64_t)((double)fraction * ((double)ns / scale));
    if (whole > NS_MAX || *total + whole > NS_MAX)
        return fail(fault, text, invalid, none);
    *total += whole;
    return true;
}

bool dv_span_parse(dv_str text, int64_t *ret_ns, dv_buf *fault)
{
    const dv_str none = {NULL, 0};
    dv_str s = text;
    bool negative = s.n && s.p[0] == '-';
    uint64_t total = 0;

    *ret_ns = 0;
    if (s.n && (negative || s.p[0] == '+'))
        s = dv_str_skip(s, 1);
    if (dv_str_is(s, "0"))
        return true;
    if (!s.n)
        return fail(fault, text, "invalid duration ", none);
    while (s.n)
        if (!take_part(&s, text, &total, fault))
            return false;
    if (!negative && total > (uint64_t)INT64_MAX)
        return fail(fault, text, "invalid duration ", none);
    *ret_ns = (int64_t)(negative ? 0 - total : total);
    return true;
}

/* A number of units with up to `places` digits behind the point, without zeros at the end. */
static void add_decimal(dv_buf *out, uint64_t value, int places, const char *unit)
{
    uint64_t power = 1;
    char digits[24];

    for (int i = 0; i < places; i++)
        power *= 10;
    dv_buf_addf(out, "%llu", (unsigned long long)(value / power));
    int n = snprintf(digits, sizeof(digits), "%0*llu", places, (unsigned long long)(value % power));
    while (n > 0 && digits[n - 1] == '0')
        n--;
    if (places && n > 0)
        dv_buf_addf(out, ".%.*s", n, digits);
    dv_buf_adds(out, unit);
}

void dv_span_add(dv_buf *out, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, seconds = size / 1000000000;

    if (ns < 0)
        dv_buf_addc(out, '-');
    if (size == 0) {
        dv_buf_adds(out, "0s");
    } else if (size < 1000) {
        add_decimal(out, size, 0, "ns");
    } else if (size < 1000000) {
        add_decimal(out, size, 3, "\xc2\xb5s");
    } else if (seconds == 0) {
        add_decimal(out, size, 6, "ms");
    } else {
        if (seconds >= 3600)
            dv_buf_addf(out, "%lluh", (unsigned long long)(seconds / 3600));
        if (seconds >= 60)
            dv_buf_addf(out, "%llum", (unsigned long long)(seconds / 60 % 60));
        add_decimal(out, size - seconds / 60 * 60 * 1000000000, 9, "s");
    }
}
