#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The fault sweep: the life of a package with a dependency, again and again, each time with the nth request of the operator
# failing. It always has to end in the same state. Which fault a request gets is drawn from SEED; SWEEP=all tries each with each.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

WAIT=45
if [ -n "${SWEEP:-}" ]; then TEST_LIMIT=7200; else TEST_LIMIT=600; fi
SEED=${SEED:-$RANDOM}
faults=('"status", "status": 409' '"status", "status": 410' '"status", "status": 429, "retryAfter": 1' '"status", "status": 500'
    '"status", "status": 500, "when": "after"' '"cut"' '"cut", "when": "after"' '"reset", "when": "after"' '"timeout", "ms": 1500' '"goaway"' '"half"')

setup_file() {
    start_cluster
    install_api
    start_repository
    start_proxy
    OPERATOR_SERVER=$(proxy) start_operator
}

prepare() {
    config base | package "$p-base" 1.0.0
    { config a text=one; config b; workload app 0; } | package "$p-app" 1.0.0 dep="$p-base"
    { config a text=two; config c; workload app 0; } | package "$p-app" 2.0.0
    tenant
    repository
    wait_repository "$repo" ready
}
objects() { k -n "$ns" get configmap,deployment,secret -l davit.dev/owner -o json | jq -r '.items[] | "\(.kind)/\(.metadata.name)"' | sort | paste -sd ' '; }
objects_are() { [ "$(objects)" = "$1" ]; }
life() {
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    wait_for "$WAIT" "the objects of 1.0.0" objects_are 'ConfigMap/a ConfigMap/b ConfigMap/base Deployment/app'
    patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    wait_ready "$p-app" 2.0.0
    data_is a text two
    wait_gone pm "$p-base" davit-system
    wait_for "$WAIT" "the objects of 2.0.0" objects_are 'ConfigMap/a ConfigMap/c Deployment/app'
    uninstall "$p-app"
    wait_for "$WAIT" "nothing to be left" objects_are ''
    runs operator
}
# Runs a life with a fault, in a shell of its own, and says how it went.
life_with() {
    local nth=$1 what=$2 status
    fault proxy "{\"match\": {\"userAgent\": \"davit\", \"watch\": false, \"nth\": $nth}, \"fault\": {\"kind\": $what}}"
    set +e # not in a condition: there errors would not end it
    (
        set -e
        life
    ) >"$work/life.out" 2>&1
    status=$?
    set -e
    if [ $status != 0 ]; then
        printf 'request %s, fault %s: %s\n' "$nth" "$what" "$(tail -n 3 "$work/life.out")" >&2
        pm "$p-app" 2>/dev/null | jq -c .status.conditions >&2 || true
        bad=$((bad + 1))
        no_faults proxy
        (uninstall "$p-app") 2>/dev/null || true
    fi
    no_faults proxy
}

test_every_request_may_fail() {
    local count nth what bad=0
    printf 'SEED=%s\n' "$SEED"
    RANDOM=$SEED
    prepare
    life
    curl -sf -X DELETE "http://$(server_field proxy adminListen)/log" >/dev/null
    life
    count=$(server_log proxy | jq '[.requests[] | select(.verb != "watch" and (.userAgent | contains("davit")))] | length')
    [ "$count" -gt 10 ]
    printf '%s requests\n' "$count"
    for nth in $(seq "$count"); do
        if [ -n "${SWEEP:-}" ]; then
            for what in "${faults[@]}"; do life_with "$nth" "$what"; done
        else
            life_with "$nth" "${faults[RANDOM % ${#faults[@]}]}"
        fi
    done
    [ $bad = 0 ] || fail "$bad lives did not end well"
}

before_clean_up() { no_faults proxy; }

run_tests
