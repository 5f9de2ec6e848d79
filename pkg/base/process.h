/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes. The door to fork and exec.
 *
 * Threads: any.
 */
#pragma once

#include "base/ctx.h"

typedef struct {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* "K=V" added to (or replacing in) our environment; NULL: none */
    bool clear_env;          /* start from an empty environment */
    const char *cwd;         /* NULL: ours */
    dv_str input;            /* written to stdin, which is then closed */
    size_t output_limit;     /* bytes of stdout and of stderr, each; 0: 1 MiB */
} dv_process_spec;

typedef struct {
    int exit_code;   /* 128 + signal when killed */
    char *out, *err; /* owned, NUL-terminated */
    size_t out_n, err_n;
} dv_process_result;

/*
 * Runs a program to its end, in a process group of its own; the deadline or cancel of ctx kills the
 * group (TRANSIENT, CANCELED). What the program leaves running in the background is not waited for.
 *
 * A non-zero exit is no error here. NOT_FOUND: no such program. INVALID: too much output.
 */
DV_MUST_USE dv_err *dv_process_run(const dv_ctx *ctx, const dv_process_spec *spec,
                                   dv_process_result *ret_result);
void dv_process_result_done(dv_process_result *result);

/*
 * Starts argv with `fd` as its descriptor 3 and /dev/null as stdin and stdout; stderr is
 * shared; every other descriptor is closed (CLOEXEC). env is its whole environment (NULL: none).
 * The child dies with us (PR_SET_PDEATHSIG is the child's own business). *ret_pid must be reaped by
 * waitpid().
 */
DV_MUST_USE dv_err *dv_process_spawn_with_fd(const char *const *argv, const char *const *env,
                                             int fd, int *ret_pid);
