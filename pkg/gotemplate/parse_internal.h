/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser's parts: words and nodes (parse_words.c), literals (parse_literal.c), expressions
 * (parse_expression.c), control structures and templates (parse.c).
 *
 * As in Go it stops at the first fault: from then on every word is the end of the text, so all
 * loops end, and only the first message counts.
 *
 * Threads: owner.
 */
#pragma once

#include "base/vec.h"
#include "gotemplate/lex_internal.h"
#include "gotemplate/node_internal.h"

enum { DV_PARSE_MESSAGE_MAX = 64 * 1024, DV_PARSE_WORDS = 3 };

typedef DV_VEC(tree *) trees;

/* One template being parsed; a define or block in it has one of its own, on the same words. */
typedef struct {
    const parse_target *target;
    lexer *lex;
    const node_source *source;
    item words[DV_PARSE_WORDS]; /* the last ones read; [0] the newest */
    int peeked;
    DV_VEC(dv_str) vars; /* in scope */
    DV_VEC(dv_str) ids;  /* all names of variables; the place is the id */
    trees *found;
    uint32_t action_line; /* where the action began; 0: outside */
    unsigned ranges;      /* that are open */
    size_t *depth;
    dv_buf *fault; /* what is wrong; not empty: parsing has failed */
} parser;

/* ---- Words and nodes ---- */

bool dv_parse_failed(const parser *p);
void dv_parse_fail(parser *p, const char *format, ...) DV_PRINTF(2, 3);
void dv_parse_unexpected(parser *p, const item *word, const char *context);
item dv_parse_next(parser *p);
void dv_parse_backup(parser *p);
item dv_parse_peek(parser *p);
/* The same, past blanks. */
item dv_parse_next_word(parser *p);
item dv_parse_peek_word(parser *p);
item dv_parse_expect(parser *p, item_type type, const char *context);
/* Puts back first, and second (may be NULL), and the newest word, which is still in place. */
void dv_parse_push_back(parser *p, const item *first, const item *second);

void *dv_parse_alloc(parser *p, size_t size);
node *dv_parse_make(parser *p, node_type type, uint32_t pos);
void dv_parse_add(parser *p, nodes *list, node *n);
/* ".a.b" as names, behind those in head. */
names dv_parse_fields(parser *p, names head, dv_str text);
node *dv_parse_variable(parser *p, uint32_t pos, dv_str name);
/* Counts a level; false: too deep. Its end is --*p->depth. */
bool dv_parse_enter(parser *p);

/* ---- Literals ---- */

/* The unquoted text, in the arena; false: the literal is broken. */
bool dv_parse_unquote(parser *p, dv_str quoted, dv_str *ret_text);
node *dv_parse_number(parser *p, const item *word);
node *dv_parse_string(parser *p, const item *word);

/* ---- Expressions ---- */

node *dv_parse_pipeline(parser *p, const char *context, item_type end);
