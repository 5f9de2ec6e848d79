/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the description of a package's version to its objects: its manifests are fetched, and taken
 * apart in the cage.
 *
 *     dv_package ──fetch──► bytes ──cage──► items [{"object", "defaultNamespace"?}] ──►
 * dv_prepare()
 *
 * Threads: worker.
 */
#pragma once

#include "install/api.h"
#include "repo/repo.h"
#include "sandbox/sandbox.h"

/*
 * The operations that run in the cage, for dv_sandbox_main(): what repositories serve is decoded,
 * manifests become objects.
 */
extern const dv_sandbox_op dv_render_ops[];
extern const size_t dv_render_n_ops;
/* What dv_repos_new() is given: decodes in this cage, which is borrowed as long as it is used. */
dv_repo_decoder dv_render_decoder(dv_sandbox *sandbox);

#define DV_INLINE_BYTES_MAX ((size_t)256 * 1024)
/*
 * The package that a PackageManifest holds inline, and the version it counts as,
 * "inline-<8 hex digits>"; both owned. INVALID "InvalidPackage".
 */
DV_MUST_USE dv_err *dv_render_inline(const dv_pm *pm, dv_package **ret_package, char **ret_version);

typedef struct {
    dv_repos *repos;
    dv_sandbox *sandbox;
    const char *repository; /* that package.yaml came from; NULL: inline */
    const dv_package *package;
    const dv_repo_package *source; /* NULL: inline */
    /* Asked about the bytes of each manifest before they are parsed; an error ends it. NULL: not.
     */
    dv_err *(*check)(void *arg, const char *url, const char *sha256);
    void *arg;
} dv_render_env;

/*
 * *ret_items is owned; what was read (package.yaml first, then each manifest) is appended to
 * ret_artifacts, whose holder frees it by dv_artifacts_done(). Errors of dv_repos_manifest() and of
 * the cage.
 */
DV_MUST_USE dv_err *dv_render(dv_ctx *ctx, const dv_render_env *env, json_t **ret_items,
                              dv_artifacts *ret_artifacts);

/*
 * Other bytes for what is installed under the same version are applied only when somebody asks:
 * DENIED "SourceChanged".
 */
DV_MUST_USE dv_err *dv_render_check_source(const dv_pm_status *status, const char *version,
                                           const char *url, const char *sha256);
