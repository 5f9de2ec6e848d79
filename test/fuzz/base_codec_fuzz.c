/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 and gzip: what is decoded is encoded and decoded as the same; a failure adds nothing. */
#include "base/archive.h"
#include "base/crypto.h"

#define LIMIT ((size_t)1024 * 1024)

static void check_base64(dv_str text)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(LIMIT);
    DV_CLEANUP(dv_buf_done) dv_buf encoded = DV_BUF_INIT(2 * LIMIT);
    DV_CLEANUP(dv_buf_done) dv_buf again = DV_BUF_INIT(LIMIT);
    dv_auto(dv_err) refused = dv_base64_decode(text, &bytes);

    if (refused) {
        DV_ASSERT(bytes.n == 0);
        return;
    }
    dv_base64_add(&encoded, dv_buf_str(&bytes));
    dv_auto(dv_err) err = dv_base64_decode(dv_buf_str(&encoded), &again);
    DV_ASSERT(!err && dv_str_eq(dv_buf_str(&again), dv_buf_str(&bytes)));
}

static void check_gzip(dv_str packed)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(LIMIT);
    DV_CLEANUP(dv_buf_done) dv_buf again = DV_BUF_INIT(2 * LIMIT);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(LIMIT);
    dv_auto(dv_err) refused = dv_gunzip(packed, &bytes);

    if (refused)
        return;
    dv_gzip_add(&again, dv_buf_str(&bytes));
    dv_auto(dv_err) err = dv_gunzip(dv_buf_str(&again), &out);
    DV_ASSERT(!err && dv_str_eq(dv_buf_str(&out), dv_buf_str(&bytes)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_base64((dv_str){(const char *)data, size});
    check_gzip((dv_str){(const char *)data, size});
    return 0;
}
