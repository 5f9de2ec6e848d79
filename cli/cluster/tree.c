/* SPDX-License-Identifier: Apache-2.0 */
/* davit tree: what is installed, and what needs what. */
#include "base/map.h"
#include "cluster.h"

typedef struct {
    cli_session *session;
    const cli_call *call;
    dv_map *drawn; /* packages whose needs stand in the tree already */
    dv_buf *out;
    bool wide;
    bool last[CLI_BRANCHES_MAX]; /* of the levels above: nothing follows there */
} drawing;

static const char *state_of(const dv_pm *pm)
{
    const dv_condition *ready = dv_condition_get(&pm->status.conditions, "Ready");

    if (pm->deleted_at_ms)
        return "Deleting";
    if (pm->spec.suspend)
        return "Suspended";
    if (!ready || !ready->status)
        return "Unknown";
    return strcmp(ready->status, "True") == 0 ? "Ready"
           : ready->reason                    ? ready->reason
                                              : "NotReady";
}

static cli_style style_of(const char *state)
{
    return strcmp(state, "Ready") == 0 ? CLI_GREEN : CLI_YELLOW;
}

/* ---- A line ---- */

static void add_package(const drawing *d, const dv_pm *pm, const char *range, bool again)
{
    const char *state = state_of(pm);

    cli_add_styled(d->out, CLI_BOLD, cli_package_of(pm));
    dv_buf_addc(d->out, ' ');
    cli_add_text(d->out, pm->status.version ? pm->status.version : "(not installed yet)");
    if (d->wide && range && *range) {
        dv_buf_adds(d->out, " in ");
        cli_add_text(d->out, range);
    }
    dv_buf_addc(d->out, ' ');
    cli_add_styled(d->out, style_of(state), state);
    if (d->wide || strcmp(pm->name, cli_package_of(pm)) != 0 ||
        (!pm->is_dependency && strcmp(pm->ns, d->session->operator_ns) != 0)) {
        dv_buf_adds(d->out, "  ");
        cli_add_styled(d->out, CLI_DIM, pm->key);
    }
    dv_buf_adds(d->out, again ? " ↑\n" : "\n");
}

static void add_missing(const drawing *d, const dv_pm_dependency *needed)
{
    cli_add_styled(d->out, CLI_BOLD, needed->name);
    dv_buf_addc(d->out, ' ');
    cli_add_text(d->out, needed->version ? needed->version : "");
    dv_buf_addc(d->out, ' ');
    cli_add_styled(d->out, CLI_RED, "missing");
    dv_buf_addc(d->out, '\n');
}

/* ---- The tree ---- */

static bool is_direct(const dv_pm *pm, const dv_pm_dependency *needed)
{
    return dv_strings_has(&needed->required_by, cli_package_of(pm));
}

static size_t count_direct(const dv_pm *pm)
{
    size_t n = 0;

    for (size_t i = 0; i < pm->status.dependencies.n; i++)
        n += is_direct(pm, &pm->status.dependencies.at[i]);
    return n;
}

static void draw(drawing *d, const dv_pm *pm, const char *range, size_t depth);

static void draw_needed(drawing *d, const dv_pm_dependency *needed, size_t depth)
{
    dv_auto_pm pm = dv_pms_first(d->session->pms, needed->name, /* but= */ "");

    if (pm) {
        draw(d, pm, needed->range, depth);
    } else {
        cli_add_branches(d->out, d->last, depth);
        add_missing(d, needed);
    }
}

/* As deep as CLI_BRANCHES_MAX, for what is drawn once is not entered again. */
static void draw(drawing *d, const dv_pm *pm, const char *range, size_t depth)
{
    bool again = dv_map_get(d->drawn, dv_str_of(pm->key)) != NULL;
    size_t left = count_direct(pm);

    cli_add_branches(d->out, d->last, depth);
    add_package(d, pm, range, again && left);
    if (again || depth + 1 >= CLI_BRANCHES_MAX)
        return;
    dv_map_put(d->drawn, dv_str_of(pm->key), d);
    for (size_t i = 0; i < pm->status.dependencies.n; i++) {
        if (!is_direct(pm, &pm->status.dependencies.at[i]))
            continue;
        d->last[depth] = --left == 0;
        draw_needed(d, &pm->status.dependencies.at[i], depth + 1);
    }
}

/* ---- What is asked for ---- */

static bool is_asked(const drawing *d, const dv_pm *pm)
{
    return cli_is_asked(d->session, pm, d->call->n ? d->call->args[0] : NULL);
}

/* Whom a person applied stands at the left; a dependency only if nothing drawn needs it. */
static void draw_all(drawing *d, const dv_entries *pms)
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < pms->n; i++) {
            const dv_pm *pm = (dv_pm *)pms->at[i];
            bool drawn = dv_map_get(d->drawn, dv_str_of(pm->key)) != NULL;

            if (is_asked(d, pm) && !drawn && (round || !pm->is_dependency || d->call->n))
                draw(d, pm, /* range= */ NULL, 0);
        }
    }
}

/* ---- For programs ---- */

static json_t *needs_of(const dv_pm *pm)
{
    json_t *list = json_array();

    for (size_t i = 0; i < pm->status.dependencies.n; i++) {
        const dv_pm_dependency *needed = &pm->status.dependencies.at[i];

        if (is_direct(pm, needed))
            json_array_append_new(list, json_pack("{s:s,s:s,s:s*}", "package", needed->name,
                                                  "range", needed->range ? needed->range : "",
                                                  "version", needed->version));
    }
    return list;
}

static json_t *describe(const dv_pm *pm)
{
    return json_pack("{s:s,s:s,s:s*,s:s*,s:s,s:b,s:o}", "package", cli_package_of(pm),
                     "packageManifest", pm->key, "version", pm->status.version, "repository",
                     pm->status.repository, "state", state_of(pm), "installedAsDependency",
                     pm->is_dependency, "needs", needs_of(pm));
}

static dv_err *print_structured(drawing *d, const dv_entries *pms)
{
    json_t *list = json_array();
    json_auto_t *doc = json_pack("{s:o}", "packages", list);

    for (size_t i = 0; i < pms->n; i++)
        if (is_asked(d, (dv_pm *)pms->at[i]))
            json_array_append_new(list, describe((dv_pm *)pms->at[i]));
    return cli_print_document(d->call, doc);
}

static dv_err *print_names(drawing *d, const dv_entries *pms)
{
    for (size_t i = 0; i < pms->n; i++) {
        if (!is_asked(d, (dv_pm *)pms->at[i]))
            continue;
        cli_add_text(d->out, cli_package_of((dv_pm *)pms->at[i]));
        dv_buf_addc(d->out, '\n');
    }
    return cli_print(dv_buf_str(d->out));
}

static size_t count_asked(const drawing *d, const dv_entries *pms)
{
    size_t n = 0;

    for (size_t i = 0; i < pms->n; i++)
        n += is_asked(d, (dv_pm *)pms->at[i]);
    return n;
}

static dv_err *print(drawing *d, const dv_entries *pms)
{
    const char *output = d->call->options.output;

    d->wide = strcmp(output, "wide") == 0;
    if (strcmp(output, "name") == 0)
        return print_names(d, pms);
    if (*output && !d->wide)
        return print_structured(d, pms);
    draw_all(d, pms);
    DV_CHECK(dv_buf_check(d->out));
    return cli_print(dv_buf_str(d->out));
}

dv_err *cli_tree(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(cli_session_close) cli_session session;
    DV_CLEANUP(dv_entries_done) dv_entries pms = {0};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_map) drawn = dv_map_new(NULL);
    drawing d = {.session = &session, .call = call, .drawn = drawn, .out = &out};

    DV_CHECK(cli_session_open(&call->options, &session));
    DV_CHECK(cli_session_packages(&session));
    pms = dv_informer_list(session.pms);
    if (!count_asked(&d, &pms)) {
        cli_note(call->n ? "%s is not installed" : "no packages are installed%s",
                 call->n ? call->args[0] : "");
        *ret_exit = call->n ? CLI_NO : CLI_OK;
    }
    return print(&d, &pms);
}
