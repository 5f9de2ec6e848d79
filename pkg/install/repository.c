/* SPDX-License-Identifier: Apache-2.0 */
#include "install/repository.h"

/* ---- Who may use it ---- */

typedef struct {
    bool (*may_use)(void *arg, const char *ns, const json_t *selector);
    void *arg;
    dv_doc *selector;
} use_arg;

static bool may_use(void *arg, const char *ns)
{
    const use_arg *use = arg;
    json_auto_t *selector = NULL;
    dv_err *err = dv_doc_parse(use->selector, &selector);

    if (err) {
        dv_err_free(err);
        return false;
    }
    return use->may_use(use->arg, ns, selector);
}

static void use_free(void *arg)
{
    use_arg *use = arg;

    dv_doc_unref(use->selector);
    free(use);
}

/* ---- Secrets ---- */

/* A Secret's members, decoded; wiped when done. */
typedef struct {
    dv_buf username, password, bearer, cert, key, ca;
} credentials;

static void wipe(dv_buf *buf)
{
    if (buf->p)
        dv_wipe(buf->p, buf->n);
    dv_buf_done(buf);
}

static void credentials_done(credentials *c)
{
    wipe(&c->username);
    wipe(&c->password);
    wipe(&c->bearer);
    wipe(&c->cert);
    wipe(&c->key);
    wipe(&c->ca);
}

enum { SECRET_MEMBER_MAX = 256 * 1024 };

static dv_err *read_member(const json_t *secret, const char *name, dv_buf *out)
{
    const char *text = json_string_value(json_object_get(dv_json_object(secret, "/data"), name));

    if (!text || out->n)
        return NULL;
    dv_buf_init(out, SECRET_MEMBER_MAX);
    dv_err *err = dv_base64_decode(dv_str_of(text), out);
    return err ? dv_err_recast(err, DV_INVALID, "InvalidSecret") : NULL;
}

static dv_err *read_secret(dv_ctx *ctx, const dv_pkgrepo_env *env, const char *name,
                           json_t **ret_secret)
{
    const dv_kube_request request = {
        .verb = DV_KUBE_GET,
        .resource = dv_kube_resource_static(env->kube, "", "v1", "Secret", "secrets", true),
        .ns = env->secrets_namespace,
        .name = name,
    };
    dv_err *err = dv_kube_do(ctx, env->kube, &request, ret_secret);

    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        return dv_err_new(DV_WAITING, "SecretNotFound", "Secret \"%s\" is not in namespace \"%s\"",
                          name, env->secrets_namespace);
    }
    return err;
}

/* Members as Flux' HelmRepository names them: username and password, bearerToken, tls.crt and
 * tls.key, ca.crt. */
static dv_err *read_credentials(dv_ctx *ctx, const dv_pkgrepo_env *env, const dv_pkgrepo_spec *spec,
                                credentials *c)
{
    json_auto_t *secret = NULL, *ca = NULL;

    if (spec->secret_name) {
        DV_CHECK(read_secret(ctx, env, spec->secret_name, &secret));
        DV_CHECK(read_member(secret, "username", &c->username));
        DV_CHECK(read_member(secret, "password", &c->password));
        DV_CHECK(read_member(secret, "bearerToken", &c->bearer));
        DV_CHECK(read_member(secret, "tls.crt", &c->cert));
        DV_CHECK(read_member(secret, "tls.key", &c->key));
        DV_CHECK(read_member(secret, "ca.crt", &c->ca));
    }
    if (spec->ca_secret_name) {
        wipe(&c->ca);
        DV_CHECK(read_secret(ctx, env, spec->ca_secret_name, &ca));
        DV_CHECK(read_member(ca, "ca.crt", &c->ca));
    }
    return NULL;
}

/* ---- The wish ---- */

dv_err *dv_pkgrepo_put(dv_ctx *ctx, const dv_pkgrepo_env *env, const dv_pkgrepo *repo)
{
    DV_CLEANUP(credentials_done) credentials c = {0};
    const dv_pkgrepo_spec *spec = &repo->spec;
    use_arg *use = NULL;

    if (spec->type != DV_REPO_GLASSKUBE)
        return dv_err_new(DV_INVALID, "TypeNotSupported",
                          "repositories of type Marketplace are not supported by this release");
    DV_CHECK(read_credentials(ctx, env, spec, &c));
    if (spec->namespace_selector) {
        use = DV_NEW(use_arg);
        *use = (use_arg){env->may_use, env->arg, dv_doc_ref(spec->namespace_selector)};
    }
    const dv_repo_wish wish = {
        .name = repo->name,
        .url = spec->url,
        .priority = spec->priority,
        .packages = &spec->packages,
        .insecure = spec->insecure,
        .suspended = spec->suspend,
        .may_use = use ? may_use : NULL,
        .arg = use,
        .arg_free = use ? use_free : NULL,
        .auth = {.origin = spec->url,
                 .username = dv_buf_str(&c.username),
                 .password = dv_buf_str(&c.password),
                 .bearer = dv_buf_str(&c.bearer),
                 .cert_pem = dv_buf_str(&c.cert),
                 .key_pem = dv_buf_str(&c.key),
                 .ca_pem = dv_buf_str(&c.ca),
                 .allow_plain = spec->insecure},
    };
    return dv_repos_put(env->repos, &wish);
}
