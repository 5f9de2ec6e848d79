/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: any. */
#pragma once

#include "runtime/metrics.h"

/* Takes memory, which is freed with the metrics. */
void dv_metrics_own(dv_metrics *metrics, void *memory);
