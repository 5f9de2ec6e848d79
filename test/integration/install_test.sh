#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One package: installed, changed, taken away.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# The package $p-app in two versions: b goes, c comes, a changes, the Deployment stays.
two_versions() {
    { config a text=one; config b; workload app; } | package "$p-app" 1.0.0
    { config a text=two; config c; workload app; } | package "$p-app" 1.1.0
    tenant
    repository
}

test_install_applies_everything_and_reports_it() {
    two_versions
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    data_is a text one
    exists configmap b
    exists deployment app
    pm_is "$p-app" "is(\"Resolved\"; \"True\") and (is(\"Stalled\"; \"True\") or is(\"Reconciling\"; \"True\") | not)"
    pm_is "$p-app" ".status.repository == \"$repo\" and .status.attemptedVersion == \"1.0.0\""
    pm_is "$p-app" '[.status.inventory[] | "\(.kind)/\(.name)"] | sort == ["ConfigMap/a", "ConfigMap/b", "Deployment/app"]'
    pm_is "$p-app" '.status.inventory | all(.uid != null and .uid != "" and .namespace != null and .adopted != true)'
    pm_is "$p-app" '.status.history | length == 1 and .[0].version == "1.0.0" and .[0].outcome == "Installed"'
    pm_is "$p-app" '(.status.artifacts | length > 0) and all(.status.artifacts[]; (.sha256 | test("^[0-9a-f]{64}$")) and (.url | startswith("http")))'
    pm_is "$p-app" '.metadata.finalizers == ["davit.dev/uninstall"]'
}

test_the_digest_in_the_status_is_that_of_the_file() {
    two_versions
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app"
    local want
    want=$(sha256sum <"$work/repositories/$repo/$p-app/1.0.0/manifest.yaml" | cut -d ' ' -f 1)
    pm_is "$p-app" "any(.status.artifacts[]; .sha256 == \"$want\" and (.url | endswith(\"/$p-app/1.0.0/manifest.yaml\")))"
}

test_every_object_says_whose_it_is() {
    two_versions
    install "$p-app"
    wait_ready "$p-app"
    local owner
    owner=$(printf '%s/%s' "$ns" "$p-app" | sha256sum | cut -c 1-20)
    k -n "$ns" get configmap a -o json | jq -e --arg owner "$owner" '.metadata.labels["davit.dev/owner"] == $owner' >/dev/null
    k -n "$ns" get configmap a -o json | jq -e --arg key "$ns/$p-app" '.metadata.annotations["davit.dev/package"] | startswith($key)' >/dev/null
    k -n "$ns" get configmap a -o json --show-managed-fields | jq -e '[.metadata.managedFields[] | select(.manager == "davit") | .operation] == ["Apply"]' >/dev/null
    k -n "$ns" get configmap a -o json | jq -e '.metadata.ownerReferences == null' >/dev/null
}

test_the_newest_release_is_taken_when_none_is_named() {
    two_versions
    config a | package "$p-app" 2.0.0-beta.1
    sync
    install "$p-app"
    wait_ready "$p-app" 1.1.0
}

test_a_range_is_kept_to() {
    two_versions
    config a | package "$p-app" 2.0.0
    sync
    install "$p-app" '{"version": ">=1.0.0 <2.0.0"}'
    wait_ready "$p-app" 1.1.0
}

test_another_name_than_the_package() {
    two_versions
    install mine "{\"package\": \"$p-app\"}"
    wait_ready mine 1.1.0
    uninstall mine
    gone configmap a
}

test_upgrade_prunes_what_left_and_keeps_what_stays() {
    two_versions
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    local uid
    uid=$(uid_of deployment app)
    patch_pm "$p-app" '{"spec": {"version": "1.1.0"}}'
    wait_ready "$p-app" 1.1.0
    data_is a text two
    exists configmap c
    wait_gone configmap b
    [ "$(uid_of deployment app)" = "$uid" ]
    pm_is "$p-app" '[.status.inventory[] | "\(.kind)/\(.name)"] | sort == ["ConfigMap/a", "ConfigMap/c", "Deployment/app"]'
    pm_is "$p-app" '.status.history[0].version == "1.1.0" and .status.history[0].outcome == "Upgraded" and .status.history[1].version == "1.0.0"'
}

test_downgrade_goes_all_the_way_back() {
    two_versions
    install "$p-app" '{"version": "1.1.0"}'
    wait_ready "$p-app" 1.1.0
    patch_pm "$p-app" '{"spec": {"version": "1.0.0"}}'
    wait_ready "$p-app" 1.0.0
    data_is a text one
    exists configmap b
    wait_gone configmap c
    pm_is "$p-app" '.status.history[0].outcome == "Downgraded"'
}

test_the_history_keeps_the_last_ten() {
    two_versions
    local i
    for i in 1 2 3 4 5 6; do
        install "$p-app" '{"version": "1.0.0"}'
        wait_ready "$p-app" 1.0.0
        install "$p-app" '{"version": "1.1.0"}'
        wait_ready "$p-app" 1.1.0
    done
    pm_is "$p-app" '(.status.history | length == 10) and .status.history[0].version == "1.1.0" and .status.history[9].version == "1.0.0"'
}

test_uninstall_leaves_nothing() {
    two_versions
    install "$p-app"
    wait_ready "$p-app"
    uninstall "$p-app"
    gone configmap a
    gone configmap c
    gone deployment app
    [ -z "$(k -n "$ns" get secrets -o name)" ]
    # What it kept of it is gone too.
    k -n davit-system get secrets -o json | jq -e --arg owner "$(printf '%s/%s' "$ns" "$p-app" | sha256sum | cut -c 1-20)" \
        'all(.items[].metadata.name; contains($owner) | not)' >/dev/null
}

test_manual_stays_and_shows_what_is_newer() {
    two_versions
    install "$p-app" '{"version": "^1.0.0"}'
    wait_ready "$p-app" 1.1.0
    pm_is "$p-app" '(.status.latestVersion // "") == ""'
    { config a text=three; workload app; } | package "$p-app" 1.2.0
    sync
    wait_pm "$p-app" '.status.latestVersion == "1.2.0"'
    pm_is "$p-app" '.status.version == "1.1.0" and is("Ready"; "True")'
    data_is a text two
}

test_automatic_follows_the_range() {
    two_versions
    install "$p-app" '{"version": "^1.0.0", "upgradePolicy": "Automatic"}'
    wait_ready "$p-app" 1.1.0
    { config a text=three; workload app; } | package "$p-app" 1.2.0
    config a text=four | package "$p-app" 2.0.0
    sync
    wait_ready "$p-app" 1.2.0
    data_is a text three
    wait_gone configmap c
}

test_a_version_that_is_not_there_is_named() {
    two_versions
    install "$p-app" '{"version": "7.0.0"}'
    wait_held "$p-app" . "7.0.0"
    pm_is "$p-app" 'is("Resolved"; "False")'
    wait_event "$p-app" . "7.0.0"
    patch_pm "$p-app" '{"spec": {"version": "1.0.0"}}'
    wait_ready "$p-app" 1.0.0
}

test_a_package_that_nobody_has_is_named() {
    tenant
    config a | package "$p-app" 1.0.0
    repository
    install "$p-none"
    wait_held "$p-none" PackageNotFound "$p-none"
    config a | package "$p-none" 1.0.0
    sync
    wait_ready "$p-none" 1.0.0
}

test_a_repository_that_is_not_there_is_named() {
    two_versions
    install "$p-app" '{"repository": "nowhere"}'
    wait_held "$p-app" . nowhere
}

test_a_repository_that_comes_later_is_used() {
    tenant
    install "$p-app"
    wait_held "$p-app" PackageNotFound "$p-app"
    config a | package "$p-app" 1.0.0
    repository
    wait_ready "$p-app" 1.0.0
}

test_lists_json_and_many_documents_are_read() {
    tenant
    mkdir -p "$work/repositories/$repo/$p-app/1.0.0"
    cd "$work/repositories/$repo/$p-app/1.0.0"
    printf '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-json"}}' >one.json
    {
        printf '# only a comment\n---\n---\n'
        config first
        printf -- '---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: listed}\n'
        printf -- '- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: nested}\n    apiVersion: v1\n    kind: ConfigMap\n'
    } >many.yaml
    config absolute >elsewhere.yaml
    package "$p-app" 1.0.0 manifest=one.json manifest=./many.yaml \
        manifest="$(repository_url)/$repo/$p-app/1.0.0/elsewhere.yaml"
    repository
    install "$p-app"
    wait_ready "$p-app"
    local name
    for name in from-json first listed nested absolute; do exists configmap "$name"; done
}

test_yaml_is_read_as_kubernetes_reads_it() {
    tenant
    package "$p-app" 1.0.0 <<END
apiVersion: v1
kind: ConfigMap
metadata:
  name: text
  labels: {port: "0080"}
data:
  octal: "010"
  anchor: &a same
  alias: *a
  folded: >-
    one
    two
---
apiVersion: v1
kind: Service
metadata: {name: numbers}
spec:
  ports: [{port: 0x50, name: x}]
END
    repository
    install "$p-app"
    wait_ready "$p-app"
    data_is text octal 010
    data_is text alias same
    data_is text folded "one two"
    [ "$(k -n "$ns" get service numbers -o 'jsonpath={.spec.ports[0].port}')" = 80 ]
}

test_a_tenth_of_a_cpu_is_100m() {
    tenant
    workload app | package "$p-app" 1.0.0
    repository
    install "$p-app"
    wait_ready "$p-app"
    [ "$(k -n "$ns" get deployment app -o 'jsonpath={.spec.template.spec.containers[0].resources.requests.cpu}')" = 100m ]
}

test_the_target_namespace_wins_over_the_default() {
    tenant
    config a | package "$p-app" 1.0.0 namespace="$ns-other"
    repository
    install "$p-app" "{\"targetNamespace\": \"$ns\"}"
    wait_ready "$p-app"
    exists configmap a
    gone namespace "$ns-other"
}

test_a_default_namespace_is_made_and_goes_with_the_package() {
    tenant
    config a | package "$p-app" 1.0.0 namespace="$ns-own"
    repository
    install "$p-app"
    wait_ready "$p-app"
    exists configmap a "$ns-own"
    uninstall "$p-app"
    wait_gone namespace "$ns-own"
}

test_a_namespace_that_exists_is_used_and_stays() {
    tenant
    k create namespace "$ns-there" >/dev/null
    { printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n' "$ns-there"; config a; } | package "$p-app" 1.0.0 namespace="$ns-there"
    repository
    install "$p-app"
    wait_ready "$p-app"
    exists configmap a "$ns-there"
    uninstall "$p-app"
    gone configmap a "$ns-there"
    [ -z "$(k get namespace "$ns-there" -o 'jsonpath={.metadata.deletionTimestamp}')" ]
    k delete namespace "$ns-there" --wait=false >/dev/null
}

test_kinds_come_before_what_is_of_them() {
    tenant
    package "$p-app" 1.0.0 <<END
apiVersion: $p.example.davit.dev/v1
kind: Thing
metadata: {name: one}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: inside, namespace: $ns-later}
---
apiVersion: v1
kind: Namespace
metadata: {name: $ns-later}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.$p.example.davit.dev}
spec:
  group: $p.example.davit.dev
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
END
    repository
    install "$p-app"
    wait_ready "$p-app"
    exists "things.$p.example.davit.dev" one
    exists configmap inside "$ns-later"
    uninstall "$p-app"
    gone crd "things.$p.example.davit.dev"
}

test_ready_waits_for_the_pods() {
    tenant
    workload app 1 'devcluster.davit.dev/pod: never-ready' | package "$p-app" 1.0.0
    repository
    install "$p-app" '{"timeout": "3s"}'
    wait_pm "$p-app" 'is("Ready"; "False") and (condition("Ready").message | test("app"))'
    exists deployment app
    wait_pm "$p-app" '.status.history[0].outcome == "Failed" or is("Stalled"; "True") or (condition("Ready").reason | test("Timeout|Unhealthy|NotReady"; "i"))' 15
}

test_a_run_can_be_asked_for() {
    two_versions
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" annotate pm "$p-app" davit.dev/requestedAt=now >/dev/null
    wait_pm "$p-app" '.status.lastHandledReconcileAt == "now"'
}

test_a_package_in_the_object_itself() {
    tenant
    config a text=inline >"$work/repositories/inline.yaml"
    install "$p-inline" "{\"manifest\": {\"name\": \"$p-thing\", \"defaultNamespace\": \"$ns\", \"manifests\": [{\"url\": \"$(repository_url)/inline.yaml\"}]}}"
    wait_ready "$p-inline"
    data_is a text inline
    pm_is "$p-inline" '.status.version | test("^inline-[0-9a-f]{8}$")'
    config a text=changed >"$work/repositories/inline2.yaml"
    install "$p-inline" "{\"manifest\": {\"name\": \"$p-thing\", \"defaultNamespace\": \"$ns\", \"manifests\": [{\"url\": \"$(repository_url)/inline2.yaml\"}]}}"
    wait_for "$WAIT" "the changed text" data_is a text changed
    uninstall "$p-inline"
    gone configmap a
}

test_an_inline_package_brings_its_dependencies() {
    tenant
    config base | package "$p-base" 1.0.0
    repository
    install "$p-inline" "{\"manifest\": {\"name\": \"$p-meta\", \"dependencies\": [{\"name\": \"$p-base\", \"version\": \">=1.0.0\"}]}}"
    wait_ready "$p-inline"
    exists configmap base
}

test_an_inline_package_needs_absolute_urls() {
    tenant
    install "$p-inline" "{\"manifest\": {\"name\": \"$p-thing\", \"manifests\": [{\"url\": \"manifest.yaml\"}]}}"
    wait_held "$p-inline" . 'manifest.yaml|absolute'
}

test_what_is_not_built_yet_says_so() {
    tenant
    config a | package "$p-space" 1.0.0 scope=Namespaced
    config a | package "$p-helm" 1.0.0 extra=$'helm:\n  chartName: x\n  chartVersion: 1.0.0\n  repositoryUrl: https://charts.example.com/'
    repository
    install "$p-space"
    install "$p-helm"
    wait_held "$p-space" ScopeNotSupported Namespaced
    wait_held "$p-helm" HelmNotSupported helm
}

test_a_quiet_package_asks_for_nothing() {
    two_versions
    install "$p-app" '{"interval": "1s"}'
    wait_ready "$p-app"
    wait_quiet
    asked_nothing 5 || fail "it asks for something every second"
}

test_a_package_takes_few_requests() {
    tenant
    { for i in 1 2 3 4 5; do config "c$i"; done; workload app 0
      printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec: {ports: [{port: 80}]}\n'; } |
        package "$p-app" 1.0.0 namespace="$ns-eight"
    repository
    wait_repository "$repo" ready
    local mark count of_a_package='(.verb | IN("watch", "list") | not) and (.objectRef.resource | IN("leases", "selfsubjectaccessreviews") | not)'
    mark=$(audit_mark)
    install "$p-app"
    wait_ready "$p-app"
    wait_quiet
    # What is asked once for a kind, not for a package, does not count.
    count=$(audit_count "$mark" "$of_a_package")
    [ "$count" -le 13 ] || fail "$count requests: $(audit_since "$mark" "$of_a_package" | jq -r '"\(.verb) \(.objectRef.resource)/\(.objectRef.subresource // "")"' | sort | uniq -c)"
}

test_a_nul_in_somebodys_text_stops_nothing() {
    two_versions
    install "$p-app"
    wait_ready "$p-app"
    printf '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nul", "namespace": "%s", "labels": {"davit.dev/owner": "somebody"}, "annotations": {"text": "a\\u0000b"}}, "data": {"text": "a\\u0000b"}}' "$ns" |
        k create -f - >/dev/null
    k -n "$ns" delete configmap a >/dev/null
    wait_exists configmap a
    k -n "$ns" delete configmap nul >/dev/null
}

test_metrics_tell_what_was_done() {
    two_versions
    install "$p-app"
    wait_ready "$p-app"
    metric 'davit_reconcile' | grep -q .
    metric process_resident_memory_bytes | grep -q .
}

test_the_log_is_json() {
    jq -es 'all(type == "object" and has("msg"))' "$work/run/operator/log" >/dev/null
}

# The cluster is not kept in memory: of what people have, only what packages own is listed and watched.
test_only_what_is_owned_is_watched() {
    local all wide
    all=$(audit_since 0 '(.verb | IN("list", "watch")) and (.objectRef.resource | IN("secrets", "configmaps", "services", "deployments")) and
        .objectRef.namespace == null' | jq -r '"\(.verb) \(.requestURI)"' | sort -u)
    grep -q configmaps <<<"$all"
    wide=$(grep -v 'labelSelector=davit.dev%2Fowner' <<<"$all" || true)
    [ -z "$wide" ] || fail "it reads what is not its own: $wide"
}

test_nothing_was_forbidden() { assert_no_403; }

run_tests
