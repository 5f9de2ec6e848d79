/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP addresses and ranges of them. IPv4 is held as IPv4-mapped IPv6, so that both spellings of
 * an address are one.
 *
 * Threads: any.
 */
#pragma once

#include "base/str.h"

struct sockaddr;

typedef struct {
    uint8_t bytes[16];
} dv_address;

typedef struct {
    dv_address base;
    unsigned bits; /* of the 128 */
} dv_cidr;

/* False: no IP address in its usual form. */
bool dv_address_parse(dv_str text, dv_address *ret_address);
/* False: neither IPv4 nor IPv6. */
bool dv_address_of(const struct sockaddr *address, dv_address *ret_address);
/* "10.0.0.0/8", "fd00::/8", or one address. */
bool dv_cidr_parse(dv_str text, dv_cidr *ret_cidr);
bool dv_cidr_has(const dv_cidr *cidr, const dv_address *address);
