/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/selector.h"

static const char *label_of(const json_t *labels, const char *key)
{
    return json_string_value(json_object_get(labels, key));
}

static bool is_in(const json_t *values, const char *label)
{
    size_t i;
    json_t *value;

    json_array_foreach(values, i,
                       value) if (json_is_string(value) &&
                                  strcmp(json_string_value(value), label) == 0) return true;
    return false;
}

static bool expression_matches(const json_t *expression, const json_t *labels)
{
    const char *key = dv_json_str(expression, "/key"),
               *comparison = dv_json_str(expression, "/operator");
    const char *label = key ? label_of(labels, key) : NULL;
    const json_t *values = dv_json_array(expression, "/values");

    if (!key || !comparison)
        return false;
    if (strcmp(comparison, "In") == 0)
        return label && is_in(values, label);
    if (strcmp(comparison, "NotIn") == 0)
        return !label || !is_in(values, label);
    if (strcmp(comparison, "Exists") == 0)
        return label != NULL;
    return strcmp(comparison, "DoesNotExist") == 0 && !label;
}

bool dv_selector_matches(const json_t *selector, const json_t *labels)
{
    const char *key;
    json_t *wanted, *expression;
    size_t i;

    json_object_foreach(dv_json_object(selector, "/matchLabels"), key, wanted)
    {
        const char *label = label_of(labels, key);

        if (!label || !json_is_string(wanted) || strcmp(label, json_string_value(wanted)) != 0)
            return false;
    }
    json_array_foreach(dv_json_array(selector, "/matchExpressions"), i,
                       expression) if (!expression_matches(expression, labels)) return false;
    return true;
}
