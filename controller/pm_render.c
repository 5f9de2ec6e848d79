/* SPDX-License-Identifier: Apache-2.0 */
/* From a version to objects. */
#include "base/crypto.h"
#include "install/render.h"
#include "pm_run.h"

/* ---- What decides about the objects ---- */

static void add_ignored(dv_buf *text, const dv_pm_spec *spec)
{
    for (size_t i = 0; i < spec->ignore_fields.n; i++) {
        const dv_ignore_field *f = &spec->ignore_fields.at[i];

        dv_buf_addf(text, "ignore %s %s %s\n", f->group ? f->group : "", f->kind ? f->kind : "",
                    f->name ? f->name : "");
        for (size_t p = 0; p < f->paths.n; p++)
            dv_buf_addf(text, "path %s\n", f->paths.at[p]);
    }
}

void pm_digest_inputs(pm_run *run, const char *version, const char *repository)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    const dv_pm_spec *spec = &run->pm->spec;

    dv_buf_addf(&text, "%s\n%s\n%s\n%s\n%s\n", run->pm->uid, spec->package, version,
                repository ? repository : "", spec->target_namespace);
    add_ignored(&text, spec);
    if (spec->manifest)
        dv_buf_add_str(&text, dv_doc_bytes(spec->manifest));
    dv_sha256_hex(dv_buf_str(&text), run->inputs);
}

/* ---- The description ---- */

const dv_package *pm_package(const pm_run *run)
{
    return run->inline_package ? run->inline_package : run->package->package;
}

dv_err *pm_read_inline(pm_run *run)
{
    dv_auto_str version = NULL;

    DV_CHECK(dv_render_inline(run->pm, &run->inline_package, &version));
    dv_set_str(&run->status.attempted_version, version);
    return NULL;
}

/* Once a version: what its package.yaml has that nobody understands. */
static void tell_warnings(pm_run *run)
{
    const char *tried = run->pm->status.attempted_version;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    if (!run->package || !run->package->warnings.n ||
        (tried && strcmp(tried, run->lock.version) == 0))
        return;
    dv_buf_addf(&text, "package.yaml of %s %s: ", run->pm->spec.package, run->lock.version);
    for (size_t i = 0; i < run->package->warnings.n; i++)
        dv_buf_addf(&text, "%s%s", i ? "; " : "", run->package->warnings.at[i]);
    pm_tell(run, "Warning", "PackageWarning", "Resolve", dv_buf_cstr(&text));
}

dv_err *pm_step_package(dv_ctx *ctx, pm_run *run)
{
    if (run->settled)
        return NULL;
    if (!run->inline_package)
        DV_TRY(dv_repos_package(ctx, run->op->repos, run->lock.repository, run->pm->spec.package,
                                run->lock.version, &run->package),
               "package %s %s", run->pm->spec.package, run->lock.version);
    tell_warnings(run);
    DV_TRY(dv_package_unsupported(pm_package(run)), "package %s", pm_package(run)->name);
    if (run->pm->spec.values)
        return dv_err_new(
            DV_INVALID, "ValuesNotSupported",
            "spec.values: this release of Davit installs packages without values only");
    return NULL;
}

/* ---- Objects ---- */

/* Somebody who asks for a run takes what is there now. */
static dv_err *check_source(void *arg, const char *url, const char *sha256)
{
    const pm_run *run = arg;

    return run->requested
               ? NULL
               : dv_render_check_source(&run->pm->status, run->lock.version, url, sha256);
}

/* The same inputs that are on their way already need no second rendering once they were saved. */
dv_err *pm_step_render(dv_ctx *ctx, pm_run *run)
{
    DV_CLEANUP(dv_artifacts_done) dv_artifacts artifacts = {0};
    json_t *items = NULL;

    if (run->settled)
        return NULL;
    const dv_package *package = pm_package(run);
    const dv_render_env env = {
        .repos = run->op->repos,
        .sandbox = run->op->sandbox,
        .repository = run->lock.repository,
        .package = package,
        .source = run->package,
        .check = check_source,
        .arg = run,
    };
    DV_TRY(dv_render(ctx, &env, &items, &artifacts), "manifests of %s %s", package->name,
           run->lock.version);
    const dv_prepare_options options = {.pm = run->pm,
                                        .default_namespace = package->default_namespace};
    DV_CHECK(dv_prepare(ctx, run->op->kube, items, &options, &run->objects));
    run->have_objects = true;
    pm_digest_inputs(run, run->lock.version, run->lock.repository);
    dv_artifacts_done(&run->status.artifacts);
    run->status.artifacts = artifacts;
    artifacts = (dv_artifacts){0};
    return NULL;
}
