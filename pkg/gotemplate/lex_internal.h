/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a template, one at a time, as Go's lexer has them: positions and lines too, for
 * they stand in error messages.
 *
 * Threads: owner.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

typedef enum {
    ITEM_ERROR,
    ITEM_BOOL,
    ITEM_CHAR,
    ITEM_CHAR_CONSTANT,
    ITEM_COMPLEX,
    ITEM_ASSIGN,
    ITEM_DECLARE,
    ITEM_EOF,
    ITEM_FIELD,
    ITEM_IDENTIFIER,
    ITEM_LEFT_DELIM,
    ITEM_LEFT_PAREN,
    ITEM_NUMBER,
    ITEM_PIPE,
    ITEM_RAW_STRING,
    ITEM_RIGHT_DELIM,
    ITEM_RIGHT_PAREN,
    ITEM_SPACE,
    ITEM_STRING,
    ITEM_TEXT,
    ITEM_VARIABLE,
    ITEM_KEYWORD, /* only parts the words above from those below */
    ITEM_BLOCK,
    ITEM_BREAK,
    ITEM_CONTINUE,
    ITEM_DOT,
    ITEM_DEFINE,
    ITEM_ELSE,
    ITEM_END,
    ITEM_IF,
    ITEM_NIL,
    ITEM_RANGE,
    ITEM_TEMPLATE,
    ITEM_WITH,
} item_type;

typedef struct {
    item_type type;
    uint32_t pos, line;
    dv_str text; /* of ERROR: the message */
} item;

typedef struct {
    dv_str input;
    dv_arena *arena; /* of messages */
    uint32_t pos, start, line, start_line;
    int parens;
    bool inside_action, at_eof;
} lexer;

void dv_lex_init(lexer *l, dv_str input, dv_arena *arena);
item dv_lex_next(lexer *l);
/* Appends the item as Go's messages name it. */
void dv_item_add(dv_buf *out, const item *word);
