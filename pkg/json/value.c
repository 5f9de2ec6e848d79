/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies and comparisons. jansson's own (2.14) lose keys that hold a NUL, and look for loops on
 * the way.
 */
#include <math.h>

#include "json/json_internal.h"

static json_t *copy_array(const json_t *array)
{
    json_t *copy = json_array();
    size_t n = json_array_size(array);

    for (size_t i = 0; i < n; i++)
        json_array_append_new(copy, dv_json_copy(json_array_get(array, i)));
    return copy;
}

static json_t *copy_object(const json_t *constant)
{
    json_t *object = (json_t *)(uintptr_t)constant, *copy = json_object();

    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
        json_object_setn_new_nocheck(copy, json_object_iter_key(at), json_object_iter_key_len(at),
                                     dv_json_copy(json_object_iter_value(at)));
    return copy;
}

json_t *dv_json_copy(const json_t *value)
{
    if (!value)
        return NULL;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return copy_object(value);
    case JSON_ARRAY:
        return copy_array(value);
    case JSON_STRING:
        return json_stringn_nocheck(json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return json_integer(json_integer_value(value));
    case JSON_REAL:
        return json_real(json_real_value(value));
    case JSON_TRUE:
    case JSON_FALSE:
        return json_boolean(json_is_true(value));
    case JSON_NULL:
        return json_null();
    }
    return NULL;
}

typedef bool equal_fn(const json_t *a, const json_t *b);

static bool objects_equal(const json_t *a, const json_t *b, equal_fn *equal)
{
    json_t *object = (json_t *)(uintptr_t)a;

    if (json_object_size(a) != json_object_size(b))
        return false;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        json_t *other = json_object_getn(b, json_object_iter_key(at), json_object_iter_key_len(at));

        if (!other || !equal(json_object_iter_value(at), other))
            return false;
    }
    return true;
}

static bool arrays_equal(const json_t *a, const json_t *b, equal_fn *equal)
{
    size_t n = json_array_size(a);

    if (n != json_array_size(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!equal(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

bool dv_json_equal(const json_t *a, const json_t *b)
{
    if (json_is_object(a) && json_is_object(b))
        return objects_equal(a, b, dv_json_equal);
    if (json_is_array(a) && json_is_array(b))
        return arrays_equal(a, b, dv_json_equal);
    return (!a && !b) || json_equal(a, b);
}

/* An integer past 2^53 equals no real that lost its last digits. */
static bool integer_equals_real(const json_t *integer, const json_t *real)
{
    static const double limit = 9223372036854775808.0; /* 2^63 */
    double r = json_real_value(real);

    return r == floor(r) && r >= -limit && r < limit && (int64_t)r == json_integer_value(integer);
}

bool dv_json_same_value(const json_t *a, const json_t *b)
{
    if (json_is_object(a) && json_is_object(b))
        return objects_equal(a, b, dv_json_same_value);
    if (json_is_array(a) && json_is_array(b))
        return arrays_equal(a, b, dv_json_same_value);
    if (json_is_integer(a) && json_is_real(b))
        return integer_equals_real(a, b);
    if (json_is_real(a) && json_is_integer(b))
        return integer_equals_real(b, a);
    return json_equal(a, b);
}
