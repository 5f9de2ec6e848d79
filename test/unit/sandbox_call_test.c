/* SPDX-License-Identifier: Apache-2.0 */
/* This program is its own worker: what the operations below do, they do in the cage. */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sync.h"
#include "sandbox/frame_internal.h"
#include "sandbox/worker_internal.h"
#include "testlib.h"

/* ---- What workers are asked to do ---- */

static dv_err *op_echo(const json_t *params, const dv_str *blobs, size_t n, json_t **ret)
{
    json_t *texts = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(texts, dv_json_string(blobs[i]));
    *ret = json_object();
    json_object_set(*ret, "params", (json_t *)(uintptr_t)params);
    json_object_set_new(*ret, "blobs", texts);
    json_object_set_new(*ret, "pid", json_integer(getpid()));
    return NULL;
}

#define OP(name)                                                                                   \
    static dv_err *name(DV_UNUSED const json_t *params, DV_UNUSED const dv_str *blobs,             \
                        DV_UNUSED size_t n, DV_UNUSED json_t **ret)

OP(op_nothing)
{
    return NULL;
}

OP(op_refuse)
{
    return dv_err_new(DV_NOT_FOUND, "NoSuchThing", "line 3: %s", "no\nsuch thing");
}

OP(op_refuse_oddly)
{
    return dv_err_new(DV_CANCELED, "Not A Reason", "bad byte \xff");
}

OP(op_abort)
{
    abort();
}

OP(op_segv)
{
    volatile uintptr_t nowhere = 8;

    *(volatile char *)nowhere = 1;
    return NULL;
}

OP(op_spin)
{
    volatile unsigned turns = 0;

    while (turns + 1)
        turns = turns | 1;
    return NULL;
}

OP(op_hoard)
{
    for (size_t held = 0; held < 4 * DV_SANDBOX_MEMORY_MAX; held += 1024 * 1024)
        memset(dv_alloc(1024 * 1024), 1, 1024 * 1024);
    return NULL;
}

OP(op_leave)
{
    _exit(0);
}

OP(op_babble)
{
    send(DV_SANDBOX_FD, "0123456789012345678901234567890123456789", 40, 0);
    return NULL;
}

OP(op_overclaim)
{
    const dv_answer_head head = {.magic = DV_FRAME_MAGIC, .result_bytes = SIZE_MAX};

    send(DV_SANDBOX_FD, &head, sizeof(head), 0);
    return NULL;
}

OP(op_bad_json)
{
    const dv_answer_head head = {.magic = DV_FRAME_MAGIC, .result_bytes = 1};

    send(DV_SANDBOX_FD, &head, sizeof(head), 0);
    send(DV_SANDBOX_FD, "{", 1, 0);
    return NULL;
}

OP(op_open)
{
    *ret = json_integer(open("/etc/hostname", O_RDONLY));
    return NULL;
}

OP(op_socket)
{
    *ret = json_integer(socket(AF_INET, SOCK_STREAM, 0));
    return NULL;
}

OP(op_connect)
{
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};

    *ret = json_integer(connect(DV_SANDBOX_FD, (const struct sockaddr *)&to, sizeof(to)));
    return NULL;
}

OP(op_exec)
{
    char *argv[] = {"true", NULL};

    *ret = json_integer(execv("/bin/true", argv));
    return NULL;
}

OP(op_fork)
{
    *ret = json_integer(fork());
    return NULL;
}

OP(op_map_program)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *ret = json_boolean(at != MAP_FAILED);
    return NULL;
}

OP(op_make_program)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *ret = json_integer(mprotect(at, 4096, PROT_READ | PROT_EXEC));
    return NULL;
}

OP(op_kill_parent)
{
    *ret = json_integer(kill(getppid(), SIGTERM));
    return NULL;
}

OP(op_raise_limit)
{
    const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};

    *ret = json_integer(setrlimit(RLIMIT_CPU, &more));
    return NULL;
}

OP(op_environment)
{
    *ret = json_boolean(getenv("DAVIT_TEST_SECRET") != NULL);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Much of what honest parsers do: big blocks come and go, sorting, time, chance, formatting. */
OP(op_work)
{
    enum { NUMBERS = 1000 * 1000 };
    int *numbers = dv_calloc(NUMBERS, sizeof(*numbers));
    dv_auto_str text = NULL;

    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = i % 2 ? i : NUMBERS - 2 - i;
    qsort(numbers, NUMBERS, sizeof(*numbers), by_value);
    numbers = dv_realloc(numbers, 2 * NUMBERS * sizeof(*numbers));
    text = dv_asprintf("%d %f %lld", numbers[1], 0.5, (long long)dv_clock_real()->unix_us(NULL));
    *ret = json_integer(numbers[NUMBERS - 1]);
    free(numbers);
    return NULL;
}

OP(op_too_much)
{
    json_t *list = json_array();
    dv_auto_str text = dv_alloc(1024 * 1024);

    memset(text, 'x', 1024 * 1024);
    json_t *line = dv_json_string((dv_str){text, 1024 * 1024});
    for (int i = 0; i < 129; i++)
        json_array_append(list, line);
    json_decref(line);
    *ret = list;
    return NULL;
}

static const dv_sandbox_op ops[] = {
    {"echo", op_echo},
    {"nothing", op_nothing},
    {"refuse", op_refuse},
    {"refuse oddly", op_refuse_oddly},
    {"abort", op_abort},
    {"segv", op_segv},
    {"spin", op_spin},
    {"hoard", op_hoard},
    {"leave", op_leave},
    {"babble", op_babble},
    {"overclaim", op_overclaim},
    {"bad json", op_bad_json},
    {"open", op_open},
    {"socket", op_socket},
    {"connect", op_connect},
    {"exec", op_exec},
    {"fork", op_fork},
    {"map program", op_map_program},
    {"make program", op_make_program},
    {"kill parent", op_kill_parent},
    {"raise limit", op_raise_limit},
    {"environment", op_environment},
    {"work", op_work},
    {"too much", op_too_much},
};

/* ---- Helpers ---- */

static const dv_sandbox_limits usual = {.idle_ms = DV_SANDBOX_IDLE_MS,
                                        .wall_ms = DV_SANDBOX_WALL_MAX_MS,
                                        .cpu_s = DV_SANDBOX_CPU_MAX_S};

static dv_err *call(dv_sandbox *sandbox, const char *op, json_t **ret)
{
    dv_ctx ctx = dv_ctx_make(NULL);

    return dv_sandbox_call(&ctx, sandbox, op, /* params= */ NULL, /* blobs= */ NULL, 0, ret);
}

static void assert_echoes(dv_sandbox *sandbox)
{
    json_auto_t *result = NULL;

    assert_ok(call(sandbox, "echo", &result));
    assert_true(json_is_object(result));
}

static int only_pid(dv_sandbox *sandbox)
{
    int pid = 0;

    assert_int_equal(dv_sandbox_pids(sandbox, &pid, 1), 1);
    return pid;
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- Calls ---- */

static void params_and_blobs_come_and_go(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(0, NULL);
    dv_ctx ctx = dv_ctx_make(NULL);
    json_auto_t *params = json_pack("{s:s, s:f}", "name", "web", "cpu", 0.1);
    const dv_str blobs[] = {DV_STR("one"), DV_STR(""), {"a\0b", 3}};
    json_auto_t *result = NULL;

    assert_ok(dv_sandbox_call(&ctx, sandbox, "echo", params, blobs, DV_LEN(blobs), &result));
    assert_true(json_equal(json_object_get(result, "params"), params));
    assert_string_equal(dv_json_str(result, "/blobs/0"), "one");
    assert_int_equal(dv_json_view(result, "/blobs/1").n, 0);
    assert_true(dv_str_eq(dv_json_view(result, "/blobs/2"), blobs[2]));
    assert_int_equal(dv_json_int(result, "/pid", 0), only_pid(sandbox));
}

static void one_worker_serves_one_call_after_the_other(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(0, NULL);

    assert_echoes(sandbox);
    int pid = only_pid(sandbox);
    for (int i = 0; i < 20; i++)
        assert_echoes(sandbox);
    assert_int_equal(only_pid(sandbox), pid);
}

static void large_blobs_pass(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    dv_ctx ctx = dv_ctx_make(NULL);
    const size_t n = 8 * 1024 * 1024;
    dv_auto_str bytes = dv_alloc(n);
    json_auto_t *result = NULL;

    memset(bytes, 'y', n);
    const dv_str blob = {bytes, n};
    assert_ok(dv_sandbox_call(&ctx, sandbox, "echo", NULL, &blob, 1, &result));
    assert_true(dv_str_eq(dv_json_view(result, "/blobs/0"), blob));
}

static void no_result_is_null(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_auto_t *result = NULL;

    assert_ok(call(sandbox, "nothing", &result));
    assert_true(json_is_null(result));
}

static void honest_work_is_allowed(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_auto_t *result = NULL;

    assert_ok(call(sandbox, "work", &result));
    assert_int_equal(json_integer_value(result), 999999);
}

static void an_error_keeps_kind_and_reason(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_t *result = NULL;
    dv_auto(dv_err) err = call(sandbox, "refuse", &result);
    dv_auto(dv_err) again = call(sandbox, "refuse", &result);

    assert_true(dv_err_is(err, DV_NOT_FOUND));
    assert_string_equal(dv_err_reason(err), "NoSuchThing");
    assert_string_equal(dv_err_str(err), "line 3: no such thing");
    assert_ptr_equal(dv_err_reason(err), dv_err_reason(again));
}

static void an_odd_error_is_made_harmless(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_t *result = NULL;
    dv_auto(dv_err) err = call(sandbox, "refuse oddly", &result);

    assert_true(dv_err_is(err, DV_INVALID));
    assert_string_equal(dv_err_reason(err), "ContentInvalid");
    assert_string_equal(dv_err_str(err), "its message is no text");
}

static void an_unknown_operation_is_a_bug(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_t *result = NULL;

    assert_err(call(sandbox, "what", &result), DV_BUG, "no operation what");
}

static void too_large_a_request_is_refused_unsent(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    dv_ctx ctx = dv_ctx_make(NULL);
    const dv_str half = {"", DV_SANDBOX_REQUEST_MAX / 2 + 1};
    const dv_str blobs[] = {half, half};
    json_t *result = NULL;
    int pid;

    assert_err(dv_sandbox_call(&ctx, sandbox, "echo", NULL, blobs, 2, &result), DV_INVALID,
               "more than 1024 parts");
    assert_err(
        dv_sandbox_call(&ctx, sandbox, "echo", NULL, blobs, DV_SANDBOX_BLOBS_MAX + 1, &result),
        DV_INVALID, "more than 1024 parts");
    assert_int_equal(dv_sandbox_pids(sandbox, &pid, 1), 0);
}

/* ---- Deaths ---- */

/* Each ends its worker, is told to its caller, and the next call is served. */
static const struct death {
    const char *name, *op, *text;
    bool strict_only; /* not with a sanitizer's runtime in the worker */
} deaths[] = {
    {"abort ends one call", "abort", "ran out of memory or gave up", true},
    {"a bad access ends one call", "segv", "signal 11 (Segmentation fault)", true},
    {"too much memory ends one call", "hoard", "ran out of memory or gave up", true},
    {"endless work ends one call", "spin", "used up its time", false},
    {"leaving ends one call", "leave", "left with status 0", false},
    {"nonsense for an answer ends one call", "babble", "can't be read", false},
    {"an overlong answer ends one call", "overclaim", "can't be read", false},
    {"a result that is no JSON ends one call", "bad json", "can't be read", false},
    {"opening a file is forbidden", "open", "forbidden in its cage", true},
    {"a socket is forbidden", "socket", "forbidden in its cage", false},
    {"connecting is forbidden", "connect", "forbidden in its cage", false},
    {"another program is forbidden", "exec", "forbidden in its cage", false},
    {"another process is forbidden", "fork", "forbidden in its cage", true},
    {"mapping a program is forbidden", "map program", "forbidden in its cage", true},
    {"making a program is forbidden", "make program", "forbidden in its cage", true},
    {"signals are forbidden", "kill parent", "forbidden in its cage", true},
    {"raising limits is forbidden", "raise limit", "forbidden in its cage", true},
};

static void death_ends_one_call(void **state)
{
    const struct death *row = *state;

    if (row->strict_only && DV_SANDBOX_RELAXED)
        skip();
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_t *result = NULL;
    dv_sandbox_set_limits(sandbox, (dv_sandbox_limits){usual.idle_ms, usual.wall_ms, .cpu_s = 1});
    dv_err *err = call(sandbox, row->op, &result);
    assert_string_equal(err ? dv_err_reason(err) : "", "ContentCrashedParser");
    assert_err(err, DV_INVALID, row->text);
    assert_no_children();
    assert_echoes(sandbox);
}

static void silence_ends_one_call(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_t *result = NULL;

    dv_sandbox_set_limits(sandbox, (dv_sandbox_limits){usual.idle_ms, 50, usual.cpu_s});
    assert_err(call(sandbox, "spin", &result), DV_INVALID, "used up its time");
    assert_no_children();
}

static void a_result_beyond_the_limit_is_an_error(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_t *result = NULL;

    assert_err(call(sandbox, "too much", &result), DV_INVALID, "longer than the limit");
    assert_echoes(sandbox);
}

static void the_environment_stays_outside(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    json_auto_t *result = NULL;

    assert_int_equal(setenv("DAVIT_TEST_SECRET", "hush", 1), 0);
    assert_ok(call(sandbox, "environment", &result));
    assert_true(json_is_false(result));
}

/* ---- Time ---- */

static void a_deadline_ends_the_worker_not_the_content(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    dv_ctx ctx = dv_ctx_make(NULL);
    json_t *result = NULL;

    dv_ctx_set_timeout(&ctx, 50);
    assert_err(dv_sandbox_call(&ctx, sandbox, "spin", NULL, NULL, 0, &result), DV_TRANSIENT,
               "spin");
    assert_no_children();
    assert_echoes(sandbox);
}

/* One call in a thread of its own. */
typedef struct {
    dv_sandbox *sandbox;
    dv_cancel *cancel;
    const char *op;
    int times;
    dv_err *err; /* the last */
} caller;

static void *run_caller(void *arg)
{
    caller *c = arg;
    dv_ctx ctx = dv_ctx_make(c->cancel);

    for (int i = 0; i < c->times && !c->err; i++) {
        json_auto_t *result = NULL;
        c->err = dv_sandbox_call(&ctx, c->sandbox, c->op, NULL, NULL, 0, &result);
    }
    return NULL;
}

static pthread_t start_caller(caller *c)
{
    return dv_thread_start("caller", DV_STACK_BYTES, run_caller, c);
}

/* Waits until a worker runs. */
static int await_pid(dv_sandbox *sandbox)
{
    int pid;

    while (!dv_sandbox_pids(sandbox, &pid, 1))
        sched_yield();
    return pid;
}

static void a_cancel_ends_a_call(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    dv_auto(dv_cancel) cancel = dv_cancel_new();
    caller c = {.sandbox = sandbox, .cancel = cancel, .op = "spin", .times = 1};
    pthread_t thread = start_caller(&c);

    await_pid(sandbox);
    dv_cancel_fire(cancel);
    pthread_join(thread, NULL);
    assert_err(c.err, DV_CANCELED, NULL);
    assert_no_children();
}

static void a_cancel_ends_the_wait_for_a_worker(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    dv_auto(dv_cancel) cancel = dv_cancel_new();
    dv_auto(dv_cancel) stop = dv_cancel_new();
    caller holder = {.sandbox = sandbox, .cancel = stop, .op = "spin", .times = 1};
    caller waiter = {.sandbox = sandbox, .cancel = cancel, .op = "echo", .times = 1};
    pthread_t first = start_caller(&holder);

    await_pid(sandbox);
    pthread_t second = start_caller(&waiter);
    dv_cancel_fire(cancel);
    pthread_join(second, NULL);
    dv_cancel_fire(stop);
    pthread_join(first, NULL);
    assert_err(waiter.err, DV_CANCELED, NULL);
    assert_err(holder.err, DV_CANCELED, NULL);
}

static void a_worker_killed_in_the_middle_touches_no_other(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(2, NULL);
    caller victim = {.sandbox = sandbox, .op = "spin", .times = 1};
    caller other = {.sandbox = sandbox, .op = "echo", .times = 200};
    pthread_t first = start_caller(&victim);
    int pid = await_pid(sandbox);
    pthread_t second = start_caller(&other);

    assert_int_equal(kill(pid, SIGKILL), 0);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    assert_ok(other.err);
    assert_err(victim.err, DV_INVALID, "signal 9 (Killed)");
    assert_echoes(sandbox);
}

static void calls_from_many_threads_share_the_workers(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(3, NULL);
    caller callers[8];
    pthread_t threads[DV_LEN(callers)];
    int pids[DV_LEN(callers)];

    for (size_t i = 0; i < DV_LEN(callers); i++) {
        callers[i] = (caller){.sandbox = sandbox, .op = i % 4 ? "echo" : "refuse", .times = 50};
        threads[i] = start_caller(&callers[i]);
    }
    for (size_t i = 0; i < DV_LEN(callers); i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < DV_LEN(callers); i++) {
        if (i % 4)
            assert_ok(callers[i].err);
        else
            assert_err(callers[i].err, DV_NOT_FOUND, "no such thing");
    }
    assert_in_range(dv_sandbox_pids(sandbox, pids, DV_LEN(pids)), 1, 3);
}

/* ---- Coming and going ---- */

/* Workers that leave at once after an answer: every call meets one that is gone or going. */
static void a_worker_that_leaves_for_idleness_loses_no_call(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);

    dv_sandbox_set_limits(sandbox, (dv_sandbox_limits){0, usual.wall_ms, usual.cpu_s});
    for (int i = 0; i < 100; i++)
        assert_echoes(sandbox);
}

static void a_worker_that_left_is_reaped(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    siginfo_t info;

    dv_sandbox_set_limits(sandbox, (dv_sandbox_limits){0, usual.wall_ms, usual.cpu_s});
    assert_echoes(sandbox);
    waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
    dv_sandbox_tend(sandbox);
    assert_no_children();
}

static void a_worker_killed_while_idle_is_replaced(void **state)
{
    (void)state;
    dv_auto(dv_sandbox) sandbox = dv_sandbox_new(1, NULL);
    siginfo_t info;

    assert_echoes(sandbox);
    int pid = only_pid(sandbox);
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_echoes(sandbox);
    assert_int_not_equal(only_pid(sandbox), pid);
}

static void freeing_ends_the_workers(void **state)
{
    (void)state;
    dv_sandbox *sandbox = dv_sandbox_new(1, NULL);

    assert_echoes(sandbox);
    dv_sandbox_free(sandbox);
    assert_no_children();
}

int main(int argc, char **argv)
{
    dv_suite suite = {.name = "sandbox/call"};

    dv_sandbox_main(argc, argv, ops, DV_LEN(ops));
    dv_json_setup();
    DV_TEST(&suite, params_and_blobs_come_and_go);
    DV_TEST(&suite, one_worker_serves_one_call_after_the_other);
    DV_TEST(&suite, large_blobs_pass);
    DV_TEST(&suite, no_result_is_null);
    DV_TEST(&suite, honest_work_is_allowed);
    DV_TEST(&suite, an_error_keeps_kind_and_reason);
    DV_TEST(&suite, an_odd_error_is_made_harmless);
    DV_TEST(&suite, an_unknown_operation_is_a_bug);
    DV_TEST(&suite, too_large_a_request_is_refused_unsent);
    DV_TABLE(&suite, death_ends_one_call, deaths);
    DV_TEST(&suite, silence_ends_one_call);
    DV_TEST(&suite, a_result_beyond_the_limit_is_an_error);
    DV_TEST(&suite, the_environment_stays_outside);
    DV_TEST(&suite, a_deadline_ends_the_worker_not_the_content);
    DV_TEST(&suite, a_cancel_ends_a_call);
    DV_TEST(&suite, a_cancel_ends_the_wait_for_a_worker);
    DV_TEST(&suite, a_worker_killed_in_the_middle_touches_no_other);
    DV_TEST(&suite, calls_from_many_threads_share_the_workers);
    DV_TEST(&suite, a_worker_that_leaves_for_idleness_loses_no_call);
    DV_TEST(&suite, a_worker_that_left_is_reaped);
    DV_TEST(&suite, a_worker_killed_while_idle_is_replaced);
    DV_TEST(&suite, freeing_ends_the_workers);
    return dv_suite_run(&suite);
}
