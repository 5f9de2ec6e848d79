/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>

/* A runaway chain of wraps or a huge message must not become a huge status. */
enum { MESSAGE_MAX_BYTES = 16 * 1024 };

struct dv_err {
    dv_err_kind kind;
    const char *reason;
    char *message;
    int64_t retry_after_ms;
};

static void clip(char *message)
{
    static const char dots[] = "...";
    size_t end = MESSAGE_MAX_BYTES - sizeof(dots);

    if (strnlen(message, MESSAGE_MAX_BYTES) < MESSAGE_MAX_BYTES)
        return;
    while (((unsigned char)message[end] & 0xc0) == 0x80 && end > 0)
        end--; /* not through the middle of a character */
    memcpy(message + end, dots, sizeof(dots));
}

DV_PRINTF(1, 0) static char *vformat(const char *format, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        abort();
    clip(text);
    return text;
}

dv_err *dv_err_new(dv_err_kind kind, const char *reason, const char *format, ...)
{
    dv_err *err = DV_NEW(dv_err);
    va_list args;

    err->kind = kind;
    err->reason = reason;
    va_start(args, format);
    err->message = vformat(format, args);
    va_end(args);
    return err;
}

dv_err *dv_err_wrap(dv_err *err, const char *format, ...)
{
    va_list args;

    if (!err)
        return NULL;
    va_start(args, format);
    dv_auto_str front = vformat(format, args);
    va_end(args);
    char *joined = dv_asprintf("%s: %s", front, err->message);
    clip(joined);
    free(err->message);
    err->message = joined;
    return err;
}

dv_err *dv_err_recast(dv_err *err, dv_err_kind kind, const char *reason)
{
    if (!err)
        return NULL;
    err->kind = kind;
    if (reason)
        err->reason = reason;
    return err;
}

dv_err *dv_err_join(dv_err *a, dv_err *b)
{
    if (!a || !b)
        return a ? a : b;
    char *joined = dv_asprintf("%s; %s", a->message, b->message);
    clip(joined);
    free(a->message);
    a->message = joined;
    dv_err_free(b);
    return a;
}

dv_err *dv_err_dup(const dv_err *err)
{
    if (!err)
        return NULL;
    dv_err *copy = dv_err_new(err->kind, err->reason, "%s", err->message);
    copy->retry_after_ms = err->retry_after_ms;
    return copy;
}

void dv_err_free(dv_err *err)
{
    if (!err)
        return;
    free(err->message);
    free(err);
}

dv_err_kind dv_err_kind_of(const dv_err *err)
{
    return err->kind;
}

bool dv_err_is(const dv_err *err, dv_err_kind kind)
{
    return err && err->kind == kind;
}

const char *dv_err_reason(const dv_err *err)
{
    return err->reason;
}

const char *dv_err_str(const dv_err *err)
{
    return err->message;
}

int64_t dv_err_retry_after_ms(const dv_err *err)
{
    return err->retry_after_ms;
}

void dv_err_set_retry_after(dv_err *err, int64_t retry_after_ms)
{
    err->retry_after_ms = retry_after_ms;
}

const char *dv_err_kind_name(dv_err_kind kind)
{
    switch (kind) {
    case DV_TRANSIENT:
        return "Transient";
    case DV_CONFLICT:
        return "Conflict";
    case DV_WAITING:
        return "Waiting";
    case DV_NOT_FOUND:
        return "NotFound";
    case DV_DENIED:
        return "Denied";
    case DV_INVALID:
        return "Invalid";
    case DV_CANCELED:
        return "Canceled";
    case DV_BUG:
        return "Bug";
    }
    return "Unknown";
}
