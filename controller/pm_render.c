/* SPDX-License-Identifier: Apache-2.0 */
/* From a version to objects: package.yaml, manifests, the cage. */
#include "base/crypto.h"
#include "pm_run.h"

enum { INLINE_BYTES_MAX = 256 * 1024, INLINE_NAME_HEX = 8 };

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
    json_auto_t *json = NULL;
    dv_str bytes = dv_doc_bytes(run->pm->spec.manifest);
    char hex[DV_SHA256_HEX + 1];

    if (bytes.n > INLINE_BYTES_MAX)
        return dv_err_new(DV_INVALID, "InvalidPackage", "spec.manifest is larger than %d KiB",
                          INLINE_BYTES_MAX / 1024);
    DV_CHECK(dv_doc_parse(run->pm->spec.manifest, &json));
    if (!dv_json_str(json, "/name"))
        dv_json_put_str(json, "name", run->pm->name);
    DV_TRY(dv_package_decode(json, &run->inline_package, /* warnings= */ NULL), "spec.manifest");
    dv_sha256_hex(bytes, hex);
    hex[INLINE_NAME_HEX] = '\0';
    free(run->status.attempted_version);
    run->status.attempted_version = dv_asprintf("inline-%s", hex);
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

/* ---- Manifests ---- */

typedef struct {
    DV_VEC(dv_buf) bodies;
    json_t *names;      /* array of strings, for messages */
    json_t *namespaces; /* array of strings or nulls */
} manifests;

static void manifests_done(manifests *m)
{
    for (size_t i = 0; i < m->bodies.n; i++)
        dv_buf_done(&m->bodies.at[i]);
    dv_vec_done(&m->bodies);
    json_decref(m->names);
    json_decref(m->namespaces);
}

static const dv_artifact *find_artifact(const dv_pm_status *status, const char *url)
{
    for (size_t i = 0; i < status->artifacts.n; i++)
        if (status->artifacts.at[i].url && strcmp(status->artifacts.at[i].url, url) == 0)
            return &status->artifacts.at[i];
    return NULL;
}

/* Other bytes for what is installed under the same version are applied only when somebody asks. */
static dv_err *check_source(const pm_run *run, const char *url, const char *sha256)
{
    const dv_artifact *known = find_artifact(&run->pm->status, url);
    const char *installed = run->pm->status.version;

    if (!known || !installed || run->requested || strcmp(installed, run->lock.version) != 0 ||
        strcmp(known->sha256, sha256) == 0)
        return NULL;
    DV_CLEANUP(dv_buf_done) dv_buf public = DV_BUF_INIT(DV_URL_MAX);
    dv_url_add_public(&public, dv_str_of(url));
    return dv_err_new(DV_DENIED, "SourceChanged",
                      "%s is not what was installed as version %s (sha256 %.12s…, was %.12s…); the "
                      "annotation " DV_ANNOTATION_REQUESTED " applies it",
                      dv_buf_cstr(&public), installed, sha256, known->sha256);
}

typedef DV_VEC(dv_artifact) artifacts;

static void add_artifact(artifacts *list, const char *url, const char *sha256)
{
    dv_artifact *a = dv_vec_push(list);

    a->url = dv_strdup(url);
    a->sha256 = dv_strdup(sha256);
}

/* The last part of the path names it in messages; queries may hold what is nobody's business. */
static void add_name(manifests *m, const char *url)
{
    dv_str path;

    dv_str_cut(dv_str_of(url), '?', &path);
    json_array_append_new(m->names,
                          dv_json_string(dv_str_skip(path, (size_t)(dv_str_rfind(path, '/') + 1))));
}

static dv_err *fetch_one(dv_ctx *ctx, pm_run *run, size_t i, manifests *m, artifacts *sources)
{
    const dv_package *package = pm_package(run);
    const char *reference = package->manifests.at[i].url,
               *base = run->package ? run->package->url : NULL;
    dv_auto_str url = NULL;
    char sha256[DV_SHA256_HEX + 1];
    dv_buf *body = dv_vec_push(&m->bodies);

    dv_buf_init(body, DV_REPO_MANIFEST_BYTES_MAX);
    DV_TRY(dv_repos_manifest(ctx, run->op->repos, run->lock.repository, base, reference,
                             /* known_sha256= */ NULL, body, &url, sha256),
           "manifest %zu", i + 1);
    DV_CHECK(check_source(run, url, sha256));
    add_artifact(sources, url, sha256);
    add_name(m, url);
    json_array_append_new(m->namespaces,
                          package->manifests.at[i].default_namespace
                              ? json_string(package->manifests.at[i].default_namespace)
                              : json_null());
    return NULL;
}

static dv_err *render(dv_ctx *ctx, pm_run *run, const manifests *m, json_t **ret_items)
{
    json_auto_t *params = json_pack("{s:O,s:O}", "names", m->names, "namespaces", m->namespaces);
    dv_str *blobs = dv_calloc(m->bodies.n, sizeof(*blobs));

    for (size_t i = 0; i < m->bodies.n; i++)
        blobs[i] = dv_buf_str(&m->bodies.at[i]);
    dv_err *err =
        dv_sandbox_call(ctx, run->op->sandbox, "objects", params, blobs, m->bodies.n, ret_items);
    free(blobs);
    return err;
}

static void set_artifacts(pm_run *run, artifacts *sources)
{
    for (size_t i = 0; i < run->status.artifacts.n; i++) {
        free(run->status.artifacts.at[i].url);
        free(run->status.artifacts.at[i].sha256);
    }
    dv_vec_done(&run->status.artifacts);
    memcpy(&run->status.artifacts, sources, sizeof(*sources));
    *sources = (artifacts){0};
}

static void artifacts_done(artifacts *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->at[i].url);
        free(list->at[i].sha256);
    }
    dv_vec_done(list);
}

/* The same inputs that are on their way already need no second rendering once they were saved. */
dv_err *pm_step_render(dv_ctx *ctx, pm_run *run)
{
    DV_CLEANUP(manifests_done) manifests m = {.names = json_array(), .namespaces = json_array()};
    DV_CLEANUP(artifacts_done) artifacts sources = {0};
    json_t *items = NULL;

    if (run->settled)
        return NULL;
    const dv_package *package = pm_package(run);
    if (run->package)
        add_artifact(&sources, run->package->url, run->package->sha256);
    for (size_t i = 0; i < package->manifests.n; i++)
        DV_CHECK(fetch_one(ctx, run, i, &m, &sources));
    DV_TRY(render(ctx, run, &m, &items), "manifests of %s %s", package->name, run->lock.version);
    const dv_prepare_options options = {.pm = run->pm,
                                        .default_namespace = package->default_namespace};
    DV_CHECK(dv_prepare(ctx, run->op->kube, items, &options, &run->objects));
    run->have_objects = true;
    pm_digest_inputs(run, run->lock.version, run->lock.repository);
    set_artifacts(run, &sources);
    return NULL;
}
