/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of davit-cluster, one file each. */
#pragma once

#include "output.h"
#include "session.h"

dv_err *cli_explain(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_plan(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_search(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_tree(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_versions(const cli_call *call, cli_exit *ret_exit);

/* Prints doc as -o says, "json" or "yaml". */
DV_MUST_USE dv_err *cli_print_document(const cli_call *call, const json_t *doc);
DV_MUST_USE dv_err *cli_print_table(const cli_table *table);
