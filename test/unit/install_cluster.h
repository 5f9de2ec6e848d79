/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API server of a few kinds on loopback, in memory, and what the engine needs to speak to it. It
 * knows lists, watches, server-side apply as far as the engine's decisions go (preconditions, not
 * the ownership of fields), deletes, finalizers, access reviews and CRDs; what it can't do is
 * scripted.
 *
 * Objects are written as YAML in one line. A test acts as everybody else by cluster_put() and
 * cluster_drop().
 *
 * Threads: a test owns its cluster.
 */
#pragma once

#include "http_peer.h"

#include "base/file.h"
#include "base/map.h"
#include "install/owned.h"
#include "kube/events.h"
#include "testlib.h"
#include "yaml/yaml.h"

typedef struct {
    const char *base, *kind, *resource;
    bool namespaced, generations;
} cluster_kind;

static const cluster_kind cluster_kinds[] = {
    {"/api/v1", "Namespace", "namespaces", false, false},
    {"/api/v1", "ConfigMap", "configmaps", true, false},
    {"/api/v1", "Secret", "secrets", true, false},
    {"/api/v1", "Service", "services", true, false},
    {"/api/v1", "ServiceAccount", "serviceaccounts", true, false},
    {"/api/v1", "PersistentVolumeClaim", "persistentvolumeclaims", true, false},
    {"/apis/apps/v1", "Deployment", "deployments", true, true},
    {"/apis/autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true, false},
    {"/apis/apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions",
     false, true},
    {"/apis/events.k8s.io/v1", "Event", "events", true, false},
    {"/apis/davit.dev/v1alpha1", "PackageManifest", "packagemanifests", true, true},
    {"/apis/example.com/v1", "Widget", "widgets", true, true}, /* once its definition is there */
};

/* "GET /api/v1/namespaces/a/configmaps/b", in parts; empty: absent. */
typedef struct {
    char method[16], base[128], ns[300], resource[128], name[300];
    char stored[64], owner[64]; /* values that the labels davit.dev/… must have */
    char only[300];             /* name, of a field selector */
    bool watch, selected, metadata, apply;
    uint64_t since;
    const char *body;
} cluster_call;

typedef struct {
    const cluster_kind *kind;
    char *ns, *name;
    json_t *object;
} cluster_object;

typedef struct {
    const cluster_kind *kind;
    uint64_t revision;
    json_t *object;
    bool was_there, is_there, was_ours, is_ours;
} cluster_event;

typedef struct {
    char *match; /* in the head of a request */
    int status, times;
    char *body;
} cluster_fault;

typedef struct {
    peer *server;
    /* Guarded by the server's mu. */
    DV_VEC(cluster_object) objects;
    DV_VEC(cluster_event) history;
    DV_VEC(cluster_fault) faults;
    dv_strings forbidden; /* "verb resource", with wildcards: what access reviews deny */
    dv_strings writes;    /* "METHOD resource/name" of each that was let through */
    dv_strings told;      /* packages that `changed` named */
    uint64_t revision;
    _Atomic bool definitions_pend; /* CRDs are never established */
    _Atomic bool silent;           /* watches say nothing */

    dv_http *http;
    dv_kube *kube;
    dv_cache *cache;
    dv_owned *owned;
    dv_events *events;
    dv_ctx ctx;
} cluster;

/* ---- Texts ---- */

static json_t *cluster_read(const char *yaml)
{
    json_t *doc = NULL;

    assert_ok(dv_yaml_read(dv_str_of(yaml), NULL, &doc));
    return doc;
}

/* The body of a request; on the server's threads nothing may fail a test. */
static json_t *cluster_parse_body(const cluster_call *call)
{
    json_t *doc = NULL;
    dv_err *err = dv_json_read(dv_str_of(call->body), &doc);

    DV_ASSERT(!err);
    return doc;
}

static json_t *cluster_status(int code, const char *reason, const char *message,
                              const cluster_call *call)
{
    return json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:{s:s,s:s}}", "kind", "Status", "apiVersion", "v1",
                     "status", code < 300 ? "Success" : "Failure", "code", code, "reason", reason,
                     "message", message, "details", "kind", call->resource, "name", call->name);
}

static bool cluster_is_ours(const json_t *object)
{
    return dv_obj_label(object, DV_LABEL_OWNER) != NULL;
}

static json_t *cluster_metadata_of(const json_t *object)
{
    return json_pack("{s:s,s:s,s:O}", "kind", "PartialObjectMetadata", "apiVersion",
                     "meta.k8s.io/v1", "metadata", dv_json_object(object, "/metadata"));
}

static json_t *cluster_shown(const json_t *object, bool metadata)
{
    return metadata ? cluster_metadata_of(object) : json_incref((json_t *)(uintptr_t)object);
}

/* ---- The store; with the lock held ---- */

static const cluster_kind *cluster_kind_of(const char *base, const char *resource)
{
    for (size_t i = 0; i < DV_LEN(cluster_kinds); i++)
        if (strcmp(cluster_kinds[i].base, base) == 0 &&
            strcmp(cluster_kinds[i].resource, resource) == 0)
            return &cluster_kinds[i];
    return NULL;
}

static cluster_object *cluster_find(cluster *c, const cluster_kind *kind, const char *ns,
                                    const char *name)
{
    for (size_t i = 0; i < c->objects.n; i++) {
        cluster_object *o = &c->objects.at[i];

        if (o->kind == kind && strcmp(o->ns, ns) == 0 && strcmp(o->name, name) == 0)
            return o;
    }
    return NULL;
}

/* now NULL: it went. Takes now. */
static void cluster_store(cluster *c, const cluster_kind *kind, const char *ns, const char *name,
                          json_t *now)
{
    cluster_object *o = cluster_find(c, kind, ns, name);
    json_t *before = o ? o->object : NULL;
    char revision[24];

    snprintf(revision, sizeof(revision), "%llu", (unsigned long long)++c->revision);
    if (!now)
        before = dv_json_copy(before);
    dv_json_put_str(dv_json_object(now ? now : before, "/metadata"), "resourceVersion", revision);
    *dv_vec_push(&c->history) = (cluster_event){kind,
                                                c->revision,
                                                json_incref(now ? now : before),
                                                o != NULL,
                                                now != NULL,
                                                o && cluster_is_ours(o->object),
                                                now && cluster_is_ours(now)};
    if (o) {
        json_decref(o->object);
        o->object = now;
    } else {
        *dv_vec_push(&c->objects) = (cluster_object){kind, dv_strdup(ns), dv_strdup(name), now};
    }
    if (!now) {
        json_decref(before);
        free(o->ns);
        free(o->name);
        dv_vec_remove(&c->objects, (size_t)(o - c->objects.at));
    }
    pthread_cond_broadcast(&c->server->changed);
}

/* What the API server adds to an object that is written. before: NULL, or what was there. */
static void cluster_complete(cluster *c, const cluster_kind *kind, const json_t *before,
                             json_t *object)
{
    json_t *metadata = dv_json_object(object, "/metadata");
    dv_auto_str fresh = dv_asprintf("uid-%llu", (unsigned long long)c->revision + 1);
    bool same =
        before && json_equal(json_object_get(before, "spec"), json_object_get(object, "spec"));

    dv_json_put_str(metadata, "uid",
                    before                ? dv_obj_uid(before)
                    : *dv_obj_uid(object) ? dv_obj_uid(object)
                                          : fresh);
    if (kind->generations)
        json_object_set_new(metadata, "generation",
                            json_integer(dv_obj_generation(before) + !same));
    if (strcmp(kind->kind, "CustomResourceDefinition") == 0 && !c->definitions_pend &&
        !json_object_get(object, "status"))
        json_object_set_new(object, "status",
                            json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "conditions", "type",
                                      "NamesAccepted", "status", "True", "type", "Established",
                                      "status", "True"));
}

/* ---- Discovery ---- */

static bool cluster_serves(cluster *c, const cluster_kind *kind)
{
    if (strcmp(kind->kind, "Widget") != 0)
        return true;
    for (size_t i = 0; i < c->objects.n; i++)
        if (strcmp(c->objects.at[i].name, "widgets.example.com") == 0)
            return !c->definitions_pend;
    return false;
}

static json_t *cluster_discovery(cluster *c, bool core)
{
    json_t *items = json_array();

    for (size_t i = 0; i < DV_LEN(cluster_kinds); i++) {
        const cluster_kind *kind = &cluster_kinds[i];
        bool is_core = strcmp(kind->base, "/api/v1") == 0;
        const char *version = strrchr(kind->base, '/') + 1;
        dv_auto_str group =
            is_core ? dv_strdup("")
                    : dv_str_dup((dv_str){kind->base + 6, (size_t)(version - kind->base) - 7});

        if (is_core == core && cluster_serves(c, kind))
            json_array_append_new(
                items, json_pack("{s:{s:s},s:[{s:s,s:[{s:s,s:{s:s},s:s,s:[s,s,s,s]}]}]}",
                                 "metadata", "name", group, "versions", "version", version,
                                 "resources", "resource", kind->resource, "responseKind", "kind",
                                 kind->kind, "scope", kind->namespaced ? "Namespaced" : "Cluster",
                                 "verbs", "list", "watch", "get", "delete"));
    }
    return json_pack("{s:s,s:s,s:o}", "kind", "APIGroupDiscoveryList", "apiVersion",
                     "apidiscovery.k8s.io/v2", "items", items);
}

/* ---- Reading ---- */

static bool cluster_chosen(const cluster_call *call, const cluster_kind *kind,
                           const cluster_object *o)
{
    const char *stored = dv_obj_label(o->object, DV_LABEL_STORED),
               *owner = dv_obj_label(o->object, DV_LABEL_OWNER);

    return o->kind == kind && (!*call->ns || strcmp(o->ns, call->ns) == 0) &&
           (!call->selected || cluster_is_ours(o->object)) &&
           (!*call->stored || (stored && strcmp(stored, call->stored) == 0)) &&
           (!*call->owner || (owner && strcmp(owner, call->owner) == 0)) &&
           (!*call->only || strcmp(o->name, call->only) == 0);
}

static json_t *cluster_list(cluster *c, const cluster_call *call, const cluster_kind *kind)
{
    json_t *items = json_array();
    char revision[24];
    dv_auto_str list_kind =
        call->metadata ? dv_strdup("PartialObjectMetadataList") : dv_asprintf("%sList", kind->kind);

    for (size_t i = 0; i < c->objects.n; i++)
        if (cluster_chosen(call, kind, &c->objects.at[i]))
            json_array_append_new(items, cluster_shown(c->objects.at[i].object, call->metadata));
    snprintf(revision, sizeof(revision), "%llu", (unsigned long long)c->revision);
    return json_pack("{s:s,s:s,s:{s:s},s:o}", "kind", list_kind, "apiVersion",
                     call->metadata ? "meta.k8s.io/v1" : strchr(kind->base + 1, '/') + 1,
                     "metadata", "resourceVersion", revision, "items", items);
}

/* The type of an event to this watch; NULL: none of its business. */
static const char *cluster_event_type(const cluster_call *call, const cluster_kind *kind,
                                      const cluster_event *e)
{
    bool was = call->selected ? e->was_ours : e->was_there,
         is = call->selected ? e->is_ours : e->is_there;

    if (e->kind != kind || e->revision <= call->since || (!was && !is))
        return NULL;
    return is ? was ? "MODIFIED" : "ADDED" : "DELETED";
}

/* The next line for a watch, owned; NULL: the server ends. */
static char *cluster_next_line(cluster *c, cluster_call *call, const cluster_kind *kind)
{
    DV_LOCK_SCOPE(&c->server->mu);

    while (!c->server->stopping) {
        for (size_t i = 0; i < c->history.n && !c->silent; i++) {
            DV_CLEANUP(dv_buf_done) dv_buf line = DV_BUF_INIT(DV_BODY_MAX);
            const cluster_event *e = &c->history.at[i];
            const char *type = cluster_event_type(call, kind, e);

            if (!type)
                continue;
            json_auto_t *event = json_pack("{s:s,s:o}", "type", type, "object",
                                           cluster_shown(e->object, call->metadata));
            dv_json_write(event, &line);
            call->since = e->revision;
            return dv_buf_take(&line);
        }
        dv_cond_wait_ms(&c->server->changed, &c->server->mu, -1);
    }
    return NULL;
}

static void cluster_watch(cluster *c, peer_conn *conn, cluster_call *call, const cluster_kind *kind)
{
    bool open = conn_say(
        conn,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");

    while (open) {
        dv_auto_str line = cluster_next_line(c, call, kind);

        if (!line)
            return;
        dv_auto_str chunk = dv_asprintf("%zx\r\n%s\n\r\n", strlen(line) + 1, line);
        open = conn_say(conn, chunk);
    }
}

/* ---- Writing; with the lock held. The result is the answer, owned. ---- */

static json_t *cluster_conflict(const cluster_call *call, const char *message, int *ret_status)
{
    *ret_status = 409;
    return cluster_status(409, "Conflict", message, call);
}

static json_t *cluster_write(cluster *c, const cluster_call *call, const cluster_kind *kind,
                             int *ret_status)
{
    cluster_object *o = cluster_find(c, kind, call->ns, call->name);
    json_auto_t *body = cluster_parse_body(call);
    json_t *before = o ? o->object : NULL;
    const char *uid = dv_obj_uid(body), *version = dv_obj_rv(body);

    if (!before && !call->apply) {
        *ret_status = 404;
        return cluster_status(404, "NotFound", "not found", call);
    }
    if (*uid && (!before || strcmp(uid, dv_obj_uid(before)) != 0))
        return cluster_conflict(call, "uid mismatch", ret_status);
    if (*version && before && strcmp(version, dv_obj_rv(before)) != 0)
        return cluster_conflict(call, "the object has been modified", ret_status);
    json_t *after = dv_json_merge_patch(before ? dv_json_copy(before) : json_object(), body);
    dv_json_put_str(dv_json_object(after, "/metadata"), "resourceVersion",
                    before ? dv_obj_rv(before) : NULL);
    cluster_complete(c, kind, before, after);
    *ret_status = before ? 200 : 201;
    if (before && json_equal(before, after)) {
        json_decref(after);
        return cluster_shown(before, call->metadata);
    }
    cluster_store(c, kind, call->ns, call->name, after);
    return cluster_shown(after, call->metadata);
}

static json_t *cluster_delete(cluster *c, const cluster_call *call, const cluster_kind *kind,
                              int *ret_status)
{
    cluster_object *o = cluster_find(c, kind, call->ns, call->name);
    json_auto_t *options = cluster_parse_body(call);
    const char *uid = dv_json_str(options, "/preconditions/uid");

    if (uid && strcmp(uid, dv_obj_uid(o->object)) != 0)
        return cluster_conflict(call, "Precondition failed: UID in precondition", ret_status);
    *ret_status = 200;
    if (dv_json_at(o->object, "/metadata/finalizers/0")) {
        json_t *going = dv_json_copy(o->object);

        dv_json_put_str(dv_json_object(going, "/metadata"), "deletionTimestamp",
                        "2026-11-21T09:00:00Z");
        cluster_store(c, kind, call->ns, call->name, going);
        return json_incref(going);
    }
    cluster_store(c, kind, call->ns, call->name, NULL);
    return cluster_status(200, "", "", call);
}

static json_t *cluster_review(cluster *c, const cluster_call *call)
{
    json_auto_t *review = cluster_parse_body(call);
    dv_auto_str wish = dv_asprintf("%s %s", dv_json_str(review, "/spec/resourceAttributes/verb"),
                                   dv_json_str(review, "/spec/resourceAttributes/resource"));
    bool allowed = true;

    for (size_t i = 0; i < c->forbidden.n; i++)
        allowed = allowed && !dv_glob_match(dv_str_of(c->forbidden.at[i]), dv_str_of(wish));
    return json_pack("{s:s,s:{s:b}}", "kind", "SelfSubjectAccessReview", "status", "allowed",
                     allowed);
}

static json_t *cluster_act(cluster *c, const cluster_call *call, int *ret_status)
{
    const cluster_kind *kind = cluster_kind_of(call->base, call->resource);
    bool post = strcmp(call->method, "POST") == 0, get = strcmp(call->method, "GET") == 0;

    *ret_status = 201;
    if (strcmp(call->resource, "selfsubjectaccessreviews") == 0)
        return cluster_review(c, call);
    *ret_status = 404;
    if (!kind || !cluster_serves(c, kind))
        return cluster_status(404, "NotFound", "no such path", &(cluster_call){0});
    *ret_status = 200;
    if (get && !*call->name)
        return cluster_list(c, call, kind);
    if (!get)
        dv_strings_take(&c->writes,
                        dv_asprintf("%s %s/%s", call->method, call->resource, call->name));
    if (post || strcmp(call->method, "PATCH") == 0)
        return cluster_write(c, call, kind, ret_status);
    cluster_object *o = cluster_find(c, kind, call->ns, call->name);
    if (!o) {
        *ret_status = 404;
        return cluster_status(404, "NotFound", "not found", call);
    }
    return get ? cluster_shown(o->object, call->metadata)
               : cluster_delete(c, call, kind, ret_status);
}

/* ---- Requests ---- */

static void cluster_parse_path(char *path, cluster_call *call)
{
    DV_VEC(char *) parts = {0};
    char *rest = path + 1, *part;
    size_t at = 0;

    while ((part = strsep(&rest, "/")))
        *dv_vec_push(&parts) = part;
    if (parts.n >= 2) {
        bool core = strcmp(parts.at[0], "api") == 0;

        snprintf(call->base, sizeof(call->base), "/%s/%s%s%s", parts.at[0], parts.at[1],
                 core ? "" : "/", core ? "" : parts.at[2]);
        at = core ? 2 : 3;
    }
    if (parts.n > at + 2 && strcmp(parts.at[at], "namespaces") == 0) {
        snprintf(call->ns, sizeof(call->ns), "%s", parts.at[at + 1]);
        at += 2;
    }
    if (at && parts.n > at)
        snprintf(call->resource, sizeof(call->resource), "%s", parts.at[at]);
    if (at && parts.n > at + 1)
        snprintf(call->name, sizeof(call->name), "%s", parts.at[at + 1]);
    dv_vec_done(&parts);
}

/* What follows key in a query, until the next parameter. */
static void cluster_parse_value(const char *path, const char *key, size_t size, char *ret_value)
{
    const char *at = strstr(path, key);

    if (at)
        snprintf(ret_value, size, "%.*s", (int)strcspn(at + strlen(key), "&"), at + strlen(key));
}

static void cluster_parse(const char *request, cluster_call *call)
{
    char path[2048] = "";
    const char *since;

    *call = (cluster_call){0};
    DV_ASSERT(sscanf(request, "%15s %2047s ", call->method, path) == 2);
    call->watch = strstr(path, "watch=true");
    call->selected = strstr(path, "labelSelector=davit.dev%2Fowner");
    cluster_parse_value(path, "davit.dev%2Fstored%3D", sizeof(call->stored), call->stored);
    cluster_parse_value(path, "davit.dev%2Fowner%3D", sizeof(call->owner), call->owner);
    cluster_parse_value(path, "fieldSelector=metadata.name%3D", sizeof(call->only), call->only);
    call->metadata = strstr(request, "as=PartialObjectMetadata");
    call->apply = strcasestr(request, "content-type: application/apply-patch") ||
                  strcmp(call->method, "POST") == 0;
    since = strstr(path, "resourceVersion=");
    call->since = since ? strtoull(since + 16, NULL, 10) : 0;
    call->body = strstr(request, "\r\n\r\n") + 4;
    path[strcspn(path, "?")] = '\0';
    cluster_parse_path(path, call);
    if (strcmp(call->resource, "events") == 0) /* named by who posts it */
        snprintf(call->name, sizeof(call->name), "event-%p", (const void *)request);
}

/* The scripted answer, sent; false: none. */
static bool cluster_misbehaves(cluster *c, peer_conn *conn, const char *request)
{
    dv_auto_str body = NULL;
    int status = 0;
    {
        DV_LOCK_SCOPE(&c->server->mu);
        for (size_t i = 0; i < c->faults.n && !status; i++) {
            cluster_fault *f = &c->faults.at[i];

            if (!f->times || !strstr(request, f->match))
                continue;
            f->times--;
            status = f->status;
            body = dv_strdup(f->body);
        }
    }
    return status &&
           conn_answer(conn, status, "Content-Type: application/json\r\n", dv_str_of(body));
}

static int cluster_handle(cluster *c, const cluster_call *call, dv_buf *out)
{
    DV_LOCK_SCOPE(&c->server->mu);
    int status = 200;
    json_auto_t *answer =
        *call->resource ? cluster_act(c, call, &status) : cluster_discovery(c, !*call->base);

    dv_json_write(answer, out);
    return status;
}

static void cluster_serve(peer_conn *conn)
{
    enum { ROOM = 4 * 1024 * 1024 };
    cluster *c = conn->owner->arg;
    dv_auto_str request = dv_alloc(ROOM);
    cluster_call call;

    while (conn_read_request(conn, request, ROOM)) {
        DV_CLEANUP(dv_buf_done) dv_buf answer = DV_BUF_INIT(DV_BODY_MAX);

        if (cluster_misbehaves(c, conn, request))
            continue;
        cluster_parse(request, &call);
        if (strncmp(request, "GET /apis ", 10) == 0)
            snprintf(call.base, sizeof(call.base), "groups");
        if (call.watch) {
            cluster_watch(c, conn, &call, cluster_kind_of(call.base, call.resource));
            return;
        }
        int status = cluster_handle(c, &call, &answer);
        if (!conn_answer(conn, status, "Content-Type: application/json\r\n", dv_buf_str(&answer)))
            return;
    }
}

/* ---- For tests ---- */

static void cluster_told(void *arg, const char *package)
{
    cluster *c = arg;
    DV_LOCK_SCOPE(&c->server->mu);

    dv_strings_add(&c->told, package);
    pthread_cond_broadcast(&c->server->changed);
}

/* Waits until the watches have named a package n times. */
DV_UNUSED static void cluster_wait_told(cluster *c, size_t n)
{
    DV_LOCK_SCOPE(&c->server->mu);

    while (c->told.n < n)
        dv_cond_wait_ms(&c->server->changed, &c->server->mu, -1);
}

static void cluster_connect(cluster *c)
{
    char path[] = P_tmpdir "/davit-cluster-XXXXXX";
    dv_kube_config *config = NULL;
    dv_auto_str yaml =
        dv_asprintf("clusters: [{name: k, cluster: {server: 'http://127.0.0.1:%d'}}]\n"
                    "users: [{name: u, user: {token: t}}]\n"
                    "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                    "current-context: c\n",
                    c->server->port);

    close(mkstemp(path));
    assert_ok(dv_file_write(path, dv_str_of(yaml), 0600, /* durable= */ false));
    assert_ok(dv_kube_config_load(&c->ctx, &(dv_kube_config_options){.kubeconfig = path}, &config));
    unlink(path);
    c->http = dv_http_new();
    c->kube = dv_kube_new(c->http, config, "davit/1");
}

static cluster *cluster_new(void)
{
    cluster *c = DV_NEW(cluster);

    c->ctx = dv_ctx_make(NULL);
    c->revision = 100;
    c->server = peer_start(cluster_serve, NULL, c);
    cluster_connect(c);
    c->cache = dv_cache_new(c->kube, dv_clock_real(), NULL);
    c->owned = dv_owned_new(c->kube, c->cache, dv_clock_real(), cluster_told, c);
    c->events = dv_events_new(c->kube, dv_clock_real(), "davit.dev/controller", "test");
    return c;
}

/* No event is on its way any more. */
static void cluster_end_events(cluster *c)
{
    dv_events_free(c->events);
    c->events = NULL;
}

static void cluster_free(cluster *c)
{
    cluster_end_events(c);
    dv_cache_free(c->cache);
    dv_owned_free(c->owned);
    dv_http_free(c->http);
    dv_kube_free(c->kube);
    peer_stop(c->server);
    for (size_t i = 0; i < c->objects.n; i++) {
        json_decref(c->objects.at[i].object);
        free(c->objects.at[i].ns);
        free(c->objects.at[i].name);
    }
    for (size_t i = 0; i < c->history.n; i++)
        json_decref(c->history.at[i].object);
    for (size_t i = 0; i < c->faults.n; i++) {
        free(c->faults.at[i].match);
        free(c->faults.at[i].body);
    }
    dv_vec_done(&c->objects);
    dv_vec_done(&c->history);
    dv_vec_done(&c->faults);
    dv_strings_done(&c->forbidden);
    dv_strings_done(&c->writes);
    dv_strings_done(&c->told);
    free(c);
}
DV_DEFINE_AUTO(cluster)

static const cluster_kind *cluster_kind_named(const char *kind)
{
    for (size_t i = 0; i < DV_LEN(cluster_kinds); i++)
        if (strcmp(cluster_kinds[i].kind, kind) == 0)
            return &cluster_kinds[i];
    fail_msg("no kind %s", kind);
    return NULL;
}

/* Somebody makes or replaces an object. */
DV_UNUSED static void cluster_put(cluster *c, const char *yaml)
{
    json_t *object = cluster_read(yaml);
    const cluster_kind *kind = cluster_kind_named(dv_obj_kind(object));
    dv_auto_str ns = dv_strdup(dv_obj_ns(object));
    dv_auto_str name = dv_strdup(dv_obj_name(object));
    DV_LOCK_SCOPE(&c->server->mu);
    const cluster_object *o = cluster_find(c, kind, ns, name);

    cluster_complete(c, kind, o ? o->object : NULL, object);
    cluster_store(c, kind, ns, name, object);
}

/* Somebody deletes an object, and it is gone. */
DV_UNUSED static void cluster_drop(cluster *c, const char *kind, const char *ns, const char *name)
{
    DV_LOCK_SCOPE(&c->server->mu);

    cluster_store(c, cluster_kind_named(kind), ns, name, NULL);
}

/* Owned; NULL: absent. */
DV_UNUSED static json_t *cluster_get(cluster *c, const char *kind, const char *ns, const char *name)
{
    DV_LOCK_SCOPE(&c->server->mu);
    const cluster_object *o = cluster_find(c, cluster_kind_named(kind), ns, name);

    return o ? dv_json_copy(o->object) : NULL;
}

DV_UNUSED static bool cluster_has(cluster *c, const char *kind, const char *ns, const char *name)
{
    json_auto_t *object = cluster_get(c, kind, ns, name);

    return object != NULL;
}

/* The next `times` requests whose head or body holds match get this answer. */
DV_UNUSED static void cluster_fail(cluster *c, const char *match, int status, int times,
                                   const char *body)
{
    DV_LOCK_SCOPE(&c->server->mu);

    *dv_vec_push(&c->faults) = (cluster_fault){dv_strdup(match), status, times, dv_strdup(body)};
}

/* No answer is scripted any more. */
DV_UNUSED static void cluster_behave(cluster *c)
{
    DV_LOCK_SCOPE(&c->server->mu);

    for (size_t i = 0; i < c->faults.n; i++)
        c->faults.at[i].times = 0;
}

DV_UNUSED static void cluster_forbid(cluster *c, const char *what)
{
    DV_LOCK_SCOPE(&c->server->mu);

    dv_strings_add(&c->forbidden, what);
}

/* How many writes there were, and none from now on. */
DV_UNUSED static size_t cluster_take_writes(cluster *c)
{
    DV_LOCK_SCOPE(&c->server->mu);
    size_t n = c->writes.n;

    dv_strings_done(&c->writes);
    return n;
}

DV_UNUSED static const dv_resource *cluster_resource(cluster *c, const char *api_version,
                                                     const char *kind)
{
    const dv_resource *resource = NULL;

    assert_ok(dv_kube_resource(&c->ctx, c->kube, api_version, kind, &resource));
    return resource;
}

/* A PackageManifest of uid "p1"; spec in YAML. One holder. */
DV_UNUSED static dv_pm *cluster_pm(const char *ns, const char *name, const char *spec)
{
    dv_auto_str yaml =
        dv_asprintf("{metadata: {namespace: %s, name: %s, uid: p1}, spec: {%s}}", ns, name, spec);
    json_auto_t *object = cluster_read(yaml);
    dv_pm *pm = NULL;

    assert_ok(dv_pm_decode(object, &pm));
    return pm;
}
