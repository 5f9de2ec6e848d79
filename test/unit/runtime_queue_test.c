/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sync.h"
#include "runtime/queue.h"
#include "testlib.h"

typedef struct {
    dv_fake_clock time;
    dv_queue *queue;
} fixture;

static fixture make(void)
{
    fixture f = {.queue = NULL};

    dv_fake_clock_init(&f.time, 0);
    return f;
}

/* The clock may not move once the queue has it. */
static void start(fixture *f)
{
    f->queue = dv_queue_new(&f->time.clock);
}

static void finish(fixture *f)
{
    dv_queue_free(f->queue);
}

static const char *next(fixture *f)
{
    const char *key;

    return dv_queue_try_get(f->queue, &key) ? key : NULL;
}

static void assert_next(fixture *f, const char *want)
{
    const char *key = next(f);

    if (!want) {
        assert_null(key);
        return;
    }
    assert_non_null(key);
    assert_string_equal(key, want);
}

static void assert_depth(fixture *f, size_t ready, size_t delayed, size_t held)
{
    dv_queue_depth depth = dv_queue_get_depth(f->queue);

    assert_int_equal(depth.ready, ready);
    assert_int_equal(depth.delayed, delayed);
    assert_int_equal(depth.held, held);
}

static void ready_keys_come_in_order(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "b", 0);
    dv_queue_add(f.queue, "a", 0);
    dv_queue_add(f.queue, "c", 0);
    assert_next(&f, "b");
    assert_next(&f, "a");
    assert_next(&f, "c");
    assert_next(&f, NULL);
    finish(&f);
}

static void a_key_added_twice_comes_once(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "a", 0);
    dv_queue_add(f.queue, "a", 0);
    assert_depth(&f, 1, 0, 0);
    assert_next(&f, "a");
    assert_next(&f, NULL);
    dv_queue_done(f.queue, "a");
    assert_next(&f, NULL);
    assert_depth(&f, 0, 0, 0);
    finish(&f);
}

static void a_key_added_while_held_comes_again_after_done(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "a", 0);
    assert_next(&f, "a");
    dv_queue_add(f.queue, "a", 0);
    dv_queue_add(f.queue, "a", 0);
    assert_next(&f, NULL);
    dv_queue_done(f.queue, "a");
    assert_next(&f, "a");
    dv_queue_done(f.queue, "a");
    assert_next(&f, NULL);
    finish(&f);
}

static void a_delay_set_while_held_counts_from_when_it_was_set(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "a", 0);
    assert_next(&f, "a");
    dv_queue_add(f.queue, "a", 1000);
    dv_fake_clock_advance(&f.time, 400);
    dv_queue_done(f.queue, "a");
    assert_depth(&f, 0, 1, 0);
    dv_fake_clock_advance(&f.time, 599);
    assert_next(&f, NULL);
    dv_fake_clock_advance(&f.time, 1);
    assert_next(&f, "a");
    finish(&f);
}

static void of_two_wishes_while_held_the_earlier_wins(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "a", 0);
    assert_next(&f, "a");
    dv_queue_add(f.queue, "a", 5000);
    dv_queue_add(f.queue, "a", 0);
    dv_queue_add(f.queue, "a", 9000);
    dv_queue_done(f.queue, "a");
    assert_next(&f, "a");
    finish(&f);
}

static void delayed_keys_come_when_due_the_earliest_first(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "late", 300);
    dv_queue_add(f.queue, "early", 100);
    dv_queue_add(f.queue, "middle", 200);
    assert_next(&f, NULL);
    dv_fake_clock_advance(&f.time, 99);
    assert_next(&f, NULL);
    dv_fake_clock_advance(&f.time, 201);
    assert_next(&f, "early");
    assert_next(&f, "middle");
    assert_next(&f, "late");
    finish(&f);
}

static void of_two_delays_the_shorter_wins(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "a", 100);
    dv_queue_add(f.queue, "a", 500);
    dv_queue_add(f.queue, "b", 500);
    dv_queue_add(f.queue, "b", 100);
    dv_queue_add(f.queue, "c", 500);
    dv_queue_add(f.queue, "c", 0);
    assert_next(&f, "c");
    assert_next(&f, NULL);
    dv_fake_clock_advance(&f.time, 100);
    assert_depth(&f, 2, 0, 1);
    finish(&f);
}

static void a_ready_key_is_not_put_off(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "a", 0);
    dv_queue_add(f.queue, "a", 1000);
    assert_next(&f, "a");
    dv_queue_done(f.queue, "a");
    dv_fake_clock_advance(&f.time, 2000);
    assert_next(&f, NULL);
    finish(&f);
}

static void many_delays_come_in_order(void **state)
{
    enum { KEYS = 500 };
    fixture f = make();
    char name[16];
    int last = -1;

    (void)state;
    start(&f);
    for (int i = 0; i < KEYS; i++) { /* 7919 is prime: each delay once */
        int delay = (i * 7919) % KEYS + 1;

        snprintf(name, sizeof(name), "%d", delay);
        dv_queue_add(f.queue, name, delay);
        if (i % 3 == 0)
            dv_queue_add(f.queue, name, delay + 1000);
    }
    for (int i = 0; i < KEYS; i++) {
        dv_fake_clock_advance(&f.time, 1);
        const char *key = next(&f);
        assert_non_null(key);
        int delay = (int)strtol(key, NULL, 10);
        assert_true(delay > last);
        last = delay;
        dv_queue_done(f.queue, key);
    }
    assert_depth(&f, 0, 0, 0);
    finish(&f);
}

static const struct backoff_row {
    const char *name;
    unsigned retries; /* before */
    int64_t min_ms, at_least, at_most;
} backoff_rows[] = {
    {"the first retry waits a quarter of a second", 0, 0, 250, 275},
    {"the second waits twice that", 1, 0, 500, 550},
    {"the fifth waits sixteen times that", 4, 0, 4000, 4400},
    {"the wait is capped at five minutes", 20, 0, 300000, 330000},
    {"a hundred retries are still capped", 100, 0, 300000, 330000},
    {"the server's wish is a minimum", 0, 10000, 10000, 10000},
    {"a longer backoff passes the server's wish", 10, 100, 256000, 281600},
};

static void backoff_grows(void **state)
{
    const struct backoff_row *row = *state;
    fixture f = make();
    int64_t delay;

    start(&f);
    for (unsigned i = 0; i < row->retries; i++)
        dv_queue_retry(f.queue, "k", 0);
    assert_int_equal(dv_queue_retries(f.queue, "k"), row->retries);
    delay = dv_queue_retry(f.queue, "k", row->min_ms);
    assert_in_range(delay, row->at_least, row->at_most);
    finish(&f);
}

static void a_retry_waits_as_long_as_it_says(void **state)
{
    fixture f = make();
    int64_t delay;

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "k", 0);
    assert_next(&f, "k");
    delay = dv_queue_retry(f.queue, "k", 0);
    dv_queue_done(f.queue, "k");
    dv_fake_clock_advance(&f.time, delay - 1);
    assert_next(&f, NULL);
    dv_fake_clock_advance(&f.time, 1);
    assert_next(&f, "k");
    finish(&f);
}

static void success_forgets_the_backoff(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    for (int i = 0; i < 5; i++) {
        dv_queue_add(f.queue, "k", 0);
        assert_next(&f, "k");
        dv_queue_retry(f.queue, "k", 0);
        dv_queue_done(f.queue, "k");
    }
    dv_queue_forget(f.queue, "k");
    assert_int_equal(dv_queue_retries(f.queue, "k"), 0);
    assert_in_range(dv_queue_retry(f.queue, "k", 0), 250, 275);
    finish(&f);
}

static void the_backoff_outlives_a_success_that_did_not_forget(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_retry(f.queue, "k", 0);
    dv_fake_clock_advance(&f.time, 1000);
    assert_next(&f, "k");
    dv_queue_done(f.queue, "k");
    assert_int_equal(dv_queue_retries(f.queue, "k"), 1);
    finish(&f);
}

static void conflicts_come_at_once_twice(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    assert_int_equal(dv_queue_again(f.queue, "k"), 0);
    assert_int_equal(dv_queue_again(f.queue, "k"), 0);
    assert_in_range(dv_queue_again(f.queue, "k"), 250, 275);
    assert_in_range(dv_queue_again(f.queue, "k"), 500, 550);
    dv_queue_forget(f.queue, "k");
    assert_int_equal(dv_queue_again(f.queue, "k"), 0);
    finish(&f);
}

static void what_is_refused_comes_soon_at_first_and_then_in_minutes(void **state)
{
    static const int64_t delays[] = {2000, 8000, 32000, 128000, 180000, 180000};
    fixture f = make();

    (void)state;
    start(&f);
    for (size_t i = 0; i < DV_LEN(delays); i++)
        assert_in_range(dv_queue_refused(f.queue, "k", 0), delays[i], delays[i] * 11 / 10);
    for (int i = 0; i < 100; i++)
        dv_queue_refused(f.queue, "k", 0);
    assert_in_range(dv_queue_refused(f.queue, "k", 0), 180000, 198000);
    assert_int_equal(dv_queue_refused(f.queue, "k", 900000), 900000);
    dv_queue_forget(f.queue, "k");
    assert_in_range(dv_queue_refused(f.queue, "k", 0), 2000, 2200);
    finish(&f);
}

static void what_failed_is_hurried_and_what_waits_is_not(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    for (int i = 0; i < 20; i++)
        dv_queue_retry(f.queue, "failed", 0);
    dv_queue_refused(f.queue, "refused", 100000);
    dv_queue_add(f.queue, "waits", 5000);
    dv_queue_hurry(f.queue, 1000);
    assert_int_equal(dv_queue_retries(f.queue, "failed"), 0);
    assert_int_equal(dv_queue_refused_for_ms(f.queue, "refused"), 0);
    dv_fake_clock_advance(&f.time, 1000);
    assert_depth(&f, 2, 1, 0);
    dv_fake_clock_advance(&f.time, 4000);
    assert_depth(&f, 3, 0, 0);
    finish(&f);
}

static void what_fails_while_it_is_hurried_backs_off_anew(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    for (int i = 0; i < 5; i++)
        dv_queue_retry(f.queue, "k", 0);
    dv_fake_clock_advance(&f.time, 10000);
    assert_next(&f, "k");
    dv_queue_hurry(f.queue, 1000);
    assert_in_range(dv_queue_retry(f.queue, "k", 0), 250, 275);
    dv_queue_done(f.queue, "k");
    assert_depth(&f, 0, 1, 0);
    finish(&f);
}

/* Each takes a key that is held and has been refused. */
static void wait_again(dv_queue *queue)
{
    dv_queue_wait(queue, "k", 0);
}
static void retry_again(dv_queue *queue)
{
    dv_queue_retry(queue, "k", 0);
}
static void conflict_again(dv_queue *queue)
{
    dv_queue_again(queue, "k");
}
static void succeed_at_last(dv_queue *queue)
{
    dv_queue_forget(queue, "k");
}

static const struct refused_row {
    const char *name;
    void (*then)(dv_queue *queue);
} refused_rows[] = {
    {"a wait ends a row of refusals", wait_again},
    {"a failure ends a row of refusals", retry_again},
    {"a conflict ends a row of refusals", conflict_again},
    {"a success ends a row of refusals", succeed_at_last},
};

static void a_row_of_refusals_has_a_length(void **state)
{
    const struct refused_row *row = *state;
    fixture f = make();

    start(&f);
    assert_int_equal(dv_queue_refused_for_ms(f.queue, "k"), 0);
    dv_queue_refused(f.queue, "k", 0);
    dv_fake_clock_advance(&f.time, 3000);
    assert_next(&f, "k");
    dv_queue_refused(f.queue, "k", 0);
    dv_queue_done(f.queue, "k");
    dv_fake_clock_advance(&f.time, 9000);
    assert_next(&f, "k");
    assert_int_equal(dv_queue_refused_for_ms(f.queue, "k"), 12000);
    row->then(f.queue);
    dv_queue_done(f.queue, "k");
    assert_int_equal(dv_queue_refused_for_ms(f.queue, "k"), 0);
    finish(&f);
}

static void another_failure_between_conflicts_starts_their_count_over(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_again(f.queue, "k");
    dv_queue_again(f.queue, "k");
    dv_queue_retry(f.queue, "k", 0);
    assert_int_equal(dv_queue_again(f.queue, "k"), 0);
    finish(&f);
}

static void forgetting_an_unknown_key_is_fine(void **state)
{
    fixture f = make();

    (void)state;
    start(&f);
    dv_queue_forget(f.queue, "nobody");
    assert_int_equal(dv_queue_retries(f.queue, "nobody"), 0);
    assert_depth(&f, 0, 0, 0);
    finish(&f);
}

static void a_stopped_queue_hands_nothing_out(void **state)
{
    fixture f = make();
    const char *key;

    (void)state;
    start(&f);
    dv_queue_add(f.queue, "a", 0);
    dv_queue_stop(f.queue);
    assert_next(&f, NULL);
    assert_err(dv_queue_get(f.queue, &key), DV_CANCELED, "stopped");
    finish(&f);
}

/* ---- Threads ---- */

enum { WORKERS = 4, KEYS = 20, ROUNDS = 50 };

typedef struct {
    dv_queue *queue;
    _Atomic int holders[KEYS];
    _Atomic int runs[KEYS];
    _Atomic int overlaps;
} crowd;

static void *work(void *arg)
{
    crowd *c = arg;
    const char *key;
    dv_err *stopped;

    while (!(stopped = dv_queue_get(c->queue, &key))) {
        long i = strtol(key, NULL, 10);

        if (c->holders[i]++ != 0)
            c->overlaps++;
        c->runs[i]++;
        c->holders[i]--;
        dv_queue_done(c->queue, key);
    }
    dv_err_free(stopped);
    return NULL;
}

static void drain(crowd *c)
{
    for (;;) {
        dv_queue_depth depth = dv_queue_get_depth(c->queue);

        if (!depth.ready && !depth.delayed && !depth.held)
            return;
        sched_yield();
    }
}

static void workers_never_hold_a_key_together_and_lose_none(void **state)
{
    crowd c = {.queue = dv_queue_new(dv_clock_real())};
    pthread_t threads[WORKERS];
    char key[16];

    (void)state;
    for (int i = 0; i < WORKERS; i++)
        threads[i] = dv_thread_start("worker", DV_STACK_BYTES, work, &c);
    for (int i = 0; i < KEYS * ROUNDS; i++) {
        snprintf(key, sizeof(key), "%d", i % KEYS);
        dv_queue_add(c.queue, key, i % 7 == 0 ? 1 : 0);
    }
    drain(&c);
    for (int i = 0; i < KEYS; i++) {
        int before = c.runs[i];

        assert_true(before >= 1);
        snprintf(key, sizeof(key), "%d", i);
        dv_queue_add(c.queue, key, 0);
        drain(&c);
        assert_int_equal(c.runs[i], before + 1);
    }
    dv_queue_stop(c.queue);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(c.overlaps, 0);
    dv_queue_free(c.queue);
}

int main(void)
{
    dv_suite suite = {.name = "runtime/queue"};

    DV_TEST(&suite, ready_keys_come_in_order);
    DV_TEST(&suite, a_key_added_twice_comes_once);
    DV_TEST(&suite, a_key_added_while_held_comes_again_after_done);
    DV_TEST(&suite, a_delay_set_while_held_counts_from_when_it_was_set);
    DV_TEST(&suite, of_two_wishes_while_held_the_earlier_wins);
    DV_TEST(&suite, delayed_keys_come_when_due_the_earliest_first);
    DV_TEST(&suite, of_two_delays_the_shorter_wins);
    DV_TEST(&suite, a_ready_key_is_not_put_off);
    DV_TEST(&suite, many_delays_come_in_order);
    DV_TABLE(&suite, backoff_grows, backoff_rows);
    DV_TEST(&suite, a_retry_waits_as_long_as_it_says);
    DV_TEST(&suite, success_forgets_the_backoff);
    DV_TEST(&suite, the_backoff_outlives_a_success_that_did_not_forget);
    DV_TEST(&suite, conflicts_come_at_once_twice);
    DV_TEST(&suite, what_is_refused_comes_soon_at_first_and_then_in_minutes);
    DV_TABLE(&suite, a_row_of_refusals_has_a_length, refused_rows);
    DV_TEST(&suite, what_failed_is_hurried_and_what_waits_is_not);
    DV_TEST(&suite, what_fails_while_it_is_hurried_backs_off_anew);
    DV_TEST(&suite, another_failure_between_conflicts_starts_their_count_over);
    DV_TEST(&suite, forgetting_an_unknown_key_is_fine);
    DV_TEST(&suite, a_stopped_queue_hands_nothing_out);
    DV_TEST(&suite, workers_never_hold_a_key_together_and_lose_none);
    return dv_suite_run(&suite);
}
