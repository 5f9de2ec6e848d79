/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"
#include "testlib.h"

static const struct good {
    const char *name, *text;
    const char *scheme, *host;
    int port;
    const char *path, *query;
} goods[] = {
    {"plain http has port 80", "http://a.b/c", "http", "a.b", 80, "/c", ""},
    {"https has port 443", "https://a.b/c?d=e&f", "https", "a.b", 443, "/c", "d=e&f"},
    {"a scheme may be in capitals", "HTTPS://A.b/", "https", "A.b", 443, "/", ""},
    {"a path may be absent", "https://a.b", "https", "a.b", 443, "", ""},
    {"a query may follow the host", "https://a.b?x", "https", "a.b", 443, "", "x"},
    {"a port is read", "https://a.b:8443/x", "https", "a.b", 8443, "/x", ""},
    {"an empty port is the default", "https://a.b:/x", "https", "a.b", 443, "/x", ""},
    {"IPv6 stands in brackets", "http://[::1]:81/x", "http", "::1", 81, "/x", ""},
    {"IPv6 without a port", "https://[fd00::1]/", "https", "fd00::1", 443, "/", ""},
    {"IPv4 is a host", "http://10.0.0.1/", "http", "10.0.0.1", 80, "/", ""},
    {"a file has a path only", "file:///srv/repo/index.yaml", "file", "", 0, "/srv/repo/index.yaml",
     ""},
    {"an at sign in a path is no user", "https://a.b/@x", "https", "a.b", 443, "/@x", ""},
    {"escapes stay as they are", "https://a.b/%41%2Fx", "https", "a.b", 443, "/%41%2Fx", ""},
};

static void is_parsed(void **state)
{
    const struct good *row = *state;
    dv_url url;

    assert_ok(dv_url_parse(dv_str_of(row->text), &url));
    assert_true(dv_str_is(url.scheme, row->scheme));
    assert_true(dv_str_is(url.host, row->host));
    assert_int_equal(url.port, row->port);
    assert_true(dv_str_is(url.path, row->path));
    assert_true(dv_str_is(url.query, row->query));
    assert_int_equal(url.userinfo.n, 0);
}

static const struct refused {
    const char *name, *text, *why;
} bads[] = {
    {"empty text", "", "not absolute"},
    {"a relative reference", "a/b.yaml", "not absolute"},
    {"an absolute path", "/a/b", "not absolute"},
    {"a colon in a path is no scheme", "a/b:c", "not absolute"},
    {"another scheme", "ftp://a/b", "scheme"},
    {"javascript", "javascript:alert(1)", "scheme"},
    {"one slash only", "http:/a", "//"},
    {"no host", "http:///a", "no host"},
    {"no host but a port", "http://:80/a", "no host"},
    {"a user", "http://user@a.b/", "user name"},
    {"a user and a password", "http://u:p@a.b/", "user name"},
    {"an at sign that hides a host", "http://good.org@evil.org/", "user name"},
    {"a fragment", "http://a.b/#c", "fragment"},
    {"a blank", "http://a.b/c d", "blank"},
    {"a newline", "http://a.b/c\nd", "blank"},
    {"a tab", "http://a.b/\tc", "blank"},
    {"a delete", "http://a.b/\x7f", "printable"},
    {"a byte beyond ASCII", "http://a.b/\xc3\xa4", "printable"},
    {"a backslash", "http://a.b\\@c/", "backslash"},
    {"a backslash in the path", "http://a.b/c\\d", "backslash"},
    {"an escape without digits", "http://a.b/%", "hex digits"},
    {"an escape with one digit", "http://a.b/%4", "hex digits"},
    {"an escape with a letter", "http://a.b/%4g", "hex digits"},
    {"an encoded NUL", "http://a.b/%00", "NUL"},
    {"port 0", "http://a.b:0/", "port"},
    {"a port past 16 bits", "http://a.b:65536/", "port"},
    {"a port with letters", "http://a.b:8o/", "port"},
    {"IPv6 without brackets", "http://::1/", "no host"},
    {"IPv6 unclosed", "http://[::1/", "bracket"},
    {"IPv6 that is none", "http://[:::1]/", "IPv6"},
    {"IPv6 with a zone", "http://[fe80::1%25eth0]/", "IPv6"},
    {"empty brackets", "http://[]/", "IPv6"},
    {"text behind the bracket", "http://[::1]x/", "bracket"},
    {"an escape in the host", "http://a%2eb/", "host name"},
    {"a host with a space encoded", "http://a%20b/", "host name"},
    {"a file with a host", "file://server/share", "host"},
    {"a file without a path", "file://", "path"},
    {"a file with a query", "file:///a?b", "query"},
};

static void is_refused(void **state)
{
    const struct refused *row = *state;
    dv_url url;

    assert_err(dv_url_parse(dv_str_of(row->text), &url), DV_INVALID, row->why);
}

static const struct resolved {
    const char *name, *base, *reference;
    bool inside;
    const char *want; /* NULL: refused */
} resolves[] = {
    /* The examples of RFC 3986, section 5.4, without fragments and user names. */
    {"g", "http://a/b/c/d;p?q", "g", false, "http://a/b/c/g"},
    {"./g", "http://a/b/c/d;p?q", "./g", false, "http://a/b/c/g"},
    {"g/", "http://a/b/c/d;p?q", "g/", false, "http://a/b/c/g/"},
    {"/g", "http://a/b/c/d;p?q", "/g", false, "http://a/g"},
    {"//g", "http://a/b/c/d;p?q", "//g", false, "http://g/"},
    {"?y", "http://a/b/c/d;p?q", "?y", false, "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/d;p?q", "g?y", false, "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q", "#s", false, "http://a/b/c/d;p?q"},
    {"g#s", "http://a/b/c/d;p?q", "g#s", false, "http://a/b/c/g"},
    {";x", "http://a/b/c/d;p?q", ";x", false, "http://a/b/c/;x"},
    {"nothing", "http://a/b/c/d;p?q", "", false, "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/d;p?q", ".", false, "http://a/b/c/"},
    {"./", "http://a/b/c/d;p?q", "./", false, "http://a/b/c/"},
    {"..", "http://a/b/c/d;p?q", "..", false, "http://a/b/"},
    {"../g", "http://a/b/c/d;p?q", "../g", false, "http://a/b/g"},
    {"../..", "http://a/b/c/d;p?q", "../..", false, "http://a/"},
    {"../../g", "http://a/b/c/d;p?q", "../../g", false, "http://a/g"},
    {"../../../g", "http://a/b/c/d;p?q", "../../../g", false, "http://a/g"},
    {"/./g", "http://a/b/c/d;p?q", "/./g", false, "http://a/g"},
    {"/../g", "http://a/b/c/d;p?q", "/../g", false, "http://a/g"},
    {"g.", "http://a/b/c/d;p?q", "g.", false, "http://a/b/c/g."},
    {"..g", "http://a/b/c/d;p?q", "..g", false, "http://a/b/c/..g"},
    {"./../g", "http://a/b/c/d;p?q", "./../g", false, "http://a/b/g"},
    {"./g/.", "http://a/b/c/d;p?q", "./g/.", false, "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/d;p?q", "g/./h", false, "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/d;p?q", "g/../h", false, "http://a/b/c/h"},
    {"g;x=1/../y", "http://a/b/c/d;p?q", "g;x=1/../y", false, "http://a/b/c/y"},
    {"g?y/../x", "http://a/b/c/d;p?q", "g?y/../x", false, "http://a/b/c/g?y/../x"},
    /* Ours. */
    {"another origin, absolute", "https://a/b/", "https://c:8443/d?e", false, "https://c:8443/d?e"},
    {"the default port is left out", "https://a/b/", "https://c:443/d", false, "https://c/d"},
    {"a port of the base is kept", "https://a:1/b/c", "d", false, "https://a:1/b/d"},
    {"brackets are kept", "https://[::1]:1/b/c", "d", false, "https://[::1]:1/b/d"},
    {"a base without a path", "https://a", "d", false, "https://a/d"},
    {"a file stays a file", "file:///srv/repo/index.yaml", "p/v.yaml", true,
     "file:///srv/repo/p/v.yaml"},
    {"an encoded dot is a dot", "http://a/b/c", "%2e%2E/g", false, "http://a/g"},
    {"half an encoded dot", "http://a/b/c", ".%2e/g", false, "http://a/g"},
    {"a bad scheme", "http://a/b", "ftp://c/d", false, NULL},
    {"a user in the reference", "http://a/b", "http://u@c/d", false, NULL},
    {"a user in a network path", "http://a/b", "//u@c/d", false, NULL},
    {"a backslash", "http://a/b", "\\\\c\\d", false, NULL},
    {"a newline", "http://a/b", "c\nd", false, NULL},
    {"a bad base", "a/b", "c", false, NULL},
    {"inside: a neighbour", "http://a/b/c/d", "e.yaml", true, "http://a/b/c/e.yaml"},
    {"inside: below", "http://a/b/c/d", "e/f.yaml", true, "http://a/b/c/e/f.yaml"},
    {"inside: out and in again", "http://a/b/c/d", "../c/e", true, "http://a/b/c/e"},
    {"inside: an absolute path below", "http://a/b/c/d", "/b/c/e", true, "http://a/b/c/e"},
    {"inside: absolute URLs are no relative ones", "http://a/b/c/d", "https://x/y", true,
     "https://x/y"},
    {"inside: the folder above", "http://a/b/c/d", "../e", true, NULL},
    {"inside: far above", "http://a/b/c/d", "../../../../etc/passwd", true, NULL},
    {"inside: an absolute path beside", "http://a/b/c/d", "/b/e", true, NULL},
    {"inside: a folder with the same beginning", "http://a/b/c/d", "/b/cc/e", true, NULL},
    {"inside: encoded dots", "http://a/b/c/d", "%2e%2e/e", true, NULL},
    {"inside: an encoded slash", "http://a/b/c/d", "..%2fe", true, NULL},
    {"inside: an encoded slash in capitals", "http://a/b/c/d", "..%2Fe", true, NULL},
    {"inside: an encoded backslash", "http://a/b/c/d", "..%5ce", true, NULL},
    {"inside: another host", "http://a/b/c/d", "//x/b/c/e", true, NULL},
    {"inside: another port by network path", "http://a/b/c/d", "//a:81/b/c/e", true, NULL},
    {"inside: the same host by network path", "http://a/b/c/d", "//A/b/c/e", true,
     "http://A/b/c/e"},
    {"inside: a slash in the query is none of the path", "http://a/b/c/d", "e?x=..%2f", true,
     "http://a/b/c/e?x=..%2f"},
    {"inside: the root of a base without a path", "http://a", "e", true, "http://a/e"},
};

static void is_resolved(void **state)
{
    const struct resolved *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_URL_MAX);

    dv_buf_adds(&out, ">");
    dv_err *err =
        dv_url_resolve(dv_str_of(row->base), dv_str_of(row->reference), row->inside, &out);
    if (!row->want) {
        assert_err(err, DV_INVALID, NULL);
        assert_string_equal(dv_buf_cstr(&out), ">");
        return;
    }
    assert_ok(err);
    assert_string_equal(dv_buf_cstr(&out) + 1, row->want);
}

static const struct origins {
    const char *name, *a, *b;
    bool same;
} origins[] = {
    {"paths don't matter", "http://a/b", "http://a/c?d", true},
    {"the case of a host doesn't matter", "http://A.b/", "http://a.B/", true},
    {"the default port may be written", "https://a/", "https://a:443/", true},
    {"schemes matter", "http://a/", "https://a/", false},
    {"schemes matter with equal ports", "http://a:443/", "https://a/", false},
    {"ports matter", "https://a/", "https://a:8443/", false},
    {"hosts matter", "https://a/", "https://a.b/", false},
};

static void is_same_origin(void **state)
{
    const struct origins *row = *state;
    dv_url a, b;

    assert_ok(dv_url_parse(dv_str_of(row->a), &a));
    assert_ok(dv_url_parse(dv_str_of(row->b), &b));
    assert_int_equal(dv_url_same_origin(&a, &b), row->same);
    assert_int_equal(dv_url_same_origin(&b, &a), row->same);
}

static const struct publics {
    const char *name, *text, *want;
} publics[] = {
    {"a query is left out", "https://a/b?token=c", "https://a/b"},
    {"a fragment is left out", "https://a/b#c", "https://a/b"},
    {"a user is left out", "https://u:p@a/b", "https://a/b"},
    {"a user with an at sign is left out", "https://u@x:p@a/b", "https://a/b"},
    {"an at sign in the path stays", "https://a/@b", "https://a/@b"},
    {"what is no URL stays, made printable", "what\x1b[1m", "what?[1m"},
    {"nothing stays nothing", "", ""},
};

static void is_public(void **state)
{
    const struct publics *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_URL_MAX);

    dv_url_add_public(&out, dv_str_of(row->text));
    assert_string_equal(dv_buf_cstr(&out), row->want);
}

static void too_long_urls_are_refused(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(2 * DV_URL_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(2 * DV_URL_MAX);
    dv_url url;

    (void)state;
    dv_buf_adds(&text, "http://a/");
    dv_buf_fill(&text, 'x', DV_URL_MAX - text.n);
    assert_ok(dv_url_parse(dv_buf_str(&text), &url));
    assert_err(dv_url_resolve(DV_STR("http://a/"), dv_str_skip(dv_buf_str(&text), 7), false, &out),
               DV_INVALID, NULL);
    dv_buf_addc(&text, 'x');
    assert_err(dv_url_parse(dv_buf_str(&text), &url), DV_INVALID, "too long");
    assert_err(
        dv_url_resolve(DV_STR("http://a/b/c/"), dv_str_skip(dv_buf_str(&text), 10), false, &out),
        DV_INVALID, "too long");
}

static void too_long_hosts_are_refused(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_URL_MAX);
    dv_url url;

    (void)state;
    dv_buf_adds(&text, "http://");
    dv_buf_fill(&text, 'x', 254);
    assert_err(dv_url_parse(dv_buf_str(&text), &url), DV_INVALID, "host is too long");
}

int main(void)
{
    dv_suite suite = {.name = "http/url"};

    DV_TABLE(&suite, is_parsed, goods);
    DV_TABLE(&suite, is_refused, bads);
    DV_TABLE(&suite, is_resolved, resolves);
    DV_TABLE(&suite, is_same_origin, origins);
    DV_TABLE(&suite, is_public, publics);
    DV_TEST(&suite, too_long_urls_are_refused);
    DV_TEST(&suite, too_long_hosts_are_refused);
    return dv_suite_run(&suite);
}
