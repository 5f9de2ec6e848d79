/* SPDX-License-Identifier: Apache-2.0 */
/* The Secrets behind applied.h. */
#include "base/archive.h"
#include "base/crypto.h"
#include "install/applied.h"

enum { PART_NAME_MAX = 64 };

static const dv_resource *secrets(dv_kube *kube)
{
    return dv_kube_resource_static(kube, "", "v1", "Secret", "secrets", /* namespaced= */ true);
}

static void part_name(const char *owner, size_t part, char ret_name[PART_NAME_MAX])
{
    if (part)
        snprintf(ret_name, PART_NAME_MAX, "davit-%s-%zu", owner, part);
    else
        snprintf(ret_name, PART_NAME_MAX, "davit-%s", owner);
}

/* ---- To JSON and back ---- */

static json_t *encode_item(const dv_applied_item *item)
{
    json_t *out = json_object();

    dv_json_put_str(out, "apiVersion", item->ref.api_version);
    dv_json_put_str(out, "kind", item->ref.kind);
    dv_json_put_str(out, "namespace", item->ref.ns);
    dv_json_put_str(out, "name", item->ref.name);
    dv_json_put_str(out, "uid", item->ref.uid);
    dv_json_put_str(out, "digest", item->digest);
    json_object_set_new(out, "revision", json_integer((json_int_t)item->revision));
    json_object_set_new(out, "generation", json_integer(item->generation));
    json_object_set_new(out, "adopted", json_boolean(item->adopted));
    json_object_set_new(out, "foreign", json_boolean(item->foreign));
    return out;
}

static json_t *encode(const dv_applied *applied, const dv_objects *objects)
{
    json_t *out = json_object(), *items = json_array(), *list = json_array();

    for (size_t i = 0; i < applied->items.n; i++)
        json_array_append_new(items, encode_item(&applied->items.at[i]));
    for (size_t i = 0; i < objects->all.n; i++)
        json_array_append(list, objects->all.at[i].object);
    dv_json_put_str(out, "inputs", applied->inputs);
    json_object_set_new(out, "items", items);
    json_object_set_new(out, "objects", list);
    return out;
}

static const char *text_of(const json_t *object, const char *pointer)
{
    const char *text = dv_json_str(object, pointer);

    return text ? text : "";
}

static dv_err *decode_item(dv_ctx *ctx, dv_kube *kube, const json_t *in, dv_applied *applied)
{
    dv_applied_item *item = dv_vec_push(&applied->items);

    item->ref = (dv_objref){.api_version = dv_strdup(text_of(in, "/apiVersion")),
                            .kind = dv_strdup(text_of(in, "/kind")),
                            .ns = dv_strdup(text_of(in, "/namespace")),
                            .name = dv_strdup(text_of(in, "/name")),
                            .uid = dv_strdup(text_of(in, "/uid"))};
    item->revision = (uint64_t)dv_json_int(in, "/revision", 0);
    item->generation = dv_json_int(in, "/generation", 0);
    item->adopted = dv_json_bool(in, "/adopted", false);
    item->foreign = dv_json_bool(in, "/foreign", false);
    snprintf(item->digest, sizeof(item->digest), "%s", text_of(in, "/digest"));
    return dv_kube_resource(ctx, kube, item->ref.api_version, item->ref.kind, &item->resource);
}

static dv_err *decode(dv_ctx *ctx, dv_kube *kube, const json_t *in, dv_applied *applied)
{
    size_t i;
    json_t *item;

    snprintf(applied->inputs, sizeof(applied->inputs), "%s", text_of(in, "/inputs"));
    json_array_foreach(dv_json_array(in, "/items"), i, item)
        DV_CHECK(decode_item(ctx, kube, item, applied));
    applied->complete = true;
    return NULL;
}

/* ---- Writing ---- */

static dv_err *write_part(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner,
                          size_t part, size_t parts, dv_str bytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_STORED_PART_MAX * 2);
    char name[PART_NAME_MAX], count[24];

    part_name(owner, part, name);
    snprintf(count, sizeof(count), "%zu", parts);
    dv_base64_add(&text, bytes);
    DV_CHECK(dv_buf_check(&text));
    json_auto_t *secret = dv_obj_new("v1", "Secret", ns, name);
    DV_CHECK(dv_json_set(secret, "/metadata/labels/davit.dev~1stored", json_string(owner)));
    DV_CHECK(dv_json_set(secret, "/metadata/annotations/davit.dev~1parts", json_string(count)));
    DV_CHECK(dv_json_set(secret, "/data/package", dv_json_string(dv_buf_str(&text))));
    const dv_kube_request request = {
        .verb = DV_KUBE_APPLY,
        .resource = secrets(kube),
        .ns = ns,
        .name = name,
        .body = secret,
        .field_manager = DV_MANAGER_OBJECTS,
        .force = true,
        .metadata_only = true,
    };
    return dv_kube_do(ctx, kube, &request, /* ret_object= */ NULL);
}

/* Nothing there is fine. */
static dv_err *drop_secret(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *name)
{
    const dv_kube_request request = {
        .verb = DV_KUBE_DELETE, .resource = secrets(kube), .ns = ns, .name = name};
    dv_err *err = dv_kube_do(ctx, kube, &request, NULL);

    if (!dv_err_is(err, DV_NOT_FOUND))
        return dv_err_wrap(err, "removing the applied objects");
    dv_err_free(err);
    return NULL;
}

/* What was stored before had more parts. */
static dv_err *drop_surplus(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner,
                            size_t parts, size_t before)
{
    char name[PART_NAME_MAX];

    for (size_t part = before; part-- > parts;) {
        part_name(owner, part, name);
        DV_CHECK(drop_secret(ctx, kube, ns, name));
    }
    return NULL;
}

dv_err *dv_stored_save(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner,
                       dv_applied *applied, const dv_objects *objects)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(DV_STORED_BYTES_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf packed = DV_BUF_INIT(DV_STORED_PART_MAX * DV_STORED_PARTS_MAX);
    json_auto_t *json = encode(applied, objects);

    dv_json_write(json, &plain);
    DV_TRY(dv_buf_check(&plain), "stored objects");
    dv_gzip_add(&packed, dv_buf_str(&plain));
    DV_TRY(dv_buf_check(&packed), "stored objects");
    size_t parts = (packed.n + DV_STORED_PART_MAX - 1) / DV_STORED_PART_MAX;
    /* The first part, which counts the others, is written last. */
    for (size_t part = parts; part-- > 0;) {
        dv_str bytes = dv_str_skip(dv_buf_str(&packed), part * DV_STORED_PART_MAX);

        DV_TRY(
            write_part(ctx, kube, ns, owner, part, parts, dv_str_head(bytes, DV_STORED_PART_MAX)),
            "storing the applied objects");
    }
    DV_CHECK(drop_surplus(ctx, kube, ns, owner, parts, applied->parts));
    applied->parts = parts;
    return NULL;
}

/* ---- Reading ---- */

static dv_err *read_part(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner, size_t part,
                         dv_buf *packed, size_t *ret_parts)
{
    char name[PART_NAME_MAX];
    json_auto_t *secret = NULL;
    uint64_t parts = 1;

    part_name(owner, part, name);
    const dv_kube_request request = {
        .verb = DV_KUBE_GET, .resource = secrets(kube), .ns = ns, .name = name};
    DV_CHECK(dv_kube_do(ctx, kube, &request, &secret));
    const char *count = dv_obj_annotation(secret, "davit.dev/parts");
    if (count)
        DV_CHECK(dv_str_u64(dv_str_of(count), &parts));
    *ret_parts = DV_MIN((size_t)parts, (size_t)DV_STORED_PARTS_MAX);
    return dv_base64_decode(dv_json_view(secret, "/data/package"), packed);
}

/* All parts, expanded, as a document. */
static dv_err *read_document(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner,
                             json_t **ret_json, size_t *ret_parts)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf packed = DV_BUF_INIT(DV_STORED_PART_MAX * DV_STORED_PARTS_MAX * 2);
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(DV_STORED_BYTES_MAX);
    size_t ignored;

    DV_CHECK(read_part(ctx, kube, ns, owner, 0, &packed, ret_parts));
    for (size_t part = 1; part < *ret_parts; part++)
        DV_CHECK(read_part(ctx, kube, ns, owner, part, &packed, &ignored));
    DV_CHECK(dv_gunzip(dv_buf_str(&packed), &plain));
    return dv_json_read(dv_buf_str(&plain), ret_json);
}

dv_err *dv_stored_load(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner,
                       dv_applied *ret_applied, dv_objects *ret_objects)
{
    DV_CLEANUP(dv_applied_done) dv_applied applied = {0};
    json_auto_t *json = NULL;
    dv_err *err = read_document(ctx, kube, ns, owner, &json, &applied.parts);

    if (!err)
        err = decode(ctx, kube, json, &applied);
    /* A damaged or half-written store, or one with kinds that are gone, counts as none: it is made
     * anew. */
    if (dv_err_is(err, DV_INVALID))
        err = dv_err_recast(err, DV_NOT_FOUND, "StoreUnreadable");
    DV_TRY(err, "reading the applied objects");
    if (ret_objects)
        DV_CHECK(dv_prepare_stored(ctx, kube, json_incref(dv_json_array(json, "/objects")),
                                   ret_objects));
    *ret_applied = applied;
    applied = (dv_applied){0};
    return NULL;
}

/* ---- Removing ---- */

static dv_err *note_name(void *arg, const json_t *secret)
{
    dv_strings_add(arg, dv_obj_name(secret));
    return NULL;
}

/* By their label: what an interrupted write or removal left behind goes too. */
dv_err *dv_stored_drop(dv_ctx *ctx, dv_kube *kube, const char *ns, const char *owner)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};
    dv_auto_str selector = dv_asprintf(DV_LABEL_STORED "=%s", owner);
    const dv_kube_request list = {
        .verb = DV_KUBE_LIST,
        .resource = secrets(kube),
        .ns = ns,
        .label_selector = selector,
        .metadata_only = true,
    };

    DV_TRY(dv_kube_list(ctx, kube, &list, note_name, &names, NULL, NULL),
           "removing the applied objects");
    for (size_t i = 0; i < names.n; i++)
        DV_CHECK(drop_secret(ctx, kube, ns, names.at[i]));
    return NULL;
}
