/* SPDX-License-Identifier: Apache-2.0 */
/* What the caged workers of this program can do. Threads: any. */
#pragma once

#include "repo/repo.h"
#include "sandbox/sandbox.h"

extern const dv_sandbox_op cage_ops[];
extern const size_t cage_n_ops;

/* A dv_repo_decoder's function; arg is the dv_sandbox. */
dv_err *cage_decode(void *arg, dv_ctx *ctx, const char *what, dv_str bytes, json_t **ret_json);
