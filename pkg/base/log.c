/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"

/* What a line keeps free for its end; a value longer than its limit is cut. */
enum { LINE_END_BYTES = 64, VALUE_MAX_BYTES = 16 * 1024, FORMAT_UNSET = -1 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* Set once, before threads start. */
static _Atomic int least_level = DV_LOG_INFO;
static _Atomic int chosen_format = FORMAT_UNSET;

struct dv_log {
    const dv_log *parent;
    size_t n;
    dv_field fields[]; /* keys and texts are owned */
};

dv_log *dv_log_with(const dv_log *parent, const dv_field *fields, size_t n)
{
    dv_log *log = dv_calloc(1, sizeof(*log) + dv_size_mul(n, sizeof(dv_field)));

    log->parent = parent;
    log->n = n;
    for (size_t i = 0; i < n; i++)
        log->fields[i] =
            (dv_field){dv_strdup(fields[i].key), dv_strdup(fields[i].text), fields[i].number};
    return log;
}

void dv_log_free(dv_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->n; i++) {
        free((void *)(uintptr_t)log->fields[i].key);
        free((void *)(uintptr_t)log->fields[i].text);
    }
    free(log);
}

void dv_log_setup(dv_log_level level, dv_log_format format)
{
    least_level = level;
    chosen_format = format;
}

bool dv_log_enabled(dv_log_level level)
{
    return (int)level >= least_level;
}

dv_err *dv_log_level_parse(const char *text, dv_log_level *ret_level)
{
    for (size_t i = 0; i < DV_LEN(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (dv_log_level)i;
            return NULL;
        }
    }
    return dv_err_new(DV_INVALID, "BadLogLevel",
                      "\"%.64s\" is not a log level: debug, info, warn or error", text);
}

/* ---- Escaping: what is logged can neither break a line nor drive a terminal ---- */

/* The code point of a valid sequence of n bytes. */
static unsigned decode(const char *p, size_t n)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned code = (unsigned char)p[0] & first_bits[n];

    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3f);
    return code;
}

static void add_escaped(dv_buf *out, dv_str s)
{
    while (s.n) {
        size_t n = dv_utf8_len(s);
        unsigned code = n ? decode(s.p, n) : 0xfffd;

        if (code == '"' || code == '\\')
            dv_buf_addf(out, "\\%c", (int)code);
        else if (code == '\n')
            dv_buf_adds(out, "\\n");
        else if (code < 0x20 || (code >= 0x7f && code < 0xa0) || !n)
            dv_buf_addf(out, "\\u%04x", code);
        else
            dv_buf_add(out, s.p, n);
        s = dv_str_skip(s, n ? n : 1);
    }
}

static void add_quoted(dv_buf *out, const char *text)
{
    dv_buf_addc(out, '"');
    add_escaped(out, (dv_str){text, strnlen(text, VALUE_MAX_BYTES)});
    dv_buf_addc(out, '"');
}

/* ---- Lines ---- */

static void add_json_field(dv_buf *line, const dv_field *field)
{
    dv_buf_addc(line, ',');
    add_quoted(line, field->key);
    dv_buf_addc(line, ':');
    if (field->text)
        add_quoted(line, field->text);
    else
        dv_buf_addf(line, "%lld", (long long)field->number);
}

/* A text that a reader can't mistake for more than one word needs no quotes. */
static bool is_plain(const char *text)
{
    if (!text[0] || strnlen(text, VALUE_MAX_BYTES) == VALUE_MAX_BYTES)
        return false;
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at == '"' || *at == '\\' || *at == '=' || *at > '~')
            return false;
    return true;
}

static void add_text_field(dv_buf *line, const dv_field *field)
{
    dv_buf_addf(line, " %s=", field->key);
    if (!field->text)
        dv_buf_addf(line, "%lld", (long long)field->number);
    else if (is_plain(field->text))
        dv_buf_adds(line, field->text);
    else
        add_quoted(line, field->text);
}

typedef void add_field_fn(dv_buf *line, const dv_field *field);

/* A field that does not fit is left out whole; false then. */
static bool add_fields(dv_buf *line, const dv_field *fields, size_t n, add_field_fn *add)
{
    for (size_t i = 0; i < n; i++) {
        size_t before = line->n;

        add(line, &fields[i]);
        if (line->overflow) {
            dv_buf_cut(line, before);
            line->overflow = false;
            return false;
        }
    }
    return true;
}

/* The outermost logger's fields first. Chains are as long as the code nests loggers. */
static bool add_logger(dv_buf *line, const dv_log *log, add_field_fn *add)
{
    if (!log)
        return true;
    return add_logger(line, log->parent, add) && add_fields(line, log->fields, log->n, add);
}

/* RFC 3339 with milliseconds. */
static void add_now(dv_buf *line)
{
    const dv_clock *clock = dv_clock_real();

    dv_time_add_micro(line, clock->unix_us(clock));
    dv_buf_cut(line, line->n - strlen("000Z"));
    dv_buf_addc(line, 'Z');
}

static void start_json(dv_buf *line, dv_log_level level, const char *msg)
{
    dv_buf_adds(line, "{\"ts\":\"");
    add_now(line);
    dv_buf_addf(line, "\",\"level\":\"%s\",\"msg\":", level_names[level]);
    add_quoted(line, msg);
}

static void start_text(dv_buf *line, dv_log_level level, const char *msg)
{
    static const char *const colours[] = {"\033[90m", "\033[36m", "\033[33m", "\033[31m"};
    static const char *const names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    const char *no_color = getenv("NO_COLOR");
    bool colour = isatty(STDERR_FILENO) && !(no_color && no_color[0]);

    add_now(line);
    dv_buf_addf(line, " %s%s%s ", colour ? colours[level] : "", names[level],
                colour ? "\033[0m" : "");
    add_escaped(line, (dv_str){msg, strnlen(msg, VALUE_MAX_BYTES)});
}

/* One write, so that lines of several threads do not mix; there is nobody to tell of a failure. */
static void emit(dv_str line)
{
    while (line.n) {
        ssize_t put = write(STDERR_FILENO, line.p, line.n);

        if (put < 0 && errno != EINTR)
            return;
        line = dv_str_skip(line, put > 0 ? (size_t)put : 0);
    }
}

static bool is_json(void)
{
    int format = chosen_format;

    return format == FORMAT_UNSET ? !isatty(STDERR_FILENO) : format == DV_LOG_JSON;
}

void dv_log_write(const dv_log *log, dv_log_level level, const char *msg, const dv_field *fields,
                  size_t n)
{
    DV_CLEANUP(dv_buf_done) dv_buf line = DV_BUF_INIT(DV_LINE_MAX - LINE_END_BYTES);
    bool json = is_json();
    add_field_fn *add = json ? add_json_field : add_text_field;

    (json ? start_json : start_text)(&line, level, msg);
    bool whole = add_logger(&line, log, add) && add_fields(&line, fields, n, add);
    line.limit = DV_LINE_MAX;
    if (!whole)
        add(&line, &(dv_field){"truncated", NULL, 1});
    dv_buf_adds(&line, json ? "}\n" : "\n");
    emit(dv_buf_str(&line));
}
