/* SPDX-License-Identifier: Apache-2.0 */
/* davit-cluster: the verbs that ask a cluster. `davit` starts it; nobody else has to know it. */
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "cluster.h"
#include "install/render.h"

static const cli_runner runners[] = {
    {"explain", cli_explain}, {"plan", cli_plan},         {"search", cli_search},
    {"tree", cli_tree},       {"versions", cli_versions},
};

dv_err *cli_print_document(const cli_call *call, const json_t *doc)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    cli_add_document(&text, doc, call->options.output);
    DV_CHECK(dv_buf_check(&text));
    return cli_print(dv_buf_str(&text));
}

dv_err *cli_print_table(const cli_table *table)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    cli_table_write(table, &text);
    DV_CHECK(dv_buf_check(&text));
    return cli_print(dv_buf_str(&text));
}

static dv_err *run(const cli_call *call, cli_exit *ret_exit)
{
    const cli_runner *runner =
        call->verb ? cli_runner_find(runners, DV_LEN(runners), call->verb) : NULL;

    if (!runner || call->options.help || call->options.version)
        return dv_err_new(DV_INVALID, CLI_BAD_USAGE,
                          "davit-cluster is started by davit, which knows what is meant");
    return runner->run(call, ret_exit);
}

int main(int argc, char **argv)
{
    DV_CLEANUP(cli_call_done) cli_call call;
    cli_exit code = CLI_OK;

    dv_sandbox_main(argc, argv, dv_render_ops, dv_render_n_ops);
    mallopt(M_ARENA_MAX, 2);
    signal(SIGPIPE, SIG_IGN);
    dv_json_setup();
    dv_log_setup(DV_LOG_ERROR, DV_LOG_TEXT);
    cli_color_setup(STDOUT_FILENO);
    dv_err *err = cli_read(argc, argv, &call);
    if (!err)
        err = run(&call, &code);
    return (int)(err ? cli_report(err, call.verb) : code);
}
