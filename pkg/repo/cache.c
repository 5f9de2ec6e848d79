/* SPDX-License-Identifier: Apache-2.0 */
#include "repo/cache_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sync.h"
#include "json/json.h"

enum {
    NAME_BYTES = DV_REPO_SCOPE_HEX + 1 + DV_SHA256_HEX,
    HEAD_BYTES_MAX = 16 * 1024,
    FILE_MODE = 0600,
};
/* Of the limit, what stays when old files are removed: not one by one at each write. */
enum { KEPT_OF_FOUR = 3 };

struct dv_repo_cache {
    char *dir; /* NULL: none */
    size_t bytes_max;
    pthread_mutex_t mu; /* all below */
    size_t bytes, files;
    bool pruning;
};

void dv_repo_cached_done(dv_repo_cached *cached)
{
    dv_buf_done(&cached->bytes);
    free(cached->etag);
    free(cached->last_modified);
    *cached = (dv_repo_cached){0};
}

/* ---- Names ---- */

static bool is_hex(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
            return false;
    return true;
}

/* The folder may hold what is not ours; that is never counted nor removed. */
static bool is_ours(const char *name)
{
    return strnlen(name, NAME_BYTES + 1) == NAME_BYTES && is_hex(name, DV_REPO_SCOPE_HEX) &&
           name[DV_REPO_SCOPE_HEX] == '-' && is_hex(name + DV_REPO_SCOPE_HEX + 1, DV_SHA256_HEX);
}

/* Owned. */
static char *path_of(const dv_repo_cache *cache, const char *scope, const char *url)
{
    char hex[DV_SHA256_HEX + 1];

    dv_sha256_hex(dv_str_of(url), hex);
    return dv_asprintf("%s/%s-%s", cache->dir, scope, hex);
}

/* ---- Room ---- */

typedef struct {
    char name[NAME_BYTES + 1];
    size_t bytes;
    struct timespec used;
} file;
typedef DV_VEC(file) files;

static void files_done(files *list)
{
    dv_vec_done(list);
}

static void close_folder(DIR **at)
{
    if (*at)
        closedir(*at);
}

/* All of ours with this prefix. */
static size_t list_files(const dv_repo_cache *cache, const char *prefix, files *ret_files)
{
    DV_CLEANUP(close_folder) DIR *folder = opendir(cache->dir);
    struct dirent *entry;
    size_t bytes = 0;

    while (folder && (entry = readdir(folder))) {
        struct stat info;

        if (!is_ours(entry->d_name) || strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        file *found = dv_vec_push(ret_files);
        memcpy(found->name, entry->d_name, sizeof(found->name));
        found->bytes = (size_t)info.st_size;
        found->used = info.st_mtim;
        bytes += found->bytes;
    }
    return bytes;
}

static int by_use(const void *a, const void *b)
{
    const file *x = a, *y = b;

    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec)
        return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void remove_file(const dv_repo_cache *cache, const char *name)
{
    dv_auto_str path = dv_asprintf("%s/%s", cache->dir, name);

    unlink(path);
}

static void set_counts(dv_repo_cache *cache, size_t bytes, size_t n)
{
    DV_LOCK_SCOPE(&cache->mu);
    cache->bytes = bytes;
    cache->files = n;
    cache->pruning = false;
}

/* Counts what there is; with `room`, removes the least recently used until there is some. */
static void survey(dv_repo_cache *cache, bool room)
{
    DV_CLEANUP(files_done) files list = {0};
    size_t bytes = list_files(cache, "", &list), left = list.n;

    if (list.n)
        qsort(list.at, list.n, sizeof(list.at[0]), by_use);
    for (size_t i = 0; room && i < list.n; i++) {
        if (bytes <= cache->bytes_max / 4 * KEPT_OF_FOUR &&
            left <= DV_REPO_CACHE_FILES_MAX / 4 * KEPT_OF_FOUR)
            break;
        remove_file(cache, list.at[i].name);
        bytes -= list.at[i].bytes;
        left--;
    }
    set_counts(cache, bytes, left);
}

/* Counts n more bytes; true: somebody must make room, and that is the caller. */
static bool claim(dv_repo_cache *cache, size_t n)
{
    DV_LOCK_SCOPE(&cache->mu);
    cache->bytes += n;
    cache->files++;
    if (cache->pruning ||
        (cache->bytes <= cache->bytes_max && cache->files <= DV_REPO_CACHE_FILES_MAX))
        return false;
    cache->pruning = true;
    return true;
}

/* ---- The cache ---- */

dv_repo_cache *dv_repo_cache_new(const char *dir, size_t bytes_max)
{
    dv_repo_cache *cache = DV_NEW(dv_repo_cache);

    cache->bytes_max = bytes_max;
    pthread_mutex_init(&cache->mu, NULL);
    if (!dir)
        return cache;
    dv_auto(dv_err) err = dv_dir_make(dir);
    if (err)
        return cache;
    cache->dir = dv_strdup(dir);
    survey(cache, /* room= */ false);
    return cache;
}

void dv_repo_cache_free(dv_repo_cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_destroy(&cache->mu);
    free(cache->dir);
    free(cache);
}

size_t dv_repo_cache_bytes(dv_repo_cache *cache)
{
    DV_LOCK_SCOPE(&cache->mu);
    return cache->bytes;
}

/* Whether this is what was written, for this URL. */
static bool open_entry(dv_str file_bytes, const char *url, dv_repo_cached *cached)
{
    dv_str head, content = dv_str_cut(file_bytes, '\n', &head);
    json_auto_t *json = NULL;

    if (!content.p)
        return false;
    dv_auto(dv_err) damaged = dv_json_read(head, &json);
    dv_sha256_hex(content, cached->sha256);
    if (damaged || !dv_str_is(dv_json_view(json, "/url"), url) ||
        !dv_str_is(dv_json_view(json, "/sha256"), cached->sha256))
        return false;
    cached->etag = dv_strdup(dv_json_str(json, "/etag"));
    cached->last_modified = dv_strdup(dv_json_str(json, "/lastModified"));
    dv_buf_init(&cached->bytes, content.n + 1);
    dv_buf_add_str(&cached->bytes, content);
    return true;
}

bool dv_repo_cache_get(dv_repo_cache *cache, const char *scope, const char *url, size_t bytes_max,
                       dv_repo_cached *ret_cached)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT(bytes_max + HEAD_BYTES_MAX);
    DV_CLEANUP(dv_repo_cached_done) dv_repo_cached cached = {0};

    if (!cache->dir)
        return false;
    dv_auto_str path = path_of(cache, scope, url);
    dv_auto(dv_err) absent = dv_file_read(path, &bytes);
    if (absent)
        return false;
    if (!open_entry(dv_buf_str(&bytes), url, &cached)) {
        unlink(path);
        return false;
    }
    utimensat(AT_FDCWD, path, NULL, 0); /* used just now */
    *ret_cached = cached;
    cached = (dv_repo_cached){0};
    return true;
}

void dv_repo_cache_put(dv_repo_cache *cache, const char *scope, const char *url, const char *etag,
                       const char *last_modified, const char *sha256, dv_str bytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(bytes.n + HEAD_BYTES_MAX);
    json_auto_t *head = json_object();

    if (!cache->dir || bytes.n > cache->bytes_max / 4)
        return;
    dv_json_put_str(head, "url", url);
    dv_json_put_str(head, "etag", etag);
    dv_json_put_str(head, "lastModified", last_modified);
    dv_json_put_str(head, "sha256", sha256);
    dv_json_write(head, &text);
    dv_buf_addc(&text, '\n');
    dv_buf_add_str(&text, bytes);
    if (text.overflow)
        return;
    dv_auto_str path = path_of(cache, scope, url);
    dv_auto(dv_err) unwritten =
        dv_file_write(path, dv_buf_str(&text), FILE_MODE, /* durable= */ false);
    if (!unwritten && claim(cache, text.n))
        survey(cache, /* room= */ true);
}

void dv_repo_cache_drop(dv_repo_cache *cache, const char *scope, const char *url)
{
    if (!cache->dir)
        return;
    dv_auto_str path = path_of(cache, scope, url);
    unlink(path);
}

void dv_repo_cache_drop_scope(dv_repo_cache *cache, const char *scope)
{
    DV_CLEANUP(files_done) files list = {0};

    if (!cache->dir)
        return;
    list_files(cache, scope, &list);
    for (size_t i = 0; i < list.n; i++)
        remove_file(cache, list.at[i].name);
    survey(cache, /* room= */ false);
}
