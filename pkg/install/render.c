/* SPDX-License-Identifier: Apache-2.0 */
#include "install/render.h"

#include "base/crypto.h"
#include "manifest/objects.h"

enum { INLINE_NAME_HEX = 8 };

/* ---- In the cage ---- */

static dv_err *run_decode(const json_t *params, const dv_str *blobs, size_t n_blobs,
                          json_t **ret_result)
{
    const char *what = dv_json_str(params, "/what");

    if (!what || n_blobs != 1)
        return dv_err_new(DV_BUG, "InternalError", "decode: one blob and its kind expected");
    return dv_repo_decode(what, blobs[0], ret_result);
}

/* Gives each object the default namespace of the manifest that it stands in. */
static void add_items(json_t *items, json_t *objects, json_t *ns)
{
    size_t i;
    json_t *object;

    json_array_foreach(objects, i, object) json_array_append_new(
        items, json_pack("{s:O,s:O}", "object", object, "defaultNamespace", ns));
}

static dv_err *run_objects(const json_t *params, const dv_str *blobs, size_t n_blobs,
                           json_t **ret_result)
{
    json_auto_t *items = json_array(), *all = json_array();

    for (size_t i = 0; i < n_blobs; i++) {
        json_auto_t *objects = json_array();
        const char *name = json_string_value(json_array_get(dv_json_array(params, "/names"), i));

        DV_CHECK(dv_objects_read(blobs[i], name ? name : "manifest", objects));
        json_array_extend(all, objects);
        add_items(items, objects, json_array_get(dv_json_array(params, "/namespaces"), i));
    }
    DV_CHECK(dv_objects_check_unique(all));
    *ret_result = DV_TAKE(items);
    return NULL;
}

const dv_sandbox_op dv_render_ops[] = {
    {"decode", run_decode},
    {"objects", run_objects},
};
const size_t dv_render_n_ops = DV_LEN(dv_render_ops);

static dv_err *decode(void *arg, dv_ctx *ctx, const char *what, dv_str bytes, json_t **ret_json)
{
    json_auto_t *params = json_pack("{s:s}", "what", what);

    return dv_sandbox_call(ctx, arg, "decode", params, &bytes, 1, ret_json);
}

dv_repo_decoder dv_render_decoder(dv_sandbox *sandbox)
{
    return (dv_repo_decoder){decode, sandbox};
}

/* ---- The description ---- */

dv_err *dv_render_inline(const dv_pm *pm, dv_package **ret_package, char **ret_version)
{
    json_auto_t *json = NULL;
    dv_str bytes = dv_doc_bytes(pm->spec.manifest);
    char hex[DV_SHA256_HEX + 1];

    if (bytes.n > DV_INLINE_BYTES_MAX)
        return dv_err_new(DV_INVALID, "InvalidPackage", "spec.manifest is larger than %zu KiB",
                          DV_INLINE_BYTES_MAX / 1024);
    DV_CHECK(dv_doc_parse(pm->spec.manifest, &json));
    if (!dv_json_str(json, "/name"))
        dv_json_put_str(json, "name", pm->name);
    DV_TRY(dv_package_decode(json, ret_package, /* warnings= */ NULL), "spec.manifest");
    dv_sha256_hex(bytes, hex);
    *ret_version = dv_asprintf("inline-%.*s", INLINE_NAME_HEX, hex);
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

static void add_artifact(dv_artifacts *list, const char *url, const char *sha256)
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

static dv_err *fetch_one(dv_ctx *ctx, const dv_render_env *env, size_t i, manifests *m,
                         dv_artifacts *artifacts)
{
    const char *reference = env->package->manifests.at[i].url,
               *ns = env->package->manifests.at[i].default_namespace;
    dv_auto_str url = NULL;
    char sha256[DV_SHA256_HEX + 1];
    dv_buf *body = dv_vec_push(&m->bodies);

    dv_buf_init(body, DV_REPO_MANIFEST_BYTES_MAX);
    DV_TRY(dv_repos_manifest(ctx, env->repos, env->repository,
                             env->source ? env->source->url : NULL, reference,
                             /* known_sha256= */ NULL, body, &url, sha256),
           "manifest %zu", i + 1);
    if (env->check)
        DV_CHECK(env->check(env->arg, url, sha256));
    add_artifact(artifacts, url, sha256);
    add_name(m, url);
    json_array_append_new(m->namespaces, ns ? json_string(ns) : json_null());
    return NULL;
}

static dv_err *make_objects(dv_ctx *ctx, const dv_render_env *env, const manifests *m,
                            json_t **ret_items)
{
    json_auto_t *params = json_pack("{s:O,s:O}", "names", m->names, "namespaces", m->namespaces);
    dv_str *blobs = dv_calloc(m->bodies.n, sizeof(*blobs));

    for (size_t i = 0; i < m->bodies.n; i++)
        blobs[i] = dv_buf_str(&m->bodies.at[i]);
    dv_err *err =
        dv_sandbox_call(ctx, env->sandbox, "objects", params, blobs, m->bodies.n, ret_items);
    free(blobs);
    return err;
}

dv_err *dv_render(dv_ctx *ctx, const dv_render_env *env, json_t **ret_items,
                  dv_artifacts *ret_artifacts)
{
    DV_CLEANUP(manifests_done) manifests m = {.names = json_array(), .namespaces = json_array()};

    if (env->source)
        add_artifact(ret_artifacts, env->source->url, env->source->sha256);
    for (size_t i = 0; i < env->package->manifests.n; i++)
        DV_CHECK(fetch_one(ctx, env, i, &m, ret_artifacts));
    return make_objects(ctx, env, &m, ret_items);
}

/* ---- Is it what was installed? ---- */

static const dv_artifact *find_artifact(const dv_pm_status *status, const char *url)
{
    for (size_t i = 0; i < status->artifacts.n; i++)
        if (status->artifacts.at[i].url && strcmp(status->artifacts.at[i].url, url) == 0)
            return &status->artifacts.at[i];
    return NULL;
}

dv_err *dv_render_check_source(const dv_pm_status *status, const char *version, const char *url,
                               const char *sha256)
{
    const dv_artifact *known = find_artifact(status, url);

    if (!known || !status->version || strcmp(status->version, version) != 0 ||
        strcmp(known->sha256, sha256) == 0)
        return NULL;
    DV_CLEANUP(dv_buf_done) dv_buf public = DV_BUF_INIT(DV_URL_MAX);
    dv_url_add_public(&public, dv_str_of(url));
    return dv_err_new(DV_DENIED, "SourceChanged",
                      "%s is not what was installed as version %s (sha256 %.12s…, was %.12s…); the "
                      "annotation " DV_ANNOTATION_REQUESTED " applies it",
                      dv_buf_cstr(&public), version, sha256, known->sha256);
}
