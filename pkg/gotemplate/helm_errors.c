/* SPDX-License-Identifier: Apache-2.0 */
/* The functions as a whole, and how Helm words what went wrong with them. */
#include "gotemplate/tables_internal.h"

const dv_function_table *const *dv_helm_functions(void)
{
    static const dv_function_table *const tables[] = {&dv_sprig_functions, &dv_helm_own_functions,
                                                      NULL};

    return tables;
}

static const char *find(dv_str s, const char *needle)
{
    return s.n ? memmem(s.p, s.n, needle, strlen(needle)) : NULL;
}

/* What stands between the first start and the last end. */
static bool find_warning(dv_str s, dv_str *ret_text)
{
    const char *start = find(s, DV_HELM_WARN_START), *end = NULL;

    if (!start)
        return false;
    start += strlen(DV_HELM_WARN_START);
    dv_str rest = dv_str_skip(s, (size_t)(start - s.p));
    for (const char *at; (at = find(rest, DV_HELM_WARN_END));
         rest = dv_str_skip(rest, (size_t)(at - rest.p) + 1))
        end = at;
    if (!end)
        return false;
    *ret_text = (dv_str){start, (size_t)(end - start)};
    return true;
}

void dv_helm_error_add(dv_buf *out, const dv_err *err, dv_str message)
{
    dv_str text = message.n ? message : dv_str_of(dv_err_str(err)), rest = text, warning, last;
    const char *colon = find(text, ": ");
    bool parse = strcmp(dv_err_reason(err), "BadTemplate") == 0;

    if (!colon || !dv_str_starts(text, DV_STR("template: "))) {
        dv_buf_add_str(out, text);
        return;
    }
    rest = dv_str_skip(text, (size_t)(colon - text.p) + 2);
    colon = find(rest, ": ");
    dv_str place = dv_str_head(rest, colon ? (size_t)(colon - rest.p) : rest.n);
    last = dv_str_skip(rest, place.n + 2);
    if (!parse && find_warning(last, &warning)) {
        dv_buf_addf(out, "execution error at (%.*s): ", DV_FMT(place));
        dv_buf_add_str(out, warning);
        return;
    }
    if (!parse) {
        dv_buf_add_str(out, text);
        return;
    }
    for (const char *at; (at = find(last, ": "));)
        last = dv_str_skip(last, (size_t)(at - last.p) + 2);
    dv_buf_addf(out, "parse error at (%.*s): ", DV_FMT(place));
    dv_buf_add_str(out, last);
}
