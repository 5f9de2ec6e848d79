/* SPDX-License-Identifier: Apache-2.0 */
/* davit explain: why a package has the version it has, who needs it; or why it can't be had. */
#include "base/map.h"
#include "cluster.h"
#include "install/render.h"
#include "semver/version.h"

/* Newer versions that are asked about: each is a problem of its own. */
enum { NEWER_MAX = 5, ASKERS_DEPTH_MAX = 32 };

typedef struct {
    cli_session *session;
    const dv_pm *pm;
    bool there; /* the PackageManifest is in the cluster; else it is made up */
    dv_lock_result lock;
    dv_err *refused; /* why nothing fits; NULL: `lock` holds */
    json_t *needed_by, *needs, *newer;
} explanation;

static void explanation_done(explanation *e)
{
    dv_lock_result_done(&e->lock);
    dv_err_free(e->refused);
    json_decref(e->needed_by);
    json_decref(e->needs);
    json_decref(e->newer);
}

/* ---- Asking the engine ---- */

/* No answer within what there is: that is an answer too. Others end the command. */
static bool is_answer(const dv_err *err)
{
    return dv_err_is(err, DV_DENIED) || dv_err_is(err, DV_NOT_FOUND) || dv_err_is(err, DV_INVALID);
}

static dv_err *resolve(cli_session *s, const dv_pm *pm, bool upgrade, dv_lock_result *ret_lock)
{
    dv_auto(dv_package) inlined = NULL;
    dv_auto_str version = NULL;

    if (pm->spec.manifest)
        DV_CHECK(dv_render_inline(pm, &inlined, &version));
    const dv_lock_env env = {
        .repos = s->repos,
        .pms = s->pms,
        .pm = pm,
        .status = &pm->status,
        .upgrade = upgrade,
        .inline_dependencies = inlined ? &inlined->dependencies : NULL,
        .inline_version = version,
    };
    return dv_lock_resolve(&s->ctx, &env, ret_lock);
}

static dv_err *ask(explanation *e)
{
    bool upgrade = e->pm->spec.upgrade_policy == DV_UPGRADE_AUTOMATIC;
    dv_err *err = resolve(e->session, e->pm, upgrade, &e->lock);

    if (!is_answer(err))
        return err;
    e->refused = err;
    return NULL;
}

/* ---- Who needs it ---- */

/* The range that `other` itself demands of the package; NULL: it needs it through others only. */
static const char *demand_of(const dv_pm *other, const char *package)
{
    for (size_t i = 0; i < other->status.dependencies.n; i++) {
        const dv_pm_dependency *d = &other->status.dependencies.at[i];

        if (strcmp(d->name, package) == 0 && dv_strings_has(&d->required_by, cli_package_of(other)))
            return d->range ? d->range : "";
    }
    return NULL;
}

/* Upwards until people: [{"package", "packageManifest", "range", "neededBy"?}]. */
static json_t *find_askers(cli_session *s, const char *package, dv_map *seen, size_t depth)
{
    DV_CLEANUP(dv_entries_done) dv_entries dependants = dv_pms_that_need(s->pms, package);
    json_t *list = json_array();

    for (size_t i = 0; i < dependants.n; i++) {
        const dv_pm *other = (dv_pm *)dependants.at[i];
        const char *range = demand_of(other, package);

        if (!range || other->deleted_at_ms)
            continue;
        json_t *asker = json_pack("{s:s,s:s,s:s}", "package", cli_package_of(other),
                                  "packageManifest", other->key, "range", range);
        json_array_append_new(list, asker);
        if (!other->is_dependency || depth >= ASKERS_DEPTH_MAX ||
            dv_map_get(seen, dv_str_of(other->key)))
            continue;
        dv_map_put(seen, dv_str_of(other->key), s);
        json_object_set_new(asker, "neededBy",
                            find_askers(s, cli_package_of(other), seen, depth + 1));
    }
    return list;
}

/* ---- Why not a newer one ---- */

static bool is_newer(const char *version, const char *than)
{
    dv_version v, w;

    return dv_version_is(dv_str_of(version), &v) && dv_version_is(dv_str_of(than), &w) &&
           !dv_version_is_pre(&v) && dv_version_cmp(&v, &w) > 0;
}

/* Does the wish itself keep this version out? */
static bool is_outside(const char *wish, const char *version)
{
    dv_auto(dv_constraint) range = NULL;
    dv_version v, exact;

    if (!*wish || !dv_version_is(dv_str_of(version), &v))
        return false;
    if (dv_version_is(dv_str_of(wish), &exact))
        return dv_version_cmp(&exact, &v) != 0;
    dv_err *err = dv_constraint_parse(dv_str_of(wish), &range);
    dv_err_free(err);
    return !err && !dv_constraint_accepts(range, &v);
}

/* The same PackageManifest, wishing exactly this version. */
static dv_err *try_version(const explanation *e, const char *version, json_t *ret_row)
{
    DV_CLEANUP(dv_lock_result_done) dv_lock_result lock = {0};
    dv_auto_str wish = dv_strdup(version);
    dv_pm other = *e->pm; /* what it points to is borrowed */

    other.spec.version = wish;
    dv_err *err = resolve(e->session, &other, /* upgrade= */ true, &lock);
    if (err && !is_answer(err))
        return err;
    json_object_set_new(ret_row, "possible", json_boolean(!err));
    if (err)
        json_object_set_new(ret_row, "reason", json_string(dv_err_str(err)));
    dv_err_free(err);
    return NULL;
}

/* Whose range alone keeps the version out: the wish, or that of one who needs it; owned. NULL:
 * nobody's. What the operator wrote for a dependency is nobody's wish. */
static char *find_opponent(const explanation *e, const char *version)
{
    size_t i;
    json_t *asker;

    if (!e->pm->is_dependency && is_outside(e->pm->spec.version, version))
        return dv_asprintf("PackageManifest %s asks for %s", e->pm->key, e->pm->spec.version);
    json_array_foreach(e->needed_by, i, asker)
    {
        if (is_outside(dv_json_str(asker, "/range"), version))
            return dv_asprintf("PackageManifest %s asks for %s",
                               dv_json_str(asker, "/packageManifest"),
                               dv_json_str(asker, "/range"));
    }
    return NULL;
}

static dv_err *add_newer(explanation *e, const char *version)
{
    json_auto_t *row = json_pack("{s:s}", "version", version);
    dv_auto_str reason = find_opponent(e, version);

    if (!reason) {
        DV_CHECK(try_version(e, version, row));
    } else {
        json_object_set_new(row, "possible", json_false());
        json_object_set_new(row, "reason", json_string(reason));
    }
    json_array_append(e->newer, row);
    return NULL;
}

static dv_err *ask_newer(explanation *e, const char *than)
{
    DV_CLEANUP(dv_repo_versions_done) dv_repo_versions versions = {0};
    DV_CLEANUP(dv_strings_done) dv_strings newer = {0};
    const char *repository =
        *e->pm->spec.repository && !e->pm->is_dependency ? e->pm->spec.repository : NULL;
    dv_err *err = dv_repos_versions(&e->session->ctx, e->session->repos, e->pm->ns, repository,
                                    e->pm->spec.package, &versions);

    if (dv_err_is(err, DV_CANCELED))
        return err;
    dv_err_free(err); /* what can't be listed can't be newer */
    for (size_t i = 0; i < versions.n; i++)
        if (is_newer(versions.at[i].version, than))
            dv_strings_add(&newer, versions.at[i].version);
    if (newer.n)
        qsort(newer.at, newer.n, sizeof(*newer.at), cli_newest_first);
    for (size_t i = 0; i < newer.n && i < NEWER_MAX; i++)
        DV_CHECK(add_newer(e, newer.at[i]));
    return NULL;
}

/* ---- One PackageManifest ---- */

static dv_err *fill(explanation *e)
{
    dv_auto(dv_map) seen = dv_map_new(NULL);
    const char *version = e->pm->status.version;

    DV_CHECK(ask(e));
    if (!version && !e->refused)
        version = e->lock.version;
    e->needed_by =
        e->pm->spec.manifest ? json_array() : find_askers(e->session, e->pm->spec.package, seen, 0);
    e->needs = cli_list_needs(&e->lock);
    e->newer = json_array();
    if (!version || e->pm->spec.manifest)
        return NULL;
    return ask_newer(e, version);
}

static const dv_condition *ready_of(const explanation *e)
{
    return dv_condition_get(&e->pm->status.conditions, "Ready");
}

static json_t *structure(const explanation *e)
{
    const dv_condition *ready = ready_of(e);
    json_t *doc =
        json_pack("{s:s,s:s,s:b,s:b,s:s,s:s*,s:s*,s:s*,s:s*,s:O,s:O,s:O}", "package",
                  cli_package_of(e->pm), "packageManifest", e->pm->key, "applied", e->there,
                  "installedAsDependency", e->pm->is_dependency, "wish", e->pm->spec.version,
                  "installed", e->pm->status.version, "chosen", e->refused ? NULL : e->lock.version,
                  "repository", e->refused ? e->pm->status.repository : e->lock.repository,
                  "message", ready ? ready->message : NULL, "neededBy", e->needed_by, "needs",
                  e->needs, "newer", e->newer);

    if (e->refused)
        json_object_set_new(doc, "conflict",
                            json_pack("{s:s,s:s,s:s*}", "reason", dv_err_reason(e->refused),
                                      "summary", dv_err_str(e->refused), "derivation",
                                      e->lock.explanation));
    return doc;
}

/* ---- For people ---- */

static void add_title(const explanation *e, dv_buf *out)
{
    const char *version = e->pm->status.version;

    cli_add_styled(out, CLI_BOLD, cli_package_of(e->pm));
    dv_buf_addc(out, ' ');
    if (version)
        cli_add_text(out, version);
    else
        dv_buf_adds(out, "is not installed");
    if (e->there) {
        dv_buf_adds(out, " (PackageManifest ");
        cli_add_text(out, e->pm->key);
        dv_buf_adds(out, e->pm->is_dependency ? ", installed as a dependency)" : ")");
    }
    dv_buf_addc(out, '\n');
}

static void add_wish(const explanation *e, dv_buf *out)
{
    const dv_condition *ready = ready_of(e);

    if (e->there && !e->pm->is_dependency) {
        dv_buf_adds(out, "  Wish: ");
        cli_add_text(out, *e->pm->spec.version ? e->pm->spec.version : "the newest release");
        dv_buf_addc(out, '\n');
    }
    if (ready && ready->message) {
        dv_buf_adds(out, "  Now: ");
        cli_add_styled(
            out, dv_condition_is_true(&e->pm->status.conditions, "Ready") ? CLI_GREEN : CLI_YELLOW,
            ready->message);
        dv_buf_addc(out, '\n');
    }
}

static void add_choice(const explanation *e, dv_buf *out)
{
    const char *version = e->pm->status.version;

    if (e->refused) {
        dv_buf_adds(out, "  It can't be had: ");
        cli_add_styled(out, CLI_RED, dv_err_str(e->refused));
        dv_buf_addc(out, '\n');
        cli_add_derivation(out, e->lock.explanation, 4);
    } else if (!version || strcmp(version, e->lock.version) != 0) {
        dv_buf_adds(out, "  Chosen: ");
        cli_add_styled(out, CLI_GREEN, e->lock.version);
        if (e->lock.repository) {
            dv_buf_adds(out, " of repository ");
            cli_add_text(out, e->lock.repository);
        }
        dv_buf_addc(out, '\n');
    }
}

static void add_askers(const json_t *askers, size_t depth, dv_buf *out)
{
    size_t i;
    json_t *asker;

    json_array_foreach(askers, i, asker)
    {
        const char *range = dv_json_str(asker, "/range");

        dv_buf_fill(out, ' ', 4 + 2 * depth);
        cli_add_text(out, dv_json_str(asker, "/package"));
        dv_buf_adds(out, " (PackageManifest ");
        cli_add_text(out, dv_json_str(asker, "/packageManifest"));
        dv_buf_adds(out, "): ");
        cli_add_text(out, *range ? range : "any version");
        dv_buf_addc(out, '\n');
        add_askers(dv_json_array(asker, "/neededBy"), depth + 1, out);
    }
}

static void add_needs(const json_t *needs, dv_buf *out)
{
    size_t i;
    json_t *needed;

    json_array_foreach(needs, i, needed)
    {
        const char *range = dv_json_str(needed, "/range"),
                   *version = dv_json_str(needed, "/version");

        dv_buf_adds(out, "    ");
        cli_add_text(out, dv_json_str(needed, "/package"));
        dv_buf_addc(out, ' ');
        cli_add_text(out, *range ? range : "(any version)");
        dv_buf_adds(out, version ? ": " : "\n");
        if (version) {
            cli_add_text(out, version);
            dv_buf_addc(out, '\n');
        }
    }
}

static void add_newer_rows(const json_t *newer, dv_buf *out)
{
    size_t i;
    json_t *row;

    json_array_foreach(newer, i, row)
    {
        const char *reason = dv_json_str(row, "/reason");

        dv_buf_adds(out, "    ");
        cli_add_text(out, dv_json_str(row, "/version"));
        dv_buf_adds(out, ": ");
        cli_add_text(out, reason ? reason
                                 : "would fit; what is installed is kept until an upgrade "
                                   "is asked for");
        dv_buf_addc(out, '\n');
    }
}

static void add_section(const char *title, const json_t *list,
                        void (*add)(const json_t *, dv_buf *), dv_buf *out)
{
    if (!json_array_size(list))
        return;
    dv_buf_addf(out, "  %s:\n", title);
    add(list, out);
}

static void add_all_askers(const json_t *askers, dv_buf *out)
{
    add_askers(askers, 0, out);
}

static dv_err *print(const cli_call *call, const explanation *e)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    (void)call;
    add_title(e, &out);
    add_wish(e, &out);
    add_choice(e, &out);
    add_section("Needed by", e->needed_by, add_all_askers, &out);
    if (e->pm->is_dependency && !json_array_size(e->needed_by))
        dv_buf_adds(&out, "  Needed by nobody: it goes soon\n");
    add_section("Needs", e->needs, add_needs, &out);
    add_section("Newer", e->newer, add_newer_rows, &out);
    return cli_print(dv_buf_str(&out));
}

/* ---- The verb ---- */

static dv_err *explain_one(const cli_call *call, cli_session *s, const dv_pm *pm, bool there,
                           json_t *list, cli_exit *ret_exit)
{
    DV_CLEANUP(explanation_done) explanation e = {.session = s, .pm = pm, .there = there};

    DV_CHECK(fill(&e));
    if (e.refused)
        *ret_exit = CLI_NO;
    if (!*call->options.output)
        return print(call, &e);
    json_array_append_new(list, structure(&e));
    return NULL;
}

/* As a PackageManifest of that name would be, were it applied. */
static dv_err *explain_absent(const cli_call *call, cli_session *s, json_t *list,
                              cli_exit *ret_exit)
{
    json_auto_t *object = dv_obj_new(DV_API_VERSION, "PackageManifest", s->ns, call->args[0]);
    dv_auto_pm pm = NULL;

    DV_CHECK(dv_json_set(object, "/spec", json_object()));
    DV_CHECK(dv_pm_decode(object, &pm));
    return explain_one(call, s, pm, /* there= */ false, list, ret_exit);
}

static dv_err *explain_all(const cli_call *call, cli_session *s, json_t *list, cli_exit *ret_exit)
{
    DV_CLEANUP(dv_entries_done) dv_entries pms = dv_informer_list(s->pms);
    size_t found = 0;

    for (size_t i = 0; i < pms.n; i++) {
        if (!cli_is_asked(s, (dv_pm *)pms.at[i], call->args[0]))
            continue;
        DV_CHECK(explain_one(call, s, (dv_pm *)pms.at[i], /* there= */ true, list, ret_exit));
        found++;
    }
    return found ? NULL : explain_absent(call, s, list, ret_exit);
}

dv_err *cli_explain(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(cli_session_close) cli_session session;
    json_t *list = json_array();
    json_auto_t *doc = json_pack("{s:o}", "packages", list);

    DV_CHECK(cli_session_open(&call->options, &session));
    DV_CHECK(cli_session_packages(&session));
    DV_CHECK(cli_session_repositories(&session, /* sync= */ true));
    DV_CHECK(explain_all(call, &session, list, ret_exit));
    return *call->options.output ? cli_print_document(call, doc) : NULL;
}
