/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flags.h"

#include "base/vec.h"
#include "testlib.h"

typedef struct {
    bool verbose, elect;
    int64_t concurrent, interval_ms;
    const char *kubeconfig;
    dv_strings cidrs;
} options;

static const dv_flag flags[] = {
    {"verbose", DV_FLAG_BOOL, offsetof(options, verbose), NULL, "say more", 'v'},
    {"leader-elect", DV_FLAG_BOOL, offsetof(options, elect), NULL, "one at a time", 0},
    {"concurrent", DV_FLAG_INT, offsetof(options, concurrent), "N", "workers", 'c'},
    {"interval", DV_FLAG_DURATION, offsetof(options, interval_ms), "TIME", "between looks", 0},
    {"kubeconfig", DV_FLAG_STRING, offsetof(options, kubeconfig), "FILE", "where it is", 0},
    {"allow-cidr", DV_FLAG_STRINGS, offsetof(options, cidrs), "CIDR", "private networks", 0},
};

enum { ARGS_MAX = 8 };

/* Splits the words of a command line; in place. */
static int split(char *line, char *argv[ARGS_MAX])
{
    int argc = 1;

    argv[0] = line;
    for (char *at = line; *at; at++) {
        if (*at != ' ')
            continue;
        *at = '\0';
        argv[argc++] = at + 1;
    }
    return argc;
}

static void options_done(options *o)
{
    dv_strings_done(&o->cidrs);
}

static const struct good_row {
    const char *name, *line;
    options want;
    const char *cidrs, *rest;
} good[] = {
    {"nothing keeps the defaults", "p", {.elect = true, .concurrent = 8}, "10/8", ""},
    {"a value behind an equals sign",
     "p --concurrent=3",
     {.elect = true, .concurrent = 3},
     "10/8",
     ""},
    {"a value in the next word", "p --concurrent 3", {.elect = true, .concurrent = 3}, "10/8", ""},
    {"a bool alone", "p --verbose", {.verbose = true, .elect = true, .concurrent = 8}, "10/8", ""},
    {"a bool that is turned off", "p --leader-elect=false", {.concurrent = 8}, "10/8", ""},
    {"a bool does not eat the next word",
     "p --verbose x",
     {.verbose = true, .elect = true, .concurrent = 8},
     "10/8",
     "x"},
    {"a negative number", "p --concurrent=-1", {.elect = true, .concurrent = -1}, "10/8", ""},
    {"a duration",
     "p --interval 1m30s",
     {.elect = true, .concurrent = 8, .interval_ms = 90000},
     "10/8",
     ""},
    {"a string",
     "p --kubeconfig=/a=b",
     {.elect = true, .concurrent = 8, .kubeconfig = "/a=b"},
     "10/8",
     ""},
    {"an empty string",
     "p --kubeconfig=",
     {.elect = true, .concurrent = 8, .kubeconfig = ""},
     "10/8",
     ""},
    {"a list replaces its default",
     "p --allow-cidr=a,b",
     {.elect = true, .concurrent = 8},
     "a,b",
     ""},
    {"a repeated list grows",
     "p --allow-cidr=a --allow-cidr b,c",
     {.elect = true, .concurrent = 8},
     "a,b,c",
     ""},
    {"the last of two wins",
     "p --concurrent=1 --concurrent=2",
     {.elect = true, .concurrent = 2},
     "10/8",
     ""},
    {"arguments between flags",
     "p a --verbose b",
     {.verbose = true, .elect = true, .concurrent = 8},
     "10/8",
     "a,b"},
    {"two dashes end the flags",
     "p -- --verbose -v",
     {.elect = true, .concurrent = 8},
     "10/8",
     "--verbose,-v"},
    {"a lone dash is an argument", "p -", {.elect = true, .concurrent = 8}, "10/8", "-"},
    {"a short flag", "p -v", {.verbose = true, .elect = true, .concurrent = 8}, "10/8", ""},
    {"a short flag with its value", "p -c 5", {.elect = true, .concurrent = 5}, "10/8", ""},
    {"a short flag with its value attached", "p -c5", {.elect = true, .concurrent = 5}, "10/8", ""},
    {"a short flag with an equals sign", "p -c=5", {.elect = true, .concurrent = 5}, "10/8", ""},
    {"short flags in a row",
     "p -vc 5",
     {.verbose = true, .elect = true, .concurrent = 5},
     "10/8",
     ""},
};

static void join(dv_buf *out, const char *text)
{
    dv_buf_addf(out, "%s%s", out->n ? "," : "", text);
}

static void flags_read(void **state)
{
    const struct good_row *row = *state;
    DV_CLEANUP(options_done) options got = {.elect = true, .concurrent = 8};
    DV_CLEANUP(dv_buf_done) dv_buf cidrs = DV_BUF_INIT(1000);
    DV_CLEANUP(dv_buf_done) dv_buf rest = DV_BUF_INIT(1000);
    dv_auto_str line = dv_strdup(row->line);
    char *argv[ARGS_MAX];
    const char **args = NULL;
    size_t args_n = 0;

    dv_strings_add(&got.cidrs, "10/8");
    assert_ok(dv_flags_parse(flags, DV_LEN(flags), split(line, argv), argv, &got, &args, &args_n));
    for (size_t i = 0; i < args_n; i++)
        join(&rest, args[i]);
    free(args);
    for (size_t i = 0; i < got.cidrs.n; i++)
        join(&cidrs, got.cidrs.at[i]);
    assert_string_equal(dv_buf_cstr(&rest), row->rest);
    assert_string_equal(dv_buf_cstr(&cidrs), row->cidrs);
    assert_int_equal(got.verbose, row->want.verbose);
    assert_int_equal(got.elect, row->want.elect);
    assert_int_equal(got.concurrent, row->want.concurrent);
    assert_int_equal(got.interval_ms, row->want.interval_ms);
    assert_true(dv_str_eq(dv_str_of(got.kubeconfig), dv_str_of(row->want.kubeconfig)));
}

static const struct bad_row {
    const char *name, *line, *message;
} bad[] = {
    {"a typing error names its neighbour", "p --concurent=3", "did you mean --concurrent?"},
    {"an unknown flag", "p --zzzzzzzzzzz", "unknown flag --zzzzzzzzzzz"},
    {"an unknown short flag", "p -x", "unknown flag -x"},
    {"a missing value", "p --concurrent", "flag --concurrent needs a value (N)"},
    {"no number", "p --concurrent=x", "flag --concurrent: "},
    {"no duration", "p --interval=5", "flag --interval: \"5\" is not a duration"},
    {"no bool", "p --verbose=maybe", "flag --verbose: \"maybe\" is not true or false"},
    {"an argument where none may be", "p word", "unexpected argument \"word\""},
};

static void flags_are_refused(void **state)
{
    const struct bad_row *row = *state;
    DV_CLEANUP(options_done) options got = {0};
    dv_auto_str line = dv_strdup(row->line);
    char *argv[ARGS_MAX];

    assert_err(dv_flags_parse(flags, DV_LEN(flags), split(line, argv), argv, &got, NULL, NULL),
               DV_INVALID, row->message);
}

static void help_has_columns_and_defaults(void **state DV_UNUSED)
{
    DV_CLEANUP(options_done)
    options defaults = {
        .elect = true, .concurrent = 8, .interval_ms = 600000, .kubeconfig = "~/.kube/config"};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    dv_strings_add(&defaults.cidrs, "a");
    dv_strings_add(&defaults.cidrs, "b");
    dv_flags_help(flags, DV_LEN(flags), &defaults, &out);
    assert_string_equal(dv_buf_cstr(&out),
                        "  -v, --verbose          say more\n"
                        "      --leader-elect     one at a time (default true)\n"
                        "  -c, --concurrent N     workers (default 8)\n"
                        "      --interval TIME    between looks (default 10m0s)\n"
                        "      --kubeconfig FILE  where it is (default ~/.kube/config)\n"
                        "      --allow-cidr CIDR  private networks (default a,b)\n");
}

int main(void)
{
    dv_suite suite = {.name = "base/flags"};

    DV_TABLE(&suite, flags_read, good);
    DV_TABLE(&suite, flags_are_refused, bad);
    DV_TEST(&suite, help_has_columns_and_defaults);
    return dv_suite_run(&suite);
}
