#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Replays each fuzz target's saved inputs; ends with the totals.
set -u
passed=0 failed=0
for program in "$@"; do
    name=$(basename "$program" _fuzz)
    mapfile -d '' files < <(find "test/fuzz/corpus/$name" -type f -print0 2>/dev/null)
    if [ ${#files[@]} -eq 0 ]; then
        printf '  FAIL    %s has no corpus\n' "$name"
        failed=$((failed + 1))
    elif timeout "${TEST_TIMEOUT:-300}" "$program" "${files[@]}"; then
        printf '  REPLAY  %s (%d inputs)\n' "$name" "${#files[@]}"
        passed=$((passed + 1))
    else
        printf '  FAIL    %s (status %d)\n' "$name" $?
        failed=$((failed + 1))
    fi
done
printf 'corpora: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
