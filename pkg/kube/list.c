/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client_internal.h"
#include "kube/object.h"

typedef struct {
    dv_ctx *ctx;
    const dv_kube_request *request;
    dv_err *(*each)(void *arg, const json_t *item);
    void *arg;
    size_t skipped;
} walk;

/* ---- Items ---- */

/* Built-in lists leave out what their own kind says: "DeploymentList" holds Deployments. */
static void name_kind(json_t *item, const dv_list_page *page)
{
    dv_str kind = dv_str_of(page->kind);

    if (!json_is_object(item) || json_object_get(item, "kind") ||
        !dv_str_ends(kind, DV_STR("List")))
        return;
    json_object_set_new(item, "kind", dv_json_string(dv_str_head(kind, kind.n - 4)));
    if (page->api_version)
        json_object_set_new(item, "apiVersion", json_string(page->api_version));
}

static dv_err *visit(walk *w, const dv_list_page *page, dv_str bytes)
{
    json_auto_t *item = NULL;
    dv_auto(dv_err) undecodable = dv_json_read(bytes, &item);

    if (undecodable || !json_is_object(item)) {
        w->skipped++;
        dv_debug(w->ctx->log, "list item left out", dv_s("kind", w->request->resource->kind),
                 dv_s("error", undecodable ? dv_err_str(undecodable) : "it is no object"));
        return NULL;
    }
    name_kind(item, page);
    return w->each(w->arg, item);
}

static dv_err *visit_page(walk *w, dv_str body, dv_list_page *ret_page)
{
    DV_TRY(dv_list_scan(body, ret_page), "list %s", w->request->resource->kind);
    dv_str rest = ret_page->items;
    dv_str bytes;
    while (dv_list_next(&rest, &bytes))
        DV_CHECK(visit(w, ret_page, bytes));
    return NULL;
}

/* ---- Pages ---- */

/* Sends one request for a page; *ret_response is a success. */
static dv_err *fetch_page(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request,
                          dv_http_response **ret_response)
{
    DV_CLEANUP(dv_kube_call_done) dv_kube_call call;
    dv_http_result answer = {0};

    DV_CHECK(dv_kube_call_make(kube, request, DV_CALL_PLAIN, &call));
    dv_http_request http = dv_kube_call_http(&call);
    dv_kube_exchange(ctx, kube, kube->requests, &http, 1, 1, &answer);
    dv_auto(dv_http_response) response = answer.response;
    int status = response ? response->status : 0;
    dv_kube_count_add(kube, "list", status);
    DV_TRY(answer.err, "list %s", request->resource->kind);
    if (status == 200) {
        *ret_response = DV_TAKE(response);
        return NULL;
    }
    dv_err *err = dv_kube_answer_error(request, status, dv_buf_str(&response->body),
                                       dv_http_retry_after_ms(response, ctx->clock));
    if (strcmp(dv_err_reason(err), "KindNotFound") == 0)
        dv_kube_discovery_suspect(kube);
    return err;
}

/* One page; *ret_continue is owned, NULL after the last. */
static dv_err *walk_page(dv_kube *kube, walk *w, const dv_kube_request *request,
                         char **ret_continue, char **ret_resource_version)
{
    DV_CLEANUP(dv_list_page_done) dv_list_page page = {0};
    dv_auto(dv_http_response) response = NULL;

    DV_CHECK(fetch_page(w->ctx, kube, request, &response));
    DV_CHECK(visit_page(w, dv_buf_str(&response->body), &page));
    if (page.continue_token && *page.continue_token)
        *ret_continue = DV_TAKE(page.continue_token);
    else
        *ret_resource_version = DV_TAKE(page.resource_version);
    return NULL;
}

dv_err *dv_kube_list(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *request,
                     dv_err *(*each)(void *arg, const json_t *item), void *arg,
                     char **ret_resource_version, size_t *ret_skipped)
{
    walk w = {.ctx = ctx, .request = request, .each = each, .arg = arg};
    dv_kube_request page = *request;
    dv_auto_str token = NULL;
    dv_auto_str resource_version = NULL;

    page.verb = DV_KUBE_LIST;
    if (!page.limit)
        page.limit = DV_KUBE_LIST_PAGE;
    do {
        dv_auto_str next = NULL;

        DV_CHECK(dv_ctx_check(ctx));
        DV_CHECK(walk_page(kube, &w, &page, &next, &resource_version));
        free(token);
        token = DV_TAKE(next);
        page.continue_token = token;
        /* The token knows the version; naming one as well is refused. */
        page.resource_version = page.resource_version_match = NULL;
    } while (token);
    if (ret_resource_version)
        *ret_resource_version = DV_TAKE(resource_version);
    if (ret_skipped)
        *ret_skipped = w.skipped;
    return NULL;
}
