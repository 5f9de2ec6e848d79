#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the operator's image from what is committed, with podman, buildah or docker.
#
#   hack/image.sh IMAGE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

image=${1:?IMAGE is missing}
for tool in podman docker buildah; do
    if command -v "$tool" >/dev/null; then break; fi
    tool=''
done
[ -n "$tool" ] || {
    printf 'image: podman, docker or buildah is needed: apt-get install buildah\n' >&2
    exit 1
}
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
git archive HEAD | tar -x -C "$context"
"$tool" build --tag "$image" --build-arg "VERSION=$(git describe --tags --always)" --file deploy/Containerfile "$context"
