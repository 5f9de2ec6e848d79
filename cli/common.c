/* SPDX-License-Identifier: Apache-2.0 */
/* How both programs run a verb and tell of its end. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "output.h"
#include "verb.h"

const cli_runner *cli_runner_find(const cli_runner *runners, size_t n, const cli_verb *verb)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(runners[i].verb, verb->name) == 0)
            return &runners[i];
    return NULL;
}

cli_exit cli_report(dv_err *err, const cli_verb *verb)
{
    cli_exit code = cli_exit_of(err);

    if (err)
        cli_say(dv_err_str(err));
    if (code == CLI_USAGE)
        fprintf(stderr, "See davit %s%s--help.\n", verb ? verb->name : "", verb ? " " : "");
    dv_err_free(err);
    return code;
}

/* The reader has seen enough ("| head"): as a program ends that does not ignore the signal. */
static void end_quietly(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

dv_err *cli_print(dv_str text)
{
    while (text.n) {
        ssize_t put = write(STDOUT_FILENO, text.p, text.n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EPIPE)
            end_quietly();
        if (put < 0)
            return dv_err_new(DV_TRANSIENT, "WriteFailed", "write to standard output: %s",
                              strerrordesc_np(errno));
        text = dv_str_skip(text, (size_t)put);
    }
    return NULL;
}

dv_err *cli_read_input(const char *path, dv_buf *out)
{
    char chunk[16 * 1024];
    ssize_t got;

    if (strcmp(path, "-") != 0)
        return dv_file_read(path, out);
    while ((got = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return dv_err_new(DV_TRANSIENT, "ReadFailed", "read standard input: %s",
                              strerrordesc_np(errno));
        dv_buf_add(out, chunk, (size_t)got);
        DV_TRY(dv_buf_check(out), "read standard input");
    }
    return NULL;
}
