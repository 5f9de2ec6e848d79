/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes of manifests to a list of Kubernetes objects: documents and List kinds taken
 * apart, each checked for apiVersion, kind and a valid name, duplicates refused. What only a
 * server sets (resourceVersion, uid, managedFields and the like) is dropped, so that a manifest
 * that was exported from a cluster applies too. Pure; runs in a caged worker.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

#define DV_OBJECTS_MAX 5000
/* Lists within lists. */
#define DV_OBJECTS_LIST_DEPTH_MAX 8

/*
 * Appends the objects of one manifest to `objects` (an array). `name` names the manifest in errors
 * ("manifest.yaml", without query). INVALID "InvalidManifest": "manifest.yaml: line 3: …",
 * "manifest.yaml: document 2: kind is missing"; documents are counted from 1, empty ones not. After
 * an error `objects` may hold a part of them.
 */
DV_MUST_USE dv_err *dv_objects_read(dv_str bytes, const char *name, json_t *objects);
/*
 * INVALID "DuplicateObject": two of the objects are one (group, kind, namespace, name). An object
 * without a namespace counts as one in no namespace: ask again when defaults were filled in.
 */
DV_MUST_USE dv_err *dv_objects_check_unique(const json_t *objects);
