/* SPDX-License-Identifier: Apache-2.0 */
/* The PackageManifest controller: a run is a row of steps, each idempotent. */
#include "install/remove.h"
#include "pm_run.h"

/* Brief waits are not worth a status: it is written when one lasts longer. */
enum { QUIET_WAIT_MS = 5000, COALESCE_MS = 200 };

const dv_resource *resource_pm(dv_kube *kube)
{
    return dv_kube_resource_static(kube, DV_GROUP, DV_VERSION_NAME, "PackageManifest",
                                   "packagemanifests", true);
}

/* ---- What wakes a run ---- */

dv_entry *pm_reduce(void *arg, const json_t *object)
{
    dv_pm *pm = NULL;
    dv_err *err = dv_pm_decode(object, &pm);

    if (err) { /* the schema refuses what this does; a CRD of another version may not */
        dv_err_free(err);
        return NULL;
    }
    /* The mark counts where the operator makes it; elsewhere it is anybody's. */
    pm->is_dependency =
        pm->is_dependency && strcmp(pm->ns, ((const operator_t *)arg)->options.namespace) == 0;
    return &pm->entry;
}

static void wake(operator_t *op, const dv_entries *entries, const char *but)
{
    for (size_t i = 0; i < entries->n; i++) {
        const dv_pm *pm = (dv_pm *)entries->at[i];

        if (!but || strcmp(pm->key, but) != 0)
            dv_controller_enqueue(op->pm_controller, pm->key, 0);
    }
}

/* Dependants wait for its version and readiness; those of its package may take its place. */
static void wake_neighbours(operator_t *op, const dv_pm *pm)
{
    DV_CLEANUP(dv_entries_done) dv_entries unresolved = dv_pms_unresolved(op->pms);

    wake(op, &unresolved, pm->key);
    if (!pm->spec.manifest) {
        DV_CLEANUP(dv_entries_done)
        dv_entries dependants = dv_pms_that_need(op->pms, pm->spec.package);
        DV_CLEANUP(dv_entries_done)
        dv_entries rivals = dv_pms_of_package(op->pms, pm->spec.package);

        wake(op, &dependants, pm->key);
        wake(op, &rivals, pm->key);
    }
}

/* Those that were made for it may be needed no longer. */
static void wake_dependencies(operator_t *op, const dv_pm *pm)
{
    for (size_t i = 0; i < pm->status.dependencies.n; i++) {
        DV_CLEANUP(dv_entries_done)
        dv_entries pms = dv_pms_of_package(op->pms, pm->status.dependencies.at[i].name);

        wake(op, &pms, pm->key);
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_demands(const dv_pm *a, const dv_pm *b)
{
    if (a->status.dependencies.n != b->status.dependencies.n)
        return false;
    for (size_t i = 0; i < a->status.dependencies.n; i++) {
        const dv_pm_dependency *x = &a->status.dependencies.at[i],
                               *y = &b->status.dependencies.at[i];

        if (!same_text(x->name, y->name) || !same_text(x->range, y->range))
            return false;
    }
    return true;
}

static bool matters_to_neighbours(const dv_pm *old, const dv_pm *now)
{
    return !old || !now || !same_text(old->status.version, now->status.version) ||
           old->generation != now->generation || old->deleted_at_ms != now->deleted_at_ms ||
           !same_demands(old, now) || dv_pm_has_claim(old) != dv_pm_has_claim(now) ||
           dv_condition_is_true(&old->status.conditions, "Ready") !=
               dv_condition_is_true(&now->status.conditions, "Ready");
}

/* Is the change one that our own status write made? Those need no run. */
static bool matters_to_itself(const dv_pm *old, const dv_pm *now)
{
    return !old || !now || old->generation != now->generation ||
           old->deleted_at_ms != now->deleted_at_ms || old->has_finalizer != now->has_finalizer ||
           old->is_dependency != now->is_dependency ||
           old->allow_data_loss != now->allow_data_loss ||
           !same_text(old->requested_at, now->requested_at);
}

void pm_changed(void *arg, const char *key, const dv_entry *old_entry, const dv_entry *now_entry)
{
    operator_t *op = arg;
    const dv_pm *old = (const dv_pm *)old_entry, *now = (const dv_pm *)now_entry;

    if (matters_to_itself(old, now))
        dv_controller_enqueue(op->pm_controller, key, 0);
    if (matters_to_neighbours(old, now)) {
        wake_neighbours(op, now ? now : old);
        if (old)
            wake_dependencies(op, old);
    }
}

void pm_object_changed(void *arg, const char *package)
{
    operator_t *op = arg;

    dv_controller_enqueue(op->pm_controller, package,
                          states_installing(op->states, package) ? 0 : COALESCE_MS);
}

/* ---- Steps ---- */

static bool is_privileged(const op_options *opts, const char *ns)
{
    return opts->privileged_namespaces.n ? dv_strings_has(&opts->privileged_namespaces, ns)
                                         : strcmp(ns, opts->namespace) == 0;
}

static dv_err *step_identity(dv_ctx *ctx, pm_run *run)
{
    const op_options *opts = &run->op->options;
    const char *account = run->pm->spec.service_account;

    (void)ctx;
    if (!*account && opts->default_service_account && *opts->default_service_account)
        account = opts->default_service_account;
    if (*account) {
        run->as = dv_asprintf("system:serviceaccount:%s:%s", run->pm->ns, account);
        return NULL;
    }
    if (is_privileged(opts, run->pm->ns))
        return NULL;
    return dv_err_new(DV_INVALID, "ServiceAccountRequired",
                      "spec.serviceAccountName is required in namespace \"%s\": packages are "
                      "installed with the rights of "
                      "an account of their own namespace",
                      run->pm->ns);
}

static dv_kube_request pm_request(const pm_run *run, dv_kube_verb verb, const json_t *body)
{
    return (dv_kube_request){
        .verb = verb,
        .resource = resource_pm(run->op->kube),
        .ns = run->pm->ns,
        .name = run->pm->name,
        .body = body,
        .field_manager = DV_MANAGER_STATUS,
        .force = verb == DV_KUBE_APPLY,
        .metadata_only = true,
    };
}

static bool is_gone(const dv_err *err)
{
    return dv_err_is(err, DV_NOT_FOUND) ||
           (dv_err_is(err, DV_CONFLICT) && strcmp(dv_err_reason(err), "UIDMismatch") == 0);
}

/* One that somebody else (a restored backup, a person's YAML) wrote too is not ours alone to leave
 * out. */
static dv_err *cut_finalizer(dv_ctx *ctx, pm_run *run, const json_t *object)
{
    json_t *others = json_array(), *item;
    bool found = false;
    size_t i;

    json_array_foreach(dv_json_array(object, "/metadata/finalizers"), i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), DV_FINALIZER) == 0)
            found = true;
        else
            json_array_append(others, item);
    }
    json_auto_t *patch = json_pack("{s:{s:s,s:s,s:o}}", "metadata", "uid", run->pm->uid,
                                   "resourceVersion", dv_obj_rv(object), "finalizers", others);
    const dv_kube_request request = pm_request(run, DV_KUBE_MERGE_PATCH, patch);
    return found ? dv_kube_do(ctx, run->op->kube, &request, /* ret_object= */ NULL) : NULL;
}

/* The uid makes sure that no object is made anew by this, should it be gone by now. */
static dv_err *write_finalizer(dv_ctx *ctx, pm_run *run, bool wanted)
{
    json_auto_t *object = dv_obj_new(DV_API_VERSION, "PackageManifest", run->pm->ns, run->pm->name);
    json_auto_t *answer = NULL;
    const dv_kube_request request = pm_request(run, DV_KUBE_APPLY, object);

    DV_CHECK(dv_json_set(object, "/metadata/uid", json_string(run->pm->uid)));
    if (wanted)
        DV_CHECK(dv_json_set(object, "/metadata/finalizers", json_pack("[s]", DV_FINALIZER)));
    dv_err *err = dv_kube_do(ctx, run->op->kube, &request, &answer);
    if (!err && !wanted)
        err = cut_finalizer(ctx, run, answer);
    if (!wanted && is_gone(err)) {
        dv_err_free(err);
        return NULL;
    }
    if (!err)
        dv_set_str(&run->resource_version, dv_obj_rv(answer));
    return dv_err_wrap(err, "finalizer of %s", run->pm->key);
}

static dv_err *step_finalizer(dv_ctx *ctx, pm_run *run)
{
    return run->pm->has_finalizer ? NULL : write_finalizer(ctx, run, true);
}

/* What was applied before a restart is found in the Secret. */
static dv_err *step_remember(dv_ctx *ctx, pm_run *run)
{
    operator_t *op = run->op;

    if (run->state->loaded || !run->status.inventory.n) {
        run->state->loaded = true;
        return NULL;
    }
    dv_err *err = dv_stored_load(ctx, op->kube, op->options.namespace, run->pm->owner,
                                 &run->state->applied, /* ret_objects= */ NULL);
    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        err = NULL;
    }
    run->state->loaded = !err;
    return err;
}

static dv_err *watch_applied(dv_ctx *ctx, pm_run *run)
{
    for (size_t i = 0; i < run->state->applied.items.n; i++) {
        bool watched;

        DV_CHECK(dv_owned_watch(ctx, run->op->owned, run->state->applied.items.at[i].resource,
                                &watched));
    }
    return NULL;
}

/* What left the package is still to be removed. */
static bool has_leaving(pm_run *run)
{
    for (size_t i = 0; i < run->status.inventory.n; i++)
        if (!dv_applied_find(&run->state->applied, &run->status.inventory.at[i].ref))
            return true;
    return false;
}

/* Nothing that decides about the objects of this version has changed since they were applied. */
static dv_err *settle(dv_ctx *ctx, pm_run *run, const char *version, const char *repository)
{
    if (run->requested || !run->state->applied.complete || has_leaving(run))
        return NULL;
    pm_digest_inputs(run, version, repository);
    run->settled =
        strcmp(run->inputs, run->state->applied.inputs) == 0 && pm_dependencies_hold(run);
    return run->settled ? watch_applied(ctx, run) : NULL;
}

/* Is the installed version the one that the present wish was resolved to? */
static bool is_answered(const dv_pm *pm)
{
    const dv_pm_status *status = &pm->status;
    const dv_condition *resolved = dv_condition_get(&status->conditions, "Resolved");

    return status->version && resolved && same_text(resolved->status, "True") &&
           resolved->observed_generation == pm->generation &&
           same_text(status->attempted_version, status->version);
}

static dv_err *step_settled(dv_ctx *ctx, pm_run *run)
{
    if (!is_answered(run->pm) || run->pm->spec.upgrade_policy == DV_UPGRADE_AUTOMATIC)
        return NULL;
    return settle(ctx, run, run->status.version, run->status.repository);
}

static dv_lock_env lock_env(const pm_run *run)
{
    return (dv_lock_env){
        .repos = run->op->repos,
        .pms = run->op->pms,
        .pm = run->pm,
        .status = &run->status,
        .upgrade = run->requested || run->pm->spec.upgrade_policy == DV_UPGRADE_AUTOMATIC,
        .inline_dependencies = run->inline_package ? &run->inline_package->dependencies : NULL,
        .inline_version = run->status.attempted_version,
    };
}

/* What is newer is shown also while nothing is to be done; a repository that can't tell now changes
 * nothing. */
static void note_latest(dv_ctx *ctx, pm_run *run)
{
    const dv_lock_env env = lock_env(run);
    dv_auto_str latest = NULL;
    dv_err *err = dv_lock_latest(ctx, &env, run->status.version, &latest);

    if (!err)
        dv_set_str(&run->status.latest_version, latest);
    dv_err_free(err);
}

static dv_err *step_lock(dv_ctx *ctx, pm_run *run)
{
    if (run->settled) {
        if (!run->pm->spec.manifest)
            note_latest(ctx, run);
        return NULL;
    }
    run->phase = PHASE_RESOLVE;
    if (run->pm->spec.manifest)
        DV_CHECK(pm_read_inline(run));
    const dv_lock_env env = lock_env(run);
    DV_CHECK(dv_lock_resolve(ctx, &env, &run->lock));
    dv_set_str(&run->status.attempted_version, run->lock.version);
    dv_set_str(&run->status.latest_version, run->lock.latest);
    run->resolved = true;
    run->phase = PHASE_INSTALL;
    if (run->status.version && strcmp(run->status.version, run->lock.version) == 0)
        return settle(ctx, run, run->lock.version, run->lock.repository);
    return NULL;
}

static const struct {
    const char *name;
    dv_err *(*run)(dv_ctx *ctx, pm_run *run);
} steps[] = {
    {"identity", step_identity}, {"finalizer", step_finalizer},
    {"remember", step_remember}, {"settled", step_settled},
    {"lock", step_lock},         {"package", pm_step_package},
    {"unique", pm_step_unique},  {"dependencies", pm_step_dependencies},
    {"render", pm_step_render},  {"inventory", pm_step_inventory},
    {"apply", pm_step_apply},    {"prune", pm_step_prune},
    {"health", pm_step_health},
};

static dv_err *run_steps(dv_ctx *ctx, pm_run *run)
{
    for (size_t i = 0; i < DV_LEN(steps) && !run->done; i++) {
        dv_debug(ctx->log, "step", dv_s("step", steps[i].name));
        DV_CHECK(steps[i].run(ctx, run));
    }
    return NULL;
}

/* ---- A run ---- */

/* A dependency that nobody needs any more is deleted, by whom it was made for: it goes the usual
 * way. */
static dv_err *delete_unneeded(dv_ctx *ctx, pm_run *run)
{
    const dv_kube_request request = {
        .verb = DV_KUBE_DELETE,
        .resource = resource_pm(run->op->kube),
        .ns = run->pm->ns,
        .name = run->pm->name,
        .precondition_uid = run->pm->uid,
    };
    dv_err *err = dv_kube_do(ctx, run->op->kube, &request, NULL);

    run->quiet = true;
    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        return NULL;
    }
    return dv_err_wrap(err, "removing a dependency that nobody needs");
}

static dv_err *uninstall(dv_ctx *ctx, pm_run *run)
{
    if (!run->pm->has_finalizer) {
        run->quiet = true;
        return NULL;
    }
    dv_auto(dv_err) nobody = step_identity(ctx, run);
    DV_CHECK(nobody ? pm_leave_all(ctx, run) : pm_uninstall(ctx, run));
    DV_CHECK(write_finalizer(ctx, run, false));
    run->quiet = true;
    return NULL;
}

static dv_err *run_once(dv_ctx *ctx, pm_run *run)
{
    if (run->pm->deleted_at_ms)
        return uninstall(ctx, run);
    if (run->pm->spec.suspend) {
        run->quiet = true;
        return NULL;
    }
    if (run->pm->is_dependency && !dv_pm_is_needed(run->op->pms, run->pm))
        return delete_unneeded(ctx, run);
    return run_steps(ctx, run);
}

/* A wait that is young is not written down; it is looked at again when it is not. */
static bool is_brief_wait(dv_ctx *ctx, pm_run *run, const dv_err *err)
{
    int64_t now = dv_ctx_now_ms(ctx);

    if (!dv_err_is(err, DV_WAITING)) {
        run->state->waiting_since_ms = 0;
        return false;
    }
    if (!run->state->waiting_since_ms)
        run->state->waiting_since_ms = now;
    return now - run->state->waiting_since_ms < QUIET_WAIT_MS;
}

static bool writes_status(const pm_run *run, const dv_err *err)
{
    return !run->quiet && !dv_err_is(err, DV_CONFLICT) && !dv_err_is(err, DV_CANCELED);
}

/* A failure is logged once, not at each retry: the condition holds it meanwhile. */
static bool is_news(const pm_run *run, const dv_err *err)
{
    const dv_condition *ready = dv_condition_get(&run->pm->status.conditions, "Ready");

    if (!err || dv_err_is(err, DV_WAITING) || dv_err_is(err, DV_CONFLICT))
        return false;
    return !ready || !same_text(ready->message, dv_err_str(err));
}

static dv_result finish(dv_ctx *ctx, pm_run *run, dv_err *err)
{
    bool brief = is_brief_wait(ctx, run, err);

    run->state->installing = dv_err_is(err, DV_WAITING) || dv_err_is(err, DV_CONFLICT);
    if (is_news(run, err))
        dv_warn(ctx->log, "run failed", dv_s("reason", dv_err_reason(err)), dv_e(err));
    if (writes_status(run, err) && !brief) {
        pm_summarize(ctx, run, err);
        err = dv_err_join(err, pm_write_status(ctx, run));
    }
    if (brief) {
        dv_err_free(err);
        return (dv_result){.what = DV_WAIT, .after_ms = QUIET_WAIT_MS};
    }
    if (run->pm->deleted_at_ms && dv_err_is(err, DV_INVALID)) /* it is tried again, and ends */
        err = dv_err_recast(err, DV_DENIED, NULL);
    return dv_result_from(
        err, run->pm->spec.suspend || run->pm->deleted_at_ms ? 0 : run->pm->spec.interval_ms);
}

static void run_done(pm_run *run)
{
    dv_pm_status_done(&run->status);
    dv_lock_result_done(&run->lock);
    dv_package_free(run->inline_package);
    dv_repo_package_unref(run->package);
    dv_objects_done(&run->objects);
    free(run->as);
    free(run->note);
    free(run->resource_version);
    json_decref(run->last_status);
}

dv_result pm_reconcile(void *arg, dv_ctx *ctx, const char *key)
{
    operator_t *op = arg;
    dv_auto_pm pm = (dv_pm *)dv_informer_get(op->pms, key);

    if (!pm) {
        states_drop(op->states, key);
        return (dv_result){.what = DV_DONE};
    }
    DV_CLEANUP(run_done)
    pm_run run = {
        .op = op,
        .pm = pm,
        .state = states_get(op->states, key, pm->uid),
        .status = dv_pm_status_dup(&pm->status),
        .resource_version = dv_strdup(pm->resource_version),
        .refusal_lasts = dv_controller_refusal_lasts(op->pm_controller, key),
        .requested =
            pm->requested_at && !same_text(pm->requested_at, pm->status.last_handled_reconcile_at),
    };
    return finish(ctx, &run, run_once(ctx, &run));
}
