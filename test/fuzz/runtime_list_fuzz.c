/* SPDX-License-Identifier: Apache-2.0 */
/* A page listed twice changes nothing the second time, and an empty list leaves nothing. */
#include "runtime_reflect.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    dv_json_setup();
    dv_log_setup(DV_LOG_ERROR, DV_LOG_TEXT);
    return 0;
}

static void list(dv_reflector *r, dv_str body)
{
    dv_reflector_start(r, 1);
    fuzz_listed(r, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_buf_done) dv_buf empty = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf once = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf twice = DV_BUF_INIT(DV_BODY_MAX);
    dv_str body = {(const char *)data, size};
    dv_reflector r;

    dv_reflector_init(&r, &fuzz_options, &fuzz_ops, NULL, NULL);
    list(&r, body);
    fuzz_dump(&r, &once);
    list(&r, body);
    fuzz_dump(&r, &twice);
    DV_ASSERT(dv_str_eq(dv_buf_str(&once), dv_buf_str(&twice)));
    if (r.synced) { /* of a version that none is newer than: such would be writes of ours */
        dv_buf_adds(&empty, "{\"metadata\":{\"resourceVersion\":\"");
        dv_buf_fill(&empty, '9', DV_RV_MAX);
        dv_buf_adds(&empty, "\"},\"items\":null}");
        list(&r, dv_buf_str(&empty));
        DV_ASSERT(dv_store_count(r.store) == 0);
    }
    dv_reflector_done(&r);
    return 0;
}
