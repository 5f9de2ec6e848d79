/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that Helm gives templates: sprig's without "env" and "expandenv", and its own.
 *
 * Threads: any.
 */
#pragma once

#include "gotemplate/gotemplate.h"

/* For dv_gotemplate_new(); static. */
const dv_function_table *const *dv_helm_functions(void);

/*
 * What "fail" and "required" put around their message, by which Helm finds it in the error of the
 * outermost template.
 */
#define DV_HELM_WARN_START "HELM_ERR_START"
#define DV_HELM_WARN_END "HELM_ERR_END"
/*
 * Appends the error of a parse or a run as Helm prints it: "parse error at (FILE:LINE): MESSAGE",
 * "execution error at (FILE:LINE:COLUMN): MESSAGE" for what "fail" and "required" say, else as it
 * is. message: its whole text, as dv_run_options gives it; empty: the error's own.
 */
void dv_helm_error_add(dv_buf *out, const dv_err *err, dv_str message);
