/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resourceVersions: decimal numbers of any length that order the changes of one kind. Servers
 * other than kube-apiserver may give anything else; such versions have no order.
 *
 * Those below 2^64 take eight bytes, for a store has one an object; the rest is text.
 *
 * Threads: any, on values of their own.
 */
#pragma once

#include "base/str.h"

typedef struct {
    union {
        uint64_t number;
        char *text; /* owned */
    };
    bool is_text;
} dv_rv;

/* What is longer is no resourceVersion. */
#define DV_RV_MAX ((size_t)128)

#define DV_RV_NONE ((dv_rv){.number = 0, .is_text = false}) /* before all others */
dv_rv dv_rv_of(dv_str text);
dv_rv dv_rv_dup(const dv_rv *rv);
void dv_rv_done(dv_rv *rv);
char *dv_rv_text(const dv_rv *rv); /* owned */

typedef enum { DV_RV_OLDER, DV_RV_SAME, DV_RV_NEWER, DV_RV_UNORDERED } dv_rv_order;
/* How a stands to b. */
dv_rv_order dv_rv_compare(const dv_rv *a, const dv_rv *b);
