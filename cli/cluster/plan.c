/* SPDX-License-Identifier: Apache-2.0 */
/* davit plan: reads the files, plans, prints. */
#include "plan.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/file.h"
#include "yaml/yaml.h"

#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)
enum { FILES_MAX = 1000 };

static void free_document(void *at)
{
    json_decref(at);
}

static void object_done(plan_object *o)
{
    dv_objref_done(&o->ref);
    json_decref(o->before);
    json_decref(o->after);
    free(o->note);
}

void plan_package_done(plan_package *p)
{
    free(p->key);
    free(p->package);
    free(p->from);
    dv_lock_result_done(&p->lock);
    dv_err_free(p->held);
    dv_strings_done(&p->warnings);
    for (size_t i = 0; i < p->objects.n; i++)
        object_done(&p->objects.at[i]);
    dv_vec_done(&p->objects);
}

void plan_done(plan *p)
{
    for (size_t i = 0; i < p->packages.n; i++)
        plan_package_done(&p->packages.at[i]);
    dv_vec_done(&p->packages);
    dv_strings_done(&p->todo);
    dv_map_free(p->documents);
}

plan_package *plan_find(plan *p, const char *key)
{
    for (size_t i = 0; i < p->packages.n; i++)
        if (strcmp(p->packages.at[i].key, key) == 0)
            return &p->packages.at[i];
    return NULL;
}

plan_package *plan_find_package(plan *p, const char *package)
{
    for (size_t i = 0; i < p->packages.n; i++)
        if (strcmp(p->packages.at[i].package, package) == 0)
            return &p->packages.at[i];
    return NULL;
}

size_t plan_count(const plan *p, plan_action action)
{
    size_t n = 0;

    for (size_t i = 0; i < p->packages.n; i++)
        for (size_t k = 0; k < p->packages.at[i].objects.n; k++)
            n += p->packages.at[i].objects.at[k].action == action;
    return n;
}

void plan_later(plan *p, const char *key)
{
    for (size_t i = p->todo.n ? p->at + 1 : 0; i < p->todo.n; i++)
        if (strcmp(p->todo.at[i], key) == 0)
            return;
    dv_strings_add(&p->todo, key);
}

/* ---- Files ---- */

static bool is_manifest_name(const char *name)
{
    dv_str s = dv_str_of(name);

    return dv_str_ends(s, DV_STR(".yaml")) || dv_str_ends(s, DV_STR(".yml")) ||
           dv_str_ends(s, DV_STR(".json"));
}

static dv_err *list_folder(const char *path, dv_strings *ret_files)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    DV_CHECK(dv_dir_list(path, FILES_MAX, &names));
    for (size_t i = 0; i < names.n; i++)
        if (is_manifest_name(names.at[i]))
            dv_strings_take(ret_files, dv_asprintf("%s/%s", path, names.at[i]));
    return NULL;
}

static dv_err *list_files(const cli_call *call, dv_strings *ret_files)
{
    for (size_t i = 0; i < call->options.files.n; i++) {
        const char *path = call->options.files.at[i];
        struct stat st;

        if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            DV_CHECK(list_folder(path, ret_files));
        else
            dv_strings_add(ret_files, path);
    }
    return NULL;
}

static bool is_kind(const json_t *document, const char *kind)
{
    return dv_str_is(dv_json_view(document, "/kind"), kind) &&
           dv_str_eq(dv_api_group(dv_json_str(document, "/apiVersion")), DV_STR(DV_GROUP));
}

/* Those of a List too. */
static void sort_out(json_t *document, json_t *wishes, json_t *repositories, size_t *others)
{
    size_t i;
    json_t *item;

    if (dv_str_is(dv_json_view(document, "/kind"), "List")) {
        json_array_foreach(dv_json_array(document, "/items"), i, item)
            sort_out(item, wishes, repositories, others);
        return;
    }
    if (!dv_json_str(document, "/apiVersion"))
        *others += 1;
    else if (is_kind(document, "PackageManifest"))
        json_array_append(wishes, document);
    else if (is_kind(document, "PackageRepository"))
        json_array_append(repositories, document);
    else
        *others += 1;
}

static dv_err *read_file(const char *path, json_t *wishes, json_t *repositories, size_t *others)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(FILE_BYTES_MAX);
    json_auto_t *documents = NULL;
    size_t i;
    json_t *document;

    DV_CHECK(cli_read_input(path, &bytes));
    DV_TRY(dv_yaml_read_all(dv_buf_str(&bytes), /* limits= */ NULL, &documents), "%s", path);
    json_array_foreach(documents, i, document) sort_out(document, wishes, repositories, others);
    return NULL;
}

static dv_err *read_files(const cli_call *call, json_t *wishes, json_t *repositories)
{
    DV_CLEANUP(dv_strings_done) dv_strings files = {0};
    size_t others = 0;

    if (!call->options.files.n)
        return dv_err_new(DV_INVALID, CLI_BAD_USAGE, "-f FILE is missing");
    DV_CHECK(dv_err_recast(list_files(call, &files), DV_INVALID, CLI_BAD_USAGE));
    for (size_t i = 0; i < files.n; i++)
        DV_CHECK(dv_err_recast(read_file(files.at[i], wishes, repositories, &others), DV_INVALID,
                               CLI_BAD_USAGE));
    if (others)
        cli_note("%zu other objects in the files are left aside", others);
    if (!json_array_size(wishes))
        return dv_err_new(DV_INVALID, CLI_BAD_USAGE, "there is no PackageManifest in the files");
    return NULL;
}

/* ---- The verb ---- */

/* A PackageManifest that the cluster would not take is an answer: nothing of it would happen. */
static dv_err *take_wishes(plan *p, const json_t *wishes, bool *ret_refused)
{
    size_t i;
    json_t *wish;

    json_array_foreach(wishes, i, wish)
    {
        dv_err *err = plan_wish(p, wish);

        if (!dv_err_is(err, DV_INVALID) || strcmp(dv_err_reason(err), CLI_BAD_USAGE) == 0) {
            DV_CHECK(err);
            continue;
        }
        cli_note("PackageManifest %s would be refused: %s", dv_obj_name(wish), dv_err_str(err));
        dv_err_free(err);
        *ret_refused = true;
    }
    return NULL;
}

/* What could not be compared may change. */
static bool changes(const plan *p)
{
    return plan_count(p, PLAN_ADD) || plan_count(p, PLAN_CHANGE) || plan_count(p, PLAN_REMOVE) ||
           plan_count(p, PLAN_UNKNOWN);
}

/* Somebody did not answer: what would happen is not known. */
static bool is_unanswered(const dv_err *held)
{
    return dv_err_is(held, DV_TRANSIENT) || dv_err_is(held, DV_WAITING);
}

static cli_exit exit_of(const plan *p, bool refused, bool exit_code)
{
    cli_exit code = refused || plan_count(p, PLAN_REFUSE) ? CLI_NO : CLI_OK;

    for (size_t i = 0; i < p->packages.n; i++)
        if (p->packages.at[i].held)
            code =
                is_unanswered(p->packages.at[i].held) || code == CLI_FAILED ? CLI_FAILED : CLI_NO;
    return code == CLI_OK && exit_code && changes(p) ? CLI_CHANGES : code;
}

static dv_err *print(const cli_call *call, plan *p)
{
    bool wide = strcmp(call->options.output, "wide") == 0;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    if (*call->options.output && !wide) {
        json_auto_t *doc = plan_structure(p);

        return cli_print_document(call, doc);
    }
    plan_print(p, wide, &out);
    DV_CHECK(dv_buf_check(&out));
    return cli_print(dv_buf_str(&out));
}

static dv_err *make_plan(const cli_call *call, plan *p, const json_t *wishes,
                         const json_t *repositories, bool *ret_refused)
{
    DV_CHECK(cli_session_packages(p->session));
    DV_CHECK(cli_session_repositories_with(p->session, repositories, /* sync= */ true));
    DV_CHECK(take_wishes(p, wishes, ret_refused));
    DV_CHECK(plan_run(p));
    return print(call, p);
}

dv_err *cli_plan(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(cli_session_close) cli_session session = {0};
    DV_CLEANUP(plan_done) plan p = {.session = &session, .documents = dv_map_new(free_document)};
    json_auto_t *wishes = json_array(), *repositories = json_array();
    bool refused = false;

    DV_CHECK(read_files(call, wishes, repositories));
    DV_CHECK(cli_session_open(&call->options, &session));
    DV_CHECK(make_plan(call, &p, wishes, repositories, &refused));
    *ret_exit = exit_of(&p, refused, call->options.exit_code);
    return NULL;
}
