/* SPDX-License-Identifier: Apache-2.0 */
#include "install/order.h"

#include "base/str.h"

static bool is_one_of(const char *kind, const char *const *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

static const char *const definitions[] = {
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "RuntimeClass",
    "IngressClass",
    "CSIDriver",
    "GatewayClass",
    "VolumeAttributesClass",
};
static const char *const config[] = {
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Service",
    "Endpoints",
    "EndpointSlice",
    "LimitRange",
    "ResourceQuota",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "ValidatingAdmissionPolicy",
};
static const char *const hooks[] = {
    "APIService",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicyBinding",
};

/* Groups without a dot, and those of the API server itself, are built in. */
static bool is_built_in(const char *group)
{
    static const char *const others[] = {
        "rbac.authorization.k8s.io",
        "networking.k8s.io",
        "storage.k8s.io",
        "policy",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "admissionregistration.k8s.io",
        "scheduling.k8s.io",
        "node.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "certificates.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "events.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "resource.k8s.io",
        "internal.apiserver.k8s.io",
    };

    return !strchr(group, '.') || is_one_of(group, others, DV_LEN(others));
}

dv_order dv_order_of(const char *group, const char *kind)
{
    if (!is_built_in(group))
        return strcmp(kind, "GatewayClass") == 0 ? DV_ORDER_DEFINITIONS : DV_ORDER_CUSTOM;
    if (!*group && strcmp(kind, "Namespace") == 0)
        return DV_ORDER_NAMESPACES;
    if (is_one_of(kind, definitions, DV_LEN(definitions)))
        return DV_ORDER_DEFINITIONS;
    if (is_one_of(kind, config, DV_LEN(config)))
        return DV_ORDER_CONFIG;
    if (is_one_of(kind, hooks, DV_LEN(hooks)))
        return DV_ORDER_HOOKS;
    return DV_ORDER_WORKLOADS;
}
