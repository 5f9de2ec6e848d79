/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ctx.h"

#include <poll.h>

#include "base/sync.h"
#include "testlib.h"

static void no_deadline_is_no_limit(void **state DV_UNUSED)
{
    dv_ctx ctx = dv_ctx_make(/* cancel= */ NULL);

    assert_true(dv_ctx_left_ms(&ctx) == INT64_MAX);
    assert_ok(dv_ctx_check(&ctx));
    assert_ok(dv_ctx_sleep(&ctx, 0));
}

static void deadlines_pass_with_the_clock(void **state DV_UNUSED)
{
    dv_fake_clock fake;
    dv_ctx ctx = dv_ctx_make(NULL);

    dv_fake_clock_init(&fake, 0);
    ctx.clock = &fake.clock;
    dv_ctx_set_timeout(&ctx, 1000);
    assert_int_equal(dv_ctx_left_ms(&ctx), 1000);
    dv_fake_clock_advance(&fake, 999);
    assert_ok(dv_ctx_check(&ctx));
    dv_fake_clock_advance(&fake, 1);
    assert_err(dv_ctx_check(&ctx), DV_TRANSIENT, "time limit");
    dv_fake_clock_advance(&fake, 5000);
    assert_int_equal(dv_ctx_left_ms(&ctx), 0);
}

static void an_inner_timeout_only_narrows(void **state DV_UNUSED)
{
    dv_fake_clock fake;
    dv_ctx ctx = dv_ctx_make(NULL);

    dv_fake_clock_init(&fake, 0);
    ctx.clock = &fake.clock;
    dv_ctx_set_timeout(&ctx, 1000);
    dv_ctx inner = ctx;
    dv_ctx_set_timeout(&inner, 5000);
    assert_int_equal(dv_ctx_left_ms(&inner), 1000);
    dv_ctx_set_timeout(&inner, 200);
    assert_int_equal(dv_ctx_left_ms(&inner), 200);
    assert_int_equal(dv_ctx_left_ms(&ctx), 1000);
}

static void a_cancel_is_seen_by_all(void **state DV_UNUSED)
{
    dv_auto(dv_cancel) cancel = dv_cancel_new();
    dv_ctx ctx = dv_ctx_make(cancel), copy = ctx;
    struct pollfd polled = {.fd = dv_cancel_fd(cancel), .events = POLLIN};

    assert_false(dv_cancel_fired(cancel));
    assert_int_equal(poll(&polled, 1, 0), 0);
    dv_cancel_fire(cancel);
    dv_cancel_fire(cancel);
    assert_true(dv_cancel_fired(cancel));
    assert_int_equal(poll(&polled, 1, 0), 1);
    assert_err(dv_ctx_check(&copy), DV_CANCELED, NULL);
    assert_err(dv_ctx_sleep(&copy, 60000), DV_CANCELED, NULL);
    dv_cancel_free(NULL);
}

static void *fire(void *cancel)
{
    dv_cancel_fire(cancel);
    return NULL;
}

static void a_cancel_wakes_a_sleeper(void **state DV_UNUSED)
{
    dv_auto(dv_cancel) cancel = dv_cancel_new();
    dv_ctx ctx = dv_ctx_make(cancel);
    pthread_t thread = dv_thread_start("fire", DV_STACK_BYTES, fire, cancel);

    assert_err(dv_ctx_sleep(&ctx, 60000), DV_CANCELED, NULL);
    pthread_join(thread, NULL);
}

static void sleeping_ends_at_the_deadline(void **state DV_UNUSED)
{
    dv_ctx ctx = dv_ctx_make(NULL);

    dv_ctx_set_timeout(&ctx, 1);
    assert_err(dv_ctx_sleep(&ctx, 60000), DV_TRANSIENT, NULL);
}

int main(void)
{
    dv_suite suite = {.name = "base/ctx"};

    DV_TEST(&suite, no_deadline_is_no_limit);
    DV_TEST(&suite, deadlines_pass_with_the_clock);
    DV_TEST(&suite, an_inner_timeout_only_narrows);
    DV_TEST(&suite, a_cancel_is_seen_by_all);
    DV_TEST(&suite, a_cancel_wakes_a_sleeper);
    DV_TEST(&suite, sleeping_ends_at_the_deadline);
    return dv_suite_run(&suite);
}
