/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/run_internal.h"

enum { ARGS_INLINE = 6, BYTES_A_STEP = 512, ELEMENTS_A_STEP = 16 };

/* The signature, taken apart while arguments are fitted to it. */
typedef struct {
    const char *letters; /* of the fixed parameters, then of the variadic one */
    size_t fixed;
    char variadic; /* 0: none */
    bool any;      /* the result is an interface */
} signature;

static signature read_signature(const char *text)
{
    signature s = {.letters = text};

    for (; *text && *text != '>'; text++) {
        if (*text == '.') {
            s.variadic = *++text;
            continue;
        }
        s.fixed++;
    }
    s.any = *text == '>' && text[1] == 'a';
    return s;
}

static const char *type_name(char letter)
{
    switch (letter) {
    case 's':
        return "string";
    case 'b':
        return "bool";
    case 'i':
        return "int";
    case 'I':
        return "int64";
    case 'u':
        return "uint32";
    case 'f':
        return "float64";
    case 'm':
        return "map[string]interface {}";
    case 'l':
        return "[]interface {}";
    case 't':
        return "time.Time";
    case 'c':
        return "sprig.certificate";
    case 'v':
        return "reflect.Value";
    default:
        return "interface {}";
    }
}

/* ---- Fitting values ---- */

static bool can_be_nil(char letter)
{
    return letter == 'a' || letter == 'v' || letter == 'm' || letter == 'l';
}

static dv_val nil_of(char letter)
{
    switch (letter) {
    case 'm':
        return dv_val_dict(NULL);
    case 'l':
        return dv_val_list(NULL);
    case 'v':
        return DV_NONE_VAL;
    default:
        return DV_NIL_VAL;
    }
}

static bool fits(dv_val value, char letter)
{
    switch (letter) {
    case 's':
        return value.kind == DV_V_STRING;
    case 'b':
        return value.kind == DV_V_BOOL;
    case 'i':
        return value.kind == DV_V_INT;
    case 'I':
        return value.kind == DV_V_INT64;
    case 'f':
        return value.kind == DV_V_FLOAT;
    case 'u':
        return value.kind == DV_V_UINT32;
    case 'm':
        return value.kind == DV_V_DICT && dv_dict_type(value.dict) != &dv_type_string_dict;
    case 'l':
        return value.kind == DV_V_LIST && (!value.list || value.list->type == &dv_type_any_list);
    case 't':
        return value.kind == DV_V_OBJECT && value.object->type == &dv_type_time;
    case 'c':
        return value.kind == DV_V_OBJECT && value.object->type == &dv_type_certificate;
    default:
        return true;
    }
}

static dv_val validate(dv_run *run, dv_val value, char letter)
{
    if (run->reason)
        return DV_NONE_VAL;
    if (value.kind == DV_V_NONE) {
        if (can_be_nil(letter))
            return nil_of(letter);
        return dv_run_error(run, "invalid value; expected %s", type_name(letter));
    }
    if (!fits(value, letter))
        return dv_run_error(run, "wrong type for value; expected %s; got %s", type_name(letter),
                            value.kind == DV_V_NIL ? "interface {}" : dv_val_type(value));
    if (letter != 'v')
        value.iface = value.kind == DV_V_NIL; /* in the function it is what it holds */
    return value;
}

static dv_val refuse_literal(dv_run *run, const node *n, const char *format, const char *tail)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    dv_node_add(&text, n);
    return dv_run_error(run, "%s%s%s", format, dv_buf_cstr(&text), tail);
}

static dv_val any_literal(dv_run *run, const node *n)
{
    switch (n->type) {
    case NODE_BOOL:
        return dv_val_bool(n->truth);
    case NODE_STRING:
        return dv_val_borrow(n->string.text);
    default:
        if (n->number.ideal.kind == DV_V_NONE)
            return dv_run_error(run, "%.*s overflows int", DV_FMT(n->number.text));
        return n->number.ideal;
    }
}

/* A literal takes the parameter's type where it can. */
static dv_val literal(dv_run *run, const node *n, char letter)
{
    bool is_number = n->type == NODE_NUMBER;

    switch (letter) {
    case 'a':
    case 'v':
        return any_literal(run, n);
    case 'b':
        return n->type == NODE_BOOL ? dv_val_bool(n->truth)
                                    : refuse_literal(run, n, "expected bool; found ", "");
    case 's':
        return n->type == NODE_STRING ? dv_val_borrow(n->string.text)
                                      : refuse_literal(run, n, "expected string; found ", "");
    case 'f':
        return is_number && n->number.is_float
                   ? dv_val_float(n->number.f)
                   : refuse_literal(run, n, "expected float; found ", "");
    case 'i':
    case 'I':
        if (!is_number || !n->number.is_int)
            return refuse_literal(run, n, "expected integer; found ", "");
        return letter == 'i' ? dv_val_int(n->number.i) : dv_val_int64(n->number.i);
    case 'u':
        if (!is_number || !n->number.is_uint)
            return refuse_literal(run, n, "expected unsigned integer; found ", "");
        return (dv_val){.kind = DV_V_UINT32, .u = (uint32_t)n->number.u};
    default: {
        DV_CLEANUP(dv_buf_done) dv_buf tail = DV_BUF_INIT(128);

        dv_buf_addf(&tail, " for arg of type %s", type_name(letter));
        return refuse_literal(run, n, "can't handle ", dv_buf_cstr(&tail));
    }
    }
}

static dv_val eval_arg(dv_run *run, dv_val dot, const node *n, char letter)
{
    run->at = n;
    switch (n->type) {
    case NODE_NIL:
        if (can_be_nil(letter))
            return nil_of(letter);
        return dv_run_error(run, "cannot assign nil to %s", type_name(letter));
    case NODE_BOOL:
    case NODE_NUMBER:
    case NODE_STRING:
        return literal(run, n, letter);
    default:
        return validate(run, dv_eval_operand(run, dot, n), letter);
    }
}

/* ---- Calling ---- */

/* False: too few or too many. */
static bool count_fits(dv_run *run, const signature *s, dv_str name, size_t given, size_t total)
{
    if (s->variadic && total < s->fixed)
        dv_run_error(run, "wrong number of args for %.*s: want at least %zu got %zu", DV_FMT(name),
                     s->fixed, given);
    else if (!s->variadic && total != s->fixed)
        dv_run_error(run, "wrong number of args for %.*s: want %zu got %zu", DV_FMT(name), s->fixed,
                     total);
    return !run->reason;
}

static char letter_at(const signature *s, size_t i)
{
    return i < s->fixed ? s->letters[i] : s->variadic;
}

/* "and" and "or" stop at the argument that decides. */
static dv_val eval_logic(dv_run *run, dv_val dot, const nodes *args, const dv_val *final,
                         bool decides)
{
    dv_val value = DV_NONE_VAL;

    for (uint32_t i = 1; args && i < args->n; i++) {
        value = eval_arg(run, dot, args->at[i], 'v');
        if (run->reason || dv_val_truth(value) == decides)
            return value;
    }
    return final ? *final : value;
}

typedef struct {
    dv_val inline_args[ARGS_INLINE];
    dv_val *at;
    size_t n;
} arguments;

/* Evaluates them one after the other, each checked before the next. */
static bool eval_args(dv_run *run, dv_val dot, const signature *s, const nodes *args,
                      const dv_val *final, arguments *ret)
{
    size_t given = args ? args->n - 1 : 0, total = given + (final != NULL);

    ret->at = total <= ARGS_INLINE ? ret->inline_args
                                   : dv_heap_alloc(run->heap, total * sizeof(*ret->at));
    ret->n = total;
    if (!ret->at)
        return dv_run_step(run);
    for (size_t i = 0; i < given && !run->reason; i++)
        ret->at[i] = eval_arg(run, dot, args->at[i + 1], letter_at(s, i));
    if (final && !run->reason)
        ret->at[given] = validate(run, *final, letter_at(s, given));
    return !run->reason;
}

static dv_val finish(dv_run *run, dv_val value, const signature *s, const node *n, dv_str name)
{
    if (run->reason) {
        run->at = n;
        dv_run_wrap_call(run, name);
        return DV_NONE_VAL;
    }
    if (s->any) {
        if (value.kind == DV_V_NONE)
            return DV_NIL_VAL;
        value.iface = true;
    }
    return value;
}

/* What "call" would call is always a value here, and no value is a function. */
static dv_val refuse_call(dv_run *run, dv_val callee, const nodes *args)
{
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_BODY_MAX);

    if (dv_val_is_nil(callee))
        return dv_run_fail(run, "call of nil");
    if (args && args->n > 1)
        dv_node_add(&name, args->at[1]);
    else if (callee.kind == DV_V_STRING)
        dv_buf_add_str(&name, dv_val_str(callee));
    else
        dv_buf_addf(&name, "<%s Value>", dv_val_type(callee));
    return dv_run_fail(run, "non-function %s of type %s", dv_buf_cstr(&name), dv_val_type(callee));
}

/* Functions look at all of their arguments: long ones count as more than one step. */
static bool charge_args(dv_run *run, const arguments *argv)
{
    uint64_t steps = 0;

    for (size_t i = 0; i < argv->n; i++)
        switch (argv->at[i].kind) {
        case DV_V_STRING:
        case DV_V_BYTES:
            steps += argv->at[i].n / BYTES_A_STEP;
            break;
        case DV_V_LIST:
            steps += dv_list_len(argv->at[i].list) / ELEMENTS_A_STEP;
            break;
        case DV_V_DICT:
            steps += dv_dict_len(argv->at[i].dict) / ELEMENTS_A_STEP;
            break;
        default:
            break;
        }
    return !steps || dv_run_charge(run, steps);
}

dv_val dv_eval_function(dv_run *run, dv_val dot, const node *identifier, const node *command,
                        const nodes *args, const dv_val *final)
{
    const dv_function *function = identifier->identifier.function;
    signature s = read_signature(function->signature);
    size_t given = args ? args->n - 1 : 0;
    arguments argv;
    dv_val value;

    run->at = identifier;
    if (!count_fits(run, &s, identifier->identifier.name, given, given + (final != NULL)))
        return DV_NONE_VAL;
    if (function->call == dv_builtin_and || function->call == dv_builtin_or)
        return eval_logic(run, dot, args, final, function->call == dv_builtin_or);
    if (!eval_args(run, dot, &s, args, final, &argv) || !charge_args(run, &argv))
        return DV_NONE_VAL;
    if (function->call == dv_builtin_call)
        value = refuse_call(run, argv.at[0], args);
    else
        value = function->call(run, argv.at, argv.n);
    return finish(run, value, &s, command, identifier->identifier.name);
}

dv_val dv_eval_method(dv_run *run, dv_val dot, const dv_method *method, dv_val self, const node *n,
                      const nodes *args, const dv_val *final)
{
    signature s = read_signature(method->signature);
    size_t given = args ? args->n - 1 : 0;
    dv_str name = dv_str_of(method->name);
    arguments argv;

    if (!count_fits(run, &s, name, given, given + (final != NULL)) ||
        !eval_args(run, dot, &s, args, final, &argv))
        return DV_NONE_VAL;
    return finish(run, method->call(run, self, argv.at, argv.n), &s, n, name);
}
