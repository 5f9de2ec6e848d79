/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what Go made of many templates, makes the same of them, and prints where the two differ.
 *
 *     record  = { field } "\n"
 *     field   = letter " " length "\n" bytes "\n"
 *
 * F: which functions ("text": the language's own, "helm"), T: a template, D: its data as JSON,
 * O: Go's output, E: Go's error. Ends with "N passed, N failed".
 *
 * Of what stands behind the start of an error in YAML, TOML or a constraint nothing is compared:
 * which of several faults is named, and in which words, depends on the parser.
 */
#include <stdio.h>

#include "base/file.h"
#include "gotemplate/functions.h"
#include "gotemplate/json_text.h"
#include "json/json.h"

enum { SHOWN_MAX = 20 };

#define MEMORY ((size_t)64 * 1024 * 1024)
#define STACK ((size_t)4 * 1024 * 1024)

typedef struct {
    dv_str field[128]; /* by letter */
} record;

/* False: there is no other. */
static bool take_record(dv_str *rest, record *ret)
{
    *ret = (record){0};
    while (rest->n && rest->p[0] != '\n') {
        unsigned char letter = (unsigned char)rest->p[0] & 127;
        char *end;
        size_t n = strtoull(rest->p + 2, &end, 10);

        *rest = dv_str_skip(*rest, (size_t)(end - rest->p) + 1);
        ret->field[letter] = (dv_str){rest->p, n};
        *rest = dv_str_skip(*rest, n + 1);
    }
    bool any = rest->n > 0;
    *rest = dv_str_skip(*rest, 1);
    return any;
}

static dv_err *render(const record *r, dv_buf *out)
{
    static const dv_function_table *const none[] = {NULL};
    bool helm = dv_str_is(r->field['F'], "helm");
    const dv_run_options options = {.missing_key = helm ? DV_MISSING_ZERO : DV_MISSING_DEFAULT,
                                    .stack_bytes = STACK};
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(helm ? dv_helm_functions() : none, NULL);
    dv_auto(dv_heap) heap = dv_heap_new(MEMORY);
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val data;

    if (!dv_json_decode(heap, r->field['D'], &data, &fault))
        return dv_err_new(DV_INVALID, "BadData", "%s", dv_buf_cstr(&fault));
    DV_CHECK(dv_gotemplate_parse(set, DV_STR("t"), r->field['T']));
    return dv_gotemplate_run(set, DV_STR("t"), data, heap, &options, out);
}

static void show(const record *r, dv_str ours, const char *error)
{
    printf("template: %.*s\ndata:     %.*s\n", DV_FMT(r->field['T']), DV_FMT(r->field['D']));
    if (r->field['E'].n)
        printf("go fails: %.*s\n", DV_FMT(r->field['E']));
    else
        printf("go:       %.*s\n", DV_FMT(r->field['O']));
    if (error)
        printf("we fail:  %s\n\n", error);
    else
        printf("we:       %.*s\n\n", DV_FMT(ours));
}

/* Equal up to where both begin to tell of a fault in a document. */
static bool same_but_for_words(dv_str a, dv_str b)
{
    static const char *const starts[] = {"error converting YAML to JSON: ", "toml: line ",
                                         "improper constraint: "};

    for (size_t i = 0; i < DV_LEN(starts); i++) {
        size_t n = strlen(starts[i]);
        const char *in_a = a.n ? memmem(a.p, a.n, starts[i], n) : NULL,
                   *in_b = b.n ? memmem(b.p, b.n, starts[i], n) : NULL;

        if (in_a && in_b && in_a - a.p == in_b - b.p && memcmp(a.p, b.p, (size_t)(in_a - a.p)) == 0)
            return true;
    }
    return false;
}

static bool check(const record *r, bool shown)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_err) err = render(r, &out);
    dv_str wanted = r->field[r->field['E'].n ? 'E' : 'O'];
    dv_str ours = err ? dv_str_of(dv_err_str(err)) : dv_buf_str(&out);
    bool same = (dv_str_eq(wanted, ours) || same_but_for_words(wanted, ours)) &&
                (err != NULL) == (r->field['E'].n > 0);

    if (!same && shown)
        show(r, ours, err ? dv_err_str(err) : NULL);
    return same;
}

int main(int argc, char **argv)
{
    DV_CLEANUP(dv_buf_done) dv_buf bytes = DV_BUF_INIT((size_t)1024 * 1024 * 1024);
    size_t passed = 0, failed = 0;
    char chunk[65536];
    record r;

    dv_json_setup();
    size_t shown_max = argc > 1 ? strtoull(argv[1], NULL, 10) : SHOWN_MAX;
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), stdin)) > 0;)
        dv_buf_add(&bytes, chunk, n);
    for (dv_str rest = dv_buf_str(&bytes); take_record(&rest, &r);) {
        if (check(&r, failed < shown_max))
            passed++;
        else
            failed++;
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed || !passed;
}
