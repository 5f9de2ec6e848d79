/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API server as a few verbs over any resource. Objects are documents; no models.
 *
 * Three lanes: requests (shared, bounded), watches (a stream each), and the lease, which has a
 * connection of its own. No client-side rate limit: API priority and fairness is honoured
 * instead (429 and Retry-After become TRANSIENT with the time to wait).
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"
#include "kube/config.h"

typedef struct dv_kube dv_kube;

/* A kind that the server serves; interned, lives as long as the dv_kube. */
typedef struct {
    const char *group; /* "" for core */
    const char *version;
    const char *kind;
    const char *resource;    /* "deployments" */
    const char *api_version; /* "apps/v1", "v1" */
    bool namespaced;
    bool has_status;
    bool can_list_watch;
    bool can_delete;
} dv_resource;

/* Borrows http, takes config. Starts nothing. */
dv_kube *dv_kube_new(dv_http *http, dv_kube_config *config, const char *user_agent);
/* Nothing may be under way any more: dv_http_free() first sees to that. */
void dv_kube_free(dv_kube *kube);
DV_DEFINE_AUTO(dv_kube)
const dv_kube_config *dv_kube_get_config(const dv_kube *kube);

/*
 * Every write from now on asks may_write as it is handed to the network
 * (dv_http_request.may_send); false ends it as CANCELED "Fenced". Requests on the lease lane and
 * access reviews are exempt. Before threads.
 */
void dv_kube_set_fence(dv_kube *kube, bool (*may_write)(const void *arg), const void *arg);

/* ---- Discovery ---- */

/*
 * The resource of a kind, by apiVersion and kind. The whole of discovery is read once (aggregated,
 * one request each for /api and /apis) and again when a kind is not found, at most every 2 s.
 * NOT_FOUND "KindNotFound". TRANSIENT "ServerNotReady", "GroupUnavailable": it can't be said now
 * whether there is such a kind.
 */
DV_MUST_USE dv_err *dv_kube_resource(dv_ctx *ctx, dv_kube *kube, const char *api_version,
                                     const char *kind, const dv_resource **ret_resource);
/* By group and kind, the server's preferred version. */
DV_MUST_USE dv_err *dv_kube_resource_preferred(dv_ctx *ctx, dv_kube *kube, const char *group,
                                               const char *kind, const dv_resource **ret_resource);
/* A kind that needs no discovery (our own, leases, events): interned at once, trusted. */
const dv_resource *dv_kube_resource_static(dv_kube *kube, const char *group, const char *version,
                                           const char *kind, const char *resource, bool namespaced);
/*
 * The same for a kind that a CRD in somebody's package will define. INVALID: more kinds than
 * DV_KUBE_KINDS_MAX have been named in this process.
 */
DV_MUST_USE dv_err *dv_kube_resource_defined(dv_kube *kube, const char *group, const char *version,
                                             const char *kind, const char *resource,
                                             bool namespaced, const dv_resource **ret_resource);
/* A CRD came or went: the next look-up that misses asks afresh at once. */
void dv_kube_discovery_stale(dv_kube *kube);
/*
 * Kinds may have come or gone: the next look-up, hit or miss, reads discovery again if that is 2 s
 * old; where it can't, what was known is answered.
 */
void dv_kube_discovery_suspect(dv_kube *kube);
/*
 * All kinds that there are now are known afterwards (as of the last 2 s), but for those of groups
 * that dv_kube_next_unavailable() names. TRANSIENT, as a look-up; what was known stays.
 */
DV_MUST_USE dv_err *dv_kube_discover(dv_ctx *ctx, dv_kube *kube);
/* Walks the groups whose server can't say its kinds; *ret_group is owned. As
 * dv_kube_next_resource(). */
bool dv_kube_next_unavailable(dv_kube *kube, size_t *cursor, char **ret_group);
/*
 * Walks the preferred version of all kinds that discovery knows: *cursor starts at 0; false at
 * the end. Kinds that come meanwhile may be missed. Discovery must have been read (any look-up
 * does).
 */
bool dv_kube_next_resource(dv_kube *kube, size_t *cursor, const dv_resource **ret_resource);
/*
 * Does the API server say (/readyz) that it has started? TRANSIENT "ServerNotReady" while it does
 * not. One that has just begun forbids what is allowed and knows few kinds, so a no is believed
 * after this only. A server that refuses to tell (4xx) counts as ready.
 */
DV_MUST_USE dv_err *dv_kube_check_ready(dv_ctx *ctx, dv_kube *kube);
/* {"major","minor","gitVersion",…} of /version; owned. */
DV_MUST_USE dv_err *dv_kube_version(dv_ctx *ctx, dv_kube *kube, json_t **ret_version);

/* ---- Requests ---- */

typedef enum {
    DV_KUBE_GET,
    DV_KUBE_LIST,        /* one page */
    DV_KUBE_CREATE,      /* POST; body */
    DV_KUBE_APPLY,       /* server-side apply; body, field_manager, force */
    DV_KUBE_REPLACE,     /* PUT; body */
    DV_KUBE_MERGE_PATCH, /* RFC 7396 body */
    DV_KUBE_JSON_PATCH,  /* RFC 6902 body */
    DV_KUBE_DELETE,
} dv_kube_verb;

/* All borrowed for the call. Unset members are zero. */
typedef struct {
    dv_kube_verb verb;
    const dv_resource *resource;
    const char *ns; /* NULL for cluster scope, or to list all namespaces */
    const char *name;
    const char *subresource; /* "status", "token"; NULL */
    const char *as;          /* "system:serviceaccount:ns:name" to impersonate; NULL: ourselves */
    const json_t *body;      /* CREATE, APPLY, REPLACE, *_PATCH */
    dv_str body_bytes;       /* JSON, instead of body */
    const char *field_manager;
    bool force; /* APPLY: take fields that others own */
    bool dry_run;
    bool metadata_only; /* GET, LIST, APPLY, *_PATCH: ask for PartialObjectMetadata(List) */
    bool lease_lane;    /* on the lease's own connection */
    const char *label_selector, *field_selector;
    int64_t limit; /* LIST: page size */
    const char *continue_token;
    const char *resource_version;       /* GET, LIST */
    const char *resource_version_match; /* LIST: "NotOlderThan", "Exact" */
    const char *precondition_uid, *precondition_resource_version; /* DELETE */
    const char *propagation; /* DELETE: "Background" (default), "Foreground", "Orphan" */
} dv_kube_request;

/*
 * Sends one request and waits. *ret_object (may be NULL) is owned: the object, list or Status.
 * The kind of an error follows the Status of the answer:
 *   NOT_FOUND 404 ("NotFound", "NamespaceNotFound") ·
 *   DENIED 403, and 409 whose causes say FieldManagerConflict ("ApplyConflict") ·
 *   CONFLICT other 409 ("Conflict", "AlreadyExists", "UIDMismatch", which is 422 for an apply) ·
 *   WAITING "NamespaceTerminating" ·
 *   INVALID 400, 405, 406, 413, 415, 422 ("Invalid"), 500 of an apply that doesn't fit the schema ·
 *   TRANSIENT 401, 404 for the path ("KindNotFound": discovery is asked anew), 408, 410
 * ("Expired"), 429, 5xx, network, "BadAnswer" · CANCELED. INVALID too, before anything is sent:
 * "BadName", "NameRequired", "NamespaceRequired", "TooLarge". The message is the server's, with
 * verb, kind, namespace/name in front; values of Secrets never. An apply with
 * metadata.resourceVersion "1" creates, or is a CONFLICT: nothing has that version. Without
 * ret_object a write asks for metadata only and reads none of it.
 */
DV_MUST_USE dv_err *dv_kube_do(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request,
                               json_t **ret_object);

typedef struct {
    dv_err *err;    /* owned by the caller */
    json_t *object; /* owned by the caller; NULL when err is set */
    int status;     /* HTTP's: 201 created, 200 was there; 0: no answer */
    /*
     * Of an "ApplyConflict", all that its message may have left out: details.causes of the Status,
     * each {"reason", "message", "field"}. Owned by the caller; NULL for any other answer.
     */
    json_t *causes;
} dv_kube_result;
#define DV_KUBE_BATCH_IN_FLIGHT 16
/* Sends n requests, DV_KUBE_BATCH_IN_FLIGHT at once, waits once. All n results are filled. */
void dv_kube_batch(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *requests, size_t n,
                   dv_kube_result *ret_results);

/*
 * Lists all pages and calls `each` for every item (borrowed; an error from it ends the walk).
 * An item that can't be decoded is counted in *ret_skipped (may be NULL), logged at debug, left
 * out. *ret_resource_version (may be NULL) is owned. TRANSIENT "Expired": the continue token has;
 * the items so far are of a version that is gone, so the caller lists afresh. Items of built-in
 * lists are given their kind and apiVersion, which the server leaves out. limit 0: pages of 500.
 */
DV_MUST_USE dv_err *dv_kube_list(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request,
                                 dv_err *(*each)(void *arg, const json_t *item), void *arg,
                                 char **ret_resource_version, size_t *ret_skipped);

/*
 * May `as` (NULL: ourselves) do verb on the resource in ns (NULL: everywhere)? By
 * SelfSubjectAccessReview, so that asking leaves no 403 behind. TRANSIENT "ServerNotReady".
 */
DV_MUST_USE dv_err *dv_kube_may(dv_ctx *ctx, dv_kube *kube, const char *as, const char *verb,
                                const dv_resource *resource, const char *ns, bool *ret_allowed);

/* ---- Without waiting (async.c) ---- */

/* The answer as it came: any status; a Status document or the object as bytes. */
typedef struct {
    dv_err *err;            /* owned by the receiver; network, time limit, credentials */
    int status;             /* 0 when err is set */
    dv_buf body;            /* owned by the receiver */
    int64_t retry_after_ms; /* 0: not asked for */
} dv_kube_raw;
/*
 * Sends one request and returns; `done` is called once, on the transport thread (or, when the
 * request can't be sent, from within). ctx is borrowed for the call only, to find credentials.
 * What `done` gets is read by dv_json_read() and, unless the status is 2xx, dv_kube_status_error().
 */
void dv_kube_start(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request, int64_t timeout_ms,
                   void (*done)(void *arg, dv_kube_raw raw), void *arg);

/* ---- Watches ---- */

/*
 * Opens a watch from request->resource_version with bookmarks (selectors, ns, metadata_only as in
 * LIST). sink as in http.h: bytes of newline-separated {"type","object"} documents; a status
 * other than 200 has the Status document as its bytes. Silent for DV_WATCH_IDLE_MS: cut.
 * A resource version that is too old is an event of type ERROR, not a status.
 */
#define DV_WATCH_IDLE_MS ((int64_t)150 * 1000)
DV_MUST_USE dv_err *dv_kube_watch(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request,
                                  const dv_http_sink *sink, void *arg, dv_http_stream **ret_stream);
/* The error that a Status document stands for (kinds as dv_kube_do()); never NULL. */
DV_MUST_USE dv_err *dv_kube_status_error(const json_t *status, int http_status);

/* ---- Figures ---- */
/* Calls `each` for every (verb, code) with the number of requests so far. Threads: any. */
void dv_kube_request_counts(const dv_kube *kube,
                            void (*each)(void *arg, const char *verb, int code, uint64_t count),
                            void *arg);
