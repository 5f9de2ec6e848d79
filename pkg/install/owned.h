/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What packages own in the cluster, as the watches tell: one informer a kind, of the objects that
 * carry the owner label, each reduced to a small record.
 *
 * Kinds for which metadata says everything are watched as metadata only; of the others the
 * status is read for readiness and then dropped. Kinds that the operator may not watch (asked by
 * an access review, so that no 403 is caused) are left to `interval`.
 *
 * Threads: any.
 */
#pragma once

#include "install/api.h"
#include "kube/readiness.h"

typedef struct {
    dv_entry entry; /* first */
    char uid[40];
    uint64_t
        revision; /* resourceVersion as a number: comparable since Kubernetes says so (KEP-5504) */
    int64_t generation; /* 0: the kind has none */
    char owner[21];
    bool deleting, adopted;
    unsigned char readiness; /* dv_readiness */
    char *why;               /* what is awaited; NULL */
    char *package;           /* "namespace/name" of the PackageManifest */
    char *package_uid;
    char *finalizers; /* of one that is being deleted: names, comma-separated; NULL */
} dv_owned_object;

typedef struct dv_owned dv_owned;
/*
 * Borrows all; clock is the cache's. changed: an object of this PackageManifest ("namespace/name")
 * came, changed or went; called on the cache's thread.
 */
dv_owned *dv_owned_new(dv_kube *kube, dv_cache *cache, const dv_clock *clock,
                       void (*changed)(void *arg, const char *package), void *arg);
void dv_owned_free(dv_owned *owned);
DV_DEFINE_AUTO(dv_owned)

typedef enum {
    DV_OWNED_UNKNOWN, /* not watched: not asked yet, not allowed, not synced, or broken */
    DV_OWNED_ABSENT,  /* watched, and there is none */
    DV_OWNED_LAGGING, /* watched, but the watch has not told of `since` yet */
    DV_OWNED_PRESENT,
} dv_owned_state;

/*
 * A watch that has been broken for longer is not believed any more: what it knows is UNKNOWN until
 * it runs again. Long enough for an API server that restarts, and for the back-off behind it.
 */
#define DV_OWNED_BROKEN_MS ((int64_t)60000)

/* Sees to it that the kind is watched, where that is allowed, and doesn't wait. */
DV_MUST_USE dv_err *dv_owned_start(dv_ctx *ctx, dv_owned *owned, const dv_resource *resource);
/*
 * Sees to it that the kind is watched and waits for its first list, DV_OWNED_WAIT_MS at most, and
 * once: whoever asks again does not wait for one that did not come. False in *ret_watched: not
 * allowed, not listed by then (its API may be down), or broken: what the watch would say is
 * UNKNOWN.
 */
#define DV_OWNED_WAIT_MS ((int64_t)10000)
DV_MUST_USE dv_err *dv_owned_watch(dv_ctx *ctx, dv_owned *owned, const dv_resource *resource,
                                   bool *ret_watched);
/*
 * What the watch says of an object. since: revision of our own last write of it (0: none), so that
 * a watch that lags behind is told from an object that went. *ret_object has one holder, only when
 * PRESENT.
 */
dv_owned_state dv_owned_get(dv_owned *owned, const dv_resource *resource, const char *ns,
                            const char *name, uint64_t since, dv_owned_object **ret_object);
void dv_owned_object_unref(dv_owned_object *object);
static inline void dv_owned_object_unrefp(dv_owned_object **at)
{
    dv_owned_object_unref(*at);
}
#define dv_auto_owned DV_CLEANUP(dv_owned_object_unrefp) dv_owned_object *
