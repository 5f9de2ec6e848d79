/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders the templates of a folder for a while and prints how many nanoseconds parsing and
 * rendering take, and rendering alone: what test/gotemplate/gobench does with Go's engine.
 *
 *     gotemplate-bench FOLDER [SECONDS]      SECONDS "show": prints the output instead
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "gotemplate/functions.h"
#include "gotemplate/json_text.h"
#include "json/json.h"

enum { ROUNDS = 20 };

#define FILE_MAX ((size_t)1024 * 1024)
#define MEMORY ((size_t)256 * 1024 * 1024)
#define US_PER_S 1e6
#define NS_PER_US 1e3

static const char *const files[] = {"_helpers.tpl", "config.yaml", "deployment.yaml",
                                    "service.yaml"};

typedef struct {
    dv_buf text[DV_LEN(files)], values, out;
} chart;

static void must(dv_err *err)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", dv_err_str(err));
    exit(1);
}

static void load(const char *folder, const char *name, dv_buf *out)
{
    char path[4096], chunk[4096];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    DV_ASSERT(file);
    dv_buf_init(out, FILE_MAX);
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        dv_buf_add(out, chunk, n);
    fclose(file);
}

static dv_gotemplate *parse(const chart *c)
{
    dv_gotemplate *set = dv_gotemplate_new(dv_helm_functions(), NULL);

    for (size_t i = 0; i < DV_LEN(files); i++)
        must(dv_gotemplate_parse(set, dv_str_of(files[i]), dv_buf_str(&c->text[i])));
    return set;
}

static void render(chart *c, const dv_gotemplate *set)
{
    static const dv_run_options options = {.missing_key = DV_MISSING_ZERO};
    dv_auto(dv_heap) heap = dv_heap_new(MEMORY);
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val data;

    DV_ASSERT(dv_json_decode(heap, dv_buf_str(&c->values), &data, &fault));
    dv_buf_reset(&c->out);
    for (size_t i = 0; i < DV_LEN(files); i++)
        if (files[i][0] != '_')
            must(dv_gotemplate_run(set, dv_str_of(files[i]), data, heap, &options, &c->out));
}

static double now_us(void)
{
    return (double)dv_clock_real()->unix_us(dv_clock_real());
}

/* Nanoseconds of the fastest of many rounds; set NULL: with parsing. */
static double measure(chart *c, const dv_gotemplate *set, double seconds)
{
    double best = 0;

    for (int round = 0; round < ROUNDS; round++) {
        double begin = now_us(), spent = 0;
        int n = 0;

        for (; spent < seconds * US_PER_S / ROUNDS; n++) {
            dv_gotemplate *own = set ? NULL : parse(c);

            render(c, set ? set : own);
            dv_gotemplate_free(own);
            spent = now_us() - begin;
        }
        double ns = spent * NS_PER_US / n;
        best = best == 0 || ns < best ? ns : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    chart c;

    DV_ASSERT(argc > 1);
    dv_json_setup();
    for (size_t i = 0; i < DV_LEN(files); i++)
        load(argv[1], files[i], &c.text[i]);
    load(argv[1], "values.json", &c.values);
    dv_buf_init(&c.out, DV_BODY_MAX);
    dv_auto(dv_gotemplate) set = parse(&c);
    render(&c, set);
    if (argc > 2 && strcmp(argv[2], "show") == 0) {
        fwrite(c.out.p, 1, c.out.n, stdout);
    } else {
        double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
        double whole = measure(&c, NULL, seconds), again = measure(&c, set, seconds);

        printf("%.0f %.0f\n", whole, again);
    }
    for (size_t i = 0; i < DV_LEN(files); i++)
        dv_buf_done(&c.text[i]);
    dv_buf_done(&c.values);
    dv_buf_done(&c.out);
    return 0;
}
