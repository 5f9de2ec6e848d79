/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs (RFC 3986, http, https and file only) and the rules for those that outsiders wrote.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"
#include "base/vec.h"

struct sockaddr;

/* Views into the text it was parsed from. */
typedef struct {
    dv_str scheme;   /* lower case: "http", "https", "file" */
    dv_str userinfo; /* empty: none */
    dv_str host;     /* without the brackets of IPv6 */
    uint16_t port;   /* the scheme's default when absent; 0 for file */
    dv_str path;     /* from "/" on; empty when absent */
    dv_str query;    /* without "?" */
} dv_url;

/* INVALID "BadURL": not absolute, another scheme, control characters, blanks, userinfo, fragment.
 */
DV_MUST_USE dv_err *dv_url_parse(dv_str text, dv_url *ret_url);
/* Same scheme, host (case-insensitive) and port. */
bool dv_url_same_origin(const dv_url *a, const dv_url *b);
/*
 * Appends reference resolved against base (RFC 3986, section 5.2), dot segments removed.
 * INVALID "BadURL": the result is no URL that dv_url_parse() takes, or `inside` is set, the
 * reference is relative, and it leaves base's folder.
 */
DV_MUST_USE dv_err *dv_url_resolve(dv_str base, dv_str reference, bool inside, dv_buf *out);
/* Appends the URL without userinfo and query, for messages. */
void dv_url_add_public(dv_buf *out, dv_str url);

/*
 * Which addresses may be connected to: loopback, link-local, unspecified, multicast and the
 * API server's never; private ranges (RFC 1918, RFC 4193, RFC 6598) only for a repository's own
 * origin; what an administrator opened by CIDR always. IPv4-mapped addresses count as IPv4.
 */
typedef struct dv_address_policy dv_address_policy;
dv_address_policy *dv_address_policy_new(void);
void dv_address_policy_free(dv_address_policy *policy);
/* INVALID: no CIDR ("10.0.0.0/8", "::1/128"). */
DV_MUST_USE dv_err *dv_address_policy_allow(dv_address_policy *policy, const char *cidr);
/*
 * An address that is never connected to, whatever else is allowed (the API server's): on its
 * port only, or on each where that is 0.
 */
void dv_address_policy_deny(dv_address_policy *policy, const struct sockaddr *address);
bool dv_address_allowed(const dv_address_policy *policy, const struct sockaddr *address,
                        bool own_origin);
/* Did an administrator open it by CIDR? Plain http goes nowhere else but to a repository that asks
 * for it. */
bool dv_address_opened(const dv_address_policy *policy, const struct sockaddr *address);
DV_DEFINE_AUTO(dv_address_policy)
