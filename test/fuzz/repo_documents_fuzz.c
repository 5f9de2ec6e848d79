/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of an index or a list of versions is safe in a URL, no more than the limits, each
 * once; and reading what was kept keeps it all. The first byte chooses the document.
 */
#include "base/map.h"
#include "repo/repo.h"
#include "semver/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_segment(dv_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || strchr("/%\\?#", text.p[i]))
            return false;
    return text.n && !dv_str_is(text, ".") && !dv_str_is(text, "..");
}

static dv_str text_of(const json_t *item, const char *pointer)
{
    dv_str text = dv_json_view(item, pointer);

    DV_ASSERT(is_segment(text));
    return text;
}

/* The list as a document of its kind would have it; counts and checks on the way. */
static json_t *rebuild(const char *list_name, const char *member, const json_t *list)
{
    dv_auto(dv_map) seen = dv_map_new(/* free_value= */ NULL);
    json_t *again = json_array(), *item, *doc = json_object();
    size_t i;

    json_array_foreach(list, i, item)
    {
        dv_str text = text_of(item, json_is_string(item) ? "" : "/name");
        dv_version version;

        DV_ASSERT(!dv_map_get(seen, text));
        DV_ASSERT(!json_is_string(item) || dv_version_is(text, &version));
        dv_map_put(seen, text, item);
        json_t *entry = json_object();
        json_object_set_new(entry, member, dv_json_string(text));
        json_array_append_new(again, entry);
    }
    json_object_set_new(doc, list_name, again);
    return doc;
}

static void check(const char *what, const char *list_name, const char *member, dv_str bytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto_str pointer = dv_asprintf("/%s", list_name);
    json_auto_t *first = NULL;
    json_auto_t *second = NULL;
    dv_auto(dv_err) refused = dv_repo_decode(what, bytes, &first);

    if (refused)
        return;
    const json_t *list = dv_json_array(first, pointer);
    DV_ASSERT(json_array_size(list) <= DV_MIN(DV_REPO_PACKAGES_MAX, DV_REPO_VERSIONS_MAX));
    DV_ASSERT(json_array_size(dv_json_array(first, "/warnings")) <= DV_REPO_WARNINGS_MAX);
    json_auto_t *doc = rebuild(list_name, member, list);
    dv_json_write(doc, &text);
    dv_auto(dv_err) lost = dv_repo_decode(what, dv_buf_str(&text), &second);
    DV_ASSERT(!lost);
    DV_ASSERT(json_array_size(dv_json_array(second, pointer)) == json_array_size(list));
    DV_ASSERT(json_array_size(dv_json_array(second, "/warnings")) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const dv_str bytes = {(const char *)data + 1, size - 1};
    if (data[0] == 'i')
        check("index", "packages", "name", bytes);
    else
        check("versions", "versions", "version", bytes);
    return 0;
}
