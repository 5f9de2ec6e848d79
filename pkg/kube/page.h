/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of a list, cut into its items without decoding them: one that can't be decoded does not
 * take the page with it, and no page exists as one tree. Brackets and strings are all that is
 * looked at; whether an item is JSON is dv_json_read()'s business.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

typedef struct {
    dv_str items; /* what stands between the brackets; a view */
    char *kind, *api_version, *continue_token, *resource_version; /* owned, NULL: absent */
} dv_list_page;
/* TRANSIENT "BadAnswer": no list. Release with dv_list_page_done() in any case. */
DV_MUST_USE dv_err *dv_list_scan(dv_str body, dv_list_page *ret_page);
void dv_list_page_done(dv_list_page *page);
/* Moves over one item; false at the end. */
bool dv_list_next(dv_str *rest, dv_str *ret_item);
/* The text of an item's member, also where the rest can't be decoded; empty: none. */
dv_str dv_list_item_member(dv_str item, const char *key);
