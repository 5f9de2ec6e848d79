/* SPDX-License-Identifier: Apache-2.0 */
/* The set of repositories: what there is, and what may wait for what. */
#include "repo/repo.h"

#include "repo/repo_internal.h"

static void repo_free(void *at)
{
    dv_repo *repo = at;

    dv_repo_conf_unref(repo->conf);
    dv_repo_snapshot_unref(repo->snapshot);
    free(repo);
}

dv_repos *dv_repos_new(dv_fetcher *fetcher, dv_repo_decoder decoder, const char *cache_dir)
{
    dv_repos *repos = DV_NEW(dv_repos);

    repos->fetcher = fetcher;
    repos->decoder = decoder;
    repos->cache = dv_repo_cache_new(cache_dir, DV_REPO_CACHE_MAX);
    pthread_mutex_init(&repos->mu, NULL);
    dv_cond_init(&repos->fetched);
    repos->by_name = dv_map_new(repo_free);
    repos->memory = dv_repo_memory_new();
    return repos;
}

void dv_repos_free(dv_repos *repos)
{
    if (!repos)
        return;
    dv_repo_memory_free(repos->memory);
    dv_map_free(repos->by_name);
    dv_repo_cache_free(repos->cache);
    pthread_cond_destroy(&repos->fetched);
    pthread_mutex_destroy(&repos->mu);
    free(repos);
}

/* ---- Wishes ---- */

static dv_err *invalid(const dv_repo_wish *wish, const char *what)
{
    return dv_err_new(DV_INVALID, "InvalidRepository", "repository %s: %s", wish->name, what);
}

static dv_err *take_url(const dv_repo_wish *wish, dv_repo_conf *conf)
{
    dv_str text = dv_str_of(wish->url);
    dv_url url;

    dv_err *err = dv_url_parse(text, &url);
    if (err)
        return dv_err_recast(dv_err_wrap(err, "repository %s", wish->name), DV_INVALID,
                             "InvalidRepository");
    if (url.query.n)
        return invalid(wish, "its URL has a query");
    if (dv_str_is(url.scheme, "http") && !wish->insecure)
        return invalid(wish, "plain http is only used with insecure: true");
    while (dv_str_ends(text, DV_STR("/")) && text.n > 1)
        text.n--;
    conf->url = dv_str_dup(text);
    return NULL;
}

static dv_err *take_globs(const dv_repo_wish *wish, dv_repo_conf *conf)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.*?";

    for (size_t i = 0; wish->packages && i < wish->packages->n; i++) {
        const char *glob = wish->packages->at[i];
        if (!*glob || strlen(glob) > 253 || strspn(glob, allowed) != strlen(glob))
            return invalid(wish, "packages: a glob of a name has lower-case letters, digits, "
                                 "\"-\", \".\", \"*\" and \"?\"");
        dv_strings_add(&conf->globs, glob);
    }
    return NULL;
}

static void set_scope(dv_repo_conf *conf)
{
    char hex[DV_SHA256_HEX + 1];
    dv_auto_str text = dv_asprintf("%s\n%s", conf->name, conf->url);

    dv_sha256_hex(dv_str_of(text), hex);
    memcpy(conf->scope, hex, DV_REPO_SCOPE_HEX);
}

static dv_err *take_wish(const dv_repos *repos, const dv_repo_wish *wish, dv_repo_conf *conf)
{
    dv_fetch_auth_options auth = wish->auth;

    DV_CHECK(take_url(wish, conf));
    DV_CHECK(take_globs(wish, conf));
    auth.origin = conf->url;
    auth.allow_plain = wish->insecure;
    DV_TRY(dv_fetch_auth_new(repos->fetcher, &auth, &conf->auth), "repository %s", wish->name);
    set_scope(conf);
    conf->gate = DV_NEW(dv_repo_gate);
    conf->gate->refs = 1;
    return NULL;
}

/* Puts conf in its place; what it replaces is handed out, to be let go of without the lock. */
static void replace(dv_repos *repos, dv_repo_conf *conf, dv_repo_conf **ret_conf,
                    dv_repo_snapshot **ret_snapshot)
{
    DV_LOCK_SCOPE(&repos->mu);
    dv_repo *repo = dv_map_get(repos->by_name, dv_str_of(conf->name));

    if (!repo) {
        repo = DV_NEW(dv_repo);
        dv_map_put(repos->by_name, dv_str_of(conf->name), repo);
    }
    if (repo->conf && strcmp(repo->conf->scope, conf->scope) == 0) {
        dv_repo_gate_unref(conf->gate);
        conf->gate = repo->conf->gate;
        conf->gate->refs++;
    } else {
        *ret_snapshot = DV_TAKE(repo->snapshot);
        repo->attempted = false;
        if (repo->conf)
            dv_repo_memory_drop(repos->memory, repo->conf->scope);
    }
    *ret_conf = repo->conf;
    repo->conf = dv_repo_conf_ref(conf);
}

dv_err *dv_repos_put(dv_repos *repos, const dv_repo_wish *wish)
{
    dv_auto_conf conf = DV_NEW(dv_repo_conf);
    dv_auto_conf old = NULL;
    dv_auto_snapshot old_snapshot = NULL;

    conf->refs = 1;
    conf->name = dv_strdup(wish->name);
    conf->priority = wish->priority;
    conf->suspended = wish->suspended;
    conf->may_use = wish->may_use;
    conf->arg = wish->arg;
    conf->arg_free = wish->arg_free;
    DV_CHECK(take_wish(repos, wish, conf));
    replace(repos, conf, &old, &old_snapshot);
    if (old && strcmp(old->scope, conf->scope) != 0)
        dv_repo_cache_drop_scope(repos->cache, old->scope);
    return NULL;
}

static dv_repo *take_out(dv_repos *repos, const char *name)
{
    DV_LOCK_SCOPE(&repos->mu);
    dv_repo *repo = dv_map_take(repos->by_name, dv_str_of(name));

    if (repo)
        dv_repo_memory_drop(repos->memory, repo->conf->scope);
    return repo;
}

void dv_repos_drop(dv_repos *repos, const char *name)
{
    dv_repo *repo = take_out(repos, name);

    if (!repo)
        return;
    dv_repo_cache_drop_scope(repos->cache, repo->conf->scope);
    repo_free(repo);
}

/* ---- Finding and waiting ---- */

dv_err *dv_repos_find(dv_repos *repos, const char *name, dv_repo_conf **ret_conf,
                      dv_repo_snapshot **ret_snapshot)
{
    DV_LOCK_SCOPE(&repos->mu);
    dv_repo *repo = dv_map_get(repos->by_name, dv_str_of(name));

    if (!repo)
        return dv_err_new(DV_NOT_FOUND, "RepositoryNotFound", "no repository %s", name);
    *ret_conf = dv_repo_conf_ref(repo->conf);
    if (ret_snapshot)
        *ret_snapshot = dv_repo_snapshot_ref(repo->snapshot);
    return NULL;
}

static int64_t real_now_ms(void)
{
    return dv_clock_real()->mono_ms(dv_clock_real());
}

dv_err *dv_repos_enter(dv_ctx *ctx, dv_repos *repos, dv_repo_conf *conf)
{
    dv_repo_gate *gate = conf ? conf->gate : &repos->inlined;
    DV_LOCK_SCOPE(&repos->mu);

    int64_t until_ms = real_now_ms() + DV_REPO_BUSY_WAIT_MS, left_ms = DV_REPO_BUSY_WAIT_MS;

    DV_CHECK(dv_ctx_check(ctx));
    while (gate->fetching >= DV_REPO_FETCHES_MAX && left_ms > 0) {
        dv_cond_wait_ms(&repos->fetched, &repos->mu, left_ms);
        left_ms = until_ms - real_now_ms();
    }
    if (gate->fetching >= DV_REPO_FETCHES_MAX)
        return dv_err_new(DV_WAITING, "RepositoryBusy",
                          "%d others wait for an answer of repository %s", DV_REPO_FETCHES_MAX,
                          conf ? conf->name : "(none)");
    gate->fetching++;
    return NULL;
}

void dv_repos_leave(dv_repos *repos, dv_repo_conf *conf)
{
    dv_repo_gate *gate = conf ? conf->gate : &repos->inlined;
    DV_LOCK_SCOPE(&repos->mu);

    gate->fetching--;
    pthread_cond_broadcast(&repos->fetched);
}

/* ---- Documents ---- */

enum { WARNING_BYTES_MAX = 300 };

static void take_warnings(json_t *json, dv_strings *ret_warnings)
{
    json_auto_t *list = json_incref(json_object_get(json, "warnings"));
    json_t *item;
    size_t i;

    json_object_del(json, "warnings");
    json_array_foreach(list, i, item)
    {
        if (!ret_warnings || i >= DV_REPO_WARNINGS_MAX || !json_is_string(item))
            continue;
        char *text = dv_str_dup(dv_str_head(dv_json_view(item, ""), WARNING_BYTES_MAX));
        for (char *c = text; *c; c++)
            if (*c < ' ' || *c > '~')
                *c = '?';
        dv_strings_take(ret_warnings, text);
    }
}

dv_err *dv_repos_decode(dv_ctx *ctx, dv_repos *repos, const char *what, dv_str bytes,
                        json_t **ret_json, dv_strings *ret_warnings)
{
    json_auto_t *json = NULL;

    DV_CHECK(repos->decoder.decode(repos->decoder.arg, ctx, what, bytes, &json));
    take_warnings(json, ret_warnings);
    *ret_json = DV_TAKE(json);
    return NULL;
}

/* ---- Figures ---- */

size_t dv_repos_memory(dv_repos *repos)
{
    DV_LOCK_SCOPE(&repos->mu);
    size_t bytes = dv_repo_memory_bytes(repos->memory), cursor = 0;
    void *at;
    dv_str name;

    while (dv_map_next(repos->by_name, &cursor, &name, &at)) {
        const dv_repo *repo = at;
        bytes += sizeof(*repo) + (repo->snapshot ? repo->snapshot->bytes : 0);
    }
    return bytes;
}
