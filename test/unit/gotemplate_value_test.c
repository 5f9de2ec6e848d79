/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include "gotemplate/value.h"

enum { MANY = 1000 };

#define MEMORY ((size_t)16 * 1024 * 1024)
#define LITTLE ((size_t)64 * 1024)

static dv_str key_of(char *room, size_t size, int i)
{
    snprintf(room, size, "key-%d", i);
    return dv_str_of(room);
}

static void a_dict_finds_what_was_set(void **state DV_UNUSED)
{
    dv_auto(dv_heap) heap = dv_heap_new(MEMORY);
    dv_dict *dict = dv_dict_new(heap, &dv_type_any_dict);
    char key[32];

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++)
            dv_dict_set_copy(heap, dict, key_of(key, sizeof(key), i), dv_val_int(i + round));
    assert_int_equal(dv_dict_len(dict), MANY);
    for (int i = 0; i < MANY; i += 2)
        assert_true(dv_dict_drop(dict, key_of(key, sizeof(key), i)));
    assert_false(dv_dict_drop(dict, DV_STR("key-0")));
    assert_int_equal(dv_dict_len(dict), MANY / 2);
    for (int i = 0; i < MANY; i++) {
        const dv_val *found = dv_dict_get(dict, key_of(key, sizeof(key), i));

        assert_int_equal(found != NULL, i % 2);
        assert_true(!found || found->i == i + 1);
    }
}

static void members_come_in_the_order_of_their_bytes(void **state DV_UNUSED)
{
    static const char *const keys[] = {"b", "", "a10", "a2", "\xc3\xa9", "B", "a", "ab"};
    static const char *const want[] = {"", "B", "a", "a10", "a2", "ab", "b", "\xc3\xa9"};
    dv_auto(dv_heap) heap = dv_heap_new(MEMORY);
    dv_dict *dict = dv_dict_new(heap, &dv_type_any_dict);

    for (size_t i = 0; i < DV_LEN(keys); i++)
        dv_dict_set(heap, dict, dv_str_of(keys[i]), dv_val_bool(true));
    const dv_member *sorted = dv_dict_sorted(heap, dict);
    for (size_t i = 0; i < DV_LEN(want); i++)
        assert_true(dv_str_is(sorted[i].key, want[i]));
    assert_null(dv_dict_sorted(heap, dv_dict_new(heap, &dv_type_any_dict)));
}

static void nothing_is_asked_for_nothing(void **state DV_UNUSED)
{
    assert_int_equal(dv_dict_len(NULL), 0);
    assert_int_equal(dv_list_len(NULL), 0);
    assert_null(dv_dict_get(NULL, DV_STR("a")));
    assert_string_equal(dv_val_type(dv_val_dict(NULL)), "map[string]interface {}");
    assert_false(dv_val_truth(dv_val_list(NULL)));
}

static void equality_is_deep_and_tells_types_apart(void **state DV_UNUSED)
{
    dv_auto(dv_heap) heap = dv_heap_new(MEMORY);
    dv_list *a = dv_list_new(heap, &dv_type_any_list, 0),
            *b = dv_list_new(heap, &dv_type_any_list, 9);
    dv_dict *x = dv_dict_new(heap, &dv_type_any_dict), *y = dv_dict_new(heap, &dv_type_any_dict);

    dv_list_push(heap, a, dv_val_lit("v"));
    dv_list_push(heap, b, dv_val_string(heap, DV_STR("v")));
    dv_dict_set(heap, x, DV_STR("l"), dv_val_list(a));
    dv_dict_set(heap, y, DV_STR("l"), dv_val_list(b));
    assert_true(dv_val_equal(dv_val_dict(x), dv_val_dict(y)));
    dv_list_push(heap, b, DV_NONE_VAL);
    assert_false(dv_val_equal(dv_val_dict(x), dv_val_dict(y)));
    assert_false(dv_val_equal(dv_val_int(1), dv_val_int64(1)));
    assert_false(
        dv_val_equal(dv_val_list(NULL), dv_val_list(dv_list_new(heap, &dv_type_any_list, 0))));
    assert_true(dv_val_equal(DV_NONE_VAL, DV_NIL_VAL));
}

static void a_full_heap_drops_and_says_so(void **state DV_UNUSED)
{
    dv_auto(dv_heap) heap = dv_heap_new(LITTLE);
    dv_list *list = dv_list_new(heap, &dv_type_any_list, 0);
    dv_val text;

    assert_false(dv_heap_refused(heap));
    for (int i = 0; i < MANY * MANY; i++)
        dv_list_push(heap, list, dv_val_int(i));
    assert_true(dv_heap_refused(heap));
    assert_true(list->n < MANY * MANY && list->at[list->n - 1].i == list->n - 1);
    assert_null(dv_heap_text(heap, LITTLE, &text));
    assert_int_equal(text.n, 0);
    assert_non_null(dv_heap_alloc(heap, DV_HEAP_SMALL));
    assert_true(dv_heap_used(heap) < 2 * LITTLE);
}

int main(void)
{
    dv_suite suite = {.name = "gotemplate/value"};

    DV_TEST(&suite, a_dict_finds_what_was_set);
    DV_TEST(&suite, members_come_in_the_order_of_their_bytes);
    DV_TEST(&suite, nothing_is_asked_for_nothing);
    DV_TEST(&suite, equality_is_deep_and_tells_types_apart);
    DV_TEST(&suite, a_full_heap_drops_and_says_so);
    return dv_suite_run(&suite);
}
