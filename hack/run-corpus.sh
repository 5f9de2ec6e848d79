#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Replays each fuzz target's saved inputs.
set -u
failed=0
for program in "$@"; do
    name=$(basename "$program" _fuzz)
    mapfile -d '' files < <(find "test/fuzz/corpus/$name" -type f -print0 2>/dev/null)
    if [ ${#files[@]} -eq 0 ]; then
        printf '  FAIL    %s has no corpus\n' "$name"
        failed=1
    elif "$program" "${files[@]}"; then
        printf '  REPLAY  %s (%d inputs)\n' "$name" "${#files[@]}"
    else
        printf '  FAIL    %s\n' "$name"
        failed=1
    fi
done
exit "$failed"
