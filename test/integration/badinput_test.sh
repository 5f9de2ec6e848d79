#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What repositories, packages and manifests may hold that nobody wants. Each ends in a clear condition and event.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

begin() {
    tenant
    config fine | package "$p-fine" 1.0.0
}
# fails NAME REASON MESSAGE: the package $p-bad is held, says so in an event too, and $p-fine is installed all the same.
fails() {
    wait_held "$p-bad" "$1" "$2"
    wait_event "$p-bad" "$1" "$2"
    install "$p-fine"
    wait_ready "$p-fine"
    runs operator
    [ "$(pid_of operator)" = "$(cat "$work/operator.pid")" ] || fail "the operator was started again"
    [ -z "$(k -n "$ns" get configmap,service -l "davit.dev/owner=$(owner_of "$p-bad")" -o name)" ]
}
setup_file() {
    setup_usual
    pid_of operator >"$work/operator.pid"
}
# bad_manifest REASON MESSAGE <MANIFEST: a package of it is refused.
bad_manifest() {
    begin
    package "$p-bad" 1.0.0
    repository
    install "$p-bad"
    fails "$1" "$2"
}
# bad_package REASON MESSAGE <PACKAGE.YAML
bad_package() {
    begin
    package_file "$p-bad"
    repository
    install "$p-bad"
    fails "$1" "$2"
}

test_a_manifest_that_is_no_yaml() { bad_manifest InvalidManifest 'manifest.yaml.*line 2' <<<$'a: 1\nb: [}'; }
test_a_manifest_without_a_kind() { bad_manifest InvalidManifest 'kind' <<<$'apiVersion: v1\nmetadata: {name: x}'; }
test_a_manifest_without_a_name() { bad_manifest InvalidManifest 'name' <<<$'apiVersion: v1\nkind: ConfigMap\nmetadata: {}'; }
test_a_name_that_is_a_boolean() { bad_manifest InvalidManifest 'name' <<<$'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}'; }
test_an_object_twice_in_one_package() { bad_manifest DuplicateObject 'twice' < <(config twice a=1; config twice a=2); }
test_a_kind_that_is_not_there() { bad_manifest . 'Nope.*example' <<<$'apiVersion: nope.example/v1\nkind: Nope\nmetadata: {name: x}'; }
test_a_field_that_is_not_there() { bad_manifest . 'x.*foo|foo' <<<$'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nfoo: bar'; }
test_what_the_api_server_refuses() {
    bad_manifest . 'x' <<<$'apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 99999999}]}'
}

test_a_bomb_of_aliases() {
    local i
    begin
    {
        printf 'a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n'
        for i in $(seq 12); do printf 'a%s: &a%s [*a%s, *a%s, *a%s, *a%s, *a%s, *a%s, *a%s, *a%s, *a%s]\n' "$i" "$i" $((i-1)) $((i-1)) $((i-1)) $((i-1)) $((i-1)) $((i-1)) $((i-1)) $((i-1)) $((i-1)); done
    } | package "$p-bad" 1.0.0
    repository
    install "$p-bad"
    fails . 'alias|large|limit|many|manifest'
}
test_a_well_of_brackets() {
    begin
    { printf 'a: '; printf '[%.0s' $(seq 100000); } | package "$p-bad" 1.0.0
    repository
    install "$p-bad"
    fails . 'deep|nest|manifest'
}
test_a_hundred_megabytes() {
    begin
    config a | package "$p-bad" 1.0.0
    fault repository "{\"match\": {\"path\": \"/$repo/$p-bad/1.0.0/manifest.yaml\"}, \"fault\": {\"kind\": \"huge\", \"bytes\": 104857600}, \"times\": 0}"
    repository
    install "$p-bad"
    fails . 'large|limit|more than|MiB|bytes'
    # Twice its usual size is enough for everything; with a sanitizer or in valgrind that is not its own size.
    [ -n "${ASAN_OPTIONS:-}${TSAN_OPTIONS:-}${DAVIT_WRAPPER:-}" ] || [ "$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$(pid_of operator)/status")" -lt 120 ]
}
test_a_body_without_an_end() {
    begin
    config a | package "$p-bad" 1.0.0
    fault repository "{\"match\": {\"path\": \"/$repo/$p-bad/1.0.0/package.yaml\"}, \"fault\": {\"kind\": \"huge\"}, \"times\": 0}"
    repository
    install "$p-bad"
    fails . 'large|limit|more than|MiB|bytes'
}
test_a_small_file_that_unpacks_to_a_large_one() {
    begin
    config a | package "$p-bad" 1.0.0
    head -c 200000000 /dev/zero | gzip -9 >"$work/repositories/$repo/$p-bad/1.0.0/manifest.yaml"
    fault repository "{\"match\": {\"path\": \"/$repo/$p-bad/1.0.0/manifest.yaml\"}, \"fault\": {\"kind\": \"headers\", \"headers\": {\"Content-Encoding\": \"gzip\"}}, \"times\": 0}"
    repository
    install "$p-bad"
    fails . 'large|limit|more than|MiB|bytes|encod|gzip|manifest'
}
test_a_redirect_without_an_end() {
    begin
    config a | package "$p-bad" 1.0.0
    fault repository "{\"match\": {\"pathPrefix\": \"/$repo/$p-bad/1.0.0/manifest.yaml\"}, \"fault\": {\"kind\": \"redirect-loop\"}, \"times\": 0}"
    repository
    install "$p-bad"
    fails . redirect
}
test_a_page_of_html() {
    begin
    config a | package "$p-bad" 1.0.0
    fault repository "{\"match\": {\"path\": \"/$repo/$p-bad/1.0.0/manifest.yaml\"}, \"fault\": {\"kind\": \"replace\", \"body\": \"<html>sign in</html>\", \"headers\": {\"Content-Type\": \"text/html\"}}, \"times\": 0}"
    repository
    install "$p-bad"
    fails . 'text/html|content type'
    pm "$p-bad" | jq -e 'tostring | test("sign in") | not' >/dev/null
}

test_a_package_that_is_no_yaml() { bad_package InvalidPackage 'line [12]' <<<'name: ['; }
test_a_package_with_a_wrong_type() { bad_package InvalidPackage 'line 3.*manifests' < <(printf 'name: %s-bad\nscope: Cluster\nmanifests: 7\n' "${p:-}"); }
test_a_package_of_another_name() { bad_package . 'other' < <(printf 'name: other\nmanifests: [{url: manifest.yaml}]\n'); }
test_a_range_that_is_none() { bad_package . 'range|version|constraint|not-a-range' < <(printf 'name: %s-bad\nmanifests: [{url: manifest.yaml}]\ndependencies: [{name: x, version: not-a-range}]\n' "${p:-}"); }
test_a_url_with_another_scheme() { bad_package . 'file|scheme|http' < <(printf 'name: %s-bad\nmanifests: [{url: "file:///etc/passwd"}]\n' "${p:-}"); }
test_the_address_of_a_clouds_metadata() {
    bad_package . '169.254.169.254|link-local|address' < <(printf 'name: %s-bad\nmanifests: [{url: "http://169.254.169.254/latest/meta-data/"}]\n' "${p:-}")
}
# climbs REFERENCE REGEX: a relative manifest URL that leaves the package's folder is not asked for.
climbs() {
    bad_package . "$2" < <(printf 'name: %s-bad\nmanifests: [{url: "%s"}]\n' "$p" "$1")
    server_log repository | jq -e 'all(.requests[]; .path | test("secret|passwd") | not)' >/dev/null || fail "it was asked for"
}
test_a_relative_url_that_climbs() { climbs ../../../secret.yaml 'leaves the folder'; }
test_a_relative_url_that_climbs_in_disguise() { climbs '..%2f..%2fsecret.yaml' 'encoded slash|leaves the folder'; }
test_a_relative_url_from_the_root() { climbs /etc/passwd 'leaves the folder'; }
# redirected TO REGEX: the manifest is elsewhere, where no package may send us.
redirected() {
    begin
    config a | package "$p-bad" 1.0.0
    fault repository "{\"match\": {\"path\": \"/$repo/$p-bad/1.0.0/manifest.yaml\"}, \"fault\": {\"kind\": \"redirect\", \"to\": \"$1\"}, \"times\": 0}"
    repository
    install "$p-bad"
    fails . "$2"
}
test_a_redirect_to_the_address_of_a_clouds_metadata() { redirected http://169.254.169.254/latest/meta-data/ '169.254.169.254|link-local|address'; }
test_a_redirect_to_a_file() { redirected file:///etc/passwd 'file|scheme|http'; }
test_a_cluster_scoped_object_of_a_tenant() {
    tenant edit
    {
        config a
        printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: %s-everything}\nrules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]\n' "$p"
    } | package "$p-bad" 1.0.0
    config fine | package "$p-fine" 1.0.0
    repository
    install "$p-bad"
    wait_held "$p-bad" . "$p-everything"
    wait_event "$p-bad" . "$p-everything"
    gone clusterrole "$p-everything"
    install "$p-fine"
    wait_ready "$p-fine"
}

# Two things wrong at once, and still one sentence: what is held writes nothing and asks for nothing until something changes.
test_a_package_that_is_held_is_quiet() {
    begin
    { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n---\nkind: [\n'; } | package "$p-bad" 1.0.0
    printf 'name: %s-worse\nmanifests: 7\ndependencies: 8\nscope: 9\n' "$p" | package_file "$p-worse"
    repository
    install "$p-bad"
    install "$p-worse"
    wait_held "$p-bad" InvalidManifest .
    wait_held "$p-worse" InvalidPackage .
    wait_quiet
    local before
    before=$(server_log repository | jq '.requests | length')
    asked_nothing 5 || fail "it asks for something though nothing has changed"
    [ "$(server_log repository | jq '.requests | length')" = "$before" ] || fail "the repository was asked again"
}
# package_file NAME <PACKAGE.YAML: version 1.0.0 with that file.
package_file() {
    local text
    text=$(cat)
    config a | package "$1" 1.0.0
    printf '%s\n' "$text" >"$work/repositories/$repo/$1/1.0.0/package.yaml"
}

test_an_unknown_field_is_only_a_warning() {
    begin
    config a | package "$p-odd" 1.0.0 extra='surprise: true'
    repository
    install "$p-odd"
    wait_ready "$p-odd"
    wait_event "$p-odd" . surprise
}

test_an_index_that_is_no_yaml() {
    begin
    printf 'packages: [' >"$work/repositories/$repo/index.yaml"
    repository
    wait_repository "$repo" 'is("Ready"; "False") and (condition("Ready").message | test("index.yaml"))'
    index "$repo"
    sync
    wait_repository "$repo" ready
}

test_an_index_that_lists_what_is_not_there() {
    begin
    config a | package "$p-bad" 1.0.0
    printf 'versions:\n- version: "1.0.0"\n- version: "3.0.0"\nlatestVersion: "3.0.0"\n' >"$work/repositories/$repo/$p-bad/versions.yaml"
    printf -- '- {name: "%s-ghost", latestVersion: "1.0.0"}\n' "$p" >>"$work/repositories/$repo/index.yaml"
    repository
    install "$p-bad" '{"version": "3.0.0"}'
    fails . '3.0.0'
    install "$p-ghost"
    wait_held "$p-ghost" . "$p-ghost"
}

test_versions_that_are_none_are_left_out() {
    begin
    config a | package "$p-app" 1.0.0
    printf 'latestVersion: nonsense\nversions:\n- version: nonsense\n- version: "1.0.0"\n- version: "../../x"\n- version: ""\n- version: "1.0.0.0.0"\n' >"$work/repositories/$repo/$p-app/versions.yaml"
    repository
    install "$p-app"
    wait_ready "$p-app" 1.0.0
    server_log repository | jq -e 'all(.requests[]; .path | test("nonsense|\\.\\./|%2e%2e"; "i") | not)' >/dev/null
}

test_names_that_climb_are_left_out() {
    begin
    printf 'packages:\n- {name: "../secret", latestVersion: "1.0.0"}\n- {name: "a/b", latestVersion: "1.0.0"}\n- {name: "..", latestVersion: "1.0.0"}\n- {name: "%s-fine", latestVersion: "1.0.0"}\n' "$p" >"$work/repositories/$repo/index.yaml"
    repository
    wait_repository "$repo" '.status.packages == 1'
    install "$p-fine"
    wait_ready "$p-fine"
    server_log repository | jq -e 'all(.requests[]; .path | test("secret|a/b|%2f"; "i") | not)' >/dev/null
}

test_an_inline_package_that_is_too_large() {
    tenant
    jq -n --arg ns "$ns" --arg name "$p-bad" '{apiVersion: "davit.dev/v1alpha1", kind: "PackageManifest", metadata: {name: $name, namespace: $ns},
        spec: {serviceAccountName: "packages", manifest: {name: $name, longDescription: ("x" * 300000)}}}' >"$work/large.json"
    apply -f "$work/large.json"
    wait_held "$p-bad" . '256 KiB|large|limit'
}

test_an_inline_package_that_is_not_one() {
    tenant
    install "$p-bad" "{\"manifest\": {\"name\": 7, \"manifests\": \"x\"}}"
    wait_held "$p-bad" InvalidPackage 'name|manifests'
}

test_the_api_server_is_not_reached_through_a_package() {
    begin
    config a | package "$p-bad" 1.0.0 manifest="$(apiserver_url)/api/v1/namespaces/default/configmaps/kube-root-ca.crt"
    repository
    install "$p-bad"
    wait_pm "$p-bad" 'current and is("Ready"; "False")'
    audit_sync
    [ -z "$(jq -c 'select((.userAgent // "" | test("davit")) and .user.username == "system:anonymous")' "$audit_log" | head -n 1)" ] || fail "it was asked"
}

before_clean_up() { no_faults repository; }

run_tests
