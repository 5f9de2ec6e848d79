/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <float.h>
#include <math.h>

enum { TEXT_BYTES = 40 };

/* Both kinds of number behind one face. */
typedef struct {
    int always_enough, mostly_enough; /* digits: for any number, and for any that has so few */
    double least_normal;
    bool (*is)(const char *text, double value);
} precision;

static bool is_double(const char *text, double value)
{
    return strtod(text, NULL) == value;
}

static bool is_float(const char *text, double value)
{
    return strtof(text, NULL) == (float)value;
}

/* "d.ddde±xx" without the dot, its exponent moved to *ret_point. */
static void split(const char *text, char digits[DV_DECIMAL_DIGITS], int *ret_point)
{
    int n = 0;

    for (; *text && *text != 'e'; text++)
        if (*text != '.')
            digits[n++] = *text;
    digits[n] = '\0';
    *ret_point = (int)strtol(text + 1, NULL, 10) + 1;
}

/* The next number up with as many digits. */
static void step_up(char *digits, int *point)
{
    int i = (int)strlen(digits) - 1;

    while (i >= 0 && digits[i] == '9')
        digits[i--] = '0';
    if (i >= 0) {
        digits[i]++;
    } else {
        digits[0] = '1'; /* "999" became "000" */
        ++*point;
    }
}

static bool fits(const precision *p, const dv_decimal *d, double value)
{
    char text[TEXT_BYTES];

    snprintf(text, sizeof(text), "0.%se%d", d->digits, d->point);
    return p->is(text, value);
}

/*
 * The nearest number with so many digits may miss where the one above hits: below a power of two
 * neighbours are twice as close.
 */
static bool try_digits(const precision *p, double value, int n, dv_decimal *d)
{
    char text[TEXT_BYTES];

    snprintf(text, sizeof(text), "%.*e", n - 1, value);
    split(text, d->digits, &d->point);
    if (fits(p, d, value))
        return true;
    step_up(d->digits, &d->point);
    return fits(p, d, value);
}

static dv_decimal shortest(const precision *p, double value)
{
    dv_decimal d = {.negative = signbit(value)};
    double size = fabs(value);
    /* A normal number has all of its "mostly enough" digits; the tiniest have fewer. */
    int n = size < p->least_normal ? 1 : p->mostly_enough;

    if (size == 0)
        return d;
    while (n < p->always_enough && !try_digits(p, size, n, &d))
        n++;
    if (n == p->always_enough) {
        char text[TEXT_BYTES];

        snprintf(text, sizeof(text), "%.*e", n - 1, size);
        split(text, d.digits, &d.point);
    }
    d.n = (int)strlen(d.digits);
    while (d.n > 1 && d.digits[d.n - 1] == '0')
        d.digits[--d.n] = '\0';
    return d;
}

dv_decimal dv_decimal_of(double value)
{
    static const precision p = {DBL_DECIMAL_DIG, DBL_DIG, DBL_MIN, is_double};

    return shortest(&p, value);
}

dv_decimal dv_decimal_of_float(float value)
{
    static const precision p = {FLT_DECIMAL_DIG, FLT_DIG, (double)FLT_MIN, is_float};

    return shortest(&p, (double)value);
}

bool dv_decimal_is_whole(const dv_decimal *decimal)
{
    return decimal->n <= decimal->point || decimal->n == 0;
}

void dv_decimal_add_plain(dv_buf *out, const dv_decimal *decimal)
{
    int n = decimal->n, point = decimal->point, before = DV_MIN(DV_MAX(point, 0), n);

    if (decimal->negative)
        dv_buf_addc(out, '-');
    if (point <= 0 || !n)
        dv_buf_addc(out, '0');
    dv_buf_add(out, decimal->digits, (size_t)before);
    if (point > n && n)
        dv_buf_fill(out, '0', (size_t)(point - n));
    if (before == n)
        return;
    dv_buf_addc(out, '.');
    if (point < 0)
        dv_buf_fill(out, '0', (size_t)-point);
    dv_buf_add(out, decimal->digits + before, (size_t)(n - before));
}

void dv_decimal_add_general(dv_buf *out, const dv_decimal *decimal, int exponent_from)
{
    int exponent = decimal->point - 1;

    if (!decimal->n || (exponent >= -4 && exponent < exponent_from)) {
        dv_decimal_add_plain(out, decimal);
        return;
    }
    dv_buf_addf(out, "%s%c", decimal->negative ? "-" : "", decimal->digits[0]);
    if (decimal->n > 1)
        dv_buf_addf(out, ".%s", decimal->digits + 1);
    dv_buf_addf(out, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}
