/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "testlib.h"

static bool is_zero(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

static void allocations_are_zeroed_aligned_and_apart(void **state DV_UNUSED)
{
    enum { ROUNDS = 300 };
    dv_auto(dv_arena) arena = dv_arena_new(/* limit_bytes= */ 0);
    char *made[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        made[i] = dv_arena_alloc(arena, i * 7 + 1);
        assert_int_equal((uintptr_t)made[i] % _Alignof(max_align_t), 0);
        assert_true(is_zero(made[i], i * 7 + 1));
        memset(made[i], (int)(i % 251) + 1, i * 7 + 1);
    }
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t j = 0; j < i * 7 + 1; j++)
            assert_int_equal((unsigned char)made[i][j], i % 251 + 1);
    assert_ok(dv_arena_check(arena));
}

static void big_allocations_leave_the_block_in_use(void **state DV_UNUSED)
{
    dv_auto(dv_arena) arena = dv_arena_new(0);
    char *first = dv_arena_alloc(arena, 16);
    char *big = dv_arena_alloc(arena, 1000 * 1000);
    char *second = dv_arena_alloc(arena, 16);

    assert_true(is_zero(big, 1000 * 1000));
    assert_int_equal(second - first, 16);
}

static void the_ceiling_refuses_and_is_remembered(void **state DV_UNUSED)
{
    dv_auto(dv_arena) arena = dv_arena_new(/* limit_bytes= */ 1024);

    assert_non_null(dv_arena_alloc(arena, 1024));
    assert_ok(dv_arena_check(arena));
    assert_null(dv_arena_alloc(arena, 1));
    assert_null(dv_arena_dup(arena, DV_STR("x")));
    assert_err(dv_arena_check(arena), DV_INVALID, "limit of 1024 bytes");
    dv_arena_reset(arena);
    assert_ok(dv_arena_check(arena));
    assert_null(dv_arena_alloc(arena, 1025));
}

static void sizes_that_overflow_are_refused(void **state DV_UNUSED)
{
    dv_auto(dv_arena) arena = dv_arena_new(1024);

    assert_null(dv_arena_alloc(arena, SIZE_MAX));
    dv_arena_reset(arena);
    assert_null(dv_arena_alloc(arena, SIZE_MAX - 8));
}

static void a_reset_arena_is_zeroed_again(void **state DV_UNUSED)
{
    dv_auto(dv_arena) arena = dv_arena_new(0);

    dv_arena_reset(arena);
    memset(dv_arena_alloc(arena, 1000), 'x', 1000);
    dv_arena_alloc(arena, 100 * 1000);
    dv_arena_reset(arena);
    assert_int_equal(dv_arena_used(arena), 0);
    assert_true(is_zero(dv_arena_alloc(arena, 1000), 1000));
    assert_int_equal(dv_arena_used(arena), 1008);
    assert_string_equal(dv_arena_dup(arena, DV_STR("hello")), "hello");
    assert_string_equal(dv_arena_dup(arena, (dv_str){NULL, 0}), "");
    dv_arena_free(NULL);
}

int main(void)
{
    dv_suite suite = {.name = "base/arena"};

    DV_TEST(&suite, allocations_are_zeroed_aligned_and_apart);
    DV_TEST(&suite, big_allocations_leave_the_block_in_use);
    DV_TEST(&suite, the_ceiling_refuses_and_is_remembered);
    DV_TEST(&suite, sizes_that_overflow_are_refused);
    DV_TEST(&suite, a_reset_arena_is_zeroed_again);
    return dv_suite_run(&suite);
}
