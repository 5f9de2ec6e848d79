/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/config.h"

#include <netdb.h>

#include "base/file.h"
#include "http/url.h"
#include "kube/config_internal.h"

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"
enum { HOST_MAX_BYTES = 1024 };

/* ---- Settings ---- */

static void wipe_text(char *text)
{
    if (text)
        dv_wipe(text, strlen(text));
    free(text);
}

void dv_kube_settings_init(dv_kube_settings *settings)
{
    *settings = (dv_kube_settings){0};
    dv_buf_init(&settings->ca, DV_KUBE_PEM_MAX);
    dv_buf_init(&settings->cert, DV_KUBE_PEM_MAX);
    dv_buf_init(&settings->key, DV_KUBE_PEM_MAX);
}

void dv_kube_settings_done(dv_kube_settings *settings)
{
    free(settings->server);
    free(settings->ns);
    free(settings->server_name);
    free(settings->proxy);
    dv_buf_done(&settings->ca);
    dv_buf_done(&settings->cert);
    if (settings->key.p)
        dv_wipe(settings->key.p, settings->key.n);
    dv_buf_done(&settings->key);
    wipe_text(settings->token);
    free(settings->token_file);
    free(settings->username);
    wipe_text(settings->password);
    free(settings->as);
    free(settings->as_uid);
    dv_strings_done(&settings->as_groups);
    free(settings->where);
    json_decref(settings->exec);
    json_decref(settings->exec_cluster);
    dv_kube_settings_init(settings);
}

/* ---- In-cluster files ---- */

/* Appends the file's content; one that is missing adds nothing. */
static dv_err *read_optional(const char *folder, const char *name, dv_buf *out)
{
    dv_auto_str path = dv_asprintf("%s/%s", folder, name);
    dv_auto(dv_err) err = dv_file_read(path, out);

    return dv_err_is(err, DV_NOT_FOUND) ? NULL : DV_TAKE(err);
}

/* The text of a file without blanks around it, else of the variable; owned, NULL: neither. */
static dv_err *read_word(const char *folder, const char *name, const char *variable, char **ret)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(HOST_MAX_BYTES);

    DV_TRY(read_optional(folder, name, &text), "%s/%s", folder, name);
    dv_str word = dv_str_trim(dv_buf_str(&text));
    if (!word.n && variable)
        word = dv_str_of(getenv(variable));
    *ret = word.n ? dv_str_dup(word) : NULL;
    return NULL;
}

static dv_err *read_in_cluster(const char *folder, dv_kube_settings *settings)
{
    dv_auto_str host = NULL;
    dv_auto_str port = NULL;

    DV_CHECK(read_word(folder, "host", "KUBERNETES_SERVICE_HOST", &host));
    DV_CHECK(read_word(folder, "port", "KUBERNETES_SERVICE_PORT", &port));
    if (!host || !port)
        return dv_err_new(DV_NOT_FOUND, "NoCluster",
                          "neither %s nor KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT say "
                          "where the API server is; outside a cluster, name a kubeconfig",
                          folder);
    bool bare_ipv6 = strchr(host, ':') && host[0] != '[';
    settings->server = dv_asprintf(bare_ipv6 ? "https://[%s]:%s" : "https://%s:%s", host, port);
    settings->token_file = dv_asprintf("%s/token", folder);
    settings->where = dv_strdup(settings->token_file);
    DV_CHECK(read_word(folder, "namespace", NULL, &settings->ns));
    return read_optional(folder, "ca.crt", &settings->ca);
}

/* ---- Which source ---- */

static dv_err *from_file(const char *path, bool must_exist, const char *context,
                         dv_kube_settings *settings)
{
    DV_CLEANUP(dv_strings_done) dv_strings paths = {0};

    dv_strings_add(&paths, path);
    return dv_kubeconfig_read(&paths, must_exist, context, settings);
}

static void split_list(const char *list, dv_strings *ret_paths)
{
    dv_str rest = dv_str_of(list);

    while (rest.p) {
        dv_str one;

        rest = dv_str_cut(rest, ':', &one);
        dv_auto_str path = dv_str_dup(one);
        if (one.n && !dv_strings_has(ret_paths, path))
            dv_strings_add(ret_paths, path);
    }
}

/* KUBECONFIG, else ~/.kube/config. NOT_FOUND: they say nothing. */
static dv_err *from_home(const char *context, dv_kube_settings *settings)
{
    DV_CLEANUP(dv_strings_done) dv_strings paths = {0};
    const char *home = getenv("HOME");

    split_list(getenv("KUBECONFIG"), &paths);
    if (paths.n)
        return dv_kubeconfig_read(&paths, /* must_exist= */ false, context, settings);
    dv_auto_str path = dv_asprintf("%s/.kube/config", home ? home : "");
    return from_file(path, /* must_exist= */ false, context, settings);
}

static dv_err *read_settings(const dv_kube_config_options *options, dv_kube_settings *settings)
{
    if (options->kubeconfig && *options->kubeconfig)
        return from_file(options->kubeconfig, /* must_exist= */ true, options->context, settings);
    if (options->in_cluster_dir && *options->in_cluster_dir)
        return read_in_cluster(options->in_cluster_dir, settings);
    if (options->in_cluster_first)
        return read_in_cluster(POD_FOLDER, settings);

    dv_err *err = from_home(options->context, settings);
    if (!dv_err_is(err, DV_NOT_FOUND))
        return err;
    dv_auto(dv_err) outside = read_in_cluster(POD_FOLDER, settings);
    if (outside)
        return err; /* it says what a person outside can do */
    dv_err_free(err);
    return NULL;
}

/* ---- Made from settings ---- */

/* No slash behind, a scheme in front, and a URL that the client can use. */
static dv_err *normalize_server(dv_kube_settings *settings)
{
    bool tls = settings->ca.n || settings->cert.n || settings->insecure;
    dv_url url;

    if (!strstr(settings->server, "://")) {
        dv_auto_str bare = DV_TAKE(settings->server);
        settings->server = dv_asprintf("%s%s", tls ? "https://" : "http://", bare);
    }
    size_t n = strlen(settings->server);
    while (n && settings->server[n - 1] == '/')
        settings->server[--n] = '\0';
    dv_auto(dv_err) bad = dv_url_parse(dv_str_of(settings->server), &url);
    if (bad || url.query.n || dv_str_is(url.scheme, "file"))
        return dv_err_new(DV_INVALID, "BadKubeconfig", "%s: the server's address is no URL",
                          settings->where);
    return NULL;
}

dv_err *dv_kube_profile_make(const dv_kube_settings *settings, dv_str cert_pem, dv_str key_pem,
                             dv_http_profile **ret_profile)
{
    bool own = cert_pem.n > 0;
    dv_http_profile_options options = {
        .ca_pem = dv_buf_str(&settings->ca),
        .cert_pem = own ? cert_pem : dv_buf_str(&settings->cert),
        .key_pem = own ? key_pem : dv_buf_str(&settings->key),
        .server_name = settings->server_name,
        .insecure_skip_verify = settings->insecure,
        .proxy = settings->proxy ? settings->proxy : "env",
        .allow_plain = dv_str_starts(dv_str_of(settings->server), DV_STR("http://")),
    };

    return dv_http_profile_new(&options, ret_profile);
}

static dv_err *add_header(dv_kube_config *config, const char *name, const char *value)
{
    for (const char *at = value; at && *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return dv_err_new(DV_INVALID, "BadKubeconfig", "%s: %s holds a control character",
                              config->settings.where, name);
    if (value && *value)
        dv_strings_take(&config->headers, dv_asprintf("%s: %s", name, value));
    return NULL;
}

static dv_err *add_impersonation(dv_kube_config *config)
{
    const dv_kube_settings *settings = &config->settings;

    if (!settings->as && (settings->as_groups.n || settings->as_uid))
        return dv_err_new(DV_INVALID, "BadKubeconfig", "%s: as-groups and as-uid need as",
                          settings->where);
    DV_CHECK(add_header(config, "Impersonate-User", settings->as));
    DV_CHECK(add_header(config, "Impersonate-Uid", settings->as_uid));
    for (size_t i = 0; i < settings->as_groups.n; i++)
        DV_CHECK(add_header(config, "Impersonate-Group", settings->as_groups.at[i]));
    return NULL;
}

static dv_err *basic_value(const dv_kube_settings *settings, dv_secret **ret_value)
{
    DV_CLEANUP(dv_buf_done) dv_buf pair = DV_BUF_INIT(DV_KUBE_TOKEN_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf value = DV_BUF_INIT(DV_KUBE_TOKEN_MAX * 2);

    dv_buf_addf(&pair, "%s:%s", settings->username, settings->password ? settings->password : "");
    DV_CHECK(dv_buf_check(&pair));
    dv_buf_adds(&value, "Basic ");
    dv_base64_add(&value, dv_buf_str(&pair));
    *ret_value = dv_secret_new(dv_buf_str(&value));
    dv_wipe(pair.p, pair.n);
    dv_wipe(value.p, value.n);
    return NULL;
}

/* What needs no file and no plugin. */
static dv_err *set_fixed_authorization(dv_kube_config *config)
{
    const dv_kube_settings *settings = &config->settings;

    if (settings->token)
        return dv_kube_bearer(dv_str_of(settings->token), settings->where, &config->authorization);
    if (settings->username && *settings->username && !settings->token_file)
        return basic_value(settings, &config->authorization);
    return NULL;
}

static dv_err *complete(dv_ctx *ctx, dv_kube_config *config)
{
    dv_kube_settings *settings = &config->settings;

    DV_CHECK(normalize_server(settings));
    if (settings->token || settings->token_file || settings->username) {
        json_decref(settings->exec); /* client-go asks no plugin then */
        settings->exec = NULL;
    }
    if (settings->exec && !config->allow_exec)
        return dv_err_new(DV_DENIED, "ExecNotAllowed",
                          "%s asks for a credential plugin, which this program does not run; "
                          "use a token, a token file or a client certificate",
                          settings->where);
    DV_CHECK(dv_kube_exec_check(settings));
    DV_CHECK(add_impersonation(config));
    DV_CHECK(set_fixed_authorization(config));
    DV_TRY(dv_kube_profile_make(settings, (dv_str){0}, (dv_str){0}, &config->profile), "%s",
           settings->where);
    if (settings->token_file) { /* a folder or file that can't be read is said at once */
        dv_auto(dv_secret) first = NULL;
        DV_CHECK(dv_kube_config_authorization(ctx, config, &first));
    }
    return NULL;
}

dv_err *dv_kube_config_load(dv_ctx *ctx, const dv_kube_config_options *options,
                            dv_kube_config **ret_config)
{
    dv_auto(dv_kube_config) config = DV_NEW(dv_kube_config);

    dv_kube_settings_init(&config->settings);
    pthread_mutex_init(&config->mu, NULL);
    dv_cond_init(&config->changed);
    config->allow_exec = options->allow_exec;
    DV_CHECK(read_settings(options, &config->settings));
    DV_CHECK(complete(ctx, config));
    *ret_config = DV_TAKE(config);
    return NULL;
}

void dv_kube_config_free(dv_kube_config *config)
{
    if (!config)
        return;
    dv_kube_settings_done(&config->settings);
    dv_strings_done(&config->headers);
    if (config->profile)
        dv_http_profile_unref(config->profile);
    dv_secret_free(config->authorization);
    pthread_cond_destroy(&config->changed);
    pthread_mutex_destroy(&config->mu);
    free(config);
}

const char *dv_kube_config_server(const dv_kube_config *config)
{
    return config->settings.server;
}

const char *dv_kube_config_namespace(const dv_kube_config *config)
{
    const char *ns = config->settings.ns;

    return ns && *ns ? ns : "default";
}

dv_http_profile *dv_kube_config_profile(dv_kube_config *config)
{
    DV_LOCK_SCOPE(&config->mu);

    return dv_http_profile_ref(config->profile);
}

const dv_strings *dv_kube_config_headers(const dv_kube_config *config)
{
    return &config->headers;
}

dv_err *dv_kube_config_deny_server(const dv_kube_config *config, dv_address_policy *policy)
{
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    char port[8];
    dv_url url;

    DV_CHECK(dv_url_parse(dv_str_of(dv_kube_config_server(config)), &url));
    dv_auto_str host = dv_str_dup(url.host);
    snprintf(port, sizeof(port), "%u", url.port);
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return NULL; /* it is not reachable under that name now; the first request will say so */
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        dv_address_policy_deny(policy, a->ai_addr);
    freeaddrinfo(found);
    return NULL;
}
