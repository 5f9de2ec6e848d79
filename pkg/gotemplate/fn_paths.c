/* SPDX-License-Identifier: Apache-2.0 */
/* Paths with slashes, as Go's package path takes them apart; nothing is looked up. */
#include "gotemplate/functions_internal.h"

static void drop_last(dv_buf *out, size_t root)
{
    while (out->n > root && out->p[out->n - 1] != '/')
        dv_buf_cut(out, out->n - 1);
    if (out->n > root)
        dv_buf_cut(out, out->n - 1);
}

/* Appends the shortest path that means the same. */
static void add_clean(dv_buf *out, dv_str path)
{
    bool rooted = path.n && path.p[0] == '/';
    size_t root, keep; /* what is before keep stays: the root, and "../" at the front */
    dv_str part;

    if (rooted)
        dv_buf_addc(out, '/');
    root = keep = out->n;
    while (path.n) {
        path = dv_str_cut(path, '/', &part);
        bool up = dv_str_is(part, "..");

        if (!part.n || dv_str_is(part, "."))
            continue;
        if (up && out->n > keep) {
            drop_last(out, keep);
            continue;
        }
        if (up && rooted)
            continue;
        if (out->n > root)
            dv_buf_addc(out, '/');
        dv_buf_add_str(out, part);
        if (up)
            keep = out->n;
    }
    if (!out->n)
        dv_buf_addc(out, '.');
}

DV_FN(clean)
{
    dv_buf *out = dv_run_scratch(run);

    add_clean(out, DV_ARG(0));
    return dv_run_text(run, out);
}

DV_FN(base)
{
    dv_str path = DV_ARG(0);

    if (!path.n)
        return dv_val_lit(".");
    while (path.n && path.p[path.n - 1] == '/')
        path.n--;
    if (!path.n)
        return dv_val_lit("/");
    return dv_val_borrow(dv_str_skip(path, (size_t)(dv_str_rfind(path, '/') + 1)));
}

DV_FN(dir)
{
    dv_str path = DV_ARG(0);
    dv_buf *out = dv_run_scratch(run);

    add_clean(out, dv_str_head(path, (size_t)(dv_str_rfind(path, '/') + 1)));
    return dv_run_text(run, out);
}

DV_FN(ext)
{
    dv_str path = DV_ARG(0);
    ptrdiff_t dot = dv_str_rfind(path, '.');

    return dot < 0 || dot < dv_str_rfind(path, '/') ? dv_val_lit("")
                                                    : dv_val_borrow(dv_str_skip(path, (size_t)dot));
}

DV_FN(isAbs)
{
    return dv_val_bool(args[0].n && args[0].s[0] == '/');
}
