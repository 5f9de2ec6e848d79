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
 * Whom a field belongs to is what the API server says when an apply without force is refused.
 *
 * Threads: any.
 */
#pragma once

#include "install/api.h"

/*
 * Does the message of a FieldManagerConflict name the field (or one below it) of this JSON pointer?
 * A number in the pointer stands for whichever element of a list.
 */
bool dv_conflict_names(const char *message, const char *pointer);
/* Removes the fields that yield from object; true when there was one. autoscaled:
 * dv_is_autoscaled(). */
bool dv_conflict_yield(json_t *object, const dv_objref *ref, const dv_pm_spec *spec,
                       bool autoscaled, const char *message);
/* Is `hpa` a HorizontalPodAutoscaler of this object? */
bool dv_is_autoscaled(const dv_objref *ref, const json_t *hpa);
