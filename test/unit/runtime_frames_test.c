/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/frames_internal.h"
#include "testlib.h"

/* ---- Lines ---- */

static const struct split_row {
    const char *name;
    const char *chunks[6];
    const char *lines; /* each ended by | */
    const char *rest;
} split_rows[] = {
    {"whole lines in one piece", {"a\nb\n"}, "a|b|", ""},
    {"a line in three pieces", {"ab", "cd", "ef\n"}, "abcdef|", ""},
    {"the end of a line alone", {"ab", "\n"}, "ab|", ""},
    {"what is not ended yet waits", {"ab\ncd"}, "ab|", "cd"},
    {"blank lines are left out", {"\n\n a \r\n\n"}, "a|", ""},
    {"a line after a rest", {"ab\ncd", "ef\ngh"}, "ab|cdef|", "gh"},
    {"nothing", {""}, "", ""},
};

static void lines_are_split(void **state)
{
    const struct split_row *row = *state;
    DV_CLEANUP(dv_frames_done) dv_frames frames = {0};
    DV_CLEANUP(dv_buf_done) dv_buf got = DV_BUF_INIT(DV_LINE_MAX);
    dv_str line;

    for (size_t i = 0; i < DV_LEN(row->chunks) && row->chunks[i]; i++) {
        dv_frames_feed(&frames, dv_str_of(row->chunks[i]));
        while (dv_frames_next(&frames, &line))
            dv_buf_addf(&got, "%.*s|", DV_FMT(line));
    }
    assert_string_equal(dv_buf_cstr(&got), row->lines);
    assert_true(dv_str_is(dv_frames_rest(&frames), row->rest));
}

static void lines_are_read_one_at_a_time(void **state)
{
    DV_CLEANUP(dv_frames_done) dv_frames frames = {0};
    dv_str line;

    (void)state;
    dv_frames_feed(&frames, DV_STR("a\nb\nc"));
    assert_true(dv_frames_next(&frames, &line));
    dv_frames_feed(&frames, DV_STR("d\n"));
    assert_true(dv_frames_next(&frames, &line));
    assert_true(dv_str_is(line, "b"));
    assert_true(dv_frames_next(&frames, &line));
    assert_true(dv_str_is(line, "cd"));
    assert_false(dv_frames_next(&frames, &line));
}

static void an_idle_watch_keeps_no_memory(void **state)
{
    DV_CLEANUP(dv_frames_done) dv_frames frames = {0};
    dv_str line;

    (void)state;
    dv_frames_feed(&frames, DV_STR("a\n"));
    assert_true(dv_frames_next(&frames, &line));
    assert_false(dv_frames_next(&frames, &line));
    assert_null(frames.p);
}

static void a_buffer_is_taken_whole_or_appended(void **state)
{
    DV_CLEANUP(dv_frames_done) dv_frames frames = {0};
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_LINE_MAX);
    dv_str line;

    (void)state;
    dv_frames_feed_buf(&frames, &bytes);
    assert_false(dv_frames_next(&frames, &line));
    dv_buf_init(&bytes, DV_LINE_MAX);
    dv_buf_adds(&bytes, "one\ntw");
    dv_frames_feed_buf(&frames, &bytes);
    assert_true(dv_frames_next(&frames, &line));
    assert_true(dv_str_is(line, "one"));
    dv_buf_init(&bytes, DV_LINE_MAX);
    dv_buf_adds(&bytes, "o\n");
    dv_frames_feed_buf(&frames, &bytes);
    assert_true(dv_frames_next(&frames, &line));
    assert_true(dv_str_is(line, "two"));
}

static void feed_many(dv_frames *frames, size_t n)
{
    static const char zeros[64 * 1024] = {0};

    for (size_t left = n; left;) {
        size_t some = DV_MIN(left, sizeof(zeros));

        dv_frames_feed(frames, (dv_str){zeros, some});
        left -= some;
    }
}

static void a_line_that_is_too_long_is_stepped_over(void **state)
{
    DV_CLEANUP(dv_frames_done) dv_frames frames = {0};
    dv_str line;

    (void)state;
    feed_many(&frames, DV_WATCH_LINE_MAX + 1);
    assert_false(dv_frames_next(&frames, &line));
    assert_null(frames.p); /* it is not kept until its end comes */
    feed_many(&frames, 1000);
    dv_frames_feed(&frames, DV_STR("end\nnext\n"));
    assert_true(dv_frames_next(&frames, &line));
    assert_true(dv_str_is(line, "next"));
    assert_int_equal(frames.too_long, 1);
}

static void a_long_line_that_came_whole_is_counted_too(void **state)
{
    DV_CLEANUP(dv_frames_done) dv_frames frames = {0};
    dv_str line;

    (void)state;
    feed_many(&frames, DV_WATCH_LINE_MAX + 1);
    dv_frames_feed(&frames, DV_STR("\nnext\n"));
    assert_true(dv_frames_next(&frames, &line));
    assert_true(dv_str_is(line, "next"));
    assert_int_equal(frames.too_long, 1);
}

/* ---- Events ---- */

static const struct event_row {
    const char *name, *line;
    int type; /* -1: refused */
} event_rows[] = {
    {"ADDED", "{\"type\":\"ADDED\",\"object\":{}}", DV_EVENT_ADDED},
    {"MODIFIED", "{\"type\":\"MODIFIED\",\"object\":{}}", DV_EVENT_MODIFIED},
    {"DELETED", "{\"object\":{},\"type\":\"DELETED\"}", DV_EVENT_DELETED},
    {"BOOKMARK", "{\"type\":\"BOOKMARK\",\"object\":{}}", DV_EVENT_BOOKMARK},
    {"ERROR", "{\"type\":\"ERROR\",\"object\":{\"code\":410}}", DV_EVENT_ERROR},
    {"NUL in a string", "{\"type\":\"ADDED\",\"object\":{\"a\":\"x\\u0000y\"}}", DV_EVENT_ADDED},
    {"an unknown type", "{\"type\":\"FUTURE\",\"object\":{}}", -1},
    {"a type with NUL in it", "{\"type\":\"ADDED\\u0000\",\"object\":{}}", -1},
    {"no type", "{\"object\":{}}", -1},
    {"no object", "{\"type\":\"ADDED\"}", -1},
    {"an object that is none", "{\"type\":\"ADDED\",\"object\":[]}", -1},
    {"an array", "[]", -1},
    {"half a document", "{\"type\":\"ADDED\",\"obj", -1},
};

static void events_are_decoded(void **state)
{
    const struct event_row *row = *state;
    json_auto_t *object = NULL;
    dv_event_type type;
    dv_err *err = dv_event_decode(dv_str_of(row->line), &type, &object);

    if (row->type < 0) {
        assert_err(err, DV_INVALID, NULL);
        return;
    }
    assert_ok(err);
    assert_int_equal(type, row->type);
    assert_true(json_is_object(object));
}

int main(void)
{
    dv_suite suite = {.name = "runtime/frames"};

    DV_TABLE(&suite, lines_are_split, split_rows);
    DV_TEST(&suite, lines_are_read_one_at_a_time);
    DV_TEST(&suite, an_idle_watch_keeps_no_memory);
    DV_TEST(&suite, a_buffer_is_taken_whole_or_appended);
    DV_TEST(&suite, a_line_that_is_too_long_is_stepped_over);
    DV_TEST(&suite, a_long_line_that_came_whole_is_counted_too);
    DV_TABLE(&suite, events_are_decoded, event_rows);
    return dv_suite_run(&suite);
}
