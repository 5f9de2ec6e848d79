/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <strings.h>

#include "http/address.h"
#include "http/http_internal.h"

static bool equal(dv_str a, dv_str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

/* host itself or below it: "example.org" and ".example.org" both cover "a.example.org". */
static bool covers_name(dv_str entry, dv_str host)
{
    bool only_below = entry.n && entry.p[0] == '.';

    entry = dv_str_skip(entry, only_below);
    if (!only_below && equal(entry, host))
        return true;
    return entry.n && host.n > entry.n && host.p[host.n - entry.n - 1] == '.' &&
           equal(dv_str_skip(host, host.n - entry.n), entry);
}

/* Splits a port off "host:port" and "[v6]:port"; a bare IPv6 address has none. */
static bool port_fits(dv_str *entry, uint16_t port)
{
    ptrdiff_t colon = dv_str_rfind(*entry, ':');
    uint64_t wanted;
    dv_str host;

    if (entry->n && entry->p[0] == '[') {
        ptrdiff_t end = dv_str_rfind(*entry, ']');
        if (end < 0)
            return false;
        host = dv_str_head(dv_str_skip(*entry, 1), (size_t)end - 1);
        if (colon < end)
            colon = -1;
    } else if (colon >= 0 && dv_str_find(*entry, ':') != colon) {
        return true;
    } else {
        host = colon < 0 ? *entry : dv_str_head(*entry, (size_t)colon);
    }
    if (colon >= 0) {
        dv_auto(dv_err) err = dv_str_u64(dv_str_skip(*entry, (size_t)colon + 1), &wanted);
        if (err || wanted != port)
            return false;
    }
    *entry = host;
    return true;
}

bool dv_proxy_bypassed(const char *no_proxy, dv_str host, uint16_t port)
{
    dv_str rest = dv_str_of(no_proxy), entry;
    dv_address address;
    bool numeric = dv_address_parse(host, &address);

    while (rest.n) {
        dv_cidr cidr;

        rest = dv_str_cut(rest, ',', &entry);
        entry = dv_str_trim(entry);
        if (dv_str_is(entry, "*"))
            return true;
        if (!entry.n || !port_fits(&entry, port))
            continue;
        if (dv_str_starts(entry, DV_STR("*.")))
            entry = dv_str_skip(entry, 1);
        if (numeric ? dv_cidr_parse(entry, &cidr) && dv_cidr_has(&cidr, &address)
                    : covers_name(entry, host))
            return true;
    }
    return false;
}
