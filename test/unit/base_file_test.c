/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "testlib.h"

/* A scratch folder for each test. */
static char folder[] = P_tmpdir "/davit-file-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void remove_tree(const char *path)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    dv_err_free(dv_dir_list(path, 1000, &names));

    for (size_t i = 0; i < names.n; i++) {
        dv_auto_str child = dv_asprintf("%s/%s", path, names.at[i]);

        if (unlink(child) != 0)
            remove_tree(child);
    }
    rmdir(path);
}

static void what_is_written_is_read(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(100);
    struct stat st;

    assert_ok(dv_file_write(in_folder("a"), DV_STR("one\0two"), 0600, /* durable= */ true));
    assert_ok(dv_file_read(in_folder("a"), &out));
    assert_true(dv_str_eq(dv_buf_str(&out), DV_STR("one\0two")));
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void writing_replaces_and_leaves_nothing_behind(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(100);
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    assert_ok(dv_dir_make(in_folder("r")));
    assert_ok(dv_file_write(in_folder("r/a"), DV_STR("a long first text"), 0644, false));
    assert_ok(dv_file_write(in_folder("r/a"), DV_STR("short"), 0644, false));
    assert_ok(dv_file_read(in_folder("r/a"), &out));
    assert_string_equal(dv_buf_cstr(&out), "short");
    assert_ok(dv_dir_list(in_folder("r"), 10, &names));
    assert_int_equal(names.n, 1);
}

static void a_failed_write_leaves_the_old_file(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    assert_err(dv_file_write(in_folder("absent/a"), DV_STR("x"), 0644, false), DV_NOT_FOUND,
               "write");
    assert_ok(dv_dir_make(in_folder("w/a")));
    assert_err(dv_file_write(in_folder("w/a"), DV_STR("x"), 0644, false), DV_TRANSIENT, NULL);
    assert_ok(dv_dir_list(in_folder("w"), 10, &names));
    assert_int_equal(names.n, 1);
}

static void what_is_no_file_is_not_read(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(100);

    assert_err(dv_file_read(in_folder("absent"), &out), DV_NOT_FOUND, "absent");
    assert_err(dv_file_read(folder, &out), DV_INVALID, "not a regular file");
    assert_err(dv_file_read("/dev/null", &out), DV_INVALID, "not a regular file");
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_err(dv_file_read(in_folder("fifo"), &out), DV_INVALID, "not a regular file");
}

static void too_large_a_file_adds_nothing(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(10);

    dv_buf_adds(&out, "before");
    assert_ok(dv_file_write(in_folder("big"), DV_STR("12345"), 0600, false));
    assert_err(dv_file_read(in_folder("big"), &out), DV_INVALID, "limit of 10 bytes");
    assert_string_equal(dv_buf_cstr(&out), "before");
}

static void files_without_a_size_are_read(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    assert_ok(dv_file_read("/proc/self/status", &out));
    assert_non_null(strstr(dv_buf_cstr(&out), "Pid:"));
}

static void folders_are_made_with_parents(void **state DV_UNUSED)
{
    struct stat st;

    assert_ok(dv_dir_make(in_folder("x/y//z/")));
    assert_ok(dv_dir_make(in_folder("x/y/z")));
    assert_int_equal(stat(in_folder("x/y"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_ok(dv_file_write(in_folder("x/file"), DV_STR(""), 0600, false));
    assert_err(dv_dir_make(in_folder("x/file")), DV_TRANSIENT, "make folder");
    assert_err(dv_dir_make(in_folder("x/file/below")), DV_TRANSIENT, "x/file");
    assert_ok(dv_dir_make("/"));
    assert_ok(dv_dir_make("."));
}

static void lists_are_sorted_and_bounded(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    assert_ok(dv_dir_make(in_folder("l/b")));
    assert_ok(dv_dir_make(in_folder("l/a")));
    assert_ok(dv_file_write(in_folder("l/.c"), DV_STR(""), 0600, false));
    assert_err(dv_dir_list(in_folder("l"), 2, &names), DV_INVALID, "more than 2 entries");
    assert_int_equal(names.n, 0);
    assert_ok(dv_dir_list(in_folder("l"), 3, &names));
    assert_int_equal(names.n, 3);
    assert_string_equal(names.at[0], ".c");
    assert_string_equal(names.at[1], "a");
    assert_err(dv_dir_list(in_folder("absent"), 3, &names), DV_NOT_FOUND, "list");
}

static void relative_paths_are_fine(void **state DV_UNUSED)
{
    char here[4096];

    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(folder), 0);
    dv_err *err = dv_file_write("relative", DV_STR("x"), 0600, /* durable= */ true);
    assert_int_equal(chdir(here), 0);
    assert_ok(err);
    assert_int_equal(access(in_folder("relative"), R_OK), 0);
}

int main(void)
{
    dv_suite suite = {.name = "base/file"};

    if (!mkdtemp(folder))
        return 1;
    DV_TEST(&suite, what_is_written_is_read);
    DV_TEST(&suite, writing_replaces_and_leaves_nothing_behind);
    DV_TEST(&suite, a_failed_write_leaves_the_old_file);
    DV_TEST(&suite, what_is_no_file_is_not_read);
    DV_TEST(&suite, too_large_a_file_adds_nothing);
    DV_TEST(&suite, files_without_a_size_are_read);
    DV_TEST(&suite, folders_are_made_with_parents);
    DV_TEST(&suite, lists_are_sorted_and_bounded);
    DV_TEST(&suite, relative_paths_are_fine);
    int status = dv_suite_run(&suite);
    remove_tree(folder);
    return status;
}
