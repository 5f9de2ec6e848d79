#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Repositories: which of them answers, what they ask for, and what becomes of it while they are away.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# two PRIORITY PRIORITY: two repositories, $p-one and $p-two, with the package $p-app in versions 1.0.0 and 1.0.0, 2.0.0.
two() {
    tenant
    config a from=one | package "$p-app" 1.0.0 repo="$p-one"
    config a from=two | package "$p-app" 1.0.0 repo="$p-two"
    config a from=two | package "$p-app" 2.0.0 repo="$p-two"
    repository "$p-one" "{\"priority\": $1}"
    repository "$p-two" "{\"priority\": $2}"
    wait_repository "$p-one" ready
    wait_repository "$p-two" ready
}

test_a_repository_says_what_it_has() {
    config a | package "$p-app" 1.0.0
    config a | package "$p-app" 1.1.0
    config a | package "$p-other" 1.0.0
    repository
    wait_repository "$repo" 'ready and .status.packages == 2 and .status.versions == 3 and (.status.revision | test("^sha256:[0-9a-f]{64}$"))'
}

test_a_repository_of_higher_priority_hides_a_newer_version() {
    two 10 0
    install "$p-app"
    wait_ready "$p-app" 1.0.0
    data_is a from one
    pm_is "$p-app" ".status.repository == \"$p-one\""
}

test_repositories_of_one_priority_offer_together() {
    two 0 0
    install "$p-app"
    wait_ready "$p-app" 2.0.0
    pm_is "$p-app" ".status.repository == \"$p-two\""
}

test_a_named_repository_is_the_only_one() {
    two 0 10
    install "$p-app" "{\"repository\": \"$p-one\"}"
    wait_ready "$p-app" 1.0.0
    data_is a from one
}

test_a_repository_that_is_down_never_lets_a_lower_one_answer() {
    tenant
    config a from=high | package "$p-app" 1.0.0 repo="$p-high"
    config a from=low | package "$p-app" 9.0.0 repo="$p-low"
    fault repository "{\"match\": {\"pathPrefix\": \"/$p-high/\"}, \"fault\": {\"kind\": \"status\", \"status\": 503}, \"times\": 0}"
    repository "$p-high" '{"priority": 10, "interval": "2s"}'
    repository "$p-low"
    wait_repository "$p-low" ready
    install "$p-app"
    wait_held "$p-app" 'RepositoryNotReady|RepositoryBusy' "$p-high"
    always 2 "nothing of the lower one" gone configmap a
    no_faults repository
    wait_ready "$p-app" 1.0.0
    data_is a from high
}

test_a_repository_serves_only_the_names_it_may() {
    tenant
    config a from=wide | package "$p-app" 1.0.0 repo="$p-wide"
    config a from=narrow | package "$p-app" 2.0.0 repo="$p-narrow"
    config b from=narrow | package "$p-bpp" 2.0.0 repo="$p-narrow"
    repository "$p-wide"
    repository "$p-narrow" "{\"priority\": 10, \"packages\": [\"$p-b*\"]}"
    wait_repository "$p-narrow" 'ready and .status.packages == 1'
    wait_repository "$p-wide" ready
    install "$p-app"
    install "$p-bpp"
    wait_ready "$p-app" 1.0.0
    wait_ready "$p-bpp" 2.0.0
}

test_a_folder_is_a_repository_when_that_is_allowed() {
    tenant
    config a | package "$p-app" 1.0.0
    repository "$repo" "{\"url\": \"file://$work/repositories/$repo\", \"insecure\": false}"
    install "$p-app"
    wait_ready "$p-app"
    repository "$repo-outside" '{"url": "file:///etc", "insecure": false}'
    wait_repository "$repo-outside" 'is("Ready"; "False") and (condition("Ready").message | test("allowed root|allow-file-root"))'
}

test_an_old_copy_serves_while_the_repository_is_down() {
    tenant
    config a | package "$p-app" 1.0.0
    config b | package "$p-bpp" 1.0.0
    repository
    install "$p-app"
    wait_ready "$p-app"
    control repository /down
    k annotate --overwrite pkgrepo "$repo" davit.dev/requestedAt=down >/dev/null
    wait_repository "$repo" '.status.conditions | any(.message | test("old|stale|copy|last"; "i"))'
    always 2 "what is installed stays ready" pm_is "$p-app" ready
    k -n "$ns" delete configmap a >/dev/null
    wait_for "$WAIT" "drift is corrected without the repository" exists configmap a
    control repository /up
    k annotate --overwrite pkgrepo "$repo" davit.dev/requestedAt=up >/dev/null
    wait_repository "$repo" ready
    install "$p-bpp"
    wait_ready "$p-bpp"
}

test_a_restart_while_the_repository_is_down_changes_nothing() {
    tenant
    config a | package "$p-app" 1.0.0
    repository
    install "$p-app"
    wait_ready "$p-app"
    control repository /down
    local mark
    mark=$(audit_mark)
    restart_operator
    always 3 "what is installed stays ready" pm_is "$p-app" 'is("Ready"; "True")'
    [ "$(audit_count "$mark" '.objectRef.resource == "configmaps" and .verb == "delete"')" = 0 ]
    k -n "$ns" delete configmap a >/dev/null
    wait_for "$WAIT" "drift is corrected" exists configmap a
    uninstall "$p-app"
    control repository /up
}

test_what_did_not_change_is_not_fetched_again() {
    tenant
    config a | package "$p-app" 1.0.0
    repository "$repo" '{"interval": "1s"}'
    install "$p-app" '{"interval": "1s"}'
    wait_ready "$p-app"
    wait_for "$WAIT" "two questions that were answered with 304" has_asked index.yaml 304 '>= 2'
    has_asked manifest.yaml 200 '== 1'
    has_asked index.yaml 200 '== 1'
}
# has_asked FILE CODE HOW-OFTEN: the test's repository was asked for such files, and answered so.
has_asked() {
    server_log repository | jq -e --arg repo "$repo" --arg file "$1" --argjson code "$2" \
        "[.requests[] | select((.path | startswith(\"/\\(\$repo)/\") and endswith(\$file)) and .code == \$code)] | length $3" >/dev/null
}

test_the_status_of_a_repository_is_written_only_when_it_changes() {
    config a | package "$p-app" 1.0.0
    repository "$repo" '{"interval": "1s"}'
    wait_repository "$repo" ready
    local version
    version=$(k get pkgrepo "$repo" -o 'jsonpath={.metadata.resourceVersion}')
    sleep 4
    [ "$(k get pkgrepo "$repo" -o 'jsonpath={.metadata.resourceVersion}')" = "$version" ]
}

test_other_bytes_for_the_same_version_are_not_applied_unasked() {
    tenant
    config a text=one | package "$p-app" 1.0.0
    repository
    install "$p-app" '{"interval": "1s"}'
    wait_ready "$p-app"
    config a text=forged | package "$p-app" 1.0.0
    sync
    k -n "$ns" delete configmap a >/dev/null
    wait_exists configmap a
    data_is a text one
    restart_operator
    always 2 "the first bytes" data_is a text one
}

test_a_slow_repository_holds_up_nobody_else() {
    tenant
    config a | package "$p-app" 1.0.0 repo="$p-slow"
    config b | package "$p-bpp" 1.0.0 repo="$p-fast"
    fault repository "{\"match\": {\"pathPrefix\": \"/$p-slow/\"}, \"fault\": {\"kind\": \"slow\", \"bytesPerSecond\": 5}, \"times\": 0}"
    repository "$p-slow" '{"timeout": "20s", "packages": ["'"$p"'-app"]}'
    repository "$p-fast" '{"packages": ["'"$p"'-bpp"]}'
    install "$p-app" "{\"repository\": \"$p-slow\"}"
    install "$p-bpp" "{\"repository\": \"$p-fast\"}"
    wait_ready "$p-bpp" 1.0.0 18 # the other is still being read
    repository_is "$p-slow" '.status.conditions == null' >/dev/null
    wait_repository "$p-slow" 'is("Ready"; "False") and (condition("Ready").message | test("time|slow"; "i"))'
    no_faults repository
    sync "$p-slow"
    wait_ready "$p-app"
}

test_half_a_file_is_no_file() {
    tenant
    config a | package "$p-app" 1.0.0
    fault repository "[{\"match\": {\"path\": \"/$repo/index.yaml\"}, \"fault\": {\"kind\": \"half\"}, \"times\": 2},
        {\"match\": {\"path\": \"/$repo/$p-app/1.0.0/package.yaml\"}, \"fault\": {\"kind\": \"half\"}, \"times\": 1},
        {\"match\": {\"path\": \"/$repo/$p-app/1.0.0/manifest.yaml\"}, \"fault\": {\"kind\": \"cut\"}, \"times\": 1}]"
    repository
    install "$p-app"
    wait_ready "$p-app" 1.0.0 60
    no_faults repository
    data_is a made-by test
}

test_a_repository_that_goes_is_forgotten() {
    two 10 0
    install "$p-app"
    wait_ready "$p-app" 1.0.0
    k delete pkgrepo "$p-one" >/dev/null
    always 2 "the package stays" pm_is "$p-app" '.status.version == "1.0.0"'
    k -n "$ns" delete configmap a >/dev/null
    wait_for "$WAIT" "drift is corrected" exists configmap a
    data_is a from one
    patch_pm "$p-app" '{"spec": {"version": "2.0.0"}}'
    wait_ready "$p-app" 2.0.0
}

#
# Credentials
#

# private NAME AUTH [FLAG…]: a server of its own, over TLS, that asks for credentials; and the cluster's CA as Secret NAME-ca.
private() {
    local name=$1 auth=$2
    shift 2
    "$root/hack/devcluster" sign "$cluster" "$work/$name.crt" "$work/$name.key" 2>/dev/null
    start_server "$name" "$TOOLS/repofault" --root "$work/repositories" --cert "$work/$name.crt" --key "$work/$name.key" "$@"
    control "$name" /auth "$auth"
    k -n davit-system create secret generic "$name-ca" --from-file=ca.crt="$cluster_dir/pki/ca.crt" --dry-run=client -o json | apply
}
secret() { k -n davit-system create secret generic "$@" --dry-run=client -o json | apply; }
# The repository behind that server, with SPEC merged in.
private_repository() {
    local spec
    spec=$(jq -n --arg url "$(server_field "$1" url)/$repo" --arg ca "$1-ca" --argjson spec "$2" '{url: $url, insecure: false, caSecretRef: {name: $ca}} + $spec')
    repository "$repo" "$spec"
}
one_private() {
    tenant
    config a | package "$p-app" 1.0.0
}
drop_secrets() { k -n davit-system delete secret --ignore-not-found "$@" >/dev/null; }

test_basic_credentials() {
    one_private
    # A name that is valid base64, too: it is decoded once.
    private basic '{"mode": "basic", "user": "user", "password": "pass:word/öß"}'
    secret basic-auth --from-literal=username=user --from-literal=password=wrongpassword
    private_repository basic '{"secretRef": {"name": "basic-auth"}}'
    wait_repository "$repo" 'is("Ready"; "False") and (condition("Ready").message | test("401|credentials|unauthorized"; "i"))'
    # The right ones are seen as soon as they are there.
    secret basic-auth --from-literal=username=user --from-literal=password='pass:word/öß'
    wait_repository "$repo" ready
    install "$p-app"
    wait_ready "$p-app"
    if grep -qE 'wrongpassword|pass:word' "$work/run/operator/log"; then fail "the password is in the log"; fi
    k get pkgrepo "$repo" -o json | jq -e 'tostring | test("wrongpassword|pass:word") | not' >/dev/null
    drop_secrets basic-auth basic-ca
}

test_a_bearer_token() {
    one_private
    private bearer '{"mode": "bearer", "token": "abc.def-123"}'
    secret bearer-auth --from-literal=bearerToken=abc.def-123
    private_repository bearer '{"secretRef": {"name": "bearer-auth"}}'
    install "$p-app"
    wait_ready "$p-app"
    drop_secrets bearer-auth bearer-ca
}

test_a_client_certificate() {
    one_private
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=reader -keyout "$work/reader.key" \
        -out "$work/reader.crt" 2>/dev/null
    private mtls '{"mode": "mtls"}' --client-ca "$work/reader.crt"
    private_repository mtls '{}'
    wait_repository "$repo" 'is("Ready"; "False")'
    k -n davit-system create secret tls mtls-auth --cert="$work/reader.crt" --key="$work/reader.key" >/dev/null
    private_repository mtls '{"secretRef": {"name": "mtls-auth"}}'
    wait_repository "$repo" ready
    install "$p-app"
    wait_ready "$p-app"
    drop_secrets mtls-auth mtls-ca
}

test_a_missing_secret_is_named() {
    config a | package "$p-app" 1.0.0
    repository "$repo" '{"secretRef": {"name": "not-there"}}'
    wait_repository "$repo" 'is("Ready"; "False") and (condition("Ready").message | test("not-there"))'
    secret not-there --from-literal=username=a --from-literal=password=b
    wait_repository "$repo" ready
    drop_secrets not-there
}

test_a_certificate_of_an_unknown_authority_is_refused() {
    one_private
    private unknown '{"mode": "none"}'
    repository "$repo" "{\"url\": \"$(server_field unknown url)/$repo\", \"insecure\": false}"
    wait_repository "$repo" 'is("Ready"; "False") and (condition("Ready").message | test("certificate|TLS|SSL"; "i"))'
    private_repository unknown '{}'
    wait_repository "$repo" ready
    drop_secrets unknown-ca
}

test_a_certificate_for_another_name_is_refused() {
    one_private
    "$root/hack/devcluster" sign "$cluster" "$work/other.crt" "$work/other.key" DNS:other.example.com 2>/dev/null
    start_server other "$TOOLS/repofault" --root "$work/repositories" --cert "$work/other.crt" --key "$work/other.key"
    secret other-ca --from-file=ca.crt="$cluster_dir/pki/ca.crt"
    private_repository other '{}'
    wait_repository "$repo" 'is("Ready"; "False") and (condition("Ready").message | test("certificate|TLS|SSL|name"; "i"))'
    drop_secrets other-ca
}

test_credentials_do_not_follow_a_redirect_elsewhere() {
    one_private
    private origin '{"mode": "basic", "user": "reader", "password": "password"}'
    start_server elsewhere "$TOOLS/repofault" --root "$work/repositories"
    secret origin-auth --from-literal=username=reader --from-literal=password=password
    fault origin "{\"match\": {\"path\": \"/$repo/$p-app/1.0.0/manifest.yaml\"}, \"fault\": {\"kind\": \"redirect\", \"to\": \"$(server_field elsewhere url)/$repo/$p-app/1.0.0/manifest.yaml\"}, \"times\": 0}"
    private_repository origin '{"secretRef": {"name": "origin-auth"}}'
    install "$p-app"
    wait_pm "$p-app" 'ready or (current and is("Ready"; "False") and (condition("Ready").message | test("redirect|http"; "i")))'
    server_log elsewhere | jq -e 'all(.requests[]; .authorization != true)' >/dev/null
    drop_secrets origin-auth origin-ca
}

test_nothing_was_forbidden() { assert_no_403; }

before_clean_up() {
    no_faults repository
    control repository /up
}

run_tests
