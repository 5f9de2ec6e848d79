/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package version's description: Glasskube's package.yaml, every field of it
 * (https://glasskube.dev/schemas/v1/package-manifest.json), read and validated.
 *
 * An unknown field is a warning, a wrong type an error with its path and line. What a later
 * release will install (Helm, transformations, value definitions) is read whole and reported by
 * dv_package_unsupported().
 *
 * Outsiders write it: dv_package_read() runs in a caged worker. What crosses the cage's border is
 * the JSON form: dv_package_encode() there, dv_package_decode() here.
 *
 * Threads: a package belongs to one thread until it is complete, then it is never changed and any
 * may read it.
 */
#pragma once

#include "json/json.h"
#include "resolve/resolve.h"

typedef enum { DV_SCOPE_CLUSTER, DV_SCOPE_NAMESPACED } dv_package_scope;

typedef struct {
    char *name; /* required */
    char *short_description, *long_description, *icon_url;
    dv_package_scope scope;  /* absent: Cluster */
    char *default_namespace; /* NULL: none */
    DV_VEC(struct { char *label, *url; }) references;
    DV_VEC(struct {
        char *url;
        char *default_namespace;
    }) manifests;                 /* plain manifests, relative or absolute URLs */
    json_t *helm;                 /* as given (object), NULL */
    json_t *kustomize;            /* as given, NULL */
    json_t *value_definitions;    /* object: name -> definition, validated; NULL: none */
    json_t *transformations;      /* as given (array), NULL */
    json_t *transitive_resources; /* as given (array), NULL */
    json_t *entrypoints;          /* as given (array), NULL */
    dv_dependencies dependencies;
    DV_VEC(struct {
        char *name, *version, *installed_name;
        json_t *values;
    }) components;
} dv_package;

#define DV_PACKAGE_BYTES_MAX ((size_t)1024 * 1024)

void dv_package_free(dv_package *package);
DV_DEFINE_AUTO(dv_package)
/*
 * Reads package.yaml. *ret_package is owned; warnings are appended ("line 7: unknown field
 * \"foo\""). INVALID "InvalidPackage": "line 12: manifests[0].url: string expected, got integer".
 */
DV_MUST_USE dv_err *dv_package_read(dv_str yaml, dv_package **ret_package, dv_strings *warnings);
/* Owned; the canonical JSON form, which dv_package_decode() reads back equal. */
json_t *dv_package_encode(const dv_package *package);
/* From JSON (an inline manifest, or what came out of the cage). Warnings as above without lines;
 * may be NULL. */
DV_MUST_USE dv_err *dv_package_decode(const json_t *json, dv_package **ret_package,
                                      dv_strings *warnings);
/*
 * INVALID: this package needs something this build can't install yet: "ScopeNotSupported",
 * "HelmNotSupported", "KustomizeNotSupported", "ValuesNotSupported" (a required value without
 * default, or transformations, or components), saying what. NULL: can be installed.
 */
DV_MUST_USE dv_err *dv_package_unsupported(const dv_package *package);
/* Names as they appear in a repository: lower-case RFC 1123 label characters and dots, at most 253
 * bytes; "..", "/" never. */
bool dv_package_name_valid(dv_str name);
