/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line diff is the greedy algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its
 * Variations" (1986): for d = 0, 1, 2, … edits it keeps, on each diagonal k = x - y, how far one
 * can get; the first d that reaches the end is the least, and the kept rows lead back.
 */
#include "diff.h"

#include "output.h"

/* ---- Lines ---- */

typedef DV_VEC(dv_str) lines;

static void split(dv_str text, lines *ret_lines)
{
    while (text.n) {
        dv_str line;

        text = dv_str_cut(text, '\n', &line);
        *dv_vec_push(ret_lines) = line;
    }
}

/* What happens to a line: kept, removed, added. */
typedef enum { KEEP, REMOVE, ADD } fate;
typedef struct {
    fate what;
    dv_str line;
} step;
typedef DV_VEC(step) script;

static void push(script *s, fate what, dv_str line)
{
    *dv_vec_push(s) = (step){what, line};
}

/* ---- The shortest way ---- */

typedef struct {
    const dv_str *a, *b;
    int n, m;
    DV_VEC(int *) rows; /* of edit d: furthest x on diagonals -d … d, at index k + d */
} search;

static void search_done(search *s)
{
    for (size_t i = 0; i < s->rows.n; i++)
        free(s->rows.at[i]);
    dv_vec_done(&s->rows);
}

static int at_diagonal(const search *s, int d, int k)
{
    return s->rows.at[d][k + d];
}

/* Does the way to diagonal k with d edits come from above (an added line)? */
static bool comes_down(const search *s, int d, int k)
{
    return k == -d || (k != d && at_diagonal(s, d - 1, k - 1) < at_diagonal(s, d - 1, k + 1));
}

static int start_of(const search *s, int d, int k)
{
    if (d == 0)
        return 0;
    return comes_down(s, d, k) ? at_diagonal(s, d - 1, k + 1) : at_diagonal(s, d - 1, k - 1) + 1;
}

static int slide(const search *s, int x, int k)
{
    while (x < s->n && x - k < s->m && dv_str_eq(s->a[x], s->b[x - k]))
        x++;
    return x;
}

/* The least number of edits; -1: more than there may be. A way past an edge of the text is kept as
 * a dead end, for it never slides. */
static int find(search *s)
{
    for (int d = 0; d <= CLI_DIFF_EDITS_MAX; d++) {
        int *row = dv_calloc((size_t)(2 * d + 1), sizeof(*row));

        *dv_vec_push(&s->rows) = row;
        for (int k = -d; k <= d; k += 2) {
            row[k + d] = slide(s, start_of(s, d, k), k);
            if (row[k + d] >= s->n && row[k + d] - k >= s->m)
                return d;
        }
    }
    return -1;
}

/* From the end back to the start, so the steps come out the wrong way round. */
static void walk_back(const search *s, int d, script *back)
{
    int x = s->n, y = s->m;

    for (; d >= 0; d--) {
        int k = x - y, from = start_of(s, d, k);

        while (x > from) {
            push(back, KEEP, s->a[--x]);
            y--;
        }
        if (d == 0)
            return;
        if (comes_down(s, d, k))
            push(back, ADD, s->b[--y]);
        else
            push(back, REMOVE, s->a[--x]);
    }
}

static void replace_all(const search *s, script *out)
{
    for (int i = 0; i < s->n; i++)
        push(out, REMOVE, s->a[i]);
    for (int i = 0; i < s->m; i++)
        push(out, ADD, s->b[i]);
}

static void compare(search *s, script *out)
{
    script back = {0};
    int d = find(s);

    if (d < 0) {
        replace_all(s, out);
        return;
    }
    walk_back(s, d, &back);
    for (size_t i = back.n; i-- > 0;)
        *dv_vec_push(out) = back.at[i];
    dv_vec_done(&back);
}

/* Equal beginnings and ends are common, and long. */
static void compare_lines(const lines *a, const lines *b, script *out)
{
    size_t head = 0, tail = 0, least = DV_MIN(a->n, b->n);
    DV_CLEANUP(search_done) search s = {0};

    while (head < least && dv_str_eq(a->at[head], b->at[head]))
        push(out, KEEP, a->at[head++]);
    while (tail < least - head && dv_str_eq(a->at[a->n - 1 - tail], b->at[b->n - 1 - tail]))
        tail++;
    s = (search){.a = a->at + head,
                 .b = b->at + head,
                 .n = (int)(a->n - head - tail),
                 .m = (int)(b->n - head - tail)};
    if (s.n || s.m)
        compare(&s, out);
    for (size_t i = a->n - tail; i < a->n; i++)
        push(out, KEEP, a->at[i]);
}

/* ---- Printing ---- */

/* Is a change within CLI_DIFF_CONTEXT lines of step i? */
static bool is_near(const script *s, size_t i)
{
    size_t from = i > CLI_DIFF_CONTEXT ? i - CLI_DIFF_CONTEXT : 0;

    for (size_t k = from; k < s->n && k <= i + CLI_DIFF_CONTEXT; k++)
        if (s->at[k].what != KEEP)
            return true;
    return false;
}

static void add_line(dv_buf *out, const step *s, size_t indent)
{
    static const cli_style styles[] = {[KEEP] = CLI_PLAIN, [REMOVE] = CLI_RED, [ADD] = CLI_GREEN};
    static const char *const marks[] = {[KEEP] = "  ", [REMOVE] = "- ", [ADD] = "+ "};
    dv_auto_str line = dv_str_dup(s->line);

    dv_buf_fill(out, ' ', indent);
    cli_style_on(out, styles[s->what]);
    dv_buf_adds(out, marks[s->what]);
    cli_add_text(out, line);
    cli_style_off(out, styles[s->what]);
    dv_buf_addc(out, '\n');
}

static bool has_changes(const script *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].what != KEEP)
            return true;
    return false;
}

static void print(const script *s, size_t indent, dv_buf *out)
{
    bool skipped = false;

    if (!has_changes(s))
        return;
    for (size_t i = 0; i < s->n; i++) {
        if (!is_near(s, i)) {
            skipped = true;
            continue;
        }
        if (skipped) {
            dv_buf_fill(out, ' ', indent + 2);
            cli_add_styled(out, CLI_CYAN, "…");
            dv_buf_addc(out, '\n');
        }
        skipped = false;
        add_line(out, &s->at[i], indent);
    }
}

void cli_diff_add(dv_buf *out, dv_str before, dv_str after, size_t indent)
{
    lines a = {0}, b = {0};
    script s = {0};

    split(before, &a);
    split(after, &b);
    compare_lines(&a, &b, &s);
    print(&s, indent, out);
    dv_vec_done(&a);
    dv_vec_done(&b);
    dv_vec_done(&s);
}

/* ---- Objects ---- */

void cli_object_clean(json_t *object)
{
    static const char *const fields[] = {
        "/status",
        "/metadata/managedFields",
        "/metadata/uid",
        "/metadata/resourceVersion",
        "/metadata/creationTimestamp",
        "/metadata/generation",
        "/metadata/selfLink",
    };

    for (size_t i = 0; i < DV_LEN(fields); i++)
        dv_json_remove(object, fields[i]);
}

static bool is_secret(const json_t *object)
{
    return object && dv_str_is(dv_json_view(object, "/kind"), "Secret") &&
           dv_str_is(dv_json_view(object, "/apiVersion"), "v1");
}

/* All values of one map; other: the same map of the other side. */
static void mask_map(json_t *map, const json_t *other, const char *side)
{
    void *at;

    for (at = json_object_iter(map); at; at = json_object_iter_next(map, at)) {
        const json_t *counterpart =
            json_object_getn(other, json_object_iter_key(at), json_object_iter_key_len(at));
        bool differs = counterpart && !dv_json_equal(counterpart, json_object_iter_value(at));
        dv_auto_str text = dv_asprintf("***%s", differs ? side : "");

        json_object_iter_set_new(map, at, json_string(text));
    }
}

/* Where kubectl apply keeps a copy of all that was applied. */
#define LAST_APPLIED "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"

static void mask_side(json_t *object, const json_t *other, const char *side)
{
    static const char *const maps[] = {"/data", "/stringData"};

    for (size_t i = 0; i < DV_LEN(maps); i++)
        mask_map(dv_json_object(object, maps[i]), dv_json_object(other, maps[i]), side);
    if (dv_json_at(object, LAST_APPLIED))
        dv_err_free(dv_json_set(object, LAST_APPLIED, json_string("***")));
}

void cli_object_mask(json_t *before, json_t *after)
{
    json_auto_t *original = dv_json_copy(before);

    if (is_secret(before))
        mask_side(before, after, " (before)");
    if (is_secret(after))
        mask_side(after, original, " (after)");
}
