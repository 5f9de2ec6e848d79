#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The fault sweep: the life of a package with a dependency, again and again, each time with the nth request of the operator
# failing. It always has to end in the same state.
#
#   SEED=7 SWEEP_SECONDS=150 …     the requests in an order drawn from SEED, each with one fault drawn from it, for so long
#   SWEEP=all …                    each request with each fault
#   SWEEP='12:cut 7:goaway' …      these
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

WAIT=45
SEED=${SEED:-$RANDOM}
SWEEP=${SWEEP:-}
SWEEP_SECONDS=${SWEEP_SECONDS:-150}
if [ -n "$SWEEP" ]; then TEST_LIMIT=14000; else TEST_LIMIT=$((SWEEP_SECONDS + 240)); fi
declare -A faults=(
    [409]='"status", "status": 409' [410]='"status", "status": 410' [429]='"status", "status": 429, "retryAfter": 1'
    [403]='"status", "status": 403' [500]='"status", "status": 500' [500-after]='"status", "status": 500, "when": "after"'
    [cut]='"cut"' [cut-after]='"cut", "when": "after"' [reset-after]='"reset", "when": "after"' [timeout]='"timeout", "ms": 1500'
    [goaway]='"goaway"' [half]='"half"'
)
mapfile -t kinds < <(printf '%s\n' "${!faults[@]}" | sort)

setup_file() {
    exec {told}>&1 # what is said there is shown though all goes well
    [ -n "$SWEEP" ] || printf '# sweep: SEED=%s\n' "$SEED"
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
nothing_is_stored() { [ -z "$(k -n davit-system get secret "davit-$(owner_of "$p-app")" "davit-$(owner_of "$p-base" davit-system)" --ignore-not-found -o name)" ]; }
life() {
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    wait_for "$WAIT" "the objects of 1.0.0" objects_are 'ConfigMap/a ConfigMap/b ConfigMap/base Deployment/app'
    patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    wait_ready "$p-app" 2.0.0
    wait_for "$WAIT" "the text of 2.0.0" data_is a text two
    wait_gone pm "$p-base" davit-system
    wait_for "$WAIT" "the objects of 2.0.0" objects_are 'ConfigMap/a ConfigMap/c Deployment/app'
    k -n "$ns" delete configmap a >/dev/null
    wait_for "$WAIT" "what somebody deleted" data_is a text two
    uninstall "$p-app"
    wait_for "$WAIT" "nothing to be left" objects_are ''
    wait_for "$WAIT" "nothing to be stored" nothing_is_stored
    runs operator
}
# life_with NTH FAULT: a life, in a shell of its own, in which that happens; and says when it did not go as always.
life_with() {
    local nth=$1 what=$2 status
    [ -n "${faults[$what]:-}" ] || fail "there is no fault $what: ${kinds[*]}"
    fault proxy "{\"match\": {\"userAgent\": \"davit\", \"watch\": false, \"nth\": $nth}, \"fault\": {\"kind\": ${faults[$what]}}}"
    set +e # not in a condition: there errors would not end it
    (
        set -e
        life
    ) >"$work/life.out" 2>&1
    status=$?
    set -e
    lives=$((lives + 1))
    if [ $status != 0 ]; then
        printf 'SWEEP=%s:%s: %s\n' "$nth" "$what" "$(tail -n 3 "$work/life.out")" >&2
        pm "$p-app" 2>/dev/null | jq -c .status.conditions >&2 || true
        bad=$((bad + 1))
        no_faults proxy
        (uninstall "$p-app") 2>/dev/null || true
    fi
    no_faults proxy
}

# The numbers up to $1, in an order drawn from RANDOM.
shuffled() {
    local i
    for i in $(seq "$1"); do printf '%s %s\n' $((RANDOM * 32768 + RANDOM)) "$i"; done | sort -n | cut -d ' ' -f 2
}
# As long as there is time: a fault that waits takes its time, too.
drawn_lives() {
    local nth until_us
    until_us=$(($(now_us) + SWEEP_SECONDS * 1000000))
    RANDOM=$SEED
    for nth in $(shuffled "$1"); do
        [ "$(now_us)" -lt $until_us ] || return 0
        life_with "$nth" "${kinds[RANDOM % ${#kinds[@]}]}"
    done
}
every_life() {
    local nth what
    for nth in $(seq "$1"); do
        for what in "${kinds[@]}"; do life_with "$nth" "$what"; done
    done
}
named_lives() {
    local one
    for one in $SWEEP; do life_with "${one%%:*}" "${one#*:}"; done
}

test_every_request_may_fail() {
    local count bad=0 lives=0
    prepare
    life
    curl -sf -X DELETE "http://$(server_field proxy adminListen)/log" >/dev/null
    life
    count=$(server_log proxy | jq '[.requests[] | select(.verb != "watch" and (.userAgent | contains("davit")))] | length')
    [ "$count" -gt 10 ]
    case $SWEEP in
        '') drawn_lives "$count" ;;
        all) every_life "$count" ;;
        *) named_lives ;;
    esac
    printf '# sweep: %s lives, of which each asks %s times\n' "$lives" "$count" >&"$told"
    [ $bad = 0 ] || fail "$bad of $lives lives did not end well (SEED=$SEED)"
}

before_clean_up() { no_faults proxy; }

run_tests
