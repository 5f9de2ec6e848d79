/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "repo/repo.h"
#include "testlib.h"

static json_t *decode(const char *what, const char *text)
{
    json_t *json = NULL;

    assert_ok(dv_repo_decode(what, dv_str_of(text), &json));
    return json;
}

/* ---- What is kept, and what is left out with a warning ---- */

static const struct index_row {
    const char *name, *text, *names; /* of the packages kept */
    size_t warnings;
} index_rows[] = {
    {"names are kept in order", "packages:\n- name: b\n- name: a\n", "b a", 0},
    {"an index may be empty", "packages: []\n", "", 0},
    {"an index may lack its list", "{}\n", "", 0},
    {"a list may be null", "packages:\n", "", 0},
    {"a name twice counts once", "packages: [{name: a}, {name: a}]\n", "a", 1},
    {"a path is no name", "packages: [{name: a}, {name: ../b}, {name: c/d}]\n", "a", 2},
    {"dots are no name", "packages: [{name: '..'}, {name: '.'}]\n", "", 2},
    {"an encoded slash is no name", "packages: [{name: a%2fb}]\n", "", 1},
    {"a control character is no name", "packages: [{name: \"a\\nb\"}]\n", "", 1},
    {"nothing is no name", "packages: [{name: ''}, {}, null, 7]\n", "", 4},
    {"an unquoted n is no name", "packages: [{name: n}]\n", "", 1},
};

static void index_is_read(void **state)
{
    const struct index_row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *json = decode("index", row->text);
    json_t *item;
    size_t i;

    json_array_foreach(dv_json_array(json, "/packages"), i, item)
        dv_buf_addf(&names, "%s%s", i ? " " : "", dv_json_str(item, "/name"));
    assert_string_equal(dv_buf_cstr(&names), row->names);
    assert_int_equal(json_array_size(dv_json_array(json, "/warnings")), row->warnings);
}

static void what_a_search_shows_is_passed_on(void **state)
{
    (void)state;
    json_auto_t *json = decode("index", "packages: [{name: a, shortDescription: s, latestVersion: "
                                        "v1, iconUrl: i, scope: Cluster, other: x}]\n");
    json_auto_t *wanted = json_pack("{s:[{s:s, s:s, s:s, s:s, s:s}], s:[]}", "packages", "name",
                                    "a", "shortDescription", "s", "iconUrl", "i", "latestVersion",
                                    "v1", "scope", "Cluster", "warnings");

    assert_true(json_equal(json, wanted));
}

static const struct versions_row {
    const char *name, *text, *versions;
    size_t warnings;
} versions_rows[] = {
    {"versions are kept in order", "versions: [{version: v1.0.0+1}, {version: v0.9.0-rc.1+2}]\n",
     "v1.0.0+1 v0.9.0-rc.1+2", 0},
    {"a version twice counts once", "versions: [{version: 1.0.0}, {version: 1.0.0}]\n", "1.0.0", 0},
    {"words are no version", "versions: [{version: latest}, {version: 1.0.0}]\n", "1.0.0", 1},
    {"a path is no version", "versions: [{version: ../1.0.0}, {version: 1.0.0/..}]\n", "", 2},
    {"dots are no version", "versions: [{version: '..'}]\n", "", 1},
    {"an encoded slash is no version", "versions: [{version: 1.0.0%2f}]\n", "", 1},
    {"nothing is no version", "versions: [{version: ''}, {}, null, []]\n", "", 4},
    {"a number is no version", "versions: [{version: 1.0}]\n", "", 1},
    {"a list may be absent", "latestVersion: v1.0.0\n", "", 0},
};

static void versions_are_read(void **state)
{
    const struct versions_row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf versions = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *json = decode("versions", row->text);
    json_t *item;
    size_t i;

    json_array_foreach(dv_json_array(json, "/versions"), i, item)
        dv_buf_addf(&versions, "%s%s", i ? " " : "", json_string_value(item));
    assert_string_equal(dv_buf_cstr(&versions), row->versions);
    assert_int_equal(json_array_size(dv_json_array(json, "/warnings")), row->warnings);
}

static void warnings_are_few(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    dv_buf_adds(&text, "versions:\n");
    for (int i = 0; i < 100; i++)
        dv_buf_adds(&text, "- version: no\n");
    json_auto_t *json = decode("versions", dv_buf_cstr(&text));
    assert_int_equal(json_array_size(dv_json_array(json, "/warnings")), DV_REPO_WARNINGS_MAX);
}

static void a_package_comes_with_its_warnings(void **state)
{
    (void)state;
    json_auto_t *json = decode("package", "name: web\nfoo: 1\n");

    assert_string_equal(dv_json_str(json, "/name"), "web");
    assert_string_equal(dv_json_str(json, "/warnings/0"), "line 2: unknown field \"foo\"");
}

/* ---- What is refused ---- */

static const struct refusal {
    const char *name, *what, *text, *message, *reason;
} refusals[] = {
    {"broken YAML", "index", "packages: [\n", "line ", "InvalidRepository"},
    {"an index that is a list", "index", "- name: a\n", "object expected, got array",
     "InvalidRepository"},
    {"nothing", "index", "", "object expected, got null", "InvalidRepository"},
    {"HTML", "index", "<!DOCTYPE html>\n", "object expected, got string", "InvalidRepository"},
    {"packages that are an object", "index", "packages: {}\n",
     "packages: array expected, got object", "InvalidRepository"},
    {"versions that are a text", "versions", "versions: v1\n",
     "versions: array expected, got string", "InvalidRepository"},
    {"a bomb", "versions",
     "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,"
     "*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,"
     "*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
     "", "InvalidRepository"},
    {"a package without a name", "package", "{}\n", "name is missing", "InvalidPackage"},
};

static void document_is_refused(void **state)
{
    const struct refusal *row = *state;
    json_t *json = NULL;
    dv_err *err = dv_repo_decode(row->what, dv_str_of(row->text), &json);

    assert_string_equal(err ? dv_err_reason(err) : "", row->reason);
    assert_err(err, DV_INVALID, row->message);
}

static void an_unknown_document_is_a_bug(void **state)
{
    (void)state;
    json_t *json = NULL;

    assert_err(dv_repo_decode("what", DV_STR(""), &json), DV_BUG, "what");
}

static void too_many_names_are_refused(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    json_t *json = NULL;

    dv_buf_adds(&text, "packages:\n");
    for (size_t i = 0; i <= DV_REPO_PACKAGES_MAX; i++)
        dv_buf_adds(&text, "- a\n");
    assert_err(dv_repo_decode("index", dv_buf_str(&text), &json), DV_INVALID,
               "packages: more than 20000");
}

/* ---- Real data ---- */

static json_t *decode_file(const char *what, const char *path)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_REPO_INDEX_BYTES_MAX);
    json_t *json = NULL;

    assert_ok(dv_file_read(path, &bytes));
    assert_ok(dv_err_wrap(dv_repo_decode(what, dv_buf_str(&bytes), &json), "%s", path));
    assert_int_equal(json_array_size(dv_json_array(json, "/warnings")), 0);
    return json;
}

static void a_real_repository_is_read_without_a_warning(void **state)
{
    (void)state;
    const char *corpus = test_corpus_dir();
    char path[2 * DV_PATH_MAX];
    size_t versions = 0, i;
    json_t *item;

    if (!corpus) {
        print_message("no corpus of real packages here\n");
        skip();
    }
    snprintf(path, sizeof(path), "%s/glasskube/index.yaml", corpus);
    json_auto_t *index = decode_file("index", path);
    assert_true(json_array_size(dv_json_array(index, "/packages")) >= 24);
    json_array_foreach(dv_json_array(index, "/packages"), i, item)
    {
        snprintf(path, sizeof(path), "%s/glasskube/%s/versions.yaml", corpus,
                 dv_json_str(item, "/name"));
        json_auto_t *json = decode_file("versions", path);
        assert_non_null(dv_json_str(json, "/latestVersion"));
        versions += json_array_size(dv_json_array(json, "/versions"));
    }
    assert_true(versions > 300);
}

int main(void)
{
    dv_suite suite = {.name = "repo/decode"};

    DV_TABLE(&suite, index_is_read, index_rows);
    DV_TEST(&suite, what_a_search_shows_is_passed_on);
    DV_TABLE(&suite, versions_are_read, versions_rows);
    DV_TEST(&suite, warnings_are_few);
    DV_TEST(&suite, a_package_comes_with_its_warnings);
    DV_TABLE(&suite, document_is_refused, refusals);
    DV_TEST(&suite, an_unknown_document_is_a_bug);
    DV_TEST(&suite, too_many_names_are_refused);
    DV_TEST(&suite, a_real_repository_is_read_without_a_warning);
    return dv_suite_run(&suite);
}
