/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/problem.h"

#include "base/map.h"
#include "resolve/scan.h"

/* Dependencies of one version up to which equal names are looked for pair by pair. */
enum { FEW = 16 };

typedef struct {
    dv_str text;
    const char *dependencies; /* the object, in the file */
    dv_str repository;        /* p == NULL: none named */
} file_version;

/* A repository that has a package. */
typedef struct {
    dv_str name;
    bool gives; /* candidates, for none of higher priority has it */
} file_source;

typedef struct {
    file_version *versions; /* by text */
    size_t n;
    file_source *sources; /* those that give first, then by name */
    size_t sources_n;
} file_package;

struct dv_problem_file {
    dv_candidates candidates; /* first: given out */
    dv_str json, name;
    dv_arena *arena;
    dv_problem *problem;
    dv_map *packages;     /* name -> file_package */
    dv_map *repositories; /* name -> int64_t */
    dv_map *ranges;       /* texts known to be constraints */
    int format;
};

typedef struct {
    scan in;
    dv_problem_file *file;
    dv_map *seen; /* names of one version's dependencies */
    dv_err *err;  /* of a text that is no version or constraint; then in.fault is set */
    DV_VEC(dv_str) names;
    DV_VEC(file_version) versions;
} reader;

static const char doubled[] = "a name stands twice in one object";

/* Any pointer that is not NULL. */
static char present;

/* ---- Texts ---- */

/* All zero where none stands here. */
static dv_version want_version(reader *r, dv_str text)
{
    dv_version v = {0};

    if (r->in.fault || dv_version_is(text, &v))
        return v;
    r->err = dv_version_parse(text, &v);
    dv_scan_fail(&r->in, "a version must stand here");
    return v;
}

static void want_range(reader *r, dv_str text)
{
    dv_auto(dv_constraint) constraint = NULL;

    if (r->in.fault || text.n == 0 || dv_map_get(r->file->ranges, text))
        return;
    r->err = dv_constraint_parse(text, &constraint);
    if (r->err)
        dv_scan_fail(&r->in, "a constraint must stand here");
    else
        dv_map_put(r->file->ranges, text, &present);
}

/* A C string for the problem, whose texts hold no NUL (the scanner refuses it). */
static char *own(dv_str text)
{
    return dv_str_dup(text);
}

/* ---- Packages ---- */

static void want_new_name(reader *r, dv_str name)
{
    if (r->names.n >= FEW) {
        if (r->names.n == FEW) {
            dv_map_clear(r->seen);
            for (size_t i = 0; i < r->names.n; i++)
                dv_map_put(r->seen, r->names.at[i], &present);
        }
        if (dv_map_get(r->seen, name))
            dv_scan_fail(&r->in, doubled);
        dv_map_put(r->seen, name, &present);
    } else {
        for (size_t i = 0; i < r->names.n; i++)
            if (dv_str_eq(r->names.at[i], name))
                dv_scan_fail(&r->in, doubled);
    }
    *dv_vec_push(&r->names) = name;
}

static void read_dependencies(reader *r, file_version *v)
{
    (void)dv_scan_peek(&r->in);
    v->dependencies = r->in.at;
    r->names.n = 0;
    for (bool more = dv_scan_open(&r->in, '{'); more; more = dv_scan_more(&r->in, '}')) {
        want_new_name(r, dv_scan_key(&r->in));
        want_range(r, dv_scan_string(&r->in));
    }
}

/* {"deps": {…}, "repository": "main"}: known by an object where a plain version has a text. */
static bool is_extended(reader *r)
{
    scan ahead = r->in;
    bool object = false;

    if (r->file->format < 2)
        return false;
    for (bool more = dv_scan_open(&ahead, '{'); more; more = !object && dv_scan_more(&ahead, '}')) {
        (void)dv_scan_key(&ahead);
        object = dv_scan_peek(&ahead) == '{';
        if (!object)
            dv_scan_skip(&ahead);
    }
    return object && !ahead.fault;
}

static void read_extended(reader *r, file_version *v)
{
    for (bool more = dv_scan_open(&r->in, '{'); more; more = dv_scan_more(&r->in, '}')) {
        dv_str key = dv_scan_key(&r->in);

        if (dv_str_is(key, "deps") && !v->dependencies)
            read_dependencies(r, v);
        else if (dv_str_is(key, "repository") && !v->repository.p)
            v->repository = dv_scan_string(&r->in);
        else
            dv_scan_fail(&r->in, "a version has \"deps\" and \"repository\", each once");
    }
}

static int by_text(const void *a, const void *b)
{
    return dv_str_cmp(((const file_version *)a)->text, ((const file_version *)b)->text);
}

static int by_order(const void *a, const void *b)
{
    dv_version x, y;

    if (!dv_version_is(*(const dv_str *)a, &x) || !dv_version_is(*(const dv_str *)b, &y))
        return 0;
    return dv_version_cmp(&x, &y);
}

/* "1.0" and "v1.0.0" say the same. */
static void want_unequal_versions(reader *r)
{
    DV_VEC(dv_str) texts = {0};

    for (size_t i = 0; i < r->versions.n && !r->in.fault; i++)
        *dv_vec_push(&texts) = r->versions.at[i].text;
    if (texts.n)
        qsort(texts.at, texts.n, sizeof(dv_str), by_order);
    for (size_t i = 1; i < texts.n; i++)
        if (by_order(&texts.at[i - 1], &texts.at[i]) == 0)
            dv_scan_fail(&r->in, "two texts of one package say the same version");
    dv_vec_done(&texts);
}

static void read_package(reader *r, dv_str name)
{
    file_package *package = DV_ARENA_NEW(r->file->arena, file_package);
    dv_version before = {0};
    bool ascending = true; /* then all are different */

    r->versions.n = 0;
    for (bool more = dv_scan_open(&r->in, '{'); more; more = dv_scan_more(&r->in, '}')) {
        file_version v = {.text = dv_scan_key(&r->in)};
        dv_version now = want_version(r, v.text);

        ascending = ascending && (!r->versions.n || dv_version_cmp(&before, &now) < 0);
        before = now;
        if (is_extended(r))
            read_extended(r, &v);
        else
            read_dependencies(r, &v);
        *dv_vec_push(&r->versions) = v;
    }
    package->n = r->versions.n;
    package->versions = dv_arena_alloc(r->file->arena, package->n * sizeof(file_version) + 1);
    if (package->n) {
        memcpy(package->versions, r->versions.at, package->n * sizeof(file_version));
        qsort(package->versions, package->n, sizeof(file_version), by_text);
    }
    for (size_t i = 1; i < package->n; i++)
        if (by_text(&package->versions[i - 1], &package->versions[i]) == 0)
            dv_scan_fail(&r->in, doubled);
    if (!ascending)
        want_unequal_versions(r);
    if (dv_map_get(r->file->packages, name))
        dv_scan_fail(&r->in, doubled);
    dv_map_put(r->file->packages, name, package);
}

static void read_packages(reader *r)
{
    for (bool more = dv_scan_open(&r->in, '{'); more; more = dv_scan_more(&r->in, '}'))
        read_package(r, dv_scan_key(&r->in));
}

/* ---- Repositories ---- */

static void read_repositories(reader *r)
{
    for (bool more = dv_scan_open(&r->in, '{'); more; more = dv_scan_more(&r->in, '}')) {
        dv_str name = dv_scan_key(&r->in);
        int64_t *priority = DV_ARENA_NEW(r->file->arena, int64_t);

        *priority = dv_scan_integer(&r->in);
        if (dv_map_get(r->file->repositories, name))
            dv_scan_fail(&r->in, doubled);
        dv_map_put(r->file->repositories, name, priority);
    }
}

static dv_err *priority_of(const dv_problem_file *file, const file_version *v,
                           int64_t *ret_priority)
{
    const int64_t *priority = NULL;

    *ret_priority = 0;
    if (!v->repository.p)
        return NULL;
    priority = dv_map_get(file->repositories, v->repository);
    if (!priority)
        return dv_err_new(DV_INVALID, "BadProblem",
                          "a version names a repository that \"repositories\" lacks");
    *ret_priority = *priority;
    return NULL;
}

static int by_source(const void *a, const void *b)
{
    const file_source *x = a, *y = b;

    return x->gives != y->gives ? y->gives - x->gives : dv_str_cmp(x->name, y->name);
}

static void add_source(const dv_problem_file *file, file_package *package, dv_str name, bool gives)
{
    if (!name.p)
        return;
    for (size_t i = 0; i < package->sources_n; i++)
        if (dv_str_eq(package->sources[i].name, name))
            return;
    if (!package->sources)
        package->sources =
            dv_arena_alloc(file->arena, dv_map_count(file->repositories) * sizeof(file_source));
    package->sources[package->sources_n++] = (file_source){name, gives};
}

/* Leaves the versions of the highest priority that has the name. */
static dv_err *filter_package(const dv_problem_file *file, file_package *package)
{
    int64_t best = INT64_MIN, priority = 0;
    size_t kept = 0;

    for (size_t i = 0; i < package->n; i++) {
        DV_CHECK(priority_of(file, &package->versions[i], &priority));
        best = DV_MAX(best, priority);
    }
    for (size_t i = 0; i < package->n; i++) {
        DV_CHECK(priority_of(file, &package->versions[i], &priority));
        add_source(file, package, package->versions[i].repository, priority == best);
        if (priority == best)
            package->versions[kept++] = package->versions[i];
    }
    package->n = kept;
    if (package->sources_n)
        qsort(package->sources, package->sources_n, sizeof(file_source), by_source);
    return NULL;
}

static dv_err *filter_packages(const dv_problem_file *file)
{
    size_t cursor = 0;
    dv_str name;
    void *package;

    while (dv_map_next(file->packages, &cursor, &name, &package))
        DV_CHECK(filter_package(file, package));
    return NULL;
}

/* ---- Roots, installed, pinned ---- */

static void read_root(reader *r)
{
    r->names.n = 0;
    for (bool more = dv_scan_open(&r->in, '{'); more; more = dv_scan_more(&r->in, '}')) {
        dv_str name = dv_scan_key(&r->in), text = dv_scan_string(&r->in);
        DV_CLEANUP(dv_freep) char *package = own(name);
        DV_CLEANUP(dv_freep) char *range = own(text);

        want_new_name(r, name);
        want_range(r, text);
        if (r->in.fault)
            return;
        r->err = dv_problem_add_root(r->file->problem, package, range, /* who= */ NULL);
        if (r->err)
            dv_scan_fail(&r->in, "a constraint must stand here");
    }
}

static void read_chosen(reader *r, bool pinned)
{
    r->names.n = 0;
    for (bool more = dv_scan_open(&r->in, '{'); more; more = dv_scan_more(&r->in, '}')) {
        dv_str name = dv_scan_key(&r->in), text = dv_scan_string(&r->in);
        DV_CLEANUP(dv_freep) char *package = own(name);
        DV_CLEANUP(dv_freep) char *version = own(text);

        want_new_name(r, name);
        (void)want_version(r, text);
        if (r->in.fault)
            return;
        if (pinned)
            dv_problem_add_pinned(r->file->problem, package, version, /* who= */ NULL);
        else
            dv_problem_add_installed(r->file->problem, package, version);
    }
}

/* ---- The file ---- */

enum { HAS_FORMAT = 1, HAS_PACKAGES = 2, HAS_ROOT = 4, HAS_ALL = 7 };
static const struct {
    const char *key;
    unsigned bit;
} members[] = {
    {"format", HAS_FORMAT}, {"packages", HAS_PACKAGES},
    {"root", HAS_ROOT},     {"installed", 8},
    {"pinned", 16},         {"name", 32},
    {"repositories", 64},
};

static unsigned member_of(dv_str key)
{
    for (size_t i = 0; i < DV_LEN(members); i++)
        if (dv_str_is(key, members[i].key))
            return members[i].bit;
    return 0;
}

/* The format decides how versions are read, and may stand anywhere. */
static void find_format(reader *r)
{
    scan ahead = r->in;

    for (bool more = dv_scan_open(&ahead, '{'); more; more = dv_scan_more(&ahead, '}')) {
        dv_str text;

        if (!dv_str_is(dv_scan_key(&ahead), "format")) {
            dv_scan_skip(&ahead);
            continue;
        }
        text = dv_scan_string(&ahead);
        r->file->format = dv_str_is(text, "davit-resolve/1")   ? 1
                          : dv_str_is(text, "davit-resolve/2") ? 2
                                                               : 0;
        if (!r->file->format)
            dv_scan_fail(&ahead, "\"format\" must be \"davit-resolve/1\" or \"davit-resolve/2\"");
        break;
    }
    if (ahead.fault)
        r->in = ahead;
}

static void read_member(reader *r, unsigned member)
{
    switch (member) {
    case HAS_PACKAGES:
        read_packages(r);
        return;
    case HAS_ROOT:
        read_root(r);
        return;
    case 8:
    case 16:
        read_chosen(r, member == 16);
        return;
    case 32:
        r->file->name = dv_scan_string(&r->in);
        return;
    case 64:
        if (r->file->format == 2) {
            read_repositories(r);
            return;
        }
        break;
    default:
        break;
    }
    dv_scan_skip(&r->in);
}

static void read_file(reader *r)
{
    unsigned seen = 0;

    find_format(r);
    for (bool more = !r->in.fault && dv_scan_open(&r->in, '{'); more;
         more = dv_scan_more(&r->in, '}')) {
        unsigned member = member_of(dv_scan_key(&r->in));

        if (member & seen)
            dv_scan_fail(&r->in, doubled);
        seen |= member;
        read_member(r, member);
    }
    dv_scan_finish(&r->in);
    if ((seen & HAS_ALL) != HAS_ALL)
        dv_scan_fail(&r->in, "\"format\", \"packages\" and \"root\" must be there");
}

static dv_err *file_versions(const dv_candidates *self, dv_ctx *ctx, const char *package,
                             dv_strings *ret_versions)
{
    const dv_problem_file *file = (const dv_problem_file *)self;
    const file_package *found = dv_map_get(file->packages, dv_str_of(package));

    (void)ctx;
    if (!found)
        return dv_err_new(DV_NOT_FOUND, "PackageNotFound", "the file has no package %s", package);
    for (size_t i = 0; i < found->n; i++)
        dv_strings_take(ret_versions, dv_str_dup(found->versions[i].text));
    return NULL;
}

static const file_version *find_version(const file_package *package, dv_str text)
{
    const file_version wanted = {.text = text};

    return package && package->n
               ? bsearch(&wanted, package->versions, package->n, sizeof(file_version), by_text)
               : NULL;
}

static dv_err *file_dependencies(const dv_candidates *self, dv_ctx *ctx, const char *package,
                                 const char *version, dv_dependencies *ret_dependencies)
{
    const dv_problem_file *file = (const dv_problem_file *)self;
    const file_version *v =
        find_version(dv_map_get(file->packages, dv_str_of(package)), dv_str_of(version));
    scan in = {.start = file->json.p, .end = file->json.p + file->json.n, .arena = file->arena};

    (void)ctx;
    if (!v)
        return dv_err_new(DV_NOT_FOUND, "VersionNotFound", "the file has no %s %s", package,
                          version);
    in.at = v->dependencies;
    for (bool more = v->dependencies && dv_scan_open(&in, '{'); more;
         more = dv_scan_more(&in, '}')) {
        char *name = own(dv_scan_key(&in));

        *dv_vec_push(ret_dependencies) =
            (dv_dependency){.package = name, .range = own(dv_scan_string(&in))};
    }
    return NULL;
}

static void add_name(dv_buf *out, const char *first, const char *others, dv_str name)
{
    dv_buf_adds(out, out->n ? others : first);
    dv_buf_add_str(out, name);
}

/* "repository main, which goes before extra", of all that have the package. */
static char *file_origin(const dv_candidates *self, const char *package)
{
    const dv_problem_file *file = (const dv_problem_file *)self;
    const file_package *found = dv_map_get(file->packages, dv_str_of(package));
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);
    size_t giving = 0;

    for (size_t i = 0; found && i < found->sources_n; i++)
        giving += found->sources[i].gives;
    for (size_t i = 0; i < giving; i++)
        add_name(&out, giving == 1 ? "repository " : "repositories ", ", ", found->sources[i].name);
    for (size_t i = giving; giving && i < found->sources_n; i++)
        add_name(&out, "", i == giving ? ", which goes before " : ", ", found->sources[i].name);
    return out.n ? dv_buf_take(&out) : NULL;
}

static dv_problem_file *file_new(dv_str json)
{
    dv_problem_file *file = DV_NEW(dv_problem_file);

    file->candidates = (dv_candidates){file_versions, file_dependencies, file_origin};
    file->json = json;
    file->arena = dv_arena_new(/* limit_bytes= */ 0);
    file->problem = dv_problem_new();
    file->packages = dv_map_new(/* free_value= */ NULL);
    file->repositories = dv_map_new(/* free_value= */ NULL);
    file->ranges = dv_map_new(/* free_value= */ NULL);
    return file;
}

dv_err *dv_problem_read(dv_str json, dv_problem_file **ret_file)
{
    dv_auto(dv_problem_file) file = file_new(json);
    reader r = {.file = file, .seen = dv_map_new(/* free_value= */ NULL)};
    dv_auto(dv_err) detail = NULL;

    dv_scan_init(&r.in, json, file->arena);
    read_file(&r);
    dv_map_free(r.seen);
    dv_vec_done(&r.names);
    dv_vec_done(&r.versions);
    detail = r.err;
    if (r.in.fault)
        return dv_err_new(DV_INVALID, "BadProblem", "line %zu: %s%s%s", dv_scan_line(&r.in),
                          r.in.fault, detail ? ": " : "", detail ? dv_err_str(detail) : "");
    DV_CHECK(filter_packages(file));
    *ret_file = DV_TAKE(file);
    return NULL;
}

void dv_problem_file_free(dv_problem_file *file)
{
    if (!file)
        return;
    dv_problem_free(file->problem);
    dv_map_free(file->packages);
    dv_map_free(file->repositories);
    dv_map_free(file->ranges);
    dv_arena_free(file->arena);
    free(file);
}

const dv_problem *dv_problem_file_problem(const dv_problem_file *file)
{
    return file->problem;
}

const dv_candidates *dv_problem_file_candidates(const dv_problem_file *file)
{
    return &file->candidates;
}

dv_str dv_problem_file_name(const dv_problem_file *file)
{
    return file->name;
}
