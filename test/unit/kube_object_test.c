/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include "kube/object.h"

static json_t *parse(const char *text)
{
    json_t *doc = NULL;

    assert_ok(dv_json_read(dv_str_of(text), &doc));
    return doc;
}

/* ---- Names ---- */

static const struct name_row {
    const char *name, *text;
    bool label, subdomain;
} names[] = {
    {"a plain word is both", "web", true, true},
    {"digits may lead", "0a", true, true},
    {"a dash inside is fine", "a-b", true, true},
    {"a dot makes it a subdomain only", "a.b-c.d", false, true},
    {"empty is neither", "", false, false},
    {"upper case is neither", "Web", false, false},
    {"a dash at the end is neither", "web-", false, false},
    {"a dash in front is neither", "-web", false, false},
    {"a dash before a dot is neither", "a-.b", false, false},
    {"two dots are neither", "a..b", false, false},
    {"a dot at the end is neither", "a.", false, false},
    {"an underscore is neither", "a_b", false, false},
    {"a slash is neither", "a/b", false, false},
    {"63 bytes are the longest label",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true, true},
    {"64 bytes are a subdomain still",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, true},
};

static void name_is(void **state)
{
    const struct name_row *row = *state;

    assert_int_equal(dv_name_is_label(dv_str_of(row->text)), row->label);
    assert_int_equal(dv_name_is_subdomain(dv_str_of(row->text)), row->subdomain);
}

static void a_subdomain_has_253_bytes_at_most(void **state DV_UNUSED)
{
    char text[255];

    memset(text, 'a', sizeof(text));
    assert_true(dv_name_is_subdomain((dv_str){text, 253}));
    assert_false(dv_name_is_subdomain((dv_str){text, 254}));
}

/* ---- References ---- */

static dv_objref ref(const char *api_version, const char *kind, const char *ns, const char *name)
{
    return (dv_objref){(char *)(uintptr_t)api_version, (char *)(uintptr_t)kind,
                       (char *)(uintptr_t)ns, (char *)(uintptr_t)name, NULL};
}

static const struct same_row {
    const char *name;
    const char *a[4], *b[4];
    int order;
} sames[] = {
    {"version does not count",
     {"apps/v1", "Deployment", "x", "web"},
     {"apps/v1beta1", "Deployment", "x", "web"},
     0},
    {"group counts", {"apps/v1", "Deployment", "x", "w"}, {"v1", "Deployment", "x", "w"}, 1},
    {"kind counts", {"v1", "ConfigMap", "x", "w"}, {"v1", "Secret", "x", "w"}, -1},
    {"namespace counts", {"v1", "Secret", "b", "w"}, {"v1", "Secret", "a", "w"}, 1},
    {"name counts", {"v1", "Secret", "a", "v"}, {"v1", "Secret", "a", "w"}, -1},
    {"no namespace is the empty one", {"v1", "Node", NULL, "v"}, {"v1", "Node", "", "v"}, 0},
};

static void same_as(void **state)
{
    const struct same_row *row = *state;
    dv_objref a = ref(row->a[0], row->a[1], row->a[2], row->a[3]);
    dv_objref b = ref(row->b[0], row->b[1], row->b[2], row->b[3]);
    int order = dv_objref_cmp(&a, &b);

    assert_int_equal(order < 0 ? -1 : order > 0, row->order);
    assert_int_equal(dv_objref_same(&a, &b), row->order == 0);
}

static void a_reference_is_read_from_an_object(void **state DV_UNUSED)
{
    json_auto_t *object = parse("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":"
                                "{\"name\":\"web\",\"namespace\":\"team\",\"uid\":\"u1\"}}");
    DV_CLEANUP(dv_objref_done) dv_objref one = dv_objref_of(object);
    DV_CLEANUP(dv_objref_done) dv_objref two = dv_objref_dup(&one);
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(256);

    assert_true(dv_objref_same(&one, &two));
    assert_string_equal(two.uid, "u1");
    dv_objref_add(&text, &two);
    assert_string_equal(dv_buf_cstr(&text), "Deployment team/web");
    assert_true(dv_str_is(dv_api_group(two.api_version), "apps"));
    assert_int_equal(dv_api_group("v1").n, 0);
}

static void a_cluster_scoped_object_prints_without_namespace(void **state DV_UNUSED)
{
    json_auto_t *object = dv_obj_new("v1", "Namespace", "", "team");
    DV_CLEANUP(dv_objref_done) dv_objref one = dv_objref_of(object);
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(256);

    dv_objref_add(&text, &one);
    assert_string_equal(dv_buf_cstr(&text), "Namespace team");
    assert_null(dv_json_at(object, "/metadata/namespace"));
}

static void what_is_absent_or_of_another_type_reads_as_empty(void **state DV_UNUSED)
{
    static const char *const texts[] = {"{}", "[]", "{\"metadata\":3,\"kind\":[]}",
                                        "{\"metadata\":{\"name\":1,\"labels\":\"x\"}}"};

    for (size_t i = 0; i < DV_LEN(texts); i++) {
        json_auto_t *object = parse(texts[i]);
        DV_CLEANUP(dv_objref_done) dv_objref one = dv_objref_of(object);

        assert_string_equal(one.name, "");
        assert_string_equal(dv_obj_name(object), "");
        assert_string_equal(dv_obj_ns(object), "");
        assert_string_equal(dv_obj_uid(object), "");
        assert_string_equal(dv_obj_kind(object), "");
        assert_string_equal(dv_obj_rv(object), "");
        assert_int_equal(dv_obj_generation(object), 0);
        assert_false(dv_obj_deleting(object));
        assert_null(dv_obj_label(object, "a"));
        assert_null(dv_obj_annotation(object, "a"));
    }
}

static void metadata_is_read(void **state DV_UNUSED)
{
    json_auto_t *object =
        parse("{\"kind\":\"X\",\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"7\","
              "\"generation\":3,\"deletionTimestamp\":\"2026-01-01T00:00:00Z\","
              "\"labels\":{\"a/b\":\"c\"},\"annotations\":{\"d/e\":\"f\"}}}");

    assert_string_equal(dv_obj_rv(object), "7");
    assert_int_equal(dv_obj_generation(object), 3);
    assert_true(dv_obj_deleting(object));
    assert_string_equal(dv_obj_label(object, "a/b"), "c");
    assert_string_equal(dv_obj_annotation(object, "d/e"), "f");
}

int main(void)
{
    dv_suite suite = {.name = "kube/object"};

    DV_TABLE(&suite, name_is, names);
    DV_TEST(&suite, a_subdomain_has_253_bytes_at_most);
    DV_TABLE(&suite, same_as, sames);
    DV_TEST(&suite, a_reference_is_read_from_an_object);
    DV_TEST(&suite, a_cluster_scoped_object_prints_without_namespace);
    DV_TEST(&suite, what_is_absent_or_of_another_type_reads_as_empty);
    DV_TEST(&suite, metadata_is_read);
    return dv_suite_run(&suite);
}
