/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a wish to a lock: which version of the package, and which of all it depends on.
 *
 * The solver is given this PackageManifest's wish; what others in the cluster have and demand is
 * added for the packages that the answer touches, and it is asked again, until nothing new is
 * touched. So one run looks at its own neighbourhood, not at the whole cluster.
 *
 *   - a package that a person applied stands still: its version is pinned, its wish constrains;
 *   - one that was installed as a dependency is kept where it fits, and may be moved;
 *   - the direct demands of every other dependant hold, in every namespace; those of one that was
 *     installed as a dependency and is part of the answer are those of its version there.
 *
 * Threads: worker.
 */
#pragma once

#include "install/pms.h"
#include "repo/repo.h"

typedef struct {
    char *package, *version, *repository;
    dv_dependencies dependencies; /* of this version */
    bool fixed;                   /* stands in the cluster already, by a person's PackageManifest */
} dv_locked;

typedef struct {
    char *version, *repository;   /* of the package itself */
    char *latest;                 /* newest that could be had; NULL: no other */
    DV_VEC(dv_locked) closure;    /* without the package itself, in byte order of names */
    dv_dependencies dependencies; /* direct ones */
    char *explanation;            /* why nothing fits; NULL */
} dv_lock_result;
void dv_lock_result_done(dv_lock_result *lock);
const dv_locked *dv_lock_find(const dv_lock_result *lock, const char *package); /* NULL */
/* Does `from` reach `to` over dependencies within the closure (the package itself is `self`)? */
bool dv_lock_reaches(const dv_lock_result *lock, const char *self, const char *from,
                     const char *to);

typedef struct {
    dv_repos *repos;
    dv_informer *pms; /* all PackageManifests, indexed by dv_pm_index() */
    const dv_pm *pm;
    const dv_pm_status *status;                 /* as this run sees it */
    bool upgrade;                               /* the newest is wanted: Automatic, or asked for */
    const dv_dependencies *inline_dependencies; /* of an inline manifest; NULL: by reference */
    const char *inline_version;
} dv_lock_env;

/*
 * DENIED "DependencyConflict": nothing fits; `explanation` is filled also then. "VersionNotFound":
 * the wish names a build that nobody has. NOT_FOUND "PackageNotFound". WAITING
 * "RepositoryNotReady". INVALID "BadConstraint". Others as dv_repos_versions().
 */
DV_MUST_USE dv_err *dv_lock_resolve(dv_ctx *ctx, const dv_lock_env *env, dv_lock_result *ret_lock);

/* The newest release that could be had and is newer than version, owned; NULL: none. */
DV_MUST_USE dv_err *dv_lock_latest(dv_ctx *ctx, const dv_lock_env *env, const char *version,
                                   char **ret_latest);
