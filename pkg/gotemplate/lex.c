/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/lex_internal.h"

#include <stdarg.h>

#include "gotemplate/format.h"
#include "base/unicode.h"

enum { RUNE_EOF = -1, MESSAGE_MAX = 4096 };

#define LEFT DV_STR("{{")
#define RIGHT DV_STR("}}")

void dv_lex_init(lexer *l, dv_str input, dv_arena *arena)
{
    *l = (lexer){.input = input, .arena = arena, .line = 1, .start_line = 1};
}

/* ---- Moving ---- */

static dv_str rest_of(const lexer *l)
{
    return dv_str_skip(l->input, l->pos);
}

static int32_t next(lexer *l)
{
    dv_str rest = rest_of(l);

    if (!rest.n) {
        l->at_eof = true;
        return RUNE_EOF;
    }
    size_t before = rest.n;
    int32_t rune = (int32_t)dv_rune_take(&rest);
    l->pos += (uint32_t)(before - rest.n);
    l->line += rune == '\n';
    return rune;
}

static int32_t peek(const lexer *l)
{
    dv_str rest = rest_of(l);

    return rest.n ? (int32_t)dv_rune_take(&rest) : RUNE_EOF;
}

/* Undoes a next() that gave this rune; at the end there is nothing to undo. */
static void backup(lexer *l, uint32_t pos_before, int32_t rune)
{
    l->pos = pos_before;
    l->line -= rune == '\n';
}

static item take_item(lexer *l, item_type type)
{
    item i = {type, l->start, l->start_line, {l->input.p + l->start, l->pos - l->start}};

    l->start = l->pos;
    l->start_line = l->line;
    return i;
}

static uint32_t count_lines(const lexer *l)
{
    uint32_t n = 0;

    for (uint32_t i = l->start; i < l->pos; i++)
        n += l->input.p[i] == '\n';
    return n;
}

/* Passes over what next() did not see. */
static void ignore(lexer *l)
{
    l->line += count_lines(l);
    l->start = l->pos;
    l->start_line = l->line;
}

static item fail(lexer *l, const char *format, ...) DV_PRINTF(2, 3);
static item fail(lexer *l, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    item i = {ITEM_ERROR, l->start, l->start_line,
              dv_str_of(dv_arena_dup(l->arena, dv_str_of(text)))};
    l->start = l->pos = 0;
    l->input.n = 0;
    return i;
}

/* ---- Classes ---- */

static bool is_space(int32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_alphanumeric(int32_t c)
{
    return c == '_' ||
           (c >= 0 && (dv_rune_is_letter((uint32_t)c) || dv_rune_is_digit((uint32_t)c)));
}

static bool has_left_trim(dv_str s)
{
    return s.n >= 2 && s.p[0] == '-' && is_space(s.p[1]);
}

static bool has_right_trim(dv_str s)
{
    return s.n >= 2 && is_space(s.p[0]) && s.p[1] == '-';
}

static bool at_right_delim(const lexer *l, bool *ret_trim)
{
    dv_str rest = rest_of(l);

    *ret_trim = has_right_trim(rest) && dv_str_starts(dv_str_skip(rest, 2), RIGHT);
    return *ret_trim || dv_str_starts(rest, RIGHT);
}

/* What may follow a word. */
static bool at_terminator(const lexer *l)
{
    int32_t c = peek(l);

    return is_space(c) || c == RUNE_EOF || (c < 0x80 && c > 0 && strchr(".,|:)(", c)) ||
           dv_str_starts(rest_of(l), RIGHT);
}

/* "U+002D '-'": Go's %#U. */
static item bad_character(lexer *l, const char *what, int32_t c)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(64);

    dv_format_rune(&text, (uint32_t)c);
    return fail(l, "%s%s", what, dv_buf_cstr(&text));
}

/* Go's %q of what was read so far, in a message. */
static item bad_number(lexer *l)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(MESSAGE_MAX);

    dv_quote(&text, (dv_str){l->input.p + l->start, l->pos - l->start});
    return fail(l, "bad number syntax: %s", dv_buf_cstr(&text));
}

/* ---- Text and delimiters ---- */

static size_t trailing_blanks(dv_str s)
{
    size_t n = 0;

    while (n < s.n && is_space(s.p[s.n - 1 - n]))
        n++;
    return n;
}

static void skip_blanks(lexer *l)
{
    while (l->pos < l->input.n && is_space(l->input.p[l->pos]))
        l->pos++;
}

/* Past a comment and its right delimiter; true: an error stands in *ret_item. */
static bool lex_comment(lexer *l, item *ret_item)
{
    dv_str rest;
    bool trim;

    l->pos += 2;
    rest = rest_of(l);
    const char *end = rest.n ? memmem(rest.p, rest.n, "*/", 2) : NULL;
    if (!end) {
        *ret_item = fail(l, "unclosed comment");
        return true;
    }
    l->pos += (uint32_t)(end - rest.p) + 2;
    if (!at_right_delim(l, &trim)) {
        *ret_item = fail(l, "comment ends before closing delimiter");
        return true;
    }
    l->line += count_lines(l);
    take_item(l, ITEM_TEXT);
    l->pos += trim ? 4 : 2;
    if (trim)
        skip_blanks(l);
    ignore(l);
    return false;
}

/* At "{{": a comment is passed over (false), else *ret_item is the delimiter or an error. */
static bool lex_left_delim(lexer *l, item *ret_item)
{
    l->pos += 2;
    uint32_t marker = has_left_trim(rest_of(l)) ? 2 : 0;
    if (dv_str_starts(dv_str_skip(rest_of(l), marker), DV_STR("/*"))) {
        l->pos += marker;
        ignore(l);
        return lex_comment(l, ret_item);
    }
    *ret_item = take_item(l, ITEM_LEFT_DELIM);
    l->inside_action = true;
    l->pos += marker;
    ignore(l);
    l->parens = 0;
    return true;
}

/* The text before an action, which may trim it; false: there is none. */
static bool lex_text(lexer *l, size_t n, item *ret_item)
{
    size_t trim = 0;

    l->pos += (uint32_t)n;
    if (has_left_trim(dv_str_skip(rest_of(l), 2)))
        trim = trailing_blanks((dv_str){l->input.p + l->start, l->pos - l->start});
    l->pos -= (uint32_t)trim;
    l->line += count_lines(l);
    *ret_item = take_item(l, ITEM_TEXT);
    l->pos += (uint32_t)trim;
    ignore(l);
    return ret_item->text.n > 0;
}

static item lex_outside(lexer *l)
{
    item i;

    for (;;) {
        dv_str rest = rest_of(l);
        const char *left = rest.n ? memmem(rest.p, rest.n, LEFT.p, LEFT.n) : NULL;

        if (!left) {
            l->pos = (uint32_t)l->input.n;
            if (l->pos == l->start)
                return take_item(l, ITEM_EOF);
            l->line += count_lines(l);
            return take_item(l, ITEM_TEXT);
        }
        if (left > rest.p && lex_text(l, (size_t)(left - rest.p), &i))
            return i;
        if (lex_left_delim(l, &i))
            return i;
    }
}

static item lex_right_delim(lexer *l)
{
    bool trim;
    item i;

    at_right_delim(l, &trim);
    if (trim) {
        l->pos += 2;
        ignore(l);
    }
    l->pos += 2;
    i = take_item(l, ITEM_RIGHT_DELIM);
    if (trim) {
        skip_blanks(l);
        ignore(l);
    }
    l->inside_action = false;
    return i;
}

/* ---- Words ---- */

/* Takes care of the blank that belongs to " -}}". */
static item lex_space(lexer *l)
{
    unsigned count = 0;

    for (; is_space(peek(l)); count++)
        next(l);
    dv_str tail = dv_str_skip(l->input, l->pos - 1);
    if (has_right_trim(tail) && dv_str_starts(dv_str_skip(tail, 2), RIGHT)) {
        backup(l, l->pos - 1, tail.p[0]);
        if (count == 1)
            return lex_right_delim(l);
    }
    return take_item(l, ITEM_SPACE);
}

static item_type keyword(dv_str word)
{
    static const struct {
        dv_str word;
        item_type type;
    } keywords[] = {
        {DV_STR("if"), ITEM_IF},
        {DV_STR("end"), ITEM_END},
        {DV_STR("else"), ITEM_ELSE},
        {DV_STR("with"), ITEM_WITH},
        {DV_STR("range"), ITEM_RANGE},
        {DV_STR("define"), ITEM_DEFINE},
        {DV_STR("template"), ITEM_TEMPLATE},
        {DV_STR("nil"), ITEM_NIL},
        {DV_STR("block"), ITEM_BLOCK},
        {DV_STR("break"), ITEM_BREAK},
        {DV_STR("continue"), ITEM_CONTINUE},
        {DV_STR("true"), ITEM_BOOL},
        {DV_STR("false"), ITEM_BOOL},
    };

    for (size_t i = 0; i < DV_LEN(keywords); i++)
        if (dv_str_eq(word, keywords[i].word))
            return keywords[i].type;
    return ITEM_IDENTIFIER;
}

static void skip_alphanumerics(lexer *l)
{
    while (is_alphanumeric(peek(l)))
        next(l);
}

static item lex_identifier(lexer *l)
{
    skip_alphanumerics(l);
    if (!at_terminator(l))
        return bad_character(l, "bad character ", peek(l));
    return take_item(l, keyword((dv_str){l->input.p + l->start, l->pos - l->start}));
}

/* The "." or "$" is past. */
static item lex_field_or_variable(lexer *l, item_type type)
{
    if (at_terminator(l))
        return take_item(l, type == ITEM_VARIABLE ? type : ITEM_DOT);
    skip_alphanumerics(l);
    if (!at_terminator(l))
        return bad_character(l, "bad character ", peek(l));
    return take_item(l, type);
}

/* The opening sign is past; the closing one must come in the same line. */
static item lex_quoted(lexer *l, int32_t close, item_type type, const char *fault)
{
    for (;;) {
        int32_t c = next(l);

        if (c == '\\') {
            c = next(l);
            if (c != RUNE_EOF && c != '\n')
                continue;
        }
        if (c == RUNE_EOF || c == '\n')
            return fail(l, "%s", fault);
        if (c == close)
            return take_item(l, type);
    }
}

static item lex_raw_quoted(lexer *l)
{
    for (;;) {
        int32_t c = next(l);

        if (c == RUNE_EOF)
            return fail(l, "unterminated raw quoted string");
        if (c == '`')
            return take_item(l, ITEM_RAW_STRING);
    }
}

/* ---- Numbers ---- */

static bool accept(lexer *l, const char *set)
{
    int32_t c = peek(l);

    if (c <= 0 || c >= 0x80 || !strchr(set, c))
        return false;
    l->pos++;
    return true;
}

static void accept_run(lexer *l, const char *set)
{
    while (accept(l, set))
        continue;
}

/* Not exact: what is no number after all, the parser finds out. */
static bool scan_number(lexer *l)
{
    const char *digits = "0123456789_";
    bool hex = false, decimal = true;

    accept(l, "+-");
    if (accept(l, "0")) {
        hex = accept(l, "xX");
        decimal = !hex;
        if (hex) {
            digits = "0123456789abcdefABCDEF_";
        } else if (accept(l, "oO")) {
            digits = "01234567_";
            decimal = false;
        } else if (accept(l, "bB")) {
            digits = "01_";
            decimal = false;
        }
    }
    accept_run(l, digits);
    if (accept(l, "."))
        accept_run(l, digits);
    if ((decimal && accept(l, "eE")) || (hex && accept(l, "pP"))) {
        accept(l, "+-");
        accept_run(l, "0123456789_");
    }
    accept(l, "i");
    if (!is_alphanumeric(peek(l)))
        return true;
    next(l);
    return false;
}

static item lex_number(lexer *l)
{
    if (!scan_number(l))
        return bad_number(l);
    int32_t sign = peek(l);
    if (sign != '+' && sign != '-')
        return take_item(l, ITEM_NUMBER);
    if (!scan_number(l) || l->input.p[l->pos - 1] != 'i')
        return bad_number(l);
    return take_item(l, ITEM_COMPLEX);
}

/* ---- Actions ---- */

static item lex_paren(lexer *l, int32_t c)
{
    l->parens += c == '(' ? 1 : -1;
    if (l->parens < 0)
        return fail(l, "unexpected right paren");
    return take_item(l, c == '(' ? ITEM_LEFT_PAREN : ITEM_RIGHT_PAREN);
}

static item lex_sign(lexer *l, int32_t c)
{
    switch (c) {
    case '=':
        return take_item(l, ITEM_ASSIGN);
    case ':':
        return next(l) == '=' ? take_item(l, ITEM_DECLARE) : fail(l, "expected :=");
    case '|':
        return take_item(l, ITEM_PIPE);
    case '"':
        return lex_quoted(l, '"', ITEM_STRING, "unterminated quoted string");
    case '\'':
        return lex_quoted(l, '\'', ITEM_CHAR_CONSTANT, "unterminated character constant");
    case '`':
        return lex_raw_quoted(l);
    case '$':
        return lex_field_or_variable(l, ITEM_VARIABLE);
    case '(':
    case ')':
        return lex_paren(l, c);
    }
    if (c >= 0x20 && c < 0x7f)
        return take_item(l, ITEM_CHAR);
    return bad_character(l, "unrecognized character in action: ", c);
}

static bool is_digit(int32_t c)
{
    return c >= '0' && c <= '9';
}

static item lex_inside(lexer *l)
{
    bool trim;
    uint32_t before = l->pos;

    if (at_right_delim(l, &trim))
        return l->parens ? fail(l, "unclosed left paren") : lex_right_delim(l);
    int32_t c = next(l);
    if (c == RUNE_EOF)
        return fail(l, "unclosed action");
    if (is_space(c)) {
        backup(l, before, c);
        return lex_space(l);
    }
    if (c == '.' && l->pos < l->input.n && !is_digit(l->input.p[l->pos]))
        return lex_field_or_variable(l, ITEM_FIELD);
    if (c == '.' || c == '+' || c == '-' || is_digit(c)) {
        backup(l, before, c);
        return lex_number(l);
    }
    if (is_alphanumeric(c)) {
        backup(l, before, c);
        return lex_identifier(l);
    }
    return lex_sign(l, c);
}

item dv_lex_next(lexer *l)
{
    return l->inside_action ? lex_inside(l) : lex_outside(l);
}

void dv_item_add(dv_buf *out, const item *word)
{
    dv_str head = word->text;

    if (word->type == ITEM_EOF) {
        dv_buf_adds(out, "EOF");
    } else if (word->type == ITEM_ERROR) {
        dv_buf_add_str(out, word->text);
    } else if (word->type > ITEM_KEYWORD) {
        dv_buf_addf(out, "<%.*s>", DV_FMT(word->text));
    } else if (word->text.n > 10) {
        size_t n = 0;

        for (unsigned runes = 0; runes < 10 && n < head.n; runes++)
            n += dv_rune_width(dv_str_skip(head, n));
        dv_quote(out, dv_str_head(head, n));
        dv_buf_adds(out, "...");
    } else {
        dv_quote(out, word->text);
    }
}
