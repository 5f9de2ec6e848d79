/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template values as JSON, both ways, as Go's encoding/json has it: its number forms, its
 * escapes, its error texts.
 *
 * Threads: owner of the heap.
 */
#pragma once

#include "gotemplate/value.h"

typedef struct {
    bool indent;      /* by two blanks a level */
    bool escape_html; /* "<", ">", "&" as \u003c and so on */
} dv_json_style;

/* Appends the text. False: value has none; Go's message is in fault and out is as it was. */
bool dv_json_encode(dv_heap *heap, dv_buf *out, dv_val value, dv_json_style style, dv_buf *fault);
/*
 * Reads one document: numbers become float64, objects map[string]interface{}. False: Go's message
 * is in fault; *ret_value is NONE, or, when only a number was too large, the rest of the document.
 */
bool dv_json_decode(dv_heap *heap, dv_str text, dv_val *ret_value, dv_buf *fault);
/* Appends a finite number as JSON has it: "1e+21", "1e-7". */
void dv_json_add_float(dv_buf *out, double value);
