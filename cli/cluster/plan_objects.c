/* SPDX-License-Identifier: Apache-2.0 */
/* What a package's objects would become: each as it is now, and as a dry-run apply would leave it.
 */
#include "diff.h"
#include "install/conflict.h"
#include "install/remove.h"
#include "plan.h"

/* Fields are given up, others are taken; the apply needs no more rounds. */
enum { ROUNDS_MAX = 6 };

/* One object while it is compared. */
typedef struct {
    dv_object *wished; /* NULL: it leaves */
    plan_object *result;
    json_t *live;  /* owned; NULL: not there */
    json_t *rest;  /* owned: what is left of the wish once fields were given up; NULL: all of it */
    json_t *after; /* owned: as the dry run left it */
    bool force, autoscaled, adopted, settled;
} comparison;

typedef struct {
    plan *plan;
    const dv_pm *pm;
    plan_package *package;
    comparison *all;
    size_t n;
} comparisons;

static void comparisons_done(comparisons *c)
{
    for (size_t i = 0; i < c->n; i++) {
        json_decref(c->all[i].live);
        json_decref(c->all[i].rest);
        json_decref(c->all[i].after);
    }
    free(c->all);
}

static void settle(comparison *c, plan_action action, const char *note)
{
    c->result->action = action;
    c->settled = true;
    dv_set_str(&c->result->note, note);
}

/* ---- As it is now ---- */

/* There is none, or not even its kind, which comes with the package. */
static bool is_absent(const comparison *c, const dv_err *err)
{
    return dv_err_is(err, DV_NOT_FOUND) ||
           (c->wished->defined_here && err && strcmp(dv_err_reason(err), "KindNotFound") == 0);
}

static void take_live(comparison *c, dv_kube_result *answer)
{
    c->live = answer->object;
    if (answer->err && !is_absent(c, answer->err))
        settle(c, PLAN_UNKNOWN, dv_err_str(answer->err));
    dv_err_free(answer->err);
}

static void read_live(comparisons *all)
{
    const cli_session *s = all->plan->session;
    dv_kube_request *requests = dv_calloc(all->n, sizeof(*requests));
    dv_kube_result *answers = dv_calloc(all->n, sizeof(*answers));
    dv_ctx ctx = s->ctx;

    for (size_t i = 0; i < all->n; i++)
        requests[i] = (dv_kube_request){.verb = DV_KUBE_GET,
                                        .resource = all->all[i].wished->resource,
                                        .ns = all->all[i].wished->ref.ns,
                                        .name = all->all[i].wished->ref.name};
    dv_kube_batch(&ctx, s->kube, requests, all->n, answers);
    for (size_t i = 0; i < all->n; i++)
        take_live(&all->all[i], &answers[i]);
    free(requests);
    free(answers);
}

/* ---- Whose it is ---- */

/* "namespace/name" of the living PackageManifest that the object's annotation names; owned, NULL.
 */
static char *living_owner(const comparisons *all, const json_t *live)
{
    dv_str text = dv_str_of(dv_obj_annotation(live, DV_ANNOTATION_PACKAGE));
    ptrdiff_t at = dv_str_rfind(text, '/');

    if (at <= 0)
        return NULL;
    dv_auto_str key = dv_str_dup(dv_str_head(text, (size_t)at));
    dv_auto_pm pm = (dv_pm *)dv_informer_get(all->plan->session->pms, key);
    bool lives = pm && dv_str_is(dv_str_skip(text, (size_t)at + 1), pm->uid);
    return lives ? DV_TAKE(key) : NULL;
}

/* What was there before the package says so, or our inventory does. */
static bool is_adopted(const comparisons *all, const comparison *c)
{
    const dv_inventory *inventory = &all->pm->status.inventory;

    if (dv_obj_annotation(c->live, DV_ANNOTATION_ADOPTED))
        return true;
    for (size_t i = 0; i < inventory->n; i++)
        if (dv_objref_same(&inventory->at[i].ref, &c->wished->ref))
            return inventory->at[i].adopted;
    return false;
}

/* As the apply judges what is there: ours, another package's, nobody's. */
static void judge_owner(const comparisons *all, comparison *c)
{
    const char *owner = dv_obj_label(c->live, DV_LABEL_OWNER);
    dv_auto_str living = owner ? living_owner(all, c->live) : NULL;
    dv_auto_str note = NULL;

    c->adopted = c->live && is_adopted(all, c);
    if (!c->live || c->settled || (owner && strcmp(owner, all->pm->owner) == 0))
        return;
    if (c->wished->order == DV_ORDER_NAMESPACES) {
        settle(c, PLAN_SAME, "is there already, and used as it is");
    } else if (living) {
        note = dv_asprintf("belongs to PackageManifest %s", living);
        settle(c, PLAN_REFUSE, note);
    } else if (!owner && all->pm->spec.adoption_policy != DV_ADOPT_ADOPT) {
        settle(c, PLAN_REFUSE,
               "exists already and belongs to no package; adoptionPolicy: Adopt takes it over");
    } else if (!owner) {
        c->adopted = true;
        dv_set_str(&c->result->note, "exists already and is taken over");
    }
}

/* ---- As an apply would leave it ---- */

static json_t *body_of(const comparison *c)
{
    return c->rest ? c->rest : c->wished->object;
}

static bool give_up_fields(const comparisons *all, comparison *c, const json_t *causes)
{
    const dv_yielding by = {
        .ref = &c->wished->ref, .spec = &all->pm->spec, .autoscaled = c->autoscaled};
    json_auto_t *rest = dv_json_copy(body_of(c));

    if (!dv_conflict_yield(&by, c->wished->object, rest, causes))
        return false;
    json_decref(c->rest);
    c->rest = DV_TAKE(rest);
    return true;
}

static void meet_conflict(const comparisons *all, comparison *c, const dv_kube_result *answer)
{
    if (give_up_fields(all, c, answer->causes))
        return;
    if (c->force || all->pm->spec.conflict_policy == DV_CONFLICT_FAIL) {
        settle(c, PLAN_REFUSE, dv_err_str(answer->err));
        return;
    }
    c->force = true;
    dv_auto_str managers = dv_conflict_managers(answer->causes);
    dv_auto_str note =
        dv_asprintf("fields of %s are taken", managers ? managers : "other managers");
    dv_set_str(&c->result->note, note);
}

/* Takes the answer. */
static void take_answer(const comparisons *all, comparison *c, dv_kube_result *answer)
{
    dv_auto(dv_err) err = answer->err;
    DV_UNUSED json_auto_t *causes = answer->causes; /* freed with it */

    if (!err) {
        c->after = answer->object;
        c->settled = true;
    } else if (strcmp(dv_err_reason(err), "ApplyConflict") == 0) {
        meet_conflict(all, c, answer);
    } else if (!c->live && is_absent(c, err)) {
        c->settled = true; /* its namespace or kind comes with the package: nobody can judge yet */
    } else {
        settle(c, dv_err_is(err, DV_INVALID) ? PLAN_REFUSE : PLAN_UNKNOWN, dv_err_str(err));
    }
}

static dv_kube_request apply_request(const comparison *c)
{
    dv_json_put_str(dv_json_object(body_of(c), "/metadata/annotations"), DV_ANNOTATION_ADOPTED,
                    c->adopted ? "true" : NULL);
    return (dv_kube_request){
        .verb = DV_KUBE_APPLY,
        .resource = c->wished->resource,
        .ns = c->wished->ref.ns,
        .name = c->wished->ref.name,
        .body = body_of(c),
        .field_manager = DV_MANAGER_OBJECTS,
        .force = c->force || !c->live,
        .dry_run = true,
    };
}

static void try_apply(const comparisons *all)
{
    const cli_session *s = all->plan->session;
    dv_kube_request *requests = dv_calloc(all->n, sizeof(*requests));
    dv_kube_result *answers = dv_calloc(all->n, sizeof(*answers));
    comparison **sent = dv_calloc(all->n, sizeof(comparison *));
    dv_ctx ctx = s->ctx;
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++) {
        if (all->all[i].settled)
            continue;
        sent[n] = &all->all[i];
        requests[n++] = apply_request(&all->all[i]);
    }
    dv_kube_batch(&ctx, s->kube, requests, n, answers);
    for (size_t i = 0; i < n; i++)
        take_answer(all, sent[i], &answers[i]);
    free(requests);
    free(answers);
    free(sent);
}

/* ---- What comes of it ---- */

static void conclude(comparison *c)
{
    plan_object *o = c->result;

    if (o->action == PLAN_REFUSE || o->action == PLAN_UNKNOWN || (c->live && !c->after))
        return;
    o->before = DV_TAKE(c->live);
    o->after = c->after ? DV_TAKE(c->after) : dv_json_copy(c->wished->object);
    cli_object_clean(o->before);
    cli_object_clean(o->after);
    o->action = !o->before                           ? PLAN_ADD
                : dv_json_equal(o->before, o->after) ? PLAN_SAME
                                                     : PLAN_CHANGE;
    cli_object_mask(o->before, o->after);
}

static bool is_autoscaled(const dv_objects *objects, const dv_object *o)
{
    for (size_t i = 0; i < objects->all.n; i++)
        if (dv_is_autoscaled(&o->ref, objects->all.at[i].object))
            return true;
    return false;
}

/* Room for all at once: comparisons point to the elements. */
static void begin(comparisons *all, dv_objects *objects)
{
    size_t first = all->package->objects.n;

    all->n = objects->all.n;
    all->all = dv_calloc(all->n, sizeof(*all->all));
    for (size_t i = 0; i < all->n; i++)
        dv_vec_push(&all->package->objects)->ref = dv_objref_dup(&objects->all.at[i].ref);
    for (size_t i = 0; i < all->n; i++)
        all->all[i] = (comparison){.wished = &objects->all.at[i],
                                   .result = &all->package->objects.at[first + i],
                                   .autoscaled = is_autoscaled(objects, &objects->all.at[i])};
}

dv_err *plan_compare(plan *p, const dv_pm *pm, dv_objects *objects, plan_package *package)
{
    DV_CLEANUP(comparisons_done) comparisons all = {.plan = p, .pm = pm, .package = package};

    begin(&all, objects);
    read_live(&all);
    for (size_t i = 0; i < all.n; i++)
        judge_owner(&all, &all.all[i]);
    for (int round = 0; round < ROUNDS_MAX; round++)
        try_apply(&all);
    for (size_t i = 0; i < all.n; i++)
        conclude(&all.all[i]);
    return dv_ctx_check(&p->session->ctx);
}

/* ---- What leaves ---- */

static bool is_wished(const dv_objects *objects, const dv_objref *ref)
{
    for (size_t i = 0; objects && i < objects->all.n; i++)
        if (dv_objref_same(&objects->all.at[i].ref, ref))
            return true;
    return false;
}

/* False: it is gone already, or nobody knows its kind any more. *ret_adopted: it says that it was
 * there before the package. */
static bool is_there(plan *p, const dv_objref *ref, bool *ret_adopted)
{
    dv_ctx *ctx = &p->session->ctx;
    const dv_resource *resource = NULL;
    json_auto_t *object = NULL;
    dv_err *err = dv_kube_resource(ctx, p->session->kube, ref->api_version, ref->kind, &resource);

    if (!err) {
        const dv_kube_request get = {.verb = DV_KUBE_GET,
                                     .resource = resource,
                                     .ns = ref->ns,
                                     .name = ref->name,
                                     .metadata_only = true};

        err = dv_kube_do(ctx, p->session->kube, &get, &object);
    }
    bool gone = dv_err_is(err, DV_NOT_FOUND);
    dv_err_free(err);
    *ret_adopted = object && dv_obj_annotation(object, DV_ANNOTATION_ADOPTED);
    return !gone;
}

static void leave(plan *p, const dv_pm *pm, const dv_inventory_item *item, bool whole,
                  plan_package *package)
{
    bool orphaned = whole && pm->spec.deletion_policy == DV_DELETION_ORPHAN, adopted;

    if (!is_there(p, &item->ref, &adopted))
        return;
    adopted = adopted || item->adopted;
    plan_object *o = dv_vec_push(&package->objects);
    o->ref = dv_objref_dup(&item->ref);
    o->action = adopted || orphaned ? PLAN_LEAVE : PLAN_REMOVE;
    if (adopted)
        o->note = dv_strdup("was there before the package");
}

dv_err *plan_leaving(plan *p, const dv_pm *pm, const dv_objects *objects, plan_package *package)
{
    dv_inventory leaving = {0};
    const dv_remove_env env = {
        .kube = p->session->kube, .pm = pm, .allow_data_loss = pm->allow_data_loss};

    for (size_t i = 0; i < pm->status.inventory.n; i++) {
        const dv_inventory_item *item = &pm->status.inventory.at[i];

        if (is_wished(objects, &item->ref))
            continue;
        leave(p, pm, item, objects == NULL, package);
        dv_inventory_add(&leaving, &item->ref)->adopted = item->adopted;
    }
    dv_err *err = leaving.n ? dv_remove_check(&p->session->ctx, &env, &leaving) : NULL;
    dv_inventory_done(&leaving);
    return err;
}
