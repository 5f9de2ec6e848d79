/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer. It is on the way of every object that goes to the API server, so it fills the
 * buffer's memory itself and makes no texts in between.
 */
#include "json/json.h"

#include <math.h>

/* Room that is asked for at once. */
enum { ROOM_BYTES = 1024, NUMBER_BYTES = 32 };

typedef struct {
    const char *key;
    size_t n;
    json_t *value;
} member;

typedef struct {
    dv_buf *out;
    char *p, *end; /* the room that is left of what out gave */
    bool sorted, pretty;
    unsigned depth;
    DV_VEC(member) members; /* of the objects that are open; sorted writing only */
} writer;

static void write_value(writer *w, const json_t *value);

/* ---- The buffer's memory ---- */

/* Tells the buffer what was written. */
static void settle(writer *w)
{
    if (w->p)
        dv_buf_grown(w->out, (size_t)(w->p - (w->out->p + w->out->n)));
    w->p = w->end = NULL;
}

/* Room for n bytes at w->p; false once the limit is reached. */
static bool more_room(writer *w, size_t n)
{
    settle(w);
    size_t left = w->out->limit - w->out->n, asked = DV_MIN(DV_MAX(n, (size_t)ROOM_BYTES), left);
    w->p = dv_buf_room(w->out, DV_MAX(n, asked));
    if (!w->p)
        return false;
    w->end = w->p + DV_MAX(n, asked);
    return true;
}

static inline bool room(writer *w, size_t n)
{
    return (size_t)(w->end - w->p) >= n || more_room(w, n);
}

static inline void put(writer *w, char c)
{
    if (room(w, 1))
        *w->p++ = c;
}

static inline void put_n(writer *w, const char *bytes, size_t n)
{
    if (!n || !room(w, n))
        return;
    memcpy(w->p, bytes, n);
    w->p += n;
}

/* ---- Scalars ---- */

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void put_escape(writer *w, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char brief[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char text[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    size_t n = sizeof(text);

    if (c == '"' || c == '\\' || brief[c]) {
        text[1] = c == '"' || c == '\\' ? (char)c : brief[c];
        n = 2;
    }
    put_n(w, text, n);
}

static void put_string(writer *w, const char *p, size_t n)
{
    size_t run = 0;

    put(w, '"');
    for (size_t i = 0; i < n; i++) {
        if (!needs_escape((unsigned char)p[i]))
            continue;
        put_n(w, p + run, i - run);
        put_escape(w, (unsigned char)p[i]);
        run = i + 1;
    }
    put_n(w, p + run, n - run);
    put(w, '"');
}

static void put_integer(writer *w, int64_t value)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char text[NUMBER_BYTES], *at = text + sizeof(text);

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    put_n(w, at, (size_t)(text + sizeof(text) - at));
}

size_t dv_json_real_text(double value, char ret_text[DV_JSON_REAL_BYTES])
{
    int n = 0;

    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(ret_text, DV_JSON_REAL_BYTES, "%.*g", digits, value);
        if (strtod(ret_text, NULL) == value)
            break;
    }
    if (!strpbrk(ret_text, ".e"))
        n += snprintf(ret_text + n, DV_JSON_REAL_BYTES - (size_t)n, ".0");
    return (size_t)n;
}

static void put_real(writer *w, double value)
{
    char text[DV_JSON_REAL_BYTES];

    put_n(w, text, dv_json_real_text(value, text));
}

/* ---- Containers ---- */

static void new_line(writer *w)
{
    put(w, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        put_n(w, "  ", 2);
}

static void put_array(writer *w, const json_t *array)
{
    size_t n = json_array_size(array);

    put(w, '[');
    w->depth++;
    for (size_t i = 0; i < n && !w->out->overflow; i++) {
        if (i)
            put(w, ',');
        if (w->pretty)
            new_line(w);
        write_value(w, json_array_get(array, i));
    }
    w->depth--;
    if (w->pretty && n)
        new_line(w);
    put(w, ']');
}

static void put_member(writer *w, const char *key, size_t n, const json_t *value, bool first)
{
    if (!first)
        put(w, ',');
    if (w->pretty)
        new_line(w);
    put_string(w, key, n);
    put(w, ':');
    if (w->pretty)
        put(w, ' ');
    write_value(w, value);
}

static int by_key(const void *a, const void *b)
{
    const member *x = a, *y = b;

    return dv_str_cmp((dv_str){x->key, x->n}, (dv_str){y->key, y->n});
}

static void put_sorted_members(writer *w, json_t *object)
{
    size_t base = w->members.n;

    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
        *dv_vec_push(&w->members) = (member){json_object_iter_key(at), json_object_iter_key_len(at),
                                             json_object_iter_value(at)};
    size_t n = w->members.n - base;
    if (n > 1)
        qsort(w->members.at + base, n, sizeof(member), by_key);
    for (size_t i = base; i < base + n && !w->out->overflow; i++) {
        member m = w->members.at[i]; /* the array moves as it grows */

        put_member(w, m.key, m.n, m.value, i == base);
    }
    w->members.n = base;
}

static void put_object(writer *w, const json_t *constant)
{
    json_t *object = (json_t *)(uintptr_t)constant; /* iterators ask for it, and change nothing */
    void *first = json_object_iter(object);

    put(w, '{');
    w->depth++;
    if (w->sorted)
        put_sorted_members(w, object);
    for (void *at = w->sorted ? NULL : first; at && !w->out->overflow;
         at = json_object_iter_next(object, at))
        put_member(w, json_object_iter_key(at), json_object_iter_key_len(at),
                   json_object_iter_value(at), at == first);
    w->depth--;
    if (w->pretty && first)
        new_line(w);
    put(w, '}');
}

static void write_value(writer *w, const json_t *value)
{
    bool nested = json_is_object(value) || json_is_array(value);

    if (nested && w->depth == DV_JSON_DEPTH_MAX) {
        w->out->overflow = true;
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(w, value);
        break;
    case JSON_ARRAY:
        put_array(w, value);
        break;
    case JSON_STRING:
        put_string(w, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        put_integer(w, json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(w, json_real_value(value));
        break;
    case JSON_TRUE:
        put_n(w, "true", 4);
        break;
    case JSON_FALSE:
        put_n(w, "false", 5);
        break;
    case JSON_NULL:
        put_n(w, "null", 4);
        break;
    }
}

static void write_doc(const json_t *doc, dv_buf *out, bool sorted, bool pretty)
{
    writer w = {.out = out, .sorted = sorted, .pretty = pretty};
    size_t before = out->n;

    if (out->overflow)
        return;
    write_value(&w, doc);
    if (out->overflow)
        dv_buf_cut(out, before);
    else
        settle(&w);
    dv_vec_done(&w.members);
}

void dv_json_write(const json_t *doc, dv_buf *out)
{
    write_doc(doc, out, /* sorted= */ false, /* pretty= */ false);
}

void dv_json_write_sorted(const json_t *doc, dv_buf *out)
{
    write_doc(doc, out, /* sorted= */ true, /* pretty= */ false);
}

void dv_json_write_pretty(const json_t *doc, dv_buf *out)
{
    write_doc(doc, out, /* sorted= */ false, /* pretty= */ true);
}
