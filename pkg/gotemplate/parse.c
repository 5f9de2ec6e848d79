/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/parse_internal.h"

#include "gotemplate/format.h"

static node *parse_list(parser *p, node **ret_end);
static node *parse_control(parser *p, node_type type, uint32_t pos);

/* ---- Templates in the template ---- */

static parser inner_parser(const parser *p)
{
    parser inner = {.target = p->target,
                    .lex = p->lex,
                    .source = p->source,
                    .found = p->found,
                    .depth = p->depth,
                    .fault = p->fault};

    *dv_vec_push(&inner.vars) = DV_STR("$");
    *dv_vec_push(&inner.ids) = DV_STR("$");
    return inner;
}

static void parser_done(parser *p)
{
    dv_vec_done(&p->vars);
    dv_vec_done(&p->ids);
}

/* Adds a tree to those found; an empty one gives way, two others clash. */
static void add_tree(parser *p, dv_str name, node *root)
{
    trees *found = p->found;

    if (dv_parse_failed(p))
        return;
    tree *t = dv_parse_alloc(p, sizeof(*t));
    *t = (tree){name, p->source, root};
    for (size_t i = 0; i < found->n; i++) {
        if (!dv_str_eq(found->at[i]->name, name))
            continue;
        if (dv_node_is_empty(found->at[i]->root)) {
            found->at[i] = t;
        } else if (!dv_node_is_empty(root)) {
            DV_CLEANUP(dv_buf_done) dv_buf quoted = DV_BUF_INIT(DV_PARSE_MESSAGE_MAX);

            dv_quote(&quoted, name);
            dv_parse_fail(p, "template: multiple definition of template %s", dv_buf_cstr(&quoted));
        }
        return;
    }
    *dv_vec_push(found) = t;
}

static const char *end_name(const node *n)
{
    return n->type == NODE_ELSE ? "{{else}}" : "{{end}}";
}

/* The body of a define or block, to its end; `judge` says where a wrong one is. */
static void parse_body(parser *inner, parser *judge, dv_str name, const char *context)
{
    node *end = NULL;
    node *root = parse_list(inner, &end);

    if (end && end->type != NODE_END)
        dv_parse_fail(judge, "unexpected %s in %s", end_name(end), context);
    add_tree(inner, name, root);
}

static void parse_definition(parser *p)
{
    const char *context = "define clause";
    DV_CLEANUP(parser_done) parser inner = inner_parser(p);
    item word = dv_parse_next_word(&inner);
    dv_str name;

    if (word.type != ITEM_STRING && word.type != ITEM_RAW_STRING)
        dv_parse_unexpected(&inner, &word, context);
    if (dv_parse_failed(&inner) || !dv_parse_unquote(&inner, word.text, &name))
        return;
    dv_parse_expect(&inner, ITEM_RIGHT_DELIM, context);
    parse_body(&inner, &inner, name, context);
}

static dv_str parse_template_name(parser *p, const item *word, const char *context)
{
    dv_str name = {"", 0};

    if (word->type == ITEM_STRING || word->type == ITEM_RAW_STRING)
        dv_parse_unquote(p, word->text, &name);
    else
        dv_parse_unexpected(p, word, context);
    return name;
}

static node *parse_block(parser *p)
{
    const char *context = "block clause";
    item word = dv_parse_next_word(p);
    node *n = dv_parse_make(p, NODE_TEMPLATE, word.pos);

    n->call.name = parse_template_name(p, &word, context);
    n->call.pipe = dv_parse_pipeline(p, context, ITEM_RIGHT_DELIM);
    if (dv_parse_failed(p))
        return n;
    DV_CLEANUP(parser_done) parser inner = inner_parser(p);
    parse_body(&inner, p, n->call.name, context);
    return n;
}

static node *parse_template(parser *p)
{
    const char *context = "template clause";
    item word = dv_parse_next_word(p);
    node *n = dv_parse_make(p, NODE_TEMPLATE, word.pos);

    n->call.name = parse_template_name(p, &word, context);
    if (dv_parse_next_word(p).type != ITEM_RIGHT_DELIM && !dv_parse_failed(p)) {
        dv_parse_backup(p);
        n->call.pipe = dv_parse_pipeline(p, context, ITEM_RIGHT_DELIM);
    }
    return n;
}

/* ---- Control ---- */

static node *parse_jump(parser *p, node_type type, uint32_t pos)
{
    const char *name = type == NODE_BREAK ? "{{break}}" : "{{continue}}";
    item word = dv_parse_next_word(p);

    if (word.type != ITEM_RIGHT_DELIM)
        dv_parse_unexpected(p, &word, name);
    if (!p->ranges)
        dv_parse_fail(p, "%s outside {{range}}", name);
    return dv_parse_make(p, type, pos);
}

static node *parse_else(parser *p)
{
    item word = dv_parse_peek_word(p);

    if (word.type != ITEM_IF && word.type != ITEM_WITH)
        word = dv_parse_expect(p, ITEM_RIGHT_DELIM, "else");
    return dv_parse_make(p, NODE_ELSE, word.pos);
}

/* What stands behind {{else}}; "else if" and "else with" share the end of what they continue. */
static node *parse_else_list(parser *p, node_type type, const node *at)
{
    item word = dv_parse_peek(p);
    node *end = NULL, *list;

    if ((type == NODE_IF && word.type == ITEM_IF) ||
        (type == NODE_WITH && word.type == ITEM_WITH)) {
        dv_parse_next(p);
        list = dv_parse_make(p, NODE_LIST, at->pos);
        dv_parse_add(p, &list->list, parse_control(p, type, word.pos));
        return list;
    }
    list = parse_list(p, &end);
    if (end && end->type != NODE_END)
        dv_parse_fail(p, "expected end; found %s", end_name(end));
    return list;
}

static node *parse_control(parser *p, node_type type, uint32_t pos)
{
    static const char *const contexts[] = {
        [NODE_IF] = "if", [NODE_RANGE] = "range", [NODE_WITH] = "with"};
    size_t vars = p->vars.n;
    node *n = dv_parse_make(p, type, pos), *end = NULL;

    if (!dv_parse_enter(p))
        return n;
    n->branch.pipe = dv_parse_pipeline(p, contexts[type], ITEM_RIGHT_DELIM);
    n->pos = n->branch.pipe->pos;
    p->ranges += type == NODE_RANGE;
    n->branch.list = parse_list(p, &end);
    p->ranges -= type == NODE_RANGE;
    if (end && end->type == NODE_ELSE)
        n->branch.else_list = parse_else_list(p, type, end);
    p->vars.n = vars;
    --*p->depth;
    return n;
}

static node *parse_action(parser *p)
{
    item word = dv_parse_next_word(p);
    node *n;

    switch (word.type) {
    case ITEM_BLOCK:
        return parse_block(p);
    case ITEM_BREAK:
        return parse_jump(p, NODE_BREAK, word.pos);
    case ITEM_CONTINUE:
        return parse_jump(p, NODE_CONTINUE, word.pos);
    case ITEM_ELSE:
        return parse_else(p);
    case ITEM_END:
        return dv_parse_make(p, NODE_END, dv_parse_expect(p, ITEM_RIGHT_DELIM, "end").pos);
    case ITEM_IF:
        return parse_control(p, NODE_IF, word.pos);
    case ITEM_RANGE:
        return parse_control(p, NODE_RANGE, word.pos);
    case ITEM_TEMPLATE:
        return parse_template(p);
    case ITEM_WITH:
        return parse_control(p, NODE_WITH, word.pos);
    default:
        dv_parse_backup(p);
        n = dv_parse_make(p, NODE_ACTION, dv_parse_peek(p).pos);
        n->branch.pipe = dv_parse_pipeline(p, "command", ITEM_RIGHT_DELIM);
        return n;
    }
}

static node *parse_text_or_action(parser *p)
{
    item word = dv_parse_next_word(p);
    node *n;

    if (word.type == ITEM_TEXT) {
        n = dv_parse_make(p, NODE_TEXT, word.pos);
        n->text = word.text;
        return n;
    }
    if (word.type != ITEM_LEFT_DELIM) {
        dv_parse_unexpected(p, &word, "input");
        return dv_parse_make(p, NODE_END, word.pos);
    }
    p->action_line = word.line;
    n = parse_action(p);
    p->action_line = 0;
    return n;
}

/* To {{end}} or {{else}}, which is *ret_end. */
static node *parse_list(parser *p, node **ret_end)
{
    node *list = dv_parse_make(p, NODE_LIST, dv_parse_peek_word(p).pos);

    while (!dv_parse_failed(p) && dv_parse_peek_word(p).type != ITEM_EOF) {
        node *n = parse_text_or_action(p);

        if (n->type == NODE_END || n->type == NODE_ELSE) {
            *ret_end = n;
            return list;
        }
        dv_parse_add(p, &list->list, n);
    }
    dv_parse_fail(p, "unexpected EOF");
    return list;
}

static node *parse_file(parser *p)
{
    node *root = dv_parse_make(p, NODE_LIST, dv_parse_peek(p).pos);

    while (!dv_parse_failed(p) && dv_parse_peek(p).type != ITEM_EOF) {
        if (dv_parse_peek(p).type == ITEM_LEFT_DELIM) {
            item delim = dv_parse_next(p);

            if (dv_parse_next_word(p).type == ITEM_DEFINE) {
                parse_definition(p);
                continue;
            }
            dv_parse_push_back(p, &delim, NULL);
        }
        node *n = parse_text_or_action(p);
        if (n->type == NODE_END || n->type == NODE_ELSE)
            dv_parse_fail(p, "unexpected %s", end_name(n));
        dv_parse_add(p, &root->list, n);
    }
    return root;
}

static node_source *make_source(dv_arena *arena, dv_str name, dv_str text)
{
    node_source *source = dv_arena_alloc(arena, sizeof(*source));

    source->name = (dv_str){dv_arena_dup(arena, name), name.n};
    source->text = (dv_str){dv_arena_dup(arena, text), text.n};
    return source;
}

dv_err *dv_parse(const parse_target *target, dv_str name, dv_str text)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_PARSE_MESSAGE_MAX);
    trees found = {0};
    lexer lex;
    size_t depth = 0;

    if (text.n > target->limits->bytes_max)
        return dv_err_new(DV_INVALID, "TooLarge", "template %.*s has more than %zu bytes",
                          DV_FMT(name), target->limits->bytes_max);
    const node_source *source = make_source(target->arena, name, text);
    dv_lex_init(&lex, source->text, target->arena);
    parser outline = {.target = target,
                      .lex = &lex,
                      .source = source,
                      .found = &found,
                      .depth = &depth,
                      .fault = &fault};
    DV_CLEANUP(parser_done) parser p = inner_parser(&outline);
    node *root = parse_file(&p);
    add_tree(&p, source->name, root);
    for (size_t i = 0; i < found.n && !fault.n; i++)
        target->define(target->context, found.at[i]);
    dv_vec_done(&found);
    if (!fault.n && !fault.overflow)
        return NULL;
    return dv_err_new(DV_INVALID, "BadTemplate", "%s", dv_buf_cstr(&fault));
}
