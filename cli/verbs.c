/* SPDX-License-Identifier: Apache-2.0 */
/* The table. Whoever adds a row adds its runner in main.c, or in cluster/main.c. */
#include "verb.h"

#define FLAG(letter, text, kind, member, placeholder, sentence)                                    \
    {                                                                                              \
        .name = text, .type = kind, .offset = offsetof(cli_options, member), .value = placeholder, \
        .help = sentence, .short_name = letter                                                     \
    }
#define HELP_FLAG FLAG('h', "help", DV_FLAG_BOOL, help, NULL, "print this and exit")
#define FLAGS(table) .flags = table, .n_flags = DV_LEN(table)

static const dv_flag help_only[] = {HELP_FLAG};
static const dv_flag resolve_flags[] = {
    FLAG('f', "problem", DV_FLAG_STRING, problem, "FILE", "the problem; -: standard input"),
    HELP_FLAG,
};

const cli_verb cli_verbs[] = {
    {
        .name = "resolve",
        .args = "--problem FILE",
        .summary = "solve a dependency problem from a file",
        .about =
            "Reads a JSON file with packages, their versions and dependencies, and what is asked "
            "for; prints one version for each package that is needed as {\"solution\": {…}}, or "
            "{\"conflict\": \"…\"} with the reasons why there is none, in numbered sentences.\n\n"
            "The same file gives the same answer, byte for byte.",
        .examples = "davit resolve --problem problem.json | jq -r .conflict\twhy nothing fits",
        .exits = CLI_EXIT(CLI_NO) | CLI_EXIT(CLI_FAILED),
        FLAGS(resolve_flags),
    },
    {
        .name = "semver check",
        .summary = "say whether versions satisfy constraints",
        .about =
            "Reads lines of a constraint, a tab and a version; prints true, false or error for "
            "each. Versions and constraints are those of package ranges: ^1.2, ~2.7, >=1 <2, 1.x, "
            "1.0 - 2.0, and || between alternatives.",
        .examples = "printf '^1.2\\t1.9.0\\n' | davit semver check\tprints true",
        .exits = CLI_EXIT(CLI_FAILED),
        FLAGS(help_only),
    },
    {
        .name = "semver compare",
        .summary = "say which of two versions is newer",
        .about = "Reads lines of two versions with a tab between; prints -1, 0, 1 or error for "
                 "each. Build metadata, which is digits, breaks ties: 2.7.0+1 is older than "
                 "2.7.0+2.",
        .examples = "printf '2.7.0+1\\t2.7.0+2\\n' | davit semver compare\tprints -1",
        .exits = CLI_EXIT(CLI_FAILED),
        FLAGS(help_only),
    },
};
const size_t cli_n_verbs = DV_LEN(cli_verbs);

void cli_options_done(cli_options *options)
{
    (void)options;
}

unsigned cli_verb_exits(const cli_verb *verb)
{
    return CLI_EXIT(CLI_OK) | CLI_EXIT(CLI_USAGE) | verb->exits;
}
