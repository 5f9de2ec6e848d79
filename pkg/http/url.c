/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_MAX = 65535 };

static const struct scheme {
    dv_str name;
    uint16_t port;
} schemes[] = {
    {{"http", 4}, PORT_HTTP},
    {{"https", 5}, PORT_HTTPS},
    {{"file", 4}, 0},
};

static dv_err *bad(const char *what)
{
    return dv_err_new(DV_INVALID, "BadURL", "%s", what);
}

static bool same_ignoring_case(dv_str a, dv_str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

/* The first byte that is in `any`, or n. */
static size_t span_until(dv_str s, const char *any)
{
    size_t i = 0;

    while (i < s.n && !strchr(any, s.p[i]))
        i++;
    return i;
}

/* ---- Parsing ---- */

/* Printable ASCII, no backslash, and each '%' with two digits that don't make a NUL. */
static dv_err *check_bytes(dv_str text)
{
    if (text.n > DV_URL_MAX)
        return bad("the URL is too long");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c <= ' ' || c >= 0x7f || c == '\\')
            return bad("the URL holds a blank, a backslash or a byte that is not printable ASCII");
        if (c != '%')
            continue;
        if (i + 2 >= text.n || !isxdigit((unsigned char)text.p[i + 1]) ||
            !isxdigit((unsigned char)text.p[i + 2]))
            return bad("the URL holds a '%' that is not followed by two hex digits");
        if (text.p[i + 1] == '0' && text.p[i + 2] == '0')
            return bad("the URL holds an encoded NUL");
    }
    return NULL;
}

static const struct scheme *find_scheme(dv_str name)
{
    for (size_t i = 0; i < DV_LEN(schemes); i++)
        if (same_ignoring_case(schemes[i].name, name))
            return &schemes[i];
    return NULL;
}

/* True when text begins with "name:", as RFC 3986 writes a scheme; *ret_name is the name. */
static bool has_scheme(dv_str text, dv_str *ret_name)
{
    size_t end = span_until(text, ":/?#");

    if (end == 0 || end == text.n || text.p[end] != ':' || !isalpha((unsigned char)text.p[0]))
        return false;
    for (size_t i = 1; i < end; i++)
        if (!isalnum((unsigned char)text.p[i]) && !strchr("+-.", text.p[i]))
            return false;
    *ret_name = dv_str_head(text, end);
    return true;
}

static bool is_ipv6(dv_str host)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    if (host.n == 0 || host.n >= sizeof(text))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

static dv_err *check_host(dv_str host)
{
    enum { HOST_MAX = 253 };

    if (host.n == 0)
        return bad("the URL has no host");
    if (host.n > HOST_MAX)
        return bad("the URL's host is too long");
    for (size_t i = 0; i < host.n; i++)
        if (!isalnum((unsigned char)host.p[i]) && !strchr("-._", host.p[i]))
            return bad("the URL's host holds a character that no host name has");
    return NULL;
}

static dv_err *parse_port(dv_str text, uint16_t *port)
{
    uint64_t value = 0;

    if (text.n == 0) /* "host:" means the default */
        return NULL;
    dv_auto(dv_err) err = dv_str_u64(text, &value);
    if (err || value == 0 || value > PORT_MAX)
        return bad("the URL's port is not a number from 1 to 65535");
    *port = (uint16_t)value;
    return NULL;
}

static dv_err *parse_authority(dv_str text, dv_url *url)
{
    dv_str port = {0};

    if (dv_str_find(text, '@') >= 0)
        return bad("the URL holds a user name or password");
    if (text.n && text.p[0] == '[') {
        ptrdiff_t end = dv_str_find(text, ']');
        if (end < 0)
            return bad("the URL's host has no closing bracket");
        url->host = dv_str_head(dv_str_skip(text, 1), (size_t)end - 1);
        if (!is_ipv6(url->host))
            return bad("the URL's host is not an IPv6 address");
        port = dv_str_skip(text, (size_t)end + 1);
        if (port.n && port.p[0] != ':')
            return bad("the URL has text behind the bracket of its host");
        return parse_port(dv_str_skip(port, 1), &url->port);
    }
    port = dv_str_cut(text, ':', &url->host);
    DV_CHECK(check_host(url->host));
    return parse_port(port, &url->port);
}

dv_err *dv_url_parse(dv_str text, dv_url *ret_url)
{
    dv_url url = {0};
    dv_str name = {0};

    DV_CHECK(check_bytes(text));
    if (!has_scheme(text, &name))
        return bad("the URL is not absolute");
    const struct scheme *scheme = find_scheme(name);
    if (!scheme)
        return bad("the URL's scheme is not http, https or file");
    if (dv_str_find(text, '#') >= 0)
        return bad("the URL has a fragment");
    url.scheme = scheme->name;
    url.port = scheme->port;

    dv_str rest = dv_str_skip(text, name.n + 1);
    if (!dv_str_starts(rest, DV_STR("//")))
        return bad("the URL has no \"//\" behind its scheme");
    rest = dv_str_skip(rest, 2);
    dv_str authority = dv_str_head(rest, span_until(rest, "/?"));
    rest = dv_str_skip(rest, authority.n);
    if (scheme->port)
        DV_CHECK(parse_authority(authority, &url));
    else if (authority.n)
        return bad("a file URL names a host");
    url.query = dv_str_cut(rest, '?', &url.path);
    if (!scheme->port && (url.path.n == 0 || url.query.n))
        return bad("a file URL has no path, or a query");
    *ret_url = url;
    return NULL;
}

bool dv_url_same_origin(const dv_url *a, const dv_url *b)
{
    return dv_str_eq(a->scheme, b->scheme) && same_ignoring_case(a->host, b->host) &&
           a->port == b->port;
}

/* ---- Resolving ---- */

/* Decoded %2e: a dot is a dot, however it is written. */
static void add_dots_decoded(dv_buf *out, dv_str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (i + 2 < path.n && path.p[i] == '%' && path.p[i + 1] == '2' &&
            (path.p[i + 2] == 'e' || path.p[i + 2] == 'E')) {
            dv_buf_addc(out, '.');
            i += 2;
        } else {
            dv_buf_addc(out, path.p[i]);
        }
    }
}

/* RFC 3986, section 5.2.4, for paths that start with "/". */
static void add_path_normalized(dv_buf *out, dv_str path)
{
    size_t floor = out->n;

    while (path.n) {
        size_t n = 1 + span_until(dv_str_skip(path, 1), "/");
        dv_str segment = dv_str_skip(dv_str_head(path, n), 1);
        bool last = n == path.n;

        path = dv_str_skip(path, n);
        if (dv_str_is(segment, "..")) {
            ptrdiff_t slash = dv_str_rfind(dv_str_skip(dv_buf_str(out), floor), '/');
            dv_buf_cut(out, slash < 0 ? floor : floor + (size_t)slash);
        } else if (!dv_str_is(segment, ".")) {
            dv_buf_addc(out, '/');
            dv_buf_add_str(out, segment);
            continue;
        }
        if (last)
            dv_buf_addc(out, '/');
    }
    if (out->n == floor)
        dv_buf_addc(out, '/');
}

/* The path up to and with its last slash. */
static dv_str folder_of(dv_str path)
{
    ptrdiff_t slash = dv_str_rfind(path, '/');

    return slash < 0 ? DV_STR("/") : dv_str_head(path, (size_t)slash + 1);
}

static void add_origin(dv_buf *out, const dv_url *url)
{
    bool v6 = dv_str_find(url->host, ':') >= 0;
    const struct scheme *scheme = find_scheme(url->scheme);

    dv_buf_add_str(out, url->scheme);
    dv_buf_adds(out, "://");
    dv_buf_addf(out, v6 ? "[%.*s]" : "%.*s", DV_FMT(url->host));
    if (url->port != scheme->port)
        dv_buf_addf(out, ":%u", url->port);
}

/* A slash or backslash that only appears after decoding. */
static bool hides_separator(dv_str path)
{
    for (size_t i = 0; i + 2 < path.n; i++)
        if (path.p[i] == '%' && ((path.p[i + 1] == '2' && strchr("fF", path.p[i + 2])) ||
                                 (path.p[i + 1] == '5' && strchr("cC", path.p[i + 2]))))
            return true;
    return false;
}

/* Decoded dots, no dot segments, the query as it was. */
static void add_path(dv_buf *out, dv_str path, dv_str query)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(2 * DV_URL_MAX);

    add_dots_decoded(&plain, path.n ? path : DV_STR("/"));
    add_path_normalized(out, dv_buf_str(&plain));
    if (query.p)
        dv_buf_addf(out, "?%.*s", DV_FMT(query));
}

/* A reference with an authority of its own: "https://…", or "//…" with the base's scheme. */
static dv_err *add_absolute(dv_buf *out, const dv_url *base, dv_str reference, bool has_own_scheme)
{
    DV_CLEANUP(dv_buf_done) dv_buf whole = DV_BUF_INIT(DV_URL_MAX);
    dv_url url;

    if (!has_own_scheme)
        dv_buf_addf(&whole, "%.*s:", DV_FMT(base->scheme));
    dv_buf_add_str(&whole, reference);
    if (whole.overflow)
        return bad("the URL is too long");
    DV_CHECK(dv_url_parse(dv_buf_str(&whole), &url));
    add_origin(out, &url);
    add_path(out, url.path, url.query);
    return NULL;
}

static void add_relative(dv_buf *out, const dv_url *base, dv_str reference)
{
    DV_CLEANUP(dv_buf_done) dv_buf merged = DV_BUF_INIT(2 * DV_URL_MAX);
    dv_str path, query = dv_str_cut(reference, '?', &path);

    add_origin(out, base);
    if (path.n == 0) {
        add_path(out, base->path, query.p ? query : base->query);
        return;
    }
    if (path.p[0] != '/')
        dv_buf_add_str(&merged, folder_of(base->path));
    dv_buf_add_str(&merged, path);
    add_path(out, dv_buf_str(&merged), query);
}

/* INVALID unless target, which a relative reference gave, stands in the folder of base. */
static dv_err *check_inside(const dv_url *base, dv_str reference, const dv_url *target)
{
    DV_CLEANUP(dv_buf_done) dv_buf folder = DV_BUF_INIT(DV_URL_MAX + 1);

    if (hides_separator(dv_str_head(reference, span_until(reference, "?"))))
        return bad("the relative URL holds an encoded slash or backslash");
    add_path(&folder, folder_of(base->path), (dv_str){0});
    if (!dv_url_same_origin(base, target) || !dv_str_starts(target->path, dv_buf_str(&folder)))
        return bad("the relative URL leaves the folder it starts from");
    return NULL;
}

dv_err *dv_url_resolve(dv_str base, dv_str reference, bool inside, dv_buf *out)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_URL_MAX);
    dv_url from, target;
    dv_str scheme;

    DV_CHECK(dv_url_parse(base, &from));
    reference = dv_str_head(reference, span_until(reference, "#"));
    DV_CHECK(check_bytes(reference));
    bool absolute = has_scheme(reference, &scheme);
    if (absolute || dv_str_starts(reference, DV_STR("//")))
        DV_CHECK(add_absolute(&text, &from, reference, absolute));
    else
        add_relative(&text, &from, reference);
    if (text.overflow)
        return bad("the URL is too long");
    DV_CHECK(dv_url_parse(dv_buf_str(&text), &target));
    if (inside && !absolute)
        DV_CHECK(check_inside(&from, reference, &target));
    dv_buf_add_str(out, dv_buf_str(&text));
    return NULL;
}

void dv_url_add_public(dv_buf *out, dv_str url)
{
    url = dv_str_head(url, span_until(url, "?#"));
    ptrdiff_t colon = dv_str_find(url, ':');
    dv_str rest = dv_str_skip(url, colon < 0 ? 0 : (size_t)colon + 1);
    if (dv_str_starts(rest, DV_STR("//"))) {
        dv_str authority = dv_str_skip(rest, 2);
        authority = dv_str_head(authority, span_until(authority, "/"));
        ptrdiff_t at = dv_str_rfind(authority, '@');
        dv_buf_add(out, url.p, (size_t)(authority.p - url.p));
        url = dv_str_skip(url, (size_t)(authority.p - url.p) + (size_t)(at + 1));
    }
    for (size_t i = 0; i < url.n; i++)
        dv_buf_addc(out, (unsigned char)url.p[i] < ' ' || url.p[i] == 0x7f ? '?' : url.p[i]);
}
