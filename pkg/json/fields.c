/* SPDX-License-Identifier: Apache-2.0 */
#include "json/fields.h"

#include <math.h>

#include "base/clock.h"

/* A text of the user's that a message quotes. */
enum { QUOTE_MAX_BYTES = 64 };

/* What DV_FIELD_LIST points at: a DV_VEC of any struct. */
typedef DV_VEC(char) list;

/* One decode: the path so far, and where unknown members are told. */
typedef struct {
    dv_buf path;
    dv_strings *unknown;
} decoder;

static dv_err *decode_object(decoder *d, const dv_field_row *rows, size_t n, const json_t *object,
                             char *base);

/* ---- Messages ---- */

static dv_err *wrong_type(const decoder *d, const char *wanted, const json_t *value)
{
    return dv_err_new(DV_INVALID, "InvalidField", "%s: %s expected, got %s", dv_buf_cstr(&d->path),
                      wanted, dv_json_type_name(value));
}

static dv_err *wrong_enum(const decoder *d, const dv_field_row *row, const char *text)
{
    DV_CLEANUP(dv_buf_done) dv_buf known = DV_BUF_INIT(DV_LINE_MAX);

    for (size_t i = 0; row->values[i]; i++)
        if (row->values[i][0])
            dv_buf_addf(&known, "%s%s", known.n ? ", " : "", row->values[i]);
    return dv_err_new(DV_INVALID, "InvalidField", "%s: \"%.*s\" is not one of %s",
                      dv_buf_cstr(&d->path), QUOTE_MAX_BYTES, text, dv_buf_cstr(&known));
}

/* ---- Decoding ---- */

static dv_err *decode_text(const decoder *d, const json_t *value, const char **ret_text)
{
    if (!json_is_string(value))
        return wrong_type(d, "string", value);
    if (strlen(json_string_value(value)) != json_string_length(value))
        return dv_err_new(DV_INVALID, "InvalidField", "%s: holds a NUL", dv_buf_cstr(&d->path));
    *ret_text = json_string_value(value);
    return NULL;
}

/* 3.0 is an integer to the API server too, so it is one here. */
static dv_err *decode_integer(const decoder *d, const json_t *value, int64_t *ret_value)
{
    static const double exact_max = 9007199254740992.0; /* 2^53 */
    double real = json_real_value(value);

    if (json_is_real(value) && fabs(real) <= exact_max && real == floor(real))
        *ret_value = (int64_t)real;
    else if (json_is_integer(value))
        *ret_value = json_integer_value(value);
    else
        return wrong_type(d, "integer", value);
    return NULL;
}

static dv_err *decode_duration(const decoder *d, const json_t *value, int64_t *ret_ms)
{
    const char *text = NULL;

    DV_CHECK(decode_text(d, value, &text));
    dv_err *err = dv_duration_parse(dv_str_of(text), ret_ms);
    if (err)
        return dv_err_wrap(dv_err_recast(err, DV_INVALID, "InvalidField"), "%s",
                           dv_buf_cstr(&d->path));
    return NULL;
}

static dv_err *decode_enum(const decoder *d, const dv_field_row *row, const json_t *value,
                           int *ret_value)
{
    const char *text = NULL;

    DV_CHECK(decode_text(d, value, &text));
    for (int i = 0; row->values[i]; i++) {
        if (strcmp(row->values[i], text) == 0) {
            *ret_value = i;
            return NULL;
        }
    }
    return wrong_enum(d, row, text);
}

static dv_err *decode_strings(decoder *d, const json_t *value, dv_strings *strings)
{
    size_t path_n = d->path.n;

    if (!json_is_array(value))
        return wrong_type(d, "array", value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = NULL;

        dv_buf_addf(&d->path, "[%zu]", i);
        DV_CHECK(decode_text(d, json_array_get(value, i), &text));
        dv_buf_cut(&d->path, path_n);
        dv_strings_add(strings, text);
    }
    return NULL;
}

static dv_err *decode_list(decoder *d, const dv_field_row *row, const json_t *value, list *elements)
{
    size_t n = json_array_size(value), path_n = d->path.n;

    if (!json_is_array(value))
        return wrong_type(d, "array", value);
    if (!n)
        return NULL;
    elements->at = dv_calloc(n, row->size);
    elements->n = elements->cap = n;
    for (size_t i = 0; i < n; i++) {
        dv_buf_addf(&d->path, "[%zu]", i);
        DV_CHECK(decode_object(d, row->rows, row->n_rows, json_array_get(value, i),
                               elements->at + i * row->size));
        dv_buf_cut(&d->path, path_n);
    }
    return NULL;
}

static dv_err *decode_value(decoder *d, const dv_field_row *row, json_t *value, void *slot)
{
    const char *text = NULL;

    switch (row->type) {
    case DV_FIELD_STR:
        DV_CHECK(decode_text(d, value, &text));
        *(char **)slot = dv_strdup(text);
        return NULL;
    case DV_FIELD_BOOL:
        if (!json_is_boolean(value))
            return wrong_type(d, "boolean", value);
        *(bool *)slot = json_is_true(value);
        return NULL;
    case DV_FIELD_I64:
        return decode_integer(d, value, slot);
    case DV_FIELD_OPT_I64:
        DV_CHECK(decode_integer(d, value, &((dv_opt_i64 *)slot)->value));
        ((dv_opt_i64 *)slot)->set = true;
        return NULL;
    case DV_FIELD_DURATION:
        return decode_duration(d, value, slot);
    case DV_FIELD_ENUM:
        return decode_enum(d, row, value, slot);
    case DV_FIELD_STRINGS:
        return decode_strings(d, value, slot);
    case DV_FIELD_OBJECT:
        return decode_object(d, row->rows, row->n_rows, value, slot);
    case DV_FIELD_LIST:
        return decode_list(d, row, value, slot);
    case DV_FIELD_JSON:
        *(json_t **)slot = dv_json_copy(value);
        return NULL;
    }
    return NULL;
}

static dv_err *decode_row(decoder *d, const dv_field_row *row, const json_t *object, char *base)
{
    json_t *value = json_object_get(object, row->name);
    size_t path_n = d->path.n;

    if ((!value || json_is_null(value)) && !(row->flags & DV_FIELD_REQUIRED))
        return NULL;
    dv_buf_addf(&d->path, "%s%s", path_n ? "." : "", row->name);
    if (!value || json_is_null(value))
        return dv_err_new(DV_INVALID, "InvalidField", "%s: required", dv_buf_cstr(&d->path));
    DV_CHECK(decode_value(d, row, value, base + row->offset));
    dv_buf_cut(&d->path, path_n);
    return NULL;
}

static bool is_known(const dv_field_row *rows, size_t n, dv_str name)
{
    for (size_t i = 0; i < n; i++)
        if (dv_str_is(name, rows[i].name))
            return true;
    return false;
}

static void note_unknown(decoder *d, const dv_field_row *rows, size_t n, const json_t *constant)
{
    json_t *object = (json_t *)(uintptr_t)constant;

    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        dv_str key = {json_object_iter_key(at), json_object_iter_key_len(at)};

        if (!is_known(rows, n, key))
            dv_strings_take(d->unknown, dv_asprintf("%s%s%.*s", dv_buf_cstr(&d->path),
                                                    d->path.n ? "." : "", DV_FMT(key)));
    }
}

static dv_err *decode_object(decoder *d, const dv_field_row *rows, size_t n, const json_t *object,
                             char *base)
{
    if (!json_is_object(object))
        return wrong_type(d, "object", object);
    for (size_t i = 0; i < n; i++)
        DV_CHECK(decode_row(d, &rows[i], object, base));
    if (d->unknown)
        note_unknown(d, rows, n, object);
    return NULL;
}

dv_err *dv_fields_decode(const dv_field_row *rows, size_t n, const json_t *object,
                         const char *where, void *ret_struct, dv_strings *unknown)
{
    decoder d = {.path = DV_BUF_INIT(DV_LINE_MAX), .unknown = unknown};

    dv_buf_adds(&d.path, where);
    dv_err *err = decode_object(&d, rows, n, object, ret_struct);
    dv_buf_done(&d.path);
    if (err)
        dv_fields_free(rows, n, ret_struct);
    return err;
}

/* ---- Encoding ---- */

static json_t *encode_strings(const dv_strings *strings)
{
    json_t *array = json_array();

    for (size_t i = 0; i < strings->n; i++)
        json_array_append_new(array, dv_json_string(dv_str_of(strings->at[i])));
    return array;
}

static json_t *encode_list(const dv_field_row *row, const list *elements)
{
    json_t *array = json_array();

    for (size_t i = 0; i < elements->n; i++)
        json_array_append_new(
            array, dv_fields_encode(row->rows, row->n_rows, elements->at + i * row->size));
    return array;
}

static json_t *encode_duration(int64_t ms)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    dv_duration_add(&text, ms);
    return dv_json_string(dv_buf_str(&text));
}

static json_t *encode_value(const dv_field_row *row, const void *slot)
{
    const dv_opt_i64 *opt = slot;
    json_t *stored;

    switch (row->type) {
    case DV_FIELD_STR:
        return dv_json_string(dv_str_of(*(char *const *)slot));
    case DV_FIELD_BOOL:
        return json_boolean(*(const bool *)slot);
    case DV_FIELD_I64:
        return json_integer(*(const int64_t *)slot);
    case DV_FIELD_OPT_I64:
        return json_integer(opt->value);
    case DV_FIELD_DURATION:
        return encode_duration(*(const int64_t *)slot);
    case DV_FIELD_ENUM:
        return json_string(row->values[*(const int *)slot]);
    case DV_FIELD_STRINGS:
        return encode_strings(slot);
    case DV_FIELD_OBJECT:
        return dv_fields_encode(row->rows, row->n_rows, slot);
    case DV_FIELD_LIST:
        return encode_list(row, slot);
    case DV_FIELD_JSON:
        stored = *(json_t *const *)slot;
        return stored ? dv_json_copy(stored) : json_null();
    }
    return json_null();
}

/* True for what a decode of nothing leaves. An embedded struct is judged by what it encodes to. */
static bool is_zero(const dv_field_row *row, const void *slot)
{
    switch (row->type) {
    case DV_FIELD_STR:
    case DV_FIELD_JSON:
        return !*(void *const *)slot;
    case DV_FIELD_BOOL:
        return !*(const bool *)slot;
    case DV_FIELD_I64:
    case DV_FIELD_DURATION:
        return !*(const int64_t *)slot;
    case DV_FIELD_OPT_I64:
        return !((const dv_opt_i64 *)slot)->set;
    case DV_FIELD_ENUM:
        return !*(const int *)slot;
    case DV_FIELD_STRINGS:
        return !((const dv_strings *)slot)->n;
    case DV_FIELD_LIST:
        return !((const list *)slot)->n;
    case DV_FIELD_OBJECT:
        return false;
    }
    return false;
}

json_t *dv_fields_encode(const dv_field_row *rows, size_t n, const void *from)
{
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++) {
        const void *slot = (const char *)from + rows[i].offset;
        bool required = rows[i].flags & DV_FIELD_REQUIRED;

        if (is_zero(&rows[i], slot) && !required)
            continue;
        json_t *value = encode_value(&rows[i], slot);
        if (rows[i].type == DV_FIELD_OBJECT && !json_object_size(value) && !required)
            json_decref(value);
        else
            json_object_set_new(object, rows[i].name, value);
    }
    return object;
}

/* ---- Freeing ---- */

static void free_value(const dv_field_row *row, void *slot)
{
    list *elements = slot;

    switch (row->type) {
    case DV_FIELD_STR:
        dv_freep(slot);
        break;
    case DV_FIELD_STRINGS:
        dv_strings_done(slot);
        break;
    case DV_FIELD_OBJECT:
        dv_fields_free(row->rows, row->n_rows, slot);
        break;
    case DV_FIELD_LIST:
        for (size_t i = 0; i < elements->n; i++)
            dv_fields_free(row->rows, row->n_rows, elements->at + i * row->size);
        dv_vec_done(elements);
        break;
    case DV_FIELD_JSON:
        json_decref(*(json_t **)slot);
        *(json_t **)slot = NULL;
        break;
    case DV_FIELD_BOOL:
    case DV_FIELD_I64:
    case DV_FIELD_OPT_I64:
    case DV_FIELD_DURATION:
    case DV_FIELD_ENUM:
        break;
    }
}

void dv_fields_free(const dv_field_row *rows, size_t n, void *from)
{
    for (size_t i = 0; i < n; i++)
        free_value(&rows[i], (char *)from + rows[i].offset);
}
