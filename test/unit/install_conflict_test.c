/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields are given up when another manager has them. */
#include "install/conflict.h"

#include "testlib.h"

#define SCHEDULE                                                                                   \
    "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using batch/v1: .spec.schedule"
#define SCALED                                                                                     \
    "Apply failed with 1 conflict: conflict with \"kube-controller-manager\" with subresource "    \
    "\"scale\": .spec.replicas"

static const struct row {
    const char *name, *message, *pointer;
    bool want;
} rows[] = {
    {"the field itself", SCHEDULE, "/spec/schedule", true},
    {"a field above it", SCHEDULE, "/spec", true},
    {"a sibling with the same beginning", ".spec.scheduleTime", "/spec/schedule", false},
    {"another field", SCHEDULE, "/spec/suspend", false},
    {"the same name elsewhere", ".spec.template.schedule", "/spec/schedule", false},
    {"an element of a list", ".spec.containers[name=\"a\"].image", "/spec/containers/0/image",
     true},
    {"another member of an element", ".spec.containers[name=\"a\"].image",
     "/spec/containers/0/command", false},
    {"an escaped key", ".metadata.annotations.example.com/x",
     "/metadata/annotations/example.com~1x", true},
    {"the empty pointer names nothing", SCHEDULE, "", false},
    {"one of several", "conflicts: .data.a, .data.b", "/data/b", true},
    {"a selector that never ends", ".spec.containers[name=", "/spec/containers/0/image", false},
};

static void row_names(void **state)
{
    const struct row *row = *state;

    assert_int_equal(dv_conflict_names(row->message, row->pointer), row->want);
}

static json_t *deployment(void)
{
    return json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:i,s:s}}", "apiVersion", "apps/v1", "kind",
                     "Deployment", "metadata", "name", "web", "namespace", "n", "spec", "replicas",
                     3, "strategy", "x");
}

static bool yield(json_t *object, const dv_pm_spec *spec, const char *message)
{
    DV_CLEANUP(dv_objref_done) dv_objref ref = dv_objref_of(object);

    return dv_conflict_yield(object, &ref, spec, /* autoscaled= */ false, message);
}

static void replicas_yield_to_an_autoscaler(void **state)
{
    json_auto_t *object = deployment();

    (void)state;
    assert_true(yield(object, &(dv_pm_spec){0}, SCALED));
    assert_null(dv_json_at(object, "/spec/replicas"));
    assert_non_null(dv_json_at(object, "/spec/strategy"));
}

static void replicas_are_taken_back_from_a_person(void **state)
{
    json_auto_t *object = deployment();

    (void)state;
    assert_false(yield(object, &(dv_pm_spec){0},
                       "conflict with \"kubectl\" with subresource \"scale\": .spec.replicas"));
    assert_non_null(dv_json_at(object, "/spec/replicas"));
}

static void replicas_yield_to_anybody_under_an_autoscaler(void **state)
{
    json_auto_t *object = deployment();
    json_auto_t *hpa = json_pack(
        "{s:s,s:{s:s,s:s},s:{s:{s:s,s:s}}}", "kind", "HorizontalPodAutoscaler", "metadata", "name",
        "h", "namespace", "n", "spec", "scaleTargetRef", "kind", "Deployment", "name", "web");
    DV_CLEANUP(dv_objref_done) dv_objref ref = dv_objref_of(object);

    (void)state;
    assert_true(dv_is_autoscaled(&ref, hpa));
    assert_true(dv_conflict_yield(object, &ref, &(dv_pm_spec){0}, true,
                                  "conflict with \"kubectl\": .spec.replicas"));
    assert_null(dv_json_at(object, "/spec/replicas"));
    dv_set_str(&ref.name, "other");
    assert_false(dv_is_autoscaled(&ref, hpa));
}

static void ignored_fields_yield_on_their_kind_only(void **state)
{
    json_auto_t *object = deployment();
    dv_pm_spec spec = {0};
    dv_ignore_field *ignore = dv_vec_push(&spec.ignore_fields);

    (void)state;
    ignore->group = dv_strdup("apps");
    ignore->kind = dv_strdup("StatefulSet");
    dv_strings_add(&ignore->paths, "/spec/strategy");
    assert_false(yield(object, &spec, "conflict with \"x\": .spec.strategy"));
    dv_set_str(&ignore->kind, "Deployment");
    assert_false(yield(object, &spec, "conflict with \"x\": .spec.other"));
    assert_true(yield(object, &spec, "conflict with \"x\": .spec.strategy"));
    assert_null(dv_json_at(object, "/spec/strategy"));
    free(ignore->group);
    free(ignore->kind);
    dv_strings_done(&ignore->paths);
    dv_vec_done(&spec.ignore_fields);
}

static void bundles_yield_to_their_injector(void **state)
{
    json_auto_t *object = json_pack(
        "{s:s,s:s,s:{s:s},s:[{s:s,s:{s:s,s:s}}]}", "apiVersion", "admissionregistration.k8s.io/v1",
        "kind", "ValidatingWebhookConfiguration", "metadata", "name", "w", "webhooks", "name", "a",
        "clientConfig", "caBundle", "QQ==", "url", "https://x");

    (void)state;
    assert_true(yield(object, &(dv_pm_spec){0},
                      "conflict with \"cainjector\": .webhooks[name=\"a\"].clientConfig.caBundle"));
    assert_null(dv_json_at(object, "/webhooks/0/clientConfig/caBundle"));
    assert_non_null(dv_json_at(object, "/webhooks/0/clientConfig/url"));
}

int main(void)
{
    dv_suite suite = {.name = "install/conflict"};

    DV_TABLE(&suite, row_names, rows);
    DV_TEST(&suite, replicas_yield_to_an_autoscaler);
    DV_TEST(&suite, replicas_are_taken_back_from_a_person);
    DV_TEST(&suite, replicas_yield_to_anybody_under_an_autoscaler);
    DV_TEST(&suite, ignored_fields_yield_on_their_kind_only);
    DV_TEST(&suite, bundles_yield_to_their_injector);
    return dv_suite_run(&suite);
}
