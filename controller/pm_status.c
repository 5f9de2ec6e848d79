/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about a package: conditions, history, events. Ready is written here and nowhere
 * else. */
#include "pm_run.h"

static int64_t now_unix_ms(dv_ctx *ctx)
{
    return ctx->clock->unix_us(ctx->clock) / 1000;
}

static const char *package_name(const pm_run *run)
{
    return run->pm->spec.manifest ? run->pm->name : run->pm->spec.package;
}

/* ---- History ---- */

static void history_item_done(dv_history_item *h)
{
    free(h->version);
    free(h->repository);
    free(h->time);
    free(h->outcome);
    free(h->message);
}

static void push_history(dv_ctx *ctx, dv_pm_status *status, const char *version,
                         const char *repository, const char *outcome, const char *message)
{
    DV_CLEANUP(dv_buf_done) dv_buf time = DV_BUF_INIT(64);

    dv_time_add(&time, now_unix_ms(ctx));
    dv_vec_push(&status->history);
    memmove(&status->history.at[1], &status->history.at[0],
            (status->history.n - 1) * sizeof(dv_history_item));
    status->history.at[0] = (dv_history_item){
        .version = dv_strdup(version),
        .repository = dv_strdup(repository),
        .time = dv_strdup(dv_buf_cstr(&time)),
        .outcome = dv_strdup(outcome),
        .message = dv_strdup(message),
    };
    while (status->history.n > DV_HISTORY_MAX)
        history_item_done(&status->history.at[--status->history.n]);
}

static const char *outcome_of(const char *from, const char *to)
{
    dv_version a, b;

    if (!from)
        return "Installed";
    dv_err *err =
        dv_err_join(dv_version_parse(dv_str_of(from), &a), dv_version_parse(dv_str_of(to), &b));
    if (err) { /* inline manifests have no versions to compare */
        dv_err_free(err);
        return "Upgraded";
    }
    return dv_version_cmp(&a, &b) <= 0 ? "Upgraded" : "Downgraded";
}

static bool tried_before(const dv_pm_status *status, const char *version)
{
    return status->history.n && status->history.at[0].outcome && status->history.at[0].version &&
           strcmp(status->history.at[0].outcome, "Failed") == 0 &&
           strcmp(status->history.at[0].version, version) == 0;
}

/* ---- Conditions ---- */

static void set(dv_ctx *ctx, pm_run *run, const char *type, const char *status, const char *reason,
                const char *message)
{
    dv_condition_set(&run->status.conditions, type, status, reason, message, run->pm->generation,
                     now_unix_ms(ctx));
}

void pm_say_progress(dv_ctx *ctx, pm_run *run, const char *reason, const char *message)
{
    set(ctx, run, "Reconciling", "True", reason, message);
    set(ctx, run, "Ready", run->status.version ? "Unknown" : "False", reason, message);
    dv_condition_drop(&run->status.conditions, "Stalled");
}

static void succeed(dv_ctx *ctx, pm_run *run)
{
    const char *version = run->settled ? run->status.version : run->lock.version;
    bool moved = !run->pm->status.version || strcmp(run->pm->status.version, version) != 0;
    const char *outcome = outcome_of(run->pm->status.version, version);
    dv_auto_str message =
        dv_asprintf("%s %s is installed%s", package_name(run), version, run->note ? run->note : "");

    if (moved)
        push_history(ctx, &run->status, version, run->lock.repository, outcome, message);
    if (!run->settled) {
        dv_set_str(&run->status.version, version);
        dv_set_str(&run->status.repository, run->lock.repository);
    }
    dv_condition_drop(&run->status.conditions, "Reconciling");
    dv_condition_drop(&run->status.conditions, "Stalled");
    set(ctx, run, "Resolved", "True", "Resolved", "every range is met");
    set(ctx, run, "Ready", "True", "Installed", message);
}

/* Said by the API server, which may only be starting; what we refuse ourselves is meant at once. */
static bool is_servers_no(const dv_err *err)
{
    return strcmp(dv_err_reason(err), "Forbidden") == 0 ||
           strcmp(dv_err_reason(err), "DependencyNotPermitted") == 0;
}

bool needs_somebody(const dv_err *err, bool refusal_lasts)
{
    if (dv_err_is(err, DV_DENIED))
        return refusal_lasts || !is_servers_no(err);
    return dv_err_is(err, DV_INVALID);
}

/* A wait goes on by itself; a failure that only a change can mend is Stalled. */
static void fail(dv_ctx *ctx, pm_run *run, const dv_err *err)
{
    const char *reason = dv_err_reason(err), *message = dv_err_str(err);
    bool stalled = needs_somebody(err, run->refusal_lasts);
    bool deleting = run->pm->deleted_at_ms != 0;

    if (dv_err_is(err, DV_BUG))
        reason = "InternalError";
    if (run->phase == PHASE_RESOLVE)
        set(ctx, run, "Resolved", "False", reason, message);
    else if (run->resolved)
        set(ctx, run, "Resolved", "True", "Resolved", "every range is met");
    if (stalled) {
        dv_condition_drop(&run->status.conditions, "Reconciling");
        set(ctx, run, "Stalled", "True", reason, message);
    } else {
        dv_condition_drop(&run->status.conditions, "Stalled");
        set(ctx, run, "Reconciling", "True", deleting ? "Uninstalling" : reason, message);
    }
    set(ctx, run, "Ready", "False", reason, message);
    const char *version = run->status.attempted_version;
    if (stalled && !deleting && version && run->resolved && !tried_before(&run->status, version) &&
        (!run->status.version || strcmp(run->status.version, version) != 0))
        push_history(ctx, &run->status, version, run->lock.repository, "Failed", message);
}

/*
 * Health that is awaited belongs to a version that is applied: it is the installed one from then
 * on, so that what it replaced is not counted as present.
 */
static bool is_applied(const pm_run *run)
{
    return run->have_objects && run->resolved && run->state->applied.complete;
}

static void note_version(dv_ctx *ctx, pm_run *run)
{
    const char *version = run->lock.version;
    dv_auto_str message = dv_asprintf("%s %s is applied", package_name(run), version);

    if (run->status.version && strcmp(run->status.version, version) == 0)
        return;
    push_history(ctx, &run->status, version, run->lock.repository,
                 outcome_of(run->status.version, version), message);
    dv_set_str(&run->status.version, version);
    dv_set_str(&run->status.repository, run->lock.repository);
}

/* Waits are seen in the status; events are for what has happened and for what needs somebody. */
static bool is_worth_telling(const dv_err *err)
{
    return !dv_err_is(err, DV_WAITING) ||
           strncmp(dv_err_reason(err), "HealthCheck", strlen("HealthCheck")) == 0;
}

void pm_summarize(dv_ctx *ctx, pm_run *run, const dv_err *err)
{
    run->tell = is_worth_telling(err);
    if (err && is_applied(run) && !run->settled)
        note_version(ctx, run);
    if (err)
        fail(ctx, run, err);
    else
        succeed(ctx, run);
    run->status.observed_generation = run->pm->generation;
    if (!err || dv_err_is(err, DV_INVALID) || dv_err_is(err, DV_DENIED) || is_applied(run))
        dv_set_str(&run->status.last_handled_reconcile_at, run->pm->requested_at);
}

/* ---- Writing ---- */

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void pm_tell(pm_run *run, const char *type, const char *reason, const char *action,
             const char *text)
{
    DV_CLEANUP(dv_objref_done) dv_objref ref = dv_pm_objref(run->pm);

    if (!namespace_is_terminating(run->op, run->pm->ns))
        dv_event(run->op->events, &ref, type, reason, action, "%s", text);
}

/* One event for each thing that people want to know: a version, a failure with a new reason. */
static void tell_change(pm_run *run)
{
    const dv_condition *before = dv_condition_get(&run->pm->status.conditions, "Ready");
    const dv_condition *now = dv_condition_get(&run->status.conditions, "Ready");
    bool ready = now && same(now->status, "True");

    if (!now || !run->tell)
        return;
    if (before && same(before->status, now->status) && same(before->reason, now->reason) &&
        same(before->message, now->message))
        return;
    pm_tell(run, ready ? "Normal" : "Warning", now->reason,
            run->pm->deleted_at_ms ? "Uninstall" : "Install", now->message);
    if (!ready && run->lock.explanation)
        pm_tell(run, "Warning", "Explanation", "Resolve", run->lock.explanation);
}

dv_err *pm_write_status(dv_ctx *ctx, pm_run *run)
{
    json_auto_t *before =
        run->last_status ? json_incref(run->last_status) : dv_pm_status_encode(&run->pm->status);
    json_auto_t *now = dv_pm_status_encode(&run->status);

    if (json_equal(before, now))
        return NULL;
    DV_CLEANUP(dv_objref_done) dv_objref ref = dv_pm_objref(run->pm);
    dv_err *err = patch_status(ctx, run->op, run->op->pms, resource_pm(run->op->kube), &ref,
                               &run->resource_version, json_incref(now));
    if (!err) {
        tell_change(run);
        json_decref(run->last_status);
        run->last_status = json_incref(now);
    }
    return dv_err_wrap(err, "status of %s", run->pm->key);
}

dv_err *patch_status(dv_ctx *ctx, operator_t *op, dv_informer *informer,
                     const dv_resource *resource, const dv_objref *of, char **resource_version,
                     json_t *status)
{
    json_auto_t *taken = status;
    json_auto_t *object = dv_obj_new(of->api_version, of->kind, of->ns, of->name);
    json_auto_t *answer = NULL;
    const dv_kube_request request = {
        .verb = DV_KUBE_APPLY,
        .resource = resource,
        .ns = of->ns,
        .name = of->name,
        .subresource = "status",
        .body = object,
        .field_manager = DV_MANAGER_STATUS,
        .force = true,
    };

    DV_CHECK(dv_json_set(object, "/metadata/uid", json_string(of->uid)));
    DV_CHECK(dv_json_set(object, "/metadata/resourceVersion", json_string(*resource_version)));
    DV_CHECK(dv_json_set(object, "/status", json_incref(taken)));
    DV_CHECK(dv_kube_do(ctx, op->kube, &request, &answer));
    dv_set_str(resource_version, dv_obj_rv(answer));
    dv_informer_observe(informer, answer);
    return NULL;
}
