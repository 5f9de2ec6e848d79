/* SPDX-License-Identifier: Apache-2.0 */
/* URLs taken apart and put together, as Go's net/url does. */
#include <arpa/inet.h>

#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "base/unicode.h"

/* Which part of a URL a text is: what may stand in it as it is differs. */
typedef enum { PART_PATH, PART_USER, PART_HOST, PART_ZONE, PART_FRAGMENT } part;

typedef struct {
    dv_buf scheme, opaque, host, path, raw_path, query, fragment, raw_fragment, user;
    bool has_user, force_query, omit_host;
    dv_buf fault;
} url;

enum { TEXT_MAX = 4 * 1024 * 1024 };

static void url_init(url *u)
{
    dv_buf *const all[] = {&u->scheme, &u->opaque,   &u->host,         &u->path, &u->raw_path,
                           &u->query,  &u->fragment, &u->raw_fragment, &u->user, &u->fault};

    *u = (url){.has_user = false};
    for (size_t i = 0; i < DV_LEN(all); i++)
        dv_buf_init(all[i], TEXT_MAX);
}

static void url_done(url *u)
{
    dv_buf *const all[] = {&u->scheme, &u->opaque,   &u->host,         &u->path, &u->raw_path,
                           &u->query,  &u->fragment, &u->raw_fragment, &u->user, &u->fault};

    for (size_t i = 0; i < DV_LEN(all); i++)
        dv_buf_done(all[i]);
}

/* ---- Escapes ---- */

static bool is_kept(char c, part p)
{
    static const char *const kept[] = {
        [PART_PATH] = "$&+,/:;=@",          [PART_USER] = "$&+,;=",
        [PART_HOST] = "!$&'()*+,;=:[]<>\"", [PART_ZONE] = "!$&'()*+,;=:[]<>\"",
        [PART_FRAGMENT] = "$&+,/:;=?@!()*",
    };

    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-_.~", c)) || (c && strchr(kept[p], c));
}

static void add_escaped(dv_buf *out, dv_str s, part p)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_kept(s.p[i], p))
            dv_buf_addc(out, s.p[i]);
        else
            dv_buf_addf(out, "%%%02X", (unsigned char)s.p[i]);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool fail(url *u, const char *what)
{
    dv_buf_adds(&u->fault, what);
    return false;
}

static bool fail_quoted(url *u, const char *before, dv_str s, const char *behind)
{
    dv_buf_adds(&u->fault, before);
    dv_quote(&u->fault, s);
    return fail(u, behind);
}

/* In hosts only what can't stand there as it is may be escaped. */
static bool escape_fits(dv_str s, part p)
{
    int value = hex_value(s.p[1]) << 4 | hex_value(s.p[2]);
    bool percent = dv_str_is(dv_str_head(s, 3), "%25");

    if (p == PART_HOST)
        return value >= 0x80 || percent;
    return p != PART_ZONE || percent || value == ' ' || is_kept((char)value, PART_HOST);
}

static bool unescape(url *u, dv_str s, part p, dv_buf *out)
{
    while (s.n) {
        bool host = p == PART_HOST || p == PART_ZONE;

        if (s.p[0] == '%') {
            if (s.n < 3 || hex_value(s.p[1]) < 0 || hex_value(s.p[2]) < 0 || !escape_fits(s, p))
                return fail_quoted(u, "invalid URL escape ", dv_str_head(s, 3), "");
            dv_buf_addc(out, (char)(hex_value(s.p[1]) << 4 | hex_value(s.p[2])));
            s = dv_str_skip(s, 3);
            continue;
        }
        if (host && (unsigned char)s.p[0] < 0x80 && !is_kept(s.p[0], p))
            return fail_quoted(u, "invalid character ", dv_str_head(s, 1), " in host name");
        dv_buf_addc(out, s.p[0]);
        s = dv_str_skip(s, 1);
    }
    return true;
}

/* ---- Reading ---- */

/* Cuts "scheme:" off, if there is one. */
static bool take_scheme(url *u, dv_str *rest)
{
    for (size_t i = 0; i < rest->n; i++) {
        char c = rest->p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            continue;
        if ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.') {
            if (i == 0)
                return true;
            continue;
        }
        if (c != ':')
            return true;
        if (i == 0)
            return fail(u, "missing protocol scheme");
        for (size_t k = 0; k < i; k++)
            dv_buf_addc(&u->scheme, (char)dv_rune_lower((unsigned char)rest->p[k]));
        *rest = dv_str_skip(*rest, i + 1);
        return true;
    }
    return true;
}

static bool is_port(dv_str s)
{
    if (s.n && s.p[0] != ':')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool check_port(url *u, dv_str s)
{
    return is_port(s) || fail_quoted(u, "invalid port ", s, " after host");
}

static bool read_ip6(url *u, dv_str host, size_t close)
{
    dv_str name = dv_str_head(dv_str_skip(host, 1), close - 1), port = dv_str_skip(host, close + 1);
    const char *zone = name.n ? memmem(name.p, name.n, "%25", 3) : NULL;
    size_t plain = zone ? (size_t)(zone - name.p) : name.n;
    unsigned char bytes[16];

    if (!check_port(u, port))
        return false;
    dv_buf_addc(&u->host, '[');
    if (!unescape(u, dv_str_head(name, plain), PART_HOST, &u->host))
        return false;
    if (inet_pton(AF_INET6, dv_buf_cstr(&u->host) + 1, bytes) != 1)
        return fail_quoted(u, "invalid host: ParseAddr(", dv_str_skip(dv_buf_str(&u->host), 1),
                           "): unable to parse IP");
    if (!unescape(u, dv_str_skip(name, plain), PART_ZONE, &u->host))
        return false;
    dv_buf_addc(&u->host, ']');
    return unescape(u, port, PART_HOST, &u->host);
}

static bool read_host(url *u, dv_str host)
{
    ptrdiff_t open = dv_str_rfind(host, '['), close = dv_str_rfind(host, ']'),
              colon = dv_str_find(host, ':');
    bool web =
        dv_str_is(dv_buf_str(&u->scheme), "http") || dv_str_is(dv_buf_str(&u->scheme), "https");

    if (open > 0)
        return fail(u, "invalid IP-literal");
    if (open == 0)
        return close < 0 ? fail(u, "missing ']' in host") : read_ip6(u, host, (size_t)close);
    if (colon >= 0 && !web)
        colon = dv_str_rfind(host, ':');
    if (colon >= 0 && !check_port(u, dv_str_skip(host, (size_t)colon)))
        return false;
    return unescape(u, host, PART_HOST, &u->host);
}

static bool is_userinfo(dv_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_kept(s.p[i], PART_USER) && !strchr(":!'()*%@", s.p[i]))
            return false;
    return true;
}

/* Reads a name or password, and writes it as a URL has it. */
static bool add_user(url *u, dv_str s)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(TEXT_MAX);

    if (!unescape(u, s, PART_USER, &plain))
        return false;
    add_escaped(&u->user, dv_buf_str(&plain), PART_USER);
    return true;
}

static bool read_authority(url *u, dv_str authority)
{
    ptrdiff_t at = dv_str_rfind(authority, '@');
    dv_str info = dv_str_head(authority, at < 0 ? 0 : (size_t)at), name;

    if (!read_host(u, dv_str_skip(authority, (size_t)(at + 1))))
        return false;
    if (at < 0)
        return true;
    if (memchr(info.p, '\0', info.n) || !is_userinfo(info))
        return fail(u, "net/url: invalid userinfo");
    dv_str password = dv_str_cut(info, ':', &name);
    u->has_user = true;
    if (!add_user(u, name))
        return false;
    if (!password.p)
        return true;
    dv_buf_addc(&u->user, ':');
    return add_user(u, password);
}

static bool read_path(url *u, dv_str path)
{
    DV_CLEANUP(dv_buf_done) dv_buf again = DV_BUF_INIT(TEXT_MAX);

    if (!unescape(u, path, PART_PATH, &u->path))
        return false;
    add_escaped(&again, dv_buf_str(&u->path), PART_PATH);
    if (!dv_str_eq(dv_buf_str(&again), path))
        dv_buf_add_str(&u->raw_path, path);
    return true;
}

static void take_query(url *u, dv_str *rest)
{
    ptrdiff_t mark = dv_str_find(*rest, '?');

    if (mark < 0)
        return;
    dv_str query = dv_str_skip(*rest, (size_t)mark + 1);
    u->force_query = query.n == 0;
    dv_buf_add_str(&u->query, query);
    *rest = dv_str_head(*rest, (size_t)mark);
}

static bool read_hierarchy(url *u, dv_str rest)
{
    bool scheme = u->scheme.n > 0;
    dv_str segment;

    if (!rest.n || rest.p[0] != '/') {
        if (scheme) {
            dv_buf_add_str(&u->opaque, rest);
            return true;
        }
        dv_str_cut(rest, '/', &segment);
        if (dv_str_find(segment, ':') >= 0)
            return fail(u, "first path segment in URL cannot contain colon");
    }
    if ((scheme || !dv_str_starts(rest, DV_STR("///"))) && dv_str_starts(rest, DV_STR("//"))) {
        rest = dv_str_skip(rest, 2);
        ptrdiff_t slash = dv_str_find(rest, '/');
        size_t n = slash < 0 ? rest.n : (size_t)slash;

        if (!read_authority(u, dv_str_head(rest, n)))
            return false;
        rest = dv_str_skip(rest, n);
    } else {
        u->omit_host = scheme;
    }
    return read_path(u, rest);
}

/* Without a fragment. */
static bool read_url(url *u, dv_str text)
{
    dv_str rest = text;

    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return fail(u, "net/url: invalid control character in URL");
    if (dv_str_is(text, "*")) {
        dv_buf_addc(&u->path, '*');
        return true;
    }
    if (!take_scheme(u, &rest))
        return false;
    take_query(u, &rest);
    return read_hierarchy(u, rest);
}

/* False: the run has failed with what and Go's error. */
static bool parse(dv_run *run, url *u, dv_str text, const char *what)
{
    dv_str head, fragment = dv_str_cut(text, '#', &head), named = head;
    dv_buf *out = dv_run_scratch(run);
    bool ok = read_url(u, head);

    if (ok && fragment.n) {
        named = text;
        ok = unescape(u, fragment, PART_FRAGMENT, &u->fragment);
    }
    if (ok)
        return true;
    dv_buf_addf(out, "%s: parse ", what);
    dv_quote(out, named);
    dv_buf_addf(out, ": %s", dv_buf_cstr(&u->fault));
    dv_run_fail_text(run, dv_buf_str(out));
    return false;
}

/* ---- urlParse ---- */

static dv_str hostname(const url *u)
{
    dv_str host = dv_buf_str(&u->host);
    ptrdiff_t colon = dv_str_rfind(host, ':');

    if (colon >= 0 && is_port(dv_str_skip(host, (size_t)colon)))
        host = dv_str_head(host, (size_t)colon);
    if (dv_str_starts(host, DV_STR("[")) && dv_str_ends(host, DV_STR("]")))
        host = dv_str_head(dv_str_skip(host, 1), host.n - 2);
    return host;
}

DV_FN(urlParse)
{
    DV_CLEANUP(url_done) url u;
    dv_heap *heap = dv_run_heap(run);
    dv_dict *dict = dv_dict_new(heap, &dv_type_any_dict);

    url_init(&u);
    if (!parse(run, &u, DV_ARG(0), "unable to parse url"))
        return DV_NONE_VAL;
    const struct {
        dv_str key, value;
    } members[] = {
        {DV_STR("scheme"), dv_buf_str(&u.scheme)},
        {DV_STR("host"), dv_buf_str(&u.host)},
        {DV_STR("hostname"), hostname(&u)},
        {DV_STR("path"), dv_buf_str(&u.path)},
        {DV_STR("query"), dv_buf_str(&u.query)},
        {DV_STR("opaque"), dv_buf_str(&u.opaque)},
        {DV_STR("fragment"), dv_buf_str(&u.fragment)},
        {DV_STR("userinfo"), dv_buf_str(&u.user)},
    };
    for (size_t i = 0; i < DV_LEN(members); i++)
        dv_dict_set(heap, dict, members[i].key, dv_val_string(heap, members[i].value));
    return dv_val_dict(dict);
}

/* ---- urlJoin ---- */

/* A string member, or "". */
static dv_str member(dv_run *run, const dv_dict *dict, const char *key)
{
    const dv_val *found = dv_dict_get(dict, dv_str_of(key));

    if (!found)
        return (dv_str){"", 0};
    if (found->kind == DV_V_STRING)
        return dv_val_str(*found);
    if (dv_val_is_nil(*found))
        dv_run_fail(run, "runtime error: invalid memory address or nil pointer dereference");
    else
        dv_run_fail(run, "unable to parse %s key, must be of type string, but %s found", key,
                    dv_val_kind_name(*found));
    return (dv_str){"", 0};
}

static void add_hierarchy(const url *u, dv_buf *out, dv_str path)
{
    DV_CLEANUP(dv_buf_done) dv_buf escaped = DV_BUF_INIT(TEXT_MAX);
    dv_str segment;

    if (u->scheme.n || u->host.n || u->has_user) {
        if (u->host.n || path.n || u->has_user)
            dv_buf_adds(out, "//");
        if (u->has_user)
            dv_buf_addf(out, "%s@", dv_buf_cstr(&u->user));
        add_escaped(out, dv_buf_str(&u->host), PART_HOST);
    }
    if (dv_str_is(path, "*"))
        dv_buf_addc(&escaped, '*');
    else
        add_escaped(&escaped, path, PART_PATH);
    if (path.n && path.p[0] != '/' && u->host.n)
        dv_buf_addc(out, '/');
    dv_str_cut(dv_buf_str(&escaped), '/', &segment);
    if (!out->n && dv_str_find(segment, ':') >= 0)
        dv_buf_adds(out, "./");
    dv_buf_add_str(out, dv_buf_str(&escaped));
}

DV_FN(urlJoin)
{
    DV_CLEANUP(url_done) url u;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(TEXT_MAX), probe = DV_BUF_INIT(TEXT_MAX);
    const dv_dict *dict = args[0].dict;

    url_init(&u);
    dv_str scheme = member(run, dict, "scheme"), host = member(run, dict, "host"),
           path = member(run, dict, "path"), query = member(run, dict, "query"),
           opaque = member(run, dict, "opaque"), fragment = member(run, dict, "fragment"),
           userinfo = member(run, dict, "userinfo");
    if (userinfo.n && !dv_run_failed(run)) {
        dv_buf_addf(&probe, "proto://%.*s@host", DV_FMT(userinfo));
        if (!parse(run, &u, dv_buf_str(&probe), "unable to parse userinfo in dict"))
            return DV_NONE_VAL;
    }
    dv_buf_reset(&u.scheme);
    dv_buf_reset(&u.host);
    dv_buf_add_str(&u.scheme, scheme);
    dv_buf_add_str(&u.host, host);
    if (scheme.n)
        dv_buf_addf(&out, "%.*s:", DV_FMT(scheme));
    if (opaque.n)
        dv_buf_add_str(&out, opaque);
    else
        add_hierarchy(&u, &out, path);
    if (query.n)
        dv_buf_addf(&out, "?%.*s", DV_FMT(query));
    if (fragment.n) {
        dv_buf_addc(&out, '#');
        add_escaped(&out, fragment, PART_FRAGMENT);
    }
    return dv_run_text(run, &out);
}
