/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A constraint and a version, one a line: a constraint's sides are judged one by one, a build
 * changes nothing, and what was accepted is accepted again from the kept text.
 */
#include "semver/constraint.h"

static bool accepts(dv_str text, const dv_version *version, bool *ret_accepts)
{
    dv_auto(dv_constraint) constraint = NULL;
    dv_auto(dv_err) err = dv_constraint_parse(text, &constraint);

    if (err)
        return false;
    DV_ASSERT(dv_str_eq(dv_constraint_text(constraint), text));
    *ret_accepts = dv_constraint_accepts(constraint, version);
    return true;
}

static void check_doubled(dv_str text, const dv_version *version, bool want)
{
    DV_CLEANUP(dv_buf_done) dv_buf doubled = DV_BUF_INIT(DV_CONSTRAINT_MAX_BYTES);
    bool got;

    /* Blanks on both sides keep a hyphen range from swallowing the bars. */
    dv_buf_addf(&doubled, "%.*s || ", DV_FMT(text));
    dv_buf_add_str(&doubled, text);
    if (!doubled.overflow && accepts(dv_buf_str(&doubled), version, &got))
        DV_ASSERT(got == want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dv_str text, rest = dv_str_cut((dv_str){(const char *)data, size}, '\n', &text);
    dv_version version, built;
    bool got, again;

    if (!dv_version_is(rest, &version))
        (void)!dv_version_is(DV_STR("1.2.3"), &version);
    if (!accepts(text, &version, &got))
        return 0;
    built = version;
    built.build = DV_STR("7");
    DV_ASSERT(accepts(text, &built, &again) && again == got);
    check_doubled(text, &version, got);
    return 0;
}
