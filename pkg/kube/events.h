/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events (events.k8s.io/v1), aggregated: the same (object, type, reason, message) within
 * DV_EVENT_SERIES_MS becomes one event with a series, patched at most once a minute.
 *
 * Sending never blocks a worker and never fails a run: events go through a bounded queue
 * on the request lane, and are dropped (counted) beyond it.
 *
 * Threads: any.
 */
#pragma once

#include "kube/client.h"
#include "kube/object.h"

#define DV_EVENT_SERIES_MS ((int64_t)10 * 60 * 1000)

typedef struct dv_events dv_events;
/* Borrows kube and clock. controller: "davit.dev/controller"; instance: pod or host name. Copies. */
dv_events *dv_events_new(dv_kube *kube, const dv_clock *clock, const char *controller, const char *instance);
/* Waits up to 2 s for what is in flight. */
void dv_events_free(dv_events *events);
/* type "Normal" or "Warning". message is cut at 1024 bytes. Cluster-scoped objects get their events in "default". */
void dv_event(dv_events *events, const dv_objref *regarding, const char *type, const char *reason, const char *action, const char *format, ...) DV_PRINTF(6, 7);
/* While paused (a standby) nothing is sent. */
void dv_events_pause(dv_events *events, bool paused);
