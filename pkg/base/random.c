/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from crypto.c, so that a program that needs no more of it loads no OpenSSL. */
#include "base/crypto.h"

#include <errno.h>
#include <sys/random.h>

void dv_random_bytes(void *out, size_t n)
{
    unsigned char *at = out;

    while (n) {
        ssize_t got = getrandom(at, n, 0);

        DV_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

uint64_t dv_random_below(uint64_t bound)
{
    DV_ASSERT(bound > 0);
    /* Values below 2^64 mod bound would make small results likelier. */
    uint64_t skip = (0 - bound) % bound, value;

    do
        dv_random_bytes(&value, sizeof(value));
    while (value < skip);
    return value % bound;
}

void dv_uuid_add(dv_buf *out)
{
    unsigned char u[16];

    dv_random_bytes(u, sizeof(u));
    u[6] = (unsigned char)(0x40 | (u[6] & 0x0f)); /* version 4 */
    u[8] = (unsigned char)(0x80 | (u[8] & 0x3f)); /* RFC variant */
    for (size_t i = 0; i < sizeof(u); i++)
        dv_buf_addf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", u[i]);
}
