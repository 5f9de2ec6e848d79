#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What deploy/ holds: it can be applied and deleted, allows what is needed, and no more.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

WAIT=60
TEST_LIMIT=180
setup_file() {
    start_cluster
    install_api
    start_repository
    start_operator operator --leader-elect
}

test_everything_is_accepted() {
    apply -f "$root/deploy/base" -f "$root/deploy" -f "$root/deploy/optional"
    k -n davit-system rollout status deployment davit-controller --timeout=30s >/dev/null
    apply -f "$root/deploy/samples/packagerepository.yaml" -f "$root/deploy/samples/inline.yaml" --dry-run=server
    k delete -f "$root/deploy/deployment.yaml" -f "$root/deploy/optional/rbac-cluster-admin.yaml" >/dev/null
}

test_the_flags_of_the_deployment_are_known_to_the_operator() {
    local flag
    "$DAVIT_BIN" --help >"$work/help"
    for flag in $(k create --dry-run=client -f "$root/deploy/deployment.yaml" -o json | jq -r '.spec.template.spec.containers[0].args[] | sub("=.*"; "")'); do
        grep -qF -- "$flag" "$work/help" || fail "$flag is not in --help"
    done
    "$DAVIT_BIN" --version | grep -q .
}

test_the_restricted_set_allows_no_more_than_it_says() {
    local who=(--as="$operator_user") rule
    may() { [ "$(k auth can-i "${who[@]}" "$@" 2>/dev/null || true)" = yes ]; }
    for rule in "list secrets -A" "get secrets -n default" "get pods -A" "list pods -A" "create pods -n davit-system" "create deployments.apps -A" "delete configmaps -A" \
        "patch configmaps -A" "patch namespaces" "create packagemanifests.davit.dev -A" "delete packagemanifests.davit.dev -n default" "create secrets -n default" "create clusterrolebindings" \
        "patch clusterroles" "bind clusterroles" "escalate clusterroles" "impersonate users" "impersonate groups" "create serviceaccounts/token -A" "get leases -n default" \
        "patch packagerepositories.davit.dev" "get nodes"; do
        # shellcheck disable=SC2086  # words
        if may $rule; then fail "the operator may: $rule"; fi
    done
    for rule in "list packagemanifests.davit.dev -A" "patch packagemanifests.davit.dev/status -A" "impersonate serviceaccounts -n default" "watch deployments.apps -A" \
        "get secrets -n davit-system" "update leases -n davit-system"; do
        # shellcheck disable=SC2086
        may $rule || fail "the operator may not: $rule"
    done
}

# A package with one object of each kind whose drift the restricted set lets the operator see.
one_of_each() {
    cat <<END
apiVersion: v1
kind: Namespace
metadata: {name: $ns-each}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
---
{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}], selector: {app: a}}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, spec: {hard: {pods: "50"}}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: a}, spec: {limits: [{type: Pod, max: {cpu: "100"}}]}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}, spec: {selector: {matchLabels: {app: d}}, template: {metadata: {labels: {app: d}}, spec: {containers: [{name: a, image: none, resources: {limits: {cpu: 0.1}}}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {serviceName: a, selector: {matchLabels: {app: s}}, template: {metadata: {labels: {app: s}}, spec: {containers: [{name: a, image: none, resources: {limits: {cpu: 0.1}}}]}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: none, resources: {limits: {cpu: 0.1}}}]}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: none, resources: {limits: {cpu: 0.1}}}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: none}]}}}}}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: $p}, spec: {controller: example.davit.dev/none}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {podSelector: {}}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: a}}}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}, rules: []}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}, subjects: []}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: $p}, rules: []}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: $p}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: $p}, subjects: []}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: $p}, value: 1}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: $p}, provisioner: example.davit.dev/none}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: $p}, webhooks: []}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: $p}, webhooks: []}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: eaches.$p.example.davit.dev}
spec:
  group: $p.example.davit.dev
  scope: Namespaced
  names: {kind: Each, plural: eaches, singular: each}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
---
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v7.$p.example.davit.dev, labels: {kube-aggregator.kubernetes.io/automanaged: "false"}}, spec: {group: $p.example.davit.dev, version: v7, groupPriorityMinimum: 1000, versionPriority: 1}}
END
}

# Prints "group/resource verb", with "@davit-system" behind what is allowed there only, for every permission of the set.
permissions() {
    k get clusterrole davit-controller davit-controller-watches -o json | jq -r '.items[].rules[] |
        .apiGroups[] as $g | .resources[] as $r | .verbs[] | "\($g)/\($r) \(.)"'
    k -n davit-system get role davit-controller -o json | jq -r '.rules[] | .apiGroups[] as $g | .resources[] as $r | .verbs[] | "\($g)/\($r) \(.)"'
}
# Prints the same for what the operator asked for as itself.
used() {
    audit_sync
    jq -r --arg user "$operator_user" 'select(.user.username == $user and .objectRef != null) |
        if .impersonatedUser != null then "/serviceaccounts impersonate" else
        # An apply that makes the object needs the verb create too.
        "\(.objectRef.apiGroup // "")/\(.objectRef.resource)\(if .objectRef.subresource then "/" + .objectRef.subresource else "" end) \(
        if .verb == "patch" and .responseStatus.code == 201 then "patch", "create" else .verb end)" end' "$audit_log" | sort -u
}

test_every_rule_of_the_restricted_set_is_used() {
    local turn unused
    one_of_each | package "$p-each" 1.0.0 namespace="$ns-each" dep="$p-base"
    config base | package "$p-base" 1.0.0
    tenant
    k -n davit-system create secret generic "$p" --from-literal=username=a --from-literal=password=b >/dev/null
    repository "$repo" "{\"secretRef\": {\"name\": \"$p\"}}"
    install "$p-each"
    wait_ready "$p-each" 1.0.0 60
    # A change of what is watched is put back. The event that says the same a minute later is counted in the one that is there.
    for turn in 1 2; do
        k patch clusterrole "$p" --type merge -p '{"rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]}' >/dev/null
        wait_for 10 "the old rules" clusterrole_is_empty
        [ $turn = 2 ] || sleep 62
    done
    sleep 1
    k -n "$ns" annotate pm "$p-each" davit.dev/allow-data-loss=true >/dev/null
    uninstall "$p-each"
    wait_gone pm "$p-base" davit-system
    restart_operator operator TERM --leader-elect
    k -n davit-system delete secret "$p" >/dev/null
    unused=$(comm -23 <(permissions | sort -u) <(used))
    [ -z "$unused" ] || fail "never used: $(paste -sd ';' <<<"$unused")"
    assert_no_403
}
clusterrole_is_empty() { k get clusterrole "$p" -o json | jq -e '(.rules // []) == []'; }

test_a_kind_that_may_not_be_watched_is_said_and_looked_at_in_its_interval() {
    local refused mark
    printf 'apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: unwatched}\nspec: {leaseDurationSeconds: 7}\n' | package "$p-app" 1.0.0
    tenant
    repository
    mark=$(audit_mark)
    install "$p-app" '{"interval": "3s"}'
    wait_ready "$p-app"
    wait_pm "$p-app" 'any(.status.conditions[]; .message | test("lease|watch|interval"; "i"))'
    k -n "$ns" patch lease unwatched --type merge -p '{"spec": {"leaseDurationSeconds": 9}}' >/dev/null
    wait_for 15 "the old value" lease_is 7
}
lease_is() { [ "$(k -n "$ns" get lease unwatched -o 'jsonpath={.spec.leaseDurationSeconds}')" = "$1" ]; }

test_the_samples_become_ready() {
    cp -R "$root/deploy/samples/repository" "$work/repositories/samples"
    repository "$repo-samples" '{"url": "'"$(repository_url)/samples"'"}'
    apply -f "$root/deploy/samples/packages.yaml" -f "$root/deploy/samples/inline.yaml"
    local name
    for name in shop greeter nightly-report our-widgets everything; do wait_ready "davit-system/$name" "" 60; done
    pm_is davit-system/shop '.status.version == "v1.1.0"'
    exists deployment shop shop
    exists statefulset database shop-data
    exists widgets.example.davit.dev first widgets
    exists configmap motd motd
    for name in shop-database cluster-defaults motd; do pm_is "davit-system/$name" '.metadata.annotations["davit.dev/installed-as-dependency"] == "true"'; done
    # A tenant's account gets what is its own, and no namespace.
    apply -f "$root/deploy/samples/tenant.yaml"
    wait_ready team-a/notes
    wait_pm team-a/network-baseline 'is("Ready"; "False") and (condition("Ready").message | test("namespaces"))'
    k delete -f "$root/deploy/samples/tenant.yaml" --wait=false >/dev/null
    k delete -f "$root/deploy/samples/packages.yaml" -f "$root/deploy/samples/inline.yaml" --timeout=60s >/dev/null
    for name in shop-database cluster-defaults motd; do wait_gone pm "$name" davit-system; done
    wait_gone namespace shop-data
    gone priorityclass shop-data
}

test_deleting_deploy_does_not_hang_and_takes_no_package_away() {
    { config a; workload app; } | package "$p-app" 1.0.0
    config base | package "$p-base" 1.0.0
    config b | package "$p-bpp" 1.0.0 dep="$p-base"
    tenant
    repository
    install "$p-app"
    install "$p-bpp"
    wait_ready "$p-app"
    wait_ready "$p-bpp"
    apply -f "$root/deploy"
    timeout 30 "$kubectl" --kubeconfig "$kubeconfig" --cache-dir "$work/kubectl" delete -f "$root/deploy/" >/dev/null || fail "it hangs"
    end operator KILL
    exists configmap a
    exists configmap b
    pm_is "$p-app" 'is("Ready"; "True")'
    # Applied again, all goes on.
    install_api
    start_operator operator --leader-elect
    wait_ready "$p-app"
    k -n "$ns" delete configmap a >/dev/null
    wait_exists configmap a
    uninstall "$p-app" "$p-bpp"
    gone configmap a
}

test_deleting_the_crds_uninstalls_everything() {
    { config a; workload app; } | package "$p-app" 1.0.0
    config base | package "$p-base" 1.0.0
    config b | package "$p-bpp" 1.0.0 dep="$p-base"
    tenant
    repository
    install "$p-app"
    install "$p-bpp"
    wait_ready "$p-app"
    wait_ready "$p-bpp"
    k delete -f "$root/deploy/base/crds.yaml" --timeout=60s >/dev/null || fail "it hangs"
    wait_gone configmap a
    wait_gone configmap base
    runs operator || true
    # Whole again for what follows.
    install_api
    if ! runs operator; then start_operator operator --leader-elect; fi
    config c | package "$p-cpp" 1.0.0
    repository
    install "$p-cpp"
    wait_ready "$p-cpp" 1.0.0 90
}

# What a test that failed left of the samples.
before_clean_up() {
    k -n davit-system delete pm --all --wait=false >/dev/null
    wait_for 20 "the packages of davit-system to go" no_packages_of_ours
}
no_packages_of_ours() { [ -z "$(k -n davit-system get pm -o name)" ]; }

run_tests
