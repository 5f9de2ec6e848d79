/* SPDX-License-Identifier: Apache-2.0 */
#include "install/prepare.h"

#include "base/crypto.h"
#include "base/map.h"

void dv_objects_done(dv_objects *objects)
{
    for (size_t i = 0; i < objects->all.n; i++) {
        json_decref(objects->all.at[i].object);
        dv_objref_done(&objects->all.at[i].ref);
    }
    dv_vec_done(&objects->all);
}

/* ---- Kinds ---- */

static bool is_crd(const json_t *object)
{
    return strcmp(dv_obj_kind(object), "CustomResourceDefinition") == 0;
}

static bool crd_has_version(const json_t *crd, const char *version)
{
    size_t i;
    json_t *item;

    json_array_foreach(dv_json_array(crd, "/spec/versions"), i,
                       item) if (dv_str_is(dv_json_view(item, "/name"), version)) return true;
    return false;
}

static bool crd_defines(const json_t *crd, dv_str group, const char *version, const char *kind)
{
    return is_crd(crd) && dv_str_is(dv_json_view(crd, "/spec/names/kind"), kind) &&
           dv_str_eq(dv_json_view(crd, "/spec/group"), group) && crd_has_version(crd, version) &&
           dv_json_str(crd, "/spec/names/plural") && dv_json_str(crd, "/spec/scope");
}

/* The resource that a CRD among the objects will define; NULL in *ret_resource: none does. */
static dv_err *from_crds(dv_kube *kube, const dv_objects *objects, const char *api_version,
                         const char *kind, const dv_resource **ret_resource)
{
    dv_str group = dv_api_group(api_version);
    const char *slash = strrchr(api_version, '/');

    *ret_resource = NULL;
    for (size_t i = 0; slash && i < objects->all.n; i++) {
        const json_t *crd = objects->all.at[i].object;

        if (!crd_defines(crd, group, slash + 1, kind))
            continue;
        dv_auto_str group_text = dv_str_dup(group);
        return dv_kube_resource_defined(
            kube, group_text, slash + 1, kind, dv_json_str(crd, "/spec/names/plural"),
            dv_str_is(dv_json_view(crd, "/spec/scope"), "Namespaced"), ret_resource);
    }
    return NULL;
}

static dv_err *find_resource(dv_ctx *ctx, dv_kube *kube, const dv_objects *objects, dv_object *o)
{
    const char *api_version = dv_json_str(o->object, "/apiVersion");
    const char *kind = dv_obj_kind(o->object);

    if (!api_version || !*kind) /* the cage says so, but content may own the cage */
        return dv_err_new(DV_INVALID, "InvalidManifest", "an object without apiVersion or kind");
    DV_CHECK(from_crds(kube, objects, api_version, kind, &o->resource));
    o->defined_here = o->resource != NULL;
    if (o->resource)
        return NULL;
    dv_err *err = dv_kube_resource(ctx, kube, api_version, kind, &o->resource);
    if (!dv_err_is(err, DV_NOT_FOUND))
        return err;
    dv_err_free(err);
    return dv_err_new(DV_INVALID, "UnknownKind",
                      "%s \"%s\": the cluster has no kind \"%s\" in version \"%s\"", kind,
                      dv_obj_name(o->object), kind, api_version);
}

/* ---- What is sent ---- */

/* Fields that the server owns, or that would tie the object to one that is not there. */
static void remove_server_fields(json_t *object)
{
    static const char *const fields[] = {
        "/status",
        "/metadata/managedFields",
        "/metadata/uid",
        "/metadata/resourceVersion",
        "/metadata/creationTimestamp",
        "/metadata/generation",
        "/metadata/selfLink",
        "/metadata/ownerReferences",
        "/metadata/deletionTimestamp",
        "/metadata/deletionGracePeriodSeconds",
        "/metadata/generateName",
    };

    for (size_t i = 0; i < DV_LEN(fields); i++)
        dv_json_remove(object, fields[i]);
    dv_json_remove(object, "/spec/template/metadata/creationTimestamp");
}

static dv_err *mark_owner(json_t *object, const dv_pm *pm)
{
    dv_auto_str package = dv_asprintf("%s/%s/%s", pm->ns, pm->name, pm->uid);

    /* "~1" is RFC 6901's "/". A label map written as null counts as absent. */
    if (!dv_json_object(object, "/metadata/labels"))
        dv_json_remove(object, "/metadata/labels");
    if (!dv_json_object(object, "/metadata/annotations"))
        dv_json_remove(object, "/metadata/annotations");
    dv_json_remove(object, "/metadata/annotations/davit.dev~1adopted"); /* not for others to say */
    DV_CHECK(dv_json_set(object, "/metadata/labels/davit.dev~1owner", json_string(pm->owner)));
    return dv_json_set(object, "/metadata/annotations/davit.dev~1package", json_string(package));
}

static void digest_object(dv_object *object)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_BODY_MAX);

    dv_json_write_sorted(object->object, &bytes);
    dv_sha256_hex(dv_buf_str(&bytes), object->digest);
}

/* ---- Namespaces ---- */

static const char *default_namespace(const dv_prepare_options *options, const json_t *item)
{
    const char *of_manifest = dv_json_str(item, "/defaultNamespace");

    if (*options->pm->spec.target_namespace)
        return options->pm->spec.target_namespace;
    if (of_manifest && *of_manifest)
        return of_manifest;
    if (options->default_namespace && *options->default_namespace)
        return options->default_namespace;
    return options->pm->ns;
}

static void fill_namespace(dv_object *o, const dv_prepare_options *options, const json_t *item)
{
    json_t *metadata = dv_json_object(o->object, "/metadata");

    if (!o->resource->namespaced)
        json_object_del(metadata, "namespace");
    else if (!*dv_obj_ns(o->object))
        dv_json_put_str(metadata, "namespace", default_namespace(options, item));
}

static bool has_namespace(const dv_objects *objects, const char *name)
{
    for (size_t i = 0; i < objects->all.n; i++)
        if (objects->all.at[i].order == DV_ORDER_NAMESPACES &&
            strcmp(objects->all.at[i].ref.name, name) == 0)
            return true;
    return false;
}

static void add_implied_namespace(dv_objects *objects, const char *name,
                                  const dv_resource *resource)
{
    dv_object *o = dv_vec_push(&objects->all);

    o->object = dv_obj_new("v1", "Namespace", /* ns= */ NULL, name);
    o->resource = resource;
    o->order = DV_ORDER_NAMESPACES;
    o->implied = true;
    o->ref = dv_objref_of(o->object);
}

/* Namespaces that objects go to and nobody wrote down; the PackageManifest's own is there already.
 */
static dv_err *imply_namespaces(dv_ctx *ctx, dv_kube *kube, dv_objects *objects, const dv_pm *pm)
{
    const dv_resource *resource;
    size_t written = objects->all.n;

    DV_CHECK(dv_kube_resource(ctx, kube, "v1", "Namespace", &resource));
    for (size_t i = 0; i < written; i++) {
        const char *ns = objects->all.at[i].ref.ns;

        if (*ns && strcmp(ns, pm->ns) != 0 && !has_namespace(objects, ns))
            add_implied_namespace(objects, ns, resource);
    }
    return NULL;
}

/* ---- Order ---- */

static int by_order(const void *a, const void *b)
{
    const dv_object *x = *(dv_object *const *)a, *y = *(dv_object *const *)b;

    if (x->order != y->order)
        return (int)x->order - (int)y->order;
    return (x > y) - (x < y); /* as written */
}

static void sort_objects(dv_objects *objects)
{
    size_t n = objects->all.n;
    dv_object **pointers = dv_calloc(n, sizeof(*pointers));
    dv_object *sorted = dv_calloc(n, sizeof(*sorted));

    for (size_t i = 0; i < n; i++)
        pointers[i] = &objects->all.at[i];
    if (n)
        qsort(pointers, n, sizeof(*pointers), by_order);
    for (size_t i = 0; i < n; i++)
        sorted[i] = *pointers[i];
    free(objects->all.at);
    objects->all.at = sorted;
    objects->all.cap = n;
    free(pointers);
}

static dv_err *check_unique(const dv_objects *objects)
{
    dv_auto(dv_map) seen = dv_map_new(NULL);

    for (size_t i = 0; i < objects->all.n; i++) {
        DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(DV_PATH_MAX);
        const dv_objref *ref = &objects->all.at[i].ref;

        dv_buf_addf(&key, "%.*s/", DV_FMT(dv_api_group(ref->api_version)));
        dv_objref_add(&key, ref);
        if (dv_map_get(seen, dv_buf_str(&key))) {
            DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PATH_MAX);

            dv_objref_add(&name, ref);
            return dv_err_new(DV_INVALID, "DuplicateObject", "%s is written twice",
                              dv_buf_cstr(&name));
        }
        dv_map_put(seen, dv_buf_str(&key), &objects->all.at[i]);
    }
    return NULL;
}

/* ---- All of it ---- */

static void collect(json_t *items, dv_objects *objects)
{
    size_t i;
    json_t *item;

    json_array_foreach(items, i, item) dv_vec_push(&objects->all)->object =
        json_incref(json_object_get(item, "object"));
}

static dv_err *prepare_one(dv_ctx *ctx, dv_kube *kube, const dv_objects *objects, dv_object *o,
                           const dv_prepare_options *options, const json_t *item)
{
    DV_CHECK(find_resource(ctx, kube, objects, o));
    remove_server_fields(o->object);
    fill_namespace(o, options, item);
    o->ref = dv_objref_of(o->object);
    o->order = dv_order_of(o->resource->group, o->resource->kind);
    return NULL;
}

static void done_objects(dv_objects *objects)
{
    dv_objects_done(objects);
}

dv_err *dv_prepare(dv_ctx *ctx, dv_kube *kube, json_t *items, const dv_prepare_options *options,
                   dv_objects *ret_objects)
{
    json_auto_t *taken = items;
    DV_CLEANUP(done_objects) dv_objects objects = {0};

    collect(taken, &objects);
    for (size_t i = 0; i < objects.all.n; i++)
        DV_CHECK(prepare_one(ctx, kube, &objects, &objects.all.at[i], options,
                             json_array_get(taken, i)));
    DV_CHECK(imply_namespaces(ctx, kube, &objects, options->pm));
    for (size_t i = 0; i < objects.all.n; i++) {
        DV_CHECK(mark_owner(objects.all.at[i].object, options->pm));
        digest_object(&objects.all.at[i]);
    }
    DV_CHECK(check_unique(&objects));
    sort_objects(&objects);
    *ret_objects = objects;
    objects = (dv_objects){0};
    return NULL;
}

dv_err *dv_prepare_stored(dv_ctx *ctx, dv_kube *kube, json_t *items, dv_objects *ret_objects)
{
    json_auto_t *taken = items;
    DV_CLEANUP(done_objects) dv_objects objects = {0};
    size_t i;
    json_t *item;

    json_array_foreach(taken, i, item) dv_vec_push(&objects.all)->object = json_incref(item);
    for (i = 0; i < objects.all.n; i++) {
        dv_object *o = &objects.all.at[i];

        DV_CHECK(find_resource(ctx, kube, &objects, o));
        o->ref = dv_objref_of(o->object);
        o->order = dv_order_of(o->resource->group, o->resource->kind);
        digest_object(o);
    }
    *ret_objects = objects;
    objects = (dv_objects){0};
    return NULL;
}
