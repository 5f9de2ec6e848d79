/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdarg.h>

#include "base/file.h"
#include "install/render.h"
#include "install/repository.h"
#include "kube/selector.h"
#include "output.h"
#include "version.h"

enum { SANDBOX_WORKERS = 2 };

void cli_note(const char *format, ...)
{
    char text[DV_LINE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    cli_say(text);
}

const dv_resource *cli_resource_pm(cli_session *session)
{
    return dv_kube_resource_static(session->kube, DV_GROUP, DV_VERSION_NAME, "PackageManifest",
                                   "packagemanifests", true);
}

const char *cli_session_scope(const cli_session *session)
{
    return session->options->ns && !session->options->all_namespaces ? session->options->ns : NULL;
}

/* ---- Opening ---- */

/* Where fetched files are kept between calls; owned. NULL: nowhere. */
static char *cache_folder(const cli_options *options)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (options->cache_dir)
        return *options->cache_dir ? dv_strdup(options->cache_dir) : NULL;
    if (base && base[0] == '/')
        return dv_asprintf("%s/davit/repositories", base);
    return home && home[0] == '/' ? dv_asprintf("%s/.cache/davit/repositories", home) : NULL;
}

static dv_err *load_config(cli_session *s, dv_kube_config **ret_config)
{
    const dv_kube_config_options options = {
        .kubeconfig = s->options->kubeconfig,
        .context = s->options->context,
        .allow_exec = true,
    };

    DV_CHECK(dv_kube_config_load(&s->ctx, &options, ret_config));
    s->ns = s->options->ns ? s->options->ns : dv_kube_config_namespace(*ret_config);
    return NULL;
}

static dv_err *make_policy(cli_session *s, const dv_kube_config *config)
{
    s->policy = dv_address_policy_new();
    for (size_t i = 0; i < s->options->allow_cidr.n; i++)
        DV_TRY(dv_err_recast(dv_address_policy_allow(s->policy, s->options->allow_cidr.at[i]),
                             DV_INVALID, CLI_BAD_USAGE),
               "--allow-cidr");
    return dv_kube_config_deny_server(config, s->policy);
}

dv_err *cli_session_open(const cli_options *options, cli_session *ret_session)
{
    cli_session *s = ret_session;
    dv_auto(dv_kube_config) config = NULL;
    dv_auto_str folder = cache_folder(options);

    *s = (cli_session){.options = options,
                       .operator_ns = options->operator_ns,
                       .ctx = dv_ctx_make(/* cancel= */ NULL),
                       .namespaces = dv_map_new((void (*)(void *))dv_doc_unref)};
    dv_ctx_set_timeout(&s->ctx, options->timeout_ms);
    DV_CHECK(load_config(s, &config));
    DV_CHECK(make_policy(s, config));
    dv_http_setup();
    s->http = dv_http_new();
    s->kube = dv_kube_new(s->http, DV_TAKE(config), "davit/" DV_VERSION);
    s->sandbox = dv_sandbox_new(SANDBOX_WORKERS, /* log= */ NULL);
    s->fetcher = dv_fetcher_new(s->http, s->policy, &options->allow_file_root);
    s->repos = dv_repos_new(s->fetcher, dv_render_decoder(s->sandbox), folder);
    s->cache = dv_cache_new(s->kube, s->ctx.clock, /* log= */ NULL);
    return NULL;
}

/* As the operator's main() takes its parts apart. */
void cli_session_close(cli_session *s)
{
    if (s->cache)
        dv_cache_free(s->cache);
    dv_http_free(s->http);
    if (s->repos)
        dv_repos_free(s->repos);
    if (s->fetcher)
        dv_fetcher_free(s->fetcher);
    if (s->sandbox)
        dv_sandbox_free(s->sandbox);
    if (s->kube)
        dv_kube_free(s->kube);
    if (s->policy)
        dv_address_policy_free(s->policy);
    dv_map_free(s->namespaces);
    dv_strings_done(&s->repositories);
    *s = (cli_session){0};
}

/* ---- PackageManifests ---- */

/* The mark counts where the operator makes it; elsewhere it is anybody's. */
static dv_entry *reduce_pm(void *arg, const json_t *object)
{
    const cli_session *s = arg;
    dv_pm *pm = NULL;
    dv_err *err = dv_pm_decode(object, &pm);

    if (err) {
        dv_err_free(err);
        return NULL;
    }
    pm->is_dependency = pm->is_dependency && strcmp(pm->ns, s->operator_ns) == 0;
    return &pm->entry;
}

/* Before the informer, which would wait for the kind to come. */
static dv_err *check_kind(cli_session *s)
{
    const dv_kube_request request = {
        .verb = DV_KUBE_LIST, .resource = cli_resource_pm(s), .limit = 1, .metadata_only = true};
    dv_err *err = dv_kube_do(&s->ctx, s->kube, &request, /* ret_object= */ NULL);

    if (!err || strcmp(dv_err_reason(err), "KindNotFound") != 0)
        return err;
    dv_err_free(err);
    return dv_err_new(DV_NOT_FOUND, "NotInstalled",
                      "the cluster has no PackageManifests: Davit is not installed in it");
}

dv_err *cli_session_packages(cli_session *s)
{
    const dv_informer_options options = {
        .resource = cli_resource_pm(s), .reduce = reduce_pm, .index = dv_pm_index, .arg = s};

    DV_CHECK(check_kind(s));
    s->pms = dv_informer_start(s->cache, &options);
    DV_TRY(dv_informer_wait(&s->ctx, s->pms), "PackageManifests");
    return NULL;
}

/* ---- PackageRepositories ---- */

static dv_err *keep_namespace(void *arg, const json_t *item)
{
    cli_session *s = arg;
    const json_t *labels = dv_json_object(item, "/metadata/labels");
    json_auto_t *none = json_object();

    dv_map_put(s->namespaces, dv_str_of(dv_obj_name(item)), dv_doc_new(labels ? labels : none));
    return NULL;
}

/* A user who may not list namespaces knows the labels of none: selectors then accept nothing. */
static dv_err *read_namespaces(cli_session *s)
{
    const dv_kube_request request = {
        .verb = DV_KUBE_LIST,
        .resource = dv_kube_resource_static(s->kube, "", "v1", "Namespace", "namespaces", false),
        .metadata_only = true,
    };
    dv_err *err = dv_kube_list(&s->ctx, s->kube, &request, keep_namespace, s, NULL, NULL);

    if (!dv_err_is(err, DV_DENIED))
        return err;
    cli_note("labels of namespaces are unknown, so repositories with a namespaceSelector are left "
             "out: %s",
             dv_err_str(err));
    dv_err_free(err);
    return NULL;
}

static bool may_use(void *arg, const char *ns, const json_t *selector)
{
    const cli_session *s = arg;
    const dv_doc *labels = dv_map_get(s->namespaces, dv_str_of(ns));
    json_auto_t *parsed = NULL;

    if (!labels)
        return false;
    dv_err *err = dv_doc_parse(labels, &parsed);
    if (err) {
        dv_err_free(err);
        return false;
    }
    return dv_selector_matches(selector, parsed);
}

/* One whose Secret can't be read is kept as one that was never read: it holds its place. */
static dv_err *hold_place(cli_session *s, const dv_pkgrepo_env *env, const json_t *item)
{
    json_auto_t *copy = dv_json_copy(item);
    dv_pkgrepo *repo = NULL;

    dv_json_remove(copy, "/spec/secretRef");
    dv_json_remove(copy, "/spec/caSecretRef");
    DV_CHECK(dv_json_set(copy, "/spec/suspend", json_true()));
    DV_CHECK(dv_pkgrepo_decode(copy, &repo));
    dv_err *err = dv_pkgrepo_put(&s->ctx, env, repo);
    dv_pkgrepo_unref(repo);
    return err;
}

static void tell_unread(cli_session *s, const char *name, dv_err *err)
{
    cli_note("PackageRepository %s: %s", name, dv_err_str(err));
    dv_err_free(err);
    s->unread++;
}

/* Does it serve the one package that is asked about? Then that is all that a sync reads. */
static bool narrow(const char *only, json_t *item)
{
    const json_t *globs = dv_json_array(item, "/spec/packages");
    bool serves = json_array_size(globs) == 0;
    size_t i;
    json_t *glob;

    json_array_foreach(globs, i, glob)
    {
        serves = serves || dv_glob_match(dv_json_view(glob, ""), dv_str_of(only));
    }
    dv_err_free(dv_json_set(item, "/spec/packages", json_pack("[s]", only)));
    return serves;
}

static dv_err *put_repository(void *arg, const json_t *listed)
{
    cli_session *s = arg;
    json_auto_t *item = dv_json_copy(listed);
    dv_pkgrepo *repo = NULL;
    const dv_pkgrepo_env env = {.kube = s->kube,
                                .repos = s->repos,
                                .secrets_namespace = s->operator_ns,
                                .may_use = may_use,
                                .arg = s};

    if (s->only && !narrow(s->only, item))
        return NULL;
    s->selects = s->selects || dv_json_object(item, "/spec/namespaceSelector");
    dv_err *err = dv_pkgrepo_decode(item, &repo);
    if (!err)
        err = dv_pkgrepo_put(&s->ctx, &env, repo);
    if (!err && !dv_strings_has(&s->repositories, dv_obj_name(item)))
        dv_strings_add(&s->repositories, dv_obj_name(item));
    dv_pkgrepo_unref(repo);
    if (!err)
        return NULL;
    tell_unread(s, dv_obj_name(item), err);
    dv_err_free(hold_place(s, &env, item));
    return NULL;
}

static dv_err *sync_all(cli_session *s)
{
    for (size_t i = 0; i < s->repositories.n; i++) {
        DV_CLEANUP(dv_repo_sync_result_done) dv_repo_sync_result result = {0};
        dv_err *err = dv_repo_sync(&s->ctx, s->repos, s->repositories.at[i], &result);

        if (err && result.stale)
            cli_note("an old copy is used of %s", dv_err_str(err));
        else if (err)
            tell_unread(s, s->repositories.at[i], dv_err_dup(err));
        dv_err_free(err);
    }
    return dv_ctx_check(&s->ctx);
}

static dv_err *list_repositories(cli_session *s)
{
    const dv_kube_request request = {
        .verb = DV_KUBE_LIST,
        .resource = dv_kube_resource_static(s->kube, DV_GROUP, DV_VERSION_NAME, "PackageRepository",
                                            "packagerepositories", false),
    };

    DV_TRY(dv_kube_list(&s->ctx, s->kube, &request, put_repository, s, NULL, NULL),
           "PackageRepositories");
    return NULL;
}

dv_err *cli_session_repositories_with(cli_session *s, const json_t *more, bool sync)
{
    size_t i;
    json_t *item;

    DV_CHECK(list_repositories(s));
    json_array_foreach(more, i, item) DV_CHECK(put_repository(s, item));
    if (s->selects)
        DV_CHECK(read_namespaces(s));
    return sync ? sync_all(s) : NULL;
}

dv_err *cli_session_repositories(cli_session *s, bool sync)
{
    return cli_session_repositories_with(s, /* more= */ NULL, sync);
}
