/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logs on stderr: msg is constant text, what varies is a key.
 *
 *     dv_info(ctx->log, "package applied", dv_s("digest", digest), dv_i("objects", n));
 *
 * Format JSON prints one object a line ({"ts","level","msg",…}); format text is for terminals.
 * Below pkg/runtime code returns errors and logs at debug only. An error is logged once, where
 * it stops travelling. Nothing here may be called with a lock held.
 *
 * Threads: any; a line is one write.
 */
#pragma once

#include "base/buf.h"

typedef enum { DV_LOG_DEBUG, DV_LOG_INFO, DV_LOG_WARN, DV_LOG_ERROR } dv_log_level;
typedef enum { DV_LOG_JSON, DV_LOG_TEXT } dv_log_format;

/* One key and its value; made by dv_s(), dv_i(), dv_e() for the call only. */
typedef struct {
    const char *key;
    const char *text; /* NULL: a number */
    int64_t number;
} dv_field;

static inline dv_field dv_s(const char *key, const char *text)
{
    return (dv_field){key, text ? text : "", 0};
}
static inline dv_field dv_i(const char *key, int64_t number)
{
    return (dv_field){key, NULL, number};
}
static inline dv_field dv_e(const dv_err *err)
{
    return (dv_field){"error", dv_err_str(err), 0};
}

/* A logger: fields that each of its lines carries. NULL is a valid logger without fields. */
typedef struct dv_log dv_log;

/* Owned; parent may be NULL, is borrowed until the child is freed. Copies the fields. */
dv_log *dv_log_with(const dv_log *parent, const dv_field *fields, size_t n);
#define DV_LOG_WITH(parent, ...)                                                                   \
    dv_log_with(parent, (const dv_field[]){__VA_ARGS__},                                           \
                sizeof((const dv_field[]){__VA_ARGS__}) / sizeof(dv_field))
void dv_log_free(dv_log *log);
DV_DEFINE_AUTO(dv_log)

/* Process-wide; call before threads start. Default: info, JSON unless stderr is a terminal. */
void dv_log_setup(dv_log_level level, dv_log_format format);
bool dv_log_enabled(dv_log_level level);
/* INVALID: not one of debug, info, warn, error. */
DV_MUST_USE dv_err *dv_log_level_parse(const char *text, dv_log_level *ret_level);

void dv_log_write(const dv_log *log, dv_log_level level, const char *msg, const dv_field *fields,
                  size_t n);
#define DV_LOG_AT(log, level, msg, ...)                                                            \
    do {                                                                                           \
        if (dv_log_enabled(level)) {                                                               \
            const dv_field fields_[] = {{NULL, NULL, 0}, ##__VA_ARGS__};                           \
            dv_log_write(log, level, msg, fields_ + 1, DV_LEN(fields_) - 1);                       \
        }                                                                                          \
    } while (0)
#define dv_debug(log, msg, ...) DV_LOG_AT(log, DV_LOG_DEBUG, msg, ##__VA_ARGS__)
#define dv_info(log, msg, ...) DV_LOG_AT(log, DV_LOG_INFO, msg, ##__VA_ARGS__)
#define dv_warn(log, msg, ...) DV_LOG_AT(log, DV_LOG_WARN, msg, ##__VA_ARGS__)
#define dv_error(log, msg, ...) DV_LOG_AT(log, DV_LOG_ERROR, msg, ##__VA_ARGS__)
