/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/parse_internal.h"

#include <stdarg.h>

/* ---- Faults ---- */

bool dv_parse_failed(const parser *p)
{
    return p->fault->n > 0;
}

void dv_parse_fail(parser *p, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    if (dv_parse_failed(p))
        return;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    DV_ASSERT(n >= 0);
    dv_buf_addf(p->fault, "template: %.*s:%u: %s", DV_FMT(p->source->name), p->words[0].line, text);
    free(text);
}

void dv_parse_unexpected(parser *p, const item *word, const char *context)
{
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PARSE_MESSAGE_MAX);

    dv_item_add(&name, word);
    if (word->type != ITEM_ERROR) {
        dv_parse_fail(p, "unexpected %s in %s", dv_buf_cstr(&name), context);
        return;
    }
    if (!p->action_line || p->action_line == word->line) {
        dv_parse_fail(p, "%s", dv_buf_cstr(&name));
        return;
    }
    dv_parse_fail(p, "%s%s started at %.*s:%u", dv_buf_cstr(&name),
                  dv_str_ends(word->text, DV_STR(" action")) ? "" : " in action",
                  DV_FMT(p->source->name), p->action_line);
}

/* ---- Words ---- */

item dv_parse_next(parser *p)
{
    if (dv_parse_failed(p))
        return (item){.type = ITEM_EOF, .pos = p->words[0].pos, .line = p->words[0].line};
    if (p->peeked > 0)
        p->peeked--;
    else
        p->words[0] = dv_lex_next(p->lex);
    return p->words[p->peeked];
}

void dv_parse_backup(parser *p)
{
    if (!dv_parse_failed(p))
        p->peeked++;
}

item dv_parse_peek(parser *p)
{
    item word = dv_parse_next(p);

    dv_parse_backup(p);
    return word;
}

item dv_parse_next_word(parser *p)
{
    item word;

    do
        word = dv_parse_next(p);
    while (word.type == ITEM_SPACE);
    return word;
}

item dv_parse_peek_word(parser *p)
{
    item word = dv_parse_next_word(p);

    dv_parse_backup(p);
    return word;
}

item dv_parse_expect(parser *p, item_type type, const char *context)
{
    item word = dv_parse_next_word(p);

    if (word.type != type)
        dv_parse_unexpected(p, &word, context);
    return word;
}

void dv_parse_push_back(parser *p, const item *first, const item *second)
{
    if (dv_parse_failed(p))
        return;
    if (second)
        p->words[1] = *second;
    p->words[second ? 2 : 1] = *first;
    p->peeked = second ? 3 : 2;
}

/* ---- Nodes ---- */

void *dv_parse_alloc(parser *p, size_t size)
{
    return dv_arena_alloc(p->target->arena, size);
}

node *dv_parse_make(parser *p, node_type type, uint32_t pos)
{
    node *n = dv_parse_alloc(p, sizeof(*n));

    if (dv_arena_used(p->target->arena) > p->target->limits->memory_max)
        dv_parse_fail(p, "the templates need more memory than is allowed");
    n->type = type;
    n->pos = pos;
    n->source = p->source;
    return n;
}

void dv_parse_add(parser *p, nodes *list, node *n)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 4;
        node **at = dv_parse_alloc(p, list->cap * sizeof(*at));

        if (list->n)
            memcpy(at, list->at, list->n * sizeof(*at));
        list->at = at;
    }
    list->at[list->n++] = n;
}

names dv_parse_fields(parser *p, names head, dv_str text)
{
    names all = {.n = head.n};
    dv_str part;

    for (size_t i = 0; i < text.n; i++)
        all.n += text.p[i] == '.';
    all.at = dv_parse_alloc(p, all.n * sizeof(*all.at));
    if (head.n)
        memcpy(all.at, head.at, head.n * sizeof(*all.at));
    text = dv_str_skip(text, 1);
    for (uint32_t i = head.n; i < all.n; i++) {
        text = dv_str_cut(text, '.', &part);
        all.at[i] = part;
    }
    return all;
}

static uint32_t variable_id(parser *p, dv_str name)
{
    for (size_t i = 0; i < p->ids.n; i++)
        if (dv_str_eq(p->ids.at[i], name))
            return (uint32_t)i;
    *dv_vec_push(&p->ids) = name;
    return (uint32_t)p->ids.n - 1;
}

node *dv_parse_variable(parser *p, uint32_t pos, dv_str name)
{
    node *n = dv_parse_make(p, NODE_VARIABLE, pos);

    n->variable.fields.at = dv_parse_alloc(p, sizeof(dv_str));
    n->variable.fields.at[0] = name;
    n->variable.fields.n = 1;
    n->variable.id = variable_id(p, name);
    return n;
}

bool dv_parse_enter(parser *p)
{
    if (*p->depth == p->target->limits->depth_max) {
        dv_parse_fail(p, "max expression depth exceeded");
        return false;
    }
    ++*p->depth;
    return true;
}
