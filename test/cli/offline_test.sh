#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# davit itself: help, usage errors, semver, resolve.
# shellcheck source=test/cli/lib.sh
source "$(dirname "$0")/lib.sh"

not_said() { [ -z "$1" ] || { printf '%s\n' "$1"; return 1; }; }

#
# The command line
#

run --version
says 'the version' 0 '^davit [^ ]+$' ''
run
says 'without a word davit tells what it can' 0 'Commands:.*resolve' ''
run --help
says 'help' 0 'Commands:.*semver check.*Exit status:' ''
run help resolve
says 'help of a command' 0 '^Usage: davit resolve --problem FILE' ''
run resolve --help
says 'help as a flag' 0 '^Usage: davit resolve --problem FILE' ''
run semver check -h
says 'help of a command of two words' 0 '^Usage: davit semver check' ''
run $'\e[31mresolve'
says 'control characters of outsiders do not reach a terminal' 2 '' '^davit: unknown command "\?\[31mresolve"'
run reslove
says 'an unknown command' 2 '' 'unknown command "reslove", did you mean "resolve"'
run semver
says 'half a command' 2 '' 'say "semver check" or "semver compare"'
run resolve --porblem x
says 'an unknown flag' 2 '' 'unknown flag --porblem, did you mean --problem'
run resolve extra --problem x
says 'an argument too many' 2 '' 'unexpected argument "extra"'

#
# semver
#

lines() { printf '%b' "$1" >"$work/lines"; }
answers() { # NAME VERB LINES ANSWERS
    lines "$3"
    run semver "$2" <"$work/lines"
    same "$1" "$(printf '%b' "$4")"
}
answers 'constraints are checked' check '^1.2\t1.9.0\n^1.2\t2.0.0\n' 'true\nfalse'
answers 'what can not be read is an error, and the next line goes on' check '>=1<2\t1\nno tab\n\n*\t1' 'error\nerror\nerror\ntrue'
answers 'a carriage return belongs to the line' check '*\t1\r\n' 'error'
answers 'the first tab separates' check '*\t1\t\n' 'error'
answers 'builds never change a check' check '>2.7.0\t2.7.0+1\n=2.7.0\t2.7.0+1\n' 'false\ntrue'
answers 'NUL is a byte like others' check '*\0\t1\n*\t1\n' 'error\ntrue'
answers 'builds break ties' compare '2.7.0+1\t2.7.0+2\n2.7.0\t2.7.0+0\nv2.7\t2.7.0\n2.7.0+a\t1\n' '-1\n-1\n0\nerror'
answers 'nothing in, nothing out' compare '' ''
{
    head -c 200000 /dev/zero | tr '\0' '1'
    printf '\t1\n^1\t1.5\n'
} >"$work/lines"
run semver check <"$work/lines"
same 'a line of any length is answered once' $'error\ntrue'
for _ in $(seq 20000); do printf '^1\t1.2.3\n'; done >"$work/lines"
run semver check <"$work/lines"
ok 'many lines, an answer each' equal 20000 "$(grep -c true "$work/out")"

#
# resolve
#

for problem in "$root"/test/data/resolve/*.json; do
    run resolve --problem "$problem"
    case $problem in
        */12-* | */14-*) says "$(basename "$problem")" 1 '^\{"conflict":"1\. .*\}$' '' ;;
        *) says "$(basename "$problem")" 0 '^\{"solution":\{.*\}\}$' '' ;;
    esac
done
run resolve --problem - <"$root/test/data/resolve/01-newest-clash.json"
same 'standard input' '{"solution":{"api":"1.0.0+1","cache":"1.4.0+1","web":"1.0.0+1"}}'
run resolve
says 'no problem is a usage error' 2 '' '--problem FILE is missing'
run resolve --problem "$work/none"
says 'an absent file' 2 '' 'No such file'
printf '{' >"$work/half"
run resolve --problem "$work/half"
says 'half a file' 2 '' 'line 1'

#
# What is printed from the table
#

run manual -o name
commands=$out
while read -r command; do
    # shellcheck disable=SC2086  # a command of two words
    run help $command
    says "help of $command" 0 "^Usage: davit $command" ''
    # shellcheck disable=SC2086
    run manual $command
    says "manual of $command" 0 "^\.TH DAVIT-.* 1 " ''
    ok "manual of $command: options" grep -q '^\\fB-h\\fR\|\\fB\\-h\\fR' "$work/out"
done <<<"$commands"
run manual
for command in $commands; do [ "$command" = check ] || [ "$command" = compare ] || ok "the overview names $command" grep -q "$command" "$work/out"; done
run manual nothing
says 'a manual of nothing' 2 '' 'there is no command "nothing"'
if command -v mandoc >/dev/null; then
    run manual plan
    ok 'a manual page is well formed' not_said "$(mandoc -T lint -W error "$work/out" 2>&1)"
fi
run completion tcsh
says 'another shell' 2 '' '"tcsh" is none of bash.zsh.fish.kubectl'

# docs/cli.md names all of it.
for command in $commands; do ok "docs/cli.md names $command" grep -q "davit.* $command" "$root/docs/cli.md"; done
run --help
while read -r code text; do ok "docs/cli.md has exit status $code" grep -qF "| $code | $text |" "$root/docs/cli.md"; done \
    < <(sed -n '/^Exit status:/,$p' "$work/out" | tail -n +2)

# completes EXPECTED WORD…: what bash offers for the last word.
completes() {
    local want=$1
    shift
    # shellcheck disable=SC2016  # the inner shell expands it
    out=$(bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _davit; printf "%s " "${COMPREPLY[@]}"' \
        complete "$work/bash" "$@" 2>&1)
    same "bash completes: $*" "$want "
}
"$DAVIT" completion bash >"$work/bash"
completes 'search semver' davit se
completes 'check compare' davit semver ''
completes '--help' davit semver check -
completes 'json yaml wide name' davit tree -o ''
completes 'bash zsh fish kubectl' davit completion ''
completes '--problem --help' davit resolve --
"$DAVIT" completion kubectl >"$work/kubectl"
out=$(bash "$work/kubectl" semver '')
same 'kubectl is answered' $'check\ncompare\n:4'
for shell in zsh fish; do
    "$DAVIT" completion $shell >"$work/$shell"
    if command -v $shell >/dev/null; then
        ok "$shell reads its script" $shell -n "$work/$shell"
    else
        skip "the script for $shell is not read: there is no $shell"
    fi
done

# The other program is found beside this one, and where make install puts it.
mkdir -p "$work/usr/bin" "$work/usr/libexec/davit"
cp "$DAVIT" "$work/usr/bin/davit"
ln -s davit "$work/usr/bin/kubectl-davit"
DAVIT=$work/usr/bin/kubectl-davit
run tree
says 'without davit-cluster, its commands say what is missing' 3 '' 'davit-cluster, which belongs to davit'
printf '#!/bin/sh\nprintf "%%s" "$*"\n' >"$work/usr/libexec/davit/davit-cluster"
chmod +x "$work/usr/libexec/davit/davit-cluster"
run -n team tree shop
same 'davit-cluster gets all that was said' '-n team tree shop'
run semver compare <<<$'1\t2'
same 'kubectl-davit is davit' -1

finish
