/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files and folders.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"
#include "base/vec.h"

/* Appends the content; out's limit bounds it. NOT_FOUND: no such file. INVALID: too large or not a
 * regular file. TRANSIENT: could not be read. */
DV_MUST_USE dv_err *dv_file_read(const char *path, dv_buf *out);
/* Replaces path at once: temporary file in the same folder, fsync when durable, rename. mode as
 * open(2). */
DV_MUST_USE dv_err *dv_file_write(const char *path, dv_str bytes, unsigned mode, bool durable);
/* Makes path and its parents (mode 0700); one that is there is fine. */
DV_MUST_USE dv_err *dv_dir_make(const char *path);
/* The names in a folder, sorted, without "." and ".."; at most limit (INVALID beyond). */
DV_MUST_USE dv_err *dv_dir_list(const char *path, size_t limit, dv_strings *ret_names);
