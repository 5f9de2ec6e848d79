/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the unit tests share: cmocka in the right order, tables of rows as named tests, and
 * assertions on dv_err.
 *
 *     static const struct row { const char *name; … } rows[] = { … };
 *     static void row_does(void **state) { const struct row *row = *state; … }
 *     int main(void) { return DV_RUN_TABLE("module/subject", row_does, rows); }
 *
 * A program with several tables and plain tests collects them in a dv_suite.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/vec.h"

typedef struct {
    const char *name;
    DV_VEC(struct CMUnitTest) tests;
} dv_suite;

/* Adds one test. */
#define DV_TEST(suite, function) dv_suite_add(suite, #function, function, NULL)
/* Adds one test a row; each row's first member is `const char *name`. */
#define DV_TABLE(suite, function, rows)                                                            \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < DV_LEN(rows); i_++)                                               \
            dv_suite_add(suite, (rows)[i_].name, function, (void *)(uintptr_t) & (rows)[i_]);      \
    } while (0)
void dv_suite_add(dv_suite *suite, const char *name, CMUnitTestFunction function, void *state);
/* Runs and frees; the exit status for main(). A test that a line of DV_TEST_SKIP names is skipped:
 * "program/test", with wildcards. */
int dv_suite_run(dv_suite *suite);
#define DV_RUN_TABLE(suite_name, function, rows)                                                   \
    ({                                                                                             \
        dv_suite suite_ = {.name = (suite_name)};                                                  \
        DV_TABLE(&suite_, function, rows);                                                         \
        dv_suite_run(&suite_);                                                                     \
    })

/* Fails the test with the error's text; takes err. */
#define assert_ok(err) dv_assert_ok(err, __FILE__, __LINE__)
void dv_assert_ok(dv_err *err, const char *file, int line);
/* Takes err, which must be of the kind, and (unless NULL) hold the text in its message. */
#define assert_err(err, kind, text) dv_assert_err(err, kind, text, __FILE__, __LINE__)
void dv_assert_err(dv_err *err, dv_err_kind kind, const char *text, const char *file, int line);

/* Path of a file below test/data, static until the next call. */
const char *test_data(const char *name);
/* Folder of real repository data, or NULL where it is absent (DAVIT_CORPUS, ../shared/corpus). */
const char *test_corpus_dir(void);
