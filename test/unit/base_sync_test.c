/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sync.h"

#include <signal.h>

#include "testlib.h"

typedef struct {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    int count;
    bool blocked;
} shared;

enum { ROUNDS = 10000 };

static void *count_up(void *arg)
{
    shared *s = arg;

    for (int i = 0; i < ROUNDS; i++) {
        DV_LOCK_SCOPE(&s->mu);
        s->count++;
        if (s->count == 2 * ROUNDS)
            pthread_cond_broadcast(&s->changed);
    }
    return NULL;
}

static void a_lock_ends_with_its_scope(void **state DV_UNUSED)
{
    shared s = {.mu = PTHREAD_MUTEX_INITIALIZER};

    dv_cond_init(&s.changed);
    pthread_t a = dv_thread_start("a", DV_STACK_BYTES, count_up, &s);
    pthread_t b = dv_thread_start("b", DV_STACK_BYTES, count_up, &s);
    {
        DV_LOCK_SCOPE(&s.mu);
        while (s.count < 2 * ROUNDS)
            dv_cond_wait_ms(&s.changed, &s.mu, -1);
    }
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    assert_int_equal(s.count, 2 * ROUNDS);
    assert_int_equal(pthread_mutex_trylock(&s.mu), 0);
    pthread_mutex_unlock(&s.mu);
    pthread_cond_destroy(&s.changed);
}

static void two_locks_fit_one_scope(void **state DV_UNUSED)
{
    pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

    {
        DV_LOCK_SCOPE(&a);
        DV_LOCK_SCOPE(&b);
        assert_int_not_equal(pthread_mutex_trylock(&a), 0);
        assert_int_not_equal(pthread_mutex_trylock(&b), 0);
    }
    assert_int_equal(pthread_mutex_trylock(&a), 0);
    assert_int_equal(pthread_mutex_trylock(&b), 0);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
}

static void a_wait_ends_with_its_time(void **state DV_UNUSED)
{
    shared s = {.mu = PTHREAD_MUTEX_INITIALIZER};

    dv_cond_init(&s.changed);
    DV_LOCK_SCOPE(&s.mu);
    while (dv_cond_wait_ms(&s.changed, &s.mu, 1))
        continue; /* spurious */
    pthread_cond_destroy(&s.changed);
}

static void *look_around(void *arg)
{
    shared *s = arg;
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    s->blocked = sigismember(&mask, SIGTERM) == 1;
    return NULL;
}

static void threads_block_signals_and_leave_ours_alone(void **state DV_UNUSED)
{
    shared s = {0};
    sigset_t mask;

    pthread_join(dv_thread_start("davit-look", DV_STACK_BYTES, look_around, &s), NULL);
    assert_true(s.blocked);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM) == 1);
}

int main(void)
{
    dv_suite suite = {.name = "base/sync"};

    DV_TEST(&suite, a_lock_ends_with_its_scope);
    DV_TEST(&suite, two_locks_fit_one_scope);
    DV_TEST(&suite, a_wait_ends_with_its_time);
    DV_TEST(&suite, threads_block_signals_and_leave_ours_alone);
    return dv_suite_run(&suite);
}
