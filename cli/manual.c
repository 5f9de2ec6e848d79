/* SPDX-License-Identifier: Apache-2.0 */
/* davit manual: manual pages in the man macros of roff, from the table of verbs. */
#include <ctype.h>

#include "offline.h"
#include "version.h"

/* ---- roff ---- */

/* Text of one line: what roff would take for its own is escaped. */
static void add_text(dv_buf *out, dv_str text)
{
    if (text.n && (text.p[0] == '.' || text.p[0] == '\''))
        dv_buf_adds(out, "\\&");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\')
            dv_buf_adds(out, "\\e");
        else if (text.p[i] == '-')
            dv_buf_adds(out, "\\-");
        else
            dv_buf_addc(out, text.p[i]);
    }
}

static void add_line(dv_buf *out, const char *text)
{
    add_text(out, dv_str_of(text));
    dv_buf_addc(out, '\n');
}

static void add_section(dv_buf *out, const char *title)
{
    dv_buf_addf(out, ".SH %s\n", title);
}

/* "semver check" → "davit-semver-check"; owned. */
static char *page_name(const cli_verb *verb)
{
    char *name = verb ? dv_asprintf("davit-%s", verb->name) : dv_strdup("davit");

    for (char *at = name; *at; at++)
        if (*at == ' ')
            *at = '-';
    return name;
}

static void add_title(dv_buf *out, const cli_verb *verb)
{
    dv_auto_str name = page_name(verb);

    dv_buf_adds(out, ".TH ");
    for (const char *at = name; *at; at++)
        dv_buf_addc(out, (char)toupper((unsigned char)*at));
    dv_buf_addf(out, " 1 \"\" \"davit %s\" \"Davit\"\n", DV_VERSION);
    add_section(out, "NAME");
    add_text(out, dv_str_of(name));
    dv_buf_adds(out, " \\- ");
    add_line(out, verb ? verb->summary : "show and check packages of a Kubernetes cluster");
}

static void add_paragraphs(dv_buf *out, const char *text)
{
    dv_str rest = dv_str_of(text), line;

    while (rest.n) {
        rest = dv_str_cut(rest, '\n', &line);
        if (line.n)
            add_text(out, line);
        else
            dv_buf_adds(out, ".PP");
        dv_buf_addc(out, '\n');
    }
}

static void add_flag(dv_buf *out, const dv_flag *flag, const cli_options *defaults)
{
    DV_CLEANUP(dv_buf_done) dv_buf said = DV_BUF_INIT(DV_LINE_MAX);

    dv_buf_adds(out, ".TP\n");
    if (flag->short_name)
        dv_buf_addf(out, "\\fB\\-%c\\fR, ", flag->short_name);
    dv_buf_adds(out, "\\fB\\-\\-");
    add_text(out, dv_str_of(flag->name));
    dv_buf_adds(out, "\\fR");
    if (flag->value) {
        dv_buf_adds(out, " \\fI");
        add_text(out, dv_str_of(flag->value));
        dv_buf_adds(out, "\\fR");
    }
    dv_buf_addc(out, '\n');
    dv_flag_add_default(flag, defaults, &said);
    add_text(out, dv_str_of(flag->help));
    add_line(out, dv_buf_cstr(&said));
}

static void add_exits(dv_buf *out, unsigned codes)
{
    add_section(out, "EXIT STATUS");
    for (int code = CLI_OK; cli_exit_text((cli_exit)code); code++) {
        if (!(codes & CLI_EXIT(code)))
            continue;
        dv_buf_addf(out, ".TP\n\\fB%d\\fR\n", code);
        add_line(out, cli_exit_text((cli_exit)code));
    }
}

static void add_examples(dv_buf *out, const char *examples)
{
    dv_str rest = dv_str_of(examples), line, command;

    add_section(out, "EXAMPLES");
    while (rest.n) {
        rest = dv_str_cut(rest, '\n', &line);
        line = dv_str_cut(line, '\t', &command);
        dv_buf_adds(out, ".TP\n");
        add_text(out, command);
        dv_buf_addc(out, '\n');
        add_text(out, line);
        dv_buf_adds(out, line.n ? "\n" : "\\&\n");
    }
}

/* ---- Pages ---- */

static void add_page(dv_buf *out, const cli_verb *verb)
{
    const cli_options defaults = cli_options_default();

    add_title(out, verb);
    add_section(out, "SYNOPSIS");
    dv_buf_adds(out, "\\fBdavit ");
    add_text(out, dv_str_of(verb->name));
    dv_buf_adds(out, "\\fR ");
    add_text(out, dv_str_of(verb->args));
    dv_buf_adds(out, " [flags]\n");
    add_section(out, "DESCRIPTION");
    add_paragraphs(out, verb->about);
    add_section(out, "OPTIONS");
    for (size_t i = 0; i < verb->n_flags; i++)
        add_flag(out, &verb->flags[i], &defaults);
    if (verb->examples)
        add_examples(out, verb->examples);
    add_exits(out, cli_verb_exits(verb));
    add_section(out, "SEE ALSO");
    dv_buf_adds(out, ".BR davit (1)\n");
}

static void add_overview(dv_buf *out)
{
    add_title(out, /* verb= */ NULL);
    add_section(out, "SYNOPSIS");
    dv_buf_adds(out, "\\fBdavit\\fR \\fICOMMAND\\fR [flags]\n.br\n"
                     "\\fBkubectl davit\\fR \\fICOMMAND\\fR [flags]\n");
    add_section(out, "DESCRIPTION");
    add_paragraphs(out, cli_about);
    add_section(out, "COMMANDS");
    for (size_t i = 0; i < cli_n_verbs; i++) {
        dv_auto_str page = page_name(&cli_verbs[i]);

        dv_buf_adds(out, ".TP\n.BR ");
        add_text(out, dv_str_of(page));
        dv_buf_adds(out, " (1)\n");
        add_line(out, cli_verbs[i].summary);
    }
    add_section(out, "ENVIRONMENT");
    for (size_t i = 0; i < cli_n_environment; i++) {
        dv_buf_addf(out, ".TP\n\\fB%s\\fR\n", cli_environment[i].name);
        add_line(out, cli_environment[i].text);
    }
    add_exits(out, ~0U);
}

/* ---- The verb ---- */

static dv_err *print_names(void)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    for (size_t i = 0; i < cli_n_verbs; i++)
        dv_buf_addf(&out, "%s\n", cli_verbs[i].name);
    return cli_print(dv_buf_str(&out));
}

dv_err *cli_manual(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    const cli_verb *verb = NULL;
    size_t words = 0;

    (void)ret_exit;
    if (strcmp(call->options.output, "name") == 0)
        return print_names();
    if (call->n)
        verb = cli_verb_find(call->args, call->n, &words);
    if (call->n && (!verb || words != call->n))
        return dv_err_new(DV_INVALID, CLI_BAD_USAGE, "there is no command \"%.64s%s%.64s\"",
                          call->args[0], call->n > 1 ? " " : "", call->n > 1 ? call->args[1] : "");
    if (verb)
        add_page(&out, verb);
    else
        add_overview(&out);
    return cli_print(dv_buf_str(&out));
}
