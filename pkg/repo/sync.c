/* SPDX-License-Identifier: Apache-2.0 */
/* One round over a repository: its index, then the versions of each name, then a new snapshot. */
#include "repo/repo_internal.h"

/* Documents that are under way together: how much of them is in memory at once. */
enum { DOCUMENTS_AT_ONCE = 16 };

typedef struct {
    dv_ctx *ctx;
    dv_repos *repos;
    dv_repo_conf *conf;
    dv_repo_snapshot *old;  /* NULL: first time */
    dv_repo_snapshot *made; /* of this round */
    dv_repo_sync_result *result;
    size_t dropped_warnings;
    dv_err *err; /* the first that makes it stale */
    size_t failures;
    bool offline; /* nobody is asked (any more) */
} round;

static void round_done(round *r)
{
    dv_repo_conf_unref(r->conf);
    dv_repo_snapshot_unref(r->old);
    dv_repo_snapshot_unref(r->made);
    dv_err_free(r->err);
}

void dv_repo_sync_result_done(dv_repo_sync_result *result)
{
    for (size_t i = 0; i < result->changed_packages.n; i++)
        free(result->changed_packages.at[i]);
    dv_vec_done(&result->changed_packages);
    dv_strings_done(&result->warnings);
    *result = (dv_repo_sync_result){0};
}

/* Takes text. */
static void warn(round *r, char *text)
{
    if (r->result->warnings.n < DV_REPO_WARNINGS_MAX) {
        dv_strings_take(&r->result->warnings, text);
    } else {
        r->dropped_warnings++;
        free(text);
    }
}

static void warn_all(round *r, const char *file, const dv_strings *warnings)
{
    for (size_t i = 0; i < warnings->n; i++)
        warn(r, dv_asprintf("%s: %s", file, warnings->at[i]));
}

static void count(round *r, const dv_repo_document *document)
{
    r->result->fetched += document->fetched;
    r->result->not_modified += document->not_modified;
}

/* Takes err; the first one is told, and a cancel before all. */
static void fail(round *r, dv_err *err)
{
    r->failures++;
    if (r->err && !dv_err_is(err, DV_CANCELED)) {
        dv_err_free(err);
        return;
    }
    dv_err_free(r->err);
    r->err = err;
}

/* ---- Entries ---- */

static dv_repo_entry *entry_new(const char *name)
{
    dv_repo_entry *entry = DV_NEW(dv_repo_entry);

    entry->refs = 1;
    entry->name = dv_strdup(name);
    return entry;
}

/* What the cage says is looked at again: it becomes part of URLs. */
static void take_versions(dv_repo_entry *entry, const json_t *json)
{
    const json_t *list = dv_json_array(json, "/versions");
    size_t room = 0, i;
    json_t *item;

    json_array_foreach(list, i, item) if (i < DV_REPO_VERSIONS_MAX &&
                                          dv_repo_version_valid(dv_json_view(item, ""))) room +=
        json_string_length(item) + 1;
    entry->versions = dv_alloc(room);
    json_array_foreach(list, i, item)
    {
        dv_str version = dv_json_view(item, "");
        if (i >= DV_REPO_VERSIONS_MAX || !dv_repo_version_valid(version))
            continue;
        memcpy(entry->versions + entry->versions_bytes, version.p, version.n);
        entry->versions[entry->versions_bytes + version.n] = '\0';
        entry->versions_bytes += version.n + 1;
        entry->n_versions++;
    }
}

static dv_repo_entry *entry_from(const char *name, const dv_repo_document *document)
{
    dv_repo_entry *entry = entry_new(name);

    entry->known = true;
    entry->etag = dv_strdup(document->new_etag);
    entry->last_modified = dv_strdup(document->new_last_modified);
    memcpy(entry->sha256, document->new_sha256, sizeof(entry->sha256));
    take_versions(entry, document->json);
    return entry;
}

/* The same versions, known by newer validators. */
static dv_repo_entry *entry_renewed(const dv_repo_entry *old, const dv_repo_document *document)
{
    dv_repo_entry *entry = entry_new(old->name);

    entry->known = true;
    entry->etag = dv_strdup(document->new_etag);
    entry->last_modified = dv_strdup(document->new_last_modified);
    memcpy(entry->sha256, old->sha256, sizeof(entry->sha256));
    entry->versions = dv_memdup(old->versions, old->versions_bytes);
    entry->versions_bytes = old->versions_bytes;
    entry->n_versions = old->n_versions;
    return entry;
}

/* A name of the index without versions that are known. */
static dv_repo_entry *entry_without(const char *name, bool known)
{
    dv_repo_entry *entry = entry_new(name);

    entry->known = known;
    return entry;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_validators(const dv_repo_entry *old, const dv_repo_document *document)
{
    return same_text(document->new_etag, old->etag) &&
           same_text(document->new_last_modified, old->last_modified);
}

static dv_repo_entry *keep(const char *name, const dv_repo_entry *old, bool known)
{
    return old ? dv_repo_entry_ref((dv_repo_entry *)(uintptr_t)old) : entry_without(name, known);
}

/* What a round makes of one versions.yaml. */
static dv_repo_entry *judge(round *r, const char *name, const dv_repo_entry *old,
                            dv_repo_document *document)
{
    dv_auto_str file = dv_asprintf("%s/versions.yaml", name);

    count(r, document);
    warn_all(r, file, &document->warnings);
    if (document->err && !dv_err_is(document->err, DV_NOT_FOUND) &&
        !dv_err_is(document->err, DV_INVALID)) {
        fail(r, DV_TAKE(document->err));
        return document->json ? entry_from(name, document) : keep(name, old, /* known= */ false);
    }
    if (dv_err_is(document->err, DV_NOT_FOUND)) {
        warn(r, dv_asprintf("%s is missing", file));
        return entry_without(name, /* known= */ true);
    }
    if (document->err)
        warn(r, dv_asprintf("%s: %s", file, dv_err_str(document->err)));
    if (document->json)
        return entry_from(name, document);
    if (document->err)
        return keep(name, old && old->known ? old : NULL, /* known= */ true);
    if (!document->unchanged || document->not_modified || same_validators(old, document))
        return keep(name, old, /* known= */ false);
    return entry_renewed(old, document);
}

/* ---- The index ---- */

static void add_name(round *r, const char *name)
{
    dv_repo_snapshot *made = r->made;

    made->entries[made->n_entries++] = entry_without(name, /* known= */ false);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(dv_repo_entry *const *)a)->name, (*(dv_repo_entry *const *)b)->name);
}

/* Names once each, in order; what the cage says is looked at again. */
static void take_names(round *r, const json_t *json)
{
    const json_t *list = dv_json_array(json, "/packages");
    dv_repo_snapshot *made = r->made;
    size_t i, kept = 0;
    json_t *item;

    made->entries =
        dv_calloc(DV_MIN(json_array_size(list), DV_REPO_PACKAGES_MAX), sizeof(made->entries[0]));
    json_array_foreach(list, i, item) if (i < DV_REPO_PACKAGES_MAX &&
                                          dv_package_name_valid(dv_json_view(item, "/name")))
        add_name(r, dv_json_str(item, "/name"));
    if (made->n_entries)
        qsort(made->entries, made->n_entries, sizeof(made->entries[0]), by_name);
    for (i = 0; i < made->n_entries; i++) {
        if (kept && strcmp(made->entries[kept - 1]->name, made->entries[i]->name) == 0)
            dv_repo_entry_unref(made->entries[i]);
        else
            made->entries[kept++] = made->entries[i];
    }
    made->n_entries = kept;
}

static void copy_names(round *r)
{
    r->made->entries = dv_calloc(r->old->n_entries, sizeof(r->made->entries[0]));
    for (size_t i = 0; i < r->old->n_entries; i++)
        add_name(r, r->old->entries[i]->name);
}

static void take_index(round *r, const dv_repo_document *document)
{
    bool renewed = document->json || (document->unchanged && !document->not_modified);

    if (document->json) {
        memcpy(r->made->sha256, document->new_sha256, sizeof(r->made->sha256));
        take_names(r, document->json);
    } else {
        memcpy(r->made->sha256, r->old->sha256, sizeof(r->made->sha256));
        copy_names(r);
    }
    r->made->etag = dv_strdup(renewed ? document->new_etag : r->old->etag);
    r->made->last_modified =
        dv_strdup(renewed ? document->new_last_modified : r->old->last_modified);
}

/* Fills the names. False: nothing was made. */
static bool read_index(round *r)
{
    DV_CLEANUP(dv_repo_document_done)
    dv_repo_document document = {
        .url = dv_repo_url(r->conf, "index.yaml", NULL, NULL),
        .what = "index",
        .bytes_max = DV_REPO_INDEX_BYTES_MAX,
        .etag = r->old ? r->old->etag : NULL,
        .last_modified = r->old ? r->old->last_modified : NULL,
        .sha256 = r->old ? r->old->sha256 : NULL,
    };

    dv_repos_refresh(r->ctx, r->repos, r->conf, r->conf->suspended, &document, 1);
    count(r, &document);
    warn_all(r, "index.yaml", &document.warnings);
    bool read = document.unchanged || document.json;
    r->offline = r->conf->suspended || document.err;
    if (read) {
        r->made = DV_NEW(dv_repo_snapshot);
        r->made->refs = 1;
        take_index(r, &document);
    }
    if (document.err)
        fail(r, dv_err_wrap(DV_TAKE(document.err), "repository %s", r->conf->name));
    return read;
}

/* ---- The versions ---- */

/* The next of the names whose versions are to be read. */
static size_t next_batch(round *r, size_t *at, size_t slots[DOCUMENTS_AT_ONCE])
{
    size_t n = 0;

    for (; *at < r->made->n_entries && n < DOCUMENTS_AT_ONCE; ++*at)
        if (dv_repo_conf_serves(r->conf, r->made->entries[*at]->name))
            slots[n++] = *at;
    return n;
}

static const dv_repo_entry *old_entry(const round *r, const char *name)
{
    return dv_repo_snapshot_find(r->old, name);
}

static void set_entry(round *r, size_t i, dv_repo_entry *entry)
{
    dv_repo_entry_unref(r->made->entries[i]);
    r->made->entries[i] = entry;
}

static dv_repo_document versions_document(const round *r, const char *name)
{
    const dv_repo_entry *old = old_entry(r, name);
    bool held = old && old->known && old->sha256[0];

    return (dv_repo_document){
        .url = dv_repo_url(r->conf, name, "versions.yaml", NULL),
        .what = "versions",
        .bytes_max = DV_REPO_INDEX_BYTES_MAX,
        .etag = held ? old->etag : NULL,
        .last_modified = held ? old->last_modified : NULL,
        .sha256 = held ? old->sha256 : NULL,
    };
}

static void read_batch(round *r, const size_t slots[DOCUMENTS_AT_ONCE], size_t n)
{
    dv_repo_document documents[DOCUMENTS_AT_ONCE];

    for (size_t i = 0; i < n; i++)
        documents[i] = versions_document(r, r->made->entries[slots[i]]->name);
    dv_repos_refresh(r->ctx, r->repos, r->conf, r->offline, documents, n);
    for (size_t i = 0; i < n; i++) {
        const char *name = r->made->entries[slots[i]]->name;
        set_entry(r, slots[i], judge(r, name, old_entry(r, name), &documents[i]));
        dv_repo_document_done(&documents[i]);
    }
    /* Once it is known to be down, what is on disk must do for the rest. */
    r->offline = r->offline || r->failures >= DV_REPO_SYNC_FAILURES_MAX;
}

static void read_versions(round *r)
{
    size_t slots[DOCUMENTS_AT_ONCE], n, at = 0;

    /* Names that it may not serve (now) keep what is known of them, for when it may. */
    for (size_t i = 0; i < r->made->n_entries; i++) {
        const dv_repo_entry *old = old_entry(r, r->made->entries[i]->name);
        if (old)
            set_entry(r, i, keep(old->name, old, false));
    }
    while ((n = next_batch(r, &at, slots))) {
        dv_err *stop = dv_ctx_check(r->ctx);
        if (stop) {
            fail(r, stop);
            return;
        }
        read_batch(r, slots, n);
    }
}

/* ---- The snapshot ---- */

static void set_revision(round *r)
{
    dv_auto(dv_sha256) sha = dv_sha256_new();
    char hex[DV_SHA256_HEX + 1];

    dv_sha256_add(sha, dv_str_of(r->made->sha256));
    r->made->bytes = sizeof(*r->made);
    for (size_t i = 0; i < r->made->n_entries; i++) {
        const dv_repo_entry *entry = r->made->entries[i];
        dv_auto_str line = dv_asprintf("\n%s %s", entry->name, entry->sha256);
        dv_sha256_add(sha, dv_str_of(line));
        r->made->bytes +=
            sizeof(entry) + sizeof(*entry) + entry->versions_bytes + strlen(entry->name);
    }
    dv_sha256_end(sha, hex);
    snprintf(r->made->revision, sizeof(r->made->revision), "sha256:%s", hex);
}

static void add_changed(round *r, const char *name)
{
    *dv_vec_push(&r->result->changed_packages) = dv_strdup(name);
}

/* Both are in order: one walk finds what came, what went, and what is another. */
static void compare(round *r)
{
    const dv_repo_snapshot *old = r->old, *made = r->made;
    size_t i = 0, j = 0;

    while (old && (i < old->n_entries || j < made->n_entries)) {
        int order = i == old->n_entries    ? 1
                    : j == made->n_entries ? -1
                                           : strcmp(old->entries[i]->name, made->entries[j]->name);
        if (order < 0)
            add_changed(r, old->entries[i]->name);
        else if (order > 0 || strcmp(old->entries[i]->sha256, made->entries[j]->sha256) != 0)
            add_changed(r, made->entries[j]->name);
        i += order <= 0;
        j += order >= 0;
    }
    r->result->changed = !old || strcmp(old->revision, made->revision) != 0;
}

static void fill_result(round *r)
{
    dv_repo_sync_result *result = r->result;

    for (size_t i = 0; i < r->made->n_entries; i++) {
        const dv_repo_entry *entry = r->made->entries[i];
        if (!dv_repo_conf_serves(r->conf, entry->name))
            continue;
        result->packages += entry->n_versions > 0;
        result->versions += (int64_t)entry->n_versions;
    }
    memcpy(result->revision, r->made->revision, sizeof(result->revision));
    result->stale = r->err != NULL;
    if (r->dropped_warnings)
        dv_strings_take(&result->warnings, dv_asprintf("and %zu more", r->dropped_warnings));
}

/* ---- Rounds ---- */

static dv_err *begin(round *r, const char *name)
{
    DV_CHECK(dv_repos_find(r->repos, name, &r->conf, &r->old));
    DV_LOCK_SCOPE(&r->repos->mu);
    dv_repo *repo = dv_map_get(r->repos->by_name, dv_str_of(name));

    if (!repo || repo->syncing)
        return dv_err_new(DV_WAITING, "RepositoryBusy", "repository %s is being read already",
                          name);
    repo->syncing = true;
    return NULL;
}

/* The round counts, unless the repository was given another URL, or dropped, meanwhile. */
static void end(round *r)
{
    dv_auto_snapshot before = NULL;
    DV_LOCK_SCOPE(&r->repos->mu);
    dv_repo *repo = dv_map_get(r->repos->by_name, dv_str_of(r->conf->name));

    if (!repo)
        return;
    repo->syncing = false;
    if (strcmp(repo->conf->scope, r->conf->scope) != 0)
        return;
    /* A cancel says nothing about the repository, nor does the wait for a place. */
    if (dv_err_is(r->err, DV_CANCELED) || dv_err_is(r->err, DV_WAITING))
        return;
    repo->attempted = true;
    if (r->made) {
        before = repo->snapshot;
        repo->snapshot = dv_repo_snapshot_ref(r->made);
    }
}

static void read_all(round *r)
{
    bool frozen = r->conf->suspended && r->old;

    if (!frozen && read_index(r)) {
        read_versions(r);
        set_revision(r);
        compare(r);
    } else if (r->old) {
        r->made = dv_repo_snapshot_ref(r->old);
    } else if (!r->err) {
        fail(r, dv_err_new(DV_WAITING, "RepositorySuspended",
                           "repository %s is suspended and was never read", r->conf->name));
    }
    if (r->made)
        fill_result(r);
}

dv_err *dv_repo_sync(dv_ctx *ctx, dv_repos *repos, const char *name,
                     dv_repo_sync_result *ret_result)
{
    DV_CLEANUP(dv_repo_sync_result_done) dv_repo_sync_result result = {0};
    DV_CLEANUP(round_done) round r = {.ctx = ctx, .repos = repos, .result = &result};

    DV_CHECK(begin(&r, name));
    dv_err *busy = dv_repos_enter(ctx, repos, r.conf);
    if (busy)
        fail(&r, busy);
    else
        read_all(&r);
    if (!busy)
        dv_repos_leave(repos, r.conf);
    end(&r);
    *ret_result = result;
    result = (dv_repo_sync_result){0};
    return DV_TAKE(r.err);
}
