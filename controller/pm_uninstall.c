/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking a package out: from the inventory alone, dependants before what they depend on. It always
 * ends: what may not be deleted is left in the cluster and listed once spec.timeout has passed, or
 * at once where the account or the namespace is gone. So is what the API server, though it is
 * ready, has been unable to answer for (a server behind it is down). What a finalizer holds is
 * awaited for that long, and the finalizer named.
 */
#include "install/remove.h"
#include "pm_run.h"

enum { UNANSWERED_MS = 60 * 1000 };

static int64_t deleting_for_ms(dv_ctx *ctx, const pm_run *run)
{
    return ctx->clock->unix_us(ctx->clock) / 1000 - run->pm->deleted_at_ms;
}

static bool is_overdue(dv_ctx *ctx, const pm_run *run)
{
    return deleting_for_ms(ctx, run) > run->pm->spec.timeout_ms;
}

/* Those that are on their way out too go first. */
static dv_err *await_dependants(dv_ctx *ctx, pm_run *run)
{
    if (run->pm->spec.manifest || is_overdue(ctx, run))
        return NULL;
    DV_CLEANUP(dv_entries_done)
    dv_entries dependants = dv_pms_that_need(run->op->pms, run->pm->spec.package);
    for (size_t i = 0; i < dependants.n; i++) {
        const dv_pm *other = (dv_pm *)dependants.at[i];
        bool circle = false;

        for (size_t d = 0; d < run->pm->status.dependencies.n && !circle; d++)
            circle = strcmp(run->pm->status.dependencies.at[d].name, other->spec.package) == 0;
        if (other->deleted_at_ms && !circle && strcmp(other->key, run->pm->key) != 0)
            return dv_err_new(DV_WAITING, "AwaitingDependants",
                              "PackageManifest %s, which depends on it, is removed first",
                              other->key);
    }
    return NULL;
}

/* Listed, not read: the operator may list accounts, and a list without it is no error. */
static dv_err *account_exists(dv_ctx *ctx, const pm_run *run, bool *ret_exists)
{
    const char *name = run->as ? strrchr(run->as, ':') + 1 : NULL;
    const dv_resource *resource =
        dv_kube_resource_static(run->op->kube, "", "v1", "ServiceAccount", "serviceaccounts", true);
    dv_auto_str selector = dv_asprintf("metadata.name=%s", name ? name : "");
    json_auto_t *list = NULL;
    const dv_kube_request request = {
        .verb = DV_KUBE_LIST,
        .resource = resource,
        .ns = run->pm->ns,
        .field_selector = selector,
        .metadata_only = true,
    };

    *ret_exists = true;
    if (!run->as)
        return NULL;
    DV_CHECK(dv_kube_do(ctx, run->op->kube, &request, &list));
    *ret_exists = json_array_size(dv_json_array(list, "/items")) > 0;
    return NULL;
}

/* A refusal by an API server that has started, and has refused for a while. */
static bool is_meant(dv_ctx *ctx, const pm_run *run)
{
    dv_auto(dv_err) not_ready = run->refusal_lasts ? dv_kube_check_ready(ctx, run->op->kube) : NULL;

    return run->refusal_lasts && !not_ready;
}

/*
 * From now on what may not be deleted is left behind: but not at the word of an API server that
 * has just started.
 */
static bool may_leave_denied(dv_ctx *ctx, pm_run *run, const dv_err *refusal)
{
    bool exists = true;

    if (dv_err_is(refusal, DV_DENIED) && !is_meant(ctx, run))
        return false;
    if (is_overdue(ctx, run) || namespace_is_terminating(run->op, run->pm->ns))
        return true;
    dv_err_free(account_exists(ctx, run, &exists));
    return !exists;
}

/*
 * For long the API server had no answer about some objects, although it is ready: the server of
 * their API, or a webhook that they need, is down, and the deletion must end.
 */
static bool is_unanswered(dv_ctx *ctx, const pm_run *run)
{
    int64_t since = run->state->unanswered_since_ms;

    if (!is_overdue(ctx, run) || !since || dv_ctx_now_ms(ctx) - since < UNANSWERED_MS)
        return false;
    dv_auto(dv_err) not_ready = dv_kube_check_ready(ctx, run->op->kube);
    return !not_ready;
}

static void note_answer(dv_ctx *ctx, pm_run *run, const dv_err *err)
{
    int64_t *since = &run->state->unanswered_since_ms;

    if (!dv_err_is(err, DV_TRANSIENT))
        *since = 0;
    else if (!*since)
        *since = dv_ctx_now_ms(ctx);
}

void pm_tell_orphans(pm_run *run, const dv_strings *orphaned)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(8192);

    if (!orphaned->n)
        return;
    dv_buf_adds(&text, "left in the cluster: ");
    for (size_t i = 0; i < orphaned->n; i++)
        dv_buf_addf(&text, "%s%s", i ? ", " : "", orphaned->at[i]);
    pm_tell(run, "Warning", "Orphaned", "Uninstall", dv_buf_cstr(&text));
}

/*
 * A namespace that goes takes its packages with it, but not the data of others elsewhere: that is
 * left, for nobody can set the annotation any more.
 */
static dv_err *check_data(dv_ctx *ctx, pm_run *run, const dv_remove_env *env,
                          dv_remove_result *result)
{
    dv_err *err = dv_remove_check(ctx, env, &run->status.inventory);

    if (!err || strcmp(dv_err_reason(err), "DataWouldBeLost") != 0 ||
        !namespace_is_terminating(run->op, run->pm->ns))
        return err;
    dv_err_free(err);
    dv_remove_leave_data(&run->status.inventory, result);
    return NULL;
}

static dv_err *remove_all(dv_ctx *ctx, pm_run *run, dv_remove_env *env, dv_remove_result *result)
{
    if (!run->state->removing)
        DV_CHECK(check_data(ctx, run, env, result));
    run->state->removing = true;
    return dv_remove(ctx, env, &run->status.inventory, result);
}

static dv_err *remove_or_orphan(dv_ctx *ctx, pm_run *run, dv_remove_env *env,
                                dv_remove_result *result)
{
    DV_CHECK(dv_remove_identify(ctx, env, &run->status.inventory));
    if (run->pm->spec.deletion_policy == DV_DELETION_ORPHAN)
        return dv_orphan(ctx, env, &run->status.inventory, result);
    return remove_all(ctx, run, env, result);
}

/* An uninstall goes on where the run before it ended, without asking for each object again. */
static void begin(pm_run *run)
{
    if (!run->state->removing) {
        pm_list_applied(run);
        return;
    }
    dv_inventory_done(&run->status.inventory);
    run->status.inventory = dv_inventory_dup(&run->state->remaining);
}

static void remember(pm_run *run)
{
    dv_inventory_done(&run->state->remaining);
    run->state->remaining = dv_inventory_dup(&run->status.inventory);
}

dv_err *pm_uninstall(dv_ctx *ctx, pm_run *run)
{
    DV_CLEANUP(dv_remove_result_done) dv_remove_result result = {0};
    dv_remove_env env = {
        .kube = run->op->kube,
        .owned = run->op->owned,
        .pm = run->pm,
        .as = run->as,
        .allow_data_loss = run->pm->allow_data_loss,
        .overdue = is_overdue(ctx, run),
        .unanswered = is_unanswered(ctx, run),
    };

    run->phase = PHASE_INSTALL;
    DV_CHECK(await_dependants(ctx, run));
    begin(run);
    dv_err *err = remove_or_orphan(ctx, run, &env, &result);
    bool data_held = err && strcmp(dv_err_reason(err), "DataWouldBeLost") == 0;
    if ((dv_err_is(err, DV_DENIED) || dv_err_is(err, DV_INVALID)) && !data_held &&
        may_leave_denied(ctx, run, err)) {
        dv_err_free(err);
        env.orphan_denied = true;
        err = remove_or_orphan(ctx, run, &env, &result);
    }
    note_answer(ctx, run, err);
    remember(run);
    pm_tell_orphans(run, &result.orphaned);
    DV_CHECK(err);
    return dv_stored_drop(ctx, run->op->kube, run->op->options.namespace, run->pm->owner);
}

dv_err *pm_leave_all(dv_ctx *ctx, pm_run *run)
{
    DV_CLEANUP(dv_remove_result_done) dv_remove_result result = {0};

    for (size_t i = 0; i < run->status.inventory.n; i++) {
        DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PATH_MAX);

        dv_objref_add(&text, &run->status.inventory.at[i].ref);
        dv_strings_add(&result.orphaned, dv_buf_cstr(&text));
    }
    pm_tell_orphans(run, &result.orphaned);
    return dv_stored_drop(ctx, run->op->kube, run->op->options.namespace, run->pm->owner);
}
