/* SPDX-License-Identifier: Apache-2.0 */
#include "install/apply.h"

#include "install/batch.h"
#include "install/conflict.h"

/*
 * An object is applied only if absent (CREATE) or only if it is the one we know (UPDATE): the
 * API server compares metadata.resourceVersion and metadata.uid of an apply with the object's.
 * No object ever has resourceVersion 1, for etcd's first write is 2.
 */
#define NO_RESOURCE_VERSION "1"
/* The one we knew is gone, its name is taken, fields are given up, others are taken; one to spare.
 */
enum { ROUNDS_MAX = 6 };

typedef struct {
    const dv_object *object;
    json_t *rest; /* what is left of it once fields were given up; owned, NULL: all of it */
    char uid[40]; /* UPDATE: of the object that is meant; "": CREATE */
    bool force;   /* take fields that others own */
    bool adopted;
    bool autoscaled; /* an autoscaler of the package has its replicas */
    bool done;
} attempt;
typedef DV_VEC(attempt) attempts;

static void attempts_done(attempts *list)
{
    for (size_t i = 0; i < list->n; i++)
        json_decref(list->at[i].rest);
    dv_vec_done(list);
}

/* What is sent: the object as it is wished, less what yields to others. */
static json_t *body_of(const attempt *a)
{
    return a->rest ? a->rest : a->object->object;
}

static dv_err *owned_error(const dv_objref *ref, const char *package)
{
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PATH_MAX);

    dv_objref_add(&name, ref);
    return dv_err_new(DV_DENIED, "ObjectOwned", "%s belongs to PackageManifest %s",
                      dv_buf_cstr(&name), package && *package ? package : "(unknown)");
}

/* Does a living package other than ours own what the watch shows? */
static bool is_anothers(const dv_apply_env *env, const dv_owned_object *seen)
{
    return strcmp(seen->owner, env->pm->owner) != 0 && seen->package &&
           env->package_exists(env->arg, seen->package, seen->package_uid);
}

dv_err *dv_apply_check(dv_ctx *ctx, const dv_apply_env *env, const dv_objects *objects)
{
    for (size_t i = 0; i < objects->all.n; i++) /* all at once, then each is waited for */
        if (!objects->all.at[i].defined_here)
            DV_CHECK(dv_owned_start(ctx, env->owned, objects->all.at[i].resource));
    for (size_t i = 0; i < objects->all.n; i++) {
        const dv_object *o = &objects->all.at[i];
        dv_auto_owned seen = NULL;
        bool watched;

        if (o->defined_here) /* its kind may not be there yet: see apply_class() */
            continue;
        DV_CHECK(dv_owned_watch(ctx, env->owned, o->resource, &watched));
        if (!watched || dv_owned_get(env->owned, o->resource, o->ref.ns, o->ref.name, 0, &seen) !=
                            DV_OWNED_PRESENT)
            continue;
        /* A namespace is used, not claimed: the first package that brought it keeps it. */
        if (o->order != DV_ORDER_NAMESPACES && is_anothers(env, seen))
            return owned_error(&o->ref, seen->package);
    }
    return NULL;
}

/* ---- What is to be done with one object ---- */

/* A namespace that was another's when it was last looked at may be one that we have made since. */
static bool is_labelled_ours(const dv_apply_env *env, const dv_object *o)
{
    dv_auto_owned seen = NULL;

    return dv_owned_get(env->owned, o->resource, o->ref.ns, o->ref.name, 0, &seen) ==
               DV_OWNED_PRESENT &&
           strcmp(seen->owner, env->pm->owner) == 0;
}

static bool is_current(const dv_apply_env *env, const dv_object *o, dv_applied *applied)
{
    const dv_applied_item *item = dv_applied_find(applied, &o->ref);

    if (!item || strcmp(item->digest, o->digest) != 0)
        return false;
    if (item->foreign)
        return !is_labelled_ours(env, o);
    if (item->resting)
        return true;
    dv_drift drift = dv_applied_drift(env->owned, item);
    return drift == DV_DRIFT_NONE || (drift == DV_DRIFT_UNKNOWN && !applied->complete);
}

static const char *known_uid(const dv_object *o, dv_applied *applied, dv_inventory *inventory)
{
    const dv_applied_item *item = dv_applied_find(applied, &o->ref);
    const dv_inventory_item *listed = dv_inventory_find(inventory, &o->ref);

    if (item && item->ref.uid && *item->ref.uid)
        return item->ref.uid;
    return listed && listed->ref.uid ? listed->ref.uid : "";
}

static dv_applied_item *mark_foreign(dv_applied *applied, const dv_object *o)
{
    dv_applied_item *item = dv_applied_add(applied, o);

    item->foreign = true;
    memcpy(item->digest, o->digest, sizeof(item->digest));
    return item;
}

static bool is_autoscaled(const dv_objects *objects, const dv_object *o)
{
    for (size_t i = 0; i < objects->all.n; i++)
        if (dv_is_autoscaled(&o->ref, objects->all.at[i].object))
            return true;
    return false;
}

/* The object of this uid is meant. It was adopted if it says so, or if our inventory does. */
static void mean(attempt *a, const char *uid, bool marked, dv_inventory *inventory)
{
    const dv_inventory_item *listed = dv_inventory_find(inventory, &a->object->ref);
    bool same = *uid && listed && listed->ref.uid && strcmp(listed->ref.uid, uid) == 0;

    snprintf(a->uid, sizeof(a->uid), "%s", uid);
    a->adopted = marked || (same && listed->adopted);
}

/* Plans an attempt from what the watch shows; ret_attempt->done: nothing has to be sent. */
static dv_err *plan_attempt(const dv_apply_env *env, const dv_object *o, dv_applied *applied,
                            dv_inventory *inventory, attempt *ret_attempt)
{
    const dv_applied_item *item = dv_applied_find(applied, &o->ref);
    dv_auto_owned seen = NULL;
    dv_owned_state state = dv_owned_get(env->owned, o->resource, o->ref.ns, o->ref.name,
                                        item ? item->revision : 0, &seen);

    *ret_attempt = (attempt){.object = o};
    if (state == DV_OWNED_PRESENT) {
        if (is_anothers(env, seen)) {
            if (o->order != DV_ORDER_NAMESPACES)
                return owned_error(&o->ref, seen->package);
            mark_foreign(applied, o);
            ret_attempt->done = true;
        }
        mean(ret_attempt, seen->uid, seen->adopted, inventory);
    } else if (state != DV_OWNED_ABSENT) {
        mean(ret_attempt, known_uid(o, applied, inventory), /* marked= */ false, inventory);
    }
    return NULL;
}

/* ---- One batch ---- */

/*
 * What is adopted says so from the same write on: a run that ends before the inventory is written
 * must not leave it to be taken for one that we made.
 */
static void mark(const attempt *a, bool adopted)
{
    dv_json_put_str(dv_json_object(body_of(a), "/metadata/annotations"), DV_ANNOTATION_ADOPTED,
                    adopted ? "true" : NULL);
}

static void fill_request(const dv_apply_env *env, const attempt *a, dv_kube_request *ret_request)
{
    json_t *metadata = dv_json_object(body_of(a), "/metadata");

    dv_json_put_str(metadata, "uid", *a->uid ? a->uid : NULL);
    dv_json_put_str(metadata, "resourceVersion", *a->uid ? NULL : NO_RESOURCE_VERSION);
    mark(a, a->adopted);
    *ret_request = (dv_kube_request){
        .verb = DV_KUBE_APPLY,
        .resource = a->object->resource,
        .ns = a->object->ref.ns,
        .name = a->object->ref.name,
        .as = env->as,
        .body = body_of(a),
        .field_manager = DV_MANAGER_OBJECTS,
        .force = a->force || !*a->uid, /* what is not there has no other owner */
        .metadata_only = true,
    };
}

/* The object is as it was prepared. */
static void clear_request(const attempt *a)
{
    json_t *metadata = dv_json_object(body_of(a), "/metadata");

    dv_json_put_str(metadata, "uid", NULL);
    dv_json_put_str(metadata, "resourceVersion", NULL);
    mark(a, false);
}

static void forget_rival(dv_applied_item *item)
{
    free(item->rival);
    item->rival = NULL;
}

/* Keeps what the API server answered; true when the apply changed the object. */
static bool record(const attempt *a, const json_t *answer, dv_applied *applied,
                   dv_inventory *inventory)
{
    dv_applied_item *item = dv_applied_add(applied, a->object);
    dv_inventory_item *listed = dv_inventory_add(inventory, &a->object->ref);
    uint64_t before = item->revision;

    dv_err_free(dv_str_u64(dv_str_of(dv_obj_rv(answer)), &item->revision));
    item->generation = dv_obj_generation(answer);
    item->adopted = a->adopted;
    item->foreign = false;
    if (!a->force)
        forget_rival(item);
    memcpy(item->digest, a->object->digest, sizeof(item->digest));
    dv_set_str(&item->ref.uid, dv_obj_uid(answer));
    dv_set_str(&item->ref.api_version, a->object->ref.api_version);
    dv_set_str(&listed->ref.uid, dv_obj_uid(answer));
    dv_set_str(&listed->ref.api_version, a->object->ref.api_version);
    listed->adopted = a->adopted;
    return item->revision != before;
}

/* ---- An object that is there although nobody had told ---- */

static dv_err *exists_error(const dv_objref *ref)
{
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PATH_MAX);

    dv_objref_add(&name, ref);
    return dv_err_new(
        DV_DENIED, "ObjectExists",
        "%s exists already and belongs to no package; adoptionPolicy: Adopt takes it over",
        dv_buf_cstr(&name));
}

static dv_err *read_metadata(dv_ctx *ctx, const dv_apply_env *env, const dv_object *o,
                             json_t **ret_object)
{
    const dv_kube_request request = {
        .verb = DV_KUBE_GET,
        .resource = o->resource,
        .ns = o->ref.ns,
        .name = o->ref.name,
        .as = env->as,
        .metadata_only = true,
    };
    return dv_kube_do(ctx, env->kube, &request, ret_object);
}

/* By label or, where somebody took that off, by the annotation or the uid that we know it by. */
static bool is_ours(const dv_apply_env *env, const json_t *object, const char *known)
{
    const char *owner = dv_obj_label(object, DV_LABEL_OWNER),
               *package = dv_obj_annotation(object, DV_ANNOTATION_PACKAGE);
    dv_auto_str mine = dv_asprintf("%s/%s", env->pm->key, env->pm->uid);

    if (owner)
        return strcmp(owner, env->pm->owner) == 0;
    return (package && strcmp(package, mine) == 0) ||
           (*known && strcmp(known, dv_obj_uid(object)) == 0);
}

/* Is the annotation "namespace/name/uid" that of a living package? Sets ret_package to
 * "namespace/name". */
static bool owner_lives(const dv_apply_env *env, const json_t *object, char **ret_package)
{
    dv_str text = dv_str_of(dv_obj_annotation(object, DV_ANNOTATION_PACKAGE));
    ptrdiff_t at = dv_str_rfind(text, '/');

    if (at <= 0 || !dv_obj_label(object, DV_LABEL_OWNER))
        return false;
    dv_auto_str uid = dv_str_dup(dv_str_skip(text, (size_t)at + 1));
    *ret_package = dv_str_dup(dv_str_head(text, (size_t)at));
    return env->package_exists(env->arg, *ret_package, uid);
}

static dv_err *judge_existing(dv_ctx *ctx, const dv_apply_env *env, attempt *a, dv_applied *applied,
                              dv_inventory *inventory)
{
    json_auto_t *object = NULL;
    dv_auto_str package = NULL;
    dv_err *err = read_metadata(ctx, env, a->object, &object);

    if (dv_err_is(err, DV_NOT_FOUND)) { /* it went meanwhile: try again */
        dv_err_free(err);
        return NULL;
    }
    DV_CHECK(err);
    const char *owner = dv_obj_label(object, DV_LABEL_OWNER);
    bool ours = is_ours(env, object, known_uid(a->object, applied, inventory));
    bool anothers = !ours && owner_lives(env, object, &package);
    if (!ours && a->object->order == DV_ORDER_NAMESPACES) {
        mark_foreign(applied, a->object);
        a->done = true;
        return NULL;
    }
    if (anothers)
        return owned_error(&a->object->ref, package);
    if (!ours && !owner && env->pm->spec.adoption_policy != DV_ADOPT_ADOPT)
        return exists_error(&a->object->ref);
    bool marked = dv_obj_annotation(object, DV_ANNOTATION_ADOPTED) != NULL;
    mean(a, dv_obj_uid(object), marked || (!ours && !owner), inventory);
    return NULL;
}

/* ---- Answers ---- */

/* The object itself stays as it is wished: it is what is stored, and applied the next time. */
static bool give_up_fields(const dv_apply_env *env, attempt *a, const json_t *causes)
{
    const dv_yielding by = {
        .ref = &a->object->ref, .spec = &env->pm->spec, .autoscaled = a->autoscaled};
    json_auto_t *rest = dv_json_copy(body_of(a));

    if (!dv_conflict_yield(&by, a->object->object, rest, causes))
        return false;
    json_decref(a->rest);
    a->rest = DV_TAKE(rest);
    return true;
}

/* Takes conflict. */
static dv_err *settle_fields(const dv_apply_env *env, attempt *a, const json_t *causes,
                             dv_applied *applied, dv_err *conflict)
{
    bool yields = give_up_fields(env, a, causes);

    if (!yields && (a->force || env->pm->spec.conflict_policy == DV_CONFLICT_FAIL))
        return conflict;
    if (!yields) {
        DV_CLEANUP(dv_objref_done) dv_objref pm = dv_pm_objref(env->pm);
        dv_applied_item *item = dv_applied_find(applied, &a->object->ref);

        dv_event(env->events, &pm, "Warning", "FieldsTaken", "Apply", "%s", dv_err_str(conflict));
        a->force = true;
        if (item) {
            forget_rival(item);
            item->rival = dv_conflict_managers(causes);
        }
    }
    dv_err_free(conflict);
    return NULL;
}

/* Takes err. The namespace of the package's objects went, whosesoever it was: it is applied anew.
 */
static dv_err *namespace_went(const dv_object *o, dv_applied *applied, dv_err *err)
{
    const dv_objref ref = {.api_version = "v1", .kind = "Namespace", .ns = "", .name = o->ref.ns};
    dv_applied_item *item = dv_applied_find(applied, &ref);

    if (!item)
        return err;
    item->foreign = false;
    item->digest[0] = '\0';
    return dv_err_recast(err, DV_CONFLICT, "NamespaceGone");
}

/* Takes the result's error. NULL: try again (a was changed) or done. */
static dv_err *handle_refusal(dv_ctx *ctx, const dv_apply_env *env, attempt *a,
                              const dv_kube_result *result, dv_applied *applied,
                              dv_inventory *inventory)
{
    dv_err *err = result->err;

    if (dv_err_is(err, DV_DENIED) && strcmp(dv_err_reason(err), "ApplyConflict") == 0)
        return settle_fields(env, a, result->causes, applied, err);
    if (dv_err_is(err, DV_NOT_FOUND) && strcmp(dv_err_reason(err), "NamespaceNotFound") == 0)
        return namespace_went(a->object, applied, err);
    if (!dv_err_is(err, DV_CONFLICT))
        return err;
    dv_err_free(err);
    if (*a->uid) { /* the one we meant is gone, or another has its name */
        *a->uid = '\0';
        a->adopted = false;
        json_decref(a->rest); /* with it went those who had its fields */
        a->rest = NULL;
        return NULL;
    }
    return judge_existing(ctx, env, a, applied, inventory);
}

static dv_err *terminating_error(const dv_objref *ref)
{
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PATH_MAX);

    dv_objref_add(&name, ref);
    return dv_err_new(DV_WAITING, "ObjectTerminating",
                      "%s is being deleted; it is made anew once it is gone", dv_buf_cstr(&name));
}

/* Takes the result. */
static dv_err *handle_result(dv_ctx *ctx, const dv_apply_env *env, attempt *a,
                             dv_kube_result *result, dv_applied *applied, dv_inventory *inventory,
                             size_t *written)
{
    json_auto_t *object = result->object, *causes DV_UNUSED = result->causes;

    if (result->err)
        return handle_refusal(ctx, env, a, result, applied, inventory);
    if (dv_obj_deleting(object))
        return terminating_error(&a->object->ref);
    *written += record(a, object, applied, inventory);
    a->done = true;
    return NULL;
}

/* One batch of what is not done; all answers are looked at, the first error is told, others
 * appended. What failed is done with, and holds no fellow that needs another round. */
static dv_err *run_round(dv_ctx *ctx, const dv_apply_env *env, attempts *list, dv_applied *applied,
                         dv_inventory *inventory, size_t *written)
{
    dv_kube_request *requests = dv_calloc(list->n, sizeof(*requests));
    dv_kube_result *results = dv_calloc(list->n, sizeof(*results));
    attempt **sent = dv_calloc(list->n, sizeof(attempt *));
    dv_err *first = NULL;
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (list->at[i].done)
            continue;
        sent[n] = &list->at[i];
        fill_request(env, sent[n], &requests[n]);
        n++;
    }
    dv_batch(ctx, env->kube, requests, n, results);
    for (size_t i = 0; i < n; i++) {
        clear_request(sent[i]);
        dv_err *err = handle_result(ctx, env, sent[i], &results[i], applied, inventory, written);
        sent[i]->done |= err != NULL;
        first = dv_err_join(first, err);
    }
    free(requests);
    free(results);
    free(sent);
    return first;
}

static bool all_done(const attempts *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!list->at[i].done)
            return false;
    return true;
}

static dv_err *run_attempts(dv_ctx *ctx, const dv_apply_env *env, attempts *list,
                            dv_applied *applied, dv_inventory *inventory, size_t *written)
{
    dv_err *first = NULL;

    for (int round = 0; round < ROUNDS_MAX && !all_done(list); round++)
        first = dv_err_join(first, run_round(ctx, env, list, applied, inventory, written));
    if (all_done(list))
        return first;
    return dv_err_join(first, dv_err_new(DV_CONFLICT, "ObjectsChanging",
                                         "objects change faster than they can be applied"));
}

/* ---- Classes ---- */

static dv_err *definition_ready(dv_ctx *ctx, const dv_apply_env *env, const dv_object *o,
                                dv_applied *applied)
{
    const dv_applied_item *item = dv_applied_find(applied, &o->ref);
    dv_auto_owned seen = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf why = DV_BUF_INIT(512);
    dv_readiness readiness = DV_PROGRESSING;

    dv_owned_state state =
        dv_owned_get(env->owned, o->resource, o->ref.ns, o->ref.name, item->revision, &seen);
    if (state == DV_OWNED_PRESENT) {
        readiness = (dv_readiness)seen->readiness;
    } else if (state == DV_OWNED_UNKNOWN) {
        json_auto_t *object = NULL;
        const dv_kube_request get = {
            .verb = DV_KUBE_GET, .resource = o->resource, .name = o->ref.name, .as = env->as};

        DV_CHECK(dv_kube_do(ctx, env->kube, &get, &object));
        readiness = dv_readiness_of(object, &why);
    }
    if (readiness == DV_READY)
        return NULL;
    if (readiness == DV_FAILED)
        return dv_err_new(DV_INVALID, "DefinitionFailed", "CustomResourceDefinition %s: %s",
                          o->ref.name, seen && seen->why ? seen->why : dv_buf_cstr(&why));
    return dv_err_new(DV_WAITING, "DefinitionNotReady",
                      "CustomResourceDefinition %s is not established yet", o->ref.name);
}

/* What a class defines must be there before the next begins. */
static dv_err *settle_class(dv_ctx *ctx, const dv_apply_env *env, const dv_objects *objects,
                            size_t from, size_t to, dv_applied *applied)
{
    for (size_t i = from; i < to && to < objects->all.n; i++)
        if (strcmp(objects->all.at[i].ref.kind, "CustomResourceDefinition") == 0)
            DV_CHECK(definition_ready(ctx, env, &objects->all.at[i], applied));
    return NULL;
}

static dv_err *apply_class(dv_ctx *ctx, const dv_apply_env *env, const dv_objects *objects,
                           size_t from, size_t to, dv_applied *applied, dv_inventory *inventory,
                           size_t *written)
{
    attempts list = {0};
    dv_err *err = NULL;

    for (size_t i = from; i < to && !err; i++)
        if (objects->all.at[i].defined_here)
            err = dv_owned_start(ctx, env->owned, objects->all.at[i].resource);
    for (size_t i = from; i < to && !err; i++) {
        const dv_object *o = &objects->all.at[i];
        attempt a;
        bool watched;

        if (o->defined_here)
            err = dv_owned_watch(ctx, env->owned, o->resource, &watched);
        if (err || is_current(env, o, applied))
            continue;
        err = plan_attempt(env, o, applied, inventory, &a);
        if (err)
            break;
        a.autoscaled = is_autoscaled(objects, o);
        *dv_vec_push(&list) = a;
    }
    if (!err)
        err = run_attempts(ctx, env, &list, applied, inventory, written);
    attempts_done(&list);
    return err;
}

dv_err *dv_apply(dv_ctx *ctx, const dv_apply_env *env, const dv_objects *objects,
                 dv_applied *applied, dv_inventory *inventory, size_t *ret_written)
{
    dv_err *first = NULL;
    size_t to;

    *ret_written = 0;
    for (size_t from = 0; from < objects->all.n; from = to) {
        dv_order order = objects->all.at[from].order;
        size_t written = *ret_written;

        for (to = from; to < objects->all.n && objects->all.at[to].order == order; to++)
            ;
        first = dv_err_join(
            first, apply_class(ctx, env, objects, from, to, applied, inventory, ret_written));
        if (!first && order == DV_ORDER_DEFINITIONS) {
            if (*ret_written != written)
                dv_kube_discovery_stale(env->kube);
            first = settle_class(ctx, env, objects, from, to, applied);
        }
        if (first && !env->keep_going)
            return first;
    }
    return first;
}
