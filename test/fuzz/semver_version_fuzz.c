/* SPDX-License-Identifier: Apache-2.0 */
/* Two versions, one a line: both readers agree, the order is one, builds only break ties. */
#include "semver/version.h"

static bool read_one(dv_str text, dv_version *v)
{
    dv_version strict;
    dv_auto(dv_err) loose_err = dv_version_parse(text, v);
    dv_auto(dv_err) strict_err = dv_version_parse_strict(text, &strict);
    dv_version silent;

    DV_ASSERT(dv_version_is(text, &silent) == !loose_err);
    if (!strict_err)
        DV_ASSERT(!loose_err && dv_version_cmp(v, &strict) == 0);
    if (loose_err)
        return false;
    DV_ASSERT(dv_version_cmp(v, v) == 0);
    return true;
}

/* What was read, written out, reads as the same. */
static void check_round_trip(const dv_version *v)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);
    dv_version again;

    dv_buf_addf(&out, "%lu.%lu.%lu", v->major, v->minor, v->patch);
    if (v->pre.n)
        dv_buf_addf(&out, "-%.*s", DV_FMT(v->pre));
    if (v->build.n)
        dv_buf_addf(&out, "+%.*s", DV_FMT(v->build));
    if (out.n <= DV_VERSION_MAX_BYTES)
        DV_ASSERT(dv_version_is(dv_buf_str(&out), &again) && dv_version_cmp(v, &again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dv_str first, second = dv_str_cut((dv_str){(const char *)data, size}, '\n', &first);
    dv_version a, b;

    if (!read_one(first, &a))
        return 0;
    check_round_trip(&a);
    if (!read_one(second, &b))
        return 0;
    DV_ASSERT(dv_version_cmp(&a, &b) == -dv_version_cmp(&b, &a));
    if (dv_version_cmp_precedence(&a, &b) != 0)
        DV_ASSERT(dv_version_cmp(&a, &b) == dv_version_cmp_precedence(&a, &b));
    return 0;
}
