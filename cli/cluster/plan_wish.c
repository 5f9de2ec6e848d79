/* SPDX-License-Identifier: Apache-2.0 */
/* From a file's PackageManifest to the store, as if it had been applied. */
#include "plan.h"

/* Above all that an API server has counted to; 18 digits, which the store compares as a number. */
#define REVISION_BASE 900000000000000000U

dv_err *plan_store(plan *p, const json_t *object, const dv_pm_status *status)
{
    json_auto_t *copy = dv_json_copy(object);
    dv_auto_str revision = dv_asprintf("%llu", (unsigned long long)(REVISION_BASE + ++p->revision));
    dv_auto_str key = dv_key_of(object);

    DV_CHECK(dv_json_set(copy, "/metadata/resourceVersion", json_string(revision)));
    if (status)
        DV_CHECK(dv_json_set(copy, "/status", dv_pm_status_encode(status)));
    dv_informer_observe(p->session->pms, copy);
    dv_map_put(p->documents, dv_str_of(key), DV_TAKE(copy));
    return NULL;
}

static dv_kube_request request_for(const plan *p, dv_kube_verb verb, const char *ns,
                                   const char *name, const json_t *body)
{
    return (dv_kube_request){
        .verb = verb,
        .resource = cli_resource_pm(p->session),
        .ns = ns,
        .name = name,
        .body = body,
        .field_manager = "davit-plan",
        .dry_run = verb != DV_KUBE_GET,
    };
}

/* NULL in *ret_live: there is none. */
static dv_err *read_live(const plan *p, const char *ns, const char *name, json_t **ret_live)
{
    const dv_kube_request get = request_for(p, DV_KUBE_GET, ns, name, /* body= */ NULL);
    dv_err *err = dv_kube_do(&p->session->ctx, p->session->kube, &get, ret_live);

    if (!dv_err_is(err, DV_NOT_FOUND))
        return err;
    dv_err_free(err);
    return NULL;
}

/* A file says the whole spec; of labels and annotations it says those it has. */
static void overlay(json_t *live, const json_t *wish)
{
    static const char *const maps[] = {"labels", "annotations"};
    const json_t *spec = json_object_get(wish, "spec");

    json_object_set_new(live, "spec", spec ? dv_json_copy(spec) : json_object());
    for (size_t i = 0; i < DV_LEN(maps); i++) {
        json_t *metadata = json_object_get(live, "metadata");
        const json_t *wished =
            dv_json_object(json_object_get(wish, "metadata"), i ? "/annotations" : "/labels");

        if (wished && !json_is_object(json_object_get(metadata, maps[i])))
            json_object_set_new(metadata, maps[i], json_object());
        if (wished)
            json_object_update(json_object_get(metadata, maps[i]), (json_t *)wished);
    }
}

/* The uid makes labels of objects; one that is not there yet has none. */
static dv_err *fill_planned(json_t *object)
{
    if (!*dv_obj_uid(object))
        DV_CHECK(dv_json_set(object, "/metadata/uid", json_string("planned")));
    if (!dv_json_str(object, "/metadata/creationTimestamp"))
        DV_CHECK(dv_json_set(object, "/metadata/creationTimestamp",
                             json_string("9999-12-31T23:59:59Z")));
    return NULL;
}

/* Defaults and rules are the cluster's; where it can't say (no such namespace yet, or the user may
 * not write there), the file counts as it is. */
static dv_err *try_write(const plan *p, bool exists, json_t *object, json_t **ret_object)
{
    const char *ns = dv_obj_ns(object), *name = dv_obj_name(object);
    const dv_kube_request request =
        request_for(p, exists ? DV_KUBE_REPLACE : DV_KUBE_CREATE, ns, name, object);
    dv_err *err = dv_kube_do(&p->session->ctx, p->session->kube, &request, ret_object);

    if (!dv_err_is(err, DV_NOT_FOUND) && !dv_err_is(err, DV_DENIED))
        return err;
    cli_note("PackageManifest %s/%s was not checked by the cluster: %s", ns, name, dv_err_str(err));
    dv_err_free(err);
    *ret_object = json_incref(object);
    return NULL;
}

dv_err *plan_wish(plan *p, const json_t *wish)
{
    json_auto_t *object = dv_json_copy(wish);
    json_auto_t *live = NULL, *result = NULL;

    if (!*dv_obj_name(object))
        return dv_err_new(DV_INVALID, CLI_BAD_USAGE, "a PackageManifest without metadata.name");
    if (!*dv_obj_ns(object))
        DV_CHECK(dv_json_set(object, "/metadata/namespace", json_string(p->session->ns)));
    DV_CHECK(read_live(p, dv_obj_ns(object), dv_obj_name(object), &live));
    if (live)
        overlay(live, object);
    else
        dv_json_remove(object, "/status");
    DV_CHECK(try_write(p, live != NULL, live ? live : object, &result));
    DV_CHECK(fill_planned(result));
    DV_CHECK(plan_store(p, result, /* status= */ NULL));
    dv_auto_str key = dv_key_of(result);
    if (!dv_strings_has(&p->todo, key)) /* of two for one object the later counts */
        dv_strings_add(&p->todo, key);
    return NULL;
}
