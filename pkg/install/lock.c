/* SPDX-License-Identifier: Apache-2.0 */
#include "install/lock.h"

#include "base/map.h"

/* Each round adds the demands on at least one more package, so the bound is never met by honest
 * problems. */
enum { ROUNDS_MAX = 100 };

void dv_lock_result_done(dv_lock_result *lock)
{
    for (size_t i = 0; i < lock->closure.n; i++) {
        dv_locked *l = &lock->closure.at[i];

        free(l->package);
        free(l->version);
        free(l->repository);
        dv_dependencies_done(&l->dependencies);
    }
    dv_vec_done(&lock->closure);
    dv_dependencies_done(&lock->dependencies);
    free(lock->version);
    free(lock->repository);
    free(lock->latest);
    free(lock->explanation);
    *lock = (dv_lock_result){0};
}

const dv_locked *dv_lock_find(const dv_lock_result *lock, const char *package)
{
    for (size_t i = 0; i < lock->closure.n; i++)
        if (strcmp(lock->closure.at[i].package, package) == 0)
            return &lock->closure.at[i];
    return NULL;
}

static const dv_dependencies *dependencies_of(const dv_lock_result *lock, const char *self,
                                              const char *package)
{
    const dv_locked *l = dv_lock_find(lock, package);

    if (strcmp(package, self) == 0)
        return &lock->dependencies;
    return l ? &l->dependencies : NULL;
}

bool dv_lock_reaches(const dv_lock_result *lock, const char *self, const char *from, const char *to)
{
    dv_auto(dv_map) seen = dv_map_new(NULL);
    DV_VEC(const char *) todo = {0};
    bool found = false;

    *dv_vec_push(&todo) = from;
    while (todo.n && !found) {
        const char *package = todo.at[--todo.n];
        const dv_dependencies *next = dependencies_of(lock, self, package);

        found = strcmp(package, to) == 0;
        if (dv_map_get(seen, dv_str_of(package)) || !next)
            continue;
        dv_map_put(seen, dv_str_of(package), seen);
        for (size_t i = 0; i < next->n; i++)
            *dv_vec_push(&todo) = next->at[i].package;
    }
    dv_vec_done(&todo);
    return found;
}

/* ---- Candidates, from the repositories ---- */

typedef struct {
    dv_candidates candidates; /* first */
    const dv_lock_env *env;
    dv_map *repository_of; /* "package version" -> owned text */
    dv_map *origin_of;     /* package -> owned text: which repositories give its versions */
    dv_map *fixed;         /* package -> owned version that stands; "": none. See fixed_version() */
} source;

static char *version_key(const char *package, const char *version)
{
    return dv_asprintf("%s %s", package, version);
}

static bool is_self(const dv_lock_env *env, const char *package)
{
    return strcmp(package, env->pm->spec.package) == 0;
}

/* The version of a person's PackageManifest that is installed; NULL: none. */
static const char *fixed_version(const source *s, const char *package)
{
    const char *known = dv_map_get(s->fixed, dv_str_of(package));

    if (!s->env->inline_dependencies && is_self(s->env, package))
        return NULL;
    if (!known) {
        dv_auto_pm pm = dv_pms_first(s->env->pms, package, s->env->pm->key);
        bool stands = pm && !pm->is_dependency && pm->status.version;

        dv_map_put(s->fixed, dv_str_of(package), dv_strdup(stands ? pm->status.version : ""));
        known = dv_map_get(s->fixed, dv_str_of(package));
    }
    return *known ? known : NULL;
}

/* "repository a", "repositories a, b". */
static void note_origin(const source *s, const char *package, const dv_repo_versions *versions)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    for (size_t i = 0; i < versions->n; i++)
        if (!dv_strings_has(&names, versions->at[i].repository))
            dv_strings_add(&names, versions->at[i].repository);
    dv_strings_sort(&names);
    dv_buf_adds(&text, names.n > 1 ? "repositories " : "repository ");
    for (size_t i = 0; i < names.n; i++)
        dv_buf_addf(&text, "%s%s", i ? ", " : "", names.at[i]);
    if (names.n)
        dv_map_put(s->origin_of, dv_str_of(package), dv_buf_take(&text));
}

static dv_err *list_offered(const source *s, dv_ctx *ctx, const char *package,
                            dv_strings *ret_versions)
{
    const char *repository = is_self(s->env, package) && *s->env->pm->spec.repository
                                 ? s->env->pm->spec.repository
                                 : NULL;
    DV_CLEANUP(dv_repo_versions_done) dv_repo_versions versions = {0};

    DV_CHECK(dv_repos_versions(ctx, s->env->repos, s->env->pm->ns, repository, package, &versions));
    for (size_t i = 0; i < versions.n; i++) {
        dv_auto_str key = version_key(package, versions.at[i].version);

        dv_strings_add(ret_versions, versions.at[i].version);
        dv_map_put(s->repository_of, dv_str_of(key), dv_strdup(versions.at[i].repository));
    }
    note_origin(s, package, &versions);
    return NULL;
}

/* What stands in the cluster needs no repository; the others are there to be told of. */
static dv_err *list_versions(const dv_candidates *self, dv_ctx *ctx, const char *package,
                             dv_strings *ret_versions)
{
    const source *s = (const source *)self;
    const char *fixed = fixed_version(s, package);
    dv_err *err = list_offered(s, ctx, package, ret_versions);

    if (!fixed || dv_err_is(err, DV_CANCELED))
        return err;
    dv_err_free(err);
    if (!dv_strings_has(ret_versions, fixed))
        dv_strings_add(ret_versions, fixed);
    return NULL;
}

static char *origin_of_package(const dv_candidates *self, const char *package)
{
    const source *s = (const source *)self;

    if (fixed_version(s, package)) /* that one may be in none of them */
        return NULL;
    return dv_strdup(dv_map_get(s->origin_of, dv_str_of(package)));
}

static void copy_dependencies(const dv_dependencies *from, dv_dependencies *to)
{
    for (size_t i = 0; i < from->n; i++)
        *dv_vec_push(to) =
            (dv_dependency){dv_strdup(from->at[i].package), dv_strdup(from->at[i].range)};
}

static dv_err *list_dependencies(const dv_candidates *self, dv_ctx *ctx, const char *package,
                                 const char *version, dv_dependencies *ret_dependencies)
{
    const source *s = (const source *)self;
    dv_auto_str key = version_key(package, version);
    const char *repository = dv_map_get(s->repository_of, dv_str_of(key));
    const char *fixed = fixed_version(s, package);
    dv_repo_package *found = NULL;

    if (fixed && strcmp(fixed, version) == 0) /* it has what it needs */
        return NULL;
    if (!repository)
        return dv_err_new(DV_BUG, "InternalError", "%s %s has no repository", package, version);
    DV_CHECK(dv_repos_package(ctx, s->env->repos, repository, package, version, &found));
    copy_dependencies(&found->package->dependencies, ret_dependencies);
    dv_repo_package_unref(found);
    return NULL;
}

/* ---- The wish itself ---- */

/* The candidate text that a wish names exactly ("1.2.3+1"), or NULL: then the wish is a constraint.
 */
static const char *exact_version(const dv_strings *versions, const char *wish)
{
    dv_version wanted, have;
    dv_err *err = dv_version_parse(dv_str_of(wish), &wanted);

    if (err) {
        dv_err_free(err);
        return NULL;
    }
    for (size_t i = 0; i < versions->n; i++) {
        err = dv_version_parse(dv_str_of(versions->at[i]), &have);
        if (!err && dv_version_cmp(&wanted, &have) == 0)
            return versions->at[i];
        dv_err_free(err);
    }
    return NULL;
}

static dv_err *add_wish(dv_ctx *ctx, source *s, dv_problem *problem, const dv_pm *pm,
                        const char *package, bool self)
{
    DV_CLEANUP(dv_strings_done) dv_strings versions = {0};
    dv_auto_str who = dv_asprintf("PackageManifest %s", pm->key);

    if (!*pm->spec.version)
        return dv_problem_add_root(problem, package, "", who);
    dv_err *err = list_versions(&s->candidates, ctx, package, &versions);
    if (dv_err_is(err, DV_NOT_FOUND) &&
        !self) { /* not ours to see: the solver finds nothing either */
        dv_err_free(err);
        return NULL;
    }
    DV_CHECK(err);
    const char *exact = exact_version(&versions, pm->spec.version);
    if (!exact && strchr(pm->spec.version, '+'))
        return dv_err_new(DV_DENIED, "VersionNotFound",
                          "no repository has version %s of package \"%s\"", pm->spec.version,
                          package);
    DV_TRY(dv_problem_add_root(problem, package, exact ? "" : pm->spec.version, who),
           "version of %s", pm->key);
    if (exact)
        dv_problem_add_pinned(problem, package, exact, who);
    return NULL;
}

static dv_err *add_self(dv_ctx *ctx, source *s, dv_problem *problem)
{
    const dv_lock_env *env = s->env;

    if (env->inline_dependencies) {
        dv_auto_str who = dv_asprintf("PackageManifest %s", env->pm->key);

        for (size_t i = 0; i < env->inline_dependencies->n; i++)
            DV_CHECK(dv_problem_add_root(problem, env->inline_dependencies->at[i].package,
                                         env->inline_dependencies->at[i].range, who));
        return NULL;
    }
    if (!env->upgrade && env->status->version)
        dv_problem_add_installed(problem, env->pm->spec.package, env->status->version);
    if (*env->pm->spec.repository) { /* one that is named is named when it is at fault */
        DV_CLEANUP(dv_strings_done) dv_strings versions = {0};

        DV_TRY(list_versions(&s->candidates, ctx, env->pm->spec.package, &versions),
               "repository \"%s\"", env->pm->spec.repository);
    }
    return add_wish(ctx, s, problem, env->pm, env->pm->spec.package, true);
}

/* ---- What stands in the cluster ---- */

/* Of dependants, only what each demands itself: transitive demands are those of the packages
 * between. */
static dv_err *add_demand(dv_problem *problem, const dv_pm *other, const char *package)
{
    const char *asker = other->spec.manifest ? other->name : other->spec.package;
    dv_auto_str who = dv_asprintf("PackageManifest %s", other->key);

    for (size_t i = 0; i < other->status.dependencies.n; i++) {
        const dv_pm_dependency *d = &other->status.dependencies.at[i];

        if (strcmp(d->name, package) == 0 && d->range && *d->range &&
            dv_strings_has(&d->required_by, asker))
            DV_CHECK(dv_problem_add_root(problem, package, d->range, who));
    }
    return NULL;
}

static bool counts(const dv_lock_env *env, const dv_pm *other)
{
    return strcmp(other->key, env->pm->key) != 0 && !other->deleted_at_ms;
}

/* It was made as a dependency, so it may be moved along: see bind_unmoved(). */
static bool may_move(const dv_pm *pm)
{
    return pm->is_dependency && !pm->spec.manifest;
}

static dv_err *add_demands(const dv_lock_env *env, dv_problem *problem, const char *package)
{
    DV_CLEANUP(dv_entries_done) dv_entries dependants = dv_pms_that_need(env->pms, package);

    for (size_t i = 0; i < dependants.n; i++) {
        const dv_pm *other = (dv_pm *)dependants.at[i];

        if (counts(env, other) && !may_move(other))
            DV_CHECK(add_demand(problem, other, package));
    }
    return NULL;
}

static dv_err *add_provider(dv_ctx *ctx, source *s, dv_problem *problem, const char *package)
{
    dv_auto_pm pm = dv_pms_first(s->env->pms, package, s->env->pm->key);

    if (!pm || !dv_pm_has_claim(pm))
        return NULL;
    if (pm->is_dependency) {
        const char *version = *pm->spec.version ? pm->spec.version : pm->status.version;

        if (version)
            dv_problem_add_installed(problem, package, version);
        return NULL;
    }
    if (!pm->status.version)
        return add_wish(ctx, s, problem, pm, package, false);
    dv_auto_str who = dv_asprintf("PackageManifest %s", pm->key);
    dv_problem_add_pinned(problem, package, pm->status.version, who);
    return NULL;
}

/* ---- Asking until nothing new is touched ---- */

typedef struct {
    source *s;
    dv_problem *problem;
    dv_map *touched; /* packages whose neighbours were added */
    dv_map *bound;   /* "package key" of demands that bind_unmoved() added */
} rounds;

static dv_err *touch(dv_ctx *ctx, rounds *r, const char *package, bool *ret_new)
{
    if (dv_map_get(r->touched, dv_str_of(package)))
        return NULL;
    *ret_new = true;
    DV_CHECK(add_demands(r->s->env, r->problem, package));
    if (r->s->env->inline_dependencies || !is_self(r->s->env, package))
        DV_CHECK(add_provider(ctx, r->s, r->problem, package));
    dv_map_put(r->touched, dv_str_of(package), r);
    return NULL;
}

static dv_err *solve(dv_ctx *ctx, rounds *r, dv_solution *ret_solution, char **ret_explanation)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
        bool fresh = false;

        dv_freep(ret_explanation);
        DV_CHECK(dv_resolve(ctx, r->problem, &r->s->candidates, &solution, ret_explanation));
        for (size_t i = 0; i < solution.choices.n; i++)
            DV_CHECK(touch(ctx, r, solution.choices.at[i].package, &fresh));
        if (!fresh) {
            *ret_solution = solution;
            solution = (dv_solution){0};
            return NULL;
        }
    }
    return dv_err_new(DV_BUG, "InternalError", "resolving did not settle");
}

/* ---- The answer ---- */

static dv_err *lock_one(dv_ctx *ctx, rounds *r, const dv_choice *choice, dv_lock_result *lock)
{
    dv_locked *l = dv_vec_push(&lock->closure);
    dv_auto_str key = version_key(choice->package, choice->version);

    l->package = dv_strdup(choice->package);
    l->version = dv_strdup(choice->version);
    l->fixed = fixed_version(r->s, choice->package) != NULL;
    l->repository = dv_strdup(dv_map_get(r->s->repository_of, dv_str_of(key)));
    if (l->fixed)
        return NULL;
    return list_dependencies(&r->s->candidates, ctx, choice->package, choice->version,
                             &l->dependencies);
}

/* Is b newer than a? A release is preferred to any pre-release. */
static bool is_newer(const char *a, const char *b)
{
    dv_version x, y;
    dv_err *err =
        dv_err_join(dv_version_parse(dv_str_of(a), &x), dv_version_parse(dv_str_of(b), &y));

    if (err) {
        dv_err_free(err);
        return false;
    }
    return !dv_version_is_pre(&y) && dv_version_cmp(&x, &y) < 0;
}

static dv_err *find_latest(dv_ctx *ctx, source *s, const char *version, char **ret_latest)
{
    DV_CLEANUP(dv_strings_done) dv_strings versions = {0};
    const char *latest = version;

    DV_CHECK(list_versions(&s->candidates, ctx, s->env->pm->spec.package, &versions));
    for (size_t i = 0; i < versions.n; i++)
        if (is_newer(latest, versions.at[i]))
            latest = versions.at[i];
    if (latest != version)
        *ret_latest = dv_strdup(latest);
    return NULL;
}

static dv_err *lock_self(dv_ctx *ctx, rounds *r, const char *version, dv_lock_result *lock)
{
    const dv_lock_env *env = r->s->env;
    dv_auto_str key = version_key(env->pm->spec.package, version);

    lock->version = dv_strdup(version);
    lock->repository = dv_strdup(dv_map_get(r->s->repository_of, dv_str_of(key)));
    DV_CHECK(list_dependencies(&r->s->candidates, ctx, env->pm->spec.package, version,
                               &lock->dependencies));
    return find_latest(ctx, r->s, version, &lock->latest);
}

static dv_err *build(dv_ctx *ctx, rounds *r, const dv_solution *solution, dv_lock_result *lock)
{
    const dv_lock_env *env = r->s->env;

    if (env->inline_dependencies) {
        lock->version = dv_strdup(env->inline_version);
        copy_dependencies(env->inline_dependencies, &lock->dependencies);
    }
    for (size_t i = 0; i < solution->choices.n; i++) {
        const dv_choice *choice = &solution->choices.at[i];

        if (!env->inline_dependencies && is_self(env, choice->package))
            DV_CHECK(lock_self(ctx, r, choice->version, lock));
        else
            DV_CHECK(lock_one(ctx, r, choice, lock));
    }
    return NULL;
}

/* The version that the wish alone would choose: the exact one, or the newest in range. NULL: none.
 */
static char *wished_version(dv_ctx *ctx, source *s)
{
    const char *wish = s->env->pm->spec.version;
    DV_CLEANUP(dv_strings_done) dv_strings versions = {0};
    dv_auto(dv_constraint) range = NULL;
    const char *best = NULL;

    dv_err_free(list_versions(&s->candidates, ctx, s->env->pm->spec.package, &versions));
    const char *exact = *wish ? exact_version(&versions, wish) : NULL;
    if (exact)
        return dv_strdup(exact);
    if (*wish)
        dv_err_free(dv_constraint_parse(dv_str_of(wish), &range));
    for (size_t i = 0; i < versions.n; i++) {
        dv_version v;
        dv_err *err = dv_version_parse(dv_str_of(versions.at[i]), &v);
        bool fits = !err && (!range || dv_constraint_accepts(range, &v));

        dv_err_free(err);
        if (fits && (!best || is_newer(best, versions.at[i])))
            best = versions.at[i];
    }
    return dv_strdup(best);
}

/* Takes conflict. Where the wished version itself can't be read, that is what stands in the way,
 * not another package. */
static dv_err *name_the_unreadable(dv_ctx *ctx, source *s, dv_err *conflict)
{
    DV_CLEANUP(dv_dependencies_done) dv_dependencies ignored = {0};
    const char *package = s->env->pm->spec.package;

    if (!dv_err_is(conflict, DV_DENIED) || s->env->inline_dependencies)
        return conflict;
    dv_auto_str version = wished_version(ctx, s);
    dv_err *unreadable =
        version ? list_dependencies(&s->candidates, ctx, package, version, &ignored) : NULL;
    if (!dv_err_is(unreadable, DV_INVALID) && !dv_err_is(unreadable, DV_NOT_FOUND)) {
        dv_err_free(unreadable);
        return conflict;
    }
    dv_err_free(conflict);
    return dv_err_wrap(unreadable, "package %s %s", package, version);
}

/* Demands of others may have kept a package in the answer that nobody here needs any more. */
static void drop_unreached(const char *self, dv_lock_result *lock)
{
    for (size_t i = lock->closure.n; i-- > 0;) {
        dv_locked *l = &lock->closure.at[i];

        if (dv_lock_reaches(lock, self, self, l->package))
            continue;
        free(l->package);
        free(l->version);
        free(l->repository);
        dv_dependencies_done(&l->dependencies);
        dv_vec_remove(&lock->closure, i);
    }
}

/* Its package is in the answer, so what it demands is what the version chosen there demands. */
static bool is_moved(const dv_lock_result *lock, const dv_pm *pm)
{
    const dv_locked *l = dv_lock_find(lock, pm->spec.package);

    return l && !l->fixed;
}

static dv_err *bind_dependants(rounds *r, const dv_lock_result *lock, const char *package,
                               bool *ret_new)
{
    DV_CLEANUP(dv_entries_done)
    dv_entries dependants = dv_pms_that_need(r->s->env->pms, package);

    for (size_t i = 0; i < dependants.n; i++) {
        const dv_pm *other = (dv_pm *)dependants.at[i];
        dv_auto_str key = dv_asprintf("%s %s", package, other->key);

        if (!counts(r->s->env, other) || !may_move(other) || is_moved(lock, other) ||
            dv_map_get(r->bound, dv_str_of(key)))
            continue;
        dv_map_put(r->bound, dv_str_of(key), r);
        *ret_new = true;
        DV_CHECK(add_demand(r->problem, other, package));
    }
    return NULL;
}

/*
 * The demands of PackageManifests that were made as dependencies, and that the answer does not
 * bring: those stay at their versions. Which these are is only known from an answer, so the first
 * one is found without them, and each round adds what it left out.
 */
static dv_err *bind_unmoved(rounds *r, const dv_lock_result *lock, bool *ret_new)
{
    *ret_new = false;
    if (!r->s->env->inline_dependencies)
        DV_CHECK(bind_dependants(r, lock, r->s->env->pm->spec.package, ret_new));
    for (size_t i = 0; i < lock->closure.n; i++)
        DV_CHECK(bind_dependants(r, lock, lock->closure.at[i].package, ret_new));
    return NULL;
}

static dv_err *lock_once(dv_ctx *ctx, rounds *r, dv_lock_result *ret_lock)
{
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};

    dv_err *err = solve(ctx, r, &solution, &ret_lock->explanation);
    if (err)
        return name_the_unreadable(ctx, r->s, err);
    DV_CHECK(build(ctx, r, &solution, ret_lock));
    drop_unreached(r->s->env->pm->spec.package, ret_lock);
    return NULL;
}

dv_err *dv_lock_resolve(dv_ctx *ctx, const dv_lock_env *env, dv_lock_result *ret_lock)
{
    dv_auto(dv_map) repository_of = dv_map_new(free);
    dv_auto(dv_map) origin_of = dv_map_new(free);
    dv_auto(dv_map) fixed = dv_map_new(free);
    dv_auto(dv_map) touched = dv_map_new(NULL);
    dv_auto(dv_map) bound = dv_map_new(NULL);
    dv_auto(dv_problem) problem = dv_problem_new();
    source s = {.candidates = {.versions = list_versions,
                               .dependencies = list_dependencies,
                               .origin = origin_of_package},
                .env = env,
                .repository_of = repository_of,
                .origin_of = origin_of,
                .fixed = fixed};
    rounds r = {.s = &s, .problem = problem, .touched = touched, .bound = bound};

    *ret_lock = (dv_lock_result){0};
    DV_CHECK(add_self(ctx, &s, problem));
    for (int round = 0; round < ROUNDS_MAX; round++) {
        bool fresh;

        dv_lock_result_done(ret_lock);
        DV_CHECK(lock_once(ctx, &r, ret_lock));
        DV_CHECK(bind_unmoved(&r, ret_lock, &fresh));
        if (!fresh)
            return NULL;
    }
    return dv_err_new(DV_BUG, "InternalError", "resolving did not settle");
}

dv_err *dv_lock_latest(dv_ctx *ctx, const dv_lock_env *env, const char *version, char **ret_latest)
{
    dv_auto(dv_map) repository_of = dv_map_new(free);
    dv_auto(dv_map) origin_of = dv_map_new(free);
    dv_auto(dv_map) fixed = dv_map_new(free);
    source s = {.env = env, .repository_of = repository_of, .origin_of = origin_of, .fixed = fixed};

    return find_latest(ctx, &s, version, ret_latest);
}
