/* SPDX-License-Identifier: Apache-2.0 */
/* Can each version be installed from what the repository has? The operator's solver says so. */
#include "lint.h"
#include "semver/constraint.h"
#include "yaml/yaml.h"

typedef struct {
    dv_candidates candidates; /* first */
    const lint *l;
} source;

static const lint_version *find_version(const lint *l, const char *package, const char *text)
{
    const lint_package *found = dv_map_get(l->packages, dv_str_of(package));

    for (size_t i = 0; found && i < found->versions.n; i++)
        if (strcmp(found->versions.at[i].text, text) == 0)
            return &found->versions.at[i];
    return NULL;
}

static dv_err *list_versions(const dv_candidates *self, dv_ctx *ctx, const char *package,
                             dv_strings *ret_versions)
{
    const source *s = (const source *)self;
    const lint_package *found = dv_map_get(s->l->packages, dv_str_of(package));

    (void)ctx;
    if (!found || !found->listed)
        return dv_err_new(DV_NOT_FOUND, "PackageNotFound", "the repository has no package %s",
                          package);
    for (size_t i = 0; i < found->versions.n; i++)
        if (found->versions.at[i].listed)
            dv_strings_add(ret_versions, found->versions.at[i].text);
    return NULL;
}

static dv_err *list_dependencies(const dv_candidates *self, dv_ctx *ctx, const char *package,
                                 const char *version, dv_dependencies *ret_dependencies)
{
    const source *s = (const source *)self;
    const lint_version *v = find_version(s->l, package, version);

    (void)ctx;
    if (!v || !v->package)
        return dv_err_new(DV_INVALID, "InvalidPackage", "package.yaml of %s %s can't be read",
                          package, version);
    for (size_t i = 0; i < v->package->dependencies.n; i++) {
        const dv_dependency *d = &v->package->dependencies.at[i];

        *dv_vec_push(ret_dependencies) =
            (dv_dependency){dv_strdup(d->package), dv_strdup(d->range)};
    }
    return NULL;
}

/* ---- Findings ---- */

/* Reads the file again, for its line. message is taken. */
static void say_at(lint *l, const lint_version *v, const char *rule, const char *pointer,
                   char *message)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes;
    size_t line = 0;

    if (lint_read(l, v->file, DV_PACKAGE_BYTES_MAX, &bytes))
        line = lint_line(l, dv_buf_str(&bytes), pointer);
    lint_add(l, LINT_ERROR, rule, dv_strdup(v->file), line, message);
}

/* An absent range takes any version. */
static bool any_fits(const lint_package *package, const char *range)
{
    dv_auto(dv_constraint) constraint = NULL;
    dv_version v;

    if (range && *range)
        dv_err_free(dv_constraint_parse(dv_str_of(range), &constraint));
    for (size_t i = 0; i < package->versions.n; i++)
        if (package->versions.at[i].listed &&
            dv_version_is(dv_str_of(package->versions.at[i].text), &v) &&
            (!constraint || dv_constraint_accepts(constraint, &v)))
            return true;
    return false;
}

/* True: what this points to can be had. */
static bool check_link(lint *l, const lint_version *v, const char *pointer, const char *name,
                       const char *range)
{
    const lint_package *package = dv_map_get(l->packages, dv_str_of(name));

    if (!package || !package->listed) {
        say_at(l, v, "unknown-package", pointer,
               dv_asprintf("the repository has no package %s", name));
        return false;
    }
    if (any_fits(package, range))
        return true;
    say_at(l, v, "unsatisfiable", pointer,
           dv_asprintf("no version of %s is in %s", name, range && *range ? range : "any range"));
    return false;
}

static bool check_links(lint *l, const lint_version *v)
{
    bool well = true;

    for (size_t i = 0; i < v->package->dependencies.n; i++) {
        dv_auto_str pointer = dv_asprintf("/dependencies/%zu", i);

        well &= check_link(l, v, pointer, v->package->dependencies.at[i].package,
                           v->package->dependencies.at[i].range);
    }
    for (size_t i = 0; i < v->package->components.n; i++) {
        dv_auto_str pointer = dv_asprintf("/components/%zu", i);

        well &= check_link(l, v, pointer, v->package->components.at[i].name,
                           v->package->components.at[i].version);
    }
    return well;
}

/* Each link alone is fine; can all of them hold together? */
static dv_err *solve_one(lint *l, const source *s, const lint_package *package,
                         const lint_version *v)
{
    dv_auto(dv_problem) problem = dv_problem_new();
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
    dv_ctx ctx = dv_ctx_make(/* cancel= */ NULL);
    dv_auto_str who = dv_asprintf("%s %s", package->name, v->text);

    DV_CHECK(dv_problem_add_root(problem, package->name, "", /* who= */ NULL));
    dv_problem_add_pinned(problem, package->name, v->text, who);
    dv_err *err = dv_resolve(&ctx, problem, &s->candidates, &solution, /* ret_explanation= */ NULL);
    if (!dv_err_is(err, DV_DENIED) && !dv_err_is(err, DV_NOT_FOUND) && !dv_err_is(err, DV_INVALID))
        return err;
    say_at(l, v, "unsatisfiable", "/dependencies",
           dv_asprintf("can't be installed: %s", dv_err_str(err)));
    dv_err_free(err);
    return NULL;
}

static dv_err *check_version(lint *l, const source *s, const lint_package *package,
                             const lint_version *v)
{
    if (!v->package || !check_links(l, v) || !v->package->dependencies.n || !v->listed ||
        !package->listed)
        return NULL;
    return solve_one(l, s, package, v);
}

dv_err *lint_solve(lint *l)
{
    const source s = {.candidates = {.versions = list_versions, .dependencies = list_dependencies},
                      .l = l};
    DV_CLEANUP(dv_strings_done) dv_strings names = dv_map_keys(l->packages);

    for (size_t i = 0; i < names.n; i++) {
        const lint_package *package = dv_map_get(l->packages, dv_str_of(names.at[i]));

        for (size_t k = 0; k < package->versions.n; k++)
            DV_CHECK(check_version(l, &s, package, &package->versions.at[k]));
    }
    return NULL;
}
