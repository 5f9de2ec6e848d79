/* SPDX-License-Identifier: Apache-2.0 */
#include "json/doc.h"

#include <stdatomic.h>

struct dv_doc {
    atomic_size_t holders;
    void *value;
    void (*free_value)(void *value);
    size_t n;
    char bytes[];
};

dv_doc *dv_doc_new_bytes(dv_str json)
{
    dv_doc *doc = dv_alloc(sizeof(*doc) + json.n + 1);

    *doc = (dv_doc){.n = json.n};
    atomic_init(&doc->holders, 1);
    if (json.n)
        memcpy(doc->bytes, json.p, json.n);
    doc->bytes[json.n] = '\0';
    return doc;
}

dv_doc *dv_doc_new(const json_t *value)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(DV_DOC_BYTES_MAX);

    dv_json_write(value, &bytes);
    return dv_doc_new_bytes(dv_buf_str(&bytes));
}

dv_doc *dv_doc_new_struct(void *value, void (*free_value)(void *value))
{
    dv_doc *doc = dv_doc_new_bytes((dv_str){NULL, 0});

    doc->value = value;
    doc->free_value = free_value;
    return doc;
}

dv_doc *dv_doc_ref(dv_doc *doc)
{
    if (doc)
        atomic_fetch_add_explicit(&doc->holders, 1, memory_order_relaxed);
    return doc;
}

void dv_doc_unref(dv_doc *doc)
{
    /* Released by every holder, acquired by the last: what they read happens before the free. */
    if (!doc || atomic_fetch_sub_explicit(&doc->holders, 1, memory_order_acq_rel) != 1)
        return;
    if (doc->free_value)
        doc->free_value(doc->value);
    free(doc);
}

dv_str dv_doc_bytes(const dv_doc *doc)
{
    return (dv_str){doc->bytes, doc->n};
}

const void *dv_doc_struct(const dv_doc *doc)
{
    return doc->value;
}

dv_err *dv_doc_parse(const dv_doc *doc, json_t **ret_value)
{
    dv_err *err = dv_json_read(dv_doc_bytes(doc), ret_value);

    if (err)
        return dv_err_wrap(dv_err_recast(err, DV_BUG, "BadDocument"), "stored document");
    return NULL;
}
