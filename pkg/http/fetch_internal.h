/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/fetch.h"

struct dv_fetcher {
    const dv_address_policy *policy;
    dv_http_lane *lane;
    dv_http_profile *elsewhere;       /* for what is not a repository's own origin */
    dv_http_profile *plain_elsewhere; /* http, to opened addresses only */
    dv_strings file_roots;
};

/* Reads the file that a URL names, from below one of the roots. */
DV_MUST_USE dv_err *dv_fetch_file(const dv_fetcher *fetcher, const dv_url *url, const char *etag,
                                  size_t body_max, dv_fetch_result *result);
