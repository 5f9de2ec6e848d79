/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was last applied for a package: each object with what the API server answered. Drift,
 * restarts and corrections are judged and made from this, not from the repository.
 *
 * It is kept in memory, and with the objects themselves, compressed, in Secrets of the operator's
 * namespace named davit-<owner> (further parts davit-<owner>-1, …), written by server-side apply.
 *
 * Threads: worker; one package's is used by the worker that holds its key.
 */
#pragma once

#include "install/owned.h"
#include "install/prepare.h"

#define DV_CORRECTIONS_MAX 3
#define DV_RIVAL_WINDOW_MS ((int64_t)60 * 1000)
#define DV_RIVAL_REST_MS ((int64_t)5 * 60 * 1000)

typedef struct {
    const dv_resource *resource;
    dv_objref ref;                  /* with uid */
    uint64_t revision;              /* that our last apply returned */
    int64_t generation;             /* likewise; 0: the kind has none */
    char digest[DV_SHA256_HEX + 1]; /* dv_object.digest of what was sent */
    bool adopted;                   /* was there before us: orphaned, not deleted */
    bool foreign;                   /* a namespace that exists without us: used as it is */
    /* Not stored: */
    int64_t corrected_ms[DV_CORRECTIONS_MAX]; /* when drift was last set back (monotonic), newest
                                                 first */
    int64_t rest_until_ms;                    /* a rival manager was met: left alone until then */
    bool resting;                             /* it is before that time */
    char *rival; /* whose fields the last apply took: `"a", "b"`; owned, NULL: nobody's */
} dv_applied_item;

/*
 * Notes a correction of the object; true when it was one too many within DV_RIVAL_WINDOW_MS:
 * somebody else wants it otherwise, and it rests for DV_RIVAL_REST_MS.
 */
bool dv_applied_corrected(dv_applied_item *item, int64_t now_ms);

typedef struct {
    char
        inputs[DV_SHA256_HEX + 1]; /* digest of all that decided what is applied; "": nothing yet */
    bool complete;                 /* all objects of these inputs were applied, and saved */
    size_t parts;                  /* Secrets that hold what was stored last; 0: not known */
    DV_VEC(dv_applied_item) items;
} dv_applied;

void dv_applied_done(dv_applied *applied);
dv_applied_item *dv_applied_find(dv_applied *applied, const dv_objref *ref); /* NULL */
/* The item of an object, made when missing. */
dv_applied_item *dv_applied_add(dv_applied *applied, const dv_object *object);
/* Drops items that are not among the objects. */
void dv_applied_keep(dv_applied *applied, const dv_objects *objects);

typedef enum {
    DV_DRIFT_NONE,    /* as we left it, or the watch has not caught up */
    DV_DRIFT_SUSPECT, /* its generation (or, where it has none, its resourceVersion) moved */
    DV_DRIFT_GONE,
    DV_DRIFT_UNKNOWN, /* not watched */
} dv_drift;
/* Compares what the watch says with what we applied. */
dv_drift dv_applied_drift(dv_owned *owned, const dv_applied_item *item);

#define DV_STORED_PART_MAX                                                                         \
    ((size_t)900 * 1000) /* bytes of one Secret; the API server takes 1 MiB */
#define DV_STORED_PARTS_MAX 16
#define DV_STORED_BYTES_MAX ((size_t)128 * 1024 * 1024) /* expanded */

/* Writes both. INVALID "TooLarge": more than DV_STORED_PARTS_MAX parts. */
DV_MUST_USE dv_err *dv_stored_save(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner,
                                   dv_applied *applied, const dv_objects *objects);
/* NOT_FOUND: nothing is stored. ret_objects may be NULL. */
DV_MUST_USE dv_err *dv_stored_load(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner,
                                   dv_applied *ret_applied, dv_objects *ret_objects);
/* Removes it; nothing there is fine. */
DV_MUST_USE dv_err *dv_stored_drop(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner);
