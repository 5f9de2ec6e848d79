/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what Go's encoders read, with its error texts.
 *
 * Threads: owner of the run.
 */
#pragma once

#include "gotemplate/gotemplate.h"

/* Appends the decoded bytes. -1, or the offset of what is wrong. */
ptrdiff_t dv_base64_read(dv_str text, dv_buf *out);
/* What Helm's from… functions give: value if it fits, nil for null, else what is wrong: under
 * "Error", or as the only element. value may be NONE where fault is not "". */
dv_val dv_fit_dict(dv_run *run, dv_val value, const char *what, dv_str fault);
dv_val dv_fit_list(dv_run *run, dv_val value, const char *what, dv_str fault);
