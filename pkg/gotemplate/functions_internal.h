/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of functions share.
 *
 * Threads: owner of the run.
 */
#pragma once

#include "gotemplate/gotemplate.h"

/* Evaluated by the caller: they don't take all of their arguments. */
dv_function_fn dv_builtin_and, dv_builtin_or, dv_builtin_call;

extern const dv_type dv_type_time, dv_type_certificate, dv_type_version;

/* Sprig's notion of the number in a value: 0 where there is none. */
int64_t dv_cast_int(dv_val value);
double dv_cast_float(dv_val value);
/* Its text: sprig's strval(). Lives in the heap or in the value. */
dv_val dv_cast_string(dv_run *run, dv_val value);

/* How many elements a list or bytes have, and one of them as an interface. */
bool dv_is_sequence(dv_val value);
size_t dv_sequence_len(dv_val value);
dv_val dv_sequence_at(dv_val value, size_t i);
