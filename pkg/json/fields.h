/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON <-> struct by table, one row a field. It serves decode, encode and the test that holds
 * the CRDs in crds/ against it.
 *
 *     static const dv_field_row rows[] = {
 *         { "revisions", DV_FIELD_OPT_I64, offsetof(dv_package_spec, revisions) },
 *     };
 *
 * Decoding fills a zeroed struct; what it owns is freed by dv_fields_free() with the same rows
 * (which leaves those fields zero). After an error nothing is left to free.
 * Absent and null leave the zero value. A value of another type is INVALID with its path. An
 * unknown member is reported through `unknown` (an own, not an error: the API ages well).
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

typedef enum {
    DV_FIELD_STR,      /* char *, owned */
    DV_FIELD_BOOL,     /* bool */
    DV_FIELD_I64,      /* int64_t */
    DV_FIELD_OPT_I64,  /* dv_opt_i64 */
    DV_FIELD_DURATION, /* int64_t milliseconds; in JSON a Go duration text ("10m") */
    DV_FIELD_ENUM,     /* int; texts in `values`, NULL-terminated, index = value; absent = 0 */
    DV_FIELD_STRINGS,  /* dv_strings */
    DV_FIELD_OBJECT,   /* embedded struct, rows in `rows` */
    DV_FIELD_LIST,     /* DV_VEC(struct), element rows in `rows`, element size in `size` */
    DV_FIELD_JSON,     /* json_t *, owned, any value */
} dv_field_type;

enum { DV_FIELD_REQUIRED = 1 };

typedef struct dv_field_row dv_field_row;
struct dv_field_row {
    const char *name;
    dv_field_type type;
    size_t offset;
    unsigned flags;
    const char *const *values; /* ENUM */
    const dv_field_row *rows;  /* OBJECT, LIST */
    size_t n_rows;
    size_t size; /* LIST: sizeof an element */
};

/* `where` is the path so far ("spec"), for messages. unknown may be NULL. */
DV_MUST_USE dv_err *dv_fields_decode(const dv_field_row *rows, size_t n, const json_t *object,
                                     const char *where, void *ret_struct, dv_strings *unknown);
/* Owned object; zero values are left out, unless REQUIRED. */
json_t *dv_fields_encode(const dv_field_row *rows, size_t n, const void *from);
void dv_fields_free(const dv_field_row *rows, size_t n, void *from);
