#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Renders the same templates with Go's engine (text/template, sprig, Helm's functions) and with ours, one after the other, and
# prints the ratio; both must give the same bytes.
#
#   hack/bench-templates.sh BENCH-PROGRAM        SECONDS_EACH=n (3)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ours=$(realpath "${1:?}")
seconds=${SECONDS_EACH:-3}
chart=$PWD/test/gotemplate/bench/chart
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go=$(hack/deps.sh go)
(cd test/gotemplate && GOWORK=off "$go" build -o "$work/gobench" ./gobench)

"$work/gobench" -show "$chart" >"$work/go.out"
"$ours" "$chart" show >"$work/our.out"
cmp "$work/go.out" "$work/our.out" || { echo "the outputs differ" >&2; exit 1; }
read -r go_whole go_again < <("$work/gobench" -seconds "$seconds" "$chart")
read -r our_whole our_again < <("$ours" "$chart" "$seconds")
awk -v gw="$go_whole" -v ga="$go_again" -v ow="$our_whole" -v oa="$our_again" -v n="$(wc -c <"$work/our.out")" 'BEGIN {
    printf "templates, %d bytes of output: Go %.0f us, ours %.0f us parsed and rendered: %.1f times as fast\n", n, gw / 1000, ow / 1000, gw / ow
    printf "rendered again: Go %.0f us, ours %.0f us: %.1f times as fast\n", ga / 1000, oa / 1000, ga / oa
}'
