#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the integration tests: each file of test/integration/ on a cluster of its own, two files at once.
#
#   hack/integration.sh [FILE…]        all, or these (install, fault_test.sh, test/integration/…)
#   JOBS=1  BIN=build/asan/bin/davit-controller  ONLY='upgrade*'  hack/integration.sh install
#   SEED=7 hack/integration.sh sweep                           the faults that this seed draws
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=${JOBS:-2}
limit=${FILE_LIMIT:-1500} # seconds for one file
export DAVIT_BIN=${BIN:-$PWD/build/release/bin/davit-controller}
[[ $DAVIT_BIN == /* ]] || DAVIT_BIN=$PWD/$DAVIT_BIN

die() {
    printf 'integration: %s\n' "$*" >&2
    exit 1
}
[ -x "$DAVIT_BIN" ] || die "there is no operator at $DAVIT_BIN: run make first"

files=()
for name in "$@"; do
    name=$(basename "$name" .sh)
    files+=("test/integration/${name%_test}_test.sh")
done
# The longest first.
[ $# -gt 0 ] || files=(test/integration/{fault,ownership,sweep,repository,install,badinput,leader,dependencies,tenant,deploy,corpus,goaway,crd}_test.sh)
for file in "${files[@]}"; do [ -e "$file" ] || die "there is no $file"; done
for file in test/integration/*_test.sh; do
    [ $# -gt 0 ] || [[ " ${files[*]} " == *" $file "* ]] || files+=("$file")
done

hack/devcluster build
work=$(mktemp -d "${TMPDIR:-/tmp}/davit-integration.XXXXXX")
running=()
stop() {
    local pid
    for pid in "${running[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# A file's output comes as one piece when it has ended; its progress is one line.
run_file() {
    local file=$1 name status=0
    name=$(basename "$file" _test.sh)
    timeout --foreground --kill-after=30 "$limit" bash "$file" >"$work/$name.out" 2>&1 || status=$?
    [ $status != 124 ] || printf '# %s: not finished after %s s\n' "$name" "$limit" >>"$work/$name.out"
    printf '%s' "$status" >"$work/$name.status"
    cat "$work/$name.out"
}

for file in "${files[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
    run_file "$file" &
    running+=($!)
done
wait

passed=0 failed=0 broken=()
for file in "${files[@]}"; do
    name=$(basename "$file" _test.sh)
    ok=$(grep -c '^ok ' "$work/$name.out" || true) bad=$(grep -c '^not ok ' "$work/$name.out" || true)
    passed=$((passed + ok)) failed=$((failed + bad))
    if [ "$(cat "$work/$name.status" 2>/dev/null)" != 0 ] && [ "$bad" = 0 ]; then broken+=("$name"); fi
done
grep -h '^not ok ' "$work"/*.out || true
[ ${#broken[@]} = 0 ] || printf 'did not finish: %s\n' "${broken[*]}"
printf '%s passed, %s failed\n' "$passed" "$((failed + ${#broken[@]}))"
[ $((failed + ${#broken[@]})) = 0 ]
