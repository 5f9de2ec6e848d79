/* SPDX-License-Identifier: Apache-2.0 */
/* A reflector without a network, for the fuzz targets of this module. */
#pragma once

#include "runtime/reflector_internal.h"

typedef struct {
    dv_entry entry;
    dv_buf text;
} kept;

static inline void kept_free(dv_entry *entry)
{
    dv_buf_done(&((kept *)entry)->text);
    free(entry);
}

static inline dv_entry *keep(void *arg, const json_t *object)
{
    kept *one = DV_NEW(kept);

    (void)arg;
    dv_entry_init(&one->entry, kept_free);
    dv_buf_init(&one->text, DV_BODY_MAX);
    dv_json_write(object, &one->text);
    return &one->entry;
}

static inline void no_list(void *arg, int64_t limit, const char *token)
{
    (void)arg, (void)limit, (void)token;
}

static inline void no_watch(void *arg, const char *version)
{
    (void)arg, (void)version;
}

static inline void no_unwatch(void *arg)
{
    (void)arg;
}

static const dv_resource fuzz_kind = {.group = "g",
                                      .version = "v1",
                                      .kind = "Thing",
                                      .resource = "things",
                                      .api_version = "g/v1",
                                      .namespaced = true};
static const dv_informer_options fuzz_options = {.resource = &fuzz_kind, .reduce = keep};
static const dv_reflector_ops fuzz_ops = {no_list, no_watch, no_unwatch};

static inline void fuzz_listed(dv_reflector *r, dv_str body)
{
    dv_reflector_listed(r, 1, &(dv_answer){.status = 200, .body = body});
}

/* Objects, position and counts. */
static inline void fuzz_dump(dv_reflector *r, dv_buf *out)
{
    dv_entries entries = dv_store_list(r->store, NULL);
    dv_auto_str position = dv_store_position(r->store);

    for (size_t i = 0; i < entries.n; i++)
        dv_buf_addf(out, "%s\n", dv_buf_cstr(&((const kept *)entries.at[i])->text));
    dv_buf_adds(out, position);
    dv_entries_done(&entries);
}
