/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The problem file: a dependency problem and all its candidates in one JSON object.
 *
 *     {"format": "davit-resolve/1", "name": "…",
 *      "packages":  {"web": {"1.0.0": {"db": "^2"}, "2.0.0": {}}, "db": {"2.1.0+1": {}}},
 *      "root":      {"web": "", "db": ">=2"},
 *      "installed": {"db": "2.1.0+1"},
 *      "pinned":    {}}
 *
 * In "davit-resolve/2" a version may be {"deps": {…}, "repository": "main"}, and "repositories"
 * gives each repository its priority (0 where a version names none): only those of the highest
 * priority that have a package's name give candidates for it. Other members are left aside;
 * "name", "installed", "pinned" and "repositories" may be absent.
 *
 * The version texts of one package must say different versions ("1.0" and "v1.0.0" do not).
 *
 * The whole file is checked when it is read; the dependencies of a version are read again when
 * they are asked for, so that a large file costs little more memory than its bytes.
 *
 * Threads: owner.
 */
#pragma once

#include "resolve/resolve.h"

typedef struct dv_problem_file dv_problem_file;

/*
 * Borrows json until dv_problem_file_free(). INVALID "BadProblem": not JSON, another shape, or a
 * text that is not a version or constraint; the message has the line.
 */
DV_MUST_USE dv_err *dv_problem_read(dv_str json, dv_problem_file **ret_file);
void dv_problem_file_free(dv_problem_file *file);
/* Borrowed, as are the others. */
const dv_problem *dv_problem_file_problem(const dv_problem_file *file);
const dv_candidates *dv_problem_file_candidates(const dv_problem_file *file);
dv_str dv_problem_file_name(const dv_problem_file *file);
DV_DEFINE_AUTO(dv_problem_file)
