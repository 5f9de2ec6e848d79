/* SPDX-License-Identifier: Apache-2.0 */
/* Replays saved inputs through a fuzz target, with any compiler: each argument is a file. */
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        DV_CLEANUP(dv_buf_done) dv_buf input = DV_BUF_INIT(DV_BODY_MAX);
        dv_auto(dv_err) err = dv_file_read(argv[i], &input);

        if (err) {
            fprintf(stderr, "%s: %s\n", argv[i], dv_err_str(err));
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)dv_buf_cstr(&input), input.n);
    }
    return 0;
}
