/* SPDX-License-Identifier: Apache-2.0 */
/* davit lint: looks, sorts, prints. */
#include "lint.h"

#include <unistd.h>

#include "offline.h"
#include "output.h"

static const char *severity_name(lint_severity severity)
{
    return severity == LINT_ERROR ? "error" : "warning";
}

/* By file and line, errors first. */
static int by_place(const void *a, const void *b)
{
    const lint_finding *x = a, *y = b;
    int order = strcmp(x->file, y->file);

    if (order)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    return strcmp(x->message, y->message);
}

static void add_finding(const lint *l, const lint_finding *f, dv_buf *out)
{
    cli_add_text(out, l->root);
    dv_buf_addc(out, '/');
    cli_add_text(out, f->file);
    if (f->line)
        dv_buf_addf(out, ":%zu", f->line);
    dv_buf_adds(out, ": ");
    cli_add_styled(out, f->severity == LINT_ERROR ? CLI_RED : CLI_YELLOW,
                   severity_name(f->severity));
    dv_buf_adds(out, ": ");
    cli_add_text(out, f->message);
    dv_buf_addf(out, " [%s]\n", f->rule);
}

static dv_err *print_text(const lint *l)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    size_t left_out = l->errors + l->warnings - l->findings.n;

    for (size_t i = 0; i < l->findings.n; i++)
        add_finding(l, &l->findings.at[i], &out);
    if (left_out)
        dv_buf_addf(&out, "%zu further findings are not shown\n", left_out);
    dv_buf_addf(&out, "%zu errors, %zu warnings\n", l->errors, l->warnings);
    DV_CHECK(dv_buf_check(&out));
    return cli_print(dv_buf_str(&out));
}

static dv_err *print_structured(const lint *l, const char *format)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    json_t *list = json_array();
    json_auto_t *doc = json_pack("{s:o,s:I,s:I}", "findings", list, "errors", (json_int_t)l->errors,
                                 "warnings", (json_int_t)l->warnings);

    for (size_t i = 0; i < l->findings.n; i++) {
        const lint_finding *f = &l->findings.at[i];
        json_t *row = json_object();

        json_object_set_new(row, "file", dv_json_string(dv_str_of(f->file)));
        if (f->line)
            json_object_set_new(row, "line", json_integer((json_int_t)f->line));
        json_object_set_new(row, "severity", json_string(severity_name(f->severity)));
        json_object_set_new(row, "rule", json_string(f->rule));
        json_object_set_new(row, "message", dv_json_string(dv_str_of(f->message)));
        json_array_append_new(list, row);
    }
    cli_add_document(&out, doc, format);
    DV_CHECK(dv_buf_check(&out));
    return cli_print(dv_buf_str(&out));
}

dv_err *cli_lint(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(lint_done) lint l;

    cli_color_setup(STDOUT_FILENO);
    lint_init(&l, call->args[0]);
    dv_err *err = lint_run(&l);
    if (dv_err_is(err, DV_INVALID))
        return dv_err_recast(err, DV_INVALID, CLI_BAD_USAGE);
    DV_CHECK(err);
    if (l.findings.n)
        qsort(l.findings.at, l.findings.n, sizeof(l.findings.at[0]), by_place);
    if (l.errors || (call->options.strict && l.warnings))
        *ret_exit = CLI_NO;
    return *call->options.output ? print_structured(&l, call->options.output) : print_text(&l);
}
