/* SPDX-License-Identifier: Apache-2.0 */
/* davit versions: what a namespace can install of a package. */
#include "cluster.h"

/* "namespace/name" of those that have this version, with commas; owned. */
static char *holders_of(const cli_session *s, const char *package, const char *version)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_entries_done) dv_entries pms = {0};

    if (s->pms)
        pms = dv_pms_of_package(s->pms, package);
    for (size_t i = 0; i < pms.n; i++) {
        const dv_pm *pm = (dv_pm *)pms.at[i];

        if (pm->status.version && strcmp(pm->status.version, version) == 0)
            dv_buf_addf(&text, "%s%s", text.n ? "," : "", pm->key);
    }
    return dv_buf_take(&text);
}

static dv_err *print_rows(const cli_session *s, const char *package,
                          const dv_repo_versions *versions)
{
    static const char *const headings[] = {"VERSION", "REPOSITORY", "INSTALLED", NULL};
    DV_CLEANUP(cli_table_done) cli_table table;

    cli_table_init(&table, headings);
    for (size_t i = 0; i < versions->n; i++) {
        dv_auto_str holders = holders_of(s, package, versions->at[i].version);

        cli_table_add(&table, versions->at[i].version);
        cli_table_add(&table, versions->at[i].repository);
        cli_table_add(&table, holders);
    }
    return cli_print_table(&table);
}

static dv_err *print_names(const dv_repo_versions *versions)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    for (size_t i = 0; i < versions->n; i++)
        dv_buf_addf(&text, "%s\n", versions->at[i].version);
    return cli_print(dv_buf_str(&text));
}

static dv_err *print_structured(const cli_session *s, const cli_call *call,
                                const dv_repo_versions *versions)
{
    json_t *list = json_array();
    json_auto_t *doc =
        json_pack("{s:s,s:s,s:o}", "package", call->args[0], "namespace", s->ns, "versions", list);

    for (size_t i = 0; i < versions->n; i++) {
        dv_auto_str holders = holders_of(s, call->args[0], versions->at[i].version);
        json_t *row = json_pack("{s:s,s:s}", "version", versions->at[i].version, "repository",
                                versions->at[i].repository);
        json_t *installed = json_array();
        dv_str rest = dv_str_of(holders), holder;

        while (rest.n) {
            rest = dv_str_cut(rest, ',', &holder);
            json_array_append_new(installed, dv_json_string(holder));
        }
        json_object_set_new(row, "installedBy", installed);
        json_array_append_new(list, row);
    }
    return cli_print_document(call, doc);
}

static dv_err *print(const cli_session *s, const cli_call *call, const dv_repo_versions *versions)
{
    if (strcmp(call->options.output, "name") == 0)
        return print_names(versions);
    if (*call->options.output)
        return print_structured(s, call, versions);
    return print_rows(s, call->args[0], versions);
}

/* Which version is installed is an extra: those who may not see PackageManifests go without. */
static dv_err *read_installed(cli_session *s)
{
    dv_err *err = cli_session_packages(s);

    if (!dv_err_is(err, DV_DENIED))
        return err;
    dv_err_free(err);
    return NULL;
}

dv_err *cli_versions(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(cli_session_close) cli_session session;
    DV_CLEANUP(dv_repo_versions_done) dv_repo_versions versions = {0};
    const char *package = call->args[0];

    DV_CHECK(cli_session_open(&call->options, &session));
    session.only = package;
    DV_CHECK(read_installed(&session));
    DV_CHECK(cli_session_repositories(&session, /* sync= */ true));
    dv_err *err = dv_repos_versions(&session.ctx, session.repos, session.ns,
                                    call->options.repository, package, &versions);
    if (dv_err_is(err, DV_NOT_FOUND)) {
        cli_note("%s", dv_err_str(err));
        dv_err_free(err);
        *ret_exit = CLI_NO;
        return NULL;
    }
    DV_CHECK(err);
    if (versions.n)
        qsort(versions.at, versions.n, sizeof(versions.at[0]), cli_newest_first);
    return print(&session, call, &versions);
}
