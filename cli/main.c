/* SPDX-License-Identifier: Apache-2.0 */
/* davit: reads the command line, does what needs no cluster, and hands the rest on. */
#include <errno.h>
#include <unistd.h>

#include "json/json.h"
#include "offline.h"
#include "version.h"

static const cli_runner runners[] = {
    {"completion", cli_completion},
    {"lint", cli_lint},
    {"manual", cli_manual},
    {"resolve", cli_resolve},
    {"semver check", cli_semver_check},
    {"semver compare", cli_semver_compare},
};

/* ---- The other program ---- */

/* Beside us where it was built, in ../libexec/davit where it was installed. */
static const char *const places[] = {"", "../libexec/davit/"};

static char *own_folder(void)
{
    char path[DV_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    slash = strrchr(path, '/');
    return slash ? dv_strndup(path, (size_t)(slash + 1 - path)) : NULL;
}

static dv_err *become_cluster(char **argv)
{
    dv_auto_str folder = own_folder();

    for (size_t i = 0; folder && i < DV_LEN(places); i++) {
        dv_auto_str program = dv_asprintf("%s%sdavit-cluster", folder, places[i]);

        execv(program, argv);
        if (errno != ENOENT && errno != ENOTDIR)
            return dv_err_new(DV_TRANSIENT, "StartFailed", "start %s: %s", program,
                              strerrordesc_np(errno));
    }
    return dv_err_new(DV_NOT_FOUND, "StartFailed",
                      "davit-cluster, which belongs to davit, is not installed beside it or in "
                      "../libexec/davit");
}

/* ---- The whole ---- */

static dv_err *run(const cli_call *call, char **argv, cli_exit *ret_exit)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    if (call->options.version)
        return cli_print(DV_STR("davit " DV_VERSION "\n"));
    if (call->options.help || !call->verb) {
        cli_help(call->verb, &text);
        return cli_print(dv_buf_str(&text));
    }
    const cli_runner *runner = cli_runner_find(runners, DV_LEN(runners), call->verb);
    return runner ? runner->run(call, ret_exit) : become_cluster(argv);
}

int main(int argc, char **argv)
{
    DV_CLEANUP(cli_call_done) cli_call call;
    cli_exit code = CLI_OK;

    dv_json_setup();
    dv_err *err = cli_read(argc, argv, &call);
    if (!err)
        err = run(&call, argv, &code);
    return (int)(err ? cli_report(err, call.verb) : code);
}
