/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include <errno.h>
#include <fnmatch.h>
#include <unistd.h>

void dv_suite_add(dv_suite *suite, const char *name, CMUnitTestFunction function, void *state)
{
    *dv_vec_push(&suite->tests) =
        (struct CMUnitTest){.name = name, .test_func = function, .initial_state = state};
}

/* Says whether a line of DV_TEST_SKIP fits "program/test". */
static bool unwanted(const char *test)
{
    DV_CLEANUP(dv_buf_done) dv_buf name = DV_BUF_INIT(4096);
    const char *skip = getenv("DV_TEST_SKIP");
    dv_auto_str lines = dv_strdup(skip ? skip : "");
    char *rest = lines;

    dv_buf_addf(&name, "%s/%s", program_invocation_short_name, test);
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line && fnmatch(line, dv_buf_cstr(&name), 0) == 0)
            return true;
    return false;
}

static void skip_it(void **state DV_UNUSED)
{
    skip();
}

int dv_suite_run(dv_suite *suite)
{
    for (size_t i = 0; i < suite->tests.n; i++)
        if (unwanted(suite->tests.at[i].name))
            suite->tests.at[i].test_func = skip_it;
    int failed = _cmocka_run_group_tests(suite->name, suite->tests.at, suite->tests.n, NULL, NULL);

    dv_vec_done(&suite->tests);
    return failed ? 1 : 0;
}

void dv_assert_ok(dv_err *err, const char *file, int line)
{
    if (!err)
        return;
    print_error("%s (%s, %s)\n", dv_err_str(err), dv_err_kind_name(dv_err_kind_of(err)),
                dv_err_reason(err));
    dv_err_free(err);
    _fail(file, line);
}

void dv_assert_err(dv_err *err, dv_err_kind kind, const char *text, const char *file, int line)
{
    if (!err) {
        print_error("no error where %s was expected\n", dv_err_kind_name(kind));
        _fail(file, line);
    }
    bool fits = dv_err_is(err, kind) && (!text || strstr(dv_err_str(err), text));
    if (!fits)
        print_error("got %s: %s\nwanted %s: …%s…\n", dv_err_kind_name(dv_err_kind_of(err)),
                    dv_err_str(err), dv_err_kind_name(kind), text ? text : "");
    dv_err_free(err);
    if (!fits)
        _fail(file, line);
}

const char *test_data(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/test/data/%s", DV_SOURCE_DIR, name);
    return path;
}

const char *test_corpus_dir(void)
{
    static char path[4096];
    const char *set = getenv("DAVIT_CORPUS");

    snprintf(path, sizeof(path), "%s", set ? set : DV_SOURCE_DIR "/../shared/corpus");
    return access(path, R_OK) == 0 ? path : NULL;
}
