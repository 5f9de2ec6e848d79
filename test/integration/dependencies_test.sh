#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Packages that need packages.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# top needs middle, middle needs base.
chain() {
    config base text=one | package "$p-base" 1.0.0
    config base text=two | package "$p-base" 1.1.0
    config middle | package "$p-middle" 1.0.0 dep="$p-base:>=1.0.0 <2.0.0"
    config top | package "$p-top" 1.0.0 dep="$p-middle:^1.0.0"
    tenant
    repository
}
# What the operator made for a dependency, in its own namespace.
made() { printf 'davit-system/%s' "$1"; }

test_a_chain_of_three_is_installed() {
    chain
    install "$p-top"
    wait_ready "$p-top" 1.0.0
    exists configmap base
    exists configmap middle
    exists configmap top
    pm_is "$(made "$p-middle")" 'ready and .metadata.annotations["davit.dev/installed-as-dependency"] == "true"'
    pm_is "$(made "$p-base")" 'ready and .status.version == "1.1.0"'
    pm_is "$(made "$p-base")" '.metadata.ownerReferences == null'
    pm_is "$p-top" "any(.status.dependencies[]; .name == \"$p-middle\" and .version == \"1.0.0\" and (.requiredBy | any(contains(\"top\"))))"
}

test_dependencies_are_ready_before_what_needs_them() {
    chain
    install "$p-top"
    wait_ready "$p-top"
    # The audit log has the order in which the objects were made.
    audit_sync
    jq -r --arg ns "$ns" 'select(.objectRef.namespace == $ns and .objectRef.resource == "configmaps" and .verb == "patch" and
        .responseStatus.code == 201) | .objectRef.name' "$audit_log" | grep -E '^(base|middle|top)$' | paste -sd ' ' | grep -qx 'base middle top'
}

test_dependencies_go_with_the_last_who_needs_them() {
    chain
    config other | package "$p-other" 1.0.0 dep="$p-base"
    sync
    install "$p-top"
    install "$p-other"
    wait_ready "$p-top"
    wait_ready "$p-other"
    uninstall "$p-top"
    wait_gone pm "$p-middle" davit-system
    always 2 "base is still needed" exists pm "$p-base" davit-system
    exists configmap base
    uninstall "$p-other"
    wait_gone pm "$p-base" davit-system
    gone configmap base
}

test_a_package_that_a_person_applied_stays() {
    chain
    install "davit-system/$p-base" '{"serviceAccountName": "davit-packages"}'
    wait_ready "davit-system/$p-base"
    install "$p-top"
    wait_ready "$p-top"
    uninstall "$p-top"
    wait_gone pm "$p-middle" davit-system
    always 2 "the package of the person" exists configmap base
}

test_a_package_that_a_person_applied_is_not_moved() {
    chain
    install "davit-system/$p-base" '{"serviceAccountName": "davit-packages", "version": "1.0.0"}'
    wait_ready "davit-system/$p-base" 1.0.0
    config middle | package "$p-middle" 1.1.0 dep="$p-base:>=1.1.0"
    sync
    install "$p-middle" '{"version": "1.1.0"}'
    wait_held "$p-middle" . "$p-base.*1\\\\.[01]\\\\.0"
    pm_is "$p-middle" 'is("Resolved"; "False")'
    pm_is "davit-system/$p-base" '.status.version == "1.0.0" and ready'
}

test_an_older_version_is_chosen_when_that_solves_it() {
    chain
    config middle | package "$p-middle" 1.2.0 dep="$p-base:>=2.0.0"
    sync
    install "$p-top"
    wait_ready "$p-top"
    pm_is "$(made "$p-middle")" '.status.version == "1.0.0"'
}

test_two_who_can_not_agree_are_both_named() {
    chain
    config two | package "$p-base" 2.0.0
    config other | package "$p-other" 1.0.0 dep="$p-base:>=2.0.0"
    sync
    install "$p-top"
    wait_ready "$p-top"
    install "$p-other"
    wait_held "$p-other" . "$p-base"
    pm_is "$p-other" "condition(\"Ready\").message | test(\"$p-middle\") and test(\"2\\\\.0\\\\.0\")"
    pm_is "$p-top" ready
    pm_is "$(made "$p-base")" 'ready and .status.version == "1.1.0"'
    # It ends when the other goes.
    uninstall "$p-top"
    wait_ready "$p-other"
    pm_is "$(made "$p-base")" '.status.version == "2.0.0"'
}

test_a_newcomer_narrows_what_runs() {
    chain
    config other | package "$p-other" 1.0.0 dep="$p-base:1.0.0"
    sync
    install "$p-middle"
    wait_ready "$p-middle"
    pm_is "$(made "$p-base")" '.status.version == "1.1.0"'
    install "$p-other"
    wait_ready "$p-other"
    wait_ready "$(made "$p-base")" 1.0.0
    wait_ready "$p-middle"
}

test_a_cycle_ends_in_a_sentence_or_an_installation() {
    tenant
    config a | package "$p-a" 1.0.0 dep="$p-b"
    config b | package "$p-b" 1.0.0 dep="$p-a"
    repository
    install "$p-a"
    wait_pm "$p-a" 'ready or (current and is("Ready"; "False") and (condition("Ready").message | test("cycle|circle|each other|-> "; "i")))'
}

test_a_dependency_nobody_has_is_named() {
    tenant
    config top | package "$p-top" 1.0.0 dep="$p-missing:^1"
    repository
    install "$p-top"
    wait_held "$p-top" . "$p-missing"
    gone configmap top
}

test_a_dependency_that_was_deleted_by_hand_comes_back() {
    chain
    install "$p-top"
    wait_ready "$p-top"
    k -n davit-system delete pm "$p-base" --wait=false >/dev/null
    wait_for "$WAIT" "a new $p-base" base_is_back
    wait_ready "$p-top"
}
base_is_back() { pm_is "$(made "$p-base")" '.metadata.deletionTimestamp == null and ready' && exists configmap base; }

test_one_broken_package_breaks_no_other() {
    chain
    config a | package "$p-broken" 1.0.0
    printf 'name: [' >"$work/repositories/$repo/$p-broken/1.0.0/package.yaml"
    config fine | package "$p-fine" 1.0.0
    printf 'a: {' | package "$p-badmanifest" 1.0.0
    sync
    install "$p-broken"
    install "$p-badmanifest"
    wait_held "$p-broken" .  "$p-broken"
    wait_held "$p-badmanifest" InvalidManifest 'manifest.yaml'
    install "$p-fine"
    install "$p-top"
    wait_ready "$p-fine"
    wait_ready "$p-top"
    uninstall "$p-fine"
}

test_a_tenant_who_may_not_gets_told_what_to_ask_for() {
    chain
    k delete clusterrolebinding "$ns" >/dev/null
    binding RoleBinding packages admin | apply
    install "$p-middle"
    wait_held "$p-middle" DependencyNotPermitted "$p-base"
    gone pm "$p-base" davit-system
    gone configmap middle
    # An administrator installs it.
    install "davit-system/$p-base" '{"serviceAccountName": "davit-packages"}'
    wait_ready "davit-system/$p-base"
    k -n "$ns" annotate pm "$p-middle" davit.dev/requestedAt=again >/dev/null
    wait_ready "$p-middle"
}

test_a_package_exists_once_in_the_cluster() {
    chain
    install one "{\"package\": \"$p-base\"}"
    wait_ready one
    install two "{\"package\": \"$p-base\"}"
    wait_held two . "$ns/one|$ns.*one"
    pm_is one ready
    uninstall one
    wait_ready two
    exists configmap base
}

test_an_upgrade_may_bring_and_drop_dependencies() {
    chain
    config extra | package "$p-extra" 1.0.0
    config middle | package "$p-middle" 2.0.0 dep="$p-extra"
    sync
    install "$p-middle" '{"version": "1.0.0"}'
    wait_ready "$p-middle" 1.0.0
    install "$p-middle" '{"version": "2.0.0"}'
    wait_ready "$p-middle" 2.0.0
    exists configmap extra
    wait_gone pm "$p-base" davit-system
}

test_an_upgrade_may_need_newer_dependencies() {
    chain
    config base text=three | package "$p-base" 2.0.0
    config middle | package "$p-middle" 2.0.0 dep="$p-base:^2.0.0"
    config top | package "$p-top" 2.0.0 dep="$p-middle:>=2.0.0"
    sync
    install "$p-top" '{"version": "1.0.0"}'
    wait_ready "$p-top" 1.0.0
    patch_pm "$p-top" '{"spec": {"version": "2.0.0"}}'
    wait_ready "$p-top" 2.0.0
    pm_is "$(made "$p-middle")" 'ready and .status.version == "2.0.0"'
    pm_is "$(made "$p-base")" 'ready and .status.version == "2.0.0"'
    # And back.
    patch_pm "$p-top" '{"spec": {"version": "1.0.0"}}'
    wait_ready "$p-top" 1.0.0
    wait_pm "$(made "$p-base")" 'ready and .status.version == "1.1.0"'
}

test_a_tenant_who_may_nothing_stands_in_nobodys_way() {
    chain
    printf 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: powerless, namespace: %s}\n' "$ns" | apply
    install squatter "{\"package\": \"$p-base\", \"serviceAccountName\": \"powerless\"}"
    wait_held squatter Forbidden .
    install "$p-top"
    wait_ready "$p-top"
    exists configmap base
}

test_nothing_was_forbidden() {
    # But for the tenants who were to be refused.
    local refused
    refused=$(audit_since 0 '.responseStatus.code == 403 and (.impersonatedUser.username // "" | test("t-a-tenant-who-may") | not)')
    [ -z "$refused" ] || fail "$refused"
}

run_tests
