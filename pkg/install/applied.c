/* SPDX-License-Identifier: Apache-2.0 */
#include "install/applied.h"

static void item_done(dv_applied_item *item)
{
    dv_objref_done(&item->ref);
    free(item->rival);
}

void dv_applied_done(dv_applied *applied)
{
    for (size_t i = 0; i < applied->items.n; i++)
        item_done(&applied->items.at[i]);
    dv_vec_done(&applied->items);
    *applied = (dv_applied){0};
}

dv_applied_item *dv_applied_find(dv_applied *applied, const dv_objref *ref)
{
    for (size_t i = 0; i < applied->items.n; i++)
        if (dv_objref_same(&applied->items.at[i].ref, ref))
            return &applied->items.at[i];
    return NULL;
}

dv_applied_item *dv_applied_add(dv_applied *applied, const dv_object *object)
{
    dv_applied_item *item = dv_applied_find(applied, &object->ref);

    if (!item) {
        item = dv_vec_push(&applied->items);
        item->ref = dv_objref_dup(&object->ref);
    }
    item->resource = object->resource;
    return item;
}

static bool is_among(const dv_objects *objects, const dv_objref *ref)
{
    for (size_t i = 0; i < objects->all.n; i++)
        if (dv_objref_same(&objects->all.at[i].ref, ref))
            return true;
    return false;
}

void dv_applied_keep(dv_applied *applied, const dv_objects *objects)
{
    for (size_t i = applied->items.n; i-- > 0;) {
        if (is_among(objects, &applied->items.at[i].ref))
            continue;
        item_done(&applied->items.at[i]);
        dv_vec_remove(&applied->items, i);
    }
}

bool dv_applied_corrected(dv_applied_item *item, int64_t now_ms)
{
    int64_t *times = item->corrected_ms, oldest;

    memmove(&times[1], &times[0], (DV_CORRECTIONS_MAX - 1) * sizeof(times[0]));
    times[0] = now_ms;
    oldest = times[DV_CORRECTIONS_MAX - 1];
    if (!oldest || now_ms - oldest > DV_RIVAL_WINDOW_MS)
        return false;
    item->rest_until_ms = now_ms + DV_RIVAL_REST_MS;
    return true;
}

dv_drift dv_applied_drift(dv_owned *owned, const dv_applied_item *item)
{
    dv_auto_owned seen = NULL;

    if (item->foreign)
        return DV_DRIFT_NONE;
    switch (
        dv_owned_get(owned, item->resource, item->ref.ns, item->ref.name, item->revision, &seen)) {
    case DV_OWNED_UNKNOWN:
        return DV_DRIFT_UNKNOWN;
    case DV_OWNED_ABSENT:
        return DV_DRIFT_GONE;
    case DV_OWNED_LAGGING:
        return DV_DRIFT_NONE;
    case DV_OWNED_PRESENT:
        break;
    }
    if (strcmp(seen->uid, item->ref.uid) != 0)
        return DV_DRIFT_SUSPECT;
    if (item->generation && seen->generation)
        return seen->generation == item->generation ? DV_DRIFT_NONE : DV_DRIFT_SUSPECT;
    return seen->revision == item->revision ? DV_DRIFT_NONE : DV_DRIFT_SUSPECT;
}
