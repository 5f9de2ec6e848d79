/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is an object ready? By the rules of kstatus (sigs.k8s.io/cli-utils, "status" package), for
 * every built-in workload, CustomResourceDefinition, APIService, Job, PersistentVolumeClaim, and
 * by its conditions for any custom resource. Pure.
 *
 * An object that is going is TERMINATING; one whose controller has not seen its generation is
 * PROGRESSING; a condition Stalled or Reconciling that is true decides; then the rules of its
 * kind; then a condition Ready; with none of these it is READY. Four rules are stricter than
 * kstatus: a Job is ready when it is complete (or suspended), not when it has started; a Service
 * of type LoadBalancer when it has an address; a failed Pod is FAILED; a workload without
 * observedGeneration is PROGRESSING.
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

/* A pod that nobody can schedule for so long is FAILED. */
#define DV_SCHEDULE_WINDOW_MS ((int64_t)15 * 1000)

/*
 * Appends to `why` (may be NULL) what is awaited, one sentence without a full stop that does
 * not name the object; nothing when it is ready. Reads the wall clock for pods only.
 */
dv_readiness dv_readiness_of(const json_t *object, dv_buf *why);
/* The same at a given time. */
dv_readiness dv_readiness_at(const json_t *object, int64_t now_unix_ms, dv_buf *why);
/* True where metadata alone decides (ConfigMap, Secret, RBAC, …): no status to wait for. */
bool dv_readiness_is_trivial(const char *group, const char *kind);
/*
 * Must the status be read before this object, as we applied it, can be called ready? False for
 * what is trivial, and for Services that need no load balancer.
 */
bool dv_readiness_needs_status(const json_t *desired);
/* "Ready", "Progressing", "Failed", "Terminating"; static. */
const char *dv_readiness_name(dv_readiness readiness);
