/* SPDX-License-Identifier: Apache-2.0 */
/* The cache's thread, with a source of objects that the test plays. */
#include <sched.h>

#include "runtime/cache_internal.h"
#include "testlib.h"

static const dv_resource config_maps = {.group = "",
                                        .version = "v1",
                                        .kind = "ConfigMap",
                                        .resource = "configmaps",
                                        .api_version = "v1",
                                        .namespaced = true};

/* ---- A source ---- */

typedef struct {
    void (*done)(void *arg, dv_kube_raw raw);
    void *arg;
    char *token;
} asked_list;

typedef struct {
    const dv_http_sink *sink; /* NULL: closed */
    void *arg;
    char *version;
} asked_watch;

typedef struct {
    dv_fake_clock time;
    pthread_mutex_t mu; /* held while a sink is called, so that unwatch() can wait */
    pthread_cond_t changed;
    DV_VEC(asked_list) lists; /* not answered yet */
    DV_VEC(asked_watch) watches;
    size_t lists_most;
    bool refuse_watches;

    dv_cache *cache;
    DV_VEC(char *) told; /* "key:old>now" */
    int resumes;
} source;

static void ask_list(void *arg, const dv_kube_request *request, int64_t timeout_ms,
                     void (*done)(void *arg, dv_kube_raw raw), void *done_arg)
{
    source *s = arg;
    DV_LOCK_SCOPE(&s->mu);

    (void)timeout_ms;
    *dv_vec_push(&s->lists) = (asked_list){done, done_arg, dv_strdup(request->continue_token)};
    s->lists_most = DV_MAX(s->lists_most, s->lists.n);
    pthread_cond_broadcast(&s->changed);
}

static dv_err *ask_watch(void *arg, const dv_kube_request *request, const dv_http_sink *sink,
                         void *sink_arg, dv_http_stream **ret_stream)
{
    source *s = arg;
    DV_LOCK_SCOPE(&s->mu);

    *dv_vec_push(&s->watches) = (asked_watch){s->refuse_watches ? NULL : sink, sink_arg,
                                              dv_strdup(request->resource_version)};
    pthread_cond_broadcast(&s->changed);
    if (s->refuse_watches)
        return dv_err_new(DV_TRANSIENT, "NoToken", "no token");
    *ret_stream = (dv_http_stream *)(uintptr_t)s->watches.n; /* its number, from 1 */
    return NULL;
}

static void unwatch(void *arg, dv_http_stream *stream)
{
    source *s = arg;
    DV_LOCK_SCOPE(&s->mu);

    s->watches.at[(uintptr_t)stream - 1].sink = NULL;
}

static const dv_source ops = {ask_list, ask_watch, unwatch};

static source *source_new(void)
{
    source *s = DV_NEW(source);

    dv_fake_clock_init(&s->time, 0);
    dv_fake_clock_advance(&s->time, 1000);
    pthread_mutex_init(&s->mu, NULL);
    dv_cond_init(&s->changed);
    s->cache = dv_cache_new_from(&ops, s, &s->time.clock, NULL);
    return s;
}

static asked_list take_list(source *s)
{
    DV_LOCK_SCOPE(&s->mu);

    while (!s->lists.n)
        dv_cond_wait_ms(&s->changed, &s->mu, -1);
    asked_list one = s->lists.at[0];
    dv_vec_remove(&s->lists, 0);
    return one;
}

static void answer(asked_list one, int status, const char *body)
{
    dv_kube_raw raw = {.status = status};

    dv_buf_init(&raw.body, DV_BODY_MAX);
    dv_buf_adds(&raw.body, body);
    free(one.token);
    one.done(one.arg, raw);
}

static void source_free(source *s)
{
    dv_cache_free(s->cache);
    while (s->lists.n)
        answer(take_list(s), 200, "{}"); /* later than anybody waits for */
    dv_vec_done(&s->lists);
    for (size_t i = 0; i < s->watches.n; i++) {
        assert_null(s->watches.at[i].sink); /* all were closed */
        free(s->watches.at[i].version);
    }
    dv_vec_done(&s->watches);
    for (size_t i = 0; i < s->told.n; i++)
        free(s->told.at[i]);
    dv_vec_done(&s->told);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mu);
    free(s);
}
DV_DEFINE_AUTO(source)

static void list_answered(source *s, int status, const char *body)
{
    answer(take_list(s), status, body);
}

static void wait_for_watches(source *s, size_t n)
{
    DV_LOCK_SCOPE(&s->mu);

    while (s->watches.n < n)
        dv_cond_wait_ms(&s->changed, &s->mu, -1);
}

/* Waits for the nth watch (from 1), then says or sends. */
static void watch_begins(source *s, size_t n, int status)
{
    wait_for_watches(s, n);
    DV_LOCK_SCOPE(&s->mu);
    asked_watch *one = &s->watches.at[n - 1];
    if (one->sink)
        one->sink->begin(one->arg, status);
}

static bool watch_sends(source *s, size_t n, dv_str bytes)
{
    DV_LOCK_SCOPE(&s->mu);
    asked_watch *one = &s->watches.at[n - 1];

    return one->sink && one->sink->data(one->arg, bytes);
}

static void watch_ends(source *s, size_t n, dv_err *err)
{
    DV_LOCK_SCOPE(&s->mu);
    asked_watch *one = &s->watches.at[n - 1];

    if (one->sink)
        one->sink->end(one->arg, err);
    else
        dv_err_free(err);
}

static char *watch_version(source *s, size_t n)
{
    DV_LOCK_SCOPE(&s->mu);

    return dv_strdup(s->watches.at[n - 1].version);
}

/* ---- Entries: an object's version ---- */

typedef struct {
    dv_entry entry;
    char version[];
} kept;

static void kept_free(dv_entry *entry)
{
    free(entry);
}

static dv_entry *keep(void *arg, const json_t *object)
{
    dv_str version = dv_json_view(object, "/metadata/resourceVersion");
    kept *one = dv_calloc(1, sizeof(kept) + version.n + 1);

    (void)arg;
    dv_entry_init(&one->entry, kept_free);
    memcpy(one->version, version.p, version.n);
    return &one->entry;
}

static const char *version_or(const dv_entry *entry)
{
    return entry ? ((const kept *)entry)->version : "";
}

static void changed(void *arg, const char *key, const dv_entry *old, const dv_entry *now)
{
    source *s = arg;
    DV_LOCK_SCOPE(&s->mu);

    *dv_vec_push(&s->told) = dv_asprintf("%s:%s>%s", key, version_or(old), version_or(now));
    pthread_cond_broadcast(&s->changed);
}

static void resumed(void *arg)
{
    source *s = arg;
    DV_LOCK_SCOPE(&s->mu);

    s->resumes++;
    pthread_cond_broadcast(&s->changed);
}

static dv_informer *inform(source *s)
{
    return dv_informer_start(s->cache, &(dv_informer_options){.resource = &config_maps,
                                                              .reduce = keep,
                                                              .changed = changed,
                                                              .resumed = resumed,
                                                              .arg = s});
}

static void wait_for_resumes(source *s, int n)
{
    DV_LOCK_SCOPE(&s->mu);

    while (s->resumes < n)
        dv_cond_wait_ms(&s->changed, &s->mu, -1);
    assert_int_equal(s->resumes, n);
}

static void assert_told(source *s, size_t i, const char *want)
{
    DV_LOCK_SCOPE(&s->mu);

    while (s->told.n <= i)
        dv_cond_wait_ms(&s->changed, &s->mu, -1);
    assert_string_equal(s->told.at[i], want);
}

static dv_err *wait_for(dv_informer *informer)
{
    dv_ctx ctx = dv_ctx_make(NULL);

    return dv_informer_wait(&ctx, informer);
}

static void assert_version(dv_informer *informer, const char *key, const char *want)
{
    dv_entry *entry = dv_informer_get(informer, key);

    assert_string_equal(version_or(entry), want);
    dv_entry_unref(entry);
}

#define OBJECT(name, rv)                                                                           \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"a\",\"resourceVersion\":\"" rv "\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define LIST(rv, items) "{\"metadata\":{\"resourceVersion\":\"" rv "\"},\"items\":[" items "]}"

/* ---- Tests ---- */

static void a_list_is_told_before_the_informer_is_synced(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);

    (void)state;
    assert_false(dv_informer_synced(informer));
    list_answered(s, 200, LIST("10", OBJECT("x", "3") "," OBJECT("y", "4")));
    assert_ok(wait_for(informer));
    assert_int_equal(s->told.n, 2);
    assert_told(s, 0, "a/x:>3");
    assert_told(s, 1, "a/y:>4");
    assert_int_equal(dv_informer_count(informer), 2);
    assert_version(informer, "a/y", "4");
}

static void bytes_of_a_watch_become_changes_however_they_are_cut(void **state)
{
    static const char text[] = EVENT("ADDED", OBJECT("x", "11"))
        EVENT("MODIFIED", OBJECT("x", "12")) EVENT("DELETED", OBJECT("x", "13"));
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);

    (void)state;
    list_answered(s, 200, LIST("10", ""));
    watch_begins(s, 1, 200);
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        assert_true(watch_sends(s, 1, (dv_str){text + i, 1}));
    assert_told(s, 0, "a/x:>11");
    assert_told(s, 1, "a/x:11>12");
    assert_told(s, 2, "a/x:12>");
    assert_int_equal(dv_informer_broken_since_ms(informer), 0);
}

static void a_write_of_ours_is_there_at_once_and_told_by_the_cache(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);
    json_auto_t *object = NULL;

    (void)state;
    list_answered(s, 200, LIST("10", OBJECT("x", "3")));
    assert_ok(wait_for(informer));
    assert_ok(dv_json_read(DV_STR(OBJECT("x", "11")), &object));
    dv_informer_observe(informer, object);
    assert_version(informer, "a/x", "11");
    assert_told(s, 1, "a/x:3>11");
}

static void lists_are_bounded_and_a_slow_one_stops_nobody(void **state)
{
    enum { INFORMERS = 120 };
    dv_auto(source) s = source_new();
    dv_informer *informers[INFORMERS];
    asked_list slow;

    (void)state;
    for (size_t i = 0; i < INFORMERS; i++)
        informers[i] = inform(s);
    slow = take_list(s);
    for (size_t i = 1; i < INFORMERS; i++)
        list_answered(s, 200, LIST("10", OBJECT("x", "3")));
    wait_for_watches(s, INFORMERS - 1);
    assert_in_range(s->lists_most, 1, DV_LISTS_MAX);
    answer(slow, 200, LIST("10", ""));
    for (size_t i = 0; i < INFORMERS; i++)
        assert_ok(wait_for(informers[i]));
}

static void pages_are_put_together(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);
    asked_list second;

    (void)state;
    list_answered(
        s, 200,
        "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"more\"},\"items\":[" OBJECT(
            "x", "3") "]}");
    second = take_list(s);
    assert_string_equal(second.token, "more");
    assert_false(dv_informer_synced(informer));
    answer(second, 200, LIST("10", OBJECT("y", "4")));
    assert_ok(wait_for(informer));
    assert_int_equal(dv_informer_count(informer), 2);
}

static void a_forbidden_list_ends_the_wait(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);

    (void)state;
    list_answered(s, 403, "{\"kind\":\"Status\",\"code\":403,\"reason\":\"Forbidden\"}");
    assert_err(wait_for(informer), DV_DENIED, "ConfigMap");
    assert_false(dv_informer_synced(informer));
}

static void a_wait_ends_with_its_deadline_and_its_cancel(void **state)
{
    dv_auto(source) s = source_new();
    dv_auto(dv_cancel) cancel = dv_cancel_new();
    dv_informer *informer = inform(s);
    dv_ctx ctx = {.cancel = cancel, .clock = &s->time.clock, .deadline_ms = 1};

    (void)state;
    assert_err(dv_informer_wait(&ctx, informer), DV_TRANSIENT, "ConfigMap");
    dv_cancel_fire(cancel);
    assert_err(dv_informer_wait(&ctx, informer), DV_CANCELED, "ConfigMap");
}

static void an_informer_is_stopped_with_its_list_under_way(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);
    asked_list late = take_list(s);

    (void)state;
    dv_informer_stop(informer);
    answer(late, 200, LIST("10", OBJECT("x", "3")));
    informer = inform(s);
    list_answered(s, 200, LIST("20", OBJECT("y", "4")));
    assert_ok(wait_for(informer));
    assert_int_equal(s->told.n, 1);
    assert_told(s, 0, "a/y:>4");
}

static void a_watching_informer_is_stopped(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);

    (void)state;
    list_answered(s, 200, LIST("10", OBJECT("x", "3")));
    watch_begins(s, 1, 200);
    watch_sends(s, 1, DV_STR("{\"type\":"));
    dv_informer_stop(informer);
    assert_false(watch_sends(s, 1, DV_STR("\"ADDED\"")));
    dv_informer_stop(NULL);
}

/* In one piece, so that the cache's thread can't take any of it away in between. */
static bool send_too_much(source *s)
{
    DV_CLEANUP(dv_buf_done) dv_buf big = DV_BUF_INIT(DV_WATCH_QUEUE_MAX * 2);

    dv_buf_fill(&big, 'x', DV_WATCH_QUEUE_MAX + 1);
    return watch_sends(s, 1, dv_buf_str(&big));
}

static void a_watch_whose_queue_is_full_is_listed_anew(void **state)
{
    dv_auto(source) s = source_new();
    dv_auto_str version = NULL;

    (void)state;
    inform(s);
    list_answered(s, 200, LIST("10", OBJECT("x", "3")));
    watch_begins(s, 1, 200);
    assert_false(send_too_much(s));
    watch_ends(s, 1, dv_err_new(DV_CANCELED, "StreamEnded", "told to end"));
    list_answered(s, 200, LIST("20", OBJECT("x", "15")));
    assert_told(s, 1, "a/x:3>15");
    wait_for_watches(s, 2);
    version = watch_version(s, 2);
    assert_string_equal(version, "20");
}

/* Lets time pass until the nth watch is asked for. */
static void pass_time_until_watch(source *s, dv_informer *informer, size_t n)
{
    json_auto_t *nothing = json_object();

    for (;;) {
        dv_lock(&s->mu);
        bool there = s->watches.n >= n;
        pthread_mutex_unlock(&s->mu);
        if (there)
            return;
        dv_fake_clock_advance(&s->time, 100);
        dv_informer_observe(informer, nothing); /* wakes the thread */
        sched_yield();
    }
}

static void a_cut_watch_is_resumed_from_the_last_bookmark(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);
    dv_auto_str version = NULL;

    (void)state;
    list_answered(s, 200, LIST("10", OBJECT("x", "3")));
    watch_begins(s, 1, 200);
    watch_sends(
        s, 1,
        DV_STR("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"77\"}}}\n"));
    watch_sends(s, 1, DV_STR("{\"type\":\"ADDED\",\"obj")); /* half an event is no event */
    watch_ends(s, 1, dv_err_new(DV_TRANSIENT, "Cut", "cut"));
    pass_time_until_watch(s, informer, 2);
    version = watch_version(s, 2);
    assert_string_equal(version, "77");
    watch_begins(s, 2, 200);
    watch_sends(s, 2, DV_STR(EVENT("ADDED", OBJECT("y", "78"))));
    assert_told(s, 1, "a/y:>78");
    wait_for_resumes(s, 1);
    assert_int_equal(dv_informer_get_stats(informer).lists, 1);
    assert_int_equal(dv_informer_get_stats(informer).skipped, 0);
}

static void a_refused_watch_with_status_410_is_listed_anew(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);

    (void)state;
    list_answered(s, 200, LIST("10", OBJECT("x", "3")));
    watch_begins(s, 1, 410);
    watch_sends(s, 1, DV_STR("{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}\n"));
    watch_ends(s, 1, NULL);
    list_answered(s, 200, LIST("20", ""));
    assert_told(s, 1, "a/x:3>");
    wait_for_watches(s, 2);
    assert_int_equal(dv_informer_get_stats(informer).lists, 2);
}

static void a_watch_that_cannot_be_sent_is_tried_again(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *informer = inform(s);

    (void)state;
    s->refuse_watches = true;
    list_answered(s, 200, LIST("10", ""));
    pass_time_until_watch(s, informer, 3);
    assert_int_not_equal(dv_informer_broken_since_ms(informer), 0);
}

static void a_long_queue_is_read_in_turns(void **state)
{
    enum { EVENTS = DV_CACHE_TURN * 3 };
    dv_auto(source) s = source_new();
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_BODY_MAX);
    char last[64];

    (void)state;
    inform(s);
    list_answered(s, 200, LIST("10", ""));
    watch_begins(s, 1, 200);
    for (int i = 0; i < EVENTS; i++)
        dv_buf_addf(&bytes,
                    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"o%d\","
                    "\"resourceVersion\":\"%d\"}}}\n",
                    i, 100 + i);
    watch_sends(s, 1, dv_buf_str(&bytes));
    watch_ends(s, 1, dv_err_new(DV_TRANSIENT, "Cut", "cut"));
    snprintf(last, sizeof(last), "o%d:>%d", EVENTS - 1, 100 + EVENTS - 1);
    assert_told(s, EVENTS - 1, last);
}

static void note_figures(void *arg, const char *kind, const dv_informer_stats *stats)
{
    dv_informer_stats *sum = arg;

    assert_string_equal(kind, "ConfigMap");
    sum->objects += stats->objects;
    sum->lists += stats->lists;
}

static void figures_are_told_of_every_informer(void **state)
{
    dv_auto(source) s = source_new();
    dv_informer *a = inform(s);
    dv_informer *b = inform(s);
    dv_informer_stats sum = {0};

    (void)state;
    list_answered(s, 200, LIST("10", OBJECT("x", "3")));
    list_answered(s, 200, LIST("10", OBJECT("x", "3") "," OBJECT("y", "4")));
    assert_ok(wait_for(a));
    assert_ok(wait_for(b));
    dv_cache_figures(s->cache, note_figures, &sum);
    assert_int_equal(sum.objects, 3);
    assert_int_equal(sum.lists, 2);
    assert_int_equal(dv_cache_ticked_ms(s->cache), s->time.clock.mono_ms(&s->time.clock));
}

/* ---- Readers and writers at once ---- */

typedef struct {
    dv_informer *informer;
    _Atomic bool stop;
} reader;

static void observe_mine(dv_informer *informer)
{
    json_auto_t *object = NULL;
    dv_auto(dv_err) err = dv_json_read(DV_STR(OBJECT("mine", "500")), &object);

    if (!err)
        dv_informer_observe(informer, object);
}

static void *read_on(void *arg)
{
    reader *r = arg;

    while (!r->stop) {
        dv_entries all = dv_informer_list(r->informer);

        dv_entries_done(&all);
        dv_entry_unref(dv_informer_get(r->informer, "a/x"));
        observe_mine(r->informer);
    }
    return NULL;
}

static void readers_and_writers_do_not_disturb_each_other(void **state)
{
    enum { READERS = 3, EVENTS = 300 };
    dv_auto(source) s = source_new();
    reader r = {.informer = inform(s)};
    pthread_t threads[READERS];
    dv_buf event = DV_BUF_INIT(DV_LINE_MAX);

    (void)state;
    list_answered(s, 200, LIST("10", ""));
    watch_begins(s, 1, 200);
    observe_mine(r.informer);
    assert_told(s, 0, "a/mine:>500");
    for (int i = 0; i < READERS; i++)
        threads[i] = dv_thread_start("reader", DV_STACK_BYTES, read_on, &r);
    for (int i = 0; i < EVENTS; i++) {
        dv_buf_reset(&event);
        dv_buf_addf(
            &event,
            "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"x\",\"namespace\":\"a\","
            "\"resourceVersion\":\"%d\"}}}\n",
            1000 + i);
        watch_sends(s, 1, dv_buf_str(&event));
    }
    dv_buf_done(&event);
    assert_told(s, EVENTS, "a/x:1298>1299");
    r.stop = true;
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_version(r.informer, "a/x", "1299");
}

int main(void)
{
    dv_suite suite = {.name = "runtime/cache"};

    dv_json_setup();
    dv_log_setup(DV_LOG_ERROR, DV_LOG_TEXT);
    DV_TEST(&suite, a_list_is_told_before_the_informer_is_synced);
    DV_TEST(&suite, bytes_of_a_watch_become_changes_however_they_are_cut);
    DV_TEST(&suite, a_write_of_ours_is_there_at_once_and_told_by_the_cache);
    DV_TEST(&suite, lists_are_bounded_and_a_slow_one_stops_nobody);
    DV_TEST(&suite, pages_are_put_together);
    DV_TEST(&suite, a_forbidden_list_ends_the_wait);
    DV_TEST(&suite, a_wait_ends_with_its_deadline_and_its_cancel);
    DV_TEST(&suite, an_informer_is_stopped_with_its_list_under_way);
    DV_TEST(&suite, a_watching_informer_is_stopped);
    DV_TEST(&suite, a_watch_whose_queue_is_full_is_listed_anew);
    DV_TEST(&suite, a_cut_watch_is_resumed_from_the_last_bookmark);
    DV_TEST(&suite, a_refused_watch_with_status_410_is_listed_anew);
    DV_TEST(&suite, a_watch_that_cannot_be_sent_is_tried_again);
    DV_TEST(&suite, a_long_queue_is_read_in_turns);
    DV_TEST(&suite, figures_are_told_of_every_informer);
    DV_TEST(&suite, readers_and_writers_do_not_disturb_each_other);
    return dv_suite_run(&suite);
}
