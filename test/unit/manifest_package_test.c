/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/package.h"

#include <dirent.h>
#include <stdarg.h>

#include "base/file.h"
#include "testlib.h"

static dv_str view(const char *text)
{
    return dv_str_of(text);
}

/* ---- What is read ---- */

static const char everything[] = "scope: Namespaced\n"
                                 "name: web\n"
                                 "shortDescription: short\n"
                                 "longDescription: long\n"
                                 "iconUrl: https://example.com/i.png\n"
                                 "defaultNamespace: web-system\n"
                                 "references:\n"
                                 "  - label: Home\n"
                                 "    url: https://example.com\n"
                                 "helm:\n"
                                 "  repositoryUrl: https://example.com/charts\n"
                                 "  chartName: web\n"
                                 "  chartVersion: 1.2.3\n"
                                 "  values: {a: null, b: [1, 2.5]}\n"
                                 "kustomize: {}\n"
                                 "manifests:\n"
                                 "  - url: a.yaml\n"
                                 "  - url: https://example.com/b.yaml\n"
                                 "    defaultNamespace: other\n"
                                 "valueDefinitions:\n"
                                 "  size:\n"
                                 "    type: options\n"
                                 "    options: [s, m]\n"
                                 "    defaultValue: s\n"
                                 "    metadata: {label: Size, description: how big, hints: [x]}\n"
                                 "    constraints: {required: true, min: 1, max: 1, minLength: 0,\n"
                                 "                  maxLength: 3, pattern: '^[a-z]$'}\n"
                                 "    targets:\n"
                                 "      - chartName: web\n"
                                 "        patch: {op: add, path: /size}\n"
                                 "        valueTemplate: '{{ . }}'\n"
                                 "transformations:\n"
                                 "  - source:\n"
                                 "      path: '{ .data.x }'\n"
                                 "      resource: {apiGroup: apps, kind: Deployment, name: x}\n"
                                 "    targets:\n"
                                 "      - resource: {kind: ConfigMap, name: c, namespace: ns}\n"
                                 "        patch: {op: replace, path: ''}\n"
                                 "transitiveResources:\n"
                                 "  - {apiGroup: '', kind: Secret, name: s}\n"
                                 "entrypoints:\n"
                                 "  - {name: ui, serviceName: web, port: 80, localPort: 8080,\n"
                                 "     scheme: http}\n"
                                 "dependencies:\n"
                                 "  - name: base\n"
                                 "  - name: cert-manager\n"
                                 "    version: '>=1.0.0 <2'\n"
                                 "components:\n"
                                 "  - name: postgresql\n"
                                 "    installedName: db\n"
                                 "    version: 1.x.x\n"
                                 "    values: {size: {value: m}}\n";

static void every_field_is_read(void **state)
{
    (void)state;
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};
    dv_auto(dv_package) p = NULL;

    assert_ok(dv_package_read(view(everything), &p, &warnings));
    assert_int_equal(warnings.n, 0);
    assert_int_equal(p->scope, DV_SCOPE_NAMESPACED);
    assert_string_equal(p->name, "web");
    assert_string_equal(p->short_description, "short");
    assert_string_equal(p->long_description, "long");
    assert_string_equal(p->icon_url, "https://example.com/i.png");
    assert_string_equal(p->default_namespace, "web-system");
    assert_int_equal(p->references.n, 1);
    assert_string_equal(p->references.at[0].label, "Home");
    assert_int_equal(p->manifests.n, 2);
    assert_string_equal(p->manifests.at[0].url, "a.yaml");
    assert_null(p->manifests.at[0].default_namespace);
    assert_string_equal(p->manifests.at[1].default_namespace, "other");
    assert_true(json_is_null(dv_json_at(p->helm, "/values/a")));
    assert_true(json_is_object(p->kustomize));
    assert_string_equal(dv_json_str(p->value_definitions, "/size/targets/0/patch/path"), "/size");
    assert_int_equal(json_array_size(p->transformations), 1);
    assert_int_equal(json_array_size(p->transitive_resources), 1);
    assert_int_equal(dv_json_int(p->entrypoints, "/0/localPort", 0), 8080);
    assert_int_equal(p->dependencies.n, 2);
    assert_string_equal(p->dependencies.at[0].range, "");
    assert_string_equal(p->dependencies.at[1].package, "cert-manager");
    assert_string_equal(p->dependencies.at[1].range, ">=1.0.0 <2");
    assert_string_equal(p->components.at[0].installed_name, "db");
    assert_string_equal(dv_json_str(p->components.at[0].values, "/size/value"), "m");
}

static void assert_round_trips(const dv_package *package)
{
    json_auto_t *first = dv_package_encode(package);
    dv_auto(dv_package) again = NULL;

    assert_ok(dv_package_decode(first, &again, /* warnings= */ NULL));
    json_auto_t *second = dv_package_encode(again);
    assert_true(json_equal(first, second));
}

static void the_canonical_form_reads_back_equal(void **state)
{
    (void)state;
    dv_auto(dv_package) p = NULL;

    assert_ok(dv_package_read(view(everything), &p, NULL));
    assert_round_trips(p);
}

static void an_absent_field_has_its_default(void **state)
{
    (void)state;
    dv_auto(dv_package) p = NULL;

    assert_ok(dv_package_read(view("name: web\nscope: null\nmanifests: null\nhelm:\n"
                                   "defaultNamespace: ''\ncomponents: []\n"),
                              &p, NULL));
    assert_int_equal(p->scope, DV_SCOPE_CLUSTER);
    assert_null(p->default_namespace);
    assert_null(p->helm);
    assert_int_equal(p->manifests.n, 0);
    assert_ok(dv_package_unsupported(p));
    assert_round_trips(p);
}

/* ---- What is warned of ---- */

static void an_unknown_field_is_a_warning_with_its_line(void **state)
{
    (void)state;
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};
    dv_auto(dv_package) p = NULL;

    assert_ok(dv_package_read(view("name: web\nfoo: 1\nmanifests:\n  - url: a.yaml\n    bar: {}\n"),
                              &p, &warnings));
    assert_int_equal(warnings.n, 2);
    assert_string_equal(warnings.at[0], "line 2: unknown field \"foo\"");
    assert_string_equal(warnings.at[1], "line 5: unknown field \"manifests[0].bar\"");
}

static void many_warnings_are_counted(void **state)
{
    (void)state;
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};
    dv_auto(dv_package) p = NULL;
    json_auto_t *json = json_pack("{s:s}", "name", "web");

    for (int i = 0; i < 30; i++) {
        dv_auto_str key = dv_asprintf("unknown%d", i);
        json_object_set_new(json, key, json_true());
    }
    assert_ok(dv_package_decode(json, &p, &warnings));
    assert_int_equal(warnings.n, 21);
    assert_string_equal(warnings.at[0], "unknown field \"unknown0\"");
    assert_string_equal(warnings.at[20], "and 10 more");
}

static void a_name_in_a_warning_is_made_harmless(void **state)
{
    (void)state;
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(DV_LINE_MAX);
    dv_auto(dv_package) p = NULL;
    json_auto_t *json = json_pack("{s:s}", "name", "web");

    dv_buf_adds(&key, "a\nb\"");
    dv_buf_fill(&key, 'x', 10000);
    json_object_set_new(json, dv_buf_cstr(&key), json_true());
    json_object_set_new(json, "next", json_true());
    assert_ok(dv_package_decode(json, &p, &warnings));
    assert_int_equal(warnings.n, 2);
    assert_memory_equal(warnings.at[0], "unknown field \"a?b?xxx", 22);
    assert_true(strlen(warnings.at[0]) < 100);
    assert_string_equal(warnings.at[1], "unknown field \"next\"");
}

/* ---- What is refused ---- */

static const struct refusal {
    const char *name, *yaml, *text; /* yaml NULL: with a URL that is too long */
} refusals[] = {
    {"nothing is no package", "", "object expected, got null"},
    {"a list is no package", "[]", "object expected, got array"},
    {"broken YAML is refused with its line", "name: web\nmanifests:\n  - [\n", "line "},
    {"two documents are refused", "name: a\n---\nname: b\n", ""},
    {"a package has a name", "scope: Cluster\n", "name is missing"},
    {"a null name is missing", "name: null\n", "name is missing"},
    {"a name is a text", "name: 1\n", "line 1: name: string expected, got integer"},
    {"an unquoted n is a boolean", "name: n\n", "line 1: name: string expected, got boolean"},
    {"a name is no path", "name: ../x\n", "line 1: name: no package name"},
    {"a name is lower case", "name: Web\n", "no package name"},
    {"a name has no NUL", "name: \"a\\0b\"\n", "text without NUL expected"},
    {"a scope is one of two", "name: a\nscope: Global\n",
     "line 2: scope: one of Cluster, Namespaced expected"},
    {"a namespace has no dots", "name: a\ndefaultNamespace: a.b\n", "no namespace"},
    {"manifests are a list", "name: a\nmanifests: 7\n",
     "line 2: manifests: array expected, got integer"},
    {"the issue's example", "name: a\nmanifests:\n  - url: 5\n",
     "line 3: manifests[0].url: string expected, got integer"},
    {"a manifest has a URL", "name: a\nmanifests:\n  - defaultNamespace: b\n",
     "line 3: manifests[0]: url is missing"},
    {"a manifest is an object", "name: a\nmanifests: [null]\n",
     "manifests[0]: object expected, got null"},
    {"a URL is not empty", "name: a\nmanifests: [{url: ''}]\n", "manifests[0].url: empty"},
    {"a URL is one line", "name: a\nmanifests: [{url: \"a\\nb\"}]\n", "no URL"},
    {"helm needs a chart", "name: a\nhelm: {repositoryUrl: x}\n",
     "helm: releases, or chartName and chartVersion, are missing"},
    {"helm needs a chart's version", "name: a\nhelm: {repositoryUrl: x, chartName: c}\n",
     "are missing"},
    {"helm needs a repository", "name: a\nhelm: {chartName: c, chartVersion: '1'}\n",
     "helm: repositoryUrl is missing"},
    {"helm's values are an object",
     "name: a\nhelm: {repositoryUrl: x, chartName: c, chartVersion: '1', values: []}\n",
     "helm.values: object expected, got array"},
    {"a release needs a chart", "name: a\nhelm: {repositoryUrl: x, releases: [{}]}\n",
     "helm.releases[0]: chartName is missing"},
    {"a value has a type", "name: a\nvalueDefinitions: {v: {targets: []}}\n",
     "valueDefinitions.v: type is missing"},
    {"a value's type is known", "name: a\nvalueDefinitions: {v: {type: list, targets: []}}\n",
     "one of boolean, text, number, options expected"},
    {"a value of options has some",
     "name: a\nvalueDefinitions: {v: {type: options, targets: []}}\n",
     "valueDefinitions.v: options are missing"},
    {"a default value is a text",
     "name: a\nvalueDefinitions:\n  v:\n    type: number\n    targets: []\n    defaultValue: 5\n",
     "line 6: valueDefinitions.v.defaultValue: string expected, got integer"},
    {"min is not above max",
     "name: a\nvalueDefinitions: {v: {type: number, targets: [], constraints: {min: 2, max: 1}}}\n",
     "min is above max"},
    {"a length is not negative",
     "name: a\nvalueDefinitions: {v: {type: text, targets: [], constraints: {minLength: -1}}}\n",
     "constraints.minLength: negative"},
    {"a target is a resource or a chart",
     "name: a\nvalueDefinitions: {v: {type: text, targets: [{patch: {op: add, path: /a}}]}}\n",
     "targets[0]: either resource or chartName is expected"},
    {"a patch's operation is known",
     "name: a\nvalueDefinitions: {v: {type: text, targets: [{chartName: c, patch: {op: move, "
     "path: /a}}]}}\n",
     "patch.op: one of add, replace, remove, test expected"},
    {"a patch's path is a pointer",
     "name: a\nvalueDefinitions: {v: {type: text, targets: [{chartName: c, patch: {op: add, "
     "path: a}}]}}\n",
     "patch.path: no JSON pointer"},
    {"a transformation has a source", "name: a\ntransformations: [{targets: []}]\n",
     "transformations[0]: source is missing"},
    {"a resource has a kind", "name: a\ntransitiveResources: [{name: x}]\n", "kind is missing"},
    {"a port is a port", "name: a\nentrypoints: [{serviceName: s, port: 65536}]\n",
     "entrypoints[0].port: no port"},
    {"a port is a number", "name: a\nentrypoints: [{serviceName: s, port: http}]\n",
     "entrypoints[0].port: integer expected, got string"},
    {"required is a boolean",
     "name: a\nvalueDefinitions: {v: {type: text, targets: [], constraints: {required: 1}}}\n",
     "constraints.required: boolean expected, got integer"},
    {"a namespace is no path", "name: a\nmanifests: [{url: x, defaultNamespace: ../b}]\n",
     "manifests[0].defaultNamespace: no namespace"},
    {"a URL has an end", NULL, "manifests[0].url: longer than 8192 bytes"},
    {"a dependency has a name", "name: a\ndependencies: [{version: '1'}]\n",
     "dependencies[0]: name is missing"},
    {"a dependency's name is a name", "name: a\ndependencies: [{name: a/b}]\n", "no package name"},
    {"a dependency's version is a range",
     "name: a\ndependencies:\n  - name: b\n    version: newest\n",
     "line 4: dependencies[0].version"},
    {"a component's value is an object", "name: a\ncomponents: [{name: b, values: {x: text}}]\n",
     "components[0].values.x: object expected, got string"},
};

static void package_is_refused(void **state)
{
    const struct refusal *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf long_url = DV_BUF_INIT(DV_LINE_MAX);
    dv_package *p = NULL;

    dv_buf_adds(&long_url, "name: a\nmanifests:\n- url: ");
    dv_buf_fill(&long_url, 'x', DV_URL_MAX + 1);
    dv_str yaml = row->yaml ? view(row->yaml) : dv_buf_str(&long_url);
    dv_err *err = dv_package_read(yaml, &p, NULL);

    assert_string_equal(err ? dv_err_reason(err) : "", "InvalidPackage");
    assert_err(err, DV_INVALID, row->text);
    assert_null(p);
}

static void too_many_elements_are_refused(void **state)
{
    (void)state;
    json_auto_t *json = json_pack("{s:s, s:[]}", "name", "web", "dependencies");
    dv_package *p = NULL;

    for (int i = 0; i < 201; i++)
        json_array_append_new(json_object_get(json, "dependencies"),
                              json_pack("{s:s}", "name", "x"));
    assert_err(dv_package_decode(json, &p, NULL), DV_INVALID,
               "dependencies: more than 200 elements");
}

static void too_long_a_map_key_is_refused(void **state)
{
    (void)state;
    char key[DV_PATH_MAX] = {0};
    json_auto_t *json = json_pack("{s:s, s:{}}", "name", "web", "valueDefinitions");
    dv_package *p = NULL;

    memset(key, 'k', 300);
    json_object_set_new(json_object_get(json, "valueDefinitions"), key, json_object());
    assert_err(dv_package_decode(json, &p, NULL), DV_INVALID, "a name of 1 to 253 bytes expected");
}

static void too_large_a_file_is_refused(void **state)
{
    (void)state;
    dv_auto_str bytes = dv_alloc(DV_PACKAGE_BYTES_MAX + 1);
    dv_package *p = NULL;

    memset(bytes, ' ', DV_PACKAGE_BYTES_MAX + 1);
    assert_err(dv_package_read((dv_str){bytes, DV_PACKAGE_BYTES_MAX + 1}, &p, NULL), DV_INVALID,
               NULL);
}

static void a_bomb_of_aliases_is_refused(void **state)
{
    (void)state;
    DV_CLEANUP(dv_buf_done) dv_buf yaml = DV_BUF_INIT(DV_LINE_MAX);
    dv_package *p = NULL;

    dv_buf_adds(&yaml, "name: web\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++)
        dv_buf_addf(&yaml, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                    i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_err(dv_package_read(dv_buf_str(&yaml), &p, NULL), DV_INVALID, NULL);
}

/* ---- What can't be installed yet ---- */

static const struct unsupported {
    const char *name, *yaml, *reason, *text;
} unsupported[] = {
    {"plain manifests are supported", "name: a\nmanifests: [{url: x}]\n", NULL, NULL},
    {"no manifest at all is supported", "name: a\n", NULL, NULL},
    {"a value with a default is supported",
     "name: a\nvalueDefinitions: {v: {type: text, targets: [], defaultValue: x, constraints: "
     "{required: true}}}\n",
     NULL, NULL},
    {"a value that is not required is supported",
     "name: a\nvalueDefinitions: {v: {type: text, targets: []}}\n", NULL, NULL},
    {"a required value is not",
     "name: a\nvalueDefinitions: {\"v\\n\": {type: text, targets: [], "
     "constraints: {required: true}}}\n",
     "ValuesNotSupported", "requires the value \"v?\""},
    {"scope Namespaced is not", "name: a\nscope: Namespaced\n", "ScopeNotSupported",
     "package a has scope Namespaced"},
    {"Helm is not", "name: a\nhelm: {repositoryUrl: x, chartName: c, chartVersion: '1'}\n",
     "HelmNotSupported", "Helm charts"},
    {"Kustomize is not", "name: a\nkustomize: {}\n", "KustomizeNotSupported", "Kustomize"},
    {"transformations are not", "name: a\ntransformations: [{source: {path: x}, targets: []}]\n",
     "ValuesNotSupported", "transformations"},
    {"components are not", "name: a\ncomponents: [{name: b}]\n", "ValuesNotSupported",
     "components"},
};

static void package_can_be_installed_or_not(void **state)
{
    const struct unsupported *row = *state;
    dv_auto(dv_package) p = NULL;

    assert_ok(dv_package_read(view(row->yaml), &p, NULL));
    dv_err *err = dv_package_unsupported(p);
    if (!row->reason) {
        assert_ok(err);
        return;
    }
    assert_string_equal(err ? dv_err_reason(err) : "", row->reason);
    assert_err(err, DV_INVALID, row->text);
}

/* ---- Names ---- */

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const struct package_name {
    const char *name;
    dv_str text;
    bool valid;
} package_names[] = {
    {"a word is a name", {"web", 3}, true},
    {"digits and dashes are fine", {"k8s-2", 5}, true},
    {"dots part labels", {"a.b.c", 5}, true},
    {"63 bytes are a label", {A50 "aaaaaaaaaaaaa", 63}, true},
    {"64 bytes are none", {A50 "aaaaaaaaaaaaaa", 64}, false},
    {"253 bytes are a name", {A50 "." A50 "." A50 "." A50 "." A50 "aa", 256}, false},
    {"nothing is no name", {"", 0}, false},
    {"a dot is no name", {".", 1}, false},
    {"two dots are no name", {"..", 2}, false},
    {"an empty label is none", {"a..b", 4}, false},
    {"a last dot is none", {"a.", 2}, false},
    {"a first dot is none", {".a", 2}, false},
    {"a first dash is none", {"-a", 2}, false},
    {"a last dash is none", {"a-", 2}, false},
    {"a slash is none", {"a/b", 3}, false},
    {"an encoded slash is none", {"a%2fb", 5}, false},
    {"a backslash is none", {"a\\b", 3}, false},
    {"upper case is none", {"A", 1}, false},
    {"NUL is none", {"a\0b", 3}, false},
    {"a letter with an accent is none", {"\xc3\xa4", 2}, false},
    {"a plus is none", {"a+b", 3}, false},
};

static void name_is_valid_or_not(void **state)
{
    const struct package_name *row = *state;

    assert_int_equal(dv_package_name_valid(row->text), row->valid);
}

/* ---- Real data ---- */

static size_t check_version(const char *path)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_PACKAGE_BYTES_MAX);
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};
    dv_auto(dv_package) package = NULL;
    dv_auto(dv_err) absent = dv_file_read(path, &bytes);

    if (absent)
        return 0;
    dv_err *err = dv_package_read(dv_buf_str(&bytes), &package, &warnings);
    assert_ok(dv_err_wrap(err, "%s", path));
    if (warnings.n)
        print_error("%s: %s\n", path, warnings.at[0]);
    assert_int_equal(warnings.n, 0);
    assert_round_trips(package);
    return 1;
}

static void real_packages_are_read_without_a_warning(void **state)
{
    (void)state;
    const char *corpus = test_corpus_dir();
    char root[DV_PATH_MAX], path[2 * DV_PATH_MAX];
    DV_CLEANUP(dv_strings_done) dv_strings packages = {0};
    size_t read = 0;

    if (!corpus) {
        print_message("no corpus of real packages here\n");
        skip();
    }
    snprintf(root, sizeof(root), "%s/glasskube", corpus);
    assert_ok(dv_dir_list(root, 1000, &packages));
    for (size_t i = 0; i < packages.n; i++) {
        DV_CLEANUP(dv_strings_done) dv_strings versions = {0};

        snprintf(path, sizeof(path), "%s/%s", root, packages.at[i]);
        dv_auto(dv_err) no_folder = dv_dir_list(path, 10000, &versions);
        if (no_folder)
            continue;
        for (size_t j = 0; j < versions.n; j++) {
            snprintf(path, sizeof(path), "%s/%s/%s/package.yaml", root, packages.at[i],
                     versions.at[j]);
            read += check_version(path);
        }
    }
    assert_true(read > 300);
}

int main(void)
{
    dv_suite suite = {.name = "manifest/package"};

    DV_TEST(&suite, every_field_is_read);
    DV_TEST(&suite, the_canonical_form_reads_back_equal);
    DV_TEST(&suite, an_absent_field_has_its_default);
    DV_TEST(&suite, an_unknown_field_is_a_warning_with_its_line);
    DV_TEST(&suite, many_warnings_are_counted);
    DV_TEST(&suite, a_name_in_a_warning_is_made_harmless);
    DV_TABLE(&suite, package_is_refused, refusals);
    DV_TEST(&suite, too_many_elements_are_refused);
    DV_TEST(&suite, too_long_a_map_key_is_refused);
    DV_TEST(&suite, too_large_a_file_is_refused);
    DV_TEST(&suite, a_bomb_of_aliases_is_refused);
    DV_TABLE(&suite, package_can_be_installed_or_not, unsupported);
    DV_TABLE(&suite, name_is_valid_or_not, package_names);
    DV_TEST(&suite, real_packages_are_read_without_a_warning);
    return dv_suite_run(&suite);
}
