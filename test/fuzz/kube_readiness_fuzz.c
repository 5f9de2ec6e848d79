/* SPDX-License-Identifier: Apache-2.0 */
/* Any document has a verdict, the same each time, and a reason unless it is ready. */
#include "kube/readiness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_buf_done) dv_buf why = DV_BUF_INIT((size_t)64 * 1024);
    json_auto_t *object = NULL;
    dv_auto(dv_err) no_json = dv_json_read((dv_str){(const char *)data, size}, &object);

    if (no_json)
        return 0;
    dv_readiness verdict = dv_readiness_at(object, 1795251630000, &why);
    DV_ASSERT((verdict == DV_READY) == (why.n == 0));
    DV_ASSERT(dv_readiness_at(object, 1795251630000, NULL) == verdict);
    return 0;
}
