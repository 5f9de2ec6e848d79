/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What davit's exit status means, for all verbs. Scripts and CI stand on it: codes are only added.
 */
#pragma once

#include "base/err.h"

typedef enum {
    CLI_OK = 0,
    CLI_NO = 1,        /* the answer is no: nothing fits, not found, findings */
    CLI_USAGE = 2,     /* the command line, or a file that it names, can't be read as what it is */
    CLI_FAILED = 3,    /* the cluster, a repository or a file did not answer */
    CLI_FORBIDDEN = 4, /* the cluster refused */
    CLI_CHANGES = 5,   /* with --exit-code: something would change */
} cli_exit;

#define CLI_EXIT(code) (1U << (code))

/* The reason of errors that are the command line's fault: CLI_USAGE. */
#define CLI_BAD_USAGE "BadUsage"

/* Static: one line for --help and the manual. NULL: no such code. */
const char *cli_exit_text(cli_exit code);
/* CLI_OK for NULL. */
cli_exit cli_exit_of(const dv_err *err);
