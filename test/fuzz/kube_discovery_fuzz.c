/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a server says of its kinds, what is kept is whole, and a second reading adds nothing. */
#include "kube/client_internal.h"

static void check(const dv_kinds *kinds)
{
    for (size_t i = 0; i < kinds->preferred.n; i++) {
        const dv_resource *r = kinds->preferred.at[i];

        DV_ASSERT(*r->kind && *r->resource && *r->version && *r->api_version && r->group);
    }
    DV_ASSERT(kinds->preferred.n == dv_map_count(kinds->by_group));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *document = NULL;
    dv_auto(dv_err) no_json = dv_json_read((dv_str){(const char *)data, size}, &document);
    dv_discovery discovery;
    dv_kinds once, twice;

    dv_discovery_init(&discovery);
    dv_kinds_init(&once);
    dv_kinds_init(&twice);
    dv_auto(dv_err) refused = dv_discovery_add(&discovery, &once, no_json ? NULL : document);
    if (!refused) {
        size_t known = dv_map_count(discovery.served.interned);
        dv_auto(dv_err) again = dv_discovery_add(&discovery, &twice, document);

        DV_ASSERT(!again && dv_map_count(discovery.served.interned) == known);
        check(&once);
        check(&twice);
    }
    dv_kinds_done(&twice);
    dv_kinds_done(&once);
    dv_discovery_done(&discovery);
    return 0;
}
