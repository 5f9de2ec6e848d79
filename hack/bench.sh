#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures the operator against the floor: the same objects sent by the least client there is (test/bench/floor), which also
# waits until every Deployment is ready by the same rule. Each package is a namespace, five ConfigMaps, a Deployment with 0
# replicas and a Service; a fifth of the packages stand in dependency chains of five. Every run has a fresh cluster of its own,
# floor and operator in turn. The operator runs as deploy/ has it: restricted rights, leader election, the administrators'
# account.
#
#   hack/bench.sh [N…]            so many packages: 100 1000
#   hack/bench.sh report          writes the report again, from the figures of the last run
#
#   BENCH_RUNS=3        rounds for each N up to 200; BENCH_RUNS_LARGE=1 for more
#   BENCH_QUIET=60      seconds in which nothing changes, after the last round of each N (the goal speaks of 900)
#   BENCH_LIMIT=600     seconds in which all has to be Ready
#   BENCH_REPORT=docs/benchmarks.md     "-" prints it; BENCH_OUT=build/bench has the figures (results.jsonl)
#   BIN, TOOLS          another operator, another folder for the Go tools
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DAVIT_BIN=${BIN:-$root/build/release/bin/davit-controller}
words=("$@")
# shellcheck source=SCRIPTDIR/../test/integration/lib.sh
. "$root/test/integration/lib.sh"

readonly cluster_name=${BENCH_CLUSTER:-bench} runs=${BENCH_RUNS:-3} runs_large=${BENCH_RUNS_LARGE:-1} quiet_seconds=${BENCH_QUIET:-60}
readonly limit=${BENCH_LIMIT:-600} report=${BENCH_REPORT:-$root/docs/benchmarks.md} out=${BENCH_OUT:-$root/build/bench}
readonly settle_seconds=5 # until what comes after Ready (events, statuses) has come
readonly ns=davit-system
TOKEN_SECONDS=$((limit + quiet_seconds + 7200)) OPERATOR_LIMIT=$TOKEN_SECONDS
TICK=$(getconf CLK_TCK)

say() { printf '%s\n' "$*" >&2; }
seconds() { awk -v us="$1" 'BEGIN { printf "%.3f", us / 1000000 }'; }

#
# Processes
#

# Prints the processor seconds that a process has used, and its ended children.
cpu_of() {
    local stat fields
    read -r stat <"/proc/$1/stat"
    read -ra fields <<<"${stat##*) }"
    awk -v ticks=$((fields[11] + fields[12] + fields[13] + fields[14])) -v hz="$TICK" 'BEGIN { printf "%.2f", ticks / hz }'
}
apiserver_cpu() { cpu_of "$(cut -d ' ' -f 1 <"$cluster_dir/pids/apiserver")"; }

# Prints the operator's memory as JSON, in KiB. Its caged workers share most of their pages with it: what they add is told by
# the proportional size of all processes together.
memory() {
    local pid child processes=1 together=0
    pid=$(pid_of operator)
    for child in "$pid" $(cat "/proc/$pid/task/"*/children); do
        together=$((together + $(awk '/^Pss:/ { print $2 }' "/proc/$child/smaps_rollup")))
        [ "$child" = "$pid" ] || processes=$((processes + 1))
    done
    awk -v together=$together -v processes=$processes '/^(VmRSS|RssAnon|VmHWM|Threads):/ { v[$1] = $2 }
        END { printf "{\"rss\": %d, \"anon\": %d, \"peak\": %d, \"threads\": %d, \"processes\": %d, \"together\": %d}",
            v["VmRSS:"], v["RssAnon:"], v["VmHWM:"], v["Threads:"], processes, together }' "/proc/$pid/status"
}

#
# The cluster
#

fresh_cluster() {
    hack/devcluster down "$cluster_name" 2>>"$work/devcluster.log"
    REUSE=$cluster_name start_cluster --no-kwok
    k config view --raw --minify -o json --kubeconfig "$cluster_dir/bench.kubeconfig" >"$work/bench.json"
}

tool() {
    local name=$1
    shift
    timeout --kill-after=5 $((limit + 30)) "$TOOLS/bench-$name" --kubeconfig "$work/bench.json" --limit "${limit}s" "$@"
}

build_bench_tools() {
    local name go source=$root/test/bench
    for name in gen floor packages; do
        if [ ! -x "$TOOLS/bench-$name" ] || [ -n "$(find "$source" -name '*.go' -newer "$TOOLS/bench-$name")" ]; then
            go=$("$root/hack/deps.sh" go)
            (cd "$source" && CGO_ENABLED=0 GOWORK=off "$go" build -trimpath -buildvcs=false -o "$TOOLS/bench-$name" "./$name")
        fi
    done
}

# What jq needs for the audit log: microseconds, and the operator's requests, each once.
# shellcheck disable=SC2016  # jq's variables
readonly audit_words='
def us: (.[:19] + "Z" | fromdateiso8601) * 1000000 + (.[20:26] | tonumber);
def began: .requestReceivedTimestamp | us;
def ended: .stageTimestamp | us;
def resource: .objectRef | if . then .resource + (if .subresource then "/" + .subresource else "" end) else "discovery" end;
def is_write: .verb | IN("create", "update", "patch", "delete");
def is_watch: .verb == "watch";
def is_lease: .objectRef.resource == "leases";
def packed: resource as $r | $r | IN("namespaces", "configmaps", "deployments", "services");
def tally: group_by(.) | map({key: .[0], value: length}) | sort_by(-.value) | from_entries;
def operator: select(.userAgent | startswith("davit-controller/"));
'
# audit FROM-US TO-US JQ: the program gets the list of what the operator asked in that time.
audit() {
    jq -nc --argjson from "$1" --argjson to "$2" "$audit_words"'[inputs | operator | select(began >= $from and began < $to)]
        | unique_by(.auditID) | '"$3" "$audit_log"
}

#
# Runs
#

note() { jq -c --arg kind "$1" --argjson n "$2" --argjson round "$3" --arg load "$load" \
    '{kind: $kind, n: $n, round: $round, load: ($load | tonumber)} + .' >>"$out/results.jsonl"; }

run_floor() {
    local n=$1 round=$2 cpu answer
    fresh_cluster
    cpu=$(apiserver_cpu)
    answer=$(tool floor --objects "$work/repositories/n$n/floor.jsonl")
    jq --argjson before "$cpu" --argjson after "$(apiserver_cpu)" '. + {apiserver_cpu_s: ($after - $before)}' <<<"$answer" | note floor "$n" "$round"
    say "  floor:    $(jq -r '"last write \(.last_write_s) s, all ready \(.all_ready_s) s"' <<<"$answer")"
}

operator_up() { OPERATOR_SERVER='' start_operator operator --leader-elect; }

# timed_start NAME: starts the operator while a package NAME waits for it, and prints how long that took until the first
# write for it, and how much of it the API server was answering.
timed_start() {
    local name=$1
    jq -n --arg name "$name" '{apiVersion: "davit.dev/v1alpha1", kind: "PackageManifest", metadata: {name: $name, namespace: "davit-system"},
        spec: {repository: "bench-nobody"}}' | k create -f - >/dev/null
    operator_up
    wait_for 60 "the first write for $name" has_finalizer "$name"
    audit_sync
    # shellcheck disable=SC2016  # jq's variables
    audit "$(cat "$work/started")" "$(now_us)" '
        (map(select(is_write and .objectRef.resource == "packagemanifests" and .objectRef.name == "'"$name"'") | began) | min) as $first
        | $from as $start | [.[] | {from: began, to: ([ended, $first] | min)} | select(.from < $first and .to > .from)] | sort_by(.from)
        | reduce .[] as $r ({at: 0, sum: 0}; ([$r.from, .at] | max) as $from | if $r.to > $from then {at: $r.to, sum: (.sum + $r.to - $from)} else . end)
        | {first_write_s: (($first - $start) / 1000000), answers_s: (.sum / 1000000), own_s: (($first - $start - .sum) / 1000000)}'
}
has_finalizer() { [ -n "$(k -n "$ns" get pm "$1" -o 'jsonpath={.metadata.finalizers}')" ]; }

# What a list of requests was, the watches' and the lease's apart.
# shellcheck disable=SC2016  # jq's variables
readonly counted='map(select((is_watch or is_lease) | not)) as $asked | {requests: ($asked | length),
    by: ($asked | map("\(.verb) \(resource)") | tally), leases: (map(select(is_lease)) | length), watches: (map(select(is_watch)) | length),
    refused: ($asked | map(select(.responseStatus.code >= 400) | "\(.responseStatus.code) \(.verb) \(resource)") | tally),
    last_write_s: (($asked | map(select(is_write and packed) | ended) | max) as $latest | if $latest then ($latest - $from) / 1000000 else null end)}'

quiet() {
    local before from to cpu
    sleep "$settle_seconds"
    before=$(server_log repository | jq '[.requests[] | .seq] | max // 0')
    cpu=$(cpu_of "$(pid_of operator)")
    from=$(now_us)
    say "  quiet for $quiet_seconds s"
    sleep "$quiet_seconds"
    to=$(now_us)
    audit_sync
    audit "$from" "$to" "$counted" |
        jq --argjson seconds "$quiet_seconds" --argjson cpu "$(awk -v a="$cpu" -v b="$(cpu_of "$(pid_of operator)")" 'BEGIN { printf "%.2f", b - a }')" \
            --argjson repository "$(server_log repository | jq -c "[.requests[] | select(.seq > $before) | .code | tostring] | group_by(.) | map({key: .[0], value: length}) | from_entries")" \
            '. + {seconds: $seconds, cpu_s: $cpu, repository: $repository}'
}

run_operator() {
    local n=$1 round=$2 last=$3 cpu apiserver answer first='null' idle synced installed asked rest='null' restart='null' restarted='null' from to
    fresh_cluster
    install_api
    if $last; then
        first=$(timed_start bench-first)
        say "  start:    $(jq -r '"first write after \(.first_write_s) s, of which the API server answered \(.answers_s) s"' <<<"$first")"
        k -n "$ns" delete pm bench-first --wait=true --timeout=30s >/dev/null
        end operator
    fi
    operator_up
    sleep 2
    idle=$(memory)
    repository bench "{\"url\": \"$(repository_url)/n$n/repository\", \"interval\": \"1m\"}"
    wait_repository bench ready 60
    sleep 2
    synced=$(memory)

    cpu=$(cpu_of "$(pid_of operator)") apiserver=$(apiserver_cpu)
    answer=$(tool packages --packages "$work/repositories/n$n/packages.jsonl")
    sleep "$settle_seconds"
    installed=$(memory)
    from=$(jq .began_unix_us <<<"$answer") to=$(now_us)
    audit_sync
    asked=$(audit "$from" "$to" "$counted")
    say "  operator: $(jq -r --argjson c "$asked" '"last write \($c.last_write_s) s, all ready \(.all_ready_s) s, \($c.requests / .packages) requests a package"' <<<"$answer"), $(jq .rss <<<"$installed") KiB"
    jq -n --argjson answer "$answer" --argjson asked "$asked" --argjson idle "$idle" --argjson synced "$synced" --argjson installed "$installed" \
        --argjson cpu "$cpu" --argjson apiserver "$apiserver" --argjson cpu_after "$(cpu_of "$(pid_of operator)")" --argjson apiserver_after "$(apiserver_cpu)" \
        '$answer + $asked + {idle: $idle, synced: $synced, installed: $installed, cpu_s: ($cpu_after - $cpu), apiserver_cpu_s: ($apiserver_after - $apiserver)}' >"$work/row"
    if $last; then
        rest=$(quiet)
        say "  quiet:    $(jq -r '"\(.requests) requests, \(.leases) of the lease, \(.cpu_s) CPU s"' <<<"$rest")"
        end operator
        restart=$(timed_start bench-again)
        sleep "$settle_seconds"
        restarted=$(memory)
        say "  restart:  $(jq -r '"first write after \(.first_write_s) s, of which the API server answered \(.answers_s) s"' <<<"$restart")"
    fi
    jq --argjson first "$first" --argjson quiet "$rest" --argjson restart "$restart" --argjson restarted "$restarted" \
        '. + {start: $first, quiet: $quiet, restart: $restart, restarted: $restarted}' "$work/row" | note operator "$n" "$round"
    cp "$work/run/operator/log" "$out/operator-$n-$round.log"
    end operator
    : >"$work/run/operator/log"
}

finish() {
    local status=$?
    trap - EXIT
    set +e
    if [ $status != 0 ]; then
        [ ! -s "$work/run/operator/log" ] || tail -n 5 "$work/run/operator/log" | cut -c 1-400 >&2
        cp "$work/run/operator/log" "$out/operator-failed.log" 2>/dev/null
    fi
    end_processes
    hack/devcluster down "$cluster_name" 2>/dev/null
    rm -rf "$work"
    exit "$status"
}
# Ends what was spawned here, as long as it still is that.
end_processes() {
    local dir pid
    for dir in "$work"/run/*/; do
        pid=$(cat "$dir/pid" 2>/dev/null) || continue
        if tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$work"; then kill -KILL "$pid" 2>/dev/null; fi
    done
}

measure() {
    local n round rounds last
    [ -x "$DAVIT_BIN" ] || fail "there is no operator at $DAVIT_BIN: run make"
    work=$(mktemp -d "${TMPDIR:-/tmp}/davit-bench.XXXXXX")
    mkdir -p "$work/run" "$work/repositories" "$out"
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
    # shellcheck disable=SC2016  # the inner shell expands it
    printf '#!/bin/bash\nprintf "%%s" "${EPOCHREALTIME/[.,]/}" >"%s"\nexec "$@"\n' "$work/started" >"$work/mark-start"
    chmod +x "$work/mark-start"
    DAVIT_WRAPPER=$work/mark-start
    build_tools
    build_bench_tools
    hack/devcluster build
    start_repository
    jq -nc --arg date "$(date -u +%F)" --arg cores "$(nproc)" --arg version "$("$DAVIT_BIN" --version)" --arg command "$(command_line)" \
        --arg kubernetes "$(pinned kubernetes k8s.io/kubernetes)" --arg etcd "$(pinned etcd go.etcd.io/etcd/server/v3)" \
        '{kind: "about", date: $date, cores: $cores, version: $version, kubernetes: $kubernetes, etcd: $etcd, command: $command}' >"$out/results.jsonl"
    for n in "${counts[@]}"; do
        "$TOOLS/bench-gen" --packages "$n" --out "$work/repositories/n$n" --namespace "$ns"
        if [ "$n" -le 200 ]; then rounds=$runs; else rounds=$runs_large; fi
        for round in $(seq "$rounds"); do
            last=false
            [ "$round" != "$rounds" ] || last=true
            load=$(cut -d ' ' -f 1 /proc/loadavg)
            say "$n packages, round $round of $rounds (load $load)"
            run_floor "$n" "$round"
            load=$(cut -d ' ' -f 1 /proc/loadavg)
            run_operator "$n" "$round" $last
        done
    done
}

# pinned TOOL MODULE: the version that the dev cluster is built from.
pinned() { grep -oE "(^|[[:space:]])$2 v[^ ]+" "hack/tools/$1/go.mod" | sed 's/.* //;q'; }

command_line() {
    local name
    for name in BENCH_RUNS BENCH_RUNS_LARGE BENCH_QUIET BENCH_LIMIT; do [ -z "${!name:-}" ] || printf '%s=%s ' "$name" "${!name}"; done
    printf 'hack/bench.sh %s' "${counts[*]}"
}

write_report() {
    local text
    [ -s "$out/results.jsonl" ] || fail "there are no figures in $out"
    text=$(jq -sr -f "$root/test/bench/report.jq" "$out/results.jsonl")
    if [ "$report" = - ]; then
        printf '%s\n' "$text"
    else
        "$root/hack/bench-section.sh" operator "$report" <<<"$text"
        say "written: $report"
    fi
}

cd "$root"
counts=(100 1000)
if [ "${words[0]:-}" != report ]; then
    [ ${#words[@]} = 0 ] || counts=("${words[@]}")
    for n in "${counts[@]}"; do [[ $n =~ ^[1-9][0-9]{0,3}$ ]] || fail "'$n' is no number of packages"; done
    measure
fi
write_report
