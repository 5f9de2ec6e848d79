/* SPDX-License-Identifier: Apache-2.0 */
/* The PackageRepository controller: keeps the set of repositories as administrators wish it. */
#include "install/repository.h"
#include "operator.h"

const dv_resource *resource_pkgrepo(dv_kube *kube)
{
    return dv_kube_resource_static(kube, DV_GROUP, DV_VERSION_NAME, "PackageRepository",
                                   "packagerepositories", false);
}

dv_entry *pkgrepo_reduce(void *arg, const json_t *object)
{
    dv_pkgrepo *repo = NULL;
    dv_err *err = dv_pkgrepo_decode(object, &repo);

    (void)arg;
    if (err) {
        dv_err_free(err);
        return NULL;
    }
    return &repo->entry;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void pkgrepo_changed(void *arg, const char *key, const dv_entry *old_entry,
                     const dv_entry *now_entry)
{
    operator_t *op = arg;
    const dv_pkgrepo *old = (const dv_pkgrepo *)old_entry, *now = (const dv_pkgrepo *)now_entry;

    if (!old || !now || old->generation != now->generation ||
        !same(old->requested_at, now->requested_at))
        dv_controller_enqueue(op->pkgrepo_controller, key, 0);
}

/* ---- Secrets ---- */

static void secret_free(dv_entry *entry)
{
    free(entry);
}

/* Only that it is there, and that it changed, matters: it is read when it is needed. */
dv_entry *secret_reduce(void *arg, const json_t *object)
{
    dv_entry *entry = DV_NEW(dv_entry);

    (void)arg;
    (void)object;
    dv_entry_init(entry, secret_free);
    return entry;
}

static bool is_named(const dv_pkgrepo *repo, const char *secret)
{
    return same(repo->spec.secret_name, secret) || same(repo->spec.ca_secret_name, secret);
}

void secret_changed(void *arg, const char *key, const dv_entry *old, const dv_entry *now)
{
    operator_t *op = arg;
    const char *name = strchr(key, '/');
    dv_entries repos = dv_informer_list(op->pkgrepos);

    (void)old;
    (void)now;
    for (size_t i = 0; name && i < repos.n; i++) {
        const dv_pkgrepo *repo = (dv_pkgrepo *)repos.at[i];

        if (is_named(repo, name + 1))
            dv_controller_enqueue(op->pkgrepo_controller, repo->name, 0);
    }
    dv_entries_done(&repos);
}

/* ---- Who is to look again ---- */

static bool is_affected(const dv_pm *pm, const dv_repo_sync_result *result)
{
    bool unsettled = !dv_condition_is_true(&pm->status.conditions, "Ready");

    if (pm->spec.manifest)
        return unsettled;
    if (unsettled || !result || !result->changed_packages.n)
        return true;
    for (size_t i = 0; i < result->changed_packages.n; i++)
        if (strcmp(result->changed_packages.at[i], pm->spec.package) == 0)
            return true;
    return false;
}

/* result NULL: a repository came or went, which may concern every package. */
static void wake_packages(operator_t *op, const dv_repo_sync_result *result)
{
    dv_entries all = dv_informer_list(op->pms);

    for (size_t i = 0; i < all.n; i++) {
        const dv_pm *pm = (dv_pm *)all.at[i];

        if (is_affected(pm, result))
            dv_controller_enqueue(op->pm_controller, pm->key, 0);
    }
    dv_entries_done(&all);
}

/* ---- The wish ---- */

static bool may_use(void *arg, const char *ns, const json_t *selector)
{
    return namespace_matches(arg, ns, selector);
}

static dv_err *put_wish(dv_ctx *ctx, operator_t *op, const dv_pkgrepo *repo)
{
    const dv_pkgrepo_env env = {
        .kube = op->kube,
        .repos = op->repos,
        .secrets_namespace = op->options.namespace,
        .may_use = may_use,
        .arg = op,
    };

    return dv_pkgrepo_put(ctx, &env, repo);
}

/* ---- What is said about it ---- */

static int64_t now_unix_ms(dv_ctx *ctx)
{
    return ctx->clock->unix_us(ctx->clock) / 1000;
}

static void summarize(dv_ctx *ctx, const dv_pkgrepo *repo, const dv_repo_sync_result *result,
                      const dv_err *err, bool refusal_lasts, dv_pkgrepo_status *status)
{
    bool stalled = needs_somebody(err, refusal_lasts);
    bool served = result && (!err || result->stale);
    DV_CLEANUP(dv_buf_done) dv_buf message = DV_BUF_INIT(DV_LINE_MAX);

    if (served) {
        status->packages = result->packages;
        status->versions = result->versions;
        dv_set_str(&status->revision, result->revision);
    }
    if (!err)
        dv_buf_addf(&message, "%lld packages, %lld versions", (long long)status->packages,
                    (long long)status->versions);
    else if (served)
        dv_buf_addf(&message, "an old copy is served: %s", dv_err_str(err));
    else
        dv_buf_adds(&message, dv_err_str(err));
    dv_condition_set(&status->conditions, "Ready", err ? "False" : "True",
                     err ? (served ? "Stale" : dv_err_reason(err)) : "Synced",
                     dv_buf_cstr(&message), repo->generation, now_unix_ms(ctx));
    dv_condition_drop(&status->conditions, stalled || !err ? "Reconciling" : "Stalled");
    if (err)
        dv_condition_set(&status->conditions, stalled ? "Stalled" : "Reconciling", "True",
                         dv_err_reason(err), dv_err_str(err), repo->generation, now_unix_ms(ctx));
    else
        dv_condition_drop(&status->conditions, "Stalled");
    status->observed_generation = repo->generation;
    dv_set_str(&status->last_handled_reconcile_at, repo->requested_at);
}

static dv_objref objref_of(const dv_pkgrepo *repo)
{
    return (dv_objref){.api_version = dv_strdup(DV_API_VERSION),
                       .kind = dv_strdup("PackageRepository"),
                       .ns = dv_strdup(""),
                       .name = dv_strdup(repo->name),
                       .uid = dv_strdup(repo->uid)};
}

static void tell_change(operator_t *op, const dv_pkgrepo *repo, const dv_pkgrepo_status *status)
{
    const dv_condition *before = dv_condition_get(&repo->status.conditions, "Ready");
    const dv_condition *now = dv_condition_get(&status->conditions, "Ready");
    DV_CLEANUP(dv_objref_done) dv_objref ref = objref_of(repo);

    if (before && same(before->reason, now->reason) && same(before->status, now->status))
        return;
    dv_event(op->events, &ref, same(now->status, "True") ? "Normal" : "Warning", now->reason,
             "Sync", "%s", now->message);
}

/* What was left out of an index that has changed: each once, for it does not change until the index
 * does. */
static void tell_warnings(operator_t *op, const dv_pkgrepo *repo, const dv_repo_sync_result *result)
{
    DV_CLEANUP(dv_objref_done) dv_objref ref = objref_of(repo);
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    if (!result->changed || !result->warnings.n)
        return;
    for (size_t i = 0; i < result->warnings.n; i++)
        dv_buf_addf(&text, "%s%s", i ? "; " : "", result->warnings.at[i]);
    dv_event(op->events, &ref, "Warning", "RepositoryWarning", "Sync", "%s", dv_buf_cstr(&text));
}

static dv_err *write_status(dv_ctx *ctx, operator_t *op, const dv_pkgrepo *repo,
                            const dv_pkgrepo_status *status)
{
    json_auto_t *before = dv_pkgrepo_status_encode(&repo->status);
    json_t *now = dv_pkgrepo_status_encode(status);

    if (json_equal(before, now)) {
        json_decref(now);
        return NULL;
    }
    DV_CLEANUP(dv_objref_done) dv_objref ref = objref_of(repo);
    dv_auto_str version = dv_strdup(repo->resource_version);
    dv_err *err =
        patch_status(ctx, op, op->pkgrepos, resource_pkgrepo(op->kube), &ref, &version, now);
    if (!err)
        tell_change(op, repo, status);
    return dv_err_wrap(err, "status of PackageRepository %s", repo->name);
}

/* ---- A run ---- */

static dv_err *sync(dv_ctx *ctx, operator_t *op, const dv_pkgrepo *repo,
                    dv_repo_sync_result *result)
{
    int64_t began = dv_ctx_now_ms(ctx);
    dv_ctx limited = *ctx;

    dv_ctx_set_timeout(&limited, repo->spec.timeout_ms);
    dv_err *err = dv_repo_sync(&limited, op->repos, repo->name, result);
    const char *outcome = err ? "error" : result->changed ? "changed" : "unchanged";
    dv_metric_add(op->repo_syncs, 1, DV_LABELS(repo->name, outcome));
    if (!err)
        dv_metric_set(op->repo_sync_time, (double)now_unix_ms(ctx) / 1000, DV_LABELS(repo->name));
    dv_metric_observe(op->repo_sync_seconds, (double)(dv_ctx_now_ms(ctx) - began) / 1000,
                      DV_LABELS(repo->name));
    return err;
}

static dv_result drop(operator_t *op, const char *name)
{
    dv_repos_drop(op->repos, name);
    dv_metric_drop(op->repo_sync_time, DV_LABELS(name));
    wake_packages(op, NULL);
    return (dv_result){.what = DV_DONE};
}

static void unref_repo(dv_pkgrepo **at)
{
    dv_pkgrepo_unref(*at);
}

static void status_done(dv_pkgrepo_status *status)
{
    dv_pkgrepo_status_done(status);
}

dv_result pkgrepo_reconcile(void *arg, dv_ctx *ctx, const char *key)
{
    operator_t *op = arg;
    DV_CLEANUP(unref_repo) dv_pkgrepo *repo = (dv_pkgrepo *)dv_informer_get(op->pkgrepos, key);
    DV_CLEANUP(dv_repo_sync_result_done) dv_repo_sync_result result = {0};

    dv_sandbox_tend(op->sandbox);
    if (!repo || repo->deleting)
        return drop(op, key);
    DV_CLEANUP(status_done) dv_pkgrepo_status status = dv_pkgrepo_status_dup(&repo->status);
    bool known = true;
    dv_err *err = put_wish(ctx, op, repo);
    if (err)
        known = false;
    else
        err = sync(ctx, op, repo, &result);
    if (dv_err_is(err, DV_CANCELED))
        return dv_result_from(err, 0);
    if (known && (result.changed || repo->generation != repo->status.observed_generation))
        wake_packages(op, result.changed ? &result : NULL);
    tell_warnings(op, repo, &result);
    summarize(ctx, repo, known ? &result : NULL, err,
              dv_controller_refusal_lasts(op->pkgrepo_controller, key), &status);
    if (err)
        dv_warn(ctx->log, "repository not synced", dv_s("reason", dv_err_reason(err)), dv_e(err));
    err = dv_err_join(err, write_status(ctx, op, repo, &status));
    return dv_result_from(err, repo->spec.suspend ? 0 : repo->spec.interval_ms);
}
