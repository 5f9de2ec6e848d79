/* SPDX-License-Identifier: Apache-2.0 */
/* From what was rendered to what is sent. */
#include "install_cluster.h"

#include "install/prepare.h"

#define CM(name) "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: " name "}}}"
#define CM_IN(name, ns)                                                                            \
    "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: " name ", namespace: " ns "}}}"
#define CM_BESIDE(name, ns)                                                                        \
    "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: " name                            \
    "}}, defaultNamespace: " ns "}"
#define NAMESPACE(name)                                                                            \
    "{object: {apiVersion: v1, kind: Namespace, metadata: {name: " name ", namespace: wrong}}}"
#define DEPLOYMENT(name)                                                                           \
    "{object: {apiVersion: apps/v1, kind: Deployment, metadata: {name: " name "}}}"
#define CRD                                                                                        \
    "{object: {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: "    \
    "{name: gears.example.com},"                                                                   \
    " spec: {group: example.com, scope: Cluster, names: {kind: Gear, plural: gears},"              \
    " versions: [{name: v1beta1}]}}}"
#define GEAR                                                                                       \
    "{object: {apiVersion: example.com/v1beta1, kind: Gear, metadata: {name: g, namespace: "       \
    "wrong}}}"

static const struct row {
    const char *name, *items;
    const char *spec;              /* of PackageManifest own/web */
    const char *default_namespace; /* of the package */
    const char *
        want; /* "Kind ns/name" of each, "+" before what is implied; or the reason of the refusal */
} rows[] = {
    {"an empty manifest is no object", "[]", "", NULL, ""},
    {"the PackageManifest's namespace is the last resort", "[" CM("a") "]", "", NULL,
     "ConfigMap own/a"},
    {"the package's default comes before it", "[" CM("a") "]", "", "pkg",
     "+Namespace pkg, ConfigMap pkg/a"},
    {"an empty default is none", "[" CM("a") "]", "", "", "ConfigMap own/a"},
    {"a manifest's default comes before the package's", "[" CM_BESIDE("a", "beside") "]", "", "pkg",
     "+Namespace beside, ConfigMap beside/a"},
    {"the target namespace comes before every default", "[" CM_BESIDE("a", "beside") "]",
     "targetNamespace: target", "pkg", "+Namespace target, ConfigMap target/a"},
    {"an object's own namespace stays", "[" CM_IN("a", "there") "]", "targetNamespace: target",
     "pkg", "+Namespace there, ConfigMap there/a"},
    {"a namespace is implied once", "[" CM_IN("a", "x") "," CM_IN("b", "x") "]", "", NULL,
     "+Namespace x, ConfigMap x/a, ConfigMap x/b"},
    {"a namespace that is written is not implied", "[" CM_IN("a", "x") "," NAMESPACE("x") "]", "",
     NULL, "Namespace x, ConfigMap x/a"},
    {"cluster-scoped objects lose a namespace", "[" NAMESPACE("x") "]", "targetNamespace: other",
     NULL, "Namespace x"},
    {"classes are sorted, within one the order stays",
     "[" DEPLOYMENT("z") "," DEPLOYMENT("a") "," CM("m") "," NAMESPACE("ns") "]", "", NULL,
     "Namespace ns, ConfigMap own/m, Deployment own/z, Deployment own/a"},
    {"a kind that a CRD among them defines is known", "[" GEAR "," CRD "]", "", NULL,
     "CustomResourceDefinition gears.example.com, Gear g"},
    {"a kind that nobody defines is refused", "[" GEAR "]", "", NULL, "UnknownKind"},
    {"a version that the cluster has not is refused",
     "[{object: {apiVersion: apps/v9, kind: Deployment, metadata: {name: a}}}]", "", NULL,
     "UnknownKind"},
    {"a CRD of another group defines nothing here",
     "[" CRD ",{object: {apiVersion: example.org/v1, kind: Gear, metadata: {name: g}}}]", "", NULL,
     "UnknownKind"},
    {"one written twice is refused", "[" CM("a") "," CM("a") "]", "", NULL, "DuplicateObject"},
    {"two that a default made one are refused", "[" CM_IN("a", "own") "," CM("a") "]", "", NULL,
     "DuplicateObject"},
    {"the same name in two namespaces is two", "[" CM_IN("a", "own") "," CM_IN("a", "x") "]", "",
     NULL, "+Namespace x, ConfigMap own/a, ConfigMap x/a"},
};

static cluster *c;

static int set_up(void **state DV_UNUSED)
{
    c = cluster_new();
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    cluster_free(c);
    return 0;
}

static dv_err *prepare(const char *items, const char *spec, const char *default_namespace,
                       dv_objects *ret_objects)
{
    dv_auto_pm pm = cluster_pm("own", "web", spec);
    const dv_prepare_options options = {.pm = pm, .default_namespace = default_namespace};

    return dv_prepare(&c->ctx, c->kube, cluster_read(items), &options, ret_objects);
}

static char *names_of(const dv_objects *objects)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    for (size_t i = 0; i < objects->all.n; i++) {
        dv_buf_addf(&text, "%s%s", i ? ", " : "", objects->all.at[i].implied ? "+" : "");
        dv_objref_add(&text, &objects->all.at[i].ref);
    }
    return dv_buf_take(&text);
}

static void objects_are_as_wanted(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_objects_done) dv_objects objects = {0};
    dv_auto(dv_err) err = prepare(row->items, row->spec, row->default_namespace, &objects);
    dv_auto_str got = err ? dv_strdup(dv_err_reason(err)) : names_of(&objects);

    assert_string_equal(got, row->want);
    assert_true(!err || dv_err_is(err, DV_INVALID));
}

static void every_object_says_whose_it_is(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = {0};
    char owner[21];

    dv_owner_of("own/web", owner);
    assert_ok(prepare("[{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: "
                      "x, labels: {mine: b},"
                      " annotations: null}}}]",
                      "", NULL, &objects));
    assert_int_equal(objects.all.n, 2); /* its Namespace, too */
    for (size_t i = 0; i < objects.all.n; i++) {
        assert_string_equal(dv_obj_label(objects.all.at[i].object, DV_LABEL_OWNER), owner);
        assert_string_equal(dv_obj_annotation(objects.all.at[i].object, DV_ANNOTATION_PACKAGE),
                            "own/web/p1");
    }
    assert_string_equal(dv_obj_label(objects.all.at[1].object, "mine"), "b");
}

static void what_the_server_owns_is_not_sent(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = {0};
    json_auto_t *want = NULL;

    assert_ok(prepare("[{object: {apiVersion: apps/v1, kind: Deployment, status: {replicas: 1}, "
                      "spec: {replicas: 2, template:"
                      " {metadata: {creationTimestamp: null, labels: {a: b}}}}, metadata: {name: "
                      "a, uid: u, resourceVersion: '7',"
                      " generation: 3, creationTimestamp: null, selfLink: /x, managedFields: [], "
                      "ownerReferences: [{name: o}],"
                      " deletionTimestamp: x, deletionGracePeriodSeconds: 0, generateName: a-}}}]",
                      "", NULL, &objects));
    json_t *object = objects.all.at[0].object;
    dv_json_remove(object, "/metadata/labels");
    dv_json_remove(object, "/metadata/annotations");
    want = cluster_read("{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 2, template: "
                        "{metadata: {labels: {a: b}}}},"
                        " metadata: {name: a, namespace: own}}");
    assert_true(dv_json_equal(object, want));
}

static void a_digest_follows_what_is_said_not_how(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects first = {0}, second = {0}, third = {0};

    assert_ok(prepare(
        "[{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: b, c: d}}}]",
        "", NULL, &first));
    assert_ok(prepare(
        "[{object: {data: {c: d, a: b}, kind: ConfigMap, apiVersion: v1, metadata: {name: a}}}]",
        "", NULL, &second));
    assert_ok(prepare(
        "[{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: b, c: e}}}]",
        "", NULL, &third));
    assert_string_equal(first.all.at[0].digest, second.all.at[0].digest);
    assert_string_not_equal(first.all.at[0].digest, third.all.at[0].digest);
}

static void stored_objects_come_back_as_they_were(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = {0}, again = {0};
    json_t *list = json_array();

    assert_ok(prepare("[" GEAR "," CRD "," CM_IN("a", "x") "]", "", NULL, &objects));
    for (size_t i = 0; i < objects.all.n; i++)
        json_array_append(list, objects.all.at[i].object);
    assert_ok(dv_prepare_stored(&c->ctx, c->kube, list, &again));
    assert_int_equal(again.all.n, objects.all.n);
    for (size_t i = 0; i < again.all.n; i++) {
        assert_string_equal(again.all.at[i].digest, objects.all.at[i].digest);
        assert_true(again.all.at[i].resource == objects.all.at[i].resource);
        assert_int_equal(again.all.at[i].order, objects.all.at[i].order);
        assert_int_equal(again.all.at[i].defined_here, objects.all.at[i].defined_here);
    }
}

static void a_server_that_is_down_is_no_unknown_kind(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_objects_done) dv_objects objects = {0};

    cluster_fail(c, "GET /api", 503, 100, "");
    assert_err(prepare("[" CM("a") "]", "", NULL, &objects), DV_TRANSIENT, NULL);
    assert_int_equal(objects.all.n, 0);
}

int main(void)
{
    dv_suite suite = {.name = "install/prepare"};

    DV_TABLE(&suite, objects_are_as_wanted, rows);
    DV_TEST(&suite, every_object_says_whose_it_is);
    DV_TEST(&suite, what_the_server_owns_is_not_sent);
    DV_TEST(&suite, a_digest_follows_what_is_said_not_how);
    DV_TEST(&suite, stored_objects_come_back_as_they_were);
    DV_TEST(&suite, a_server_that_is_down_is_no_unknown_kind);
    for (size_t i = 0; i < suite.tests.n; i++) {
        suite.tests.at[i].setup_func = set_up;
        suite.tests.at[i].teardown_func = tear_down;
    }
    return dv_suite_run(&suite);
}
