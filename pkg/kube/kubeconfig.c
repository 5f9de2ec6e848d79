/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubeconfig files. Of several, the first to set a value wins, and the first to name a cluster,
 * user or context gives that entry whole; relative paths start at the file that holds them.
 * Unknown fields are for other programs.
 */
#include "base/file.h"
#include "kube/config_internal.h"
#include "yaml/yaml.h"

typedef struct {
    char *path;
    json_t *doc; /* an object */
} source;
typedef DV_VEC(source) sources;

/* One named entry: `user` "x" of a file. Borrowed. */
typedef struct {
    const char *path, *section, *name;
    const json_t *value; /* an object, or null; NULL: the entry has none */
} entry;

static void sources_done(sources *files)
{
    for (size_t i = 0; i < files->n; i++) {
        free(files->at[i].path);
        json_decref(files->at[i].doc);
    }
    dv_vec_done(files);
}

static dv_err *bad(const char *path, const char *format, ...) DV_PRINTF(2, 3);
static dv_err *bad(const char *path, const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    dv_err *err = dv_err_new(DV_INVALID, "BadKubeconfig", "kubeconfig %s: %s", path, text);
    free(text);
    return err;
}

/* ---- Fields ---- */

/* Owned text of a member; NULL when it is absent or empty. */
static dv_err *get_text(const entry *from, const json_t *object, const char *key, char **ret_text)
{
    const json_t *value = json_object_get(object, key);

    if (!value || json_is_null(value))
        return NULL;
    if (!json_is_string(value))
        return bad(from->path, "%s \"%s\": %s must be a string, not %s", from->section, from->name,
                   key, dv_json_type_name(value));
    if (json_string_length(value) && !*ret_text)
        *ret_text = dv_strdup(json_string_value(value));
    return NULL;
}

static dv_err *get_bool(const entry *from, const char *key, bool *ret_value)
{
    const json_t *value = json_object_get(from->value, key);

    if (!value || json_is_null(value))
        return NULL;
    if (!json_is_boolean(value))
        return bad(from->path, "%s \"%s\": %s must be true or false", from->section, from->name,
                   key);
    *ret_value = json_is_true(value);
    return NULL;
}

/* Owned; a relative path starts at the folder of the file that holds it. */
static char *beside(const char *kubeconfig, const char *path)
{
    const char *slash = strrchr(kubeconfig, '/');

    if (path[0] == '/' || !slash)
        return dv_strdup(path);
    return dv_asprintf("%.*s/%s", (int)(slash - kubeconfig), kubeconfig, path);
}

static dv_err *get_path(const entry *from, const char *key, char **ret_path)
{
    dv_auto_str path = NULL;

    DV_CHECK(get_text(from, from->value, key, &path));
    if (path)
        *ret_path = beside(from->path, path);
    return NULL;
}

/* PEM from <key>-data (base64), else from the file that <key> names. */
static dv_err *get_pem(const entry *from, const char *key, dv_buf *out)
{
    dv_auto_str data_key = dv_asprintf("%s-data", key);
    dv_auto_str data = NULL;
    dv_auto_str path = NULL;

    DV_CHECK(get_text(from, from->value, data_key, &data));
    DV_CHECK(get_path(from, key, &path));
    if (data) {
        dv_auto(dv_err) err = dv_base64_decode(dv_str_of(data), out);
        dv_wipe(data, strlen(data));
        return err ? bad(from->path, "%s \"%s\": %s is not base64", from->section, from->name,
                         data_key)
                   : NULL;
    }
    if (!path)
        return NULL;
    dv_auto(dv_err) err = dv_file_read(path, out);
    return err ? bad(from->path, "%s \"%s\": %s: %s", from->section, from->name, key,
                     dv_err_str(err))
               : NULL;
}

/* ---- Files ---- */

/* "contexts": the name of its list and of the member that each element holds. */
static const struct section {
    const char *list, *member;
} sections[] = {{"clusters", "cluster"}, {"users", "user"}, {"contexts", "context"}};

static dv_err *check_element(const char *path, const struct section *section, const json_t *list,
                             size_t at)
{
    const json_t *element = json_array_get(list, at);
    const char *name = dv_json_str(element, "/name");
    const json_t *value = json_object_get(element, section->member);

    if (!name)
        return bad(path, "%s: element %zu has no name", section->list, at);
    if (value && !json_is_object(value) && !json_is_null(value))
        return bad(path, "%s \"%s\" must be an object, not %s", section->member, name,
                   dv_json_type_name(value));
    for (size_t i = 0; i < at; i++)
        if (strcmp(name, dv_json_str(json_array_get(list, i), "/name")) == 0)
            return bad(path, "%s: \"%s\" is there twice", section->list, name);
    return NULL;
}

static dv_err *check_shape(const char *path, const json_t *doc)
{
    if (!json_is_object(doc))
        return bad(path, "it holds %s instead of an object", dv_json_type_name(doc));
    for (size_t i = 0; i < DV_LEN(sections); i++) {
        const json_t *list = json_object_get(doc, sections[i].list);

        if (!list || json_is_null(list))
            continue;
        if (!json_is_array(list))
            return bad(path, "%s must be a list, not %s", sections[i].list,
                       dv_json_type_name(list));
        for (size_t at = 0; at < json_array_size(list); at++)
            DV_CHECK(check_element(path, &sections[i], list, at));
    }
    return NULL;
}

static dv_err *read_source(const char *path, bool must_exist, sources *files)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_KUBECONFIG_BYTES_MAX);
    dv_yaml_limits limits = {.bytes_max = DV_KUBECONFIG_BYTES_MAX};
    json_auto_t *doc = NULL;

    dv_auto(dv_err) unread = dv_file_read(path, &text);
    if (dv_err_is(unread, DV_NOT_FOUND) && !must_exist)
        return NULL;
    if (unread)
        return dv_err_recast(DV_TAKE(unread), DV_INVALID, "BadKubeconfig");
    dv_auto(dv_err) err = dv_yaml_read(dv_buf_str(&text), &limits, &doc);
    if (text.p)
        dv_wipe(text.p, text.n);
    if (err)
        return bad(path, "%s", dv_err_str(err));
    if (json_is_null(doc))
        return NULL;
    DV_CHECK(check_shape(path, doc));
    source *file = dv_vec_push(files);
    file->path = dv_strdup(path);
    file->doc = DV_TAKE(doc);
    return NULL;
}

/* The entry of that name in the first file that has one. */
static bool find_entry(const sources *files, const struct section *section, const char *name,
                       entry *ret_entry)
{
    for (size_t f = 0; f < files->n; f++) {
        const json_t *list = json_object_get(files->at[f].doc, section->list);
        const json_t *element;
        size_t i;

        json_array_foreach(list, i, element)
        {
            const char *found = dv_json_str(element, "/name");

            if (strcmp(found, name) != 0)
                continue;
            *ret_entry = (entry){files->at[f].path, section->member, found,
                                 json_object_get(element, section->member)};
            return true;
        }
    }
    return false;
}

static dv_err *need_entry(const sources *files, const struct section *section, const char *name,
                          const entry *referrer, entry *ret_entry)
{
    if (find_entry(files, section, name, ret_entry))
        return NULL;
    if (!referrer)
        return bad(files->at[0].path, "it has no context \"%s\"", name);
    return bad(referrer->path, "context \"%s\" names the %s \"%s\", which is not there",
               referrer->name, section->member, name);
}

static const char *current_context(const sources *files)
{
    for (size_t f = 0; f < files->n; f++) {
        const char *name = dv_json_str(files->at[f].doc, "/current-context");

        if (name && *name)
            return name;
    }
    return NULL;
}

/* ---- Entries to settings ---- */

static void put_pem(json_t *object, const char *key, const dv_buf *pem)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_KUBE_PEM_MAX * 2);

    dv_base64_add(&text, dv_buf_str(pem));
    if (pem->n)
        json_object_set_new(object, key, json_string(dv_buf_cstr(&text)));
}

/* What a plugin that asks for it is told: client.authentication.k8s.io's Cluster. */
static json_t *cluster_info(const entry *cluster, const dv_kube_settings *settings)
{
    const json_t *extensions = json_object_get(cluster->value, "extensions");
    json_t *info = json_object();
    const json_t *extension;
    size_t i;

    dv_json_put_str(info, "server", settings->server);
    dv_json_put_str(info, "tls-server-name", settings->server_name);
    if (settings->insecure)
        json_object_set_new(info, "insecure-skip-tls-verify", json_true());
    put_pem(info, "certificate-authority-data", &settings->ca);
    dv_json_put_str(info, "proxy-url", settings->proxy);
    json_array_foreach(extensions, i, extension) if (dv_str_is(dv_json_view(extension, "/name"),
                                                               "client.authentication.k8s.io/exec"))
        json_object_set(info, "config", json_object_get(extension, "extension"));
    return info;
}

static dv_err *use_cluster(const entry *cluster, dv_kube_settings *settings)
{
    DV_CHECK(get_text(cluster, cluster->value, "server", &settings->server));
    DV_CHECK(get_text(cluster, cluster->value, "tls-server-name", &settings->server_name));
    DV_CHECK(get_text(cluster, cluster->value, "proxy-url", &settings->proxy));
    DV_CHECK(get_bool(cluster, "insecure-skip-tls-verify", &settings->insecure));
    DV_CHECK(get_pem(cluster, "certificate-authority", &settings->ca));
    if (!settings->server)
        return bad(cluster->path, "cluster \"%s\" has no server", cluster->name);
    if (settings->insecure && settings->ca.n)
        return bad(cluster->path,
                   "cluster \"%s\": insecure-skip-tls-verify and certificate-authority exclude "
                   "each other",
                   cluster->name);
    settings->exec_cluster = cluster_info(cluster, settings);
    return NULL;
}

static dv_err *use_groups(const entry *user, dv_kube_settings *settings)
{
    const json_t *groups = json_object_get(user->value, "as-groups");
    const json_t *group;
    size_t i;

    if (groups && !json_is_array(groups) && !json_is_null(groups))
        return bad(user->path, "user \"%s\": as-groups must be a list", user->name);
    json_array_foreach(groups, i, group)
    {
        if (!json_is_string(group))
            return bad(user->path, "user \"%s\": as-groups must hold strings", user->name);
        dv_strings_add(&settings->as_groups, json_string_value(group));
    }
    return NULL;
}

/* Keeps the exec stanza, its command found from here on if it is a relative path. */
static dv_err *use_exec(const entry *user, dv_kube_settings *settings)
{
    const json_t *exec = json_object_get(user->value, "exec");
    const char *command = dv_json_str(exec, "/command");

    if (!exec || json_is_null(exec))
        return NULL;
    if (!json_is_object(exec))
        return bad(user->path, "user \"%s\": exec must be an object", user->name);
    settings->exec = json_deep_copy(exec);
    if (command && strchr(command, '/')) {
        dv_auto_str path = beside(user->path, command);
        dv_json_put_str(settings->exec, "command", path);
    }
    return NULL;
}

static dv_err *use_user(const entry *user, dv_kube_settings *settings)
{
    DV_CHECK(get_pem(user, "client-certificate", &settings->cert));
    DV_CHECK(get_pem(user, "client-key", &settings->key));
    DV_CHECK(get_text(user, user->value, "token", &settings->token));
    DV_CHECK(get_path(user, "tokenFile", &settings->token_file));
    DV_CHECK(get_text(user, user->value, "username", &settings->username));
    DV_CHECK(get_text(user, user->value, "password", &settings->password));
    DV_CHECK(get_text(user, user->value, "as", &settings->as));
    DV_CHECK(get_text(user, user->value, "as-uid", &settings->as_uid));
    DV_CHECK(use_groups(user, settings));
    DV_CHECK(use_exec(user, settings));
    if (!settings->cert.n != !settings->key.n)
        return bad(user->path, "user \"%s\": client-certificate and client-key are needed together",
                   user->name);
    if (settings->username && (settings->token || settings->token_file))
        return bad(user->path, "user \"%s\" has both a token and a username: one is allowed",
                   user->name);
    return NULL;
}

static dv_err *use_context(const sources *files, const char *name, dv_kube_settings *settings)
{
    entry context, cluster, user;
    dv_auto_str cluster_name = NULL;
    dv_auto_str user_name = NULL;

    DV_CHECK(need_entry(files, &sections[2], name, /* referrer= */ NULL, &context));
    DV_CHECK(get_text(&context, context.value, "cluster", &cluster_name));
    DV_CHECK(get_text(&context, context.value, "user", &user_name));
    DV_CHECK(get_text(&context, context.value, "namespace", &settings->ns));
    if (!cluster_name)
        return bad(context.path, "context \"%s\" names no cluster", name);
    DV_CHECK(need_entry(files, &sections[0], cluster_name, &context, &cluster));
    settings->where = dv_asprintf("kubeconfig %s: context \"%s\"", context.path, name);
    DV_CHECK(use_cluster(&cluster, settings));
    if (!user_name)
        return NULL;
    DV_CHECK(need_entry(files, &sections[1], user_name, &context, &user));
    return use_user(&user, settings);
}

dv_err *dv_kubeconfig_read(const dv_strings *paths, bool must_exist, const char *context,
                           dv_kube_settings *settings)
{
    DV_CLEANUP(sources_done) sources files = {0};

    if (paths->n > DV_KUBECONFIG_FILES_MAX)
        return dv_err_new(DV_INVALID, "BadKubeconfig", "KUBECONFIG lists more than %zu files",
                          DV_KUBECONFIG_FILES_MAX);
    for (size_t i = 0; i < paths->n; i++)
        DV_CHECK(read_source(paths->at[i], must_exist, &files));
    const char *name = context && *context ? context : current_context(&files);
    if (!files.n || !name)
        return dv_err_new(DV_NOT_FOUND, "NoCluster",
                          files.n ? "kubeconfig %s has no current-context; name one"
                                  : "no kubeconfig: %s is not there or empty",
                          paths->at[0]);
    return use_context(&files, name, settings);
}
