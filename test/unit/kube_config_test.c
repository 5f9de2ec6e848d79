/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h> /* before base/banned.h, which poisons a name that they use */
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "testlib.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "kube/config_internal.h"

/* ---- A scratch folder, and an environment that says nothing ---- */

static struct {
    char dir[256];
    char *cert, *key; /* PEM */
    dv_fake_clock clock;
    dv_ctx ctx;
} t;

static const char *path_of(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", t.dir, name);
    return path;
}

static void put(const char *name, const char *text)
{
    assert_ok(dv_file_write(path_of(name), dv_str_of(text), 0600, /* durable= */ false));
}

static void put_script(const char *name, const char *text)
{
    put(name, text);
    assert_int_equal(chmod(path_of(name), 0700), 0);
}

static char *pem_of(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    char *text = dv_strndup(bytes, (size_t)n);

    BIO_free(bio);
    return text;
}

/* A certificate of nobody's, with its key. */
static void make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"nobody", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    PEM_write_bio_X509(cert_bio, cert);
    PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
    t.cert = pem_of(cert_bio);
    t.key = pem_of(key_bio);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int set_up_all(void **state DV_UNUSED)
{
    make_certificate();
    return 0;
}

static int tear_down_all(void **state DV_UNUSED)
{
    free(t.cert);
    free(t.key);
    return 0;
}

static int set_up(void **state DV_UNUSED)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(t.dir, sizeof(t.dir), "%s/davit-config-XXXXXX", tmp ? tmp : P_tmpdir);
    assert_non_null(mkdtemp(t.dir));
    unsetenv("KUBECONFIG");
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
    setenv("HOME", t.dir, 1);
    dv_fake_clock_init(&t.clock, 1795251630000);
    t.ctx = dv_ctx_make(NULL);
    t.ctx.clock = &t.clock.clock;
    return 0;
}

static void remove_folder(const char *path)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    assert_ok(dv_dir_list(path, 100, &names));
    for (size_t i = 0; i < names.n; i++) {
        dv_auto_str below = dv_asprintf("%s/%s", path, names.at[i]);

        if (unlink(below) != 0)
            remove_folder(below);
    }
    rmdir(path);
}

static int tear_down(void **state DV_UNUSED)
{
    remove_folder(t.dir);
    return 0;
}

/* ---- Short forms ---- */

static dv_err *load_with(const dv_kube_config_options *options, dv_kube_config **ret)
{
    return dv_kube_config_load(&t.ctx, options, ret);
}

static dv_err *load_text(const char *yaml, bool allow_exec, dv_kube_config **ret)
{
    put("config", yaml);
    dv_auto_str path = dv_strdup(path_of("config"));
    return load_with(&(dv_kube_config_options){.kubeconfig = path, .allow_exec = allow_exec}, ret);
}

static char *authorization(dv_kube_config *config)
{
    dv_auto(dv_secret) value = NULL;

    assert_ok(dv_kube_config_authorization(&t.ctx, config, &value));
    return value ? dv_str_dup(dv_secret_reveal(value)) : dv_strdup("none");
}

#define assert_authorization(config, text)                                                         \
    do {                                                                                           \
        dv_auto_str value_ = authorization(config);                                                \
        assert_string_equal(value_, text);                                                         \
    } while (0)

#define CONTEXT(cluster, user)                                                                     \
    "contexts:\n- name: c\n  context: {" cluster user "}\ncurrent-context: c\n"
#define BOTH CONTEXT("cluster: k, ", "user: u")
#define CLUSTER(fields) "clusters:\n- name: k\n  cluster: {" fields "}\n"
#define PLAIN CLUSTER("server: 'https://k:1'")
#define USER(fields) "users:\n- name: u\n  user: {" fields "}\n"
#define EXEC(fields)                                                                               \
    USER("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, " fields "}")

/* ---- One file ---- */

static const struct good_row {
    const char *name, *yaml, *server, *ns, *authorization;
} goods[] = {
    {"a token", PLAIN USER("token: abc") BOTH, "https://k:1", "default", "Bearer abc"},
    {"a namespace of the context",
     PLAIN USER("token: abc") CONTEXT("cluster: k, ", "user: u, namespace: team"), "https://k:1",
     "team", "Bearer abc"},
    {"a user name and a password", PLAIN USER("username: me, password: pw") BOTH, "https://k:1",
     "default", "Basic bWU6cHc="},
    {"nobody at all", PLAIN "users: null\n" CONTEXT("cluster: k", ""), "https://k:1", "default",
     "none"},
    {"slashes behind the server", CLUSTER("server: 'https://k:1/x//'") USER("") BOTH,
     "https://k:1/x", "default", "none"},
    {"plain http", CLUSTER("server: 'http://127.0.0.1:8001'") USER("") BOTH,
     "http://127.0.0.1:8001", "default", "none"},
    {"a server without a scheme", CLUSTER("server: 'localhost:8080'") USER("") BOTH,
     "http://localhost:8080", "default", "none"},
    {"a server without a scheme, with TLS",
     CLUSTER("server: 'localhost:8080', insecure-skip-tls-verify: true") USER("") BOTH,
     "https://localhost:8080", "default", "none"},
    {"an IPv6 server", CLUSTER("server: 'https://[::1]:6443'") USER("") BOTH, "https://[::1]:6443",
     "default", "none"},
    {"fields for others",
     "apiVersion: v1\nkind: Config\npreferences: {colors: true}\n" CLUSTER(
         "server: 'https://k:1', x: [1], disable-compression: true") USER("token: t, y: {z: 1}")
         BOTH,
     "https://k:1", "default", "Bearer t"},
    {"JSON is YAML",
     "{\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https://k:1\"}}],\"contexts\":"
     "[{\"name\":\"c\",\"context\":{\"cluster\":\"k\"}}],\"current-context\":\"c\"}",
     "https://k:1", "default", "none"},
    {"nulls are absent",
     CLUSTER("server: 'https://k:1', tls-server-name: null, certificate-authority-data: null")
         USER("token: t, client-certificate: null, as-groups: null, exec: null") BOTH,
     "https://k:1", "default", "Bearer t"},
    {"a token beats a plugin",
     PLAIN USER("token: t, exec: {apiVersion: client.authentication.k8s.io/v1, command: none}")
         BOTH,
     "https://k:1", "default", "Bearer t"},
    {"blanks around a token are not part of it", PLAIN USER("token: \" t\\n\"") BOTH, "https://k:1",
     "default", "Bearer t"},
    {"a proxy and a server name",
     CLUSTER("server: 'https://k:1', proxy-url: 'http://p:3128', tls-server-name: other") USER("")
         BOTH,
     "https://k:1", "default", "none"},
};

static void a_good_file(void **state)
{
    const struct good_row *row = *state;
    dv_auto(dv_kube_config) config = NULL;

    set_up(NULL);
    assert_ok(load_text(row->yaml, /* allow_exec= */ false, &config));
    assert_string_equal(dv_kube_config_server(config), row->server);
    assert_string_equal(dv_kube_config_namespace(config), row->ns);
    assert_authorization(config, row->authorization);
    dv_http_profile *profile = dv_kube_config_profile(config);
    assert_non_null(profile);
    dv_http_profile_unref(profile);
    tear_down(NULL);
}

static const struct bad_row {
    const char *name, *yaml;
    dv_err_kind kind;
    const char *text;
} bads[] = {
    {"broken YAML", "clusters: [", DV_INVALID, "config: "},
    {"a list in place of the whole", "- a\n", DV_INVALID, "it holds array instead of an object"},
    {"an empty file", "", DV_NOT_FOUND, "is not there or empty"},
    {"no current context", PLAIN, DV_NOT_FOUND, "has no current-context"},
    {"a context that is not there", PLAIN "current-context: x\n", DV_INVALID,
     "it has no context \"x\""},
    {"a context without a cluster", PLAIN CONTEXT("user: u", ""), DV_INVALID,
     "context \"c\" names no cluster"},
    {"a cluster that is not there", PLAIN CONTEXT("cluster: other", ""), DV_INVALID,
     "context \"c\" names the cluster \"other\", which is not there"},
    {"a user that is not there", PLAIN CONTEXT("cluster: k, ", "user: x"), DV_INVALID,
     "context \"c\" names the user \"x\", which is not there"},
    {"a cluster without a server", CLUSTER("") CONTEXT("cluster: k", ""), DV_INVALID,
     "cluster \"k\" has no server"},
    {"clusters that are no list", "clusters: {}\n" BOTH, DV_INVALID,
     "clusters must be a list, not object"},
    {"an entry without a name", "clusters: [{cluster: {}}]\n", DV_INVALID,
     "clusters: element 0 has no name"},
    {"an entry that is no object", "users: [{name: u, user: 3}]\n", DV_INVALID,
     "user \"u\" must be an object, not integer"},
    {"a name that is there twice", "users: [{name: u}, {name: u}]\n", DV_INVALID,
     "users: \"u\" is there twice"},
    {"a server that is no string", CLUSTER("server: 3") BOTH, DV_INVALID,
     "cluster \"k\": server must be a string, not integer"},
    {"a flag that is no boolean",
     CLUSTER("server: 'https://k', insecure-skip-tls-verify: 'yes please'") BOTH, DV_INVALID,
     "insecure-skip-tls-verify must be true or false"},
    {"a server that is no URL", CLUSTER("server: 'ftp://k'") USER("") BOTH, DV_INVALID,
     "the server's address is no URL"},
    {"a server with a query", CLUSTER("server: 'https://k/?a=b'") USER("") BOTH, DV_INVALID,
     "the server's address is no URL"},
    {"data that is not base64",
     CLUSTER("server: 'https://k', certificate-authority-data: '!!'") BOTH, DV_INVALID,
     "certificate-authority-data is not base64"},
    {"a file that is not there",
     CLUSTER("server: 'https://k', certificate-authority: nowhere.crt") BOTH, DV_INVALID,
     "cluster \"k\": certificate-authority: "},
    {"an authority that is no PEM",
     CLUSTER("server: 'https://k', certificate-authority-data: aGVsbG8=") USER("") BOTH, DV_INVALID,
     "context \"c\""},
    {"an authority that is not looked at",
     CLUSTER("server: 'https://k', insecure-skip-tls-verify: true, "
             "certificate-authority-data: aGVsbG8=") BOTH,
     DV_INVALID, "exclude each other"},
    {"a certificate without a key", PLAIN USER("client-certificate-data: aGVsbG8=") BOTH,
     DV_INVALID, "are needed together"},
    {"a token and a user name", PLAIN USER("token: t, username: u") BOTH, DV_INVALID,
     "has both a token and a username"},
    {"a token with a line end inside", PLAIN USER("token: \"a\\nX-Evil: b\"") BOTH, DV_INVALID,
     "the token holds blanks"},
    {"a token file that is not there", PLAIN USER("tokenFile: nowhere") BOTH, DV_TRANSIENT,
     "nowhere"},
    {"groups that are no list", PLAIN USER("as: x, as-groups: y") BOTH, DV_INVALID,
     "as-groups must be a list"},
    {"groups that are no strings", PLAIN USER("as: x, as-groups: [1]") BOTH, DV_INVALID,
     "as-groups must hold strings"},
    {"groups of nobody", PLAIN USER("as-groups: [others]") BOTH, DV_INVALID, "need as"},
    {"impersonation with a line end", PLAIN USER("as: \"a\\nX: b\"") BOTH, DV_INVALID,
     "holds a control character"},
    {"a plugin where none is run", PLAIN EXEC("command: x") BOTH, DV_DENIED,
     "asks for a credential plugin, which this program does not run"},
};

static void a_bad_file(void **state)
{
    const struct bad_row *row = *state;
    dv_auto(dv_kube_config) config = NULL;

    set_up(NULL);
    assert_err(load_text(row->yaml, /* allow_exec= */ false, &config), row->kind, row->text);
    assert_null(config);
    tear_down(NULL);
}

static void a_client_certificate_is_taken_from_data_and_from_files(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf yaml = DV_BUF_INIT(65536);
    dv_auto(dv_kube_config) from_data = NULL;
    dv_auto(dv_kube_config) from_files = NULL;

    dv_buf_adds(&yaml, PLAIN BOTH "users:\n- name: u\n  user:\n    client-certificate-data: ");
    dv_base64_add(&yaml, dv_str_of(t.cert));
    dv_buf_adds(&yaml, "\n    client-key-data: ");
    dv_base64_add(&yaml, dv_str_of(t.key));
    /* Data is taken before files. */
    dv_buf_adds(&yaml, "\n    client-key: nowhere\n");
    assert_ok(load_text(dv_buf_cstr(&yaml), false, &from_data));
    assert_authorization(from_data, "none");

    put("me.crt", t.cert);
    put("me.key", t.key);
    assert_ok(load_text(CLUSTER("server: 'https://k:1', certificate-authority: me.crt")
                            USER("client-certificate: me.crt, client-key: me.key") BOTH,
                        false, &from_files));
    assert_authorization(from_files, "none");
}

static void whom_the_file_impersonates_goes_into_headers(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    assert_ok(load_text(PLAIN USER("token: t, as: jane, as-uid: u1, as-groups: [a, b]") BOTH, false,
                        &config));
    const dv_strings *headers = dv_kube_config_headers(config);
    assert_int_equal(headers->n, 4);
    assert_string_equal(headers->at[0], "Impersonate-User: jane");
    assert_string_equal(headers->at[1], "Impersonate-Uid: u1");
    assert_string_equal(headers->at[2], "Impersonate-Group: a");
    assert_string_equal(headers->at[3], "Impersonate-Group: b");
}

/* ---- Several files ---- */

static void of_several_files_the_first_to_say_it_wins(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    dv_auto_str list = dv_asprintf("%s/one::%s/missing:%s/two:%s/one", t.dir, t.dir, t.dir, t.dir);

    put("one", "current-context: c\nusers:\n- name: u\n  user: {token: first}\n");
    put("two", PLAIN USER("token: second, username: ignored") "contexts:\n- name: c\n  context: "
                                                              "{cluster: k, user: u}\n"
                                                              "current-context: other\n");
    setenv("KUBECONFIG", list, 1);
    assert_ok(load_with(&(dv_kube_config_options){0}, &config));
    assert_string_equal(dv_kube_config_server(config), "https://k:1");
    assert_authorization(config, "Bearer first");
}

static void a_relative_path_starts_at_its_own_file(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    dv_auto_str below = dv_strdup(path_of("below"));
    dv_auto_str list = dv_asprintf("%s/one:%s/below/two", t.dir, t.dir);

    assert_ok(dv_dir_make(below));
    put("one", PLAIN BOTH);
    put("below/two", USER("tokenFile: token"));
    put("below/token", "deep\n");
    setenv("KUBECONFIG", list, 1);
    assert_ok(load_with(&(dv_kube_config_options){0}, &config));
    assert_authorization(config, "Bearer deep");
}

static void the_context_can_be_chosen(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    dv_auto_str path = dv_strdup(path_of("config"));

    put("config", PLAIN USER("token: t") "contexts:\n- name: c\n  context: {cluster: nowhere}\n"
                                         "- name: d\n  context: {cluster: k, user: u}\n"
                                         "current-context: c\n");
    assert_ok(load_with(&(dv_kube_config_options){.kubeconfig = path, .context = "d"}, &config));
    assert_authorization(config, "Bearer t");
}

static void the_home_folder_is_asked_last(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    dv_auto_str below = dv_strdup(path_of(".kube"));

    assert_err(load_with(&(dv_kube_config_options){0}, &config), DV_NOT_FOUND, ".kube/config");
    assert_ok(dv_dir_make(below));
    put(".kube/config", PLAIN USER("token: home") BOTH);
    assert_ok(load_with(&(dv_kube_config_options){0}, &config));
    assert_authorization(config, "Bearer home");
}

static void a_file_that_was_named_must_be_there(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    assert_err(load_with(&(dv_kube_config_options){.kubeconfig = path_of("nowhere")}, &config),
               DV_INVALID, "nowhere");
}

static void too_many_files_are_refused(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf list = DV_BUF_INIT(65536);

    for (size_t i = 0; i <= DV_KUBECONFIG_FILES_MAX; i++)
        dv_buf_addf(&list, "/nowhere/%zu:", i);
    setenv("KUBECONFIG", dv_buf_cstr(&list), 1);
    assert_err(load_with(&(dv_kube_config_options){0}, &config), DV_INVALID, "more than 64 files");
}

/* ---- In a cluster ---- */

static const dv_kube_config_options in_pod = {.in_cluster_dir = t.dir, .in_cluster_first = true};

static void a_pods_folder_says_it_all(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    put("token", "one\n");
    put("namespace", "davit-system\n");
    put("ca.crt", t.cert);
    put("host", "fd00::1");
    put("port", "443\n");
    setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
    assert_ok(load_with(&in_pod, &config));
    assert_string_equal(dv_kube_config_server(config), "https://[fd00::1]:443");
    assert_string_equal(dv_kube_config_namespace(config), "davit-system");
    assert_authorization(config, "Bearer one");
}

static void the_environment_says_where(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    put("token", "one");
    setenv("KUBERNETES_SERVICE_HOST", "fd00::2", 1);
    setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
    assert_ok(load_with(&in_pod, &config));
    assert_string_equal(dv_kube_config_server(config), "https://[fd00::2]:6443");
    assert_string_equal(dv_kube_config_namespace(config), "default");
}

static void outside_a_pod_it_says_what_to_do(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    assert_err(load_with(&in_pod, &config), DV_NOT_FOUND, "outside a cluster, name a kubeconfig");
    assert_err(load_with(&(dv_kube_config_options){.in_cluster_first = true}, &config),
               DV_NOT_FOUND, "outside a cluster, name a kubeconfig");
    put("host", "h");
    put("port", "1");
    assert_err(load_with(&in_pod, &config), DV_TRANSIENT, "token");
}

static void a_token_that_rotates_is_read_again(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    put("host", "h");
    put("port", "1");
    put("token", "one");
    assert_ok(load_with(&in_pod, &config));
    put("token", "two!");
    assert_authorization(config, "Bearer one"); /* looked at once a second at most */
    dv_fake_clock_advance(&t.clock, DV_TOKEN_CHECK_MS);
    assert_authorization(config, "Bearer two!");
    put("token", "three");
    dv_kube_config_refuse(config);
    assert_authorization(config, "Bearer three"); /* at once after a 401 */
    unlink(path_of("token"));
    dv_fake_clock_advance(&t.clock, DV_TOKEN_CHECK_MS);
    assert_authorization(config, "Bearer three"); /* the last one that could be read */
    put("token", " \n");
    dv_fake_clock_advance(&t.clock, DV_TOKEN_CHECK_MS);
    assert_authorization(config, "Bearer three");
    put("token", "four");
    dv_fake_clock_advance(&t.clock, DV_TOKEN_CHECK_MS);
    assert_authorization(config, "Bearer four");
}

/* ---- Exec plugins ---- */

#define ANSWER(status)                                                                             \
    "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","             \
    "\"status\":{" status "}}"
/* Says the answer, and leaves one line a run in `runs`. */
#define SCRIPT(answer) "#!/bin/sh\necho run >>\"${0%/*}/runs\"\ncat <<'END'\n" answer "\nEND\n"

static size_t runs(void)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(65536);
    size_t n = 0;

    assert_ok(dv_file_read(path_of("runs"), &text));
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static void a_plugin_is_asked_once_until_its_answer_expires(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    /* The fake clock stands at 2026-11-21T09:00:30Z. */
    put_script("plugin", SCRIPT(ANSWER("\"token\":\"made\",\"expirationTimestamp\":"
                                       "\"2026-11-21T09:01:30Z\"")));
    assert_ok(load_text(PLAIN EXEC("command: ./plugin") BOTH, true, &config));
    assert_authorization(config, "Bearer made");
    assert_authorization(config, "Bearer made");
    assert_int_equal(runs(), 1);
    dv_kube_config_refuse(config); /* fresh from the plugin: another run would say the same */
    assert_authorization(config, "Bearer made");
    assert_int_equal(runs(), 1);
    dv_fake_clock_advance(&t.clock, 60000);
    assert_authorization(config, "Bearer made");
    assert_int_equal(runs(), 2);
}

static void a_plugin_is_told_of_the_cluster(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf told = DV_BUF_INIT(65536);
    json_auto_t *info = NULL;

    put_script("plugin", "#!/bin/sh\nprintf '%s' \"$KUBERNETES_EXEC_INFO\" >\"$1\"\n"
                         "printf '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\","
                         "\"kind\":\"ExecCredential\",\"status\":{\"token\":\"%s\"}}' \"$WORD\"\n");
    dv_auto_str yaml = dv_asprintf(
        CLUSTER("server: 'https://k:1', tls-server-name: other, insecure-skip-tls-verify: true, "
                "proxy-url: 'http://p:1', extensions: [{name: client.authentication.k8s.io/exec, "
                "extension: {audience: x}}]")
            USER("exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: %s/plugin, "
                 "provideClusterInfo: true, args: [%s/told], env: [{name: WORD, value: hello}]}")
                BOTH,
        t.dir, t.dir);
    assert_ok(load_text(yaml, true, &config));
    assert_authorization(config, "Bearer hello");
    assert_ok(dv_file_read(path_of("told"), &told));
    assert_ok(dv_json_read(dv_buf_str(&told), &info));
    assert_string_equal(dv_json_str(info, "/apiVersion"), "client.authentication.k8s.io/v1beta1");
    assert_string_equal(dv_json_str(info, "/kind"), "ExecCredential");
    assert_false(dv_json_bool(info, "/spec/interactive", true));
    assert_string_equal(dv_json_str(info, "/spec/cluster/server"), "https://k:1");
    assert_string_equal(dv_json_str(info, "/spec/cluster/tls-server-name"), "other");
    assert_true(dv_json_bool(info, "/spec/cluster/insecure-skip-tls-verify", false));
    assert_string_equal(dv_json_str(info, "/spec/cluster/config/audience"), "x");
}

static void a_plugin_may_answer_with_a_certificate(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf script = DV_BUF_INIT(65536);
    json_auto_t *answer = json_pack(
        "{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "client.authentication.k8s.io/v1", "kind",
        "ExecCredential", "status", "clientCertificateData", t.cert, "clientKeyData", t.key);

    dv_buf_adds(&script, "#!/bin/sh\ncat <<'END'\n");
    dv_json_write(answer, &script);
    dv_buf_adds(&script, "\nEND\n");
    put_script("plugin", dv_buf_cstr(&script));
    assert_ok(load_text(PLAIN EXEC("command: ./plugin") BOTH, true, &config));
    dv_http_profile *before = dv_kube_config_profile(config);
    assert_authorization(config, "none");
    dv_http_profile *after = dv_kube_config_profile(config);
    assert_ptr_not_equal(before, after);
    dv_http_profile_unref(before);
    dv_http_profile_unref(after);
}

static const struct plugin_row {
    const char *name, *script; /* NULL: there is none */
    dv_err_kind kind;
    const char *text;
} plugins[] = {
    {"a plugin that is not there", NULL, DV_INVALID, "plugin is not there: get it from here"},
    {"a plugin that fails", "#!/bin/sh\necho first >&2; echo 'no login.' >&2; exit 3\n",
     DV_TRANSIENT, "ended with status 3: no login."},
    {"a plugin that says nothing", "#!/bin/sh\nexit 0\n", DV_INVALID, "is no JSON"},
    {"an answer of another version",
     SCRIPT("{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\","
            "\"status\":{\"token\":\"t\"}}"),
     DV_INVALID, "of the version that was asked for"},
    {"an answer of another kind",
     SCRIPT("{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"X\"}"), DV_INVALID,
     "is no ExecCredential"},
    {"an answer without a credential", SCRIPT(ANSWER("")), DV_INVALID,
     "holds neither a token nor a certificate"},
    {"a certificate without a key", SCRIPT(ANSWER("\"clientCertificateData\":\"x\"")), DV_INVALID,
     "has a certificate or a key without the other"},
    {"a certificate that is none",
     SCRIPT(ANSWER("\"clientCertificateData\":\"x\",\"clientKeyData\":\"y\"")), DV_INVALID,
     "credential plugin"},
    {"an unreadable time", SCRIPT(ANSWER("\"token\":\"t\",\"expirationTimestamp\":\"tomorrow\"")),
     DV_INVALID, "has an unreadable expirationTimestamp"},
    {"a token that no header may hold", SCRIPT(ANSWER("\"token\":\"a b\"")), DV_INVALID,
     "the token holds blanks"},
};

static void a_bad_plugin(void **state)
{
    const struct plugin_row *row = *state;
    dv_auto(dv_kube_config) config = NULL;
    dv_auto(dv_secret) value = NULL;

    set_up(NULL);
    if (row->script)
        put_script("plugin", row->script);
    assert_ok(load_text(PLAIN EXEC("command: ./plugin, installHint: get it from here") BOTH, true,
                        &config));
    assert_err(dv_kube_config_authorization(&t.ctx, config, &value), row->kind, row->text);
    tear_down(NULL);
}

static void a_plugin_of_an_unknown_version_is_refused(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;

    assert_err(load_text(PLAIN USER("exec: {apiVersion: client.authentication.k8s.io/v1alpha1, "
                                    "command: x}") BOTH,
                         true, &config),
               DV_INVALID, "exec has an apiVersion other than");
    assert_err(load_text(PLAIN EXEC("x: y") BOTH, true, &config), DV_INVALID,
               "exec has no command");
    assert_err(load_text(PLAIN USER("exec: 3") BOTH, true, &config), DV_INVALID,
               "exec must be an object");
}

static void *ask(void *arg)
{
    dv_auto(dv_secret) value = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);
    dv_auto(dv_err) err = dv_kube_config_authorization(&ctx, arg, &value);

    return (void *)(uintptr_t)(!err && value && dv_str_is(dv_secret_reveal(value), "Bearer made"));
}

static void many_threads_wait_for_one_run(void **state DV_UNUSED)
{
    dv_auto(dv_kube_config) config = NULL;
    pthread_t threads[8];

    put_script("plugin", SCRIPT(ANSWER("\"token\":\"made\"")));
    assert_ok(load_text(PLAIN EXEC("command: ./plugin") BOTH, true, &config));
    for (size_t i = 0; i < DV_LEN(threads); i++)
        threads[i] = dv_thread_start("ask", DV_STACK_BYTES, ask, config);
    for (size_t i = 0; i < DV_LEN(threads); i++) {
        void *fine = NULL;

        pthread_join(threads[i], &fine);
        assert_non_null(fine);
    }
    assert_int_equal(runs(), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        IN_FOLDER(a_client_certificate_is_taken_from_data_and_from_files),
        IN_FOLDER(whom_the_file_impersonates_goes_into_headers),
        IN_FOLDER(of_several_files_the_first_to_say_it_wins),
        IN_FOLDER(a_relative_path_starts_at_its_own_file),
        IN_FOLDER(the_context_can_be_chosen),
        IN_FOLDER(the_home_folder_is_asked_last),
        IN_FOLDER(a_file_that_was_named_must_be_there),
        IN_FOLDER(too_many_files_are_refused),
        IN_FOLDER(a_pods_folder_says_it_all),
        IN_FOLDER(the_environment_says_where),
        IN_FOLDER(outside_a_pod_it_says_what_to_do),
        IN_FOLDER(a_token_that_rotates_is_read_again),
        IN_FOLDER(a_plugin_is_asked_once_until_its_answer_expires),
        IN_FOLDER(a_plugin_is_told_of_the_cluster),
        IN_FOLDER(a_plugin_may_answer_with_a_certificate),
        IN_FOLDER(a_plugin_of_an_unknown_version_is_refused),
        IN_FOLDER(many_threads_wait_for_one_run),
    };
    dv_suite suite = {.name = "kube/config, files"};

    DV_TABLE(&suite, a_good_file, goods);
    DV_TABLE(&suite, a_bad_file, bads);
    DV_TABLE(&suite, a_bad_plugin, plugins);
    set_up_all(NULL);
    int failed = dv_suite_run(&suite);
    failed |= cmocka_run_group_tests_name("kube/config", tests, NULL, NULL);
    tear_down_all(NULL);
    return failed ? 1 : 0;
}
