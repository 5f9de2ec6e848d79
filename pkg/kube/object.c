/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/object.h"

/* What Kubernetes allows: a DNS label, a DNS subdomain. */
enum { LABEL_MAX_BYTES = 63, SUBDOMAIN_MAX_BYTES = 253 };

static const json_t *metadata_of(const json_t *object)
{
    return json_object_get(object, "metadata");
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* ---- References ---- */

void dv_objref_done(dv_objref *ref)
{
    free(ref->api_version);
    free(ref->kind);
    free(ref->ns);
    free(ref->name);
    free(ref->uid);
    *ref = (dv_objref){0};
}

dv_objref dv_objref_of(const json_t *object)
{
    const json_t *metadata = metadata_of(object);

    return (dv_objref){
        .api_version = dv_strdup(text_of(object, "apiVersion")),
        .kind = dv_strdup(text_of(object, "kind")),
        .ns = dv_strdup(text_of(metadata, "namespace")),
        .name = dv_strdup(text_of(metadata, "name")),
        .uid = dv_strdup(text_of(metadata, "uid")),
    };
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

dv_objref dv_objref_dup(const dv_objref *ref)
{
    return (dv_objref){
        .api_version = dv_strdup(or_empty(ref->api_version)),
        .kind = dv_strdup(or_empty(ref->kind)),
        .ns = dv_strdup(or_empty(ref->ns)),
        .name = dv_strdup(or_empty(ref->name)),
        .uid = dv_strdup(or_empty(ref->uid)),
    };
}

int dv_objref_cmp(const dv_objref *a, const dv_objref *b)
{
    int order = dv_str_cmp(dv_api_group(a->api_version), dv_api_group(b->api_version));

    if (!order)
        order = strcmp(or_empty(a->kind), or_empty(b->kind));
    if (!order)
        order = strcmp(or_empty(a->ns), or_empty(b->ns));
    return order ? order : strcmp(or_empty(a->name), or_empty(b->name));
}

bool dv_objref_same(const dv_objref *a, const dv_objref *b)
{
    return dv_objref_cmp(a, b) == 0;
}

void dv_objref_add(dv_buf *out, const dv_objref *ref)
{
    dv_buf_adds(out, or_empty(ref->kind));
    dv_buf_addc(out, ' ');
    if (ref->ns && *ref->ns)
        dv_buf_addf(out, "%s/", ref->ns);
    dv_buf_adds(out, or_empty(ref->name));
}

dv_str dv_api_group(const char *api_version)
{
    dv_str all = dv_str_of(api_version);
    ptrdiff_t slash = dv_str_find(all, '/');

    return slash < 0 ? dv_str_head(all, 0) : dv_str_head(all, (size_t)slash);
}

/* ---- Documents ---- */

const char *dv_obj_name(const json_t *object)
{
    return text_of(metadata_of(object), "name");
}

const char *dv_obj_ns(const json_t *object)
{
    return text_of(metadata_of(object), "namespace");
}

const char *dv_obj_uid(const json_t *object)
{
    return text_of(metadata_of(object), "uid");
}

const char *dv_obj_kind(const json_t *object)
{
    return text_of(object, "kind");
}

const char *dv_obj_rv(const json_t *object)
{
    return text_of(metadata_of(object), "resourceVersion");
}

int64_t dv_obj_generation(const json_t *object)
{
    return json_integer_value(json_object_get(metadata_of(object), "generation"));
}

bool dv_obj_deleting(const json_t *object)
{
    return *text_of(metadata_of(object), "deletionTimestamp") != '\0';
}

const char *dv_obj_label(const json_t *object, const char *key)
{
    const json_t *labels = json_object_get(metadata_of(object), "labels");

    return json_string_value(json_object_get(labels, key));
}

const char *dv_obj_annotation(const json_t *object, const char *key)
{
    const json_t *annotations = json_object_get(metadata_of(object), "annotations");

    return json_string_value(json_object_get(annotations, key));
}

json_t *dv_obj_new(const char *api_version, const char *kind, const char *ns, const char *name)
{
    json_t *object = json_object();
    json_t *metadata = json_object();

    dv_json_put_str(object, "apiVersion", api_version);
    dv_json_put_str(object, "kind", kind);
    dv_json_put_str(metadata, "name", name);
    dv_json_put_str(metadata, "namespace", ns && *ns ? ns : NULL);
    json_object_set_new(object, "metadata", metadata);
    return object;
}

/* ---- Names ---- */

static bool is_alnum_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* One label without its length limit: Kubernetes checks that of a whole subdomain only. */
static bool label_chars_ok(dv_str label)
{
    if (!label.n || !is_alnum_lower(label.p[0]) || !is_alnum_lower(label.p[label.n - 1]))
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!is_alnum_lower(label.p[i]) && label.p[i] != '-')
            return false;
    return true;
}

bool dv_name_is_label(dv_str name)
{
    return name.n <= LABEL_MAX_BYTES && label_chars_ok(name);
}

bool dv_name_is_subdomain(dv_str name)
{
    dv_str rest = name;

    if (!name.n || name.n > SUBDOMAIN_MAX_BYTES)
        return false;
    while (rest.p) {
        dv_str label;

        rest = dv_str_cut(rest, '.', &label);
        if (!label_chars_ok(label))
            return false;
    }
    return true;
}
