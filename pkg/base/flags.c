/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flags.h"

#include "base/clock.h"
#include "base/vec.h"

/* The state of one parse. */
typedef struct {
    const dv_flag *flags;
    size_t n;
    char *base;  /* the options */
    bool *given; /* one a flag: set on the command line already */
    char *const *argv;
    int argc, at;
} parse;

#define usage(...) dv_err_new(DV_INVALID, "BadUsage", __VA_ARGS__)

/* ---- Finding ---- */

static dv_err *unknown_flag(const parse *p, dv_str name)
{
    const dv_flag *nearest = NULL;
    size_t least = name.n / 2 + 1;

    for (size_t i = 0; i < p->n; i++) {
        size_t d = dv_str_edits(name, dv_str_of(p->flags[i].name));

        if (d < least) {
            least = d;
            nearest = &p->flags[i];
        }
    }
    if (nearest)
        return usage("unknown flag --%.*s, did you mean --%s?", DV_FMT(dv_str_head(name, 64)),
                     nearest->name);
    return usage("unknown flag --%.*s", DV_FMT(dv_str_head(name, 64)));
}

static const dv_flag *by_name(const parse *p, dv_str name)
{
    for (size_t i = 0; i < p->n; i++)
        if (dv_str_is(name, p->flags[i].name))
            return &p->flags[i];
    return NULL;
}

static const dv_flag *by_short(const parse *p, char c)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->flags[i].short_name && p->flags[i].short_name == c)
            return &p->flags[i];
    return NULL;
}

/* ---- Setting ---- */

static dv_err *set_bool(bool *slot, const char *text)
{
    static const char *const yes[] = {"true", "1", "t", "T", "TRUE", "True"};
    static const char *const no[] = {"false", "0", "f", "F", "FALSE", "False"};

    for (size_t i = 0; i < DV_LEN(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *slot = strcmp(text, yes[i]) == 0;
            return NULL;
        }
    }
    return usage("\"%.64s\" is not true or false", text);
}

/* The first use replaces the defaults, the later ones add. */
static void set_strings(dv_strings *slot, const char *text, bool first)
{
    dv_str rest = dv_str_of(text), item;

    if (first)
        dv_strings_done(slot);
    while (rest.n) {
        rest = dv_str_cut(rest, ',', &item);
        if (item.n)
            dv_strings_take(slot, dv_str_dup(item));
    }
}

static dv_err *set_value(const parse *p, const dv_flag *flag, const char *text)
{
    void *slot = p->base + flag->offset;
    bool *given = &p->given[flag - p->flags];
    bool first = !*given;

    *given = true;
    switch (flag->type) {
    case DV_FLAG_BOOL:
        return set_bool(slot, text);
    case DV_FLAG_INT:
        return dv_str_i64(dv_str_of(text), slot);
    case DV_FLAG_STRING:
        *(const char **)slot = text;
        return NULL;
    case DV_FLAG_STRINGS:
        set_strings(slot, text, first);
        return NULL;
    case DV_FLAG_DURATION:
        return dv_duration_parse(dv_str_of(text), slot);
    }
    return NULL;
}

/* text: what is attached to the flag, or NULL: then the next argument is the value. */
static dv_err *set_flag(parse *p, const dv_flag *flag, const char *text)
{
    if (!text && flag->type == DV_FLAG_BOOL)
        text = "true";
    if (!text && p->at + 1 < p->argc)
        text = p->argv[++p->at];
    if (!text)
        return usage("flag --%s needs a value (%s)", flag->name, flag->value);
    dv_err *err = set_value(p, flag, text);
    if (err)
        return dv_err_wrap(dv_err_recast(err, DV_INVALID, "BadUsage"), "flag --%s", flag->name);
    return NULL;
}

static dv_err *take_long(parse *p, const char *body)
{
    const char *equals = strchr(body, '=');
    dv_str name = equals ? (dv_str){body, (size_t)(equals - body)} : dv_str_of(body);
    const dv_flag *flag = by_name(p, name);

    return flag ? set_flag(p, flag, equals ? equals + 1 : NULL) : unknown_flag(p, name);
}

/* "-n value", "-nvalue", "-n=value", and bools in a row: "-abn value". */
static dv_err *take_short(parse *p, const char *letters)
{
    for (; *letters; letters++) {
        const dv_flag *flag = by_short(p, *letters);
        bool attached = letters[1] == '=';

        if (!flag)
            return usage("unknown flag -%c", *letters);
        if (attached || (flag->type != DV_FLAG_BOOL && letters[1]))
            return set_flag(p, flag, letters + 1 + attached);
        DV_CHECK(set_flag(p, flag, NULL));
    }
    return NULL;
}

typedef DV_VEC(const char *) arguments;

static dv_err *take_all(parse *p, arguments *rest, bool may_have_rest)
{
    bool ended = false;

    for (p->at = 1; p->at < p->argc; p->at++) {
        const char *arg = p->argv[p->at];

        if (!ended && strcmp(arg, "--") == 0)
            ended = true;
        else if (!ended && strncmp(arg, "--", 2) == 0)
            DV_CHECK(take_long(p, arg + 2));
        else if (!ended && arg[0] == '-' && arg[1])
            DV_CHECK(take_short(p, arg + 1));
        else if (may_have_rest)
            *dv_vec_push(rest) = arg;
        else
            return usage("unexpected argument \"%.64s\"", arg);
    }
    return NULL;
}

dv_err *dv_flags_parse(const dv_flag *flags, size_t n, int argc, char *const *argv, void *options,
                       const char ***ret_args, size_t *ret_args_n)
{
    DV_CLEANUP(dv_freep) bool *given = dv_calloc(n, sizeof(*given));
    arguments rest = {0};
    parse p = {.flags = flags, .n = n, .base = options, .given = given, .argv = argv, .argc = argc};
    dv_err *err = take_all(&p, &rest, ret_args != NULL);

    if (err) {
        dv_vec_done(&rest);
        return err;
    }
    if (ret_args) {
        *ret_args = rest.at;
        *ret_args_n = rest.n;
    }
    return NULL;
}

/* ---- Help ---- */

static void add_head(const dv_flag *flag, dv_buf *out)
{
    if (flag->short_name)
        dv_buf_addf(out, "  -%c, --%s", flag->short_name, flag->name);
    else
        dv_buf_addf(out, "      --%s", flag->name);
    if (flag->value)
        dv_buf_addf(out, " %s", flag->value);
}

void dv_flag_add_default(const dv_flag *flag, const void *options, dv_buf *out)
{
    const void *slot = (const char *)options + flag->offset;
    const dv_strings *strings = slot;
    const char *text = flag->type == DV_FLAG_STRING ? *(const char *const *)slot : NULL;

    if (flag->type == DV_FLAG_BOOL && *(const bool *)slot)
        dv_buf_adds(out, " (default true)");
    if (flag->type == DV_FLAG_INT && *(const int64_t *)slot)
        dv_buf_addf(out, " (default %lld)", (long long)*(const int64_t *)slot);
    if (text && text[0])
        dv_buf_addf(out, " (default %s)", text);
    if (flag->type == DV_FLAG_DURATION && *(const int64_t *)slot) {
        dv_buf_adds(out, " (default ");
        dv_duration_add(out, *(const int64_t *)slot);
        dv_buf_addc(out, ')');
    }
    if (flag->type == DV_FLAG_STRINGS && strings->n) {
        dv_buf_adds(out, " (default ");
        for (size_t i = 0; i < strings->n; i++)
            dv_buf_addf(out, "%s%s", i ? "," : "", strings->at[i]);
        dv_buf_addc(out, ')');
    }
}

static size_t head_width(const dv_flag *flag)
{
    DV_CLEANUP(dv_buf_done) dv_buf head = DV_BUF_INIT(DV_LINE_MAX);

    add_head(flag, &head);
    return head.n;
}

void dv_flags_help(const dv_flag *flags, size_t n, const void *options, dv_buf *out)
{
    enum { GAP = 2 };
    size_t width = 0;

    for (size_t i = 0; i < n; i++)
        width = DV_MAX(width, head_width(&flags[i]));
    for (size_t i = 0; i < n; i++) {
        add_head(&flags[i], out);
        dv_buf_fill(out, ' ', width + GAP - head_width(&flags[i]));
        dv_buf_adds(out, flags[i].help);
        dv_flag_add_default(&flags[i], options, out);
        dv_buf_addc(out, '\n');
    }
}
