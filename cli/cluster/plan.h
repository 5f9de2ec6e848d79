/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What applying PackageManifests would do to a cluster, found out by the operator's engine without
 * writing anything.
 *
 *     files ──► wish: dry run of the PackageManifest ──► informer's store, as if it were applied
 *                                                          │
 *           ┌──────────── lock, decide about dependencies ◄┘
 *           │   each dependency that would be made or moved goes to the store too, and is planned
 *           ▼
 *     objects: rendered, prepared, compared with what a dry-run apply would leave
 *           ▼
 *     what nobody needs any more is removed; all of it is printed
 *
 * The store is this process' own: nobody else sees what is put there.
 *
 * Threads: main.
 */
#pragma once

#include "cluster.h"
#include "install/dependency.h"
#include "install/prepare.h"

typedef enum {
    PLAN_SAME,
    PLAN_ADD,
    PLAN_CHANGE,
    PLAN_REMOVE,
    PLAN_LEAVE,   /* is no longer part of the package, and stays in the cluster */
    PLAN_REFUSE,  /* stands in the way: the run would end there */
    PLAN_UNKNOWN, /* could not be compared */
    PLAN_ACTIONS,
} plan_action;
/* "add"; static. */
const char *plan_action_name(plan_action action);

typedef struct {
    dv_objref ref;
    plan_action action;
    json_t *before, *after; /* cleaned and masked, owned; NULL: not there, or not read */
    char *note;             /* a sentence; NULL: none */
} plan_object;

typedef struct {
    char *key;     /* "namespace/name" of the PackageManifest */
    char *package; /* its name for people */
    char *from;    /* installed version; NULL: none */
    bool asked;    /* one of the files wishes it */
    bool dependency, removed;
    dv_lock_result lock; /* lock.version NULL: nothing was chosen */
    dv_err *held;        /* why nothing, or not all, would be done; NULL */
    dv_strings warnings; /* sentences */
    DV_VEC(plan_object) objects;
} plan_package;

typedef struct {
    cli_session *session;
    DV_VEC(plan_package) packages; /* in the order they were planned */
    dv_strings todo;               /* keys that are to be planned, in this order */
    size_t at;                     /* the one of todo that is planned now */
    dv_map *documents;             /* key -> json_t: PackageManifests as the store has them */
    uint64_t revision;             /* of what was put into the store last */
} plan;
void plan_done(plan *p);
/* NULL: not planned. */
plan_package *plan_find(plan *p, const char *key);
plan_package *plan_find_package(plan *p, const char *package);
size_t plan_count(const plan *p, plan_action action);
void plan_package_done(plan_package *package);
/* Adds a key to todo, unless it still waits there. */
void plan_later(plan *p, const char *key);

/* ---- plan_wish.c ---- */
/* A PackageManifest as a file has it: goes to the store as the cluster would take it, and to
 * `todo`. INVALID, DENIED, …: the cluster would refuse it. */
DV_MUST_USE dv_err *plan_wish(plan *p, const json_t *wish);
/* Puts a PackageManifest, which is borrowed, into the store with this status (NULL: its own). */
DV_MUST_USE dv_err *plan_store(plan *p, const json_t *object, const dv_pm_status *status);

/* ---- plan_package.c ---- */
/* Plans what is to be done, and what that leads to. */
DV_MUST_USE dv_err *plan_run(plan *p);

/* ---- plan_objects.c ---- */
/* Compares; fills package->objects. objects are changed by it. */
DV_MUST_USE dv_err *plan_compare(plan *p, const dv_pm *pm, dv_objects *objects,
                                 plan_package *package);
/* What the inventory has and `objects` (NULL: nothing) lacks would be removed. */
DV_MUST_USE dv_err *plan_leaving(plan *p, const dv_pm *pm, const dv_objects *objects,
                                 plan_package *package);

/* ---- plan_print.c ---- */
/* For people; wide: what is added is shown whole. */
void plan_print(plan *p, bool wide, dv_buf *out);
json_t *plan_structure(plan *p); /* owned */
