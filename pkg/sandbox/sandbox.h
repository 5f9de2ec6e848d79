/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cage: worker processes of the same binary that parse and render what outsiders wrote.
 *
 *     caller ──call(op, params, blobs)──► socket pair ──► worker: run the operation ──► answer
 *
 * A worker has no token, no environment, no network (seccomp: no socket, connect, open, exec,
 * fork), bounded memory (RLIMIT_AS), bounded CPU time a request, and serves one request at a time.
 * It is started on demand, ends itself after DV_SANDBOX_IDLE_MS without any, and is replaced when
 * it dies. A death is INVALID "ContentCrashedParser" for that caller and touches no other.
 *
 *     none ──start, hello──► idle ──request──► busy ──answer──► idle
 *      ▲                       │ time-out: exit 0   │ death, limit, cancel
 *      └───────────────────────┴────────────────────┘
 *
 * A request that meets a worker which just left for idleness (exit status 0, nothing read) goes to
 * a fresh one, once.
 *
 * Content may own a worker, so its answers are read with the same care as its questions: bounded,
 * parsed as JSON, decoded again. A worker that has handled content of one owner is not trusted with
 * the secrets of another: no operation is given any secret.
 *
 * A worker ends with its parent by the closed channel; one that spins at that moment, by its CPU
 * limit. (PR_SET_PDEATHSIG would end it with the *thread* that happened to start it.)
 *
 * Builds with AddressSanitizer or ThreadSanitizer need memory maps, files and signals of their
 * own: there the memory limit is off and the filter only refuses sockets, programs and processes.
 *
 * Threads: any; a call blocks until a worker is free (at most `workers` at once).
 * Locks: the sandbox's own, never held across I/O, a wait for a child, or a log call.
 */
#pragma once

#include "base/ctx.h"
#include "json/json.h"

typedef struct dv_sandbox dv_sandbox;

#define DV_SANDBOX_IDLE_MS ((int64_t)30 * 1000)
#define DV_SANDBOX_MEMORY_MAX ((size_t)512 * 1024 * 1024) /* RLIMIT_AS of a worker */
#define DV_SANDBOX_CPU_MAX_S 20                           /* of one request */
#define DV_SANDBOX_WALL_MAX_MS                                                                     \
    ((int64_t)120 * 1000) /* of one request, whoever else needs the CPU */
#define DV_SANDBOX_START_MAX_MS ((int64_t)10 * 1000) /* until a new worker says hello */
#define DV_SANDBOX_BLOBS_MAX 1024
#define DV_SANDBOX_REQUEST_MAX ((size_t)128 * 1024 * 1024) /* params and blobs together */
#define DV_SANDBOX_ANSWER_MAX ((size_t)128 * 1024 * 1024)

/*
 * One operation: reads params and blobs, gives an owned result. Runs in the worker; pure: it may
 * use memory and the clock, nothing else of the system (no OpenSSL, which reads files when it
 * starts). Its error travels back with kind, reason and message.
 */
typedef struct {
    const char *name;
    dv_err *(*run)(const json_t *params, const dv_str *blobs, size_t n_blobs, json_t **ret_result);
} dv_sandbox_op;

/*
 * In main(), before anything else: where the process was started as a worker (argv[1] is
 * DV_SANDBOX_ARG) serves requests and never returns.
 */
#define DV_SANDBOX_ARG "--sandbox-worker"
void dv_sandbox_main(int argc, char **argv, const dv_sandbox_op *ops, size_t n_ops);

/* Workers are started from /proc/self/exe. workers: at most so many (0: 2). Borrows log. */
dv_sandbox *dv_sandbox_new(size_t workers, const dv_log *log);
/* No call may run. Ends and reaps the workers. The reasons of errors that operations gave go with
 * it. */
void dv_sandbox_free(dv_sandbox *sandbox);
DV_DEFINE_AUTO(dv_sandbox)
/*
 * Runs an operation in the cage. params may be NULL. *ret_result is owned. Errors: the operation's
 * own; INVALID "ContentCrashedParser": the worker died or ran out of time or memory; INVALID
 * "TooLarge": beyond the limits above; TRANSIENT "SandboxUnavailable": no worker could be started;
 * CANCELED; TRANSIENT: the deadline of ctx.
 */
DV_MUST_USE dv_err *dv_sandbox_call(dv_ctx *ctx, dv_sandbox *sandbox, const char *op,
                                    const json_t *params, const dv_str *blobs, size_t n_blobs,
                                    json_t **ret_result);
/*
 * Reaps workers that left for idleness; never blocks. Every call does so too: this is for an owner
 * who makes none for long and wants no zombies.
 */
void dv_sandbox_tend(dv_sandbox *sandbox);
/* Pids of the workers that run now, at most n; the count. For tests. */
size_t dv_sandbox_pids(dv_sandbox *sandbox, int *ret_pids, size_t n);
/* Instead of the limits above, for calls and workers that begin from now on. For tests. */
typedef struct {
    int64_t idle_ms, wall_ms, cpu_s;
} dv_sandbox_limits;
void dv_sandbox_set_limits(dv_sandbox *sandbox, dv_sandbox_limits limits);
