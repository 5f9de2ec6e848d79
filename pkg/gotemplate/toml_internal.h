/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TOML reader's state, which its two parts share: tables and keys (toml_decode.c), scalars
 * (toml_scalar.c).
 *
 * Threads: owner.
 */
#pragma once

#include "gotemplate/toml_text.h"

/* What may still be added to a table. */
typedef enum {
    TABLE_IMPLIED, /* by a longer header: a header of its own may follow */
    TABLE_DOTTED,  /* by a dotted key */
    TABLE_DEFINED, /* by its header */
    TABLE_INLINE,  /* whole */
} table_state;

typedef struct mark mark;
struct mark {
    mark *next;
    const dv_dict *dict;
    table_state state;
};

typedef struct {
    dv_heap *heap;
    dv_buf *fault, last_key;
    const char *p, *end;
    const char *string_start; /* behind the quotes of the string that is being read */
    size_t line;
    dv_dict *root;
    mark *marks;
    unsigned depth;
} decoder;

/* "toml: line N (last key "k"): what"; false. */
bool dv_toml_fail(decoder *d, const char *what);
/* Names the character that stands here: before 'x' behind. */
bool dv_toml_fail_at(decoder *d, const char *before, const char *behind);

/* Here stands a control character that may stand nowhere. */
bool dv_toml_is_control(const decoder *d);
bool dv_toml_fail_control(decoder *d);

static inline bool dv_toml_at_end(const decoder *d)
{
    return d->p == d->end;
}
static inline bool dv_toml_at(const decoder *d, char c)
{
    return d->p < d->end && *d->p == c;
}
bool dv_toml_starts(const decoder *d, const char *text);
/* A character of a key without quotes. */
bool dv_toml_is_bare(char c);

/* At the opening quote; long ones are no keys. */
bool dv_toml_string(decoder *d, bool may_be_long, dv_val *ret_value);
/* A number, a date, true or false. */
bool dv_toml_bare(decoder *d, dv_val *ret_value);
