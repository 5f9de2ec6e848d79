/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP client: one transport thread on libcurl's multi interface, shared by all of a process.
 *
 *     worker ──dv_http_do()──► lane (queue, limits) ──► transport thread ──► libcurl multi
 *
 * A lane is a multi handle with its own connections and bounds, so that watches, requests and
 * the lease never wait for each other. HTTP/2 is used where the server offers it: requests of a
 * lane share connections up to streams_max each, and a further connection opens when those are
 * full. What ends before a byte of an answer came (a GOAWAY, a refused stream, a pooled connection
 * that was closed) is sent again at once on another connection, by libcurl (at most five times) and
 * by us (three), when that does no harm: see dv_http_request.repeatable. A POST is not, unless its
 * caller says so: libcurl does not tell a refused stream from a lost one.
 *
 * A dv_http_profile says how a server is spoken to: TLS, proxy, which addresses may be
 * connected to. It is shared by count; a request holds it while it runs.
 *
 * Threads: any, unless a line says otherwise. Callbacks run on the transport thread, with no
 * lock held; they must not block, and may start or cancel requests.
 */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "base/vec.h"

struct sockaddr;

typedef struct dv_http dv_http;
typedef struct dv_http_lane dv_http_lane;
typedef struct dv_http_profile dv_http_profile;

/* ---- Transport ---- */

/* Starts the thread. Call dv_http_setup() first, once, before any thread of the process. */
void dv_http_setup(void);
dv_http *dv_http_new(void);
/*
 * Cuts what still runs (CANCELED), joins the thread, frees the lanes. Streams are closed before;
 * nobody may be in a call.
 */
void dv_http_free(dv_http *http);
DV_DEFINE_AUTO(dv_http)

typedef struct {
    const char *name;       /* for metrics and debug logs; static */
    size_t connections_max; /* to one host; 0: 4 */
    size_t streams_max;     /* of one HTTP/2 connection; 0: 90 (kube-apiserver allows 100) */
    size_t in_flight_max;   /* 0: 64 */
    size_t queue_max;       /* waiting for a place; beyond: TRANSIENT "QueueFull"; 0: 4096 */
} dv_http_lane_options;
/* Owned by http. */
dv_http_lane *dv_http_lane_new(dv_http *http, const dv_http_lane_options *options);

/* ---- Profiles ---- */

/* All texts are copied. */
typedef struct {
    dv_str ca_pem;            /* empty: those of SSL_CERT_FILE, else the system's authorities */
    dv_str cert_pem, key_pem; /* client certificate; empty: none */
    const char *server_name;  /* verified instead of the URL's host; NULL */
    bool insecure_skip_verify;
    const char *proxy; /* "http://…", "https://…", "socks5://…"; NULL: none; "env": HTTPS_PROXY,
                          HTTP_PROXY, NO_PROXY */
    const char *no_proxy; /* NULL: none */
    bool http1_only;
    bool allow_plain; /* http:// too */
    /*
     * Asked on the transport thread for each address before it is connected to (not when a proxy
     * is used); false refuses it: DENIED "AddressNotAllowed". NULL: all may be connected to.
     */
    bool (*may_connect)(const void *arg, const struct sockaddr *address);
    const void *arg; /* borrowed until the last unref */
} dv_http_profile_options;
/* *ret_profile has one holder. INVALID "BadCertificate": PEM that can't be read. */
DV_MUST_USE dv_err *dv_http_profile_new(const dv_http_profile_options *options,
                                        dv_http_profile **ret_profile);
dv_http_profile *dv_http_profile_ref(dv_http_profile *profile);
void dv_http_profile_unref(dv_http_profile *profile);

/* ---- Requests ---- */

typedef struct {
    const char *method; /* "GET" */
    const char *url;
    const char *const *headers; /* "Name: value"; n_headers of them */
    size_t n_headers;
    const dv_secret *authorization; /* value of the Authorization header ("Bearer …"); NULL: none */
    dv_str body;                    /* borrowed until the answer is there */
    size_t response_max; /* bytes of body; 0: DV_BODY_MAX; beyond: INVALID "ResponseTooLarge" */
    dv_http_profile *profile; /* held while it runs */
    int64_t idle_timeout_ms;  /* no byte for so long: TRANSIENT "IdleTimeout"; 0: 30 s */
    /*
     * Asked on the transport thread as the request is handed to the network, also for each retry;
     * false: CANCELED "Fenced". NULL: always. A leader's writes pass its lease here.
     */
    bool (*may_send)(const void *arg);
    const void *may_send_arg;
    bool repeatable; /* no harm if the server carries it out twice (a PATCH that applies);
                        GET, HEAD, PUT, DELETE and OPTIONS always are */
} dv_http_request;

typedef struct {
    int status;
    bool repeated; /* sent more than once; an earlier one may have been carried out */
    dv_buf body;
    DV_VEC(struct {
        char *name;
        char *value;
    }) headers; /* of the final answer; names in lower case */
} dv_http_response;
void dv_http_response_free(dv_http_response *response);
/* NULL: absent. */
const char *dv_http_header(const dv_http_response *response, const char *lower_case_name);
/* Seconds or date of Retry-After as milliseconds from now; 0: absent or unreadable. */
int64_t dv_http_retry_after_ms(const dv_http_response *response, const dv_clock *clock);
/* The same for a header's value; NULL gives 0. At most a day. */
int64_t dv_http_retry_after_parse(const char *value, const dv_clock *clock);
DV_DEFINE_AUTO(dv_http_response)

/*
 * Sends one request and waits. Any status is an answer, not an error; redirects are not
 * followed (see fetch.h). TRANSIENT: connection, TLS ("TLSFailed"), time limit; CANCELED; DENIED:
 * may_connect said no, or a scheme that the profile forbids; INVALID: bad URL, too large an answer.
 */
DV_MUST_USE dv_err *dv_http_do(dv_ctx *ctx, dv_http_lane *lane, const dv_http_request *request,
                               dv_http_response **ret_response);

typedef struct {
    dv_err *err;                /* owned by the caller */
    dv_http_response *response; /* NULL when err is set */
} dv_http_result;
/*
 * Sends n requests, at most in_flight of them at once, and waits once. Each result is filled.
 */
void dv_http_batch(dv_ctx *ctx, dv_http_lane *lane, const dv_http_request *requests, size_t n,
                   size_t in_flight, dv_http_result *ret_results);

/*
 * Sends one request without waiting: `done` is called once on the transport thread and takes the
 * result. The body is copied. timeout_ms 0: none.
 */
void dv_http_start(dv_http_lane *lane, const dv_http_request *request, int64_t timeout_ms,
                   void (*done)(void *arg, dv_http_result result), void *arg);

/* ---- Streams (watches) ---- */

typedef struct dv_http_stream dv_http_stream;
typedef struct {
    /* NULL, or called for each header of the answer before `begin`; name in lower case, borrowed.
     */
    void (*header)(void *arg, const char *name, const char *value);
    /* The headers have come. False ends the stream. */
    bool (*begin)(void *arg, int status);
    /* Bytes have come; they are borrowed. False ends the stream. Must neither parse nor pause. */
    bool (*data)(void *arg, dv_str bytes);
    /* The last call, always: takes err; NULL when the server ended it regularly; CANCELED
       "StreamEnded" when begin or data returned false. */
    void (*end)(void *arg, dv_err *err);
} dv_http_sink;
/* Owned; close it also after `end`. The idle time limit cuts a silent stream. */
dv_http_stream *dv_http_stream_open(dv_http_lane *lane, const dv_http_request *request,
                                    const dv_http_sink *sink, void *arg);
/* Ends it (CANCELED, if `end` was not called yet), waits until no callback runs, frees. Not from a
 * callback. */
void dv_http_stream_close(dv_http_stream *stream);

/* ---- Figures, for metrics ---- */
typedef struct {
    uint64_t requests, errors, connections_opened, retries;
    size_t in_flight, queued;
} dv_http_lane_stats;
dv_http_lane_stats dv_http_lane_get_stats(const dv_http_lane *lane);
