/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files behind client.h share.
 *
 *     client.c     lanes, sending, 401, answers
 *     async.c      watches and what is sent without waiting
 *     request.c    a dv_kube_request in HTTP's words: path, query, headers, body
 *     status.c     Status documents to errors
 *     list.c       pages; list_scan.c cuts a page into its items (see page.h)
 *     discovery.c  which kinds there are
 *     counts.c     requests by verb and code
 *     events.c     (see events.h)
 *
 * Locks: discovery's and the counters' are leaves; neither is held while a request is under way.
 */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "base/sync.h"
#include "kube/client.h"
#include "kube/page.h"

/* What the API server takes (3 MiB), and what we take of it. */
#define DV_KUBE_BODY_MAX ((size_t)3 * 1024 * 1024)
#define DV_KUBE_DISCOVERY_MAX ((size_t)16 * 1024 * 1024)
/* Kinds that discovery may name, versions counted apart, and bytes of their names. */
#define DV_KUBE_KINDS_MAX ((size_t)20000)
#define DV_KUBE_NAMES_MAX ((size_t)16 * 1024 * 1024)
/* Discovery is asked again for a kind that is missing, at most so often. */
#define DV_KUBE_DISCOVERY_MS ((int64_t)2000)
/* A server says nothing for so long: longer than it may take itself (60 s). */
#define DV_KUBE_IDLE_MS ((int64_t)65 * 1000)
#define DV_KUBE_LIST_PAGE 500
/* Of a server's message, in an error. */
#define DV_KUBE_MESSAGE_MAX ((size_t)1024)
#define DV_KUBE_COUNTS_MAX 256

typedef struct {
    const char *verb; /* static */
    int code;
    uint64_t count;
} dv_kube_count;

typedef struct {
    pthread_mutex_t mu;
    dv_kube_count at[DV_KUBE_COUNTS_MAX];
    size_t n;
} dv_kube_counts;

/* Interned resources and texts: an arena and the ways into it. */
typedef struct {
    dv_arena *arena;
    dv_map *texts;    /* text -> interned text */
    dv_map *interned; /* whole description -> dv_resource */
} dv_names;

/* What one reading of discovery found; borrows the resources. */
typedef struct {
    dv_map *by_version;  /* "apps/v1|Deployment" -> dv_resource */
    dv_map *by_group;    /* "apps|Deployment" -> dv_resource of the preferred version */
    dv_map *unavailable; /* groups whose server does not answer -> any pointer */
    DV_VEC(const dv_resource *) preferred; /* by_group, in the server's order */
} dv_kinds;
void dv_kinds_init(dv_kinds *kinds);
void dv_kinds_done(dv_kinds *kinds);

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    /* Guarded by mu. Resources are never changed once they are handed out. */
    dv_names served, own; /* by discovery (bounded), by dv_kube_resource_static() */
    dv_kinds kinds;
    bool loading, loaded;
    bool stale;   /* ask again at once on a miss */
    bool suspect; /* ask again, hit or miss, when the time has come */
    int64_t loaded_ms;
    uint64_t round;   /* loads that have ended */
    dv_err *last_err; /* of the last round */
} dv_discovery;

struct dv_kube {
    dv_kube_config *config;
    char *user_agent; /* header line */
    dv_http_lane *requests, *watches, *lease;
    bool (*may_write)(const void *arg); /* the fence; NULL: none */
    const void *may_write_arg;
    dv_discovery discovery;
    dv_kube_counts counts;
};

/* ---- request.c ---- */

/* A request in HTTP's words; borrows the dv_kube_request. */
typedef struct {
    const dv_kube *kube;
    const dv_kube_request *request;
    const char *method;
    dv_buf url, body;
    dv_strings headers;
} dv_kube_call;
typedef enum { DV_CALL_PLAIN, DV_CALL_NO_ANSWER, DV_CALL_WATCH } dv_call_mode;

/* INVALID: a name, namespace or body that can't be sent. Release *ret_call in any case. */
DV_MUST_USE dv_err *dv_kube_call_make(const dv_kube *kube, const dv_kube_request *request,
                                      dv_call_mode mode, dv_kube_call *ret_call);
void dv_kube_call_done(dv_kube_call *call);
/* Borrows call. Authorization and profile are the sender's business. */
dv_http_request dv_kube_call_http(const dv_kube_call *call);
/* "apply", "get": static. */
const char *dv_kube_verb_name(dv_kube_verb verb);
/* Appends "apply Deployment team-a/web". */
void dv_kube_request_add(dv_buf *out, const dv_kube_request *request);

/* ---- status.c ---- */

/* The error of an answer; request may be NULL. body is a Status or anything else. Never NULL. */
DV_MUST_USE dv_err *dv_kube_answer_error(const dv_kube_request *request, int http_status,
                                         dv_str body, int64_t retry_after_ms);
/* details.causes of the Status in body; owned, NULL: it has none. */
json_t *dv_kube_answer_causes(dv_str body);

/* ---- client.c ---- */

/*
 * Sends n requests with our authorization, again (once) after a 401. Every result is filled.
 * The headers of requests must leave authorization and profile unset.
 */
void dv_kube_exchange(dv_ctx *ctx, dv_kube *kube, dv_http_lane *lane, dv_http_request *requests,
                      size_t n, size_t in_flight, dv_http_result *ret_results);
/* ---- discovery.c ---- */
void dv_discovery_init(dv_discovery *discovery);
void dv_discovery_done(dv_discovery *discovery);
/* Adds what /api or /apis said to what a look-up finds. INVALID: no such document, or too much. */
DV_MUST_USE dv_err *dv_discovery_add(dv_discovery *discovery, dv_kinds *kinds,
                                     const json_t *document);

/* ---- counts.c ---- */
void dv_kube_counts_init(dv_kube_counts *counts);
void dv_kube_counts_done(dv_kube_counts *counts);
/* code 0: no answer. */
void dv_kube_count_add(dv_kube *kube, const char *verb, int code);
