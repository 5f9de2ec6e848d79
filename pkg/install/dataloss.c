/* SPDX-License-Identifier: Apache-2.0 */
/* dv_remove_check(): what would be lost if these objects went. */
#include "base/map.h"
#include "install/remove.h"

enum { LISTED_MAX = 10, PAGE = 200, SEEN_MAX = 2000 };

typedef struct {
    const dv_inventory *items;
    const char *owner; /* label of what is ours */
    const dv_resource
        *resource;  /* what is listed now: items of a metadata list don't say their kind */
    const char *ns; /* of the namespace that is looked through; NULL: a kind of custom resources */
    dv_buf *losses;
    bool unseen; /* listed with the operator's rights: the account may not see names */
    size_t found, seen;
} search;

static void add_loss(search *s, const char *what)
{
    if (s->found++ < LISTED_MAX)
        dv_buf_addf(s->losses, "%s%s", s->losses->n ? ", " : "", what);
}

static dv_objref ref_of(const search *s, const json_t *object)
{
    dv_objref ref = dv_objref_of(object);

    dv_set_str(&ref.api_version, s->resource->api_version);
    dv_set_str(&ref.kind, s->resource->kind);
    return ref;
}

/* One that somebody made anew in the place of ours is his, unless it says otherwise. */
static bool is_same(const search *s, const dv_inventory_item *item, const json_t *object)
{
    const char *owner = dv_obj_label(object, DV_LABEL_OWNER);

    return !item->ref.uid || !*item->ref.uid || strcmp(item->ref.uid, dv_obj_uid(object)) == 0 ||
           (owner && strcmp(owner, s->owner) == 0);
}

static bool is_ours(const search *s, const dv_objref *ref, const json_t *object)
{
    for (size_t i = 0; i < s->items->n; i++) {
        const dv_inventory_item *item = &s->items->at[i];

        if (dv_objref_same(&item->ref, ref))
            return !item->adopted && is_same(s, item, object); /* what was adopted is to stay */
    }
    return false;
}

/* Figures that are made as they are asked for: nobody keeps anything there. */
static bool holds_no_data(const char *group)
{
    return dv_str_ends(dv_str_of(group), DV_STR("metrics.k8s.io"));
}

/* What Kubernetes itself puts into every namespace, or makes for an object that goes with us. */
static bool is_automatic(const search *s, const dv_objref *ref, const json_t *object)
{
    return dv_json_at(object, "/metadata/ownerReferences/0") || dv_obj_deleting(object) ||
           (strcmp(ref->kind, "ServiceAccount") == 0 && strcmp(ref->name, "default") == 0) ||
           (strcmp(ref->kind, "ConfigMap") == 0 && strcmp(ref->name, "kube-root-ca.crt") == 0) ||
           strcmp(ref->kind, "Endpoints") == 0 || holds_no_data(s->resource->group);
}

static dv_err *look_at(void *arg, const json_t *object)
{
    search *s = arg;
    DV_CLEANUP(dv_objref_done) dv_objref ref = ref_of(s, object);
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PATH_MAX);

    if (++s->seen > SEEN_MAX)
        return dv_err_new(DV_DENIED, "DataWouldBeLost", "more than %d objects", SEEN_MAX);
    if (is_ours(s, &ref, object) || (s->ns && is_automatic(s, &ref, object)))
        return NULL;
    if (s->unseen)
        dv_buf_addf(&name, "a %s that the account may not see", ref.kind);
    else
        dv_objref_add(&name, &ref);
    add_loss(s, dv_buf_cstr(&name));
    return NULL;
}

/*
 * May the kind be looked through, and as whom? What the account may not list is listed with the
 * operator's own rights, and told without names.
 */
static dv_err *choose_reader(dv_ctx *ctx, const dv_remove_env *env, search *s, const char **ret_as,
                             bool *ret_may)
{
    *ret_as = env->as;
    s->unseen = false;
    DV_CHECK(dv_kube_may(ctx, env->kube, env->as, "list", s->resource, s->ns, ret_may));
    if (*ret_may || !env->as)
        return NULL;
    *ret_as = NULL;
    s->unseen = true;
    return dv_kube_may(ctx, env->kube, /* as= */ NULL, "list", s->resource, s->ns, ret_may);
}

/* Not being able to look is a loss too: what is there may be somebody's. */
static dv_err *look_through(dv_ctx *ctx, const dv_remove_env *env, const dv_resource *resource,
                            search *s)
{
    const char *as;
    bool may = false;

    s->resource = resource;
    DV_CHECK(choose_reader(ctx, env, s, &as, &may));
    if (!may) {
        dv_auto_str what = dv_asprintf("%s%s%s, which nobody here may list", resource->resource,
                                       s->ns ? " in namespace " : "", s->ns ? s->ns : "");
        add_loss(s, what);
        return NULL;
    }
    const dv_kube_request list = {
        .verb = DV_KUBE_LIST,
        .resource = resource,
        .ns = s->ns,
        .as = as,
        .metadata_only = true,
        .limit = PAGE,
    };
    dv_err *err = dv_kube_list(ctx, env->kube, &list, look_at, s, NULL, NULL);
    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        return NULL;
    }
    return err;
}

/* What may not be read is lost with its definition, unless that may not be deleted either. */
static dv_err *check_unread(dv_ctx *ctx, const dv_remove_env *env, const dv_resource *crds,
                            const char *name, search *s)
{
    dv_auto_str what = dv_asprintf("custom resources of %s, which may not be read,", name);
    bool may;

    DV_CHECK(dv_kube_may(ctx, env->kube, env->as, "delete", crds, /* ns= */ NULL, &may));
    if (may)
        add_loss(s, what);
    return NULL;
}

/* NULL in *ret_crd: there is nothing to look through. */
static dv_err *read_definition(dv_ctx *ctx, const dv_remove_env *env, const dv_resource *crds,
                               const char *name, search *s, json_t **ret_crd)
{
    const dv_kube_request get = {
        .verb = DV_KUBE_GET, .resource = crds, .name = name, .as = env->as};
    dv_err *err = dv_kube_do(ctx, env->kube, &get, ret_crd);

    if (!dv_err_is(err, DV_NOT_FOUND) && !dv_err_is(err, DV_DENIED))
        return err;
    bool denied = dv_err_is(err, DV_DENIED);
    dv_err_free(err);
    *ret_crd = NULL;
    return denied ? check_unread(ctx, env, crds, name, s) : NULL;
}

static dv_err *check_definition(dv_ctx *ctx, const dv_remove_env *env,
                                const dv_inventory_item *item, search *s)
{
    const dv_resource *crds, *resource;
    json_auto_t *crd = NULL;

    DV_CHECK(dv_kube_resource(ctx, env->kube, item->ref.api_version, item->ref.kind, &crds));
    DV_CHECK(read_definition(ctx, env, crds, item->ref.name, s, &crd));
    if (!crd)
        return NULL;
    const char *group = dv_json_str(crd, "/spec/group"),
               *kind = dv_json_str(crd, "/spec/names/kind");
    if (!group || !kind)
        return NULL;
    dv_err *err = dv_kube_resource_preferred(ctx, env->kube, group, kind, &resource);
    if (dv_err_is(err, DV_NOT_FOUND)) { /* never established: it has no objects */
        dv_err_free(err);
        return NULL;
    }
    DV_CHECK(err);
    s->ns = NULL;
    return look_through(ctx, env, resource, s);
}

/* A server that is down can't say what it has in the namespace. */
static void count_unavailable(const dv_remove_env *env, search *s)
{
    size_t cursor = 0;
    char *group;

    while (dv_kube_next_unavailable(env->kube, &cursor, &group)) {
        dv_auto_str own = group;
        dv_auto_str what = dv_asprintf("objects of %s, whose API does not answer,", own);

        if (!holds_no_data(own))
            add_loss(s, what);
    }
}

/* Kinds that people keep things in; what controllers derive from them (pods, replica sets, slices)
 * has owners. */
static dv_err *check_namespace(dv_ctx *ctx, const dv_remove_env *env, const dv_inventory_item *item,
                               search *s)
{
    size_t cursor = 0;
    const dv_resource *resource;

    /* A kind that is not known is not looked through: know them all, also right after a restart. */
    DV_CHECK(dv_kube_discover(ctx, env->kube));
    count_unavailable(env, s);
    s->ns = item->ref.name;
    while (dv_kube_next_resource(env->kube, &cursor, &resource)) {
        if (!resource->namespaced || !resource->can_list_watch || !resource->can_delete ||
            strcmp(resource->kind, "Event") == 0 || strcmp(resource->kind, "Lease") == 0)
            continue;
        DV_CHECK(look_through(ctx, env, resource, s));
    }
    return NULL;
}

static dv_err *check_item(dv_ctx *ctx, const dv_remove_env *env, const dv_inventory_item *item,
                          search *s)
{
    if (strcmp(item->ref.kind, "PersistentVolumeClaim") == 0) {
        DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(DV_PATH_MAX);

        dv_objref_add(&name, &item->ref);
        add_loss(s, dv_buf_cstr(&name));
    }
    if (strcmp(item->ref.kind, "CustomResourceDefinition") == 0)
        return check_definition(ctx, env, item, s);
    if (strcmp(item->ref.kind, "Namespace") == 0)
        return check_namespace(ctx, env, item, s);
    return NULL;
}

dv_err *dv_remove_check(dv_ctx *ctx, const dv_remove_env *env, const dv_inventory *items)
{
    DV_CLEANUP(dv_buf_done) dv_buf losses = DV_BUF_INIT(DV_LINE_MAX);
    search s = {.items = items, .owner = env->pm->owner, .losses = &losses};

    if (env->allow_data_loss)
        return NULL;
    for (size_t i = 0; i < items->n; i++)
        if (!items->at[i].adopted)
            DV_TRY(check_item(ctx, env, &items->at[i], &s), "%s \"%s\"", items->at[i].ref.kind,
                   items->at[i].ref.name);
    if (!s.found)
        return NULL;
    return dv_err_new(DV_DENIED, "DataWouldBeLost",
                      "%s would be lost%s; the annotation " DV_ANNOTATION_DATA_LOSS
                      ": \"true\" allows it",
                      dv_buf_cstr(&losses), s.found > LISTED_MAX ? ", and more," : "");
}
