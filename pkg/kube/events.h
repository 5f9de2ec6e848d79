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
/* An event that repeats is patched no oftener. */
#define DV_EVENT_PATCH_MS ((int64_t)60 * 1000)
/* Events on their way, and series remembered; beyond, what is new (or oldest) is dropped. */
#define DV_EVENTS_IN_FLIGHT_MAX ((size_t)256)
#define DV_EVENT_SERIES_MAX ((size_t)2048)

typedef struct dv_events dv_events;
/* Borrows kube and clock, copies the texts. controller: "davit.dev/controller"; instance: the pod's
 * or host's name. */
dv_events *dv_events_new(dv_kube *kube, const dv_clock *clock, const char *controller,
                         const char *instance);
/* Waits up to 2 s for what is in flight. */
void dv_events_free(dv_events *events);
/*
 * type "Normal" or "Warning". The message is cut at 1024 bytes. Cluster-scoped objects get their
 * events in "default".
 */
void dv_event(dv_events *events, const dv_objref *regarding, const char *type, const char *reason,
              const char *action, const char *format, ...) DV_PRINTF(6, 7);
/* While paused (a standby) nothing is sent. */
void dv_events_pause(dv_events *events, bool paused);
/* Events that were not sent or were refused, so far. */
uint64_t dv_events_dropped(const dv_events *events);
DV_DEFINE_AUTO(dv_events)
