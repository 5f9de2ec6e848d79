/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "testlib.h"

static int freed;

static void count_free(void *value)
{
    freed++;
    free(value);
}

static void *number(int n)
{
    return dv_memdup(&n, sizeof(n));
}

static int number_at(const dv_map *map, const char *key)
{
    const int *n = dv_map_get(map, dv_str_of(key));

    return n ? *n : -1;
}

static void values_are_found_and_replaced(void **state DV_UNUSED)
{
    dv_auto(dv_map) map = dv_map_new(count_free);

    freed = 0;
    dv_map_put(map, DV_STR("a"), number(1));
    dv_map_put(map, DV_STR("b"), number(2));
    dv_map_put(map, DV_STR("a"), number(3));
    assert_int_equal(freed, 1);
    assert_int_equal(dv_map_count(map), 2);
    assert_int_equal(number_at(map, "a"), 3);
    assert_int_equal(number_at(map, "b"), 2);
    assert_int_equal(number_at(map, "c"), -1);
}

static void keys_may_hold_nul(void **state DV_UNUSED)
{
    dv_auto(dv_map) map = dv_map_new(count_free);

    dv_map_put(map, DV_STR("a\0b"), number(1));
    dv_map_put(map, DV_STR("a\0c"), number(2));
    dv_map_put(map, DV_STR(""), number(3));
    assert_int_equal(dv_map_count(map), 3);
    assert_int_equal(*(int *)dv_map_get(map, DV_STR("a\0c")), 2);
    assert_int_equal(number_at(map, ""), 3);
}

static void taking_moves_the_value_out(void **state DV_UNUSED)
{
    dv_auto(dv_map) map = dv_map_new(count_free);

    freed = 0;
    dv_map_put(map, DV_STR("a"), number(1));
    DV_CLEANUP(dv_freep) int *taken = dv_map_take(map, DV_STR("a"));
    assert_int_equal(*taken, 1);
    assert_int_equal(freed, 0);
    assert_null(dv_map_take(map, DV_STR("a")));
    assert_false(dv_map_drop(map, DV_STR("a")));
    assert_int_equal(dv_map_count(map), 0);
}

/* Against a plain array: what is there, what is not, whatever came and went before. */
static void it_holds_what_was_put_and_not_dropped(void **state DV_UNUSED)
{
    enum { KEYS = 500, ROUNDS = 20000 };
    dv_auto(dv_map) map = dv_map_new(count_free);
    int model[KEYS] = {0};
    size_t held = 0;
    unsigned seed = 12345;

    for (int round = 1; round <= ROUNDS; round++) {
        char key[16];

        seed = seed * 1103515245u + 12345u;
        unsigned k = (seed >> 8) % KEYS;
        snprintf(key, sizeof(key), "key-%u", k);
        if ((seed >> 20) & 1) {
            held += !model[k];
            model[k] = round;
            dv_map_put(map, dv_str_of(key), number(round));
        } else {
            assert_int_equal(dv_map_drop(map, dv_str_of(key)), model[k] != 0);
            held -= model[k] != 0;
            model[k] = 0;
        }
        assert_int_equal(dv_map_count(map), held);
    }
    for (unsigned k = 0; k < KEYS; k++) {
        char key[16];

        snprintf(key, sizeof(key), "key-%u", k);
        assert_int_equal(number_at(map, key), model[k] ? model[k] : -1);
    }
}

static void a_walk_meets_each_entry_once(void **state DV_UNUSED)
{
    dv_auto(dv_map) map = dv_map_new(/* free_value= */ NULL);
    int seen[100] = {0};
    static int marks[100];
    size_t cursor = 0;
    dv_str key;
    void *value;

    for (int i = 0; i < 100; i++) {
        dv_auto_str name = dv_asprintf("%03d", i);

        dv_map_put(map, dv_str_of(name), &marks[i]);
    }
    while (dv_map_next(map, &cursor, &key, &value))
        seen[(int *)value - marks]++;
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    DV_CLEANUP(dv_strings_done) dv_strings keys = dv_map_keys(map);
    assert_int_equal(keys.n, 100);
    assert_string_equal(keys.at[0], "000");
    assert_string_equal(keys.at[99], "099");
}

static void clearing_frees_all(void **state DV_UNUSED)
{
    dv_auto(dv_map) map = dv_map_new(count_free);

    freed = 0;
    dv_map_put(map, DV_STR("a"), number(1));
    dv_map_put(map, DV_STR("b"), number(2));
    dv_map_clear(map);
    assert_int_equal(freed, 2);
    assert_int_equal(dv_map_count(map), 0);
    assert_null(dv_map_get(map, DV_STR("a")));
    dv_map_free(NULL);
}

int main(void)
{
    dv_suite suite = {.name = "base/map"};

    DV_TEST(&suite, values_are_found_and_replaced);
    DV_TEST(&suite, keys_may_hold_nul);
    DV_TEST(&suite, taking_moves_the_value_out);
    DV_TEST(&suite, it_holds_what_was_put_and_not_dropped);
    DV_TEST(&suite, a_walk_meets_each_entry_once);
    DV_TEST(&suite, clearing_frees_all);
    return dv_suite_run(&suite);
}
