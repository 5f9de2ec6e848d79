/* SPDX-License-Identifier: Apache-2.0 */
/* One package.yaml, and the manifests that it names. */
#include "lint.h"
#include "manifest/objects.h"
#include "semver/constraint.h"
#include "yaml/yaml.h"

#define MANIFEST_BYTES_MAX ((size_t)32 * 1024 * 1024)

typedef struct {
    lint *l;
    const char *file; /* package.yaml */
    dv_buf bytes;
    const dv_package *package;
} reading;

static void reading_done(reading *r)
{
    dv_buf_done(&r->bytes);
}

static void say(const reading *r, lint_severity severity, const char *rule, const char *pointer,
                char *message)
{
    lint_add(r->l, severity, rule, dv_strdup(r->file),
             lint_line(r->l, dv_buf_str(&r->bytes), pointer), message);
}

/* ---- Manifests ---- */

static bool is_absolute(const char *url)
{
    return strstr(url, "://") != NULL || url[0] == '/';
}

/* A relative reference stays in the folder of package.yaml. */
static bool leaves_folder(dv_str path)
{
    while (path.n) {
        dv_str part;

        path = dv_str_cut(path, '/', &part);
        if (dv_str_is(part, ".."))
            return true;
    }
    return false;
}

static void read_manifest(const reading *r, const char *pointer, dv_str path)
{
    dv_str folder = dv_str_head(dv_str_of(r->file), strlen(r->file) - strlen("package.yaml"));
    dv_auto_str file = dv_asprintf("%.*s%.*s", DV_FMT(folder), DV_FMT(path));
    DV_CLEANUP(dv_buf_done) dv_buf bytes;
    json_auto_t *objects = json_array();
    size_t before = r->l->errors;

    if (!lint_read(r->l, file, MANIFEST_BYTES_MAX, &bytes)) {
        if (r->l->errors == before)
            say(r, LINT_ERROR, "missing-file", pointer,
                dv_asprintf("manifest %.*s is not there", DV_FMT(path)));
        return;
    }
    dv_err *err = dv_objects_read(dv_buf_str(&bytes), LINT_NAMELESS, objects);
    if (!err)
        err = dv_objects_check_unique(objects);
    if (err)
        lint_add_err(r->l, "bad-manifest", dv_strdup(file), err);
}

static void check_manifest(const reading *r, size_t i)
{
    dv_auto_str pointer = dv_asprintf("/manifests/%zu/url", i);
    const char *url = r->package->manifests.at[i].url;
    dv_str path;

    dv_str_cut(dv_str_of(url), '?', &path);
    if (strncmp(url, "http://", strlen("http://")) == 0)
        say(r, LINT_WARNING, "plain-http", pointer,
            dv_strdup("a manifest over plain http is refused unless the repository is insecure"));
    else if (!is_absolute(url) && leaves_folder(path))
        say(r, LINT_ERROR, "outside", pointer,
            dv_strdup("a relative manifest stays in the folder of package.yaml"));
    else if (!is_absolute(url))
        read_manifest(r, pointer, path);
}

/* ---- package.yaml ---- */

static void add_warning(const reading *r, const char *warning)
{
    dv_str line, rest = dv_str_cut(dv_str_of(warning), ':', &line);
    uint64_t number = 0;
    dv_err *err = dv_str_starts(line, DV_STR("line "))
                      ? dv_str_u64(dv_str_skip(line, strlen("line ")), &number)
                      : dv_err_new(DV_INVALID, "NoLine", "no line");

    lint_add(r->l, LINT_WARNING, "unknown-field", dv_strdup(r->file), (size_t)number,
             err ? dv_strdup(warning) : dv_str_dup(dv_str_trim(rest)));
    dv_err_free(err);
}

static void check_content(const reading *r, const char *package)
{
    const dv_package *p = r->package;

    if (package && strcmp(p->name, package) != 0)
        say(r, LINT_ERROR, "name-differs", "/name",
            dv_asprintf("the name is %s, but the package is %s", p->name, package));
    if (!p->manifests.n && !p->helm && !p->kustomize && !p->dependencies.n && !p->components.n)
        say(r, LINT_WARNING, "empty-package", "",
            dv_strdup("there is nothing to install: no manifests, helm, dependencies or "
                      "components"));
    for (size_t i = 0; i < p->manifests.n; i++)
        check_manifest(r, i);
}

void lint_read_version(lint *l, const char *package, lint_version *version)
{
    DV_CLEANUP(reading_done) reading r = {.l = l, .file = version->file};
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};

    if (!lint_read(l, version->file, DV_PACKAGE_BYTES_MAX, &r.bytes))
        return;
    dv_err *err = dv_package_read(dv_buf_str(&r.bytes), &version->package, &warnings);
    for (size_t i = 0; i < warnings.n; i++)
        add_warning(&r, warnings.at[i]);
    if (err) {
        lint_add_err(l, "bad-package", dv_strdup(version->file), err);
        return;
    }
    r.package = version->package;
    check_content(&r, package);
}
