/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a PackageRepository to a member of dv_repos: its Secrets are read, its wish is put.
 *
 * Threads: any.
 */
#pragma once

#include "install/api.h"
#include "kube/client.h"
#include "repo/repo.h"

typedef struct {
    dv_kube *kube;
    dv_repos *repos;
    const char *secrets_namespace; /* the operator's own */
    /*
     * Does the namespace carry labels that this metav1.LabelSelector accepts? Asked from any
     * thread, as long as the repository is known.
     */
    bool (*may_use)(void *arg, const char *ns, const json_t *selector);
    void *arg;
} dv_pkgrepo_env;

/*
 * Adds or changes it. INVALID "TypeNotSupported", "InvalidSecret", or as dv_repos_put(). WAITING
 * "SecretNotFound". Others as dv_kube_do().
 */
DV_MUST_USE dv_err *dv_pkgrepo_put(dv_ctx *ctx, const dv_pkgrepo_env *env, const dv_pkgrepo *repo);
