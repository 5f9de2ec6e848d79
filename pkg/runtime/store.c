/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/store_internal.h"

#include "base/crypto.h"
#include "base/map.h"
#include "base/sync.h"

enum { FIRST_CAP = 16 };

/* One a stored object; the key stands in it, so that it is kept once. */
typedef struct {
    dv_entry *entry;
    dv_rv rv;
    uint32_t hash;
    uint32_t mark; /* the list that last held it */
    char key[];
} record;

typedef struct {
    DV_VEC(record *) records;
} bucket;

struct dv_store {
    const dv_informer_options *options;
    pthread_mutex_t mu;
    record **slots; /* open addressing; no tombstones, followers shift back */
    size_t cap;     /* power of two */
    size_t count;
    uint64_t seed;
    dv_map *buckets; /* by index value */
    dv_rv position;
    dv_rv list_rv;
    uint32_t list_mark;
    bool rewound; /* the list is older than the position: the server was restored from a backup */
    DV_VEC(dv_change) changes;
    size_t changes_told;
};

/* What somebody tells of one object. */
typedef struct {
    dv_store_from from;
    bool gone;  /* the watch saw its deletion */
    bool swept; /* the list did not hold it */
    const char *key;
    const dv_rv *rv;
    dv_entry *entry; /* NULL: leave it out */
} told;

static void bucket_free(void *at)
{
    bucket *one = at;

    dv_vec_done(&one->records);
    free(one);
}

dv_store *dv_store_new(const dv_informer_options *options)
{
    dv_store *store = DV_NEW(dv_store);

    store->options = options;
    pthread_mutex_init(&store->mu, NULL);
    store->cap = FIRST_CAP;
    store->slots = dv_calloc(store->cap, sizeof(record *));
    store->buckets = dv_map_new(bucket_free);
    dv_random_bytes(&store->seed, sizeof(store->seed));
    return store;
}

static void record_free(record *one)
{
    dv_entry_unref(one->entry);
    dv_rv_done(&one->rv);
    free(one);
}

void dv_change_done(dv_change *change)
{
    free(change->key);
    dv_entry_unref(change->old);
    dv_entry_unref(change->now);
    *change = (dv_change){0};
}

void dv_store_free(dv_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->cap; i++)
        if (store->slots[i])
            record_free(store->slots[i]);
    free(store->slots);
    dv_map_free(store->buckets);
    for (size_t i = store->changes_told; i < store->changes.n; i++)
        dv_change_done(&store->changes.at[i]);
    dv_vec_done(&store->changes);
    dv_rv_done(&store->position);
    dv_rv_done(&store->list_rv);
    pthread_mutex_destroy(&store->mu);
    free(store);
}

/* ---- The table; the lock is held ---- */

static uint32_t hash_of(const dv_store *store, const char *key)
{
    uint64_t hash = dv_str_hash(dv_str_of(key)) ^ store->seed;

    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu; /* the finaliser of MurmurHash3 */
    return (uint32_t)(hash >> 32);
}

static size_t slot_of(const dv_store *store, const char *key, uint32_t hash)
{
    size_t at = hash & (store->cap - 1);

    for (const record *one; (one = store->slots[at]); at = (at + 1) & (store->cap - 1))
        if (one->hash == hash && strcmp(one->key, key) == 0)
            break;
    return at;
}

static record *find(const dv_store *store, const char *key)
{
    return store->slots[slot_of(store, key, hash_of(store, key))];
}

static void grow(dv_store *store)
{
    record **old = store->slots;
    size_t old_cap = store->cap;

    store->cap *= 2;
    store->slots = dv_calloc(store->cap, sizeof(record *));
    for (size_t i = 0; i < old_cap; i++)
        if (old[i])
            store->slots[slot_of(store, old[i]->key, old[i]->hash)] = old[i];
    free(old);
}

static record *insert(dv_store *store, const char *key)
{
    size_t key_n = strlen(key) + 1;
    record *one = dv_calloc(1, sizeof(record) + key_n);

    memcpy(one->key, key, key_n);
    one->hash = hash_of(store, key);
    if ((store->count + 1) * 4 > store->cap * 3)
        grow(store);
    store->slots[slot_of(store, key, one->hash)] = one;
    store->count++;
    return one;
}

static void take_out(dv_store *store, record *one)
{
    size_t mask = store->cap - 1, at = slot_of(store, one->key, one->hash), next = (at + 1) & mask;

    for (; store->slots[next]; next = (next + 1) & mask) {
        size_t home = store->slots[next]->hash & mask;

        if (((next - home) & mask) >= ((next - at) & mask)) {
            store->slots[at] = store->slots[next];
            at = next;
        }
    }
    store->slots[at] = NULL;
    store->count--;
}

/* ---- The index ---- */

/* Calls out: without the lock. */
static dv_strings values_of(const dv_store *store, const dv_entry *entry)
{
    dv_strings values = {0};

    if (entry && store->options->index)
        store->options->index(store->options->arg, entry, &values);
    return values;
}

static bool same_values(const dv_strings *a, const dv_strings *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->at[i], b->at[i]) != 0)
            return false;
    return true;
}

static void index_add(dv_store *store, record *one, const dv_strings *values)
{
    for (size_t i = 0; i < values->n; i++) {
        dv_str value = dv_str_of(values->at[i]);
        bucket *into = dv_map_get(store->buckets, value);

        if (!into) {
            into = DV_NEW(bucket);
            dv_map_put(store->buckets, value, into);
        }
        if (!into->records.n || into->records.at[into->records.n - 1] != one) /* named twice */
            *dv_vec_push(&into->records) = one;
    }
}

static void index_remove(dv_store *store, const record *one, const dv_strings *values)
{
    for (size_t i = 0; i < values->n; i++) {
        dv_str value = dv_str_of(values->at[i]);
        bucket *from = dv_map_get(store->buckets, value);

        for (size_t at = 0; from && at < from->records.n; at++) {
            if (from->records.at[at] != one)
                continue;
            from->records.at[at] = from->records.at[--from->records.n];
            break;
        }
        if (from && from->records.n == 0)
            dv_map_drop(store->buckets, value);
    }
}

/* ---- What is told against what is known; the lock is held ---- */

static bool is_news(const dv_store *store, const record *known, const told *t)
{
    dv_rv_order order = dv_rv_compare(t->rv, known ? &known->rv : &store->position);

    if (!known) /* of a write: else the deletion has been told already */
        return t->entry && (t->from != DV_FROM_WRITE || order == DV_RV_NEWER);
    if (t->swept)
        return known->mark != store->list_mark && (order != DV_RV_OLDER || store->rewound);
    if (t->gone)
        return order != DV_RV_OLDER;
    if (t->from == DV_FROM_WRITE)
        return order == DV_RV_NEWER;
    return order == DV_RV_NEWER || order == DV_RV_UNORDERED ||
           (order == DV_RV_OLDER && t->from == DV_FROM_LIST && store->rewound);
}

static void pass(dv_store *store, const dv_rv *rv)
{
    if (dv_rv_compare(rv, &store->position) == DV_RV_OLDER && !store->rewound)
        return;
    dv_rv_done(&store->position);
    store->position = dv_rv_dup(rv);
}

static void note_change(dv_store *store, const char *key, dv_entry *old, dv_entry *now)
{
    if (!store->options->changed)
        return;
    *dv_vec_push(&store->changes) =
        (dv_change){dv_strdup(key), dv_entry_ref(old), dv_entry_ref(now)};
}

/* The record becomes what t says. The caller still holds the old entry, so none is freed here. */
static void replace(dv_store *store, record *known, const told *t, const dv_strings *old_values,
                    const dv_strings *values)
{
    bool reindex = !known || !t->entry || !same_values(old_values, values);

    note_change(store, t->key, known ? known->entry : NULL, t->entry);
    if (known && reindex)
        index_remove(store, known, old_values);
    if (!t->entry) {
        take_out(store, known);
        record_free(known);
        return;
    }
    if (!known)
        known = insert(store, t->key);
    dv_entry_unref(known->entry);
    known->entry = dv_entry_ref(t->entry);
    dv_rv_done(&known->rv);
    known->rv = dv_rv_dup(t->rv);
    if (reindex)
        index_add(store, known, values);
}

/* False: the record changed since old was looked up. */
static bool apply_to(dv_store *store, const told *t, const dv_entry *old,
                     const dv_strings *old_values, const dv_strings *values)
{
    DV_LOCK_SCOPE(&store->mu);
    record *known = find(store, t->key);

    if ((known ? known->entry : NULL) != old)
        return false;
    if (is_news(store, known, t)) {
        replace(store, known, t, old_values, values);
        known = find(store, t->key);
    }
    if (known && t->from == DV_FROM_LIST && !t->swept)
        known->mark = store->list_mark;
    if (t->from == DV_FROM_WATCH)
        pass(store, t->rv);
    return true;
}

/* Index values are computed without the lock, so it may take a second look. */
static void apply(dv_store *store, const told *t)
{
    dv_strings values = values_of(store, t->entry);

    for (bool settled = false; !settled;) {
        dv_entry *old = dv_store_get(store, t->key);
        dv_strings old_values = values_of(store, old);

        settled = apply_to(store, t, old, &old_values, &values);
        dv_strings_done(&old_values);
        dv_entry_unref(old);
    }
    dv_strings_done(&values);
    dv_entry_unref(t->entry);
}

void dv_store_put(dv_store *store, dv_store_from from, const char *key, const dv_rv *rv,
                  dv_entry *entry)
{
    apply(store, &(told){.from = from, .key = key, .rv = rv, .entry = entry});
}

void dv_store_remove(dv_store *store, const char *key, const dv_rv *rv)
{
    apply(store, &(told){.from = DV_FROM_WATCH, .gone = true, .key = key, .rv = rv});
}

void dv_store_pass(dv_store *store, const dv_rv *rv)
{
    DV_LOCK_SCOPE(&store->mu);

    pass(store, rv);
}

char *dv_store_position(dv_store *store)
{
    DV_LOCK_SCOPE(&store->mu);

    return dv_rv_text(&store->position);
}

/* ---- Lists ---- */

void dv_store_list_begin(dv_store *store, const dv_rv *rv)
{
    DV_LOCK_SCOPE(&store->mu);

    store->list_mark++;
    dv_rv_done(&store->list_rv);
    store->list_rv = dv_rv_dup(rv);
    store->rewound = dv_rv_compare(rv, &store->position) == DV_RV_OLDER;
}

void dv_store_list_keep(dv_store *store, const char *key)
{
    DV_LOCK_SCOPE(&store->mu);
    record *known = find(store, key);

    if (known)
        known->mark = store->list_mark;
}

static dv_strings unmarked(dv_store *store)
{
    DV_LOCK_SCOPE(&store->mu);
    dv_strings keys = {0};

    for (size_t i = 0; i < store->cap; i++)
        if (store->slots[i] && store->slots[i]->mark != store->list_mark)
            dv_strings_add(&keys, store->slots[i]->key);
    return keys;
}

void dv_store_list_end(dv_store *store)
{
    dv_strings keys = unmarked(store);

    dv_strings_sort(&keys);
    for (size_t i = 0; i < keys.n; i++)
        apply(store, &(told){.from = DV_FROM_LIST,
                             .swept = true,
                             .key = keys.at[i],
                             .rv = &store->list_rv}); /* changed by this thread only */
    dv_strings_done(&keys);
    DV_LOCK_SCOPE(&store->mu);
    pass(store, &store->list_rv);
    store->rewound = false;
}

/* ---- Telling and reading ---- */

bool dv_store_next_change(dv_store *store, dv_change *ret_change)
{
    DV_LOCK_SCOPE(&store->mu);

    if (store->changes_told == store->changes.n) {
        dv_vec_done(&store->changes); /* an idle store keeps no memory for it */
        store->changes_told = 0;
        return false;
    }
    *ret_change = store->changes.at[store->changes_told++];
    return true;
}

dv_entry *dv_store_get(dv_store *store, const char *key)
{
    DV_LOCK_SCOPE(&store->mu);
    record *known = find(store, key);

    return known ? dv_entry_ref(known->entry) : NULL;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(record *const *)a)->key, (*(record *const *)b)->key);
}

static void collect(const dv_store *store, const char *value, record **ret_found, size_t *ret_n)
{
    const bucket *from = value ? dv_map_get(store->buckets, dv_str_of(value)) : NULL;
    size_t n = 0;

    if (value) {
        for (; from && n < from->records.n; n++)
            ret_found[n] = from->records.at[n];
    } else {
        for (size_t i = 0; i < store->cap; i++)
            if (store->slots[i])
                ret_found[n++] = store->slots[i];
    }
    *ret_n = n;
}

dv_entries dv_store_list(dv_store *store, const char *value)
{
    DV_LOCK_SCOPE(&store->mu);
    record **found = dv_alloc(dv_size_mul(store->count, sizeof(record *)));
    dv_entries entries = {0};
    size_t n;

    collect(store, value, found, &n);
    qsort(found, n, sizeof(record *), by_key);
    for (size_t i = 0; i < n; i++)
        *dv_vec_push(&entries) = dv_entry_ref(found[i]->entry);
    free(found);
    return entries;
}

size_t dv_store_count(dv_store *store)
{
    DV_LOCK_SCOPE(&store->mu);

    return store->count;
}
