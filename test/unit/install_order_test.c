/* SPDX-License-Identifier: Apache-2.0 */
#include "install/order.h"

#include "testlib.h"

static const struct row {
    const char *name, *group, *kind;
    dv_order want;
} rows[] = {
    {"a namespace is first", "", "Namespace", DV_ORDER_NAMESPACES},
    {"a custom kind named Namespace is a custom resource", "x.example.com", "Namespace",
     DV_ORDER_CUSTOM},
    {"kinds come before what uses them", "apiextensions.k8s.io", "CustomResourceDefinition",
     DV_ORDER_DEFINITIONS},
    {"classes come before what names them", "scheduling.k8s.io", "PriorityClass",
     DV_ORDER_DEFINITIONS},
    {"accounts come before workloads", "", "ServiceAccount", DV_ORDER_CONFIG},
    {"rights come before workloads", "rbac.authorization.k8s.io", "ClusterRoleBinding",
     DV_ORDER_CONFIG},
    {"a Deployment is a workload", "apps", "Deployment", DV_ORDER_WORKLOADS},
    {"a Job is a workload", "batch", "Job", DV_ORDER_WORKLOADS},
    {"an Ingress waits for its Services", "networking.k8s.io", "Ingress", DV_ORDER_WORKLOADS},
    {"custom resources follow the workloads that serve them", "cert-manager.io", "Issuer",
     DV_ORDER_CUSTOM},
    {"a CRD-borne k8s.io group is custom", "gateway.networking.k8s.io", "HTTPRoute",
     DV_ORDER_CUSTOM},
    {"webhooks are last", "admissionregistration.k8s.io", "ValidatingWebhookConfiguration",
     DV_ORDER_HOOKS},
    {"aggregated APIs are last", "apiregistration.k8s.io", "APIService", DV_ORDER_HOOKS},
};

static void row_has_order(void **state)
{
    const struct row *row = *state;

    assert_int_equal(dv_order_of(row->group, row->kind), row->want);
}

int main(void)
{
    return DV_RUN_TABLE("install/order", row_has_order, rows);
}
