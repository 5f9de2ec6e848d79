#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Writes what is made from crds/: deploy/base/crds.yaml and docs/api.md.
#
#   hack/manifests.sh            writes them
#   hack/manifests.sh --check    says whether they are up to date
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck disable=SC2317  # make_file calls it
print_crds() {
    local file
    printf '# SPDX-License-Identifier: Apache-2.0\n# Made from crds/ by "make manifests".\n'
    for file in crds/*.yaml; do
        printf -- '---\n'
        grep -v '^# SPDX' "$file"
    done
}

# Runs a command whose output is to be FILE.
make_file() {
    local file=$1 text
    shift
    text=$("$@")
    if [ "$mode" = --check ]; then
        if ! cmp -s "$file" <(printf '%s\n' "$text"); then
            printf 'manifests: %s is not up to date: run "make manifests"\n' "$file" >&2
            stale=1
        fi
    else
        printf '%s\n' "$text" >"$file"
    fi
}

mode=${1:-} stale=0
make_file deploy/base/crds.yaml print_crds
make_file docs/api.md hack/gen-api-docs.sh
exit $stale
