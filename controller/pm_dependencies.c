/* SPDX-License-Identifier: Apache-2.0 */
/* What a package needs. */
#include "install/dependency.h"
#include "pm_run.h"

/* ---- Once a cluster ---- */

dv_err *pm_step_unique(dv_ctx *ctx, pm_run *run)
{
    (void)ctx;
    return run->settled ? NULL : dv_pm_check_unique(run->op->pms, run->pm);
}

/* ---- What the status says about dependencies ---- */

static bool demands(const dv_pm_status *status, const dv_pm_dependency *d)
{
    for (size_t i = 0; i < status->dependencies.n; i++)
        if (strcmp(status->dependencies.at[i].name, d->name) == 0)
            return strcmp(status->dependencies.at[i].range ? status->dependencies.at[i].range : "",
                          d->range ? d->range : "") == 0;
    return false;
}

static bool demands_all(const dv_pm_status *seen, const dv_pm_status *wanted)
{
    for (size_t i = 0; i < wanted->dependencies.n; i++)
        if (!demands(seen, &wanted->dependencies.at[i]))
            return false;
    return true;
}

/* ---- Those who give a package to others ---- */

static dv_pm *provider_of(const pm_run *run, const char *package)
{
    return dv_pms_first(run->op->pms, package, run->pm->key);
}

static bool accepts(const char *range, const char *version)
{
    dv_auto(dv_constraint) constraint = NULL;
    dv_version v;

    if (!range || !*range)
        return true;
    dv_err *err = dv_constraint_parse(dv_str_of(range), &constraint);
    if (!err)
        err = dv_version_parse(dv_str_of(version), &v);
    if (err) {
        dv_err_free(err);
        return false;
    }
    return dv_constraint_accepts(constraint, &v);
}

bool pm_dependencies_hold(const pm_run *run)
{
    for (size_t i = 0; i < run->status.dependencies.n; i++) {
        const dv_pm_dependency *d = &run->status.dependencies.at[i];
        dv_auto_pm provider = provider_of(run, d->name);

        if (!provider || !provider->status.version || !accepts(d->range, provider->status.version))
            return false;
    }
    return true;
}

/* ---- Making them ---- */

/* As the dependant's account, so that plain RBAC decides. */
static dv_err *write_dependency(dv_ctx *ctx, pm_run *run, const dv_locked *l, const dv_pm *there)
{
    json_auto_t *object = dv_dependency_object(l, run->op->options.namespace);
    json_auto_t *answer = NULL;
    const dv_kube_request request = {
        .verb = DV_KUBE_APPLY,
        .resource = resource_pm(run->op->kube),
        .ns = run->op->options.namespace,
        .name = l->package,
        .as = run->as,
        .body = object,
        .field_manager = DV_MANAGER_OBJECTS,
        .force = true,
    };

    if (there)
        DV_CHECK(dv_json_set(object, "/metadata/uid", json_string(there->uid)));
    else /* only if absent: a PackageManifest of that name is somebody's */
        DV_CHECK(dv_json_set(object, "/metadata/resourceVersion", json_string("1")));
    dv_err *err = dv_kube_do(ctx, run->op->kube, &request, &answer);
    if (dv_err_is(err, DV_DENIED)) {
        dv_err *told = dv_err_new(
            DV_DENIED, "DependencyNotPermitted",
            "package \"%s\" %s is needed, and %s may not install it in namespace \"%s\": an "
            "administrator must install it",
            l->package, l->version, run->as ? run->as : "the operator", run->op->options.namespace);
        dv_err_free(err);
        return told;
    }
    DV_TRY(err, "dependency \"%s\"", l->package);
    dv_informer_observe(run->op->pms, answer);
    return NULL;
}

static dv_err *ensure_one(dv_ctx *ctx, pm_run *run, const dv_locked *l)
{
    dv_auto_pm there = NULL;
    bool write = false;

    DV_CHECK(
        dv_dependency_decide(run->op->pms, run->pm, l, run->op->options.namespace, &write, &there));
    return write ? write_dependency(ctx, run, l, there) : NULL;
}

/* ---- Waiting for them ---- */

static dv_err *await_one(pm_run *run, const dv_dependency *d)
{
    dv_auto_pm provider = provider_of(run, d->package);

    if (!provider)
        return dv_err_new(DV_WAITING, "DependencyNotReady", "waiting for dependency \"%s\"",
                          d->package);
    if (dv_lock_reaches(&run->lock, run->pm->spec.package, d->package, run->pm->spec.package) &&
        !run->inline_package)
        return NULL; /* they need each other: somebody has to begin */
    if (!provider->status.version || !dv_condition_is_true(&provider->status.conditions, "Ready") ||
        provider->status.observed_generation != provider->generation)
        return dv_err_new(DV_WAITING, "DependencyNotReady",
                          "waiting for dependency \"%s\" (PackageManifest %s): %s", d->package,
                          provider->key, dv_pm_ready_message(provider));
    if (!accepts(d->range, provider->status.version))
        return dv_err_new(DV_WAITING, "DependencyNotReady",
                          "waiting for dependency \"%s\": PackageManifest %s has version %s, which "
                          "%s does not accept",
                          d->package, provider->key, provider->status.version, d->range);
    return NULL;
}

dv_err *pm_step_dependencies(dv_ctx *ctx, pm_run *run)
{
    if (run->settled)
        return NULL;
    dv_dependencies_list(&run->lock, run->inline_package ? run->pm->name : run->pm->spec.package,
                         &run->status);
    run->phase = PHASE_RESOLVE;
    /* Whoever looks at a dependency sees who needs it, and how, before it is there or moves. */
    if (!demands_all(&run->pm->status, &run->status)) {
        pm_say_progress(ctx, run, "Resolving", "installing dependencies");
        DV_CHECK(pm_write_status(ctx, run));
    }
    for (size_t i = 0; i < run->lock.closure.n; i++)
        if (!run->lock.closure.at[i].fixed)
            DV_CHECK(ensure_one(ctx, run, &run->lock.closure.at[i]));
    run->phase = PHASE_INSTALL;
    for (size_t i = 0; i < run->lock.dependencies.n; i++)
        if (strcmp(run->lock.dependencies.at[i].package, run->pm->spec.package) != 0)
            DV_CHECK(await_one(run, &run->lock.dependencies.at[i]));
    return NULL;
}
