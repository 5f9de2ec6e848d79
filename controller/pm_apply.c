/* SPDX-License-Identifier: Apache-2.0 */
/* Objects into the cluster, and what is looked at once they are there: drift and health. */
#include "install/remove.h"
#include "pm_run.h"

static bool package_exists(void *arg, const char *key, const char *uid)
{
    operator_t *op = arg;
    const char *watched = op->options.watch_namespace;
    dv_auto_pm pm = (dv_pm *)dv_informer_get(op->pms, key);
    dv_str ns;

    dv_str_cut(dv_str_of(key), '/', &ns);
    if (watched && *watched && !dv_str_is(ns, watched))
        return true; /* another operator's: it can't be known from here */

    return pm && (!uid || strcmp(pm->uid, uid) == 0);
}

dv_apply_env pm_apply_env(pm_run *run)
{
    return (dv_apply_env){
        .kube = run->op->kube,
        .owned = run->op->owned,
        .events = run->op->events,
        .pm = run->pm,
        .as = run->as,
        .package_exists = package_exists,
        .arg = run->op,
    };
}

/* ---- The inventory before the first write ---- */

/* A namespace that exists without us is used, not owned: it does not enter the inventory. */
static bool is_foreign(pm_run *run, const dv_objref *ref)
{
    const dv_applied_item *item = dv_applied_find(&run->state->applied, ref);

    return item && item->foreign;
}

static bool lists_all(pm_run *run)
{
    dv_inventory *written = (dv_inventory *)&run->pm->status.inventory;

    for (size_t i = 0; i < run->objects.all.n; i++) {
        const dv_objref *ref = &run->objects.all.at[i].ref;

        if (!dv_inventory_find(written, ref) && !is_foreign(run, ref))
            return false;
    }
    return true;
}

/* The union of old and new is in the status before the first write. */
static dv_err *list_wished(dv_ctx *ctx, pm_run *run, const char *version)
{
    DV_CLEANUP(dv_buf_done) dv_buf message = DV_BUF_INIT(DV_LINE_MAX);

    if (lists_all(run))
        return NULL;
    for (size_t i = 0; i < run->objects.all.n; i++)
        if (!is_foreign(run, &run->objects.all.at[i].ref))
            dv_inventory_add(&run->status.inventory, &run->objects.all.at[i].ref);
    dv_buf_addf(&message, "applying %zu objects of %s", run->objects.all.n, version);
    pm_say_progress(ctx, run, "Applying", dv_buf_cstr(&message));
    return pm_write_status(ctx, run);
}

/* New inputs: what was applied for the old ones still tells what needs no apply. */
static void begin_inputs(dv_ctx *ctx, pm_run *run)
{
    dv_applied *applied = &run->state->applied;

    if (strcmp(applied->inputs, run->inputs) == 0 && !run->requested)
        return;
    if (strcmp(applied->inputs, run->inputs) != 0) {
        memcpy(applied->inputs, run->inputs, sizeof(applied->inputs));
        run->state->progress_since_ms = dv_ctx_now_ms(ctx);
    }
    applied->complete = false;
}

dv_err *pm_step_inventory(dv_ctx *ctx, pm_run *run)
{
    if (run->settled)
        return NULL;
    const dv_apply_env env = pm_apply_env(run);
    DV_CHECK(dv_apply_check(ctx, &env, &run->objects));
    begin_inputs(ctx, run);
    return list_wished(ctx, run, run->lock.version);
}

/* Listed when it was missing, and then somebody else made it. */
static void drop_foreign(pm_run *run)
{
    dv_inventory *inventory = &run->status.inventory;

    for (size_t i = inventory->n; i-- > 0;) {
        if (!is_foreign(run, &inventory->at[i].ref))
            continue;
        dv_objref_done(&inventory->at[i].ref);
        dv_vec_remove(inventory, i);
    }
}

/* ---- What was applied ---- */

static dv_err *save(dv_ctx *ctx, pm_run *run)
{
    dv_applied *applied = &run->state->applied;

    dv_applied_keep(applied, &run->objects);
    applied->complete = true;
    run->state->loaded = true;
    run->state->last_full_ms = dv_ctx_now_ms(ctx);
    dv_err *err = dv_stored_save(ctx, run->op->kube, run->op->options.namespace, run->pm->owner,
                                 applied, &run->objects);
    applied->complete = !err;
    return err;
}

/* ---- Drift ---- */

/* Indexes into the applied items, which may move while more are added. */
typedef DV_VEC(size_t) item_list;
typedef struct {
    item_list drifted; /* to be set back */
    item_list resting; /* drifted, but left to a rival for now */
    size_t unknown;    /* that no watch tells of */
} drift_report;

static dv_applied_item *item_of(pm_run *run, const item_list *list, size_t i)
{
    return &run->state->applied.items.at[list->at[i]];
}

static void drift_report_done(drift_report *report)
{
    dv_vec_done(&report->drifted);
    dv_vec_done(&report->resting);
}

static void look_for_drift(dv_ctx *ctx, pm_run *run, drift_report *report)
{
    dv_applied *applied = &run->state->applied;
    int64_t now = dv_ctx_now_ms(ctx);

    for (size_t i = 0; i < applied->items.n; i++) {
        dv_applied_item *item = &applied->items.at[i];
        dv_drift drift = dv_applied_drift(run->op->owned, item);

        item->resting = now < item->rest_until_ms;
        report->unknown += drift == DV_DRIFT_UNKNOWN;
        if (drift == DV_DRIFT_SUSPECT || drift == DV_DRIFT_GONE)
            *dv_vec_push(item->resting ? &report->resting : &report->drifted) = i;
    }
}

static char *describe(pm_run *run, const item_list *list)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(4096);

    for (size_t i = 0; i < list->n && i < 5; i++) {
        dv_buf_adds(&text, i ? ", " : "");
        dv_objref_add(&text, &item_of(run, list, i)->ref);
    }
    if (list->n > 5)
        dv_buf_addf(&text, " and %zu more", list->n - 5);
    return dv_buf_take(&text);
}

static void tell_rival(pm_run *run, const dv_applied_item *item)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(4096);

    dv_objref_add(&text, &item->ref);
    dv_buf_addf(&text, " is changed again and again by %s; it is left alone for ",
                item->rival ? item->rival : "another manager");
    dv_duration_add(&text, DV_RIVAL_REST_MS);
    pm_tell(run, "Warning", "RivalManager", "Correct", dv_buf_cstr(&text));
}

/* As the watch shows the object now; 0: it is gone. An apply that changes nothing answers the same.
 */
static uint64_t live_revision(pm_run *run, const dv_applied_item *item)
{
    dv_auto_owned seen = NULL;

    if (dv_owned_get(run->op->owned, item->resource, item->ref.ns, item->ref.name, 0, &seen) !=
        DV_OWNED_PRESENT)
        return 0;
    return seen->revision;
}

/* Which of the suspects an apply really changed: those had drifted. */
static void note_corrections(dv_ctx *ctx, pm_run *run, const item_list *suspects,
                             const uint64_t *revisions)
{
    item_list changed = {0};

    for (size_t i = 0; i < suspects->n; i++)
        if (item_of(run, suspects, i)->revision != revisions[i])
            *dv_vec_push(&changed) = suspects->at[i];
    if (changed.n) {
        dv_auto_str what = describe(run, &changed);
        dv_auto_str text = dv_asprintf("%s had changed in the cluster and was set back", what);

        pm_tell(run, "Normal", "DriftCorrected", "Correct", text);
    }
    for (size_t i = 0; i < changed.n; i++)
        if (dv_applied_corrected(item_of(run, &changed, i), dv_ctx_now_ms(ctx)))
            tell_rival(run, item_of(run, &changed, i));
    dv_vec_done(&changed);
}

/* The objects come from what was stored when they were applied: no repository is asked. */
static dv_err *load_objects(dv_ctx *ctx, pm_run *run)
{
    DV_CLEANUP(dv_applied_done) dv_applied ignored = {0};
    dv_err *err = dv_stored_load(ctx, run->op->kube, run->op->options.namespace, run->pm->owner,
                                 &ignored, &run->objects);

    if (dv_err_is(err, DV_NOT_FOUND)) { /* the Secret was removed: the next run renders anew */
        run->state->applied.complete = false;
        return dv_err_recast(err, DV_CONFLICT, "StoreMissing");
    }
    run->have_objects = !err;
    return err;
}

static dv_err *correct(dv_ctx *ctx, pm_run *run, const drift_report *report)
{
    dv_apply_env env = pm_apply_env(run);
    const item_list *suspects = &report->drifted;

    env.keep_going = true;
    DV_CHECK(load_objects(ctx, run));
    bool grows = !lists_all(run); /* by a namespace that is gone and was not ours */
    DV_CHECK(list_wished(ctx, run, run->status.version));
    uint64_t *revisions = dv_calloc(suspects->n, sizeof(*revisions));
    for (size_t i = 0; i < suspects->n; i++)
        revisions[i] = live_revision(run, item_of(run, suspects, i));
    dv_err *err = dv_apply(ctx, &env, &run->objects, &run->state->applied, &run->status.inventory,
                           &run->written);
    note_corrections(ctx, run, suspects, revisions);
    free(revisions);
    drop_foreign(run);
    if (!err && grows)
        err = save(ctx, run);
    run->state->last_full_ms = dv_ctx_now_ms(ctx);
    return dv_err_wrap(err, "correcting drift");
}

static bool full_is_due(dv_ctx *ctx, const pm_run *run)
{
    return dv_ctx_now_ms(ctx) - run->state->last_full_ms >= run->pm->spec.interval_ms;
}

/* In the condition for as long as it lasts; as an event when it is new. */
static void report_drift(pm_run *run, const item_list *list)
{
    const dv_condition *ready = dv_condition_get(&run->pm->status.conditions, "Ready");
    dv_auto_str what = describe(run, list);
    dv_auto_str text = dv_asprintf("%s differs from what was applied", what);

    free(run->note);
    run->note = dv_asprintf("; %s", text);
    if (!ready || !ready->message || !strstr(ready->message, text))
        pm_tell(run, "Warning", "Drift", "Report", text);
}

static dv_err *handle_drift(dv_ctx *ctx, pm_run *run, const drift_report *report)
{
    bool full = report->unknown && full_is_due(ctx, run);

    if (run->pm->spec.drift_policy == DV_DRIFT_IGNORE)
        return NULL;
    if (report->resting.n)
        report_drift(run, &report->resting);
    if (!report->drifted.n && !full)
        return NULL;
    if (run->pm->spec.drift_policy == DV_DRIFT_CORRECT)
        return correct(ctx, run, report);
    if (report->drifted.n)
        report_drift(run, &report->drifted);
    return NULL;
}

/* ---- Applying ---- */

void pm_list_applied(pm_run *run)
{
    for (size_t i = 0; i < run->state->applied.items.n; i++) {
        const dv_applied_item *item = &run->state->applied.items.at[i];

        if (item->foreign)
            continue;
        dv_inventory_item *listed = dv_inventory_add(&run->status.inventory, &item->ref);
        dv_set_str(&listed->ref.uid, item->ref.uid);
        listed->adopted = item->adopted;
    }
}

static dv_err *apply_new(dv_ctx *ctx, pm_run *run)
{
    const dv_apply_env env = pm_apply_env(run);

    if (run->state->applied.complete && strcmp(run->state->applied.inputs, run->inputs) == 0)
        return NULL;
    DV_TRY(dv_apply(ctx, &env, &run->objects, &run->state->applied, &run->status.inventory,
                    &run->written),
           "%s %s", run->inline_package ? run->pm->name : run->pm->spec.package, run->lock.version);
    return save(ctx, run);
}

dv_err *pm_step_apply(dv_ctx *ctx, pm_run *run)
{
    dv_err *err;

    if (run->settled) {
        DV_CLEANUP(drift_report_done) drift_report report = {0};

        look_for_drift(ctx, run, &report);
        err = handle_drift(ctx, run, &report);
    } else {
        err = apply_new(ctx, run);
    }
    pm_list_applied(run);
    return err;
}

/* ---- Pruning ---- */

static bool is_wished(const pm_run *run, const dv_objref *ref)
{
    for (size_t i = 0; i < run->objects.all.n; i++)
        if (dv_objref_same(&run->objects.all.at[i].ref, ref))
            return true;
    return false;
}

static void split_inventory(pm_run *run, dv_inventory *ret_leaving)
{
    dv_inventory *inventory = &run->status.inventory;

    drop_foreign(run);
    for (size_t i = inventory->n; i-- > 0;) {
        if (is_wished(run, &inventory->at[i].ref))
            continue;
        *dv_vec_push(ret_leaving) = inventory->at[i];
        dv_vec_remove(inventory, i);
    }
    /* Taken from the end: turned round, they stand in order of application again. */
    for (size_t a = 0, b = ret_leaving->n; a + 1 < b; a++) {
        dv_inventory_item held = ret_leaving->at[a];

        ret_leaving->at[a] = ret_leaving->at[--b];
        ret_leaving->at[b] = held;
    }
}

/* What is not gone yet stays in the inventory. */
static void keep_remaining(pm_run *run, dv_inventory *remaining)
{
    for (size_t i = 0; i < remaining->n; i++) {
        dv_inventory_item *item = dv_inventory_add(&run->status.inventory, &remaining->at[i].ref);

        item->adopted = remaining->at[i].adopted;
    }
    dv_inventory_done(remaining);
}

dv_err *pm_step_prune(dv_ctx *ctx, pm_run *run)
{
    dv_inventory leaving = {0};
    DV_CLEANUP(dv_remove_result_done) dv_remove_result result = {0};
    const dv_remove_env env = {
        .kube = run->op->kube,
        .owned = run->op->owned,
        .pm = run->pm,
        .as = run->as,
        .allow_data_loss = run->pm->allow_data_loss,
    };

    if (run->settled)
        return NULL;
    split_inventory(run, &leaving);
    dv_err *err = dv_remove_identify(ctx, &env, &leaving);
    if (!err && leaving.n)
        err = dv_remove_check(ctx, &env, &leaving);
    if (!err && leaving.n)
        err = dv_remove(ctx, &env, &leaving, &result);
    keep_remaining(run, &leaving);
    pm_tell_orphans(run, &result.orphaned);
    return dv_err_wrap(err, "removing what is no longer part of the package");
}

/* ---- Health ---- */

/* Of an object that no watch tells of. One that is gone comes back at the interval. */
static dv_err *readiness_by_look(dv_ctx *ctx, pm_run *run, const dv_applied_item *item, dv_buf *why,
                                 dv_readiness *ret_readiness)
{
    json_auto_t *object = NULL;
    const dv_kube_request get = {.verb = DV_KUBE_GET,
                                 .resource = item->resource,
                                 .ns = item->ref.ns,
                                 .name = item->ref.name,
                                 .as = run->as};
    dv_err *err = dv_kube_do(ctx, run->op->kube, &get, &object);

    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        dv_buf_adds(why, "it is gone");
        return NULL;
    }
    DV_CHECK(err);
    *ret_readiness = dv_readiness_of(object, why);
    return NULL;
}

static dv_err *readiness_of_item(dv_ctx *ctx, pm_run *run, const dv_applied_item *item, dv_buf *why,
                                 dv_readiness *ret_readiness)
{
    dv_auto_owned seen = NULL;
    dv_owned_state state = dv_owned_get(run->op->owned, item->resource, item->ref.ns,
                                        item->ref.name, item->revision, &seen);

    *ret_readiness = DV_PROGRESSING;
    if (item->foreign || dv_readiness_is_trivial(item->resource->group, item->resource->kind)) {
        *ret_readiness = DV_READY;
    } else if (state == DV_OWNED_PRESENT) {
        *ret_readiness = (dv_readiness)seen->readiness;
        dv_buf_adds(why, seen->why ? seen->why : "");
    } else if (state == DV_OWNED_UNKNOWN) {
        return readiness_by_look(ctx, run, item, why, ret_readiness);
    }
    return NULL;
}

static dv_err *unready_error(dv_ctx *ctx, pm_run *run, const char *text, bool failed)
{
    bool late = run->state->progress_since_ms &&
                dv_ctx_now_ms(ctx) - run->state->progress_since_ms > run->pm->spec.timeout_ms;

    if (failed)
        return dv_err_new(DV_WAITING, "HealthCheckFailed", "%s", text);
    if (late)
        return dv_err_new(DV_WAITING, "HealthCheckTimeout", "not ready within its time limit: %s",
                          text);
    return dv_err_new(DV_WAITING, "Progressing", "waiting for %s", text);
}

/* Kinds that no watch tells of: their changes are noticed at the interval only, and people are told
 * so. */
static void note_unwatched(pm_run *run)
{
    DV_CLEANUP(dv_strings_done) dv_strings kinds = {0};
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    for (size_t i = 0; i < run->state->applied.items.n; i++) {
        const dv_applied_item *item = &run->state->applied.items.at[i];

        if (!item->foreign && dv_applied_drift(run->op->owned, item) == DV_DRIFT_UNKNOWN &&
            !dv_strings_has(&kinds, item->ref.kind))
            dv_strings_add(&kinds, item->ref.kind);
    }
    if (!kinds.n)
        return;
    dv_strings_sort(&kinds);
    dv_buf_adds(&text, run->note ? run->note : "");
    dv_buf_adds(&text, "; not watched, so looked at every ");
    dv_duration_add(&text, run->pm->spec.interval_ms);
    for (size_t i = 0; i < kinds.n; i++)
        dv_buf_addf(&text, "%s%s", i ? ", " : ": ", kinds.at[i]);
    free(run->note);
    run->note = dv_buf_take(&text);
}

dv_err *pm_step_health(dv_ctx *ctx, pm_run *run)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    size_t unready = 0;
    bool failed = false;

    for (size_t i = 0; i < run->state->applied.items.n; i++) {
        const dv_applied_item *item = &run->state->applied.items.at[i];
        DV_CLEANUP(dv_buf_done) dv_buf why = DV_BUF_INIT(1024);
        dv_readiness readiness;

        DV_CHECK(readiness_of_item(ctx, run, item, &why, &readiness));
        if (readiness == DV_READY)
            continue;
        failed = failed || readiness == DV_FAILED;
        if (unready++ < 5) {
            dv_buf_adds(&text, unready > 1 ? ", " : "");
            dv_objref_add(&text, &item->ref);
            if (why.n)
                dv_buf_addf(&text, " (%s)", dv_buf_cstr(&why));
        }
    }
    if (unready > 5)
        dv_buf_addf(&text, " and %zu more", unready - 5);
    if (unready)
        return unready_error(ctx, run, dv_buf_cstr(&text), failed);
    note_unwatched(run);
    return NULL;
}
