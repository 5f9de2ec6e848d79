/* SPDX-License-Identifier: Apache-2.0 */
/* The table. Whoever adds a row adds its runner in main.c, or in cluster/main.c. */
#include "verb.h"

#define FLAG(letter, text, kind, member, placeholder, sentence)                                    \
    {                                                                                              \
        .name = text, .type = kind, .offset = offsetof(cli_options, member), .value = placeholder, \
        .help = sentence, .short_name = letter                                                     \
    }
#define HELP_FLAG FLAG('h', "help", DV_FLAG_BOOL, help, NULL, "print this and exit")
#define OUTPUT_FLAG(words)                                                                         \
    FLAG('o', "output", DV_FLAG_STRING, output, words, "how the answer is printed")
#define CLUSTER_FLAGS                                                                              \
    FLAG(0, "kubeconfig", DV_FLAG_STRING, kubeconfig, "FILE",                                      \
         "instead of $KUBECONFIG and ~/.kube/config"),                                             \
        FLAG(0, "context", DV_FLAG_STRING, context, "NAME", "context of the kubeconfig"),          \
        FLAG(0, "operator-namespace", DV_FLAG_STRING, operator_ns, "NAME",                         \
             "where Davit runs, and what it installs as a dependency is"),                         \
        FLAG(0, "request-timeout", DV_FLAG_DURATION, timeout_ms, "DURATION",                       \
             "how long the whole may take")
#define SCOPE_FLAGS                                                                                \
    FLAG('n', "namespace", DV_FLAG_STRING, ns, "NAME", "only PackageManifests of this namespace"), \
        FLAG('A', "all-namespaces", DV_FLAG_BOOL, all_namespaces, NULL,                            \
             "those of all namespaces, as without --namespace")
#define NAMESPACE_FLAG                                                                             \
    FLAG('n', "namespace", DV_FLAG_STRING, ns, "NAME",                                             \
         "for which namespace: repositories may be closed to some")
#define REPOSITORY_FLAGS                                                                           \
    FLAG(0, "allow-cidr", DV_FLAG_STRINGS, allow_cidr, "CIDRS",                                    \
         "addresses that repositories may have although they are private or loopback"),            \
        FLAG(0, "allow-file-root", DV_FLAG_STRINGS, allow_file_root, "DIRS",                       \
             "folders below which file:// repositories may be"),                                   \
        FLAG(0, "cache-dir", DV_FLAG_STRING, cache_dir, "DIR",                                     \
             "where fetched files are kept; empty: nowhere")
#define FLAGS(table) .flags = table, .n_flags = DV_LEN(table)

static const dv_flag help_only[] = {HELP_FLAG};
static const dv_flag resolve_flags[] = {
    FLAG('f', "problem", DV_FLAG_STRING, problem, "FILE", "the problem; -: standard input"),
    HELP_FLAG,
};

static const dv_flag search_flags[] = {NAMESPACE_FLAG, OUTPUT_FLAG("json|yaml|name"), CLUSTER_FLAGS,
                                       REPOSITORY_FLAGS, HELP_FLAG};
static const dv_flag versions_flags[] = {
    NAMESPACE_FLAG,
    FLAG(0, "repository", DV_FLAG_STRING, repository, "NAME", "only what this repository has"),
    OUTPUT_FLAG("json|yaml|name"),
    CLUSTER_FLAGS,
    REPOSITORY_FLAGS,
    HELP_FLAG,
};
static const dv_flag tree_flags[] = {SCOPE_FLAGS, OUTPUT_FLAG("json|yaml|wide|name"), CLUSTER_FLAGS,
                                     HELP_FLAG};
static const dv_flag explain_flags[] = {SCOPE_FLAGS, OUTPUT_FLAG("json|yaml"), CLUSTER_FLAGS,
                                        REPOSITORY_FLAGS, HELP_FLAG};
static const dv_flag plan_flags[] = {
    FLAG('f', "filename", DV_FLAG_STRINGS, files, "FILES",
         "files or folders with PackageManifests; -: standard input"),
    FLAG('n', "namespace", DV_FLAG_STRING, ns, "NAME", "of PackageManifests that name none"),
    OUTPUT_FLAG("json|yaml|wide"),
    FLAG(0, "exit-code", DV_FLAG_BOOL, exit_code, NULL, "end with 5 if something would change"),
    CLUSTER_FLAGS,
    REPOSITORY_FLAGS,
    HELP_FLAG,
};
static const dv_flag lint_flags[] = {
    FLAG(0, "strict", DV_FLAG_BOOL, strict, NULL, "end with 1 for warnings, too"),
    OUTPUT_FLAG("json|yaml"),
    HELP_FLAG,
};
static const dv_flag manual_flags[] = {
    FLAG('o', "output", DV_FLAG_STRING, output, "roff|name",
         "a page, or the names of all commands"),
    HELP_FLAG,
};

#define CLUSTER_EXITS CLI_EXIT(CLI_NO) | CLI_EXIT(CLI_FAILED) | CLI_EXIT(CLI_FORBIDDEN)

const cli_verb cli_verbs[] = {
    {
        .name = "search",
        .args = "[WORD]",
        .most = 1,
        .arg = CLI_ARG_TEXT,
        .summary = "list the packages that repositories offer",
        .about =
            "Lists the packages that the cluster's PackageRepositories have for a namespace: all, "
            "or those with WORD in their name or description. Of several repositories that have a "
            "name, the one of the highest priority is shown, as it is the one that would be used.",
        .examples = "davit search ingress\tpackages that have to do with ingress\n"
                    "davit search -n team-a -o name\tthe names of all that team-a may install",
        .exits = CLUSTER_EXITS,
        FLAGS(search_flags),
    },
    {
        .name = "versions",
        .args = "PACKAGE",
        .least = 1,
        .most = 1,
        .arg = CLI_ARG_OFFERED,
        .summary = "list the versions of a package",
        .about = "Lists the versions of a package that a namespace can install, newest first, with "
                 "the repository of each, and which of them is installed.",
        .examples = "davit versions cert-manager\n"
                    "davit versions cert-manager -o name | head -n 1\tthe newest",
        .exits = CLUSTER_EXITS,
        FLAGS(versions_flags),
    },
    {
        .name = "plan",
        .args = "-f FILE...",
        .summary = "show what applying PackageManifests would do to the cluster",
        .about =
            "Shows which packages would be installed, moved and removed if these PackageManifests "
            "were applied, with all that they need, and which objects that would add, change and "
            "remove. It asks the cluster by dry run, with your own rights, and writes nothing. "
            "Values of Secrets are never shown.\n\n"
            "PackageRepositories in the files count as applied; other objects are left aside. With "
            "-o wide objects that are added are shown whole, and those that stay are named. The "
            "marks are + add, ~ change, - remove, o leave in the cluster, ! in the way, ? could "
            "not be compared, = the same.",
        .examples = "davit plan -f shop.yaml\n"
                    "davit plan -f packages/ -o json | jq '.packages[] | {package, from, to}'\n"
                    "davit plan -f shop.yaml --exit-code\tfor scripts: 5 if something would change",
        .exits = CLUSTER_EXITS | CLI_EXIT(CLI_CHANGES),
        FLAGS(plan_flags),
    },
    {
        .name = "explain",
        .args = "PACKAGE",
        .least = 1,
        .most = 1,
        .arg = CLI_ARG_INSTALLED,
        .summary = "say why a package has its version, or why it can't be had",
        .about =
            "Says of a package which version was wished and chosen, who needs it, what it needs, "
            "and what keeps newer versions out. Where nothing fits, all reasons are told in "
            "numbered sentences. A package that is not installed is looked at as if a "
            "PackageManifest of its name were applied to the namespace now.",
        .examples = "davit explain cert-manager\n"
                    "davit explain keptn -o json | jq -r '.packages[0].conflict.derivation'",
        .exits = CLUSTER_EXITS,
        FLAGS(explain_flags),
    },
    {
        .name = "tree",
        .args = "[PACKAGE]",
        .most = 1,
        .arg = CLI_ARG_INSTALLED,
        .summary = "show what is installed, and what needs what",
        .about = "Prints the packages that people applied, and below each what it needs, with the "
                 "installed versions. What stands in the tree a second time is not repeated: its "
                 "line ends with an arrow.",
        .examples = "davit tree\tall of the cluster\n"
                    "davit tree keptn -o wide\tone package, with ranges and PackageManifests",
        .exits = CLUSTER_EXITS,
        FLAGS(tree_flags),
    },
    {
        .name = "lint",
        .args = "DIR",
        .least = 1,
        .most = 1,
        .arg = CLI_ARG_FOLDER,
        .summary = "find what is wrong with a package repository",
        .about =
            "Looks at a repository on disk (a folder with index.yaml), at one package of it (with "
            "versions.yaml) or one version (with package.yaml), and tells each finding with file "
            "and line: what can't be read, fields of the wrong type or that nobody knows, texts "
            "that are no versions or ranges, files that are named and not there, manifests that "
            "are no Kubernetes objects, versions and packages that no list names, and, in a "
            "repository, dependencies that no version satisfies and versions that can't be "
            "installed whatever is chosen.\n\n"
            "It fetches nothing: manifests and charts behind absolute URLs are not looked at.",
        .examples = "davit lint packages/\n"
                    "davit lint packages/shop\tone package\n"
                    "davit lint packages/ -o json | jq -r '.findings[].rule' | sort | uniq -c",
        .exits = CLI_EXIT(CLI_NO) | CLI_EXIT(CLI_FAILED),
        FLAGS(lint_flags),
    },
    {
        .name = "resolve",
        .args = "--problem FILE",
        .summary = "solve a dependency problem from a file",
        .about =
            "Reads a JSON file with packages, their versions and dependencies, and what is asked "
            "for; prints one version for each package that is needed as {\"solution\": {…}}, or "
            "{\"conflict\": \"…\"} with the reasons why there is none, in numbered sentences.\n\n"
            "The same file gives the same answer, byte for byte.",
        .examples = "davit resolve --problem problem.json | jq -r .conflict\twhy nothing fits",
        .exits = CLI_EXIT(CLI_NO) | CLI_EXIT(CLI_FAILED),
        FLAGS(resolve_flags),
    },
    {
        .name = "semver check",
        .summary = "say whether versions satisfy constraints",
        .about =
            "Reads lines of a constraint, a tab and a version; prints true, false or error for "
            "each. Versions and constraints are those of package ranges: ^1.2, ~2.7, >=1 <2, 1.x, "
            "1.0 - 2.0, and || between alternatives.",
        .examples = "printf '^1.2\\t1.9.0\\n' | davit semver check\tprints true",
        .exits = CLI_EXIT(CLI_FAILED),
        FLAGS(help_only),
    },
    {
        .name = "semver compare",
        .summary = "say which of two versions is newer",
        .about = "Reads lines of two versions with a tab between; prints -1, 0, 1 or error for "
                 "each. Build metadata, which is digits, breaks ties: 2.7.0+1 is older than "
                 "2.7.0+2.",
        .examples = "printf '2.7.0+1\\t2.7.0+2\\n' | davit semver compare\tprints -1",
        .exits = CLI_EXIT(CLI_FAILED),
        FLAGS(help_only),
    },
    {
        .name = "completion",
        .args = "bash|zsh|fish|kubectl",
        .least = 1,
        .most = 1,
        .arg = CLI_ARG_WORDS,
        .summary = "print the completion script of a shell",
        .about = "Prints the script that completes davit's commands, flags and packages; for "
                 "kubectl, the "
                 "program that it asks for what follows \"kubectl davit\".",
        .examples =
            "source <(davit completion bash)\tin ~/.bashrc\n"
            "davit completion zsh >~/.zfunc/_davit\n"
            "davit completion fish >~/.config/fish/completions/davit.fish\n"
            "davit completion kubectl >~/bin/kubectl_complete-davit\tand make it executable",
        .exits = CLI_EXIT(CLI_FAILED),
        FLAGS(help_only),
    },
    {
        .name = "manual",
        .args = "[COMMAND]",
        .most = 2,
        .arg = CLI_ARG_TEXT,
        .summary = "print a manual page",
        .about = "Prints the manual page of davit, or of one of its commands, in the form that man "
                 "reads.",
        .examples = "davit manual tree | man -l -",
        .exits = CLI_EXIT(CLI_FAILED),
        FLAGS(manual_flags),
    },
};
const size_t cli_n_verbs = DV_LEN(cli_verbs);

const char cli_about[] =
    "davit shows what is installed in a Kubernetes cluster by Davit and why, what applying a "
    "PackageManifest would do, and what is wrong with a package repository. It writes nothing to "
    "the "
    "cluster. As kubectl-davit in the PATH it is also a plug-in of kubectl.\n\n"
    "Answers go to standard output, errors to standard error as sentences. Most commands print "
    "JSON "
    "or YAML with -o json or -o yaml.";

const struct cli_variable cli_environment[] = {
    {"KUBECONFIG", "kubeconfig files, with colons between, where --kubeconfig is not given"},
    {"NO_COLOR", "set and not empty: no colours; there are none either where the output is no "
                 "terminal"},
    {"XDG_CACHE_HOME", "in its folder davit/repositories fetched files are kept; ~/.cache where it "
                       "is not set"},
};
const size_t cli_n_environment = DV_LEN(cli_environment);

cli_options cli_options_default(void)
{
    return (cli_options){
        .output = "",
        .operator_ns = "davit-system",
        .timeout_ms = 2 * 60 * 1000,
    };
}

void cli_options_done(cli_options *options)
{
    dv_strings_done(&options->files);
    dv_strings_done(&options->allow_cidr);
    dv_strings_done(&options->allow_file_root);
}

unsigned cli_verb_exits(const cli_verb *verb)
{
    return CLI_EXIT(CLI_OK) | CLI_EXIT(CLI_USAGE) | verb->exits;
}
