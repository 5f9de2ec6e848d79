/* SPDX-License-Identifier: Apache-2.0 */
/* Our kinds as structs: the tables agree with crds/, what is read is what was written. */
#include "install/api.h"

#include "base/file.h"
#include "testlib.h"
#include "yaml/yaml.h"

/* ---- The field tables and the CRDs ---- */

static const struct table {
    const char *name, *file, *pointer;
    const dv_field_row *rows;
    const size_t *n;
} tables[] = {
    {"PackageManifest's spec", "davit.dev_packagemanifests.yaml", "/spec", dv_pm_spec_rows,
     &dv_pm_spec_n_rows},
    {"PackageManifest's status", "davit.dev_packagemanifests.yaml", "/status", dv_pm_status_rows,
     &dv_pm_status_n_rows},
    {"PackageRepository's spec", "davit.dev_packagerepositories.yaml", "/spec",
     dv_pkgrepo_spec_rows, &dv_pkgrepo_spec_n_rows},
    {"PackageRepository's status", "davit.dev_packagerepositories.yaml", "/status",
     dv_pkgrepo_status_rows, &dv_pkgrepo_status_n_rows},
};

static json_t *read_crd(const char *file)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto_str path = dv_asprintf("%s/crds/%s", DV_SOURCE_DIR, file);
    json_t *doc = NULL;

    assert_ok(dv_file_read(path, &text));
    assert_ok(dv_yaml_read(dv_buf_str(&text), NULL, &doc));
    return doc;
}

static const char *schema_type(dv_field_type type)
{
    switch (type) {
    case DV_FIELD_STR:
    case DV_FIELD_DURATION:
    case DV_FIELD_ENUM:
        return "string";
    case DV_FIELD_BOOL:
        return "boolean";
    case DV_FIELD_I64:
    case DV_FIELD_OPT_I64:
        return "integer";
    case DV_FIELD_STRINGS:
    case DV_FIELD_LIST:
        return "array";
    case DV_FIELD_OBJECT:
    case DV_FIELD_JSON:
        return "object";
    }
    return "";
}

static void compare(const dv_field_row *rows, size_t n, const json_t *schema);

static void compare_row(const dv_field_row *row, const json_t *field)
{
    if (!field || strcmp(dv_json_str(field, "/type"), schema_type(row->type)) != 0)
        fail_msg("%s: not as in the CRD", row->name);
    if (row->type == DV_FIELD_ENUM)
        for (size_t i = 0; row->values[i]; i++)
            assert_string_equal(json_string_value(json_array_get(dv_json_array(field, "/enum"), i)),
                                row->values[i]);
    if (row->type == DV_FIELD_LIST)
        compare(row->rows, row->n_rows, dv_json_at(field, "/items"));
    if (row->type == DV_FIELD_OBJECT)
        compare(row->rows, row->n_rows, field);
}

static void compare(const dv_field_row *rows, size_t n, const json_t *schema)
{
    const json_t *properties = dv_json_object(schema, "/properties");
    const char *key;
    json_t *value;

    for (size_t i = 0; i < n; i++)
        compare_row(&rows[i], json_object_get(properties, rows[i].name));
    json_object_foreach((json_t *)(uintptr_t)properties, key, value)
    {
        bool found = false;

        for (size_t i = 0; i < n && !found; i++)
            found = strcmp(rows[i].name, key) == 0;
        if (!found)
            fail_msg("the CRD's field %s is in no table", key);
    }
}

static void table_agrees_with_crd(void **state)
{
    const struct table *table = *state;
    json_auto_t *crd = read_crd(table->file);
    dv_auto_str pointer =
        dv_asprintf("/spec/versions/0/schema/openAPIV3Schema/properties%s", table->pointer);

    compare(table->rows, *table->n, dv_json_at(crd, pointer));
}

/* ---- Reading ---- */

static dv_pm *read_pm(const char *text)
{
    json_auto_t *object = NULL;
    dv_pm *pm = NULL;

    assert_ok(dv_json_read(dv_str_of(text), &object));
    assert_ok(dv_pm_decode(object, &pm));
    return pm;
}

static void an_empty_spec_has_the_defaults(void **state)
{
    dv_auto_pm pm = read_pm("{\"metadata\":{\"name\":\"web\",\"namespace\":\"a\"},\"spec\":{}}");

    (void)state;
    assert_string_equal(pm->key, "a/web");
    assert_string_equal(pm->spec.package, "web");
    assert_string_equal(pm->spec.version, "");
    assert_int_equal(pm->spec.upgrade_policy, DV_UPGRADE_MANUAL);
    assert_int_equal(pm->spec.drift_policy, DV_DRIFT_CORRECT);
    assert_int_equal(pm->spec.adoption_policy, DV_ADOPT_REFUSE);
    assert_int_equal(pm->spec.interval_ms, 600000);
    assert_int_equal(pm->spec.timeout_ms, 300000);
}

static void an_inline_manifest_has_no_package_name(void **state)
{
    dv_auto_pm pm = read_pm("{\"metadata\":{\"name\":\"web\",\"namespace\":\"a\"},\"spec\":{"
                            "\"manifest\":{\"name\":\"x\"}}}");

    (void)state;
    assert_string_equal(pm->spec.package, "");
    assert_non_null(pm->spec.manifest);
}

static void metadata_that_matters_is_read(void **state)
{
    dv_auto_pm pm = read_pm(
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"a\",\"uid\":\"u1\",\"generation\":7,"
        "\"deletionTimestamp\":\"1970-01-01T00:00:05Z\",\"finalizers\":[\"other\",\"davit.dev/"
        "uninstall\"],"
        "\"annotations\":{\"davit.dev/installed-as-dependency\":\"true\",\"davit.dev/"
        "requestedAt\":\"now\","
        "\"davit.dev/allow-data-loss\":\"false\"}}}");

    (void)state;
    assert_string_equal(pm->uid, "u1");
    assert_int_equal(pm->generation, 7);
    assert_int_equal(pm->deleted_at_ms, 5000);
    assert_true(pm->has_finalizer);
    assert_true(pm->is_dependency);
    assert_false(pm->allow_data_loss);
    assert_string_equal(pm->requested_at, "now");
    assert_int_equal(strlen(pm->owner), 20);
}

static void a_status_survives_a_copy(void **state)
{
    dv_auto_pm pm = read_pm(
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"a\"},\"status\":{\"version\":\"1.0.0+1\","
        "\"observedGeneration\":3,"
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"Installed\","
        "\"message\":\"\",\"lastTransitionTime\":\"t\"}],"
        "\"dependencies\":[{\"name\":\"db\",\"range\":\"^1\",\"version\":\"1.2.0\",\"requiredBy\":["
        "\"web\"]}],"
        "\"inventory\":[{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"namespace\":\"n\",\"name\":"
        "\"s\",\"uid\":\"u\",\"adopted\":true}],"
        "\"artifacts\":[{\"url\":\"https://x/y\",\"sha256\":\"00\"}],"
        "\"history\":[{\"version\":\"1.0.0+1\",\"time\":\"t\",\"outcome\":\"Installed\"}]}}");
    dv_pm_status copy = dv_pm_status_dup(&pm->status);
    json_auto_t *first = dv_pm_status_encode(&pm->status), *second = dv_pm_status_encode(&copy);

    (void)state;
    assert_true(json_equal(first, second));
    assert_int_equal(copy.inventory.n, 1);
    assert_true(copy.inventory.at[0].adopted);
    assert_string_equal(copy.dependencies.at[0].required_by.at[0], "web");
    dv_pm_status_done(&copy);
}

static void a_repository_reads_its_references(void **state)
{
    json_auto_t *object = NULL;
    dv_pkgrepo *repo = NULL;

    (void)state;
    assert_ok(dv_json_read(
        DV_STR(
            "{\"metadata\":{\"name\":\"main\"},\"spec\":{\"url\":\"https://x/"
            "y\",\"priority\":5,\"interval\":\"1m\","
            "\"secretRef\":{\"name\":\"s\"},\"caSecretRef\":{\"name\":\"c\"},\"packages\":[\"a*\"],"
            "\"namespaceSelector\":{\"matchLabels\":{\"a\":\"b\"}}}}"),
        &object));
    assert_ok(dv_pkgrepo_decode(object, &repo));
    assert_string_equal(repo->spec.secret_name, "s");
    assert_string_equal(repo->spec.ca_secret_name, "c");
    assert_int_equal(repo->spec.priority, 5);
    assert_int_equal(repo->spec.interval_ms, 60000);
    assert_string_equal(repo->spec.packages.at[0], "a*");
    assert_non_null(repo->spec.namespace_selector);
    dv_pkgrepo_unref(repo);
}

/* ---- Conditions ---- */

static void a_transition_time_moves_with_the_status_only(void **state)
{
    dv_pm_status status = {0};

    (void)state;
    dv_condition_set(&status.conditions, "Ready", "False", "A", "a", 1, 1000);
    dv_condition_set(&status.conditions, "Ready", "False", "B", "b", 2, 2000);
    const dv_condition *ready = dv_condition_get(&status.conditions, "Ready");
    assert_string_equal(ready->last_transition_time, "1970-01-01T00:00:01Z");
    assert_string_equal(ready->reason, "B");
    assert_int_equal(ready->observed_generation, 2);
    dv_condition_set(&status.conditions, "Ready", "True", "C", "", 2, 3000);
    assert_string_equal(dv_condition_get(&status.conditions, "Ready")->last_transition_time,
                        "1970-01-01T00:00:03Z");
    assert_true(dv_condition_is_true(&status.conditions, "Ready"));
    dv_condition_drop(&status.conditions, "Ready");
    assert_null(dv_condition_get(&status.conditions, "Ready"));
    dv_pm_status_done(&status);
}

static void an_inventory_holds_an_object_once(void **state)
{
    dv_inventory inventory = {0};
    dv_objref v1 = {
        .api_version = "apps/v1", .kind = "Deployment", .ns = "n", .name = "a", .uid = ""};
    dv_objref beta = {
        .api_version = "apps/v1beta1", .kind = "Deployment", .ns = "n", .name = "a", .uid = ""};

    (void)state;
    dv_inventory_add(&inventory, &v1);
    dv_inventory_add(&inventory, &beta); /* the version doesn't make another object of it */
    assert_int_equal(inventory.n, 1);
    dv_inventory_done(&inventory);
}

int main(void)
{
    dv_suite suite = {.name = "install/api"};

    DV_TABLE(&suite, table_agrees_with_crd, tables);
    DV_TEST(&suite, an_empty_spec_has_the_defaults);
    DV_TEST(&suite, an_inline_manifest_has_no_package_name);
    DV_TEST(&suite, metadata_that_matters_is_read);
    DV_TEST(&suite, a_status_survives_a_copy);
    DV_TEST(&suite, a_repository_reads_its_references);
    DV_TEST(&suite, a_transition_time_moves_with_the_status_only);
    DV_TEST(&suite, an_inventory_holds_an_object_once);
    return dv_suite_run(&suite);
}
