/* SPDX-License-Identifier: Apache-2.0 */
/* Sprig's arithmetic: on int64, wrapping around, and on decimals. */
#include "gotemplate/bignum_internal.h"
#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/numbers.h"

#include <math.h>

/* ---- Casts, as spf13/cast does them ---- */

/* "1.00" is read as "1". */
static dv_str without_zero_fraction(dv_str s)
{
    bool zero = false;

    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == '.' && zero)
            return dv_str_head(s, i - 1);
        if (s.p[i - 1] == '0')
            zero = true;
        else if (s.p[i - 1] != '.')
            break;
    }
    return s;
}

/* What the processor makes of a float that does not fit. */
static int64_t truncated(double value)
{
    return value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MIN;
}

/* Of months and weekdays. */
static int64_t named_int(const dv_object *object)
{
    bool is_int = strcmp(object->type->kind, "int") == 0;

    return is_int ? object->type->plain(/* heap= */ NULL, object->self).i : 0;
}

int64_t dv_cast_int(dv_val value)
{
    int64_t number = 0;

    switch (value.kind) {
    case DV_V_BOOL:
        return value.b;
    case DV_V_INT:
    case DV_V_INT64:
    case DV_V_UINT8:
    case DV_V_UINT32:
    case DV_V_UINT64:
        return value.i;
    case DV_V_FLOAT:
        return truncated(value.f);
    case DV_V_STRING:
        return dv_number_int(without_zero_fraction(dv_val_str(value)), 0, &number) ? 0 : number;
    case DV_V_OBJECT:
        return named_int(value.object);
    default:
        return 0;
    }
}

double dv_cast_float(dv_val value)
{
    double number = 0;

    switch (value.kind) {
    case DV_V_BOOL:
        return value.b;
    case DV_V_INT:
    case DV_V_INT64:
        return (double)value.i;
    case DV_V_UINT8:
    case DV_V_UINT32:
    case DV_V_UINT64:
        return (double)value.u;
    case DV_V_FLOAT:
        return value.f;
    case DV_V_STRING:
        return dv_number_float(dv_val_str(value), &number) ? 0 : number;
    case DV_V_OBJECT:
        return (double)named_int(value.object);
    default:
        return 0;
    }
}

DV_FN(int)
{
    return dv_val_int(dv_cast_int(args[0]));
}

DV_FN(int64)
{
    return dv_val_int64(dv_cast_int(args[0]));
}

DV_FN(float64)
{
    return dv_val_float(dv_cast_float(args[0]));
}

DV_FN(toInteger)
{
    int64_t value = 0;

    if (dv_number_int(DV_ARG(0), 10, &value) == DV_NUMBER_SYNTAX)
        value = 0;
    return dv_val_int(value);
}

DV_FN(toDecimal)
{
    dv_buf *out = dv_run_scratch(run);
    int64_t value = 0;

    dv_format_print(dv_run_heap(run), out, args, 1);
    return dv_val_int64(dv_number_int(dv_buf_str(out), 8, &value) ? 0 : value);
}

/* ---- Integers ---- */

static dv_val wrapped(uint64_t value)
{
    return dv_val_int64((int64_t)value);
}

DV_FN(add)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)dv_cast_int(args[i]);
    return wrapped(sum);
}

DV_FN(add1)
{
    return wrapped((uint64_t)dv_cast_int(args[0]) + 1);
}

DV_FN(sub)
{
    return wrapped((uint64_t)dv_cast_int(args[0]) - (uint64_t)dv_cast_int(args[1]));
}

DV_FN(mul)
{
    uint64_t product = 1;

    for (size_t i = 0; i < n; i++)
        product *= (uint64_t)dv_cast_int(args[i]);
    return wrapped(product);
}

DV_FN(div)
{
    int64_t a = dv_cast_int(args[0]), b = dv_cast_int(args[1]);

    if (b == 0)
        return dv_run_fail(run, "runtime error: integer divide by zero");
    return b == -1 ? wrapped(0 - (uint64_t)a) : dv_val_int64(a / b);
}

DV_FN(mod)
{
    int64_t a = dv_cast_int(args[0]), b = dv_cast_int(args[1]);

    if (b == 0)
        return dv_run_fail(run, "runtime error: integer divide by zero");
    return dv_val_int64(b == -1 ? 0 : a % b);
}

DV_FN(max)
{
    int64_t most = dv_cast_int(args[0]);

    for (size_t i = 1; i < n; i++)
        most = DV_MAX(most, dv_cast_int(args[i]));
    return dv_val_int64(most);
}

DV_FN(min)
{
    int64_t least = dv_cast_int(args[0]);

    for (size_t i = 1; i < n; i++)
        least = DV_MIN(least, dv_cast_int(args[i]));
    return dv_val_int64(least);
}

/* ---- Floats ---- */

/* Go's Max and Min: an infinity beats NaN, NaN beats numbers. */
static double extreme(double a, double b, double sign)
{
    if (a == sign * INFINITY || b == sign * INFINITY)
        return sign * INFINITY;
    if (isnan(a) || isnan(b))
        return NAN;
    if (a == 0 && b == 0)
        return signbit(a) == (sign < 0) ? a : b;
    return (a - b) * sign > 0 ? a : b;
}

static dv_val extreme_of(const dv_val *args, size_t n, double sign)
{
    double value = dv_cast_float(args[0]);

    for (size_t i = 1; i < n; i++)
        value = extreme(value, dv_cast_float(args[i]), sign);
    return dv_val_float(value);
}

DV_FN(maxf)
{
    return extreme_of(args, n, 1);
}

DV_FN(minf)
{
    return extreme_of(args, n, -1);
}

DV_FN(floor)
{
    return dv_val_float(floor(dv_cast_float(args[0])));
}

DV_FN(ceil)
{
    return dv_val_float(ceil(dv_cast_float(args[0])));
}

/* 10^places as Go's Pow has it, which is not always the nearest number. */
static double power_of_ten(int64_t places)
{
    int exponent, shift = 0;
    double base = frexp(10, &exponent), power = 1;

    for (uint64_t i = places < 0 ? 0 - (uint64_t)places : (uint64_t)places; i; i >>= 1) {
        if (exponent < -4096 || exponent > 4096) {
            shift += exponent;
            break;
        }
        if (i & 1) {
            power *= base;
            shift += exponent;
        }
        base *= base;
        exponent *= 2;
        if (base < 0.5) {
            base += base;
            exponent--;
        }
    }
    return places < 0 ? ldexp(1 / power, -shift) : ldexp(power, shift);
}

DV_FN(round)
{
    double on = n > 2 ? args[2].f : 0.5, whole;
    double power = power_of_ten(args[1].i), digit = power * dv_cast_float(args[0]);
    double rounded = modf(digit, &whole) >= on ? ceil(digit) : floor(digit);

    return dv_val_float(rounded / power);
}

/* ---- Decimals ---- */

typedef bignum decimal_op(const bignum *a, const bignum *b);

static bignum subtract(const bignum *a, const bignum *b)
{
    bignum negated = *b;

    negated.negative = !b->negative;
    return dv_bignum_add(a, &negated);
}

static bool check_finite(dv_run *run, double value)
{
    if (isfinite(value))
        return true;
    dv_run_fail(run, "Cannot create a Decimal from %s",
                isnan(value) ? "NaN"
                : value < 0  ? "-Inf"
                             : "+Inf");
    return false;
}

/* first op args[0] op args[1] … */
static dv_val fold(dv_run *run, double first, const dv_val *args, size_t n, decimal_op *op)
{
    DV_CLEANUP(dv_bignum_done) bignum total = {.exponent = 0};

    if (!check_finite(run, first))
        return DV_NONE_VAL;
    total = dv_bignum_of(first);
    for (size_t i = 0; i < n; i++) {
        double value = dv_cast_float(args[i]);

        if (!check_finite(run, value) || !dv_run_charge(run, 1 + total.digits.n / 16))
            return DV_NONE_VAL;
        DV_CLEANUP(dv_bignum_done) bignum operand = dv_bignum_of(value);
        if (op == dv_bignum_div && dv_bignum_is_zero(&operand))
            return dv_run_fail(run, "decimal division by 0");
        bignum result = op(&total, &operand);
        dv_bignum_done(&total);
        total = result;
    }
    return dv_val_float(dv_bignum_float(&total));
}

DV_FN(add1f)
{
    const dv_val one = dv_val_int(1);

    return fold(run, dv_cast_float(args[0]), &one, 1, dv_bignum_add);
}

DV_FN(addf)
{
    return fold(run, 0, args, n, dv_bignum_add);
}

DV_FN(subf)
{
    return fold(run, dv_cast_float(args[0]), args + 1, n - 1, subtract);
}

DV_FN(mulf)
{
    return fold(run, dv_cast_float(args[0]), args + 1, n - 1, dv_bignum_mul);
}

DV_FN(divf)
{
    return fold(run, dv_cast_float(args[0]), args + 1, n - 1, dv_bignum_div);
}

/* ---- Rows of numbers ---- */

static dv_list *count_up(dv_run *run, int64_t start, int64_t stop, int64_t step)
{
    dv_heap *heap = dv_run_heap(run);
    dv_list *list = dv_list_new(heap, &dv_type_ints, 0);
    bool down = stop < start;

    if (down ? step >= 0 : step <= 0)
        return list;
    for (int64_t i = start; (down ? i > stop : i < stop) && !dv_heap_refused(heap);) {
        dv_list_push(heap, list, dv_val_int(i));
        if (__builtin_add_overflow(i, step, &i))
            break;
    }
    return list;
}

DV_FN(until)
{
    return dv_val_list(count_up(run, 0, args[0].i, args[0].i < 0 ? -1 : 1));
}

DV_FN(untilStep)
{
    return dv_val_list(count_up(run, args[0].i, args[1].i, args[2].i));
}

static dv_val joined(dv_run *run, const dv_list *list)
{
    dv_buf *out = dv_run_scratch(run);

    for (uint32_t i = 0; i < list->n; i++)
        dv_buf_addf(out, i ? " %lld" : "%lld", (long long)list->at[i].i);
    return dv_run_text(run, out);
}

DV_FN(seq)
{
    int64_t start = n == 1 ? 1 : n ? args[0].i : 0, end = n ? args[n - 1].i : 0;
    int64_t unit = end < start ? -1 : 1, step = n == 3 ? args[1].i : unit;

    if (n == 0 || n > 3 || (n == 3 && unit < 0 && step > 0))
        return dv_val_lit("");
    if (__builtin_add_overflow(end, unit, &end))
        return dv_val_lit("");
    return joined(run, count_up(run, start, end, step));
}
