/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format.h"
#include "gotemplate/node_internal.h"
#include "base/unicode.h"

bool dv_node_is_empty(const node *n)
{
    if (n->type == NODE_TEXT)
        return dv_trim_space(n->text).n == 0;
    if (n->type != NODE_LIST)
        return false;
    for (uint32_t i = 0; i < n->list.n; i++)
        if (!dv_node_is_empty(n->list.at[i]))
            return false;
    return true;
}

static void add_fields(dv_buf *out, names fields, uint32_t from)
{
    for (uint32_t i = from; i < fields.n; i++)
        dv_buf_addf(out, ".%.*s", DV_FMT(fields.at[i]));
}

static void add_parenthesized(dv_buf *out, const node *n)
{
    bool parens = n->type == NODE_PIPE;

    if (parens)
        dv_buf_addc(out, '(');
    dv_node_add(out, n);
    if (parens)
        dv_buf_addc(out, ')');
}

static void add_pipe(dv_buf *out, const node *pipe)
{
    const nodes *decls = &pipe->pipe.decls, *commands = &pipe->pipe.commands;

    for (uint32_t i = 0; i < decls->n; i++) {
        dv_buf_adds(out, i ? ", " : "");
        dv_node_add(out, decls->at[i]);
    }
    if (decls->n)
        dv_buf_adds(out, pipe->pipe.assigns ? " = " : " := ");
    for (uint32_t i = 0; i < commands->n; i++) {
        dv_buf_adds(out, i ? " | " : "");
        dv_node_add(out, commands->at[i]);
    }
}

static void add_call(dv_buf *out, const node *n)
{
    dv_buf_adds(out, "{{template ");
    dv_quote(out, n->call.name);
    if (n->call.pipe) {
        dv_buf_addc(out, ' ');
        dv_node_add(out, n->call.pipe);
    }
    dv_buf_adds(out, "}}");
}

void dv_node_add(dv_buf *out, const node *n)
{
    switch (n->type) {
    case NODE_ACTION:
        dv_buf_adds(out, "{{");
        dv_node_add(out, n->branch.pipe);
        dv_buf_adds(out, "}}");
        break;
    case NODE_TEMPLATE:
        add_call(out, n);
        break;
    case NODE_PIPE:
        add_pipe(out, n);
        break;
    case NODE_COMMAND:
        for (uint32_t i = 0; i < n->list.n; i++) {
            dv_buf_adds(out, i ? " " : "");
            add_parenthesized(out, n->list.at[i]);
        }
        break;
    case NODE_IDENTIFIER:
        dv_buf_add_str(out, n->identifier.name);
        break;
    case NODE_FIELD:
        add_fields(out, n->fields, 0);
        break;
    case NODE_VARIABLE:
        dv_buf_add_str(out, n->variable.fields.at[0]);
        add_fields(out, n->variable.fields, 1);
        break;
    case NODE_CHAIN:
        add_parenthesized(out, n->chain.node);
        add_fields(out, n->chain.fields, 0);
        break;
    case NODE_DOT:
        dv_buf_addc(out, '.');
        break;
    case NODE_NIL:
        dv_buf_adds(out, "nil");
        break;
    case NODE_BOOL:
        dv_buf_adds(out, n->truth ? "true" : "false");
        break;
    case NODE_NUMBER:
        dv_buf_add_str(out, n->number.text);
        break;
    case NODE_STRING:
        dv_buf_add_str(out, n->string.quoted);
        break;
    default: /* control structures are never where an error is */
        break;
    }
}
