/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a lock's closure: the dependencies that a status names, and the PackageManifests
 * that give them.
 *
 * A dependency is made as the PackageManifest <package> in the operator's own namespace, with the
 * exact version of the lock.
 *
 * Threads: worker.
 */
#pragma once

#include "install/lock.h"

/*
 * Replaces what a status says of dependencies by those of the lock: each with the range that
 * `asker` (the package, or the name of an inline PackageManifest) demands, else another, and who
 * demands it.
 */
void dv_dependencies_list(const dv_lock_result *lock, const char *asker, dv_pm_status *status);

/* The PackageManifest that gives a dependency; owned. */
json_t *dv_dependency_object(const dv_locked *locked, const char *operator_ns);

/*
 * Is that PackageManifest to be written, for pm which needs it? *ret_there (one holder) is the one
 * that is there already, NULL: none. WAITING "DependencyTerminating", "DependencyNotReady"; DENIED
 * "DependencyNameTaken": the name that it would have is another's.
 */
DV_MUST_USE dv_err *dv_dependency_decide(dv_informer *pms, const dv_pm *pm, const dv_locked *locked,
                                         const char *operator_ns, bool *ret_write,
                                         dv_pm **ret_there);
