/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Patch (RFC 6902). Threads: any.
 */
#pragma once

#include "json/json.h"

/* Values that the "copy" operations of one patch may make: each of them can double a document. */
#define DV_PATCH_COPIED_MAX ((size_t)1000 * 1000)

/* Applies all operations to *doc or none of them. INVALID "BadPatch": with the operation's index
 * and path. */
DV_MUST_USE dv_err *dv_json_patch(json_t **doc, const json_t *operations);
/* Shortest set of add/remove/replace operations by structure; owned array. */
json_t *dv_json_diff(const json_t *from, const json_t *to);
