/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as package.yaml has a canonical form that reads back equal, without a warning less.
 */
#include "manifest/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_strings_done) dv_strings warnings = {0};
    dv_auto(dv_package) package = NULL;
    dv_auto(dv_package) again = NULL;
    dv_auto(dv_err) refused =
        dv_package_read((dv_str){(const char *)data, size}, &package, &warnings);

    DV_ASSERT(!refused == (package != NULL));
    if (refused)
        return 0;
    DV_ASSERT(dv_package_name_valid(dv_str_of(package->name)));
    json_auto_t *first = dv_package_encode(package);
    dv_auto(dv_err) lost = dv_package_decode(first, &again, /* warnings= */ NULL);
    DV_ASSERT(!lost);
    json_auto_t *second = dv_package_encode(again);
    DV_ASSERT(json_equal(first, second));
    dv_auto(dv_err) unsupported = dv_package_unsupported(package);
    dv_auto(dv_err) as_unsupported = dv_package_unsupported(again);
    DV_ASSERT(!unsupported == !as_unsupported);
    return 0;
}
