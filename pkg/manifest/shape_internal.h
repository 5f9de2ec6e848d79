/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes of documents: constant tables that say which members an object may have, and of what
 * type. One walk checks a document against its shape, warns of unknown members, and keeps the
 * place (a path for people, a JSON pointer for the line) where it stands.
 *
 * As Go's decoder has it, a member that is null is absent.
 *
 * Threads: owner.
 */
#pragma once

#include "json/json.h"

typedef enum {
    DV_SHAPE_STRING,
    DV_SHAPE_INTEGER,
    DV_SHAPE_BOOLEAN,
    DV_SHAPE_OBJECT, /* the members of the table */
    DV_SHAPE_FREE,   /* an object of anything */
    DV_SHAPE_MAP,    /* any names, each an `element` */
    DV_SHAPE_LIST,   /* of `element`s */
} dv_shape_kind;

typedef struct dv_shape dv_shape;
typedef struct dv_place dv_place;

typedef struct {
    const char *name;
    const dv_shape *shape;
    bool required;
} dv_shape_member;

struct dv_shape {
    dv_shape_kind kind;
    const dv_shape_member *members; /* OBJECT */
    size_t n_members;
    const dv_shape *element;   /* MAP, LIST */
    size_t max;                /* MAP, LIST: so many elements at most */
    const char *const *values; /* STRING: one of these, NULL at the end; NULL: any */
    dv_err *(*check)(const json_t *value, dv_place *place); /* what types can't say; NULL */
};

/* Names of maps, in bytes. */
#define DV_SHAPE_KEY_MAX 253
/* Warnings that are kept; then one more says how many were not. */
#define DV_WARNINGS_MAX ((size_t)20)

struct dv_place {
    dv_str source;        /* the YAML that was read, for lines; empty: none */
    const char *reason;   /* of errors */
    dv_strings *warnings; /* NULL: nobody asks */
    size_t dropped;       /* warnings that were not kept */
    dv_buf path;          /* manifests[0].url */
    dv_buf pointer;       /* /manifests/0/url */
};

void dv_place_init(dv_place *place, dv_str source, const char *reason, dv_strings *warnings);
void dv_place_done(dv_place *place);
/* Checks the whole document; place names where an error is. INVALID, with place's reason. */
DV_MUST_USE dv_err *dv_shape_check(const dv_shape *shape, const json_t *doc, dv_place *place);
/*
 * Appends a name that an outsider chose, cut short; bytes that are no printable ASCII become
 * '?', so that it can't forge a line of a log.
 */
void dv_shape_add_name(dv_buf *out, const char *name);
/* INVALID: "line 3: manifests[0].url: <text>". */
DV_MUST_USE dv_err *dv_place_invalid(dv_place *place, const char *format, ...) DV_PRINTF(2, 3);
