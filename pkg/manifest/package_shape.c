/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of package.yaml as tables, and what their types can't say. */
#include "manifest/package_internal.h"

/* Elements of each list and entries of each map. */
enum {
    REFERENCES_MAX = 100,
    MANIFESTS_MAX = 200,
    RELEASES_MAX = 100,
    VALUES_MAX = 500,
    TARGETS_MAX = 200,
    OPTIONS_MAX = 500,
    TRANSFORMATIONS_MAX = 500,
    RESOURCES_MAX = 200,
    ENTRYPOINTS_MAX = 100,
    DEPENDENCIES_MAX = 200,
    COMPONENTS_MAX = 100,
    PORT_MAX = 65535,
};

#define OBJECT(rows) .kind = DV_SHAPE_OBJECT, .members = (rows), .n_members = DV_LEN(rows)
#define LIST(of, most) .kind = DV_SHAPE_LIST, .element = (of), .max = (most)
#define MAP(of, most) .kind = DV_SHAPE_MAP, .element = (of), .max = (most)

static dv_str text_of(const json_t *value)
{
    return (dv_str){json_string_value(value), json_string_length(value)};
}

static bool has(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return value && !json_is_null(value);
}

/* ---- Texts ---- */

static dv_err *check_name(const json_t *value, dv_place *place)
{
    if (dv_package_name_valid(text_of(value)))
        return NULL;
    return dv_place_invalid(place, "no package name: lower-case letters, digits, \"-\" and \".\", "
                                   "labels of at most 63 and at most 253 bytes");
}

/* RFC 1123's label; empty is as good as absent. */
static dv_err *check_namespace(const json_t *value, dv_place *place)
{
    dv_str text = text_of(value);

    if (!text.n || (dv_package_name_valid(text) && dv_str_find(text, '.') < 0))
        return NULL;
    return dv_place_invalid(place, "no namespace: lower-case letters, digits and \"-\", at most "
                                   "63 bytes");
}

static dv_err *check_not_empty(const json_t *value, dv_place *place)
{
    return text_of(value).n ? NULL : dv_place_invalid(place, "empty");
}

/* How it resolves is the fetcher's business; here it is only one line of sane length. */
static dv_err *check_url(const json_t *value, dv_place *place)
{
    dv_str text = text_of(value);

    DV_CHECK(check_not_empty(value, place));
    if (text.n > DV_URL_MAX)
        return dv_place_invalid(place, "longer than %zu bytes", DV_URL_MAX);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
            return dv_place_invalid(place, "no URL: it holds a blank or a control character");
    return NULL;
}

static dv_err *check_range(const json_t *value, dv_place *place)
{
    dv_auto(dv_constraint) constraint = NULL;
    dv_str text = text_of(value);

    if (!text.n)
        return NULL;
    dv_auto(dv_err) refused = dv_constraint_parse(text, &constraint);
    return refused ? dv_place_invalid(place, "%s", dv_err_str(refused)) : NULL;
}

static dv_err *check_pointer(const json_t *value, dv_place *place)
{
    dv_str text = text_of(value);

    if (!text.n || text.p[0] == '/')
        return NULL;
    return dv_place_invalid(place, "no JSON pointer: it must begin with \"/\"");
}

static const dv_shape string = {.kind = DV_SHAPE_STRING};
static const dv_shape some_string = {.kind = DV_SHAPE_STRING, .check = check_not_empty};
static const dv_shape name_string = {.kind = DV_SHAPE_STRING, .check = check_name};
static const dv_shape namespace_string = {.kind = DV_SHAPE_STRING, .check = check_namespace};
static const dv_shape url_string = {.kind = DV_SHAPE_STRING, .check = check_url};
static const dv_shape range_string = {.kind = DV_SHAPE_STRING, .check = check_range};
static const dv_shape pointer_string = {.kind = DV_SHAPE_STRING, .check = check_pointer};
static const dv_shape integer = {.kind = DV_SHAPE_INTEGER};
static const dv_shape boolean = {.kind = DV_SHAPE_BOOLEAN};
static const dv_shape free_object = {.kind = DV_SHAPE_FREE};
static const dv_shape strings = {LIST(&string, OPTIONS_MAX)};

/* ---- Helm and Kustomize ---- */

static const dv_shape_member release_members[] = {
    {"chartName", &some_string, true},
    {"chartVersion", &some_string, true},
    {"values", &free_object, false},
};
static const dv_shape release = {OBJECT(release_members)};
static const dv_shape releases = {LIST(&release, RELEASES_MAX)};

static dv_err *check_helm(const json_t *value, dv_place *place)
{
    if (json_array_size(json_object_get(value, "releases")) ||
        (has(value, "chartName") && has(value, "chartVersion")))
        return NULL;
    return dv_place_invalid(place, "releases, or chartName and chartVersion, are missing");
}

static const dv_shape_member helm_members[] = {
    {"repositoryUrl", &url_string, true}, {"releases", &releases, false},
    {"chartName", &some_string, false},   {"chartVersion", &some_string, false},
    {"values", &free_object, false},
};
static const dv_shape helm = {OBJECT(helm_members), .check = check_helm};
static const dv_shape kustomize = {.kind = DV_SHAPE_OBJECT};

/* ---- Values and transformations ---- */

static const dv_shape_member resource_members[] = {
    {"apiGroup", &string, false},
    {"kind", &some_string, true},
    {"name", &some_string, true},
};
static const dv_shape resource = {OBJECT(resource_members)};
static const dv_shape resources = {LIST(&resource, RESOURCES_MAX)};

static const dv_shape_member target_resource_members[] = {
    {"apiGroup", &string, false},
    {"kind", &some_string, true},
    {"name", &some_string, true},
    {"namespace", &namespace_string, false},
};
static const dv_shape target_resource = {OBJECT(target_resource_members)};

/* A patch whose value is the user's; "move" and "copy" would need a source. */
static const char *const patch_ops[] = {"add", "replace", "remove", "test", NULL};
static const dv_shape patch_op = {.kind = DV_SHAPE_STRING, .values = patch_ops};
static const dv_shape_member patch_members[] = {
    {"op", &patch_op, true},
    {"path", &pointer_string, true},
};
static const dv_shape patch = {OBJECT(patch_members)};

static dv_err *check_target(const json_t *value, dv_place *place)
{
    if (has(value, "resource") != has(value, "chartName"))
        return NULL;
    return dv_place_invalid(place, "either resource or chartName is expected");
}

static const dv_shape_member target_members[] = {
    {"resource", &target_resource, false},
    {"chartName", &some_string, false},
    {"patch", &patch, true},
    {"valueTemplate", &string, false},
};
static const dv_shape target = {OBJECT(target_members), .check = check_target};
static const dv_shape targets = {LIST(&target, TARGETS_MAX)};

/* min <= max, where both are given. */
static dv_err *check_bounds(const json_t *value, const char *min, const char *max, dv_place *place)
{
    if (!has(value, min) || !has(value, max))
        return NULL;
    if (json_integer_value(json_object_get(value, min)) <=
        json_integer_value(json_object_get(value, max)))
        return NULL;
    return dv_place_invalid(place, "%s is above %s", min, max);
}

static dv_err *check_length(const json_t *value, dv_place *place)
{
    return json_integer_value(value) >= 0 ? NULL : dv_place_invalid(place, "negative");
}

static dv_err *check_constraints(const json_t *value, dv_place *place)
{
    DV_CHECK(check_bounds(value, "min", "max", place));
    return check_bounds(value, "minLength", "maxLength", place);
}

static const dv_shape length = {.kind = DV_SHAPE_INTEGER, .check = check_length};
static const dv_shape_member constraint_members[] = {
    {"required", &boolean, false}, {"min", &integer, false},      {"max", &integer, false},
    {"minLength", &length, false}, {"maxLength", &length, false}, {"pattern", &string, false},
};
static const dv_shape constraints = {OBJECT(constraint_members), .check = check_constraints};

static const dv_shape_member metadata_members[] = {
    {"label", &string, false},
    {"description", &string, false},
    {"hints", &strings, false},
};
static const dv_shape metadata = {OBJECT(metadata_members)};

static dv_err *check_definition(const json_t *value, dv_place *place)
{
    bool options = strcmp(json_string_value(json_object_get(value, "type")), "options") == 0;

    if (!options || json_array_size(json_object_get(value, "options")))
        return NULL;
    return dv_place_invalid(place, "options are missing");
}

static const char *const value_types[] = {"boolean", "text", "number", "options", NULL};
static const dv_shape value_type = {.kind = DV_SHAPE_STRING, .values = value_types};
static const dv_shape_member definition_members[] = {
    {"type", &value_type, true},          {"metadata", &metadata, false},
    {"defaultValue", &string, false},     {"options", &strings, false},
    {"constraints", &constraints, false}, {"targets", &targets, true},
};
static const dv_shape definition = {OBJECT(definition_members), .check = check_definition};
static const dv_shape definitions = {MAP(&definition, VALUES_MAX)};

static const dv_shape_member source_members[] = {
    {"resource", &resource, false},
    {"path", &some_string, true},
};
static const dv_shape source = {OBJECT(source_members)};
static const dv_shape_member transformation_members[] = {
    {"source", &source, true},
    {"targets", &targets, true},
};
static const dv_shape transformation = {OBJECT(transformation_members)};
static const dv_shape transformations = {LIST(&transformation, TRANSFORMATIONS_MAX)};

/* ---- The rest ---- */

static const dv_shape_member reference_members[] = {
    {"label", &string, true},
    {"url", &string, true},
};
static const dv_shape reference = {OBJECT(reference_members)};
static const dv_shape references = {LIST(&reference, REFERENCES_MAX)};

static const dv_shape_member manifest_members[] = {
    {"url", &url_string, true},
    {"defaultNamespace", &namespace_string, false},
};
static const dv_shape manifest = {OBJECT(manifest_members)};
static const dv_shape manifests = {LIST(&manifest, MANIFESTS_MAX)};

static dv_err *check_port(const json_t *value, dv_place *place)
{
    json_int_t port = json_integer_value(value);

    if (port >= 0 && port <= PORT_MAX)
        return NULL;
    return dv_place_invalid(place, "no port: it is not in 0 to %d", PORT_MAX);
}

static const dv_shape port_number = {.kind = DV_SHAPE_INTEGER, .check = check_port};
static const dv_shape_member entrypoint_members[] = {
    {"name", &string, false},     {"serviceName", &some_string, true},
    {"port", &port_number, true}, {"localPort", &port_number, false},
    {"scheme", &string, false},
};
static const dv_shape entrypoint = {OBJECT(entrypoint_members)};
static const dv_shape entrypoints = {LIST(&entrypoint, ENTRYPOINTS_MAX)};

static const dv_shape_member dependency_members[] = {
    {"name", &name_string, true},
    {"version", &range_string, false},
};
static const dv_shape dependency = {OBJECT(dependency_members)};
static const dv_shape dependencies = {LIST(&dependency, DEPENDENCIES_MAX)};

static const dv_shape_member inline_value_members[] = {{"value", &string, false}};
static const dv_shape inline_value = {OBJECT(inline_value_members)};
static const dv_shape component_values = {MAP(&inline_value, VALUES_MAX)};
static const dv_shape_member component_members[] = {
    {"name", &name_string, true},
    {"installedName", &name_string, false},
    {"version", &range_string, false},
    {"values", &component_values, false},
};
static const dv_shape component = {OBJECT(component_members)};
static const dv_shape components = {LIST(&component, COMPONENTS_MAX)};

static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
static const dv_shape scope = {.kind = DV_SHAPE_STRING, .values = scopes};

static const dv_shape_member package_members[] = {
    {"name", &name_string, true},
    {"scope", &scope, false},
    {"shortDescription", &string, false},
    {"longDescription", &string, false},
    {"references", &references, false},
    {"iconUrl", &string, false},
    {"helm", &helm, false},
    {"kustomize", &kustomize, false},
    {"manifests", &manifests, false},
    {"valueDefinitions", &definitions, false},
    {"transformations", &transformations, false},
    {"transitiveResources", &resources, false},
    {"defaultNamespace", &namespace_string, false},
    {"entrypoints", &entrypoints, false},
    {"dependencies", &dependencies, false},
    {"components", &components, false},
};
const dv_shape dv_package_shape = {OBJECT(package_members)};
