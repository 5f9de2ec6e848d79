#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Several operators, one lease.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

TEST_LIMIT=200
OPERATOR_LIMIT=900
# Tokens that the audit log can tell apart.
TOKEN_SECONDS=900
export TOKEN_SECONDS

setup_file() {
    start_cluster
    install_api
    start_repository
}

lease_holder() { k -n davit-system get lease -o json | jq -r '.items[0].spec.holderIdentity // ""'; }
lease_is_held() { [ -n "$(lease_holder)" ]; }
lease_moved_from() { [ "$(lease_holder)" != "$1" ] && lease_is_held; }

some_packages() {
    local i
    tenant
    for i in 1 2 3 4 5 6; do config "c$i" | package "$p-$i" 1.0.0; done
    repository
}

test_one_leads_and_the_other_waits() {
    some_packages
    start_operator one --leader-elect
    wait_for 20 "a leader" lease_is_held
    local mark holder
    holder=$(lease_holder)
    start_operator two --leader-elect
    mark=$(audit_mark)
    install "$p-1"
    wait_ready "$p-1"
    [ -z "$(written_by two "$mark")" ] || fail "the standby wrote: $(written_by two "$mark" | head -n 3)"
    [ "$(lease_holder)" = "$holder" ]
    # The standby is warm and says so.
    metric davit_ two | grep -q .
    end two
    [ "$(lease_holder)" = "$holder" ]
    end one
}

test_a_leader_that_ends_gives_the_lease_back() {
    some_packages
    start_operator one --leader-elect
    wait_for 20 "a leader" lease_is_held
    start_operator two --leader-elect
    local holder
    holder=$(lease_holder)
    signal one TERM
    wait_for 12 "the other to lead, before the lease would have ended" lease_moved_from "$holder"
    wait_for 20 "the end of the first" not runs one
    install "$p-1"
    wait_ready "$p-1"
    end two
    # Nobody holds it now.
    [ -z "$(lease_holder)" ]
}

test_a_leader_that_was_stopped_writes_nothing_when_it_goes_on() {
    some_packages
    start_operator one --leader-elect
    wait_for 20 "a leader" lease_is_held
    start_operator two --leader-elect
    local holder mark i
    holder=$(lease_holder)
    # In the middle of work.
    for i in 1 2 3; do install "$p-$i"; done
    signal one STOP
    sleep 1
    mark=$(audit_mark)
    for i in 4 5 6; do install "$p-$i"; done
    wait_for 30 "the other to lead" lease_moved_from "$holder"
    for i in 1 2 3 4 5 6; do wait_ready "$p-$i"; done
    sleep 25
    for i in 1 2 3; do patch_pm "$p-$i" '{"spec": {"interval": "9m"}}'; done
    signal one CONT
    wait_for 15 "the first to notice and end" not runs one
    sleep 2
    [ -z "$(written_by one "$mark")" ] || fail "the old leader wrote: $(written_by one "$mark" | jq -c '{verb, requestURI, requestReceivedTimestamp}' | head -n 5)"
    [ "$(written_by two "$mark" | wc -l)" -gt 0 ]
    for i in 1 2 3 4 5 6; do pm_is "$p-$i" ready; done
    end two
}

test_a_leader_that_is_killed_is_followed() {
    some_packages
    start_operator one --leader-elect
    wait_for 20 "a leader" lease_is_held
    start_operator two --leader-elect
    local holder
    holder=$(lease_holder)
    end one KILL
    wait_for 30 "the other to lead" lease_moved_from "$holder"
    install "$p-1"
    wait_ready "$p-1"
    end two
}

test_a_leader_without_an_api_server_stops_leading() {
    some_packages
    start_proxy
    OPERATOR_SERVER=$(proxy) start_operator one --leader-elect
    wait_for 20 "a leader" lease_is_held
    local holder
    holder=$(lease_holder)
    start_operator two --leader-elect
    control proxy /down
    wait_for 30 "the other to lead" lease_moved_from "$holder"
    wait_for 20 "the end of the first" not runs one
    install "$p-1"
    wait_ready "$p-1"
    end two
}

before_clean_up() {
    local name
    for name in one two; do
        if [ -s "$work/run/$name/pid" ]; then
            kill -CONT "$(pid_of "$name")" 2>/dev/null || true
            end "$name" KILL
        fi
    done
    # What is left needs an operator.
    start_operator cleaner
}
after_clean_up() {
    end cleaner
    k -n davit-system delete lease --all >/dev/null
}

run_tests
