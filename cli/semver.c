/* SPDX-License-Identifier: Apache-2.0 */
/*
 * davit semver check, davit semver compare: lines in, one word a line out.
 *
 * A line is all up to the newline, nothing trimmed; the first tab separates. Reading and writing go
 * by blocks. A line longer than a block is longer than any version or constraint may be, so it is
 * answered "error" without having been kept.
 */
#include <errno.h>
#include <unistd.h>

#include "offline.h"
#include "semver/constraint.h"

enum { BLOCK_BYTES = 64 * 1024, WORD_BYTES_MAX = 8 };

typedef dv_str (*answerer)(void *memory, dv_str left, dv_str right);

typedef struct {
    answerer answer;
    void *memory;
    char in[BLOCK_BYTES], out[BLOCK_BYTES];
    size_t in_n, out_n;
    bool skipping; /* within a line that is too long */
} stream;

/* ---- Answers ---- */

/* The constraint of the line before: files tend to ask one of many versions. */
typedef struct {
    char text[DV_CONSTRAINT_MAX_BYTES];
    size_t n;
    bool known;
    dv_constraint *constraint; /* NULL: it is none */
} last_constraint;

static const dv_constraint *constraint_of(last_constraint *last, dv_str text)
{
    if (text.n > sizeof(last->text))
        return NULL;
    if (last->known && dv_str_eq((dv_str){last->text, last->n}, text))
        return last->constraint;
    dv_constraint_free(DV_TAKE(last->constraint));
    dv_err_free(dv_constraint_parse(text, &last->constraint));
    memcpy(last->text, text.p, text.n);
    last->n = text.n;
    last->known = true;
    return last->constraint;
}

static dv_str answer_check(void *memory, dv_str left, dv_str right)
{
    dv_version version;
    const dv_constraint *constraint;

    if (!dv_version_is(right, &version))
        return DV_STR("error\n");
    constraint = constraint_of(memory, left);
    if (!constraint)
        return DV_STR("error\n");
    return dv_constraint_accepts(constraint, &version) ? DV_STR("true\n") : DV_STR("false\n");
}

static dv_str answer_compare(void *memory, dv_str left, dv_str right)
{
    static const dv_str words[] = {DV_STR("-1\n"), DV_STR("0\n"), DV_STR("1\n")};
    dv_version a, b;

    (void)memory;
    if (!dv_version_is(left, &a) || !dv_version_is(right, &b))
        return DV_STR("error\n");
    return words[dv_version_cmp(&a, &b) + 1];
}

/* ---- Lines ---- */

static dv_err *flush(stream *s)
{
    size_t n = s->out_n;

    s->out_n = 0;
    return cli_print((dv_str){s->out, n});
}

static dv_err *put(stream *s, dv_str word)
{
    if (s->out_n + WORD_BYTES_MAX > sizeof(s->out))
        DV_CHECK(flush(s));
    memcpy(s->out + s->out_n, word.p, word.n);
    s->out_n += word.n;
    return NULL;
}

static dv_err *take_line(stream *s, dv_str line)
{
    const char *tab = s->skipping ? NULL : memchr(line.p, '\t', line.n);

    s->skipping = false;
    if (!tab)
        return put(s, DV_STR("error\n"));
    size_t left = (size_t)(tab - line.p);
    return put(s, s->answer(s->memory, dv_str_head(line, left), dv_str_skip(line, left + 1)));
}

/* Answers the whole lines of the block, and moves what is left to its beginning. */
static dv_err *take_block(stream *s)
{
    dv_str rest = {s->in, s->in_n};
    const char *end;

    while (rest.n && (end = memchr(rest.p, '\n', rest.n))) {
        size_t n = (size_t)(end - rest.p);

        DV_CHECK(take_line(s, dv_str_head(rest, n)));
        rest = dv_str_skip(rest, n + 1);
    }
    if (rest.n == sizeof(s->in)) {
        s->skipping = true;
        rest.n = 0;
    }
    if (rest.n)
        memmove(s->in, rest.p, rest.n);
    s->in_n = rest.n;
    return NULL;
}

static dv_err *read_block(stream *s, bool *ret_end)
{
    ssize_t got;

    do
        got = read(STDIN_FILENO, s->in + s->in_n, sizeof(s->in) - s->in_n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return dv_err_new(DV_TRANSIENT, "ReadFailed", "read standard input: %s",
                          strerrordesc_np(errno));
    s->in_n += (size_t)got;
    *ret_end = got == 0;
    return NULL;
}

/* Whoever asks line by line gets each answer before the next question is waited for. */
static dv_err *answer_all(stream *s)
{
    for (bool end = false;;) {
        DV_CHECK(read_block(s, &end));
        if (end)
            break;
        DV_CHECK(take_block(s));
        DV_CHECK(flush(s));
    }
    if (s->in_n || s->skipping)
        DV_CHECK(take_line(s, (dv_str){s->in, s->in_n}));
    return flush(s);
}

static dv_err *run_stream(answerer answer, void *memory)
{
    DV_CLEANUP(dv_freep) stream *s = DV_NEW(stream);

    s->answer = answer;
    s->memory = memory;
    return answer_all(s);
}

dv_err *cli_semver_check(const cli_call *call, cli_exit *ret_exit)
{
    last_constraint last = {.n = 0};

    (void)call;
    (void)ret_exit;
    dv_err *err = run_stream(answer_check, &last);
    dv_constraint_free(last.constraint);
    return err;
}

dv_err *cli_semver_compare(const cli_call *call, cli_exit *ret_exit)
{
    (void)call;
    (void)ret_exit;
    return run_stream(answer_compare, NULL);
}
