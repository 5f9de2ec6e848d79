/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parsed template: the tree that the evaluator walks. It lives in an arena with the text it was
 * read from, and is never changed afterwards.
 *
 * Threads: any, once it is parsed.
 */
#pragma once

#include "base/arena.h"
#include "gotemplate/gotemplate.h"

typedef enum {
    NODE_TEXT,
    NODE_ACTION,
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_IF,
    NODE_RANGE,
    NODE_WITH,
    NODE_TEMPLATE,
    NODE_LIST,
    NODE_PIPE,
    NODE_COMMAND,
    NODE_IDENTIFIER,
    NODE_FIELD,
    NODE_VARIABLE,
    NODE_CHAIN,
    NODE_DOT,
    NODE_NIL,
    NODE_BOOL,
    NODE_NUMBER,
    NODE_STRING,
    NODE_END,  /* to the parser only */
    NODE_ELSE, /* likewise */
} node_type;

/* What all nodes of a file share, for error messages. */
typedef struct {
    dv_str name; /* the file's */
    dv_str text;
} node_source;

typedef struct node node;
typedef struct {
    node **at;
    uint32_t n, cap;
} nodes;

/* Identifiers without their dots. */
typedef struct {
    dv_str *at;
    uint32_t n;
} names;

typedef struct {
    dv_str text;
    bool is_int, is_uint, is_float, is_complex;
    int64_t i;
    uint64_t u;
    double f, imaginary;
    dv_val ideal; /* without a type to fit; NONE: overflows int */
} number;

struct node {
    node_type type;
    uint32_t pos; /* of its first byte in the text */
    const node_source *source;
    union {
        dv_str text; /* TEXT */
        nodes list;  /* LIST; COMMAND: the function or operand, then the arguments */
        struct {
            node *pipe, *list, *else_list; /* ACTION has a pipe only; else_list may be NULL */
        } branch;
        struct {
            dv_str name;
            node *pipe; /* NULL: none */
        } call;         /* TEMPLATE */
        struct {
            nodes decls, commands;
            bool assigns;
        } pipe;
        struct {
            dv_str name;
            const dv_function *function;
            bool builtin;
        } identifier;
        names fields; /* FIELD */
        struct {
            names fields; /* the variable's name first, with its "$" */
            uint32_t id;  /* of the name, within the template */
        } variable;
        struct {
            node *node;
            names fields;
        } chain;
        bool truth; /* BOOL */
        number number;
        struct {
            dv_str quoted, text;
        } string;
    };
};

/* A template: what a file holds, or a define in it. */
typedef struct {
    dv_str name;
    const node_source *source;
    node *root; /* LIST */
} tree;

/* Nothing but blanks and comments: such a definition replaces no other. */
bool dv_node_is_empty(const node *n);
/* Appends an expression's canonical text, as Go's String(). */
void dv_node_add(dv_buf *out, const node *n);

/* Where the parser puts what it finds, and what it may call. */
typedef struct {
    dv_arena *arena;                        /* without a ceiling */
    const dv_function_table *const *tables; /* later ones win; NULL at the end */
    const dv_parse_limits *limits;
    void *context;
    void (*define)(void *context, tree *tree); /* once for each, the file's own last */
} parse_target;

/* Copies name and text. INVALID "BadTemplate": Go's text. */
DV_MUST_USE dv_err *dv_parse(const parse_target *target, dv_str name, dv_str text);

/* The function of that name, or NULL; *ret_builtin: it is one of the language's own. */
const dv_function *dv_function_find(const dv_function_table *const *tables, dv_str name,
                                    bool *ret_builtin);
