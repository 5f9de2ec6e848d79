/* SPDX-License-Identifier: Apache-2.0 */
#include "install/conflict.h"

#include <ctype.h>

/* ---- Field paths: ".spec.template.spec.containers[name=\"a\"].image" (structured-merge-diff) ----
 */

/* Reads one token of a JSON pointer (RFC 6901), unescaped; returns what follows. */
static const char *next_token(const char *pointer, dv_buf *ret_token)
{
    dv_buf_reset(ret_token);
    for (pointer++; *pointer && *pointer != '/'; pointer++) {
        if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1')) {
            dv_buf_addc(ret_token, pointer[1] == '0' ? '~' : '/');
            pointer++;
        } else {
            dv_buf_addc(ret_token, *pointer);
        }
    }
    return pointer;
}

static bool is_number(const dv_buf *token)
{
    for (size_t i = 0; i < token->n; i++)
        if (!isdigit((unsigned char)token->p[i]))
            return false;
    return token->n > 0;
}

/* Behind "[…]", or NULL. */
static const char *skip_selector(const char *path)
{
    const char *end = *path == '[' ? strchr(path, ']') : NULL;

    return end ? end + 1 : NULL;
}

/* Behind ".token", or NULL. */
static const char *skip_member(const char *path, const dv_buf *token)
{
    if (*path != '.' || strncmp(path + 1, dv_buf_cstr(token), token->n) != 0)
        return NULL;
    return path + 1 + token->n;
}

static bool path_starts_with(const char *path, const char *pointer)
{
    DV_CLEANUP(dv_buf_done) dv_buf token = DV_BUF_INIT(DV_PATH_MAX);

    while (*pointer == '/' && path) {
        pointer = next_token(pointer, &token);
        path = *path == '[' && is_number(&token) ? skip_selector(path) : skip_member(path, &token);
    }
    return path && !(isalnum((unsigned char)*path) || *path == '-' || *path == '_' || *path == '/');
}

bool dv_conflict_names(const char *message, const char *pointer)
{
    for (const char *at = strchr(message, '.'); at && *pointer; at = strchr(at + 1, '.'))
        if (path_starts_with(at, pointer))
            return true;
    return false;
}

/* ---- What yields ---- */

static bool is_about(const dv_ignore_field *ignore, const dv_objref *ref)
{
    dv_str group = dv_api_group(ref->api_version);

    return dv_str_is(group, ignore->group ? ignore->group : "") &&
           (!ignore->kind || strcmp(ignore->kind, ref->kind) == 0) &&
           (!ignore->name || !*ignore->name || strcmp(ignore->name, ref->name) == 0);
}

static bool give_up(json_t *object, const char *pointer, const char *message)
{
    if (!dv_json_at(object, pointer) || !dv_conflict_names(message, pointer))
        return false;
    dv_json_remove(object, pointer);
    return true;
}

static bool yield_ignored(json_t *object, const dv_objref *ref, const dv_pm_spec *spec,
                          const char *message)
{
    bool any = false;

    for (size_t i = 0; i < spec->ignore_fields.n; i++) {
        const dv_ignore_field *ignore = &spec->ignore_fields.at[i];

        for (size_t p = 0; is_about(ignore, ref) && p < ignore->paths.n; p++)
            any |= give_up(object, ignore->paths.at[p], message);
    }
    return any;
}

bool dv_is_autoscaled(const dv_objref *ref, const json_t *hpa)
{
    return strcmp(dv_obj_kind(hpa), "HorizontalPodAutoscaler") == 0 &&
           strcmp(dv_obj_ns(hpa), ref->ns) == 0 &&
           dv_str_is(dv_json_view(hpa, "/spec/scaleTargetRef/kind"), ref->kind) &&
           dv_str_is(dv_json_view(hpa, "/spec/scaleTargetRef/name"), ref->name);
}

static bool is_scaled_by_controller(const char *message)
{
    return strstr(message, "kube-controller-manager") && strstr(message, "subresource \"scale\"");
}

static bool yield_bundles(json_t *object, const char *message)
{
    bool any = give_up(object, "/spec/caBundle", message);
    size_t i;
    json_t *hook;

    if (give_up(object, "/spec/conversion/webhook/clientConfig/caBundle", message))
        any = true;
    json_array_foreach(dv_json_array(object, "/webhooks"), i, hook)
    {
        if (!dv_json_at(hook, "/clientConfig/caBundle") ||
            !strstr(message, ".clientConfig.caBundle"))
            continue;
        dv_json_remove(hook, "/clientConfig/caBundle");
        any = true;
    }
    return any;
}

bool dv_conflict_yield(json_t *object, const dv_objref *ref, const dv_pm_spec *spec,
                       bool autoscaled, const char *message)
{
    bool ignored = yield_ignored(object, ref, spec, message);
    bool bundles = yield_bundles(object, message);
    bool replicas = (autoscaled || is_scaled_by_controller(message)) &&
                    give_up(object, "/spec/replicas", message);

    return ignored || bundles || replicas;
}
