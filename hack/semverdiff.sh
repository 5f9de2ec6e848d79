#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Compares how davit decides versions and constraints with the Go library that it follows (test/semverdiff), on generated lines.
#
#   hack/semverdiff.sh build/release/bin/davit
#
#   SEED=…          repeats a run; without it each run has its own, and prints it
#   PAIRS=200000    lines for each of `davit semver check` and `davit semver compare`
#   TOOLS=build/tools    where the comparing program is built
#
# Without a Go toolchain, or without the library's module, it is skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
davit=$(realpath "${1:?the davit to compare is missing}")
tools=$(realpath -m "${TOOLS:-build/tools}")

skip() {
    printf 'semverdiff: skipped: %s\n' "$*"
    exit 0
}

go=$(hack/deps.sh go) || skip "there is no Go toolchain, and none could be brought"
export GOWORK=off CGO_ENABLED=0
(cd test/semverdiff && "$go" mod download) || skip "the module of the Go library could not be had"
(cd test/semverdiff && "$go" build -trimpath -buildvcs=false -o "$tools/semverdiff" .)
args=(--pairs "${PAIRS:-200000}")
[ -z "${SEED:-}" ] || args+=(--seed "$SEED")
exec timeout 300 "$tools/semverdiff" diff "${args[@]}" "$davit" semver
