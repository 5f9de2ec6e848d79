/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leader election by a coordination.k8s.io/v1 Lease, compatible with client-go's.
 *
 * Time is the boot-time clock, which runs on while the machine or the process is stopped. A
 * holder may write until DV_LEASE_RENEW_DEADLINE_MS after the moment it *began* its last
 * successful renewal; others may take the lease DV_LEASE_DURATION_MS after they last *saw* it
 * change. dv_lease_held() is asked again by the transport as each write is handed to the network.
 *
 * Written by PUT with resourceVersion, on the lease lane.
 *
 * Threads: dv_lease_held() any; the rest owner.
 */
#pragma once

#include "kube/client.h"

#define DV_LEASE_DURATION_MS ((int64_t)15000)
#define DV_LEASE_RENEW_DEADLINE_MS ((int64_t)10000)
#define DV_LEASE_RETRY_MS ((int64_t)2000)

typedef struct dv_lease dv_lease;
typedef struct {
    dv_kube *kube;         /* borrowed */
    const dv_clock *clock; /* borrowed */
    const char *ns, *name;
    const char *identity;                             /* unique: host name and UUID */
    int64_t duration_ms, renew_deadline_ms, retry_ms; /* 0: the constants above */
} dv_lease_options;
dv_lease *dv_lease_new(const dv_lease_options *options);
void dv_lease_free(dv_lease *lease);
/* Takes, renews or watches the lease; returns how long until the next step (with jitter). */
int64_t dv_lease_step(dv_ctx *ctx, dv_lease *lease);
/* True while we may write. Once it was so and is no longer, it never is again: exit, start over. */
bool dv_lease_held(const dv_lease *lease);
bool dv_lease_lost(const dv_lease *lease);
const char *dv_lease_holder(const dv_lease *lease); /* who we saw last; "" unknown */
/* Gives it back: empty holder, duration 1 s, so that a standby takes over at once. */
void dv_lease_release(dv_ctx *ctx, dv_lease *lease);
DV_DEFINE_AUTO(dv_lease)
