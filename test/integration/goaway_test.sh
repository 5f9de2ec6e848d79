#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An API server that closes its connections now and then (GOAWAY), as those behind a balancer do.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

TEST_LIMIT=180
setup_file() {
    start_cluster --apiserver-flag=--goaway-chance=0.02
    install_api
    start_repository
    start_operator
}

test_many_packages_come_and_go() {
    local i j names=()
    tenant
    for i in $(seq 20); do
        { for j in $(seq 8); do config "c$i-$j"; done; } | package "$p-$i" 1.0.0
        names+=("$p-$i")
    done
    repository
    for i in "${names[@]}"; do install "$i"; done
    for i in "${names[@]}"; do wait_ready "$i" 1.0.0 60; done
    [ "$(k -n "$ns" get configmap -l davit.dev/owner -o name | wc -l)" = 160 ]
    k -n "$ns" delete pm "${names[@]}" --wait=false >/dev/null
    for i in "${names[@]}"; do wait_gone pm "$i" "$ns" 60; done
    [ -z "$(k -n "$ns" get configmap -l davit.dev/owner -o name)" ]
    assert_no_403
}

run_tests
