/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"

extern char **environ;

enum {
    DEFAULT_OUTPUT_BYTES = 1024 * 1024,
    CHUNK_BYTES = 16 * 1024,
    CHANNEL_FD = 3,
    LOOK_EVERY_MS = 20,
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
#define auto_fd DV_CLEANUP(close_fd) int

static dv_err *failed(const char *program, const char *doing, int error)
{
    bool absent = error == ENOENT || error == ENOTDIR || error == EACCES;

    return dv_err_new(absent ? DV_NOT_FOUND : DV_TRANSIENT,
                      absent ? "ProgramNotFound" : "ProcessFailed", "%s: %s: %s", program, doing,
                      strerrordesc_np(error));
}

/* ---- Environment ---- */

/* Borrowed texts, NULL at the end. */
typedef DV_VEC(char *) environment;

static size_t name_length(const char *pair)
{
    return strcspn(pair, "=");
}

static void env_put(environment *env, char *pair)
{
    size_t n = name_length(pair);

    for (size_t i = 0; i < env->n; i++) {
        if (name_length(env->at[i]) == n && strncmp(env->at[i], pair, n) == 0) {
            env->at[i] = pair;
            return;
        }
    }
    *dv_vec_push(env) = pair;
}

static environment env_make(bool clear, const char *const *added)
{
    environment env = {0};

    for (char **at = environ; !clear && at && *at; at++)
        *dv_vec_push(&env) = *at;
    for (size_t i = 0; added && added[i]; i++)
        env_put(&env, (char *)(uintptr_t)added[i]);
    *dv_vec_push(&env) = NULL;
    return env;
}

/* ---- Starting ---- */

/*
 * Our threads block signals and ignore some; a child begins with none of that. Its own process
 * group lets us end it together with what it started.
 */
static void set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(attr);
    DV_ASSERT(posix_spawnattr_setsigmask(attr, &none) == 0);
    DV_ASSERT(posix_spawnattr_setsigdefault(attr, &all) == 0);
    DV_ASSERT(posix_spawnattr_setpgroup(attr, 0) == 0);
    DV_ASSERT(posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                 POSIX_SPAWN_SETPGROUP) == 0);
}

static dv_err *spawn(const char *const *argv, const environment *env,
                     const posix_spawn_file_actions_t *actions, pid_t *ret_pid)
{
    posix_spawnattr_t attr;

    set_attributes(&attr);
    int error =
        posix_spawnp(ret_pid, argv[0], actions, &attr, (char *const *)(uintptr_t)argv, env->at);
    posix_spawnattr_destroy(&attr);
    return error ? failed(argv[0], "start", error) : NULL;
}

dv_err *dv_process_spawn_with_fd(const char *const *argv, const char *const *env, int fd,
                                 int *ret_pid)
{
    environment full = env_make(/* clear= */ true, env);
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    /* First of all, so that a channel at 0 or 1 is moved before those are replaced. */
    DV_ASSERT(posix_spawn_file_actions_adddup2(&actions, fd, CHANNEL_FD) == 0);
    DV_ASSERT(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0);
    DV_ASSERT(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0);
    DV_ASSERT(posix_spawn_file_actions_addclosefrom_np(&actions, CHANNEL_FD + 1) == 0);
    dv_err *err = spawn(argv, &full, &actions, ret_pid);
    posix_spawn_file_actions_destroy(&actions);
    dv_vec_done(&full);
    return err;
}

/* ---- Running to the end ---- */

/* A running child and what we read of it. */
typedef struct {
    const char *name;
    pid_t pid;
    int pidfd; /* readable at its end; -1 where the kernel has none: then we look now and then */
    int fd[2]; /* stdout, stderr; -1 once at their end */
    dv_buf text[2];
} child;

/* The input as a file: nothing to pump, no SIGPIPE when the child doesn't read it. */
static int input_fd(dv_str input)
{
    if (!input.n)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    auto_fd fd = memfd_create("stdin", MFD_CLOEXEC);
    while (fd >= 0 && input.n) {
        ssize_t put = write(fd, input.p, input.n);

        if (put < 0 && errno != EINTR)
            return -1;
        input = dv_str_skip(input, put > 0 ? (size_t)put : 0);
    }
    if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -1;
    int taken = fd;
    fd = -1;
    return taken;
}

static dv_err *start_child(const dv_process_spec *spec, const int ends[3], pid_t *ret_pid)
{
    environment env = env_make(spec->clear_env, spec->env);
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++)
        DV_ASSERT(posix_spawn_file_actions_adddup2(&actions, ends[i], i) == 0);
    DV_ASSERT(posix_spawn_file_actions_addclosefrom_np(&actions, 3) == 0);
    if (spec->cwd)
        DV_ASSERT(posix_spawn_file_actions_addchdir_np(&actions, spec->cwd) == 0);
    dv_err *err = spawn(spec->argv, &env, &actions, ret_pid);
    posix_spawn_file_actions_destroy(&actions);
    dv_vec_done(&env);
    return err;
}

/* Moves a descriptor out of the way of 0, 1 and 2, which it is about to be copied to. */
static bool raise_fd(int *fd)
{
    if (*fd < 0 || *fd > 2)
        return *fd >= 0;
    int raised = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    close(*fd);
    *fd = raised;
    return raised >= 0;
}

/* Makes the pipes, keeps our ends in c->fd and starts the program with the others. */
static dv_err *start_with_pipes(const dv_process_spec *spec, child *c)
{
    auto_fd in = input_fd(spec->input);
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    bool piped = pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0;
    auto_fd out_end = out[1];
    auto_fd err_end = err[1];

    c->fd[0] = out[0];
    c->fd[1] = err[0];
    if (!piped || !raise_fd(&in) || !raise_fd(&out_end) || !raise_fd(&err_end))
        return failed(c->name, "start", errno);
    for (int i = 0; i < 2; i++)
        DV_ASSERT(fcntl(c->fd[i], F_SETFL, O_NONBLOCK) == 0);
    DV_CHECK(start_child(spec, (const int[]){in, out_end, err_end}, &c->pid));
    c->pidfd = pidfd_open(c->pid, 0);
    return NULL;
}

/* Reads what is there of one stream; INVALID: more than its limit. */
static dv_err *drain(child *c, int which)
{
    char chunk[CHUNK_BYTES];
    ssize_t got;

    while (c->fd[which] >= 0 && (got = read(c->fd[which], chunk, sizeof(chunk))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return NULL;
        if (got < 0)
            return failed(c->name, "read output", errno);
        dv_buf_add(&c->text[which], chunk, (size_t)got);
        if (c->text[which].overflow)
            return dv_err_new(DV_INVALID, "TooMuchOutput", "%s: more than %zu bytes of output",
                              c->name, c->text[which].limit);
    }
    close_fd(&c->fd[which]);
    return NULL;
}

/* It stays a zombie, so its id stays its own. */
static bool has_ended(const child *c)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

/* How long poll() may wait: one tick more than is left, so that the deadline is past behind it. */
static int patience(const dv_ctx *ctx, const child *c)
{
    int64_t left = dv_ctx_left_ms(ctx);
    int64_t most = c->pidfd < 0 ? LOOK_EVERY_MS : left == INT64_MAX ? -1 : INT32_MAX;

    return (int)(left < most ? left + 1 : most);
}

/* Reads until the child has ended; a grandchild that keeps a pipe open does not hold us. */
static dv_err *pump(const dv_ctx *ctx, child *c)
{
    for (bool ended = false; !ended;) {
        struct pollfd polled[] = {
            {.fd = c->pidfd, .events = POLLIN},
            {.fd = ctx->cancel ? dv_cancel_fd(ctx->cancel) : -1, .events = POLLIN},
            {.fd = c->fd[0], .events = POLLIN},
            {.fd = c->fd[1], .events = POLLIN},
        };

        if (poll(polled, DV_LEN(polled), patience(ctx, c)) < 0 && errno != EINTR)
            return failed(c->name, "wait", errno);
        DV_TRY(dv_ctx_check(ctx), "%s", c->name);
        ended = has_ended(c); /* before the last reading, which then misses nothing */
        for (int i = 0; i < 2; i++)
            DV_CHECK(drain(c, i));
    }
    return NULL;
}

static int reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        DV_ASSERT(errno == EINTR);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void child_done(child *c)
{
    close_fd(&c->pidfd);
    for (int i = 0; i < 2; i++) {
        close_fd(&c->fd[i]);
        dv_buf_done(&c->text[i]);
    }
}

dv_err *dv_process_run(const dv_ctx *ctx, const dv_process_spec *spec,
                       dv_process_result *ret_result)
{
    size_t limit = spec->output_limit ? spec->output_limit : DEFAULT_OUTPUT_BYTES;
    DV_CLEANUP(child_done) child c = {.name = spec->argv[0], .pidfd = -1, .fd = {-1, -1}};

    dv_buf_init(&c.text[0], limit);
    dv_buf_init(&c.text[1], limit);
    DV_TRY(dv_ctx_check(ctx), "%s", c.name);
    dv_err *err = start_with_pipes(spec, &c);
    if (!err)
        err = pump(ctx, &c);
    if (c.pid && err)
        kill(-c.pid, SIGKILL);
    int exit_code = c.pid ? reap(c.pid) : 0;
    if (err)
        return err;
    *ret_result =
        (dv_process_result){.exit_code = exit_code, .out_n = c.text[0].n, .err_n = c.text[1].n};
    ret_result->out = dv_buf_take(&c.text[0]);
    ret_result->err = dv_buf_take(&c.text[1]);
    return NULL;
}

void dv_process_result_done(dv_process_result *result)
{
    free(result->out);
    free(result->err);
    *result = (dv_process_result){0};
}
