/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions. pkg/semver allows only digits as build metadata; sprig's library any identifiers, which
 * decide nothing: they are cut off here before anything is compared.
 */
#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "semver/constraint.h"

typedef struct {
    dv_version version; /* without metadata */
    dv_str metadata, original;
} sprig_version;

/* ---- Reading ---- */

static bool is_identifier(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Dotted identifiers, none of them empty. */
static bool is_metadata(dv_str s)
{
    bool empty = true;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' ? empty : !is_identifier(s.p[i]))
            return false;
        empty = s.p[i] == '.';
    }
    return !empty;
}

static const char *read_version(dv_str text, sprig_version *ret)
{
    dv_str core;
    dv_str metadata = dv_str_cut(text, '+', &core);
    bool has_metadata = metadata.p != NULL;

    if (text.n > DV_VERSION_MAX_BYTES)
        return "version string is too long (max 256 bytes)";
    if ((has_metadata && !is_metadata(metadata)))
        return "invalid semantic version";
    if (!dv_version_is(core, &ret->version)) {
        dv_auto(dv_err) err = dv_version_parse(core, &ret->version);

        return strstr(dv_err_str(err), "pre-release has a leading zero")
                   ? "version segment starts with 0"
                   : "invalid semantic version";
    }
    ret->metadata = metadata;
    ret->original = text;
    return NULL;
}

/* ---- The type ---- */

static void print_version(const void *self, dv_buf *out)
{
    const sprig_version *v = self;

    dv_buf_addf(out, "%llu.%llu.%llu", (unsigned long long)v->version.major,
                (unsigned long long)v->version.minor, (unsigned long long)v->version.patch);
    if (v->version.pre.n)
        dv_buf_addf(out, "-%.*s", DV_FMT(v->version.pre));
    if (v->metadata.n)
        dv_buf_addf(out, "+%.*s", DV_FMT(v->metadata));
}

static dv_val plain_version(dv_heap *heap, const void *self)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT((size_t)2 * DV_VERSION_MAX_BYTES);

    print_version(self, &text);
    return dv_val_string(heap, dv_buf_str(&text));
}

static const sprig_version *self_of(dv_val value)
{
    return value.object->self;
}

static dv_val number(uint64_t value)
{
    return (dv_val){.kind = DV_V_UINT64, .u = value};
}

#define METHOD(name)                                                                               \
    static dv_val name(dv_run *run DV_UNUSED, dv_val self, const dv_val *args DV_UNUSED,           \
                       size_t n DV_UNUSED)

METHOD(method_major)
{
    return number(self_of(self)->version.major);
}

METHOD(method_minor)
{
    return number(self_of(self)->version.minor);
}

METHOD(method_patch)
{
    return number(self_of(self)->version.patch);
}

METHOD(method_prerelease)
{
    return dv_val_borrow(self_of(self)->version.pre);
}

METHOD(method_metadata)
{
    return dv_val_borrow(self_of(self)->metadata);
}

METHOD(method_original)
{
    return dv_val_borrow(self_of(self)->original);
}

METHOD(method_string)
{
    return plain_version(dv_run_heap(run), self_of(self));
}

/* -2: the argument is no version, and the run has failed. */
static int compare(dv_run *run, dv_val self, dv_val other)
{
    if (other.kind != DV_V_OBJECT || other.object->type != &dv_type_version) {
        dv_run_fail(run, "wrong type for value; expected *semver.Version; got %s",
                    dv_val_type(other));
        return -2;
    }
    return dv_version_cmp_precedence(&self_of(self)->version, &self_of(other)->version);
}

METHOD(method_compare)
{
    return dv_val_int(compare(run, self, args[0]));
}

METHOD(method_equal)
{
    return dv_val_bool(compare(run, self, args[0]) == 0);
}

METHOD(method_less)
{
    return dv_val_bool(compare(run, self, args[0]) == -1);
}

METHOD(method_less_equal)
{
    int order = compare(run, self, args[0]);

    return dv_val_bool(order == -1 || order == 0);
}

METHOD(method_greater)
{
    return dv_val_bool(compare(run, self, args[0]) == 1);
}

METHOD(method_greater_equal)
{
    return dv_val_bool(compare(run, self, args[0]) >= 0);
}

static const dv_method methods[] = {
    {"Major", "", method_major},
    {"Minor", "", method_minor},
    {"Patch", "", method_patch},
    {"Prerelease", "", method_prerelease},
    {"Metadata", "", method_metadata},
    {"Original", "", method_original},
    {"String", "", method_string},
    {"Compare", "a", method_compare},
    {"Equal", "a", method_equal},
    {"LessThan", "a", method_less},
    {"LessThanEqual", "a", method_less_equal},
    {"GreaterThan", "a", method_greater},
    {"GreaterThanEqual", "a", method_greater_equal},
};
const dv_type dv_type_version = {.name = "*semver.Version",
                                 .kind = "ptr",
                                 .methods = methods,
                                 .methods_n = DV_LEN(methods),
                                 .print = print_version,
                                 .plain = plain_version,
                                 .is_stringer = true};

dv_val dv_zero_version(dv_run *run)
{
    sprig_version *zero = DV_HEAP_NEW(dv_run_heap(run), sprig_version);

    return dv_val_object(dv_run_heap(run), &dv_type_version, zero);
}

/* ---- Functions ---- */

DV_FN(semver)
{
    sprig_version *version = DV_HEAP_NEW(dv_run_heap(run), sprig_version);
    const char *fault = read_version(DV_ARG(0), version);

    if (fault)
        return dv_run_fail(run, "%s", fault);
    return dv_val_object(dv_run_heap(run), &dv_type_version, version);
}

/* The constraint without "+metadata". */
static void add_without_metadata(dv_buf *out, dv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '+') {
            dv_buf_addc(out, s.p[i]);
            continue;
        }
        while (i + 1 < s.n && (is_identifier(s.p[i + 1]) || s.p[i + 1] == '.'))
            i++;
    }
}

static bool looks_like_terms(dv_str side)
{
    for (size_t i = 0; i < side.n; i++)
        if (!side.p[i] || !strchr("0123456789xX*|.<>=!~^ ,-v", side.p[i]))
            return false;
    return dv_str_find(side, '|') >= 0;
}

/* Go names the first of the sides of "||" that it can't read. */
static dv_val refuse_constraint(dv_run *run, dv_str text)
{
    dv_buf *out = dv_run_scratch(run);

    if (text.n > DV_CONSTRAINT_MAX_BYTES)
        return dv_run_fail(run, "constraint string is too long (max %d bytes)",
                           DV_CONSTRAINT_MAX_BYTES);
    dv_buf_adds(out, "improper constraint: ");
    for (dv_str rest = text;;) {
        const char *bars = rest.n ? memmem(rest.p, rest.n, "||", 2) : NULL;
        dv_str side = bars ? dv_str_head(rest, (size_t)(bars - rest.p)) : rest;
        DV_CLEANUP(dv_buf_done) dv_buf clean = DV_BUF_INIT(side.n + 1);
        dv_auto(dv_constraint) parsed = NULL;

        add_without_metadata(&clean, side);
        dv_auto(dv_err) err = dv_constraint_parse(dv_buf_str(&clean), &parsed);
        /* A bar in a number gets past the library's pattern, and then is no version. */
        if (err && looks_like_terms(side))
            return dv_run_fail(run, "constraint parser error");
        if (err || !bars) {
            dv_quote(out, side);
            return dv_run_fail_text(run, dv_buf_str(out));
        }
        rest = dv_str_skip(rest, side.n + 2);
    }
}

DV_FN(semverCompare)
{
    DV_CLEANUP(dv_buf_done) dv_buf clean = DV_BUF_INIT((size_t)args[0].n + 1);
    dv_auto(dv_constraint) constraint = NULL;
    sprig_version version = {0};

    add_without_metadata(&clean, DV_ARG(0));
    dv_auto(dv_err) err = dv_constraint_parse(dv_buf_str(&clean), &constraint);
    if (err)
        return refuse_constraint(run, DV_ARG(0));
    const char *fault = read_version(DV_ARG(1), &version);
    if (fault)
        return dv_run_fail(run, "%s", fault);
    return dv_val_bool(dv_constraint_accepts(constraint, &version.version));
}
