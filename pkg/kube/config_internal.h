/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files behind config.h share.
 *
 *     config.c      which source speaks, and what callers see
 *     kubeconfig.c  kubeconfig files, merged, to settings
 *     credential.c  the Authorization header: tokens, token files, exec plugins
 *
 * Threads: settings are read-only after loading; what changes is guarded by the config's mutex,
 * which is not held while a file is read or a plugin runs.
 */
#pragma once

#include "base/sync.h"
#include "json/json.h"
#include "kube/config.h"

/* Bounds of what a kubeconfig and the files it names may hold. */
#define DV_KUBECONFIG_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define DV_KUBECONFIG_FILES_MAX ((size_t)64)
#define DV_KUBE_PEM_MAX ((size_t)1024 * 1024)
#define DV_KUBE_TOKEN_MAX ((size_t)64 * 1024)
#define DV_EXEC_OUTPUT_MAX ((size_t)1024 * 1024)
#define DV_EXEC_TIMEOUT_MS ((int64_t)30 * 1000)
/* How often a token file is looked at, and how old a plugin's answer must be to be refused. */
#define DV_TOKEN_CHECK_MS ((int64_t)1000)
#define DV_EXEC_REFUSE_MS ((int64_t)5000)

/* What a source said; all owned. */
typedef struct {
    char *server, *ns;
    char *server_name, *proxy;
    bool insecure;
    dv_buf ca, cert, key; /* PEM; empty: none */
    char *token, *token_file, *username, *password;
    char *as, *as_uid;
    dv_strings as_groups;
    char *where;          /* for messages: "kubeconfig /home/…: context \"x\"" */
    json_t *exec;         /* the exec stanza, its command resolved; NULL: none */
    json_t *exec_cluster; /* what KUBERNETES_EXEC_INFO says of the cluster */
} dv_kube_settings;

/* Which version of a token file was read. */
typedef struct {
    uint64_t device, inode;
    int64_t size, mtime_ns;
} dv_file_stamp;

struct dv_kube_config {
    dv_kube_settings settings;
    dv_strings headers; /* impersonation: "Impersonate-User: …" */
    bool allow_exec;

    pthread_mutex_t mu;
    pthread_cond_t changed;
    /* Guarded by mu. */
    dv_http_profile *profile;
    dv_secret *authorization; /* NULL: none, or not made yet */
    bool refused;
    dv_file_stamp stamp;
    int64_t checked_ms; /* token file; 0: never */
    bool exec_running;
    bool exec_done; /* the plugin has answered */
    int64_t exec_made_ms;
    int64_t exec_expires_ms; /* wall clock; 0: never */
};

void dv_kube_settings_init(dv_kube_settings *settings);
void dv_kube_settings_done(dv_kube_settings *settings);

/*
 * Reads and merges kubeconfig files. With must_exist a missing file is an error, else it is
 * left out. NOT_FOUND "NoCluster": none names a cluster.
 */
DV_MUST_USE dv_err *dv_kubeconfig_read(const dv_strings *paths, bool must_exist,
                                       const char *context, dv_kube_settings *settings);

/* The profile that settings ask for, with the plugin's client certificate if it gave one. */
DV_MUST_USE dv_err *dv_kube_profile_make(const dv_kube_settings *settings, dv_str cert_pem,
                                         dv_str key_pem, dv_http_profile **ret_profile);
/* "Bearer <token>"; INVALID: bytes that no header may hold. Trims. */
DV_MUST_USE dv_err *dv_kube_bearer(dv_str token, const char *where, dv_secret **ret_value);
/* Checks an exec stanza when it is loaded. */
DV_MUST_USE dv_err *dv_kube_exec_check(const dv_kube_settings *settings);

/* Header lines that impersonate whom the kubeconfig says; borrowed. */
const dv_strings *dv_kube_config_headers(const dv_kube_config *config);
