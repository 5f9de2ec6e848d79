/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are sent again at once when one of them fails by chance: of a hundred writes to a
 * shaky API server some always do, and the run must not begin anew for each.
 *
 * Threads: worker.
 */
#pragma once

#include "kube/client.h"

#define DV_BATCH_TRIES 3

/*
 * As dv_kube_batch(), but what failed as TRANSIENT without a word of when to come back is sent
 * again, DV_BATCH_TRIES times in all. The requests must do no harm when they are carried out twice.
 */
void dv_batch(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *requests, size_t n,
              dv_kube_result *ret_results);
