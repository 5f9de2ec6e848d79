/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metav1.LabelSelector: matchLabels and matchExpressions, all of which must hold. An operator that
 * is not known holds for nothing.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

/* labels: an object of strings; NULL: none. An empty selector matches everything. */
bool dv_selector_matches(const json_t *selector, const json_t *labels);
