#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An API server and a process that fail in the middle of things. At the end nothing is missing, doubled or left over.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

TEST_LIMIT=240
WAIT=60
setup_file() {
    start_cluster
    install_api
    start_repository
    start_proxy
    OPERATOR_SERVER=$(proxy) start_operator
}
# $p-app 1.0.0 has c1 to c40 and 2.0.0 c21 to c60, both a Deployment.
big() {
    local i
    { for i in $(seq 40); do config "c$i" text=one; done; workload app; } | package "$p-app" 1.0.0
    { for i in $(seq 21 60); do config "c$i" text=two; done; workload app; } | package "$p-app" 2.0.0
    tenant
    repository
    wait_repository "$repo" ready
}
# is_whole FIRST LAST TEXT: exactly these ConfigMaps are there, and the inventory says the same.
is_whole() {
    local want have
    want=$(seq -f 'c%g' "$1" "$2" | sort)
    have=$(k -n "$ns" get configmap -l "davit.dev/owner=$(owner_of "$p-app")" -o json | jq -r --arg text "$3" '.items[] | select(.data.text == $text) | .metadata.name' | sort)
    [ "$want" = "$have" ] || fail "there are: $(paste -sd ' ' <<<"$have")"
    [ "$(k -n "$ns" get configmap -l "davit.dev/owner=$(owner_of "$p-app")" -o name | wc -l)" = $(($2 - $1 + 1)) ]
    want=$(printf '%s\nDeployment/app' "$(seq -f 'ConfigMap/c%g' "$1" "$2")" | sort)
    have=$(pm_field "$p-app" '.status.inventory[] | "\(.kind)/\(.name)"' | sort)
    [ "$want" = "$have" ] || fail "the inventory has: $(paste -sd ' ' <<<"$have")"
}
nothing_is_left() {
    gone pm "$p-app"
    [ -z "$(k -n "$ns" get configmap,deployment,secret -l "davit.dev/owner=$(owner_of "$p-app")" -o name)" ]
    gone secret "davit-$(owner_of "$p-app")" davit-system
}
# The whole life of a package while FAULT (JSON, one or a list) is in force.
whole_life_with() {
    big
    fault proxy "$1"
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    is_whole 1 40 one
    no_faults proxy
    fault proxy "$1"
    patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    wait_ready "$p-app" 2.0.0
    is_whole 21 60 two
    no_faults proxy
    fault proxy "$1"
    uninstall "$p-app"
    nothing_is_left
    no_faults proxy
}
operator_requests='"userAgent": "davit"'

test_every_tenth_write_gets_500() {
    whole_life_with "[$(for i in 3 13 23 33 43; do printf '%s{"match": {"resource": "configmaps", %s, "nth": %s}, "fault": {"kind": "status", "status": 500}}' "$([ $i = 3 ] || printf ,)" "$operator_requests" "$i"; done)]"
}
test_writes_get_429_with_retry_after() {
    whole_life_with "{\"match\": {\"resource\": \"configmaps\", $operator_requests, \"nth\": 5}, \"fault\": {\"kind\": \"status\", \"status\": 429, \"retryAfter\": 1}, \"times\": 6}"
}
test_writes_get_409() {
    whole_life_with "{\"match\": {\"resource\": \"configmaps\", \"verb\": \"patch\", $operator_requests, \"nth\": 5}, \"fault\": {\"kind\": \"status\", \"status\": 409}, \"times\": 2}"
}
test_a_status_write_gets_409_and_500() {
    whole_life_with "[{\"match\": {\"resource\": \"packagemanifests/status\", $operator_requests}, \"fault\": {\"kind\": \"status\", \"status\": 409}},
        {\"match\": {\"resource\": \"packagemanifests/status\", $operator_requests, \"nth\": 2}, \"fault\": {\"kind\": \"status\", \"status\": 500}}]"
}
test_answers_are_lost_after_the_write() {
    whole_life_with "[{\"match\": {\"resource\": \"configmaps\", \"method\": \"PATCH\", $operator_requests, \"nth\": 7}, \"fault\": {\"kind\": \"cut\", \"when\": \"after\"}},
        {\"match\": {\"resource\": \"configmaps\", \"method\": \"DELETE\", $operator_requests, \"nth\": 4}, \"fault\": {\"kind\": \"status\", \"status\": 500, \"when\": \"after\"}},
        {\"match\": {\"resource\": \"packagemanifests/status\", $operator_requests, \"nth\": 2}, \"fault\": {\"kind\": \"reset\", \"when\": \"after\"}}]"
}
test_connections_are_cut() {
    whole_life_with "[{\"match\": {$operator_requests, \"nth\": 6}, \"fault\": {\"kind\": \"cut\"}}, {\"match\": {$operator_requests, \"nth\": 30}, \"fault\": {\"kind\": \"goaway\"}},
        {\"match\": {\"resource\": \"configmaps\", $operator_requests, \"nth\": 20}, \"fault\": {\"kind\": \"half\"}}]"
}
test_an_answer_never_comes() {
    whole_life_with "{\"match\": {\"resource\": \"configmaps\", $operator_requests, \"nth\": 9}, \"fault\": {\"kind\": \"timeout\", \"ms\": 8000}}"
}

# The package is installed, and what happens to its objects is seen, though the watches break in that way.
drift_is_seen_after() {
    config c1 text=one | package "$p-app" 1.0.0
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    "$@"
    k -n "$ns" delete configmap c1 >/dev/null
    wait_for 20 "the object" exists configmap c1
    config c1 text=two | package "$p-app" 2.0.0
    sync
    patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    wait_ready "$p-app" 2.0.0
    data_is c1 text two
}
test_watches_are_cut() { drift_is_seen_after control proxy /cut-watches; }
test_watches_are_reset() { drift_is_seen_after control proxy /cut-watches '{"how": "reset"}'; }
test_watches_end() { drift_is_seen_after control proxy /cut-watches '{"how": "end"}'; }
test_a_watch_is_too_old() {
    drift_is_seen_after expire_watches
}
expire_watches() {
    fault proxy "{\"match\": {\"watch\": true, $operator_requests}, \"fault\": {\"kind\": \"watch-error\", \"status\": 410}, \"times\": 6}"
    control proxy /cut-watches
    wait_for "$WAIT" "the watches to be told" has_fired proxy 6
    no_faults proxy
}
test_changes_while_a_watch_is_cut_are_seen() {
    config c1 text=one | package "$p-app" 1.0.0
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    control proxy /down
    k -n "$ns" delete configmap c1 >/dev/null
    sleep 3
    control proxy /up
    wait_for 40 "the object" exists configmap c1
}

test_the_api_server_is_restarted_during_a_run() {
    big
    slow_from_the_tenth
    install "$p-app" '{"version": "1.0.0"}'
    wait_for "$WAIT" "the middle of it" has_fired proxy 3
    "$root/hack/devcluster" restart "$cluster" apiserver --kill 2>/dev/null
    no_faults proxy
    wait_ready "$p-app" 1.0.0
    is_whole 1 40 one
    patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    "$root/hack/devcluster" restart "$cluster" apiserver 2>/dev/null
    wait_ready "$p-app" 2.0.0
    is_whole 21 60 two
    uninstall "$p-app"
    nothing_is_left
}

# An API server that has just started: it forbids what is allowed, knows few kinds, and says itself that it is not ready.
starting_server() {
    local none='{\"kind\": \"APIGroupDiscoveryList\", \"apiVersion\": \"apidiscovery.k8s.io/v2\", \"metadata\": {}, \"items\": []}'
    local no='{\"kind\": \"SelfSubjectAccessReview\", \"apiVersion\": \"authorization.k8s.io/v1\", \"status\": {\"allowed\": false}}'
    fault proxy "[{\"match\": {\"path\": \"/readyz\", $operator_requests}, \"fault\": {\"kind\": \"status\", \"status\": 500}, \"times\": 0},
        {\"match\": {\"path\": \"/apis\", $operator_requests}, \"fault\": {\"kind\": \"status\", \"status\": 200, \"body\": \"$none\"}, \"times\": 0},
        {\"match\": {\"resource\": \"selfsubjectaccessreviews\", $operator_requests}, \"fault\": {\"kind\": \"status\", \"status\": 201, \"body\": \"$no\"}, \"times\": 0},
        {\"match\": {\"resource\": \"configmaps\", $operator_requests}, \"fault\": {\"kind\": \"status\", \"status\": 403}, \"times\": 0}]"
}
# All that kubectl is told of the package from now on; never_stalled looks through it.
watch_package() {
    spawn "seen-$p" "$kubectl" --kubeconfig "$kubeconfig" -n "$ns" get pm --field-selector "metadata.name=$1" --watch -o json </dev/null
}
never_stalled() {
    end "seen-$p"
    jq -es 'length > 1 and all(any(.status.conditions[]?; .type == "Stalled") | not)' "$work/run/seen-$p/out" >/dev/null ||
        fail "it was Stalled: $(jq -c '.status.conditions' "$work/run/seen-$p/out" | tail -n 3)"
}
test_the_refusals_of_a_starting_api_server_are_asked_again() {
    big
    watch_package "$p-app"
    end operator
    starting_server
    OPERATOR_SERVER=$(proxy) start_operator # one that knows nothing yet
    install "$p-app" '{"version": "1.0.0"}'
    wait_pm "$p-app" 'is("Ready"; "False")'
    sleep 3 # the server starts
    no_faults proxy
    wait_ready "$p-app" 1.0.0 20
    is_whole 1 40 one
    never_stalled
    k -n "$ns" delete configmap c1 >/dev/null
    wait_for 10 "the object, whose kind is watched after all" exists configmap c1
    wait_ready "$p-app"
    starting_server
    k -n "$ns" delete pm "$p-app" --wait=false >/dev/null
    sleep 3
    no_faults proxy
    wait_gone pm "$p-app" "$ns" 20
    nothing_is_left
    if has_event "$p-app" Orphaned .; then fail "something was left for an answer of a server that starts"; fi
}
test_an_operator_that_everything_is_refused_to_is_not_ready_and_goes_on() {
    end operator
    fault proxy "{\"match\": {\"watch\": false, $operator_requests}, \"fault\": {\"kind\": \"status\", \"status\": 403}, \"times\": 0}"
    OPERATOR_SERVER=$(proxy) start_operator &
    wait_for 10 "requests" has_fired proxy 1
    always 2 "it is not ready" not curl -sf --max-time 2 "http://127.0.0.1:$(cat "$work/run/operator/health")/readyz"
    no_faults proxy
    wait $!
    config c1 | package "$p-app" 1.0.0
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
}

# killed_during COMMAND…: the operator is killed in the middle of what that starts, and another begins.
killed_during() {
    slow_from_the_tenth
    "$@"
    wait_for "$WAIT" "the middle of it" has_fired proxy 3
    end operator KILL
    no_faults proxy
    OPERATOR_SERVER=$(proxy) start_operator
}
# There is a middle of it: requests about ConfigMaps take their time from the tenth on.
slow_from_the_tenth() {
    fault proxy "{\"match\": {\"resource\": \"configmaps\", $operator_requests, \"nth\": 10}, \"fault\": {\"kind\": \"delay\", \"ms\": 700}, \"times\": 0}"
}
test_killed_in_the_middle_of_an_installation() {
    big
    killed_during install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    is_whole 1 40 one
    uninstall "$p-app"
    nothing_is_left
}
test_killed_in_the_middle_of_an_upgrade() {
    big
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app"
    killed_during patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    wait_ready "$p-app" 2.0.0
    is_whole 21 60 two
    uninstall "$p-app"
    nothing_is_left
}
test_killed_in_the_middle_of_an_uninstallation() {
    big
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app"
    killed_during k -n "$ns" delete pm "$p-app" --wait=false
    wait_gone pm "$p-app"
    nothing_is_left
}
test_killed_and_the_wish_is_another_when_it_comes_back() {
    big
    slow_from_the_tenth
    install "$p-app" '{"version": "1.0.0"}'
    wait_for "$WAIT" "the middle of it" has_fired proxy 3
    end operator KILL
    no_faults proxy
    patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    OPERATOR_SERVER=$(proxy) start_operator
    wait_ready "$p-app" 2.0.0
    is_whole 21 60 two
}
test_a_worker_process_that_dies_troubles_only_its_package() {
    big
    install "$p-app"
    wait_ready "$p-app"
    local child
    for child in $(pgrep -P "$(pid_of operator)"); do kill -KILL "$child"; done
    config d | package "$p-other" 1.0.0
    sync
    install "$p-other"
    wait_ready "$p-other"
    pm_is "$p-app" ready
    runs operator
}
test_the_end_is_orderly() {
    big
    slow_from_the_tenth
    install "$p-app" '{"version": "1.0.0"}'
    wait_for "$WAIT" "the middle of it" has_fired proxy 3
    local began
    began=$(now_us)
    end operator TERM
    [ $(($(now_us) - began)) -lt 20000000 ]
    no_faults proxy
    OPERATOR_SERVER=$(proxy) start_operator
    wait_ready "$p-app" 1.0.0
    is_whole 1 40 one
}

before_clean_up() {
    no_faults proxy
    control proxy /up
    if ! runs operator; then OPERATOR_SERVER=$(proxy) start_operator; fi
}

run_tests
