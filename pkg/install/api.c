/* SPDX-License-Identifier: Apache-2.0 */
#include "install/api.h"

#include "base/crypto.h"

static const char *const upgrade_values[] = {"Manual", "Automatic", NULL};
static const char *const drift_values[] = {"Correct", "Report", "Ignore", NULL};
static const char *const conflict_values[] = {"Force", "Fail", NULL};
static const char *const adoption_values[] = {"Refuse", "Adopt", NULL};
static const char *const deletion_values[] = {"Delete", "Orphan", NULL};
static const char *const repo_type_values[] = {"Glasskube", "Marketplace", NULL};

enum {
    DEFAULT_INTERVAL_MS = 10 * 60 * 1000,
    DEFAULT_TIMEOUT_MS = 5 * 60 * 1000,
    DEFAULT_REPO_TIMEOUT_MS = 60 * 1000
};

/* The document members of a spec (manifest, values, …) are decoded as json_t beside the struct and
 * frozen. */
typedef struct {
    dv_pm_spec spec;
    json_t *manifest, *values;
} pm_spec_raw;
typedef struct {
    dv_pkgrepo_spec spec;
    json_t *namespace_selector;
} pkgrepo_spec_raw;

#define ROW(key, kind, holder, member)                                                             \
    {                                                                                              \
        .name = key, .type = kind, .offset = offsetof(holder, member)                              \
    }
#define ENUM(key, holder, member, texts)                                                           \
    {                                                                                              \
        .name = key, .type = DV_FIELD_ENUM, .offset = offsetof(holder, member), .values = texts    \
    }
#define LIST(key, holder, member, element_rows)                                                    \
    {                                                                                              \
        .name = key, .type = DV_FIELD_LIST, .offset = offsetof(holder, member),                    \
        .rows = element_rows, .n_rows = DV_LEN(element_rows),                                      \
        .size = sizeof(*((holder *)0)->member.at)                                                  \
    }

static const dv_field_row ignore_rows[] = {
    ROW("group", DV_FIELD_STR, dv_ignore_field, group),
    ROW("kind", DV_FIELD_STR, dv_ignore_field, kind),
    ROW("name", DV_FIELD_STR, dv_ignore_field, name),
    ROW("paths", DV_FIELD_STRINGS, dv_ignore_field, paths),
};
const dv_field_row dv_pm_spec_rows[] = {
    ROW("package", DV_FIELD_STR, pm_spec_raw, spec.package),
    ROW("version", DV_FIELD_STR, pm_spec_raw, spec.version),
    ROW("repository", DV_FIELD_STR, pm_spec_raw, spec.repository),
    ROW("manifest", DV_FIELD_JSON, pm_spec_raw, manifest),
    ROW("values", DV_FIELD_JSON, pm_spec_raw, values),
    ROW("targetNamespace", DV_FIELD_STR, pm_spec_raw, spec.target_namespace),
    ROW("serviceAccountName", DV_FIELD_STR, pm_spec_raw, spec.service_account),
    ENUM("upgradePolicy", pm_spec_raw, spec.upgrade_policy, upgrade_values),
    ENUM("driftPolicy", pm_spec_raw, spec.drift_policy, drift_values),
    ENUM("conflictPolicy", pm_spec_raw, spec.conflict_policy, conflict_values),
    ENUM("adoptionPolicy", pm_spec_raw, spec.adoption_policy, adoption_values),
    ENUM("deletionPolicy", pm_spec_raw, spec.deletion_policy, deletion_values),
    LIST("ignoreFields", pm_spec_raw, spec.ignore_fields, ignore_rows),
    ROW("interval", DV_FIELD_DURATION, pm_spec_raw, spec.interval_ms),
    ROW("timeout", DV_FIELD_DURATION, pm_spec_raw, spec.timeout_ms),
    ROW("suspend", DV_FIELD_BOOL, pm_spec_raw, spec.suspend),
};
const size_t dv_pm_spec_n_rows = DV_LEN(dv_pm_spec_rows);

static const dv_field_row condition_rows[] = {
    ROW("type", DV_FIELD_STR, dv_condition, type),
    ROW("status", DV_FIELD_STR, dv_condition, status),
    ROW("reason", DV_FIELD_STR, dv_condition, reason),
    {.name = "message",
     .type = DV_FIELD_STR,
     .offset = offsetof(dv_condition, message),
     .flags = DV_FIELD_REQUIRED},
    ROW("lastTransitionTime", DV_FIELD_STR, dv_condition, last_transition_time),
    ROW("observedGeneration", DV_FIELD_I64, dv_condition, observed_generation),
};
static const dv_field_row dependency_rows[] = {
    ROW("name", DV_FIELD_STR, dv_pm_dependency, name),
    ROW("range", DV_FIELD_STR, dv_pm_dependency, range),
    ROW("version", DV_FIELD_STR, dv_pm_dependency, version),
    ROW("requiredBy", DV_FIELD_STRINGS, dv_pm_dependency, required_by),
};
static const dv_field_row artifact_rows[] = {
    ROW("url", DV_FIELD_STR, dv_artifact, url),
    ROW("sha256", DV_FIELD_STR, dv_artifact, sha256),
};
static const dv_field_row inventory_rows[] = {
    ROW("apiVersion", DV_FIELD_STR, dv_inventory_item, ref.api_version),
    ROW("kind", DV_FIELD_STR, dv_inventory_item, ref.kind),
    ROW("namespace", DV_FIELD_STR, dv_inventory_item, ref.ns),
    ROW("name", DV_FIELD_STR, dv_inventory_item, ref.name),
    ROW("uid", DV_FIELD_STR, dv_inventory_item, ref.uid),
    ROW("adopted", DV_FIELD_BOOL, dv_inventory_item, adopted),
};
static const dv_field_row history_rows[] = {
    ROW("version", DV_FIELD_STR, dv_history_item, version),
    ROW("repository", DV_FIELD_STR, dv_history_item, repository),
    ROW("time", DV_FIELD_STR, dv_history_item, time),
    ROW("outcome", DV_FIELD_STR, dv_history_item, outcome),
    ROW("message", DV_FIELD_STR, dv_history_item, message),
};
const dv_field_row dv_pm_status_rows[] = {
    ROW("observedGeneration", DV_FIELD_I64, dv_pm_status, observed_generation),
    LIST("conditions", dv_pm_status, conditions, condition_rows),
    ROW("version", DV_FIELD_STR, dv_pm_status, version),
    ROW("attemptedVersion", DV_FIELD_STR, dv_pm_status, attempted_version),
    ROW("repository", DV_FIELD_STR, dv_pm_status, repository),
    ROW("latestVersion", DV_FIELD_STR, dv_pm_status, latest_version),
    LIST("dependencies", dv_pm_status, dependencies, dependency_rows),
    LIST("artifacts", dv_pm_status, artifacts, artifact_rows),
    LIST("inventory", dv_pm_status, inventory, inventory_rows),
    LIST("history", dv_pm_status, history, history_rows),
    ROW("lastHandledReconcileAt", DV_FIELD_STR, dv_pm_status, last_handled_reconcile_at),
};
const size_t dv_pm_status_n_rows = DV_LEN(dv_pm_status_rows);

static const dv_field_row secret_ref_rows[] = {
    ROW("name", DV_FIELD_STR, dv_pkgrepo_spec, secret_name)};
static const dv_field_row ca_secret_ref_rows[] = {
    ROW("name", DV_FIELD_STR, dv_pkgrepo_spec, ca_secret_name)};
const dv_field_row dv_pkgrepo_spec_rows[] = {
    ROW("url", DV_FIELD_STR, pkgrepo_spec_raw, spec.url),
    ENUM("type", pkgrepo_spec_raw, spec.type, repo_type_values),
    ROW("priority", DV_FIELD_I64, pkgrepo_spec_raw, spec.priority),
    ROW("packages", DV_FIELD_STRINGS, pkgrepo_spec_raw, spec.packages),
    ROW("interval", DV_FIELD_DURATION, pkgrepo_spec_raw, spec.interval_ms),
    ROW("timeout", DV_FIELD_DURATION, pkgrepo_spec_raw, spec.timeout_ms),
    ROW("insecure", DV_FIELD_BOOL, pkgrepo_spec_raw, spec.insecure),
    /* A reference is an object with a name: the element rows' offsets count from the spec itself.
     */
    {.name = "secretRef", .type = DV_FIELD_OBJECT, .rows = secret_ref_rows, .n_rows = 1},
    {.name = "caSecretRef", .type = DV_FIELD_OBJECT, .rows = ca_secret_ref_rows, .n_rows = 1},
    ROW("namespaceSelector", DV_FIELD_JSON, pkgrepo_spec_raw, namespace_selector),
    ROW("suspend", DV_FIELD_BOOL, pkgrepo_spec_raw, spec.suspend),
};
const size_t dv_pkgrepo_spec_n_rows = DV_LEN(dv_pkgrepo_spec_rows);

const dv_field_row dv_pkgrepo_status_rows[] = {
    ROW("observedGeneration", DV_FIELD_I64, dv_pkgrepo_status, observed_generation),
    LIST("conditions", dv_pkgrepo_status, conditions, condition_rows),
    ROW("packages", DV_FIELD_I64, dv_pkgrepo_status, packages),
    ROW("versions", DV_FIELD_I64, dv_pkgrepo_status, versions),
    ROW("revision", DV_FIELD_STR, dv_pkgrepo_status, revision),
    ROW("lastHandledReconcileAt", DV_FIELD_STR, dv_pkgrepo_status, last_handled_reconcile_at),
};
const size_t dv_pkgrepo_status_n_rows = DV_LEN(dv_pkgrepo_status_rows);

void dv_owner_of(const char *key, char ret_owner[21])
{
    char hex[DV_SHA256_HEX + 1];

    dv_sha256_hex(dv_str_of(key), hex);
    memcpy(ret_owner, hex, 20);
    ret_owner[20] = '\0';
}

void dv_set_str(char **slot, const char *text)
{
    char *copy = dv_strdup(text);

    free(*slot);
    *slot = copy;
}

static dv_doc *freeze(json_t *value)
{
    json_auto_t *taken = value;

    return taken ? dv_doc_new(taken) : NULL;
}

/* Unset texts of a wish read as "", so that nobody asks for NULL. */
static void fill_empty(char **slot)
{
    if (!*slot)
        *slot = dv_strdup("");
}

static dv_err *decode_pm_spec(const json_t *spec, dv_pm *pm)
{
    pm_spec_raw raw = {0};
    dv_err *err =
        spec ? dv_fields_decode(dv_pm_spec_rows, dv_pm_spec_n_rows, spec, "spec", &raw, NULL)
             : NULL;

    pm->spec = raw.spec;
    pm->spec.manifest = freeze(raw.manifest);
    pm->spec.values = freeze(raw.values);
    fill_empty(&pm->spec.package);
    fill_empty(&pm->spec.version);
    fill_empty(&pm->spec.repository);
    fill_empty(&pm->spec.target_namespace);
    fill_empty(&pm->spec.service_account);
    if (!*pm->spec.package && !pm->spec.manifest)
        dv_set_str(&pm->spec.package, pm->name);
    if (!pm->spec.interval_ms)
        pm->spec.interval_ms = DEFAULT_INTERVAL_MS;
    if (!pm->spec.timeout_ms)
        pm->spec.timeout_ms = DEFAULT_TIMEOUT_MS;
    return err;
}

static void pm_free(dv_entry *entry)
{
    dv_pm *pm = (dv_pm *)entry;
    pm_spec_raw raw = {.spec = pm->spec};

    dv_doc_unref(pm->spec.manifest);
    dv_doc_unref(pm->spec.values);
    dv_fields_free(dv_pm_spec_rows, dv_pm_spec_n_rows, &raw);
    dv_pm_status_done(&pm->status);
    free(pm->key);
    free(pm->ns);
    free(pm->name);
    free(pm->uid);
    free(pm->resource_version);
    free(pm->requested_at);
    free(pm->creation_timestamp);
    free(pm);
}

static bool has_finalizer(const json_t *object)
{
    const json_t *list = dv_json_array(object, "/metadata/finalizers");
    size_t i;
    json_t *item;

    json_array_foreach(list, i,
                       item) if (json_is_string(item) &&
                                 strcmp(json_string_value(item), DV_FINALIZER) == 0) return true;
    return false;
}

static int64_t deleted_at_ms(const json_t *object)
{
    dv_str text = dv_json_view(object, "/metadata/deletionTimestamp");
    int64_t at_us = 1000; /* being deleted counts, however the time is written */

    if (!text.n)
        return 0;
    dv_err_free(dv_time_parse(text, &at_us));
    return at_us / 1000;
}

static bool annotation_is_true(const json_t *object, const char *key)
{
    const char *value = dv_obj_annotation(object, key);

    return value && strcmp(value, "true") == 0;
}

static void decode_pm_meta(const json_t *object, dv_pm *pm)
{
    pm->ns = dv_strdup(dv_obj_ns(object));
    pm->name = dv_strdup(dv_obj_name(object));
    pm->uid = dv_strdup(dv_obj_uid(object));
    pm->resource_version = dv_strdup(dv_obj_rv(object));
    pm->key = dv_key_make(pm->ns, pm->name);
    dv_owner_of(pm->key, pm->owner);
    pm->requested_at = dv_strdup(dv_obj_annotation(object, DV_ANNOTATION_REQUESTED));
    pm->creation_timestamp = dv_strdup(dv_json_str(object, "/metadata/creationTimestamp"));
    pm->generation = dv_obj_generation(object);
    pm->deleted_at_ms = deleted_at_ms(object);
    pm->has_finalizer = has_finalizer(object);
    pm->is_dependency = annotation_is_true(object, DV_ANNOTATION_DEPENDENCY);
    pm->allow_data_loss = annotation_is_true(object, DV_ANNOTATION_DATA_LOSS);
}

dv_err *dv_pm_decode(const json_t *object, dv_pm **ret_pm)
{
    dv_auto_pm pm = DV_NEW(dv_pm);
    json_t *status = dv_json_object(object, "/status");

    dv_entry_init(&pm->entry, pm_free);
    decode_pm_meta(object, pm);
    DV_CHECK(decode_pm_spec(dv_json_object(object, "/spec"), pm));
    if (status)
        DV_CHECK(dv_fields_decode(dv_pm_status_rows, dv_pm_status_n_rows, status, "status",
                                  &pm->status, NULL));
    *ret_pm = DV_TAKE(pm);
    return NULL;
}

dv_pm *dv_pm_ref(dv_pm *pm)
{
    dv_entry_ref(&pm->entry);
    return pm;
}

void dv_pm_unref(dv_pm *pm)
{
    if (pm)
        dv_entry_unref(&pm->entry);
}

dv_objref dv_pm_objref(const dv_pm *pm)
{
    return (dv_objref){.api_version = dv_strdup(DV_API_VERSION),
                       .kind = dv_strdup("PackageManifest"),
                       .ns = dv_strdup(pm->ns),
                       .name = dv_strdup(pm->name),
                       .uid = dv_strdup(pm->uid)};
}

json_t *dv_pm_status_encode(const dv_pm_status *status)
{
    return dv_fields_encode(dv_pm_status_rows, dv_pm_status_n_rows, status);
}

dv_pm_status dv_pm_status_dup(const dv_pm_status *status)
{
    dv_pm_status copy = {0};
    json_auto_t *json = dv_pm_status_encode(status);
    dv_err *err =
        dv_fields_decode(dv_pm_status_rows, dv_pm_status_n_rows, json, "status", &copy, NULL);

    DV_ASSERT(!err);
    return copy;
}

void dv_pm_status_done(dv_pm_status *status)
{
    dv_fields_free(dv_pm_status_rows, dv_pm_status_n_rows, status);
    *status = (dv_pm_status){0};
}

static void pkgrepo_free(dv_entry *entry)
{
    dv_pkgrepo *repo = (dv_pkgrepo *)entry;
    pkgrepo_spec_raw raw = {.spec = repo->spec};

    dv_doc_unref(repo->spec.namespace_selector);
    dv_fields_free(dv_pkgrepo_spec_rows, dv_pkgrepo_spec_n_rows, &raw);
    dv_pkgrepo_status_done(&repo->status);
    free(repo->name);
    free(repo->uid);
    free(repo->resource_version);
    free(repo->requested_at);
    free(repo);
}

static void unref_repo(dv_pkgrepo **at)
{
    dv_pkgrepo_unref(*at);
}

dv_err *dv_pkgrepo_decode(const json_t *object, dv_pkgrepo **ret_repo)
{
    DV_CLEANUP(unref_repo) dv_pkgrepo *repo = DV_NEW(dv_pkgrepo);
    json_t *status = dv_json_object(object, "/status");
    pkgrepo_spec_raw raw = {0};

    dv_entry_init(&repo->entry, pkgrepo_free);
    repo->name = dv_strdup(dv_obj_name(object));
    repo->uid = dv_strdup(dv_obj_uid(object));
    repo->resource_version = dv_strdup(dv_obj_rv(object));
    repo->requested_at = dv_strdup(dv_obj_annotation(object, DV_ANNOTATION_REQUESTED));
    repo->generation = dv_obj_generation(object);
    repo->deleting = dv_obj_deleting(object);
    dv_err *err = dv_fields_decode(dv_pkgrepo_spec_rows, dv_pkgrepo_spec_n_rows,
                                   dv_json_object(object, "/spec"), "spec", &raw, NULL);
    repo->spec = raw.spec;
    repo->spec.namespace_selector = freeze(raw.namespace_selector);
    fill_empty(&repo->spec.url);
    if (!repo->spec.interval_ms)
        repo->spec.interval_ms = DEFAULT_INTERVAL_MS;
    if (!repo->spec.timeout_ms)
        repo->spec.timeout_ms = DEFAULT_REPO_TIMEOUT_MS;
    DV_CHECK(err);
    if (status)
        DV_CHECK(dv_fields_decode(dv_pkgrepo_status_rows, dv_pkgrepo_status_n_rows, status,
                                  "status", &repo->status, NULL));
    *ret_repo = DV_TAKE(repo);
    return NULL;
}

void dv_pkgrepo_unref(dv_pkgrepo *repo)
{
    if (repo)
        dv_entry_unref(&repo->entry);
}

json_t *dv_pkgrepo_status_encode(const dv_pkgrepo_status *status)
{
    return dv_fields_encode(dv_pkgrepo_status_rows, dv_pkgrepo_status_n_rows, status);
}

dv_pkgrepo_status dv_pkgrepo_status_dup(const dv_pkgrepo_status *status)
{
    dv_pkgrepo_status copy = {0};
    json_auto_t *json = dv_pkgrepo_status_encode(status);
    dv_err *err = dv_fields_decode(dv_pkgrepo_status_rows, dv_pkgrepo_status_n_rows, json, "status",
                                   &copy, NULL);

    DV_ASSERT(!err);
    return copy;
}

void dv_pkgrepo_status_done(dv_pkgrepo_status *status)
{
    dv_fields_free(dv_pkgrepo_status_rows, dv_pkgrepo_status_n_rows, status);
    *status = (dv_pkgrepo_status){0};
}

static dv_condition *find_condition(const dv_conditions *conditions, const char *type)
{
    for (size_t i = 0; i < conditions->n; i++)
        if (conditions->at[i].type && strcmp(conditions->at[i].type, type) == 0)
            return &conditions->at[i];
    return NULL;
}

void dv_condition_set(dv_conditions *conditions, const char *type, const char *status,
                      const char *reason, const char *message, int64_t generation,
                      int64_t now_unix_ms)
{
    dv_condition *c = find_condition(conditions, type);

    if (!c) {
        c = dv_vec_push(conditions);
        c->type = dv_strdup(type);
    }
    if (!c->status || strcmp(c->status, status) != 0) {
        DV_CLEANUP(dv_buf_done) dv_buf time = DV_BUF_INIT(64);

        dv_time_add(&time, now_unix_ms);
        dv_set_str(&c->last_transition_time, dv_buf_cstr(&time));
        dv_set_str(&c->status, status);
    }
    dv_set_str(&c->reason, reason);
    dv_set_str(&c->message, message);
    c->observed_generation = generation;
}

static void condition_done(dv_condition *c)
{
    free(c->type);
    free(c->status);
    free(c->reason);
    free(c->message);
    free(c->last_transition_time);
}

void dv_condition_drop(dv_conditions *conditions, const char *type)
{
    dv_condition *c = find_condition(conditions, type);

    if (!c)
        return;
    condition_done(c);
    dv_vec_remove(conditions, (size_t)(c - conditions->at));
}

const dv_condition *dv_condition_get(const dv_conditions *conditions, const char *type)
{
    return find_condition(conditions, type);
}

bool dv_condition_is_true(const dv_conditions *conditions, const char *type)
{
    const dv_condition *c = find_condition(conditions, type);

    return c && c->status && strcmp(c->status, "True") == 0;
}

dv_inventory_item *dv_inventory_find(dv_inventory *inventory, const dv_objref *ref)
{
    for (size_t i = 0; i < inventory->n; i++)
        if (dv_objref_same(&inventory->at[i].ref, ref))
            return &inventory->at[i];
    return NULL;
}

dv_inventory_item *dv_inventory_add(dv_inventory *inventory, const dv_objref *ref)
{
    dv_inventory_item *item = dv_inventory_find(inventory, ref);

    if (item)
        return item;
    item = dv_vec_push(inventory);
    item->ref = dv_objref_dup(ref);
    return item;
}

dv_inventory dv_inventory_dup(const dv_inventory *inventory)
{
    dv_inventory copy = {0};

    for (size_t i = 0; i < inventory->n; i++)
        *dv_vec_push(&copy) =
            (dv_inventory_item){dv_objref_dup(&inventory->at[i].ref), inventory->at[i].adopted};
    return copy;
}

void dv_inventory_done(dv_inventory *inventory)
{
    for (size_t i = 0; i < inventory->n; i++)
        dv_objref_done(&inventory->at[i].ref);
    dv_vec_done(inventory);
}

void dv_artifacts_done(dv_artifacts *artifacts)
{
    for (size_t i = 0; i < artifacts->n; i++) {
        free(artifacts->at[i].url);
        free(artifacts->at[i].sha256);
    }
    dv_vec_done(artifacts);
}
