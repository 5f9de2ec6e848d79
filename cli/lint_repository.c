/* SPDX-License-Identifier: Apache-2.0 */
/* index.yaml, versions.yaml, and the folders that there are. */
#include <sys/stat.h>

#include "base/file.h"
#include "lint.h"
#include "semver/version.h"
#include "yaml/yaml.h"

/* As the operator's. */
#define DOCUMENT_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define ENTRIES_MAX ((size_t)20000)

/* ---- Folders ---- */

static bool has_file(const lint *l, const char *file)
{
    dv_auto_str path = dv_asprintf("%s/%s", l->root, file);
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_folder(const lint *l, const char *file)
{
    dv_auto_str path = dv_asprintf("%s/%s", l->root, file);
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "a/b", or b where a is the root itself. */
static char *join(const char *folder, const char *name)
{
    return *folder ? dv_asprintf("%s/%s", folder, name) : dv_strdup(name);
}

/* Names of the folders in a folder, without hidden ones; too many are a finding. */
static void list_folders(lint *l, const char *folder, dv_strings *ret_names)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};
    dv_auto_str path = dv_asprintf("%s/%s", l->root, folder);
    dv_err *err = dv_dir_list(path, ENTRIES_MAX, &names);

    if (err)
        lint_add_err(l, "unreadable", dv_strdup(*folder ? folder : "."), err);
    for (size_t i = 0; i < names.n; i++) {
        dv_auto_str file = join(folder, names.at[i]);

        if (names.at[i][0] != '.' && is_folder(l, file))
            dv_strings_add(ret_names, names.at[i]);
    }
}

static bool is_version(const char *text)
{
    dv_version version;

    return dv_version_is(dv_str_of(text), &version);
}

/* ---- Documents ---- */

typedef struct {
    lint *l;
    const char *file;
    dv_buf bytes;
    json_t *doc; /* owned; NULL: unreadable */
} document;

static void document_done(document *d)
{
    dv_buf_done(&d->bytes);
    json_decref(d->doc);
}

/* False: there is no such file. */
static bool read_document(document *d)
{
    const dv_yaml_limits limits = {.bytes_max = DOCUMENT_BYTES_MAX};

    if (!lint_read(d->l, d->file, DOCUMENT_BYTES_MAX, &d->bytes))
        return has_file(d->l, d->file);
    dv_err *err = dv_yaml_read(dv_buf_str(&d->bytes), &limits, &d->doc);
    if (err)
        lint_add_err(d->l, "bad-yaml", dv_strdup(d->file), err);
    return true;
}

/* message is taken. */
static void say(const document *d, lint_severity severity, const char *rule, const char *pointer,
                char *message)
{
    lint_add(d->l, severity, rule, dv_strdup(d->file),
             lint_line(d->l, dv_buf_str(&d->bytes), pointer), message);
}

/* A list of at most ENTRIES_MAX; NULL: it is none, which is a finding. */
static const json_t *take_list(const document *d, const char *name)
{
    dv_auto_str pointer = dv_asprintf("/%s", name);
    const json_t *list = dv_json_at(d->doc, pointer);

    if (json_is_array(list) && json_array_size(list) <= ENTRIES_MAX)
        return list;
    if (json_is_array(list))
        say(d, LINT_ERROR, "too-large", pointer,
            dv_asprintf("%s: more than %zu entries", name, ENTRIES_MAX));
    else
        say(d, LINT_ERROR, "bad-shape", list ? pointer : "",
            dv_asprintf("%s: a list must be here", name));
    return NULL;
}

/* ---- versions.yaml ---- */

/* "v1.2", "1.2.0" → "1.2.0"; owned. text is a version. */
static char *plain_text(const char *text)
{
    dv_version v;

    DV_ASSERT(dv_version_is(dv_str_of(text), &v));
    while (v.build.n > 1 && v.build.p[0] == '0')
        v.build = dv_str_skip(v.build, 1);
    return dv_asprintf("%llu.%llu.%llu-%.*s+%.*s", (unsigned long long)v.major,
                       (unsigned long long)v.minor, (unsigned long long)v.patch, DV_FMT(v.pre),
                       DV_FMT(v.build));
}

/* As what an equal version was written before; NULL: there is none. text is a version. */
static const char *find_equal(const lint_package *package, const char *text)
{
    dv_auto_str plain = plain_text(text);

    return dv_map_get(package->known, dv_str_of(plain));
}

static bool is_listed(const lint_package *package, const char *text)
{
    const char *equal = is_version(text) ? find_equal(package, text) : NULL;

    return equal && strcmp(equal, text) == 0;
}

static void add_version(lint_package *package, const char *folder, const char *text, bool listed)
{
    lint_version *version = dv_vec_push(&package->versions);
    dv_auto_str name = dv_asprintf("%s/package.yaml", text);

    version->text = dv_strdup(text);
    version->file = join(folder, name);
    version->listed = listed;
    if (listed) {
        dv_auto_str plain = plain_text(text);

        dv_map_put(package->known, dv_str_of(plain), dv_strdup(text));
    }
}

static void take_listed(const document *d, lint_package *package, const char *folder, size_t i,
                        const json_t *entry)
{
    dv_auto_str pointer = dv_asprintf("/versions/%zu", i);
    const char *text = dv_json_str(entry, "/version");
    dv_version version;

    if (!text) {
        say(d, LINT_ERROR, "bad-shape", pointer,
            dv_asprintf("versions[%zu]: an object with a text \"version\" must be here", i));
        return;
    }
    dv_err *err = dv_version_parse(dv_str_of(text), &version);
    if (err) {
        say(d, LINT_ERROR, "bad-version", pointer, dv_strdup(dv_err_str(err)));
        dv_err_free(err);
        return;
    }
    const char *equal = find_equal(package, text);
    if (equal) {
        bool same = strcmp(equal, text) == 0;

        say(d, LINT_ERROR, "duplicate-version", pointer,
            dv_asprintf("version %s stands here twice%s%s", text, same ? "" : ", also as ",
                        same ? "" : equal));
        return;
    }
    add_version(package, folder, text, /* listed= */ true);
    dv_auto_str file = dv_strdup(package->versions.at[package->versions.n - 1].file);
    if (!has_file(d->l, file))
        say(d, LINT_ERROR, "missing-file", pointer,
            dv_asprintf("version %s has no %s", text, file));
}

/* Releases before pre-releases. */
static bool is_newer(const dv_version *a, const dv_version *b)
{
    if (dv_version_is_pre(a) != dv_version_is_pre(b))
        return dv_version_is_pre(b);
    return dv_version_cmp(a, b) > 0;
}

static const char *newest_of(const lint_package *package)
{
    const lint_version *best = NULL;
    dv_version a, b;

    for (size_t i = 0; i < package->versions.n; i++) {
        const lint_version *v = &package->versions.at[i];

        if (v->listed && dv_version_is(dv_str_of(v->text), &a) &&
            (!best || (dv_version_is(dv_str_of(best->text), &b) && is_newer(&a, &b))))
            best = v;
    }
    return best ? best->text : NULL;
}

static void check_latest(const document *d, lint_package *package)
{
    const char *latest = dv_json_str(d->doc, "/latestVersion"), *newest = newest_of(package);

    if (!latest)
        say(d, LINT_WARNING, "no-latest", "", dv_strdup("there is no latestVersion"));
    else if (!is_listed(package, latest))
        say(d, LINT_ERROR, "bad-latest", "/latestVersion",
            dv_asprintf("latestVersion %s is not among the versions", latest));
    else if (newest && strcmp(newest, latest) != 0)
        say(d, LINT_WARNING, "old-latest", "/latestVersion",
            dv_asprintf("latestVersion is %s, but %s is newer", latest, newest));
}

static void read_versions(lint *l, lint_package *package, const char *folder)
{
    dv_auto_str file = join(folder, "versions.yaml");
    DV_CLEANUP(document_done) document d = {.l = l, .file = file};
    size_t i;
    json_t *entry;

    if (!read_document(&d)) {
        lint_add(l, LINT_ERROR, "missing-file", dv_strdup(file), 0,
                 dv_asprintf("package %s has no versions.yaml", package->name));
        return;
    }
    const json_t *list = d.doc ? take_list(&d, "versions") : NULL;
    if (!list)
        return;
    json_array_foreach(list, i, entry) take_listed(&d, package, folder, i, entry);
    check_latest(&d, package);
}

/* Folders that nobody can reach, because versions.yaml does not say that they are there. */
static void find_unlisted(lint *l, lint_package *package, const char *folder)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    list_folders(l, folder, &names);
    for (size_t i = 0; i < names.n; i++) {
        dv_auto_str inner = join(folder, names.at[i]);
        dv_auto_str file = join(inner, "package.yaml");

        if (is_listed(package, names.at[i]) || !has_file(l, file))
            continue;
        if (is_version(names.at[i]))
            add_version(package, folder, names.at[i], /* listed= */ false);
        lint_add(l, LINT_WARNING, "unreachable-version", dv_strdup(file), 0,
                 dv_asprintf("versions.yaml does not list %s", names.at[i]));
    }
}

/* ---- Packages ---- */

static lint_package *take_package(lint *l, const char *name, const char *folder, bool listed)
{
    lint_package *package = DV_NEW(lint_package);

    package->name = dv_strdup(name);
    package->listed = listed;
    package->known = dv_map_new(free);
    dv_map_put(l->packages, dv_str_of(name), package);
    read_versions(l, package, folder);
    find_unlisted(l, package, folder);
    for (size_t i = 0; i < package->versions.n; i++)
        lint_read_version(l, name, &package->versions.at[i]);
    return package;
}

static void compare_latest(const document *d, const lint_package *package, size_t i,
                           const json_t *entry)
{
    dv_auto_str file = dv_asprintf("%s/versions.yaml", package->name);
    dv_auto_str pointer = dv_asprintf("/packages/%zu/latestVersion", i);
    DV_CLEANUP(document_done) document versions = {.l = d->l, .file = file};
    const char *here = dv_json_str(entry, "/latestVersion"), *there;

    if (!has_file(d->l, file) || !here)
        return;
    if (!lint_read(d->l, file, DOCUMENT_BYTES_MAX, &versions.bytes))
        return;
    dv_err_free(dv_yaml_read(dv_buf_str(&versions.bytes), NULL, &versions.doc));
    there = dv_json_str(versions.doc, "/latestVersion");
    if (there && strcmp(here, there) != 0)
        say(d, LINT_WARNING, "latest-differs", pointer,
            dv_asprintf("latestVersion of %s is %s here and %s in %s", package->name, here, there,
                        file));
}

static void take_entry(const document *d, size_t i, const json_t *entry)
{
    dv_auto_str pointer = dv_asprintf("/packages/%zu", i);
    const char *name = dv_json_str(entry, "/name");

    if (!name || !dv_package_name_valid(dv_str_of(name))) {
        say(d, LINT_ERROR, "bad-name", pointer,
            dv_asprintf("packages[%zu]: no valid package name", i));
    } else if (dv_map_get(d->l->packages, dv_str_of(name))) {
        say(d, LINT_ERROR, "duplicate-package", pointer,
            dv_asprintf("package %s is listed twice", name));
    } else if (!is_folder(d->l, name)) {
        say(d, LINT_ERROR, "missing-file", pointer, dv_asprintf("package %s has no folder", name));
    } else {
        compare_latest(d, take_package(d->l, name, name, /* listed= */ true), i, entry);
    }
}

static void find_unlisted_packages(lint *l)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    list_folders(l, "", &names);
    for (size_t i = 0; i < names.n; i++) {
        dv_auto_str file = join(names.at[i], "versions.yaml");

        if (dv_map_get(l->packages, dv_str_of(names.at[i])) || !has_file(l, file))
            continue;
        lint_add(l, LINT_WARNING, "unreachable-package", dv_strdup(file), 0,
                 dv_asprintf("index.yaml does not list package %s", names.at[i]));
        if (dv_package_name_valid(dv_str_of(names.at[i])))
            take_package(l, names.at[i], names.at[i], /* listed= */ false);
    }
}

static void read_repository(lint *l)
{
    DV_CLEANUP(document_done) document d = {.l = l, .file = "index.yaml"};
    size_t i;
    json_t *entry;

    l->whole = true;
    read_document(&d);
    const json_t *list = d.doc ? take_list(&d, "packages") : NULL;
    json_array_foreach(list, i, entry) take_entry(&d, i, entry);
    find_unlisted_packages(l);
}

/* ---- Which of the three it is ---- */

/* The last part of the path as the file system knows it: "." has a name, too. Owned; NULL: none. */
static char *name_of_folder(const char *path)
{
    dv_auto_str whole = realpath(path, NULL);
    const char *slash = whole ? strrchr(whole, '/') : NULL;

    return slash && slash[1] ? dv_strdup(slash + 1) : NULL;
}

static void read_one_version(lint *l)
{
    lint_package *package = DV_NEW(lint_package);
    dv_auto_str text = name_of_folder(l->root);

    package->name = dv_strdup("");
    package->known = dv_map_new(free);
    dv_map_put(l->packages, DV_STR(""), package);
    lint_version *version = dv_vec_push(&package->versions);
    version->text = dv_strdup(text ? text : "");
    version->file = dv_strdup("package.yaml");
    lint_read_version(l, /* package= */ NULL, version);
}

dv_err *lint_run(lint *l)
{
    dv_auto_str name = name_of_folder(l->root);

    if (!is_folder(l, "."))
        return dv_err_new(DV_INVALID, "NotAFolder", "%s is not a folder", l->root);
    if (has_file(l, "index.yaml"))
        read_repository(l);
    else if (has_file(l, "versions.yaml"))
        take_package(l, name ? name : "", "", /* listed= */ true);
    else if (has_file(l, "package.yaml"))
        read_one_version(l);
    else
        return dv_err_new(DV_INVALID, "NotARepository",
                          "%s has neither index.yaml (a repository) nor versions.yaml (a package) "
                          "nor package.yaml (a version)",
                          l->root);
    return l->whole ? lint_solve(l) : NULL;
}
