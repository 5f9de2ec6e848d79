/* SPDX-License-Identifier: Apache-2.0 */
/* What a status says of a lock. */
#include "install/lock.h"

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

void dv_lock_list_dependencies(const dv_lock_result *lock, const char *asker, dv_pm_status *status)
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
