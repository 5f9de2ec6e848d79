/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is an object ready? By the rules of kstatus (sigs.k8s.io/cli-utils, "status" package), for every built-in
 * workload, CustomResourceDefinition, APIService, Job, PersistentVolumeClaim, and by its conditions for
 * any custom resource. Pure.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

typedef enum {
    DV_READY,       /* Current */
    DV_PROGRESSING, /* InProgress: not there yet */
    DV_FAILED,      /* Failed: will not get there by itself (progress deadline, failed Job) */
    DV_TERMINATING,
} dv_readiness;

/* Appends to `why` (may be NULL) what is awaited, one sentence without a full stop. */
dv_readiness dv_readiness_of(const json_t *object, dv_buf *why);
/* True where metadata alone decides (ConfigMap, Secret, RBAC, …): no status to wait for. */
bool dv_readiness_is_trivial(const char *group, const char *kind);
