/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: any. */
#pragma once

#include "runtime/metrics.h"

/* True the first time only. */
bool dv_metrics_claim_process(dv_metrics *metrics);
/* Takes memory, which is freed with the metrics. */
void dv_metrics_own(dv_metrics *metrics, void *memory);
