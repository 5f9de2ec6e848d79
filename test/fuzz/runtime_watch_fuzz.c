/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a watch sends means the same however the network cuts it. The first byte says into how
 * large pieces.
 */
#include "runtime_reflect.h"

static void watch(dv_str bytes, size_t piece, dv_buf *out)
{
    DV_CLEANUP(dv_frames_done) dv_frames frames = {0};
    dv_reflector r;
    dv_str line;

    dv_reflector_init(&r, &fuzz_options, &fuzz_ops, NULL, NULL);
    dv_reflector_start(&r, 1);
    fuzz_listed(&r, DV_STR("{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[]}"));
    dv_reflector_began(&r, 1);
    while (bytes.n) {
        dv_frames_feed(&frames, dv_str_head(bytes, piece));
        bytes = dv_str_skip(bytes, piece);
        while (r.state == DV_WATCHING && dv_frames_next(&frames, &line))
            dv_reflector_line(&r, 1, line);
    }
    fuzz_dump(&r, out);
    dv_buf_addf(out, " %llu %llu %d", (unsigned long long)r.events, (unsigned long long)r.skipped,
                (int)r.state);
    dv_reflector_done(&r);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    dv_json_setup();
    dv_log_setup(DV_LOG_ERROR, DV_LOG_TEXT);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_buf_done) dv_buf whole = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf pieces = DV_BUF_INIT(DV_BODY_MAX);

    if (size < 1)
        return 0;
    dv_str bytes = {(const char *)data + 1, size - 1};
    watch(bytes, size, &whole);
    watch(bytes, (size_t)data[0] + 1, &pieces);
    DV_ASSERT(dv_str_eq(dv_buf_str(&whole), dv_buf_str(&pieces)));
    return 0;
}
