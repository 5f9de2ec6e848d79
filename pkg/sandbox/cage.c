/* SPDX-License-Identifier: Apache-2.0 */
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/worker_internal.h"

/* Standard streams and the channel: no further descriptor can come to be. */
enum { DESCRIPTORS_MAX = DV_SANDBOX_FD + 1 };

static bool limit(int resource, rlim_t most)
{
    const struct rlimit both = {most, most};

    return setrlimit(resource, &both) == 0;
}

static bool limit_resources(void)
{
    /* The parent raises the soft limit of CPU time before each request. */
    const struct rlimit cpu = {DV_SANDBOX_CPU_MAX_S, RLIM_INFINITY};
    bool memory = DV_SANDBOX_RELAXED || limit(RLIMIT_AS, DV_SANDBOX_MEMORY_MAX);
    bool files = DV_SANDBOX_RELAXED || limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);

    return memory && files && limit(RLIMIT_CORE, 0) && setrlimit(RLIMIT_CPU, &cpu) == 0;
}

static bool drop_privileges(void)
{
    /* Dumpable is 0 also against ptrace and /proc/<pid>/mem by others of the same user. */
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           (DV_SANDBOX_RELAXED || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

/* ---- System calls ---- */

static bool allow(scmp_filter_ctx filter, int call)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
}

static bool allow_on(scmp_filter_ctx filter, int call, scmp_datum_t first_argument)
{
    const struct scmp_arg_cmp only = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = first_argument};

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &only) == 0;
}

/* Memory, as long as it is no program. */
static bool allow_memory(scmp_filter_ctx filter)
{
    static const int plain[] = {SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
                                SCMP_SYS(madvise)};
    static const int with_protection[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    const struct scmp_arg_cmp no_program = {
        .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
    bool ok = true;

    for (size_t i = 0; i < DV_LEN(plain); i++)
        ok = ok && allow(filter, plain[i]);
    for (size_t i = 0; i < DV_LEN(with_protection); i++)
        ok = ok && seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, with_protection[i], 1,
                                          &no_program) == 0;
    return ok;
}

static bool allow_channel(scmp_filter_ctx filter)
{
    return allow(filter, SCMP_SYS(poll)) && allow(filter, SCMP_SYS(ppoll)) &&
           allow(filter, SCMP_SYS(restart_syscall)) &&
           allow_on(filter, SCMP_SYS(read), DV_SANDBOX_FD) &&
           allow_on(filter, SCMP_SYS(recvfrom), DV_SANDBOX_FD) &&
           allow_on(filter, SCMP_SYS(sendto), DV_SANDBOX_FD);
}

/* Time, chance, and an orderly end. */
static bool allow_rest(scmp_filter_ctx filter)
{
    static const int plain[] = {
        SCMP_SYS(clock_gettime),  SCMP_SYS(gettimeofday),
        SCMP_SYS(time),           SCMP_SYS(getrandom),
        SCMP_SYS(futex),          SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid),
        SCMP_SYS(gettid),         SCMP_SYS(exit_group),
        SCMP_SYS(exit),           SCMP_SYS(sysinfo), /* qsort() asks how much memory there is */
    };
    bool ok = true;

    for (size_t i = 0; i < DV_LEN(plain); i++)
        ok = ok && allow(filter, plain[i]);
    /* abort(): the last words, and the signal to ourselves. */
    return ok && allow_on(filter, SCMP_SYS(write), STDERR_FILENO) &&
           allow_on(filter, SCMP_SYS(writev), STDERR_FILENO) &&
           allow_on(filter, SCMP_SYS(tgkill), (scmp_datum_t)getpid());
}

static bool add_strict_rules(scmp_filter_ctx filter)
{
    return allow_memory(filter) && allow_channel(filter) && allow_rest(filter);
}

static bool add_relaxed_rules(scmp_filter_ctx filter)
{
    static const int refused[] = {
        SCMP_SYS(socket), SCMP_SYS(connect),  SCMP_SYS(bind), SCMP_SYS(listen),
        SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
    };
    bool ok = true;

    for (size_t i = 0; i < DV_LEN(refused); i++)
        ok = ok && seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, refused[i], 0) == 0;
    return ok;
}

static bool filter_calls(void)
{
    scmp_filter_ctx filter =
        seccomp_init(DV_SANDBOX_RELAXED ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
    bool ok = filter != NULL;

    ok = ok && (DV_SANDBOX_RELAXED ? add_relaxed_rules(filter) : add_strict_rules(filter));
    ok = ok && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return ok;
}

bool dv_cage_enter(void)
{
    /* What content makes a worker say must not look like a line of our log. */
    bool mute = DV_SANDBOX_RELAXED || dup2(STDOUT_FILENO, STDERR_FILENO) == STDERR_FILENO;

    return mute && limit_resources() && drop_privileges() && filter_calls();
}
