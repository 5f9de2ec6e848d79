/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an unquoted scalar means: YAML 1.1 as go-yaml v2 reads it. "yes", "on" and "y" are
 * booleans, "0o17", "017" and "1_000" integers, "08" and "1e3" reals; sexagesimals ("1:30") and
 * dates stay strings.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

typedef enum {
    DV_YAML_NULL,
    DV_YAML_BOOL,
    DV_YAML_INT,
    DV_YAML_UINT, /* past the largest int64_t */
    DV_YAML_REAL, /* may be infinite or not a number */
    DV_YAML_STRING,
} dv_yaml_type;

typedef struct {
    dv_yaml_type type;
    union {
        bool boolean;
        int64_t integer;
        uint64_t uinteger;
        double real;
    };
    dv_str text; /* as written; of a STRING, its bytes */
} dv_yaml_scalar;

/* The result's text is the argument. */
dv_yaml_scalar dv_yaml_resolve(dv_str text);
/* A date, or a date and time, in one of the forms that go-yaml knows. */
bool dv_yaml_is_timestamp(dv_str text);

/* What the scalar becomes in JSON, owned: whole reals are integers. NULL: infinite or not a number.
 */
json_t *dv_yaml_scalar_json(const dv_yaml_scalar *scalar);
/* Appends what the scalar is as an object's key in JSON. False: null can't be a key. */
bool dv_yaml_scalar_key(const dv_yaml_scalar *scalar, dv_buf *out);
/* Appends a finite real as Go's encoding/json and then go-yaml print it. */
void dv_yaml_real_add(dv_buf *out, double value);
