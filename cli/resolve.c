/* SPDX-License-Identifier: Apache-2.0 */
/* davit resolve: the solver over a problem file. */
#include "json/json.h"
#include "offline.h"
#include "resolve/problem.h"

/* A problem of 10,000 packages is 16 MB. */
#define PROBLEM_BYTES_MAX ((size_t)1024 * 1024 * 1024)

static dv_err *print_answer(const char *key, json_t *value)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(PROBLEM_BYTES_MAX);
    json_auto_t *answer = json_pack("{s:o}", key, value);

    dv_json_write(answer, &text);
    dv_buf_addc(&text, '\n');
    DV_CHECK(dv_buf_check(&text));
    return cli_print(dv_buf_str(&text));
}

static dv_err *print_solution(const dv_solution *solution)
{
    json_t *choices = json_object();

    for (size_t i = 0; i < solution->choices.n; i++)
        json_object_set_new(choices, solution->choices.at[i].package,
                            dv_json_string(dv_str_of(solution->choices.at[i].version)));
    return print_answer("solution", choices);
}

static dv_err *solve(const dv_problem_file *file, cli_exit *ret_exit)
{
    DV_CLEANUP(dv_solution_done) dv_solution solution = {0};
    dv_auto_str explanation = NULL;
    dv_ctx ctx = dv_ctx_make(/* cancel= */ NULL);
    dv_auto(dv_err) refused = dv_resolve(&ctx, dv_problem_file_problem(file),
                                         dv_problem_file_candidates(file), &solution, &explanation);

    if (!refused)
        return print_solution(&solution);
    if (!explanation)
        return DV_TAKE(refused);
    *ret_exit = CLI_NO;
    return print_answer("conflict", dv_json_string(dv_str_of(explanation)));
}

static dv_err *read_problem(const char *path, dv_buf *json, dv_problem_file **ret_file)
{
    DV_CHECK(cli_read_input(path, json));
    DV_TRY(dv_problem_read(dv_buf_str(json), ret_file), "%s", path);
    return NULL;
}

dv_err *cli_resolve(const cli_call *call, cli_exit *ret_exit)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(PROBLEM_BYTES_MAX);
    dv_auto(dv_problem_file) file = NULL;

    if (!call->options.problem)
        return dv_err_new(DV_INVALID, CLI_BAD_USAGE, "--problem FILE is missing");
    dv_err *err = read_problem(call->options.problem, &json, &file);
    if (err)
        return dv_err_recast(err, DV_INVALID, CLI_BAD_USAGE);
    return solve(file, ret_exit);
}
