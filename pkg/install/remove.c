/* SPDX-License-Identifier: Apache-2.0 */
#include "install/remove.h"

#include "install/order.h"

void dv_remove_result_done(dv_remove_result *result)
{
    dv_strings_done(&result->orphaned);
}

static dv_order order_of(const dv_inventory_item *item)
{
    dv_auto_str group = dv_str_dup(dv_api_group(item->ref.api_version));

    return dv_order_of(group, item->ref.kind);
}

static void drop_item(dv_inventory *items, size_t i)
{
    dv_objref_done(&items->at[i].ref);
    dv_vec_remove(items, i);
}

static void add_orphan(dv_remove_result *result, const dv_objref *ref, const char *why)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PATH_MAX);

    dv_objref_add(&text, ref);
    dv_buf_addf(&text, " (%s)", why);
    dv_strings_add(&result->orphaned, dv_buf_cstr(&text));
}

/* NULL in *ret_resource: the kind is gone, and with it all its objects. */
static dv_err *find_resource(dv_ctx *ctx, const dv_remove_env *env, const dv_objref *ref, const dv_resource **ret_resource)
{
    dv_err *err = dv_kube_resource(ctx, env->kube, ref->api_version, ref->kind, ret_resource);

    if (!dv_err_is(err, DV_NOT_FOUND))
        return err;
    dv_err_free(err);
    *ret_resource = NULL;
    return NULL;
}

/* ---- Deleting ---- */

typedef struct {
    const dv_resource *resource;
    bool gone, pending;
    char *finalizers; /* that block it; NULL: unknown */
} fate;

/* What the watch knows; false: it has to be asked by deleting. */
static bool fate_from_watch(const dv_remove_env *env, const dv_inventory_item *item, fate *f)
{
    dv_auto_owned seen = NULL;
    dv_owned_state state = dv_owned_get(env->owned, f->resource, item->ref.ns, item->ref.name, 0, &seen);

    if (state != DV_OWNED_PRESENT)
        return false; /* absence may be a lag: deleting what is gone costs one request and is certain */
    if (item->ref.uid && *item->ref.uid && strcmp(seen->uid, item->ref.uid) != 0) {
        f->gone = true; /* another object has its name */
        return true;
    }
    f->pending = seen->deleting;
    f->finalizers = dv_strdup(seen->finalizers);
    return seen->deleting;
}

static dv_kube_request delete_request(const dv_remove_env *env, const dv_inventory_item *item, const fate *f)
{
    return (dv_kube_request){
        .verb = DV_KUBE_DELETE,
        .resource = f->resource,
        .ns = item->ref.ns && *item->ref.ns ? item->ref.ns : NULL,
        .name = item->ref.name,
        .as = env->as,
        .precondition_uid = item->ref.uid && *item->ref.uid ? item->ref.uid : NULL,
        .propagation = "Background",
    };
}

static char *blocking_finalizers(const json_t *object)
{
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(1024);
    size_t i;
    json_t *item;

    json_array_foreach (dv_json_array(object, "/metadata/finalizers"), i, item)
        dv_buf_addf(&names, "%s%s", i ? ", " : "", json_string_value(item));
    return names.n ? dv_buf_take(&names) : NULL;
}

/* Takes the result. An object as the answer is still there, a Status means that it is gone. */
static dv_err *fate_from_answer(dv_kube_result *result, fate *f)
{
    json_auto_t *object = result->object;

    if (dv_err_is(result->err, DV_NOT_FOUND) || dv_err_is(result->err, DV_CONFLICT)) {
        dv_err_free(result->err); /* gone, or replaced by one that is not ours */
        f->gone = true;
        return NULL;
    }
    if (result->err)
        return result->err;
    f->pending = dv_obj_deleting(object) || strcmp(dv_obj_kind(object), "Status") != 0;
    f->gone = !f->pending;
    f->finalizers = blocking_finalizers(object);
    return NULL;
}

/* Sends deletes for items [from, to); errors of single objects are joined. */
static dv_err *delete_class(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items, const size_t *at,
                            size_t n, fate *fates, dv_remove_result *out)
{
    dv_kube_request *requests = dv_calloc(n, sizeof(*requests));
    dv_kube_result *results = dv_calloc(n, sizeof(*results));
    size_t *asked = dv_calloc(n, sizeof(*asked)), count = 0;
    dv_err *first = NULL;

    for (size_t i = 0; i < n; i++) {
        const dv_inventory_item *item = &items->at[at[i]];
        bool watched = false;
        dv_err *err = find_resource(ctx, env, &item->ref, &fates[i].resource);

        if (!err && fates[i].resource) /* so that its end wakes us; refused is fine: then the retry asks */
            err = dv_owned_watch(ctx, env->owned, fates[i].resource, &watched);
        first = dv_err_join(first, err);
        if (err || !fates[i].resource) {
            fates[i].gone = !err;
            continue;
        }
        if (fate_from_watch(env, item, &fates[i]))
            continue;
        requests[count] = delete_request(env, item, &fates[i]);
        asked[count++] = i;
    }
    dv_kube_batch(ctx, env->kube, requests, count, results);
    for (size_t i = 0; i < count; i++) {
        fate *f = &fates[asked[i]];
        dv_err *err = fate_from_answer(&results[i], f);

        if (dv_err_is(err, DV_DENIED) && env->orphan_denied) {
            add_orphan(out, &items->at[at[asked[i]]].ref, "deleting it is not permitted");
            dv_err_free(err);
            err = NULL;
            f->gone = true;
        }
        first = dv_err_join(first, err);
    }
    free(requests);
    free(results);
    free(asked);
    return first;
}

static dv_err *waiting_error(const dv_inventory *items, const size_t *at, size_t n, const fate *fates)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(4096);
    size_t told = 0;

    for (size_t i = 0; i < n; i++) {
        if (!fates[i].pending)
            continue;
        if (told++ < 5) {
            dv_buf_adds(&text, told > 1 ? ", " : "");
            dv_objref_add(&text, &items->at[at[i]].ref);
            if (fates[i].finalizers)
                dv_buf_addf(&text, " (held by finalizer %s)", fates[i].finalizers);
        }
    }
    if (told > 5)
        dv_buf_addf(&text, " and %zu more", told - 5);
    if (!told)
        return NULL;
    return dv_err_new(DV_WAITING, "AwaitingDeletion", "waiting until %s is gone", dv_buf_cstr(&text));
}

/* The items of the class that goes next, in reverse order; 0: nothing is left. */
static size_t next_class(const dv_inventory *items, size_t *ret_at)
{
    int order = -1;
    size_t n = 0;

    for (size_t i = 0; i < items->n; i++)
        order = DV_MAX(order, (int)order_of(&items->at[i]));
    for (size_t i = items->n; i-- > 0;)
        if ((int)order_of(&items->at[i]) == order)
            ret_at[n++] = i;
    return n;
}

/* `at` is descending, so dropping one leaves the indexes before it true. */
static void drop_gone(dv_inventory *items, const size_t *at, size_t n, const fate *fates, dv_remove_result *result)
{
    for (size_t i = 0; i < n; i++) {
        if (!fates[i].gone)
            continue;
        drop_item(items, at[i]);
        result->deleted++;
    }
}

static void drop_adopted(dv_inventory *items, dv_remove_result *result)
{
    for (size_t i = items->n; i-- > 0;) {
        if (!items->at[i].adopted)
            continue;
        add_orphan(result, &items->at[i].ref, "it was adopted");
        drop_item(items, i);
    }
}

dv_err *dv_remove(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items, dv_remove_result *result)
{
    dv_err *err = NULL;

    drop_adopted(items, result);
    while (items->n && !err) {
        size_t *at = dv_calloc(items->n, sizeof(*at));
        size_t n = next_class(items, at);
        fate *fates = dv_calloc(n, sizeof(*fates));

        err = delete_class(ctx, env, items, at, n, fates, result);
        if (!err)
            err = waiting_error(items, at, n, fates);
        drop_gone(items, at, n, fates, result);
        for (size_t i = 0; i < n; i++)
            free(fates[i].finalizers);
        free(fates);
        free(at);
    }
    return err;
}

/* ---- Orphaning ---- */

dv_err *dv_orphan(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items, dv_remove_result *result)
{
    json_auto_t *patch = json_pack("{s:{s:{s:n},s:{s:n}}}", "metadata", "labels", DV_LABEL_OWNER, "annotations",
                                   DV_ANNOTATION_PACKAGE);

    for (size_t i = items->n; i-- > 0;) {
        const dv_inventory_item *item = &items->at[i];
        const dv_resource *resource;

        DV_CHECK(find_resource(ctx, env, &item->ref, &resource));
        const dv_kube_request request = {
            .verb = DV_KUBE_MERGE_PATCH,
            .resource = resource,
            .ns = item->ref.ns && *item->ref.ns ? item->ref.ns : NULL,
            .name = item->ref.name,
            .as = env->as,
            .body = patch,
            .field_manager = DV_MANAGER_OBJECTS,
            .metadata_only = true,
        };
        dv_err *err = resource ? dv_kube_do(ctx, env->kube, &request, /* ret_object= */ NULL) : NULL;
        bool skip = dv_err_is(err, DV_NOT_FOUND) || (dv_err_is(err, DV_DENIED) && env->orphan_denied);
        if (!skip)
            DV_TRY(err, "leaving %s \"%s\"", item->ref.kind, item->ref.name);
        else
            dv_err_free(err);
        add_orphan(result, &item->ref, "deletionPolicy: Orphan");
        drop_item(items, i);
    }
    return NULL;
}
