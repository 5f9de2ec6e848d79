/* SPDX-License-Identifier: Apache-2.0 */
#include "install/pms.h"

#include "base/map.h"

void dv_pm_index(void *arg, const dv_entry *entry, dv_strings *ret_values)
{
    const dv_pm *pm = (const dv_pm *)entry;

    (void)arg;
    if (!pm->spec.manifest)
        dv_strings_take(ret_values, dv_asprintf("package:%s", pm->spec.package));
    for (size_t i = 0; i < pm->status.dependencies.n; i++)
        dv_strings_take(ret_values, dv_asprintf("needs:%s", pm->status.dependencies.at[i].name));
    const dv_condition *resolved = dv_condition_get(&pm->status.conditions, "Resolved");
    if (resolved && resolved->status && strcmp(resolved->status, "False") == 0)
        dv_strings_add(ret_values, "unresolved");
}

static int compare_age(const dv_pm *a, const dv_pm *b)
{
    int order = strcmp(a->creation_timestamp ? a->creation_timestamp : "",
                       b->creation_timestamp ? b->creation_timestamp : "");

    return order ? order : strcmp(a->key, b->key);
}

static int by_age(const void *a, const void *b)
{
    return compare_age(*(dv_pm *const *)a, *(dv_pm *const *)b);
}

dv_entries dv_pms_of_package(dv_informer *pms, const char *package)
{
    dv_auto_str value = dv_asprintf("package:%s", package);
    dv_entries found = dv_informer_by_index(pms, value);

    for (size_t i = found.n; i-- > 0;) {
        if (!((dv_pm *)found.at[i])->deleted_at_ms)
            continue;
        dv_entry_unref(found.at[i]);
        dv_vec_remove(&found, i);
    }
    if (found.n)
        qsort(found.at, found.n, sizeof(*found.at), by_age);
    return found;
}

dv_entries dv_pms_that_need(dv_informer *pms, const char *package)
{
    dv_auto_str value = dv_asprintf("needs:%s", package);

    return dv_informer_by_index(pms, value);
}

dv_entries dv_pms_unresolved(dv_informer *pms)
{
    return dv_informer_by_index(pms, "unresolved");
}

/* ---- Who has a package ---- */

/* What was listed before the first apply has no uid yet, and may never get one. */
bool dv_pm_is_installed(const dv_pm *pm)
{
    for (size_t i = 0; i < pm->status.inventory.n; i++)
        if (pm->status.inventory.at[i].ref.uid && *pm->status.inventory.at[i].ref.uid)
            return true;
    return pm->status.version != NULL;
}

static bool was_refused(const dv_pm *pm)
{
    return pm->status.observed_generation == pm->generation &&
           dv_condition_is_true(&pm->status.conditions, "Stalled");
}

bool dv_pm_has_claim(const dv_pm *pm)
{
    return dv_pm_is_installed(pm) || !(pm->spec.suspend || was_refused(pm));
}

static int rank(const dv_pm *pm)
{
    return dv_pm_is_installed(pm) ? 0 : dv_pm_has_claim(pm) ? 1 : 2;
}

bool dv_pm_is_before(const dv_pm *a, const dv_pm *b)
{
    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    if (a->is_dependency != b->is_dependency)
        return b->is_dependency;
    return compare_age(a, b) < 0;
}

dv_pm *dv_pms_first(dv_informer *pms, const char *package, const char *but)
{
    DV_CLEANUP(dv_entries_done) dv_entries all = dv_pms_of_package(pms, package);
    dv_pm *best = NULL;

    for (size_t i = 0; i < all.n; i++) {
        dv_pm *pm = (dv_pm *)all.at[i];

        if (strcmp(pm->key, but) != 0 && (!best || dv_pm_is_before(pm, best)))
            best = pm;
    }
    return best ? dv_pm_ref(best) : NULL;
}

bool dv_pm_is_needed(dv_informer *pms, const dv_pm *pm)
{
    dv_auto(dv_map) seen = dv_map_new(NULL);
    dv_strings todo = {0};
    bool needed = false;

    dv_strings_add(&todo, pm->spec.package);
    while (todo.n && !needed) {
        dv_auto_str package = todo.at[--todo.n];

        if (dv_map_get(seen, dv_str_of(package)))
            continue;
        dv_map_put(seen, dv_str_of(package), seen);
        DV_CLEANUP(dv_entries_done) dv_entries dependants = dv_pms_that_need(pms, package);
        for (size_t i = 0; i < dependants.n && !needed; i++) {
            const dv_pm *other = (dv_pm *)dependants.at[i];

            needed = !other->is_dependency;
            dv_strings_add(&todo, other->spec.package);
        }
    }
    dv_strings_done(&todo);
    return needed;
}

dv_err *dv_pm_check_unique(dv_informer *pms, const dv_pm *pm)
{
    DV_CLEANUP(dv_entries_done) dv_entries same = {0};

    if (!pm->spec.manifest)
        same = dv_pms_of_package(pms, pm->spec.package);
    for (size_t i = 0; i < same.n; i++) {
        const dv_pm *other = (dv_pm *)same.at[i];

        if (strcmp(other->key, pm->key) != 0 && dv_pm_has_claim(other) &&
            !dv_pm_is_before(pm, other))
            return dv_err_new(
                DV_DENIED, "AlreadyInstalled",
                "package \"%s\" is installed once a cluster, and PackageManifest %s has it already",
                pm->spec.package, other->key);
    }
    return NULL;
}

const char *dv_pm_ready_message(const dv_pm *pm)
{
    const dv_condition *ready = dv_condition_get(&pm->status.conditions, "Ready");

    return ready && ready->message && *ready->message ? ready->message : "not installed yet";
}
