/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <unistd.h>

#include "yaml/yaml.h"

/* ---- Colours ---- */

/* Set before anything is printed. */
static bool colors;

void cli_color_set(bool on)
{
    colors = on;
}

void cli_color_setup(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    colors = isatty(fd) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

void cli_style_on(dv_buf *out, cli_style style)
{
    static const char *const codes[] = {
        [CLI_PLAIN] = "",        [CLI_BOLD] = "\033[1m",   [CLI_DIM] = "\033[2m",
        [CLI_RED] = "\033[31m",  [CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m",
        [CLI_CYAN] = "\033[36m",
    };

    if (colors)
        dv_buf_adds(out, codes[style]);
}

void cli_style_off(dv_buf *out, cli_style style)
{
    if (colors && style != CLI_PLAIN)
        dv_buf_adds(out, "\033[0m");
}

/* ---- Text ---- */

/* C0 controls, DEL, and the C1 controls, which some terminals obey too. */
static bool is_control(dv_str s)
{
    unsigned char c = (unsigned char)s.p[0];

    return c < 0x20 || c == 0x7f || (c == 0xc2 && s.n > 1 && (unsigned char)s.p[1] < 0xa0);
}

void cli_add_text(dv_buf *out, const char *text)
{
    dv_str rest = dv_str_of(text);

    while (rest.n) {
        size_t n = dv_utf8_len(rest);

        if (n == 0 || is_control(rest))
            dv_buf_addc(out, '?');
        else
            dv_buf_add(out, rest.p, n);
        rest = dv_str_skip(rest, n ? n : 1);
    }
}

void cli_say(const char *text)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    dv_str rest = dv_str_of(text), line;

    dv_buf_adds(&out, "davit: ");
    while (rest.n) {
        rest = dv_str_cut(rest, '\n', &line);
        dv_auto_str copy = dv_str_dup(line);
        cli_add_text(&out, copy);
        if (rest.n)
            dv_buf_addc(&out, '\n');
    }
    fprintf(stderr, "%s\n", dv_buf_cstr(&out));
}

void cli_add_styled(dv_buf *out, cli_style style, const char *text)
{
    cli_style_on(out, style);
    cli_add_text(out, text);
    cli_style_off(out, style);
}

void cli_add_derivation(dv_buf *out, const char *steps, size_t indent)
{
    dv_str rest = dv_str_of(steps), line;

    if (!steps || !strstr(steps, "\n2. "))
        return;
    while (rest.n) {
        rest = dv_str_cut(rest, '\n', &line);
        dv_auto_str copy = dv_str_dup(line);
        dv_buf_fill(out, ' ', indent);
        cli_add_text(out, copy);
        dv_buf_addc(out, '\n');
    }
}

size_t cli_width(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

void cli_add_branches(dv_buf *out, const bool *last, size_t depth)
{
    for (size_t i = 0; i + 1 < depth; i++)
        dv_buf_adds(out, last[i] ? "   " : "│  ");
    if (depth)
        dv_buf_adds(out, last[depth - 1] ? "└─ " : "├─ ");
}

/* ---- Columns ---- */

enum { GAP = 3 };

void cli_table_init(cli_table *table, const char *const *headings)
{
    *table = (cli_table){0};
    for (; headings[table->columns]; table->columns++)
        cli_table_add(table, headings[table->columns]);
    DV_ASSERT(table->columns <= CLI_COLUMNS_MAX);
}

void cli_table_done(cli_table *table)
{
    dv_strings_done(&table->cells);
}

void cli_table_add(cli_table *table, const char *text)
{
    DV_CLEANUP(dv_buf_done) dv_buf cell = DV_BUF_INIT(DV_LINE_MAX);

    cli_add_text(&cell, text ? text : "");
    dv_strings_take(&table->cells, dv_buf_take(&cell));
}

void cli_table_write(const cli_table *table, dv_buf *out)
{
    size_t widths[CLI_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < table->cells.n; i++)
        widths[i % table->columns] =
            DV_MAX(widths[i % table->columns], cli_width(table->cells.at[i]));
    for (size_t i = 0; i < table->cells.n; i++) {
        bool last = i % table->columns == table->columns - 1;

        dv_buf_adds(out, table->cells.at[i]);
        if (last)
            dv_buf_addc(out, '\n');
        else
            dv_buf_fill(out, ' ', widths[i % table->columns] + GAP - cli_width(table->cells.at[i]));
    }
}

/* ---- Documents ---- */

void cli_add_document(dv_buf *out, const json_t *doc, const char *format)
{
    if (strcmp(format, "yaml") == 0) {
        dv_yaml_write(doc, out);
        return;
    }
    dv_json_write_pretty(doc, out);
    dv_buf_addc(out, '\n');
}
