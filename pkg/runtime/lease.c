/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lease_internal.h"

#include "base/crypto.h"
#include "kube/object.h"

enum { RELEASED_SECONDS = 1 };

struct dv_lease {
    dv_lease_options options; /* its texts are ours */
    dv_resource resource;
    dv_lease_send send;
    void *send_arg;

    /* Boot-time clock; 0: never held. Read by any thread. */
    _Atomic int64_t valid_until_ms;
    _Atomic bool lost;

    /* The owner's. */
    json_t *object;  /* as last seen; NULL: not seen, or not there */
    int64_t seen_ms; /* when its spec was first seen to be so */
    char *holder;
    bool unsure; /* a claim failed, but may have reached the server */
    bool complained;
};

static int64_t boot_ms(const dv_lease *lease)
{
    return lease->options.clock->boot_ms(lease->options.clock);
}

static dv_err *send_to_kube(void *arg, dv_ctx *ctx, const dv_kube_request *request,
                            json_t **ret_object)
{
    return dv_kube_do(ctx, arg, request, ret_object);
}

dv_lease *dv_lease_new(const dv_lease_options *options)
{
    dv_lease *lease = DV_NEW(dv_lease);
    dv_lease_options *own = &lease->options;

    *own = *options;
    own->ns = dv_strdup(options->ns);
    own->name = dv_strdup(options->name);
    own->identity = dv_strdup(options->identity);
    own->duration_ms = own->duration_ms ? own->duration_ms : DV_LEASE_DURATION_MS;
    own->renew_deadline_ms =
        own->renew_deadline_ms ? own->renew_deadline_ms : DV_LEASE_RENEW_DEADLINE_MS;
    own->retry_ms = own->retry_ms ? own->retry_ms : DV_LEASE_RETRY_MS;
    DV_ASSERT(own->renew_deadline_ms < own->duration_ms && own->retry_ms < own->renew_deadline_ms);
    lease->resource = (dv_resource){.group = "coordination.k8s.io",
                                    .version = "v1",
                                    .kind = "Lease",
                                    .resource = "leases",
                                    .api_version = "coordination.k8s.io/v1",
                                    .namespaced = true};
    lease->holder = dv_strdup("");
    dv_lease_send_by(lease, send_to_kube, options->kube);
    return lease;
}

void dv_lease_send_by(dv_lease *lease, dv_lease_send send, void *arg)
{
    lease->send = send;
    lease->send_arg = arg;
}

void dv_lease_free(dv_lease *lease)
{
    if (!lease)
        return;
    free((char *)(uintptr_t)lease->options.ns);
    free((char *)(uintptr_t)lease->options.name);
    free((char *)(uintptr_t)lease->options.identity);
    json_decref(lease->object);
    free(lease->holder);
    free(lease);
}

/* ---- Holding; any thread ---- */

bool dv_lease_lost(const dv_lease *lease)
{
    return lease->lost;
}

bool dv_lease_held(const dv_lease *lease)
{
    int64_t until = lease->valid_until_ms;

    if (!until || lease->lost)
        return false;
    if (boot_ms(lease) < until)
        return true;
    ((dv_lease *)(uintptr_t)lease)->lost = true; /* for good, whatever a late answer says */
    return false;
}

/* A renewal that began at began_ms has succeeded. */
static void extend(dv_lease *lease, int64_t began_ms)
{
    int64_t until = began_ms + lease->options.renew_deadline_ms;

    if (lease->valid_until_ms && !dv_lease_held(lease))
        return;
    if (boot_ms(lease) < until)
        lease->valid_until_ms = until;
}

const char *dv_lease_holder(const dv_lease *lease)
{
    return lease->holder;
}

/* ---- Deciding ---- */

dv_lease_move dv_lease_decide(const json_t *spec, const char *identity, int64_t unchanged_ms,
                              int64_t own_duration_ms)
{
    const char *holder = dv_json_str(spec, "/holderIdentity");
    int64_t seconds = dv_json_int(spec, "/leaseDurationSeconds", 0);
    int64_t duration_ms = own_duration_ms;

    if (!holder || !*holder)
        return DV_LEASE_TAKE;
    if (strcmp(holder, identity) == 0)
        return DV_LEASE_RENEW;
    if (seconds > 0)
        duration_ms = DV_MIN(seconds, DV_LEASE_DURATION_MAX_MS / 1000) * 1000;
    return unchanged_ms >= duration_ms ? DV_LEASE_TAKE : DV_LEASE_WAIT;
}

/* Keeps what the server says of the lease (taken; NULL: there is none). */
static void see(dv_lease *lease, json_t *object)
{
    json_t *spec = dv_json_object(object, "/spec");
    const char *holder = dv_json_str(spec, "/holderIdentity");

    if (!json_equal(spec, dv_json_object(lease->object, "/spec")))
        lease->seen_ms = boot_ms(lease);
    json_decref(lease->object);
    lease->object = object;
    free(lease->holder);
    lease->holder = dv_strdup(holder ? holder : "");
}

/* ---- Talking to the server ---- */

static dv_err *ask(dv_ctx *ctx, dv_lease *lease, dv_kube_verb verb, const json_t *body,
                   json_t **ret_object)
{
    dv_kube_request request = {.verb = verb,
                               .resource = &lease->resource,
                               .ns = lease->options.ns,
                               .name = verb == DV_KUBE_CREATE ? NULL : lease->options.name,
                               .body = body,
                               .lease_lane = true};

    return lease->send(lease->send_arg, ctx, &request, ret_object);
}

static dv_err *look(dv_ctx *ctx, dv_lease *lease)
{
    json_t *object = NULL;
    dv_err *err = ask(ctx, lease, DV_KUBE_GET, NULL, &object);

    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        err = NULL;
    }
    if (!err)
        see(lease, object);
    return err;
}

static json_t *now_text(const dv_lease *lease)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(64);

    dv_time_add_micro(&text, lease->options.clock->unix_us(lease->options.clock));
    return json_string(dv_buf_cstr(&text));
}

/* The lease as we want it, made from the one we saw; owned. */
static json_t *wanted(const dv_lease *lease, const char *holder, int64_t seconds)
{
    const dv_lease_options *options = &lease->options;
    json_t *object =
        lease->object ? json_deep_copy(lease->object)
                      : dv_obj_new("coordination.k8s.io/v1", "Lease", options->ns, options->name);
    json_t *spec = dv_json_object(object, "/spec");
    bool ours = strcmp(lease->holder, options->identity) == 0;

    if (!spec) {
        spec = json_object();
        json_object_set_new(object, "spec", spec);
    }
    dv_json_remove(object, "/metadata/managedFields");
    json_object_set_new(spec, "holderIdentity", json_string(holder));
    json_object_set_new(spec, "leaseDurationSeconds", json_integer(seconds));
    json_object_set_new(spec, "renewTime", now_text(lease));
    if (!ours || !*holder)
        json_object_set_new(spec, "acquireTime", now_text(lease));
    if (!ours)
        json_object_set_new(
            spec, "leaseTransitions",
            json_integer(lease->object ? dv_json_int(spec, "/leaseTransitions", 0) + 1 : 0));
    return object;
}

/* Writes ourselves into the lease: a renewal, or a change of holder. */
static dv_err *claim(dv_ctx *ctx, dv_lease *lease)
{
    json_auto_t *body =
        wanted(lease, lease->options.identity, (lease->options.duration_ms + 999) / 1000);
    int64_t began_ms = boot_ms(lease);
    json_t *object = NULL;

    lease->unsure = true;
    DV_CHECK(ask(ctx, lease, lease->object ? DV_KUBE_REPLACE : DV_KUBE_CREATE, body, &object));
    lease->unsure = false;
    see(lease, object);
    extend(lease, began_ms);
    return NULL;
}

static dv_err *look_and_claim(dv_ctx *ctx, dv_lease *lease)
{
    const dv_lease_options *options = &lease->options;
    dv_lease_move move = DV_LEASE_TAKE;

    DV_CHECK(look(ctx, lease));
    if (lease->object)
        move = dv_lease_decide(dv_json_object(lease->object, "/spec"), options->identity,
                               boot_ms(lease) - lease->seen_ms, options->duration_ms);
    if (lease->valid_until_ms && move != DV_LEASE_RENEW && lease->object) {
        lease->lost = true; /* it was ours, and somebody took it */
        return NULL;
    }
    return move == DV_LEASE_WAIT ? NULL : claim(ctx, lease);
}

/* ---- Steps ---- */

static dv_err *step(dv_ctx *ctx, dv_lease *lease)
{
    dv_err *err;

    if (!dv_lease_held(lease) || !lease->object)
        return look_and_claim(ctx, lease);
    err = claim(ctx, lease); /* what we saw last is most likely still so */
    if (!dv_err_is(err, DV_CONFLICT) && !dv_err_is(err, DV_NOT_FOUND))
        return err;
    dv_err_free(err);
    return look_and_claim(ctx, lease);
}

static void tell(dv_ctx *ctx, dv_lease *lease, bool held_before, const char *holder_before,
                 dv_err *err)
{
    bool held = dv_lease_held(lease);

    if (err && !dv_err_is(err, DV_CANCELED) && !lease->complained)
        dv_warn(ctx->log, "lease can't be reached", dv_s("lease", lease->options.name), dv_e(err));
    lease->complained = err != NULL;
    if (held && !held_before)
        dv_info(ctx->log, "lease taken, leading", dv_s("lease", lease->options.name));
    else if (held_before && !held)
        dv_error(ctx->log, "lease lost", dv_s("holder", lease->holder));
    else if (!held && strcmp(holder_before, lease->holder) != 0)
        dv_info(ctx->log, "standing by", dv_s("holder", lease->holder));
    dv_err_free(err);
}

int64_t dv_lease_step(dv_ctx *ctx, dv_lease *lease)
{
    const dv_lease_options *options = &lease->options;
    bool held_before = dv_lease_held(lease);
    dv_auto_str holder_before = dv_strdup(lease->holder);
    dv_ctx inner = *ctx;
    int64_t wait_ms = options->retry_ms;

    if (lease->lost)
        return wait_ms;
    dv_ctx_set_timeout(&inner, options->renew_deadline_ms / 2);
    tell(ctx, lease, held_before, holder_before, step(&inner, lease));
    if (dv_lease_held(lease))
        return DV_MAX(DV_MIN(wait_ms, lease->valid_until_ms - boot_ms(lease)), (int64_t)0);
    return wait_ms + (int64_t)dv_random_below((uint64_t)wait_ms / 2 + 1);
}

int64_t dv_lease_retry_ms(const dv_lease *lease)
{
    return lease->options.retry_ms;
}

const char *dv_lease_name(const dv_lease *lease)
{
    return lease->options.name;
}

static bool is_ours(const dv_lease *lease)
{
    return lease->object && strcmp(lease->holder, lease->options.identity) == 0;
}

static dv_err *give_back(dv_ctx *ctx, dv_lease *lease)
{
    json_auto_t *body = wanted(lease, "", RELEASED_SECONDS);
    json_t *answer = NULL;

    DV_CHECK(ask(ctx, lease, DV_KUBE_REPLACE, body, &answer));
    see(lease, answer);
    return NULL;
}

void dv_lease_release(dv_ctx *ctx, dv_lease *lease)
{
    dv_auto(dv_err) err = NULL;

    if (!is_ours(lease) && !lease->unsure)
        return;
    lease->lost = true; /* nothing is written any more, before anybody else may */
    if (!lease->unsure)
        err = give_back(ctx, lease);
    if (lease->unsure || dv_err_is(err, DV_CONFLICT)) {
        dv_err_free(err);
        err = look(ctx, lease);
        if (!err && is_ours(lease))
            err = give_back(ctx, lease);
    }
    if (err)
        dv_warn(ctx->log, "lease not given back", dv_s("lease", lease->options.name), dv_e(err));
    else
        dv_info(ctx->log, "lease given back", dv_s("lease", lease->options.name));
}
