/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are, as an Authorization header: fixed, from a file that rotates, or from an exec
 * plugin (client.authentication.k8s.io), which one thread runs while the others wait for it.
 */
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "kube/config_internal.h"

/* How often a thread that waits for another's plugin run looks at its own deadline. */
enum { WAIT_SLICE_MS = 100, STDERR_SHOWN_BYTES = 256 };

dv_err *dv_kube_bearer(dv_str token, const char *where, dv_secret **ret_value)
{
    DV_CLEANUP(dv_buf_done) dv_buf value = DV_BUF_INIT(DV_KUBE_TOKEN_MAX);
    dv_str word = dv_str_trim(token);

    for (size_t i = 0; i < word.n; i++)
        if ((unsigned char)word.p[i] <= ' ' || (unsigned char)word.p[i] >= 0x7f)
            return dv_err_new(DV_INVALID, "BadToken",
                              "%s: the token holds blanks or bytes that "
                              "no header may hold",
                              where);
    if (!word.n)
        return dv_err_new(DV_INVALID, "BadToken", "%s: the token is empty", where);
    dv_buf_adds(&value, "Bearer ");
    dv_buf_add_str(&value, word);
    DV_TRY(dv_buf_check(&value), "token of %s", where);
    *ret_value = dv_secret_new(dv_buf_str(&value));
    dv_wipe(value.p, value.n);
    return NULL;
}

static dv_secret *dup_secret(const dv_secret *secret)
{
    return secret ? dv_secret_new(dv_secret_reveal(secret)) : NULL;
}

/* ---- Token file ---- */

static dv_file_stamp stamp_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return (dv_file_stamp){0};
    return (dv_file_stamp){(uint64_t)st.st_dev, (uint64_t)st.st_ino, st.st_size,
                           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec};
}

static bool same_stamp(dv_file_stamp a, dv_file_stamp b)
{
    return a.device == b.device && a.inode == b.inode && a.size == b.size &&
           a.mtime_ns == b.mtime_ns;
}

static dv_err *read_token(const char *path, dv_secret **ret_value)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_KUBE_TOKEN_MAX);
    dv_err *err = dv_file_read(path, &text);

    if (!err)
        err = dv_kube_bearer(dv_buf_str(&text), path, ret_value);
    if (text.p)
        dv_wipe(text.p, text.n);
    /* A file that is being replaced is there again soon. */
    return dv_err_recast(err, DV_TRANSIENT, "TokenUnreadable");
}

/* True when it is time to look at the file; claims the turn. *ret_must: read it in any case. */
static bool token_is_due(dv_kube_config *config, int64_t now_ms, dv_file_stamp *ret_seen,
                         bool *ret_must)
{
    DV_LOCK_SCOPE(&config->mu);

    if (!config->refused && config->checked_ms && now_ms - config->checked_ms < DV_TOKEN_CHECK_MS)
        return false;
    *ret_seen = config->stamp;
    *ret_must = config->refused || !config->authorization;
    config->checked_ms = DV_MAX(now_ms, 1);
    config->refused = false;
    return true;
}

/* Reads the file again if it has changed. An error matters only while there is no token at all. */
static dv_err *refresh_token(dv_ctx *ctx, dv_kube_config *config)
{
    const char *path = config->settings.token_file;
    dv_auto(dv_secret) value = NULL;
    dv_file_stamp seen;
    bool must;

    if (!token_is_due(config, dv_ctx_now_ms(ctx), &seen, &must))
        return NULL;
    dv_file_stamp stamp = stamp_of(path);
    if (same_stamp(stamp, seen) && !must)
        return NULL;
    dv_auto(dv_err) err = read_token(path, &value);

    DV_LOCK_SCOPE(&config->mu);
    if (err && config->authorization)
        return NULL; /* the last one that could be read */
    if (err) {
        config->checked_ms = 0;
        return DV_TAKE(err);
    }
    dv_secret_free(config->authorization);
    config->authorization = DV_TAKE(value);
    config->stamp = stamp;
    return NULL;
}

/* ---- Exec plugin: what it is told ---- */

static const char *exec_text(const dv_kube_settings *settings, const char *pointer)
{
    const char *text = dv_json_str(settings->exec, pointer);

    return text ? text : "";
}

dv_err *dv_kube_exec_check(const dv_kube_settings *settings)
{
    const char *version = exec_text(settings, "/apiVersion");

    if (!settings->exec)
        return NULL;
    if (!*exec_text(settings, "/command"))
        return dv_err_new(DV_INVALID, "BadKubeconfig", "%s: exec has no command", settings->where);
    if (strcmp(version, "client.authentication.k8s.io/v1") != 0 &&
        strcmp(version, "client.authentication.k8s.io/v1beta1") != 0)
        return dv_err_new(DV_INVALID, "BadKubeconfig",
                          "%s: exec has an apiVersion other than client.authentication.k8s.io/v1 "
                          "and v1beta1",
                          settings->where);
    return NULL;
}

/* The value of KUBERNETES_EXEC_INFO. */
static void add_exec_info(const dv_kube_settings *settings, dv_buf *out)
{
    json_auto_t *info = json_object();
    json_t *spec = json_object();

    dv_json_put_str(info, "kind", "ExecCredential");
    dv_json_put_str(info, "apiVersion", exec_text(settings, "/apiVersion"));
    json_object_set_new(spec, "interactive", json_false());
    if (dv_json_bool(settings->exec, "/provideClusterInfo", false))
        json_object_set(spec, "cluster", settings->exec_cluster);
    json_object_set_new(info, "spec", spec);
    dv_json_write(info, out);
}

static void add_arguments(const dv_kube_settings *settings, dv_strings *argv)
{
    const json_t *argument;
    size_t i;

    dv_strings_add(argv, exec_text(settings, "/command"));
    json_array_foreach(dv_json_array(settings->exec, "/args"), i,
                       argument) if (json_is_string(argument))
        dv_strings_add(argv, json_string_value(argument));
    dv_strings_take(argv, NULL);
}

static void add_environment(const dv_kube_settings *settings, dv_strings *env)
{
    DV_CLEANUP(dv_buf_done) dv_buf info = DV_BUF_INIT(DV_KUBE_PEM_MAX * 2);
    const json_t *pair;
    size_t i;

    json_array_foreach(dv_json_array(settings->exec, "/env"), i, pair)
    {
        const char *name = dv_json_str(pair, "/name");
        const char *value = dv_json_str(pair, "/value");

        if (name && *name)
            dv_strings_take(env, dv_asprintf("%s=%s", name, value ? value : ""));
    }
    add_exec_info(settings, &info);
    dv_strings_take(env, dv_asprintf("KUBERNETES_EXEC_INFO=%s", dv_buf_cstr(&info)));
    dv_strings_take(env, NULL);
}

/* ---- Exec plugin: what it answers ---- */

typedef struct {
    dv_secret *authorization; /* NULL: a certificate speaks */
    dv_http_profile *profile; /* NULL: as before */
    int64_t expires_ms;       /* 0: never */
} credential;

static void credential_done(credential *made)
{
    dv_secret_free(made->authorization);
    if (made->profile)
        dv_http_profile_unref(made->profile);
}

static dv_err *bad_answer(const dv_kube_settings *settings, const char *what)
{
    return dv_err_new(DV_INVALID, "CredentialPlugin", "%s: the answer of the credential plugin %s",
                      settings->where, what);
}

static dv_err *take_certificate(const dv_kube_settings *settings, const json_t *answer,
                                credential *made)
{
    dv_str cert = dv_json_view(answer, "/status/clientCertificateData");
    dv_str key = dv_json_view(answer, "/status/clientKeyData");

    if (!cert.n != !key.n)
        return bad_answer(settings, "has a certificate or a key without the other");
    if (!cert.n)
        return NULL;
    DV_TRY(dv_kube_profile_make(settings, cert, key, &made->profile), "%s: credential plugin",
           settings->where);
    return NULL;
}

static dv_err *read_answer(const dv_kube_settings *settings, dv_str text, credential *made)
{
    json_auto_t *answer = NULL;
    dv_auto(dv_err) err = dv_json_read(text, &answer);
    int64_t expires_us = 0;

    if (err)
        return bad_answer(settings, "is no JSON");
    if (!dv_str_is(dv_json_view(answer, "/kind"), "ExecCredential") ||
        !dv_str_is(dv_json_view(answer, "/apiVersion"), exec_text(settings, "/apiVersion")))
        return bad_answer(settings, "is no ExecCredential of the version that was asked for");
    dv_str token = dv_json_view(answer, "/status/token");
    dv_str expires = dv_json_view(answer, "/status/expirationTimestamp");
    if (token.n)
        DV_CHECK(dv_kube_bearer(token, settings->where, &made->authorization));
    DV_CHECK(take_certificate(settings, answer, made));
    if (!made->authorization && !made->profile)
        return bad_answer(settings, "holds neither a token nor a certificate");
    if (expires.n) {
        dv_auto(dv_err) unreadable = dv_time_parse(expires, &expires_us);
        if (unreadable)
            return bad_answer(settings, "has an unreadable expirationTimestamp");
        made->expires_ms = DV_MAX(expires_us / 1000, 1);
    }
    return NULL;
}

/* The end of what a plugin said on stderr, for the person at the terminal. */
static dv_err *plugin_failed(const dv_kube_settings *settings, const dv_process_result *result)
{
    dv_str said = dv_str_trim((dv_str){result->err, result->err_n});
    ptrdiff_t line = dv_str_rfind(said, '\n');
    dv_str last = dv_str_head(dv_str_skip(said, (size_t)(line + 1)), STDERR_SHOWN_BYTES);

    return dv_err_new(DV_TRANSIENT, "CredentialPlugin",
                      "%s: credential plugin %s ended with status %d%s%.*s", settings->where,
                      exec_text(settings, "/command"), result->exit_code, last.n ? ": " : "",
                      DV_FMT(last));
}

static dv_err *plugin_not_run(const dv_kube_settings *settings, dv_err *err)
{
    const char *hint = exec_text(settings, "/installHint");

    if (dv_err_is(err, DV_NOT_FOUND)) {
        dv_err_free(err);
        return dv_err_new(DV_INVALID, "CredentialPlugin",
                          "%s: the credential plugin %s is not there%s%.*s", settings->where,
                          exec_text(settings, "/command"), *hint ? ": " : "", STDERR_SHOWN_BYTES,
                          hint);
    }
    return dv_err_wrap(err, "%s: credential plugin", settings->where);
}

static dv_err *run_plugin(dv_ctx *ctx, const dv_kube_settings *settings, credential *made)
{
    DV_CLEANUP(dv_strings_done) dv_strings argv = {0};
    DV_CLEANUP(dv_strings_done) dv_strings env = {0};
    DV_CLEANUP(dv_process_result_done) dv_process_result result = {0};
    dv_ctx inner = *ctx;

    add_arguments(settings, &argv);
    add_environment(settings, &env);
    dv_ctx_set_timeout(&inner, DV_EXEC_TIMEOUT_MS);
    dv_process_spec spec = {.argv = (const char *const *)argv.at,
                            .env = (const char *const *)env.at,
                            .output_limit = DV_EXEC_OUTPUT_MAX};
    dv_err *err = dv_process_run(&inner, &spec, &result);
    if (err)
        return plugin_not_run(settings, err);
    if (result.exit_code != 0)
        return plugin_failed(settings, &result);
    err = read_answer(settings, (dv_str){result.out, result.out_n}, made);
    dv_wipe(result.out, result.out_n);
    return err;
}

/* ---- Exec plugin: one at a time ---- */

static int64_t wall_ms(const dv_ctx *ctx)
{
    return ctx->clock->unix_us(ctx->clock) / 1000;
}

/* Call with the lock held. */
static bool exec_is_fresh(const dv_kube_config *config, const dv_ctx *ctx)
{
    return config->exec_done && !config->refused &&
           (!config->exec_expires_ms || wall_ms(ctx) < config->exec_expires_ms);
}

/* True: what is there can be used. False: the caller shall run the plugin. */
static dv_err *claim_exec(dv_ctx *ctx, dv_kube_config *config, bool *ret_fresh)
{
    DV_LOCK_SCOPE(&config->mu);

    while (config->exec_running) {
        dv_cond_wait_ms(&config->changed, &config->mu, WAIT_SLICE_MS);
        DV_CHECK(dv_ctx_check(ctx));
    }
    *ret_fresh = exec_is_fresh(config, ctx);
    config->exec_running = !*ret_fresh;
    return NULL;
}

static void settle_exec(dv_kube_config *config, bool answered, credential *made)
{
    DV_LOCK_SCOPE(&config->mu);

    config->exec_running = false;
    pthread_cond_broadcast(&config->changed);
    if (!answered)
        return;
    dv_secret_free(config->authorization);
    config->authorization = DV_TAKE(made->authorization);
    if (made->profile) {
        dv_http_profile_unref(config->profile);
        config->profile = DV_TAKE(made->profile);
    }
    config->exec_done = true;
    config->refused = false;
    config->exec_made_ms = dv_clock_real()->mono_ms(dv_clock_real());
    config->exec_expires_ms = made->expires_ms;
}

static dv_err *refresh_exec(dv_ctx *ctx, dv_kube_config *config)
{
    DV_CLEANUP(credential_done) credential made = {0};
    bool fresh;

    DV_CHECK(claim_exec(ctx, config, &fresh));
    if (fresh)
        return NULL;
    dv_err *err = run_plugin(ctx, &config->settings, &made);
    settle_exec(config, !err, &made);
    return err;
}

/* ---- For callers ---- */

dv_err *dv_kube_config_authorization(dv_ctx *ctx, dv_kube_config *config, dv_secret **ret_value)
{
    if (config->settings.exec)
        DV_CHECK(refresh_exec(ctx, config));
    else if (config->settings.token_file)
        DV_CHECK(refresh_token(ctx, config));
    DV_LOCK_SCOPE(&config->mu);
    *ret_value = dup_secret(config->authorization);
    return NULL;
}

void dv_kube_config_refuse(dv_kube_config *config)
{
    int64_t now_ms = dv_clock_real()->mono_ms(dv_clock_real());
    DV_LOCK_SCOPE(&config->mu);

    /* Many requests may meet the same 401; one that was sent before the last answer is old news. */
    if (config->settings.exec && now_ms - config->exec_made_ms < DV_EXEC_REFUSE_MS)
        return;
    config->refused = true;
}
