/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/rv_internal.h"
#include "testlib.h"

static const struct row {
    const char *name, *a, *b;
    dv_rv_order want;
} rows[] = {
    {"a smaller number is older", "9", "10", DV_RV_OLDER},
    {"a larger number is newer", "100", "99", DV_RV_NEWER},
    {"equal numbers are the same", "42", "42", DV_RV_SAME},
    {"zero is older than all others", "0", "1", DV_RV_OLDER},
    {"nineteen digits and twenty compare", "9999999999999999999", "10000000000000000000",
     DV_RV_OLDER},
    {"past 64 bits the longer is newer", "340282366920938463463374607431768211456",
     "99999999999999999999999999999999999999", DV_RV_NEWER},
    {"past 64 bits equal lengths compare by digits", "340282366920938463463374607431768211455",
     "340282366920938463463374607431768211456", DV_RV_OLDER},
    {"leading zeros do not count", "00000000000000000000000007", "7", DV_RV_SAME},
    {"a text has no order with a number", "abc", "7", DV_RV_UNORDERED},
    {"two texts have no order", "abc", "abd", DV_RV_UNORDERED},
    {"equal texts are the same", "abc", "abc", DV_RV_SAME},
    {"an empty one has no order", "", "1", DV_RV_UNORDERED},
    {"a signed number is a text", "-1", "1", DV_RV_UNORDERED},
};

static dv_rv_order reversed(dv_rv_order order)
{
    return order == DV_RV_OLDER ? DV_RV_NEWER : order == DV_RV_NEWER ? DV_RV_OLDER : order;
}

static void versions_compare(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_rv_done) dv_rv a = dv_rv_of(dv_str_of(row->a));
    DV_CLEANUP(dv_rv_done) dv_rv b = dv_rv_of(dv_str_of(row->b));

    assert_int_equal(dv_rv_compare(&a, &b), row->want);
    assert_int_equal(dv_rv_compare(&b, &a), reversed(row->want));
}

static void texts_survive(void **state)
{
    static const char *const texts[] = {"1", "18446744073709551615", "18446744073709551616", "x"};

    (void)state;
    for (size_t i = 0; i < DV_LEN(texts); i++) {
        DV_CLEANUP(dv_rv_done) dv_rv rv = dv_rv_of(dv_str_of(texts[i]));
        DV_CLEANUP(dv_rv_done) dv_rv copy = dv_rv_dup(&rv);
        dv_auto_str text = dv_rv_text(&copy);

        assert_string_equal(text, texts[i]);
    }
}

int main(void)
{
    dv_suite suite = {.name = "runtime/rv"};

    DV_TABLE(&suite, versions_compare, rows);
    DV_TEST(&suite, texts_survive);
    return dv_suite_run(&suite);
}
