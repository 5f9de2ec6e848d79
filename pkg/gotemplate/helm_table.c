/* SPDX-License-Identifier: Apache-2.0 */
/* Helm's own functions by name; they come before sprig's of the same name. */
#include "gotemplate/tables_internal.h"

dv_function_fn dv_fn_fail, dv_fn_fromJson, dv_fn_fromJsonArray, dv_fn_fromToml, dv_fn_fromYaml,
    dv_fn_fromYamlArray, dv_fn_getHostByName, dv_fn_include, dv_fn_lookup, dv_fn_required,
    dv_fn_toJson, dv_fn_toToml, dv_fn_toYaml, dv_fn_toYamlPretty, dv_fn_tpl;

static const dv_function functions[] = {
    {"fail", "s", dv_fn_fail},
    {"fromJson", "s", dv_fn_fromJson},
    {"fromJsonArray", "s", dv_fn_fromJsonArray},
    {"fromToml", "s", dv_fn_fromToml},
    {"fromYaml", "s", dv_fn_fromYaml},
    {"fromYamlArray", "s", dv_fn_fromYamlArray},
    {"getHostByName", "s", dv_fn_getHostByName},
    {"include", "sa", dv_fn_include},
    {"lookup", "ssss", dv_fn_lookup},
    {"required", "sa>a", dv_fn_required},
    {"toJson", "a", dv_fn_toJson},
    {"toToml", "a", dv_fn_toToml},
    {"toYaml", "a", dv_fn_toYaml},
    {"toYamlPretty", "a", dv_fn_toYamlPretty},
    {"tpl", "sa", dv_fn_tpl},
};
const dv_function_table dv_helm_own_functions = {functions, DV_LEN(functions)};
