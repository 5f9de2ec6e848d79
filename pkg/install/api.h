/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our kinds, group davit.dev/v1alpha1, as structs: what people wish (spec), what we saw (status).
 * crds/ is the source of truth; the field tables here are held against it by a test.
 *
 * A dv_pm or dv_pkgrepo is an informer's entry: immutable once in the store, shared by count. A
 * run works on a status of its own (dv_pm_status_dup()).
 *
 * Threads: any, for reading.
 */
#pragma once

#include "json/doc.h"
#include "json/fields.h"
#include "kube/object.h"
#include "runtime/informer.h"

#define DV_GROUP "davit.dev"
#define DV_VERSION_NAME "v1alpha1"
#define DV_API_VERSION DV_GROUP "/" DV_VERSION_NAME

#define DV_LABEL_OWNER "davit.dev/owner"          /* on package objects: dv_owner_of() */
#define DV_LABEL_STORED "davit.dev/stored"        /* on the Secrets behind applied.h */
#define DV_ANNOTATION_PACKAGE "davit.dev/package" /* on package objects: "namespace/name/uid" */
#define DV_ANNOTATION_ADOPTED "davit.dev/adopted" /* on those that were there before: they stay */
#define DV_ANNOTATION_REQUESTED "davit.dev/requestedAt"
#define DV_ANNOTATION_DEPENDENCY "davit.dev/installed-as-dependency"
#define DV_ANNOTATION_DATA_LOSS                                                                    \
    "davit.dev/allow-data-loss" /* "true": prune although data would be lost */
#define DV_FINALIZER "davit.dev/uninstall"

#define DV_MANAGER_OBJECTS "davit"       /* field manager of package objects */
#define DV_MANAGER_STATUS "davit-status" /* of status and finalizers of our own kinds */

#define DV_HISTORY_MAX 10

/* ---- PackageManifest ---- */

typedef enum { DV_UPGRADE_MANUAL, DV_UPGRADE_AUTOMATIC } dv_upgrade_policy;
typedef enum { DV_DRIFT_CORRECT, DV_DRIFT_REPORT, DV_DRIFT_IGNORE } dv_drift_policy;
typedef enum { DV_CONFLICT_FORCE, DV_CONFLICT_FAIL } dv_conflict_policy;
typedef enum { DV_ADOPT_REFUSE, DV_ADOPT_ADOPT } dv_adoption_policy;
typedef enum { DV_DELETION_DELETE, DV_DELETION_ORPHAN } dv_deletion_policy;

typedef struct {
    char *group, *kind, *name; /* group and name empty: any */
    dv_strings paths;          /* JSON pointers */
} dv_ignore_field;

typedef struct {
    char *package;    /* never empty once decoded by dv_pm_decode(), unless inline */
    char *version;    /* "" newest release, an exact version, or a constraint */
    char *repository; /* "" by priority */
    dv_doc *manifest; /* inline; NULL: by reference */
    dv_doc *values;   /* NULL: none */
    char *target_namespace;
    char *service_account;
    int upgrade_policy, drift_policy, conflict_policy, adoption_policy, deletion_policy;
    DV_VEC(dv_ignore_field) ignore_fields;
    int64_t interval_ms, timeout_ms;
    bool suspend;
} dv_pm_spec;

typedef struct {
    char *type, *status, *reason, *message, *last_transition_time;
    int64_t observed_generation;
} dv_condition;
typedef DV_VEC(dv_condition) dv_conditions;

typedef struct {
    char *name, *range, *version;
    dv_strings required_by;
} dv_pm_dependency;
typedef struct {
    char *url, *sha256;
} dv_artifact;
typedef DV_VEC(dv_artifact) dv_artifacts;
typedef struct {
    dv_objref ref;
    bool adopted;
} dv_inventory_item;
typedef DV_VEC(dv_inventory_item) dv_inventory;
typedef struct {
    char *version, *repository, *time, *outcome, *message;
} dv_history_item;

typedef struct {
    int64_t observed_generation;
    dv_conditions conditions;
    char *version, *attempted_version, *repository, *latest_version;
    DV_VEC(dv_pm_dependency) dependencies;
    dv_artifacts artifacts;
    dv_inventory inventory;
    DV_VEC(dv_history_item) history; /* newest first */
    char *last_handled_reconcile_at;
} dv_pm_status;

typedef struct {
    dv_entry entry; /* first */
    char *key;      /* "namespace/name" */
    char *ns, *name, *uid, *resource_version;
    char *requested_at; /* annotation; NULL */
    char *creation_timestamp;
    int64_t generation;
    int64_t deleted_at_ms; /* wall time of deletionTimestamp; 0: not being deleted */
    bool has_finalizer, is_dependency, allow_data_loss;
    char owner[21]; /* dv_owner_of() */
    dv_pm_spec spec;
    dv_pm_status status;
} dv_pm;

/* *ret_pm has one holder. INVALID: a field that the schema should have refused. */
DV_MUST_USE dv_err *dv_pm_decode(const json_t *object, dv_pm **ret_pm);
/* Takes one holder more and returns it. */
dv_pm *dv_pm_ref(dv_pm *pm);
void dv_pm_unref(dv_pm *pm); /* NULL is fine */
static inline void dv_pm_unrefp(dv_pm **at)
{
    dv_pm_unref(*at);
}
#define dv_auto_pm DV_CLEANUP(dv_pm_unrefp) dv_pm *
dv_objref dv_pm_objref(const dv_pm *pm);

/* First 20 hex digits of sha256("namespace/name"). */
void dv_owner_of(const char *key, char ret_owner[21]);

json_t *dv_pm_status_encode(const dv_pm_status *status); /* owned */
dv_pm_status dv_pm_status_dup(const dv_pm_status *status);
void dv_pm_status_done(dv_pm_status *status);

/* ---- PackageRepository ---- */

typedef enum { DV_REPO_GLASSKUBE, DV_REPO_MARKETPLACE } dv_repo_type;

typedef struct {
    char *url;
    int type;
    int64_t priority;
    dv_strings packages;
    int64_t interval_ms, timeout_ms;
    bool insecure, suspend;
    char *secret_name, *ca_secret_name; /* NULL: none */
    dv_doc *namespace_selector;         /* metav1.LabelSelector; NULL: all */
} dv_pkgrepo_spec;
typedef struct {
    int64_t observed_generation;
    dv_conditions conditions;
    int64_t packages, versions;
    char *revision;
    char *last_handled_reconcile_at;
} dv_pkgrepo_status;
typedef struct {
    dv_entry entry; /* first */
    char *name, *uid, *resource_version, *requested_at;
    int64_t generation;
    bool deleting;
    dv_pkgrepo_spec spec;
    dv_pkgrepo_status status;
} dv_pkgrepo;
DV_MUST_USE dv_err *dv_pkgrepo_decode(const json_t *object, dv_pkgrepo **ret_repo);
void dv_pkgrepo_unref(dv_pkgrepo *repo);
json_t *dv_pkgrepo_status_encode(const dv_pkgrepo_status *status);
dv_pkgrepo_status dv_pkgrepo_status_dup(const dv_pkgrepo_status *status);
void dv_pkgrepo_status_done(dv_pkgrepo_status *status);

/* ---- Conditions ---- */

/* Sets a condition; the transition time moves only when the status does. */
void dv_condition_set(dv_conditions *conditions, const char *type, const char *status,
                      const char *reason, const char *message, int64_t generation,
                      int64_t now_unix_ms);
void dv_condition_drop(dv_conditions *conditions, const char *type);
const dv_condition *dv_condition_get(const dv_conditions *conditions, const char *type); /* NULL */
bool dv_condition_is_true(const dv_conditions *conditions, const char *type);

/* ---- Lists in a status ---- */
/* Replaces *slot (an owned string) by a copy of text. */
void dv_set_str(char **slot, const char *text);
dv_inventory_item *dv_inventory_find(dv_inventory *inventory, const dv_objref *ref); /* NULL */
/* Adds a copy unless it is there; returns the item. */
dv_inventory_item *dv_inventory_add(dv_inventory *inventory, const dv_objref *ref);
dv_inventory dv_inventory_dup(const dv_inventory *inventory);
void dv_inventory_done(dv_inventory *inventory);
void dv_artifacts_done(dv_artifacts *artifacts);

/* The tables, for the test that holds them against crds/. */
extern const dv_field_row dv_pm_spec_rows[], dv_pm_status_rows[], dv_pkgrepo_spec_rows[],
    dv_pkgrepo_status_rows[];
extern const size_t dv_pm_spec_n_rows, dv_pm_status_n_rows, dv_pkgrepo_spec_n_rows,
    dv_pkgrepo_status_n_rows;
