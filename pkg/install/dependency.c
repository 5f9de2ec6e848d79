/* SPDX-License-Identifier: Apache-2.0 */
#include "install/dependency.h"

/* ---- What the status says ---- */

static void dependency_done(dv_pm_dependency *d)
{
    free(d->name);
    free(d->range);
    free(d->version);
    dv_strings_done(&d->required_by);
}

static void add_demands_of(dv_pm_dependency *d, const dv_dependencies *list, const char *asker,
                           bool ours)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->at[i].package, d->name) != 0)
            continue;
        dv_strings_add(&d->required_by, asker);
        if (ours || !d->range) /* our own demand is what binds others through us */
            dv_set_str(&d->range, list->at[i].range);
    }
}

void dv_dependencies_list(const dv_lock_result *lock, const char *asker, dv_pm_status *status)
{
    for (size_t i = 0; i < status->dependencies.n; i++)
        dependency_done(&status->dependencies.at[i]);
    dv_vec_done(&status->dependencies);
    for (size_t i = 0; i < lock->closure.n; i++) {
        const dv_locked *l = &lock->closure.at[i];
        dv_pm_dependency *d = dv_vec_push(&status->dependencies);

        d->name = dv_strdup(l->package);
        d->version = dv_strdup(l->version);
        for (size_t k = 0; k < lock->closure.n; k++)
            add_demands_of(d, &lock->closure.at[k].dependencies, lock->closure.at[k].package,
                           false);
        add_demands_of(d, &lock->dependencies, asker, true);
    }
}

/* ---- The PackageManifest of a dependency ---- */

json_t *dv_dependency_object(const dv_locked *l, const char *operator_ns)
{
    json_t *object = dv_obj_new(DV_API_VERSION, "PackageManifest", operator_ns, l->package);

    dv_err_free(dv_json_set(object, "/metadata/annotations/davit.dev~1installed-as-dependency",
                            json_string("true")));
    dv_err_free(dv_json_set(object, "/spec/package", json_string(l->package)));
    dv_err_free(dv_json_set(object, "/spec/version", json_string(l->version)));
    if (l->repository)
        dv_err_free(dv_json_set(object, "/spec/repository", json_string(l->repository)));
    return object;
}

/* Nobody gives the package to others, but the name that it would have is taken. */
static dv_err *name_taken(const dv_pm *named, const dv_locked *l)
{
    if (named->deleted_at_ms)
        return dv_err_new(DV_WAITING, "DependencyTerminating",
                          "dependency \"%s\" is being removed; it is made anew once it is gone",
                          l->package);
    if (strcmp(named->spec.package, l->package) != 0 || named->spec.manifest)
        return dv_err_new(DV_DENIED, "DependencyNameTaken",
                          "package \"%s\" is needed, but PackageManifest %s, which would be it, "
                          "is for another",
                          l->package, named->key);
    return dv_err_new(DV_WAITING, "DependencyNotReady",
                      "waiting for dependency \"%s\" (PackageManifest %s): %s", l->package,
                      named->key,
                      named->spec.suspend ? "it is suspended" : dv_pm_ready_message(named));
}

static bool is_made_for(const dv_pm *pm, const dv_locked *l)
{
    return pm->is_dependency && !pm->deleted_at_ms && !pm->spec.manifest &&
           strcmp(pm->name, l->package) == 0 && strcmp(pm->spec.package, l->package) == 0;
}

dv_err *dv_dependency_decide(dv_informer *pms, const dv_pm *pm, const dv_locked *l,
                             const char *operator_ns, bool *ret_write, dv_pm **ret_there)
{
    dv_auto_pm provider = dv_pms_first(pms, l->package, pm->key);
    dv_auto_str key = dv_key_make(operator_ns, l->package);
    dv_auto_pm named = (dv_pm *)dv_informer_get(pms, key);

    *ret_write = false;
    if (provider && dv_pm_has_claim(provider) && !is_made_for(provider, l))
        return NULL;
    if (named && !is_made_for(named, l))
        return name_taken(named, l);
    *ret_write = !named || strcmp(named->spec.version, l->version) != 0;
    *ret_there = DV_TAKE(named);
    return NULL;
}
