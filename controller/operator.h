/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator's controllers share: the cluster, the repositories, the cage, the caches.
 *
 * Made in main(), before any thread; then read only, but for what guards itself.
 */
#pragma once

#include "install/api.h"
#include "install/apply.h"
#include "install/lock.h"
#include "repo/repo.h"
#include "runtime/manager.h"
#include "sandbox/sandbox.h"
#include "state.h"

/* The command line; texts are borrowed from it. */
typedef struct {
    const char *kubeconfig, *context, *in_cluster_dir;
    bool leader_elect;
    const char *lease_name;
    const char *metrics_address, *health_address;
    int64_t concurrent;
    const char *watch_namespace; /* "": all */
    const char *namespace;       /* the operator's own */
    const char *default_service_account;
    dv_strings privileged_namespaces; /* none: the operator's own */
    dv_strings allow_cidr, allow_file_root;
    const char *cache_dir;
    int64_t grace_ms;
    const char *log_level, *log_format;
    bool version, help;
} op_options;

typedef struct {
    op_options options;
    dv_kube *kube;
    dv_events *events;
    dv_fetcher *fetcher;
    dv_repos *repos;
    dv_sandbox *sandbox;
    dv_owned *owned;
    dv_manager *manager;
    states *states;
    dv_informer *pms, *pkgrepos, *namespaces;
    dv_controller *pm_controller, *pkgrepo_controller;
    dv_metric *repo_syncs, *repo_sync_time, *repo_sync_seconds;
} operator_t;

/* ---- packagemanifest.c ---- */
dv_result pm_reconcile(void *arg, dv_ctx *ctx, const char *key);
/* Informer's callbacks; arg is the operator. */
dv_entry *pm_reduce(void *arg, const json_t *object);
void pm_changed(void *arg, const char *key, const dv_entry *old, const dv_entry *now);
/* An object of this package came, changed or went. */
void pm_object_changed(void *arg, const char *package);

/* ---- packagerepository.c ---- */
dv_result pkgrepo_reconcile(void *arg, dv_ctx *ctx, const char *key);
dv_entry *pkgrepo_reduce(void *arg, const json_t *object);
void pkgrepo_changed(void *arg, const char *key, const dv_entry *old, const dv_entry *now);
/* Secrets of the operator's namespace, as metadata: those that repositories name. */
dv_entry *secret_reduce(void *arg, const json_t *object);
void secret_changed(void *arg, const char *key, const dv_entry *old, const dv_entry *now);

/* ---- namespaces.c: labels for selectors, and which are being deleted ---- */
dv_entry *namespace_reduce(void *arg, const json_t *object);
void namespace_changed(void *arg, const char *key, const dv_entry *old, const dv_entry *now);
bool namespace_is_terminating(operator_t *op, const char *name);
/* Does the namespace carry labels that the metav1.LabelSelector accepts? One that is unknown does
 * not. */
bool namespace_matches(operator_t *op, const char *name, const json_t *selector);

/*
 * Is it Stalled: can only a person, or a change, mend it? refusal_lasts: as
 * dv_controller_refusal_lasts() says of the run.
 */
bool needs_somebody(const dv_err *err, bool refusal_lasts);

/* Resources of our own kinds. */
const dv_resource *resource_pm(dv_kube *kube);
const dv_resource *resource_pkgrepo(dv_kube *kube);

/*
 * Server-side apply of a status, as DV_MANAGER_STATUS. Takes status. *resource_version (owned) is
 * that of the object which the status was made from, and becomes that of the answer, which is put
 * into the informer's store. CONFLICT: the object has changed since (or the cache lags): what was
 * seen is no base for a status.
 */
DV_MUST_USE dv_err *patch_status(dv_ctx *ctx, operator_t *op, dv_informer *informer,
                                 const dv_resource *resource, const dv_objref *object,
                                 char **resource_version, json_t *status);
