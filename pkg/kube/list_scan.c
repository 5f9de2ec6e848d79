/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/page.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(dv_str *s)
{
    while (s->n && is_blank(*s->p))
        *s = dv_str_skip(*s, 1);
}

/* Steps over c if it is next. */
static bool accept(dv_str *s, char c)
{
    skip_blanks(s);
    if (!s->n || *s->p != c)
        return false;
    *s = dv_str_skip(*s, 1);
    return true;
}

/* Length of the string literal at the start, with its quotes; 0: none, or without an end. */
static size_t string_length(dv_str s)
{
    if (!s.n || *s.p != '"')
        return 0;
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

static bool ends_scalar(char c)
{
    return is_blank(c) || c == ',' || c == ']' || c == '}' || c == ':' || c == '[' || c == '{' ||
           c == '"';
}

static size_t scalar_length(dv_str s)
{
    size_t n = 0;

    while (n < s.n && !ends_scalar(s.p[n]))
        n++;
    return n;
}

/* From an opening bracket to the one that closes it. */
static size_t nested_length(dv_str s)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];

        if (c == '"') {
            size_t n = string_length(dv_str_skip(s, i));
            if (!n)
                return 0;
            i += n;
            continue;
        }
        i++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return i;
    }
    return 0;
}

/* Takes one value off the front. False: there is none. */
static bool take_value(dv_str *s, dv_str *ret_value)
{
    size_t n;

    skip_blanks(s);
    if (!s->n)
        return false;
    if (*s->p == '"')
        n = string_length(*s);
    else if (*s->p == '{' || *s->p == '[')
        n = nested_length(*s);
    else
        n = scalar_length(*s);
    *ret_value = dv_str_head(*s, n);
    *s = dv_str_skip(*s, n);
    return n > 0;
}

static dv_err *bad_answer(const char *what)
{
    return dv_err_new(DV_TRANSIENT, "BadAnswer", "the server's list %s", what);
}

/* ---- Members ---- */

/* Owned text of a string literal, NULL for anything else. */
static char *text_of(dv_str value)
{
    json_auto_t *text = NULL;
    dv_auto(dv_err) bad = dv_json_read(value, &text);

    return bad ? NULL : dv_strdup(json_string_value(text));
}

static dv_err *read_metadata(dv_str value, dv_list_page *page)
{
    json_auto_t *metadata = NULL;
    dv_auto(dv_err) bad = dv_json_read(value, &metadata);

    if (bad)
        return bad_answer("has unreadable metadata");
    free(page->continue_token);
    free(page->resource_version);
    page->continue_token = dv_strdup(dv_json_str(metadata, "/continue"));
    page->resource_version = dv_strdup(dv_json_str(metadata, "/resourceVersion"));
    return NULL;
}

static void keep_text(char **at, dv_str value)
{
    free(*at);
    *at = text_of(value);
}

static dv_err *read_member(dv_str key, dv_str value, dv_list_page *page)
{
    if (dv_str_is(key, "\"items\"") && value.n >= 2 && value.p[0] == '[')
        page->items = (dv_str){value.p + 1, value.n - 2};
    else if (dv_str_is(key, "\"metadata\""))
        return read_metadata(value, page);
    else if (dv_str_is(key, "\"kind\""))
        keep_text(&page->kind, value);
    else if (dv_str_is(key, "\"apiVersion\""))
        keep_text(&page->api_version, value);
    return NULL;
}

/* ---- Whole ---- */

/* Takes "key": value off the front of what an object holds; the key has its quotes. */
static bool take_member(dv_str *s, dv_str *ret_key, dv_str *ret_value)
{
    skip_blanks(s);
    return string_length(*s) && take_value(s, ret_key) && accept(s, ':') &&
           take_value(s, ret_value);
}

dv_err *dv_list_scan(dv_str body, dv_list_page *ret_page)
{
    dv_str rest = body;
    bool more;

    *ret_page = (dv_list_page){0};
    if (!accept(&rest, '{'))
        return bad_answer("is no JSON object");
    skip_blanks(&rest);
    more = !accept(&rest, '}');
    while (more) {
        dv_str key, value;

        if (!take_member(&rest, &key, &value))
            return bad_answer("is broken JSON");
        DV_CHECK(read_member(key, value, ret_page));
        more = accept(&rest, ',');
        if (!more && !accept(&rest, '}'))
            return bad_answer("is broken JSON");
    }
    skip_blanks(&rest);
    return rest.n ? bad_answer("has something behind it") : NULL;
}

dv_str dv_list_item_member(dv_str item, const char *key)
{
    dv_str name, value;

    if (!accept(&item, '{'))
        return (dv_str){0};
    while (take_member(&item, &name, &value)) {
        if (dv_str_is((dv_str){name.p + 1, name.n - 2}, key))
            return value;
        accept(&item, ',');
    }
    return (dv_str){0};
}

void dv_list_page_done(dv_list_page *page)
{
    free(page->kind);
    free(page->api_version);
    free(page->continue_token);
    free(page->resource_version);
    *page = (dv_list_page){0};
}

bool dv_list_next(dv_str *rest, dv_str *ret_item)
{
    accept(rest, ',');
    return take_value(rest, ret_item);
}
