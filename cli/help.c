/* SPDX-License-Identifier: Apache-2.0 */
#include "verb.h"

enum { WIDTH = 100 };

static size_t length(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* One paragraph, broken at blanks. */
static void add_wrapped(dv_str text, dv_buf *out)
{
    size_t column = 0;

    while (text.n) {
        dv_str word;

        text = dv_str_cut(text, ' ', &word);
        dv_auto_str copy = dv_str_dup(word);
        if (column && column + 1 + length(copy) > WIDTH) {
            dv_buf_addc(out, '\n');
            column = 0;
        }
        dv_buf_addf(out, "%s%s", column ? " " : "", copy);
        column += (column > 0) + length(copy);
    }
    dv_buf_addc(out, '\n');
}

static void add_about(const char *about, dv_buf *out)
{
    dv_str rest = dv_str_of(about), line;

    while (rest.n) {
        rest = dv_str_cut(rest, '\n', &line);
        add_wrapped(line, out);
    }
}

static void add_examples(const char *examples, dv_buf *out)
{
    dv_str rest = dv_str_of(examples), line, command;

    dv_buf_adds(out, "\nExamples:\n");
    while (rest.n) {
        rest = dv_str_cut(rest, '\n', &line);
        line = dv_str_cut(line, '\t', &command);
        if (line.n)
            dv_buf_addf(out, "  # %.*s\n", DV_FMT(line));
        dv_buf_addf(out, "  %.*s\n", DV_FMT(command));
    }
}

static void add_usage(const cli_verb *verb, dv_buf *out)
{
    dv_buf_addf(out, "Usage: davit %s", verb->name);
    if (verb->args && *verb->args)
        dv_buf_addf(out, " %s", verb->args);
    dv_buf_adds(out, verb->n_flags > 1 ? " [flags]\n" : "\n");
}

static void add_exits(unsigned codes, dv_buf *out)
{
    dv_buf_adds(out, "\nExit status:\n");
    for (int code = CLI_OK; cli_exit_text((cli_exit)code); code++)
        if (codes & CLI_EXIT(code))
            dv_buf_addf(out, "  %d  %s\n", code, cli_exit_text((cli_exit)code));
}

static void help_verb(const cli_verb *verb, dv_buf *out)
{
    const cli_options defaults = cli_options_default();

    add_usage(verb, out);
    dv_buf_addc(out, '\n');
    add_about(verb->about, out);
    dv_buf_adds(out, "\nFlags:\n");
    dv_flags_help(verb->flags, verb->n_flags, &defaults, out);
    if (verb->examples)
        add_examples(verb->examples, out);
    add_exits(cli_verb_exits(verb), out);
}

static void help_all(dv_buf *out)
{
    size_t width = 0;

    for (size_t i = 0; i < cli_n_verbs; i++)
        width = DV_MAX(width, strlen(cli_verbs[i].name));
    dv_buf_adds(out, "davit shows and checks packages: what is installed, what would be, and why.\n"
                     "\nUsage: davit COMMAND [flags]\n"
                     "       kubectl davit COMMAND [flags]\n\nCommands:\n");
    for (size_t i = 0; i < cli_n_verbs; i++)
        dv_buf_addf(out, "  %-*s  %s\n", (int)width, cli_verbs[i].name, cli_verbs[i].summary);
    dv_buf_adds(out, "\n\"davit COMMAND --help\" says more about one, \"davit --version\" which "
                     "davit this is.\n");
    add_exits(~0U, out);
}

void cli_help(const cli_verb *verb, dv_buf *out)
{
    if (verb)
        help_verb(verb, out);
    else
        help_all(out);
}
