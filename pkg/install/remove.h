/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking objects out of the cluster: what left a manifest (prune) and whole packages (uninstall),
 * in reverse order of application, class by class, each awaited before the next begins.
 *
 * It runs from the inventory alone. Deletes carry the uid, so an object that somebody made anew
 * stays. What was adopted, and what is no longer ours, is left. Data is never lost by accident: see
 * dv_remove_check().
 *
 * Threads: worker.
 */
#pragma once

#include "install/owned.h"

typedef struct {
    dv_kube *kube;
    dv_owned *owned;
    const dv_pm *pm;
    const char *as;       /* impersonated user; NULL: the operator itself */
    bool allow_data_loss; /* the annotation was set */
    bool orphan_denied;   /* what may not be deleted is left and listed */
    bool overdue;         /* past its time limit: so is what a finalizer still holds */
    bool unanswered;      /* and what the API server has long been unable to answer for */
} dv_remove_env;

typedef struct {
    dv_strings orphaned; /* "Kind ns/name (why)" of what was left in the cluster */
    size_t deleted;      /* that were told to go, or are gone */
} dv_remove_result;
void dv_remove_result_done(dv_remove_result *result);

/*
 * Finds the uids of items that have none (their run ended before its answer was written), and takes
 * out those that are not ours after all. First.
 */
DV_MUST_USE dv_err *dv_remove_identify(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items);

/*
 * DENIED "DataWouldBeLost": a CustomResourceDefinition with custom resources outside the inventory,
 * a namespace with foreign objects, or a PersistentVolumeClaim is among the items; all are listed.
 * Nothing was deleted then.
 */
DV_MUST_USE dv_err *dv_remove_check(dv_ctx *ctx, const dv_remove_env *env,
                                    const dv_inventory *items);

/*
 * Takes out what holds the data of others (definitions, namespaces, claims) and lists it as left:
 * for a deletion that must end although nobody can answer for that data.
 */
void dv_remove_leave_data(dv_inventory *items, dv_remove_result *result);

/*
 * Deletes one step further; items that are gone (or are left) are taken out of `items`. NULL: all
 * are. WAITING "AwaitingDeletion": names what is awaited and the finalizers that block it. DENIED:
 * forbidden.
 */
DV_MUST_USE dv_err *dv_remove(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items,
                              dv_remove_result *result);
/*
 * Leaves all items in the cluster without our label and annotations (deletionPolicy: Orphan).
 */
DV_MUST_USE dv_err *dv_orphan(dv_ctx *ctx, const dv_remove_env *env, dv_inventory *items,
                              dv_remove_result *result);
