/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that are left to others. An object is made with all its fields; later, when another
 * manager has set one of these, ours is given up instead of taken back:
 *
 *   - those of spec.ignoreFields;
 *   - /spec/replicas of what an autoscaler of the package scales, and where the other is an
 *     autoscaler (the "scale" subresource, by kube-controller-manager);
 *   - caBundle of webhooks, CRDs and APIServices.
 *
 * Whom a field belongs to is what the API server says, cause by cause, when an apply without force
 * is refused. It is asked so at each apply: what was given up is wished again once the other has
 * let go of it.
 *
 * Threads: any.
 */
#pragma once

#include "install/api.h"

typedef struct {
    const dv_objref *ref;
    const dv_pm_spec *spec;
    bool autoscaled; /* dv_is_autoscaled() by an object of the package */
} dv_yielding;
/*
 * Removes from rest, a copy of wish from which fields may be missing, those that causes
 * (dv_kube_result) name and that yield; true when there was one. Numbers in the pointers of
 * ignoreFields are places in the lists of wish.
 */
bool dv_conflict_yield(const dv_yielding *by, const json_t *wish, json_t *rest,
                       const json_t *causes);
/* Whose fields the causes are about: `"a", "b"`; owned, NULL: nobody is named. */
char *dv_conflict_managers(const json_t *causes);
/* Is `hpa` a HorizontalPodAutoscaler of this object? */
bool dv_is_autoscaled(const dv_objref *ref, const json_t *hpa);
