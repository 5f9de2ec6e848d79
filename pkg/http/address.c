/* SPDX-License-Identifier: Apache-2.0 */
#include "http/address.h"

#include <arpa/inet.h>

#include "http/url.h"

enum { V4_AT = 12, V4_BITS = 96, ALL_BITS = 128 };

/* ---- Addresses and ranges ---- */

static void set_v4(dv_address *address, const void *bytes)
{
    memset(address->bytes, 0, 10);
    memset(address->bytes + 10, 0xff, 2);
    memcpy(address->bytes + V4_AT, bytes, 4);
}

static bool parse(dv_str text, dv_address *address, bool *ret_v4)
{
    char plain[INET6_ADDRSTRLEN];
    uint8_t v4[4];

    if (text.n == 0 || text.n >= sizeof(plain))
        return false;
    memcpy(plain, text.p, text.n);
    plain[text.n] = '\0';
    *ret_v4 = inet_pton(AF_INET, plain, v4) == 1;
    if (*ret_v4)
        set_v4(address, v4);
    return *ret_v4 || inet_pton(AF_INET6, plain, address->bytes) == 1;
}

bool dv_address_parse(dv_str text, dv_address *ret_address)
{
    bool v4;

    return parse(text, ret_address, &v4);
}

bool dv_address_of(const struct sockaddr *address, dv_address *ret_address)
{
    if (address->sa_family == AF_INET)
        set_v4(ret_address, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    else if (address->sa_family == AF_INET6)
        memcpy(ret_address->bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
               16);
    else
        return false;
    return true;
}

bool dv_cidr_parse(dv_str text, dv_cidr *ret_cidr)
{
    dv_str head, tail = dv_str_cut(text, '/', &head);
    uint64_t bits = 0;
    bool v4;

    if (!parse(head, &ret_cidr->base, &v4))
        return false;
    if (!tail.p) {
        ret_cidr->bits = ALL_BITS;
        return true;
    }
    dv_auto(dv_err) err = dv_str_u64(tail, &bits);
    if (err || bits > (v4 ? ALL_BITS - V4_BITS : ALL_BITS))
        return false;
    ret_cidr->bits = (unsigned)bits + (v4 ? V4_BITS : 0);
    return true;
}

bool dv_cidr_has(const dv_cidr *cidr, const dv_address *address)
{
    unsigned whole = cidr->bits / 8, rest = cidr->bits % 8;

    if (memcmp(cidr->base.bytes, address->bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    return ((cidr->base.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

/* ---- The policy ---- */

struct dv_address_policy {
    DV_VEC(dv_cidr) allowed;
    DV_VEC(struct {
        dv_address address;
        uint16_t port; /* 0: each */
    }) denied;
};

/* Never, unless opened by name. */
static const char *const closed[] = {
    "0.0.0.0/8",      /* this network */
    "127.0.0.0/8",    /* loopback */
    "169.254.0.0/16", /* link-local; cloud metadata */
    "192.0.0.0/24",   /* protocol assignments */
    "224.0.0.0/4",    /* multicast */
    "240.0.0.0/4",    /* reserved, broadcast */
    "::/96",          /* unspecified, loopback, IPv4-compatible */
    "fe80::/10",      /* link-local */
    "fec0::/10",      /* site-local, once */
    "ff00::/8",       /* multicast */
    "fd00:ec2::/32",  /* cloud metadata over IPv6 */
    "64:ff9b:1::/48", /* NAT64, local use */
};

/* For a repository's own origin only. */
static const char *const private_ranges[] = {
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7",
};

/* Ranges whose last or middle bytes are an IPv4 address that would be reached through them. */
static const struct carrier {
    const char *cidr;
    unsigned at;
} carriers[] = {
    {"64:ff9b::/96", 12}, /* NAT64 */
    {"2002::/16", 2},     /* 6to4 */
};

static bool any_has(const char *const *ranges, size_t n, const dv_address *address)
{
    dv_cidr cidr;

    for (size_t i = 0; i < n; i++)
        if (dv_cidr_parse(dv_str_of(ranges[i]), &cidr) && dv_cidr_has(&cidr, address))
            return true;
    return false;
}

/* The IPv4 address that a translating prefix leads to, else the address itself. */
static dv_address destination(const dv_address *address)
{
    dv_address inner = *address;
    dv_cidr cidr;

    for (size_t i = 0; i < DV_LEN(carriers); i++)
        if (dv_cidr_parse(dv_str_of(carriers[i].cidr), &cidr) && dv_cidr_has(&cidr, address))
            set_v4(&inner, address->bytes + carriers[i].at);
    return inner;
}

static uint16_t port_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
}

static bool is_denied(const dv_address_policy *policy, const dv_address *address, uint16_t port)
{
    for (size_t i = 0; i < policy->denied.n; i++)
        if (!memcmp(&policy->denied.at[i].address, address, sizeof(*address)) &&
            (!policy->denied.at[i].port || policy->denied.at[i].port == port))
            return true;
    return false;
}

dv_address_policy *dv_address_policy_new(void)
{
    return DV_NEW(dv_address_policy);
}

void dv_address_policy_free(dv_address_policy *policy)
{
    if (!policy)
        return;
    dv_vec_done(&policy->allowed);
    dv_vec_done(&policy->denied);
    free(policy);
}

dv_err *dv_address_policy_allow(dv_address_policy *policy, const char *cidr)
{
    dv_cidr parsed;

    if (!dv_cidr_parse(dv_str_of(cidr), &parsed))
        return dv_err_new(DV_INVALID, "BadCIDR", "\"%s\" is no range of addresses", cidr);
    *dv_vec_push(&policy->allowed) = parsed;
    return NULL;
}

void dv_address_policy_deny(dv_address_policy *policy, const struct sockaddr *address)
{
    dv_address parsed;

    if (!dv_address_of(address, &parsed))
        return;
    __typeof__(policy->denied.at) entry = dv_vec_push(&policy->denied);
    entry->address = parsed;
    entry->port = port_of(address);
}

bool dv_address_opened(const dv_address_policy *policy, const struct sockaddr *address)
{
    dv_address outer, inner;

    if (!dv_address_of(address, &outer))
        return false;
    inner = destination(&outer);
    for (size_t i = 0; i < policy->allowed.n; i++)
        if (dv_cidr_has(&policy->allowed.at[i], &inner))
            return !is_denied(policy, &inner, port_of(address));
    return false;
}

bool dv_address_allowed(const dv_address_policy *policy, const struct sockaddr *address,
                        bool own_origin)
{
    dv_address outer, inner;

    if (!dv_address_of(address, &outer))
        return false;
    inner = destination(&outer);
    if (is_denied(policy, &inner, port_of(address)))
        return false;
    if (dv_address_opened(policy, address))
        return true;
    if (any_has(closed, DV_LEN(closed), &inner))
        return false;
    return own_origin || !any_has(private_ranges, DV_LEN(private_ranges), &inner);
}
