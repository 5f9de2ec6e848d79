/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testlib.h"

static dv_err *root(void)
{
    return dv_err_new(DV_CONFLICT, "Stale", "object %s is stale", "a/b");
}

static dv_err *outer(void)
{
    DV_TRY(root(), "apply %d", 3);
    return NULL;
}

static dv_err *outermost(void)
{
    DV_CHECK(outer());
    return NULL;
}

static void wrapping_keeps_kind_and_reason(void **state DV_UNUSED)
{
    dv_auto(dv_err) err = outermost();

    assert_string_equal(dv_err_str(err), "apply 3: object a/b is stale");
    assert_string_equal(dv_err_reason(err), "Stale");
    assert_true(dv_err_is(err, DV_CONFLICT));
    assert_false(dv_err_is(NULL, DV_CONFLICT));
}

static void recasting_changes_the_kind(void **state DV_UNUSED)
{
    dv_auto(dv_err) err = dv_err_recast(root(), DV_DENIED, NULL);

    assert_int_equal(dv_err_kind_of(err), DV_DENIED);
    assert_string_equal(dv_err_reason(err), "Stale");
    err = dv_err_recast(DV_TAKE(err), DV_BUG, "Other");
    assert_string_equal(dv_err_reason(err), "Other");
}

static void joining_keeps_the_first(void **state DV_UNUSED)
{
    dv_auto(dv_err) err = dv_err_join(root(), dv_err_new(DV_BUG, "Bug", "and more"));

    assert_string_equal(dv_err_str(err), "object a/b is stale; and more");
    assert_int_equal(dv_err_kind_of(err), DV_CONFLICT);
    err = dv_err_join(DV_TAKE(err), NULL);
    assert_non_null(err);
    dv_auto(dv_err) other = dv_err_join(NULL, root());
    assert_string_equal(dv_err_str(other), "object a/b is stale");
    assert_null(dv_err_join(NULL, NULL));
}

static void copies_are_whole(void **state DV_UNUSED)
{
    dv_auto(dv_err) err = root();

    dv_err_set_retry_after(err, 1500);
    dv_auto(dv_err) copy = dv_err_dup(err);
    assert_int_equal(dv_err_retry_after_ms(copy), 1500);
    assert_string_equal(dv_err_str(copy), dv_err_str(err));
    assert_null(dv_err_dup(NULL));
}

static void nothing_stays_nothing(void **state DV_UNUSED)
{
    assert_null(dv_err_wrap(NULL, "front"));
    assert_null(dv_err_recast(NULL, DV_BUG, "Bug"));
    dv_err_free(NULL);
}

static void endless_wrapping_stays_bounded(void **state DV_UNUSED)
{
    enum { ROUNDS = 2000, BOUND = 16 * 1024 };
    dv_auto(dv_err) err = root();

    for (int i = 0; i < ROUNDS; i++)
        err = dv_err_wrap(DV_TAKE(err), "%s", "one more frame of context");
    assert_true(strlen(dv_err_str(err)) < BOUND);
    err = dv_err_join(DV_TAKE(err), dv_err_dup(err));
    assert_true(strlen(dv_err_str(err)) < BOUND);
}

static void clipping_leaves_utf8(void **state DV_UNUSED)
{
    enum { BYTES = 20 * 1000 };

    for (size_t shift = 0; shift < 4; shift++) {
        dv_auto_str text = dv_alloc(BYTES + 5);

        memset(text, 'a', shift);
        for (size_t i = shift; i < BYTES; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 5);
        dv_auto(dv_err) err = dv_err_new(DV_BUG, "Bug", "%s", text);
        assert_true(dv_utf8_valid(dv_str_of(dv_err_str(err))));
    }
}

static void kinds_have_names(void **state DV_UNUSED)
{
    for (int kind = DV_TRANSIENT; kind <= DV_BUG; kind++)
        assert_string_not_equal(dv_err_kind_name((dv_err_kind)kind), "Unknown");
    assert_string_equal(dv_err_kind_name(DV_NOT_FOUND), "NotFound");
    assert_string_equal(dv_err_kind_name((dv_err_kind)99), "Unknown");
}

/* How a child ends that runs the function with stderr closed. */
static int signal_of(void (*run)(void))
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        close(STDERR_FILENO);
        run();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void break_invariant(void)
{
    DV_ASSERT(getpid() == 0);
}

static void overflow_calloc(void)
{
    free(dv_calloc(SIZE_MAX / 2, 4));
}

static void broken_invariants_abort(void **state DV_UNUSED)
{
    assert_int_equal(signal_of(break_invariant), SIGABRT);
    assert_int_equal(signal_of(overflow_calloc), SIGABRT);
}

static void allocation_accepts_nothing(void **state DV_UNUSED)
{
    dv_auto_str none = dv_alloc(0);
    dv_auto_str grown = dv_realloc(DV_TAKE(none), 10);
    dv_auto_str copy = dv_memdup("ab", 2);

    assert_non_null(grown);
    assert_memory_equal(copy, "ab", 2);
    assert_null(dv_strdup(NULL));
    assert_true(dv_size_mul(SIZE_MAX, 2) == SIZE_MAX);
    assert_int_equal(dv_size_mul(3, 4), 12);
}

int main(void)
{
    dv_suite suite = {.name = "base/err"};

    DV_TEST(&suite, wrapping_keeps_kind_and_reason);
    DV_TEST(&suite, recasting_changes_the_kind);
    DV_TEST(&suite, joining_keeps_the_first);
    DV_TEST(&suite, copies_are_whole);
    DV_TEST(&suite, nothing_stays_nothing);
    DV_TEST(&suite, endless_wrapping_stays_bounded);
    DV_TEST(&suite, clipping_leaves_utf8);
    DV_TEST(&suite, kinds_have_names);
    DV_TEST(&suite, broken_invariants_abort);
    DV_TEST(&suite, allocation_accepts_nothing);
    return dv_suite_run(&suite);
}
