/* SPDX-License-Identifier: Apache-2.0 */
/* Helm's own functions. */
#include "gotemplate/format.h"
#include "gotemplate/encodings_internal.h"
#include "gotemplate/functions.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/run_internal.h"
#include "gotemplate/toml_text.h"
#include "gotemplate/yaml_text.h"

enum { RECURSION_MAX = 1000 };

/* ---- Rendering ---- */

/* What the templates wrote since start becomes a value. */
static dv_val take_output(dv_run *run, size_t start)
{
    dv_str text = dv_str_skip(dv_buf_str(run->out), start);
    dv_val value = DV_NONE_VAL;

    if (!run->reason && dv_run_step(run))
        value = dv_val_string(run->heap, text);
    dv_buf_cut(run->out, start);
    return value;
}

/* A nil that was handed over is no value to the template. */
static dv_val data_of(dv_val value)
{
    return dv_val_is_nil(value) ? DV_NONE_VAL : value;
}

static uintptr_t times_open(const dv_run *run, dv_str name)
{
    return run->included ? (uintptr_t)dv_map_get(run->included, name) : 0;
}

/* The map keeps one more, for a NULL is no value. */
static void set_times_open(dv_run *run, dv_str name, uintptr_t times)
{
    if (!run->included)
        run->included = dv_map_new(/* free_value= */ NULL);
    dv_map_put(run->included, name, (void *)times);
}

DV_FN(include)
{
    dv_str name = DV_ARG(0);
    uintptr_t open = times_open(run, name);
    size_t start = run->out->n;

    if (open > RECURSION_MAX)
        return dv_run_fail(run,
                           "rendering template has a nested reference name: %.*s: unable to "
                           "execute template",
                           DV_FMT(name));
    const tree *t = dv_run_find(run, name);
    if (!t) {
        dv_buf *text = dv_run_scratch(run);

        dv_buf_adds(text, "template: no template ");
        dv_quote(text, name);
        dv_buf_adds(text, " associated with template \"gotpl\"");
        return dv_run_fail_text(run, dv_buf_str(text));
    }
    set_times_open(run, name, open + 1);
    dv_run_execute(run, t, data_of(args[1]));
    if (open)
        set_times_open(run, name, open);
    else
        dv_map_drop(run->included, name);
    return take_output(run, start);
}

/* Wraps what went wrong in a "tpl" as Helm does. */
static dv_val fail_tpl(dv_run *run, const char *what, dv_str text, const char *message)
{
    DV_CLEANUP(dv_buf_done) dv_buf full = DV_BUF_INIT(DV_BODY_MAX);

    dv_buf_adds(&full, what);
    dv_quote(&full, text);
    dv_buf_addf(&full, ": %s", message);
    run->reason = NULL;
    return dv_run_fail_text(run, dv_buf_str(&full));
}

static dv_val without_no_value(dv_run *run, dv_val text)
{
    static const dv_str no_value = DV_STR("<no value>");
    dv_str s = dv_val_str(text);
    dv_buf *out = dv_run_scratch(run);

    if (text.kind != DV_V_STRING || !dv_str_contains(s, no_value))
        return text;
    for (const char *at; s.n && (at = memmem(s.p, s.n, no_value.p, no_value.n));) {
        dv_buf_add(out, s.p, (size_t)(at - s.p));
        s = dv_str_skip(s, (size_t)(at - s.p) + no_value.n);
    }
    dv_buf_add_str(out, s);
    return dv_run_text(run, out);
}

DV_FN(tpl)
{
    overlay *top = run->top, *own = NULL;
    size_t start = run->out->n;
    dv_auto(dv_err) err = dv_run_overlay(run, DV_ARG(0), &own);

    if (err) {
        DV_CLEANUP(dv_buf_done) dv_buf what = DV_BUF_INIT(DV_BODY_MAX);

        dv_buf_adds(&what, "cannot parse template ");
        return fail_tpl(run, dv_buf_cstr(&what), DV_ARG(0), dv_err_str(err));
    }
    run->top = own;
    dv_run_execute(run, own->main, data_of(args[1]));
    run->top = top;
    if (run->reason && strcmp(run->reason, "TemplateFailed") == 0) {
        DV_CLEANUP(dv_freep) char *message = dv_strdup(dv_buf_cstr(&run->fault));

        fail_tpl(run, "error during tpl function execution for ", DV_ARG(0), message);
    }
    return without_no_value(run, take_output(run, start));
}

/* ---- Refusing ---- */

static dv_val refuse(dv_run *run, dv_str message)
{
    dv_buf *text = dv_run_scratch(run);

    if (run->options->lint)
        return dv_val_lit("");
    dv_buf_addf(text, "%s%.*s%s", DV_HELM_WARN_START, DV_FMT(message), DV_HELM_WARN_END);
    return dv_run_fail_text(run, dv_buf_str(text));
}

DV_FN(required)
{
    if (dv_val_is_nil(args[1]) || (args[1].kind == DV_V_STRING && !args[1].n))
        return refuse(run, DV_ARG(0));
    return args[1];
}

DV_FN(fail)
{
    return refuse(run, DV_ARG(0));
}

DV_FN(getHostByName)
{
    return dv_val_lit("");
}

DV_FN(lookup)
{
    const dv_run_options *options = run->options;
    dv_val found = dv_val_dict(dv_dict_new(run->heap, &dv_type_any_dict));

    if (!options->lookup)
        return found;
    dv_auto(dv_err) err = options->lookup(options->lookup_context, run->heap, DV_ARG(0), DV_ARG(1),
                                          DV_ARG(2), DV_ARG(3), &found);
    return err ? dv_run_fail(run, "%s", dv_err_str(err)) : found;
}

/* ---- YAML ---- */

DV_FN(toYaml)
{
    dv_buf *out = dv_run_scratch(run);

    if (dv_val_to_yaml(run->heap, out, args[0]) && out->n && out->p[out->n - 1] == '\n')
        dv_buf_cut(out, out->n - 1);
    return dv_run_text(run, out);
}

DV_FN(fromYaml)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val value = DV_NONE_VAL;

    if (!dv_val_from_yaml(run->heap, DV_ARG(0), &value, &fault))
        value = DV_NONE_VAL;
    else if (dv_val_is_nil(value)) /* as Go leaves what it was to read into */
        value = dv_val_dict(dv_dict_new(run->heap, &dv_type_any_dict));
    return dv_fit_dict(run, value, "error unmarshaling JSON: while decoding JSON: json",
                       dv_buf_str(&fault));
}

DV_FN(fromYamlArray)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val value = DV_NONE_VAL;

    if (!dv_val_from_yaml(run->heap, DV_ARG(0), &value, &fault))
        value = DV_NONE_VAL;
    else if (dv_val_is_nil(value)) /* as Go leaves what it was to read into */
        value = dv_val_list(dv_list_new(run->heap, &dv_type_any_list, 0));
    return dv_fit_list(run, value, "error unmarshaling JSON: while decoding JSON: json",
                       dv_buf_str(&fault));
}

DV_FN(toYamlPretty)
{
    dv_buf *out = dv_run_scratch(run);

    if (dv_val_to_yaml_pretty(run->heap, out, args[0]) && out->n && out->p[out->n - 1] == '\n')
        dv_buf_cut(out, out->n - 1);
    return dv_run_text(run, out);
}

/* ---- TOML ---- */

DV_FN(toToml)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_buf *out = dv_run_scratch(run);

    if (dv_val_is_nil(args[0]))
        return dv_run_fail(run, "reflect: call of reflect.Value.Type on zero Value");
    if (!dv_toml_encode(run->heap, out, args[0], &fault)) {
        dv_buf_reset(out);
        dv_buf_add_str(out, dv_buf_str(&fault));
    }
    return dv_run_text(run, out);
}

DV_FN(fromToml)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val value = DV_NONE_VAL;

    if (!dv_toml_decode(run->heap, DV_ARG(0), &value, &fault))
        value = DV_NONE_VAL;
    return dv_fit_dict(run, value, "toml", dv_buf_str(&fault));
}
