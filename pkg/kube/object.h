/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and making Kubernetes objects as documents: names, labels, owner, references.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

/* A reference to an object; all texts owned. */
typedef struct {
    char *api_version, *kind;
    char *ns; /* "" for cluster scope */
    char *name;
    char *uid; /* "" when unknown */
} dv_objref;
void dv_objref_done(dv_objref *ref);
/* From an object's apiVersion, kind and metadata. */
dv_objref dv_objref_of(const json_t *object);
dv_objref dv_objref_dup(const dv_objref *ref);
/* Group, kind, namespace and name; version and uid don't count. */
bool dv_objref_same(const dv_objref *a, const dv_objref *b);
int dv_objref_cmp(const dv_objref *a, const dv_objref *b);
/* Appends "Deployment team-a/web" or "Namespace web". */
void dv_objref_add(dv_buf *out, const dv_objref *ref);
/* The group of "apps/v1" is "apps", that of "v1" is "". */
dv_str dv_api_group(const char *api_version);

const char *dv_obj_name(const json_t *object);   /* "" when absent */
const char *dv_obj_ns(const json_t *object);     /* "" */
const char *dv_obj_uid(const json_t *object);    /* "" */
const char *dv_obj_kind(const json_t *object);   /* "" */
const char *dv_obj_rv(const json_t *object);     /* resourceVersion, "" */
int64_t dv_obj_generation(const json_t *object); /* 0 when it has none */
bool dv_obj_deleting(const json_t *object);
const char *dv_obj_label(const json_t *object, const char *key);      /* NULL */
const char *dv_obj_annotation(const json_t *object, const char *key); /* NULL */
/* A fresh {"apiVersion","kind","metadata":{"name","namespace"}}; ns may be NULL or "". Owned. */
json_t *dv_obj_new(const char *api_version, const char *kind, const char *ns, const char *name);
/* RFC 1123 label / subdomain, as Kubernetes demands of names. */
bool dv_name_is_label(dv_str name);
bool dv_name_is_subdomain(dv_str name);
