/* SPDX-License-Identifier: Apache-2.0 */
#include "semver/constraint.h"

#include "base/vec.h"
#include "semver/version_internal.h"

typedef enum { OP_EQ, OP_NE, OP_GT, OP_LT, OP_GE, OP_LE, OP_TILDE, OP_CARET } operator;

/* given: how many of the bound's parts stand before the first wildcard or missing one. */
typedef struct {
    uint64_t major, minor, patch;
    dv_str pre; /* into the constraint's copy of its (rewritten) text */
    uint8_t op, given;
    bool last; /* of its AND group */
    bool open; /* its group lets pre-releases in */
} term;

struct dv_constraint {
    dv_str text;
    term *terms;
    size_t n;
    char bytes[]; /* text as given, then the rewritten text the terms look into */
};

/* The text being read; fault is static and, once set, final. */
typedef struct {
    dv_str rest;
    DV_VEC(term) terms;
    const char *fault;
} reader;

static const char not_a_term[] =
    "what stands between \"||\", commas and blanks must be an operator and a version";

/* ---- Scanning ---- */

static bool is_ws(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static size_t span_ws(dv_str s)
{
    size_t n = 0;

    while (n < s.n && is_ws(s.p[n]))
        n++;
    return n;
}

static bool is_wildcard(char c)
{
    return c == 'x' || c == 'X' || c == '*';
}

/* The library's pattern lets "|" into a part: dropped parts and hyphen ranges live with it. */
static size_t span_part(dv_str s)
{
    size_t n = 0;

    while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || is_wildcard(s.p[n]) || s.p[n] == '|'))
        n++;
    return n;
}

/* A version pattern at the start of s: parts[i] without dots, pre without its hyphen. */
typedef struct {
    dv_str parts[3];
    dv_str pre;
    size_t n; /* bytes in all; 0: no match */
    bool v;
} pattern;

static pattern match_pattern(dv_str s)
{
    pattern m = {.v = s.n && s.p[0] == 'v'};
    dv_str rest = dv_str_skip(s, m.v);
    size_t n = span_part(rest), count = 0;

    if (n == 0)
        return (pattern){.n = 0};
    for (;;) {
        m.parts[count++] = dv_str_head(rest, n);
        rest = dv_str_skip(rest, n);
        n = rest.n && rest.p[0] == '.' ? span_part(dv_str_skip(rest, 1)) : 0;
        if (n == 0 || count == DV_LEN(m.parts))
            break;
        rest = dv_str_skip(rest, 1);
    }
    if (rest.n && rest.p[0] == '-') {
        m.pre = dv_str_head(dv_str_skip(rest, 1), dv_version_span_ids(dv_str_skip(rest, 1)));
        if (m.pre.n)
            rest = dv_str_skip(rest, 1 + m.pre.n);
    }
    m.n = s.n - rest.n;
    return m;
}

/* ---- Hyphen ranges ---- */

/* White space on both sides of a hyphen; without it there is no range to look for. */
static bool has_lone_hyphen(dv_str s)
{
    for (size_t i = 1; i + 1 < s.n; i++)
        if (s.p[i] == '-' && is_ws(s.p[i - 1]) && is_ws(s.p[i + 1]))
            return true;
    return false;
}

/*
 * "A - B" becomes ">= A, <= B " wherever it stands, before anything else is looked at: a rewrite
 * of text, with a text rewrite's surprises. *ret_at and *ret_n delimit what is replaced, the
 * white space around it included.
 */
static bool find_range(dv_str s, size_t *ret_at, size_t *ret_n, dv_str *ret_low, dv_str *ret_high)
{
    for (size_t at = 0; at < s.n; at++) {
        dv_str rest = dv_str_skip(s, at);
        pattern low, high;
        size_t ws;

        rest = dv_str_skip(rest, span_ws(rest));
        low = match_pattern(rest);
        *ret_low = dv_str_head(rest, low.n);
        rest = dv_str_skip(rest, low.n);
        ws = span_ws(rest);
        if (low.n == 0 || ws == 0 || ws == rest.n || rest.p[ws] != '-')
            continue;
        rest = dv_str_skip(rest, ws + 1);
        ws = span_ws(rest);
        high = match_pattern(dv_str_skip(rest, ws));
        if (ws == 0 || high.n == 0)
            continue;
        *ret_high = dv_str_head(dv_str_skip(rest, ws), high.n);
        rest = dv_str_skip(rest, ws + high.n);
        rest = dv_str_skip(rest, span_ws(rest));
        *ret_at = at;
        *ret_n = s.n - at - rest.n;
        return true;
    }
    return false;
}

static void rewrite_ranges(dv_str text, dv_buf *out)
{
    dv_str low, high;
    size_t at, n;

    while (has_lone_hyphen(text) && find_range(text, &at, &n, &low, &high)) {
        dv_buf_add_str(out, dv_str_head(text, at));
        dv_buf_addf(out, ">= %.*s, <= %.*s ", DV_FMT(low), DV_FMT(high));
        text = dv_str_skip(text, at + n);
    }
    dv_buf_add_str(out, text);
}

/* ---- Reading terms ---- */

static uint8_t read_operator(dv_str *rest)
{
    static const struct {
        dv_str text;
        uint8_t op;
    } operators[] = {
        {DV_STR("!="), OP_NE},   {DV_STR(">="), OP_GE},   {DV_STR("=>"), OP_GE},
        {DV_STR("<="), OP_LE},   {DV_STR("=<"), OP_LE},   {DV_STR("~>"), OP_TILDE},
        {DV_STR("="), OP_EQ},    {DV_STR(">"), OP_GT},    {DV_STR("<"), OP_LT},
        {DV_STR("~"), OP_TILDE}, {DV_STR("^"), OP_CARET},
    };

    for (size_t i = 0; i < DV_LEN(operators); i++)
        if (dv_str_starts(*rest, operators[i].text)) {
            *rest = dv_str_skip(*rest, operators[i].text.n);
            return operators[i].op;
        }
    return OP_EQ;
}

static bool part_is_open(dv_str part)
{
    return part.n == 0 || (part.n == 1 && is_wildcard(part.p[0]));
}

/*
 * The bound as the library rebuilds it ("1-aaa" becomes "1.0.0-aaa") must be a version. What
 * follows the first open part is dropped unseen.
 */
static const char *read_bound(const pattern *m, term *t)
{
    uint64_t *const numbers[] = {&t->major, &t->minor, &t->patch};
    size_t bytes = m->pre.n ? 1 + m->pre.n : 0;

    while (t->given < DV_LEN(m->parts) && !part_is_open(m->parts[t->given])) {
        dv_str part = m->parts[t->given];

        if (!dv_version_read_u64(part, numbers[t->given]))
            return "a part is neither a number of 64 bits nor one wildcard";
        bytes += part.n + 1;
        t->given++;
    }
    bytes += 2 * (DV_LEN(m->parts) - t->given);
    if (bytes - 1 + (t->given == DV_LEN(m->parts) && m->v) > DV_VERSION_MAX_BYTES)
        return "a version in it is longer than 256 bytes";
    if (!dv_version_pre_is_valid(m->pre))
        return "a number in a pre-release has a leading zero";
    t->pre = m->pre;
    return NULL;
}

static void read_term(reader *r)
{
    term *t = dv_vec_push(&r->terms);
    pattern m;

    t->op = read_operator(&r->rest);
    r->rest = dv_str_skip(r->rest, span_ws(r->rest));
    m = match_pattern(r->rest);
    r->rest = dv_str_skip(r->rest, m.n);
    r->fault = m.n ? read_bound(&m, t) : not_a_term;
}

/* The rest is one AND group, without "||". */
static void read_group(reader *r)
{
    size_t first = r->terms.n, ws;
    bool open = false;

    r->rest = dv_str_skip(r->rest, span_ws(r->rest));
    for (;;) {
        read_term(r);
        if (r->fault)
            return;
        open |= r->terms.at[r->terms.n - 1].pre.n > 0;
        ws = span_ws(r->rest);
        r->rest = dv_str_skip(r->rest, ws);
        if (r->rest.n == 0)
            break;
        if (r->rest.p[0] == ',') {
            r->rest = dv_str_skip(r->rest, 1);
            r->rest = dv_str_skip(r->rest, span_ws(r->rest));
        } else if (ws == 0) {
            r->fault = not_a_term;
            return;
        }
    }
    r->terms.at[r->terms.n - 1].last = true;
    for (size_t i = first; i < r->terms.n; i++)
        r->terms.at[i].open = open;
}

static const char *read_groups(reader *r, dv_str text)
{
    for (size_t groups = 1;; groups++) {
        const char *bars = text.n ? memmem(text.p, text.n, "||", 2) : NULL;

        if (groups > DV_CONSTRAINT_MAX_GROUPS)
            return "it has more than 32 sides of \"||\"";
        r->rest = dv_str_head(text, bars ? (size_t)(bars - text.p) : text.n);
        read_group(r);
        if (r->fault || !bars)
            return r->fault;
        text = dv_str_skip(text, (size_t)(bars - text.p) + 2);
    }
}

static dv_constraint *constraint_new(dv_str text, dv_str rewritten)
{
    dv_constraint *constraint = dv_calloc(1, sizeof(*constraint) + text.n + rewritten.n + 1);

    memcpy(constraint->bytes, text.p, text.n);
    memcpy(constraint->bytes + text.n, rewritten.p, rewritten.n);
    constraint->text = (dv_str){constraint->bytes, text.n};
    return constraint;
}

dv_err *dv_constraint_parse(dv_str text, dv_constraint **ret_constraint)
{
    /* A range grows by at most six bytes and has at least five. */
    DV_CLEANUP(dv_buf_done) dv_buf rewritten = DV_BUF_INIT((size_t)3 * DV_CONSTRAINT_MAX_BYTES);
    dv_auto(dv_constraint) constraint = NULL;
    reader r = {0};
    const char *fault = NULL;

    if (text.n > DV_CONSTRAINT_MAX_BYTES)
        fault = "it is longer than 512 bytes";
    else if (dv_str_find(text, '+') >= 0)
        fault = "build metadata (\"+\") has no place in it: a range takes all builds alike";
    else if (span_ws(text) == text.n)
        fault = "it is empty";
    if (fault)
        return dv_version_refuse("BadConstraint", "constraint", text, fault);
    rewrite_ranges(text, &rewritten);
    DV_CHECK(dv_buf_check(&rewritten));
    constraint = constraint_new(text, dv_buf_str(&rewritten));
    fault = read_groups(&r, (dv_str){constraint->bytes + text.n, rewritten.n});
    constraint->terms = r.terms.at;
    constraint->n = r.terms.n;
    if (fault)
        return dv_version_refuse("BadConstraint", "constraint", text, fault);
    *ret_constraint = DV_TAKE(constraint);
    return NULL;
}

void dv_constraint_free(dv_constraint *constraint)
{
    if (!constraint)
        return;
    free(constraint->terms);
    free(constraint);
}

dv_str dv_constraint_text(const dv_constraint *constraint)
{
    return constraint->text;
}

/* ---- Checking ---- */

static int cmp_bound(const dv_version *v, const term *t)
{
    if (v->major != t->major)
        return v->major < t->major ? -1 : 1;
    if (v->minor != t->minor)
        return v->minor < t->minor ? -1 : 1;
    if (v->patch != t->patch)
        return v->patch < t->patch ? -1 : 1;
    return v->pre.n || t->pre.n ? dv_version_cmp_pre(v->pre, t->pre) : 0;
}

static bool same_major(const dv_version *v, const term *t)
{
    return v->major == t->major;
}

static bool same_minor(const dv_version *v, const term *t)
{
    return same_major(v, t) && v->minor == t->minor;
}

/* "~0.0.0" and "~*" have no upper end. */
static bool accepts_tilde(const dv_version *v, const term *t)
{
    if (cmp_bound(v, t) < 0)
        return false;
    switch (t->given) {
    case 0:
        return true;
    case 1:
        return same_major(v, t);
    case 2:
        return same_minor(v, t);
    default:
        return same_minor(v, t) || (t->major == 0 && t->minor == 0 && t->patch == 0);
    }
}

/* "^*" is read as "^0.0.0": that one patch. */
static bool accepts_caret(const dv_version *v, const term *t)
{
    if (cmp_bound(v, t) < 0)
        return false;
    if (t->major > 0 || t->given == 1)
        return same_major(v, t);
    if (t->minor > 0 || t->given == 2)
        return same_minor(v, t);
    return same_minor(v, t) && v->patch == t->patch;
}

static bool accepts_not_equal(const dv_version *v, const term *t)
{
    if (t->given == 1)
        return !same_major(v, t);
    if (t->given == 2) /* within the line another pre-release is another version */
        return !same_minor(v, t) || dv_version_cmp_pre(v->pre, t->pre) != 0;
    return cmp_bound(v, t) != 0;
}

static bool accepts_greater(const dv_version *v, const term *t)
{
    if (t->given == 1)
        return v->major > t->major;
    if (t->given == 2)
        return v->major > t->major || (same_major(v, t) && v->minor > t->minor);
    return cmp_bound(v, t) > 0;
}

/* "<=*" means any 0.0.z, no more. */
static bool accepts_less_equal(const dv_version *v, const term *t)
{
    if (t->given == 3)
        return cmp_bound(v, t) <= 0;
    if (v->major != t->major)
        return v->major < t->major;
    return t->given == 1 || v->minor <= t->minor;
}

static bool term_accepts(const term *t, const dv_version *v)
{
    if (v->pre.n && !t->open)
        return false;
    switch ((operator)t->op) {
    case OP_EQ:
        return t->given == 3 ? cmp_bound(v, t) == 0 : accepts_tilde(v, t);
    case OP_NE:
        return accepts_not_equal(v, t);
    case OP_GT:
        return accepts_greater(v, t);
    case OP_LT:
        return cmp_bound(v, t) < 0;
    case OP_GE:
        return cmp_bound(v, t) >= 0;
    case OP_LE:
        return accepts_less_equal(v, t);
    case OP_TILDE:
        return accepts_tilde(v, t);
    case OP_CARET:
        return accepts_caret(v, t);
    }
    return false;
}

bool dv_constraint_accepts(const dv_constraint *constraint, const dv_version *version)
{
    bool fits = true;

    for (size_t i = 0; i < constraint->n; i++) {
        const term *t = &constraint->terms[i];

        fits = fits && term_accepts(t, version);
        if (t->last && fits)
            return true;
        fits = fits || t->last;
    }
    return false;
}
