/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/fetch_internal.h"

enum { CHUNK_BYTES = 16 * 1024 };

/* Keeps errno, which is often still to be read. */
static void close_fd(int *fd)
{
    int error = errno;

    if (*fd >= 0)
        close(*fd);
    errno = error;
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The parser has checked that each '%' has its two digits and makes no NUL. */
static void add_decoded(dv_buf *out, dv_str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '%') {
            dv_buf_addc(out, (char)(hex_digit(path.p[i + 1]) << 4 | hex_digit(path.p[i + 2])));
            i += 2;
        } else {
            dv_buf_addc(out, path.p[i]);
        }
    }
}

/* What stands behind root in path; empty when path is not below it. */
static dv_str below(dv_str path, dv_str root)
{
    while (root.n && root.p[root.n - 1] == '/')
        root.n--;
    if (!dv_str_starts(path, root) || path.n <= root.n || path.p[root.n] != '/')
        return (dv_str){0};
    path = dv_str_skip(path, root.n);
    while (path.n && path.p[0] == '/')
        path = dv_str_skip(path, 1);
    return path;
}

/*
 * The kernel resolves the path, symbolic links too, and refuses it at the first step out of the
 * root: nothing can be swapped between a check and the opening. -1 with errno.
 */
static int open_beneath(const char *root, const char *relative)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    DV_CLEANUP(close_fd) int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return -1;
    return (int)syscall(SYS_openat2, folder, relative, &how, sizeof(how));
}

static dv_err *open_error(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return dv_err_new(DV_NOT_FOUND, "FileNotFound", "no such file");
    case EXDEV:
    case ELOOP:
        return dv_err_new(DV_DENIED, "FileNotAllowed", "the file leaves its allowed root");
    case EACCES:
    case EPERM:
        return dv_err_new(DV_DENIED, "FileNotAllowed", "the file may not be read");
    default:
        return dv_err_new(DV_TRANSIENT, "FileUnreadable", "the file can't be opened: %s",
                          strerrordesc_np(error));
    }
}

static dv_err *too_large(size_t limit)
{
    return dv_err_new(DV_INVALID, "ResponseTooLarge",
                      "the file is longer than the limit of %zu bytes", limit);
}

static dv_err *read_all(int fd, dv_buf *out)
{
    char chunk[CHUNK_BYTES];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n == 0)
            return NULL;
        if (n < 0 && errno != EINTR)
            return open_error(errno);
        if (n > 0)
            dv_buf_add(out, chunk, (size_t)n);
        if (out->overflow)
            return too_large(out->limit);
    }
}

/* As an ETag: changes whenever the content may have. */
static char *file_etag(const struct stat *at)
{
    return dv_asprintf("\"%llx-%llx-%llx.%lx\"", (unsigned long long)at->st_ino,
                       (unsigned long long)at->st_size, (unsigned long long)at->st_mtim.tv_sec,
                       (unsigned long)at->st_mtim.tv_nsec);
}

static dv_err *read_open(int fd, const char *etag, size_t body_max, dv_fetch_result *result)
{
    struct stat at;

    if (fstat(fd, &at) < 0)
        return open_error(errno);
    if (!S_ISREG(at.st_mode))
        return dv_err_new(DV_NOT_FOUND, "FileNotFound", "not a regular file");
    result->etag = file_etag(&at);
    if (etag && strcmp(etag, result->etag) == 0) {
        result->not_modified = true;
        return NULL;
    }
    if ((uint64_t)at.st_size > body_max)
        return too_large(body_max);
    return read_all(fd, &result->body);
}

dv_err *dv_fetch_file(const dv_fetcher *fetcher, const dv_url *url, const char *etag,
                      size_t body_max, dv_fetch_result *result)
{
    DV_CLEANUP(dv_buf_done) dv_buf path = DV_BUF_INIT(DV_URL_MAX);

    add_decoded(&path, url->path);
    for (size_t i = 0; i < fetcher->file_roots.n; i++) {
        const char *root = fetcher->file_roots.at[i];
        dv_str relative = below(dv_buf_str(&path), dv_str_of(root));

        if (relative.n == 0)
            continue;
        DV_CLEANUP(close_fd) int fd = open_beneath(root, relative.p);
        return fd < 0 ? open_error(errno) : read_open(fd, etag, body_max, result);
    }
    return dv_err_new(DV_DENIED, "FileNotAllowed", "the file is below no allowed root");
}
