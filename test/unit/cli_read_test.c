/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, and the table that it is read by. */
#include "testlib.h"
#include "verb.h"

enum { ARGS_MAX = 12 };

/* Splits the words of a command line; in place. */
static int split(char *line, char *argv[ARGS_MAX + 1])
{
    int argc = 1;

    argv[0] = line;
    for (char *at = line; *at; at++) {
        if (*at != ' ')
            continue;
        *at = '\0';
        assert_true(argc < ARGS_MAX);
        argv[argc++] = at + 1;
    }
    argv[argc] = NULL;
    return argc;
}

/* ---- What is understood ---- */

static const struct row {
    const char *name, *line, *verb; /* verb NULL: none */
    const char *first;              /* argument; NULL: none */
    const char *ns, *output;
    bool help;
} rows[] = {
    {"nothing", "davit", NULL, NULL, NULL, "", false},
    {"help alone", "davit --help", NULL, NULL, NULL, "", true},
    {"help as a word", "davit help", NULL, NULL, NULL, "", true},
    {"a command", "davit tree", "tree", NULL, NULL, "", false},
    {"a command and its argument", "davit tree shop", "tree", "shop", NULL, "", false},
    {"a command of two words", "davit semver check", "semver check", NULL, NULL, "", false},
    {"flags behind the command", "davit tree -n team -o json", "tree", NULL, "team", "json", false},
    {"flags before the command", "davit -n team tree shop", "tree", "shop", "team", "", false},
    {"flags on both sides", "davit --namespace=team tree --output yaml shop", "tree", "shop",
     "team", "yaml", false},
    {"the value of a flag is no command", "davit -n tree explain shop", "explain", "shop", "tree",
     "", false},
    {"help of a command", "davit help tree", "tree", NULL, NULL, "", true},
    {"help of a command of two words", "davit help semver compare", "semver compare", NULL, NULL,
     "", true},
    {"help as a flag needs no arguments", "davit explain -h", "explain", NULL, NULL, "", true},
    {"what follows two dashes is no flag", "davit explain -- -x", "explain", "-x", NULL, "", false},
};

static void row_is_read(void **state)
{
    const struct row *row = *state;
    dv_auto_str line = dv_strdup(row->line);
    char *argv[ARGS_MAX + 1];
    DV_CLEANUP(cli_call_done) cli_call call;

    assert_ok(cli_read(split(line, argv), argv, &call));
    assert_int_equal(call.options.help, row->help);
    assert_string_equal(call.verb ? call.verb->name : "", row->verb ? row->verb : "");
    assert_string_equal(call.n ? call.args[0] : "", row->first ? row->first : "");
    assert_string_equal(call.options.ns ? call.options.ns : "", row->ns ? row->ns : "");
    assert_string_equal(call.options.output, row->output);
}

/* ---- What is not ---- */

static const struct bad_row {
    const char *name, *line, *says;
} bad[] = {
    {"an unknown command", "davit nothing", "unknown command \"nothing\""},
    {"the nearest command is named", "davit exlpain x", "did you mean \"explain\"?"},
    {"half a command", "davit semver", "say \"semver check\" or \"semver compare\""},
    {"another half", "davit semver chekc", "say \"semver check\" or \"semver compare\""},
    {"an unknown flag", "davit tree --nothing", "unknown flag --nothing"},
    {"a flag of another command", "davit tree --strict", "unknown flag --strict"},
    {"an argument is missing", "davit explain", "PACKAGE is missing"},
    {"an argument too many", "davit explain a b", "unexpected argument \"b\""},
    {"an output that the command has not", "davit versions x -o wide",
     "\"wide\" is none of json|yaml|name"},
    {"a flag without its value", "davit tree -n", "needs a value"},
    {"an unknown flag alone", "davit --nothing", "unknown flag --nothing"},
};

static void row_is_refused(void **state)
{
    const struct bad_row *row = *state;
    dv_auto_str line = dv_strdup(row->line);
    char *argv[ARGS_MAX + 1];
    DV_CLEANUP(cli_call_done) cli_call call;

    dv_err *err = cli_read(split(line, argv), argv, &call);
    assert_int_equal(cli_exit_of(err), CLI_USAGE);
    assert_err(err, DV_INVALID, row->says);
}

/* ---- The table ---- */

static void each_command_says_what_it_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_n_verbs; i++) {
        const cli_verb *verb = &cli_verbs[i];

        assert_true(strlen(verb->summary) > 10 && strlen(verb->summary) < 75);
        assert_true(verb->summary[strlen(verb->summary) - 1] != '.');
        assert_true(verb->about[strlen(verb->about) - 1] == '.');
        assert_true(verb->least <= verb->most);
        assert_true((verb->most > 0) == (verb->arg != CLI_ARG_NONE));
    }
}

/* Flags may stand before the command, so a name must mean one kind of value. */
static void a_flag_means_the_same_everywhere(void **state)
{
    (void)state;
    for (size_t v = 0; v < cli_n_verbs; v++)
        for (size_t w = 0; w < v; w++)
            for (size_t i = 0; i < cli_verbs[v].n_flags; i++)
                for (size_t k = 0; k < cli_verbs[w].n_flags; k++) {
                    const dv_flag *a = &cli_verbs[v].flags[i], *b = &cli_verbs[w].flags[k];

                    if (strcmp(a->name, b->name) == 0) {
                        assert_int_equal(a->offset, b->offset);
                        assert_int_equal(a->type, b->type);
                        assert_int_equal(a->short_name, b->short_name);
                    } else if (a->short_name && a->short_name == b->short_name) {
                        assert_int_equal(a->type == DV_FLAG_BOOL, b->type == DV_FLAG_BOOL);
                    }
                }
}

static void each_command_has_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_n_verbs; i++) {
        const cli_verb *verb = &cli_verbs[i];
        bool has_help = false;

        for (size_t k = 0; k < verb->n_flags; k++)
            has_help = has_help || verb->flags[k].short_name == 'h';
        assert_true(has_help);
    }
}

/* ---- Exit status ---- */

static void errors_end_with_what_they_are(void **state)
{
    static const struct {
        dv_err_kind kind;
        const char *reason;
        cli_exit want;
    } errors[] = {
        {DV_INVALID, CLI_BAD_USAGE, CLI_USAGE},  {DV_INVALID, "Other", CLI_FAILED},
        {DV_DENIED, "Forbidden", CLI_FORBIDDEN}, {DV_TRANSIENT, "Network", CLI_FAILED},
        {DV_NOT_FOUND, "NotFound", CLI_FAILED},
    };

    (void)state;
    assert_int_equal(cli_exit_of(NULL), CLI_OK);
    for (size_t i = 0; i < DV_LEN(errors); i++) {
        dv_auto(dv_err) err = dv_err_new(errors[i].kind, errors[i].reason, "x");

        assert_int_equal(cli_exit_of(err), errors[i].want);
    }
}

int main(void)
{
    dv_suite suite = {.name = "cli/read"};

    DV_TABLE(&suite, row_is_read, rows);
    DV_TABLE(&suite, row_is_refused, bad);
    DV_TEST(&suite, each_command_says_what_it_does);
    DV_TEST(&suite, a_flag_means_the_same_everywhere);
    DV_TEST(&suite, each_command_has_help);
    DV_TEST(&suite, errors_end_with_what_they_are);
    return dv_suite_run(&suite);
}
