#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Whose an object is, who changed it, and what becomes of it in the end.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
TEST_LIMIT=200

one_version() {
    { config a text=one; workload app; } | package "$p-app" 1.0.0
    tenant
    repository
}

test_two_packages_never_share_an_object() {
    config shared text=first | package "$p-first" 1.0.0
    { config shared text=second; config own; } | package "$p-second" 1.0.0
    tenant
    repository
    install "$p-first"
    wait_ready "$p-first"
    install "$p-second"
    wait_held "$p-second" . "shared.*$p-first|$p-first.*shared"
    data_is shared text first
    wait_event "$p-second" . "$p-first"
    pm_is "$p-first" ready
    # Deleting the second takes nothing from the first.
    uninstall "$p-second"
    data_is shared text first
}

test_what_exists_already_is_refused() {
    one_version
    k -n "$ns" create configmap a --from-literal=text=theirs >/dev/null
    install "$p-app"
    wait_held "$p-app" . 'ConfigMap.*a'
    data_is a text theirs
    uninstall "$p-app"
    data_is a text theirs
}

test_what_exists_already_is_adopted_when_asked_and_stays_in_the_end() {
    one_version
    k -n "$ns" create configmap a --from-literal=text=theirs >/dev/null
    install "$p-app" '{"adoptionPolicy": "Adopt"}'
    wait_ready "$p-app"
    data_is a text one
    pm_is "$p-app" 'any(.status.inventory[]; .name == "a" and .adopted == true) and any(.status.inventory[]; .name == "app" and .adopted != true)'
    uninstall "$p-app"
    exists configmap a
    gone deployment app
    k -n "$ns" get configmap a -o json | jq -e '.metadata.labels["davit.dev/owner"] == null' >/dev/null
}

test_a_changed_object_is_put_back() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" patch configmap a --type merge -p '{"data": {"text": "drifted"}}' >/dev/null
    wait_for 5 "the old text" data_is a text one
    k -n "$ns" patch deployment app --type merge -p '{"spec": {"replicas": 3}}' >/dev/null
    wait_for 5 "one replica" deployment_has 1
    wait_event "$p-app" . 'a|app'
}
deployment_has() { [ "$(k -n "$ns" get deployment app -o 'jsonpath={.spec.replicas}')" = "$1" ]; }

test_a_status_of_others_is_no_drift() {
    { claim; workload app; printf -- '---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: quota}\nspec: {hard: {pods: "5"}}\n'
      printf -- '---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: app}\nspec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: app}}\n'; } |
        package "$p-app" 1.0.0
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    # What the controllers of these kinds write, written once more.
    k -n "$ns" patch resourcequota quota --subresource=status --type merge -p '{"status": {"used": {"pods": "3"}}}' >/dev/null
    k -n "$ns" patch hpa app --subresource=status --type merge -p '{"status": {"currentReplicas": 1, "desiredReplicas": 2}}' >/dev/null
    always 4 "nothing was set back" not has_event "$p-app" Drift .
    k -n "$ns" annotate pm "$p-app" davit.dev/allow-data-loss=true >/dev/null
}

test_a_deleted_object_comes_back() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" delete configmap a >/dev/null
    wait_for 5 "the object" data_is a text one
    k -n "$ns" delete deployment app >/dev/null
    wait_for 5 "the Deployment" exists deployment app
    wait_ready "$p-app"
}

test_what_others_add_is_left_alone() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" patch configmap a --type merge -p '{"data": {"theirs": "stays"}, "metadata": {"annotations": {"theirs": "stays"}}}' >/dev/null
    k -n "$ns" annotate pm "$p-app" davit.dev/requestedAt=1 >/dev/null
    wait_pm "$p-app" '.status.lastHandledReconcileAt == "1"'
    data_is a theirs stays
}

test_drift_is_only_reported_when_asked() {
    one_version
    install "$p-app" '{"driftPolicy": "Report"}'
    wait_ready "$p-app"
    k -n "$ns" patch configmap a --type merge -p '{"data": {"text": "drifted"}}' >/dev/null
    wait_event "$p-app" Drift '\ba\b'
    data_is a text drifted
}

test_drift_is_ignored_when_asked() {
    one_version
    install "$p-app" '{"driftPolicy": "Ignore"}'
    wait_ready "$p-app"
    k -n "$ns" patch configmap a --type merge -p '{"data": {"text": "drifted"}}' >/dev/null
    always 3 "the drifted text" data_is a text drifted
    not has_event "$p-app" Drift .
}

test_a_rival_is_named_and_not_fought_for_ever() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    local i mark count
    mark=$(audit_mark)
    for i in $(seq 40); do
        k -n "$ns" patch configmap a --type merge --field-manager=rival -p "{\"data\": {\"text\": \"rival$i\"}}" >/dev/null
        sleep 0.2
    done
    wait_event "$p-app" . rival
    count=$(audit_count "$mark" '.verb == "patch" and .objectRef.resource == "configmaps"')
    [ "$count" -le 20 ] || fail "$count corrections against 40 changes"
}

test_replicas_under_an_autoscaler_are_the_autoscalers() {
    { workload app 1; cat <<END; } | package "$p-app" 1.0.0
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: app}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: app}
  minReplicas: 1
  maxReplicas: 5
END
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" scale deployment app --replicas=4 >/dev/null
    always 3 "four replicas" deployment_has 4
}

test_ignored_fields_are_left_to_others() {
    one_version
    install "$p-app" '{"ignoreFields": [{"group": "apps", "kind": "Deployment", "name": "app", "paths": ["/spec/replicas"]}, {"kind": "ConfigMap", "paths": ["/data/text"]}]}'
    wait_ready "$p-app"
    k -n "$ns" scale deployment app --replicas=2 >/dev/null
    k -n "$ns" patch configmap a --type merge -p '{"data": {"text": "theirs"}}' >/dev/null
    always 2 "what others set" deployment_has 2
    data_is a text theirs
    data_is a made-by test
    k -n "$ns" patch configmap a --type merge -p '{"data": {"made-by": "drift"}}' >/dev/null
    wait_for 5 "the field that is not ignored" data_is a made-by test
    data_is a text theirs
}

test_a_label_that_was_taken_off_is_put_back() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" label configmap a davit.dev/owner- >/dev/null
    wait_for 10 "the label" label_is_there
    wait_ready "$p-app"
}
label_is_there() { k -n "$ns" get configmap a -o json | jq -e '.metadata.labels["davit.dev/owner"] != null'; }

test_a_conflict_is_forced_by_default_and_the_other_named() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    config a text=two | package "$p-app" 1.1.0
    config a text=rival | k apply --server-side --force-conflicts --field-manager=rival -n "$ns" -f - >/dev/null
    wait_for 5 "our text" data_is a text one
    wait_event "$p-app" . rival
}

test_a_conflict_holds_the_run_when_asked() {
    one_version
    install "$p-app" '{"conflictPolicy": "Fail", "driftPolicy": "Ignore"}'
    wait_ready "$p-app"
    config a text=rival | k apply --server-side --force-conflicts --field-manager=rival -n "$ns" -f - >/dev/null
    config a text=two | package "$p-app" 1.1.0
    sync
    patch_pm "$p-app" '{"spec": {"version": "1.1.0"}}'
    wait_held "$p-app" . rival
    data_is a text rival
}

test_suspend_stops_everything_but_deletion() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    patch_pm "$p-app" '{"spec": {"suspend": true}}'
    sleep 1
    k -n "$ns" delete configmap a >/dev/null
    config a text=two | package "$p-app" 2.0.0
    sync
    always 3 "nothing is done" gone configmap a
    pm_is "$p-app" '.status.version == "1.0.0"'
    patch_pm "$p-app" '{"spec": {"suspend": false}}'
    wait_exists configmap a
    patch_pm "$p-app" '{"spec": {"suspend": true}}'
    uninstall "$p-app"
    gone configmap a
    gone deployment app
}

test_orphan_leaves_the_objects() {
    one_version
    install "$p-app" '{"deletionPolicy": "Orphan"}'
    wait_ready "$p-app"
    local uid
    uid=$(uid_of deployment app)
    uninstall "$p-app"
    [ "$(uid_of deployment app)" = "$uid" ]
    data_is a text one
    k -n "$ns" get configmap a -o json | jq -e '.metadata.labels["davit.dev/owner"] == null' >/dev/null
}

test_uninstall_goes_in_reverse_order() {
    package "$p-app" 1.0.0 <<END
apiVersion: v1
kind: Namespace
metadata: {name: $ns-own}
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
---
apiVersion: $p.example.davit.dev/v1
kind: Thing
metadata: {name: one, namespace: $ns-own}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: $ns-own}
END
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    uninstall "$p-app"
    wait_gone namespace "$ns-own"
    audit_sync
    local order
    order=$(jq -r --arg user "$operator_user" --arg p "$p" 'select(.user.username == $user and .verb == "delete" and
        (.requestURI | test($p)) and (.objectRef.resource | IN("packagemanifests", "secrets") | not)) | .objectRef.resource' "$audit_log" | paste -sd ' ')
    if ! grep -qE 'things.* (customresourcedefinitions|namespaces)' <<<"$order" || ! grep -qE 'serviceaccounts.* namespaces' <<<"$order"; then
        fail "deleted in the order: $order"
    fi
}

test_a_finalizer_that_blocks_is_named() {
    stuck_by_a_finalizer
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" delete pm "$p-app" --wait=false >/dev/null
    wait_pm "$p-app" 'any(.status.conditions[]; .message | test("example.davit.dev/wait"))'
    k -n "$ns" patch configmap stuck --type merge -p '{"metadata": {"finalizers": null}}' >/dev/null
    wait_gone pm "$p-app"
    gone configmap stuck
}
stuck_by_a_finalizer() {
    { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: stuck, finalizers: [example.davit.dev/wait]}\n'; config a; } | package "$p-app" 1.0.0
    tenant
    repository
}

test_a_deletion_ends_though_a_finalizer_blocks() {
    stuck_by_a_finalizer
    install "$p-app" '{"timeout": "4s"}'
    wait_ready "$p-app"
    k -n "$ns" delete pm "$p-app" --wait=false >/dev/null
    wait_gone pm "$p-app"
    wait_event "$p-app" Orphaned stuck
    gone configmap a
    k -n "$ns" patch configmap stuck --type merge -p '{"metadata": {"finalizers": null}}' >/dev/null
}

claim() { printf -- '---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n'; }

test_a_claim_is_never_pruned_unless_released() {
    { config a; claim; } | package "$p-app" 1.0.0
    config a | package "$p-app" 1.1.0
    tenant
    repository
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app"
    install "$p-app" '{"version": "1.1.0"}'
    wait_held "$p-app" DataWouldBeLost data
    exists pvc data
    k -n "$ns" annotate pm "$p-app" davit.dev/allow-data-loss=true >/dev/null
    wait_gone pvc data
    wait_ready "$p-app" 1.1.0
}

test_a_claim_holds_an_uninstall_until_released() {
    { config a; claim; } | package "$p-app" 1.0.0
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" delete pm "$p-app" --wait=false >/dev/null
    wait_pm "$p-app" 'any(.status.conditions[]; .reason == "DataWouldBeLost" and (.message | test("data")))'
    [ -z "$(k -n "$ns" get pvc data -o 'jsonpath={.metadata.deletionTimestamp}')" ]
    k -n "$ns" annotate pm "$p-app" davit.dev/allow-data-loss=true >/dev/null
    wait_gone pm "$p-app"
    wait_gone pvc data
}

test_a_crd_with_resources_of_others_stays() {
    package "$p-app" 1.0.0 <<END
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
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    printf 'apiVersion: %s.example.davit.dev/v1\nkind: Thing\nmetadata: {name: mine, namespace: %s}\n' "$p" "$ns" | k create -f - >/dev/null
    k -n "$ns" delete pm "$p-app" --wait=false >/dev/null
    wait_pm "$p-app" 'any(.status.conditions[]; .reason == "DataWouldBeLost" and (.message | test("mine|things")))'
    exists "things.$p.example.davit.dev" mine
    k -n "$ns" delete "things.$p.example.davit.dev" mine >/dev/null
    # Asked for, unless it has looked again by itself and is gone.
    k -n "$ns" annotate pm "$p-app" davit.dev/requestedAt=again >/dev/null 2>&1 || gone pm "$p-app"
    wait_gone pm "$p-app"
    wait_for "$WAIT" "the CRD to be gone" gone crd "things.$p.example.davit.dev"
}

test_a_namespace_with_objects_of_others_stays() {
    config a | package "$p-app" 1.0.0 namespace="$ns-own"
    tenant
    repository
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns-own" create configmap theirs >/dev/null
    k -n "$ns" delete pm "$p-app" --wait=false >/dev/null
    wait_pm "$p-app" 'any(.status.conditions[]; .reason == "DataWouldBeLost" and (.message | test("theirs|own")))'
    exists configmap theirs "$ns-own"
    k -n "$ns" annotate pm "$p-app" davit.dev/allow-data-loss=true >/dev/null
    wait_gone pm "$p-app"
    wait_gone namespace "$ns-own"
}

test_a_namespace_that_somebody_deleted_comes_back_and_goes_in_the_end() {
    config a text=one | package "$p-app" 1.0.0 namespace="$ns-own"
    tenant
    repository
    k create namespace "$ns-own" >/dev/null
    install "$p-app"
    wait_ready "$p-app"
    pm_is "$p-app" 'all(.status.inventory[]; .kind != "Namespace")'
    k delete namespace "$ns-own" --wait=false >/dev/null
    wait_for "$WAIT" "the namespace and its object" there_again
    wait_ready "$p-app"
    pm_is "$p-app" 'any(.status.inventory[]; .kind == "Namespace" and .uid != "")'
    uninstall "$p-app"
    wait_gone namespace "$ns-own"
}
there_again() { k get namespace "$ns-own" -o json | jq -e '.metadata.labels["davit.dev/owner"] and .metadata.deletionTimestamp == null' &&
    k -n "$ns-own" get configmap a; }

test_a_deletion_needs_no_repository() {
    one_version
    install "$p-app"
    wait_ready "$p-app"
    k delete pkgrepo "$repo" >/dev/null
    mv "$work/repositories/$repo" "$work/repositories/$repo.away"
    uninstall "$p-app"
    gone configmap a
}

test_a_deletion_before_anything_was_installed() {
    one_version
    install "$p-none"
    wait_held "$p-none" PackageNotFound .
    uninstall "$p-none"
}

test_an_object_that_was_replaced_is_not_deleted() {
    one_version
    install "$p-app" '{"driftPolicy": "Ignore"}'
    wait_ready "$p-app"
    k -n "$ns" delete configmap a >/dev/null
    k -n "$ns" create configmap a --from-literal=text=another >/dev/null
    uninstall "$p-app"
    data_is a text another
}

test_a_hundred_kinds_starve_nothing() {
    local i
    for i in $(seq 110); do
        cat <<END
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: k${i}s.$p.example.davit.dev}
spec:
  group: $p.example.davit.dev
  scope: Namespaced
  names: {kind: K$i, plural: k${i}s, singular: k$i}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: $p.example.davit.dev/v1
kind: K$i
metadata: {name: one}
END
    done | package "$p-many" 1.0.0
    config a text=one | package "$p-app" 1.0.0
    tenant
    # The watches of these kinds have to be allowed: as an administrator would.
    jq -n --arg p "$p" '{apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: {name: "many-kinds",
        labels: {"davit.dev/aggregate-to-watches": "true"}}, rules: [{apiGroups: [$p + ".example.davit.dev"], resources: ["*"], verbs: ["list", "watch"]}]}' | apply
    repository
    install "$p-many"
    wait_ready "$p-many" 1.0.0 60
    install "$p-app"
    wait_ready "$p-app"
    k -n "$ns" delete "k110s.$p.example.davit.dev" one >/dev/null
    wait_for 10 "the object of the last kind" exists "k110s.$p.example.davit.dev" one
    k -n "$ns" delete configmap a >/dev/null
    wait_for 10 "the ConfigMap" exists configmap a
    k -n "$ns" delete pm "$p-many" --wait=false >/dev/null
    wait_gone pm "$p-many" "$ns" 90
    k delete clusterrole many-kinds >/dev/null
}

run_tests
