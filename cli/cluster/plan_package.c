/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of each PackageManifest, and of those that it needs. */
#include "install/remove.h"
#include "install/render.h"
#include "plan.h"

/* A plan that goes on for longer would be no use to anybody. */
enum { STEPS_MAX = 5000 };

/* One PackageManifest while it is planned. */
typedef struct {
    plan *plan;
    const dv_pm *pm;
    plan_package *package;
    dv_package *inlined;     /* owned; NULL: by reference */
    dv_repo_package *source; /* one holder; NULL: inline */
    char *inline_version;
} work;

static void work_done(work *w)
{
    dv_package_free(w->inlined);
    if (w->source)
        dv_repo_package_unref(w->source);
    free(w->inline_version);
}

static dv_ctx *ctx_of(const work *w)
{
    return &w->plan->session->ctx;
}

/* The annotation asks for what is newest, and for other bytes of the same version. */
static bool is_requested(const work *w)
{
    const char *asked = w->pm->requested_at, *handled = w->pm->status.last_handled_reconcile_at;

    return asked && (!handled || strcmp(asked, handled) != 0);
}

/* ---- Steps, as the operator's run has them ---- */

static dv_err *step_lock(work *w)
{
    if (w->pm->spec.manifest)
        DV_CHECK(dv_render_inline(w->pm, &w->inlined, &w->inline_version));
    const dv_lock_env env = {
        .repos = w->plan->session->repos,
        .pms = w->plan->session->pms,
        .pm = w->pm,
        .status = &w->pm->status,
        .upgrade = is_requested(w) || w->pm->spec.upgrade_policy == DV_UPGRADE_AUTOMATIC,
        .inline_dependencies = w->inlined ? &w->inlined->dependencies : NULL,
        .inline_version = w->inline_version,
    };
    return dv_lock_resolve(ctx_of(w), &env, &w->package->lock);
}

static dv_err *step_package(work *w)
{
    const dv_lock_result *lock = &w->package->lock;

    if (!w->inlined)
        DV_TRY(dv_repos_package(ctx_of(w), w->plan->session->repos, lock->repository,
                                w->pm->spec.package, lock->version, &w->source),
               "package %s %s", w->pm->spec.package, lock->version);
    DV_TRY(dv_package_unsupported(w->inlined ? w->inlined : w->source->package), "package %s",
           cli_package_of(w->pm));
    if (w->pm->spec.values)
        return dv_err_new(
            DV_INVALID, "ValuesNotSupported",
            "spec.values: this release of Davit installs packages without values only");
    return dv_pm_check_unique(w->plan->session->pms, w->pm);
}

/*
 * What a dependency will demand of others at its new version. They are planned one by one, and none
 * may be held up by what another demanded before.
 */
static dv_pm_status demands_of(const dv_lock_result *lock, const dv_locked *locked,
                               const dv_pm *there)
{
    dv_pm_status status = {0};
    dv_lock_result own = *lock; /* borrowed, but for whose direct dependencies they are */

    if (there)
        status = dv_pm_status_dup(&there->status);
    own.dependencies = locked->dependencies;
    dv_dependencies_list(&own, locked->package, &status);
    return status;
}

/* The dependency as the operator would write it, with what is known of the one that is there. */
static dv_err *make_dependency(work *w, const dv_locked *locked, const dv_pm *there)
{
    const char *ns = w->plan->session->operator_ns;
    json_auto_t *object = dv_dependency_object(locked, ns);
    dv_auto_str key = dv_key_make(ns, locked->package);

    DV_CHECK(dv_json_set(object, "/metadata/uid", json_string(there ? there->uid : "planned")));
    DV_CHECK(dv_json_set(object, "/metadata/creationTimestamp",
                         json_string(there && there->creation_timestamp ? there->creation_timestamp
                                                                        : "9999-12-31T23:59:59Z")));
    DV_CHECK(dv_json_set(object, "/metadata/generation",
                         json_integer(there ? there->generation + 1 : 1)));
    dv_pm_status status = demands_of(&w->package->lock, locked, there);
    dv_err *err = plan_store(w->plan, object, &status);
    dv_pm_status_done(&status);
    plan_later(w->plan, key);
    return err;
}

static dv_err *step_dependencies(work *w)
{
    dv_lock_result *lock = &w->package->lock;

    for (size_t i = 0; i < lock->closure.n; i++) {
        dv_auto_pm there = NULL;
        bool write = false;

        if (lock->closure.at[i].fixed)
            continue;
        dv_err *err = dv_dependency_decide(w->plan->session->pms, w->pm, &lock->closure.at[i],
                                           w->plan->session->operator_ns, &write, &there);
        if (dv_err_is(err, DV_WAITING)) /* the cluster's state, which is known: an answer */
            return dv_err_recast(err, DV_DENIED, /* reason= */ NULL);
        DV_CHECK(err);
        if (write)
            DV_CHECK(make_dependency(w, &lock->closure.at[i], there));
    }
    return NULL;
}

/* As its status will be once it is installed: that is what others are locked against. */
static dv_err *step_store(work *w)
{
    const json_t *document = dv_map_get(w->plan->documents, dv_str_of(w->pm->key));
    dv_pm_status status = dv_pm_status_dup(&w->pm->status);

    dv_dependencies_list(&w->package->lock, cli_package_of(w->pm), &status);
    dv_set_str(&status.version, w->package->lock.version);
    dv_condition_drop(&status.conditions, "Resolved");
    dv_err *err = document ? plan_store(w->plan, document, &status) : NULL;
    dv_pm_status_done(&status);
    return err;
}

static dv_err *check_source(void *arg, const char *url, const char *sha256)
{
    const work *w = arg;
    dv_err *err = dv_render_check_source(&w->pm->status, w->package->lock.version, url, sha256);

    if (err)
        dv_strings_add(&w->package->warnings, dv_err_str(err));
    dv_err_free(err);
    return NULL;
}

static void done_objects(dv_objects *objects)
{
    dv_objects_done(objects);
}

static dv_err *step_objects(work *w)
{
    const dv_package *package = w->inlined ? w->inlined : w->source->package;
    DV_CLEANUP(dv_artifacts_done) dv_artifacts artifacts = {0};
    DV_CLEANUP(done_objects) dv_objects objects = {0};
    json_t *items = NULL;
    const dv_render_env env = {
        .repos = w->plan->session->repos,
        .sandbox = w->plan->session->sandbox,
        .repository = w->package->lock.repository,
        .package = package,
        .source = w->source,
        .check = check_source,
        .arg = w,
    };
    const dv_prepare_options options = {.pm = w->pm,
                                        .default_namespace = package->default_namespace};

    DV_TRY(dv_render(ctx_of(w), &env, &items, &artifacts), "manifests of %s %s", package->name,
           w->package->lock.version);
    DV_CHECK(dv_prepare(ctx_of(w), w->plan->session->kube, items, &options, &objects));
    DV_CHECK(plan_compare(w->plan, w->pm, &objects, w->package));
    return plan_leaving(w->plan, w->pm, &objects, w->package);
}

static const struct {
    dv_err *(*run)(work *w);
} steps[] = {{step_lock}, {step_package}, {step_dependencies}, {step_store}, {step_objects}};

static dv_err *run_steps(work *w)
{
    if (w->pm->deleted_at_ms)
        return dv_err_new(DV_DENIED, "Deleting", "it is being deleted");
    if (w->pm->spec.suspend) {
        dv_strings_add(&w->package->warnings, "spec.suspend is set: nothing would be done");
        return NULL;
    }
    for (size_t i = 0; i < DV_LEN(steps); i++)
        DV_CHECK(steps[i].run(w));
    return NULL;
}

/* ---- Packages ---- */

static plan_package *add_package(plan *p, const dv_pm *pm)
{
    plan_package *package = dv_vec_push(&p->packages);

    package->key = dv_strdup(pm->key);
    package->package = dv_strdup(cli_package_of(pm));
    package->from = dv_strdup(pm->status.version);
    package->dependency = pm->is_dependency;
    return package;
}

/* What holds up one package is told with it; what ends the command is not. */
static bool ends_all(const dv_err *err)
{
    return dv_err_is(err, DV_CANCELED) || dv_err_is(err, DV_BUG);
}

/* What was planned before of this one counts no more, but where it began does. */
static void forget(plan *p, const char *key, plan_package *ret_old)
{
    plan_package *old = plan_find(p, key);

    if (!old)
        return;
    *ret_old = *old;
    dv_vec_remove(&p->packages, (size_t)(old - p->packages.at));
}

/* pm is a hold of the caller's: its place in the store changes meanwhile. */
static dv_err *plan_one(plan *p, const dv_pm *pm, bool asked)
{
    DV_CLEANUP(plan_package_done) plan_package old = {0};

    forget(p, pm->key, &old);
    plan_package package = *add_package(p, pm);
    size_t at = p->packages.n - 1;
    DV_CLEANUP(work_done) work w = {.plan = p, .pm = pm, .package = &package};

    package.asked = asked || old.asked;
    if (old.key)
        dv_set_str(&package.from, old.from);
    package.held = run_steps(&w);
    p->packages.at[at] = package;
    if (!ends_all(package.held))
        return NULL;
    return DV_TAKE(p->packages.at[at].held);
}

static dv_err *plan_todo(plan *p, size_t asked)
{
    for (p->at = 0; p->at < p->todo.n; p->at++) {
        dv_auto_pm pm = (dv_pm *)dv_informer_get(p->session->pms, p->todo.at[p->at]);

        if (p->at >= STEPS_MAX)
            return dv_err_new(DV_INVALID, "TooLarge", "more than %d PackageManifests to plan",
                              STEPS_MAX);
        if (pm)
            DV_CHECK(plan_one(p, pm, p->at < asked));
        DV_CHECK(dv_ctx_check(&p->session->ctx));
    }
    return NULL;
}

static dv_err *remove_one(plan *p, const dv_pm *pm)
{
    plan_package *package = add_package(p, pm);

    package->removed = true;
    package->held = plan_leaving(p, pm, /* objects= */ NULL, package);
    return ends_all(package->held) ? DV_TAKE(package->held) : NULL;
}

static dv_err *remove_unneeded(plan *p)
{
    DV_CLEANUP(dv_entries_done) dv_entries pms = dv_informer_list(p->session->pms);

    for (size_t i = 0; i < pms.n; i++) {
        const dv_pm *pm = (dv_pm *)pms.at[i];

        if (pm->is_dependency && !pm->deleted_at_ms && !plan_find(p, pm->key) &&
            !dv_pm_is_needed(p->session->pms, pm))
            DV_CHECK(remove_one(p, pm));
    }
    return NULL;
}

dv_err *plan_run(plan *p)
{
    DV_CHECK(plan_todo(p, p->todo.n));
    return remove_unneeded(p);
}
