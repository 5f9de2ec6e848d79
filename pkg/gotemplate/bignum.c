/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/bignum_internal.h"

#include "base/buf.h"
#include "base/decimal.h"

enum { DIVISION_PRECISION = 16 };

void dv_bignum_done(bignum *number)
{
    dv_vec_done(&number->digits);
}

static uint8_t digit(const bignum *n, size_t i)
{
    return i < n->digits.n ? n->digits.at[i] : 0;
}

static void trim(bignum *n)
{
    while (n->digits.n && !n->digits.at[n->digits.n - 1])
        n->digits.n--;
}

bool dv_bignum_is_zero(const bignum *number)
{
    return number->digits.n == 0;
}

bignum dv_bignum_of(double value)
{
    dv_decimal d = dv_decimal_of(value);
    bignum n = {.negative = d.negative, .exponent = d.point - d.n};

    for (int i = d.n; i-- > 0;)
        *dv_vec_push(&n.digits) = (uint8_t)(d.digits[i] - '0');
    if (!d.n)
        n = (bignum){.negative = false};
    return n;
}

/* The same value with an exponent that is lower by `places`. */
static bignum shifted(const bignum *n, int places)
{
    bignum out = {.negative = n->negative, .exponent = n->exponent - places};

    for (int i = 0; i < places && n->digits.n; i++)
        *dv_vec_push(&out.digits) = 0;
    for (size_t i = 0; i < n->digits.n; i++)
        *dv_vec_push(&out.digits) = n->digits.at[i];
    return out;
}

/* -1, 0, 1 by size; exponents are equal. */
static int cmp_size(const bignum *a, const bignum *b)
{
    if (a->digits.n != b->digits.n)
        return a->digits.n < b->digits.n ? -1 : 1;
    for (size_t i = a->digits.n; i-- > 0;)
        if (a->digits.at[i] != b->digits.at[i])
            return a->digits.at[i] < b->digits.at[i] ? -1 : 1;
    return 0;
}

/* Subtracts b's size from a's, which is not smaller. */
static void subtract(bignum *a, const bignum *b)
{
    int borrow = 0;

    for (size_t i = 0; i < a->digits.n; i++) {
        int d = a->digits.at[i] - digit(b, i) - borrow;

        borrow = d < 0;
        a->digits.at[i] = (uint8_t)(d + 10 * borrow);
    }
    trim(a);
}

static void add_size(bignum *a, const bignum *b)
{
    int carry = 0;

    for (size_t i = 0; i < DV_MAX(a->digits.n, b->digits.n) || carry; i++) {
        if (i == a->digits.n)
            dv_vec_push(&a->digits);
        int d = a->digits.at[i] + digit(b, i) + carry;
        carry = d >= 10;
        a->digits.at[i] = (uint8_t)(d - 10 * carry);
    }
}

bignum dv_bignum_add(const bignum *a, const bignum *b)
{
    int exponent = DV_MIN(a->exponent, b->exponent);
    bignum x = shifted(a, a->exponent - exponent), y = shifted(b, b->exponent - exponent);

    x.exponent = exponent;
    if (x.negative == y.negative) {
        add_size(&x, &y);
    } else if (cmp_size(&x, &y) >= 0) {
        subtract(&x, &y);
    } else {
        bignum swap = x;

        subtract(&y, &x);
        x = y;
        y = swap;
        x.exponent = exponent;
    }
    dv_bignum_done(&y);
    return x;
}

bignum dv_bignum_mul(const bignum *a, const bignum *b)
{
    bignum out = {.negative = a->negative != b->negative, .exponent = a->exponent + b->exponent};

    for (size_t i = 0; i < a->digits.n + b->digits.n; i++)
        dv_vec_push(&out.digits);
    for (size_t i = 0; i < a->digits.n; i++) {
        int carry = 0;

        for (size_t k = 0; k < b->digits.n || carry; k++) {
            int d = out.digits.at[i + k] + a->digits.at[i] * digit(b, k) + carry;

            carry = d / 10;
            out.digits.at[i + k] = (uint8_t)(d % 10);
        }
    }
    trim(&out);
    return out;
}

/* Whole quotient of sizes; *rest becomes what is left. */
static bignum divide(const bignum *a, const bignum *b, bignum *rest)
{
    bignum q = {.exponent = 0};

    *rest = (bignum){.exponent = 0};
    for (size_t i = 0; i < a->digits.n; i++)
        dv_vec_push(&q.digits);
    for (size_t i = a->digits.n; i-- > 0;) {
        dv_vec_push(&rest->digits);
        memmove(rest->digits.at + 1, rest->digits.at, rest->digits.n - 1);
        rest->digits.at[0] = a->digits.at[i];
        trim(rest);
        while (cmp_size(rest, b) >= 0) {
            subtract(rest, b);
            q.digits.at[i]++;
        }
    }
    trim(&q);
    return q;
}

bignum dv_bignum_div(const bignum *a, const bignum *b)
{
    /* a × 10^places / b has an exponent of -16. */
    int places = a->exponent - b->exponent + DIVISION_PRECISION;
    bignum x = shifted(a, DV_MAX(places, 0)), y = shifted(b, DV_MAX(-places, 0)), rest;
    bignum q = divide(&x, &y, &rest), one = {.exponent = 0};

    *dv_vec_push(&one.digits) = 1;
    bignum twice = {.exponent = 0};
    add_size(&twice, &rest);
    add_size(&twice, &rest);
    if (cmp_size(&twice, &y) >= 0)
        add_size(&q, &one);
    q.exponent = -DIVISION_PRECISION;
    q.negative = a->negative != b->negative;
    dv_bignum_done(&x);
    dv_bignum_done(&y);
    dv_bignum_done(&rest);
    dv_bignum_done(&one);
    dv_bignum_done(&twice);
    return q;
}

double dv_bignum_float(const bignum *number)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(number->digits.n + 64);

    if (dv_bignum_is_zero(number))
        return 0;
    if (number->negative)
        dv_buf_addc(&text, '-');
    for (size_t i = number->digits.n; i-- > 0;)
        dv_buf_addc(&text, (char)('0' + number->digits.at[i]));
    dv_buf_addf(&text, "e%d", number->exponent);
    return strtod(dv_buf_cstr(&text), NULL);
}
