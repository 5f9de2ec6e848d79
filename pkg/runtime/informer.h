/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Informers: a local copy of one kind's objects, kept true by list and watch, reduced to what
 * its reader needs.
 *
 *     list pages ──► reduce ──► store ──► changed()
 *       ▲                         ▲
 *       │ 410, queue full         │ watch events, from the last bookmark
 *       └───── backoff ◄──────────┘ cut, error, silence
 *
 * All informers of a process share one dv_cache: one thread that parses what the transport
 * queues. A watch whose queue is full (DV_WATCH_QUEUE_MAX bytes) is ended and listed anew. An
 * event is neither lost nor doubled across a reconnect: a relist is compared with the store
 * and only differences are told. What can't be decoded is counted, logged once and left out;
 * it never stops the informer.
 *
 * Threads: any; callbacks run on the cache's thread, with no lock held, and must not block.
 */
#pragma once

#include "kube/client.h"
#include "kube/object.h"

/* What a store holds; embed it first in a struct of your own. Immutable once in the store. */
typedef struct dv_entry dv_entry;
struct dv_entry {
    _Atomic int refs;
    void (*free)(dv_entry *entry);
};
/* One holder. */
void dv_entry_init(dv_entry *entry, void (*free_entry)(dv_entry *entry));
dv_entry *dv_entry_ref(dv_entry *entry); /* returns entry */
void dv_entry_unref(dv_entry *entry);    /* NULL is fine */

typedef struct dv_cache dv_cache;
typedef struct dv_informer dv_informer;

#define DV_WATCH_QUEUE_MAX ((size_t)16 * 1024 * 1024)

/* Borrows kube, clock and log until freed. */
dv_cache *dv_cache_new(dv_kube *kube, const dv_clock *clock, const dv_log *log);
/* Ends the watches, joins the thread, frees the informers. */
void dv_cache_free(dv_cache *cache);
DV_DEFINE_AUTO(dv_cache)

typedef struct {
    const dv_resource *resource; /* borrowed for good */
    const char *ns;              /* NULL: all */
    const char *label_selector;  /* NULL: all */
    const char *field_selector;  /* NULL */
    bool metadata_only;
    /*
     * The entry to keep of an object (one holder, the store's), or NULL to leave it out.
     * managedFields are removed before; apiVersion and kind are the resource's, also where the
     * server leaves them out or says PartialObjectMetadata. reduce and index are pure: they run on
     * the thread of dv_informer_observe() too.
     */
    dv_entry *(*reduce)(void *arg, const json_t *object);
    /* Appends index values of an entry, by dv_strings_add(); NULL: none. */
    void (*index)(void *arg, const dv_entry *entry, dv_strings *ret_values);
    /*
     * In the order of the changes: an object came (old NULL), changed, or went (now NULL). Entries
     * are borrowed. NULL: nobody cares.
     */
    void (*changed)(void *arg, const char *key, const dv_entry *old, const dv_entry *now);
    /* The watch runs again after it was broken. On the cache's thread. NULL: nobody cares. */
    void (*resumed)(void *arg);
    void *arg; /* borrowed until the cache is freed */
} dv_informer_options;

/* Starts at once, also after the cache runs. Owned by the cache. */
dv_informer *dv_informer_start(dv_cache *cache, const dv_informer_options *options);
/* Ends it and forgets its entries; told to nobody. Not from a callback. */
void dv_informer_stop(dv_informer *informer);
/* The first list is in the store, and its changed() calls were made. */
bool dv_informer_synced(const dv_informer *informer);
/*
 * Waits until it is synced. TRANSIENT, CANCELED by ctx. DENIED: the list was refused (403); it goes
 * on trying, slowly.
 */
DV_MUST_USE dv_err *dv_informer_wait(dv_ctx *ctx, dv_informer *informer);
/* Since when (monotonic) the watch has been broken; 0: it runs. */
int64_t dv_informer_broken_since_ms(const dv_informer *informer);

/*
 * Highest resourceVersion, as a number, that lists, events and bookmarks have told: an object
 * written at a lower one that is not in the store is gone. 0 before the first list.
 */
uint64_t dv_informer_revision(const dv_informer *informer);

/* key: "namespace/name", or "name" for cluster scope. One holder, the caller's; NULL: absent. */
dv_entry *dv_informer_get(dv_informer *informer, const char *key);
/* All entries, or those with an index value; in byte order of their keys; one holder each. */
typedef DV_VEC(dv_entry *) dv_entries;
dv_entries dv_informer_list(dv_informer *informer);
dv_entries dv_informer_by_index(dv_informer *informer, const char *value);
void dv_entries_done(dv_entries *entries);
size_t dv_informer_count(dv_informer *informer);

/*
 * Puts what a write of ours returned into the store, so that the next reconcile sees it before
 * the watch tells. Ignored unless newer (resourceVersion) than what is there, or, where nothing is
 * there, than all that the watch has told: what was deleted meanwhile stays so. changed() is called
 * soon after, on the cache's thread. The object must be one that the informer's selectors choose.
 */
void dv_informer_observe(dv_informer *informer, const json_t *object);

/* "namespace/name" or "name" of an object; owned. */
char *dv_key_of(const json_t *object);
char *dv_key_make(const char *ns, const char *name);
/* Splits; ret_ns and ret_name are owned. */
void dv_key_split(const char *key, char **ret_ns, char **ret_name);

/* Figures for metrics. */
typedef struct {
    uint64_t lists, watches, events, skipped;
    size_t objects;
} dv_informer_stats;
dv_informer_stats dv_informer_get_stats(const dv_informer *informer);
