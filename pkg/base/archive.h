/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression. The door to zlib and libarchive.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

/* Appends bytes as one gzip member (RFC 1952), time 0, level 6: equal input, equal output. */
void dv_gzip_add(dv_buf *out, dv_str bytes);
/* Appends the expanded bytes of all members; out's limit bounds them. INVALID: damaged, or too
 * large. */
DV_MUST_USE dv_err *dv_gunzip(dv_str bytes, dv_buf *out);
