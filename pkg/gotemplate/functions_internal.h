/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of functions share. Each function is dv_fn_NAME, as templates call it, and stands
 * with its signature in sprig_table.c or helm_table.c.
 *
 * Threads: owner of the run.
 */
#pragma once

#include "gotemplate/gotemplate.h"

#define DV_FN(name)                                                                                \
    dv_function_fn dv_fn_##name;                                                                   \
    dv_val dv_fn_##name(dv_run *run DV_UNUSED, const dv_val *args DV_UNUSED, size_t n DV_UNUSED)
/* The text of a string argument. */
#define DV_ARG(i) dv_val_str(args[i])

/* Evaluated by the caller: they don't take all of their arguments. */
dv_function_fn dv_builtin_and, dv_builtin_or, dv_builtin_call;

extern const dv_type dv_type_time, dv_type_certificate, dv_type_version;

/* ---- Values ---- */

/* Sprig's notion of the number in a value: 0 where there is none. */
int64_t dv_cast_int(dv_val value);
double dv_cast_float(dv_val value);
/* Its text: sprig's strval(). */
dv_val dv_cast_string(dv_run *run, dv_val value);
/* The strings in a list, without nils; of anything else its own text: sprig's strslice(). */
dv_list *dv_cast_strings(dv_run *run, dv_val value);

/* Version 0.0.0: what Go's deep copy makes of any, for it does not see into them. */
dv_val dv_zero_version(dv_run *run);

/* Lists, and bytes. */
bool dv_is_sequence(dv_val value);
size_t dv_sequence_len(dv_val value);
/* One element, as an interface. */
dv_val dv_sequence_at(dv_val value, size_t i);

/* A panic with Go's text: "runtime error: slice bounds out of range [:5] with length 3". */
dv_val dv_fail_slice(dv_run *run, int64_t from, int64_t to, size_t length);
/* Whose count is negative, or whose result is too long. False: the run has failed. */
bool dv_check_repeat(dv_run *run, int64_t count, size_t bytes);
