/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/solver_internal.h"

void solver_explain(const solver *s, char **ret_first, char **ret_text)
{
    (void)s;
    *ret_first = dv_strdup("nothing fits");
    *ret_text = dv_strdup("nothing fits");
}
