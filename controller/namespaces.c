/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: their labels, for the selectors of repositories, and which are being deleted. */
#include "operator.h"

typedef struct {
    dv_entry entry; /* first */
    dv_doc *labels; /* object; NULL: none */
    bool terminating;
} namespace_entry;

static void entry_free(dv_entry *entry)
{
    namespace_entry *ns = (namespace_entry *)entry;

    dv_doc_unref(ns->labels);
    free(ns);
}

dv_entry *namespace_reduce(void *arg, const json_t *object)
{
    namespace_entry *ns = DV_NEW(namespace_entry);
    const json_t *labels = dv_json_object(object, "/metadata/labels");

    (void)arg;
    dv_entry_init(&ns->entry, entry_free);
    ns->labels = labels ? dv_doc_new(labels) : NULL;
    ns->terminating = dv_obj_deleting(object);
    return &ns->entry;
}

/* Uninstalls that are held by what they may not delete end once their namespace goes. */
void namespace_changed(void *arg, const char *key, const dv_entry *old, const dv_entry *now)
{
    operator_t *op = arg;

    (void)old;
    if (!now || !((const namespace_entry *)now)->terminating)
        return;
    dv_entries all = dv_informer_list(op->pms);
    for (size_t i = 0; i < all.n; i++) {
        const dv_pm *pm = (dv_pm *)all.at[i];

        if (pm->deleted_at_ms && strcmp(pm->ns, key) == 0)
            dv_controller_enqueue(op->pm_controller, pm->key, 0);
    }
    dv_entries_done(&all);
}

static void unref_entry(dv_entry **at)
{
    dv_entry_unref(*at);
}

bool namespace_is_terminating(operator_t *op, const char *name)
{
    DV_CLEANUP(unref_entry) dv_entry *entry = dv_informer_get(op->namespaces, name);

    return entry && ((namespace_entry *)entry)->terminating;
}

/* ---- metav1.LabelSelector ---- */

static const char *label_of(const json_t *labels, const char *key)
{
    return json_string_value(json_object_get(labels, key));
}

static bool is_in(const json_t *values, const char *label)
{
    size_t i;
    json_t *value;

    json_array_foreach(values, i,
                       value) if (json_is_string(value) &&
                                  strcmp(json_string_value(value), label) == 0) return true;
    return false;
}

static bool expression_matches(const json_t *expression, const json_t *labels)
{
    const char *key = dv_json_str(expression, "/key"),
               *comparison = dv_json_str(expression, "/operator");
    const char *label = key ? label_of(labels, key) : NULL;
    const json_t *values = dv_json_array(expression, "/values");

    if (!key || !comparison)
        return false;
    if (strcmp(comparison, "In") == 0)
        return label && is_in(values, label);
    if (strcmp(comparison, "NotIn") == 0)
        return !label || !is_in(values, label);
    if (strcmp(comparison, "Exists") == 0)
        return label != NULL;
    return strcmp(comparison, "DoesNotExist") == 0 && !label;
}

static bool selector_matches(const json_t *selector, const json_t *labels)
{
    const char *key;
    json_t *wanted, *expression;
    size_t i;

    json_object_foreach(dv_json_object(selector, "/matchLabels"), key, wanted)
    {
        const char *label = label_of(labels, key);

        if (!label || !json_is_string(wanted) || strcmp(label, json_string_value(wanted)) != 0)
            return false;
    }
    json_array_foreach(dv_json_array(selector, "/matchExpressions"), i,
                       expression) if (!expression_matches(expression, labels)) return false;
    return true;
}

bool namespace_matches(operator_t *op, const char *name, const json_t *selector)
{
    DV_CLEANUP(unref_entry) dv_entry *entry = dv_informer_get(op->namespaces, name);
    const namespace_entry *ns = (namespace_entry *)entry;
    json_auto_t *labels = NULL;

    if (!ns)
        return false;
    if (ns->labels) {
        dv_err *err = dv_doc_parse(ns->labels, &labels);

        if (err) {
            dv_err_free(err);
            return false;
        }
    }
    return selector_matches(selector, labels);
}
