#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the unit tests and fuzz corpora of a coverage build and tells which lines of pkg/ they reach, by module.
#
#   hack/coverage.sh build/coverage        after `make VARIANT=coverage coverage-programs`; or `make coverage`
#
# Writes FOLDER/report/index.html, summary.json and cobertura.xml. COVERAGE_MIN=85 fails when fewer of the lines are reached.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

built=${1:?the folder of the coverage build is missing}
minimum=${COVERAGE_MIN:-0}
report=$built/report

command -v gcovr >/dev/null || {
    printf 'coverage: gcovr is missing: hack/deps.sh test installs it\n' >&2
    exit 1
}
find "$built" -name '*.gcda' -delete
mkdir -p "$report"
status=0
hack/run-tests.sh "$built"/test/*_test || status=1
hack/run-corpus.sh "$built"/fuzz/*_fuzz || status=1

# A process that is killed in the middle of a test leaves no counts, or cut ones: such files are skipped.
gcovr --root . --filter 'pkg/' --object-directory "$built/obj" --gcov-ignore-parse-errors --exclude-unreachable-branches \
    --json-summary "$report/summary.json" --xml "$report/cobertura.xml" --html-details "$report/index.html" "$built/obj/pkg" >/dev/null

jq -r '.files | group_by(.filename | split("/")[1])[] | {module: .[0].filename | split("/")[1], lines: map(.line_total) | add,
    covered: map(.line_covered) | add} | "\(.module)\t\(.covered)\t\(.lines)"' "$report/summary.json" |
    awk -F '\t' '{ printf "  %-12s %6.1f %%  of %6d lines\n", $1, $3 ? 100 * $2 / $3 : 100, $3 }'
jq -r '"  the weakest files:", (.files | map(select(.line_total > 20)) | sort_by(.line_percent)[:10][] |
    "    \(.line_percent) %  \(.filename)")' "$report/summary.json"
percent=$(jq -r .line_percent "$report/summary.json")
printf 'coverage of pkg/: %s %% of lines, %s %% of branches (%s/index.html)\n' "$percent" "$(jq -r .branch_percent "$report/summary.json")" "$report"
if awk -v have="$percent" -v want="$minimum" 'BEGIN { exit !(have < want) }'; then
    printf 'coverage: less than the %s %% that are wanted\n' "$minimum" >&2
    status=1
fi
exit $status
