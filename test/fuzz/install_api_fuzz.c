/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PackageManifest or PackageRepository that is read: its status, written and read again, is the
 * same, and a copy of it as well. Reading is never refused the second time.
 */
#include "install/api.h"

static json_t *status_of(const json_t *object, bool repository)
{
    json_t *status;

    if (repository) {
        dv_pkgrepo *repo = NULL;
        dv_auto(dv_err) refused = dv_pkgrepo_decode(object, &repo);

        if (refused)
            return NULL;
        dv_pkgrepo_status copy = dv_pkgrepo_status_dup(&repo->status);
        status = dv_pkgrepo_status_encode(&copy);
        dv_pkgrepo_status_done(&copy);
        dv_pkgrepo_unref(repo);
        return status;
    }
    dv_auto_pm pm = NULL;
    dv_auto(dv_err) refused = dv_pm_decode(object, &pm);
    if (refused)
        return NULL;
    DV_ASSERT(pm->spec.manifest || *pm->spec.package || !*pm->name);
    DV_ASSERT(pm->spec.version && pm->spec.repository && pm->spec.target_namespace);
    DV_ASSERT(pm->spec.interval_ms > 0 && pm->spec.timeout_ms > 0);
    DV_ASSERT(strlen(pm->owner) == 20);
    dv_pm_status copy = dv_pm_status_dup(&pm->status);
    status = dv_pm_status_encode(&copy);
    dv_pm_status_done(&copy);
    return status;
}

static void check(const json_t *object, bool repository)
{
    json_auto_t *first = status_of(object, repository);

    if (!first || !json_is_object(object)) /* anything else has neither spec nor status */
        return;
    json_auto_t *again = json_copy((json_t *)(uintptr_t)object); /* shallow */
    json_object_set(again, "status", first);
    json_auto_t *second = status_of(again, repository);
    DV_ASSERT(second && dv_json_equal(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *object = NULL;
    dv_auto(dv_err) unreadable = dv_json_read((dv_str){(const char *)data, size}, &object);

    if (unreadable)
        return 0;
    check(object, /* repository= */ false);
    check(object, /* repository= */ true);
    return 0;
}
