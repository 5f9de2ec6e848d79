/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen, shared parts of the set, and the URLs that are made of them. */
#include "repo/repo_internal.h"

void dv_repo_gate_unref(dv_repo_gate *gate)
{
    if (gate && --gate->refs == 0)
        free(gate);
}

dv_repo_conf *dv_repo_conf_ref(dv_repo_conf *conf)
{
    conf->refs++;
    return conf;
}

void dv_repo_conf_unref(dv_repo_conf *conf)
{
    if (!conf || --conf->refs > 0)
        return;
    if (conf->arg_free)
        conf->arg_free(conf->arg);
    dv_fetch_auth_unref(conf->auth);
    dv_repo_gate_unref(conf->gate);
    dv_strings_done(&conf->globs);
    free(conf->name);
    free(conf->url);
    free(conf);
}

bool dv_repo_conf_serves(const dv_repo_conf *conf, const char *package)
{
    for (size_t i = 0; i < conf->globs.n; i++)
        if (dv_glob_match(dv_str_of(conf->globs.at[i]), dv_str_of(package)))
            return true;
    return conf->globs.n == 0;
}

dv_repo_entry *dv_repo_entry_ref(dv_repo_entry *entry)
{
    entry->refs++;
    return entry;
}

void dv_repo_entry_unref(dv_repo_entry *entry)
{
    if (!entry || --entry->refs > 0)
        return;
    free(entry->name);
    free(entry->versions);
    free(entry->etag);
    free(entry->last_modified);
    free(entry);
}

dv_repo_snapshot *dv_repo_snapshot_ref(dv_repo_snapshot *snapshot)
{
    if (snapshot)
        snapshot->refs++;
    return snapshot;
}

void dv_repo_snapshot_unref(dv_repo_snapshot *snapshot)
{
    if (!snapshot || --snapshot->refs > 0)
        return;
    for (size_t i = 0; i < snapshot->n_entries; i++)
        dv_repo_entry_unref(snapshot->entries[i]);
    free(snapshot->entries);
    free(snapshot->etag);
    free(snapshot->last_modified);
    free(snapshot);
}

static int by_name(const void *key, const void *entry)
{
    return strcmp(key, (*(dv_repo_entry *const *)entry)->name);
}

const dv_repo_entry *dv_repo_snapshot_find(const dv_repo_snapshot *snapshot, const char *name)
{
    if (!snapshot || !snapshot->n_entries)
        return NULL;
    dv_repo_entry **found = bsearch(name, snapshot->entries, snapshot->n_entries,
                                    sizeof(snapshot->entries[0]), by_name);
    return found ? *found : NULL;
}

/* ---- URLs ---- */

/* RFC 3986's pchar, without '%'. */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~!$&'()*+,;=:@", c));
}

static void add_segment(dv_buf *out, const char *segment)
{
    if (!segment)
        return;
    dv_buf_addc(out, '/');
    for (const char *c = segment; *c; c++) {
        if (is_plain(*c))
            dv_buf_addc(out, *c);
        else
            dv_buf_addf(out, "%%%02X", (unsigned char)*c);
    }
}

char *dv_repo_url(const dv_repo_conf *conf, const char *a, const char *b, const char *c)
{
    DV_CLEANUP(dv_buf_done) dv_buf url = DV_BUF_INIT(2 * DV_URL_MAX);

    dv_buf_adds(&url, conf->url);
    add_segment(&url, a);
    add_segment(&url, b);
    add_segment(&url, c);
    return dv_buf_take(&url);
}
