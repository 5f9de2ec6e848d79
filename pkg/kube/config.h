/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the API server is and who we are there: in-cluster files, KUBECONFIG (a list, merged as
 * client-go merges it), ~/.kube/config.
 *
 * Tokens from files are read again when the file has changed (checked at most once a second) and
 * after a 401. Exec plugins (client.authentication.k8s.io/v1) run by posix_spawn with a time limit
 * and are cached until they expire; the operator refuses them.
 *
 * Threads: any, after loading.
 */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "http/http.h"
#include "http/url.h"

typedef struct dv_kube_config dv_kube_config;

typedef struct {
    const char *kubeconfig;     /* --kubeconfig; NULL: KUBECONFIG, then ~/.kube/config */
    const char *context;        /* NULL: current-context */
    const char *in_cluster_dir; /* folder with token, ca.crt, namespace; NULL: the usual one */
    bool allow_exec;            /* exec plugins */
    bool in_cluster_first;      /* the operator: kubeconfig only when asked for by flag */
} dv_kube_config_options;

/*
 * INVALID "BadKubeconfig": with file and field. NOT_FOUND "NoCluster": nothing says where.
 * In-cluster, the address comes from files `host` and `port` in the folder, else from
 * KUBERNETES_SERVICE_HOST and _PORT.
 *
 * Order: kubeconfig; in_cluster_dir; with in_cluster_first the pod's folder and nothing else;
 * KUBECONFIG; ~/.kube/config; the pod's folder.
 */
DV_MUST_USE dv_err *dv_kube_config_load(dv_ctx *ctx, const dv_kube_config_options *options,
                                        dv_kube_config **ret_config);
void dv_kube_config_free(dv_kube_config *config);
/* "https://host:port", no slash behind. */
const char *dv_kube_config_server(const dv_kube_config *config);
/* Of the context or the folder; "default". */
const char *dv_kube_config_namespace(const dv_kube_config *config);
/*
 * Sees to it that no fetch leads to the API server, whatever a URL or a name server says: its
 * addresses, as they are now, are denied. Blocks while names are looked up.
 */
DV_MUST_USE dv_err *dv_kube_config_deny_server(const dv_kube_config *config,
                                               dv_address_policy *policy);
/*
 * One holder more, the caller's. Ask for the authorization first: an exec plugin may answer
 * with a client certificate, which the profile then holds.
 */
dv_http_profile *dv_kube_config_profile(dv_kube_config *config);
/*
 * Value of the Authorization header now, owned; NULL when a client certificate (or nothing)
 * speaks for us. May run an exec plugin.
 */
DV_MUST_USE dv_err *dv_kube_config_authorization(dv_ctx *ctx, dv_kube_config *config,
                                                 dv_secret **ret_value);
/* A 401 came: the next authorization is read or made afresh. */
void dv_kube_config_refuse(dv_kube_config *config);
DV_DEFINE_AUTO(dv_kube_config)
