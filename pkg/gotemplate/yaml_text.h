/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template values as YAML, both ways, through pkg/yaml: as Helm's toYaml and fromYaml have it.
 *
 * Threads: owner of the heap.
 */
#pragma once

#include "gotemplate/value.h"

/* Appends value as sigs.k8s.io/yaml prints it, with a line end. False: it has no JSON, so no YAML;
 * out is as it was. */
bool dv_val_to_yaml(dv_heap *heap, dv_buf *out, dv_val value);
/* The same with lists indented, no line folded, and numbers as Go's strconv prints them. */
bool dv_val_to_yaml_pretty(dv_heap *heap, dv_buf *out, dv_val value);
/*
 * Reads one document as JSON would carry it: numbers become float64; NONE where there is no
 * document. False: the message of Go's
 * library is in fault.
 */
bool dv_val_from_yaml(dv_heap *heap, dv_str text, dv_val *ret_value, dv_buf *fault);
