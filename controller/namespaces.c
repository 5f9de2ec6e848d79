/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: their labels, for the selectors of repositories, and which are being deleted. */
#include "kube/selector.h"
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
    return dv_selector_matches(selector, labels);
}
