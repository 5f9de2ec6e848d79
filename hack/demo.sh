#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Shows Davit at work on this machine: builds it, starts a dev cluster, runs the operator against it with the rights that
# deploy/ gives it, and installs the samples.
#
#   hack/demo.sh          everything; on a terminal it stays until Ctrl-C and then ends all of it
#   hack/demo.sh down     ends what a demo left running
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly cluster=demo ready_limit=180
readonly program=build/release/bin/davit-controller
state=$PWD/build/demo
packages=(shop greeter nightly-report our-widgets)
readonly state packages

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
[ -t 1 ] || say() { printf '==> %s\n' "$*"; }
die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

# Says whether the process that was recorded still is the demo's operator.
operator_runs() {
    [ -s "$state/pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$(cat "$state/pid")/cmdline" | grep -qF -- "$state"
}

down() {
    :
    if operator_runs; then
        kill "$(cat "$state/pid")" 2>/dev/null || true
        for _ in $(seq 100); do
            operator_runs || break
            sleep 0.1
        done
        if operator_runs; then kill -KILL "$(cat "$state/pid")" 2>/dev/null || true; fi
    fi
    hack/devcluster down "$cluster"
    rm -rf "$state"
}

k() { "$kubectl" --kubeconfig "$kubeconfig" --cache-dir "$state/kubectl" "$@"; }

build() {
    say "Building the operator"
    hack/deps.sh build
    make --no-print-directory -j"$(nproc)"
}

start_cluster() {
    say "Starting a Kubernetes control plane (its programs are built the first time: some minutes)"
    kubeconfig=$(hack/devcluster up "$cluster")
    kubectl=$(hack/devcluster kubectl)
}

start_operator() {
    say "Applying deploy/: the CRDs, the restricted rights, the administrators' account"
    k apply --server-side -f deploy/base -f deploy/rbac-restricted.yaml -f deploy/optional/administrator-account.yaml -f deploy/optional/user-roles.yaml |
        sed 's/^/    /'
    k wait --for=condition=Established crd/packagemanifests.davit.dev crd/packagerepositories.davit.dev --timeout=30s >/dev/null
    say "Starting the operator as the service account davit-system/davit-controller"
    hack/devcluster sa-token "$cluster" davit-system davit-controller "$state/in-cluster" 86400
    setsid "$program" --in-cluster-dir="$state/in-cluster" --leader-elect --cache-dir="$state/cache" --default-service-account=davit-packages \
        --allow-file-root="$PWD/deploy/samples" --metrics-bind-address=0 --health-probe-bind-address=0 --log-format=text \
        </dev/null >"$state/operator.log" 2>&1 &
    printf '%s' $! >"$state/pid"
    disown
}

apply_samples() {
    say "Applying a repository and four packages (deploy/samples)"
    sed "s|url: http://.*|url: file://$PWD/deploy/samples/repository|" deploy/samples/packagerepository.yaml | k apply -f - | sed 's/^/    /'
    k apply -f deploy/samples/packages.yaml | sed 's/^/    /'
}

all_ready() {
    local name
    for name in "${packages[@]}"; do
        [ "$(k -n davit-system get pm "$name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ] || return 1
    done
}

# Shows the table again whenever it changed, on a terminal in its old place.
watch_until_ready() {
    local deadline=$((SECONDS + ready_limit)) table='' shown='' lines=0 done=false
    say "kubectl get pm,pkgrepo -A"
    while :; do
        table=$(k get pm,pkgrepo -A 2>&1 | cut -c "1-${COLUMNS:-150}")
        # The ages alone are no change.
        if [ "$(sed -E 's/ [0-9]+[smh] / /g' <<<"$table")" != "$shown" ]; then
            if [ -t 1 ] && [ "$lines" -gt 0 ]; then printf '\033[%sA\033[J' "$lines"; fi
            printf '%s\n' "$table"
            [ -t 1 ] || printf '\n'
            lines=$(wc -l <<<"$table")
            shown=$(sed -E 's/ [0-9]+[smh] / /g' <<<"$table")
        fi
        if $done; then return; fi
        if all_ready; then
            done=true # and once more the table, as it is now
            continue
        fi
        operator_runs || die "the operator ended: $(tail -n 5 "$state/operator.log")"
        [ $SECONDS -lt $deadline ] || die "not ready after $ready_limit s: $state/operator.log"
        sleep 0.2
    done
}

hints() {
    local kubectl=$kubectl
    [ "$(command -v kubectl)" != "$kubectl" ] || kubectl=kubectl
    cat <<END

All of it is there. To look further:

  export KUBECONFIG=$kubeconfig
  $kubectl get pm -A -o wide
  $kubectl -n davit-system describe pm shop                  # what was installed, from where, and why
  $kubectl -n shop get all                                   # what it consists of
  $kubectl -n shop delete deployment shop                    # it comes back
  $kubectl -n davit-system patch pm shop --type merge -p '{"spec":{"version":"v2.0.0"}}'
  $kubectl apply -f deploy/samples/tenant.yaml               # a team whose account may not: see its condition
  $kubectl -n davit-system delete pm shop                    # it goes, and with it what only it needed
  tail -f $state/operator.log

END
}

if [ "${1:-}" = down ]; then
    down
    exit
fi
[ $# = 0 ] || die "what is $1? There is: hack/demo.sh [down]"

if [ -e "$state/pid" ]; then
    say "Ending the demo before this one"
    down
fi
mkdir -p "$state"
finish() {
    local status=$?
    trap - EXIT
    printf '\n'
    say "Ending the demo"
    down
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
build
start_cluster
start_operator
apply_samples
watch_until_ready
hints
if [ -t 0 ] && [ -t 1 ]; then
    say "Ctrl-C ends the demo and leaves nothing behind"
    trap 'exit 0' INT
    while operator_runs; do sleep 1; done
    die "the operator ended: $(tail -n 5 "$state/operator.log")"
fi
trap - EXIT
say "It goes on in the background: \`make demo-down\` ends it"
