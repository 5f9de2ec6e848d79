#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Compares templates with Go's: test/gotemplate/oracle makes them from a seed and prints what Go's text/template and Helm's
# functions give, build/…/gotemplate-replay must print the same. Without a Go that is new enough it is skipped.
#
#   hack/differential.sh REPLAY-PROGRAM        COUNT=n (50000 calls, and a fifth of that of whole templates), SEED=n
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
replay=$(realpath "${1:?}")
count=${COUNT:-50000}
seed=${SEED:-$(date +%s)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! go=$(hack/deps.sh go); then
    echo "differential: skipped: no Go"
    exit 0
fi
(cd test/gotemplate && GOWORK=off "$go" build -o "$work/oracle" ./oracle)
failed=0 passed=0
compare() { # what, then the oracle's arguments
    local what=$1 line
    shift
    printf 'differential: %s, seed %s\n' "$what" "$seed"
    "$work/oracle" -seed "$seed" "$@" 2>/dev/null >"$work/cases"
    "$replay" <"$work/cases" >"$work/said" || true
    line=$(tail -n 1 "$work/said")
    [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || line='0 passed, 1 failed'
    sed '$d' "$work/said"
    read -r p _ f _ <<<"$line"
    passed=$((passed + p)) failed=$((failed + f))
}
compare "calls of functions" -kind helm -calls -count "$count"
compare "templates with Helm's functions" -kind helm -count $((count / 5))
compare "templates of the language alone" -kind text -count $((count / 5))
printf 'differential: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
