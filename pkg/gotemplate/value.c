/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/value.h"

#include "base/arena.h"
#include "base/crypto.h"

enum { INDEX_FROM = 9, FIRST_ROOM = 4, OVERDRAFT = 1024 * 1024 };

struct dv_heap {
    dv_arena *arena;
    size_t limit, charged;
    uint64_t seed; /* of the hashes, so that outsiders can't choose collisions */
    bool refused;
};

/* Members in order of arrival, and from INDEX_FROM on a hash index of their places plus one. */
struct dv_dict {
    const dv_type *type;
    dv_member *at;
    uint32_t *index;
    uint32_t n, cap, index_cap;
    uint64_t seed;
};

const dv_type dv_type_any_list = {.name = "[]interface {}", .kind = "slice"};
const dv_type dv_type_strings = {.name = "[]string", .kind = "slice"};
const dv_type dv_type_ints = {.name = "[]int", .kind = "slice"};
const dv_type dv_type_lists = {.name = "[][]interface {}", .kind = "slice"};
const dv_type dv_type_any_dict = {.name = "map[string]interface {}", .kind = "map"};
const dv_type dv_type_string_dict = {.name = "map[string]string", .kind = "map"};

/* ---- Memory ---- */

dv_heap *dv_heap_new(size_t limit_bytes)
{
    dv_heap *heap = DV_NEW(dv_heap);

    heap->arena = dv_arena_new(/* limit_bytes= */ 0);
    heap->limit = limit_bytes;
    dv_random_bytes(&heap->seed, sizeof(heap->seed));
    return heap;
}

void dv_heap_free(dv_heap *heap)
{
    if (!heap)
        return;
    dv_arena_free(heap->arena);
    free(heap);
}

size_t dv_heap_used(const dv_heap *heap)
{
    return dv_arena_used(heap->arena) + heap->charged;
}

void dv_heap_refuse(dv_heap *heap)
{
    heap->refused = true;
}

void dv_heap_charge(dv_heap *heap, size_t size)
{
    heap->charged += size;
    if (dv_heap_used(heap) > heap->limit)
        heap->refused = true;
}

bool dv_heap_refused(const dv_heap *heap)
{
    return heap->refused;
}

/* Small pieces are given even past the limit, for the evaluator stops soon; not without end. */
void *dv_heap_alloc(dv_heap *heap, size_t size)
{
    size_t used = dv_heap_used(heap);

    if (heap->refused || size > heap->limit || used > heap->limit - size) {
        heap->refused = true;
        if (size > DV_HEAP_SMALL)
            return NULL;
        DV_ASSERT(used < heap->limit + (size_t)64 * OVERDRAFT);
    }
    return dv_arena_alloc(heap->arena, size);
}

char *dv_heap_text(dv_heap *heap, size_t n, dv_val *ret_string)
{
    char *p = n > UINT32_MAX ? NULL : dv_heap_alloc(heap, n + 1);

    if (n > UINT32_MAX)
        heap->refused = true;
    *ret_string = (dv_val){.kind = DV_V_STRING, .n = p ? (uint32_t)n : 0, .s = p ? p : ""};
    return p;
}

dv_val dv_val_string(dv_heap *heap, dv_str s)
{
    dv_val value;
    char *p = s.n ? dv_heap_text(heap, s.n, &value) : NULL;

    if (!s.n)
        return dv_val_lit("");
    if (p)
        memcpy(p, s.p, s.n);
    return value;
}

dv_val dv_val_object(dv_heap *heap, const dv_type *type, void *self)
{
    dv_object *object = DV_HEAP_NEW(heap, dv_object);

    *object = (dv_object){type, self};
    return (dv_val){.kind = DV_V_OBJECT, .object = object};
}

/* ---- Lists ---- */

/* Memory for more elements of a size; NULL: past the limit. */
static void *grown(dv_heap *heap, const void *old, size_t n, size_t cap, size_t size)
{
    void *fresh = dv_heap_alloc(heap, dv_size_mul(cap, size));

    if (fresh && n)
        memcpy(fresh, old, n * size);
    return fresh;
}

dv_list *dv_list_new(dv_heap *heap, const dv_type *type, size_t cap)
{
    dv_list *list = DV_HEAP_NEW(heap, dv_list);

    list->type = type;
    if (cap > UINT32_MAX)
        cap = 0;
    list->at = cap ? grown(heap, NULL, 0, cap, sizeof(dv_val)) : NULL;
    list->cap = list->at ? (uint32_t)cap : 0;
    return list;
}

void dv_list_push(dv_heap *heap, dv_list *list, dv_val value)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? (size_t)list->cap * 2 : FIRST_ROOM;
        dv_val *at = cap > UINT32_MAX ? NULL : grown(heap, list->at, list->n, cap, sizeof(dv_val));

        if (!at)
            return;
        list->at = at;
        list->cap = (uint32_t)cap;
    }
    value.iface = value.kind == DV_V_NIL;
    if (value.kind == DV_V_NONE)
        value = DV_NIL_VAL;
    list->at[list->n++] = value;
}

size_t dv_list_len(const dv_list *list)
{
    return list ? list->n : 0;
}

/* ---- Dicts ---- */

dv_dict *dv_dict_new(dv_heap *heap, const dv_type *type)
{
    dv_dict *dict = DV_HEAP_NEW(heap, dv_dict);

    dict->type = type;
    dict->seed = heap->seed;
    return dict;
}

size_t dv_dict_len(const dv_dict *dict)
{
    return dict ? dict->n : 0;
}

const dv_type *dv_dict_type(const dv_dict *dict)
{
    return dict ? dict->type : &dv_type_any_dict;
}

static uint64_t hash_of(const dv_dict *dict, dv_str key)
{
    uint64_t hash = dict->seed ^ key.n;

    for (; key.n >= 8; key = dv_str_skip(key, 8)) {
        uint64_t word;

        memcpy(&word, key.p, sizeof(word));
        hash = (hash ^ word) * 0x9fb21c651e98df25u;
        hash ^= hash >> 29;
    }
    for (size_t i = 0; i < key.n; i++)
        hash = (hash ^ (unsigned char)key.p[i]) * 0x100000001b3u;
    hash ^= hash >> 32;
    return hash * 0xff51afd7ed558ccdu >> 20;
}

static bool same(dv_str a, dv_str b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* Place of key's cell in the index: its own, or the empty one where it belongs. */
static uint32_t cell_of(const dv_dict *dict, dv_str key)
{
    uint32_t mask = dict->index_cap - 1, cell = (uint32_t)hash_of(dict, key) & mask;

    while (dict->index[cell] && !same(dict->at[dict->index[cell] - 1].key, key))
        cell = (cell + 1) & mask;
    return cell;
}

/* The member's place, or n. */
static uint32_t place_of(const dv_dict *dict, dv_str key)
{
    if (dict->index) {
        uint32_t place = dict->index[cell_of(dict, key)];

        return place ? place - 1 : dict->n;
    }
    for (uint32_t i = 0; i < dict->n; i++)
        if (same(dict->at[i].key, key))
            return i;
    return dict->n;
}

const dv_val *dv_dict_get(const dv_dict *dict, dv_str key)
{
    uint32_t place = dict ? place_of(dict, key) : 0;

    return dict && place < dict->n ? &dict->at[place].value : NULL;
}

static void fill_index(dv_dict *dict)
{
    memset(dict->index, 0, dict->index_cap * sizeof(*dict->index));
    for (uint32_t i = 0; i < dict->n; i++)
        dict->index[cell_of(dict, dict->at[i].key)] = i + 1;
}

/* Twice the room, and an index that is at most half full. */
static bool grow(dv_heap *heap, dv_dict *dict)
{
    size_t cap = dict->cap ? (size_t)dict->cap * 2 : FIRST_ROOM;
    dv_member *at =
        cap > UINT32_MAX / 4 ? NULL : grown(heap, dict->at, dict->n, cap, sizeof(dv_member));
    uint32_t *index =
        at && cap >= INDEX_FROM ? dv_heap_alloc(heap, cap * 2 * sizeof(*index)) : NULL;

    if (!at || (cap >= INDEX_FROM && !index))
        return false;
    dict->at = at;
    dict->cap = (uint32_t)cap;
    dict->index = index;
    dict->index_cap = index ? (uint32_t)cap * 2 : 0;
    if (index)
        fill_index(dict);
    return true;
}

/* The slot of key, made when it is absent; NULL: past the limit. */
static dv_member *slot_of(dv_heap *heap, dv_dict *dict, dv_str key)
{
    uint32_t place = place_of(dict, key);

    if (place < dict->n)
        return &dict->at[place];
    if (dict->n == dict->cap && !grow(heap, dict))
        return NULL;
    dict->at[dict->n] = (dv_member){.key = {NULL, 0}};
    return &dict->at[dict->n];
}

static void put(dv_dict *dict, dv_member *slot, dv_str key, dv_val value)
{
    bool is_new = slot == &dict->at[dict->n];

    slot->value = value.kind == DV_V_NONE ? DV_NIL_VAL : value;
    slot->value.iface = slot->value.kind == DV_V_NIL;
    if (!is_new)
        return;
    if (dict->index)
        dict->index[cell_of(dict, key)] = dict->n + 1;
    slot->key = key;
    dict->n++;
}

void dv_dict_set(dv_heap *heap, dv_dict *dict, dv_str key, dv_val value)
{
    dv_member *slot = slot_of(heap, dict, key.p ? key : (dv_str){"", 0});

    if (slot)
        put(dict, slot, key.p ? key : (dv_str){"", 0}, value);
}

void dv_dict_set_copy(dv_heap *heap, dv_dict *dict, dv_str key, dv_val value)
{
    dv_dict_set(heap, dict, dv_val_str(dv_val_string(heap, key)), value);
}

bool dv_dict_drop(dv_dict *dict, dv_str key)
{
    uint32_t place = place_of(dict, key);

    if (place == dict->n)
        return false;
    dict->at[place] = dict->at[--dict->n];
    if (dict->index)
        fill_index(dict);
    return true;
}

const dv_member *dv_dict_members(const dv_dict *dict)
{
    return dict ? dict->at : NULL;
}

static int by_key(const void *a, const void *b)
{
    const dv_member *x = a, *y = b;

    return dv_str_cmp(x->key, y->key);
}

dv_member *dv_dict_sorted(dv_heap *heap, const dv_dict *dict)
{
    size_t n = heap->refused ? 0 : dv_dict_len(dict);
    dv_member *copy = n ? grown(heap, dict->at, n, n, sizeof(dv_member)) : NULL;
    bool in_order = true;

    for (size_t i = 1; copy && i < n && in_order; i++)
        in_order = dv_str_cmp(copy[i - 1].key, copy[i].key) < 0;
    if (copy && !in_order)
        qsort(copy, n, sizeof(dv_member), by_key);
    return copy;
}

/* ---- Asking ---- */

const char *dv_val_type(dv_val value)
{
    static const char *const names[] = {
        [DV_V_NONE] = "<nil>",    [DV_V_NIL] = "<nil>",
        [DV_V_BOOL] = "bool",     [DV_V_INT] = "int",
        [DV_V_INT64] = "int64",   [DV_V_UINT8] = "uint8",
        [DV_V_UINT32] = "uint32", [DV_V_UINT64] = "uint64",
        [DV_V_FLOAT] = "float64", [DV_V_COMPLEX] = "complex128",
        [DV_V_STRING] = "string", [DV_V_BYTES] = "[]uint8",
    };

    switch (value.kind) {
    case DV_V_LIST:
        return value.list ? value.list->type->name : dv_type_any_list.name;
    case DV_V_DICT:
        return dv_dict_type(value.dict)->name;
    case DV_V_OBJECT:
        return value.object->type->name;
    default:
        return names[value.kind];
    }
}

const char *dv_val_kind_name(dv_val value)
{
    switch (value.kind) {
    case DV_V_NONE:
    case DV_V_NIL:
        return "invalid";
    case DV_V_BYTES:
    case DV_V_LIST:
        return "slice";
    case DV_V_DICT:
        return "map";
    case DV_V_OBJECT:
        return value.object->type->kind;
    default:
        return dv_val_type(value);
    }
}

dv_val dv_val_element(const dv_type *type, dv_val value)
{
    value.iface =
        value.kind == DV_V_NIL || (type != &dv_type_strings && type != &dv_type_ints &&
                                   type != &dv_type_lists && type != &dv_type_string_dict);
    return value;
}

bool dv_val_truth(dv_val value)
{
    switch (value.kind) {
    case DV_V_BOOL:
        return value.b;
    case DV_V_INT:
    case DV_V_INT64:
    case DV_V_UINT8:
    case DV_V_UINT32:
    case DV_V_UINT64:
        return value.i != 0;
    case DV_V_FLOAT:
        return value.f != 0;
    case DV_V_COMPLEX:
        return value.c[0] != 0 || value.c[1] != 0;
    case DV_V_STRING:
    case DV_V_BYTES:
        return value.n != 0;
    case DV_V_LIST:
        return dv_list_len(value.list) != 0;
    case DV_V_DICT:
        return dv_dict_len(value.dict) != 0;
    case DV_V_OBJECT:
        return true;
    default:
        return false;
    }
}

bool dv_val_is_int(dv_val value)
{
    return value.kind == DV_V_INT || value.kind == DV_V_INT64;
}

bool dv_val_is_uint(dv_val value)
{
    return value.kind == DV_V_UINT8 || value.kind == DV_V_UINT32 || value.kind == DV_V_UINT64;
}

/* How much of two values was looked at: shared parts make small values look without end. */
typedef struct {
    size_t nodes;
    unsigned depth;
} comparison;

static bool equal_at(comparison *c, dv_val a, dv_val b);

static bool lists_equal(comparison *c, const dv_list *a, const dv_list *b)
{
    if (dv_list_is_nil(a) != dv_list_is_nil(b) || dv_list_len(a) != dv_list_len(b))
        return false;
    for (size_t i = 0; i < dv_list_len(a); i++)
        if (!equal_at(c, a->at[i], b->at[i]))
            return false;
    return true;
}

static bool dicts_equal(comparison *c, const dv_dict *a, const dv_dict *b)
{
    if (!a != !b || dv_dict_len(a) != dv_dict_len(b))
        return false;
    for (size_t i = 0; i < dv_dict_len(a); i++) {
        const dv_val *other = dv_dict_get(b, a->at[i].key);

        if (!other || !equal_at(c, a->at[i].value, *other))
            return false;
    }
    return true;
}

static bool collections_equal(comparison *c, dv_val a, dv_val b)
{
    bool equal;

    /* What is deeper than anything sound can only be the same cycle. */
    if (c->depth == DV_VAL_DEPTH_MAX)
        return true;
    c->depth++;
    if (a.kind == DV_V_LIST)
        equal = a.list == b.list || lists_equal(c, a.list, b.list);
    else
        equal = a.dict == b.dict || dicts_equal(c, a.dict, b.dict);
    c->depth--;
    return equal;
}

static bool equal_at(comparison *c, dv_val a, dv_val b)
{
    if (++c->nodes > DV_VAL_NODES_MAX)
        return false;
    if (dv_val_is_nil(a) || dv_val_is_nil(b))
        return dv_val_is_nil(a) && dv_val_is_nil(b);
    if (a.kind != b.kind || strcmp(dv_val_type(a), dv_val_type(b)) != 0)
        return false;
    switch (a.kind) {
    case DV_V_BOOL:
        return a.b == b.b;
    case DV_V_FLOAT:
        return a.f == b.f;
    case DV_V_COMPLEX:
        return a.c[0] == b.c[0] && a.c[1] == b.c[1];
    case DV_V_STRING:
    case DV_V_BYTES:
        return dv_str_eq(dv_val_str(a), dv_val_str(b));
    case DV_V_LIST:
    case DV_V_DICT:
        return collections_equal(c, a, b);
    case DV_V_OBJECT:
        return a.object->self == b.object->self;
    default:
        return a.i == b.i;
    }
}

bool dv_val_equal(dv_val a, dv_val b)
{
    comparison c = {0};

    return equal_at(&c, a, b);
}
