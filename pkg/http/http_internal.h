/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this module share.
 *
 *     http.c       the caller's side: makes transfers, waits, gives answers back
 *     transport.c  the thread: epoll, lanes, queues, limits of time
 *     transfer.c   one request in libcurl's words: options, callbacks
 *     outcome.c    how it went: errors, and what is sent again
 *     profile.c    how a server is spoken to; tls.c reads its PEM, proxy.c picks its proxy
 *
 * A transfer goes through these states, on the transport thread except for the first:
 *
 *     made ──► inbox ──► queued ──► running ──► finished
 *                └──────────┴── cancel ──────────┘
 *
 * Lock order: dv_http.mu is the only lock, never held across libcurl, a callback or I/O.
 */
#pragma once

#include <curl/curl.h>

#include "base/sync.h"
#include "http/http.h"

#define DV_HTTP_LANES_MAX 64
/* Times that a request is sent again by us without the caller noticing. */
#define DV_HTTP_RETRIES_MAX 3
#define DV_HTTP_CONNECT_MS 10000L
/* Sent data that nobody acknowledges for so long means a dead peer. */
#define DV_HTTP_USER_TIMEOUT_MS 30000
#define DV_HTTP_IDLE_DEFAULT_MS 30000
/* Wait for a connection that others hold, at least. */
#define DV_HTTP_FREE_MS ((int64_t)60 * 1000)
#define DV_HTTP_HEADERS_MAX_BYTES ((size_t)64 * 1024)
/* Idle handles that a lane keeps for the next requests. */
#define DV_HTTP_POOL_MAX 4
#define DV_HTTP_SLICE_MS 250

typedef struct dv_transfer dv_transfer;
typedef struct dv_transfer_list {
    dv_transfer *head, *tail;
    size_t n;
} dv_transfer_list;
void dv_transfer_append(dv_transfer_list *list, dv_transfer *transfer);
void dv_transfer_unlink(dv_transfer_list *list, dv_transfer *transfer);

struct dv_http_profile {
    _Atomic int refs;
    char *ca, *cert, *key;
    size_t ca_n, cert_n, key_n;
    char *ca_file; /* instead of the system's, when ca is not set; NULL */
    char *server_name;
    char *proxy_plain, *proxy_tls; /* for http:// and https://; NULL: none */
    char *no_proxy;
    bool skip_verify, http1_only, allow_plain;
    bool (*may_connect)(const void *arg, const struct sockaddr *address);
    const void *arg;
};

/* Several transfers that one caller waits for. */
typedef struct dv_http_job dv_http_job;
struct dv_http_job {
    dv_http *http;
    dv_transfer **transfers;
    size_t n;
    size_t next; /* transport: first one not yet queued */
    /* Guarded by http->mu. */
    pthread_cond_t changed;
    size_t left;
    bool cancel_queued;
    dv_http_job *next_cancel;
    dv_err *why; /* what canceled transfers end with; set once, before the cancel */
};

typedef enum {
    DV_T_MADE,
    DV_T_QUEUED,
    DV_T_REFUSED,
    DV_T_RUNNING,
    DV_T_FINISHED
} dv_transfer_state;

struct dv_transfer {
    dv_transfer *prev, *next;
    dv_http_lane *lane;
    dv_transfer_state state;

    /* The request; nothing of it changes once it is submitted. */
    char *method, *url;
    char *sent_url; /* with the profile's server name; NULL: as url */
    struct curl_slist *headers;
    dv_str body;
    char *body_copy;
    dv_http_profile *profile;
    size_t response_max;
    int64_t idle_ms;
    int64_t deadline_ms; /* monotonic; 0: none */
    bool repeatable;     /* may reach the server twice */
    bool plain;          /* http:// */
    bool (*may_send)(const void *arg);
    const void *may_send_arg;
    const char *proxy;        /* the profile's, or NULL */
    const dv_http_sink *sink; /* NULL: the answer is gathered */
    void *sink_arg;

    /* How it ends: takes the result, on the transport thread. May free the transfer. */
    void (*finish)(dv_transfer *transfer, dv_http_result result);
    dv_http_job *job;
    size_t job_i;
    void (*done)(void *arg, dv_http_result result);
    void *done_arg;
    dv_err *refusal; /* found before it was submitted; owned */

    /* Transport thread only, while it runs. */
    CURL *easy;
    struct curl_slist *connect_to;
    int64_t active_ms; /* when bytes last moved */
    int64_t uploaded;
    size_t body_sent, header_bytes;
    int retries, status;
    int sends;     /* in this attempt; libcurl may send more than once */
    bool repeated; /* an earlier sending may have been carried out */
    bool answered; /* a byte of an answer has come */
    bool headers_done;
    bool ended_by_sink;
    dv_http_response *response;
    dv_err *why; /* set by a callback that ends the transfer */
    char refused_address[64];
    char error_text[CURL_ERROR_SIZE];
};

struct dv_http_lane {
    dv_http *http;
    size_t index;
    const char *name;
    size_t streams_max, in_flight_max, queue_max;
    /* Transport thread only. */
    CURLM *multi;
    dv_transfer_list queue, refused, running;
    size_t unsent; /* running, and still without a connection */
    CURL *pool[DV_HTTP_POOL_MAX];
    size_t pool_n;
    int64_t timer_ms; /* when libcurl wants to be called; -1: not */
    _Atomic uint64_t requests, errors, connections, retries;
    _Atomic size_t in_flight, queued;
};

struct dv_http {
    pthread_t thread;
    int epoll_fd, wake_fd;
    pthread_mutex_t mu;
    /* Guarded by mu. */
    dv_transfer_list inbox;
    dv_http_job *cancels;
    dv_http_lane *lanes[DV_HTTP_LANES_MAX];
    size_t lanes_n;
    bool stopping;
    /* Transport thread only. */
    int64_t now_ms;
    int64_t check_ms; /* next look at the transfers' limits of time */
    bool draining;
};

/* ---- transport.c ---- */

int64_t dv_transport_now_ms(void);
/* Any thread. Hands a transfer over. */
void dv_transport_submit(dv_transfer *transfer);
/* Any thread, http->mu held. Ends what is left of the job with dups of job->why. */
void dv_transport_cancel_locked(dv_http_job *job);
/* Any thread. */
void dv_transport_wake(dv_http *http);
/* Transport thread. The transfer has a connection and goes out; its idle time begins. */
void dv_transport_sent(dv_transfer *transfer);
/* Transport thread. Puts a transfer at the end of its lane's queue. */
void dv_transport_enqueue(dv_transfer *transfer);

/* ---- http.c ---- */

void dv_http_drop_headers(dv_http_response *response);

/* ---- transfer.c ---- */

/* Never NULL; a request that can't be sent has `refusal` set. */
dv_transfer *dv_transfer_new(dv_http_lane *lane, const dv_http_request *request, bool copy_body);
void dv_transfer_free(dv_transfer *transfer);
/* Fills in the handle. */
CURLcode dv_transfer_setup(dv_transfer *transfer, CURL *easy);
/* Forgets what an attempt left. */
void dv_transfer_rewind(dv_transfer *transfer);

/* ---- outcome.c ---- */

/* After the last byte. NULL: there is a whole answer, and no callback objected. */
dv_err *dv_transfer_error(dv_transfer *transfer, CURLcode code);
/* True when it is certain that sending it again does no harm and may help. */
bool dv_transfer_should_retry(const dv_transfer *transfer, CURLcode code);
/* Puts "GET https://host/path: " in front. Takes err. */
dv_err *dv_transfer_wrap(const dv_transfer *transfer, dv_err *err);

/* ---- profile.c, proxy.c, tls.c ---- */

/* The proxy for a URL, borrowed; NULL: none. */
const char *dv_http_profile_proxy(const dv_http_profile *profile, dv_str host, uint16_t port,
                                  bool tls);
/* Does the NO_PROXY list cover the host? Names match with their subdomains, CIDRs match addresses.
 */
bool dv_proxy_bypassed(const char *no_proxy, dv_str host, uint16_t port);
/* INVALID "BadCertificate" unless ca is certificates and cert and key are one pair (or both empty).
 */
DV_MUST_USE dv_err *dv_tls_check(dv_str ca_pem, dv_str cert_pem, dv_str key_pem);
