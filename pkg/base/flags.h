/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line flags as Kubernetes programs take them: --name=value, --name value, --bool,
 * --bool=false, "--" ends them. One table a program, from which --help is printed too.
 *
 *     static const dv_flag flags[] = {
 *         { "concurrent", DV_FLAG_INT, offsetof(options, concurrent), "N", "workers a controller"
 * },
 *     };
 *
 * Threads: main.
 */
#pragma once

#include "base/buf.h"

typedef enum {
    DV_FLAG_BOOL,     /* bool */
    DV_FLAG_INT,      /* int64_t */
    DV_FLAG_STRING,   /* const char *, borrowed from argv */
    DV_FLAG_STRINGS,  /* dv_strings: repeated, and split at commas */
    DV_FLAG_DURATION, /* int64_t milliseconds, read by dv_duration_parse() */
} dv_flag_type;

typedef struct {
    const char *name; /* without dashes */
    dv_flag_type type;
    size_t offset;     /* into the options struct */
    const char *value; /* placeholder in --help: "ADDRESS"; NULL for bools */
    const char *help;  /* one sentence; the default is printed behind it */
    char short_name;   /* 'n' for -n; 0: none */
} dv_flag;

/*
 * Fills options (whose defaults the caller has set). What is no flag goes to ret_args
 * (borrowed strings, in order), which may be NULL: then an argument is an error.
 * INVALID: an unknown flag (with the nearest name), a missing or unreadable value.
 */
DV_MUST_USE dv_err *dv_flags_parse(const dv_flag *flags, size_t n, int argc, char *const *argv,
                                   void *options, const char ***ret_args, size_t *ret_args_n);
/* Appends the flags in two columns, with the defaults that `options` holds. */
void dv_flags_help(const dv_flag *flags, size_t n, const void *options, dv_buf *out);
/* Appends " (default …)" with what `options` holds; nothing for a zero value. */
void dv_flag_add_default(const dv_flag *flag, const void *options, dv_buf *out);
