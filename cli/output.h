/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people and scripts are shown: columns, colours, JSON and YAML.
 *
 * Text from clusters and repositories is an outsider's: control characters never reach a terminal,
 * see cli_add_text().
 *
 * Threads: main.
 */
#pragma once

#include "json/json.h"

/* ---- Colours ---- */

typedef enum { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW, CLI_CYAN } cli_style;

/*
 * Decides whether colours are used: on a terminal, unless NO_COLOR is set and not empty or TERM is
 * "dumb". Called once.
 */
void cli_color_setup(int fd);
/* For tests. */
void cli_color_set(bool on);
void cli_style_on(dv_buf *out, cli_style style);
void cli_style_off(dv_buf *out, cli_style style);

/* ---- Text ---- */

/* Appends text in which control characters, and what is not UTF-8, became '?'. */
void cli_add_text(dv_buf *out, const char *text);
void cli_add_styled(dv_buf *out, cli_style style, const char *text);
/* Prints "davit: " and the text on stderr, as cli_add_text() has it, but for the ends of lines. */
void cli_say(const char *text);
/*
 * Appends the numbered steps of a solver's explanation, a line each behind `indent` blanks. One
 * step alone says what its summary says: it is left out, as is NULL.
 */
void cli_add_derivation(dv_buf *out, const char *steps, size_t indent);
/* Columns that a terminal gives the text (which has no control characters): one a code point. */
size_t cli_width(const char *text);

/*
 * Appends the lines that lead to a node of a tree at this depth; last[i]: of level i the last node
 * has come, so nothing follows there. Trees are drawn to CLI_BRANCHES_MAX levels.
 */
#define CLI_BRANCHES_MAX 64
void cli_add_branches(dv_buf *out, const bool *last, size_t depth);

/* ---- Columns ---- */

#define CLI_COLUMNS_MAX 8
typedef struct {
    size_t columns;
    dv_strings cells; /* rows one behind the other; the first is the heading */
} cli_table;
/* headings: NULL-terminated. */
void cli_table_init(cli_table *table, const char *const *headings);
void cli_table_done(cli_table *table);
/* The next cell; NULL counts as "". */
void cli_table_add(cli_table *table, const char *text);
void cli_table_write(const cli_table *table, dv_buf *out);

/* ---- Documents ---- */

/* Appends doc as "json" or "yaml". */
void cli_add_document(dv_buf *out, const json_t *doc, const char *format);
