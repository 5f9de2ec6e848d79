/* SPDX-License-Identifier: Apache-2.0 */
/* Sprig's functions that choose among values and name their types. */
#include "gotemplate/functions_internal.h"

DV_FN(default)
{
    return n < 2 || !dv_val_truth(args[1]) ? args[0] : args[1];
}

DV_FN(empty)
{
    return dv_val_bool(!dv_val_truth(args[0]));
}

DV_FN(coalesce)
{
    for (size_t i = 0; i < n; i++)
        if (dv_val_truth(args[i]))
            return args[i];
    return DV_NONE_VAL;
}

DV_FN(all)
{
    for (size_t i = 0; i < n; i++)
        if (!dv_val_truth(args[i]))
            return dv_val_bool(false);
    return dv_val_bool(true);
}

DV_FN(any)
{
    for (size_t i = 0; i < n; i++)
        if (dv_val_truth(args[i]))
            return dv_val_bool(true);
    return dv_val_bool(false);
}

DV_FN(ternary)
{
    return args[2].b ? args[0] : args[1];
}

DV_FN(typeOf)
{
    return dv_val_lit(dv_val_type(args[0]));
}

DV_FN(typeIs)
{
    return dv_val_bool(dv_str_is(DV_ARG(0), dv_val_type(args[1])));
}

DV_FN(typeIsLike)
{
    const char *type = dv_val_type(args[1]);

    return dv_val_bool(dv_str_is(DV_ARG(0), type) ||
                       (type[0] == '*' && dv_str_is(DV_ARG(0), type + 1)));
}

DV_FN(kindOf)
{
    return dv_val_lit(dv_val_kind_name(args[0]));
}

DV_FN(kindIs)
{
    return dv_val_bool(dv_str_is(DV_ARG(0), dv_val_kind_name(args[1])));
}

DV_FN(deepEqual)
{
    return dv_val_bool(dv_val_equal(args[0], args[1]));
}
