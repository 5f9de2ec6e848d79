/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `davit` itself, one file each: they need neither cluster nor network. */
#pragma once

#include "verb.h"

dv_err *cli_completion(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_lint(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_manual(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_resolve(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_semver_check(const cli_call *call, cli_exit *ret_exit);
dv_err *cli_semver_compare(const cli_call *call, cli_exit *ret_exit);
