/* SPDX-License-Identifier: Apache-2.0 */
#include "json/fields.h"

#include "testlib.h"

typedef struct {
    char *name;
    int64_t port;
} place;

typedef enum { MANUAL, AUTOMATIC } policy;

typedef struct {
    char *package;
    bool suspend;
    int64_t revision;
    dv_opt_i64 replicas;
    int64_t interval_ms;
    policy upgrade;
    dv_strings globs;
    place main;
    DV_VEC(place) others;
    json_t *values;
} spec;

static const char *const policies[] = {"Manual", "Automatic", NULL};
static const dv_field_row place_rows[] = {
    {.name = "name", DV_FIELD_STR, offsetof(place, name), .flags = DV_FIELD_REQUIRED},
    {.name = "port", DV_FIELD_I64, offsetof(place, port)},
};
static const dv_field_row rows[] = {
    {.name = "package", DV_FIELD_STR, offsetof(spec, package), .flags = DV_FIELD_REQUIRED},
    {.name = "suspend", DV_FIELD_BOOL, offsetof(spec, suspend)},
    {.name = "revision", DV_FIELD_I64, offsetof(spec, revision)},
    {.name = "replicas", DV_FIELD_OPT_I64, offsetof(spec, replicas)},
    {.name = "interval", DV_FIELD_DURATION, offsetof(spec, interval_ms)},
    {.name = "upgradePolicy", DV_FIELD_ENUM, offsetof(spec, upgrade), .values = policies},
    {.name = "globs", DV_FIELD_STRINGS, offsetof(spec, globs)},
    {.name = "main",
     DV_FIELD_OBJECT,
     offsetof(spec, main),
     .rows = place_rows,
     .n_rows = DV_LEN(place_rows)},
    {.name = "others",
     DV_FIELD_LIST,
     offsetof(spec, others),
     .rows = place_rows,
     .n_rows = DV_LEN(place_rows),
     .size = sizeof(place)},
    {.name = "values", DV_FIELD_JSON, offsetof(spec, values)},
};

static void spec_done(spec *s)
{
    dv_fields_free(rows, DV_LEN(rows), s);
}

static dv_err *decode(const char *text, spec *s, dv_strings *unknown)
{
    json_auto_t *doc = NULL;

    assert_ok(dv_json_read(dv_str_of(text), &doc));
    return dv_fields_decode(rows, DV_LEN(rows), doc, "spec", s, unknown);
}

static const char full[] =
    "{\"package\":\"p\",\"suspend\":true,\"revision\":-5,\"replicas\":0,\"interval\":\"1h30m0s\","
    "\"upgradePolicy\":\"Automatic\",\"globs\":[\"a*\",\"\"],\"main\":{\"name\":\"m\",\"port\":80},"
    "\"others\":[{\"name\":\"x\"},{\"name\":\"y\",\"port\":1}],\"values\":{\"k\":[null,1.5]}}";

static void every_type_is_decoded(void **state DV_UNUSED)
{
    DV_CLEANUP(spec_done) spec s = {0};

    assert_ok(decode(full, &s, /* unknown= */ NULL));
    assert_string_equal(s.package, "p");
    assert_true(s.suspend);
    assert_int_equal(s.revision, -5);
    assert_true(s.replicas.set && s.replicas.value == 0);
    assert_int_equal(s.interval_ms, 5400000);
    assert_int_equal(s.upgrade, AUTOMATIC);
    assert_int_equal(s.globs.n, 2);
    assert_string_equal(s.globs.at[0], "a*");
    assert_string_equal(s.main.name, "m");
    assert_int_equal(s.main.port, 80);
    assert_int_equal(s.others.n, 2);
    assert_string_equal(s.others.at[1].name, "y");
    assert_int_equal(s.others.at[1].port, 1);
    assert_int_equal(json_array_size(dv_json_at(s.values, "/k")), 2);
}

static void encoding_gives_back_what_was_decoded(void **state DV_UNUSED)
{
    DV_CLEANUP(spec_done) spec s = {0};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    assert_ok(decode(full, &s, NULL));
    json_auto_t *encoded = dv_fields_encode(rows, DV_LEN(rows), &s);
    dv_json_write(encoded, &out);
    assert_string_equal(dv_buf_cstr(&out), full);
}

static void zero_values_are_left_out(void **state DV_UNUSED)
{
    DV_CLEANUP(spec_done) spec s = {0};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    assert_ok(decode("{\"package\":\"p\",\"suspend\":false,\"revision\":0,\"interval\":\"0s\","
                     "\"upgradePolicy\":\"Manual\",\"globs\":[],\"others\":[]}",
                     &s, NULL));
    json_auto_t *encoded = dv_fields_encode(rows, DV_LEN(rows), &s);
    dv_json_write(encoded, &out);
    /* A required member below an embedded struct is there, so the struct is. */
    assert_string_equal(dv_buf_cstr(&out), "{\"package\":\"p\",\"main\":{\"name\":\"\"}}");
}

static void absent_and_null_are_zero(void **state DV_UNUSED)
{
    DV_CLEANUP(spec_done) spec s = {0};

    assert_ok(decode("{\"package\":\"p\",\"replicas\":null,\"main\":null,\"others\":null,"
                     "\"values\":null,\"globs\":null}",
                     &s, NULL));
    assert_false(s.replicas.set);
    assert_null(s.main.name);
    assert_int_equal(s.others.n, 0);
    assert_null(s.values);
}

static const struct bad_row {
    const char *name, *text, *message;
} bad[] = {
    {"no object", "[]", "spec: object expected, got array"},
    {"a required field that is absent", "{}", "spec.package: required"},
    {"a required field that is null", "{\"package\":null}", "spec.package: required"},
    {"no string", "{\"package\":5}", "spec.package: string expected, got integer"},
    {"a string with NUL", "{\"package\":\"a\\u0000b\"}", "spec.package: holds a NUL"},
    {"no boolean", "{\"package\":\"p\",\"suspend\":\"true\"}",
     "spec.suspend: boolean expected, got string"},
    {"no integer", "{\"package\":\"p\",\"revision\":1.5}",
     "spec.revision: integer expected, got real"},
    {"too large a real", "{\"package\":\"p\",\"revision\":1e300}",
     "spec.revision: integer expected, got real"},
    {"no optional integer", "{\"package\":\"p\",\"replicas\":\"3\"}",
     "spec.replicas: integer expected, got string"},
    {"no duration", "{\"package\":\"p\",\"interval\":\"10x\"}",
     "spec.interval: \"10x\" is not a duration"},
    {"a number for a duration", "{\"package\":\"p\",\"interval\":10}",
     "spec.interval: string expected, got integer"},
    {"no enumerator", "{\"package\":\"p\",\"upgradePolicy\":\"manual\"}",
     "spec.upgradePolicy: \"manual\" is not one of Manual, Automatic"},
    {"no list of strings", "{\"package\":\"p\",\"globs\":\"a\"}",
     "spec.globs: array expected, got string"},
    {"no string in the list", "{\"package\":\"p\",\"globs\":[\"a\",{}]}",
     "spec.globs[1]: string expected, got object"},
    {"no embedded object", "{\"package\":\"p\",\"main\":\"x\"}",
     "spec.main: object expected, got string"},
    {"a field of an embedded object",
     "{\"package\":\"p\",\"main\":{\"name\":\"m\",\"port\":\"80\"}}",
     "spec.main.port: integer expected, got string"},
    {"a required field of an embedded object", "{\"package\":\"p\",\"main\":{}}",
     "spec.main.name: required"},
    {"no list of objects", "{\"package\":\"p\",\"others\":{}}",
     "spec.others: array expected, got object"},
    {"no object in the list", "{\"package\":\"p\",\"others\":[{\"name\":\"a\"},null]}",
     "spec.others[1]: object expected, got null"},
    {"a field in the list", "{\"package\":\"p\",\"others\":[{\"name\":\"a\"},{\"name\":true}]}",
     "spec.others[1].name: string expected, got boolean"},
};

static void decoding_is_refused(void **state)
{
    const struct bad_row *row = *state;
    const spec zero = {0};
    spec s = {0};

    assert_err(decode(row->text, &s, NULL), DV_INVALID, row->message);
    /* What had been decoded before is freed; numbers may stay. */
    assert_null(s.package);
    assert_memory_equal(&s.globs, &zero.globs, sizeof(s.globs));
    assert_null(s.others.at);
    assert_null(s.main.name);
}

static void nothing_is_no_object(void **state DV_UNUSED)
{
    spec s = {0};

    assert_err(dv_fields_decode(rows, DV_LEN(rows), NULL, "status", &s, NULL), DV_INVALID,
               "status: object expected, got nothing");
}

static void whole_reals_are_integers(void **state DV_UNUSED)
{
    DV_CLEANUP(spec_done) spec s = {0};

    assert_ok(decode("{\"package\":\"p\",\"revision\":3.0}", &s, NULL));
    assert_int_equal(s.revision, 3);
}

static void unknown_members_are_told(void **state DV_UNUSED)
{
    DV_CLEANUP(spec_done) spec s = {0};
    DV_CLEANUP(dv_strings_done) dv_strings unknown = {0};

    assert_ok(decode("{\"package\":\"p\",\"colour\":1,\"main\":{\"name\":\"m\",\"x\":1},"
                     "\"others\":[{\"name\":\"a\",\"y\":1}],\"values\":{\"free\":1}}",
                     &s, &unknown));
    dv_strings_sort(&unknown);
    assert_int_equal(unknown.n, 3);
    assert_string_equal(unknown.at[0], "spec.colour");
    assert_string_equal(unknown.at[1], "spec.main.x");
    assert_string_equal(unknown.at[2], "spec.others[0].y");
}

int main(void)
{
    dv_suite suite = {.name = "json/fields"};

    dv_json_setup();
    DV_TEST(&suite, every_type_is_decoded);
    DV_TEST(&suite, encoding_gives_back_what_was_decoded);
    DV_TEST(&suite, zero_values_are_left_out);
    DV_TEST(&suite, absent_and_null_are_zero);
    DV_TABLE(&suite, decoding_is_refused, bad);
    DV_TEST(&suite, nothing_is_no_object);
    DV_TEST(&suite, whole_reals_are_integers);
    DV_TEST(&suite, unknown_members_are_told);
    return dv_suite_run(&suite);
}
