/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values that templates work on: Go's, with their types kept apart.
 *
 * A dv_val is two words, passed by value. What it points to lives in a dv_heap, the memory of one
 * render (or of values that outlive many): bounded, freed whole. Dicts are references, as Go's
 * maps are: changing one changes it for all that hold it, and it may come to contain itself, so
 * whoever walks a value counts levels (DV_VAL_DEPTH_MAX). Lists are not changed once made.
 *
 * Two kinds of nothing, as in Go: DV_V_NONE is no value at all (an untyped nil, a missing
 * argument), DV_V_NIL is a slot of a dict or list that holds none. `iface` says that a value came
 * out of such a slot, which error messages tell apart until a pipeline has unwrapped it.
 *
 * A heap past its limit drops what is added to texts, lists and dicts, and stays marked
 * (dv_heap_refused()); the evaluator looks after each call.
 *
 * Threads: a heap and all in it belong to one thread at a time; a heap that nothing writes to
 * any more may be read by many.
 */
#pragma once

#include "base/buf.h"

/* Nesting that is printed, copied, compared or written. */
#define DV_VAL_DEPTH_MAX 200
/* Parts of a value that are compared, or made into a document. */
#define DV_VAL_NODES_MAX 2000000

typedef enum {
    DV_V_NONE,
    DV_V_NIL,
    DV_V_BOOL,
    DV_V_INT,    /* Go's int */
    DV_V_INT64,  /* Go's int64 */
    DV_V_UINT8,  /* a byte of a string */
    DV_V_UINT32, /* only as an argument */
    DV_V_UINT64,
    DV_V_FLOAT, /* float64 */
    DV_V_COMPLEX,
    DV_V_STRING,
    DV_V_BYTES, /* []uint8 */
    DV_V_LIST,
    DV_V_DICT,
    DV_V_OBJECT, /* a struct, or a pointer to one */
} dv_val_kind;

typedef struct dv_heap dv_heap;
typedef struct dv_list dv_list;
typedef struct dv_dict dv_dict;
typedef struct dv_object dv_object;
typedef struct dv_type dv_type;

typedef struct {
    uint8_t kind;
    bool iface; /* wrapped in an interface */
    uint32_t n; /* STRING, BYTES: how many bytes */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        const double *c; /* real and imaginary part */
        const char *s;   /* not NUL-terminated */
        dv_list *list;   /* NULL: a nil slice */
        dv_dict *dict;   /* NULL: a nil map */
        const dv_object *object;
    };
} dv_val;

struct dv_list {
    const dv_type *type;
    dv_val *at;
    uint32_t n, cap;
    bool nil; /* a nil slice with a type of its own */
};

struct dv_object {
    const dv_type *type;
    void *self;
};

/* ---- Types ---- */

typedef struct dv_run dv_run;
/* One argument a parameter; on failure dv_run_fail() and any result. */
typedef dv_val dv_method_fn(dv_run *run, dv_val self, const dv_val *args, size_t n);
typedef struct {
    const char *name;
    const char *signature; /* as of dv_function */
    dv_method_fn *call;
} dv_method;

/* What Go would say of a type. Of lists and dicts: a named one; the methods come before keys. */
struct dv_type {
    const char *name; /* "time.Time", "[]string" */
    const char *kind; /* "struct", "ptr", "slice", "map" */
    const dv_method *methods;
    size_t methods_n;
    /* Objects only; each may be NULL. */
    bool (*field)(dv_heap *heap, const void *self, dv_str name, dv_val *ret_value);
    void (*print)(const void *self, dv_buf *out);     /* as String() does; else its fields in {} */
    dv_val (*plain)(dv_heap *heap, const void *self); /* what it is in JSON */
    bool is_stringer;                                 /* print is a method of the type */
};

extern const dv_type dv_type_any_list, dv_type_strings, dv_type_ints, dv_type_lists;
extern const dv_type dv_type_any_dict, dv_type_string_dict;

/* "map[string]interface {}"; static. NONE and NIL: "<nil>". */
const char *dv_val_type(dv_val value);
/* "map", "slice", "invalid"; static. */
const char *dv_val_kind_name(dv_val value);

/* ---- Memory ---- */

dv_heap *dv_heap_new(size_t limit_bytes);
void dv_heap_free(dv_heap *heap);
size_t dv_heap_used(const dv_heap *heap);
bool dv_heap_refused(const dv_heap *heap);
/* As if the limit were reached: what was asked for is too large. */
void dv_heap_refuse(dv_heap *heap);
/* Counts memory that the render has elsewhere. */
void dv_heap_charge(dv_heap *heap, size_t size);
/* Zeroed. Never NULL for up to DV_HEAP_SMALL bytes; more: NULL past the limit. */
void *dv_heap_alloc(dv_heap *heap, size_t size);
#define DV_HEAP_SMALL ((size_t)4096)
#define DV_HEAP_NEW(heap, type) ((type *)dv_heap_alloc(heap, sizeof(type)))
DV_DEFINE_AUTO(dv_heap)

/* ---- Making ---- */

#define DV_NONE_VAL ((dv_val){.kind = DV_V_NONE})
#define DV_NIL_VAL ((dv_val){.kind = DV_V_NIL, .iface = true})
static inline dv_val dv_val_bool(bool b)
{
    return (dv_val){.kind = DV_V_BOOL, .b = b};
}
static inline dv_val dv_val_int(int64_t i)
{
    return (dv_val){.kind = DV_V_INT, .i = i};
}
static inline dv_val dv_val_int64(int64_t i)
{
    return (dv_val){.kind = DV_V_INT64, .i = i};
}
static inline dv_val dv_val_float(double f)
{
    return (dv_val){.kind = DV_V_FLOAT, .f = f};
}
/* Borrows the bytes, which must live as long as the heap. */
static inline dv_val dv_val_borrow(dv_str s)
{
    return (dv_val){.kind = DV_V_STRING, .n = (uint32_t)s.n, .s = s.p ? s.p : ""};
}
static inline dv_val dv_val_lit(const char *text)
{
    return (dv_val){.kind = DV_V_STRING, .n = (uint32_t)strlen(text), .s = text};
}
static inline dv_val dv_val_list(dv_list *list)
{
    return (dv_val){.kind = DV_V_LIST, .list = list};
}
static inline dv_val dv_val_dict(dv_dict *dict)
{
    return (dv_val){.kind = DV_V_DICT, .dict = dict};
}
static inline dv_str dv_val_str(dv_val value)
{
    return (dv_str){value.s, value.n};
}
/* Copies the bytes. */
dv_val dv_val_string(dv_heap *heap, dv_str s);
/* Room for a string of n bytes, to be filled by the caller; NULL: past the limit. */
char *dv_heap_text(dv_heap *heap, size_t n, dv_val *ret_string);
dv_val dv_val_object(dv_heap *heap, const dv_type *type, void *self);

dv_list *dv_list_new(dv_heap *heap, const dv_type *type, size_t cap);
void dv_list_push(dv_heap *heap, dv_list *list, dv_val value);
size_t dv_list_len(const dv_list *list); /* NULL: 0 */
static inline bool dv_list_is_nil(const dv_list *list)
{
    return !list || list->nil;
}

dv_dict *dv_dict_new(dv_heap *heap, const dv_type *type);
size_t dv_dict_len(const dv_dict *dict); /* NULL: 0 */
const dv_type *dv_dict_type(const dv_dict *dict);
/* NULL: absent. Valid until the dict changes. */
const dv_val *dv_dict_get(const dv_dict *dict, dv_str key);
/* Borrows key's bytes. An untyped nil is stored as NIL. */
void dv_dict_set(dv_heap *heap, dv_dict *dict, dv_str key, dv_val value);
void dv_dict_set_copy(dv_heap *heap, dv_dict *dict, dv_str key, dv_val value);
bool dv_dict_drop(dv_dict *dict, dv_str key);

typedef struct {
    dv_str key;
    dv_val value;
} dv_member;
/* In the order in which they came, which dv_dict_drop() changes. */
const dv_member *dv_dict_members(const dv_dict *dict);
/* A snapshot in byte order of the keys, lives in heap; NULL when empty or past the limit. */
dv_member *dv_dict_sorted(dv_heap *heap, const dv_dict *dict);

/* ---- Asking ---- */

/* What an element of a list or dict is for those who take it out: strings and numbers of a typed
 * one are themselves, anything else comes out of an interface. */
dv_val dv_val_element(const dv_type *type, dv_val value);
static inline bool dv_val_is_nil(dv_val value)
{
    return value.kind == DV_V_NONE || value.kind == DV_V_NIL;
}
/* Go's notion in templates: not false, 0, "", nil or without elements. */
bool dv_val_truth(dv_val value);
bool dv_val_is_int(dv_val value);  /* signed */
bool dv_val_is_uint(dv_val value); /* unsigned */
/* As reflect.DeepEqual: types count, nil slices differ from empty ones. What has more than
 * DV_VAL_NODES_MAX parts equals nothing but itself. */
bool dv_val_equal(dv_val a, dv_val b);
