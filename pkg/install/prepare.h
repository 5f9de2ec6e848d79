/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the objects of a manifest to those that are sent: kinds looked up, namespaces filled in,
 * owner label and package annotation set, the server's own fields removed, in the order of
 * application.
 *
 * Threads: worker.
 */
#pragma once

#include "install/api.h"
#include "install/order.h"

typedef struct {
    json_t *object; /* owned */
    dv_objref ref;  /* owned; uid unknown */
    const dv_resource *resource;
    dv_order order;
    bool implied;                   /* a Namespace that nobody wrote, but objects need */
    bool defined_here;              /* its kind comes with a CRD among the objects */
    char digest[DV_SHA256_HEX + 1]; /* of the object's sorted JSON */
} dv_object;

typedef struct {
    DV_VEC(dv_object) all; /* by order, then as written */
} dv_objects;
void dv_objects_done(dv_objects *objects);

typedef struct {
    const dv_pm *pm;
    const char *default_namespace; /* of the package; NULL */
} dv_prepare_options;

/*
 * Takes items (an array of objects, each {"object", "defaultNamespace"?} as rendered). INVALID
 * "UnknownKind": a kind that neither the cluster nor a CRD among the objects has;
 * "DuplicateObject": two became one once namespaces were filled in.
 */
DV_MUST_USE dv_err *dv_prepare(dv_ctx *ctx, dv_kube *kube, json_t *items,
                               const dv_prepare_options *options, dv_objects *ret_objects);
/* From the form they are stored in (dv_stored): already prepared. Takes items (an array of
 * objects). */
DV_MUST_USE dv_err *dv_prepare_stored(dv_ctx *ctx, dv_kube *kube, json_t *items,
                                      dv_objects *ret_objects);
