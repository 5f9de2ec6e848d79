/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field paths, as the API server names fields in the causes of a Status
 * (sigs.k8s.io/structured-merge-diff, fieldpath.Path):
 *
 *     .spec.replicas                                 a member
 *     .spec.containers[name="a"].image               an element by its keys
 *     .metadata.finalizers[="x"]   .spec.args[0]     by its value, by its index
 *
 * Names are not escaped: ".data.a.b" may be "a.b" of data, or "b" of its "a". So a path is read
 * along the object that it is about.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

/*
 * Appends the JSON pointer of the field that path names in object. False, and nothing is
 * appended: object has no such field (or ret_pointer no room for it). Keys that an element leaves
 * out fit any value: the server fills in their defaults.
 */
bool dv_kube_field_pointer(const json_t *object, const char *path, dv_buf *ret_pointer);
