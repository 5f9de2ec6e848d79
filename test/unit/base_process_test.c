/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sync.h"
#include "testlib.h"

#define SHELL(script) ((const char *const[]){"sh", "-c", (script), NULL})

/* Runs a script that must end by itself. */
static dv_process_result run(const dv_process_spec *spec)
{
    dv_ctx ctx = dv_ctx_make(/* cancel= */ NULL);
    dv_process_result result = {0};

    assert_ok(dv_process_run(&ctx, spec, &result));
    return result;
}

static void output_and_exit_code_come_back(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r =
        run(&(dv_process_spec){.argv = SHELL("printf out; printf err >&2; exit 7")});

    assert_int_equal(r.exit_code, 7);
    assert_string_equal(r.out, "out");
    assert_string_equal(r.err, "err");
    assert_int_equal(r.out_n, 3);
}

static void input_is_read_to_its_end(void **state DV_UNUSED)
{
    enum { BYTES = 300 * 1000 };
    dv_auto_str input = dv_alloc(BYTES);

    memset(input, 'x', BYTES);
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r = run(&(dv_process_spec){.argv = SHELL("cat"), .input = {input, BYTES}});
    assert_int_equal(r.out_n, BYTES);
    assert_memory_equal(r.out, input, BYTES);
}

static void unread_input_is_no_error(void **state DV_UNUSED)
{
    enum { BYTES = 300 * 1000 };
    dv_auto_str input = dv_calloc(1, BYTES);
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r = run(&(dv_process_spec){.argv = SHELL("exit 0"), .input = {input, BYTES}});

    assert_int_equal(r.exit_code, 0);
}

static void no_input_is_an_empty_one(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r = run(&(dv_process_spec){.argv = SHELL("cat; echo done")});

    assert_string_equal(r.out, "done\n");
}

static void a_signal_is_an_exit_code(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r = run(&(dv_process_spec){.argv = SHELL("kill -TERM $$")});

    assert_int_equal(r.exit_code, 128 + SIGTERM);
}

static void the_environment_is_added_to_or_cleared(void **state DV_UNUSED)
{
    static const char *const env[] = {"DAVIT_TEST=new", "DAVIT_MORE=a=b", NULL};

    setenv("DAVIT_TEST", "old", 1);
    setenv("DAVIT_KEPT", "kept", 1);
    DV_CLEANUP(dv_process_result_done)
    dv_process_result added = run(
        &(dv_process_spec){.argv = SHELL("echo $DAVIT_TEST $DAVIT_MORE $DAVIT_KEPT"), .env = env});
    assert_string_equal(added.out, "new a=b kept\n");
    DV_CLEANUP(dv_process_result_done)
    dv_process_result cleared = run(&(dv_process_spec){
        .argv = SHELL("echo $DAVIT_TEST $DAVIT_KEPT"), .env = env, .clear_env = true});
    assert_string_equal(cleared.out, "new\n");
}

static void it_runs_in_its_folder(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r = run(&(dv_process_spec){.argv = SHELL("pwd"), .cwd = "/"});

    assert_string_equal(r.out, "/\n");
}

static void only_the_standard_descriptors_are_inherited(void **state DV_UNUSED)
{
    int leaked = open("/dev/null", O_RDONLY); /* without CLOEXEC */
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r =
        run(&(dv_process_spec){.argv = SHELL("for i in 3 4 5 6 7 8 9; do "
                                             "[ -e /proc/self/fd/$i ] && echo $i; done; :")});

    close(leaked);
    assert_string_equal(r.out, "");
}

static void *run_in_thread(void *arg)
{
    static const char *const argv[] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};
    dv_process_result *result = arg;

    *result = run(&(dv_process_spec){.argv = argv});
    return NULL;
}

/* Our threads block all signals; a child that did the same could not be stopped. */
static void signals_are_as_a_program_expects(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_process_result_done) dv_process_result r = {0};

    signal(SIGPIPE, SIG_IGN);
    pthread_join(dv_thread_start("run", DV_STACK_BYTES, run_in_thread, &r), NULL);
    signal(SIGPIPE, SIG_DFL);
    assert_memory_equal(r.out, "SigBlk:\t0000000000000000\nSigIgn:\t", 32);
    /* Those that programs know: 32 and 33 are the C library's own. */
    assert_int_equal(strtoull(r.out + 32, NULL, 16) & 0x7fffffff, 0);
}

/* valgrind makes a fork of vfork, and exec's failure can't come back from that. */
static void skip_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    if (preload && strstr(preload, "vgpreload"))
        skip();
}

static void an_absent_program_is_not_found(void **state DV_UNUSED)
{
    skip_under_valgrind();
    dv_ctx ctx = dv_ctx_make(NULL);
    dv_process_result result;
    const char *const argv[] = {"davit-no-such-program", NULL};

    assert_err(dv_process_run(&ctx, &(dv_process_spec){.argv = argv}, &result), DV_NOT_FOUND,
               "davit-no-such-program");
}

static void too_much_output_ends_it(void **state DV_UNUSED)
{
    dv_ctx ctx = dv_ctx_make(NULL);
    dv_process_result result;
    const dv_process_spec spec = {.argv = SHELL("yes"), .output_limit = 1000};
    const dv_process_spec loud = {.argv = SHELL("yes >&2"), .output_limit = 1000};

    assert_err(dv_process_run(&ctx, &spec, &result), DV_INVALID, "more than 1000 bytes");
    assert_err(dv_process_run(&ctx, &loud, &result), DV_INVALID, "more than 1000 bytes");
}

static void the_deadline_kills_it_and_its_children(void **state DV_UNUSED)
{
    dv_ctx ctx = dv_ctx_make(NULL);
    dv_process_result result;
    int alive[2];

    /* The pipe ends when the last of them is gone. */
    assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
    dv_auto_str script =
        dv_asprintf("exec 4>/proc/%d/fd/%d; sleep 60 & sleep 60", getpid(), alive[1]);
    const dv_process_spec spec = {.argv = SHELL(script)};
    dv_ctx_set_timeout(&ctx, 300);
    assert_err(dv_process_run(&ctx, &spec, &result), DV_TRANSIENT, "sh: the time limit");
    close(alive[1]);
    char byte;
    assert_int_equal(read(alive[0], &byte, 1), 0);
    close(alive[0]);
}

static void a_cancel_kills_it(void **state DV_UNUSED)
{
    dv_auto(dv_cancel) cancel = dv_cancel_new();
    dv_ctx ctx = dv_ctx_make(cancel);
    dv_process_result result;

    dv_cancel_fire(cancel);
    assert_err(dv_process_run(&ctx, &(dv_process_spec){.argv = SHELL("sleep 60")}, &result),
               DV_CANCELED, NULL);
}

static void a_grandchild_does_not_hold_us(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_process_result_done)
    dv_process_result r = run(&(dv_process_spec){.argv = SHELL("sleep 60 & echo $!")});

    assert_int_equal(r.exit_code, 0);
    kill((pid_t)strtol(r.out, NULL, 10), SIGKILL);
}

/* ---- A child with a channel ---- */

/* What the child answers over its descriptor 3. */
static void ask_child(int ours, int theirs, const char *script, char *answer, size_t size)
{
    int pid = 0, status = 0;

    assert_ok(dv_process_spawn_with_fd(SHELL(script), /* env= */ NULL, theirs, &pid));
    close(theirs);
    size_t n = 0;
    for (ssize_t got; n < size - 1 && (got = read(ours, answer + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    answer[n] = '\0';
    close(ours);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
}

/* Where descriptor fd of the process leads begins with this text. */
static bool leads_to(int pid, int fd, const char *want)
{
    dv_auto_str path = dv_asprintf("/proc/%d/fd/%d", pid, fd);
    char target[200] = {0};

    return readlink(path, target, sizeof(target) - 1) > 0 &&
           dv_str_starts(dv_str_of(target), dv_str_of(want));
}

/* ---- Where the kernel has no pidfd_open() ---- */

static const struct old_kernel_row {
    const char *name;
    dv_process_spec spec;
    int64_t timeout_ms;
    int kind; /* of the error; 0: none */
} old_kernel_rows[] = {
    {"without pidfd, output and exit code come back",
     {.argv = SHELL("printf out; exit 7")},
     .kind = 0},
    {"without pidfd, a child that closes its output is waited for",
     {.argv = SHELL("printf out; exec >&- 2>&-; sleep 0.1; exit 7")},
     .kind = 0},
    {"without pidfd, the deadline ends it",
     {.argv = SHELL("sleep 60")},
     .timeout_ms = 30,
     .kind = DV_TRANSIENT},
    {"without pidfd, too much output ends it",
     {.argv = SHELL("yes"), .output_limit = 1000},
     .kind = DV_INVALID},
};

typedef struct {
    const struct old_kernel_row *row;
    dv_process_result result;
    dv_err *err;
    int filtered; /* errno of pidfd_open() */
} old_kernel_run;

/* For the calling thread and its children only, and for good. */
static void lack_pidfd(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = DV_LEN(code), .filter = code};

    DV_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void *run_on_old_kernel(void *arg)
{
    old_kernel_run *run = arg;
    dv_ctx ctx = dv_ctx_make(/* cancel= */ NULL);

    lack_pidfd();
    run->filtered = pidfd_open(getpid(), 0) < 0 ? errno : 0;
    if (run->row->timeout_ms)
        dv_ctx_set_timeout(&ctx, run->row->timeout_ms);
    run->err = dv_process_run(&ctx, &run->row->spec, &run->result);
    return NULL;
}

static void an_old_kernel_will_do(void **state)
{
    const struct old_kernel_row *row = *state;
    old_kernel_run done = {.row = row};

    pthread_join(dv_thread_start("run", DV_STACK_BYTES, run_on_old_kernel, &done), NULL);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left behind */
    assert_int_equal(errno, ECHILD);
    assert_int_equal(done.filtered, ENOSYS);
    if (row->kind) {
        assert_err(done.err, (dv_err_kind)row->kind, NULL);
        return;
    }
    assert_ok(done.err);
    assert_string_equal(done.result.out, "out");
    assert_int_equal(done.result.exit_code, 7);
    dv_process_result_done(&done.result);
}

static void a_channel_is_descriptor_3_and_nothing_else_is_open(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_strings_done) dv_strings open_fds = {0};
    int pair[2], pid = 0, status = 0, leaked = open("/dev/null", O_RDONLY);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_ok(dv_process_spawn_with_fd(SHELL("kill -STOP $$"), /* env= */ NULL, pair[1], &pid));
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid); /* it is past exec() */
    assert_true(WIFSTOPPED(status));
    dv_auto_str path = dv_asprintf("/proc/%d/fd", pid);
    bool listed = !dv_dir_list(path, 100, &open_fds);
    bool fits = leads_to(pid, 0, "/dev/null") && leads_to(pid, 1, "/dev/null") &&
                leads_to(pid, 3, "socket:");

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pair[0]);
    close(pair[1]);
    close(leaked);
    assert_true(listed && fits);
    assert_int_equal(open_fds.n, 4);
    assert_string_equal(open_fds.at[3], "3");
}

/* fd may be 3 already, and CLOEXEC. */
static void a_channel_at_3_survives(void **state DV_UNUSED)
{
    int pair[2], kept = fcntl(3, F_DUPFD_CLOEXEC, 10);
    char answer[1000];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    int ours = fcntl(pair[0], F_DUPFD_CLOEXEC, 20), theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, 20);
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(dup3(theirs, 3, O_CLOEXEC), 3);
    close(theirs);
    ask_child(ours, 3, "echo hello >&3", answer, sizeof(answer));
    if (kept >= 0) {
        dup2(kept, 3);
        close(kept);
    }
    assert_string_equal(answer, "hello\n");
}

static void a_channel_child_has_only_the_environment_it_is_given(void **state DV_UNUSED)
{
    static const char *const argv[] = {"dd", "if=/proc/self/environ", "of=/proc/self/fd/3",
                                       "status=none", NULL};
    static const char *const given[] = {"DAVIT_ONLY=this", NULL};
    static const dv_str wants[] = {{"DAVIT_ONLY=this", sizeof("DAVIT_ONLY=this")}, {"", 0}};

    setenv("DAVIT_OURS", "secret", 1);
    for (size_t i = 0; i < DV_LEN(wants); i++) {
        int pid = 0, status = 0, ends[2];
        char answer[100];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_ok(dv_process_spawn_with_fd(argv, i == 0 ? given : NULL, ends[1], &pid));
        close(ends[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        ssize_t n = read(ends[0], answer, sizeof(answer));
        close(ends[0]);
        assert_int_equal(status, 0);
        assert_true(n >= 0 && dv_str_eq((dv_str){answer, (size_t)n}, wants[i]));
    }
}

static void a_channel_to_an_absent_program_is_not_found(void **state DV_UNUSED)
{
    skip_under_valgrind();
    const char *const argv[] = {"davit-no-such-program", NULL};
    int pid;

    assert_err(dv_process_spawn_with_fd(argv, NULL, 2, &pid), DV_NOT_FOUND, NULL);
}

int main(void)
{
    dv_suite suite = {.name = "base/process"};

    DV_TEST(&suite, output_and_exit_code_come_back);
    DV_TEST(&suite, input_is_read_to_its_end);
    DV_TEST(&suite, unread_input_is_no_error);
    DV_TEST(&suite, no_input_is_an_empty_one);
    DV_TEST(&suite, a_signal_is_an_exit_code);
    DV_TEST(&suite, the_environment_is_added_to_or_cleared);
    DV_TEST(&suite, it_runs_in_its_folder);
    DV_TEST(&suite, only_the_standard_descriptors_are_inherited);
    DV_TEST(&suite, signals_are_as_a_program_expects);
    DV_TEST(&suite, an_absent_program_is_not_found);
    DV_TEST(&suite, too_much_output_ends_it);
    DV_TEST(&suite, the_deadline_kills_it_and_its_children);
    DV_TEST(&suite, a_cancel_kills_it);
    DV_TEST(&suite, a_grandchild_does_not_hold_us);
    DV_TABLE(&suite, an_old_kernel_will_do, old_kernel_rows);
    DV_TEST(&suite, a_channel_is_descriptor_3_and_nothing_else_is_open);
    DV_TEST(&suite, a_channel_at_3_survives);
    DV_TEST(&suite, a_channel_child_has_only_the_environment_it_is_given);
    DV_TEST(&suite, a_channel_to_an_absent_program_is_not_found);
    return dv_suite_run(&suite);
}
