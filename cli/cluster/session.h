/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at a cluster with the user's own rights: its PackageManifests as an informer, its
 * PackageRepositories as a dv_repos, the cage. The engine of the operator runs on these, so that
 * what is told here is what the operator would do.
 *
 * Threads: main.
 */
#pragma once

#include "base/map.h"
#include "install/lock.h"
#include "kube/client.h"
#include "sandbox/sandbox.h"
#include "verb.h"

typedef struct {
    const cli_options *options;
    dv_ctx ctx;
    const char *ns;          /* of -n, else the context's */
    const char *operator_ns; /* where the operator and what it makes live */
    dv_http *http;
    dv_kube *kube;
    dv_sandbox *sandbox;
    dv_address_policy *policy;
    dv_fetcher *fetcher;
    dv_repos *repos;
    dv_cache *cache;
    dv_informer *pms;        /* cli_session_packages() */
    dv_map *namespaces;      /* name -> dv_doc of its labels */
    dv_strings repositories; /* names of those that are known */
    size_t unread;           /* repositories that could not be read */
    bool selects;            /* one of them is closed to some namespaces */
    const char *only;        /* of repositories only this package matters; NULL: all */
} cli_session;

/* Reads the kubeconfig and makes the parts; asks nobody yet. ret_session is to be closed also after
 * an error. */
DV_MUST_USE dv_err *cli_session_open(const cli_options *options, cli_session *ret_session);
void cli_session_close(cli_session *session);

/* Reads all PackageManifests and keeps them. DENIED: the user may not list them. */
DV_MUST_USE dv_err *cli_session_packages(cli_session *session);
/*
 * Reads all PackageRepositories; with `sync` also what they have. One that can't be read is told of
 * on stderr and counted; what it might have is then waited for, so no other answers in its place.
 */
DV_MUST_USE dv_err *cli_session_repositories(cli_session *session, bool sync);
/* The same, with these (an array; NULL: none) added, or in the place of those of their names. */
DV_MUST_USE dv_err *cli_session_repositories_with(cli_session *session, const json_t *more,
                                                  bool sync);

const dv_resource *cli_resource_pm(cli_session *session);
/* The namespace whose PackageManifests a verb looks at; NULL: all. Only -n restricts. */
const char *cli_session_scope(const cli_session *session);
/* ---- packages.c ---- */
/* What the package is called; of an inline one, its PackageManifest's name. */
const char *cli_package_of(const dv_pm *pm);
/* Within the scope, and of this package, name or "namespace/name" (NULL: any)? */
bool cli_is_asked(const cli_session *session, const dv_pm *pm, const char *what);
/* For qsort() of elements that begin with a version's text: newest first, what is none last. */
int cli_newest_first(const void *a, const void *b);

/* cli_say() of the sentence. */
void cli_note(const char *format, ...) DV_PRINTF(1, 2);
/* What a package needs: objects of package, range and the version that the lock has; owned. */
json_t *cli_list_needs(const dv_lock_result *lock);
