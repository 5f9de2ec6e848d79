#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A real repository's data, when it is there: beside this repository in ../shared/corpus/glasskube, or where DAVIT_CORPUS says.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

corpus=${DAVIT_CORPUS:-$root/../shared/corpus/glasskube}
if [ ! -e "$corpus/index.yaml" ]; then
    printf '# corpus: skipped: there is no corpus at %s\n' "$corpus"
    exit 0
fi

setup_file() {
    start_cluster
    install_api
    start_repository
    cp -R "$corpus" "$work/repositories/corpus"
    start_operator
}

test_the_whole_repository_is_read() {
    local packages versions
    packages=$(grep -c '^  name:' "$corpus/index.yaml" || true)
    [ "$packages" -gt 0 ] || packages=$(grep -cE '^(- | +)name:' "$corpus/index.yaml")
    versions=$(cat "$corpus"/*/versions.yaml | grep -cE '^ *-? *version:')
    repository "$repo" '{"url": "'"$(repository_url)/corpus"'"}'
    wait_repository "$repo" "ready and .status.packages == $packages and .status.versions == $versions" 60
}

test_a_package_whose_manifests_are_all_there_is_installed() {
    tenant
    # tika is of scope Namespaced: here its manifests are installed as a package of the cluster.
    install tika "{\"targetNamespace\": \"$ns\", \"manifest\": {\"name\": \"tika\", \"manifests\": [{\"url\": \"$(repository_url)/corpus/tika/v2.9.2+2/deployment.yaml\"},
        {\"url\": \"$(repository_url)/corpus/tika/v2.9.2+2/service.yaml\"}]}}"
    wait_ready tika
    [ "$(k -n "$ns" get deployment -l davit.dev/owner -o name | wc -l)" = 1 ]
    uninstall tika
}

test_what_can_not_be_installed_yet_says_why() {
    tenant
    repository "$repo" '{"url": "'"$(repository_url)/corpus"'"}'
    wait_repository "$repo" ready 60
    install tika
    wait_held tika ScopeNotSupported Namespaced
    install metrics-server
    wait_pm metrics-server 'current and (ready or is("Ready"; "False"))'
}

run_tests
