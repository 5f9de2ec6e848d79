/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "testlib.h"

static void additions_are_joined(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(1000);

    dv_buf_adds(&buf, "a");
    dv_buf_addc(&buf, 'b');
    dv_buf_add_str(&buf, DV_STR("cd"));
    dv_buf_add(&buf, "\0e", 2);
    dv_buf_addf(&buf, "%d-%s", 7, "x");
    dv_buf_fill(&buf, '.', 3);
    assert_ok(dv_buf_check(&buf));
    assert_true(dv_str_eq(dv_buf_str(&buf), DV_STR("abcd\0e7-x...")));
}

static void an_empty_buffer_is_an_empty_text(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(10);

    assert_string_equal(dv_buf_cstr(&buf), "");
    assert_non_null(dv_buf_str(&buf).p);
    dv_auto_str taken = dv_buf_take(&buf);
    assert_string_equal(taken, "");
}

static void the_limit_is_exact_and_sticky(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(4);

    dv_buf_adds(&buf, "abcd");
    assert_ok(dv_buf_check(&buf));
    dv_buf_addc(&buf, 'e');
    assert_err(dv_buf_check(&buf), DV_INVALID, "limit of 4 bytes");
    dv_buf_cut(&buf, 0);
    dv_buf_addc(&buf, 'f');
    assert_string_equal(dv_buf_cstr(&buf), "");
    dv_buf_reset(&buf);
    dv_buf_addc(&buf, 'g');
    assert_ok(dv_buf_check(&buf));
    assert_string_equal(dv_buf_cstr(&buf), "g");
}

static void what_does_not_fit_adds_nothing(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(4);

    dv_buf_adds(&buf, "ab");
    dv_buf_addf(&buf, "%s", "cde");
    assert_string_equal(dv_buf_cstr(&buf), "ab");
    assert_null(dv_buf_room(&buf, 1));
    dv_buf_reset(&buf);
    dv_buf_fill(&buf, 'x', 5);
    assert_int_equal(buf.n, 0);
}

static void it_grows_to_its_limit(void **state DV_UNUSED)
{
    enum { LIMIT = 100 * 1000 };
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(LIMIT);

    for (int i = 0; i < LIMIT; i++)
        dv_buf_addc(&buf, (char)('a' + i % 26));
    assert_ok(dv_buf_check(&buf));
    assert_int_equal(buf.n, LIMIT);
    assert_int_equal(dv_buf_cstr(&buf)[LIMIT - 1], 'a' + (LIMIT - 1) % 26);
    assert_true(buf.cap <= LIMIT + 1);
}

static void room_is_claimed(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(100);
    char *room = dv_buf_room(&buf, 10);

    memcpy(room, "hello", 5);
    dv_buf_grown(&buf, 5);
    dv_buf_addc(&buf, '!');
    assert_string_equal(dv_buf_cstr(&buf), "hello!");
    dv_buf_cut(&buf, 2);
    assert_string_equal(dv_buf_cstr(&buf), "he");
}

static void taking_leaves_an_empty_buffer_with_its_limit(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(3);

    dv_buf_adds(&buf, "abc");
    dv_auto_str taken = dv_buf_take(&buf);
    assert_string_equal(taken, "abc");
    assert_int_equal(buf.n, 0);
    dv_buf_adds(&buf, "abcd");
    assert_err(dv_buf_check(&buf), DV_INVALID, NULL);
}

static void uri_escapes_all_but_unreserved(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf buf = DV_BUF_INIT(100);

    dv_buf_add_uri(&buf, DV_STR("aZ09-._~ /?\xc3\xa9%"));
    assert_string_equal(dv_buf_cstr(&buf), "aZ09-._~%20%2F%3F%C3%A9%25");
}

int main(void)
{
    dv_suite suite = {.name = "base/buf"};

    DV_TEST(&suite, additions_are_joined);
    DV_TEST(&suite, an_empty_buffer_is_an_empty_text);
    DV_TEST(&suite, the_limit_is_exact_and_sticky);
    DV_TEST(&suite, what_does_not_fit_adds_nothing);
    DV_TEST(&suite, it_grows_to_its_limit);
    DV_TEST(&suite, room_is_claimed);
    DV_TEST(&suite, taking_leaves_an_empty_buffer_with_its_limit);
    DV_TEST(&suite, uri_escapes_all_but_unreserved);
    return dv_suite_run(&suite);
}
