/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_internal.h"
#include "http/url.h"

static char *dup_bytes(dv_str s)
{
    return s.n ? dv_str_dup(s) : NULL;
}

static char *dup_text(const char *text)
{
    return text && text[0] ? dv_strdup(text) : NULL;
}

/* The variable in lower case first, as curl and Go both do. */
static char *dup_env(const char *lower, const char *upper)
{
    const char *value = getenv(lower);

    return dup_text(value && value[0] ? value : getenv(upper));
}

static void set_proxy(dv_http_profile *profile, const dv_http_profile_options *options)
{
    if (options->proxy && strcmp(options->proxy, "env") == 0) {
        profile->proxy_plain = dup_env("http_proxy", "HTTP_PROXY");
        profile->proxy_tls = dup_env("https_proxy", "HTTPS_PROXY");
        profile->no_proxy = dup_env("no_proxy", "NO_PROXY");
    } else {
        profile->proxy_plain = dup_text(options->proxy);
        profile->proxy_tls = dup_text(options->proxy);
    }
    if (options->no_proxy) {
        free(profile->no_proxy);
        profile->no_proxy = dup_text(options->no_proxy);
    }
}

dv_err *dv_http_profile_new(const dv_http_profile_options *options, dv_http_profile **ret_profile)
{
    DV_CHECK(dv_tls_check(options->ca_pem, options->cert_pem, options->key_pem));
    dv_http_profile *profile = DV_NEW(dv_http_profile);

    profile->refs = 1;
    profile->ca = dup_bytes(options->ca_pem);
    profile->ca_n = options->ca_pem.n;
    profile->ca_file = dup_text(getenv("SSL_CERT_FILE"));
    profile->cert = dup_bytes(options->cert_pem);
    profile->cert_n = options->cert_pem.n;
    profile->key = dup_bytes(options->key_pem);
    profile->key_n = options->key_pem.n;
    profile->server_name = dup_text(options->server_name);
    profile->skip_verify = options->insecure_skip_verify;
    profile->http1_only = options->http1_only;
    profile->allow_plain = options->allow_plain;
    profile->may_connect = options->may_connect;
    profile->arg = options->arg;
    set_proxy(profile, options);
    *ret_profile = profile;
    return NULL;
}

dv_http_profile *dv_http_profile_ref(dv_http_profile *profile)
{
    profile->refs++;
    return profile;
}

void dv_http_profile_unref(dv_http_profile *profile)
{
    if (!profile || --profile->refs > 0)
        return;
    if (profile->key)
        dv_wipe(profile->key, profile->key_n);
    free(profile->ca);
    free(profile->ca_file);
    free(profile->cert);
    free(profile->key);
    free(profile->server_name);
    free(profile->proxy_plain);
    free(profile->proxy_tls);
    free(profile->no_proxy);
    free(profile);
}

const char *dv_http_profile_proxy(const dv_http_profile *profile, dv_str host, uint16_t port,
                                  bool tls)
{
    const char *proxy = tls ? profile->proxy_tls : profile->proxy_plain;

    return proxy && !dv_proxy_bypassed(profile->no_proxy, host, port) ? proxy : NULL;
}
