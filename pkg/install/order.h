/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order kinds are applied; removal goes the other way round. A class is sent as one
 * batch, and what a class defines (namespaces, kinds) is there before the next begins.
 *
 * Threads: any.
 */
#pragma once

typedef enum {
    DV_ORDER_NAMESPACES,
    DV_ORDER_DEFINITIONS, /* CustomResourceDefinition, PriorityClass, StorageClass, … */
    DV_ORDER_CONFIG,      /* accounts, RBAC, ConfigMaps, Secrets, Services, claims, … */
    DV_ORDER_WORKLOADS,   /* and all else that is built in */
    DV_ORDER_CUSTOM,      /* custom resources */
    DV_ORDER_HOOKS, /* APIService and admission: once they exist, others' requests pass them */
    DV_ORDERS,
} dv_order;

dv_order dv_order_of(const char *group, const char *kind);
