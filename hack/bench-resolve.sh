#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures constraints against the Go library that they follow, and the solver against the Rust crates pubgrub and resolvo, as whole
# processes on the same lines and files, in turn. What is missing (Go, cargo) is skipped with a sentence.
#
#   hack/bench-resolve.sh [N…]     problems of so many packages: 100 1000 10000
#   hack/bench-resolve.sh report   writes the section again, from the figures of the last run
#
#   BENCH_FAMILIES="easy conflict unsat unsat-hard deep deep-unsat"
#   BENCH_ROUNDS=3                 of each up to 1000 packages; one of more
#   BENCH_LIMIT=60                 seconds for each process; BENCH_MIB=8192 its memory, as by ulimit -v
#   BENCH_LINES=400000             lines for the constraints
#   BENCH_SEED=1                   of lines and problems
#   BENCH_REPORT=docs/benchmarks.md    "-" prints the section; BENCH_OUT=build/bench has the figures (resolve.jsonl)
#   DAVIT, BENCH_PROGRAMS          davit, and the folder of problem and measure (make gives both)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
readonly davit=${DAVIT:-$root/build/release/bin/davit} programs=${BENCH_PROGRAMS:-$root/build/release/bench}
readonly out=${BENCH_OUT:-$root/build/bench} report=${BENCH_REPORT:-docs/benchmarks.md}
readonly rounds=${BENCH_ROUNDS:-3} limit=${BENCH_LIMIT:-60} mib=${BENCH_MIB:-8192} lines=${BENCH_LINES:-400000} seed=${BENCH_SEED:-1}
readonly results=$out/resolve.jsonl
read -ra families <<<"${BENCH_FAMILIES:-easy conflict unsat unsat-hard deep deep-unsat}"

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "bench-resolve: $*"
    exit 1
}

# note JSON-OBJECT: adds what measure printed to the results, with this object's members.
# shellcheck disable=SC2016  # jq's variable
note() { jq -c --argjson with "$1" '$with + .' >>"$results"; }

# measure NAME ROUND PROBLEM N COMMAND…
measure() {
    local name=$1 round=$2 problem=$3 n=$4
    shift 4
    "$programs/measure" "$limit" "$mib" "$work/answer" "$@" 2>/dev/null |
        note "{\"kind\": \"solve\", \"who\": \"$name\", \"round\": $round, \"family\": \"$problem\", \"n\": $n}"
}

build_peers() {
    if ! command -v cargo >/dev/null; then
        say "bench-resolve: skipped: pubgrub and resolvo: there is no cargo"
        return
    fi
    (cd test/bench/resolve/peers && CARGO_TARGET_DIR="$out/peers" cargo build --release --locked >&2) || fail "the peers can't be built"
    peers=(pubgrub resolvo)
}

measure_problems() {
    local family n round times peer
    for n in "${sizes[@]}"; do
        for family in "${families[@]}"; do
            "$programs/problem" "$family" "$n" "$seed" >"$work/problem.json"
            times=$rounds
            [ "$n" -le 1000 ] || times=1
            for round in $(seq "$times"); do
                measure version "$round" "$family" "$n" "$davit" --version
                measure davit "$round" "$family" "$n" "$davit" resolve --problem "$work/problem.json"
                [ "$round" != 1 ] || cp "$work/answer" "$out/$family-$n.answer"
                for peer in "${peers[@]}"; do measure "$peer" "$round" "$family" "$n" "$out/peers/release/$peer" "$work/problem.json"; done
            done
            say "  $family-$n"
        done
    done
}

measure_constraints() {
    local go tool=$out/semverdiff round
    go=$(hack/deps.sh go) || {
        say "bench-resolve: skipped: the Go library: there is no Go"
        return
    }
    (cd test/semverdiff && GOWORK=off CGO_ENABLED=0 "$go" build -trimpath -buildvcs=false -o "$tool" .)
    "$tool" lines --seed "$seed" --pairs "$lines" check >"$work/lines"
    for round in $(seq "$rounds"); do
        # shellcheck disable=SC2016  # the inner shell expands it
        "$programs/measure" "$limit" "$mib" "$work/ours" bash -c 'exec "$0" semver check <"$1"' "$davit" "$work/lines" |
            note "{\"kind\": \"check\", \"who\": \"davit\", \"lines\": $lines}"
        # shellcheck disable=SC2016
        "$programs/measure" "$limit" "$mib" "$work/theirs" bash -c 'exec "$0" answer check <"$1"' "$tool" "$work/lines" |
            note "{\"kind\": \"check\", \"who\": \"library\", \"lines\": $lines}"
        cmp -s "$work/ours" "$work/theirs" || fail "davit and the library answer otherwise: seed $seed"
    done
}

write_report() {
    local text
    [ -s "$results" ] || fail "there are no figures in $out"
    text=$(jq -sr -f test/bench/resolve/report.jq "$results")
    if [ "$report" = - ]; then printf '%s\n' "$text"; else hack/bench-section.sh resolve "$report" <<<"$text"; fi
}

sizes=(100 1000 10000) peers=()
if [ "${1:-}" = report ]; then
    write_report
    exit
fi
[ $# = 0 ] || sizes=("$@")
for n in "${sizes[@]}"; do [[ $n =~ ^[1-9][0-9]{2,5}$ ]] || fail "'$n' is no number of packages from 100 on"; done
mkdir -p "$out"
work=$(mktemp -d "${TMPDIR:-/tmp}/davit-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
jq -nc --arg date "$(date -u +%F)" --arg cores "$(nproc)" --arg version "$("$davit" --version)" --arg limit "$limit" --arg mib "$mib" \
    --arg seed "$seed" '{kind: "about", date: $date, cores: $cores, version: $version, limit: $limit, mib: $mib, seed: $seed}' >"$results"
build_peers
measure_constraints
measure_problems
write_report
