/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of a repository, from their bytes. Pure: this runs in the cage. */
#include "base/map.h"
#include "repo/repo.h"
#include "repo/repo_internal.h"
#include "semver/version.h"
#include "yaml/yaml.h"

/* Takes text. */
static void warn(json_t *warnings, char *text)
{
    if (json_array_size(warnings) < DV_REPO_WARNINGS_MAX)
        json_array_append_new(warnings, json_string(text));
    free(text);
}

/* A list that may be absent or null; INVALID: something else, or too long. */
static dv_err *take_list(const json_t *doc, const char *name, size_t max, const json_t **ret_list)
{
    const json_t *list = json_object_get(doc, name);

    if (!json_is_object(doc))
        return dv_err_new(DV_INVALID, "InvalidRepository", "object expected, got %s",
                          dv_json_type_name(doc));
    if (list && !json_is_null(list) && !json_is_array(list))
        return dv_err_new(DV_INVALID, "InvalidRepository", "%s: array expected, got %s", name,
                          dv_json_type_name(list));
    if (json_array_size(list) > max)
        return dv_err_new(DV_INVALID, "InvalidRepository", "%s: more than %zu", name, max);
    *ret_list = list;
    return NULL;
}

static dv_err *read_document(dv_str bytes, size_t bytes_max, json_t **ret_doc)
{
    const dv_yaml_limits limits = {.bytes_max = bytes_max};

    return dv_err_recast(dv_yaml_read(bytes, &limits, ret_doc), DV_INVALID, "InvalidRepository");
}

/* ---- index.yaml ---- */

/* Owned; what of an entry is passed on. */
static json_t *index_entry(const json_t *entry)
{
    static const char *const texts[] = {"name", "shortDescription", "iconUrl", "latestVersion",
                                        "scope"};
    json_t *kept = json_object();

    for (size_t i = 0; i < DV_LEN(texts); i++) {
        json_t *text = json_object_get(entry, texts[i]);
        if (json_is_string(text))
            json_object_set(kept, texts[i], text);
    }
    return kept;
}

static dv_err *decode_index(dv_str bytes, json_t **ret_json)
{
    json_auto_t *doc = NULL;
    json_auto_t *packages = json_array();
    json_auto_t *warnings = json_array();
    dv_auto(dv_map) seen = dv_map_new(/* free_value= */ NULL);
    const json_t *list;
    json_t *entry;
    size_t i;

    DV_CHECK(read_document(bytes, DV_REPO_INDEX_BYTES_MAX, &doc));
    DV_CHECK(take_list(doc, "packages", DV_REPO_PACKAGES_MAX, &list));
    json_array_foreach(list, i, entry)
    {
        dv_str name = dv_json_view(entry, "/name");

        if (!dv_package_name_valid(name)) {
            warn(warnings, dv_asprintf("packages[%zu]: no valid package name; left out", i));
        } else if (dv_map_get(seen, name)) {
            warn(warnings, dv_asprintf("packages[%zu]: %.*s is listed twice", i, DV_FMT(name)));
        } else {
            dv_map_put(seen, name, entry);
            json_array_append_new(packages, index_entry(entry));
        }
    }
    *ret_json = json_object();
    json_object_set(*ret_json, "packages", packages);
    json_object_set(*ret_json, "warnings", warnings);
    return NULL;
}

/* ---- versions.yaml ---- */

static dv_err *decode_versions(dv_str bytes, json_t **ret_json)
{
    json_auto_t *doc = NULL;
    json_auto_t *versions = json_array();
    json_auto_t *warnings = json_array();
    dv_auto(dv_map) seen = dv_map_new(/* free_value= */ NULL);
    const json_t *list;
    json_t *entry;
    size_t i;

    DV_CHECK(read_document(bytes, DV_REPO_INDEX_BYTES_MAX, &doc));
    DV_CHECK(take_list(doc, "versions", DV_REPO_VERSIONS_MAX, &list));
    json_array_foreach(list, i, entry)
    {
        dv_str version = dv_json_view(entry, "/version");

        if (!dv_repo_version_valid(version)) {
            warn(warnings, dv_asprintf("versions[%zu]: no semantic version; left out", i));
        } else if (!dv_map_get(seen, version)) {
            dv_map_put(seen, version, entry);
            json_array_append_new(versions, dv_json_string(version));
        }
    }
    *ret_json = json_object();
    dv_str latest = dv_json_view(doc, "/latestVersion");
    if (dv_repo_version_valid(latest))
        json_object_set_new(*ret_json, "latestVersion", dv_json_string(latest));
    json_object_set(*ret_json, "versions", versions);
    json_object_set(*ret_json, "warnings", warnings);
    return NULL;
}

/* ---- package.yaml ---- */

static dv_err *decode_package(dv_str bytes, json_t **ret_json)
{
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};
    dv_auto(dv_package) package = NULL;

    DV_CHECK(dv_package_read(bytes, &package, &warnings));
    json_t *json = dv_package_encode(package);
    json_t *list = json_array();
    for (size_t i = 0; i < warnings.n; i++)
        json_array_append_new(list, dv_json_string(dv_str_of(warnings.at[i])));
    json_object_set_new(json, "warnings", list);
    *ret_json = json;
    return NULL;
}

dv_err *dv_repo_decode(const char *what, dv_str bytes, json_t **ret_json)
{
    if (strcmp(what, "index") == 0)
        return decode_index(bytes, ret_json);
    if (strcmp(what, "versions") == 0)
        return decode_versions(bytes, ret_json);
    if (strcmp(what, "package") == 0)
        return decode_package(bytes, ret_json);
    return dv_err_new(DV_BUG, "UnknownDocument", "no kind of document \"%s\"", what);
}

/* ---- Names in URLs ---- */

bool dv_repo_version_valid(dv_str version)
{
    dv_version parsed;

    /* The grammar has letters, digits, '.', '-' and '+' only; a path segment must hold more than
     * dots. */
    return version.n <= DV_VERSION_MAX_BYTES && dv_version_is(version, &parsed);
}
