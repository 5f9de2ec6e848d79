/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease's decision by itself, and the way to the server, which tests replace.
 *
 * Threads: owner.
 */
#pragma once

#include "runtime/lease.h"

/* A record may ask others to wait no longer than that. */
#define DV_LEASE_DURATION_MAX_MS ((int64_t)10 * 60 * 1000)

typedef enum {
    DV_LEASE_WAIT,  /* somebody else holds it */
    DV_LEASE_TAKE,  /* given back, or not renewed in time */
    DV_LEASE_RENEW, /* ours */
} dv_lease_move;
/* What to do with a Lease's spec that has not changed for unchanged_ms. Pure. */
dv_lease_move dv_lease_decide(const json_t *spec, const char *identity, int64_t unchanged_ms,
                              int64_t own_duration_ms);

int64_t dv_lease_retry_ms(const dv_lease *lease);
const char *dv_lease_name(const dv_lease *lease);

typedef dv_err *(*dv_lease_send)(void *arg, dv_ctx *ctx, const dv_kube_request *request,
                                 json_t **ret_object);
/* Before the first step. arg is borrowed until freed. */
void dv_lease_send_by(dv_lease *lease, dv_lease_send send, void *arg);
