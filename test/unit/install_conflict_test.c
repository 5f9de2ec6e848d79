/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields are given up when another manager has them. */
#include "install/conflict.h"

#include "testlib.h"
#include "yaml/yaml.h"

/* One cause of a Status; message and field in JSON. */
#define CAUSE(who, field)                                                                          \
    "{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with " who                        \
    "\",\"field\":\"" field "\"}"
#define KUBECTL "\\\"kubectl\\\" using apps/v1"
#define SCALE "\\\"kube-controller-manager\\\" with subresource \\\"scale\\\" using apps/v1"

#define META(group, kind)                                                                          \
    "apiVersion: " group ", kind: " kind ", metadata: {name: web, namespace: n}"
#define DEPLOYMENT(spec) "{" META("apps/v1", "Deployment") ", spec: {" spec "}}"
#define WEB DEPLOYMENT("replicas: 3, strategy: {a: 1, b: 2}")
#define TWO "containers: [{name: a, image: x}, {name: b, image: y}]"
#define IGNORE(paths) "[{group: apps, kind: Deployment, paths: [" paths "]}]"
#define HOOKS(first, second)                                                                       \
    "{" META("admissionregistration.k8s.io/v1",                                                    \
             "ValidatingWebhookConfiguration") ", webhooks: [{name: a, clientConfig: {" first      \
                                               "url: u}}, {name: b, clientConfig: {" second        \
                                               "url: u}}]}"
#define CA "caBundle: QQ==, "

static const struct row {
    const char *name, *object, *ignore, *causes;
    bool autoscaled;
    const char *left; /* NULL: nothing yields */
} rows[] = {
    {"what nobody ignores is kept", WEB, "[]", CAUSE(KUBECTL, ".spec.strategy.a"), false, NULL},
    {"an ignored field yields", WEB, IGNORE("/spec/strategy/a"), CAUSE(KUBECTL, ".spec.strategy.a"),
     false, DEPLOYMENT("replicas: 3, strategy: {b: 2}")},
    {"what another has below an ignored field yields, and no more", WEB, IGNORE("/spec/strategy"),
     CAUSE(KUBECTL, ".spec.strategy.a"), false, DEPLOYMENT("replicas: 3, strategy: {b: 2}")},
    {"an ignored field that nobody took is kept", WEB, IGNORE("/spec/strategy/b"),
     CAUSE(KUBECTL, ".spec.strategy.a"), false, NULL},
    {"one with the same beginning is kept", DEPLOYMENT("replicas: 3, replicasMax: 4"),
     IGNORE("/spec/replicas"), CAUSE(KUBECTL, ".spec.replicasMax"), false, NULL},
    {"one of the same name elsewhere is kept", DEPLOYMENT("paused: true, template: {paused: true}"),
     IGNORE("/spec/paused"), CAUSE(KUBECTL, ".spec.template.paused"), false, NULL},
    {"of two causes each is judged", WEB, IGNORE("/spec/strategy/b"),
     CAUSE(KUBECTL, ".spec.strategy.a") "," CAUSE(KUBECTL, ".spec.strategy.b"), false,
     DEPLOYMENT("replicas: 3, strategy: {a: 1}")},
    {"a field that a cause of another kind names is kept", WEB, IGNORE("/spec/strategy"),
     "{\"reason\":\"FieldValueInvalid\",\"message\":\"m\",\"field\":\".spec.strategy.a\"}", false,
     NULL},
    {"a field of another kind is kept", WEB,
     "[{group: apps, kind: StatefulSet, paths: [/spec/strategy]}]",
     CAUSE(KUBECTL, ".spec.strategy.a"), false, NULL},
    {"a field of another group is kept", WEB, "[{kind: Deployment, paths: [/spec/strategy]}]",
     CAUSE(KUBECTL, ".spec.strategy.a"), false, NULL},
    {"a field of another object is kept", WEB,
     "[{group: apps, kind: Deployment, name: other, paths: [/spec/strategy]}]",
     CAUSE(KUBECTL, ".spec.strategy.a"), false, NULL},
    {"a pointer that is none covers nothing", WEB, IGNORE("spec, ''"),
     CAUSE(KUBECTL, ".spec.strategy.a"), false, NULL},
    {"a pointer with a broken escape covers nothing", WEB, IGNORE("/spec/strategy/~2"),
     CAUSE(KUBECTL, ".spec.strategy.a"), false, NULL},
    {"a star in a pointer is a name", WEB, IGNORE("'/spec/*'"), CAUSE(KUBECTL, ".spec.strategy.a"),
     false, NULL},
    {"an element of a list is the one of that number", DEPLOYMENT(TWO),
     IGNORE("/spec/containers/1/image"), CAUSE(KUBECTL, ".spec.containers[name=\\\"b\\\"].image"),
     false, DEPLOYMENT("containers: [{name: a, image: x}, {name: b}]")},
    {"and not its neighbour", DEPLOYMENT(TWO), IGNORE("/spec/containers/1/image"),
     CAUSE(KUBECTL, ".spec.containers[name=\\\"a\\\"].image"), false, NULL},
    {"elements that go do not move those behind them", DEPLOYMENT(TWO),
     IGNORE("/spec/containers/0, /spec/containers/1/image"),
     CAUSE(KUBECTL, ".spec.containers[name=\\\"a\\\"]") "," CAUSE(
         KUBECTL, ".spec.containers[name=\\\"b\\\"].image"),
     false, DEPLOYMENT("containers: [{name: b}]")},
    {"replicas yield to an autoscaler", WEB, "[]", CAUSE(SCALE, ".spec.replicas"), false,
     DEPLOYMENT("strategy: {a: 1, b: 2}")},
    {"replicas are taken back from a person", WEB, "[]",
     CAUSE("\\\"kubectl\\\" with subresource \\\"scale\\\"", ".spec.replicas"), false, NULL},
    {"replicas that a person has are kept though an autoscaler has another field", WEB, "[]",
     CAUSE(SCALE, ".spec.strategy.a") "," CAUSE(KUBECTL, ".spec.replicas"), false, NULL},
    {"replicas yield to anybody under an autoscaler", WEB, "[]", CAUSE(KUBECTL, ".spec.replicas"),
     true, DEPLOYMENT("strategy: {a: 1, b: 2}")},
    {"nothing else does", WEB, "[]", CAUSE(KUBECTL, ".spec.strategy.b"), true, NULL},
    {"the bundle of a webhook yields, not those of its fellows", HOOKS(CA, CA), "[]",
     CAUSE("\\\"cainjector\\\"", ".webhooks[name=\\\"b\\\"].clientConfig.caBundle"), false,
     HOOKS(CA, "")},
    {"the rest of a webhook does not", HOOKS(CA, CA), "[]",
     CAUSE("\\\"cainjector\\\"", ".webhooks[name=\\\"b\\\"].clientConfig.url"), false, NULL},
    {"the bundle of an APIService yields",
     "{" META("apiregistration.k8s.io/v1", "APIService") ", spec: {" CA "version: v1}}", "[]",
     CAUSE("\\\"cainjector\\\"", ".spec.caBundle"), false,
     "{" META("apiregistration.k8s.io/v1", "APIService") ", spec: {version: v1}}"},
    {"a caBundle of another kind does not",
     "{" META("example.com/v1", "Widget") ", spec: {" CA "version: v1}}", "[]",
     CAUSE(KUBECTL, ".spec.caBundle"), false, NULL},
    {"no causes", WEB, IGNORE("/spec"), "", false, NULL},
};

static json_t *from_yaml(const char *yaml)
{
    json_t *doc = NULL;

    assert_ok(dv_yaml_read(dv_str_of(yaml), NULL, &doc));
    return doc;
}

/* A PackageManifest with these ignoreFields. One holder. */
static dv_pm *that_ignores(const char *ignore)
{
    dv_auto_str yaml = dv_asprintf(
        "{metadata: {namespace: n, name: p, uid: u}, spec: {ignoreFields: %s}}", ignore);
    json_auto_t *object = from_yaml(yaml);
    dv_pm *pm = NULL;

    assert_ok(dv_pm_decode(object, &pm));
    return pm;
}

static void row_yields(void **state)
{
    const struct row *row = *state;
    dv_auto_str list = dv_asprintf("[%s]", row->causes);
    json_auto_t *wish = from_yaml(row->object), *rest = from_yaml(row->object),
                *left = from_yaml(row->left ? row->left : row->object), *causes = from_yaml(list);
    DV_CLEANUP(dv_objref_done) dv_objref ref = dv_objref_of(wish);
    dv_auto_pm pm = that_ignores(row->ignore);
    const dv_yielding by = {.ref = &ref, .spec = &pm->spec, .autoscaled = row->autoscaled};

    assert_int_equal(dv_conflict_yield(&by, wish, rest, causes), row->left != NULL);
    assert_true(dv_json_equal(rest, left));
    assert_false(row->left && dv_conflict_yield(&by, wish, rest, causes)); /* it is gone already */
}

static const struct managers_row {
    const char *name, *causes;
    const char *managers; /* NULL: nobody */
} managers_rows[] = {
    {"one", CAUSE(KUBECTL, ".spec.a"), "\"kubectl\""},
    {"each once", CAUSE(KUBECTL, ".spec.a") "," CAUSE(SCALE, ".b") "," CAUSE(KUBECTL, ".c"),
     "\"kubectl\", \"kube-controller-manager\""},
    {"a name with a quote", CAUSE("\\\"a\\\\\\\"b\\\" using v1", ".spec.a"), "\"a\\\"b\""},
    {"a name that never ends", CAUSE("\\\"a", ".spec.a"), NULL},
    {"no name", "{\"message\":\"conflict\"}", NULL},
    {"no causes", "", NULL},
};

static void managers_are_named(void **state)
{
    const struct managers_row *row = *state;
    dv_auto_str list = dv_asprintf("[%s]", row->causes);
    json_auto_t *causes = from_yaml(list);
    dv_auto_str managers = dv_conflict_managers(causes);

    assert_string_equal(managers ? managers : "nobody", row->managers ? row->managers : "nobody");
}

static void an_autoscaler_is_that_of_its_target(void **state DV_UNUSED)
{
    json_auto_t *object = from_yaml(WEB);
    json_auto_t *hpa =
        from_yaml("{kind: HorizontalPodAutoscaler, metadata: {name: h, namespace: n},"
                  " spec: {scaleTargetRef: {kind: Deployment, name: web}}}");
    DV_CLEANUP(dv_objref_done) dv_objref ref = dv_objref_of(object);

    assert_true(dv_is_autoscaled(&ref, hpa));
    dv_set_str(&ref.name, "other");
    assert_false(dv_is_autoscaled(&ref, hpa));
}

int main(void)
{
    dv_suite suite = {.name = "install/conflict"};

    DV_TABLE(&suite, row_yields, rows);
    DV_TABLE(&suite, managers_are_named, managers_rows);
    DV_TEST(&suite, an_autoscaler_is_that_of_its_target);
    return dv_suite_run(&suite);
}
