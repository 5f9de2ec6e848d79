/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PackageManifests of a cluster, by what they are and what they need.
 *
 * Of the PackageManifests of one package (a package exists once in a cluster) the first has it:
 * what is installed comes before what is on its way, that before what was refused; then a person's
 * before one made as a dependency; then the older. One that was refused (Stalled) or is suspended
 * before anything of it was in the cluster has no claim: else whoever may create a PackageManifest
 * could keep a package from all others.
 *
 * Threads: any. The informer is one of PackageManifests that is indexed by dv_pm_index().
 */
#pragma once

#include "install/api.h"

/*
 * Index values of a PackageManifest: "package:NAME" for what it is, "needs:NAME" for each of its
 * dependencies, "unresolved" while nothing fits.
 */
void dv_pm_index(void *arg, const dv_entry *entry, dv_strings *ret_values);
/* The PackageManifests of a package that count for others (by reference, not being deleted), oldest
 * first. */
dv_entries dv_pms_of_package(dv_informer *pms, const char *package);
/* Those that name it among their dependencies. */
dv_entries dv_pms_that_need(dv_informer *pms, const char *package);
/* Those for which nothing fits now: any change among the others may help them. */
dv_entries dv_pms_unresolved(dv_informer *pms);

/* Is anything of it in the cluster? */
bool dv_pm_is_installed(const dv_pm *pm);
/* Has it its package, or is it on its way to it? */
bool dv_pm_has_claim(const dv_pm *pm);
/* Of two that are for the same package: is it a that has it? */
bool dv_pm_is_before(const dv_pm *a, const dv_pm *b);
/*
 * The first of a package, but for the one with the key `but`: the one that gives the package to
 * others, if it has a claim. One holder; NULL: there is none.
 */
dv_pm *dv_pms_first(dv_informer *pms, const char *package, const char *but);
/*
 * Is a PackageManifest that was made as a dependency needed by one that a person applied? Follows
 * "is needed by" upwards.
 */
bool dv_pm_is_needed(dv_informer *pms, const dv_pm *pm);
/* DENIED "AlreadyInstalled": another PackageManifest has the package. */
DV_MUST_USE dv_err *dv_pm_check_unique(dv_informer *pms, const dv_pm *pm);
/* What its condition Ready says, or "not installed yet"; borrowed. */
const char *dv_pm_ready_message(const dv_pm *pm);
