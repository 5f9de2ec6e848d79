/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/pool_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/vec.h"
#include "sandbox/sandbox.h"
#include "sandbox/worker_internal.h"

/* ---- The channel ---- */

/* What every step of a talk is bounded by. */
typedef struct {
    const dv_ctx *ctx;
    int fd;
    int64_t until_ms; /* on the real clock, whatever clock ctx has */
} channel;

static int64_t real_now_ms(void)
{
    const dv_clock *clock = dv_clock_real();

    return clock->mono_ms(clock);
}

/* True: go on. */
static bool await(const channel *c, short events, dv_talk *ret_talk)
{
    struct pollfd polled[] = {
        {.fd = c->fd, .events = events},
        {.fd = c->ctx->cancel ? dv_cancel_fd(c->ctx->cancel) : -1, .events = POLLIN},
    };
    int64_t left_ms = c->until_ms - real_now_ms();
    /* One tick more than is left: the deadline is past when poll() returns. */
    int64_t wait_ms = DV_MIN(left_ms, dv_ctx_left_ms(c->ctx)) + 1;

    if (left_ms <= 0) {
        *ret_talk = DV_TALK_TOO_LONG;
        return false;
    }
    DV_ASSERT(poll(polled, DV_LEN(polled), (int)wait_ms) >= 0 || errno == EINTR);
    dv_auto(dv_err) stop = dv_ctx_check(c->ctx);
    if (stop)
        *ret_talk = DV_TALK_STOPPED;
    return !stop;
}

/* Moves n bytes in one direction. */
static dv_talk move(const channel *c, bool out, char *at, size_t n)
{
    dv_talk talk;

    while (n) {
        ssize_t moved = out ? send(c->fd, at, n, MSG_NOSIGNAL) : recv(c->fd, at, n, 0);
        if (moved > 0) {
            at += moved;
            n -= (size_t)moved;
        } else if (moved < 0 && errno == EAGAIN) {
            if (!await(c, out ? POLLOUT : POLLIN, &talk))
                return talk;
        } else if (moved == 0 || errno != EINTR) {
            return DV_TALK_GONE;
        }
    }
    return DV_TALK_DONE;
}

static dv_talk receive(const channel *c, void *to, size_t n)
{
    return move(c, /* out= */ false, to, n);
}

static dv_talk send_all(const channel *c, dv_str bytes)
{
    return move(c, /* out= */ true, (char *)(uintptr_t)bytes.p, bytes.n);
}

static dv_talk send_request(const channel *c, dv_str text, const dv_str *blobs, size_t n_blobs)
{
    dv_talk talk = send_all(c, text);

    for (size_t i = 0; i < n_blobs && talk == DV_TALK_DONE; i++)
        talk = send_all(c, blobs[i]);
    return talk;
}

dv_talk dv_worker_ask(const dv_ctx *ctx, const dv_worker *worker, int64_t wall_ms, dv_str text,
                      const dv_str *blobs, size_t n_blobs, char **ret_body, dv_answer *ret_answer)
{
    const channel c = {.ctx = ctx, .fd = worker->fd, .until_ms = real_now_ms() + wall_ms};
    dv_answer_head head;
    dv_talk talk = send_request(&c, text, blobs, n_blobs);

    if (talk == DV_TALK_DONE)
        talk = receive(&c, &head, sizeof(head));
    if (talk != DV_TALK_DONE)
        return talk;
    if (!dv_answer_head_valid(&head))
        return DV_TALK_NONSENSE;
    size_t bytes = dv_answer_body_bytes(&head);
    *ret_body = dv_alloc(bytes);
    talk = receive(&c, *ret_body, bytes);
    if (talk == DV_TALK_DONE)
        dv_answer_cut(&head, *ret_body, ret_answer);
    return talk;
}

/* ---- The process ---- */

static dv_err *unavailable(const char *what)
{
    return dv_err_new(DV_TRANSIENT, "SandboxUnavailable", "sandbox worker: %s", what);
}

/* What the loader and the sanitizers of a test build read; nothing else of our environment goes in.
 */
static void keep_environment(dv_strings *env)
{
    static const char *const kept[] = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
                                       "TSAN_OPTIONS"};

    for (size_t i = 0; i < DV_LEN(kept); i++) {
        const char *value = getenv(kept[i]);
        if (value)
            dv_strings_take(env, dv_asprintf("%s=%s", kept[i], value));
    }
    *dv_vec_push(env) = NULL;
}

static dv_err *spawn(int64_t idle_ms, int their_fd, int *ret_pid)
{
    DV_CLEANUP(dv_strings_done) dv_strings env = {0};
    char idle[24];
    const char *const argv[] = {"/proc/self/exe", DV_SANDBOX_ARG, idle, NULL};

    snprintf(idle, sizeof(idle), "%lld", (long long)idle_ms);
    keep_environment(&env);
    dv_err *err = dv_process_spawn_with_fd(argv, (const char *const *)env.at, their_fd, ret_pid);
    return dv_err_recast(err, DV_TRANSIENT, "SandboxUnavailable");
}

static dv_err *hear_hello(const dv_ctx *ctx, dv_worker *worker)
{
    const channel c = {
        .ctx = ctx, .fd = worker->fd, .until_ms = real_now_ms() + DV_SANDBOX_START_MAX_MS};
    uint32_t hello = 0;
    dv_talk talk = receive(&c, &hello, sizeof(hello));

    if (talk == DV_TALK_DONE && hello == DV_FRAME_MAGIC)
        return NULL;
    int status = dv_worker_bury(worker);
    if (talk == DV_TALK_STOPPED)
        return dv_ctx_check(ctx);
    if (talk == DV_TALK_TOO_LONG)
        return unavailable("it does not start in time");
    if (WIFEXITED(status) && WEXITSTATUS(status) == DV_SANDBOX_EXIT_UNCAGED)
        return unavailable("the system refuses to lock its cage");
    return unavailable("it ends before it is ready");
}

dv_err *dv_worker_start(const dv_ctx *ctx, int64_t idle_ms, dv_worker *ret_worker)
{
    dv_worker worker = {0};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return unavailable(strerrordesc_np(errno));
    DV_ASSERT(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    worker.fd = ends[0];
    dv_err *err = spawn(idle_ms, ends[1], &worker.pid);
    close(ends[1]);
    if (err) {
        close(worker.fd);
        return err;
    }
    DV_CHECK(hear_hello(ctx, &worker));
    *ret_worker = worker;
    return NULL;
}

static void forget(dv_worker *worker)
{
    close(worker->fd);
    *worker = (dv_worker){0};
}

int dv_worker_bury(dv_worker *worker)
{
    int status = 0;

    /*
     * The closed channel ends one that is about to leave by itself with its own status. One that
     * has ended already keeps its status, too: a signal changes nothing about a zombie.
     */
    kill(worker->pid, SIGKILL);
    while (waitpid(worker->pid, &status, 0) < 0)
        DV_ASSERT(errno == EINTR);
    forget(worker);
    return status;
}

bool dv_worker_reap(dv_worker *worker)
{
    if (waitpid(worker->pid, NULL, WNOHANG) != worker->pid)
        return false;
    forget(worker);
    return true;
}

void dv_worker_rearm(const dv_worker *worker, int64_t cpu_s)
{
    struct timespec used = {0};
    clockid_t clock;

    if (clock_getcpuclockid(worker->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return; /* it has just left; the talk will tell */
    const struct rlimit cpu = {(rlim_t)(used.tv_sec + cpu_s), RLIM_INFINITY};
    prlimit(worker->pid, RLIMIT_CPU, &cpu, NULL);
}
