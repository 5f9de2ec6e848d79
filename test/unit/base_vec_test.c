/* SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"

#include "testlib.h"

static void elements_are_pushed_zeroed_and_removed(void **state DV_UNUSED)
{
    DV_VEC(struct { int a, b; }) vec = {0};

    for (int i = 0; i < 100; i++)
        dv_vec_push(&vec)->a = i;
    assert_int_equal(vec.n, 100);
    assert_int_equal(vec.at[99].a, 99);
    assert_int_equal(vec.at[99].b, 0);
    dv_vec_remove(&vec, 0);
    dv_vec_remove(&vec, vec.n - 1);
    assert_int_equal(vec.n, 98);
    assert_int_equal(vec.at[0].a, 1);
    assert_int_equal(vec.at[97].a, 98);
    dv_vec_done(&vec);
    assert_null(vec.at);
}

static void strings_are_owned_sorted_and_found(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_strings_done) dv_strings strings = {0};

    dv_strings_sort(&strings);
    dv_strings_add(&strings, "b");
    dv_strings_take(&strings, dv_strdup("a"));
    dv_strings_add(&strings, "B");
    dv_strings_sort(&strings);
    assert_string_equal(strings.at[0], "B");
    assert_string_equal(strings.at[2], "b");
    assert_true(dv_strings_has(&strings, "a"));
    assert_false(dv_strings_has(&strings, "c"));
}

int main(void)
{
    dv_suite suite = {.name = "base/vec"};

    DV_TEST(&suite, elements_are_pushed_zeroed_and_removed);
    DV_TEST(&suite, strings_are_owned_sorted_and_found);
    return dv_suite_run(&suite);
}
