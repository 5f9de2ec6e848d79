/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/objects.h"

#include <dirent.h>

#include "base/file.h"
#include "testlib.h"

#define CM(name) "{apiVersion: v1, kind: ConfigMap, metadata: {name: " name "}}\n"

static json_t *read_all(const char *text)
{
    json_t *objects = json_array();

    assert_ok(dv_objects_read(dv_str_of(text), "m.yaml", objects));
    return objects;
}

/* ---- What is found ---- */

static const struct found {
    const char *name, *text, *names; /* "kind/name" of each, in order */
} found[] = {
    {"an empty file has none", "", ""},
    {"a file of comments has none", "# nothing\n---\n# here\n", ""},
    {"one document", CM("a"), "ConfigMap/a"},
    {"several documents, in order", CM("b") "---\n" CM("a") "---\n---\n" CM("c"),
     "ConfigMap/b ConfigMap/a ConfigMap/c"},
    {"JSON", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"}}", "Pod/p"},
    {"JSON after JSON",
     "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"}}\n"
     "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"q\"}}",
     "Pod/p Pod/q"},
    {"JSON after JSON and dashes",
     "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"}}\n---\n"
     "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"q\"}}",
     "Pod/p Pod/q"},
    {"a List is taken apart", "apiVersion: v1\nkind: List\nitems:\n- " CM("a") "- " CM("b"),
     "ConfigMap/a ConfigMap/b"},
    {"a List in a List",
     "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  "
     "items:\n  - " CM("a") "- " CM("b"),
     "ConfigMap/a ConfigMap/b"},
    {"a List without items has none", "apiVersion: v1\nkind: List\n", ""},
    {"a List of null has none", "apiVersion: v1\nkind: List\nitems: null\n", ""},
    {"items of a typed list inherit its kind",
     "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n", "ConfigMap/a"},
    {"a kind that only ends in List is an object",
     "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\n", "AllowList/a"},
    {"names of RBAC may hold colons",
     "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'a:b'}\n",
     "ClusterRole/a:b"},
};

static void objects_are_found(void **state)
{
    const struct found *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *objects = read_all(row->text);
    json_t *object;
    size_t i;

    json_array_foreach(objects, i, object)
        dv_buf_addf(&names, "%s%s/%s", i ? " " : "", dv_json_str(object, "/kind"),
                    dv_json_str(object, "/metadata/name"));
    assert_string_equal(dv_buf_cstr(&names), row->names);
}

static void manifests_add_to_one_list(void **state)
{
    (void)state;
    json_auto_t *objects = read_all(CM("a"));

    assert_ok(dv_objects_read(DV_STR(CM("b")), "n.yaml", objects));
    assert_int_equal(json_array_size(objects), 2);
}

static void what_a_server_sets_is_dropped(void **state)
{
    (void)state;
    json_auto_t *objects =
        read_all("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: ''\n"
                 "  labels: null\n  annotations: {x: z}\n  creationTimestamp: null\n  uid: u\n"
                 "  resourceVersion: '7'\n  generation: 3\n  managedFields: []\n"
                 "  finalizers: [f]\ndata: {uid: stays}\n");
    json_auto_t *wanted =
        json_pack("{s:s, s:s, s:{s:s, s:{s:s}, s:[s]}, s:{s:s}}", "apiVersion", "v1", "kind",
                  "ConfigMap", "metadata", "name", "a", "annotations", "x", "z", "finalizers", "f",
                  "data", "uid", "stays");

    assert_true(json_equal(json_array_get(objects, 0), wanted));
}

/* The trap: 0.1 must not become 0.10000000000000001, which a server stores as 101m. */
static void a_real_stays_short(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *objects = read_all("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
                                    "spec: {cpu: 0.1}\n");

    dv_json_write(json_array_get(objects, 0), &text);
    assert_non_null(strstr(dv_buf_cstr(&text), "\"cpu\":0.1}"));
}

/* ---- What is refused ---- */

static const struct refusal {
    const char *name, *text, *message;
} refusals[] = {
    {"broken YAML", "a: [\n", "m.yaml: line "},
    {"broken JSON", "{\"apiVersion\": }", "m.yaml: "},
    {"a scalar", "hello\n", "m.yaml: document 1: object expected, got string"},
    {"a list at the top", "- a\n", "document 1: object expected, got array"},
    {"no kind, in the second document", CM("a") "---\napiVersion: v1\nmetadata: {name: a}\n",
     "m.yaml: document 2: kind is missing"},
    {"no apiVersion", "kind: Pod\nmetadata: {name: a}\n", "apiVersion is missing"},
    {"an apiVersion that is a number", "apiVersion: 1\nkind: Pod\nmetadata: {name: a}\n",
     "apiVersion: string expected, got integer"},
    {"an apiVersion that is a path", "apiVersion: ../v1\nkind: Pod\nmetadata: {name: a}\n",
     "apiVersion is neither"},
    {"an apiVersion of three parts", "apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}\n",
     "apiVersion is neither"},
    {"an apiVersion without version", "apiVersion: apps/\nkind: Pod\nmetadata: {name: a}\n",
     "apiVersion is neither"},
    {"a kind that is a path", "apiVersion: v1\nkind: Pod/x\nmetadata: {name: a}\n",
     "kind is no name of a kind"},
    {"a kind with NUL", "apiVersion: v1\nkind: \"Pod\\0\"\nmetadata: {name: a}\n",
     "kind is no name of a kind"},
    {"no metadata", "apiVersion: v1\nkind: Pod\n", "metadata is missing"},
    {"metadata that is a list", "apiVersion: v1\nkind: Pod\nmetadata: []\n",
     "metadata: object expected, got array"},
    {"no name", "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n",
     "metadata.name is missing"},
    {"a name that YAML makes a boolean", "apiVersion: v1\nkind: Pod\nmetadata: {name: n}\n",
     "metadata.name: string expected, got boolean"},
    {"a name that is a path", "apiVersion: v1\nkind: Pod\nmetadata: {name: a/../b}\n",
     "metadata.name is no valid name"},
    {"a name of dots", "apiVersion: v1\nkind: Pod\nmetadata: {name: '..'}\n",
     "metadata.name is no valid name"},
    {"a name that is encoded", "apiVersion: v1\nkind: Pod\nmetadata: {name: 'a%2fb'}\n",
     "metadata.name is no valid name"},
    {"a namespace that is a path",
     "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: '../kube-system'}\n",
     "metadata.namespace is no valid name"},
    {"a label that is a boolean",
     "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: yes}}\n",
     "metadata.labels.x: string expected, got boolean"},
    {"annotations that are a list",
     "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: []}\n",
     "metadata.annotations: object expected, got array"},
    {"items that are a text", "apiVersion: v1\nkind: List\nitems: abc\n",
     "items: array expected, got string"},
    {"a null in a List", "apiVersion: v1\nkind: List\nitems: [null]\n",
     "object expected, got null"},
};

static void manifest_is_refused(void **state)
{
    const struct refusal *row = *state;
    json_auto_t *objects = json_array();
    dv_err *err = dv_objects_read(dv_str_of(row->text), "m.yaml", objects);

    assert_string_equal(err ? dv_err_reason(err) : "", "InvalidManifest");
    assert_err(err, DV_INVALID, row->message);
}

static void lists_within_lists_end(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *objects = json_array();

    for (int i = 0; i < DV_OBJECTS_LIST_DEPTH_MAX + 1; i++)
        dv_buf_adds(&text, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
    for (int i = 0; i < DV_OBJECTS_LIST_DEPTH_MAX + 1; i++)
        dv_buf_adds(&text, "]}");
    assert_err(dv_objects_read(dv_buf_str(&text), "m.yaml", objects), DV_INVALID,
               "more than 8 lists within each other");
}

static void too_many_objects_are_refused(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *objects = json_array();

    dv_buf_adds(&text, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
    for (int i = 0; i <= DV_OBJECTS_MAX; i++)
        dv_buf_addf(&text,
                    "%s{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p%d\"}}",
                    i ? "," : "", i);
    dv_buf_adds(&text, "]}");
    assert_err(dv_objects_read(dv_buf_str(&text), "m.yaml", objects), DV_INVALID,
               "more than 5000 objects");
}

/* ---- Duplicates ---- */

#define OBJECT(version, space, name)                                                               \
    "{apiVersion: " version ", kind: Role, metadata: {namespace: " space ", name: " name "}}\n---" \
    "\n"
static const struct pair {
    const char *name, *text, *message; /* NULL: no duplicate */
} pairs[] = {
    {"two names", OBJECT("v1", "s", "a") OBJECT("v1", "s", "b"), NULL},
    {"two namespaces", OBJECT("v1", "s", "a") OBJECT("v1", "t", "a"), NULL},
    {"two groups", OBJECT("g/v1", "s", "a") OBJECT("v1", "s", "a"), NULL},
    {"one object twice", OBJECT("v1", "s", "a") OBJECT("v1", "s", "a"), "Role s/a is there twice"},
    {"one object in two versions of its group", OBJECT("g/v1", "s", "a") OBJECT("g/v2", "s", "a"),
     "Role s/a is there twice"},
    {"one object without a namespace", CM("a") "---\n" CM("a"), "ConfigMap a is there twice"},
};

static void duplicates_are_refused(void **state)
{
    const struct pair *row = *state;
    json_auto_t *objects = read_all(row->text);
    dv_err *err = dv_objects_check_unique(objects);

    if (row->message)
        assert_err(err, DV_INVALID, row->message);
    else
        assert_ok(err);
}

/* ---- Real data ---- */

/* Every file beside a package.yaml that a package names. */
static const char *const real[] = {
    "tika/v2.9.2+2/deployment.yaml",
    "tika/v2.9.2+2/service.yaml",
    "keptn/v2.5.0+1/keptn-cert.yaml",
    "keptn/v2.5.0+1/keptn-issuer.yaml",
    "keptn/v2.0.0-rc.1+1/keptn.yaml",
    "tracecat/v0.12.3+1/tracecat.yaml",
    "clickhouse-operator/v0.23.7+2/config.yaml",
    "kubernetes-dashboard/v2.7.0+2/dashboard-user.yaml",
    "keycloak-operator/v25.0.2+1/manifest.yaml",
    "postgresql/v16.4.0+2/manifest.yaml",
};

static void real_manifests_are_read(void **state)
{
    (void)state;
    const char *corpus = test_corpus_dir();
    char path[2 * DV_PATH_MAX];

    if (!corpus) {
        print_message("no corpus of real packages here\n");
        skip();
    }
    for (size_t i = 0; i < DV_LEN(real); i++) {
        DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_BODY_MAX);
        json_auto_t *objects = json_array();

        snprintf(path, sizeof(path), "%s/glasskube/%s", corpus, real[i]);
        assert_ok(dv_file_read(path, &bytes));
        assert_ok(dv_objects_read(dv_buf_str(&bytes), real[i], objects));
        assert_true(json_array_size(objects) > 0);
        assert_ok(dv_objects_check_unique(objects));
    }
}

int main(void)
{
    dv_suite suite = {.name = "manifest/objects"};

    DV_TABLE(&suite, objects_are_found, found);
    DV_TEST(&suite, manifests_add_to_one_list);
    DV_TEST(&suite, what_a_server_sets_is_dropped);
    DV_TEST(&suite, a_real_stays_short);
    DV_TABLE(&suite, manifest_is_refused, refusals);
    DV_TEST(&suite, lists_within_lists_end);
    DV_TEST(&suite, too_many_objects_are_refused);
    DV_TABLE(&suite, duplicates_are_refused, pairs);
    DV_TEST(&suite, real_manifests_are_read);
    return dv_suite_run(&suite);
}
