/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "kube/readiness_internal.h"

/* The Deployment controller's own word for "no deadline". */
#define NO_DEADLINE INT32_MAX

/* "1 of 3 replicas are ready" */
static dv_readiness too_few(dv_probe *p, int64_t have, int64_t want, const char *what)
{
    return dv_probe_progressing(p, "%lld of %lld %s", (long long)have, (long long)want, what);
}

static dv_readiness too_many(dv_probe *p, int64_t surplus)
{
    return dv_probe_progressing(p, "%lld pods are still to go", (long long)surplus);
}

static bool seen_by_controller(const dv_probe *p)
{
    return dv_json_opt_int(p->object, "/status/observedGeneration").set;
}

static dv_readiness not_seen(dv_probe *p)
{
    return dv_probe_progressing(p, "its controller has not looked at it yet");
}

/* ---- Deployment ---- */

static bool rollout_finished(const dv_probe *p, const json_t *progress)
{
    if (dv_probe_count(p, "/spec/progressDeadlineSeconds", NO_DEADLINE) == NO_DEADLINE)
        return true; /* without a deadline the condition is never set */
    return dv_condition_is(progress, "True") &&
           dv_condition_has_reason(progress, "NewReplicaSetAvailable");
}

dv_readiness dv_readiness_of_deployment(dv_probe *p)
{
    const json_t *progress = dv_probe_condition(p, "Progressing");
    const json_t *available = dv_probe_condition(p, "Available");
    int64_t want = dv_probe_count(p, "/spec/replicas", 1);
    int64_t have = dv_probe_count(p, "/status/replicas", 0);
    int64_t updated = dv_probe_count(p, "/status/updatedReplicas", 0);
    int64_t up = dv_probe_count(p, "/status/availableReplicas", 0);
    int64_t ready = dv_probe_count(p, "/status/readyReplicas", 0);

    if (dv_condition_has_reason(progress, "ProgressDeadlineExceeded")) {
        dv_probe_say_condition(p, progress, "its progress deadline has passed");
        return DV_FAILED;
    }
    if (!seen_by_controller(p))
        return not_seen(p);
    if (want > have)
        return too_few(p, have, want, "replicas exist");
    if (want > updated)
        return too_few(p, updated, want, "replicas are updated");
    if (have > want)
        return too_many(p, have - want);
    if (updated > up)
        return too_few(p, up, updated, "replicas are available");
    if (want > ready)
        return too_few(p, ready, want, "replicas are ready");
    if (!rollout_finished(p, progress))
        return dv_probe_progressing(p, "its new ReplicaSet is not available yet");
    if (!dv_condition_is(available, "True")) {
        dv_probe_say_condition(p, available, "it is not available yet");
        return DV_PROGRESSING;
    }
    return DV_READY;
}

/* ---- StatefulSet ---- */

static dv_readiness partition_readiness(dv_probe *p, int64_t want, int64_t partition)
{
    int64_t updated = dv_probe_count(p, "/status/updatedReplicas", 0);
    int64_t above = want > partition ? want - partition : 0;

    if (updated < above)
        return too_few(p, updated, above, "replicas above the partition are updated");
    return DV_READY;
}

dv_readiness dv_readiness_of_statefulset(dv_probe *p)
{
    dv_opt_i64 partition =
        dv_json_opt_int(p->object, "/spec/updateStrategy/rollingUpdate/partition");
    int64_t want = dv_probe_count(p, "/spec/replicas", 1);
    int64_t have = dv_probe_count(p, "/status/replicas", 0);
    int64_t ready = dv_probe_count(p, "/status/readyReplicas", 0);
    int64_t current = dv_probe_count(p, "/status/currentReplicas", 0);

    if (!seen_by_controller(p))
        return not_seen(p);
    if (dv_str_is(dv_json_view(p->object, "/spec/updateStrategy/type"), "OnDelete"))
        return DV_READY; /* its owner rolls it by hand */
    if (want > have)
        return too_few(p, have, want, "replicas exist");
    if (want > ready)
        return too_few(p, ready, want, "replicas are ready");
    if (have > want)
        return too_many(p, have - want);
    /* The API server writes partition 0 by default, which asks for every replica. */
    if (partition.set)
        return partition_readiness(p, want, partition.value);
    if (want > current)
        return too_few(p, current, want, "replicas are current");
    if (!dv_str_eq(dv_json_view(p->object, "/status/currentRevision"),
                   dv_json_view(p->object, "/status/updateRevision")))
        return dv_probe_progressing(p, "its updated revision is not the current one yet");
    return DV_READY;
}

/* ---- DaemonSet ---- */

dv_readiness dv_readiness_of_daemonset(dv_probe *p)
{
    bool on_delete = dv_str_is(dv_json_view(p->object, "/spec/updateStrategy/type"), "OnDelete");
    int64_t want = dv_probe_count(p, "/status/desiredNumberScheduled", -1);
    int64_t current = dv_probe_count(p, "/status/currentNumberScheduled", 0);
    int64_t updated = dv_probe_count(p, "/status/updatedNumberScheduled", 0);
    int64_t up = dv_probe_count(p, "/status/numberAvailable", 0);
    int64_t ready = dv_probe_count(p, "/status/numberReady", 0);

    if (!seen_by_controller(p) || want < 0)
        return not_seen(p);
    if (want > current)
        return too_few(p, current, want, "pods are scheduled");
    if (want > updated && !on_delete)
        return too_few(p, updated, want, "pods are updated");
    if (want > up)
        return too_few(p, up, want, "pods are available");
    if (want > ready)
        return too_few(p, ready, want, "pods are ready");
    return DV_READY;
}

/* ---- ReplicaSet, ReplicationController ---- */

dv_readiness dv_readiness_of_replicaset(dv_probe *p)
{
    const json_t *failure = dv_probe_condition(p, "ReplicaFailure");
    int64_t want = dv_probe_count(p, "/spec/replicas", 1);
    int64_t have = dv_probe_count(p, "/status/replicas", 0);
    int64_t labelled = dv_probe_count(p, "/status/fullyLabeledReplicas", 0);
    int64_t up = dv_probe_count(p, "/status/availableReplicas", 0);
    int64_t ready = dv_probe_count(p, "/status/readyReplicas", 0);

    if (dv_condition_is(failure, "True")) {
        dv_probe_say_condition(p, failure, "its pods can't be created");
        return DV_PROGRESSING;
    }
    if (!seen_by_controller(p))
        return not_seen(p);
    if (want > labelled)
        return too_few(p, labelled, want, "replicas exist");
    if (want > up)
        return too_few(p, up, want, "replicas are available");
    if (want > ready)
        return too_few(p, ready, want, "replicas are ready");
    if (have > want)
        return too_many(p, have - want);
    return DV_READY;
}

/* ---- Pod ---- */

static const char *crash_looping_in(const json_t *statuses)
{
    const json_t *status;
    size_t i;

    json_array_foreach(statuses, i, status) if (
        dv_str_is(dv_json_view(status, "/state/waiting/reason"),
                  "CrashLoopBackOff")) return json_string_value(json_object_get(status, "name"));
    return NULL;
}

static dv_readiness running_readiness(dv_probe *p)
{
    const json_t *ready = dv_probe_condition(p, "Ready");
    const char *looping = crash_looping_in(dv_json_array(p->object, "/status/containerStatuses"));

    if (dv_condition_is(ready, "True"))
        return DV_READY;
    if (looping)
        return dv_probe_failed(p, "its container %s keeps crashing", looping);
    dv_probe_say_condition(p, ready, "it is running but not ready yet");
    return DV_PROGRESSING;
}

static bool unschedulable_for_long(const dv_probe *p)
{
    int64_t created_us = 0;
    dv_auto(dv_err) unreadable =
        dv_time_parse(dv_json_view(p->object, "/metadata/creationTimestamp"), &created_us);

    return !unreadable && p->now_unix_ms - created_us / 1000 > DV_SCHEDULE_WINDOW_MS;
}

static dv_readiness pending_readiness(dv_probe *p)
{
    const json_t *scheduled = dv_probe_condition(p, "PodScheduled");
    const char *looping =
        crash_looping_in(dv_json_array(p->object, "/status/initContainerStatuses"));

    if (looping)
        return dv_probe_failed(p, "its init container %s keeps crashing", looping);
    if (dv_condition_is(scheduled, "False") &&
        dv_condition_has_reason(scheduled, "Unschedulable")) {
        dv_probe_say_condition(p, scheduled, "no node takes it");
        return unschedulable_for_long(p) ? DV_FAILED : DV_PROGRESSING;
    }
    return dv_probe_progressing(p, "it is pending");
}

dv_readiness dv_readiness_of_pod(dv_probe *p)
{
    dv_str phase = dv_json_view(p->object, "/status/phase");

    if (dv_str_is(phase, "Succeeded"))
        return DV_READY;
    if (dv_str_is(phase, "Failed"))
        return dv_probe_failed(p, "it has ended with an error");
    if (dv_str_is(phase, "Running"))
        return running_readiness(p);
    if (dv_str_is(phase, "Pending"))
        return pending_readiness(p);
    return dv_probe_progressing(p, "no node has reported on it yet");
}
