/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <sys/un.h>

#include "http/address.h"
#include "http/http_internal.h"
#include "http/url.h"
#include "testlib.h"

/* The socket address of "1.2.3.4" or "::1". */
static const struct sockaddr *address_of(const char *text, int port)
{
    static struct sockaddr_in v4;
    static struct sockaddr_in6 v6;

    v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return (const struct sockaddr *)&v4;
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return (const struct sockaddr *)&v6;
}

static const struct row {
    const char *name, *address;
    bool own, elsewhere; /* allowed for a repository's own origin, and for others */
} rows[] = {
    {"a public IPv4 address", "93.184.216.34", true, true},
    {"a public IPv6 address", "2606:4700::1111", true, true},
    {"loopback", "127.0.0.1", false, false},
    {"loopback, another one", "127.255.0.9", false, false},
    {"loopback in IPv6", "::1", false, false},
    {"loopback as IPv4-mapped", "::ffff:127.0.0.1", false, false},
    {"loopback as IPv4-compatible", "::127.0.0.1", false, false},
    {"loopback through NAT64", "64:ff9b::127.0.0.1", false, false},
    {"loopback through 6to4", "2002:7f00:1::1", false, false},
    {"unspecified", "0.0.0.0", false, false},
    {"this network", "0.1.2.3", false, false},
    {"unspecified in IPv6", "::", false, false},
    {"the metadata address", "169.254.169.254", false, false},
    {"the metadata address, mapped", "::ffff:169.254.169.254", false, false},
    {"the metadata address of IPv6", "fd00:ec2::254", false, false},
    {"link-local in IPv6", "fe80::1", false, false},
    {"the end of link-local in IPv6", "febf::1", false, false},
    {"site-local", "fec0::1", false, false},
    {"multicast", "224.0.0.1", false, false},
    {"multicast in IPv6", "ff02::1", false, false},
    {"broadcast", "255.255.255.255", false, false},
    {"reserved", "240.0.0.1", false, false},
    {"private 10", "10.1.2.3", true, false},
    {"private 172.16", "172.16.0.1", true, false},
    {"the end of private 172.16", "172.31.255.255", true, false},
    {"just behind private 172.16", "172.32.0.1", true, true},
    {"just before private 172.16", "172.15.255.255", true, true},
    {"private 192.168", "192.168.1.1", true, false},
    {"shared by carriers", "100.64.0.1", true, false},
    {"just behind the carriers'", "100.128.0.1", true, true},
    {"private, mapped", "::ffff:10.0.0.1", true, false},
    {"private, through NAT64", "64:ff9b::10.0.0.1", true, false},
    {"public, mapped", "::ffff:93.184.216.34", true, true},
    {"unique local", "fd12:3456::1", true, false},
    {"unique local, first half", "fc00::1", true, false},
};

static void is_decided(void **state)
{
    const struct row *row = *state;
    dv_auto(dv_address_policy) policy = dv_address_policy_new();

    assert_int_equal(dv_address_allowed(policy, address_of(row->address, 80), true), row->own);
    assert_int_equal(dv_address_allowed(policy, address_of(row->address, 80), false),
                     row->elsewhere);
}

static const struct opened {
    const char *name, *cidr, *address;
    bool want;
} opened[] = {
    {"a range opens loopback", "127.0.0.0/8", "127.0.0.1", true},
    {"a range opens the mapped form too", "127.0.0.0/8", "::ffff:127.0.0.1", true},
    {"one address opens itself", "127.0.0.1", "127.0.0.1", true},
    {"one address opens no other", "127.0.0.1/32", "127.0.0.2", false},
    {"a range in IPv6", "::1/128", "::1", true},
    {"a range of odd length, first", "10.0.0.0/9", "10.127.255.255", true},
    {"a range of odd length, beyond", "10.0.0.0/9", "10.128.0.0", false},
    {"a range of odd length in IPv6", "fd00::/9", "fd7f::1", true},
    {"a range of odd length in IPv6, beyond", "fd00::/9", "fd80::1", false},
    {"bits behind the length don't matter", "10.1.2.3/8", "10.9.9.9", true},
    {"all of IPv4", "0.0.0.0/0", "169.254.169.254", true},
    {"all of IPv4 is none of IPv6", "0.0.0.0/0", "fe80::1", false},
};

static void range_opens(void **state)
{
    const struct opened *row = *state;
    dv_auto(dv_address_policy) policy = dv_address_policy_new();

    assert_ok(dv_address_policy_allow(policy, row->cidr));
    assert_int_equal(dv_address_allowed(policy, address_of(row->address, 1), false), row->want);
}

static const struct bad {
    const char *name, *cidr;
} bads[] = {
    {"a name is no range", "localhost"},
    {"empty text is no range", ""},
    {"too long for IPv4", "10.0.0.0/33"},
    {"too long for IPv6", "::/129"},
    {"no length behind the slash", "10.0.0.0/"},
    {"a negative length", "10.0.0.0/-1"},
    {"a short address", "10.0/8"},
    {"a hexadecimal address", "0x7f000001"},
    {"text that goes on and on", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/1"},
};

static void is_no_range(void **state)
{
    const struct bad *row = *state;
    dv_auto(dv_address_policy) policy = dv_address_policy_new();

    assert_err(dv_address_policy_allow(policy, row->cidr), DV_INVALID, "range");
}

static void denied_wins_over_allowed(void **state)
{
    dv_auto(dv_address_policy) policy = dv_address_policy_new();

    (void)state;
    assert_ok(dv_address_policy_allow(policy, "0.0.0.0/0"));
    assert_ok(dv_address_policy_allow(policy, "::/0"));
    dv_address_policy_deny(policy, address_of("10.0.0.1", 0));
    dv_address_policy_deny(policy, address_of("127.0.0.1", 6443));
    dv_address_policy_deny(policy, address_of("fd00::1", 443));
    assert_false(dv_address_allowed(policy, address_of("10.0.0.1", 443), true));
    assert_false(dv_address_allowed(policy, address_of("::ffff:10.0.0.1", 80), true));
    assert_false(dv_address_allowed(policy, address_of("64:ff9b::10.0.0.1", 80), true));
    assert_false(dv_address_allowed(policy, address_of("127.0.0.1", 6443), true));
    assert_true(dv_address_allowed(policy, address_of("127.0.0.1", 8080), true));
    assert_false(dv_address_allowed(policy, address_of("fd00::1", 443), true));
    assert_true(dv_address_allowed(policy, address_of("fd00::1", 444), true));
}

static void other_families_are_refused(void **state)
{
    dv_auto(dv_address_policy) policy = dv_address_policy_new();
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

    (void)state;
    dv_address_policy_deny(policy, (const struct sockaddr *)&local);
    assert_false(dv_address_allowed(policy, (const struct sockaddr *)&local, true));
}

static const struct bypass {
    const char *name, *no_proxy, *host;
    int port;
    bool want;
} bypasses[] = {
    {"no list bypasses nothing", NULL, "a.org", 443, false},
    {"an empty list bypasses nothing", "", "a.org", 443, false},
    {"a star bypasses all", "x,*", "a.org", 443, true},
    {"a name covers itself", "a.org", "a.org", 443, true},
    {"a name covers its subdomains", "a.org", "b.a.org", 443, true},
    {"a name covers no other that ends so", "a.org", "ba.org", 443, false},
    {"case doesn't matter", "A.ORG", "b.a.Org", 443, true},
    {"a leading dot covers subdomains only", ".a.org", "a.org", 443, false},
    {"a leading dot covers subdomains", ".a.org", "b.a.org", 443, true},
    {"a leading star covers subdomains", "*.a.org", "b.a.org", 443, true},
    {"a dot alone covers nothing", ".", "a.org", 443, false},
    {"blanks around entries are skipped", " x , a.org ", "a.org", 443, true},
    {"an entry may be empty", ",,a.org", "a.org", 443, true},
    {"a port must fit", "a.org:8443", "a.org", 443, false},
    {"a port fits", "a.org:8443", "a.org", 8443, true},
    {"a port that is none covers nothing", "a.org:x", "a.org", 443, false},
    {"an address covers itself", "10.0.0.1", "10.0.0.1", 443, true},
    {"an address with a port", "10.0.0.1:443", "10.0.0.1", 443, true},
    {"a range covers its addresses", "10.0.0.0/8", "10.1.1.1", 443, true},
    {"a range covers no others", "10.0.0.0/8", "11.1.1.1", 443, false},
    {"a range covers no names", "0.0.0.0/0", "a.org", 443, false},
    {"IPv6 without brackets", "fd00::/8", "fd00::1", 443, true},
    {"IPv6 in brackets", "[fd00::1]", "fd00::1", 443, true},
    {"IPv6 in brackets with its port", "[fd00::1]:443", "fd00::1", 443, true},
    {"IPv6 in brackets with another port", "[fd00::1]:8443", "fd00::1", 443, false},
    {"IPv6 in an open bracket covers nothing", "[fd00::1", "fd00::1", 443, false},
};

static void is_bypassed(void **state)
{
    const struct bypass *row = *state;

    assert_int_equal(dv_proxy_bypassed(row->no_proxy, dv_str_of(row->host), (uint16_t)row->port),
                     row->want);
}

int main(void)
{
    dv_suite suite = {.name = "http/address"};

    DV_TABLE(&suite, is_decided, rows);
    DV_TABLE(&suite, range_opens, opened);
    DV_TABLE(&suite, is_no_range, bads);
    DV_TEST(&suite, denied_wins_over_allowed);
    DV_TEST(&suite, other_families_are_refused);
    DV_TABLE(&suite, is_bypassed, bypasses);
    return dv_suite_run(&suite);
}
