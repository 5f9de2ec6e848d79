/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cache_internal.h"

#include <malloc.h>

static int64_t now_ms(const dv_cache *cache)
{
    return cache->clock->mono_ms(cache->clock);
}

static dv_kube_request request_of(const dv_informer *informer)
{
    const dv_informer_options *options = &informer->options;

    return (dv_kube_request){
        .verb = DV_KUBE_LIST,
        .resource = options->resource,
        .ns = options->ns,
        .label_selector = options->label_selector,
        .field_selector = options->field_selector,
        .metadata_only = options->metadata_only,
    };
}

/* ---- What reflectors ask for ---- */

/* Sends lists as long as there are places. */
static void send_lists(dv_cache *cache)
{
    while (cache->waiting.n && cache->listing < DV_LISTS_MAX) {
        dv_informer *informer = cache->waiting.at[0];
        dv_kube_request request = request_of(informer);

        dv_vec_remove(&cache->waiting, 0);
        request.limit = informer->list_limit;
        request.continue_token = informer->list_token;
        cache->listing++;
        informer->listing = true;
        cache->source->list(cache->source_arg, &request, DV_LIST_TIMEOUT_MS, dv_inbox_listed,
                            dv_inbox_expect_list(informer->inbox));
    }
}

static void ask_list(void *arg, int64_t limit, const char *continue_token)
{
    dv_informer *informer = arg;

    free(informer->list_token);
    informer->list_token = dv_strdup(continue_token);
    informer->list_limit = limit;
    *dv_vec_push(&informer->cache->waiting) = informer;
}

static void ask_watch(void *arg, const char *resource_version)
{
    dv_informer *informer = arg;
    dv_cache *cache = informer->cache;
    dv_kube_request request = request_of(informer);
    dv_err *err;

    request.resource_version = resource_version;
    err = cache->source->watch(cache->source_arg, &request, &dv_inbox_sink, informer->inbox,
                               &informer->stream);
    if (err)
        dv_inbox_sink.end(informer->inbox, err);
}

static void ask_unwatch(void *arg)
{
    dv_informer *informer = arg;
    dv_cache *cache = informer->cache;

    if (informer->stream)
        cache->source->unwatch(cache->source_arg, DV_TAKE(informer->stream));
    dv_inbox_forget_watch(informer->inbox);
    dv_frames_done(&informer->frames);
    dv_buf_done(&informer->refusal);
    dv_err_free(DV_TAKE(informer->end_err));
    informer->status = 0;
    informer->retry_after_ms = 0;
    informer->ended = false;
}

static const dv_reflector_ops ops = {.list = ask_list, .watch = ask_watch, .unwatch = ask_unwatch};

/* ---- One informer's turn ---- */

static void take_list(dv_informer *informer, dv_kube_raw *raw)
{
    informer->cache->listing--;
    informer->listing = false;
    informer->cache->read_bytes += raw->body.n;
    dv_reflector_listed(&informer->reflector, now_ms(informer->cache),
                        &(dv_answer){.err = raw->err,
                                     .status = raw->status,
                                     .body = dv_buf_str(&raw->body),
                                     .retry_after_ms = raw->retry_after_ms});
    dv_buf_done(&raw->body);
}

static void take_watch(dv_informer *informer, dv_mail *mail)
{
    if (mail->status && !informer->status) {
        informer->status = mail->status;
        informer->retry_after_ms = mail->retry_after_ms;
        dv_buf_init(&informer->refusal, DV_REFUSAL_MAX);
        if (mail->status == 200)
            dv_reflector_began(&informer->reflector, now_ms(informer->cache));
    }
    informer->cache->read_bytes += mail->bytes.n;
    if (informer->status == 200)
        dv_frames_feed_buf(&informer->frames, &mail->bytes);
    else if (informer->status)
        dv_buf_add_str(&informer->refusal, dv_buf_str(&mail->bytes));
    dv_buf_done(&mail->bytes);
    if (mail->ended) {
        informer->ended = true;
        informer->end_err = mail->end_err;
    }
}

static void end_watch(dv_informer *informer)
{
    dv_buf refusal = informer->refusal; /* ask_unwatch() must not free it yet */

    informer->refusal = (dv_buf){0};
    dv_reflector_ended(&informer->reflector, now_ms(informer->cache),
                       &(dv_answer){.err = DV_TAKE(informer->end_err),
                                    .status = informer->status,
                                    .body = dv_buf_str(&refusal),
                                    .retry_after_ms = informer->retry_after_ms});
    dv_buf_done(&refusal);
}

static void read_lines(dv_informer *informer)
{
    dv_reflector *reflector = &informer->reflector;
    dv_str line;

    for (int i = 0; i < DV_CACHE_TURN && reflector->state == DV_WATCHING; i++) {
        if (dv_frames_next(&informer->frames, &line)) {
            dv_reflector_line(reflector, now_ms(informer->cache), line);
            continue;
        }
        if (informer->ended)
            end_watch(informer);
        return;
    }
    if (reflector->state == DV_WATCHING) /* there is more, after the others' turn */
        dv_inbox_queue(informer->inbox);
}

/* Lines that never became events. */
static void count_too_long(dv_informer *informer)
{
    dv_reflector_skipped(&informer->reflector, informer->frames.too_long - informer->too_long,
                         "a watch event is too long");
    informer->too_long = informer->frames.too_long;
}

static void tell_changes(dv_informer *informer)
{
    const dv_informer_options *options = &informer->options;
    dv_change change;

    while (dv_store_next_change(informer->reflector.store, &change)) {
        options->changed(options->arg, change.key, change.old, change.now);
        dv_change_done(&change);
    }
    if (!informer->synced && informer->reflector.synced) {
        informer->synced = true;
        dv_mailbox_tell(informer->cache->box);
    }
    if (informer->told_denied != informer->reflector.denied) {
        informer->told_denied = informer->reflector.denied;
        dv_mailbox_tell(informer->cache->box);
    }
    if (informer->told_resumes != informer->reflector.resumes) {
        informer->told_resumes = informer->reflector.resumes;
        if (options->resumed)
            options->resumed(options->arg);
    }
}

static void take_mail(dv_informer *informer)
{
    dv_mail mail = dv_inbox_take(informer->inbox);

    if (mail.listed)
        take_list(informer, &mail.list);
    if (informer->reflector.state == DV_WATCHING && mail.overflow) {
        dv_err_free(mail.end_err);
        dv_buf_done(&mail.bytes);
        dv_reflector_overflowed(&informer->reflector, now_ms(informer->cache));
    } else if (informer->reflector.state == DV_WATCHING) {
        take_watch(informer, &mail);
        read_lines(informer);
        count_too_long(informer);
    } else {
        dv_err_free(mail.end_err);
        dv_buf_done(&mail.bytes);
    }
}

/* Ends the informer's traffic. */
static void quit(dv_informer *informer)
{
    dv_cache *cache = informer->cache;

    for (size_t i = 0; i < cache->waiting.n; i++)
        if (cache->waiting.at[i] == informer) {
            dv_vec_remove(&cache->waiting, i);
            break;
        }
    if (informer->listing)
        cache->listing--;
    informer->listing = false;
    ask_unwatch(informer);
    dv_inbox_close(informer->inbox);
    informer->inbox = NULL;
}

/* Its stopper frees it as soon as it is gone. */
static void let_go(dv_informer *informer)
{
    dv_cache *cache = informer->cache;

    quit(informer);
    DV_LOCK_SCOPE(&cache->box->mu);
    for (size_t i = 0; i < cache->informers.n; i++)
        if (cache->informers.at[i] == informer) {
            dv_vec_remove(&cache->informers, i);
            break;
        }
    informer->gone = true;
    pthread_cond_broadcast(&cache->box->state);
}

static void turn(dv_informer *informer)
{
    if (dv_inbox_is_stopping(informer->inbox)) {
        let_go(informer);
        return;
    }
    if (!informer->started) {
        informer->started = true;
        dv_reflector_start(&informer->reflector, now_ms(informer->cache));
    }
    take_mail(informer);
    tell_changes(informer);
    send_lists(informer->cache);
}

/* ---- The thread ---- */

typedef DV_VEC(dv_informer *) informers;

/* Those whose rest is over; *ret_next_ms is when the next one's is. */
static informers find_due(dv_cache *cache, int64_t now, int64_t *ret_next_ms)
{
    DV_LOCK_SCOPE(&cache->box->mu);
    informers due = {0};

    *ret_next_ms = INT64_MAX;
    for (size_t i = 0; i < cache->informers.n; i++) {
        int64_t at = cache->informers.at[i]->reflector.due_ms;

        if (at <= now)
            *dv_vec_push(&due) = cache->informers.at[i];
        else
            *ret_next_ms = DV_MIN(*ret_next_ms, at);
    }
    return due;
}

/* Milliseconds until a rest is over. */
static int64_t run_timers(dv_cache *cache)
{
    int64_t now = now_ms(cache), next_ms;
    informers due = find_due(cache, now, &next_ms);

    for (size_t i = 0; i < due.n; i++)
        dv_reflector_tick(&due.at[i]->reflector, now);
    if (due.n)
        send_lists(cache);
    dv_vec_done(&due);
    return next_ms == INT64_MAX ? INT64_MAX : next_ms - now;
}

static void give_memory_back(dv_cache *cache)
{
    if (cache->read_bytes < DV_CACHE_TRIM_BYTES || cache->listing)
        return;
    cache->read_bytes = 0;
    malloc_trim(0);
}

static bool is_stopped(dv_cache *cache)
{
    DV_LOCK_SCOPE(&cache->box->mu);

    return cache->box->stop;
}

static void *run(void *arg)
{
    dv_cache *cache = arg;
    int64_t wait_ms = 0;

    while (!is_stopped(cache)) {
        dv_informer *informer = dv_mailbox_next(cache->box, wait_ms);

        cache->ticked_ms = now_ms(cache);
        if (informer) {
            turn(informer);
            wait_ms = 0;
            continue;
        }
        if (wait_ms == 0)
            give_memory_back(cache);
        wait_ms = DV_MAX(DV_MIN(run_timers(cache), DV_CACHE_IDLE_MS), (int64_t)1);
    }
    for (size_t i = 0; i < cache->informers.n; i++)
        quit(cache->informers.at[i]);
    return NULL;
}

dv_cache *dv_cache_new_from(const dv_source *source, void *source_arg, const dv_clock *clock,
                            const dv_log *log)
{
    dv_cache *cache = DV_NEW(dv_cache);

    cache->source = source;
    cache->source_arg = source_arg;
    cache->clock = clock;
    cache->log = log;
    cache->box = dv_mailbox_new();
    cache->ticked_ms = now_ms(cache);
    cache->thread = dv_thread_start("cache", DV_STACK_BYTES, run, cache);
    return cache;
}

static void stop(dv_cache *cache)
{
    DV_LOCK_SCOPE(&cache->box->mu);

    cache->box->stop = true;
    pthread_cond_signal(&cache->box->wake);
}

void dv_cache_free(dv_cache *cache)
{
    if (!cache)
        return;
    stop(cache);
    pthread_join(cache->thread, NULL);
    for (size_t i = 0; i < cache->informers.n; i++)
        dv_informer_free(cache->informers.at[i]);
    dv_vec_done(&cache->informers);
    dv_vec_done(&cache->waiting);
    dv_mailbox_unref(cache->box);
    free(cache->own_source);
    free(cache);
}

int64_t dv_cache_ticked_ms(const dv_cache *cache)
{
    return cache->ticked_ms;
}

/* ---- Starting and stopping informers ---- */

static void add(dv_cache *cache, dv_informer *informer)
{
    DV_LOCK_SCOPE(&cache->box->mu);

    *dv_vec_push(&cache->informers) = informer;
}

dv_informer *dv_informer_start(dv_cache *cache, const dv_informer_options *options)
{
    dv_informer *informer = DV_NEW(dv_informer);

    informer->cache = cache;
    informer->options = *options;
    informer->options.ns = dv_strdup(options->ns);
    informer->options.label_selector = dv_strdup(options->label_selector);
    informer->options.field_selector = dv_strdup(options->field_selector);
    dv_reflector_init(&informer->reflector, &informer->options, &ops, informer, cache->log);
    informer->inbox = dv_inbox_new(cache->box, informer);
    add(cache, informer);
    dv_inbox_queue(informer->inbox);
    return informer;
}

void dv_informer_free(dv_informer *informer)
{
    dv_reflector_done(&informer->reflector);
    free((char *)(uintptr_t)informer->options.ns);
    free((char *)(uintptr_t)informer->options.label_selector);
    free((char *)(uintptr_t)informer->options.field_selector);
    free(informer->list_token);
    free(informer);
}

static void wait_until_gone(dv_informer *informer)
{
    dv_mailbox *box = informer->cache->box;
    DV_LOCK_SCOPE(&box->mu);

    while (!informer->gone)
        dv_cond_wait_ms(&box->state, &box->mu, -1);
}

void dv_informer_stop(dv_informer *informer)
{
    if (!informer)
        return;
    dv_inbox_stop(informer->inbox);
    wait_until_gone(informer);
    dv_informer_free(informer);
}
