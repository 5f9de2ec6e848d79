/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/rv_internal.h"

enum { ALWAYS_FITS = 19 }; /* digits that 64 bits hold whatever they are */

static bool is_decimal(dv_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0;
}

dv_rv dv_rv_of(dv_str text)
{
    dv_rv rv = DV_RV_NONE;

    if (is_decimal(text) && text.n <= ALWAYS_FITS) {
        for (size_t i = 0; i < text.n; i++)
            rv.number = rv.number * 10 + (uint64_t)(text.p[i] - '0');
        return rv;
    }
    rv.is_text = true;
    rv.text = dv_str_dup(dv_str_head(text, DV_RV_MAX));
    return rv;
}

dv_rv dv_rv_dup(const dv_rv *rv)
{
    dv_rv copy = *rv;

    if (copy.is_text)
        copy.text = dv_strdup(copy.text);
    return copy;
}

void dv_rv_done(dv_rv *rv)
{
    if (rv->is_text)
        free(rv->text);
    *rv = DV_RV_NONE;
}

char *dv_rv_text(const dv_rv *rv)
{
    if (rv->is_text)
        return dv_strdup(rv->text);
    return dv_asprintf("%llu", (unsigned long long)rv->number);
}

static dv_rv_order order_of(int difference)
{
    return difference < 0 ? DV_RV_OLDER : difference > 0 ? DV_RV_NEWER : DV_RV_SAME;
}

/* Without leading zeros, in digits the callers's buffer holds when it is a number. */
static dv_str digits_of(const dv_rv *rv, char buffer[24])
{
    dv_str digits;

    if (!rv->is_text) {
        snprintf(buffer, 24, "%llu", (unsigned long long)rv->number);
        digits = dv_str_of(buffer);
    } else {
        digits = dv_str_of(rv->text);
    }
    while (digits.n > 1 && digits.p[0] == '0')
        digits = dv_str_skip(digits, 1);
    return digits;
}

dv_rv_order dv_rv_compare(const dv_rv *a, const dv_rv *b)
{
    char a_buffer[24], b_buffer[24];

    if (!a->is_text && !b->is_text)
        return order_of((a->number > b->number) - (a->number < b->number));
    dv_str left = digits_of(a, a_buffer), right = digits_of(b, b_buffer);
    if (dv_str_eq(left, right))
        return DV_RV_SAME;
    if (!is_decimal(left) || !is_decimal(right))
        return DV_RV_UNORDERED;
    if (left.n != right.n)
        return left.n < right.n ? DV_RV_OLDER : DV_RV_NEWER;
    return order_of(dv_str_cmp(left, right));
}
