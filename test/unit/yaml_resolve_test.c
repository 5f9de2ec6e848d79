/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml/resolve.h"

#include "testlib.h"

/* The JSON that an unquoted scalar becomes, as sigs.k8s.io/yaml 1.4 gives it. */
static const struct row {
    const char *name, *text, *want;
} rows[] = {
    {"y is true", "y", "true"},
    {"Y is true", "Y", "true"},
    {"yes is true", "yes", "true"},
    {"YES is true", "YES", "true"},
    {"yEs is a string", "yEs", "\"yEs\""},
    {"on is true", "on", "true"},
    {"True is true", "True", "true"},
    {"tRUE is a string", "tRUE", "\"tRUE\""},
    {"n is false", "n", "false"},
    {"No is false", "No", "false"},
    {"OFF is false", "OFF", "false"},
    {"FALSE is false", "FALSE", "false"},
    {"nothing is null", "", "null"},
    {"a tilde is null", "~", "null"},
    {"Null is null", "Null", "null"},
    {"nULL is a string", "nULL", "\"nULL\""},
    {"zero", "0", "0"},
    {"an integer", "42", "42"},
    {"a sign", "-42", "-42"},
    {"a plus sign", "+42", "42"},
    {"underscores", "1_000_000", "1000000"},
    {"underscores anywhere", "1__0_", "10"},
    {"an underscore in front is a string", "_1", "\"_1\""},
    {"hexadecimal", "0x1F", "31"},
    {"hexadecimal in capitals", "0XfF", "255"},
    {"negative hexadecimal", "-0x_f", "-15"},
    {"binary", "0b101", "5"},
    {"binary with a sign inside", "0b-1", "-1"},
    {"binary in capitals has none inside", "0B-1", "\"0B-1\""},
    {"octal of YAML 1.1", "0777", "511"},
    {"octal of YAML 1.2", "0o17", "15"},
    {"no octal, but a real", "08", "8"},
    {"no octal of YAML 1.2", "0o8", "\"0o8\""},
    {"a lone prefix", "0x", "\"0x\""},
    {"binary with another digit", "0b102", "\"0b102\""},
    {"the largest integer", "9223372036854775807", "9223372036854775807"},
    {"past the largest integer", "9223372036854775808", "9.223372036854776e+18"},
    {"past 64 bits", "18446744073709551616", "1.8446744073709552e+19"},
    {"the smallest integer", "-9223372036854775808", "-9223372036854775808"},
    {"a real", "0.1", "0.1"},
    {"a real with a dot in front", ".5", "0.5"},
    {"a sign and a dot", "+.5", "0.5"},
    {"a real with a dot behind is whole", "1.", "1"},
    {"a whole real is an integer", "1.0", "1"},
    {"an exponent that is whole", "1e3", "1000"},
    {"an exponent with underscores", "1e3_0", "1e+30"},
    {"a whole real of many digits is rounded as Go prints it", "1152921504606846976.0",
     "1152921504606847000"},
    {"from 1e21 on it stays a real", "1e21", "1e+21"},
    {"a small exponent", "1e-7", "1e-07"},
    {"too large a real is a string", "1e999", "\"1e999\""},
    {"too small a real is zero", "1e-400", "0"},
    {"underscores behind a dot", ".5_0", "0.5"},
    {"an underscore right behind a dot", "._5", "\"._5\""},
    {"a hexadecimal real is a string", "0x1p3", "\"0x1p3\""},
    {"a lone dot", ".", "\".\""},
    {"a lone sign", "-", "\"-\""},
    {"an exponent alone", "e3", "\"e3\""},
    {"an exponent without digits", "1e", "\"1e\""},
    {"infinity has no JSON", ".inf", NULL},
    {"negative infinity", "-.INF", NULL},
    {"not a number", ".NaN", NULL},
    {"a sexagesimal stays a string", "1:30", "\"1:30\""},
    {"a date stays a string", "2001-01-01", "\"2001-01-01\""},
    {"a version is a string", "1.2.3", "\"1.2.3\""},
    {"a word", "hello", "\"hello\""},
    {"a merge key's text", "<<", "\"<<\""},
    {"a number with a tail", "12a", "\"12a\""},
    {"a blank inside", "1 2", "\"1 2\""},
};

static void scalar_resolves(void **state)
{
    const struct row *row = *state;
    dv_yaml_scalar scalar = dv_yaml_resolve(dv_str_of(row->text));
    json_auto_t *value = dv_yaml_scalar_json(&scalar);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    assert_true(dv_str_is(scalar.text, row->text));
    if (!row->want) {
        assert_null(value);
        return;
    }
    dv_json_write(value, &out);
    assert_string_equal(dv_buf_cstr(&out), row->want);
}

static const struct key_row {
    const char *name, *text, *want;
} keys[] = {
    {"an integer", "0x10", "16"},
    {"a boolean", "yes", "true"},
    {"a false one", "off", "false"},
    {"past the largest integer", "18446744073709551615", "18446744073709551615"},
    {"a real", "1.5", "1.5"},
    {"a whole real", "1e3", "1000"},
    {"a large real", "1e6", "1e+06"},
    {"a real of more than 32 bits", "1.23456789012", "1.2345679"},
    {"infinity", "-.inf", "-.inf"},
    {"past 32 bits", "1e39", ".inf"},
    {"not a number", ".nan", ".nan"},
    {"a string", "a", "a"},
    {"null is none", "~", NULL},
};

static void key_prints(void **state)
{
    const struct key_row *row = *state;
    dv_yaml_scalar scalar = dv_yaml_resolve(dv_str_of(row->text));
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    assert_int_equal(dv_yaml_scalar_key(&scalar, &out), row->want != NULL);
    if (row->want)
        assert_string_equal(dv_buf_cstr(&out), row->want);
}

static const struct date_row {
    const char *name, *text;
    bool want;
} dates[] = {
    {"a date", "2001-01-01", true},
    {"short fields", "2001-1-1", true},
    {"a time of day", "2001-01-01T12:30:45Z", true},
    {"a lower-case t", "2001-01-01t12:30:45Z", true},
    {"a fraction", "2001-01-01T1:3:4.5Z", true},
    {"an offset", "2001-01-01T12:30:45+02:00", true},
    {"a blank and no zone", "2001-01-01 12:30:45", true},
    {"a blank and a zone", "2001-01-01 12:30:45Z", false},
    {"no zone", "2001-01-01T12:30:45", false},
    {"a month too many", "2001-13-01", false},
    {"a day too many", "2001-02-29", false},
    {"a leap day", "2004-02-29", true},
    {"a short year", "201-01-01", false},
    {"something behind", "2001-01-01x", false},
    {"an hour too many", "2001-01-01T24:00:00Z", false},
    {"an unfinished time", "2001-01-01T12:30", false},
    {"an offset without a colon", "2001-01-01T12:30:45+0200", false},
    {"a number", "2001", false},
    {"nothing", "", false},
};

static void date_is(void **state)
{
    const struct date_row *row = *state;

    assert_int_equal(dv_yaml_is_timestamp(dv_str_of(row->text)), row->want);
}

static void long_numbers_are_read(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    dv_buf_adds(&text, "0.");
    dv_buf_fill(&text, '3', 1000);
    dv_yaml_scalar scalar = dv_yaml_resolve(dv_buf_str(&text));
    assert_int_equal(scalar.type, DV_YAML_REAL);
    assert_true(scalar.real == 1.0 / 3);
    scalar = dv_yaml_resolve(DV_STR("1\0002"));
    assert_int_equal(scalar.type, DV_YAML_STRING);
}

int main(void)
{
    dv_suite suite = {.name = "yaml/resolve"};

    dv_json_setup();
    DV_TABLE(&suite, scalar_resolves, rows);
    DV_TABLE(&suite, key_prints, keys);
    DV_TABLE(&suite, date_is, dates);
    DV_TEST(&suite, long_numbers_are_read);
    return dv_suite_run(&suite);
}
