/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between two texts, line by line, and between two Kubernetes objects as people may
 * see them: without what the server keeps, with the values of Secrets masked.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

/*
 * Appends the lines that differ with CLI_DIFF_CONTEXT lines around them, each behind "  ", "- " or
 * "+ " and `indent` blanks; what is left out is an ellipsis. Nothing: they are equal. The fewest
 * changes are shown, unless there are more than CLI_DIFF_EDITS_MAX: then all that lies between the
 * first and the last.
 */
#define CLI_DIFF_CONTEXT 3
#define CLI_DIFF_EDITS_MAX 2000
void cli_diff_add(dv_buf *out, dv_str before, dv_str after, size_t indent);

/* Removes what the server writes by itself: status, managedFields, versions, uid, times. */
void cli_object_clean(json_t *object);
/*
 * Replaces the values of a Secret: "***", or "*** (before)" and "*** (after)" where they differ.
 * Either may be NULL. Other kinds are left as they are.
 */
void cli_object_mask(json_t *before, json_t *after);
