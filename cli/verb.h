/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What davit can be told: one table of verbs, each with its flags. The command line is read by it,
 * and --help, the manual pages and the completion scripts are printed from it, so that they can't
 * disagree.
 *
 * Two programs share the table. `davit` itself does what needs no cluster, and starts in a
 * millisecond because it loads no network library; the other verbs are in `davit-cluster`, which it
 * becomes (exec) when one of them is asked for.
 *
 * Threads: main.
 */
#pragma once

#include "base/flags.h"
#include "base/vec.h"
#include "exit.h"

/* All verbs' options together; texts are borrowed from the command line. */
typedef struct {
    bool help, version;
    const char *output; /* "": for people; else one of those that the flag's placeholder lists */
    /* resolve */
    const char *problem;
    /* lint */
    bool strict; /* warnings are findings, too */
    /* plan */
    dv_strings files;
    bool exit_code; /* CLI_CHANGES where something would change */
    /* Those that ask a cluster. */
    const char *kubeconfig, *context;
    const char *ns; /* NULL: not given */
    bool all_namespaces;
    const char *operator_ns;
    int64_t timeout_ms;
    /* Those that read repositories. */
    const char *repository; /* NULL: by priority */
    dv_strings allow_cidr, allow_file_root;
    const char *cache_dir; /* NULL: the user's; "": none */
} cli_options;
cli_options cli_options_default(void);
void cli_options_done(cli_options *options);

/* What an argument is, for completion. */
typedef enum {
    CLI_ARG_NONE,
    CLI_ARG_TEXT,
    CLI_ARG_FOLDER,
    CLI_ARG_WORDS,     /* those that `args` has between bars */
    CLI_ARG_OFFERED,   /* a package that repositories have */
    CLI_ARG_INSTALLED, /* a package that is in the cluster */
} cli_arg;

typedef struct {
    const char *name;     /* "resolve", "semver check" */
    const char *args;     /* as usage shows them: "[WORD]"; "" */
    size_t least, most;   /* how many there may be */
    cli_arg arg;          /* what they are */
    const char *summary;  /* one line, no full stop */
    const char *about;    /* paragraphs, each one line of text, separated by empty lines */
    const char *examples; /* lines "command\texplanation"; NULL */
    const dv_flag *flags;
    size_t n_flags;
    unsigned exits; /* CLI_EXIT() bits of the codes it may end with, besides 0 and 2 */
} cli_verb;

extern const cli_verb cli_verbs[];
extern const size_t cli_n_verbs;
/* What davit is, in paragraphs. */
extern const char cli_about[];
/* Variables that it heeds. */
extern const struct cli_variable {
    const char *name, *text;
} cli_environment[];
extern const size_t cli_n_environment;

/* A command line that was understood. */
typedef struct {
    const cli_verb *verb; /* NULL: none was named */
    cli_options options;
    const char **args; /* owned array of borrowed texts */
    size_t n;
} cli_call;
void cli_call_done(cli_call *call);

/*
 * Reads a command line. Flags may stand before the verb. INVALID CLI_BAD_USAGE: unknown verb (with
 * the nearest) or flag, too few or too many arguments. Is call->options.help set, arguments are not
 * counted. ret_call is filled also after an error, as far as it was read.
 */
DV_MUST_USE dv_err *cli_read(int argc, char *const *argv, cli_call *ret_call);

/* The verb whose name these words begin with, of one or two words; *ret_words of them. NULL: none.
 */
const cli_verb *cli_verb_find(const char *const *words, size_t n, size_t *ret_words);
/* All of --help: of one verb, or of the program (verb NULL). */
void cli_help(const cli_verb *verb, dv_buf *out);
/* All codes it may end with. */
unsigned cli_verb_exits(const cli_verb *verb);
/* A row of a verb's own word: "check" and "compare" of "semver". */
bool cli_verb_in_group(const cli_verb *verb, const char *group);

/* What both programs do with a call; *ret_exit is CLI_OK unless the verb sets it. */
typedef struct {
    const char *verb;
    dv_err *(*run)(const cli_call *call, cli_exit *ret_exit);
} cli_runner;
/* NULL: not in this program. */
const cli_runner *cli_runner_find(const cli_runner *runners, size_t n, const cli_verb *verb);
/* Prints "davit: " and the error on stderr, with a hint where it is the command line's fault. Takes
 * err; its exit status. */
cli_exit cli_report(dv_err *err, const cli_verb *verb);
/* Writes to stdout; TRANSIENT "WriteFailed". */
DV_MUST_USE dv_err *cli_print(dv_str text);
/* Appends a file's content, or all of standard input for "-". Errors as dv_file_read(). */
DV_MUST_USE dv_err *cli_read_input(const char *path, dv_buf *out);
