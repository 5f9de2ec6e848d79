/* SPDX-License-Identifier: Apache-2.0 */
#include "json/doc.h"

#include "base/sync.h"
#include "testlib.h"

static void a_doc_keeps_what_it_was_made_of(void **state DV_UNUSED)
{
    json_auto_t *value = json_pack("{s:i,s:f}", "a", 1, "b", 0.5), *again = NULL;
    dv_auto_doc doc = dv_doc_new(value);

    assert_true(dv_str_is(dv_doc_bytes(doc), "{\"a\":1,\"b\":0.5}"));
    assert_null(dv_doc_struct(doc));
    json_object_clear(value);
    assert_ok(dv_doc_parse(doc, &again));
    assert_int_equal(dv_json_int(again, "/a", 0), 1);
}

static void bytes_are_copied(void **state DV_UNUSED)
{
    char text[] = "[1]";
    dv_auto_doc doc = dv_doc_new_bytes(dv_str_of(text));
    json_auto_t *value = NULL;

    text[1] = 'x';
    assert_ok(dv_doc_parse(doc, &value));
}

static void bytes_that_are_no_json_are_a_bug(void **state DV_UNUSED)
{
    dv_auto_doc doc = dv_doc_new_bytes(DV_STR("[1"));
    json_auto_t *value = NULL;

    assert_err(dv_doc_parse(doc, &value), DV_BUG, "stored document");
}

static int freed;

static void count_free(void *value)
{
    freed++;
    free(value);
}

static void the_last_holder_frees(void **state DV_UNUSED)
{
    dv_doc *doc = dv_doc_new_struct(dv_strdup("x"), count_free);
    dv_doc *other = dv_doc_ref(doc);

    freed = 0;
    assert_ptr_equal(other, doc);
    assert_string_equal(dv_doc_struct(doc), "x");
    assert_int_equal(dv_doc_bytes(doc).n, 0);
    dv_doc_unref(doc);
    assert_int_equal(freed, 0);
    assert_string_equal(dv_doc_struct(other), "x");
    dv_doc_unref(other);
    assert_int_equal(freed, 1);
    assert_null(dv_doc_ref(NULL));
    dv_doc_unref(NULL);
}

enum { THREADS = 4, ROUNDS = 500 };

static void *read_and_drop(void *arg)
{
    size_t wrong = 0;

    for (int i = 0; i < ROUNDS; i++) {
        dv_auto_doc doc = dv_doc_ref(arg);
        json_auto_t *value = NULL;
        dv_auto(dv_err) err = dv_doc_parse(doc, &value);

        wrong += err || dv_json_int(value, "/a/b", 0) != 7;
    }
    dv_doc_unref(arg);
    return (void *)wrong;
}

static void threads_share_it(void **state DV_UNUSED)
{
    dv_doc *doc = dv_doc_new_bytes(DV_STR("{\"a\":{\"b\":7}}"));
    pthread_t threads[THREADS];
    void *wrong = NULL;

    for (int i = 0; i < THREADS; i++)
        threads[i] = dv_thread_start("reader", DV_STACK_BYTES, read_and_drop, dv_doc_ref(doc));
    dv_doc_unref(doc);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

static void too_deep_a_value_makes_an_empty_doc(void **state DV_UNUSED)
{
    json_auto_t *value = json_array(), *parsed = NULL;

    for (int i = 0; i < DV_JSON_DEPTH_MAX; i++) {
        json_t *outer = json_array();

        json_array_append_new(outer, DV_TAKE(value));
        value = outer;
    }
    dv_auto_doc doc = dv_doc_new(value);
    assert_int_equal(dv_doc_bytes(doc).n, 0);
    assert_err(dv_doc_parse(doc, &parsed), DV_BUG, NULL);
}

static void *use_deepest(void *unused DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf again = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *doc = NULL, *copy = NULL;

    for (int i = 0; i < DV_JSON_DEPTH_MAX; i++)
        dv_buf_adds(&text, i % 2 ? "[" : "{\"\\n\":");
    dv_buf_adds(&text, "1");
    for (int i = DV_JSON_DEPTH_MAX; i-- > 0;)
        dv_buf_addc(&text, i % 2 ? ']' : '}');
    dv_auto(dv_err) err = dv_json_read(dv_buf_str(&text), &doc);
    if (err)
        return "not read";
    copy = dv_json_copy(doc);
    dv_json_write_sorted(copy, &again);
    bool same = dv_json_equal(copy, doc) && dv_str_eq(dv_buf_str(&text), dv_buf_str(&again));
    return same ? NULL : "not the same";
}

static void the_deepest_document_fits_a_thread(void **state DV_UNUSED)
{
    void *wrong = NULL;

    pthread_join(dv_thread_start("deep", DV_STACK_BYTES, use_deepest, NULL), &wrong);
    assert_null(wrong);
}

int main(void)
{
    dv_suite suite = {.name = "json/doc"};

    dv_json_setup();
    DV_TEST(&suite, a_doc_keeps_what_it_was_made_of);
    DV_TEST(&suite, bytes_are_copied);
    DV_TEST(&suite, bytes_that_are_no_json_are_a_bug);
    DV_TEST(&suite, the_last_holder_frees);
    DV_TEST(&suite, threads_share_it);
    DV_TEST(&suite, the_deepest_document_fits_a_thread);
    DV_TEST(&suite, too_deep_a_value_makes_an_empty_doc);
    return dv_suite_run(&suite);
}
