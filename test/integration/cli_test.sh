#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The command line on a real cluster: what it tells is what is there, and what it plans is what then happens.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

DAVIT=$(dirname "$DAVIT_BIN")/davit

setup_file() {
    local status=0
    start_cluster
    davit tree >/dev/null 2>"$work/bare.err" || status=$?
    printf '%s' $status >"$work/bare.status"
    install_api
    start_repository
    start_operator
}

# davit COMMAND…: as the cluster's administrator, or with KUBECONFIG_OF as another.
davit() { "$DAVIT" "$@" --kubeconfig "${KUBECONFIG_OF:-$kubeconfig}"; }
# look COMMAND…: one that reads repositories.
look() { davit "$@" --allow-cidr=127.0.0.0/8 --cache-dir="$work/cli-cache"; }
# status_of EXPECTED COMMAND…: runs it; its output is in $out and $err.
status_of() {
    local want=$1 status=0
    shift
    "$@" >"$work/cli.out" 2>"$work/cli.err" || status=$?
    out=$(cat "$work/cli.out") err=$(cat "$work/cli.err")
    [ $status = "$want" ] || fail "status $status, not $want: $*"$'\n'"$out"$'\n'"$err"
}
says() { [[ $out == *"$1"* ]] || fail "not said: $1"$'\n'"$out"; }
says_not() { [[ $out != *"$1"* ]] || fail "said: $1"$'\n'"$out"; }
err_says() { [[ $err == *"$1"* ]] || fail "no such error: $1"$'\n'"$err"; }
# wish NAME [SPEC] >FILE: a PackageManifest as a person writes it.
wish() {
    local where=$ns name=$1 spec=${2:-'{}'}
    [[ $name != */* ]] || where=${name%%/*} name=${name#*/}
    jq -n --arg ns "$where" --arg name "$name" --argjson spec "$spec" '{apiVersion: "davit.dev/v1alpha1",
        kind: "PackageManifest", metadata: {name: $name, namespace: $ns}, spec: ({serviceAccountName: "packages"} + $spec)}'
}
# planned JQ: is it so in the plan that was printed last, of -o json?
planned() { jq -e "$1" <<<"$out" >/dev/null || fail "not planned: $1"$'\n'"$out"; }

# top needs middle, middle needs base.
chain() {
    config base text=one | package "$p-base" 1.0.0
    config base text=two | package "$p-base" 1.1.0
    config base text=three | package "$p-base" 2.0.0
    config middle | package "$p-middle" 1.0.0 dep="$p-base:>=1.0.0 <2.0.0"
    config top text=one | package "$p-top" 1.0.0 dep="$p-middle:^1.0.0"
    tenant
    repository
}

#
# What is there
#

test_tree_shows_what_needs_what() {
    chain
    install "$p-top"
    wait_ready "$p-top"
    status_of 0 davit tree "$p-top"
    says "$p-top 1.0.0 Ready  $ns/$p-top"$'\n'"└─ $p-middle 1.0.0 Ready"$'\n'"   └─ $p-base 1.1.0 Ready"
    status_of 0 davit tree "$p-top" -o wide
    says "$p-base 1.1.0 in >=1.0.0 <2.0.0 Ready  davit-system/$p-base"
    status_of 0 davit tree -n "$ns" -o json
    [ "$(jq -r '.packages[] | "\(.package) \(.version) \(.state) \(.needs[0].package)"' <<<"$out")" = "$p-top 1.0.0 Ready $p-middle" ]
    status_of 0 davit tree -o name
    says "$p-base"
    status_of 1 davit tree "$p-none"
    err_says "$p-none is not installed"
}

test_search_lists_what_a_namespace_may_use() {
    chain
    config other | package "$p-other" 3.0.0 repo="$repo-closed"
    repository "$repo-closed" '{"namespaceSelector": {"matchLabels": {"team": "none"}}}'
    status_of 0 look search "$p" -n "$ns" -o name
    [ "$out" = "$p-base"$'\n'"$p-middle"$'\n'"$p-top" ] || fail "$out"
    status_of 0 look search "$p-mid" -n "$ns"
    says 'LATEST'
    says "$p-middle   1.0.0"
    status_of 1 look search "$p-other" -n "$ns"
    k label namespace "$ns" team=none >/dev/null
    status_of 0 look search "$p-other" -n "$ns" -o json
    jq -e --arg repo "$repo-closed" '.packages[0].repository == $repo' <<<"$out"
}

test_versions_are_listed_newest_first() {
    chain
    install "$p-base" '{"version": "1.0.0"}'
    wait_ready "$p-base" 1.0.0
    status_of 0 look versions "$p-base" -n "$ns"
    [ "$(awk 'NR > 1 { print $1 }' <<<"$out" | paste -sd ' ')" = '2.0.0 1.1.0 1.0.0' ] || fail "$out"
    says "1.0.0     $repo"
    says "$ns/$p-base"
    status_of 0 look versions "$p-base" -n "$ns" -o name
    [ "${out%%$'\n'*}" = 2.0.0 ]
    status_of 1 look versions "$p-none" -n "$ns"
    err_says "has package $p-none"
}

# One that has the highest priority and can't be read might have the name: no other one answers for it.
test_an_unread_repository_keeps_its_place() {
    chain
    repository "$repo-first" '{"priority": 100, "secretRef": {"name": "'"$repo"'-none"}}'
    status_of 3 look versions "$p-base" -n "$ns"
    err_says "$repo-none"
    err_says "could not be read yet"
    k delete pkgrepo "$repo-first" >/dev/null
    status_of 0 look versions "$p-base" -n "$ns"
}

#
# Why
#

test_explain_tells_who_needs_it_and_what_keeps_newer_out() {
    chain
    install "$p-top"
    wait_ready "$p-top"
    status_of 0 look explain "$p-base"
    says "$p-base 1.1.0 (PackageManifest davit-system/$p-base, installed as a dependency)"
    says "$p-middle (PackageManifest davit-system/$p-middle): >=1.0.0 <2.0.0"
    says "$p-top (PackageManifest $ns/$p-top): ^1.0.0"
    says "2.0.0: PackageManifest davit-system/$p-middle asks for >=1.0.0 <2.0.0"
    status_of 0 look explain "$p-top" -o json
    jq -e --arg p "$p" '.packages[0] | .installed == "1.0.0" and .needs[0].package == $p + "-middle" and .newer == []' <<<"$out"
}

test_explain_tells_why_nothing_fits() {
    chain
    config rival | package "$p-rival" 1.0.0 dep="$p-base:^2.0.0"
    sync
    install "$p-top"
    wait_ready "$p-top"
    status_of 1 look explain "$p-rival" -n "$ns"
    says "$p-rival is not installed"
    says "can't be had"
    says '    1. '
    says '    2. '
    says "$p-base"
    status_of 1 look explain "$p-rival" -n "$ns" -o json
    jq -e '.packages[0].conflict | .reason == "DependencyConflict" and (.derivation | startswith("1. "))' <<<"$out"
    # The operator says the same.
    install "$p-rival"
    wait_held "$p-rival" . "$p-base"
    status_of 1 look explain "$p-rival"
    says "$(pm_field "$p-rival" 'condition("Ready").message')"
    status_of 1 look explain "$p-none" -n "$ns"
    says "asks for \"$p-none\", which nobody has"
}

#
# What would happen
#

test_a_plan_of_a_new_package_is_what_happens() {
    chain
    wish "$p-top" >"$work/wish"
    local mark
    mark=$(audit_mark)
    status_of 0 look plan -f "$work/wish"
    says "$p-top 1.0.0 install  $ns/$p-top"$'\n'"└─ $p-middle 1.0.0 install  davit-system/$p-middle"$'\n'"   └─ $p-base 1.1.0 install"
    says "+ ConfigMap $ns/top"
    says 'Packages: 3 to install. Objects: 3 to add.'
    # Nothing was written.
    audit_sync
    [ -z "$(tail -c "+$((mark + 1))" "$audit_log" | jq -c 'select((.userAgent // "") | startswith("davit/")) | select('"$is_write"') |
        select(.requestURI | contains("dryRun=All") | not)')" ] || fail 'the plan has written'
    gone pm "$p-top"
    status_of 0 look plan -f "$work/wish" -o json
    install "$p-top"
    wait_ready "$p-top"
    local package
    for package in "$ns/$p-top" "davit-system/$p-middle" "davit-system/$p-base"; do
        [ "$(jq -r --arg key "$package" '.packages[] | select(.packageManifest == $key) | .objects[] | select(.action == "add") |
            "\(.kind) \(.namespace) \(.name)"' <<<"$out" | sort)" = \
            "$(pm_field "$package" '.status.inventory[] | "\(.kind) \(.namespace) \(.name)"' | sort)" ] || fail "another inventory: $package"
    done
    # Now there is nothing left to do.
    status_of 0 look plan -f "$work/wish" --exit-code
    says 'Packages: nothing to do. Objects: nothing to do.'
}

test_a_plan_of_an_upgrade_shows_the_difference() {
    { config a text=one; config old; } | package "$p-app" 1.0.0
    { config a text=two; config new; } | package "$p-app" 1.1.0
    tenant
    repository
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    wish "$p-app" '{"version": "1.1.0"}' >"$work/wish"
    status_of 5 look plan -f "$work/wish" --exit-code
    says "$p-app 1.0.0 -> 1.1.0 upgrade"
    says "  ~ ConfigMap $ns/a"
    says '      -   text: one'$'\n''      +   text: two'
    says "  + ConfigMap $ns/new"
    says "  - ConfigMap $ns/old"
    says 'Packages: 1 to upgrade. Objects: 1 to add, 1 to change, 1 to remove.'
    status_of 0 look plan -f "$work/wish" -o json
    planned '.packages[0].objects | map(select(.action == "change"))[0].patch == [{op: "replace", path: "/data/text", value: "two"}]'
    data_is a text one
    apply <"$work/wish"
    wait_ready "$p-app" 1.1.0
    data_is a text two
    wait_gone configmap old
    exists configmap new
}

test_a_plan_shows_what_nobody_needs_any_more() {
    chain
    config top text=two | package "$p-top" 2.0.0
    sync
    install "$p-top" '{"version": "1.0.0"}'
    wait_ready "$p-top" 1.0.0
    wish "$p-top" '{"version": "2.0.0"}' >"$work/wish"
    status_of 0 look plan -f "$work/wish"
    says "$p-top 1.0.0 -> 2.0.0 upgrade"
    says "$p-middle 1.0.0 remove"
    says "$p-base 1.1.0 remove"
    says "  - ConfigMap $ns/base"
    apply <"$work/wish"
    wait_ready "$p-top" 2.0.0
    wait_gone pm "$p-base" davit-system
}

test_a_plan_moves_a_dependency() {
    chain
    install "$p-top" '{"version": "1.0.0"}'
    wait_ready "$p-top" 1.0.0
    config top text=two | package "$p-top" 1.1.0 dep="$p-middle:^1.1.0"
    config middle | package "$p-middle" 1.1.0 dep="$p-base:^2.0.0"
    sync
    wish "$p-top" '{"version": "1.1.0"}' >"$work/wish"
    status_of 0 look plan -f - -o json <"$work/wish"
    planned '[.packages[] | "\(.package) \(.from) \(.to) \(.action)"] | sort == (["top 1.0.0 1.1.0 upgrade", "middle 1.0.0 1.1.0 upgrade",
        "base 1.1.0 2.0.0 upgrade"] | map("'"$p"'-" + .) | sort)'
    install "$p-top" '{"version": "1.1.0"}'
    wait_ready "$p-top" 1.1.0
    pm_is "davit-system/$p-base" '.status.version == "2.0.0"'
}

secret_of() { printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {key: "%s", same: constantly}\n' "$1"; }
test_a_plan_shows_no_secret() {
    secret_of hunter-one | package "$p-app" 1.0.0
    secret_of hunter-two | package "$p-app" 1.1.0
    tenant
    repository
    wish "$p-app" '{"version": "1.0.0"}' >"$work/wish"
    status_of 0 look plan -f "$work/wish" -o wide
    says "+ Secret $ns/token"
    says '***'
    says_not hunter
    install "$p-app" '{"version": "1.0.0"}'
    wait_ready "$p-app" 1.0.0
    wish "$p-app" '{"version": "1.1.0"}' >"$work/wish"
    local form
    for form in '' -owide -ojson -oyaml; do
        # shellcheck disable=SC2086  # none, or one
        status_of 0 look plan -f "$work/wish" $form
        says '*** (after)'
        says_not hunter
        says_not "$(printf hunter | base64 | cut -c 1-6)"
        says_not constantly
        says_not "$(printf constantly | base64 | cut -c 1-8)"
    done
}

test_what_stands_in_the_way_is_named() {
    config a text=mine | package "$p-app" 1.0.0
    config a text=yours | package "$p-rival" 1.0.0
    tenant
    repository
    config a text=nobodys | k -n "$ns" apply -f - >/dev/null
    wish "$p-app" >"$work/wish"
    status_of 1 look plan -f "$work/wish"
    says "! ConfigMap $ns/a: exists already and belongs to no package"
    wish "$p-app" '{"adoptionPolicy": "Adopt"}' >"$work/wish"
    status_of 0 look plan -f "$work/wish"
    says "~ ConfigMap $ns/a"
    install "$p-app" '{"adoptionPolicy": "Adopt"}'
    wait_ready "$p-app"
    wish "$p-rival" >"$work/wish"
    status_of 1 look plan -f "$work/wish"
    says "! ConfigMap $ns/a: belongs to PackageManifest $ns/$p-app"
    # Another manager's field, and a package that leaves it, or takes it.
    patch_pm "$p-app" '{"spec": {"driftPolicy": "Ignore"}}'
    wait_pm "$p-app" ready
    k -n "$ns" patch configmap a --type merge --field-manager=somebody -p '{"data": {"text": "theirs"}}' >/dev/null
    wish "$p-app" '{"adoptionPolicy": "Adopt", "driftPolicy": "Ignore", "conflictPolicy": "Fail"}' >"$work/wish"
    status_of 1 look plan -f "$work/wish"
    says "! ConfigMap $ns/a"
    says somebody
    wish "$p-app" '{"adoptionPolicy": "Adopt", "driftPolicy": "Ignore"}' >"$work/wish"
    status_of 0 look plan -f "$work/wish"
    says "~ ConfigMap $ns/a: fields of \"somebody\" are taken"
    says '-   text: theirs'
    data_is a text theirs
}

test_what_can_not_be_is_told() {
    chain
    install "$p-top"
    wait_ready "$p-top"
    wish "$p-base" '{"version": "2.0.0"}' >"$work/wish"
    status_of 1 look plan -f "$work/wish"
    says hold
    says '    1. '
    # The cluster's own rules.
    wish "$p-base" '{"version": "2.0.0", "manifest": {"name": "x"}}' >"$work/wish"
    status_of 1 look plan -f "$work/wish"
    err_says 'would be refused'
    status_of 2 look plan -f "$work/none"
    status_of 2 look plan
    printf 'a: [\n' >"$work/wish"
    status_of 2 look plan -f "$work/wish"
    config x >"$work/wish"
    status_of 2 look plan -f "$work/wish"
    err_says 'no PackageManifest'
}

test_data_that_would_be_lost_is_named() {
    {
        printf 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n'
        printf -- '---\n'
        config a
    } | package "$p-app" 1.0.0
    config a | package "$p-app" 1.1.0
    tenant
    repository
    install "$p-app" '{"version": "1.0.0"}'
    wait_exists pvc data
    wait_pm "$p-app" '.status.version == "1.0.0" or (.status.inventory | length) == 2'
    wish "$p-app" '{"version": "1.1.0"}' >"$work/wish"
    status_of 1 look plan -f "$work/wish"
    says "- PersistentVolumeClaim $ns/data"
    says 'data'
    # The claim does not go by itself either.
    k -n "$ns" annotate pm "$p-app" davit.dev/allow-data-loss=true >/dev/null
    status_of 0 look plan -f "$work/wish"
}

test_a_namespace_that_is_not_there_yet() {
    config a | package "$p-app" 1.0.0 namespace="$ns-new"
    tenant
    repository
    wish "$ns-later/$p-app" >"$work/wish"
    status_of 0 look plan -f "$work/wish"
    err_says 'was not checked by the cluster'
    says "+ Namespace $ns-new"
    says "+ ConfigMap $ns-new/a"
}

test_repositories_in_the_files_count() {
    config a | package "$p-app" 1.0.0
    tenant
    wish "$p-app" >"$work/wish.yaml"
    status_of 1 look plan -f "$work/wish.yaml"
    jq -n --arg name "$repo" --arg url "$(repository_url)/$repo" '{apiVersion: "davit.dev/v1alpha1", kind: "PackageRepository",
        metadata: {name: $name}, spec: {url: $url, insecure: true}}' >"$work/repository.yaml"
    status_of 0 look plan -f "$work/wish.yaml,$work/repository.yaml"
    says "+ ConfigMap $ns/a"
    mkdir -p "$work/folder"
    cp "$work/wish.yaml" "$work/repository.yaml" "$work/folder"
    status_of 0 look plan -f "$work/folder"
    gone pkgrepo "$repo"
}

test_an_inline_package_is_planned() {
    config a | package "$p-app" 1.0.0
    config base | package "$p-base" 1.0.0
    tenant
    repository
    wish "$p-own" "{\"manifest\": {\"defaultNamespace\": \"$ns\", \"dependencies\": [{\"name\": \"$p-base\"}],
        \"manifests\": [{\"url\": \"$(repository_url)/$repo/$p-app/1.0.0/manifest.yaml\"}]}}" >"$work/wish"
    status_of 0 look plan -f "$work/wish"
    says "$p-own inline-"
    says "└─ $p-base 1.0.0 install"
}

#
# Who asks
#

# person NAME [CLUSTERROLE]: a user with this role in all namespaces; KUBECONFIG_OF is set to its kubeconfig.
person() {
    local name=$1 dir=$work/person-$1
    k create serviceaccount "$name" -n "$ns" >/dev/null
    [ -z "${2:-}" ] || k create clusterrolebinding "$ns-$name" --clusterrole="$2" --serviceaccount="$ns:$name" >/dev/null
    mkdir -p "$dir"
    "$root/hack/devcluster" sa-token "$cluster" "$ns" "$name" "$dir" 600 2>>"$work/devcluster.log"
    KUBECONFIG_OF=$dir/kubeconfig
    jq -n --arg server "$(apiserver_url)" --arg dir "$dir" '{apiVersion: "v1", kind: "Config", "current-context": "c",
        clusters: [{name: "c", cluster: {server: $server, "certificate-authority": "\($dir)/ca.crt"}}],
        users: [{name: "c", user: {tokenFile: "\($dir)/token"}}], contexts: [{name: "c", context: {cluster: "c", user: "c"}}]}' >"$KUBECONFIG_OF"
}

test_rights_are_those_of_who_asks() {
    chain
    install "$p-top"
    wait_ready "$p-top"
    wish "$p-top" >"$work/wish"
    (
        person nobody
        status_of 4 davit tree
        err_says forbidden
        status_of 4 look versions "$p-base"
        status_of 4 look plan -f "$work/wish"
    )
    (
        apply -f "$root/deploy/optional/user-roles.yaml"
        person reader davit-reader
        status_of 0 davit tree "$p-top"
        status_of 0 look explain "$p-base"
        # What may not be read can't be compared, and is told.
        status_of 0 look plan -f "$work/wish"
        err_says 'was not checked by the cluster'
        says "? ConfigMap $ns/top"
    )
    k delete clusterrolebinding "$ns-reader" >/dev/null
}

test_kubectl_finds_the_plug_in() {
    tenant
    mkdir -p "$work/path"
    ln -sf "$DAVIT" "$work/path/kubectl-davit"
    status_of 0 env PATH="$work/path:$PATH" "$kubectl" davit tree --kubeconfig "$kubeconfig" -n "$ns"
    err_says 'no packages are installed'
    status_of 3 env KUBECONFIG="$work/none" "$DAVIT" tree
}

# As the cluster was before install_api: see setup_file.
test_a_cluster_without_davit_is_told() {
    grep -q 'Davit is not installed in it' "$work/bare.err" || fail "$(cat "$work/bare.err")"
    [ "$(cat "$work/bare.status")" = 3 ]
}

test_a_context_that_is_not_there() {
    status_of 3 davit tree --context none
    err_says 'no context "none"'
}

run_tests
