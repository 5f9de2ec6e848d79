/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package repository on loopback, made of texts that a test puts there, and a dv_repos that
 * reads from it. Every answer has an ETag; questions are counted by how they were answered.
 *
 * Threads: a test owns its shelf; a shelf may change while it is served.
 */
#pragma once

#include "http_peer.h"

#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "repo/repo.h"
#include "testlib.h"

typedef struct {
    peer *server;
    pthread_mutex_t mu;
    dv_map *texts;    /* path -> char * */
    dv_map *statuses; /* path -> char *, in place of an answer; "cut" ends the connection */
    bool down;        /* 503 to all */
    bool plain;       /* no ETags */
    char *content_type;
    _Atomic int asked, given, not_modified;
    char url[64];
} shelf;

static void shelf_answer(shelf *s, peer_conn *conn, const char *path, const char *request)
{
    DV_LOCK_SCOPE(&s->mu);
    const char *text = dv_map_get(s->texts, dv_str_of(path));
    const char *status = s->down ? "503" : dv_map_get(s->statuses, dv_str_of(path));
    char hex[DV_SHA256_HEX + 1];

    if (!status && !text)
        status = "404";
    if (status) {
        if (strcmp(status, "cut") == 0)
            conn_say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npackages:");
        else
            conn_answer(conn, (int)strtol(status, NULL, 10), "", DV_STR("secret words"));
        return;
    }
    dv_sha256_hex(dv_str_of(text), hex);
    dv_auto_str etag = dv_asprintf("\"%.16s\"", hex);
    dv_auto_str match = dv_asprintf("If-None-Match: %s\r\n", etag);
    dv_auto_str headers =
        dv_asprintf("%s%s%s%s%s%s", s->plain ? "" : "ETag: ", s->plain ? "" : etag,
                    s->plain ? "" : "\r\n", s->content_type ? "Content-Type: " : "",
                    s->content_type ?: "", s->content_type ? "\r\n" : "");
    bool same = strcasestr(request, match) != NULL;
    same ? s->not_modified++ : s->given++;
    conn_answer(conn, same ? 304 : 200, headers, same ? DV_STR("") : dv_str_of(text));
}

static void shelf_serve(peer_conn *conn)
{
    shelf *s = conn->owner->arg;
    char request[8192], path[1024];

    while (conn_read_request(conn, request, sizeof(request))) {
        s->asked++;
        if (sscanf(request, "GET %1023s ", path) != 1)
            return;
        shelf_answer(s, conn, path, request);
        DV_LOCK_SCOPE(&s->mu);
        const char *status = dv_map_get(s->statuses, dv_str_of(path));
        if (status && strcmp(status, "cut") == 0)
            return;
    }
}

static void shelf_start(shelf *s)
{
    *s = (shelf){.texts = dv_map_new(free), .statuses = dv_map_new(free)};
    pthread_mutex_init(&s->mu, NULL);
    s->server = peer_start(shelf_serve, NULL, s);
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d/r", s->server->port);
}

static void shelf_stop(shelf *s)
{
    peer_stop(s->server);
    dv_map_free(s->texts);
    dv_map_free(s->statuses);
    pthread_mutex_destroy(&s->mu);
    free(s->content_type);
}

/* path without "/r/"; text NULL: nothing there any more. */
DV_UNUSED static void shelf_put(shelf *s, const char *path, const char *text)
{
    DV_LOCK_SCOPE(&s->mu);
    dv_auto_str full = dv_asprintf("/r/%s", path);

    if (text)
        dv_map_put(s->texts, dv_str_of(full), dv_strdup(text));
    else
        dv_map_drop(s->texts, dv_str_of(full));
}

/* status NULL: as usual again. */
DV_UNUSED static void shelf_fail(shelf *s, const char *path, const char *status)
{
    DV_LOCK_SCOPE(&s->mu);
    dv_auto_str full = dv_asprintf("/r/%s", path);

    if (status)
        dv_map_put(s->statuses, dv_str_of(full), dv_strdup(status));
    else
        dv_map_drop(s->statuses, dv_str_of(full));
}

DV_UNUSED static void shelf_set_down(shelf *s, bool down)
{
    DV_LOCK_SCOPE(&s->mu);
    s->down = down;
}

/* An index of names, parted by blanks. */
DV_UNUSED static void shelf_list(shelf *s, const char *names)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    dv_str rest = dv_str_of(names), name;

    dv_buf_adds(&text, "packages:\n");
    while (rest.n) {
        rest = dv_str_cut(rest, ' ', &name);
        dv_buf_addf(&text, "- name: %.*s\n", DV_FMT(name));
    }
    shelf_put(s, "index.yaml", dv_buf_cstr(&text));
}

/* versions.yaml of a package, versions parted by blanks. */
DV_UNUSED static void shelf_versions(shelf *s, const char *package, const char *versions)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    dv_auto_str path = dv_asprintf("%s/versions.yaml", package);
    dv_str rest = dv_str_of(versions), version;

    dv_buf_adds(&text, "versions:\n");
    while (rest.n) {
        rest = dv_str_cut(rest, ' ', &version);
        dv_buf_addf(&text, "- version: %.*s\n", DV_FMT(version));
    }
    shelf_put(s, path, dv_buf_cstr(&text));
}

/* ---- The set that reads ---- */

typedef struct {
    dv_http *http;
    dv_address_policy *policy;
    dv_fetcher *fetcher;
    dv_repos *repos;
    char cache[64];      /* its folder; empty: none */
    _Atomic int decoded; /* documents */
    dv_ctx ctx;
} reader;

static dv_err *reader_decode(void *arg, dv_ctx *ctx, const char *what, dv_str bytes,
                             json_t **ret_json)
{
    reader *r = arg;

    r->decoded++;
    DV_CHECK(dv_ctx_check(ctx));
    if (dv_str_contains(bytes, DV_STR("crash me")))
        return dv_err_new(DV_INVALID, "ContentCrashedParser", "the worker died");
    return dv_repo_decode(what, bytes, ret_json);
}

/* A new process, so to say: what is in memory is gone. */
static void reader_restart(reader *r)
{
    dv_repos_free(r->repos);
    r->repos =
        dv_repos_new(r->fetcher, (dv_repo_decoder){reader_decode, r}, *r->cache ? r->cache : NULL);
}

static void reader_start(reader *r, bool with_cache)
{
    *r = (reader){.cache = "/tmp/davit-repo-XXXXXX", .ctx = dv_ctx_make(NULL)};
    if (with_cache)
        assert_non_null(mkdtemp(r->cache));
    else
        r->cache[0] = '\0';
    r->http = dv_http_new();
    r->policy = dv_address_policy_new();
    assert_ok(dv_address_policy_allow(r->policy, "127.0.0.0/8"));
    r->fetcher = dv_fetcher_new(r->http, r->policy, NULL);
    reader_restart(r);
}

static void reader_stop(reader *r)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    dv_repos_free(r->repos);
    dv_fetcher_free(r->fetcher);
    dv_http_free(r->http);
    dv_address_policy_free(r->policy);
    if (!*r->cache)
        return;
    assert_ok(dv_dir_list(r->cache, 10000, &names));
    for (size_t i = 0; i < names.n; i++) {
        dv_auto_str path = dv_asprintf("%s/%s", r->cache, names.at[i]);
        unlink(path);
    }
    rmdir(r->cache);
}

/* A wish for a shelf, to be changed and put again. */
DV_UNUSED static dv_repo_wish wish_for(const char *name, const shelf *s)
{
    return (dv_repo_wish){.name = name, .url = s->url, .insecure = true};
}

/* "version@repository" of each, sorted, parted by blanks; owned. */
DV_UNUSED static char *join_versions(const dv_repo_versions *versions)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_strings_done) dv_strings sorted = {0};

    for (size_t i = 0; i < versions->n; i++)
        dv_strings_take(&sorted,
                        dv_asprintf("%s@%s", versions->at[i].version, versions->at[i].repository));
    dv_strings_sort(&sorted);
    for (size_t i = 0; i < sorted.n; i++)
        dv_buf_addf(&text, "%s%s", i ? " " : "", sorted.at[i]);
    return dv_buf_take(&text);
}

/* Candidates of a package for namespace "ns", or the reason why there are none; owned. */
DV_UNUSED static char *candidates(reader *r, const char *repository, const char *package)
{
    DV_CLEANUP(dv_repo_versions_done) dv_repo_versions versions = {0};
    dv_auto(dv_err) err =
        dv_repos_versions(&r->ctx, r->repos, "ns", repository, package, &versions);

    return err ? dv_strdup(dv_err_reason(err)) : join_versions(&versions);
}

#define assert_candidates(r, package, wanted)                                                      \
    do {                                                                                           \
        dv_auto_str got_ = candidates(r, NULL, package);                                           \
        assert_string_equal(got_, wanted);                                                         \
    } while (0)
