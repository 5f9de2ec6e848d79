/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command within limits and prints what it used, as one line of JSON:
 *
 *     measure SECONDS MIB OUT COMMAND…
 *     {"cpu_s": 0.123, "peak_kib": 4567, "exit": 0, "ended": false, "bytes": 89}
 *
 * Its standard output goes to the file OUT, whose size is told. "ended": it was stopped after the
 * seconds of the clock; "exit" is -1 then, and where a signal ended it. Memory is limited as
 * `ulimit -v` does.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

static pid_t child;
static volatile sig_atomic_t ended;

static void end_child(int number)
{
    (void)number;
    ended = 1;
    kill(child, SIGKILL);
}

static void run(char **command, unsigned long mib, const char *out)
{
    const struct rlimit memory = {(rlim_t)mib << 20, (rlim_t)mib << 20};
    int to = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (to < 0 || dup2(to, STDOUT_FILENO) < 0 || setrlimit(RLIMIT_AS, &memory) != 0)
        _exit(126);
    execvp(command[0], command);
    _exit(127);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    const struct sigaction on_alarm = {.sa_handler = end_child, .sa_flags = SA_RESTART};
    struct rusage used = {0};
    struct stat out = {0};
    int status = 0;

    if (argc < 5) {
        fputs("usage: measure SECONDS MIB OUT COMMAND...\n", stderr);
        return 2;
    }
    child = fork();
    if (child == 0)
        run(argv + 4, strtoul(argv[2], NULL, 10), argv[3]);
    if (child < 0 || sigaction(SIGALRM, &on_alarm, NULL) != 0)
        return 1;
    alarm((unsigned)strtoul(argv[1], NULL, 10));
    if (wait4(child, &status, 0, &used) != child || stat(argv[3], &out) != 0)
        return 1;
    printf("{\"cpu_s\": %.4f, \"peak_kib\": %ld, \"exit\": %d, \"ended\": %s, \"bytes\": %lld}\n",
           seconds_of(used.ru_utime) + seconds_of(used.ru_stime), used.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : -1, ended ? "true" : "false",
           (long long)out.st_size);
    return 0;
}
