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
