/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format.h"
#include "gotemplate/parse_internal.h"

/* ---- Operands ---- */

static node *use_variable(parser *p, const item *word)
{
    for (size_t i = 0; i < p->vars.n; i++)
        if (dv_str_eq(p->vars.at[i], word->text))
            return dv_parse_variable(p, word->pos, word->text);
    dv_parse_fail(p, "undefined variable \"%.*s\"", DV_FMT(word->text));
    return NULL;
}

static node *parse_identifier(parser *p, const item *word)
{
    node *n = dv_parse_make(p, NODE_IDENTIFIER, word->pos);

    n->identifier.name = word->text;
    n->identifier.function =
        dv_function_find(p->target->tables, word->text, &n->identifier.builtin);
    if (!n->identifier.function)
        dv_parse_fail(p, "function \"%.*s\" not defined", DV_FMT(word->text));
    return n;
}

static node *parse_parentheses(parser *p)
{
    if (!dv_parse_enter(p))
        return NULL;
    node *n = dv_parse_pipeline(p, "parenthesized pipeline", ITEM_RIGHT_PAREN);
    --*p->depth;
    return n;
}

/* NULL: the next word is no operand, or the template is faulty. */
static node *parse_term(parser *p)
{
    item word = dv_parse_next_word(p);
    node *n;

    switch (word.type) {
    case ITEM_IDENTIFIER:
        return parse_identifier(p, &word);
    case ITEM_DOT:
        return dv_parse_make(p, NODE_DOT, word.pos);
    case ITEM_NIL:
        return dv_parse_make(p, NODE_NIL, word.pos);
    case ITEM_VARIABLE:
        return use_variable(p, &word);
    case ITEM_FIELD:
        n = dv_parse_make(p, NODE_FIELD, word.pos);
        n->fields = dv_parse_fields(p, (names){0}, word.text);
        return n;
    case ITEM_BOOL:
        n = dv_parse_make(p, NODE_BOOL, word.pos);
        n->truth = dv_str_is(word.text, "true");
        return n;
    case ITEM_CHAR_CONSTANT:
    case ITEM_COMPLEX:
    case ITEM_NUMBER:
        return dv_parse_number(p, &word);
    case ITEM_LEFT_PAREN:
        return parse_parentheses(p);
    case ITEM_STRING:
    case ITEM_RAW_STRING:
        return dv_parse_string(p, &word);
    default:
        dv_parse_backup(p);
        return NULL;
    }
}

static void refuse_chain(parser *p, const node *n)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PARSE_MESSAGE_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf quoted = DV_BUF_INIT(DV_PARSE_MESSAGE_MAX);

    dv_node_add(&text, n);
    dv_quote(&quoted, dv_buf_str(&text));
    dv_parse_fail(p, "unexpected . after term %s", dv_buf_cstr(&quoted));
}

/* A term and the fields behind it. Go puts the whole at the second of them. */
static node *parse_operand(parser *p)
{
    node *term = parse_term(p);
    names fields = {0};
    uint32_t pos;

    if (!term || dv_parse_failed(p) || dv_parse_peek(p).type != ITEM_FIELD)
        return term;
    pos = dv_parse_peek(p).pos;
    if (term->type == NODE_FIELD)
        fields = term->fields;
    else if (term->type == NODE_VARIABLE)
        fields = term->variable.fields;
    DV_VEC(dv_str) more = {0};
    while (dv_parse_peek(p).type == ITEM_FIELD)
        *dv_vec_push(&more) = dv_parse_next(p).text;
    dv_str text = {more.at[0].p,
                   (size_t)(more.at[more.n - 1].p - more.at[0].p) + more.at[more.n - 1].n};
    dv_vec_done(&more);
    fields = dv_parse_fields(p, fields, text);
    switch (term->type) {
    case NODE_FIELD:
        term->fields = fields;
        term->pos = pos;
        return term;
    case NODE_VARIABLE:
        term->variable.fields = fields;
        term->pos = pos;
        return term;
    case NODE_BOOL:
    case NODE_STRING:
    case NODE_NUMBER:
    case NODE_NIL:
    case NODE_DOT:
        refuse_chain(p, term);
        return term;
    default:
        break;
    }
    node *chain = dv_parse_make(p, NODE_CHAIN, pos);
    chain->chain.node = term;
    chain->chain.fields = fields;
    return chain;
}

/* ---- Pipelines ---- */

static node *declare(parser *p, const item *word, node *pipe)
{
    node *n = dv_parse_variable(p, word->pos, word->text);

    dv_parse_add(p, &pipe->pipe.decls, n);
    *dv_vec_push(&p->vars) = word->text;
    return n;
}

static node *parse_command(parser *p)
{
    node *command = dv_parse_make(p, NODE_COMMAND, dv_parse_peek_word(p).pos);

    for (;;) {
        dv_parse_peek_word(p);
        node *operand = parse_operand(p);

        if (operand)
            dv_parse_add(p, &command->list, operand);
        item word = dv_parse_next(p);
        if (word.type == ITEM_SPACE)
            continue;
        if (word.type == ITEM_RIGHT_DELIM || word.type == ITEM_RIGHT_PAREN)
            dv_parse_backup(p);
        else if (word.type != ITEM_PIPE)
            dv_parse_unexpected(p, &word, "operand");
        break;
    }
    if (!command->list.n)
        dv_parse_fail(p, "empty command");
    return command;
}

/* "$x :=", "$x =", "$i, $e :=" at the front; anything else is left as it was. */
static void parse_declarations(parser *p, node *pipe, const char *context)
{
    bool again = true;

    while (again && dv_parse_peek_word(p).type == ITEM_VARIABLE) {
        item variable = dv_parse_next(p), after = dv_parse_peek(p), word = dv_parse_peek_word(p);

        again = false;
        if (word.type == ITEM_ASSIGN || word.type == ITEM_DECLARE) {
            pipe->pipe.assigns = word.type == ITEM_ASSIGN;
            dv_parse_next_word(p);
            declare(p, &variable, pipe);
        } else if (word.type == ITEM_CHAR && dv_str_is(word.text, ",")) {
            dv_parse_next_word(p);
            declare(p, &variable, pipe);
            if (strcmp(context, "range") == 0 && pipe->pipe.decls.n < 2) {
                item_type type = dv_parse_peek_word(p).type;

                again =
                    type == ITEM_VARIABLE || type == ITEM_RIGHT_DELIM || type == ITEM_RIGHT_PAREN;
                if (!again)
                    dv_parse_fail(p, "range can only initialize variables");
            } else {
                dv_parse_fail(p, "too many declarations in %s", context);
            }
        } else {
            dv_parse_push_back(p, &variable, after.type == ITEM_SPACE ? &after : NULL);
        }
    }
}

static void check_pipeline(parser *p, const node *pipe, const char *context)
{
    if (!pipe->pipe.commands.n)
        dv_parse_fail(p, "missing value for %s", context);
    for (uint32_t i = 1; i < pipe->pipe.commands.n && !dv_parse_failed(p); i++)
        switch (pipe->pipe.commands.at[i]->list.at[0]->type) {
        case NODE_BOOL:
        case NODE_DOT:
        case NODE_NIL:
        case NODE_NUMBER:
        case NODE_STRING:
            dv_parse_fail(p, "non executable command in pipeline stage %u", i + 1);
            break;
        default:
            break;
        }
}

node *dv_parse_pipeline(parser *p, const char *context, item_type end)
{
    node *pipe = dv_parse_make(p, NODE_PIPE, dv_parse_peek_word(p).pos);

    parse_declarations(p, pipe, context);
    while (!dv_parse_failed(p)) {
        item word = dv_parse_next_word(p);

        if (word.type == end) {
            check_pipeline(p, pipe, context);
            break;
        }
        switch (word.type) {
        case ITEM_BOOL:
        case ITEM_CHAR_CONSTANT:
        case ITEM_COMPLEX:
        case ITEM_DOT:
        case ITEM_FIELD:
        case ITEM_IDENTIFIER:
        case ITEM_NUMBER:
        case ITEM_NIL:
        case ITEM_RAW_STRING:
        case ITEM_STRING:
        case ITEM_VARIABLE:
        case ITEM_LEFT_PAREN:
            dv_parse_backup(p);
            dv_parse_add(p, &pipe->pipe.commands, parse_command(p));
            break;
        default:
            dv_parse_unexpected(p, &word, context);
        }
    }
    return pipe;
}
