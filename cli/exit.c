/* SPDX-License-Identifier: Apache-2.0 */
#include "exit.h"

const char *cli_exit_text(cli_exit code)
{
    switch (code) {
    case CLI_OK:
        return "done; the answer is yes";
    case CLI_NO:
        return "the answer is no: nothing fits, nothing was found, or there are findings";
    case CLI_USAGE:
        return "the command line, or a file that it names, could not be understood";
    case CLI_FAILED:
        return "the cluster, a repository or a file did not answer";
    case CLI_FORBIDDEN:
        return "the cluster refused";
    case CLI_CHANGES:
        return "with --exit-code: something would change";
    }
    return NULL;
}

cli_exit cli_exit_of(const dv_err *err)
{
    if (!err)
        return CLI_OK;
    if (strcmp(dv_err_reason(err), CLI_BAD_USAGE) == 0)
        return CLI_USAGE;
    return dv_err_is(err, DV_DENIED) ? CLI_FORBIDDEN : CLI_FAILED;
}
