#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs fuzz targets built by clang, one after another, each for FUZZ_SECONDS (60).
#
#   hack/fuzz.sh build/fuzz [NAME…]        after `make VARIANT=fuzz fuzz-programs`; or `make fuzz`. NAME: semver_version
#
# test/fuzz/corpus/NAME gives the seeds and test/fuzz/NAME.dict, when it is there, the words. What is found to be new grows in
# FOLDER/corpus/NAME, from run to run. An input that breaks a target stays in FOLDER/crashes/NAME: its path is printed on
# standard error and the exit status is 1. FUZZ_MERGE=1 adds to the seeds what reaches code that they do not, instead of looking.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

built=${1:?the folder of the fuzz build is missing}
shift
seconds=${FUZZ_SECONDS:-60}
readonly input_max=65536 input_seconds=20 memory_mib=2048
export ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

names=("$@")
if [ ${#names[@]} = 0 ]; then
    for source in test/fuzz/*_fuzz.c; do names+=("$(basename "$source" _fuzz.c)"); done
fi

# Prints what a run's log says: how much was tried, and what is covered now.
summary() {
    awk '/^#[0-9]+.*DONE/ { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1); sub("#", "", $1); runs = $1 }
        END { if (runs) printf "%d inputs, %d edges", runs, cov; else printf "ended early" }' "$1"
}

passed=0 failed=0
for name in "${names[@]}"; do
    program=$built/fuzz/${name}_fuzz seeds=test/fuzz/corpus/$name found=$built/corpus/$name crashes=$built/crashes/$name
    if [ ! -x "$program" ]; then
        printf 'fuzz: there is no %s\n' "$program" >&2
        failed=$((failed + 1))
        continue
    fi
    mkdir -p "$seeds" "$found" "$crashes"
    args=("-timeout=$input_seconds" "-rss_limit_mb=$memory_mib" "-max_len=$input_max" "-artifact_prefix=$crashes/")
    [ ! -e "test/fuzz/$name.dict" ] || args+=(-dict="test/fuzz/$name.dict")
    if [ -n "${FUZZ_MERGE:-}" ]; then
        "$program" -merge=1 "${args[@]}" "$seeds" "$found" 2>&1 | tail -n 1
        continue
    fi
    status=0
    # The limit is libFuzzer's own; the outer one is for a target that hangs where it does not look.
    timeout --kill-after=10 $((seconds + 120)) "$program" "${args[@]}" -max_total_time="$seconds" "$found" "$seeds" \
        >"$built/$name.log" 2>&1 || status=$?
    if [ $status = 0 ]; then
        passed=$((passed + 1))
        printf '  FUZZ    %s (%s)\n' "$name" "$(summary "$built/$name.log")"
    else
        failed=$((failed + 1))
        printf '  FAIL    %s (status %s)\n' "$name" "$status"
        grep -vE '^(#|INFO|Loaded|NEW)' "$built/$name.log" | tail -n 60 >&2 || true
        find "$crashes" -type f -newer "$program" -printf 'fuzz: broken by %p\n' >&2
    fi
done
[ -n "${FUZZ_MERGE:-}" ] || printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
