/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ctx.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct dv_cancel {
    _Atomic bool fired;
    int fd;
};

dv_cancel *dv_cancel_new(void)
{
    dv_cancel *cancel = DV_NEW(dv_cancel);

    cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    DV_ASSERT(cancel->fd >= 0);
    return cancel;
}

void dv_cancel_free(dv_cancel *cancel)
{
    if (!cancel)
        return;
    close(cancel->fd);
    free(cancel);
}

void dv_cancel_fire(dv_cancel *cancel)
{
    static const uint64_t one = 1;
    int saved = errno;

    cancel->fired = true;
    /* A full counter is readable already, so a failed write loses nothing. */
    if (write(cancel->fd, &one, sizeof(one)) < 0)
        errno = saved;
}

bool dv_cancel_fired(const dv_cancel *cancel)
{
    return cancel->fired;
}

int dv_cancel_fd(const dv_cancel *cancel)
{
    return cancel->fd;
}

dv_ctx dv_ctx_make(dv_cancel *cancel)
{
    return (dv_ctx){.cancel = cancel, .clock = dv_clock_real()};
}

int64_t dv_ctx_now_ms(const dv_ctx *ctx)
{
    return ctx->clock->mono_ms(ctx->clock);
}

void dv_ctx_set_timeout(dv_ctx *ctx, int64_t timeout_ms)
{
    int64_t at = dv_ctx_now_ms(ctx) + timeout_ms;

    if (!ctx->deadline_ms || at < ctx->deadline_ms)
        ctx->deadline_ms = at;
}

int64_t dv_ctx_left_ms(const dv_ctx *ctx)
{
    if (!ctx->deadline_ms)
        return INT64_MAX;
    return DV_MAX((int64_t)0, ctx->deadline_ms - dv_ctx_now_ms(ctx));
}

dv_err *dv_ctx_check(const dv_ctx *ctx)
{
    if (ctx->cancel && dv_cancel_fired(ctx->cancel))
        return dv_err_new(DV_CANCELED, "Canceled", "shutting down");
    if (dv_ctx_left_ms(ctx) == 0)
        return dv_err_new(DV_TRANSIENT, "DeadlineExceeded", "the time limit has passed");
    return NULL;
}

dv_err *dv_ctx_sleep(const dv_ctx *ctx, int64_t ms)
{
    struct pollfd wake = {.fd = ctx->cancel ? dv_cancel_fd(ctx->cancel) : -1, .events = POLLIN};
    int64_t wait = DV_MIN(DV_MIN(ms, dv_ctx_left_ms(ctx)), (int64_t)INT32_MAX);

    if (poll(&wake, 1, (int)wait) < 0)
        DV_ASSERT(errno == EINTR);
    return dv_ctx_check(ctx);
}
