/* SPDX-License-Identifier: Apache-2.0 */
#include "install/conflict.h"

#include "kube/fieldpath.h"

/* ---- Which fields yield ---- */

static bool is_about(const dv_ignore_field *ignore, const dv_objref *ref)
{
    dv_str group = dv_api_group(ref->api_version);

    return dv_str_is(group, ignore->group ? ignore->group : "") &&
           (!ignore->kind || strcmp(ignore->kind, ref->kind) == 0) &&
           (!ignore->name || !*ignore->name || strcmp(ignore->name, ref->name) == 0);
}

/* Is the field that of the pattern, or below it? "*" stands for any token. */
static bool is_under(dv_str field, dv_str pattern, bool stars)
{
    DV_CLEANUP(dv_buf_done) dv_buf is = DV_BUF_INIT(DV_PATH_MAX), want = DV_BUF_INIT(DV_PATH_MAX);

    if (!pattern.n) /* the whole object is nothing to give up */
        return false;
    while (pattern.n) {
        if (!dv_json_token_next(&pattern, &want) || !dv_json_token_next(&field, &is))
            return false;
        bool any = stars && dv_str_is(dv_buf_str(&want), "*");
        if (!any && !dv_str_eq(dv_buf_str(&is), dv_buf_str(&want)))
            return false;
    }
    return true;
}

static bool is_ignored(const dv_yielding *by, dv_str field)
{
    for (size_t i = 0; i < by->spec->ignore_fields.n; i++) {
        const dv_ignore_field *ignore = &by->spec->ignore_fields.at[i];

        for (size_t p = 0; is_about(ignore, by->ref) && p < ignore->paths.n; p++)
            if (is_under(field, dv_str_of(ignore->paths.at[p]), /* stars= */ false))
                return true;
    }
    return false;
}

/* Written by who issues the certificate, often in the cluster. */
static bool is_bundle(const dv_objref *ref, dv_str field)
{
    static const struct {
        const char *kind, *pattern;
    } bundles[] = {
        {"APIService", "/spec/caBundle"},
        {"CustomResourceDefinition", "/spec/conversion/webhook/clientConfig/caBundle"},
        {"MutatingWebhookConfiguration", "/webhooks/*/clientConfig/caBundle"},
        {"ValidatingWebhookConfiguration", "/webhooks/*/clientConfig/caBundle"},
    };

    for (size_t i = 0; i < DV_LEN(bundles); i++)
        if (strcmp(ref->kind, bundles[i].kind) == 0 &&
            is_under(field, dv_str_of(bundles[i].pattern), /* stars= */ true))
            return true;
    return false;
}

static bool is_replicas(const dv_yielding *by, dv_str field, dv_str says)
{
    return dv_str_is(field, "/spec/replicas") &&
           (by->autoscaled ||
            dv_str_starts(says, DV_STR("conflict with \"kube-controller-manager\" with "
                                       "subresource \"scale\"")));
}

bool dv_is_autoscaled(const dv_objref *ref, const json_t *hpa)
{
    return strcmp(dv_obj_kind(hpa), "HorizontalPodAutoscaler") == 0 &&
           strcmp(dv_obj_ns(hpa), ref->ns) == 0 &&
           dv_str_is(dv_json_view(hpa, "/spec/scaleTargetRef/kind"), ref->kind) &&
           dv_str_is(dv_json_view(hpa, "/spec/scaleTargetRef/name"), ref->name);
}

/* ---- Giving them up ---- */

static bool give_up(const dv_yielding *by, const json_t *wish, json_t *rest, const json_t *cause)
{
    DV_CLEANUP(dv_buf_done) dv_buf field = DV_BUF_INIT(DV_PATH_MAX), now = DV_BUF_INIT(DV_PATH_MAX);
    const char *path = dv_json_str(cause, "/field");

    if (!path || !dv_kube_field_pointer(wish, path, &field))
        return false;
    if (!is_ignored(by, dv_buf_str(&field)) && !is_bundle(by->ref, dv_buf_str(&field)) &&
        !is_replicas(by, dv_buf_str(&field), dv_json_view(cause, "/message")))
        return false;
    /* Looked up anew: what was given up before may have moved it in its list. */
    if (!dv_kube_field_pointer(rest, path, &now))
        return false;
    dv_json_remove(rest, dv_buf_cstr(&now));
    return true;
}

bool dv_conflict_yield(const dv_yielding *by, const json_t *wish, json_t *rest,
                       const json_t *causes)
{
    bool any = false;
    const json_t *cause;
    size_t i;

    json_array_foreach(causes, i,
                       cause) if (dv_str_is(dv_json_view(cause, "/reason"), "FieldManagerConflict"))
        any |= give_up(by, wish, rest, cause);
    return any;
}

/* ---- Whose they are ---- */

/* `conflict with "a b" using v1`: the name, in its quotes. */
static dv_str manager_of(const json_t *cause)
{
    dv_str says = dv_json_view(cause, "/message");
    ptrdiff_t quote = dv_str_find(says, '"');
    dv_str name = dv_str_skip(says, quote < 0 ? says.n : (size_t)quote);
    size_t n = 1;

    while (n < name.n && name.p[n] != '"')
        n += name.p[n] == '\\' ? 2 : 1;
    return n < name.n ? dv_str_head(name, n + 1) : (dv_str){0};
}

char *dv_conflict_managers(const json_t *causes)
{
    DV_CLEANUP(dv_buf_done) dv_buf names = DV_BUF_INIT(DV_LINE_MAX);
    const json_t *cause;
    size_t i;

    json_array_foreach(causes, i, cause)
    {
        dv_str name = manager_of(cause);

        if (name.n && !dv_str_contains(dv_buf_str(&names), name))
            dv_buf_addf(&names, "%s%.*s", names.n ? ", " : "", DV_FMT(name));
    }
    return names.n ? dv_buf_take(&names) : NULL;
}
