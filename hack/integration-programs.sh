#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs integration tests that are programs (test/integration/*.c) on one cluster: that of DAVIT_KUBECONFIG, or one of their own.
#
#   hack/integration-programs.sh build/release/integration/kube_client_test…
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -gt 0 ] || exit 0

cluster=it-programs-$$
if [ -z "${DAVIT_KUBECONFIG:-}" ]; then
    trap 'hack/devcluster down "$cluster"' EXIT
    trap 'exit 130' INT TERM
    DAVIT_KUBECONFIG=$(hack/devcluster up "$cluster")
    export DAVIT_CLUSTER=$cluster # a test may restart what is ours
fi
export DAVIT_KUBECONFIG
hack/run-tests.sh "$@"
