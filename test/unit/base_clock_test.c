/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "testlib.h"

/* ---- Durations ---- */

static const struct duration_row {
    const char *name, *text;
    int64_t want_ms; /* -1: refused */
    const char *printed;
} durations[] = {
    {"minutes", "10m", 600000, "10m0s"},
    {"hours and minutes", "1h30m", 5400000, "1h30m0s"},
    {"a fraction", "1.5s", 1500, "1.5s"},
    {"milliseconds", "300ms", 300, "300ms"},
    {"zero", "0", 0, "0s"},
    {"zero with a unit", "0h", 0, "0s"},
    {"a plus sign", "+5s", 5000, "5s"},
    {"a fraction without a whole", ".5s", 500, "500ms"},
    {"a whole without a fraction", "5.s", 5000, "5s"},
    {"microseconds below a millisecond", "999us", 0, "0s"},
    {"micro sign", "2000\xc2\xb5s", 2, "2ms"},
    {"Greek mu", "2000\xce\xbcs", 2, "2ms"},
    {"nanoseconds", "3000000ns", 3, "3ms"},
    {"a unit twice", "1s1s", 2000, "2s"},
    {"any order", "1s1h", 3601000, "1h0m1s"},
    {"many fraction digits", "0.1000000000000000000000000001s", 100, "100ms"},
    {"a fraction of an hour", "0.1h", 360000, "6m0s"},
    {"thousandths", "61.001s", 61001, "1m1.001s"},
    {"hundred years", "876000h", 3153600000000, "876000h0m0s"},
    {"more than hundred years", "900000h", -1, NULL},
    {"more than hundred years in parts", "800000h800000h", -1, NULL},
    {"past 64 bits", "99999999999999999999s", -1, NULL},
    {"past 64 bits as a product", "9223372036854775807h", -1, NULL},
    {"no unit", "10", -1, NULL},
    {"an unknown unit", "10d", -1, NULL},
    {"negative", "-1s", -1, NULL},
    {"nothing", "", -1, NULL},
    {"a lone sign", "+", -1, NULL},
    {"a lone dot", ".s", -1, NULL},
    {"a lone unit", "s", -1, NULL},
    {"blanks", "1 s", -1, NULL},
    {"something behind", "1s ", -1, NULL},
};

static void duration_reads(void **state)
{
    const struct duration_row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf printed = DV_BUF_INIT(100);
    int64_t ms = -1;
    dv_err *err = dv_duration_parse(dv_str_of(row->text), &ms);

    if (row->want_ms < 0) {
        assert_err(err, DV_INVALID, "is not a duration");
        return;
    }
    assert_ok(err);
    assert_int_equal(ms, row->want_ms);
    dv_duration_add(&printed, ms);
    assert_string_equal(dv_buf_cstr(&printed), row->printed);
}

static void negative_durations_print(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(100);

    dv_duration_add(&out, -90500);
    dv_buf_addc(&out, ' ');
    dv_duration_add(&out, -5);
    assert_string_equal(dv_buf_cstr(&out), "-1m30.5s -5ms");
    dv_duration_add(&out, INT64_MIN);
    assert_ok(dv_buf_check(&out));
}

/* ---- Times ---- */

static const struct time_row {
    const char *name, *text;
    bool ok;
    int64_t want_us;
} times[] = {
    {"the epoch", "1970-01-01T00:00:00Z", true, 0},
    {"a day of this project", "2026-11-21T09:00:00Z", true, 1795251600000000},
    {"a fraction", "1970-01-01T00:00:01.5Z", true, 1500000},
    {"microseconds", "1970-01-01T00:00:00.000001Z", true, 1},
    {"nanoseconds are cut", "1970-01-01T00:00:00.000001999Z", true, 1},
    {"an offset east", "1970-01-01T02:00:00+02:00", true, 0},
    {"an offset west", "1969-12-31T23:30:00-00:30", true, 0},
    {"a leap day", "2024-02-29T00:00:00Z", true, 1709164800000000},
    {"no leap day in 1900", "1900-02-29T00:00:00Z", false, 0},
    {"a leap day in 2000", "2000-02-29T12:00:00Z", true, 951825600000000},
    {"before the epoch", "1969-12-31T23:59:59.5Z", true, -500000},
    {"the year 1", "0001-01-01T00:00:00Z", true, -62135596800000000},
    {"lower-case letters", "1970-01-01t00:00:00z", true, 0},
    {"no zone", "1970-01-01T00:00:00", false, 0},
    {"a blank for the T", "1970-01-01 00:00:00Z", false, 0},
    {"a month too many", "1970-13-01T00:00:00Z", false, 0},
    {"month zero", "1970-00-01T00:00:00Z", false, 0},
    {"a day too many", "1970-04-31T00:00:00Z", false, 0},
    {"hour 24", "1970-01-01T24:00:00Z", false, 0},
    {"a leap second", "1970-01-01T00:00:60Z", false, 0},
    {"a dot without digits", "1970-01-01T00:00:00.Z", false, 0},
    {"an offset without a colon", "1970-01-01T00:00:00+0200", false, 0},
    {"an offset of a day", "1970-01-01T00:00:00+24:00", false, 0},
    {"one digit for the day", "1970-01-1T00:00:00Z", false, 0},
    {"something behind", "1970-01-01T00:00:00Z ", false, 0},
    {"a date only", "1970-01-01", false, 0},
    {"nothing", "", false, 0},
};

static void time_reads(void **state)
{
    const struct time_row *row = *state;
    int64_t us = 7;
    dv_err *err = dv_time_parse(dv_str_of(row->text), &us);

    if (!row->ok) {
        assert_err(err, DV_INVALID, "is not an RFC 3339 time");
        return;
    }
    assert_ok(err);
    assert_int_equal(us, row->want_us);
}

/* Every day of more than a cycle of the calendar is printed, read, and follows the day before. */
static void times_round_trip(void **state DV_UNUSED)
{
    const int64_t day_ms = 86400000;

    for (int64_t day = -150000; day < 150000; day += 13) {
        DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(100);
        int64_t ms = day * day_ms + 3723004, us = 0;

        dv_time_add_micro(&text, ms * 1000 + 5);
        assert_ok(dv_time_parse(dv_buf_str(&text), &us));
        assert_int_equal(us, ms * 1000 + 5);
        dv_buf_reset(&text);
        dv_time_add(&text, ms);
        assert_ok(dv_time_parse(dv_buf_str(&text), &us));
        assert_int_equal(us, (ms - 4) * 1000);
    }
}

static void times_print(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(200);

    dv_time_add(&out, 1795251600999);
    dv_buf_addc(&out, ' ');
    dv_time_add_micro(&out, -1);
    assert_string_equal(dv_buf_cstr(&out), "2026-11-21T09:00:00Z 1969-12-31T23:59:59.999999Z");
}

/* ---- Clocks ---- */

static void a_fake_moves_only_when_told(void **state DV_UNUSED)
{
    dv_fake_clock fake;

    dv_fake_clock_init(&fake, 1795251600000);
    int64_t mono = fake.clock.mono_ms(&fake.clock), boot = fake.clock.boot_ms(&fake.clock);
    assert_true(mono > 0);
    assert_int_equal(fake.clock.unix_us(&fake.clock), 1795251600000000);
    dv_fake_clock_advance(&fake, 1500);
    assert_int_equal(fake.clock.mono_ms(&fake.clock), mono + 1500);
    assert_int_equal(fake.clock.boot_ms(&fake.clock), boot + 1500);
    assert_int_equal(fake.clock.unix_us(&fake.clock), 1795251601500000);
}

static void the_real_clock_runs(void **state DV_UNUSED)
{
    const dv_clock *clock = dv_clock_real();
    int64_t before = clock->mono_ms(clock);

    assert_true(clock->mono_ms(clock) >= before);
    assert_true(clock->boot_ms(clock) > 0);
    assert_true(clock->unix_us(clock) > 1600000000000000);
}

int main(void)
{
    dv_suite suite = {.name = "base/clock"};

    DV_TABLE(&suite, duration_reads, durations);
    DV_TEST(&suite, negative_durations_print);
    DV_TABLE(&suite, time_reads, times);
    DV_TEST(&suite, times_round_trip);
    DV_TEST(&suite, times_print);
    DV_TEST(&suite, a_fake_moves_only_when_told);
    DV_TEST(&suite, the_real_clock_runs);
    return dv_suite_run(&suite);
}
