/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The comparisons among the language's functions.
 *
 * Threads: owner of the run.
 */
#pragma once

#include "gotemplate/gotemplate.h"

dv_function_fn dv_builtin_eq, dv_builtin_ne, dv_builtin_lt, dv_builtin_le, dv_builtin_gt,
    dv_builtin_ge;
