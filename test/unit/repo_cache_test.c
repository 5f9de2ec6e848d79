/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "repo/cache_internal.h"
#include "testlib.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCOPE "0123456789abcdef"
#define OTHER "fedcba9876543210"
static const char url[] = "https://example.com/index.yaml";

/* A folder of its own, gone at the end. */
typedef struct {
    char path[64];
    dv_repo_cache *cache;
} fixture;

static fixture setup(size_t bytes_max)
{
    fixture f = {.path = "/tmp/davit-cache-XXXXXX"};

    assert_non_null(mkdtemp(f.path));
    f.cache = dv_repo_cache_new(f.path, bytes_max);
    return f;
}

static void teardown(fixture *f)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    dv_repo_cache_free(f->cache);
    assert_ok(dv_dir_list(f->path, 1000, &names));
    for (size_t i = 0; i < names.n; i++) {
        dv_auto_str path = dv_asprintf("%s/%s", f->path, names.at[i]);
        unlink(path);
    }
    rmdir(f->path);
}

static void put(dv_repo_cache *cache, const char *scope, const char *at, const char *text)
{
    char sha256[DV_SHA256_HEX + 1];

    dv_sha256_hex(dv_str_of(text), sha256);
    dv_repo_cache_put(cache, scope, at, "\"e\"", NULL, sha256, dv_str_of(text));
}

static bool has(dv_repo_cache *cache, const char *scope, const char *at, const char *text)
{
    DV_CLEANUP(dv_repo_cached_done) dv_repo_cached cached = {0};

    return dv_repo_cache_get(cache, scope, at, 1024, &cached) &&
           dv_str_is(dv_buf_str(&cached.bytes), text);
}

static size_t files(const fixture *f)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    assert_ok(dv_dir_list(f->path, 1000, &names));
    return names.n;
}

static char *only_file(const fixture *f)
{
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    assert_ok(dv_dir_list(f->path, 1000, &names));
    assert_int_equal(names.n, 1);
    return dv_asprintf("%s/%s", f->path, names.at[0]);
}

/* ---- What goes in comes out ---- */

static void bytes_and_validators_come_back(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(4096);
    DV_CLEANUP(dv_repo_cached_done) dv_repo_cached cached = {0};
    const dv_str bytes = {"a\0\nb", 4};
    char sha256[DV_SHA256_HEX + 1];

    dv_sha256_hex(bytes, sha256);
    dv_repo_cache_put(f.cache, SCOPE, url, "W/\"x\"", "Mon", sha256, bytes);
    assert_true(dv_repo_cache_get(f.cache, SCOPE, url, 4, &cached));
    assert_true(dv_str_eq(dv_buf_str(&cached.bytes), bytes));
    assert_string_equal(cached.etag, "W/\"x\"");
    assert_string_equal(cached.last_modified, "Mon");
    assert_string_equal(cached.sha256, sha256);
}

static void it_outlives_the_process(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(4096);

    put(f.cache, SCOPE, url, "text");
    size_t bytes = dv_repo_cache_bytes(f.cache);
    dv_repo_cache_free(f.cache);
    f.cache = dv_repo_cache_new(f.path, 4096);
    assert_true(has(f.cache, SCOPE, url, "text"));
    assert_int_equal(dv_repo_cache_bytes(f.cache), bytes);
}

static void the_newest_bytes_count(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(4096);

    put(f.cache, SCOPE, url, "old");
    put(f.cache, SCOPE, url, "new");
    assert_true(has(f.cache, SCOPE, url, "new"));
    assert_int_equal(files(&f), 1);
}

static void only_the_owner_may_read_it(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(4096);
    struct stat info;

    put(f.cache, SCOPE, url, "text");
    dv_auto_str path = only_file(&f);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* Two repositories of one URL may differ in what they are given. */
static void a_repository_does_not_read_anothers_files(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(4096);

    put(f.cache, SCOPE, url, "private");
    assert_false(has(f.cache, OTHER, url, "private"));
}

static void a_repository_is_forgotten_whole(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(4096);

    put(f.cache, SCOPE, url, "one");
    put(f.cache, SCOPE, "https://example.com/2", "two");
    put(f.cache, OTHER, url, "other");
    dv_repo_cache_drop_scope(f.cache, SCOPE);
    assert_int_equal(files(&f), 1);
    assert_true(has(f.cache, OTHER, url, "other"));
    dv_repo_cache_drop(f.cache, OTHER, url);
    assert_int_equal(files(&f), 0);
}

/* ---- Damage ---- */

static const struct damage {
    const char *name, *text; /* what is found in the file */
} damages[] = {
    {"an empty file is a miss", ""},
    {"a file without a head is a miss", "text"},
    {"a head that is no JSON is a miss", "{\ntext"},
    {"a head of another URL is a miss",
     "{\"url\":\"https://example.com/other\",\"sha256\":"
     "\"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\"}\ntext"},
    {"bytes of another digest are a miss",
     "{\"url\":\"https://example.com/index.yaml\",\"sha256\":"
     "\"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\"}\ntexT"},
    {"a file cut short is a miss",
     "{\"url\":\"https://example.com/index.yaml\",\"sha256\":"
     "\"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\"}\ntex"},
};

static void damage_is_a_miss(void **state)
{
    const struct damage *row = *state;
    DV_CLEANUP(teardown) fixture f = setup(4096);

    put(f.cache, SCOPE, url, "text");
    assert_true(has(f.cache, SCOPE, url, "text"));
    dv_auto_str path = only_file(&f);
    assert_ok(dv_file_write(path, dv_str_of(row->text), 0600, /* durable= */ false));
    assert_false(has(f.cache, SCOPE, url, "text"));
    assert_int_equal(files(&f), 0);
    put(f.cache, SCOPE, url, "text");
    assert_true(has(f.cache, SCOPE, url, "text"));
}

static void a_file_beyond_the_readers_limit_is_a_miss(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(1024 * 1024);
    dv_auto_str text = dv_calloc(1, 100 * 1024);

    memset(text, 'x', 100 * 1024 - 1);
    put(f.cache, SCOPE, url, text);
    assert_false(has(f.cache, SCOPE, url, text));
}

/* ---- Bounds ---- */

static void age(const fixture *f, const char *name)
{
    dv_auto_str path = dv_asprintf("%s/%s", f->path, name);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Both look old; one is read again and again. */
static void what_was_not_used_for_longest_leaves_first(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(2000);
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    put(f.cache, SCOPE, "https://example.com/a", "a");
    put(f.cache, SCOPE, "https://example.com/b", "b");
    assert_ok(dv_dir_list(f.path, 1000, &names));
    for (size_t i = 0; i < names.n; i++)
        age(&f, names.at[i]);
    for (size_t i = 0, before = 0; before < dv_repo_cache_bytes(f.cache); i++) {
        dv_auto_str at = dv_asprintf("https://example.com/%zu", i);
        before = dv_repo_cache_bytes(f.cache);
        put(f.cache, SCOPE, at, "x");
        assert_true(has(f.cache, SCOPE, "https://example.com/a", "a"));
    }
    assert_true(dv_repo_cache_bytes(f.cache) <= 2000);
    assert_false(has(f.cache, SCOPE, "https://example.com/b", "b"));
    assert_true(has(f.cache, SCOPE, "https://example.com/a", "a"));
}

static void the_limit_holds(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(4000);
    size_t bytes = 0;

    for (int i = 0; i < 100; i++) {
        dv_auto_str at = dv_asprintf("https://example.com/%d", i);
        put(f.cache, SCOPE, at, "some text");
        bytes = DV_MAX(bytes, dv_repo_cache_bytes(f.cache));
    }
    assert_in_range(bytes, 2000, 4000);
    assert_in_range(files(&f), 5, 30);
}

static void one_file_may_not_fill_it(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(400);
    dv_auto_str text = dv_calloc(1, 200);

    memset(text, 'x', 199);
    put(f.cache, SCOPE, url, text);
    assert_int_equal(files(&f), 0);
}

static void what_is_not_ours_stays(void **state)
{
    (void)state;
    DV_CLEANUP(teardown) fixture f = setup(1000);
    dv_auto_str path = dv_asprintf("%s/notes.txt", f.path);

    assert_ok(dv_file_write(path, DV_STR("mine"), 0600, /* durable= */ false));
    for (int i = 0; i < 20; i++) {
        dv_auto_str at = dv_asprintf("https://example.com/%d", i);
        put(f.cache, SCOPE, at, "some text");
    }
    dv_repo_cache_drop_scope(f.cache, SCOPE);
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(dv_repo_cache_bytes(f.cache), 0);
}

/* ---- Without a folder ---- */

static void without_a_folder_nothing_is_held(void **state)
{
    (void)state;
    dv_repo_cache *cache = dv_repo_cache_new(NULL, 1000);
    dv_repo_cache *impossible = dv_repo_cache_new("/dev/null/cache", 1000);

    put(cache, SCOPE, url, "text");
    put(impossible, SCOPE, url, "text");
    assert_false(has(cache, SCOPE, url, "text"));
    assert_false(has(impossible, SCOPE, url, "text"));
    dv_repo_cache_drop(cache, SCOPE, url);
    dv_repo_cache_drop_scope(cache, SCOPE);
    dv_repo_cache_free(cache);
    dv_repo_cache_free(impossible);
}

int main(void)
{
    dv_suite suite = {.name = "repo/cache"};

    DV_TEST(&suite, bytes_and_validators_come_back);
    DV_TEST(&suite, it_outlives_the_process);
    DV_TEST(&suite, the_newest_bytes_count);
    DV_TEST(&suite, only_the_owner_may_read_it);
    DV_TEST(&suite, a_repository_does_not_read_anothers_files);
    DV_TEST(&suite, a_repository_is_forgotten_whole);
    DV_TABLE(&suite, damage_is_a_miss, damages);
    DV_TEST(&suite, a_file_beyond_the_readers_limit_is_a_miss);
    DV_TEST(&suite, what_was_not_used_for_longest_leaves_first);
    DV_TEST(&suite, the_limit_holds);
    DV_TEST(&suite, one_file_may_not_fill_it);
    DV_TEST(&suite, what_is_not_ours_stays);
    DV_TEST(&suite, without_a_folder_nothing_is_held);
    return dv_suite_run(&suite);
}
