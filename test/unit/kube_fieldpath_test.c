/* SPDX-License-Identifier: Apache-2.0 */
/* From the paths of the API server to JSON pointers. */
#include "kube/fieldpath.h"

#include "testlib.h"

#define POD                                                                                        \
    "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\"},{\"name\":\"b]\",\"image\":"      \
    "\"y\",\"ports\":[{\"containerPort\":80,\"protocol\":\"UDP\"},{\"containerPort\":80}],"        \
    "\"args\":[\"one\",\"two\"]}]}}"
#define NAMES                                                                                      \
    "{\"data\":{\"a\":\"1\",\"a.b\":\"2\",\"c\":{\"d.e\":\"3\"},\"c.d\":{\"f\":\"4\"},"            \
    "\"x/y~z\":\"5\",\"\":\"6\"}}"

static const struct row {
    const char *name, *object, *path;
    const char *pointer; /* NULL: there is none */
} rows[] = {
    {"a member", POD, ".spec.containers", "/spec/containers"},
    {"one that is not there", POD, ".spec.replicas", NULL},
    {"the beginning of a name is none", POD, ".spec.contain", NULL},
    {"more than a name is none", POD, ".spec.containersX", NULL},
    {"an element by its key", POD, ".spec.containers[name=\"a\"].image",
     "/spec/containers/0/image"},
    {"a key with a bracket", POD, ".spec.containers[name=\"b]\"].image",
     "/spec/containers/1/image"},
    {"an element that is not there", POD, ".spec.containers[name=\"c\"].image", NULL},
    {"the element itself", POD, ".spec.containers[name=\"a\"]", "/spec/containers/0"},
    {"by two keys", POD, ".spec.containers[name=\"b]\"].ports[containerPort=80,protocol=\"UDP\"]",
     "/spec/containers/1/ports/0"},
    {"by a key that the server filled in", POD,
     ".spec.containers[name=\"b]\"].ports[containerPort=80,protocol=\"TCP\"]",
     "/spec/containers/1/ports/1"},
    {"by two keys, though one before it leaves out one of them",
     "{\"ports\":[{\"port\":53,\"nodePort\":1},{\"port\":53,\"protocol\":\"UDP\",\"nodePort\":2}]}",
     ".ports[port=53,protocol=\"UDP\"].nodePort", "/ports/1/nodePort"},
    {"by its index", POD, ".spec.containers[1].image", "/spec/containers/1/image"},
    {"by an index past the end", POD, ".spec.containers[2].image", NULL},
    {"by its value", POD, ".spec.containers[1].args[=\"two\"]", "/spec/containers/1/args/1"},
    {"a scalar has no keys", POD, ".spec.containers[1].args[name=\"two\"]", NULL},
    {"an object is no value", POD, ".spec.containers[=\"a\"]", NULL},
    {"a selector that never ends", POD, ".spec.containers[name=\"a", NULL},
    {"a selector of nothing", POD, ".spec.containers[]", NULL},
    {"a selector of a word", POD, ".spec.containers[name]", NULL},
    {"a selector of a word that is no key", POD, ".spec.containers[other]", NULL},
    {"a selector of a key without a value", POD, ".spec.containers[other=]", NULL},
    {"a selector of keys without a comma", POD, ".spec.containers[x=\"1\"y=\"2\"]", NULL},
    {"a selector of two values", POD, ".spec.containers[1].args[=\"two\",=\"two\"]", NULL},
    {"a key with a quote", "{\"list\":[{\"a\\\"\":1}]}", ".list[a\"=1]", "/list/0"},
    {"a name with a dot", NAMES, ".data.a.b", "/data/a.b"},
    {"a name with a dot behind another", NAMES, ".data.c.d.e", "/data/c/d.e"},
    {"a name with a dot before another", NAMES, ".data.c.d.f", "/data/c.d/f"},
    {"a name that a pointer escapes", NAMES, ".data.x/y~z", "/data/x~1y~0z"},
    {"the empty name", NAMES, ".data.", "/data/"},
    {"no path", NAMES, "", NULL},
    {"no dot", NAMES, "data", NULL},
};

static void row_points(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf pointer = DV_BUF_INIT(DV_PATH_MAX);
    json_auto_t *object = NULL;

    assert_ok(dv_json_read(dv_str_of(row->object), &object));
    assert_int_equal(dv_kube_field_pointer(object, row->path, &pointer), row->pointer != NULL);
    assert_string_equal(dv_buf_cstr(&pointer), row->pointer ? row->pointer : "");
}

static void depth_is_bounded(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf path = DV_BUF_INIT(DV_LINE_MAX), pointer = DV_BUF_INIT(DV_PATH_MAX);
    json_auto_t *object = json_integer(1);

    for (int i = 0; i < 200; i++) {
        object = json_pack("{s:o}", "a", object);
        dv_buf_adds(&path, ".a");
    }
    assert_false(dv_kube_field_pointer(object, dv_buf_cstr(&path), &pointer));
    assert_int_equal(pointer.n, 0);
    assert_true(dv_kube_field_pointer(object, dv_buf_cstr(&path) + 2 * 100, &pointer));
}

int main(void)
{
    dv_suite suite = {.name = "kube/fieldpath"};

    DV_TABLE(&suite, row_points, rows);
    DV_TEST(&suite, depth_is_bounded);
    return dv_suite_run(&suite);
}
