/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing prepared objects into the cluster: class by class, each a batch of server-side applies.
 *
 * The owner is known before a write. An object that the watch shows is applied with its uid; one
 * that nobody has seen with a resourceVersion that no object can have, which the API server
 * refuses if there is one after all: "apply only if absent". Only then is it read, and judged:
 * ours (a run that was interrupted), another package's (refused, naming it), nobody's (adoption
 * policy).
 *
 * Threads: worker.
 */
#pragma once

#include "install/applied.h"
#include "kube/events.h"

typedef struct {
    dv_kube *kube;
    dv_owned *owned;
    dv_events *events;
    const dv_pm *pm;
    const char *as;  /* impersonated user; NULL: the operator itself */
    bool keep_going; /* an object that is refused does not hold up the classes behind it (drift) */
    /* Does this PackageManifest ("namespace/name" with uid) still exist? An owner that is gone owns
     * nothing. */
    bool (*package_exists)(void *arg, const char *key, const char *uid);
    void *arg;
} dv_apply_env;

/*
 * DENIED "ObjectOwned": another package has one of the objects; both are named. Before anything is
 * written.
 */
DV_MUST_USE dv_err *dv_apply_check(dv_ctx *ctx, const dv_apply_env *env, const dv_objects *objects);

/*
 * Applies what is not yet applied as it is wished, or has drifted; `applied` and the uids of
 * `inventory` are kept up with each answer, so that an interrupted run goes on where it ended.
 * *ret_written counts objects whose apply changed something.
 * CONFLICT "NamespaceGone": somebody deleted a namespace that objects go to; `applied` says so, and
 * once it is in the inventory the next call makes it.
 * WAITING "DefinitionNotReady", "ObjectTerminating", "NamespaceTerminating"; DENIED "ObjectExists"
 * (adoption refused), "ObjectOwned", "ApplyConflict", Forbidden; INVALID: the API server refused an
 * object.
 */
DV_MUST_USE dv_err *dv_apply(dv_ctx *ctx, const dv_apply_env *env, const dv_objects *objects,
                             dv_applied *applied, dv_inventory *inventory, size_t *ret_written);
