#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs test programs one after another; prints what failed whole and ends with the totals.
set -u
export ASAN_OPTIONS="handle_segv=2:handle_sigbus=2:handle_sigfpe=2:detect_leaks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"

passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for program in "$@"; do
    # shellcheck disable=SC2086  # the wrapper is words
    timeout "${TEST_TIMEOUT:-300}" ${TEST_WRAPPER:-} "$program" >"$out" 2>&1
    status=$?
    ok=$(grep -c '^\[       OK \]' "$out")
    # The names come twice: as they fail, and in the list at the end.
    bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s), listed below:$/\1/p' "$out")
    skip=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s), listed below:$/\1/p' "$out")
    bad=${bad:-0} skip=${skip:-0}
    [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
    if [ "$status" -ne 0 ]; then
        printf '  FAIL    %s (status %d)\n' "$(basename "$program")" "$status"
        grep -v '^\[\( RUN  \|       OK\)' "$out" | tail -n 200
    else
        printf '  PASS    %s (%d)\n' "$(basename "$program")" "$ok"
    fi
    # What a test prints before it skips is the reason.
    sed -n "s/^\[  SKIPPED \] \([^0-9].*\)/  SKIP    $(basename "$program"): \1/p" "$out" | sort -u
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
