/* SPDX-License-Identifier: Apache-2.0 */
/*
 * davit completion: scripts for shells, from the table of verbs. What only a cluster knows (names
 * of packages) the script asks davit itself for.
 */
#include "offline.h"

/* ---- What stands behind a flag or a verb ---- */

typedef enum { NOTHING, WORDS, FILES, FOLDERS, OFFERED, INSTALLED } kind;

static kind kind_of_flag(const dv_flag *flag)
{
    if (!flag->value)
        return NOTHING;
    if (strchr(flag->value, '|'))
        return WORDS;
    if (strncmp(flag->value, "FILE", strlen("FILE")) == 0)
        return FILES;
    return strncmp(flag->value, "DIR", strlen("DIR")) == 0 ? FOLDERS : NOTHING;
}

static kind kind_of_args(const cli_verb *verb)
{
    switch (verb->arg) {
    case CLI_ARG_FOLDER:
        return FOLDERS;
    case CLI_ARG_OFFERED:
        return OFFERED;
    case CLI_ARG_INSTALLED:
        return INSTALLED;
    case CLI_ARG_WORDS:
        return WORDS;
    case CLI_ARG_NONE:
    case CLI_ARG_TEXT:
        break;
    }
    return NOTHING;
}

/* "json|yaml" → "json yaml" */
static void add_words(dv_buf *out, const char *words)
{
    for (; *words; words++)
        dv_buf_addc(out, *words == '|' ? ' ' : *words);
}

/* Of the one word that stands before others so far. */
static const char group_summary[] = "check and compare versions";

/* Is it the first verb with its first word? */
static bool is_first_of_group(size_t at)
{
    const char *space = strchr(cli_verbs[at].name, ' ');

    for (size_t i = 0; space && i < at; i++)
        if (strncmp(cli_verbs[i].name, cli_verbs[at].name,
                    (size_t)(space - cli_verbs[at].name) + 1) == 0)
            return false;
    return true;
}

static dv_str first_word(const cli_verb *verb)
{
    dv_str word;

    dv_str_cut(dv_str_of(verb->name), ' ', &word);
    return word;
}

static const char *second_word(const cli_verb *verb)
{
    const char *space = strchr(verb->name, ' ');

    return space ? space + 1 : NULL;
}

/* ---- bash ---- */

static void bash_action(dv_buf *out, kind what, const char *words)
{
    switch (what) {
    case WORDS:
        dv_buf_adds(out, "words='");
        add_words(out, words);
        dv_buf_addc(out, '\'');
        break;
    case FILES:
        dv_buf_adds(out, "action='file'");
        break;
    case FOLDERS:
        dv_buf_adds(out, "action='directory'");
        break;
    case OFFERED:
        dv_buf_adds(out, "words=$(davit search -o name 2>/dev/null)");
        break;
    case INSTALLED:
        dv_buf_adds(out, "words=$(davit tree -o name 2>/dev/null)");
        break;
    case NOTHING:
        dv_buf_adds(out, ":");
        break;
    }
}

static void bash_flag_value(dv_buf *out, const cli_verb *verb, const dv_flag *flag)
{
    dv_buf_addf(out, "        '%s --%s'", verb->name, flag->name);
    if (flag->short_name)
        dv_buf_addf(out, " | '%s -%c'", verb->name, flag->short_name);
    dv_buf_adds(out, ") ");
    bash_action(out, kind_of_flag(flag), flag->value);
    dv_buf_adds(out, " ;;\n");
}

static void bash_values(dv_buf *out)
{
    dv_buf_adds(out, "    case \"$verb $prev\" in\n");
    for (size_t v = 0; v < cli_n_verbs; v++)
        for (size_t i = 0; i < cli_verbs[v].n_flags; i++)
            if (cli_verbs[v].flags[i].value)
                bash_flag_value(out, &cli_verbs[v], &cli_verbs[v].flags[i]);
    dv_buf_adds(out, "        *) behind= ;;\n    esac\n");
}

static void bash_verb(dv_buf *out, const cli_verb *verb)
{
    dv_buf_addf(out, "        '%s')\n            flags='", verb->name);
    for (size_t i = 0; i < verb->n_flags; i++)
        dv_buf_addf(out, "%s--%s", i ? " " : "", verb->flags[i].name);
    dv_buf_adds(out, "'\n            [[ $cur == -* ]] || ");
    bash_action(out, kind_of_args(verb), verb->args);
    dv_buf_adds(out, " ;;\n");
}

static void bash_groups(dv_buf *out)
{
    dv_buf_adds(out, "        '') words='");
    for (size_t i = 0; i < cli_n_verbs; i++)
        if (is_first_of_group(i))
            dv_buf_addf(out, "%s%.*s", i ? " " : "", DV_FMT(first_word(&cli_verbs[i])));
    dv_buf_adds(out, " help' ;;\n");
    for (size_t i = 0; i < cli_n_verbs; i++) {
        if (!second_word(&cli_verbs[i]) || !is_first_of_group(i))
            continue;
        dv_auto_str group = dv_str_dup(first_word(&cli_verbs[i]));
        dv_buf_addf(out, "        '%s') words='", group);
        for (size_t k = i; k < cli_n_verbs; k++)
            if (cli_verb_in_group(&cli_verbs[k], group))
                dv_buf_addf(out, "%s%s", k > i ? " " : "", second_word(&cli_verbs[k]));
        dv_buf_adds(out, "' ;;\n");
    }
}

/* The words that make a verb of two: " semver ". */
static void bash_group_names(dv_buf *out)
{
    for (size_t i = 0; i < cli_n_verbs; i++)
        if (second_word(&cli_verbs[i]) && is_first_of_group(i))
            dv_buf_addf(out, " %.*s", DV_FMT(first_word(&cli_verbs[i])));
    dv_buf_addc(out, ' ');
}

static void add_bash(dv_buf *out)
{
    dv_buf_adds(out, "# bash completion of davit; source it, or put it where bash-completion looks "
                     "for \"davit\".\n"
                     "_davit() {\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    local verb='' words='' flags='' action='' behind=1 i\n"
                     "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                     "        [[ ${COMP_WORDS[i]} != -* ]] || continue\n"
                     "        if [ -z \"$verb\" ]; then verb=${COMP_WORDS[i]}; continue; fi\n"
                     "        [[ '");
    bash_group_names(out);
    dv_buf_adds(out, "' != *\" $verb \"* ]] || verb+=\" ${COMP_WORDS[i]}\"\n"
                     "        break\n"
                     "    done\n");
    bash_values(out);
    dv_buf_adds(out, "    [ -n \"$behind\" ] || case \"$verb\" in\n");
    bash_groups(out);
    for (size_t i = 0; i < cli_n_verbs; i++)
        bash_verb(out, &cli_verbs[i]);
    dv_buf_adds(out, "    esac\n"
                     "    [[ $cur != -* ]] || words=$flags\n"
                     "    if [ -n \"$action\" ]; then\n"
                     "        compopt -o filenames 2>/dev/null\n"
                     "        mapfile -t COMPREPLY < <(compgen -A \"$action\" -- \"$cur\")\n"
                     "    else\n"
                     "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                     "    fi\n"
                     "}\n"
                     "complete -F _davit davit kubectl-davit\n");
}

/* ---- kubectl, which asks a program "kubectl_complete-davit" with the words so far ---- */

static void add_kubectl(dv_buf *out)
{
    dv_buf_adds(out, "#!/usr/bin/env bash\n"
                     "# What kubectl offers behind \"kubectl davit\"; put it into the PATH as "
                     "\"kubectl_complete-davit\".\n");
    add_bash(out);
    dv_buf_adds(out, "COMP_WORDS=(davit \"$@\") COMP_CWORD=$#\n"
                     "_davit\n"
                     "[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' \"${COMPREPLY[@]}\"\n"
                     "printf ':4\\n' # no names of files\n");
}

/* ---- zsh ---- */

/* Within an _arguments specification, brackets and colons are its own. */
static void zsh_text(dv_buf *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("[]:\\", *text))
            dv_buf_addc(out, '\\');
        if (*text == '\'')
            dv_buf_adds(out, "'\\''");
        else
            dv_buf_addc(out, *text);
    }
}

static void zsh_action(dv_buf *out, kind what, const char *words)
{
    switch (what) {
    case WORDS:
        dv_buf_addc(out, '(');
        add_words(out, words);
        dv_buf_addc(out, ')');
        break;
    case FILES:
        dv_buf_adds(out, "_files");
        break;
    case FOLDERS:
        dv_buf_adds(out, "_files -/");
        break;
    case OFFERED:
        dv_buf_adds(out, "_davit_ask search");
        break;
    case INSTALLED:
        dv_buf_adds(out, "_davit_ask tree");
        break;
    case NOTHING:
        dv_buf_addc(out, ' ');
        break;
    }
}

static void zsh_flag(dv_buf *out, const dv_flag *flag)
{
    bool value = flag->value != NULL;

    if (flag->short_name)
        dv_buf_addf(out, "            '(-%c --%s)'{-%c%s,--%s%s}'[", flag->short_name, flag->name,
                    flag->short_name, value ? "+" : "", flag->name, value ? "=" : "");
    else
        dv_buf_addf(out, "            '--%s%s[", flag->name, value ? "=" : "");
    zsh_text(out, flag->help);
    dv_buf_addc(out, ']');
    if (value) {
        dv_buf_addc(out, ':');
        zsh_text(out, flag->name);
        dv_buf_addc(out, ':');
        zsh_action(out, kind_of_flag(flag), flag->value);
    }
    dv_buf_adds(out, "' \\\n");
}

static void zsh_verb(dv_buf *out, const cli_verb *verb)
{
    dv_buf_addf(out, "    '%s')\n        _arguments -s \\\n", verb->name);
    for (size_t i = 0; i < verb->n_flags; i++)
        zsh_flag(out, &verb->flags[i]);
    dv_buf_adds(out, "            '*: :");
    zsh_action(out, kind_of_args(verb), verb->args);
    dv_buf_adds(out, "' ;;\n");
}

static void zsh_row(dv_buf *out, dv_str name, const char *summary)
{
    dv_buf_addf(out, "        '%.*s:", DV_FMT(name));
    zsh_text(out, summary);
    dv_buf_adds(out, "'\n");
}

static void zsh_group(dv_buf *out, const char *group)
{
    dv_buf_addf(out, "    %s)\n        commands=(\n", group);
    for (size_t i = 0; i < cli_n_verbs; i++)
        if (cli_verb_in_group(&cli_verbs[i], group))
            zsh_row(out, dv_str_of(second_word(&cli_verbs[i])), cli_verbs[i].summary);
    dv_buf_adds(out,
                "        )\n"
                "        if ((CURRENT == 2)); then _describe command commands; return; fi\n"
                "        verb+=\" $words[2]\"\n        shift words\n        ((CURRENT--)) ;;\n");
}

static void zsh_commands(dv_buf *out)
{
    dv_buf_adds(out, "    commands=(\n");
    for (size_t i = 0; i < cli_n_verbs; i++) {
        if (!is_first_of_group(i))
            continue;
        zsh_row(out, first_word(&cli_verbs[i]),
                second_word(&cli_verbs[i]) ? group_summary : cli_verbs[i].summary);
    }
    dv_buf_adds(out, "    )\n");
}

static void add_zsh(dv_buf *out)
{
    dv_buf_adds(out, "#compdef davit kubectl-davit\n"
                     "# zsh completion of davit; put it as \"_davit\" into a folder of $fpath.\n"
                     "_davit_ask() {\n"
                     "    local -a names\n"
                     "    names=(${(f)\"$(davit $1 -o name 2>/dev/null)\"})\n"
                     "    compadd -a names\n"
                     "}\n"
                     "_davit() {\n"
                     "    local -a commands\n"
                     "    local verb=$words[2]\n");
    zsh_commands(out);
    dv_buf_adds(out, "    if ((CURRENT == 2)); then _describe command commands; return; fi\n"
                     "    shift words\n    ((CURRENT--))\n    case $verb in\n");
    for (size_t i = 0; i < cli_n_verbs; i++) {
        if (!second_word(&cli_verbs[i]) || !is_first_of_group(i))
            continue;
        dv_auto_str group = dv_str_dup(first_word(&cli_verbs[i]));
        zsh_group(out, group);
    }
    dv_buf_adds(out, "    esac\n    case $verb in\n");
    for (size_t i = 0; i < cli_n_verbs; i++)
        zsh_verb(out, &cli_verbs[i]);
    dv_buf_adds(out, "    esac\n}\n"
                     "if [ \"$funcstack[1]\" = _davit ]; then _davit \"$@\"; else compdef _davit "
                     "davit kubectl-davit; fi\n");
}

/* ---- fish ---- */

static void fish_action(dv_buf *out, kind what, const char *words)
{
    switch (what) {
    case WORDS:
        dv_buf_adds(out, " -x -a '");
        add_words(out, words);
        dv_buf_addc(out, '\'');
        break;
    case FILES:
        dv_buf_adds(out, " -r -F");
        break;
    case FOLDERS:
        dv_buf_adds(out, " -x -a '(__fish_complete_directories)'");
        break;
    case OFFERED:
        dv_buf_adds(out, " -x -a '(davit search -o name 2>/dev/null)'");
        break;
    case INSTALLED:
        dv_buf_adds(out, " -x -a '(davit tree -o name 2>/dev/null)'");
        break;
    case NOTHING:
        dv_buf_adds(out, " -x");
        break;
    }
}

/* In single quotes fish knows two escapes. */
static void fish_text(dv_buf *out, const char *text)
{
    dv_buf_adds(out, " -d '");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            dv_buf_addc(out, '\\');
        dv_buf_addc(out, *text);
    }
    dv_buf_adds(out, "'\n");
}

/* True where this verb was named; of two words, both. */
static void fish_condition(dv_buf *out, const cli_verb *verb)
{
    dv_buf_addf(out, "complete -c davit -n '__fish_seen_subcommand_from %.*s",
                DV_FMT(first_word(verb)));
    if (second_word(verb))
        dv_buf_addf(out, "; and __fish_seen_subcommand_from %s", second_word(verb));
    dv_buf_addc(out, '\'');
}

static void fish_flag(dv_buf *out, const cli_verb *verb, const dv_flag *flag)
{
    fish_condition(out, verb);
    if (flag->short_name)
        dv_buf_addf(out, " -s %c", flag->short_name);
    dv_buf_addf(out, " -l %s", flag->name);
    if (flag->value)
        fish_action(out, kind_of_flag(flag), flag->value);
    fish_text(out, flag->help);
}

static void fish_verb(dv_buf *out, const cli_verb *verb, bool first)
{
    const char *second = second_word(verb);

    if (first) {
        dv_buf_addf(out, "complete -c davit -n __fish_use_subcommand -a %.*s",
                    DV_FMT(first_word(verb)));
        fish_text(out, second ? group_summary : verb->summary);
    }
    if (second) {
        dv_buf_addf(out, "complete -c davit -n '__fish_seen_subcommand_from %.*s' -a %s",
                    DV_FMT(first_word(verb)), second);
        fish_text(out, verb->summary);
    }
    for (size_t i = 0; i < verb->n_flags; i++)
        fish_flag(out, verb, &verb->flags[i]);
    if (kind_of_args(verb) == NOTHING)
        return;
    fish_condition(out, verb);
    fish_action(out, kind_of_args(verb), verb->args);
    dv_buf_addc(out, '\n');
}

static void add_fish(dv_buf *out)
{
    dv_buf_adds(out, "# fish completion of davit; put it as \"davit.fish\" into "
                     "~/.config/fish/completions.\ncomplete -c davit -f\n");
    for (size_t i = 0; i < cli_n_verbs; i++)
        fish_verb(out, &cli_verbs[i], is_first_of_group(i));
}

/* ---- The verb ---- */

dv_err *cli_completion(const cli_call *call, cli_exit *ret_exit)
{
    static const struct {
        const char *shell;
        void (*add)(dv_buf *out);
    } shells[] = {
        {"bash", add_bash}, {"zsh", add_zsh}, {"fish", add_fish}, {"kubectl", add_kubectl}};
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    (void)ret_exit;
    for (size_t i = 0; i < DV_LEN(shells); i++) {
        if (strcmp(call->args[0], shells[i].shell) != 0)
            continue;
        shells[i].add(&out);
        return cli_print(dv_buf_str(&out));
    }
    return dv_err_new(DV_INVALID, CLI_BAD_USAGE, "\"%.64s\" is none of %s", call->args[0],
                      call->verb->args);
}
