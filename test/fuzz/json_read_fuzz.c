/* SPDX-License-Identifier: Apache-2.0 */
/* What is read is written, in each way, and read as the same. */
#include "json/json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc DV_UNUSED, char ***argv DV_UNUSED)
{
    dv_json_setup();
    return 0;
}

static void check_round_trip(const json_t *doc, void (*write)(const json_t *doc, dv_buf *out))
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf twice = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *again = NULL;

    write(doc, &text);
    dv_auto(dv_err) err = dv_json_read(dv_buf_str(&text), &again);
    DV_ASSERT(!err && dv_json_equal(doc, again));
    write(again, &twice);
    DV_ASSERT(dv_str_eq(dv_buf_str(&text), dv_buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *doc = NULL;
    dv_auto(dv_err) refused = dv_json_read((dv_str){(const char *)data, size}, &doc);

    if (refused) {
        DV_ASSERT(!doc);
        return 0;
    }
    check_round_trip(doc, dv_json_write);
    check_round_trip(doc, dv_json_write_sorted);
    check_round_trip(doc, dv_json_write_pretty);
    return 0;
}
