/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/reflector_internal.h"
#include "testlib.h"

static const dv_resource config_maps = {.group = "",
                                        .version = "v1",
                                        .kind = "ConfigMap",
                                        .resource = "configmaps",
                                        .api_version = "v1",
                                        .namespaced = true};

/* What is kept of an object: the object, as text. */
typedef struct {
    dv_entry entry;
    dv_buf text;
} kept;

static void kept_free(dv_entry *entry)
{
    dv_buf_done(&((kept *)entry)->text);
    free(entry);
}

static dv_entry *keep(void *arg, const json_t *object)
{
    kept *one = DV_NEW(kept);

    (void)arg;
    dv_entry_init(&one->entry, kept_free);
    dv_buf_init(&one->text, DV_LINE_MAX);
    dv_json_write(object, &one->text);
    return &one->entry;
}

/* A reflector without a network: what it asks for last is noted. */
typedef struct {
    dv_informer_options options;
    dv_reflector r;
    int64_t now;
    char *asked; /* "list 500", "list 500 TOKEN", "watch 12", "" */
    int unwatched;
} fixture;

static void ask(fixture *f, char *text)
{
    free(f->asked);
    f->asked = text;
}

static void ask_list(void *arg, int64_t limit, const char *token)
{
    ask(arg, dv_asprintf("list %lld%s%s", (long long)limit, token ? " " : "", token ? token : ""));
}

static void ask_watch(void *arg, const char *version)
{
    ask(arg, dv_asprintf("watch %s", version));
}

static void ask_unwatch(void *arg)
{
    ((fixture *)arg)->unwatched++;
}

static const dv_reflector_ops ops = {ask_list, ask_watch, ask_unwatch};

static fixture *fixture_new(void)
{
    fixture *f = DV_NEW(fixture);

    f->options = (dv_informer_options){.resource = &config_maps, .reduce = keep};
    f->now = 1000000;
    f->asked = dv_strdup("");
    dv_reflector_init(&f->r, &f->options, &ops, f, NULL);
    dv_reflector_start(&f->r, f->now);
    return f;
}

static void fixture_free(fixture *f)
{
    dv_reflector_done(&f->r);
    free(f->asked);
    free(f);
}
DV_DEFINE_AUTO(fixture)

/* What was asked for since the last look. */
static void assert_asked(fixture *f, const char *want)
{
    assert_string_equal(f->asked, want);
    ask(f, dv_strdup(""));
}

static void listed(fixture *f, const char *body)
{
    dv_reflector_listed(&f->r, f->now, &(dv_answer){.status = 200, .body = dv_str_of(body)});
}

static void refused(fixture *f, int status, const char *body)
{
    dv_reflector_listed(&f->r, f->now, &(dv_answer){.status = status, .body = dv_str_of(body)});
}

static void ended(fixture *f, int status, const char *body, dv_err *err)
{
    dv_reflector_ended(&f->r, f->now,
                       &(dv_answer){.err = err, .status = status, .body = dv_str_of(body)});
}

static void line(fixture *f, const char *text)
{
    dv_reflector_line(&f->r, f->now, dv_str_of(text));
}

#define EMPTY_LIST(rv)                                                                             \
    "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"" rv "\"},\"items\":[]}"
#define OBJECT(name, rv)                                                                           \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"a\",\"resourceVersion\":\"" rv "\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}"
#define STATUS(code, reason)                                                                       \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"" reason       \
    "\",\"message\":\"no\",\"code\":" code "}"

/* To where the watch runs from version 10. */
static fixture *watching(void)
{
    fixture *f = fixture_new();

    assert_asked(f, "list 500");
    listed(f, EMPTY_LIST("10"));
    assert_asked(f, "watch 10");
    dv_reflector_began(&f->r, f->now);
    return f;
}

static char *text_of(fixture *f, const char *key)
{
    dv_entry *entry = dv_store_get(f->r.store, key);
    char *text = dv_strdup(entry ? dv_buf_cstr(&((kept *)entry)->text) : "");

    dv_entry_unref(entry);
    return text;
}

static void assert_rests(fixture *f, int64_t at_least, int64_t at_most)
{
    assert_int_equal(f->r.state, DV_RESTING);
    assert_in_range(f->r.due_ms - f->now, at_least, at_most);
    dv_reflector_tick(&f->r, f->r.due_ms - 1);
    assert_asked(f, "");
    f->now = f->r.due_ms;
    dv_reflector_tick(&f->r, f->now);
}

/* ---- Lists ---- */

static void pages_are_asked_for_until_the_last(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    assert_asked(f, "list 500");
    listed(f, "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"tok\"},\"items\":[" OBJECT(
                  "x", "3") "]}");
    assert_asked(f, "list 500 tok");
    assert_false(f->r.synced);
    assert_int_equal(dv_store_count(f->r.store), 1);
    listed(f, "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"\"},\"items\":[" OBJECT(
                  "y", "4") "]}");
    assert_asked(f, "watch 10");
    assert_true(f->r.synced);
    assert_int_equal(dv_store_count(f->r.store), 2);
    assert_int_equal(f->r.lists, 1);
}

static void an_object_says_its_kind_and_not_who_managed_it(void **state)
{
    dv_auto(fixture) f = fixture_new();
    dv_auto_str text = NULL;

    (void)state;
    listed(
        f,
        "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[{\"kind\":\"PartialObjectMetadata\","
        "\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"name\":\"x\",\"namespace\":\"a\","
        "\"resourceVersion\":\"3\",\"managedFields\":[{\"manager\":\"m\"}]}}]}");
    text = text_of(f, "a/x");
    assert_string_equal(text,
                        "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
                        "\"x\",\"namespace\":\"a\",\"resourceVersion\":\"3\"}}");
}

static const struct bad_item_row {
    const char *name, *item;
    bool known_stays;
} bad_item_rows[] = {
    {"a broken value",
     "{\"metadata\":{\"name\":\"x\",\"namespace\":\"a\",\"resourceVersion\":\"9\"},\"v\":nul}",
     true},
    {"a duplicate key", "{\"a\":1,\"a\":2,\"metadata\":{\"name\":\"x\",\"namespace\":\"a\"}}",
     true},
    {"no metadata", "{\"kind\":\"ConfigMap\"}", false},
    {"no name", "{\"metadata\":{\"resourceVersion\":\"9\"}}", false},
    {"a name with NUL", "{\"metadata\":{\"name\":\"x\\u0000y\",\"resourceVersion\":\"9\"}}", false},
    {"no version", "{\"metadata\":{\"name\":\"new\"}}", false},
    {"a number", "7", false},
};

static void an_unreadable_item_is_left_out_and_counted(void **state)
{
    const struct bad_item_row *row = *state;
    dv_auto(fixture) f = watching();
    dv_auto_str body = dv_asprintf(
        "{\"metadata\":{\"resourceVersion\":\"20\"},\"items\":[%s," OBJECT("good", "15") "]}",
        row->item);

    line(f, EVENT("ADDED", OBJECT("x", "11")));
    line(f, EVENT("ERROR", STATUS("410", "Expired")));
    assert_asked(f, "list 500");
    listed(f, body);
    dv_auto_str known = text_of(f, "a/x");
    dv_auto_str good = text_of(f, "a/good");
    assert_int_equal(*known != '\0', row->known_stays);
    assert_string_not_equal(good, "");
    assert_int_equal(f->r.skipped, 1);
    assert_asked(f, "watch 20");
}

static void a_NUL_in_a_value_stops_nothing(void **state)
{
    dv_auto(fixture) f = fixture_new();
    dv_auto_str text = NULL;

    (void)state;
    listed(f, "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[{\"metadata\":{\"name\":\"x\","
              "\"namespace\":\"a\",\"resourceVersion\":\"3\"},\"data\":{\"k\":\"a\\u0000b\"}}]}");
    dv_reflector_began(&f->r, f->now);
    line(f, EVENT("MODIFIED",
                  "{\"metadata\":{\"name\":\"x\",\"namespace\":\"a\",\"resourceVersion\":\"11\"},"
                  "\"data\":{\"k\":\"c\\u0000d\"}}"));
    text = text_of(f, "a/x");
    assert_non_null(strstr(text, "c\\u0000d"));
    assert_int_equal(f->r.skipped, 0);
}

static const struct list_failure_row {
    const char *name;
    int status;
    const char *body;
    int64_t at_least, at_most;
} list_failure_rows[] = {
    {"an internal error is tried again soon", 500, STATUS("500", "InternalError"), 1000, 1250},
    {"so is what is no list", 200, "hello", 1000, 1250},
    {"and a list without a version", 200, "{\"items\":[]}", 1000, 1250},
    {"and an expired token", 410, STATUS("410", "Expired"), 1000, 1250},
    {"and a proxy's page", 502, "<html>", 1000, 1250},
    {"a kind that is not served", 404, "404 page not found", 1000, 1250},
    {"a forbidden list too: the server may be starting", 403, STATUS("403", "Forbidden"), 1000,
     1250},
    {"a busy server says when", 429,
     "{\"kind\":\"Status\",\"code\":429,\"reason\":\"TooManyRequests\",\"details\":{"
     "\"retryAfterSeconds\":7}}",
     7000, 7000},
};

static void a_list_that_fails_is_tried_again(void **state)
{
    const struct list_failure_row *row = *state;
    dv_auto(fixture) f = fixture_new();

    assert_asked(f, "list 500");
    refused(f, row->status, row->body);
    assert_int_equal(f->r.denied, row->status == 403);
    assert_rests(f, row->at_least, row->at_most);
    assert_asked(f, "list 500");
    listed(f, EMPTY_LIST("10"));
    assert_false(f->r.denied);
    assert_true(f->r.synced);
}

static void a_failed_relist_keeps_what_is_known(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    line(f, EVENT("ADDED", OBJECT("x", "11")));
    line(f, EVENT("ERROR", STATUS("410", "Expired")));
    refused(f, 500, "");
    assert_int_equal(dv_store_count(f->r.store), 1);
    assert_true(f->r.synced);
}

static void a_token_that_expires_between_pages_starts_the_list_over(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    listed(f, "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"tok\"},\"items\":[" OBJECT(
                  "gone", "3") "]}");
    assert_asked(f, "list 500 tok");
    refused(f, 410, STATUS("410", "Expired"));
    assert_rests(f, 1000, 1250);
    assert_asked(f, "list 500");
    listed(f, EMPTY_LIST("20"));
    assert_int_equal(dv_store_count(f->r.store), 0);
    assert_asked(f, "watch 20");
}

static void pages_that_are_too_large_are_asked_for_smaller(void **state)
{
    static const char *const limits[] = {"list 125", "list 31", "list 7", "list 1"};
    dv_auto(fixture) f = fixture_new();

    (void)state;
    for (size_t i = 0; i < DV_LEN(limits); i++) {
        dv_reflector_listed(
            &f->r, f->now,
            &(dv_answer){.err = dv_err_new(DV_INVALID, "ResponseTooLarge", "too large")});
        assert_asked(f, limits[i]);
    }
    dv_reflector_listed(
        &f->r, f->now,
        &(dv_answer){.err = dv_err_new(DV_INVALID, "ResponseTooLarge", "too large")});
    assert_rests(f, 1000, 1250);
    assert_asked(f, "list 1");
}

static void rests_grow_up_to_half_a_minute(void **state)
{
    static const int64_t bases[] = {1000, 2000, 4000, 8000, 16000, 24000, 24000};
    dv_auto(fixture) f = fixture_new();

    (void)state;
    for (size_t i = 0; i < DV_LEN(bases); i++) {
        assert_asked(f, "list 500");
        dv_reflector_listed(
            &f->r, f->now,
            &(dv_answer){.err = dv_err_new(DV_TRANSIENT, "ConnectionFailed", "refused")});
        assert_rests(f, bases[i], bases[i] * 5 / 4);
    }
}

/* ---- Watches ---- */

static void events_change_the_store(void **state)
{
    dv_auto(fixture) f = watching();
    dv_auto_str position = NULL;

    (void)state;
    line(f, EVENT("ADDED", OBJECT("x", "11")));
    line(f, EVENT("ADDED", OBJECT("y", "12")));
    line(f, EVENT("MODIFIED", OBJECT("x", "13")));
    line(f, EVENT("DELETED", OBJECT("y", "14")));
    assert_int_equal(dv_store_count(f->r.store), 1);
    assert_int_equal(f->r.events, 4);
    position = dv_store_position(f->r.store);
    assert_string_equal(position, "14");
}

static void a_bad_line_is_counted_and_stops_nothing(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    line(f, "{\"type\":\"ADDED\",\"object\":");
    line(f, EVENT("LATER", "{}"));
    line(f, EVENT("ADDED", "{}"));
    line(f, EVENT("BOOKMARK", "{}"));
    line(f, EVENT("ADDED", OBJECT("x", "11")));
    assert_int_equal(f->r.skipped, 3);
    assert_int_equal(dv_store_count(f->r.store), 1);
    assert_int_equal(f->r.state, DV_WATCHING);
}

static void a_cut_watch_goes_on_where_it_was(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    line(f, EVENT("ADDED", OBJECT("x", "11")));
    line(f, EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"99\"}}"));
    assert_int_equal(f->r.broken_since_ms, 0);
    ended(f, 200, "", dv_err_new(DV_TRANSIENT, "ConnectionCut", "cut"));
    assert_int_equal(f->r.broken_since_ms, f->now);
    assert_int_equal(f->unwatched, 1);
    assert_rests(f, 1000, 1250);
    assert_asked(f, "watch 99");
    assert_int_not_equal(f->r.broken_since_ms, 0);
    dv_reflector_began(&f->r, f->now);
    assert_int_equal(f->r.broken_since_ms, 0);
}

static const struct end_row {
    const char *name;
    int64_t lived_ms;
    bool cut;
    int failures_before;
    int64_t at_least, at_most; /* 0: at once */
} end_rows[] = {
    {"a healthy watch that ends regularly is reopened at once", 60000, false, 4, 0, 0},
    {"a healthy watch that is cut starts with the first rest", 60000, true, 4, 1000, 1250},
    {"one that held some seconds is reopened after the first rest", 5000, false, 4, 1000, 1250},
    {"a short one counts as a failure", 4999, false, 2, 4000, 5000},
    {"and a cut one too", 59999, true, 2, 4000, 5000},
};

static void a_watch_that_ends_is_reopened(void **state)
{
    const struct end_row *row = *state;
    dv_auto(fixture) f = watching();

    f->r.failures = (unsigned)row->failures_before;
    f->now += row->lived_ms;
    ended(f, 200, "", row->cut ? dv_err_new(DV_TRANSIENT, "Cut", "cut") : NULL);
    if (row->at_most)
        assert_rests(f, row->at_least, row->at_most);
    assert_asked(f, "watch 10");
}

static void an_expired_version_is_listed_anew_at_once(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    line(f, EVENT("ERROR", STATUS("410", "Expired")));
    assert_int_equal(f->unwatched, 1);
    assert_asked(f, "list 500");
    listed(f, EMPTY_LIST("30"));
    assert_asked(f, "watch 30");
    ended(f, 410, STATUS("410", "Gone"), NULL);
    assert_rests(f, 1000, 1250); /* the second time in a row it waits */
    assert_asked(f, "list 500");
}

/* As after a restart of the server: it was away, it forgot our version, and it answers now. */
static void an_expired_version_after_an_outage_is_listed_at_once(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    f->r.failures = 5;
    line(f, EVENT("ERROR", STATUS("410", "Expired")));
    assert_asked(f, "list 500");
    listed(f, EMPTY_LIST("30"));
    assert_asked(f, "watch 30");
}

static void an_answer_of_410_is_listed_anew(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    ended(f, 410, "whatever", NULL);
    assert_asked(f, "list 500");
}

static void a_server_that_refuses_the_watch_is_listed_after_some_tries(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    for (int i = 0; i < DV_WATCH_REFUSALS_MAX - 1; i++) {
        ended(f, 500, STATUS("500", "InternalError"), NULL);
        assert_rests(f, 1000, 30000);
        assert_asked(f, "watch 10");
    }
    line(f, EVENT("ERROR", STATUS("500", "InternalError")));
    assert_rests(f, 1000, 30000);
    assert_asked(f, "list 500");
}

static void a_server_that_is_down_is_not_listed(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    for (int i = 0; i < 10; i++) {
        ended(f, 0, "", dv_err_new(DV_TRANSIENT, "ConnectionFailed", "refused"));
        assert_rests(f, 1000, 30000);
        assert_asked(f, "watch 10");
    }
}

static void a_header_may_say_how_long_to_wait(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    dv_reflector_ended(&f->r, f->now, &(dv_answer){.status = 503, .retry_after_ms = 9000});
    assert_rests(f, 9000, 9000);
}

/* "storage is (re)initializing", says one that starts, and: in a second. */
static void a_server_that_says_when_is_not_waited_for_longer(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    f->r.failures = 5;
    for (int i = 0; i < 3; i++) {
        ended(f, 429,
              "{\"kind\":\"Status\",\"code\":429,\"reason\":\"TooManyRequests\","
              "\"details\":{\"retryAfterSeconds\":1}}",
              NULL);
        assert_rests(f, 1000, 1000);
        assert_asked(f, "watch 10");
    }
    assert_int_equal(f->r.failures, 5);
}

static void a_busy_server_is_no_refusal(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    for (int i = 0; i < 5; i++) {
        ended(f, 429,
              "{\"kind\":\"Status\",\"code\":429,\"reason\":\"TooManyRequests\","
              "\"details\":{\"retryAfterSeconds\":31}}",
              NULL);
        assert_rests(f, 31000, 31000);
        assert_asked(f, "watch 10");
    }
}

/* A starting API server refuses for half a minute; then the refusal is RBAC's. */
static void a_list_that_stays_forbidden_is_tried_again_in_minutes(void **state)
{
    dv_auto(fixture) f = fixture_new();

    (void)state;
    for (int64_t ms = 1000; ms <= 16000; ms *= 2) {
        assert_asked(f, "list 500");
        refused(f, 403, STATUS("403", "Forbidden"));
        assert_true(f->r.denied);
        assert_rests(f, ms, ms + ms / 4);
    }
    for (int i = 0; i < 3; i++) {
        assert_asked(f, "list 500");
        refused(f, 403, STATUS("403", "Forbidden"));
        assert_rests(f, 180000, 240000);
    }
}

/* The watch, and after three refusals the list. */
static void a_watch_that_stays_forbidden_is_tried_again_in_minutes(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    for (int i = 0; i < DV_REST_DENIALS_MAX; i++) {
        if (i < DV_WATCH_REFUSALS_MAX)
            ended(f, 403, STATUS("403", "Forbidden"), NULL);
        else
            refused(f, 403, STATUS("403", "Forbidden"));
        assert_true(f->r.denied);
        assert_rests(f, (int64_t)1000 << i, (int64_t)1250 << i);
        assert_asked(f, i + 1 < DV_WATCH_REFUSALS_MAX ? "watch 10" : "list 500");
    }
    refused(f, 403, STATUS("403", "Forbidden"));
    assert_rests(f, 180000, 240000);
}

/* Each list is permitted, and no watch: that the list went well ends no row of denials. */
static void what_may_only_be_listed_is_tried_again_in_minutes(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    for (int i = 0; i < 12; i++) {
        ended(f, 403, STATUS("403", "Forbidden"), NULL);
        if (i < DV_REST_DENIALS_MAX)
            assert_rests(f, (int64_t)1000 << i, (int64_t)1250 << i);
        else
            assert_rests(f, 180000, 240000);
        if (i % DV_WATCH_REFUSALS_MAX == DV_WATCH_REFUSALS_MAX - 1) {
            assert_asked(f, "list 500");
            listed(f, EMPTY_LIST("10"));
        }
        assert_asked(f, "watch 10");
    }
}

static void what_was_permitted_meanwhile_is_tried_again_soon(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    for (int i = 0; i < 3; i++) {
        ended(f, 403, STATUS("403", "Forbidden"), NULL);
        assert_rests(f, 1000, 1250);
        assert_asked(f, "watch 10");
        dv_reflector_began(&f->r, f->now);
        assert_false(f->r.denied);
        line(f, EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"10\"}}"));
    }
}

static void a_watch_that_overflowed_is_listed_anew(void **state)
{
    dv_auto(fixture) f = watching();

    (void)state;
    dv_reflector_overflowed(&f->r, f->now);
    assert_int_equal(f->unwatched, 1);
    assert_asked(f, "list 500");
}

/* ---- Writes of ours ---- */

static void a_write_of_ours_is_seen_and_stays_as_it_was(void **state)
{
    dv_auto(fixture) f = watching();
    json_auto_t *object = NULL;
    dv_auto_str text = NULL;

    (void)state;
    assert_ok(
        dv_json_read(DV_STR("{\"metadata\":{\"name\":\"x\",\"namespace\":\"a\","
                            "\"resourceVersion\":\"11\",\"managedFields\":[{}]},\"data\":{}}"),
                     &object));
    dv_reflector_observe(&f->r, object);
    text = text_of(f, "a/x");
    assert_string_equal(
        text, "{\"metadata\":{\"name\":\"x\",\"namespace\":\"a\",\"resourceVersion\":\"11\"},"
              "\"data\":{},\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}");
    assert_non_null(dv_json_at(object, "/metadata/managedFields"));
    assert_null(dv_json_at(object, "/kind"));
}

static void a_write_elsewhere_is_not_for_us(void **state)
{
    dv_auto(fixture) f = watching();
    json_auto_t *object = NULL;
    json_auto_t *nothing = json_object();

    (void)state;
    f->options.ns = "b";
    assert_ok(dv_json_read(DV_STR(OBJECT("x", "11")), &object));
    dv_reflector_observe(&f->r, object);
    dv_reflector_observe(&f->r, nothing);
    assert_int_equal(dv_store_count(f->r.store), 0);
}

int main(void)
{
    dv_suite suite = {.name = "runtime/reflector"};

    dv_json_setup();
    dv_log_setup(DV_LOG_ERROR, DV_LOG_TEXT);
    DV_TEST(&suite, pages_are_asked_for_until_the_last);
    DV_TEST(&suite, an_object_says_its_kind_and_not_who_managed_it);
    DV_TABLE(&suite, an_unreadable_item_is_left_out_and_counted, bad_item_rows);
    DV_TEST(&suite, a_NUL_in_a_value_stops_nothing);
    DV_TABLE(&suite, a_list_that_fails_is_tried_again, list_failure_rows);
    DV_TEST(&suite, a_failed_relist_keeps_what_is_known);
    DV_TEST(&suite, a_token_that_expires_between_pages_starts_the_list_over);
    DV_TEST(&suite, pages_that_are_too_large_are_asked_for_smaller);
    DV_TEST(&suite, rests_grow_up_to_half_a_minute);
    DV_TEST(&suite, events_change_the_store);
    DV_TEST(&suite, a_bad_line_is_counted_and_stops_nothing);
    DV_TEST(&suite, a_cut_watch_goes_on_where_it_was);
    DV_TABLE(&suite, a_watch_that_ends_is_reopened, end_rows);
    DV_TEST(&suite, an_expired_version_is_listed_anew_at_once);
    DV_TEST(&suite, an_expired_version_after_an_outage_is_listed_at_once);
    DV_TEST(&suite, an_answer_of_410_is_listed_anew);
    DV_TEST(&suite, a_server_that_refuses_the_watch_is_listed_after_some_tries);
    DV_TEST(&suite, a_server_that_is_down_is_not_listed);
    DV_TEST(&suite, a_server_that_says_when_is_not_waited_for_longer);
    DV_TEST(&suite, a_busy_server_is_no_refusal);
    DV_TEST(&suite, a_header_may_say_how_long_to_wait);
    DV_TEST(&suite, a_list_that_stays_forbidden_is_tried_again_in_minutes);
    DV_TEST(&suite, a_watch_that_stays_forbidden_is_tried_again_in_minutes);
    DV_TEST(&suite, what_may_only_be_listed_is_tried_again_in_minutes);
    DV_TEST(&suite, what_was_permitted_meanwhile_is_tried_again_soon);
    DV_TEST(&suite, a_watch_that_overflowed_is_listed_anew);
    DV_TEST(&suite, a_write_of_ours_is_seen_and_stays_as_it_was);
    DV_TEST(&suite, a_write_elsewhere_is_not_for_us);
    return dv_suite_run(&suite);
}
