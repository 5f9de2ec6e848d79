#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints docs/api.md: every field of every kind, from crds/*.yaml. It reads the form in which those files are written (block
# style, two spaces, folded texts), nothing more general.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cat <<'END'
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made from crds/ by "make manifests". -->

# The API

Group `davit.dev`, version `v1alpha1`. `kubectl explain packagemanifest.spec` shows the same in a cluster. What the words mean is in
[concepts.md](concepts.md).
END

awk '
# The text of a scalar without its quotes.
function plain(text) {
    if (text ~ /^".*"$/ || text ~ /^\x27.*\x27$/) text = substr(text, 2, length(text) - 2)
    return text
}
# Where a schema node stands, as a person writes it: spec.values.<name>.value, status.conditions[].type
function field_of(path) {
    sub(/^spec\.versions\.schema\.openAPIV3Schema/, "", path)
    gsub(/\.properties\./, ".", path)
    gsub(/\.items/, "[]", path)
    gsub(/\.additionalProperties/, ".<name>", path)
    sub(/^\./, "", path)
    return path
}
function forget() {
    split("", fields); split("", type); split("", text); split("", given); split("", choice); split("", rules)
    split("", at); split("", column); split("", needed); split("", list_type)
    count = columns = 0
}
function path_of(indent,    i, path) {
    for (i = 0; i <= indent; i++) if (i in at) path = path (path == "" ? "" : ".") at[i]
    return path
}
function escape(text) {
    gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/\|/, "\\|", text)
    return text
}
function take(path, key, value,    field) {
    if (path ~ /^spec\.names$/) name[key] = value
    if (path == "spec" && key == "scope") scope = value
    if (path ~ /\.additionalPrinterColumns$/) {
        if (key == "name") column[++columns] = value
        return
    }
    if (path !~ /openAPIV3Schema/) return
    field = field_of(path)
    if (path ~ /x-kubernetes-validations$/) {
        sub(/\.?x-kubernetes-validations$/, "", field)
        if (key == "message") rules[field] = rules[field] (rules[field] == "" ? "" : "; ") value
        return
    }
    if (key == "type") {
        if (!(field in type)) fields[++count] = field
        type[field] = value
    }
    if (key == "description") text[field] = value
    if (key == "default") given[field] = value
    if (key == "enum") choice[field] = value
    if (key == "required") needed[field] = value
}
function kind_of(field,    item) {
    item = field "[]"
    if (type[field] == "array") return "list of " (type[item] == "" ? "object" : type[item])
    if (type[field] == "object" && (field ".<name>") in type) return "map of " type[field ".<name>"]
    return type[field]
}
function is_needed(field,    parent, last, words, n, i) {
    if (field !~ /\./) return 0
    parent = last = field
    sub(/\.[^.]*$/, "", parent); sub(/^.*\./, "", last)
    words = needed[parent]
    gsub(/[][ ]/, "", words)
    n = split(words, word, ",")
    for (i = 1; i <= n; i++) if (word[i] == last) return 1
    return 0
}
function print_table(part, title,    i, field, notes) {
    printf "\n### %s\n\n| field | type | meaning |\n|---|---|---|\n", title
    for (i = 1; i <= count; i++) {
        field = fields[i]
        if (index(field, part ".") != 1 || field ~ /(\[\]|<name>)$/) continue
        notes = ""
        if (is_needed(field)) notes = notes " Required."
        gsub(/[][]/, "", choice[field])
        if (choice[field] != "") notes = notes " One of " choice[field] "."
        if (given[field] != "" && given[field] != "{}") notes = notes " Default: `" given[field] "`."
        if (rules[field] != "") notes = notes " Rule: " rules[field] "."
        if (rules[field ".<name>"] != "") notes = notes " Rule: " rules[field ".<name>"] "."
        if (rules[field "[]"] != "") notes = notes " Rule: " rules[field "[]"] "."
        printf "| `%s` | %s | %s |\n", substr(field, length(part) + 2), kind_of(field), escape(text[field] notes)
    }
    if (rules[part] != "") printf "\nRules: %s.\n", escape(rules[part])
}
function finish(    i, list) {
    if (name["kind"] == "") return
    printf "\n## %s\n\n%s %s Short name `%s`.\n", name["kind"], text[""], (scope == "Cluster" ? "One for the cluster." : "In a namespace."), short_name()
    for (i = 1; i <= columns; i++) list = list (i == 1 ? "" : ", ") column[i]
    printf "\nColumns of `kubectl get -o wide`: %s.\n", list
    if (rules[""] != "") printf "\nRules: %s.\n", escape(rules[""])
    print_table("spec", "spec")
    print_table("status", "status")
}
function short_name(    s) { s = name["shortNames"]; gsub(/[][]/, "", s); return s }

FNR == 1 { finish(); forget() }
/^ *#/ || /^ *$/ { next }
{
    match($0, /^ */)
    indent = RLENGTH
    line = substr($0, indent + 1)
}
# The rest of a folded text.
folding && indent > fold_indent { folded = folded (folded == "" ? "" : " ") line; next }
folding { folding = 0; take(fold_path, fold_key, folded) }
{
    while (line ~ /^- /) { line = substr(line, 3); for (i in at) if (i + 0 > indent) delete at[i]; indent += 2 }
    if (!match(line, /^[^ :"]+:( |$)/)) next
    key = plain(substr(line, 1, RLENGTH - (line ~ /^[^ :"]+: / ? 2 : 1)))
    value = plain(substr(line, RLENGTH + 1))
    for (i in at) if (i + 0 >= indent) delete at[i]
    path = path_of(indent - 1)
    at[indent] = key
    if (value == ">-") { folding = 1; fold_indent = indent; fold_path = path; fold_key = key; folded = "" }
    else if (value != "") take(path, key, value)
}
END { if (folding) take(fold_path, fold_key, folded); finish() }
' crds/*.yaml
