/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sync.h"

#include <errno.h>
#include <signal.h>

pthread_mutex_t *dv_lock(pthread_mutex_t *mu)
{
    DV_ASSERT(pthread_mutex_lock(mu) == 0);
    return mu;
}

void dv_unlock_at(pthread_mutex_t **mu)
{
    DV_ASSERT(pthread_mutex_unlock(*mu) == 0);
}

void dv_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    DV_ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    DV_ASSERT(pthread_cond_init(cond, &attr) == 0);
    pthread_condattr_destroy(&attr);
}

bool dv_cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mu, int64_t ms)
{
    struct timespec until;

    if (ms < 0)
        return pthread_cond_wait(cond, mu) == 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(cond, mu, &until) != ETIMEDOUT;
}

/* ThreadSanitizer has records of its own on the stack. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
enum { STACK_FACTOR = 4 };
#else
enum { STACK_FACTOR = 1 };
#endif

pthread_t dv_thread_start(const char *name, size_t stack_bytes, void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attr;
    sigset_t all, before;
    pthread_t thread;

    pthread_attr_init(&attr);
    DV_ASSERT(pthread_attr_setstacksize(&attr, stack_bytes * STACK_FACTOR) == 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    DV_ASSERT(pthread_create(&thread, &attr, run, arg) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    pthread_setname_np(thread, name);
    return thread;
}
