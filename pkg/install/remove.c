/* SPDX-License-Identifier: Apache-2.0 */
#include "install/remove.h"

#include "install/batch.h"
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

/* By RBAC, or by an admission webhook: asking again does not help. */
static bool is_refused(const dv_err *err)
{
    return dv_err_is(err, DV_DENIED) || dv_err_is(err, DV_INVALID);
}

/*
 * NULL in *ret_resource: the kind is gone, and with it all its objects. That a version is served no
 * more says nothing about them.
 */
static dv_err *find_resource(dv_ctx *ctx, const dv_remove_env *env, const dv_objref *ref,
                             const dv_resource **ret_resource)
{
    dv_auto_str group = dv_str_dup(dv_api_group(ref->api_version));
    dv_err *err = dv_kube_resource(ctx, env->kube, ref->api_version, ref->kind, ret_resource);

    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        err = dv_kube_resource_preferred(ctx, env->kube, group, ref->kind, ret_resource);
    }
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

static dv_err *read_metadata(dv_ctx *ctx, const dv_remove_env *env, const dv_resource *resource,
                             const dv_objref *ref, json_t **ret_object)
{
    const dv_kube_request get = {
        .verb = DV_KUBE_GET,
        .resource = resource,
        .ns = ref->ns && *ref->ns ? ref->ns : NULL,
        .name = ref->name,
        .as = env->as,
        .metadata_only = true,
    };
    return dv_kube_do(ctx, env->kube, &get, ret_object);
}

/* ---- Whose is it? ---- */

/*
 * With the operator's own rights, which a kind that is watched is listed by: the account that may
 * not write an object may often not read it either. NOT_FOUND: there is none with our label.
 */
static dv_err *read_owned(dv_ctx *ctx, const dv_remove_env *env, const dv_resource *resource,
                          const dv_objref *ref, json_t **ret_object)
{
    dv_auto_str label = dv_asprintf(DV_LABEL_OWNER "=%s", env->pm->owner);
    dv_auto_str field = dv_asprintf("metadata.name=%s", ref->name);
    const dv_kube_request list = {
        .verb = DV_KUBE_LIST,
        .resource = resource,
        .ns = ref->ns && *ref->ns ? ref->ns : NULL,
        .label_selector = label,
        .field_selector = field,
        .metadata_only = true,
    };
    json_auto_t *found = NULL;

    DV_CHECK(dv_kube_do(ctx, env->kube, &list, &found));
    *ret_object = json_incref(dv_json_object(found, "/items/0"));
    if (!*ret_object)
        return dv_err_new(DV_NOT_FOUND, "NotFound", "%s \"%s\" is not there", ref->kind, ref->name);
    return NULL;
}

/*
 * An item without uid was listed before it was applied, and the run ended in between: it is ours
 * only if the cluster has it with our label. Sets its uid then; else *ret_ours is false. The watch
 * is believed only where it says that it is ours: it may lag behind that apply. Then it is read.
 */
static dv_err *find_unknown(dv_ctx *ctx, const dv_remove_env *env, const dv_resource *resource,
                            dv_inventory_item *item, bool *ret_ours)
{
    dv_auto_owned seen = NULL;
    json_auto_t *object = NULL;
    dv_owned_state state =
        dv_owned_get(env->owned, resource, item->ref.ns, item->ref.name, 0, &seen);

    *ret_ours = state == DV_OWNED_PRESENT && strcmp(seen->owner, env->pm->owner) == 0;
    if (*ret_ours) {
        dv_set_str(&item->ref.uid, seen->uid);
        item->adopted |= seen->adopted;
        return NULL;
    }
    dv_err *err = state == DV_OWNED_UNKNOWN ? read_metadata(ctx, env, resource, &item->ref, &object)
                                            : read_owned(ctx, env, resource, &item->ref, &object);
    if (dv_err_is(err, DV_NOT_FOUND) || (is_refused(err) && env->orphan_denied)) {
        dv_err_free(err);
        return NULL;
    }
    DV_CHECK(err);
    const char *owner = dv_obj_label(object, DV_LABEL_OWNER);
    *ret_ours = owner && strcmp(owner, env->pm->owner) == 0;
    dv_set_str(&item->ref.uid, dv_obj_uid(object));
    item->adopted |= dv_obj_annotation(object, DV_ANNOTATION_ADOPTED) != NULL;
    return NULL;
}

static bool has_uid(const dv_inventory_item *item)
{
    return item->ref.uid && *item->ref.uid;
}

/* What the watch knows; false: it has to be asked by deleting. */
static bool fate_from_watch(const dv_remove_env *env, const dv_inventory_item *item, fate *f)
{
    dv_auto_owned seen = NULL;
    dv_owned_state state =
        dv_owned_get(env->owned, f->resource, item->ref.ns, item->ref.name, 0, &seen);

    /* Absence and another's uid may be a lag: deleting what is gone costs one request and is
     * certain. */
    if (state != DV_OWNED_PRESENT || strcmp(seen->uid, item->ref.uid) != 0)
        return false;
    f->pending = seen->deleting;
    f->finalizers = dv_strdup(seen->finalizers);
    return seen->deleting;
}

static dv_kube_request delete_request(const dv_remove_env *env, const dv_inventory_item *item,
                                      const fate *f)
{
    return (dv_kube_request){
        .verb = DV_KUBE_DELETE,
        .resource = f->resource,
        .ns = item->ref.ns && *item->ref.ns ? item->ref.ns : NULL,
        .name = item->ref.name,
        .as = env->as,
        .precondition_uid = item->ref.uid,
        .propagation = "Background",
    };
}

static char *blocking_finalizers(const json_t *object)
{
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(1024);
    size_t i;
    json_t *item;

    json_array_foreach(dv_json_array(object, "/metadata/finalizers"), i, item)
        dv_buf_addf(&names, "%s%s", i ? ", " : "", json_string_value(item));
    return names.n ? dv_buf_take(&names) : NULL;
}

/* Takes the result. An object as the answer is still there, a Status means that it is gone. */
static dv_err *fate_from_answer(dv_kube_result *result, fate *f)
{
    json_auto_t *object = result->object;

    if (dv_err_is(result->err, DV_NOT_FOUND)) {
        dv_err_free(result->err);
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

/* Fills the resource, or finds that there is nothing to delete. */
static dv_err *look_up(dv_ctx *ctx, const dv_remove_env *env, dv_inventory_item *item, fate *f)
{
    bool watched = false, ours = true;

    f->gone = false;
    DV_CHECK(find_resource(ctx, env, &item->ref, &f->resource));
    if (!f->resource) {
        f->gone = true;
        return NULL;
    }
    /* So that its end wakes us; where that is not allowed, the retry asks. */
    DV_CHECK(dv_owned_watch(ctx, env->owned, f->resource, &watched));
    if (!has_uid(item))
        DV_CHECK(find_unknown(ctx, env, f->resource, item, &ours));
    f->gone = !ours;
    return NULL;
}

/* Takes conflict. Another object has its name where the uid did not fit, or where it is asked and
 * another answers; else the conflict was another one. */
static dv_err *judge_conflict(dv_ctx *ctx, const dv_remove_env *env, const dv_inventory_item *item,
                              fate *f, dv_err *conflict)
{
    json_auto_t *object = NULL;
    dv_err *err = NULL;

    f->gone = strcmp(dv_err_reason(conflict), "UIDMismatch") == 0;
    if (!f->gone) {
        err = read_metadata(ctx, env, f->resource, &item->ref, &object);
        f->gone = dv_err_is(err, DV_NOT_FOUND) ||
                  (object && strcmp(dv_obj_uid(object), item->ref.uid) != 0);
    }
    if (!f->gone && !err)
        return conflict;
    dv_err_free(conflict);
    if (!f->gone)
        return err;
    dv_err_free(err);
    return NULL;
}

/* Is the object left behind for this error? Then it is listed, and the error freed. */
static bool leave_for(const dv_remove_env *env, const dv_objref *ref, dv_err **err,
                      dv_remove_result *out)
{
    const char *why = NULL;

    if (is_refused(*err) && env->orphan_denied)
        why = "deleting it is not permitted";
    else if (dv_err_is(*err, DV_TRANSIENT) && env->unanswered)
        why = "the API server can't answer for it";
    if (!why)
        return false;
    add_orphan(out, ref, why);
    dv_err_free(*err);
    *err = NULL;
    return true;
}

/* Sends deletes for the items `at`; errors of single objects are joined. */
static dv_err *delete_class(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items,
                            const size_t *at, size_t n, fate *fates, dv_remove_result *out)
{
    dv_kube_request *requests = dv_calloc(n, sizeof(*requests));
    dv_kube_result *results = dv_calloc(n, sizeof(*results));
    size_t *asked = dv_calloc(n, sizeof(*asked)), count = 0;
    dv_err *first = NULL;

    for (size_t i = 0; i < n; i++) {
        dv_inventory_item *item = &items->at[at[i]];
        dv_err *err = look_up(ctx, env, item, &fates[i]);

        if (err && leave_for(env, &item->ref, &err, out))
            fates[i].gone = true;
        first = dv_err_join(first, err);
        if (err || fates[i].gone)
            continue;
        if (fate_from_watch(env, item, &fates[i]))
            continue;
        requests[count] = delete_request(env, item, &fates[i]);
        asked[count++] = i;
    }
    dv_batch(ctx, env->kube, requests, count, results);
    for (size_t i = 0; i < count; i++) {
        fate *f = &fates[asked[i]];
        dv_err *err = fate_from_answer(&results[i], f);

        if (dv_err_is(err, DV_CONFLICT))
            err = judge_conflict(ctx, env, &items->at[at[asked[i]]], f, err);
        if (err && leave_for(env, &items->at[at[asked[i]]].ref, &err, out))
            f->gone = true;
        first = dv_err_join(first, err);
    }
    free(requests);
    free(results);
    free(asked);
    return first;
}

static dv_err *waiting_error(const dv_inventory *items, const size_t *at, size_t n,
                             const fate *fates)
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
    return dv_err_new(DV_WAITING, "AwaitingDeletion", "waiting until %s is gone",
                      dv_buf_cstr(&text));
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
static void drop_gone(dv_inventory *items, const size_t *at, size_t n, const fate *fates,
                      dv_remove_result *result)
{
    for (size_t i = 0; i < n; i++) {
        if (!fates[i].gone)
            continue;
        drop_item(items, at[i]);
        result->deleted++;
    }
}

dv_err *dv_remove_identify(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items)
{
    for (size_t i = items->n; i-- > 0;) {
        fate f = {0};

        if (has_uid(&items->at[i]))
            continue;
        dv_err *err = look_up(ctx, env, &items->at[i], &f);
        if (dv_err_is(err, DV_TRANSIENT) && env->unanswered) { /* it is left when its turn comes */
            dv_err_free(err);
            continue;
        }
        DV_CHECK(err);
        if (f.gone)
            drop_item(items, i);
    }
    return NULL;
}

/* ---- Leaving: without our label and annotations, so that nobody takes it for ours ---- */

/* It is gone, or another has its name. */
static bool is_no_more(const dv_err *err)
{
    return dv_err_is(err, DV_NOT_FOUND) ||
           (dv_err_is(err, DV_CONFLICT) && strcmp(dv_err_reason(err), "UIDMismatch") == 0);
}

static dv_err *orphan_one(dv_ctx *ctx, const dv_remove_env *env, dv_inventory_item *item,
                          const char *why, dv_remove_result *result)
{
    json_auto_t *patch =
        json_pack("{s:{s:{s:n},s:{s:n,s:n}}}", "metadata", "labels", DV_LABEL_OWNER, "annotations",
                  DV_ANNOTATION_PACKAGE, DV_ANNOTATION_ADOPTED);
    fate f = {0};

    dv_err *err = look_up(ctx, env, item, &f);
    if (err && leave_for(env, &item->ref, &err, result))
        return NULL;
    DV_CHECK(err);
    if (f.gone)
        return NULL;
    dv_json_put_str(dv_json_object(patch, "/metadata"), "uid",
                    item->ref.uid); /* one that was made anew is not ours to change */
    const dv_kube_request request = {
        .verb = DV_KUBE_MERGE_PATCH,
        .resource = f.resource,
        .ns = item->ref.ns && *item->ref.ns ? item->ref.ns : NULL,
        .name = item->ref.name,
        .as = env->as,
        .body = patch,
        .field_manager = DV_MANAGER_OBJECTS,
        .metadata_only = true,
    };
    err = dv_kube_do(ctx, env->kube, &request, /* ret_object= */ NULL);
    if (is_no_more(err)) {
        dv_err_free(err);
        return NULL;
    }
    if (!(is_refused(err) && env->orphan_denied) &&
        !(dv_err_is(err, DV_TRANSIENT) && env->unanswered))
        DV_TRY(err, "leaving %s \"%s\"", item->ref.kind, item->ref.name);
    dv_err_free(err);
    add_orphan(result, &item->ref, why);
    return NULL;
}

dv_err *dv_orphan(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items,
                  dv_remove_result *result)
{
    for (size_t i = items->n; i-- > 0;) {
        DV_CHECK(orphan_one(ctx, env, &items->at[i], "deletionPolicy: Orphan", result));
        drop_item(items, i);
    }
    return NULL;
}

static dv_err *leave_adopted(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items,
                             dv_remove_result *result)
{
    for (size_t i = items->n; i-- > 0;) {
        if (!items->at[i].adopted)
            continue;
        DV_CHECK(orphan_one(ctx, env, &items->at[i], "it was adopted", result));
        drop_item(items, i);
    }
    return NULL;
}

void dv_remove_leave_data(dv_inventory *items, dv_remove_result *result)
{
    for (size_t i = items->n; i-- > 0;) {
        const char *kind = items->at[i].ref.kind;

        if (strcmp(kind, "CustomResourceDefinition") != 0 && strcmp(kind, "Namespace") != 0 &&
            strcmp(kind, "PersistentVolumeClaim") != 0)
            continue;
        add_orphan(result, &items->at[i].ref, "it may hold the data of others");
        drop_item(items, i);
    }
}

/* ---- Removing ---- */

/* They were told to go, and will once whoever holds them lets go: nobody waits for that any more.
 */
static void leave_pending(const dv_inventory *items, const size_t *at, size_t n, fate *fates,
                          dv_remove_result *result)
{
    for (size_t i = 0; i < n; i++) {
        if (!fates[i].pending)
            continue;
        dv_auto_str why = dv_asprintf("it is being deleted%s%s",
                                      fates[i].finalizers ? ", held by finalizer " : "",
                                      fates[i].finalizers ? fates[i].finalizers : "");
        add_orphan(result, &items->at[at[i]].ref, why);
        fates[i].pending = false;
        fates[i].gone = true;
    }
}

dv_err *dv_remove(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items,
                  dv_remove_result *result)
{
    dv_err *err = leave_adopted(ctx, env, items, result);

    while (items->n && !err) {
        size_t *at = dv_calloc(items->n, sizeof(*at));
        size_t n = next_class(items, at);
        fate *fates = dv_calloc(n, sizeof(*fates));

        err = delete_class(ctx, env, items, at, n, fates, result);
        if (env->overdue)
            leave_pending(items, at, n, fates, result);
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
