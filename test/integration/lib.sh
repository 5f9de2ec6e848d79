# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the integration tests stand on. A test file sources this, defines test_<behaviour> functions, and ends with run_tests:
#
#   setup_file     (optional) replaces the usual beginning: start_cluster, install_api, start_repository, start_operator
#   before_clean_up, after_clean_up (optional) stand around the end of each test
#   test_<name>    one behaviour. Runs in a shell of its own under `set -e`, within TEST_LIMIT seconds; its output is shown
#                  when it fails. $ns, $repo and $p (a prefix for package names) are its own.
#
# One cluster per file; the operator runs on it with the restricted RBAC set, as its own service account. Everything lives in
# the folder $work and ends with the file, also when that is killed: servers when their standard input closes, operators by
# `timeout`.
#
#   ONLY='upgrade*' test/integration/install_test.sh     some tests
#   KEEP=1 …                                              leaves the cluster and $work
#   REUSE=NAME …                                          uses (and keeps) the cluster NAME
#   DAVIT_BIN=… DAVIT_WRAPPER='valgrind -q' …             another operator, or one inside something
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
test_file=$(basename "$0" _test.sh)
readonly root test_file
DAVIT_BIN=${DAVIT_BIN:-$root/build/release/bin/davit-controller}
TOOLS=${TOOLS:-$root/build/tools}
readonly DAVIT_BIN TOOLS
TEST_LIMIT=${TEST_LIMIT:-120}
WAIT=${WAIT:-30}                     # how long wait_… waits when it is not told
OPERATOR_LIMIT=${OPERATOR_LIMIT:-1800} # no operator outlives this
readonly operator_user=system:serviceaccount:davit-system:davit-controller

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

#
# The tools that tests need
#

build_tools() {
    local tool go source=$root/test/faults
    mkdir -p "$TOOLS"
    exec {tools_lock}<"$TOOLS"
    flock "$tools_lock"
    for tool in faultproxy repofault; do
        if [ ! -x "$TOOLS/$tool" ] || [ -n "$(find "$source" -name '*.go' -newer "$TOOLS/$tool")" ]; then
            go=$("$root/hack/deps.sh" go)
            (cd "$source" && CGO_ENABLED=0 GOWORK=off "$go" build -trimpath -buildvcs=false -o "$TOOLS/$tool.new" "./$tool")
            mv "$TOOLS/$tool.new" "$TOOLS/$tool"
        fi
    done
    exec {tools_lock}<&-
}

#
# The cluster
#

# Starts the file's cluster, with options of hack/devcluster, and sets cluster, cluster_dir and kubeconfig.
start_cluster() {
    cluster=${REUSE:-it-$test_file-$$}
    kubeconfig=$("$root/hack/devcluster" up "$cluster" "$@" 2>>"$work/devcluster.log")
    cluster_dir=$(dirname "$kubeconfig")
    kubectl=$("$root/hack/devcluster" kubectl)
    audit_log=$cluster_dir/audit.log
}

# kubectl as the cluster's administrator. The cache is the file's own: ports are used again by other clusters.
k() { "$kubectl" --kubeconfig "$kubeconfig" --cache-dir "$work/kubectl" "$@"; }
# One that applies standard input or files, whoever owned the fields.
apply() {
    if [ $# = 0 ]; then set -- -f -; fi
    k apply --server-side --force-conflicts --validate=false "$@" >/dev/null
}
apiserver_url() { k config view -o 'jsonpath={.clusters[0].cluster.server}'; }

# Applies the CRDs and the restricted RBAC set, as deploy/ has them, and the account of administrators' packages.
install_api() {
    apply -f "$root/deploy/base" -f "$root/deploy/rbac-restricted.yaml" -f "$root/deploy/optional/administrator-account.yaml"
    k wait --for=condition=Established crd/packagemanifests.davit.dev crd/packagerepositories.davit.dev --timeout=20s >/dev/null
    wait_for 20 "the rules of davit-controller-watches" watches_have_rules
}
watches_have_rules() { k get clusterrole davit-controller-watches -o json | jq -e '.rules | length > 0'; }

#
# Waiting
#

now_us() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    local seconds=$1 what=$2 deadline
    shift 2
    deadline=$(($(now_us) + seconds * 1000000))
    until "$@" >/dev/null 2>&1; do
        if [ "$(now_us)" -ge $deadline ]; then fail "not within $seconds s: $what"; fi
        sleep 0.1
    done
}
# always SECONDS WHAT COMMAND…: succeeds when the command did all the time.
always() {
    local seconds=$1 what=$2 deadline
    shift 2
    deadline=$(($(now_us) + seconds * 1000000))
    while [ "$(now_us)" -lt $deadline ]; do
        "$@" >/dev/null 2>&1 || fail "no longer so: $what"
        sleep 0.2
    done
}
not() { ! "$@"; }

#
# Programs in the background. Each has a folder $work/run/NAME with its pid and its output.
#

free_port() {
    local port
    while :; do
        port=$((30100 + RANDOM % 2500))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s' "$port"
            return
        fi
    done
}

# spawn NAME COMMAND…: in a group of its own, at most OPERATOR_LIMIT seconds, with none of our descriptors but fd 0, 1 and 2.
spawn() {
    local name=$1 dir=$work/run/$1 input
    shift
    mkdir -p "$dir"
    rm -f "$dir/pid"
    exec {input}<&0 # a background command would get /dev/null
    # shellcheck disable=SC2016  # the inner shell expands it
    timeout --kill-after=5 "$OPERATOR_LIMIT" bash -c '
        for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done
        printf "%s" "$$" >"$1/pid.new" && mv "$1/pid.new" "$1/pid"
        shift
        exec "$@"' spawn "$dir" "$@" <&"$input" >>"$dir/out" 2>>"$dir/log" &
    disown
    exec {input}<&-
    until [ -s "$dir/pid" ]; do sleep 0.02; done
}

pid_of() { cat "$work/run/$1/pid"; }
# A zombie has ended too.
runs() {
    local stat
    { read -r stat <"/proc/$(pid_of "$1")/stat"; } 2>/dev/null && [[ ${stat##*) } != Z* ]]
}
# end NAME [SIGNAL]: sends TERM (or another) and waits for the end.
end() {
    local name=$1 pid
    [ -s "$work/run/$name/pid" ] || return 0
    pid=$(pid_of "$name")
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    wait_for 40 "the end of $name (process $pid)" not runs "$name"
    rm -f "$work/run/$name/pid"
}
signal() { kill "-$2" "$(pid_of "$1")"; }

# start_server NAME PROGRAM…: one that prints a line of JSON when it is ready, and ends when its standard input closes: with
# the shell that started it.
start_server() {
    local name=$1 dir=$work/run/$1 held
    shift
    mkdir -p "$dir"
    rm -f "$dir/stdin" "$dir/out"
    mkfifo "$dir/stdin"
    # Both ends, so that opening does not wait for a reader.
    exec {held}<>"$dir/stdin"
    spawn "$name" "$@" <"$dir/stdin"
    wait_for "$WAIT" "$name to be ready" test -s "$dir/out"
}
server_field() { jq -r ".$2" "$work/run/$1/out"; }
# control NAME PATH [JSON]: posts to the server's control port.
control() { curl -sf --max-time 10 -X POST --data "${3:-}" "http://$(server_field "$1" adminListen)$2" >/dev/null; }
fault() { control "$1" /faults "$2"; }
no_faults() { curl -sf --max-time 10 -X DELETE "http://$(server_field "$1" adminListen)/faults" >/dev/null; }
# How often the server's first fault has happened.
fired() { curl -sf --max-time 10 "http://$(server_field "$1" adminListen)/faults" | jq '.[0].fired'; }
has_fired() { [ "$(fired "$1")" -ge "$2" ]; }
server_log() { curl -sf --max-time 10 "http://$(server_field "$1" adminListen)/log"; }

#
# The operator
#

# start_operator [NAME] [FLAG…]: as the service account davit-system/davit-controller, through files as in a pod. The token
# lives 90 seconds, and is renewed every 30. OPERATOR_SERVER=HOST:PORT: through a proxy.
start_operator() {
    local name=${1:-operator} dir health
    shift || true
    dir=$work/run/$name
    [ -x "$DAVIT_BIN" ] || fail "there is no operator at $DAVIT_BIN: run make"
    mkdir -p "$dir/cache"
    renew_token "$name"
    health=$(free_port)
    printf '%s' "$health" >"$dir/health"
    free_port >"$dir/metrics"
    # shellcheck disable=SC2086  # the wrapper is words
    spawn "$name" ${DAVIT_WRAPPER:-} "$DAVIT_BIN" --in-cluster-dir="$dir/in-cluster" --cache-dir="$dir/cache" \
        --allow-cidr=127.0.0.0/8 --allow-file-root="$work/repositories" --default-service-account=davit-packages \
        --health-probe-bind-address="127.0.0.1:$health" --metrics-bind-address="127.0.0.1:$(cat "$dir/metrics")" \
        --log-format=json "$@" </dev/null
    wait_for 30 "$name to be ready" operator_answers "$name"
}
operator_answers() {
    runs "$1" || fail "$1 ended: $(tail -n 3 "$work/run/$1/log")"
    curl -sf --max-time 2 "http://127.0.0.1:$(cat "$work/run/$1/health")/readyz"
}
renew_token() {
    "$root/hack/devcluster" sa-token "$cluster" davit-system davit-controller "$work/run/$1/in-cluster" "${TOKEN_SECONDS:-90}" \
        ${OPERATOR_SERVER:+"--server=$OPERATOR_SERVER"} 2>>"$work/devcluster.log"
    # What the audit log calls the token, when the API server itself made it (from 600 seconds on).
    token_id "$work/run/$1/in-cluster/token" >>"$work/run/$1/token-ids"
}
token_id() {
    local payload
    payload=$(cut -d . -f 2 "$1" | tr '_-' '/+')
    while [ $((${#payload} % 4)) != 0 ]; do payload+='='; done
    base64 -d <<<"$payload" | jq -r '.jti // empty'
}
# Renews the tokens of all operators, until $work is gone.
renew_tokens() {
    local dir fd clock
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        [ "$fd" -le 2 ] || exec {fd}<&- # servers end when nobody holds their standard input
    done
    mkfifo "$work/clock"
    exec {clock}<>"$work/clock"
    # Nobody writes there: it only waits, without a process of its own.
    while ! read -rt 30 -u "$clock" && [ -d "$work/run" ]; do
        for dir in "$work"/run/*/in-cluster; do
            [ ! -d "$dir" ] || OPERATOR_SERVER=$(cat "$dir/host"):$(cat "$dir/port") renew_token "$(basename "${dir%/in-cluster}")" || true
        done
    done
}
restart_operator() {
    end "${1:-operator}" "${2:-TERM}"
    start_operator "${1:-operator}" "${@:3}"
}
metric() { curl -sf --max-time 5 "http://127.0.0.1:$(cat "$work/run/${2:-operator}/metrics")/metrics" | grep "^$1"; }
operator_log() { cat "$work/run/${1:-operator}/log"; }

#
# Package repositories: folders below $work/repositories, served by the server "repository"
#

start_repository() {
    mkdir -p "$work/repositories"
    start_server repository "$TOOLS/repofault" --root "$work/repositories"
}
repository_url() { server_field repository url; }

# package NAME VERSION [key=value…] <MANIFEST: writes a version of a package into the test's repository. Keys: repo, namespace
# (default: the test's), scope, dep=NAME[:RANGE] (any number), manifest=URL (any number; instead of the one on standard
# input), extra=LINES of package.yaml.
package() {
    local name=$1 version=$2 arg into=$repo namespace=$ns scope=Cluster deps='' manifests='' extra='' dir text
    shift 2
    for arg in "$@"; do
        case $arg in
            repo=*) into=${arg#*=} ;;
            namespace=*) namespace=${arg#*=} ;;
            scope=*) scope=${arg#*=} ;;
            dep=*) arg=${arg#*=} && deps+="- name: ${arg%%:*}"$'\n' && [[ $arg != *:* ]] || deps+="  version: \"${arg#*:}\""$'\n' ;;
            manifest=*) manifests+="- url: \"${arg#*=}\""$'\n' ;;
            extra=*) extra=${arg#*=} ;;
            *) fail "package: what is $arg?" ;;
        esac
    done
    dir=$work/repositories/$into/$name/$version
    mkdir -p "$dir"
    if [ -z "$manifests" ]; then
        manifests=$'- url: manifest.yaml\n'
        cat >"$dir/manifest.yaml"
    fi
    text="name: $name"$'\n'"scope: $scope"$'\n'
    [ -z "$namespace" ] || text+="defaultNamespace: $namespace"$'\n'
    text+="manifests:"$'\n'"$manifests"
    [ -z "$deps" ] || text+="dependencies:"$'\n'"$deps"
    printf '%s%s\n' "$text" "$extra" >"$dir/package.yaml"
    index "$into"
}

# Writes index.yaml and every versions.yaml of a repository from the folders that are there.
index() {
    local into=$work/repositories/$1 dir name versions
    {
        printf 'packages:\n'
        for dir in "$into"/*/; do
            name=$(basename "$dir")
            mapfile -t versions < <(cd "$dir" && printf '%s\n' */ | tr -d / | sort -V)
            printf -- '- {name: "%s", latestVersion: "%s", scope: Cluster}\n' "$name" "${versions[-1]}"
            {
                printf 'latestVersion: "%s"\nversions:\n' "${versions[-1]}"
                printf -- '- version: "%s"\n' "${versions[@]}"
            } >"$dir/versions.yaml"
        done
    } >"$into/index.new"
    mv "$into/index.new" "$into/index.yaml"
}

# config NAME [KEY=VALUE…]: prints a ConfigMap, the simplest of manifests.
config() {
    local arg name=$1
    shift
    printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  made-by: test\n' "$name"
    for arg in "$@"; do printf '  %s: "%s"\n' "${arg%%=*}" "${arg#*=}"; done
}
# workload NAME [REPLICAS] [LABEL]: prints a Deployment.
workload() {
    cat <<END
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $1
spec:
  replicas: ${2:-1}
  selector:
    matchLabels: {app: $1}
  template:
    metadata:
      labels: {app: $1${3:+, $3}}
    spec:
      containers:
      - name: main
        image: example.davit.dev/none:1
        resources: {requests: {cpu: 0.1}}
END
}

# repository [NAME] [SPEC]: a PackageRepository of the folder with that name (default: the test's), with SPEC (JSON) merged in.
repository() {
    local name=${1:-$repo} spec=${2:-'{}'}
    jq -n --arg name "$name" --arg url "$(repository_url)/$name" --argjson spec "$spec" '{apiVersion: "davit.dev/v1alpha1",
        kind: "PackageRepository", metadata: {name: $name}, spec: ({url: $url, insecure: true, interval: "1h"} + $spec)}' | apply
}
# sync [NAME]: asks for a sync now, and waits until it was made.
sync() {
    local name=${1:-$repo} at
    at=$(now_us)
    k annotate --overwrite pkgrepo "$name" "davit.dev/requestedAt=$at" >/dev/null
    wait_for "$WAIT" "the sync of repository $name" repository_is "$name" ".status.lastHandledReconcileAt == \"$at\""
}
repository_is() { k get pkgrepo "$1" -o json | jq -e "$jq_words $2"; }
# wait_repository NAME JQ [SECONDS]
wait_repository() { wait_for "${3:-$WAIT}" "repository $1: $2" repository_is "$1" "$2"; }

#
# Packages in the cluster
#

readonly jq_words='
def condition(name): ((.status.conditions // [])[] | select(.type == name)) // {};
def is(name; status): condition(name).status == status;
def current: .status.observedGeneration == .metadata.generation;
def ready: current and is("Ready"; "True");
def has(kind; name): any(.status.inventory[]?; .kind == kind and .name == name);
'

# A package is NAME in the test's namespace, or NAMESPACE/NAME.
pm() {
    local where=$ns name=$1
    [[ $name != */* ]] || where=${name%%/*} name=${name#*/}
    k -n "$where" get pm "$name" -o json
}
pm_is() { pm "$1" | jq -e "$jq_words $2"; }
pm_field() { pm "$1" | jq -r "$jq_words $2"; }

# install NAME [SPEC]: applies a PackageManifest with the account "packages" and what SPEC (JSON) says.
install() {
    local where=$ns name=$1 spec=${2:-'{}'}
    [[ $name != */* ]] || where=${name%%/*} name=${name#*/}
    jq -n --arg ns "$where" --arg name "$name" --argjson spec "$spec" '{apiVersion: "davit.dev/v1alpha1",
        kind: "PackageManifest", metadata: {name: $name, namespace: $ns}, spec: ({serviceAccountName: "packages"} + $spec)}' | apply
}
patch_pm() { k -n "$ns" patch pm "$1" --type merge -p "$2" >/dev/null; }
# wait_pm NAME JQ [SECONDS]: until the filter, which may use jq_words, is true for the package.
wait_pm() { wait_for "${3:-$WAIT}" "package $1: $2" pm_is "$1" "$2"; }
# wait_ready NAME [VERSION] [SECONDS]
wait_ready() { wait_pm "$1" "ready${2:+ and .status.version == \"$2\"}" "${3:-$WAIT}"; }
# wait_held NAME REASON-REGEX MESSAGE-REGEX [SECONDS]: until the package is not ready, for this reason, in words that fit.
wait_held() {
    wait_pm "$1" "current and is(\"Ready\"; \"False\") and (condition(\"Ready\").reason | test(\"$2\")) and
        (condition(\"Ready\").message | test(\"$3\"; \"i\"))" "${4:-$WAIT}"
}
# An event of a package or repository: has_event NAME REASON-REGEX MESSAGE-REGEX [NAMESPACE]
has_event() {
    k -n "${4:-$ns}" get events.events.k8s.io -o json |
        jq -e --arg name "$1" --arg reason "$2" --arg note "$3" 'any(.items[]; .regarding.name == $name and
            (.reason | test($reason)) and (.note | test($note; "i")))'
}
wait_event() { wait_for "$WAIT" "an event $2 of $1: $3" has_event "$@"; }

# uninstall NAME: deletes it and waits until it is gone.
uninstall() {
    k -n "$ns" delete pm "$@" --wait=false >/dev/null
    local name
    for name in "$@"; do wait_gone pm "$name"; done
}

# owner_of NAME [NAMESPACE]: the value of davit.dev/owner on what the package owns.
owner_of() { printf '%s/%s' "${2:-$ns}" "$1" | sha256sum | cut -c 1-20; }

# exists KIND NAME [NAMESPACE]
exists() { k -n "${3:-$ns}" get "$1" "$2"; }
# gone KIND NAME [NAMESPACE]: there is no such object (and not: the server did not answer).
gone() { [ -z "$(k -n "${3:-$ns}" get "$1" "$2" --ignore-not-found -o name 2>&1)" ]; }
wait_exists() { wait_for "$WAIT" "$1 $2" exists "$@"; }
wait_gone() { wait_for "${4:-$WAIT}" "$1 $2 to be gone" gone "$1" "$2" ${3:+"$3"}; }
# data NAME KEY [NAMESPACE]: prints a ConfigMap's value.
data() { k -n "${3:-$ns}" get configmap "$1" -o "jsonpath={.data.$2}"; }
data_is() { [ "$(data "$1" "$2" "${4:-$ns}")" = "$3" ]; }
uid_of() { k -n "${3:-$ns}" get "$1" "$2" -o 'jsonpath={.metadata.uid}'; }

# tenant [CLUSTERROLE]: the test's namespace with the account "packages", which may do everything, or in this namespace only
# what the role given allows ("none": nothing).
tenant() {
    local role=${1:-all}
    {
        printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n' "$ns"
        printf -- '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: packages, namespace: %s}\n' "$ns"
        case $role in
            none) ;;
            all) binding ClusterRoleBinding "$ns" cluster-admin ;;
            *) binding RoleBinding packages "$role" ;;
        esac
    } | apply
}
binding() {
    printf -- '---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: %s, namespace: %s}\n' "$1" "$2" "$ns"
    printf 'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s}\n' "$3"
    printf 'subjects: [{kind: ServiceAccount, name: packages, namespace: %s}]\n' "$ns"
}

#
# The audit log: what was asked of the API server, and by whom
#

# Waits until what was asked until now is in the log.
audit_sync() {
    local marker
    marker=marker-$(now_us)
    k get --raw "/api/v1/namespaces/$marker" >/dev/null 2>&1 || true
    wait_for "$WAIT" "the audit log" grep -q "$marker" "$audit_log"
}
# Prints where the log ends now, for audit_since.
audit_mark() {
    audit_sync
    wc -c <"$audit_log"
}
# audit_since MARK [JQ]: the operator's requests since then, one JSON object a line; JQ is a condition on them.
audit_since() {
    audit_sync
    tail -c "+$(($1 + 1))" "$audit_log" | jq -c --arg user "$operator_user" "select(.user.username == \$user) | select(${2:-true})"
}
readonly is_write='(.verb | IN("create", "update", "patch", "delete", "deletecollection")) and (.objectRef.resource != "leases")'
audit_count() { audit_since "$@" | wc -l; }
# written_by NAME MARK: what this operator, of several, wrote since then. Its token has to be one of TOKEN_SECONDS=600 or more.
written_by() {
    local ids
    ids=$(jq -R . "$work/run/$1/token-ids" | jq -sc 'map("JTI=" + .)')
    audit_since "$2" "$is_write and ((.user.extra[\"authentication.kubernetes.io/credential-id\"][0]) as \$id | $ids | index(\$id) != null)"
}
# Waits until the operator has asked for nothing for 2 seconds: what a change set off has ended.
wait_quiet() { wait_for "$WAIT" "the operator to be quiet" asked_nothing 2; }
# asked_nothing SECONDS: but for watches and leases, from now on.
asked_nothing() {
    local mark asked
    mark=$(audit_mark)
    sleep "$1"
    asked=$(audit_since "$mark" "$is_question" | jq -r '"\(.verb) \(.requestURI)"' | sort | uniq -c)
    printf '%s\n' "$asked"
    [ -z "$asked" ]
}
readonly is_question='.verb != "watch" and .objectRef.resource != "leases"'
# start_proxy: a faultproxy named "proxy" before the API server; operators that are started with OPERATOR_SERVER=$(proxy) use it.
start_proxy() {
    start_server proxy "$TOOLS/faultproxy" --upstream "$(apiserver_url)" --upstream-ca "$cluster_dir/pki/ca.crt" \
        --cert "$cluster_dir/pki/serving.crt" --key "$cluster_dir/pki/serving.key"
}
proxy() { server_field proxy listen; }

# Fails when the operator was refused something.
assert_no_403() {
    local refused
    refused=$(audit_since "${1:-0}" '.responseStatus.code == 403' | jq -r '"\(.impersonatedUser.username // "itself"): \(.verb) \(.requestURI)"' | sort | uniq -c)
    [ -z "$refused" ] || fail "the operator was refused (403):"$'\n'"$refused"
}

#
# Running
#

use_test() {
    local short=${1//_/-}
    short=${short:0:38}
    repo=${short%-} p=${short%-} ns=t-${short%-}
}

# Ends what the test left: its packages, its repositories, its namespace. A package that does not go is a failure.
clean_up() {
    local name stuck=0 mine
    k get crd packagemanifests.davit.dev >/dev/null 2>&1 || return 0
    mine=$(k get pm -A -o json | jq -r --arg ns "$ns" --arg p "$p" '.items[] | select(.metadata.namespace == $ns or
        (.metadata.name | startswith($p))) | "\(.metadata.namespace)/\(.metadata.name)"')
    for name in $mine; do k -n "${name%%/*}" delete pm "${name#*/}" --wait=false >/dev/null 2>&1 || true; done
    for name in $mine; do
        if ! (wait_gone pm "${name#*/}" "${name%%/*}" 40) 2>/dev/null; then
            printf 'package %s does not go: %s\n' "$name" "$(k -n "${name%%/*}" get pm "${name#*/}" -o json | jq -c .status.conditions)" >&2
            k -n "${name%%/*}" patch pm "${name#*/}" --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null 2>&1 || true
            stuck=1
        fi
    done
    k get pkgrepo -o name | sed 's|.*/||' | { grep "^$repo" || true; } | xargs -r "$kubectl" --kubeconfig "$kubeconfig" --cache-dir "$work/kubectl" delete pkgrepo >/dev/null
    k delete namespace "$ns" --wait=false --ignore-not-found >/dev/null
    k delete clusterrolebinding "$ns" --ignore-not-found >/dev/null
    return $stuck
}

# What tells most about a failure: the test's packages and repositories, and what the operators said of them.
explain() {
    local dir
    k get pm -A -o json 2>/dev/null | jq -c --arg ns "$ns" --arg p "$p" '.items[] | select(.metadata.namespace == $ns or (.metadata.name | startswith($p))) |
        {package: "\(.metadata.namespace)/\(.metadata.name)", deleted: .metadata.deletionTimestamp, generation: .metadata.generation, spec,
        status: ((.status // {}) | del(.inventory, .artifacts, .history))}' 2>/dev/null | head -n 8 | cut -c 1-2000
    k get pkgrepo -o json 2>/dev/null | jq -c --arg p "$p" '.items[] | select(.metadata.name | startswith($p)) | {repository: .metadata.name, spec, status}' 2>/dev/null |
        head -n 4 | cut -c 1-1000
    for dir in "$work"/run/*/in-cluster; do
        dir=${dir%/in-cluster}
        [ -d "$dir" ] || continue
        printf 'end of the log of %s:\n' "$(basename "$dir")"
        { grep -E "$p|\"(error|fatal)\"|ERROR|runtime error" "$dir/log" 2>/dev/null || true; } | tail -n 6 | cut -c 1-500
    done
}

# bounded SECONDS COMMAND…: in a process group of its own, that is killed after so many seconds. Sets $status to 1 when it
# fails. Never call it in a condition: what it runs would go on after an error.
bounded() {
    local limit=$1 pid deadline
    shift
    set -m
    (
        set +m
        trap - EXIT
        trap 'printf "line %s: %s\n" "$LINENO" "$BASH_COMMAND" >&2' ERR
        set -eEuo pipefail
        "$@"
    ) &
    pid=$!
    set +m
    deadline=$(($(now_us) + limit * 1000000))
    while kill -0 "$pid" 2>/dev/null; do
        if [ "$(now_us)" -ge $deadline ]; then
            printf 'FAILED: not finished after %s s\n' "$limit" >&2
            kill -TERM -- "-$pid" 2>/dev/null || true
            sleep 0.5
            kill -KILL -- "-$pid" 2>/dev/null || true
            break
        fi
        sleep 0.05
    done
    wait "$pid" || status=1
}

run_test() {
    local name=$1 out=$work/test.out began status=0
    began=$(now_us)
    use_test "$name"
    bounded "$TEST_LIMIT" "test_$name" >"$out" 2>&1
    if [ $status != 0 ]; then explain >>"$out" 2>&1 || true; fi
    if declare -F before_clean_up >/dev/null; then bounded 60 before_clean_up >>"$out" 2>&1; fi
    bounded 90 clean_up >>"$out" 2>&1
    if declare -F after_clean_up >/dev/null; then bounded 60 after_clean_up >>"$out" 2>&1; fi
    count=$((count + 1))
    if [ $status = 0 ]; then
        passed=$((passed + 1))
        printf 'ok %s - %s: %s (%s s)\n' "$count" "$test_file" "${name//_/ }" "$((($(now_us) - began) / 1000000))"
    else
        failed=$((failed + 1))
        printf 'not ok %s - %s: %s (%s s)\n' "$count" "$test_file" "${name//_/ }" "$((($(now_us) - began) / 1000000))"
        tail -n 60 "$out" | sed 's/^/#   /'
    fi
}

# After all others: operators end well, and no sanitizer or valgrind has said a word.
run_last() {
    local name=no_operator_crashed out=$work/test.out dir
    : >"$out"
    for dir in "$work"/run/*/in-cluster; do
        dir=${dir%/in-cluster}
        [ -d "$dir" ] || return 0
        if [ -s "$dir/pid" ]; then bounded 60 end "$(basename "$dir")" >>"$out" 2>&1; fi
        grep -hE 'AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|DV_ASSERT|assertion|==[0-9]+== +(Invalid|Conditional|Use of|Syscall)' "$dir/log" >>"$out" || true
    done
    count=$((count + 1))
    if [ ! -s "$out" ]; then
        passed=$((passed + 1))
        printf 'ok %s - %s: %s\n' "$count" "$test_file" "${name//_/ }"
    else
        failed=$((failed + 1))
        printf 'not ok %s - %s: %s\n' "$count" "$test_file" "${name//_/ }"
        head -n 40 "$out" | sed 's/^/#   /'
    fi
}

tear_down() {
    local status=$? dir pid parent
    trap - EXIT
    set +e
    [ -z "${renewer:-}" ] || kill "$renewer" 2>/dev/null
    if [ -n "${KEEP:-}" ]; then
        printf '# kept: %s, cluster %s\n' "$work" "${cluster:-none}"
        exit "$status"
    fi
    for dir in "$work"/run/*/; do
        pid=$(cat "$dir/pid" 2>/dev/null) || continue
        # Only while it is still what was started here (the parent is its `timeout`): the id may have been given to another.
        parent=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) || continue
        if tr '\0' '\n' 2>/dev/null <"/proc/$parent/cmdline" | grep -qF -- "$work"; then
            kill -CONT "$pid" 2>/dev/null
            kill -KILL "$pid" 2>/dev/null
        fi
    done
    if [ -n "${cluster:-}" ] && [ -z "${REUSE:-}" ]; then "$root/hack/devcluster" down "$cluster" 2>/dev/null; fi
    rm -rf "$work"
    exit "$status"
}

setup_usual() {
    start_cluster
    install_api
    start_repository
    start_operator
}

run_tests() {
    local name tests
    count=0 passed=0 failed=0
    mapfile -t tests < <(grep -o '^test_[a-z0-9_]*' "$0" | sed 's/^test_//')
    work=$(mktemp -d "${TMPDIR:-/tmp}/davit-$test_file.XXXXXX")
    trap tear_down EXIT
    trap 'exit 130' INT TERM HUP
    mkdir -p "$work/run" "$work/repositories"
    build_tools
    if declare -F setup_file >/dev/null; then setup_file; else setup_usual; fi
    renew_tokens &
    renewer=$!
    for name in "${tests[@]}"; do
        # shellcheck disable=SC2053  # a glob is meant
        if [ -z "${ONLY:-}" ] || [[ $name == $ONLY ]]; then run_test "$name"; fi
    done
    if [ -z "${ONLY:-}" ]; then run_last; fi
    printf '# %s: %s passed, %s failed\n' "$test_file" "$passed" "$failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
