/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of davit-controller. Threads: main. */
#pragma once

#include "operator.h"

/* Defaults, then the command line. INVALID: an unknown flag or an unreadable value. */
DV_MUST_USE dv_err *options_parse(int argc, char **argv, op_options *ret_options);
void options_done(op_options *opts);
/* What --help prints. */
void options_help(dv_buf *out);
