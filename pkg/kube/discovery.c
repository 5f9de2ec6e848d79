/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kinds the server knows, by aggregated discovery: one document each for /api and /apis.
 *
 * One thread reads them while the others that need the answer wait; a dv_resource that was
 * handed out is never changed: a kind that comes back different is another one.
 */
#include "kube/client_internal.h"
#include "kube/object.h"

#define ACCEPT_DISCOVERY                                                                           \
    "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"                \
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
enum { WAIT_SLICE_MS = 100 };

/* ---- State ---- */

void dv_kinds_init(dv_kinds *kinds)
{
    *kinds = (dv_kinds){
        .by_version = dv_map_new(NULL),
        .by_group = dv_map_new(NULL),
        .unavailable = dv_map_new(NULL),
    };
}

void dv_kinds_done(dv_kinds *kinds)
{
    dv_map_free(kinds->by_version);
    dv_map_free(kinds->by_group);
    dv_map_free(kinds->unavailable);
    dv_vec_done(&kinds->preferred);
}

static dv_names names_make(size_t limit_bytes)
{
    return (dv_names){
        .arena = dv_arena_new(limit_bytes),
        .texts = dv_map_new(NULL),
        .interned = dv_map_new(NULL),
    };
}

static void names_done(dv_names *names)
{
    dv_map_free(names->interned);
    dv_map_free(names->texts);
    dv_arena_free(names->arena);
}

void dv_discovery_init(dv_discovery *d)
{
    *d = (dv_discovery){
        .served = names_make(DV_KUBE_NAMES_MAX),
        .own = names_make(0),
    };
    dv_kinds_init(&d->kinds);
    pthread_mutex_init(&d->mu, NULL);
    dv_cond_init(&d->changed);
}

void dv_discovery_done(dv_discovery *d)
{
    dv_kinds_done(&d->kinds);
    names_done(&d->served);
    names_done(&d->own);
    dv_err_free(d->last_err);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->mu);
}

/* ---- Interning; with the lock held ---- */

static dv_err *full(void)
{
    return dv_err_new(DV_INVALID, "TooManyKinds",
                      "the API server has more kinds than the %zu that can be known",
                      DV_KUBE_KINDS_MAX);
}

/* NULL: no room. */
static const char *intern(dv_names *names, const char *text)
{
    char *known = dv_map_get(names->texts, dv_str_of(text));

    if (known)
        return known;
    known = dv_arena_dup(names->arena, dv_str_of(text));
    if (known)
        dv_map_put(names->texts, dv_str_of(text), known);
    return known;
}

static dv_resource *make_resource(dv_names *names, const dv_resource *like)
{
    dv_resource *made = DV_ARENA_NEW(names->arena, dv_resource);

    if (!made)
        return NULL;
    *made = *like;
    made->group = intern(names, like->group);
    made->version = intern(names, like->version);
    made->kind = intern(names, like->kind);
    made->resource = intern(names, like->resource);
    made->api_version = intern(names, like->api_version);
    return made;
}

static dv_err *intern_resource(dv_names *names, const dv_resource *like,
                               const dv_resource **ret_resource)
{
    dv_auto_str key =
        dv_asprintf("%s|%s|%s|%d%d%d%d", like->api_version, like->kind, like->resource,
                    like->namespaced, like->has_status, like->can_list_watch, like->can_delete);
    dv_resource *made = dv_map_get(names->interned, dv_str_of(key));

    if (!made) {
        dv_auto(dv_err) no_room = NULL;

        if (dv_map_count(names->interned) >= DV_KUBE_KINDS_MAX)
            return full();
        made = make_resource(names, like);
        no_room = dv_arena_check(names->arena);
        if (no_room)
            return full();
        dv_map_put(names->interned, dv_str_of(key), made);
    }
    *ret_resource = made;
    return NULL;
}

/* ---- Reading a document ---- */

static bool has_verb(const json_t *resource, const char *verb)
{
    const json_t *one;
    size_t i;

    json_array_foreach(dv_json_array(resource, "/verbs"), i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), verb) == 0)
            return true;
    }
    return false;
}

static bool has_subresource(const json_t *resource, const char *name)
{
    const json_t *one;
    size_t i;

    json_array_foreach(dv_json_array(resource, "/subresources"), i, one)
    {
        if (dv_str_is(dv_json_view(one, "/subresource"), name))
            return true;
    }
    return false;
}

/* Keeps the first of a name: versions come in the server's order of preference. */
static bool put_first(dv_map *map, dv_str key, const dv_resource *resource)
{
    if (dv_map_get(map, key))
        return false;
    dv_map_put(map, key, (void *)(uintptr_t)resource);
    return true;
}

static dv_err *add_resource(dv_discovery *d, dv_kinds *kinds, const char *group,
                            const char *version, const json_t *resource)
{
    dv_auto_str api_version = *group ? dv_asprintf("%s/%s", group, version) : dv_strdup(version);
    const char *kind = dv_json_str(resource, "/responseKind/kind");
    const char *name = dv_json_str(resource, "/resource");
    const dv_resource *made;

    if (!kind || !*kind || !name || !*name)
        return NULL;
    dv_resource like = {
        .group = group,
        .version = version,
        .kind = kind,
        .resource = name,
        .api_version = api_version,
        .namespaced = dv_str_is(dv_json_view(resource, "/scope"), "Namespaced"),
        .has_status = has_subresource(resource, "status"),
        .can_list_watch = has_verb(resource, "list") && has_verb(resource, "watch"),
        .can_delete = has_verb(resource, "delete"),
    };
    DV_CHECK(intern_resource(&d->served, &like, &made));
    dv_auto_str by_version = dv_asprintf("%s|%s", api_version, kind);
    dv_auto_str by_group = dv_asprintf("%s|%s", group, kind);
    put_first(kinds->by_version, dv_str_of(by_version), made);
    if (put_first(kinds->by_group, dv_str_of(by_group), made))
        *dv_vec_push(&kinds->preferred) = made;
    return NULL;
}

static dv_err *add_version(dv_discovery *d, dv_kinds *kinds, const char *group,
                           const json_t *version)
{
    const json_t *resources = dv_json_array(version, "/resources");
    const char *name = dv_json_str(version, "/version");
    const json_t *resource;
    size_t i;

    if (!name || !*name)
        return NULL;
    /* An aggregated server that is down: its kinds are unknown, not gone. */
    if (dv_str_is(dv_json_view(version, "/freshness"), "Stale"))
        dv_map_put(kinds->unavailable, dv_str_of(group), d);
    json_array_foreach(resources, i, resource)
        DV_CHECK(add_resource(d, kinds, group, name, resource));
    return NULL;
}

dv_err *dv_discovery_add(dv_discovery *d, dv_kinds *kinds, const json_t *document)
{
    const json_t *group, *version;
    size_t i, j;

    if (!dv_str_is(dv_json_view(document, "/kind"), "APIGroupDiscoveryList"))
        return dv_err_new(DV_INVALID, "NoAggregatedDiscovery",
                          "the API server has no aggregated discovery: Kubernetes 1.30 or newer "
                          "is needed");
    json_array_foreach(dv_json_array(document, "/items"), i, group)
    {
        const char *name = dv_json_str(group, "/metadata/name");

        json_array_foreach(dv_json_array(group, "/versions"), j, version)
            DV_CHECK(add_version(d, kinds, name ? name : "", version));
    }
    return NULL;
}

/* ---- Asking the server; without the lock ---- */

static dv_err *read_answer(dv_kube *kube, const dv_ctx *ctx, dv_http_result answer,
                           json_t **ret_document)
{
    dv_auto(dv_http_response) response = answer.response;

    dv_kube_count_add(kube, "get", response ? response->status : 0);
    if (answer.err)
        return dv_err_wrap(answer.err, "discovery");
    if (response->status != 200) {
        dv_err *err = dv_kube_answer_error(NULL, response->status, dv_buf_str(&response->body),
                                           dv_http_retry_after_ms(response, ctx->clock));
        /* A server that says 404 here is no API server, or not yet. */
        if (strcmp(dv_err_reason(err), "KindNotFound") == 0)
            err = dv_err_recast(err, DV_TRANSIENT, "NoDiscovery");
        return dv_err_wrap(err, "discovery");
    }
    return dv_err_recast(dv_json_read(dv_buf_str(&response->body), ret_document), DV_TRANSIENT,
                         "BadAnswer");
}

static dv_err *ask(dv_ctx *ctx, dv_kube *kube, json_t **ret_core, json_t **ret_groups)
{
    const char *headers[] = {ACCEPT_DISCOVERY, kube->user_agent};
    dv_auto_str core_url = dv_asprintf("%s/api", dv_kube_config_server(kube->config));
    dv_auto_str groups_url = dv_asprintf("%s/apis", dv_kube_config_server(kube->config));
    const char *const urls[] = {core_url, groups_url};
    dv_http_request requests[2];
    dv_http_result answers[2];

    for (size_t i = 0; i < 2; i++)
        requests[i] = (dv_http_request){.method = "GET",
                                        .url = urls[i],
                                        .headers = headers,
                                        .n_headers = DV_LEN(headers),
                                        .response_max = DV_KUBE_DISCOVERY_MAX};
    dv_kube_exchange(ctx, kube, kube->requests, requests, 2, 2, answers);
    dv_err *core = read_answer(kube, ctx, answers[0], ret_core);
    dv_err *groups = read_answer(kube, ctx, answers[1], ret_groups);
    return dv_err_join(core, groups);
}

/* Takes the kinds in place of those that were known. */
static dv_err *replace(dv_discovery *d, const json_t *core, const json_t *groups)
{
    DV_CLEANUP(dv_kinds_done) dv_kinds fresh;
    DV_LOCK_SCOPE(&d->mu);

    dv_kinds_init(&fresh);
    DV_CHECK(dv_discovery_add(d, &fresh, core));
    DV_CHECK(dv_discovery_add(d, &fresh, groups));
    dv_kinds old = d->kinds;
    d->kinds = fresh;
    fresh = old;
    return NULL;
}

/*
 * One round; the caller has set `loading`. A server that is not ready lists the groups that it
 * has got to so far; what it says after it was ready is all there is, or marked as stale.
 */
static dv_err *load(dv_ctx *ctx, dv_kube *kube)
{
    dv_discovery *d = &kube->discovery;
    json_auto_t *core = NULL;
    json_auto_t *groups = NULL;
    dv_err *err = dv_err_wrap(dv_kube_check_ready(ctx, kube), "discovery");

    if (!err)
        err = ask(ctx, kube, &core, &groups);
    if (!err)
        err = replace(d, core, groups);
    DV_LOCK_SCOPE(&d->mu);
    d->loading = false;
    d->round++;
    dv_err_free(d->last_err);
    d->last_err = dv_err_dup(err);
    if (!err) {
        d->loaded = true;
        d->stale = d->suspect = false;
        d->loaded_ms = dv_ctx_now_ms(ctx);
    }
    pthread_cond_broadcast(&d->changed);
    return err;
}

/* ---- Looking up ---- */

typedef enum { FOUND, MISSING, MUST_LOAD, ROUND_FAILED } look;

/* May, and should, discovery be read (again) before we answer? With the lock held. */
static bool should_load(const dv_discovery *d, const dv_ctx *ctx, bool hit)
{
    bool due = dv_ctx_now_ms(ctx) - d->loaded_ms >= DV_KUBE_DISCOVERY_MS;

    if (!d->loaded)
        return true;
    return hit ? d->suspect && due : d->stale || due;
}

/* Waits for the round that is under way. With the lock held. */
static dv_err *await_round(dv_ctx *ctx, dv_discovery *d)
{
    uint64_t round = d->round;

    while (d->loading && d->round == round) {
        dv_cond_wait_ms(&d->changed, &d->mu, WAIT_SLICE_MS);
        DV_CHECK(dv_ctx_check(ctx));
    }
    return dv_err_dup(d->last_err);
}

/* MUST_LOAD: the caller has claimed the round. *ret_hit may be set with every result. */
static look peek(dv_ctx *ctx, dv_discovery *d, bool by_group, dv_str key,
                 const dv_resource **ret_hit, dv_err **ret_err)
{
    DV_LOCK_SCOPE(&d->mu);

    for (;;) {
        *ret_hit = dv_map_get(by_group ? d->kinds.by_group : d->kinds.by_version, key);
        if (!should_load(d, ctx, *ret_hit != NULL))
            return *ret_hit ? FOUND : MISSING;
        if (!d->loading) {
            d->loading = true;
            return MUST_LOAD;
        }
        *ret_err = await_round(ctx, d);
        if (*ret_err)
            return ROUND_FAILED;
    }
}

static dv_err *missing(dv_discovery *d, dv_str group, const char *where, const char *kind)
{
    DV_LOCK_SCOPE(&d->mu);

    if (dv_map_get(d->kinds.unavailable, group))
        return dv_err_new(DV_TRANSIENT, "GroupUnavailable",
                          "the API server can't say now whether there is a kind %s in %s", kind,
                          where);
    return dv_err_new(DV_NOT_FOUND, "KindNotFound", "the API server has no kind %s in %s", kind,
                      where);
}

/* Reads discovery as often as it takes. *ret_hit may be set also where that failed. */
static dv_err *find(dv_ctx *ctx, dv_kube *kube, bool by_group, const char *key,
                    const dv_resource **ret_hit)
{
    dv_err *err = NULL;

    while (peek(ctx, &kube->discovery, by_group, dv_str_of(key), ret_hit, &err) == MUST_LOAD) {
        err = load(ctx, kube);
        if (err)
            break;
    }
    return err;
}

static dv_err *look_up(dv_ctx *ctx, dv_kube *kube, bool by_group, const char *where,
                       const char *kind, const dv_resource **ret_resource)
{
    dv_discovery *d = &kube->discovery;
    dv_auto_str key = dv_asprintf("%s|%s", where, kind);
    const dv_resource *hit = NULL;
    dv_err *err = find(ctx, kube, by_group, key, &hit);

    if (err && !hit)
        return err;
    dv_err_free(err); /* what was known is better than nothing */
    if (!hit)
        return missing(d, by_group ? dv_str_of(where) : dv_api_group(where),
                       *where ? where : "the core group", kind);
    *ret_resource = hit;
    return NULL;
}

dv_err *dv_kube_resource(dv_ctx *ctx, dv_kube *kube, const char *api_version, const char *kind,
                         const dv_resource **ret_resource)
{
    return look_up(ctx, kube, /* by_group= */ false, api_version, kind, ret_resource);
}

dv_err *dv_kube_resource_preferred(dv_ctx *ctx, dv_kube *kube, const char *group, const char *kind,
                                   const dv_resource **ret_resource)
{
    return look_up(ctx, kube, /* by_group= */ true, group, kind, ret_resource);
}

dv_err *dv_kube_resource_defined(dv_kube *kube, const char *group, const char *version,
                                 const char *kind, const char *resource, bool namespaced,
                                 const dv_resource **ret_resource)
{
    dv_discovery *d = &kube->discovery;
    dv_auto_str api_version = *group ? dv_asprintf("%s/%s", group, version) : dv_strdup(version);
    dv_resource like = {.group = group,
                        .version = version,
                        .kind = kind,
                        .resource = resource,
                        .api_version = api_version,
                        .namespaced = namespaced,
                        .has_status = true,
                        .can_list_watch = true,
                        .can_delete = true};
    DV_LOCK_SCOPE(&d->mu);

    return intern_resource(&d->own, &like, ret_resource);
}

const dv_resource *dv_kube_resource_static(dv_kube *kube, const char *group, const char *version,
                                           const char *kind, const char *resource, bool namespaced)
{
    const dv_resource *made = NULL;
    dv_err *err = dv_kube_resource_defined(kube, group, version, kind, resource, namespaced, &made);

    DV_ASSERT(!err); /* our own few kinds are named before anybody's package is read */
    return made;
}

void dv_kube_discovery_stale(dv_kube *kube)
{
    DV_LOCK_SCOPE(&kube->discovery.mu);

    kube->discovery.stale = true;
}

void dv_kube_discovery_suspect(dv_kube *kube)
{
    DV_LOCK_SCOPE(&kube->discovery.mu);

    kube->discovery.suspect = true;
}

dv_err *dv_kube_discover(dv_ctx *ctx, dv_kube *kube)
{
    const dv_resource *hit = NULL;

    dv_kube_discovery_suspect(kube);
    return find(ctx, kube, /* by_group= */ false, "v1|Namespace", &hit);
}

bool dv_kube_next_unavailable(dv_kube *kube, size_t *cursor, char **ret_group)
{
    DV_LOCK_SCOPE(&kube->discovery.mu);
    dv_str group;
    void *value;

    if (!dv_map_next(kube->discovery.kinds.unavailable, cursor, &group, &value))
        return false;
    *ret_group = dv_str_dup(group);
    return true;
}

bool dv_kube_next_resource(dv_kube *kube, size_t *cursor, const dv_resource **ret_resource)
{
    const dv_kinds *kinds = &kube->discovery.kinds;
    DV_LOCK_SCOPE(&kube->discovery.mu);

    if (*cursor >= kinds->preferred.n)
        return false;
    *ret_resource = kinds->preferred.at[(*cursor)++];
    return true;
}
