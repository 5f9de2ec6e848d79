/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/readiness.h"

#include <stdarg.h>

#include "base/clock.h"
#include "kube/object.h"
#include "kube/readiness_internal.h"

/* A condition's message is cut, so that a status stays readable. */
enum { MESSAGE_MAX_BYTES = 512 };

/* ---- What the rules say it with ---- */

static void DV_PRINTF(2, 0) say(dv_probe *p, const char *format, va_list args)
{
    char *text = NULL;

    if (!p->why)
        return;
    if (vasprintf(&text, format, args) < 0)
        abort();
    dv_buf_adds(p->why, text);
    free(text);
}

dv_readiness dv_probe_progressing(dv_probe *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(p, format, args);
    va_end(args);
    return DV_PROGRESSING;
}

dv_readiness dv_probe_failed(dv_probe *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(p, format, args);
    va_end(args);
    return DV_FAILED;
}

int64_t dv_probe_count(const dv_probe *p, const char *pointer, int64_t fallback)
{
    return dv_json_int(p->object, pointer, fallback);
}

const json_t *dv_probe_condition(const dv_probe *p, const char *type)
{
    const json_t *conditions = dv_json_array(p->object, "/status/conditions");
    const json_t *condition;
    size_t i;

    json_array_foreach(conditions, i, condition) if (dv_str_is(dv_json_view(condition, "/type"),
                                                               type)) return condition;
    return NULL;
}

bool dv_condition_is(const json_t *condition, const char *status)
{
    return condition && dv_str_is(dv_json_view(condition, "/status"), status);
}

bool dv_condition_has_reason(const json_t *condition, const char *reason)
{
    return condition && dv_str_is(dv_json_view(condition, "/reason"), reason);
}

/* One line, without the full stop: it stands inside a sentence. False: nothing is left. */
static bool add_line(dv_buf *out, dv_str text)
{
    dv_str line = dv_str_trim(dv_str_head(dv_str_trim(text), MESSAGE_MAX_BYTES));

    while (line.n && line.p[line.n - 1] == '.')
        line.n--;
    for (size_t i = 0; i < line.n; i++)
        dv_buf_addc(out, (unsigned char)line.p[i] < ' ' ? ' ' : line.p[i]);
    return line.n > 0;
}

void dv_probe_say_condition(dv_probe *p, const json_t *condition, const char *fallback)
{
    if (!p->why)
        return;
    if (!add_line(p->why, dv_json_view(condition, "/message")) &&
        !add_line(p->why, dv_json_view(condition, "/reason")))
        dv_buf_adds(p->why, fallback);
}

/* ---- Rules for every kind ---- */

/* True when these decide; *ret_readiness is set then. */
static bool decide_generic(dv_probe *p, dv_readiness *ret_readiness)
{
    dv_opt_i64 generation = dv_json_opt_int(p->object, "/metadata/generation");
    dv_opt_i64 observed = dv_json_opt_int(p->object, "/status/observedGeneration");
    const json_t *stalled = dv_probe_condition(p, "Stalled");
    const json_t *reconciling = dv_probe_condition(p, "Reconciling");

    if (dv_obj_deleting(p->object)) {
        dv_probe_progressing(p, "it is being deleted");
        *ret_readiness = DV_TERMINATING;
    } else if (generation.set && observed.set && generation.value != observed.value) {
        *ret_readiness =
            dv_probe_progressing(p, "its controller has seen generation %lld of %lld",
                                 (long long)observed.value, (long long)generation.value);
    } else if (dv_condition_is(stalled, "True")) {
        dv_probe_say_condition(p, stalled, "it is stalled");
        *ret_readiness = DV_FAILED;
    } else if (dv_condition_is(reconciling, "True")) {
        dv_probe_say_condition(p, reconciling, "it is being reconciled");
        *ret_readiness = DV_PROGRESSING;
    } else {
        return false;
    }
    return true;
}

static dv_readiness by_ready_condition(dv_probe *p)
{
    const json_t *ready = dv_probe_condition(p, "Ready");

    if (!ready || dv_condition_is(ready, "True"))
        return DV_READY;
    dv_probe_say_condition(p, ready, "its condition Ready is not true");
    return DV_PROGRESSING;
}

/* ---- Rules by kind ---- */

static dv_readiness always_ready(dv_probe *p DV_UNUSED)
{
    return DV_READY;
}

static dv_readiness pvc_readiness(dv_probe *p)
{
    const char *phase = dv_json_str(p->object, "/status/phase");

    if (phase && strcmp(phase, "Bound") == 0)
        return DV_READY;
    return dv_probe_progressing(p, "it is not bound to a volume yet");
}

static dv_readiness service_readiness(dv_probe *p)
{
    if (!dv_str_is(dv_json_view(p->object, "/spec/type"), "LoadBalancer"))
        return DV_READY;
    if (json_array_size(dv_json_array(p->object, "/status/loadBalancer/ingress")) > 0)
        return DV_READY;
    return dv_probe_progressing(p, "its load balancer has no address yet");
}

static dv_readiness pdb_readiness(dv_probe *p)
{
    if (dv_json_opt_int(p->object, "/status/observedGeneration").set)
        return DV_READY;
    return dv_probe_progressing(p, "its controller has not looked at it yet");
}

static dv_readiness job_readiness(dv_probe *p)
{
    const json_t *job_failed = dv_probe_condition(p, "Failed");

    if (dv_condition_is(dv_probe_condition(p, "Complete"), "True"))
        return DV_READY;
    if (dv_condition_is(job_failed, "True")) {
        dv_probe_say_condition(p, job_failed, "it has failed");
        return DV_FAILED;
    }
    if (dv_condition_is(dv_probe_condition(p, "Suspended"), "True"))
        return DV_READY;
    if (!dv_json_str(p->object, "/status/startTime"))
        return dv_probe_progressing(p, "it has not started yet");
    return dv_probe_progressing(
        p, "it has %lld of %lld completions", (long long)dv_probe_count(p, "/status/succeeded", 0),
        (long long)dv_probe_count(p, "/spec/completions",
                                  dv_probe_count(p, "/spec/parallelism", 1)));
}

static dv_readiness crd_readiness(dv_probe *p)
{
    const json_t *accepted = dv_probe_condition(p, "NamesAccepted");
    const json_t *established = dv_probe_condition(p, "Established");

    if (dv_condition_is(accepted, "False")) {
        dv_probe_say_condition(p, accepted, "its names are not accepted");
        return DV_FAILED;
    }
    if (dv_condition_is(established, "True"))
        return DV_READY;
    if (dv_condition_is(established, "False") &&
        !dv_condition_has_reason(established, "Installing")) {
        dv_probe_say_condition(p, established, "it is not established");
        return DV_FAILED;
    }
    return dv_probe_progressing(p, "it is not established yet");
}

static dv_readiness apiservice_readiness(dv_probe *p)
{
    const json_t *available = dv_probe_condition(p, "Available");

    if (dv_condition_is(available, "True"))
        return DV_READY;
    dv_probe_say_condition(p, available, "it is not available yet");
    return DV_PROGRESSING;
}

static const struct rule {
    const char *group, *kind;
    dv_readiness (*decide)(dv_probe *p);
} rules[] = {
    {"", "Service", service_readiness},
    {"", "Pod", dv_readiness_of_pod},
    {"", "PersistentVolumeClaim", pvc_readiness},
    {"", "ReplicationController", dv_readiness_of_replicaset},
    {"apps", "Deployment", dv_readiness_of_deployment},
    {"apps", "StatefulSet", dv_readiness_of_statefulset},
    {"apps", "DaemonSet", dv_readiness_of_daemonset},
    {"apps", "ReplicaSet", dv_readiness_of_replicaset},
    {"batch", "Job", job_readiness},
    {"batch", "CronJob", always_ready},
    {"policy", "PodDisruptionBudget", pdb_readiness},
    {"apiextensions.k8s.io", "CustomResourceDefinition", crd_readiness},
    {"apiregistration.k8s.io", "APIService", apiservice_readiness},
};

static const struct rule *rule_for(dv_str group, const char *kind)
{
    for (size_t i = 0; i < DV_LEN(rules); i++)
        if (dv_str_is(group, rules[i].group) && strcmp(kind, rules[i].kind) == 0)
            return &rules[i];
    return NULL;
}

dv_readiness dv_readiness_at(const json_t *object, int64_t now_unix_ms, dv_buf *why)
{
    dv_probe p = {.object = object, .now_unix_ms = now_unix_ms, .why = why};
    const char *api_version = dv_json_str(object, "/apiVersion");
    const struct rule *rule = rule_for(dv_api_group(api_version), dv_obj_kind(object));
    dv_readiness readiness;

    if (decide_generic(&p, &readiness))
        return readiness;
    return rule ? rule->decide(&p) : by_ready_condition(&p);
}

dv_readiness dv_readiness_of(const json_t *object, dv_buf *why)
{
    const dv_clock *clock = dv_clock_real();

    return dv_readiness_at(object, clock->unix_us(clock) / 1000, why);
}

/* ---- Kinds without a status that matters ---- */

static const struct {
    const char *group, *kind;
} trivial[] = {
    {"", "ConfigMap"},
    {"", "Endpoints"},
    {"", "LimitRange"},
    {"", "Namespace"},
    {"", "PodTemplate"},
    {"", "ResourceQuota"},
    {"", "Secret"},
    {"", "ServiceAccount"},
    {"admissionregistration.k8s.io", "MutatingAdmissionPolicy"},
    {"admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration"},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration"},
    {"apps", "ControllerRevision"},
    {"batch", "CronJob"},
    {"coordination.k8s.io", "Lease"},
    {"discovery.k8s.io", "EndpointSlice"},
    {"networking.k8s.io", "IngressClass"},
    {"networking.k8s.io", "NetworkPolicy"},
    {"node.k8s.io", "RuntimeClass"},
    {"rbac.authorization.k8s.io", "ClusterRole"},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding"},
    {"rbac.authorization.k8s.io", "Role"},
    {"rbac.authorization.k8s.io", "RoleBinding"},
    {"scheduling.k8s.io", "PriorityClass"},
    {"storage.k8s.io", "CSIDriver"},
    {"storage.k8s.io", "StorageClass"},
};

static bool is_trivial(dv_str group, const char *kind)
{
    for (size_t i = 0; i < DV_LEN(trivial); i++)
        if (dv_str_is(group, trivial[i].group) && strcmp(kind, trivial[i].kind) == 0)
            return true;
    return false;
}

bool dv_readiness_is_trivial(const char *group, const char *kind)
{
    return is_trivial(dv_str_of(group), kind);
}

bool dv_readiness_needs_status(const json_t *desired)
{
    dv_str group = dv_api_group(dv_json_str(desired, "/apiVersion"));
    const char *kind = dv_obj_kind(desired);

    if (group.n == 0 && strcmp(kind, "Service") == 0)
        return dv_str_is(dv_json_view(desired, "/spec/type"), "LoadBalancer");
    return !is_trivial(group, kind);
}

const char *dv_readiness_name(dv_readiness readiness)
{
    switch (readiness) {
    case DV_READY:
        return "Ready";
    case DV_PROGRESSING:
        return "Progressing";
    case DV_FAILED:
        return "Failed";
    case DV_TERMINATING:
        return "Terminating";
    }
    return "Unknown";
}
