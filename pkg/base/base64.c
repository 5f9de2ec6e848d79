/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from crypto.c, so that a program that needs no more of it loads no OpenSSL. */
#include "base/crypto.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void dv_base64_add(dv_buf *out, dv_str bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.p;

    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        unsigned group = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                         (left > 2 ? (unsigned)in[i + 2] : 0);
        char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=',
                        left > 2 ? alphabet[group & 63] : '='};

        dv_buf_add(out, text, sizeof(text));
    }
}

/* 0 to 63, or -1. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_skipped(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Adds the bytes of one group of four with `pad` signs at its end; false: not a group. */
static bool add_group(dv_buf *out, const int value[4], int pad)
{
    unsigned group = 0;

    for (int i = 0; i < 4; i++)
        group = group << 6 | (unsigned)(i < 4 - pad ? value[i] : 0);
    const char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};
    if (pad > 2)
        return false;
    dv_buf_add(out, bytes, (size_t)(3 - pad));
    return true;
}

static bool decode(dv_str text, dv_buf *out)
{
    int value[4], n = 0, pad = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (is_skipped(text.p[i]))
            continue;
        if (pad && (n == 0 || text.p[i] != '='))
            return false; /* something behind the padding */
        if (text.p[i] == '=')
            pad++;
        else if ((value[n] = base64_value(text.p[i])) < 0)
            return false;
        if (++n < 4)
            continue;
        if (!add_group(out, value, pad))
            return false;
        n = 0;
    }
    return n == 0;
}

dv_err *dv_base64_decode(dv_str text, dv_buf *out)
{
    size_t before = out->n;

    if (!decode(text, out)) {
        dv_buf_cut(out, before);
        return dv_err_new(DV_INVALID, "BadBase64", "not base64");
    }
    return dv_buf_check(out);
}
