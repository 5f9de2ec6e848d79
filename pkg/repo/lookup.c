/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which repositories answer for a name. The rule is a security rule: what a higher repository
 * has, or might have, a lower one never gives (dependency confusion).
 */
#include "repo/repo_internal.h"

/* One repository as it is at this moment. */
typedef struct {
    dv_repo_conf *conf;
    dv_repo_snapshot *snapshot; /* NULL: never read */
    bool attempted;
} view;
typedef DV_VEC(view) views;

static void views_done(views *list)
{
    for (size_t i = 0; i < list->n; i++) {
        dv_repo_conf_unref(list->at[i].conf);
        dv_repo_snapshot_unref(list->at[i].snapshot);
    }
    dv_vec_done(list);
}

/* Highest priority first, then by name. */
static int by_rank(const void *a, const void *b)
{
    const view *x = a, *y = b;

    if (x->conf->priority != y->conf->priority)
        return x->conf->priority > y->conf->priority ? -1 : 1;
    return strcmp(x->conf->name, y->conf->name);
}

static void look(dv_repos *repos, views *ret_views)
{
    DV_LOCK_SCOPE(&repos->mu);
    size_t cursor = 0;
    dv_str name;
    void *at;

    while (dv_map_next(repos->by_name, &cursor, &name, &at)) {
        const dv_repo *repo = at;
        *dv_vec_push(ret_views) = (view){.conf = dv_repo_conf_ref(repo->conf),
                                         .snapshot = dv_repo_snapshot_ref(repo->snapshot),
                                         .attempted = repo->attempted};
    }
}

static bool may_use(const dv_repo_conf *conf, const char *ns)
{
    return !conf->may_use || conf->may_use(conf->arg, ns);
}

/* All that a namespace may use, best first. The callbacks run here, without the lock. */
static void look_for(dv_repos *repos, const char *ns, views *ret_views)
{
    size_t kept = 0;

    look(repos, ret_views);
    for (size_t i = 0; i < ret_views->n; i++) {
        view at = ret_views->at[i];
        if (may_use(at.conf, ns)) {
            ret_views->at[kept++] = at;
        } else {
            dv_repo_conf_unref(at.conf);
            dv_repo_snapshot_unref(at.snapshot);
        }
    }
    ret_views->n = kept;
    if (kept)
        qsort(ret_views->at, kept, sizeof(ret_views->at[0]), by_rank);
}

/* ---- Candidates ---- */

void dv_repo_versions_done(dv_repo_versions *versions)
{
    for (size_t i = 0; i < versions->n; i++) {
        free(versions->at[i].version);
        free(versions->at[i].repository);
    }
    dv_vec_done(versions);
}

static dv_err *not_ready(const view *at, const char *package)
{
    return dv_err_new(DV_WAITING, "RepositoryNotReady",
                      "repository %s, which may have package %s, could not be read yet",
                      at->conf->name, package);
}

static void add_versions(const view *at, const dv_repo_entry *entry, dv_map *seen,
                         dv_repo_versions *ret_versions)
{
    const char *text = entry->versions;

    for (size_t i = 0; i < entry->n_versions; i++, text += strlen(text) + 1) {
        if (dv_map_get(seen, dv_str_of(text)))
            continue;
        dv_map_put(seen, dv_str_of(text), (void *)(uintptr_t)entry);
        __typeof__(ret_versions->at) added = dv_vec_push(ret_versions);
        added->version = dv_strdup(text);
        added->repository = dv_strdup(at->conf->name);
    }
}

/* What one priority says about a name. */
typedef struct {
    const view *unread; /* one whose first sync has not ended */
    const view
        *failed; /* one whose first sync failed, or that failed to give this name's versions */
    const view *having; /* the first that has the name */
} verdict;

static verdict ask_level(const view *at, size_t n, const char *package, dv_repo_versions *versions)
{
    dv_auto(dv_map) seen = dv_map_new(/* free_value= */ NULL);
    verdict found = {0};

    for (size_t i = 0; i < n; i++) {
        if (!dv_repo_conf_serves(at[i].conf, package))
            continue;
        const dv_repo_entry *entry = dv_repo_snapshot_find(at[i].snapshot, package);
        if (!at[i].snapshot && !at[i].attempted)
            found.unread = &at[i];
        else if (!at[i].snapshot || (entry && !entry->known))
            found.failed = &at[i];
        else if (entry && !found.having)
            found.having = &at[i];
        if (entry && entry->known)
            add_versions(&at[i], entry, seen, versions);
    }
    return found;
}

static dv_err *not_found(const char *ns, const char *package)
{
    return dv_err_new(DV_NOT_FOUND, "PackageNotFound",
                      "no repository that namespace %s may use has package %s", ns, package);
}

static dv_err *by_priority(const views *all, const char *ns, const char *package,
                           dv_repo_versions *versions)
{
    for (size_t from = 0, to; from < all->n; from = to) {
        for (to = from; to < all->n; to++)
            if (all->at[to].conf->priority != all->at[from].conf->priority)
                break;
        verdict found = ask_level(&all->at[from], to - from, package, versions);
        if (found.unread || (found.failed && !found.having))
            return not_ready(found.unread ? found.unread : found.failed, package);
        if (found.having && !versions->n)
            return dv_err_new(DV_NOT_FOUND, "PackageNotFound",
                              "repository %s lists package %s, but has no versions of it",
                              found.having->conf->name, package);
        if (found.having)
            return NULL;
    }
    return not_found(ns, package);
}

/* Keeps only the named one. */
static dv_err *choose(dv_repos *repos, const char *ns, const char *repository, views *ret_views)
{
    dv_repo_conf *conf = NULL;
    size_t kept = 0;

    look_for(repos, ns, ret_views);
    if (!repository)
        return NULL;
    for (size_t i = 0; i < ret_views->n; i++) {
        view at = ret_views->at[i];
        bool chosen = strcmp(at.conf->name, repository) == 0;
        if (chosen) {
            ret_views->at[kept++] = at;
        } else {
            dv_repo_conf_unref(at.conf);
            dv_repo_snapshot_unref(at.snapshot);
        }
    }
    ret_views->n = kept;
    if (kept)
        return NULL;
    DV_CHECK(dv_repos_find(repos, repository, &conf, /* ret_snapshot= */ NULL));
    dv_repo_conf_unref(conf);
    return dv_err_new(DV_DENIED, "RepositoryNotAllowed", "namespace %s may not use repository %s",
                      ns, repository);
}

dv_err *dv_repos_versions(dv_ctx *ctx, dv_repos *repos, const char *ns, const char *repository,
                          const char *package, dv_repo_versions *ret_versions)
{
    DV_CLEANUP(views_done) views all = {0};
    DV_CLEANUP(dv_repo_versions_done) dv_repo_versions versions = {0};

    DV_CHECK(dv_ctx_check(ctx));
    DV_CHECK(choose(repos, ns, repository, &all));
    DV_CHECK(by_priority(&all, ns, package, &versions));
    *ret_versions = versions;
    versions = (dv_repo_versions){0};
    return NULL;
}

void dv_repos_names(dv_repos *repos, const char *ns, dv_strings *ret_names)
{
    DV_CLEANUP(views_done) views all = {0};
    dv_auto(dv_map) seen = dv_map_new(/* free_value= */ NULL);

    look_for(repos, ns, &all);
    for (size_t i = 0; i < all.n; i++) {
        const dv_repo_snapshot *snapshot = all.at[i].snapshot;
        for (size_t j = 0; snapshot && j < snapshot->n_entries; j++) {
            dv_repo_entry *entry = snapshot->entries[j];
            if (dv_repo_conf_serves(all.at[i].conf, entry->name))
                dv_map_put(seen, dv_str_of(entry->name), entry);
        }
    }
    *ret_names = dv_map_keys(seen);
}

/* ---- For people who look around ---- */

/* Adds what this repository serves and no better one has; `seen` holds the names so far. */
static void add_listings(const dv_repo_conf *conf, const json_t *index, dv_map *seen, json_t *list)
{
    static const char *const kept[] = {"name", "latestVersion", "shortDescription"};
    size_t i;
    json_t *entry;

    json_array_foreach(dv_json_array(index, "/packages"), i, entry)
    {
        dv_str name = dv_json_view(entry, "/name");

        if (!dv_package_name_valid(name) || dv_map_get(seen, name) ||
            !dv_repo_conf_serves(conf, dv_json_str(entry, "/name")))
            continue;
        json_t *row = json_object();
        for (size_t k = 0; k < DV_LEN(kept); k++)
            if (json_is_string(json_object_get(entry, kept[k])))
                json_object_set(row, kept[k], json_object_get(entry, kept[k]));
        json_object_set_new(row, "repository", json_string(conf->name));
        json_array_append_new(list, row);
        dv_map_put(seen, name, entry);
    }
}

dv_err *dv_repos_index(dv_ctx *ctx, dv_repos *repos, const char *ns, json_t **ret_list,
                       dv_strings *ret_unread)
{
    DV_CLEANUP(views_done) views all = {0};
    dv_auto(dv_map) seen = dv_map_new(/* free_value= */ NULL);
    json_auto_t *list = json_array();

    look_for(repos, ns, &all);
    for (size_t i = 0; i < all.n; i++) {
        DV_CLEANUP(dv_repo_document_done)
        dv_repo_document index = {.url = dv_repo_url(all.at[i].conf, "index.yaml", NULL, NULL),
                                  .what = "index",
                                  .bytes_max = DV_REPO_INDEX_BYTES_MAX};

        dv_repos_refresh(ctx, repos, all.at[i].conf, all.at[i].conf->suspended, &index, 1);
        DV_CHECK(dv_ctx_check(ctx));
        if (index.err)
            dv_strings_take(ret_unread, dv_asprintf("repository %s: %s", all.at[i].conf->name,
                                                    dv_err_str(index.err)));
        add_listings(all.at[i].conf, index.json, seen, list);
    }
    *ret_list = DV_TAKE(list);
    return NULL;
}
