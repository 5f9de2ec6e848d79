/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"

enum { CHUNK_BYTES = 16 * 1024 };

/* Keeps errno, which is often still to be read. */
static void close_fd(int *fd)
{
    int error = errno;

    if (*fd >= 0)
        close(*fd);
    errno = error;
}

static dv_err *failed(const char *doing, const char *path, int error)
{
    bool absent = error == ENOENT || error == ENOTDIR;

    return dv_err_new(absent ? DV_NOT_FOUND : DV_TRANSIENT, absent ? "NotFound" : "FileFailed",
                      "%s %s: %s", doing, path, strerrordesc_np(error));
}

/* ---- Reading ---- */

static dv_err *open_regular(const char *path, int *ret_fd)
{
    /* Without O_NONBLOCK a FIFO would hold us before we can refuse it. */
    DV_CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return failed("read", path, errno);
    if (!S_ISREG(st.st_mode))
        return dv_err_new(DV_INVALID, "NotAFile", "%s is not a regular file", path);
    *ret_fd = fd;
    fd = -1;
    return NULL;
}

static dv_err *read_all(int fd, const char *path, dv_buf *out)
{
    char chunk[CHUNK_BYTES];

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));

        if (got == 0)
            return NULL;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed("read", path, errno);
        dv_buf_add(out, chunk, (size_t)got);
        DV_TRY(dv_buf_check(out), "read %s", path);
    }
}

dv_err *dv_file_read(const char *path, dv_buf *out)
{
    DV_CLEANUP(close_fd) int fd = -1;
    size_t before = out->n;

    DV_CHECK(open_regular(path, &fd));
    dv_err *err = read_all(fd, path, out);
    if (err)
        dv_buf_cut(out, before);
    return err;
}

/* ---- Writing ---- */

/* The folder part of path, "." where it has none; owned. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return dv_strdup(".");
    return slash == path ? dv_strdup("/") : dv_strndup(path, (size_t)(slash - path));
}

static bool write_all(int fd, dv_str bytes)
{
    while (bytes.n) {
        ssize_t put = write(fd, bytes.p, bytes.n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes = dv_str_skip(bytes, (size_t)put);
    }
    return true;
}

static bool sync_folder(const char *folder)
{
    DV_CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && fsync(fd) == 0;
}

/* False leaves errno; what is at temporary may exist then. */
static bool write_temporary(const char *temporary, dv_str bytes, unsigned mode, bool durable)
{
    DV_CLEANUP(close_fd) int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    return fd >= 0 && write_all(fd, bytes) && (!durable || fsync(fd) == 0);
}

dv_err *dv_file_write(const char *path, dv_str bytes, unsigned mode, bool durable)
{
    dv_auto_str folder = folder_of(path);
    uint64_t unique;

    dv_random_bytes(&unique, sizeof(unique));
    dv_auto_str temporary =
        dv_asprintf("%s/.davit-%016llx.tmp", folder, (unsigned long long)unique);
    if (!write_temporary(temporary, bytes, mode, durable) || rename(temporary, path) != 0) {
        int error = errno;

        unlink(temporary);
        return failed("write", path, error);
    }
    if (durable && !sync_folder(folder))
        return failed("write", path, errno);
    return NULL;
}

/* ---- Folders ---- */

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static dv_err *make_one(const char *path)
{
    if (mkdir(path, 0700) == 0 || is_folder(path))
        return NULL;
    return failed("make folder", path, errno);
}

dv_err *dv_dir_make(const char *path)
{
    dv_auto_str prefix = dv_strdup(path);

    for (char *at = prefix + (prefix[0] == '/'); (at = strchr(at, '/')); at++) {
        *at = '\0';
        dv_err *err = at[1] && prefix[0] ? make_one(prefix) : NULL;
        *at = '/';
        if (err)
            return err;
    }
    return make_one(path);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static dv_err *list_into(DIR *dir, const char *path, size_t limit, dv_strings *names)
{
    const struct dirent *entry;

    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names->n >= limit)
            return dv_err_new(DV_INVALID, "TooLarge", "%s holds more than %zu entries", path,
                              limit);
        dv_strings_add(names, entry->d_name);
    }
    return errno ? failed("list", path, errno) : NULL;
}

dv_err *dv_dir_list(const char *path, size_t limit, dv_strings *ret_names)
{
    DV_CLEANUP(close_dir) DIR *dir = opendir(path);
    DV_CLEANUP(dv_strings_done) dv_strings names = {0};

    if (!dir)
        return failed("list", path, errno);
    DV_CHECK(list_into(dir, path, limit, &names));
    dv_strings_sort(&names);
    *ret_names = names;
    names = (dv_strings){0};
    return NULL;
}
