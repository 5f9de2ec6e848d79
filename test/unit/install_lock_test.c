/* SPDX-License-Identifier: Apache-2.0 */
/* From wishes to locks: what is chosen, given what the repository has and what stands in the
 * cluster. */
#include "install_cluster.h"
#include "repo_peer.h"

#include "install/lock.h"

/* A PackageManifest in the cluster, one line of a row: "ns/name spec | status". */
#define PERSON(ns, name, spec, status)                                                             \
    "{apiVersion: davit.dev/v1alpha1, kind: PackageManifest, metadata: {namespace: " ns            \
    ", name: " name "}, spec: {" spec "}, status: {" status "}}"
#define DEPENDENCY(ns, name, spec, status)                                                         \
    "{apiVersion: davit.dev/v1alpha1, kind: PackageManifest, metadata: {namespace: " ns            \
    ", name: " name ", annotations: {davit.dev/installed-as-dependency: 'true'}}, spec: {" spec    \
    "}, status: {" status "}}"
/* Of a dependant: what it demands itself. */
#define NEEDS(who, package, range)                                                                 \
    "dependencies: [{name: " package ", range: '" range "', version: x, requiredBy: [" who "]}]"

enum { OTHERS_MAX = 3 };

static const struct row {
    const char *name;
    const char *spec;               /* of PackageManifest own/web */
    const char *others[OTHERS_MAX]; /* PackageManifests beside it */
    const char *installed;          /* its status.version */
    bool upgrade;
    const char *inline_needs; /* "package range" of an inline manifest; NULL: by reference */
    const char *want; /* "version (latest) + dependencies", "!" behind what is fixed; or the reason
                         of the refusal */
    const char *says; /* in the refusal */
} rows[] = {
    /* The package itself. */
    {"the newest release", "package: plain", {0}, NULL, false, NULL, "2.0.0", NULL},
    {"the newest that fits a range",
     "package: plain, version: ^1",
     {0},
     NULL,
     false,
     NULL,
     "1.2.0 (2.0.0)",
     NULL},
    {"an exact version, older than the newest",
     "package: plain, version: 1.0.0",
     {0},
     NULL,
     false,
     NULL,
     "1.0.0 (2.0.0)",
     NULL},
    {"an exact version with a build",
     "package: built, version: 1.0.0+1",
     {0},
     NULL,
     false,
     NULL,
     "1.0.0+1 (1.0.0+2)",
     NULL},
    {"an exact version as the repository writes it",
     "package: vees, version: 1.0.0",
     {0},
     NULL,
     false,
     NULL,
     "v1.0.0 (v1.1.0)",
     NULL},
    {"a build that nobody has",
     "package: built, version: 1.0.0+9",
     {0},
     NULL,
     false,
     NULL,
     "VersionNotFound",
     "1.0.0+9"},
    {"a range that nothing fits",
     "package: plain, version: '>=9'",
     {0},
     NULL,
     false,
     NULL,
     "PackageNotFound",
     "plain"},
    {"a pre-release, asked for",
     "package: plain, version: 3.0.0-rc.1",
     {0},
     NULL,
     false,
     NULL,
     "3.0.0-rc.1",
     NULL},
    {"a wish that is no range",
     "package: plain, version: 'one or two'",
     {0},
     NULL,
     false,
     NULL,
     "BadConstraint",
     "own/web"},
    {"a package that nobody has",
     "package: absent",
     {0},
     NULL,
     false,
     NULL,
     "PackageNotFound",
     "absent"},
    {"a repository that is not there",
     "package: plain, repository: other",
     {0},
     NULL,
     false,
     NULL,
     "RepositoryNotFound",
     "other"},
    {"a repository that is named",
     "package: plain, repository: main",
     {0},
     NULL,
     false,
     NULL,
     "2.0.0",
     NULL},
    {"what is installed stays", "package: plain", {0}, "1.2.0", false, NULL, "1.2.0 (2.0.0)", NULL},
    {"unless an upgrade is asked for", "package: plain", {0}, "1.2.0", true, NULL, "2.0.0", NULL},
    {"or it doesn't fit any more",
     "package: plain, version: ^2",
     {0},
     "1.2.0",
     false,
     NULL,
     "2.0.0",
     NULL},
    {"what is installed and no longer offered",
     "package: plain",
     {0},
     "1.1.5",
     false,
     NULL,
     "2.0.0",
     NULL},

    /* What it depends on. */
    {"a dependency is the newest in range",
     "package: app",
     {0},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.5.0",
     NULL},
    {"dependencies of dependencies come too",
     "package: top",
     {0},
     NULL,
     false,
     NULL,
     "1.0.0 + app 1.0.0, db 1.5.0",
     NULL},
    {"a circle of packages is fine",
     "package: chicken",
     {0},
     NULL,
     false,
     NULL,
     "1.0.0 + egg 1.0.0",
     NULL},
    {"one installed as a dependency is kept where it fits",
     "package: app",
     {DEPENDENCY("davit", "db", "version: 1.1.0", "version: 1.1.0")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0",
     NULL},
    {"and is moved where it doesn't",
     "package: app",
     {DEPENDENCY("davit", "db", "version: 2.0.0", "version: 2.0.0")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.5.0",
     NULL},
    {"a person's stays at its version",
     "package: app",
     {PERSON("a", "db", "", "version: 1.1.0")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0!",
     NULL},
    {"though no repository offers that any more",
     "package: app",
     {PERSON("a", "db", "", "version: 1.3.9")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.3.9!",
     NULL},
    {"though no repository has the package",
     "manifest: {name: x}",
     {PERSON("a", "absent", "", "version: 1.0.0")},
     NULL,
     false,
     "absent ^1",
     "inline-1 + absent 1.0.0!",
     NULL},
    {"a person's that doesn't fit holds the newcomer",
     "package: app",
     {PERSON("a", "db", "", "version: 2.0.0")},
     NULL,
     false,
     NULL,
     "DependencyConflict",
     "a/db"},
    {"a person's comes before one made as a dependency",
     "package: app",
     {DEPENDENCY("davit", "db", "version: 1.5.0", "version: 1.5.0"),
      PERSON("z", "db", "", "version: 1.1.0")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0!",
     NULL},
    {"a person's that is not installed yet constrains by its wish",
     "package: app",
     {PERSON("a", "db", "version: ~1.1", "")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0",
     NULL},
    {"or by its exact version",
     "package: app",
     {PERSON("a", "db", "version: 1.1.0", "")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0",
     NULL},
    {"a wish of another for what nobody offers is nobody's trouble",
     "package: plain",
     {PERSON("a", "absent", "version: ^1", "")},
     NULL,
     false,
     NULL,
     "2.0.0",
     NULL},
    {"demands of others hold",
     "package: app",
     {PERSON("a", "other", "", NEEDS("other", "db", "<1.5"))},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0",
     NULL},
    {"demands that are not their own don't",
     "package: app",
     {PERSON("a", "other", "", NEEDS("between", "db", "<1.5"))},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.5.0",
     NULL},
    {"demands of inline manifests hold, by their object's name",
     "package: app",
     {PERSON("a", "other", "manifest: {name: x}", NEEDS("other", "db", "<1.5"))},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0",
     NULL},
    {"demands that exclude each other name both",
     "package: app",
     {PERSON("a", "other", "", NEEDS("other", "db", ">=2"))},
     NULL,
     false,
     NULL,
     "DependencyConflict",
     "a/other"},
    {"demands of others hold for the package itself",
     "package: db",
     {PERSON("a", "other", "", NEEDS("other", "db", "^1"))},
     NULL,
     false,
     NULL,
     "1.5.0 (2.0.0)",
     NULL},
    {"of one that is going they don't",
     "package: app",
     {"{apiVersion: davit.dev/v1alpha1, kind: PackageManifest, metadata: {namespace: a, name: "
      "other, deletionTimestamp: '2026-01-01T00:00:00Z'},"
      " spec: {}, status: {" NEEDS("other", "db", ">=2") "}}"},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.5.0",
     NULL},
    {"a package of one's own name elsewhere is another one's",
     "package: plain",
     {PERSON("a", "plain", "", "version: 1.0.0")},
     NULL,
     false,
     NULL,
     "2.0.0",
     NULL},

    /* Made as a dependency, with dependencies of its own. */
    {"what it needs moves along with one that is moved",
     "package: cap, version: 2.0.0",
     {DEPENDENCY("davit", "mid", "version: 1.0.0", "version: 1.0.0, " NEEDS("mid", "lib", "^1")),
      DEPENDENCY("davit", "lib", "version: 1.0.0", "version: 1.0.0")},
     "1.0.0",
     false,
     NULL,
     "2.0.0 + lib 2.0.0, mid 2.0.0",
     NULL},
    {"and back again",
     "package: cap, version: 1.0.0",
     {DEPENDENCY("davit", "mid", "version: 2.0.0", "version: 2.0.0, " NEEDS("mid", "lib", "^2")),
      DEPENDENCY("davit", "lib", "version: 2.0.0", "version: 2.0.0")},
     "2.0.0",
     false,
     NULL,
     "1.0.0 (2.0.0) + lib 1.0.0, mid 1.0.0",
     NULL},
    {"the demands of one that isn't moved hold",
     "package: lib",
     {DEPENDENCY("davit", "mid", "version: 1.0.0", "version: 1.0.0, " NEEDS("mid", "lib", "^1"))},
     NULL,
     false,
     NULL,
     "1.0.0 (2.0.0)",
     NULL},
    {"and name it when they can't be met",
     "package: new",
     {DEPENDENCY("davit", "mid", "version: 1.0.0", "version: 1.0.0, " NEEDS("mid", "lib", "^1")),
      DEPENDENCY("davit", "lib", "version: 1.0.0", "version: 1.0.0")},
     NULL,
     false,
     NULL,
     "DependencyConflict",
     "davit/mid"},

    /* Those that never came to be. */
    {"one that was refused before anything of it was installed stands in nobody's way",
     "package: app",
     {PERSON("a", "db", "version: 1.1.0",
             "observedGeneration: 1, conditions: [{type: Stalled, status: 'True', message: ''}], "
             "inventory: [{apiVersion: "
             "v1, kind: ConfigMap, namespace: a, name: x}]")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.5.0",
     NULL},
    {"nor does one that is suspended",
     "package: app",
     {PERSON("a", "db", "version: 1.1.0, suspend: true", "")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.5.0",
     NULL},
    {"one that was refused and is in the cluster does",
     "package: app",
     {PERSON("a", "db", "version: 1.1.0",
             "observedGeneration: 1, conditions: [{type: Stalled, status: 'True', message: ''}], "
             "inventory: [{apiVersion: "
             "v1, kind: ConfigMap, namespace: a, name: x, uid: u}]")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0",
     NULL},
    {"one made as a dependency and installed comes before a person's that isn't",
     "package: app",
     {DEPENDENCY("davit", "db", "version: 1.1.0", "version: 1.1.0"),
      PERSON("a", "db", "version: 1.5.0", "")},
     NULL,
     false,
     NULL,
     "1.0.0 + db 1.1.0",
     NULL},

    /* Inline. */
    {"an inline manifest has its own version",
     "manifest: {name: x}",
     {0},
     NULL,
     false,
     "db ^1",
     "inline-1 + db 1.5.0",
     NULL},
    {"its dependencies meet a person's",
     "manifest: {name: x}",
     {PERSON("a", "db", "", "version: 1.1.0")},
     NULL,
     false,
     "db ^1",
     "inline-1 + db 1.1.0!",
     NULL},
    {"its demands are told as its own",
     "manifest: {name: x}",
     {PERSON("a", "db", "", "version: 1.1.0")},
     NULL,
     false,
     "db ^2",
     "DependencyConflict",
     "own/web"},
    {"what it needs and nobody has",
     "manifest: {name: x}",
     {0},
     NULL,
     false,
     "absent ",
     "PackageNotFound",
     "absent"},
};

static struct {
    cluster *cluster;
    shelf shelf;
    reader reader;
    dv_informer *pms;
} t;

/* "name version: dependency range" */
static const struct {
    const char *package, *version, *needs, *range;
} offered[] = {
    {"plain", "1.0.0", NULL, NULL},   {"plain", "1.2.0", NULL, NULL},
    {"plain", "2.0.0", NULL, NULL},   {"plain", "3.0.0-rc.1", NULL, NULL},
    {"built", "1.0.0+1", NULL, NULL}, {"built", "1.0.0+2", NULL, NULL},
    {"vees", "v1.0.0", NULL, NULL},   {"vees", "v1.1.0", NULL, NULL},
    {"db", "1.1.0", NULL, NULL},      {"db", "1.5.0", NULL, NULL},
    {"db", "2.0.0", NULL, NULL},      {"app", "1.0.0", "db", "^1"},
    {"top", "1.0.0", "app", ""},      {"chicken", "1.0.0", "egg", ""},
    {"egg", "1.0.0", "chicken", ""},  {"lib", "1.0.0", NULL, NULL},
    {"lib", "2.0.0", NULL, NULL},     {"mid", "1.0.0", "lib", "^1"},
    {"mid", "2.0.0", "lib", "^2"},    {"cap", "1.0.0", "mid", "^1"},
    {"cap", "2.0.0", "mid", "^2"},    {"new", "1.0.0", "lib", "^2"},
};

static void offer(void)
{
    const char *last = "";
    DV_CLEANUP(dv_buf_done)
    dv_buf versions = DV_BUF_INIT(DV_LINE_MAX), names = DV_BUF_INIT(DV_LINE_MAX);

    for (size_t i = 0; i < DV_LEN(offered); i++) {
        dv_auto_str path =
            dv_asprintf("%s/%s/package.yaml", offered[i].package, offered[i].version);
        dv_auto_str needs = dv_asprintf("dependencies: [{name: %s, version: \"%s\"}]\n",
                                        offered[i].needs, offered[i].range);
        dv_auto_str text = dv_asprintf("name: %s\nmanifests: [{url: a.yaml}]\n%s",
                                       offered[i].package, offered[i].needs ? needs : "");

        shelf_put(&t.shelf, path, text);
        if (strcmp(last, offered[i].package) != 0) {
            dv_buf_reset(&versions);
            dv_buf_addf(&names, "%s%s", i ? " " : "", offered[i].package);
        }
        last = offered[i].package;
        dv_buf_addf(&versions, "%s%s", versions.n ? " " : "", offered[i].version);
        shelf_versions(&t.shelf, last, dv_buf_cstr(&versions));
    }
    shelf_list(&t.shelf, dv_buf_cstr(&names));
}

static dv_entry *keep_pm(void *arg DV_UNUSED, const json_t *object)
{
    dv_pm *pm = NULL;
    dv_err *err = dv_pm_decode(object, &pm);

    DV_ASSERT(!err);
    return &pm->entry;
}

static void start_informer(void)
{
    const dv_informer_options options = {
        .resource = cluster_resource(t.cluster, DV_API_VERSION, "PackageManifest"),
        .reduce = keep_pm,
        .index = dv_pm_index};

    t.pms = dv_informer_start(t.cluster->cache, &options);
    assert_ok(dv_informer_wait(&t.cluster->ctx, t.pms));
}

static int set_up(void **state DV_UNUSED)
{
    dv_repo_wish wish;

    shelf_start(&t.shelf);
    offer();
    reader_start(&t.reader, /* with_cache= */ false);
    wish = wish_for("main", &t.shelf);
    assert_ok(dv_repos_put(t.reader.repos, &wish));
    DV_CLEANUP(dv_repo_sync_result_done) dv_repo_sync_result synced = {0};
    assert_ok(dv_repo_sync(&t.reader.ctx, t.reader.repos, "main", &synced));
    t.cluster = cluster_new();
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    cluster_free(t.cluster);
    reader_stop(&t.reader);
    shelf_stop(&t.shelf);
    return 0;
}

static char *text_of(const dv_lock_result *lock)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    dv_buf_adds(&text, lock->version);
    if (lock->latest)
        dv_buf_addf(&text, " (%s)", lock->latest);
    for (size_t i = 0; i < lock->closure.n; i++)
        dv_buf_addf(&text, "%s%s %s%s", i ? ", " : " + ", lock->closure.at[i].package,
                    lock->closure.at[i].version, lock->closure.at[i].fixed ? "!" : "");
    return dv_buf_take(&text);
}

static void fill_inline(const char *text, dv_dependencies *dependencies)
{
    dv_str name, range = dv_str_cut(dv_str_of(text), ' ', &name);

    *dv_vec_push(dependencies) = (dv_dependency){dv_str_dup(name), dv_str_dup(range)};
}

static dv_lock_env env_of(const dv_pm *pm, const dv_pm_status *status)
{
    return (dv_lock_env){.repos = t.reader.repos, .pms = t.pms, .pm = pm, .status = status};
}

static void the_lock_is_as_wanted(void **state)
{
    const struct row *row = *state;
    dv_auto_pm pm = cluster_pm("own", "web", row->spec);
    DV_CLEANUP(dv_lock_result_done) dv_lock_result lock = {0};
    DV_CLEANUP(dv_dependencies_done) dv_dependencies needs = {0};
    dv_pm_status status = {.version = (char *)(uintptr_t)row->installed};
    dv_auto(dv_err) err = NULL;

    for (size_t i = 0; i < OTHERS_MAX && row->others[i]; i++)
        cluster_put(t.cluster, row->others[i]);
    start_informer();
    dv_lock_env env = env_of(pm, &status);
    env.upgrade = row->upgrade;
    if (row->inline_needs) {
        fill_inline(row->inline_needs, &needs);
        env.inline_dependencies = &needs;
        env.inline_version = "inline-1";
    }
    err = dv_lock_resolve(&t.cluster->ctx, &env, &lock);
    dv_auto_str got = err ? dv_strdup(dv_err_reason(err)) : text_of(&lock);
    assert_string_equal(got, row->want);
    if (row->says && !strstr(dv_err_str(err), row->says))
        fail_msg("%s: says nothing of %s", dv_err_str(err), row->says);
    if (strcmp(got, "DependencyConflict") == 0)
        assert_non_null(lock.explanation);
}

/* ---- The rest of it ---- */

static void a_lock_names_the_repositories(void **state DV_UNUSED)
{
    dv_auto_pm pm = cluster_pm("own", "web", "package: app");
    DV_CLEANUP(dv_lock_result_done) dv_lock_result lock = {0};
    dv_pm_status status = {0};

    start_informer();
    dv_lock_env env = env_of(pm, &status);
    assert_ok(dv_lock_resolve(&t.cluster->ctx, &env, &lock));
    assert_string_equal(lock.repository, "main");
    assert_string_equal(dv_lock_find(&lock, "db")->repository, "main");
    assert_null(dv_lock_find(&lock, "app"));
    assert_int_equal(lock.dependencies.n, 1);
    assert_string_equal(lock.dependencies.at[0].range, "^1");
}

static void dependencies_are_followed_within_the_lock(void **state DV_UNUSED)
{
    dv_auto_pm pm = cluster_pm("own", "web", "package: top");
    DV_CLEANUP(dv_lock_result_done) dv_lock_result lock = {0};
    dv_pm_status status = {0};

    start_informer();
    dv_lock_env env = env_of(pm, &status);
    assert_ok(dv_lock_resolve(&t.cluster->ctx, &env, &lock));
    assert_true(dv_lock_reaches(&lock, "top", "top", "db"));
    assert_true(dv_lock_reaches(&lock, "top", "app", "db"));
    assert_false(dv_lock_reaches(&lock, "top", "db", "app"));
    assert_false(dv_lock_reaches(&lock, "top", "top", "plain"));
}

static const struct latest_row {
    const char *name, *package, *version, *want; /* NULL: none */
} latest_rows[] = {
    {"a newer release is told", "plain", "1.0.0", "2.0.0"},
    {"of the newest there is none", "plain", "2.0.0", NULL},
    {"a pre-release is none", "plain", "2.5.0", NULL},
    {"a newer build is newer", "built", "1.0.0+1", "1.0.0+2"},
    {"of what is no version there is none", "plain", "inline-1", NULL},
};

static void the_latest_is_as_wanted(void **state)
{
    const struct latest_row *row = *state;
    dv_auto_str spec = dv_asprintf("package: %s", row->package);
    dv_auto_pm pm = cluster_pm("own", "web", spec);
    dv_auto_str latest = NULL;
    dv_lock_env env = env_of(pm, NULL);

    assert_ok(dv_lock_latest(&t.cluster->ctx, &env, row->version, &latest));
    assert_string_equal(latest ? latest : "none", row->want ? row->want : "none");
}

static char *keys_of(dv_entries entries)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    for (size_t i = 0; i < entries.n; i++)
        dv_buf_addf(&text, "%s%s", i ? " " : "", ((dv_pm *)entries.at[i])->key);
    dv_entries_done(&entries);
    return dv_buf_take(&text);
}

static void package_manifests_are_found_by_what_they_are_and_need(void **state DV_UNUSED)
{
    cluster_put(t.cluster, "{apiVersion: davit.dev/v1alpha1, kind: PackageManifest, metadata: "
                           "{namespace: a, name: db, creationTimestamp: "
                           "'2026-02-01T00:00:00Z'}, spec: {}}");
    cluster_put(t.cluster, "{apiVersion: davit.dev/v1alpha1, kind: PackageManifest, metadata: "
                           "{namespace: z, name: x, creationTimestamp: "
                           "'2026-01-01T00:00:00Z'}, spec: {package: db}}");
    cluster_put(t.cluster, "{apiVersion: davit.dev/v1alpha1, kind: PackageManifest, metadata: "
                           "{namespace: c, name: db, deletionTimestamp: "
                           "'2026-01-01T00:00:00Z'}, spec: {}}");
    cluster_put(t.cluster, PERSON("d", "db", "manifest: {name: db}",
                                  "conditions: [{type: Resolved, status: 'False', message: ''}]"));
    cluster_put(t.cluster, PERSON("e", "app", "", NEEDS("app", "db", "^1")));
    start_informer();
    dv_auto_str of = keys_of(dv_pms_of_package(t.pms, "db"));
    dv_auto_str need = keys_of(dv_pms_that_need(t.pms, "db"));
    dv_auto_str unresolved = keys_of(dv_pms_unresolved(t.pms));
    assert_string_equal(of, "z/x a/db"); /* the oldest first; none that is going, none inline */
    assert_string_equal(need, "e/app");
    assert_string_equal(unresolved, "d/db");
}

int main(void)
{
    dv_suite suite = {.name = "install/lock"};

    DV_TABLE(&suite, the_lock_is_as_wanted, rows);
    DV_TEST(&suite, a_lock_names_the_repositories);
    DV_TEST(&suite, dependencies_are_followed_within_the_lock);
    DV_TABLE(&suite, the_latest_is_as_wanted, latest_rows);
    DV_TEST(&suite, package_manifests_are_found_by_what_they_are_and_need);
    for (size_t i = 0; i < suite.tests.n; i++) {
        suite.tests.at[i].setup_func = set_up;
        suite.tests.at[i].teardown_func = tear_down;
    }
    return dv_suite_run(&suite);
}
