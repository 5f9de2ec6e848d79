/* SPDX-License-Identifier: Apache-2.0 */
/* What stores hold, and the keys they hold it under. */
#include "kube/object.h"
#include "runtime/informer.h"

void dv_entry_init(dv_entry *entry, void (*free_entry)(dv_entry *entry))
{
    entry->refs = 1;
    entry->free = free_entry;
}

dv_entry *dv_entry_ref(dv_entry *entry)
{
    if (entry)
        DV_ASSERT(entry->refs++ > 0);
    return entry;
}

void dv_entry_unref(dv_entry *entry)
{
    if (entry && --entry->refs == 0)
        entry->free(entry);
}

void dv_entries_done(dv_entries *entries)
{
    for (size_t i = 0; i < entries->n; i++)
        dv_entry_unref(entries->at[i]);
    dv_vec_done(entries);
}

char *dv_key_make(const char *ns, const char *name)
{
    return ns && *ns ? dv_asprintf("%s/%s", ns, name) : dv_strdup(name);
}

char *dv_key_of(const json_t *object)
{
    return dv_key_make(dv_obj_ns(object), dv_obj_name(object));
}

void dv_key_split(const char *key, char **ret_ns, char **ret_name)
{
    dv_str ns, name = dv_str_cut(dv_str_of(key), '/', &ns);

    *ret_ns = name.p ? dv_str_dup(ns) : dv_strdup("");
    *ret_name = name.p ? dv_str_dup(name) : dv_str_dup(ns);
}
