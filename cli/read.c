/* SPDX-License-Identifier: Apache-2.0 */
/* From argv to a call. */
#include "verb.h"

#define usage(...) dv_err_new(DV_INVALID, CLI_BAD_USAGE, __VA_ARGS__)

static const dv_flag global_flags[] = {
    {.name = "help",
     .type = DV_FLAG_BOOL,
     .offset = offsetof(cli_options, help),
     .help = "print help and exit",
     .short_name = 'h'},
    {.name = "version",
     .type = DV_FLAG_BOOL,
     .offset = offsetof(cli_options, version),
     .help = "print the version and exit"},
};

void cli_call_done(cli_call *call)
{
    cli_options_done(&call->options);
    free(call->args);
    *call = (cli_call){0};
}

/* ---- Finding the verb ---- */

/* Is "semver check" the words "semver", "check"? */
static bool is_named(const cli_verb *verb, const char *const *words, size_t n, size_t *ret_words)
{
    const char *second = strchr(verb->name, ' ');
    size_t first_n = second ? (size_t)(second - verb->name) : strlen(verb->name);

    if (n == 0 || !dv_str_eq((dv_str){verb->name, first_n}, dv_str_of(words[0])))
        return false;
    if (second && (n < 2 || strcmp(second + 1, words[1]) != 0))
        return false;
    *ret_words = second ? 2 : 1;
    return true;
}

const cli_verb *cli_verb_find(const char *const *words, size_t n, size_t *ret_words)
{
    for (size_t i = 0; i < cli_n_verbs; i++)
        if (is_named(&cli_verbs[i], words, n, ret_words))
            return &cli_verbs[i];
    return NULL;
}

bool cli_verb_in_group(const cli_verb *verb, const char *group)
{
    size_t n = strlen(group);

    return strncmp(verb->name, group, n) == 0 && verb->name[n] == ' ';
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < cli_n_verbs; i++)
        if (cli_verb_in_group(&cli_verbs[i], word))
            return true;
    return false;
}

/* Names of the group's verbs: "check or compare". */
static void add_group(dv_buf *out, const char *group)
{
    size_t count = 0;

    for (size_t i = 0; i < cli_n_verbs; i++)
        if (cli_verb_in_group(&cli_verbs[i], group))
            dv_buf_addf(out, "%s\"%s %s\"", count++ ? " or " : "", group,
                        cli_verbs[i].name + strlen(group) + 1);
}

static const char *nearest_verb(const char *word)
{
    size_t least = strlen(word) / 2 + 1;
    const char *nearest = NULL;

    for (size_t i = 0; i < cli_n_verbs; i++) {
        size_t d = dv_str_edits(dv_str_of(word), dv_str_of(cli_verbs[i].name));

        if (d < least) {
            least = d;
            nearest = cli_verbs[i].name;
        }
    }
    return nearest;
}

static dv_err *unknown_verb(const char *const *words)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    if (is_group(words[0])) {
        add_group(&text, words[0]);
        return usage("say %s", dv_buf_cstr(&text));
    }
    const char *nearest = nearest_verb(words[0]);
    if (nearest)
        return usage("unknown command \"%.64s\", did you mean \"%s\"?", words[0], nearest);
    return usage("unknown command \"%.64s\"", words[0]);
}

/* ---- Flags before the verb ---- */

/* Any verb's flag of this name; two verbs never give one name two types. */
static const dv_flag *any_flag(dv_str name, char letter)
{
    for (size_t v = 0; v < cli_n_verbs; v++) {
        for (size_t i = 0; i < cli_verbs[v].n_flags; i++) {
            const dv_flag *flag = &cli_verbs[v].flags[i];

            if (letter ? flag->short_name == letter : dv_str_is(name, flag->name))
                return flag;
        }
    }
    return NULL;
}

/* Does the argument after this flag belong to it? */
static bool takes_next(const char *arg)
{
    dv_str name;
    const dv_flag *flag;

    if (strchr(arg, '='))
        return false;
    name = dv_str_of(arg + 1 + (arg[1] == '-'));
    flag = arg[1] == '-' ? any_flag(name, 0) : name.n == 1 ? any_flag(name, name.p[0]) : NULL;
    return flag && flag->type != DV_FLAG_BOOL;
}

/* Index of the first argument that is no flag; argc: none. */
static int first_word(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        i += takes_next(argv[i]);
    }
    return argc;
}

/* ---- The whole ---- */

/* "json|yaml|name" in the placeholder: one of these, or nothing. */
static dv_err *check_output(const cli_call *call)
{
    const char *output = call->options.output;

    for (size_t i = 0; *output && i < call->verb->n_flags; i++) {
        const dv_flag *flag = &call->verb->flags[i];
        dv_str rest = dv_str_of(flag->value), word = {0};

        if (strcmp(flag->name, "output") != 0)
            continue;
        do
            rest = dv_str_cut(rest, '|', &word);
        while (!dv_str_is(word, output) && rest.p);
        if (!dv_str_is(word, output))
            return usage("--output: \"%.64s\" is none of %s", output, flag->value);
    }
    return NULL;
}

static dv_err *count_arguments(const cli_call *call)
{
    const cli_verb *verb = call->verb;

    if (call->n > verb->most)
        return usage("unexpected argument \"%.64s\"", call->args[verb->most]);
    if (call->n < verb->least)
        return usage("%s is missing", verb->args);
    return NULL;
}

/* argv without the words of the verb, so that flags on both sides of them are read as one row. */
static dv_err *read_flags(int argc, char *const *argv, int word, size_t words, cli_call *call)
{
    const char **rest = dv_calloc((size_t)argc + 1, sizeof(*rest));
    int n = 0;

    for (int i = 0; i < argc; i++)
        if (i < word || i >= word + (int)words)
            rest[n++] = argv[i];
    dv_err *err = dv_flags_parse(call->verb->flags, call->verb->n_flags, n, (char *const *)rest,
                                 &call->options, &call->args, &call->n);
    free(rest);
    return dv_err_recast(err, DV_INVALID, CLI_BAD_USAGE);
}

dv_err *cli_read(int argc, char *const *argv, cli_call *ret_call)
{
    const char *const *all = (const char *const *)argv;
    int word = first_word(argc, argv);
    size_t words = 0;

    *ret_call = (cli_call){.options = cli_options_default()};
    if (word < argc && strcmp(argv[word], "help") == 0) {
        word++;
        ret_call->options.help = true;
    }
    if (word >= argc) {
        if (!ret_call->options.help)
            DV_CHECK(dv_err_recast(dv_flags_parse(global_flags, DV_LEN(global_flags), argc, argv,
                                                  &ret_call->options, NULL, NULL),
                                   DV_INVALID, CLI_BAD_USAGE));
        return NULL;
    }
    ret_call->verb = cli_verb_find(all + word, (size_t)(argc - word), &words);
    if (!ret_call->verb)
        return unknown_verb(all + word);
    if (ret_call->options.help)
        return NULL;
    DV_CHECK(read_flags(argc, argv, word, words, ret_call));
    if (ret_call->options.help)
        return NULL;
    DV_CHECK(check_output(ret_call));
    return count_arguments(ret_call);
}
