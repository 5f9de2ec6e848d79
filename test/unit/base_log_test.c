/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "testlib.h"

/* What run() logs; owned. */
static char *capture(void (*run)(void))
{
    static char text[256 * 1024];
    int file = memfd_create("stderr", MFD_CLOEXEC), kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    assert_true(file >= 0 && kept >= 0);
    fflush(stderr);
    dup2(file, STDERR_FILENO);
    run();
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t n = pread(file, text, sizeof(text) - 1, 0);
    close(file);
    assert_true(n >= 0);
    text[n] = '\0';
    return dv_strdup(text);
}

/* The line behind its time stamp, which must be one. */
static const char *after_time(const char *line, const char *front)
{
    int64_t us;

    assert_memory_equal(line, front, strlen(front));
    line += strlen(front);
    size_t n = strcspn(line, "\" ");
    assert_int_equal(n, strlen("2026-11-21T09:00:00.000Z"));
    assert_ok(dv_time_parse((dv_str){line, n}, &us));
    return line + n;
}

static void log_some_json(void)
{
    dv_log_setup(DV_LOG_INFO, DV_LOG_JSON);
    dv_info(NULL, "package applied", dv_s("digest", "sha256:1"), dv_i("objects", -3));
}

static void a_json_line_is_an_object(void **state DV_UNUSED)
{
    dv_auto_str text = capture(log_some_json);

    assert_string_equal(after_time(text, "{\"ts\":\""),
                        "\",\"level\":\"info\",\"msg\":\"package applied\","
                        "\"digest\":\"sha256:1\",\"objects\":-3}\n");
}

static void log_hostile_text(void)
{
    dv_log_setup(DV_LOG_INFO, DV_LOG_JSON);
    dv_warn(NULL, "m", dv_s("k", "a\"\\\n\t\x1b[31m\x7f\xc2\x9b\xc3\xa9\xff"), dv_s("none", NULL));
    dv_log_setup(DV_LOG_INFO, DV_LOG_TEXT);
    dv_warn(NULL, "m", dv_s("k", "a b\n\x1b[31m"));
}

static void control_characters_are_escaped(void **state DV_UNUSED)
{
    dv_auto_str text = capture(log_hostile_text);

    assert_non_null(
        strstr(text, "\"k\":\"a\\\"\\\\\\n\\u0009\\u001b[31m\\u007f\\u009b\xc3\xa9\\ufffd\""));
    assert_non_null(strstr(text, "\"none\":\"\""));
    assert_non_null(strstr(text, "k=\"a b\\n\\u001b[31m\"\n"));
    assert_null(strchr(text, '\x1b'));
}

static void log_text(void)
{
    dv_auto(dv_err) err = dv_err_new(DV_BUG, "Bug", "a thing broke");

    dv_log_setup(DV_LOG_DEBUG, DV_LOG_TEXT);
    dv_error(NULL, "it failed", dv_e(err), dv_s("name", "plain"), dv_i("n", 7), dv_s("empty", ""),
             dv_s("eq", "a=b"));
}

static void text_lines_are_for_people(void **state DV_UNUSED)
{
    dv_auto_str text = capture(log_text);

    assert_string_equal(after_time(text, ""),
                        " ERROR it failed error=\"a thing broke\" name=plain n=7 empty=\"\" "
                        "eq=\"a=b\"\n");
}

static void log_at_all_levels(void)
{
    dv_log_setup(DV_LOG_WARN, DV_LOG_JSON);
    dv_debug(NULL, "one");
    dv_info(NULL, "two");
    dv_warn(NULL, "three");
    dv_error(NULL, "four");
}

static void lower_levels_are_silent(void **state DV_UNUSED)
{
    dv_auto_str text = capture(log_at_all_levels);

    assert_null(strstr(text, "one"));
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "three"));
    assert_non_null(strstr(text, "four"));
}

static void log_with_children(void)
{
    dv_auto(dv_log) outer = DV_LOG_WITH(NULL, dv_s("controller", "pm"));
    dv_auto(dv_log) inner = DV_LOG_WITH(outer, dv_s("name", "x"), dv_i("round", 2));

    dv_log_setup(DV_LOG_INFO, DV_LOG_JSON);
    dv_info(inner, "m", dv_s("k", "v"));
    dv_log_free(NULL);
}

static void children_carry_their_parents_fields(void **state DV_UNUSED)
{
    dv_auto_str text = capture(log_with_children);

    assert_non_null(strstr(text, "\"msg\":\"m\",\"controller\":\"pm\",\"name\":\"x\","
                                 "\"round\":2,\"k\":\"v\"}\n"));
}

static void log_huge_values(void)
{
    enum { BYTES = 60 * 1000 };
    dv_auto_str huge = dv_alloc(BYTES + 1);

    memset(huge, '\n', BYTES);
    huge[BYTES] = '\0';
    dv_log_setup(DV_LOG_INFO, DV_LOG_JSON);
    dv_info(NULL, "m", dv_s("a", huge), dv_s("b", huge), dv_s("c", huge));
}

static void lines_are_bounded_and_stay_whole(void **state DV_UNUSED)
{
    dv_auto_str text = capture(log_huge_values);
    size_t n = strlen(text);

    assert_true(n <= DV_LINE_MAX);
    assert_string_equal(text + n - strlen(",\"truncated\":1}\n"), ",\"truncated\":1}\n");
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
}

static void log_by_default(void)
{
    dv_info(NULL, "default");
}

/* Runs first: nothing has been set up yet, and what stderr is here is no terminal. */
static void without_setup_it_is_json_at_info(void **state DV_UNUSED)
{
    dv_auto_str text = capture(log_by_default);

    assert_false(dv_log_enabled(DV_LOG_DEBUG));
    assert_non_null(strstr(text, "\"msg\":\"default\"}"));
}

static void levels_are_parsed(void **state DV_UNUSED)
{
    dv_log_level level = DV_LOG_DEBUG;

    assert_ok(dv_log_level_parse("warn", &level));
    assert_int_equal(level, DV_LOG_WARN);
    assert_ok(dv_log_level_parse("debug", &level));
    assert_int_equal(level, DV_LOG_DEBUG);
    assert_err(dv_log_level_parse("loud", &level), DV_INVALID, "\"loud\" is not a log level");
}

int main(void)
{
    dv_suite suite = {.name = "base/log"};

    DV_TEST(&suite, without_setup_it_is_json_at_info);
    DV_TEST(&suite, a_json_line_is_an_object);
    DV_TEST(&suite, control_characters_are_escaped);
    DV_TEST(&suite, text_lines_are_for_people);
    DV_TEST(&suite, lower_levels_are_silent);
    DV_TEST(&suite, children_carry_their_parents_fields);
    DV_TEST(&suite, lines_are_bounded_and_stay_whole);
    DV_TEST(&suite, levels_are_parsed);
    return dv_suite_run(&suite);
}
