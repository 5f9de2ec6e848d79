/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and times: what is read is printed and read as the same. */
#include "base/clock.h"

static void check_duration(dv_str text)
{
    DV_CLEANUP(dv_buf_done) dv_buf printed = DV_BUF_INIT(DV_LINE_MAX);
    int64_t ms = 0, again = -1;
    dv_auto(dv_err) refused = dv_duration_parse(text, &ms);

    if (refused)
        return;
    DV_ASSERT(ms >= 0);
    dv_duration_add(&printed, ms);
    dv_auto(dv_err) err = dv_duration_parse(dv_buf_str(&printed), &again);
    DV_ASSERT(!err && again == ms);
}

static void check_time(dv_str text)
{
    static const int64_t year_0_us = -62167219200000000, year_10000_us = 253402300800000000;
    DV_CLEANUP(dv_buf_done) dv_buf printed = DV_BUF_INIT(DV_LINE_MAX);
    int64_t us = 0, again = -1;
    dv_auto(dv_err) refused = dv_time_parse(text, &us);

    /* An offset may lead out of the years that have four digits. */
    if (refused || us < year_0_us || us >= year_10000_us)
        return;
    dv_time_add_micro(&printed, us);
    dv_auto(dv_err) err = dv_time_parse(dv_buf_str(&printed), &again);
    DV_ASSERT(!err && again == us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_duration((dv_str){(const char *)data, size});
    check_time((dv_str){(const char *)data, size});
    return 0;
}
