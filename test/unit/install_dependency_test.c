/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a lock's closure, and who has a package. */
#include "install_cluster.h"

#include "install/dependency.h"
#include "install/pms.h"

#define OPERATOR "davit-system"
#define PM(ns, name, annotations, spec, status)                                                    \
    "{apiVersion: davit.dev/v1alpha1, kind: PackageManifest, metadata: {namespace: " ns            \
    ", name: " name ", annotations: {" annotations "}}, spec: {" spec "}, status: {" status "}}"
#define MADE "davit.dev/installed-as-dependency: 'true'"

enum { OTHERS_MAX = 3 };

static struct {
    cluster *cluster;
    dv_informer *pms;
} t;

static dv_entry *keep_pm(void *arg DV_UNUSED, const json_t *object)
{
    dv_pm *pm = NULL;
    dv_err *err = dv_pm_decode(object, &pm);

    DV_ASSERT(!err);
    return &pm->entry;
}

static int set_up(void **state DV_UNUSED)
{
    t.cluster = cluster_new();
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    cluster_free(t.cluster);
    return 0;
}

static void start_informer(const char *const others[OTHERS_MAX])
{
    const dv_informer_options options = {
        .resource = cluster_resource(t.cluster, DV_API_VERSION, "PackageManifest"),
        .reduce = keep_pm,
        .index = dv_pm_index};

    for (size_t i = 0; i < OTHERS_MAX && others[i]; i++)
        cluster_put(t.cluster, others[i]);
    t.pms = dv_informer_start(t.cluster->cache, &options);
    assert_ok(dv_informer_wait(&t.cluster->ctx, t.pms));
}

/* ---- Is the PackageManifest of a dependency to be written? ---- */

static const struct row {
    const char *name;
    const char *others[OTHERS_MAX]; /* beside own/web, which needs db 1.5.0 */
    const char *want;               /* "write", "write over", "keep", or the reason of a refusal */
} rows[] = {
    {"one that is not there is made", {0}, "write"},
    {"one that was made for it is moved",
     {PM(OPERATOR, "db", MADE, "package: db, version: 1.0.0", "version: 1.0.0")},
     "write over"},
    {"one at that version stays",
     {PM(OPERATOR, "db", MADE, "package: db, version: 1.5.0", "version: 1.5.0")},
     "keep"},
    {"a person's is not touched",
     {PM("team", "database", "", "package: db, version: 1.0.0", "version: 1.0.0")},
     "keep"},
    {"a person's of that very name is not touched",
     {PM(OPERATOR, "db", "", "package: db, version: 1.0.0", "version: 1.0.0")},
     "keep"},
    {"the name is another package's",
     {PM(OPERATOR, "db", "", "package: other", "")},
     "DependencyNameTaken"},
    {"the name is an inline package's",
     {PM(OPERATOR, "db", "", "manifest: {name: db}", "")},
     "DependencyNameTaken"},
    {"a person's that is suspended before it began is awaited",
     {PM(OPERATOR, "db", "", "package: db, suspend: true", "")},
     "DependencyNotReady"},
};

static const char *outcome(const dv_err *err, bool write, const dv_pm *there)
{
    if (err)
        return dv_err_reason(err);
    return !write ? "keep" : there ? "write over" : "write";
}

static void row_is_decided(void **state)
{
    const struct row *row = *state;
    dv_auto_pm pm = cluster_pm("own", "web", "package: web");
    const dv_locked locked = {.package = (char *)"db", .version = (char *)"1.5.0"};
    dv_auto_pm there = NULL;
    bool write = false;

    start_informer(row->others);
    dv_auto(dv_err) err = dv_dependency_decide(t.pms, pm, &locked, OPERATOR, &write, &there);
    assert_string_equal(outcome(err, write, there), row->want);
}

/* ---- Who has a package ---- */

static const struct unique_row {
    const char *name;
    const char *others[OTHERS_MAX]; /* beside own/web, which is not installed */
    const char *want;               /* the reason; "": it has the package */
} unique_rows[] = {
    {"nobody else wants it", {0}, ""},
    {"another has it",
     {PM("team", "web", "", "package: web", "version: 1.0.0")},
     "AlreadyInstalled"},
    {"another of that name is for another package",
     {PM("team", "web", "", "package: other", "version: 1.0.0")},
     ""},
    {"an inline package is nobody's rival",
     {PM("team", "web", "", "manifest: {name: web}", "version: inline-1")},
     ""},
    {"one that is suspended before it began has no claim",
     {PM("team", "web", "", "package: web, suspend: true", "")},
     ""},
};

static void row_is_unique(void **state)
{
    const struct unique_row *row = *state;
    dv_auto_pm pm = cluster_pm("own", "web", "package: web");

    start_informer(row->others);
    dv_auto(dv_err) err = dv_pm_check_unique(t.pms, pm);
    assert_string_equal(err ? dv_err_reason(err) : "", row->want);
}

/* ---- Who needs it ---- */

#define NEEDS(who, package)                                                                        \
    "version: 1.0.0, dependencies: [{name: " package ", range: '', version: x, requiredBy: [" who  \
    "]}]"

static const struct needed_row {
    const char *name;
    const char *others[OTHERS_MAX]; /* beside the dependency db */
    bool want;
} needed_rows[] = {
    {"nobody", {0}, false},
    {"a person's package needs it",
     {PM("team", "app", "", "package: app", NEEDS("app", "db"))},
     true},
    {"a dependency that nobody needs does not count",
     {PM(OPERATOR, "app", MADE, "package: app", NEEDS("app", "db"))},
     false},
    {"one that a person's package needs does",
     {PM(OPERATOR, "app", MADE, "package: app", NEEDS("app", "db")),
      PM("team", "top", "", "package: top", NEEDS("top", "app"))},
     true},
    {"two that need each other do not",
     {PM(OPERATOR, "app", MADE, "package: app", NEEDS("app", "db")),
      PM(OPERATOR, "db", MADE, "package: db", NEEDS("db", "app"))},
     false},
};

static void row_is_needed(void **state)
{
    const struct needed_row *row = *state;
    dv_auto_pm pm = cluster_pm(OPERATOR, "db", "package: db");

    start_informer(row->others);
    assert_int_equal(dv_pm_is_needed(t.pms, pm), row->want);
}

/* ---- What is written ---- */

static void a_dependency_has_its_exact_version(void **state DV_UNUSED)
{
    const dv_locked locked = {
        .package = (char *)"db", .version = (char *)"1.5.0", .repository = (char *)"main"};
    json_auto_t *object = dv_dependency_object(&locked, OPERATOR);

    assert_string_equal(dv_json_str(object, "/metadata/namespace"), OPERATOR);
    assert_string_equal(dv_json_str(object, "/metadata/name"), "db");
    assert_string_equal(dv_obj_annotation(object, DV_ANNOTATION_DEPENDENCY), "true");
    assert_string_equal(dv_json_str(object, "/spec/version"), "1.5.0");
    assert_string_equal(dv_json_str(object, "/spec/repository"), "main");
}

int main(void)
{
    dv_suite suite = {.name = "install/dependency"};

    DV_TABLE(&suite, row_is_decided, rows);
    DV_TABLE(&suite, row_is_unique, unique_rows);
    DV_TABLE(&suite, row_is_needed, needed_rows);
    DV_TEST(&suite, a_dependency_has_its_exact_version);
    for (size_t i = 0; i < suite.tests.n; i++) {
        suite.tests.at[i].setup_func = set_up;
        suite.tests.at[i].teardown_func = tear_down;
    }
    return dv_suite_run(&suite);
}
