#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What takes too long for every change: all variants, valgrind, the whole fault sweep, fuzzing, both compilers, benchmarks.
#
#   hack/nightly.sh [build]
#
# Every part is run, also after one has failed. FUZZ_SECONDS (600) is the time for each fuzz target; SEED is drawn, and printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${1:-build}
export FUZZ_SECONDS=${FUZZ_SECONDS:-600} SEED=${SEED:-$RANDOM}
failed=()

part() {
    local began=$SECONDS status=0
    printf '\n==> %s\n' "$*"
    "$@" || status=$?
    printf '==> %s: %s after %s s\n' "$*" "$([ $status = 0 ] && printf 'well' || printf 'FAILED')" $((SECONDS - began))
    [ $status = 0 ] || failed+=("$*")
}

printf 'nightly: SEED=%s\n' "$SEED"
hack/deps.sh test
part make O="$out" test
part make O="$out" lint
part make O="$out/clang" CC=clang check
for variant in debug asan tsan; do part make O="$out" VARIANT=$variant check; done
part make O="$out" valgrind
part make O="$out" COVERAGE_MIN="${COVERAGE_MIN:-85}" coverage
part make O="$out" VARIANT=asan integration
part make O="$out" fuzz
part make O="$out" sweep
part make O="$out" bench

[ ${#failed[@]} = 0 ] || printf '\nfailed: %s\n' "${failed[@]}"
[ ${#failed[@]} = 0 ]
