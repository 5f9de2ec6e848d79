/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/reflector_internal.h"

#include "base/crypto.h"
#include "kube/page.h"

enum { GONE = 410, SMALLER_PAGE = 4 };

void dv_reflector_init(dv_reflector *r, const dv_informer_options *options,
                       const dv_reflector_ops *ops, void *ops_arg, const dv_log *log)
{
    *r = (dv_reflector){.options = options, .ops = ops, .ops_arg = ops_arg, .log = log};
    r->store = dv_store_new(options);
    r->limit = DV_LIST_PAGE;
    r->due_ms = INT64_MAX;
}

void dv_reflector_done(dv_reflector *r)
{
    dv_store_free(r->store);
    r->store = NULL;
}

static void start_list(dv_reflector *r)
{
    r->state = DV_LISTING;
    r->due_ms = INT64_MAX;
    r->paging = false;
    r->ops->list(r->ops_arg, r->limit, NULL);
}

static void start_watch(dv_reflector *r)
{
    dv_auto_str position = dv_store_position(r->store);

    r->state = DV_WATCHING;
    r->due_ms = INT64_MAX;
    r->began_ms = 0;
    r->watches++;
    r->ops->watch(r->ops_arg, position);
}

void dv_reflector_start(dv_reflector *r, int64_t now_ms)
{
    r->broken_since_ms = now_ms;
    start_list(r);
}

void dv_reflector_tick(dv_reflector *r, int64_t now_ms)
{
    if (r->state != DV_RESTING || r->due_ms > now_ms)
        return;
    if (r->list_next)
        start_list(r);
    else
        start_watch(r);
}

/* ---- Resting ---- */

static int64_t spread(int64_t ms)
{
    return (int64_t)dv_random_below((uint64_t)ms + 1);
}

/* From DV_REST_FIRST_MS, a quarter of it random, doubling, below DV_REST_MAX_MS. */
static int64_t rest_of(unsigned failures)
{
    int64_t most = DV_REST_MAX_MS * 4 / 5;
    int64_t base = failures < 16 ? DV_MIN(DV_REST_FIRST_MS << failures, most) : most;

    return base + spread(base / 4);
}

/* An outage is told once; its further failures are for who debugs. */
static void complain(dv_reflector *r, const dv_err *err)
{
    const char *kind = r->options->resource->kind, *doing = r->list_next ? "list" : "watch";

    if (!err)
        return;
    if (r->complained)
        dv_debug(r->log, "still no watch", dv_s("kind", kind), dv_s("next", doing), dv_e(err));
    else
        dv_warn(r->log, "watch is broken", dv_s("kind", kind), dv_s("next", doing), dv_e(err));
    r->complained = true;
}

static void rest_for(dv_reflector *r, int64_t now_ms, int64_t ms)
{
    r->state = DV_RESTING;
    r->due_ms = now_ms + ms;
    if (!r->broken_since_ms)
        r->broken_since_ms = now_ms;
}

/*
 * An API server that has just started forbids everything until it has read its roles, so the first
 * refusals are worth a question soon; one that lasts is meant, and RBAC changes send no event.
 */
static int64_t rest_of_denial(unsigned denials)
{
    if (denials < DV_REST_DENIALS_MAX)
        return rest_of(denials);
    return DV_REST_DENIED_MS + spread(DV_REST_DENIED_MS / 3);
}

/* And counts it. A server that says when to come back is there: its word needs no backoff. */
static int64_t rest_after(dv_reflector *r, const dv_err *err)
{
    int64_t asked_ms = err ? dv_err_retry_after_ms(err) : 0;

    if (asked_ms > 0)
        return asked_ms;
    return dv_err_is(err, DV_DENIED) ? rest_of_denial(r->denials++) : rest_of(r->failures++);
}

/* Something failed. Takes err, which may be NULL. */
static void rest(dv_reflector *r, int64_t now_ms, bool list_next, dv_err *err)
{
    r->list_next = list_next;
    complain(r, err);
    if (dv_err_is(err, DV_DENIED))
        r->denied = true;
    rest_for(r, now_ms, rest_after(r, err));
    dv_err_free(err);
}

/* ---- Objects ---- */

void dv_reflector_skipped(dv_reflector *r, uint64_t n, const char *why)
{
    if (!n)
        return;
    if (r->skipped == 0)
        dv_warn(r->log, "object left out, further ones are only counted",
                dv_s("kind", r->options->resource->kind), dv_s("error", why));
    r->skipped += n;
}

static bool fits_key(dv_str name, size_t at_least)
{
    return name.n >= at_least && name.n <= DV_KEY_MAX / 2 && !memchr(name.p, '\0', name.n);
}

/* Owned; NULL: the object has no name that could be a key. */
static char *key_of(const json_t *metadata)
{
    dv_str ns = dv_json_view(metadata, "/namespace"), name = dv_json_view(metadata, "/name");

    if (!fits_key(name, 1) || (ns.n && !fits_key(ns, 1)))
        return NULL;
    return ns.n ? dv_asprintf("%.*s/%.*s", DV_FMT(ns), DV_FMT(name)) : dv_str_dup(name);
}

/* Items of typed lists come without kind, metadata-only ones as PartialObjectMetadata. */
static void complete(const dv_reflector *r, json_t *object)
{
    json_t *metadata = json_object_get(object, "metadata");

    json_object_del(metadata, "managedFields");
    dv_json_put_str(object, "apiVersion", r->options->resource->api_version);
    dv_json_put_str(object, "kind", r->options->resource->kind);
}

/* Changes the object. False: it has no usable name or version. */
static bool put(dv_reflector *r, dv_store_from from, json_t *object, bool gone)
{
    const json_t *metadata = json_object_get(object, "metadata");
    dv_auto_str key = key_of(metadata);
    dv_str version = dv_json_view(metadata, "/resourceVersion");
    dv_rv rv;

    if (!key || !version.n || version.n > DV_RV_MAX)
        return false;
    rv = dv_rv_of(version);
    if (gone) {
        dv_store_remove(r->store, key, &rv);
    } else {
        complete(r, object);
        dv_store_put(r->store, from, key, &rv, r->options->reduce(r->options->arg, object));
    }
    dv_rv_done(&rv);
    return true;
}

void dv_reflector_observe(dv_reflector *r, const json_t *object)
{
    json_auto_t *own = json_copy((json_t *)(uintptr_t)object); /* shallow: what changes is ours */
    json_t *metadata = json_copy(json_object_get(own, "metadata"));

    if (!metadata)
        return;
    json_object_set_new(own, "metadata", metadata);
    if (r->options->ns && !dv_str_is(dv_json_view(metadata, "/namespace"), r->options->ns))
        return;
    put(r, DV_FROM_WRITE, own, false);
}

/* ---- Lists ---- */

/* The error that an answer other than 200 stands for. *ret_gone: 410, also from within. */
static dv_err *refusal(const dv_answer *answer, bool *ret_gone)
{
    json_auto_t *doc = NULL;
    dv_err *err;

    dv_err_free(dv_json_read(answer->body, &doc)); /* the status says enough */
    err = dv_kube_status_error(doc, answer->status);
    *ret_gone = answer->status == GONE || dv_json_int(doc, "/code", 0) == GONE;
    if (answer->retry_after_ms > dv_err_retry_after_ms(err))
        dv_err_set_retry_after(err, answer->retry_after_ms);
    return err;
}

static void list_item(dv_reflector *r, dv_str text)
{
    json_auto_t *item = NULL;
    dv_auto(dv_err) err = dv_json_read(text, &item);

    if (!err && put(r, DV_FROM_LIST, item, false))
        return;
    dv_reflector_skipped(r, 1, err ? dv_err_str(err) : "no usable name or resourceVersion");
    if (!err)
        return;
    /* It is there, so it must not look deleted. */
    json_auto_t *metadata = NULL;
    dv_auto(dv_err) unnamed = dv_json_read(dv_list_item_member(text, "metadata"), &metadata);
    dv_auto_str key = unnamed ? NULL : key_of(metadata);
    if (key)
        dv_store_list_keep(r->store, key);
}

static void take_page(dv_reflector *r, const dv_list_page *page)
{
    dv_str rest = page->items, item;

    if (!r->paging) {
        dv_rv rv = dv_rv_of(dv_str_of(page->resource_version));

        dv_store_list_begin(r->store, &rv);
        dv_rv_done(&rv);
        r->paging = true;
    }
    while (dv_list_next(&rest, &item))
        list_item(r, item);
}

/* That it may be listed does not say that it may be watched: denials are counted on. */
static void list_ended(dv_reflector *r)
{
    dv_store_list_end(r->store);
    r->lists++;
    r->refusals = 0;
    r->denied = false;
    r->synced = true; /* the cache tells the changes before it tells of this */
    start_watch(r);
}

void dv_reflector_listed(dv_reflector *r, int64_t now_ms, const dv_answer *answer)
{
    DV_CLEANUP(dv_list_page_done) dv_list_page page = {0};
    dv_err *err = answer->err;
    bool gone;

    if (!err && answer->status != 200)
        err = refusal(answer, &gone);
    if (!err)
        err = dv_list_scan(answer->body, &page);
    /* What is no list must not empty a store. */
    if (!err && !(page.resource_version && *page.resource_version))
        err = dv_err_new(DV_TRANSIENT, "BadAnswer", "the server's list has no resourceVersion");
    if (dv_err_is(err, DV_INVALID) && strcmp(dv_err_reason(err), "ResponseTooLarge") == 0 &&
        r->limit > 1) {
        dv_err_free(err);
        r->limit = DV_MAX(r->limit / SMALLER_PAGE, (int64_t)1);
        start_list(r);
        return;
    }
    if (err) {
        rest(r, now_ms, true, dv_err_wrap(err, "list of %s", r->options->resource->kind));
        return;
    }
    take_page(r, &page);
    if (page.continue_token && *page.continue_token)
        r->ops->list(r->ops_arg, r->limit, page.continue_token);
    else
        list_ended(r);
}

/* ---- Watches ---- */

void dv_reflector_began(dv_reflector *r, int64_t now_ms)
{
    r->began_ms = now_ms;
    r->broken_since_ms = 0;
    r->denied = false;
    r->denials = 0;
    if (!r->complained)
        return;
    dv_info(r->log, "watch runs again", dv_s("kind", r->options->resource->kind));
    r->complained = false;
    r->resumes++;
}

/* At once the first time: that it was away before is no reason to wait, the server answers now. */
static void relist(dv_reflector *r, int64_t now_ms)
{
    if (!r->broken_since_ms)
        r->broken_since_ms = now_ms;
    r->list_next = true;
    if (r->expiries == 0)
        start_list(r);
    else
        rest_for(r, now_ms, rest_of(r->expiries - 1));
    r->expiries++;
}

/* The server refused the watch, or ended it with a Status. Takes err. */
static void refused(dv_reflector *r, int64_t now_ms, bool gone, dv_err *err)
{
    if (gone) {
        dv_debug(r->log, "watch expired", dv_s("kind", r->options->resource->kind), dv_e(err));
        dv_err_free(err);
        relist(r, now_ms);
        return;
    }
    if (!dv_err_retry_after_ms(err)) /* busy is no refusal */
        r->refusals++;
    rest(r, now_ms, r->refusals >= DV_WATCH_REFUSALS_MAX,
         dv_err_wrap(err, "watch of %s", r->options->resource->kind));
}

static void watch_over(dv_reflector *r, int64_t now_ms)
{
    if (r->began_ms && now_ms - r->began_ms >= DV_WATCH_HEALTHY_MS)
        r->failures = r->expiries = 0;
}

static void error_event(dv_reflector *r, int64_t now_ms, const json_t *status)
{
    int code = (int)dv_json_int(status, "/code", 0);

    r->ops->unwatch(r->ops_arg);
    watch_over(r, now_ms);
    refused(r, now_ms, code == GONE, dv_kube_status_error(status, code ? code : 500));
}

static void bookmark(dv_reflector *r, const json_t *object)
{
    dv_str version = dv_json_view(object, "/metadata/resourceVersion");
    dv_rv rv;

    if (!version.n || version.n > DV_RV_MAX)
        return;
    rv = dv_rv_of(version);
    dv_store_pass(r->store, &rv);
    dv_rv_done(&rv);
}

void dv_reflector_line(dv_reflector *r, int64_t now_ms, dv_str line)
{
    json_auto_t *object = NULL;
    dv_event_type type;
    dv_auto(dv_err) err = dv_event_decode(line, &type, &object);

    if (err) {
        dv_reflector_skipped(r, 1, dv_err_str(err));
        return;
    }
    if (type == DV_EVENT_ERROR) {
        error_event(r, now_ms, object);
        return;
    }
    r->refusals = 0;
    if (type == DV_EVENT_BOOKMARK) {
        bookmark(r, object);
        return;
    }
    r->events++;
    if (!put(r, DV_FROM_WATCH, object, type == DV_EVENT_DELETED))
        dv_reflector_skipped(r, 1, "no usable name or resourceVersion");
}

void dv_reflector_ended(dv_reflector *r, int64_t now_ms, const dv_answer *answer)
{
    dv_err *err = answer->err;
    int64_t lived = r->began_ms ? now_ms - r->began_ms : 0;
    bool gone;

    r->ops->unwatch(r->ops_arg);
    watch_over(r, now_ms);
    if (!err && answer->status && answer->status != 200) {
        err = refusal(answer, &gone);
        refused(r, now_ms, gone, err);
    } else if (!err && lived >= DV_WATCH_HEALTHY_MS) {
        start_watch(r); /* servers end each watch now and then */
    } else if (!err && lived >= DV_WATCH_SHORT_MS) {
        r->list_next = false;
        rest_for(r, now_ms, rest_of(0));
    } else {
        rest(r, now_ms, false,
             err ? dv_err_wrap(err, "watch of %s", r->options->resource->kind) : NULL);
    }
}

void dv_reflector_overflowed(dv_reflector *r, int64_t now_ms)
{
    r->ops->unwatch(r->ops_arg);
    watch_over(r, now_ms);
    dv_warn(r->log, "watch told more than could be read, listing anew",
            dv_s("kind", r->options->resource->kind));
    relist(r, now_ms);
}
