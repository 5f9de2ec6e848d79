/* SPDX-License-Identifier: Apache-2.0 */
#include "semver/version.h"

#include "semver/version_internal.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_id_char(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

bool dv_version_read_u64(dv_str digits, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < digits.n; i++)
        if (!is_digit(digits.p[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(digits.p[i] - '0'), &value))
            return false;
    *ret_value = value;
    return digits.n > 0;
}

size_t dv_version_span_ids(dv_str s)
{
    size_t end = 0, at = 0;

    for (;;) {
        while (at < s.n && is_id_char(s.p[at]))
            at++;
        if (at == end + (end > 0))
            return end; /* nothing behind the dot: it does not belong to the list */
        end = at;
        if (at == s.n || s.p[at] != '.')
            return end;
        at++;
    }
}

bool dv_version_pre_is_valid(dv_str pre)
{
    while (pre.n) {
        dv_str id;
        size_t digits = 0;

        pre = dv_str_cut(pre, '.', &id);
        while (digits < id.n && is_digit(id.p[digits]))
            digits++;
        if (digits == id.n && id.n > 1 && id.p[0] == '0')
            return false;
    }
    return true;
}

/* What stands in the way, static; NULL: *v is filled but for its text. */
static const char *read_numbers(dv_str *rest, bool strict, dv_version *v)
{
    uint64_t *const numbers[] = {&v->major, &v->minor, &v->patch};
    size_t count = 0;

    do {
        size_t digits = 0;

        if (count > 0)
            *rest = dv_str_skip(*rest, 1);
        while (digits < rest->n && is_digit(rest->p[digits]))
            digits++;
        if (digits == 0)
            return "a number is missing";
        if (strict && digits > 1 && rest->p[0] == '0')
            return "a number has a leading zero";
        if (!dv_version_read_u64(dv_str_head(*rest, digits), numbers[count]))
            return "a number does not fit 64 bits";
        *rest = dv_str_skip(*rest, digits);
        count++;
    } while (count < DV_LEN(numbers) && rest->n && rest->p[0] == '.');
    return strict && count < DV_LEN(numbers) ? "major, minor and patch must all be there" : NULL;
}

static const char *read_version(dv_str text, bool strict, dv_version *v)
{
    dv_str rest = text;
    const char *fault;

    if (text.n > DV_VERSION_MAX_BYTES)
        return "it is longer than 256 bytes";
    if (!strict && rest.n && rest.p[0] == 'v')
        rest = dv_str_skip(rest, 1);
    fault = read_numbers(&rest, strict, v);
    if (fault)
        return fault;
    if (rest.n && rest.p[0] == '-') {
        v->pre = dv_str_head(dv_str_skip(rest, 1), dv_version_span_ids(dv_str_skip(rest, 1)));
        if (v->pre.n == 0)
            return "the pre-release is empty";
        if (!dv_version_pre_is_valid(v->pre))
            return "a number in the pre-release has a leading zero";
        rest = dv_str_skip(rest, 1 + v->pre.n);
    }
    if (rest.n && rest.p[0] == '+') {
        rest = dv_str_skip(rest, 1);
        while (v->build.n < rest.n && is_digit(rest.p[v->build.n]))
            v->build = dv_str_head(rest, v->build.n + 1);
        if (v->build.n == 0 || v->build.n < rest.n)
            return "build metadata must be digits only";
        rest = dv_str_skip(rest, v->build.n);
    }
    return rest.n ? "there is more than major, minor, patch, pre-release and build" : NULL;
}

/* The text is an outsider's: it is quoted only where it is short and harmless. */
dv_err *dv_version_refuse(const char *reason, const char *what, dv_str text, const char *fault)
{
    bool harmless = text.n <= DV_VERSION_MAX_BYTES;

    for (size_t i = 0; harmless && i < text.n; i++)
        harmless = text.p[i] >= ' ' && text.p[i] <= '~';
    if (!harmless)
        return dv_err_new(DV_INVALID, reason, "a text of %zu bytes is not a %s: %s", text.n, what,
                          fault);
    return dv_err_new(DV_INVALID, reason, "\"%.*s\" is not a %s: %s", DV_FMT(text), what, fault);
}

static dv_err *parse(dv_str text, bool strict, dv_version *ret_version)
{
    dv_version version = {.text = text};
    const char *fault = read_version(text, strict, &version);

    if (fault)
        return dv_version_refuse("BadVersion", "version", text, fault);
    *ret_version = version;
    return NULL;
}

dv_err *dv_version_parse(dv_str text, dv_version *ret_version)
{
    return parse(text, /* strict= */ false, ret_version);
}

dv_err *dv_version_parse_strict(dv_str text, dv_version *ret_version)
{
    return parse(text, /* strict= */ true, ret_version);
}

bool dv_version_is(dv_str text, dv_version *ret_version)
{
    dv_version version = {.text = text};

    if (read_version(text, /* strict= */ false, &version))
        return false;
    *ret_version = version;
    return true;
}

static int cmp_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* An identifier of digits that does not fit 64 bits counts as a word, as in the library. */
static int cmp_id(dv_str a, dv_str b)
{
    uint64_t x = 0, y = 0;
    bool a_number = dv_version_read_u64(a, &x), b_number = dv_version_read_u64(b, &y);

    if (a_number && b_number)
        return cmp_u64(x, y);
    if (a_number != b_number)
        return a_number ? -1 : 1;
    return sign(dv_str_cmp(a, b));
}

int dv_version_cmp_pre(dv_str a, dv_str b)
{
    if (a.n == 0 || b.n == 0)
        return (a.n == 0) - (b.n == 0);
    while (a.n && b.n) {
        dv_str x, y;
        int order;

        a = dv_str_cut(a, '.', &x);
        b = dv_str_cut(b, '.', &y);
        order = cmp_id(x, y);
        if (order)
            return order;
    }
    return (a.n > 0) - (b.n > 0);
}

/* Digits by value at any length; none below any number. */
static int cmp_build(dv_str a, dv_str b)
{
    if (a.n == 0 || b.n == 0)
        return (a.n > 0) - (b.n > 0);
    while (a.n && a.p[0] == '0')
        a = dv_str_skip(a, 1);
    while (b.n && b.p[0] == '0')
        b = dv_str_skip(b, 1);
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return sign(dv_str_cmp(a, b));
}

int dv_version_cmp_precedence(const dv_version *a, const dv_version *b)
{
    int order = cmp_u64(a->major, b->major);

    if (!order)
        order = cmp_u64(a->minor, b->minor);
    if (!order)
        order = cmp_u64(a->patch, b->patch);
    return order ? order : dv_version_cmp_pre(a->pre, b->pre);
}

int dv_version_cmp(const dv_version *a, const dv_version *b)
{
    int order = dv_version_cmp_precedence(a, b);

    return order ? order : cmp_build(a->build, b->build);
}

bool dv_version_is_pre(const dv_version *version)
{
    return version->pre.n > 0;
}
