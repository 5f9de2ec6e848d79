/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/flags.h"

#define FLAG(text, kind, member, placeholder, sentence)                                            \
    {                                                                                              \
        .name = text, .type = kind, .offset = offsetof(op_options, member), .value = placeholder,  \
        .help = sentence                                                                           \
    }

static const dv_flag flags[] = {
    FLAG("kubeconfig", DV_FLAG_STRING, kubeconfig, "FILE",
         "kubeconfig to use instead of the service account's files"),
    FLAG("context", DV_FLAG_STRING, context, "NAME", "context of the kubeconfig"),
    FLAG("in-cluster-dir", DV_FLAG_STRING, in_cluster_dir, "DIR",
         "folder with the service account's token, ca.crt and namespace"),
    FLAG("namespace", DV_FLAG_STRING, namespace, "NAME",
         "the operator's own namespace, where dependencies and its Secrets go"),
    FLAG("watch-namespace", DV_FLAG_STRING, watch_namespace, "NAME",
         "handle PackageManifests of this namespace only"),
    FLAG("leader-elect", DV_FLAG_BOOL, leader_elect, NULL,
         "hold a lease, so that of several operators one works"),
    FLAG("lease-name", DV_FLAG_STRING, lease_name, "NAME",
         "name of that lease, in the operator's namespace"),
    FLAG("metrics-bind-address", DV_FLAG_STRING, metrics_address, "ADDRESS",
         "where /metrics is served; 0: nowhere"),
    FLAG("health-probe-bind-address", DV_FLAG_STRING, health_address, "ADDRESS",
         "where /healthz and /readyz are served; 0: nowhere"),
    FLAG("concurrent", DV_FLAG_INT, concurrent, "N", "how many objects are worked on at once"),
    FLAG("default-service-account", DV_FLAG_STRING, default_service_account, "NAME",
         "account, of the PackageManifest's namespace, where spec.serviceAccountName is empty"),
    FLAG("privileged-namespaces", DV_FLAG_STRINGS, privileged_namespaces, "NAMES",
         "namespaces whose PackageManifests may use the operator's own rights; none: its own"),
    FLAG("allow-cidr", DV_FLAG_STRINGS, allow_cidr, "CIDRS",
         "addresses that repositories may have although they are private or loopback"),
    FLAG("allow-file-root", DV_FLAG_STRINGS, allow_file_root, "DIRS",
         "folders below which file:// repositories may be"),
    FLAG("cache-dir", DV_FLAG_STRING, cache_dir, "DIR",
         "where fetched files are kept; empty: in memory only"),
    FLAG("grace", DV_FLAG_DURATION, grace_ms, "DURATION", "how long runs may go on after SIGTERM"),
    FLAG("log-level", DV_FLAG_STRING, log_level, "LEVEL", "debug, info, warn or error"),
    FLAG("log-format", DV_FLAG_STRING, log_format, "FORMAT",
         "json, text, or auto: text on a terminal"),
    {.name = "version",
     .type = DV_FLAG_BOOL,
     .offset = offsetof(op_options, version),
     .help = "print the version and exit"},
    {.name = "help",
     .type = DV_FLAG_BOOL,
     .offset = offsetof(op_options, help),
     .help = "print this and exit",
     .short_name = 'h'},
};

static op_options defaults(void)
{
    return (op_options){
        .lease_name = "davit-controller",
        .metrics_address = ":8080",
        .health_address = ":8081",
        .concurrent = 8,
        .grace_ms = 20000,
        .log_level = "info",
        .log_format = "auto",
    };
}

static dv_err *check(const op_options *opts)
{
    if (opts->concurrent < 1 || opts->concurrent > 256)
        return dv_err_new(DV_INVALID, "BadFlag", "--concurrent: a number from 1 to 256 expected");
    if (strcmp(opts->log_format, "auto") != 0 && strcmp(opts->log_format, "json") != 0 &&
        strcmp(opts->log_format, "text") != 0)
        return dv_err_new(DV_INVALID, "BadFlag", "--log-format: json, text or auto expected");
    for (size_t i = 0; i < opts->allow_file_root.n; i++)
        if (opts->allow_file_root.at[i][0] != '/')
            return dv_err_new(DV_INVALID, "BadFlag",
                              "--allow-file-root: \"%s\" is not an absolute folder",
                              opts->allow_file_root.at[i]);
    return NULL;
}

dv_err *options_parse(int argc, char **argv, op_options *ret_options)
{
    *ret_options = defaults();
    DV_CHECK(
        dv_flags_parse(flags, DV_LEN(flags), argc, argv, ret_options, /* ret_args= */ NULL, NULL));
    return check(ret_options);
}

void options_done(op_options *opts)
{
    dv_strings_done(&opts->privileged_namespaces);
    dv_strings_done(&opts->allow_cidr);
    dv_strings_done(&opts->allow_file_root);
}

void options_help(dv_buf *out)
{
    const op_options shown = defaults();

    dv_buf_adds(out, "davit-controller installs and keeps packages in a Kubernetes cluster.\n\n"
                     "Usage: davit-controller [flags]\n\n");
    dv_flags_help(flags, DV_LEN(flags), &shown, out);
}
