/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format.h"
#include "gotemplate/run_internal.h"

static walk_result walk(dv_run *run, dv_val dot, const node *n);

/* ---- Variables ---- */

static void push(dv_run *run, uint32_t id, dv_val value)
{
    *dv_vec_push(&run->vars) = (variable){id, value};
}

static variable *find_variable(dv_run *run, const node *n)
{
    for (size_t i = run->vars.n; i-- > run->frame;)
        if (run->vars.at[i].id == n->variable.id)
            return &run->vars.at[i];
    dv_run_error(run, "undefined variable: %.*s", DV_FMT(n->variable.fields.at[0]));
    return NULL;
}

static void assign(dv_run *run, const node *n, dv_val value)
{
    variable *v = find_variable(run, n);

    if (v)
        v->value = value;
}

/* ---- Fields ---- */

static const dv_type *type_of(dv_val value)
{
    switch (value.kind) {
    case DV_V_LIST:
        return value.list ? value.list->type : &dv_type_any_list;
    case DV_V_DICT:
        return dv_dict_type(value.dict);
    case DV_V_OBJECT:
        return value.object->type;
    default:
        return NULL;
    }
}

static const dv_method *find_method(const dv_type *type, dv_str name)
{
    for (size_t i = 0; type && i < type->methods_n; i++)
        if (dv_str_is(name, type->methods[i].name))
            return &type->methods[i];
    return NULL;
}

static dv_val missing_member(dv_run *run, const dv_dict *dict, dv_str name)
{
    switch (run->options->missing_key) {
    case DV_MISSING_ZERO:
        return dv_dict_type(dict) == &dv_type_string_dict ? dv_val_lit("") : DV_NIL_VAL;
    case DV_MISSING_ERROR:
        return dv_run_error(run, "map has no entry for key \"%.*s\"", DV_FMT(name));
    default:
        return DV_NONE_VAL;
    }
}

static dv_val eval_member(dv_run *run, const dv_dict *dict, dv_str name, bool has_args)
{
    const dv_val *found;

    if (has_args)
        return dv_run_error(run, "%.*s is not a method but has arguments", DV_FMT(name));
    found = dv_dict_get(dict, name);
    return found ? dv_val_element(dv_dict_type(dict), *found) : missing_member(run, dict, name);
}

/* One step of a chain; args and final only with its last name. */
static dv_val eval_field(dv_run *run, dv_val dot, const node *n, dv_str name, const nodes *args,
                         const dv_val *final, dv_val receiver)
{
    bool has_args = (args && args->n > 1) || final;
    const dv_type *type = type_of(receiver);
    dv_val value;

    if (receiver.kind == DV_V_NONE) {
        if (run->options->missing_key == DV_MISSING_ERROR && !run->reason)
            dv_run_error(run, "nil data; no entry for key \"%.*s\"", DV_FMT(name));
        return DV_NONE_VAL;
    }
    if (receiver.kind == DV_V_NIL)
        return dv_run_error(run, "nil pointer evaluating interface {}.%.*s", DV_FMT(name));
    if (type && type->methods) {
        const dv_method *method = find_method(type, name);

        if (method)
            return dv_eval_method(run, dot, method, receiver, n, args, final);
    }
    if (receiver.kind == DV_V_DICT)
        return eval_member(run, receiver.dict, name, has_args);
    if (receiver.kind == DV_V_OBJECT && type->field &&
        type->field(run->heap, receiver.object->self, name, &value)) {
        if (has_args)
            return dv_run_error(run, "%.*s has arguments but cannot be invoked as function",
                                DV_FMT(name));
        return value;
    }
    return dv_run_error(run, "can't evaluate field %.*s in type %s", DV_FMT(name),
                        receiver.iface ? "interface {}" : dv_val_type(receiver));
}

static dv_val eval_fields(dv_run *run, dv_val dot, dv_val receiver, const node *n, names fields,
                          uint32_t from, const nodes *args, const dv_val *final)
{
    for (uint32_t i = from; i + 1 < fields.n && !run->reason; i++)
        receiver = eval_field(run, dot, n, fields.at[i], NULL, NULL, receiver);
    if (run->reason)
        return DV_NONE_VAL;
    return eval_field(run, dot, n, fields.at[fields.n - 1], args, final, receiver);
}

/* ---- Commands ---- */

static void refuse_args(dv_run *run, const nodes *args, const dv_val *final)
{
    if ((args && args->n > 1) || final) {
        DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

        dv_node_add(&text, args->at[0]);
        dv_run_error(run, "can't give argument to non-function %s", dv_buf_cstr(&text));
    }
}

static dv_val eval_variable(dv_run *run, dv_val dot, const node *n, const nodes *args,
                            const dv_val *final)
{
    run->at = n;
    variable *v = find_variable(run, n);
    if (!v)
        return DV_NONE_VAL;
    dv_val value = v->value;
    if (n->variable.fields.n > 1)
        return eval_fields(run, dot, value, n, n->variable.fields, 1, args, final);
    refuse_args(run, args, final);
    return value;
}

static dv_val eval_chain(dv_run *run, dv_val dot, const node *n, const nodes *args,
                         const dv_val *final)
{
    run->at = n;
    if (n->chain.node->type == NODE_NIL) {
        DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

        dv_node_add(&text, n);
        return dv_run_error(run, "indirection through explicit nil in %s", dv_buf_cstr(&text));
    }
    run->at = n->chain.node;
    dv_val receiver = dv_eval_operand(run, dot, n->chain.node);
    if (run->reason)
        return DV_NONE_VAL;
    return eval_fields(run, dot, receiver, n, n->chain.fields, 0, args, final);
}

dv_val dv_eval_operand(dv_run *run, dv_val dot, const node *n)
{
    switch (n->type) {
    case NODE_DOT:
        return dot;
    case NODE_FIELD:
        run->at = n;
        return eval_fields(run, dot, dot, n, n->fields, 0, NULL, NULL);
    case NODE_VARIABLE:
        return eval_variable(run, dot, n, NULL, NULL);
    case NODE_PIPE:
        return dv_eval_pipeline(run, dot, n);
    case NODE_IDENTIFIER:
        return dv_eval_function(run, dot, n, n, NULL, NULL);
    case NODE_CHAIN:
        return eval_chain(run, dot, n, NULL, NULL);
    default:
        return DV_NONE_VAL;
    }
}

static dv_val eval_literal(dv_run *run, dv_val dot, const node *n)
{
    switch (n->type) {
    case NODE_BOOL:
        return dv_val_bool(n->truth);
    case NODE_DOT:
        return dot;
    case NODE_NIL:
        return dv_run_error(run, "nil is not a command");
    case NODE_NUMBER:
        if (n->number.ideal.kind == DV_V_NONE)
            return dv_run_error(run, "%.*s overflows int", DV_FMT(n->number.text));
        return n->number.ideal;
    case NODE_STRING:
        return dv_val_borrow(n->string.text);
    default:
        return DV_NONE_VAL;
    }
}

static dv_val eval_command(dv_run *run, dv_val dot, const node *command, const dv_val *final)
{
    const nodes *args = &command->list;
    const node *first = args->at[0];

    switch (first->type) {
    case NODE_FIELD:
        run->at = first;
        return eval_fields(run, dot, dot, first, first->fields, 0, args, final);
    case NODE_CHAIN:
        return eval_chain(run, dot, first, args, final);
    case NODE_IDENTIFIER:
        return dv_eval_function(run, dot, first, command, args, final);
    case NODE_PIPE:
        refuse_args(run, args, final);
        return run->reason ? DV_NONE_VAL : dv_eval_pipeline(run, dot, first);
    case NODE_VARIABLE:
        return eval_variable(run, dot, first, args, final);
    default:
        run->at = first;
        refuse_args(run, args, final);
        return run->reason ? DV_NONE_VAL : eval_literal(run, dot, first);
    }
}

dv_val dv_eval_pipeline(dv_run *run, dv_val dot, const node *pipe)
{
    dv_val value = DV_NONE_VAL;

    if (!pipe || !dv_run_step(run))
        return value;
    run->at = pipe;
    for (uint32_t i = 0; i < pipe->pipe.commands.n && !run->reason; i++) {
        value = eval_command(run, dot, pipe->pipe.commands.at[i], i ? &value : NULL);
        if (value.kind == DV_V_NIL)
            value = DV_NONE_VAL;
        value.iface = false;
    }
    for (uint32_t i = 0; i < pipe->pipe.decls.n && !run->reason; i++) {
        const node *decl = pipe->pipe.decls.at[i];

        if (pipe->pipe.assigns)
            assign(run, decl, value);
        else
            push(run, decl->variable.id, value);
    }
    return value;
}

/* ---- Walking ---- */

static walk_result walk_list(dv_run *run, dv_val dot, const node *list)
{
    for (uint32_t i = 0; i < list->list.n; i++) {
        walk_result result = walk(run, dot, list->list.at[i]);

        if (result != WALK_ON)
            return result;
    }
    return WALK_ON;
}

static walk_result walk_if_or_with(dv_run *run, dv_val dot, const node *n)
{
    size_t mark = run->vars.n;
    dv_val value = dv_eval_pipeline(run, dot, n->branch.pipe);
    walk_result result = WALK_ON;

    if (run->reason)
        return WALK_FAILED;
    if (dv_val_truth(value))
        result = walk_list(run, n->type == NODE_WITH ? value : dot, n->branch.list);
    else if (n->branch.else_list)
        result = walk_list(run, dot, n->branch.else_list);
    run->vars.n = mark;
    return result;
}

/* One turn; false: the loop is over, by a break or a failure. */
static bool iterate(dv_run *run, const node *n, size_t mark, dv_val index, dv_val element,
                    walk_result *ret_result)
{
    const nodes *decls = &n->branch.pipe->pipe.decls;

    if (n->branch.pipe->pipe.assigns && decls->n) {
        if (decls->n > 1)
            assign(run, decls->at[0], index);
        assign(run, decls->at[decls->n - 1], element);
    } else if (decls->n) {
        run->vars.at[mark - 1].value = element;
        if (decls->n > 1)
            run->vars.at[mark - 2].value = index;
    }
    walk_result result = dv_run_step(run) ? walk_list(run, element, n->branch.list) : WALK_FAILED;
    run->vars.n = mark;
    *ret_result = result == WALK_FAILED ? WALK_FAILED : WALK_ON;
    return result == WALK_ON || result == WALK_CONTINUE;
}

static walk_result range_list(dv_run *run, const node *n, const dv_list *list)
{
    size_t mark = run->vars.n;
    walk_result result = WALK_ON;

    for (uint32_t i = 0; i < list->n; i++)
        if (!iterate(run, n, mark, dv_val_int(i), dv_val_element(list->type, list->at[i]), &result))
            break;
    return result;
}

static walk_result range_bytes(dv_run *run, const node *n, dv_val bytes)
{
    size_t mark = run->vars.n;
    walk_result result = WALK_ON;

    for (uint32_t i = 0; i < bytes.n; i++) {
        dv_val byte = {.kind = DV_V_UINT8, .u = (unsigned char)bytes.s[i]};

        if (!iterate(run, n, mark, dv_val_int(i), byte, &result))
            break;
    }
    return result;
}

/* Over the members as they are now: the body may change the dict. */
static walk_result range_dict(dv_run *run, const node *n, const dv_dict *dict)
{
    size_t mark = run->vars.n, count = dv_dict_len(dict);
    const dv_type *type = dv_dict_type(dict);
    const dv_member *members = dv_dict_sorted(run->heap, dict);
    walk_result result = WALK_ON;

    for (size_t i = 0; members && i < count; i++)
        if (!iterate(run, n, mark, dv_val_borrow(members[i].key),
                     dv_val_element(type, members[i].value), &result))
            break;
    return members ? result : WALK_FAILED;
}

static walk_result range_number(dv_run *run, const node *n, dv_val end)
{
    size_t mark = run->vars.n;
    walk_result result = WALK_ON;
    dv_val i = end;

    for (i.i = 0; i.i < end.i; i.i++)
        if (!iterate(run, n, mark, DV_NONE_VAL, i, &result))
            break;
    return result;
}

static dv_val refuse_range(dv_run *run, dv_val value, const char *format, const char *tail)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    dv_format_value(run->heap, &text, value);
    return dv_run_error(run, "%s%s%s", format, dv_buf_cstr(&text), tail);
}

/* *ret_ran: there was something to go over. */
static walk_result range_over(dv_run *run, const node *n, dv_val value, bool *ret_ran)
{
    *ret_ran = true;
    if (dv_val_is_int(value) || dv_val_is_uint(value)) {
        if (n->branch.pipe->pipe.decls.n > 1) {
            refuse_range(run, value, "can't use ", " to iterate over more than one variable");
            return WALK_FAILED;
        }
        *ret_ran = value.i > 0;
        return range_number(run, n, value);
    }
    switch (value.kind) {
    case DV_V_NONE:
        *ret_ran = false;
        return WALK_ON;
    case DV_V_LIST:
        *ret_ran = dv_list_len(value.list) > 0;
        return *ret_ran ? range_list(run, n, value.list) : WALK_ON;
    case DV_V_BYTES:
        *ret_ran = value.n > 0;
        return range_bytes(run, n, value);
    case DV_V_DICT:
        *ret_ran = dv_dict_len(value.dict) > 0;
        return *ret_ran ? range_dict(run, n, value.dict) : WALK_ON;
    default:
        refuse_range(run, value, "range can't iterate over ", "");
        return WALK_FAILED;
    }
}

static walk_result walk_range(dv_run *run, dv_val dot, const node *n)
{
    size_t mark = run->vars.n;
    walk_result result = WALK_FAILED;
    bool ran = true;

    run->at = n;
    dv_val value = dv_eval_pipeline(run, dot, n->branch.pipe);
    if (!run->reason)
        result = range_over(run, n, value, &ran);
    if (!ran && n->branch.else_list)
        result = walk_list(run, dot, n->branch.else_list);
    run->vars.n = mark;
    /* As in Go, a break in the else list ends nothing but this loop. */
    return result == WALK_BREAK ? WALK_ON : result;
}

static walk_result walk_template(dv_run *run, dv_val dot, const node *n)
{
    run->at = n;
    const tree *t = dv_run_find(run, n->call.name);
    if (!t) {
        DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_BODY_MAX);

        dv_quote(&name, n->call.name);
        dv_run_error(run, "template %s not defined", dv_buf_cstr(&name));
        return WALK_FAILED;
    }
    dv_val data = dv_eval_pipeline(run, dot, n->call.pipe);
    if (run->reason)
        return WALK_FAILED;
    dv_run_execute(run, t, data);
    return run->reason ? WALK_FAILED : WALK_ON;
}

static walk_result walk_action(dv_run *run, dv_val dot, const node *n)
{
    dv_val value = dv_eval_pipeline(run, dot, n->branch.pipe);

    if (run->reason)
        return WALK_FAILED;
    if (n->branch.pipe->pipe.decls.n)
        return WALK_ON;
    if (value.kind == DV_V_STRING)
        dv_buf_add_str(run->out, dv_val_str(value));
    else if (value.kind == DV_V_NONE)
        dv_buf_adds(run->out, "<no value>");
    else
        dv_format_value(run->heap, run->out, value);
    return WALK_ON;
}

static walk_result walk(dv_run *run, dv_val dot, const node *n)
{
    if (!dv_run_step(run))
        return WALK_FAILED;
    switch (n->type) {
    case NODE_TEXT:
        dv_buf_add_str(run->out, n->text);
        return WALK_ON;
    case NODE_ACTION:
        run->at = n;
        return walk_action(run, dot, n);
    case NODE_BREAK:
        return WALK_BREAK;
    case NODE_CONTINUE:
        return WALK_CONTINUE;
    case NODE_IF:
    case NODE_WITH:
        return walk_if_or_with(run, dot, n);
    case NODE_RANGE:
        return walk_range(run, dot, n);
    case NODE_TEMPLATE:
        return walk_template(run, dot, n);
    default:
        return walk_list(run, dot, n);
    }
}

void dv_run_execute(dv_run *run, const tree *t, dv_val data)
{
    const tree *outer = run->tree;
    const node *at = run->at;
    size_t frame = run->frame, mark = run->vars.n;

    run->tree = t;
    run->frame = mark;
    push(run, /* id= */ 0, data);
    if (walk_list(run, data, t->root) == WALK_ON && !run->reason)
        run->at = at;
    run->vars.n = mark;
    run->frame = frame;
    run->tree = outer;
}
