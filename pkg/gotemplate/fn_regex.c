/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions. A broken one is an error, except that regexMatch says no. */
#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/run_internal.h"

/* NULL: the run has failed; panics: with the text of MustCompile. */
static const dv_regex *compile(dv_run *run, dv_str pattern, bool panics)
{
    dv_err *err = NULL;
    const dv_regex *regex = dv_run_regex(run, pattern, &err);
    dv_auto(dv_err) owned = err;
    dv_buf *text = dv_run_scratch(run);

    if (regex || !owned)
        return regex;
    if (panics) {
        bool raw = dv_can_backquote(pattern);

        dv_buf_adds(text, raw ? "regexp: Compile(`" : "regexp: Compile(");
        if (raw)
            dv_buf_add_str(text, pattern);
        else
            dv_quote(text, pattern);
        dv_buf_adds(text, raw ? "`): " : "): ");
    }
    dv_buf_adds(text, dv_err_str(owned));
    dv_run_fail_text(run, dv_buf_str(text));
    return NULL;
}

/* A search looks at each byte of the text. */
static bool charge(dv_run *run, dv_val text)
{
    return dv_run_charge(run, 1 + text.n / 64);
}

static dv_val nil_strings(dv_run *run)
{
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_strings, 0);

    list->nil = true;
    return dv_val_list(list);
}

static dv_val span(dv_val text, ptrdiff_t begin, ptrdiff_t end)
{
    text.s += begin;
    text.n = (uint32_t)(end - begin);
    text.iface = false;
    return text;
}

/* ---- Matching ---- */

DV_FN(regexMatch)
{
    dv_err *err = NULL;
    const dv_regex *regex = dv_run_regex(run, DV_ARG(0), &err);

    dv_err_free(err);
    charge(run, args[1]);
    return dv_val_bool(regex && dv_regex_matches(regex, DV_ARG(1)));
}

DV_FN(mustRegexMatch)
{
    const dv_regex *regex = compile(run, DV_ARG(0), /* panics= */ false);

    charge(run, args[1]);
    return dv_val_bool(regex && dv_regex_matches(regex, DV_ARG(1)));
}

/* ---- Finding ---- */

static dv_val find(dv_run *run, const dv_val *args, bool panics)
{
    const dv_regex *regex = compile(run, DV_ARG(0), panics);
    dv_regex_span found;

    charge(run, args[1]);
    if (!regex || !dv_regex_find(regex, DV_ARG(1), 0, &found, 1))
        return dv_val_lit("");
    return span(args[1], found.begin, found.end);
}

static dv_val find_all(dv_run *run, const dv_val *args, bool panics)
{
    const dv_regex *regex = compile(run, DV_ARG(0), panics);
    dv_list *list = NULL;
    dv_regex_walk walk = {0};
    dv_regex_span found;

    if (!regex)
        return DV_NONE_VAL;
    for (int64_t i = 0; (args[2].i < 0 || i < args[2].i) && charge(run, args[1]) &&
                        dv_regex_next(regex, DV_ARG(1), &walk, &found);
         i++) {
        if (!list)
            list = dv_list_new(dv_run_heap(run), &dv_type_strings, 0);
        dv_list_push(dv_run_heap(run), list, span(args[1], found.begin, found.end));
    }
    return list ? dv_val_list(list) : nil_strings(run);
}

DV_FN(regexFind)
{
    return find(run, args, /* panics= */ true);
}

DV_FN(mustRegexFind)
{
    return find(run, args, /* panics= */ false);
}

DV_FN(regexFindAll)
{
    return find_all(run, args, /* panics= */ true);
}

DV_FN(mustRegexFindAll)
{
    return find_all(run, args, /* panics= */ false);
}

/* ---- Replacing ---- */

static dv_val replace(dv_run *run, const dv_val *args, bool literal, bool panics)
{
    const dv_regex *regex = compile(run, DV_ARG(0), panics);
    dv_buf *out = dv_run_scratch(run);

    if (!regex || !dv_run_charge(run, 1 + args[1].n / 8))
        return DV_NONE_VAL;
    dv_regex_replace(regex, DV_ARG(1), DV_ARG(2), literal, out);
    return dv_run_text(run, out);
}

DV_FN(regexReplaceAll)
{
    return replace(run, args, /* literal= */ false, /* panics= */ true);
}

DV_FN(mustRegexReplaceAll)
{
    return replace(run, args, /* literal= */ false, /* panics= */ false);
}

DV_FN(regexReplaceAllLiteral)
{
    return replace(run, args, /* literal= */ true, /* panics= */ true);
}

DV_FN(mustRegexReplaceAllLiteral)
{
    return replace(run, args, /* literal= */ true, /* panics= */ false);
}

/* ---- Splitting ---- */

static dv_val split(dv_run *run, const dv_val *args, bool panics)
{
    const dv_regex *regex = compile(run, DV_ARG(0), panics);
    dv_val text = args[1];
    int64_t most = args[2].i;
    dv_regex_walk walk = {0};
    dv_regex_span found;
    ptrdiff_t begin = 0, end = 0;

    if (!regex)
        return DV_NONE_VAL;
    if (most == 0)
        return nil_strings(run);
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_strings, 0);
    if (args[0].n && !text.n) {
        dv_list_push(dv_run_heap(run), list, dv_val_lit(""));
        return dv_val_list(list);
    }
    while ((most < 0 || (int64_t)list->n < most - 1) && charge(run, text) &&
           dv_regex_next(regex, DV_ARG(1), &walk, &found)) {
        end = found.begin;
        if (found.end != 0)
            dv_list_push(dv_run_heap(run), list, span(text, begin, end));
        begin = found.end;
    }
    if (end != (ptrdiff_t)text.n)
        dv_list_push(dv_run_heap(run), list, span(text, begin, (ptrdiff_t)text.n));
    return dv_val_list(list);
}

DV_FN(regexSplit)
{
    return split(run, args, /* panics= */ true);
}

DV_FN(mustRegexSplit)
{
    return split(run, args, /* panics= */ false);
}

DV_FN(regexQuoteMeta)
{
    dv_buf *out = dv_run_scratch(run);

    dv_regex_quote(DV_ARG(0), out);
    return dv_run_text(run, out);
}
