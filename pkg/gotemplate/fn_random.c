/* SPDX-License-Identifier: Apache-2.0 */
/* What is random, from the kernel. */
#include "base/crypto.h"
#include "gotemplate/functions_internal.h"
#include "base/unicode.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static dv_val random_text(dv_run *run, int64_t count, const char *set)
{
    dv_buf *out = dv_run_scratch(run);
    size_t n = strlen(set);

    if (count <= 0)
        return dv_val_lit("");
    if (!dv_run_charge(run, (uint64_t)count))
        return DV_NONE_VAL;
    for (int64_t i = 0; i < count && !out->overflow; i++)
        dv_buf_addc(out, set[dv_random_below(n)]);
    return dv_run_text(run, out);
}

DV_FN(randAlphaNum)
{
    return random_text(run, args[0].i, LETTERS DIGITS);
}

DV_FN(randAlpha)
{
    return random_text(run, args[0].i, LETTERS);
}

DV_FN(randNumeric)
{
    return random_text(run, args[0].i, DIGITS);
}

DV_FN(randAscii)
{
    return random_text(run, args[0].i, " !\"#$%&'()*+,-./" DIGITS ":;<=>?@" LETTERS "[\\]^_`{|}~");
}

DV_FN(randBytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_BODY_MAX);
    dv_buf *out = dv_run_scratch(run);
    char *room;

    if (args[0].i < 0)
        return dv_run_fail(run, "runtime error: makeslice: len out of range");
    if (!dv_run_charge(run, (uint64_t)args[0].i / 64))
        return DV_NONE_VAL;
    room = dv_buf_room(&bytes, (size_t)args[0].i);
    if (room) {
        dv_random_bytes(room, (size_t)args[0].i);
        dv_buf_grown(&bytes, (size_t)args[0].i);
    }
    out->overflow |= bytes.overflow;
    dv_base64_add(out, dv_buf_str(&bytes));
    return dv_run_text(run, out);
}

DV_FN(randInt)
{
    int64_t width;

    if (__builtin_sub_overflow(args[1].i, args[0].i, &width) || width <= 0)
        return dv_run_fail(run, "invalid argument to Intn");
    return dv_val_int(args[0].i + (int64_t)dv_random_below((uint64_t)width));
}

DV_FN(uuidv4)
{
    dv_buf *out = dv_run_scratch(run);

    dv_uuid_add(out);
    return dv_run_text(run, out);
}

DV_FN(shuffle)
{
    dv_str s = DV_ARG(0);
    size_t count = dv_rune_count(s);
    DV_CLEANUP(dv_freep) uint32_t *runes = dv_calloc(count + 1, sizeof(*runes));
    dv_buf *out = dv_run_scratch(run);

    if (!dv_run_charge(run, count / 4))
        return DV_NONE_VAL;
    for (size_t i = 0; i < count; i++)
        runes[i] = dv_rune_take(&s);
    for (size_t i = count; i > 1; i--) {
        size_t k = dv_random_below(i);
        uint32_t held = runes[i - 1];

        runes[i - 1] = runes[k];
        runes[k] = held;
    }
    for (size_t i = 0; i < count; i++)
        dv_rune_add(out, runes[i]);
    return dv_run_text(run, out);
}
