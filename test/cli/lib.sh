# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the command line without a cluster stand on. A file sources this, runs checks and ends with `finish`.
# Each check runs $DAVIT once; $work is a folder that ends with the file.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root
DAVIT=${DAVIT:-$root/build/release/bin/davit}
passed=0 failed=0 skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/davit-cli.XXXXXX")
trap 'rm -rf "$work"' EXIT

davit() { "$DAVIT" "$@"; }

# ok NAME CONDITION…: counts the condition.
ok() {
    local name=$1
    shift
    if "$@" >"$work/check" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '  FAIL    %s\n' "$name"
        sed 's/^/          /' "$work/check"
        printf '          status %s\n' "$status"
        head -n 20 "$work/out" "$work/err" | sed 's/^/          /'
    fi
}
skip() {
    skipped=$((skipped + 1))
    printf '  SKIP    %s\n' "$*"
}

# run ARG…: davit with these arguments and our standard input. Sets $status, $out and $err.
run() {
    status=0
    timeout 60 "$DAVIT" "$@" >"$work/out" 2>"$work/err" || status=$?
    out=$(cat "$work/out") err=$(cat "$work/err")
}

# says NAME STATUS OUT ERR: of what was run last, each text a regular expression; empty: nothing was said.
says() { ok "$1" said "$2" "$3" "$4"; }
said() {
    [ "$status" = "$1" ] || { printf 'status %s expected\n' "$1"; return 1; }
    matches "$out" "$2" && matches "$err" "$3"
}
matches() {
    if [ -z "$2" ]; then [ -z "$1" ]; else [[ $1 =~ $2 ]]; fi || { printf 'expected: %s\n' "${2:-nothing}"; return 1; }
}
# same NAME EXPECTED: the output of what was run last.
same() { ok "$1" equal "$2" "$out"; }
equal() { [ "$1" = "$2" ] || { printf 'expected: %s\nhave:     %s\n' "$1" "$2"; return 1; }; }

finish() {
    printf '  %s    %s (%s)\n' "$([ "$failed" = 0 ] && echo PASS || echo FAIL)" "$(basename "$0" .sh)" "$passed"
    printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
