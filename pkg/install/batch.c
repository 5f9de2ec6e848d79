/* SPDX-License-Identifier: Apache-2.0 */
#include "install/batch.h"

static bool is_chance(const dv_err *err)
{
    return dv_err_is(err, DV_TRANSIENT) && !dv_err_retry_after_ms(err);
}

/* Sends what failed by chance once more; false: nothing did. */
static bool send_again(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *requests, size_t n,
                       dv_kube_result *results)
{
    dv_kube_request *again = dv_calloc(n, sizeof(*again));
    dv_kube_result *answers = dv_calloc(n, sizeof(*answers));
    size_t *at = dv_calloc(n, sizeof(*at)), count = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_chance(results[i].err))
            continue;
        again[count] = requests[i];
        at[count++] = i;
    }
    dv_kube_batch(ctx, kube, again, count, answers);
    for (size_t i = 0; i < count; i++) {
        dv_err_free(results[at[i]].err);
        results[at[i]] = answers[i];
    }
    free(again);
    free(answers);
    free(at);
    return count > 0;
}

void dv_batch(dv_ctx *ctx, dv_kube *kube, const dv_kube_request *requests, size_t n,
              dv_kube_result *ret_results)
{
    dv_kube_batch(ctx, kube, requests, n, ret_results);
    for (int i = 1; i < DV_BATCH_TRIES && send_again(ctx, kube, requests, n, ret_results); i++)
        ;
}
