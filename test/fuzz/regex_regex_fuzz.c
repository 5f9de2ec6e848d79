/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An expression compiles or is refused with Go's sentence; its matches lie in the text, one behind
 * the other. The input is an expression, a NUL, and the text.
 */
#include "regex/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    dv_str input = {(const char *)bytes, size}, pattern;
    dv_str text = dv_str_cut(input, '\0', &pattern);
    DV_CLEANUP(dv_buf_done)
    dv_buf out = DV_BUF_INIT(DV_BODY_MAX), quoted = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_regex) regex = NULL;
    dv_auto(dv_regex) literal = NULL;
    dv_auto(dv_err) bad = dv_regex_compile(pattern, &regex);
    dv_regex_walk walk = {0};
    dv_regex_span span;
    ptrdiff_t end = 0;

    if (bad) {
        DV_ASSERT(dv_str_starts(dv_str_of(dv_err_str(bad)), DV_STR("error parsing regexp: ")));
        return 0;
    }
    while (dv_regex_next(regex, text, &walk, &span)) {
        DV_ASSERT(span.begin >= end && span.end >= span.begin && (size_t)span.end <= text.n);
        end = span.end;
    }
    dv_regex_replace(regex, text, DV_STR("<$0>"), /* literal= */ false, &out);
    if (!dv_utf8_valid(text) || memchr(text.p ? text.p : "", '\0', text.n))
        return 0;
    dv_regex_quote(text, &quoted);
    dv_auto(dv_err) err = dv_regex_compile(dv_buf_str(&quoted), &literal);
    DV_ASSERT(err || dv_regex_matches(literal, text));
    return 0;
}
