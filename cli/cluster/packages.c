/* SPDX-License-Identifier: Apache-2.0 */
#include "semver/version.h"
#include "session.h"

const char *cli_package_of(const dv_pm *pm)
{
    return pm->spec.manifest ? pm->name : pm->spec.package;
}

bool cli_is_asked(const cli_session *session, const dv_pm *pm, const char *what)
{
    const char *scope = cli_session_scope(session);

    if (scope && strcmp(pm->ns, scope) != 0)
        return false;
    return !what || strcmp(cli_package_of(pm), what) == 0 || strcmp(pm->name, what) == 0 ||
           strcmp(pm->key, what) == 0;
}

int cli_newest_first(const void *a, const void *b)
{
    dv_version v, w;
    bool is_v = dv_version_is(dv_str_of(*(const char *const *)a), &v),
         is_w = dv_version_is(dv_str_of(*(const char *const *)b), &w);

    return is_v && is_w ? dv_version_cmp(&w, &v) : is_w - is_v;
}

json_t *cli_list_needs(const dv_lock_result *lock)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lock->dependencies.n; i++) {
        const dv_dependency *d = &lock->dependencies.at[i];
        const dv_locked *locked = dv_lock_find(lock, d->package);

        json_array_append_new(list, json_pack("{s:s,s:s,s:s*}", "package", d->package, "range",
                                              d->range ? d->range : "", "version",
                                              locked ? locked->version : NULL));
    }
    return list;
}
