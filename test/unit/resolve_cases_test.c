/* SPDX-License-Identifier: Apache-2.0 */
/* Seventeen small problems on which simpler resolvers fail or answer by luck. */
#include "testlib.h"

#include "base/file.h"
#include "resolve_random.h"

/* choices: in order of name; NULL: there is no solution, and the first sentence has says. */
static const struct row {
    const char *name, *choices, *says;
} rows[] = {
    {"01-newest-clash", "api=1.0.0+1 cache=1.4.0+1 web=1.0.0+1", NULL},
    {"02-visit-order", "bus=1.2.0 queue=2.0.0 shop=1.0.0 store=1.0.0", NULL},
    {"03-newest-needs-absent-package", "proxy=1.0.0 web=1.0.0", NULL},
    {"04-newest-needs-absent-version", "proxy=1.1.0 web=1.0.0", NULL},
    {"05-circle", "crds=1.1.0 operator=1.0.0", NULL},
    {"06-build-number", "db=1.0.0+1 web=1.0.0+1", NULL},
    {"07-two-levels", "app=1.0.0 core=1.0.0 left=1.0.0 mid=1.0.0 right=1.1.0", NULL},
    {"08-only-oldest", "web=1.0.0", NULL},
    {"09-three-way", "a=2.0.0 b=1.0.0 c=1.0.0 x=2.0.0", NULL},
    {"10-installed-must-move", "api=1.0.0 db=2.0.0 web=1.0.0", NULL},
    {"11-old-fault-hides-new-fault", "db=3.0.0 web=2.0.0", NULL},
    {"12-no-version-fits", NULL, "`web` ^9, of which there are only 1.0.0 and 2.0.0"},
    {"13-pre-release-without-range", "api=1.0.0 db=1.0.0 web=1.0.0", NULL},
    {"14-true-conflict", NULL,
     "every version of `auth` needs `db` ^1, but `report` 3.0.0 needs `db` ^2"},
    {"15-self-dependency", "web=1.0.0", NULL},
    {"16-order-of-versions", "web=1.10.0", NULL},
    {"17-optional-branch-goes-away", "api=1.0.0 db=1.0.0 web=1.0.0", NULL},
};

static void assert_chosen(const dv_solution *solution, const char *want)
{
    DV_CLEANUP(dv_buf_done) dv_buf got = DV_BUF_INIT(DV_LINE_MAX);

    for (size_t i = 0; i < solution->choices.n; i++)
        dv_buf_addf(&got, "%s%s=%s", i ? " " : "", solution->choices.at[i].package,
                    solution->choices.at[i].version);
    assert_string_equal(dv_buf_cstr(&got), want);
}

static void row_is_answered(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_freep) char *explanation = NULL;
    DV_CLEANUP(dv_freep) char *path = dv_asprintf("resolve/%s.json", row->name);
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
    dv_auto(dv_problem_file) file = NULL;
    dv_ctx ctx = dv_ctx_make(NULL);
    dv_err *err;

    assert_ok(dv_file_read(test_data(path), &json));
    assert_ok(dv_problem_read(dv_buf_str(&json), &file));
    assert_true(dv_str_is(dv_problem_file_name(file), row->name));
    err = dv_resolve(&ctx, dv_problem_file_problem(file), dv_problem_file_candidates(file),
                     &solution, &explanation);
    if (row->choices) {
        assert_ok(err);
        assert_null(explanation);
        assert_chosen(&solution, row->choices);
        return;
    }
    assert_string_equal(dv_err_reason(err),
                        strstr(row->name, "no-version") ? "PackageNotFound" : "DependencyConflict");
    assert_err(err, strstr(row->name, "no-version") ? DV_NOT_FOUND : DV_DENIED, row->says);
    assert_non_null(explanation);
}

int main(void)
{
    return DV_RUN_TABLE("resolve/cases", row_is_answered, rows);
}
