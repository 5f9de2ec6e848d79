/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/queue.h"

#include "base/crypto.h"
#include "base/map.h"
#include "base/sync.h"

enum { JITTER_PERCENT = 10, AGAIN_AT_ONCE = 2 };

typedef enum { IDLE, DELAYED, READY, HELD } where_is;

typedef struct item item;
struct item {
    char *key;
    where_is where;
    bool dirty;         /* HELD: added meanwhile, wanted at due_ms */
    unsigned retries;   /* in a row */
    unsigned conflicts; /* dv_queue_again() in a row */
    unsigned refusals;  /* dv_queue_refused() in a row */
    int64_t refused_ms; /* the first of them */
    int64_t due_ms;     /* DELAYED, or HELD and dirty */
    size_t heap_at;     /* DELAYED: place in the heap */
    item *next;         /* READY */
};

struct dv_queue {
    const dv_clock *clock;
    pthread_mutex_t mu;
    pthread_cond_t wake;
    dv_map *items;       /* all that are not idle, or are backing off */
    DV_VEC(item *) heap; /* of the delayed, the earliest first */
    item *first, *last;  /* the ready, oldest first */
    size_t ready, held;
    bool stopped;
};

dv_queue *dv_queue_new(const dv_clock *clock)
{
    dv_queue *queue = DV_NEW(dv_queue);

    queue->clock = clock;
    pthread_mutex_init(&queue->mu, NULL);
    dv_cond_init(&queue->wake);
    queue->items = dv_map_new(NULL);
    return queue;
}

static void item_free(item *it)
{
    free(it->key);
    free(it);
}

void dv_queue_free(dv_queue *queue)
{
    size_t cursor = 0;
    dv_str key;
    void *value;

    if (!queue)
        return;
    while (dv_map_next(queue->items, &cursor, &key, &value))
        item_free(value);
    dv_map_free(queue->items);
    dv_vec_done(&queue->heap);
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->mu);
    free(queue);
}

/* ---- The heap: each item knows its place, so that a shorter delay can move it ---- */

static void heap_set(dv_queue *queue, size_t at, item *it)
{
    queue->heap.at[at] = it;
    it->heap_at = at;
}

static void heap_up(dv_queue *queue, item *it)
{
    size_t at = it->heap_at;

    while (at > 0 && queue->heap.at[(at - 1) / 2]->due_ms > it->due_ms) {
        heap_set(queue, at, queue->heap.at[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(queue, at, it);
}

static void heap_down(dv_queue *queue, item *it)
{
    size_t at = it->heap_at, n = queue->heap.n;

    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && queue->heap.at[child + 1]->due_ms < queue->heap.at[child]->due_ms)
            child++;
        if (queue->heap.at[child]->due_ms >= it->due_ms)
            break;
        heap_set(queue, at, queue->heap.at[child]);
    }
    heap_set(queue, at, it);
}

static void heap_remove(dv_queue *queue, item *it)
{
    item *last = queue->heap.at[--queue->heap.n];

    if (last == it)
        return;
    heap_set(queue, it->heap_at, last);
    heap_up(queue, last);
    heap_down(queue, last);
}

/* ---- Moving between states; the lock is held ---- */

static int64_t now_ms(const dv_queue *queue)
{
    return queue->clock->mono_ms(queue->clock);
}

static void make_ready(dv_queue *queue, item *it)
{
    it->where = READY;
    it->next = NULL;
    if (queue->last)
        queue->last->next = it;
    else
        queue->first = it;
    queue->last = it;
    queue->ready++;
    pthread_cond_signal(&queue->wake);
}

static void make_delayed(dv_queue *queue, item *it, int64_t due_ms)
{
    it->where = DELAYED;
    it->due_ms = due_ms;
    it->heap_at = queue->heap.n;
    *dv_vec_push(&queue->heap) = it;
    heap_up(queue, it);
    if (it->heap_at == 0)
        pthread_cond_broadcast(&queue->wake); /* who waits for a later one waits too long */
}

static void make_due(dv_queue *queue, item *it, int64_t due_ms)
{
    if (due_ms <= now_ms(queue))
        make_ready(queue, it);
    else
        make_delayed(queue, it, due_ms);
}

static void promote(dv_queue *queue)
{
    int64_t now = now_ms(queue);

    while (queue->heap.n && queue->heap.at[0]->due_ms <= now) {
        item *it = queue->heap.at[0];

        heap_remove(queue, it);
        make_ready(queue, it);
    }
}

static item *item_of(dv_queue *queue, const char *key)
{
    item *it = dv_map_get(queue->items, dv_str_of(key));

    if (!it) {
        it = DV_NEW(item);
        it->key = dv_strdup(key);
        dv_map_put(queue->items, dv_str_of(key), it);
    }
    return it;
}

static void forget_if_idle(dv_queue *queue, item *it)
{
    if (it->where != IDLE || it->retries || it->conflicts || it->refusals)
        return;
    dv_map_take(queue->items, dv_str_of(it->key));
    item_free(it);
}

static void add_at(dv_queue *queue, item *it, int64_t due_ms)
{
    switch (it->where) {
    case IDLE:
        make_due(queue, it, due_ms);
        break;
    case DELAYED:
        if (due_ms >= it->due_ms)
            break;
        heap_remove(queue, it);
        make_due(queue, it, due_ms);
        break;
    case HELD:
        it->due_ms = it->dirty ? DV_MIN(it->due_ms, due_ms) : due_ms;
        it->dirty = true;
        break;
    case READY:
        break;
    }
}

void dv_queue_add(dv_queue *queue, const char *key, int64_t delay_ms)
{
    DV_LOCK_SCOPE(&queue->mu);

    add_at(queue, item_of(queue, key), now_ms(queue) + delay_ms);
}

/* first_ms doubled so often, at most max_ms, and a jitter. */
static int64_t backoff_of(int64_t first_ms, unsigned doublings, int64_t max_ms)
{
    int64_t delay = doublings < 32 ? DV_MIN(first_ms << doublings, max_ms) : max_ms;

    return delay + (int64_t)dv_random_below((uint64_t)(delay * JITTER_PERCENT / 100 + 1));
}

static int64_t retry(dv_queue *queue, item *it, int64_t min_ms)
{
    int64_t delay = DV_MAX(backoff_of(DV_BACKOFF_FIRST_MS, it->retries, DV_BACKOFF_MAX_MS), min_ms);

    it->retries++;
    it->refusals = 0;
    add_at(queue, it, now_ms(queue) + delay);
    return delay;
}

int64_t dv_queue_retry(dv_queue *queue, const char *key, int64_t min_ms)
{
    DV_LOCK_SCOPE(&queue->mu);
    item *it = item_of(queue, key);

    it->conflicts = 0;
    return retry(queue, it, min_ms);
}

int64_t dv_queue_again(dv_queue *queue, const char *key)
{
    DV_LOCK_SCOPE(&queue->mu);
    item *it = item_of(queue, key);

    it->refusals = 0;
    if (++it->conflicts > AGAIN_AT_ONCE)
        return retry(queue, it, 0);
    add_at(queue, it, now_ms(queue));
    return 0;
}

int64_t dv_queue_refused(dv_queue *queue, const char *key, int64_t min_ms)
{
    DV_LOCK_SCOPE(&queue->mu);
    item *it = item_of(queue, key);
    int64_t backoff = backoff_of(DV_REFUSED_FIRST_MS, 2 * it->refusals, DV_REFUSED_MAX_MS);

    if (it->refusals++ == 0)
        it->refused_ms = now_ms(queue);
    it->conflicts = 0;
    min_ms = DV_MAX(min_ms, backoff);
    add_at(queue, it, now_ms(queue) + min_ms);
    return min_ms;
}

void dv_queue_wait(dv_queue *queue, const char *key, int64_t delay_ms)
{
    DV_LOCK_SCOPE(&queue->mu);
    item *it = item_of(queue, key);

    it->refusals = 0;
    add_at(queue, it, now_ms(queue) + delay_ms);
}

void dv_queue_hurry(dv_queue *queue, int64_t spread_ms)
{
    DV_LOCK_SCOPE(&queue->mu);
    size_t cursor = 0;
    dv_str key;
    void *value;

    while (dv_map_next(queue->items, &cursor, &key, &value)) {
        item *it = value;
        int64_t delay_ms = (int64_t)dv_random_below((uint64_t)spread_ms + 1);

        if (it->where == DELAYED && (it->retries || it->refusals))
            add_at(queue, it, now_ms(queue) + delay_ms);
        if (it->where != IDLE) /* what is idle is kept for its count alone */
            it->retries = it->refusals = 0;
    }
}

void dv_queue_forget(dv_queue *queue, const char *key)
{
    DV_LOCK_SCOPE(&queue->mu);
    item *it = dv_map_get(queue->items, dv_str_of(key));

    if (!it)
        return;
    it->retries = it->conflicts = it->refusals = 0;
    forget_if_idle(queue, it);
}

unsigned dv_queue_retries(dv_queue *queue, const char *key)
{
    DV_LOCK_SCOPE(&queue->mu);
    const item *it = dv_map_get(queue->items, dv_str_of(key));

    return it ? it->retries : 0;
}

int64_t dv_queue_refused_for_ms(dv_queue *queue, const char *key)
{
    DV_LOCK_SCOPE(&queue->mu);
    const item *it = dv_map_get(queue->items, dv_str_of(key));

    return it && it->refusals ? now_ms(queue) - it->refused_ms : 0;
}

/* The oldest ready key, now held, or NULL. */
static const char *take(dv_queue *queue)
{
    item *it;

    promote(queue);
    it = queue->first;
    if (!it || queue->stopped)
        return NULL;
    queue->first = it->next;
    if (!queue->first)
        queue->last = NULL;
    queue->ready--;
    queue->held++;
    it->where = HELD;
    return it->key;
}

dv_err *dv_queue_get(dv_queue *queue, const char **ret_key)
{
    DV_LOCK_SCOPE(&queue->mu);

    while (!queue->stopped) {
        const char *key = take(queue);
        int64_t wait = -1;

        if (key) {
            *ret_key = key;
            return NULL;
        }
        if (queue->heap.n)
            wait = DV_MAX(queue->heap.at[0]->due_ms - now_ms(queue), (int64_t)1);
        dv_cond_wait_ms(&queue->wake, &queue->mu, wait);
    }
    return dv_err_new(DV_CANCELED, "Stopped", "the work queue is stopped");
}

bool dv_queue_try_get(dv_queue *queue, const char **ret_key)
{
    DV_LOCK_SCOPE(&queue->mu);
    const char *key = take(queue);

    if (key)
        *ret_key = key;
    return key != NULL;
}

void dv_queue_done(dv_queue *queue, const char *key)
{
    DV_LOCK_SCOPE(&queue->mu);
    item *it = dv_map_get(queue->items, dv_str_of(key));

    DV_ASSERT(it && it->where == HELD);
    queue->held--;
    it->where = IDLE;
    if (it->dirty) {
        it->dirty = false;
        make_due(queue, it, it->due_ms);
    } else {
        forget_if_idle(queue, it);
    }
}

void dv_queue_stop(dv_queue *queue)
{
    DV_LOCK_SCOPE(&queue->mu);

    queue->stopped = true;
    pthread_cond_broadcast(&queue->wake);
}

dv_queue_depth dv_queue_get_depth(dv_queue *queue)
{
    DV_LOCK_SCOPE(&queue->mu);

    promote(queue);
    return (dv_queue_depth){.ready = queue->ready, .delayed = queue->heap.n, .held = queue->held};
}
