/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/functions.h"

const dv_function_table *const *dv_helm_functions(void)
{
    static const dv_function_table *const tables[] = {NULL};

    return tables;
}
