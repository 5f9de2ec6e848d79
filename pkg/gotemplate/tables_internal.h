/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of functions.
 *
 * Threads: any.
 */
#pragma once

#include "gotemplate/functions.h"

extern const dv_function_table dv_sprig_functions, dv_helm_own_functions;
