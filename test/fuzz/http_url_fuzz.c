/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a base URL, a newline, and a reference. What resolves parses; resolving it again
 * changes nothing; and what a relative reference may not leave, it has not left, also when read
 * by someone who decodes first.
 */
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_relative(dv_str reference)
{
    size_t i = 0;

    while (i < reference.n && !strchr(":/?#", reference.p[i]))
        i++;
    return i == 0 || i == reference.n || reference.p[i] != ':';
}

static dv_str folder_of(dv_str path)
{
    ptrdiff_t slash = dv_str_rfind(path, '/');

    return slash < 0 ? DV_STR("/") : dv_str_head(path, (size_t)slash + 1);
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* No segment of the decoded path is "..", whatever separates them. */
static bool climbs(dv_str path)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(DV_URL_MAX + 1);

    for (size_t i = 0; i < path.n; i++) {
        bool escaped = path.p[i] == '%';
        char c = (char)(escaped ? digit(path.p[i + 1]) << 4 | digit(path.p[i + 2]) : path.p[i]);

        dv_buf_addc(&plain, c == '\\' ? '/' : c);
        i += escaped ? 2 : 0;
    }
    dv_buf_addc(&plain, '/');
    return strstr(dv_buf_cstr(&plain), "/../") != NULL;
}

static void check_inside(dv_str base, dv_str reference, dv_str result)
{
    bool base_itself = reference.n == 0 || strchr("?#", reference.p[0]);
    DV_CLEANUP(dv_buf_done) dv_buf normal = DV_BUF_INIT(DV_URL_MAX);
    dv_url from, to;

    /* The base with its own dots resolved. */
    dv_auto(dv_err) refused = dv_url_resolve(base, DV_STR(""), false, &normal);
    DV_ASSERT(!refused);
    dv_auto(dv_err) bad_base = dv_url_parse(dv_buf_str(&normal), &from);
    dv_auto(dv_err) bad_result = dv_url_parse(result, &to);
    DV_ASSERT(!bad_base && !bad_result);
    DV_ASSERT(dv_url_same_origin(&from, &to));
    DV_ASSERT(dv_str_starts(to.path, folder_of(from.path)));
    DV_ASSERT(base_itself || !climbs(dv_str_skip(to.path, folder_of(from.path).n - 1)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_buf_done) dv_buf result = DV_BUF_INIT(DV_URL_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf again = DV_BUF_INIT(DV_URL_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf public = DV_BUF_INIT(DV_URL_MAX);
    dv_str base, reference = dv_str_cut((dv_str){(const char *)data, size}, '\n', &base);
    dv_url url;

    dv_url_add_public(&public, dv_str_head(reference, DV_URL_MAX));
    for (int inside = 0; inside < 2; inside++) {
        dv_buf_reset(&result);
        dv_buf_reset(&again);
        dv_auto(dv_err) refused = dv_url_resolve(base, reference, inside, &result);
        DV_ASSERT(refused || !result.overflow);
        if (refused) {
            DV_ASSERT(result.n == 0);
            continue;
        }
        dv_auto(dv_err) unreadable = dv_url_parse(dv_buf_str(&result), &url);
        DV_ASSERT(!unreadable && url.userinfo.n == 0);
        dv_auto(dv_err) unstable =
            dv_url_resolve(dv_buf_str(&result), dv_buf_str(&result), false, &again);
        DV_ASSERT(!unstable && dv_str_eq(dv_buf_str(&result), dv_buf_str(&again)));
        if (inside && is_relative(reference))
            check_inside(base, reference, dv_buf_str(&result));
    }
    return 0;
}
