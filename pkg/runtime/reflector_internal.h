/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an informer does next, and what it makes of the answers: a state machine without a thread
 * or a network, which is told the time.
 *
 *               ┌────────────── last page ─────────────┐
 *               │                                      ▼
 *     start ─► LISTING ◄── 410, queue full, refused ─ WATCHING
 *               │ ▲                                    │ ▲
 *         error │ │ due                    end, error  │ │ due
 *               ▼ │                                    ▼ │
 *              RESTING                                RESTING
 *
 * A rest is as long as the server asks for, where it does. Else it grows from DV_REST_FIRST_MS to
 * DV_REST_MAX_MS and starts over after a watch that held for DV_WATCH_HEALTHY_MS; where a list or
 * watch has been forbidden (403) DV_REST_DENIALS_MAX times in a row it is DV_REST_DENIED_MS.
 *
 * Threads: owner (the cache's), but for the atomic members.
 */
#pragma once

#include "runtime/frames_internal.h"
#include "runtime/store_internal.h"

#define DV_LIST_PAGE ((int64_t)500)
#define DV_REST_FIRST_MS ((int64_t)1000)
#define DV_REST_MAX_MS ((int64_t)30 * 1000)
/* 1 s to 16 s: together half a minute, which is what an API server needs to start. */
#define DV_REST_DENIALS_MAX 5
#define DV_REST_DENIED_MS ((int64_t)3 * 60 * 1000)
#define DV_WATCH_HEALTHY_MS ((int64_t)60 * 1000)
/* A watch that ends regularly after that long is no failure. */
#define DV_WATCH_SHORT_MS ((int64_t)5000)
/* So often in a row a server may refuse a watch before its list is asked for again. */
#define DV_WATCH_REFUSALS_MAX 3
#define DV_KEY_MAX ((size_t)1024)

/* What it asks for; answers come through the functions below, never from within. */
typedef struct {
    void (*list)(void *arg, int64_t limit, const char *continue_token); /* token NULL: first page */
    void (*watch)(void *arg, const char *resource_version);
    void (*unwatch)(void *arg); /* no more of that watch is to be told */
} dv_reflector_ops;

typedef enum { DV_RESTING, DV_LISTING, DV_WATCHING } dv_reflector_state;

typedef struct {
    const dv_informer_options *options;
    const dv_reflector_ops *ops;
    void *ops_arg;
    const dv_log *log;
    dv_store *store;

    dv_reflector_state state;
    bool list_next;    /* after the rest */
    int64_t due_ms;    /* RESTING; else INT64_MAX */
    unsigned failures; /* in a row, but for denials */
    unsigned denials;  /* since a watch was accepted */
    unsigned expiries; /* of watches, since one was healthy */
    unsigned refusals; /* of watches, in a row */
    int64_t limit;     /* of a page */
    bool paging;       /* the first page is in the store */
    int64_t began_ms;  /* when the watch was accepted; 0: not yet */
    bool complained;   /* the break was logged */
    unsigned resumes;  /* watches that ran again after that */

    _Atomic bool synced, denied;
    _Atomic int64_t broken_since_ms;
    _Atomic uint64_t lists, watches, events, skipped;
} dv_reflector;

/* Borrows options, ops, arg and log until done. */
void dv_reflector_init(dv_reflector *r, const dv_informer_options *options,
                       const dv_reflector_ops *ops, void *ops_arg, const dv_log *log);
void dv_reflector_done(dv_reflector *r);
void dv_reflector_start(dv_reflector *r, int64_t now_ms);
/* Does what is due. */
void dv_reflector_tick(dv_reflector *r, int64_t now_ms);

/* How a list or a watch was answered. */
typedef struct {
    dv_err *err;            /* taken; NULL: see status */
    int status;             /* 0: no answer */
    dv_str body;            /* borrowed; of a watch only when it was refused */
    int64_t retry_after_ms; /* 0: not asked for */
} dv_answer;
/* A page has come. */
void dv_reflector_listed(dv_reflector *r, int64_t now_ms, const dv_answer *answer);
/* The watch was accepted. */
void dv_reflector_began(dv_reflector *r, int64_t now_ms);
/* One line of it. Afterwards it may have been ended: look at the state. */
void dv_reflector_line(dv_reflector *r, int64_t now_ms, dv_str line);
/* It has ended by itself; without an error and with status 200: regularly. */
void dv_reflector_ended(dv_reflector *r, int64_t now_ms, const dv_answer *answer);
/* Its queue was full; bytes are lost. */
void dv_reflector_overflowed(dv_reflector *r, int64_t now_ms);
/* Objects that could not be read, found elsewhere. */
void dv_reflector_skipped(dv_reflector *r, uint64_t n, const char *why);

/* A write of ours returned this. Threads: any. */
void dv_reflector_observe(dv_reflector *r, const json_t *object);
