/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/package.h"

#include "manifest/package_internal.h"
#include "yaml/yaml.h"

static const char reason[] = "InvalidPackage";

/* Nodes of one package.yaml; the largest known ones have a thousand. */
#define PACKAGE_NODES_MAX ((size_t)100 * 1000)

void dv_package_free(dv_package *package)
{
    if (!package)
        return;
    free(package->name);
    free(package->short_description);
    free(package->long_description);
    free(package->icon_url);
    free(package->default_namespace);
    for (size_t i = 0; i < package->references.n; i++) {
        free(package->references.at[i].label);
        free(package->references.at[i].url);
    }
    dv_vec_done(&package->references);
    for (size_t i = 0; i < package->manifests.n; i++) {
        free(package->manifests.at[i].url);
        free(package->manifests.at[i].default_namespace);
    }
    dv_vec_done(&package->manifests);
    for (size_t i = 0; i < package->components.n; i++) {
        free(package->components.at[i].name);
        free(package->components.at[i].version);
        free(package->components.at[i].installed_name);
        json_decref(package->components.at[i].values);
    }
    dv_vec_done(&package->components);
    dv_dependencies_done(&package->dependencies);
    json_decref(package->helm);
    json_decref(package->kustomize);
    json_decref(package->value_definitions);
    json_decref(package->transformations);
    json_decref(package->transitive_resources);
    json_decref(package->entrypoints);
    free(package);
}

/* ---- From a document whose shape was checked ---- */

/* Owned; absent, null and empty are NULL. */
static char *dup_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text && *text ? dv_strdup(text) : NULL;
}

/* Owned; absent, null, and an empty list or map (unless it stands for itself) are NULL. */
static json_t *dup_part(const json_t *object, const char *name, bool keep_empty)
{
    const json_t *part = json_object_get(object, name);
    bool filled = json_object_size(part) || json_array_size(part);

    return filled || (keep_empty && json_is_object(part)) ? json_deep_copy(part) : NULL;
}

static void take_lists(const json_t *json, dv_package *package)
{
    const json_t *list;
    json_t *item;
    size_t i;

    list = json_object_get(json, "references");
    json_array_foreach(list, i, item)
    {
        __typeof__(package->references.at) reference = dv_vec_push(&package->references);
        reference->label = dv_strdup(json_string_value(json_object_get(item, "label")));
        reference->url = dv_strdup(json_string_value(json_object_get(item, "url")));
    }
    list = json_object_get(json, "manifests");
    json_array_foreach(list, i, item)
    {
        __typeof__(package->manifests.at) manifest = dv_vec_push(&package->manifests);
        manifest->url = dup_text(item, "url");
        manifest->default_namespace = dup_text(item, "defaultNamespace");
    }
    list = json_object_get(json, "dependencies");
    json_array_foreach(list, i, item)
    {
        dv_dependency *dependency = dv_vec_push(&package->dependencies);
        const char *range = json_string_value(json_object_get(item, "version"));
        dependency->package = dup_text(item, "name");
        dependency->range = dv_strdup(range ? range : "");
    }
    list = json_object_get(json, "components");
    json_array_foreach(list, i, item)
    {
        __typeof__(package->components.at) component = dv_vec_push(&package->components);
        component->name = dup_text(item, "name");
        component->version = dup_text(item, "version");
        component->installed_name = dup_text(item, "installedName");
        component->values = dup_part(item, "values", /* keep_empty= */ false);
    }
}

static dv_package *package_from(const json_t *json)
{
    dv_package *package = DV_NEW(dv_package);
    const char *scope = json_string_value(json_object_get(json, "scope"));

    package->name = dup_text(json, "name");
    package->scope =
        scope && strcmp(scope, "Namespaced") == 0 ? DV_SCOPE_NAMESPACED : DV_SCOPE_CLUSTER;
    package->short_description = dup_text(json, "shortDescription");
    package->long_description = dup_text(json, "longDescription");
    package->icon_url = dup_text(json, "iconUrl");
    package->default_namespace = dup_text(json, "defaultNamespace");
    take_lists(json, package);
    package->helm = dup_part(json, "helm", /* keep_empty= */ false);
    package->kustomize = dup_part(json, "kustomize", /* keep_empty= */ true);
    package->value_definitions = dup_part(json, "valueDefinitions", /* keep_empty= */ false);
    package->transformations = dup_part(json, "transformations", /* keep_empty= */ false);
    package->transitive_resources = dup_part(json, "transitiveResources", /* keep_empty= */ false);
    package->entrypoints = dup_part(json, "entrypoints", /* keep_empty= */ false);
    return package;
}

static dv_err *decode(const json_t *json, dv_str source, dv_package **ret_package,
                      dv_strings *warnings)
{
    DV_CLEANUP(dv_place_done) dv_place place;

    dv_place_init(&place, source, reason, warnings);
    DV_CHECK(dv_shape_check(&dv_package_shape, json, &place));
    *ret_package = package_from(json);
    return NULL;
}

dv_err *dv_package_decode(const json_t *json, dv_package **ret_package, dv_strings *warnings)
{
    return decode(json, (dv_str){0}, ret_package, warnings);
}

dv_err *dv_package_read(dv_str yaml, dv_package **ret_package, dv_strings *warnings)
{
    const dv_yaml_limits limits = {.bytes_max = DV_PACKAGE_BYTES_MAX,
                                   .nodes_max = PACKAGE_NODES_MAX};
    json_auto_t *json = NULL;
    dv_err *err = dv_yaml_read(yaml, &limits, &json);

    if (err)
        return dv_err_recast(err, DV_INVALID, reason);
    return decode(json, yaml, ret_package, warnings);
}

/* ---- To a document ---- */

static void put_part(json_t *object, const char *name, const json_t *part)
{
    if (part)
        json_object_set_new(object, name, json_deep_copy(part));
}

/* An empty list is left out. Takes list. */
static void put_list(json_t *object, const char *name, json_t *list)
{
    if (json_array_size(list))
        json_object_set(object, name, list);
    json_decref(list);
}

static json_t *encode_references(const dv_package *package)
{
    json_t *list = json_array();

    for (size_t i = 0; i < package->references.n; i++) {
        json_t *item = json_object();
        dv_json_put_str(item, "label", package->references.at[i].label);
        dv_json_put_str(item, "url", package->references.at[i].url);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *encode_manifests(const dv_package *package)
{
    json_t *list = json_array();

    for (size_t i = 0; i < package->manifests.n; i++) {
        json_t *item = json_object();
        dv_json_put_str(item, "url", package->manifests.at[i].url);
        dv_json_put_str(item, "defaultNamespace", package->manifests.at[i].default_namespace);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *encode_dependencies(const dv_package *package)
{
    json_t *list = json_array();

    for (size_t i = 0; i < package->dependencies.n; i++) {
        const dv_dependency *dependency = &package->dependencies.at[i];
        json_t *item = json_object();
        dv_json_put_str(item, "name", dependency->package);
        dv_json_put_str(item, "version", *dependency->range ? dependency->range : NULL);
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *encode_components(const dv_package *package)
{
    json_t *list = json_array();

    for (size_t i = 0; i < package->components.n; i++) {
        json_t *item = json_object();
        dv_json_put_str(item, "name", package->components.at[i].name);
        dv_json_put_str(item, "installedName", package->components.at[i].installed_name);
        dv_json_put_str(item, "version", package->components.at[i].version);
        put_part(item, "values", package->components.at[i].values);
        json_array_append_new(list, item);
    }
    return list;
}

json_t *dv_package_encode(const dv_package *package)
{
    json_t *json = json_object();

    dv_json_put_str(json, "name", package->name);
    dv_json_put_str(json, "scope",
                    package->scope == DV_SCOPE_NAMESPACED ? "Namespaced" : "Cluster");
    dv_json_put_str(json, "shortDescription", package->short_description);
    dv_json_put_str(json, "longDescription", package->long_description);
    dv_json_put_str(json, "iconUrl", package->icon_url);
    dv_json_put_str(json, "defaultNamespace", package->default_namespace);
    put_list(json, "references", encode_references(package));
    put_part(json, "helm", package->helm);
    put_part(json, "kustomize", package->kustomize);
    put_list(json, "manifests", encode_manifests(package));
    put_part(json, "valueDefinitions", package->value_definitions);
    put_part(json, "transformations", package->transformations);
    put_part(json, "transitiveResources", package->transitive_resources);
    put_part(json, "entrypoints", package->entrypoints);
    put_list(json, "dependencies", encode_dependencies(package));
    put_list(json, "components", encode_components(package));
    return json;
}

/* ---- What it asks for ---- */

/* The first value that must be given and that nobody gave; NULL: none. */
static const char *unset_value(const dv_package *package)
{
    const char *name;
    json_t *definition;

    json_object_foreach(package->value_definitions, name, definition)
    {
        if (dv_json_bool(definition, "/constraints/required", false) &&
            !dv_json_view(definition, "/defaultValue").n)
            return name;
    }
    return NULL;
}

static dv_err *value_missing(const dv_package *package, const char *name)
{
    DV_CLEANUP(dv_buf_done) dv_buf shown = DV_BUF_INIT(DV_LINE_MAX);

    dv_shape_add_name(&shown, name);
    return dv_err_new(DV_INVALID, "ValuesNotSupported",
                      "package %s requires the value \"%s\", and values can't be set yet",
                      package->name, dv_buf_cstr(&shown));
}

dv_err *dv_package_unsupported(const dv_package *package)
{
    const char *value = unset_value(package);

    if (package->scope == DV_SCOPE_NAMESPACED)
        return dv_err_new(DV_INVALID, "ScopeNotSupported",
                          "package %s has scope Namespaced, which can't be installed yet",
                          package->name);
    if (package->helm)
        return dv_err_new(DV_INVALID, "HelmNotSupported",
                          "package %s is made of Helm charts, which can't be installed yet",
                          package->name);
    if (package->kustomize)
        return dv_err_new(DV_INVALID, "KustomizeNotSupported",
                          "package %s asks for Kustomize, which can't be installed yet",
                          package->name);
    if (value)
        return value_missing(package, value);
    if (package->transformations)
        return dv_err_new(DV_INVALID, "ValuesNotSupported",
                          "package %s asks for transformations, which can't be made yet",
                          package->name);
    if (package->components.n)
        return dv_err_new(DV_INVALID, "ValuesNotSupported",
                          "package %s has components, which can't be installed yet", package->name);
    return NULL;
}

/* ---- Names ---- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(dv_str label)
{
    if (label.n < 1 || label.n > 63 || !is_alnum(label.p[0]) || !is_alnum(label.p[label.n - 1]))
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!is_alnum(label.p[i]) && label.p[i] != '-')
            return false;
    return true;
}

bool dv_package_name_valid(dv_str name)
{
    if (name.n < 1 || name.n > 253)
        return false;
    while (name.p) {
        dv_str label;
        name = dv_str_cut(name, '.', &label);
        if (!is_label(label))
            return false;
    }
    return true;
}
