/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <math.h>

#include "testlib.h"

static const struct row {
    const char *name;
    double value;
    const char *plain, *general;
} rows[] = {
    {"zero", 0.0, "0", "0"},
    {"negative zero", -0.0, "-0", "-0"},
    {"one", 1.0, "1", "1"},
    {"a tenth", 0.1, "0.1", "0.1"},
    {"a third", 1.0 / 3, "0.3333333333333333", "0.3333333333333333"},
    {"negative", -2.75, "-2.75", "-2.75"},
    {"a whole number below the exponent", 100000.0, "100000", "100000"},
    {"a whole number with an exponent", 1000000.0, "1000000", "1e+06"},
    {"a large fraction", 123456789.5, "123456789.5", "1.234567895e+08"},
    {"the smallest without an exponent", 0.0001, "0.0001", "0.0001"},
    {"the largest with one below", 0.00001, "0.00001", "1e-05"},
    {"a power of two between others", 0x1p-44, "0.00000000000005684341886080802",
     "5.684341886080802e-14"},
    {"past 2^53", 9007199254740993.0, "9007199254740992", "9.007199254740992e+15"},
    {"the largest", 1.7976931348623157e308, NULL, "1.7976931348623157e+308"},
    {"the smallest normal", 0x1p-1022, NULL, "2.2250738585072014e-308"},
    {"the smallest", 5e-324, NULL, "5e-324"},
};

static void number_prints(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);
    dv_decimal decimal = dv_decimal_of(row->value);

    dv_decimal_add_general(&out, &decimal, 6);
    assert_string_equal(dv_buf_cstr(&out), row->general);
    dv_buf_reset(&out);
    dv_decimal_add_plain(&out, &decimal);
    if (row->plain)
        assert_string_equal(dv_buf_cstr(&out), row->plain);
    assert_true(strtod(dv_buf_cstr(&out), NULL) == row->value);
    assert_int_equal(dv_decimal_is_whole(&decimal), row->value == floor(row->value));
}

static void floats_have_fewer_digits(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);
    dv_decimal decimal = dv_decimal_of_float(0.1f);

    dv_decimal_add_plain(&out, &decimal);
    decimal = dv_decimal_of_float(16777216.0f);
    dv_buf_addc(&out, ' ');
    dv_decimal_add_general(&out, &decimal, 21);
    assert_string_equal(dv_buf_cstr(&out), "0.1 16777216");
}

/* No shorter text reads back equal, and this one does. */
static void digits_are_the_fewest(void **state DV_UNUSED)
{
    uint64_t seed = 88172645463325252u;

    for (int i = 0; i < 3000; i++) {
        char text[64];
        double value;

        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        memcpy(&value, &seed, sizeof(value));
        if (!isfinite(value))
            continue;
        dv_decimal decimal = dv_decimal_of(value);
        snprintf(text, sizeof(text), "%s0.%se%d", decimal.negative ? "-" : "", decimal.digits,
                 decimal.point);
        assert_true(strtod(text, NULL) == value);
        snprintf(text, sizeof(text), "%.*e", decimal.n > 1 ? decimal.n - 2 : 0, value);
        assert_true(decimal.n == 1 || strtod(text, NULL) != value);
    }
}

int main(void)
{
    dv_suite suite = {.name = "base/decimal"};

    DV_TABLE(&suite, number_prints, rows);
    DV_TEST(&suite, floats_have_fewer_digits);
    DV_TEST(&suite, digits_are_the_fewest);
    return dv_suite_run(&suite);
}
