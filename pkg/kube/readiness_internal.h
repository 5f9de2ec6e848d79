/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readiness rules of single kinds share. Threads: any.
 */
#pragma once

#include "kube/readiness.h"

/* One question: the object, the time, and where the answer's sentence goes. */
typedef struct {
    const json_t *object;
    int64_t now_unix_ms;
    dv_buf *why; /* may be NULL */
} dv_probe;

/* Say why, and give the verdict that they are named after. */
dv_readiness dv_probe_progressing(dv_probe *p, const char *format, ...) DV_PRINTF(2, 3);
dv_readiness dv_probe_failed(dv_probe *p, const char *format, ...) DV_PRINTF(2, 3);

int64_t dv_probe_count(const dv_probe *p, const char *pointer, int64_t fallback);
const json_t *dv_probe_condition(const dv_probe *p, const char *type); /* NULL */
bool dv_condition_is(const json_t *condition, const char *status);
bool dv_condition_has_reason(const json_t *condition, const char *reason);
/* Its message, else its reason, else the fallback. */
void dv_probe_say_condition(dv_probe *p, const json_t *condition, const char *fallback);

dv_readiness dv_readiness_of_deployment(dv_probe *p);
dv_readiness dv_readiness_of_statefulset(dv_probe *p);
dv_readiness dv_readiness_of_daemonset(dv_probe *p);
dv_readiness dv_readiness_of_replicaset(dv_probe *p); /* and ReplicationController */
dv_readiness dv_readiness_of_pod(dv_probe *p);
