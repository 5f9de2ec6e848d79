#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Replaces one section of docs/benchmarks.md by standard input, which opens with the section's own heading; the others stay.
#
#   hack/bench-section.sh NAME [FILE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name=${1:?the name of the section is missing}
file=${2:-docs/benchmarks.md}

# shellcheck disable=SC2016  # Markdown
[ -s "$file" ] || printf '%s\n\n%s\n\n%s\n' '<!-- SPDX-License-Identifier: Apache-2.0 -->' '# Benchmarks' \
    'Written by `make bench`. Times say little about another machine; ratios do.' >"$file"
new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
    awk -v begin="<!-- section $name -->" -v end="<!-- end of $name -->" '$0 == begin { inside = 1 } !inside { print } $0 == end { inside = 0 }' "$file" |
        sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
    printf '\n<!-- section %s -->\n' "$name"
    cat
    printf '<!-- end of %s -->\n' "$name"
} >"$new"
cat "$new" >"$file"
