#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Tenants: what is written, is written as their account.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# An app for a tenant with the usual role "admin" in one namespace.
for_tenant() {
    config a text=one | package "$p-app" 1.0.0 namespace=
    { config a; printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: %s-reader}\nrules: []\n' "$p"; } |
        package "$p-cluster" 1.0.0 namespace=
    tenant "${1:-admin}"
    repository
}

test_a_tenant_installs_what_its_account_may() {
    for_tenant
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_ready "$p-app"
    data_is a text one
    k -n "$ns" delete configmap a >/dev/null
    wait_for 5 "the object" exists configmap a
    uninstall "$p-app"
    gone configmap a
}

test_every_write_is_made_as_the_account() {
    for_tenant
    local mark others
    mark=$(audit_mark)
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_ready "$p-app"
    uninstall "$p-app"
    others=$(audit_since "$mark" "$is_write and .impersonatedUser.username != \"system:serviceaccount:$ns:packages\" and
        (.objectRef.apiGroup | IN(\"davit.dev\", \"events.k8s.io\") | not) and
        (.objectRef | .namespace == \"davit-system\" and .resource == \"secrets\" | not)" | jq -r '"\(.verb) \(.requestURI)"')
    [ -z "$others" ] || fail "written with other rights: $others"
    [ "$(audit_count "$mark" '.impersonatedUser != null and .objectRef.resource == "configmaps" and .verb == "patch"')" -ge 1 ]
}

test_an_account_that_may_nothing_is_told() {
    for_tenant none
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_held "$p-app" . 'packages.*configmaps|configmaps.*packages|forbidden|may not'
    wait_pm "$p-app" 'is("Stalled"; "True")' 60 # once the refusal has lasted
    wait_event "$p-app" . 'configmaps|forbidden|may not'
    gone configmap a
    # Nothing was installed: it goes all the same.
    uninstall "$p-app"
}

test_a_right_that_comes_later_is_used_when_asked() {
    for_tenant none
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_held "$p-app" . .
    binding RoleBinding packages admin | apply
    k -n "$ns" annotate pm "$p-app" davit.dev/requestedAt=1 >/dev/null
    wait_ready "$p-app"
}

test_a_tenant_gets_nothing_of_the_cluster() {
    for_tenant
    install "$p-cluster" "{\"targetNamespace\": \"$ns\"}"
    wait_held "$p-cluster" . "clusterroles|$p-reader"
    gone clusterrole "$p-reader"
    wait_pm "$p-cluster" 'is("Stalled"; "True")' 60
}

test_a_tenant_gets_nothing_of_another_namespace() {
    for_tenant
    install "$p-app" '{"targetNamespace": "default"}'
    wait_held "$p-app" . default
    gone configmap a default
}

test_an_account_has_to_be_named_outside_the_operators_namespace() {
    for_tenant
    restart_operator operator TERM --default-service-account=
    local mark
    mark=$(audit_mark)
    install "$p-app" "{\"targetNamespace\": \"$ns\", \"serviceAccountName\": \"\"}"
    wait_held "$p-app" ServiceAccountRequired serviceAccountName
    pm_is "$p-app" 'is("Stalled"; "True")'
    [ "$(audit_count "$mark" '.objectRef.resource == "configmaps"')" = 0 ]
    gone configmap a
    restart_operator operator
}

test_the_default_account_is_that_of_the_packages_own_namespace() {
    for_tenant
    install "$p-app" "{\"targetNamespace\": \"$ns\", \"serviceAccountName\": \"\"}"
    # There is no davit-packages here: the one of davit-system is not lent.
    wait_held "$p-app" . davit-packages
    gone configmap a
    printf 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: davit-packages, namespace: %s}\n' "$ns" | apply
    k -n "$ns" create rolebinding davit-packages --clusterrole=admin --serviceaccount="$ns:davit-packages" >/dev/null
    k -n "$ns" annotate pm "$p-app" davit.dev/requestedAt=1 >/dev/null
    wait_ready "$p-app"
}

test_a_package_goes_though_its_account_is_gone() {
    for_tenant
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_ready "$p-app"
    k -n "$ns" delete serviceaccount packages >/dev/null
    k -n "$ns" delete rolebinding packages >/dev/null
    k -n "$ns" delete pm "$p-app" --wait=false >/dev/null
    wait_gone pm "$p-app"
    wait_event "$p-app" . 'orphan|left|remain'
}

test_the_namespace_of_a_tenant_can_be_deleted() {
    { config a; workload app; printf -- '---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n'; } |
        package "$p-app" 1.0.0 namespace=
    tenant admin
    repository
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_ready "$p-app"
    k delete namespace "$ns" --wait=false >/dev/null
    wait_gone namespace "$ns" "" 60
}

test_the_namespace_of_a_tenant_with_dependencies_can_be_deleted() {
    config base | package "$p-base" 1.0.0 namespace=default
    config a | package "$p-app" 1.0.0 dep="$p-base"
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    k delete namespace "$ns" --wait=false >/dev/null
    wait_gone namespace "$ns" "" 60
    wait_gone pm "$p-base" davit-system
    wait_gone configmap base default
}

test_a_repository_serves_the_namespaces_it_selects() {
    for_tenant
    repository "$repo" '{"namespaceSelector": {"matchLabels": {"davit-test": "may"}}}'
    wait_repository "$repo" ready
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_held "$p-app" 'PackageNotFound|RepositoryNotAllowed' "$p-app"
    install "$p-cluster" "{\"targetNamespace\": \"$ns\", \"repository\": \"$repo\"}"
    wait_held "$p-cluster" RepositoryNotAllowed "$repo"
    k label namespace "$ns" davit-test=may >/dev/null
    wait_ready "$p-app"
}

test_a_tenant_reads_no_secret_through_an_error() {
    for_tenant
    k -n "$ns" create secret generic hidden --from-literal=word=verysecretword >/dev/null
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: bad}\nstringData: {word: anothersecretword}\nfoo: thirdsecretword\n' |
        package "$p-secret" 1.0.0 namespace=
    sync
    install "$p-secret" "{\"targetNamespace\": \"$ns\"}"
    wait_held "$p-secret" . bad
    pm "$p-secret" | jq -e 'tostring | test("secretword") | not' >/dev/null
    if grep -q secretword "$work/run/operator/log"; then fail "in the log"; fi
    k -n "$ns" get events -o json | jq -e 'tostring | test("secretword") | not' >/dev/null
}

test_the_operator_itself_was_refused_nothing() {
    local refused
    # But for an event that came when its namespace was on its way out.
    refused=$(audit_since 0 '.responseStatus.code == 403 and .impersonatedUser == null and (.responseStatus.message | test("is being terminated") | not)')
    [ -z "$refused" ] || fail "$refused"
}

run_tests
