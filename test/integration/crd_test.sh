#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the API server itself accepts and refuses, by the schemas and rules of crds/.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

setup_file() {
    start_cluster
    apply -f "$root/deploy/base"
    k wait --for=condition=Established crd --all --timeout=20s >/dev/null
}

# as_pm SPEC, as_repository SPEC: print an object with this spec (JSON).
as_pm() { jq -n --argjson spec "$1" '{apiVersion: "davit.dev/v1alpha1", kind: "PackageManifest", metadata: {name: "a", namespace: "default"}, spec: $spec}'; }
as_repository() { jq -n --argjson spec "$1" '{apiVersion: "davit.dev/v1alpha1", kind: "PackageRepository", metadata: {name: "a"}, spec: $spec}'; }

accepted() { k create --dry-run=server -f - >/dev/null; }
# refused REGEX: the server says no, in words that fit.
refused() {
    local answer
    if answer=$(k create --dry-run=server -f - 2>&1); then fail "accepted, though it should be refused for: $1"; fi
    grep -qE -- "$1" <<<"$answer" || fail "refused, but for: $answer"
}

test_an_empty_spec_gets_every_default() {
    k create -f - >/dev/null <<<'{"apiVersion": "davit.dev/v1alpha1", "kind": "PackageManifest", "metadata": {"name": "bare", "namespace": "default"}}'
    k get pm bare -o json | jq -e '.spec == {upgradePolicy: "Manual", driftPolicy: "Correct", conflictPolicy: "Force", adoptionPolicy: "Refuse",
        deletionPolicy: "Delete", interval: "10m", timeout: "5m", suspend: false}' >/dev/null
    k delete pm bare >/dev/null
    k create -f - >/dev/null < <(as_repository '{"url": "https://packages.example.com/"}')
    k get pkgrepo a -o json | jq -e '.spec == {url: "https://packages.example.com/", type: "Glasskube", priority: 0, interval: "10m", timeout: "1m",
        insecure: false, suspend: false}' >/dev/null
    k delete pkgrepo a >/dev/null
}

test_manifest_excludes_package_version_and_repository() {
    as_pm '{"manifest": {"name": "x", "anything": [1, {"goes": true}]}}' | accepted
    as_pm '{"manifest": {"name": "x"}, "package": "", "version": "", "repository": ""}' | accepted
    local field
    for field in package version repository; do
        as_pm "{\"manifest\": {\"name\": \"x\"}, \"$field\": \"x\"}" | refused 'manifest is the package itself'
    done
}

test_what_manifest_holds_is_kept() {
    k create -f - >/dev/null < <(as_pm '{"manifest": {"name": "x", "anything": [1, {"goes": true}]}}')
    k get pm a -o json | jq -e '.spec.manifest.anything == [1, {goes: true}]' >/dev/null
    k delete pm a >/dev/null
}

test_inline_or_by_reference_can_not_change() {
    k create -f - >/dev/null < <(as_pm '{"package": "x"}')
    if k patch pm a --type merge -p '{"spec": {"package": null, "manifest": {"name": "x"}}}' 2>"$work/answer"; then fail "accepted"; fi
    grep -q 'stays inline .* or by reference' "$work/answer"
    k patch pm a --type merge -p '{"spec": {"package": "y"}}' >/dev/null
    k delete pm a >/dev/null
}

set_status() { k patch pm a --subresource=status --type merge -p "$1" >/dev/null; }
test_the_account_can_not_change_while_objects_are_installed() {
    k create -f - >/dev/null < <(as_pm '{"serviceAccountName": "one"}')
    k patch pm a --type merge -p '{"spec": {"serviceAccountName": "two"}}' >/dev/null
    set_status '{"status": {"inventory": [{"apiVersion": "v1", "kind": "ConfigMap", "namespace": "default", "name": "x", "uid": "1"}]}}'
    local change
    for change in '"three"' null '""'; do
        if k patch pm a --type merge -p "{\"spec\": {\"serviceAccountName\": $change}}" 2>"$work/answer"; then fail "accepted: $change"; fi
        grep -q 'can.t change while objects are installed' "$work/answer"
    done
    k patch pm a --type merge -p '{"spec": {"version": "1.0.0"}}' >/dev/null
    set_status '{"status": {"inventory": []}}'
    k patch pm a --type merge -p '{"spec": {"serviceAccountName": "three"}}' >/dev/null
    k delete pm a >/dev/null
}

test_a_value_has_exactly_one_source() {
    as_pm '{"values": {"a": {"value": "1"}, "b": {"valueFrom": {"configMapRef": {"name": "c", "key": "k"}}},
        "c": {"valueFrom": {"secretRef": {"name": "c", "key": "k"}}}, "d": {"valueFrom": {"packageRef": {"name": "c", "value": "k"}}}}}' | accepted
    as_pm '{"values": {"a": {}}}' | refused 'exactly one of value and valueFrom'
    as_pm '{"values": {"a": {"value": "1", "valueFrom": {"configMapRef": {"name": "c", "key": "k"}}}}}' | refused 'exactly one of value and valueFrom'
    as_pm '{"values": {"a": {"valueFrom": {}}}}' | refused 'exactly one of configMapRef, secretRef and packageRef'
    as_pm '{"values": {"a": {"valueFrom": {"configMapRef": {"name": "c", "key": "k"}, "secretRef": {"name": "c", "key": "k"}}}}}' |
        refused 'exactly one of configMapRef, secretRef and packageRef'
    as_pm '{"values": {"a": {"valueFrom": {"configMapRef": {"name": "c"}}}}}' | refused 'configMapRef.key'
    as_pm '{"values": {"a": {"value": 1}}}' | refused 'values.a.value'
}

test_policies_are_words_of_a_list() {
    local field
    as_pm '{"upgradePolicy": "Automatic", "driftPolicy": "Report", "conflictPolicy": "Fail", "adoptionPolicy": "Adopt", "deletionPolicy": "Orphan"}' | accepted
    as_pm '{"driftPolicy": "Ignore"}' | accepted
    for field in upgradePolicy driftPolicy conflictPolicy adoptionPolicy deletionPolicy; do
        as_pm "{\"$field\": \"Perhaps\"}" | refused "spec.$field: Unsupported value"
    done
}

test_durations_are_those_of_go() {
    local good bad
    for good in 10m 1h30m 90s 1.5h 1500ms; do as_pm "{\"interval\": \"$good\", \"timeout\": \"$good\"}" | accepted; done
    for bad in 10 1d '' '10 m' -5m m; do
        as_pm "{\"interval\": \"$bad\"}" | refused 'spec.interval'
        as_repository "{\"url\": \"https://h/\", \"timeout\": \"$bad\"}" | refused 'spec.timeout'
    done
    as_pm '{"interval": "500ms"}' | refused 'between 1s and 8760h'
    as_pm '{"timeout": "25h"}' | refused 'between 1s and 24h'
    as_repository '{"url": "https://h/", "interval": "0s"}' | refused 'between 1s and 8760h'
}

test_names_are_those_of_kubernetes() {
    local field bad
    for field in package repository targetNamespace serviceAccountName; do
        as_pm "{\"$field\": \"a-b0\"}" | accepted
        as_pm "{\"$field\": \"\"}" | accepted
        for bad in ../x a/b A a_b -a 'a b'; do as_pm "{\"$field\": \"$bad\"}" | refused "spec.$field"; done
    done
    as_pm '{"targetNamespace": "a.b"}' | refused spec.targetNamespace
}

test_ignored_fields_name_a_kind_and_paths() {
    as_pm '{"ignoreFields": [{"kind": "Deployment", "group": "apps", "paths": ["/spec/replicas"]}]}' | accepted
    as_pm '{"ignoreFields": [{"kind": "Deployment", "paths": ["spec.replicas"]}]}' | refused 'paths\[0\]'
    as_pm '{"ignoreFields": [{"kind": "Deployment", "paths": []}]}' | refused paths
    as_pm '{"ignoreFields": [{"paths": ["/a"]}]}' | refused kind
}

test_an_unknown_field_is_refused_when_asked_strictly() {
    as_pm '{"pakage": "x"}' | refused 'unknown field "spec.pakage"'
}

test_a_repository_needs_a_url_it_can_use() {
    local bad
    as_repository '{"url": "https://packages.example.com/a/b"}' | accepted
    as_repository '{"url": "file:///srv/packages"}' | accepted
    as_repository '{"url": "https://packages.example.com/a@b"}' | accepted
    for bad in ftp://h/ packages.example.com https:// 'https://h/?a=b' 'https://h/#a' 'https://h/a b'; do
        as_repository "{\"url\": \"$bad\"}" | refused 'spec.url'
    done
    as_repository '{}' | refused 'spec.url'
    as_repository '{"url": "https://user:word@h/"}' | refused 'credentials belong in a Secret'
}

test_plain_http_needs_insecure() {
    as_repository '{"url": "http://h.example/"}' | refused 'needs insecure: true'
    as_repository '{"url": "http://h.example/", "insecure": false}' | refused 'needs insecure: true'
    as_repository '{"url": "http://h.example/", "insecure": true}' | accepted
}

test_a_repository_may_be_limited() {
    as_repository '{"url": "https://h/h", "packages": ["cert-*", "a?", "[a-c]x"], "priority": -5, "type": "Marketplace", "namespaceSelector":
        {"matchLabels": {"team": "a"}, "matchExpressions": [{"key": "x", "operator": "In", "values": ["1"]}, {"key": "y", "operator": "Exists"}]}}' | accepted
    as_repository '{"url": "https://h/h", "packages": ["a/b"]}' | refused 'packages\[0\]'
    as_repository '{"url": "https://h/h", "type": "Other"}' | refused spec.type
    as_repository '{"url": "https://h/h", "priority": 3000000000}' | refused priority
    as_repository '{"url": "https://h/h", "namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "In"}]}}' | refused 'need values'
    as_repository '{"url": "https://h/h", "namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "Exists", "values": ["1"]}]}}' | refused 'have none'
}

test_every_field_has_a_description() {
    local missing
    missing=$(k get crd packagemanifests.davit.dev packagerepositories.davit.dev -o json | jq -r '.items[] | .spec.names.kind as $kind |
        .spec.versions[].schema.openAPIV3Schema | [paths(type == "object" and (.type | type) == "string")] as $at | . as $schema | $at[] | . as $path |
        select($schema | getpath($path) | has("description") | not) | select($path != ["properties", "metadata"]) | "\($kind) \($path | join("."))"')
    [ -z "$missing" ] || fail "no description: $missing"
}

test_kubectl_shows_what_matters() {
    k create -f - >/dev/null < <(as_pm '{"package": "x", "version": "^1"}')
    set_status '{"status": {"version": "1.2.3", "conditions": [{"type": "Ready", "status": "True", "reason": "Installed", "message": "all is well",
        "lastTransitionTime": "2020-01-01T00:00:00Z"}]}}'
    k get pm | grep -qE '^NAME +VERSION +READY +AGE +STATUS'
    k get packages | grep -qE '^packagemanifest.davit.dev/a +1.2.3 +True +[0-9]+s +all is well|^a +1.2.3 +True +[0-9]+s +all is well'
    k get pm -o wide | grep -q '\^1'
    k delete pm a >/dev/null
}

test_what_is_made_from_the_crds_is_up_to_date() { "$root/hack/manifests.sh" --check; }

run_tests
