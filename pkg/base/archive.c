/* SPDX-License-Identifier: Apache-2.0 */
#include "base/archive.h"

#include <limits.h>
#include <zlib.h>

enum {
    GZIP_WINDOW_BITS = 15 + 16, /* the largest window, in a gzip wrapper */
    GZIP_LEVEL = 6,
    MEMORY_LEVEL = 8, /* zlib's default */
    CHUNK_BYTES = 16 * 1024,
};

/* zlib counts in unsigned int; longer input is fed in pieces. */
static void feed(z_stream *z, dv_str *rest)
{
    if (z->avail_in || !rest->n)
        return;
    size_t n = DV_MIN(rest->n, (size_t)UINT_MAX);
    z->next_in = (Bytef *)(uintptr_t)rest->p;
    z->avail_in = (uInt)n;
    *rest = dv_str_skip(*rest, n);
}

void dv_gzip_add(dv_buf *out, dv_str bytes)
{
    Bytef chunk[CHUNK_BYTES];
    z_stream z = {0};
    int status;

    DV_ASSERT(deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                           Z_DEFAULT_STRATEGY) == Z_OK);
    do {
        feed(&z, &bytes);
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        status = deflate(&z, bytes.n ? Z_NO_FLUSH : Z_FINISH);
        DV_ASSERT(status == Z_OK || status == Z_STREAM_END);
        dv_buf_add(out, chunk, sizeof(chunk) - z.avail_out);
    } while (status != Z_STREAM_END);
    deflateEnd(&z);
}

static dv_err *damaged(const char *how)
{
    return dv_err_new(DV_INVALID, "BadGzip", "gzip data is %s", how);
}

/* Members follow each other until the input ends; z is at the start of one. */
static dv_err *expand(z_stream *z, dv_str rest, dv_buf *out)
{
    Bytef chunk[CHUNK_BYTES];

    for (;;) {
        feed(z, &rest);
        if (!z->avail_in)
            return damaged("cut off");
        z->next_out = chunk;
        z->avail_out = sizeof(chunk);
        int status = inflate(z, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return damaged("damaged");
        dv_buf_add(out, chunk, sizeof(chunk) - z->avail_out);
        DV_CHECK(dv_buf_check(out));
        if (status != Z_STREAM_END)
            continue;
        feed(z, &rest);
        if (!z->avail_in)
            return NULL;
        DV_ASSERT(inflateReset(z) == Z_OK);
    }
}

dv_err *dv_gunzip(dv_str bytes, dv_buf *out)
{
    z_stream z = {0};

    DV_ASSERT(inflateInit2(&z, GZIP_WINDOW_BITS) == Z_OK);
    dv_err *err = expand(&z, bytes, out);
    inflateEnd(&z);
    return err;
}
