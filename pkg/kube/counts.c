/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/client_internal.h"

void dv_kube_counts_init(dv_kube_counts *counts)
{
    pthread_mutex_init(&counts->mu, NULL);
    counts->n = 0;
}

void dv_kube_counts_done(dv_kube_counts *counts)
{
    pthread_mutex_destroy(&counts->mu);
}

void dv_kube_count_add(dv_kube *kube, const char *verb, int code)
{
    dv_kube_counts *counts = &kube->counts;
    DV_LOCK_SCOPE(&counts->mu);

    for (size_t i = 0; i < counts->n; i++) {
        if (counts->at[i].code == code && strcmp(counts->at[i].verb, verb) == 0) {
            counts->at[i].count++;
            return;
        }
    }
    if (counts->n < DV_KUBE_COUNTS_MAX) /* far more than there are verbs and codes */
        counts->at[counts->n++] = (dv_kube_count){verb, code, 1};
}

void dv_kube_request_counts(const dv_kube *kube,
                            void (*each)(void *arg, const char *verb, int code, uint64_t count),
                            void *arg)
{
    pthread_mutex_t *mu = (pthread_mutex_t *)(uintptr_t)&kube->counts.mu;
    dv_kube_count *copy = dv_calloc(DV_KUBE_COUNTS_MAX, sizeof(*copy));

    dv_lock(mu);
    size_t n = kube->counts.n;
    memcpy(copy, kube->counts.at, n * sizeof(*copy));
    dv_unlock_at(&mu);
    for (size_t i = 0; i < n; i++)
        each(arg, copy[i].verb, copy[i].code, copy[i].count);
    free(copy);
}
