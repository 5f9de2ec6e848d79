/* SPDX-License-Identifier: Apache-2.0 */
#include "install/owned.h"

#include "base/map.h"
#include "base/sync.h"

/* A kind that may not be watched is asked about again: RBAC changes send no event. */
enum { ASK_AGAIN_MS = 5 * 60 * 1000, WAIT_SLICE_MS = 200 };

typedef struct {
    dv_owned *owned;
    const dv_resource *resource;
    dv_informer *informer; /* NULL: not allowed, or not asked yet */
    int64_t asked_ms;
    bool asked;
    bool asking;          /* one worker asks, others wait for its answer */
    _Atomic bool in_vain; /* its first list has been waited for, and did not come */
} kind;

struct dv_owned {
    dv_kube *kube;
    dv_cache *cache;
    const dv_clock *clock;
    void (*changed)(void *arg, const char *package);
    void *arg;
    pthread_mutex_t mu;    /* kinds; a leaf: nothing else is locked under it */
    pthread_cond_t answer; /* an `asking` has ended */
    dv_map *kinds;         /* "group/kind" */
};

dv_owned *dv_owned_new(dv_kube *kube, dv_cache *cache, const dv_clock *clock,
                       void (*changed)(void *arg, const char *package), void *arg)
{
    dv_owned *owned = DV_NEW(dv_owned);

    owned->kube = kube;
    owned->cache = cache;
    owned->clock = clock;
    owned->changed = changed;
    owned->arg = arg;
    pthread_mutex_init(&owned->mu, NULL);
    dv_cond_init(&owned->answer);
    owned->kinds = dv_map_new(free);
    return owned;
}

void dv_owned_free(dv_owned *owned)
{
    if (!owned)
        return;
    dv_map_free(owned->kinds);
    pthread_cond_destroy(&owned->answer);
    pthread_mutex_destroy(&owned->mu);
    free(owned);
}

/* ---- Records ---- */

static void object_free(dv_entry *entry)
{
    dv_owned_object *o = (dv_owned_object *)entry;

    free(o->why);
    free(o->package);
    free(o->package_uid);
    free(o->finalizers);
    free(o);
}

void dv_owned_object_unref(dv_owned_object *object)
{
    if (object)
        dv_entry_unref(&object->entry);
}

/* The annotation is "namespace/name/uid". */
static void read_package(const json_t *object, dv_owned_object *o)
{
    dv_str text = dv_str_of(dv_obj_annotation(object, DV_ANNOTATION_PACKAGE));
    ptrdiff_t at = dv_str_rfind(text, '/');

    if (at <= 0)
        return;
    o->package = dv_str_dup(dv_str_head(text, (size_t)at));
    o->package_uid = dv_str_dup(dv_str_skip(text, (size_t)at + 1));
}

static void read_finalizers(const json_t *object, dv_owned_object *o)
{
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(1024);
    size_t i;
    json_t *item;

    if (!o->deleting)
        return;
    json_array_foreach(dv_json_array(object, "/metadata/finalizers"), i, item)
        dv_buf_addf(&names, "%s%s", i ? ", " : "", json_string_value(item));
    if (names.n)
        o->finalizers = dv_buf_take(&names);
}

static uint64_t revision_of(const json_t *object)
{
    uint64_t revision = 0;

    dv_err_free(dv_str_u64(dv_str_of(dv_obj_rv(object)), &revision));
    return revision;
}

static dv_entry *reduce(void *arg, const json_t *object)
{
    const kind *k = arg;
    dv_owned_object *o = DV_NEW(dv_owned_object);
    DV_CLEANUP(dv_buf_done) dv_buf why = DV_BUF_INIT(512);
    const char *owner = dv_obj_label(object, DV_LABEL_OWNER);

    dv_entry_init(&o->entry, object_free);
    snprintf(o->uid, sizeof(o->uid), "%s", dv_obj_uid(object));
    snprintf(o->owner, sizeof(o->owner), "%s", owner ? owner : "");
    o->revision = revision_of(object);
    o->generation = dv_obj_generation(object);
    o->deleting = dv_obj_deleting(object);
    o->adopted = dv_obj_annotation(object, DV_ANNOTATION_ADOPTED) != NULL;
    read_package(object, o);
    read_finalizers(object, o);
    if (o->deleting)
        o->readiness = DV_TERMINATING;
    else if (!dv_readiness_is_trivial(k->resource->group, k->resource->kind))
        o->readiness = (unsigned char)dv_readiness_of(object, &why);
    if (why.n)
        o->why = dv_buf_take(&why);
    return &o->entry;
}

static void told(void *arg, const char *key, const dv_entry *old, const dv_entry *now)
{
    const dv_owned *owned = ((const kind *)arg)->owned;
    const dv_owned_object *before = (const dv_owned_object *)old,
                          *after = (const dv_owned_object *)now;
    const char *was = before ? before->package : NULL, *is = after ? after->package : NULL;

    (void)key;
    if (is)
        owned->changed(owned->arg, is);
    if (was && (!is || strcmp(was, is) != 0))
        owned->changed(owned->arg, was);
}

/* ---- Kinds ---- */

static kind *find_kind(dv_owned *owned, const dv_resource *resource)
{
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(DV_PATH_MAX);

    dv_buf_addf(&key, "%s/%s", resource->group, resource->kind);
    DV_LOCK_SCOPE(&owned->mu);
    kind *k = dv_map_get(owned->kinds, dv_buf_str(&key));
    if (!k) {
        k = DV_NEW(kind);
        k->owned = owned;
        k->resource = resource;
        dv_map_put(owned->kinds, dv_buf_str(&key), k);
    }
    return k;
}

static dv_err *ask(dv_ctx *ctx, const kind *k, bool *ret_may)
{
    dv_kube *kube = k->owned->kube;

    DV_CHECK(dv_kube_may(ctx, kube, /* as= */ NULL, "list", k->resource, /* ns= */ NULL, ret_may));
    return *ret_may ? dv_kube_may(ctx, kube, NULL, "watch", k->resource, NULL, ret_may) : NULL;
}

/* Takes what was learnt into the kind, and wakes those who wait for it. */
static void settle(dv_ctx *ctx, kind *k, bool asked, bool may)
{
    dv_owned *owned = k->owned;
    const dv_informer_options options = {
        .resource = k->resource,
        .label_selector = DV_LABEL_OWNER,
        .metadata_only = dv_readiness_is_trivial(k->resource->group, k->resource->kind),
        .reduce = reduce,
        .changed = told,
        .arg = k,
    };
    DV_LOCK_SCOPE(&owned->mu);

    k->asking = false;
    if (asked) {
        k->asked = true;
        k->asked_ms = dv_ctx_now_ms(ctx);
    }
    if (may && !k->informer)
        k->informer = dv_informer_start(owned->cache, &options);
    pthread_cond_broadcast(&owned->answer);
}

static dv_informer *informer_of(dv_owned *owned, const kind *k)
{
    DV_LOCK_SCOPE(&owned->mu);
    return k->informer;
}

/*
 * True: the caller asks. A kind that may not be watched is asked about again every ASK_AGAIN_MS;
 * while another worker asks, this one waits for the answer.
 */
static bool must_ask(dv_ctx *ctx, dv_owned *owned, kind *k)
{
    DV_LOCK_SCOPE(&owned->mu);

    while (k->asking && dv_ctx_left_ms(ctx) > 0 && !(ctx->cancel && dv_cancel_fired(ctx->cancel)))
        dv_cond_wait_ms(&owned->answer, &owned->mu, WAIT_SLICE_MS);
    if (k->asking || k->informer || (k->asked && dv_ctx_now_ms(ctx) - k->asked_ms <= ASK_AGAIN_MS))
        return false;
    k->asking = true;
    return true;
}

dv_err *dv_owned_start(dv_ctx *ctx, dv_owned *owned, const dv_resource *resource)
{
    kind *k = find_kind(owned, resource);
    bool may = false;

    if (!resource->can_list_watch || !must_ask(ctx, owned, k))
        return NULL;
    dv_err *err = ask(ctx, k, &may);
    settle(ctx, k, !err, may);
    return dv_err_wrap(err, "watch of %s", resource->kind);
}

static bool is_believed(const dv_owned *owned, const dv_informer *informer)
{
    int64_t broken_since_ms = dv_informer_broken_since_ms(informer);

    return !broken_since_ms ||
           owned->clock->mono_ms(owned->clock) - broken_since_ms <= DV_OWNED_BROKEN_MS;
}

/* Once for a kind: a run that waited for each object of one that can't be listed would never end.
 */
static dv_err *await_first_list(dv_ctx *ctx, kind *k, dv_informer *informer)
{
    dv_ctx limited = *ctx;

    if (k->in_vain || dv_informer_synced(informer))
        return NULL;
    dv_ctx_set_timeout(&limited, DV_OWNED_WAIT_MS);
    dv_err *err = dv_informer_wait(&limited, informer);
    bool in_vain = err != NULL;
    dv_err_free(err);
    DV_CHECK(dv_ctx_check(ctx)); /* then it was not waited for long */
    k->in_vain = in_vain;
    return NULL;
}

dv_err *dv_owned_watch(dv_ctx *ctx, dv_owned *owned, const dv_resource *resource, bool *ret_watched)
{
    kind *k = find_kind(owned, resource);

    *ret_watched = false;
    DV_CHECK(dv_owned_start(ctx, owned, resource));
    dv_informer *informer = informer_of(owned, k);
    if (!informer)
        return NULL;
    DV_CHECK(await_first_list(ctx, k, informer));
    *ret_watched = dv_informer_synced(informer) && is_believed(owned, informer);
    return NULL;
}

dv_owned_state dv_owned_get(dv_owned *owned, const dv_resource *resource, const char *ns,
                            const char *name, uint64_t since, dv_owned_object **ret_object)
{
    dv_informer *informer = informer_of(owned, find_kind(owned, resource));
    dv_auto_str key = dv_key_make(ns, name);

    *ret_object = NULL;
    if (!informer || !dv_informer_synced(informer) || !is_believed(owned, informer))
        return DV_OWNED_UNKNOWN;
    /* The revision first: what is read after it is at least as new. */
    uint64_t told_until = dv_informer_revision(informer);
    dv_auto_owned o = (dv_owned_object *)dv_informer_get(informer, key);
    if (!o)
        return told_until < since ? DV_OWNED_LAGGING : DV_OWNED_ABSENT;
    if (o->revision < since)
        return DV_OWNED_LAGGING;
    *ret_object = DV_TAKE(o);
    return DV_OWNED_PRESENT;
}
