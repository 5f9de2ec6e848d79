# SPDX-License-Identifier: Apache-2.0
#
# Writes the operator's section of docs/benchmarks.md from the lines of results.jsonl (hack/bench.sh).

def median: sort | if length == 0 then null else .[(length - 1) / 2 | floor] end;
def number(digits): if . == null then "–" else pow(10; digits) as $k | . * $k | round / $k | tostring end;
def mib: . / 1024 | number(1);
def memory: if . == null then "–" else "\(.rss | mib) (\(.anon | mib))" end;
def spread(digits): sort | if length > 1 then "\(.[0] | number(digits)) – \(.[-1] | number(digits))" else .[0] | number(digits) end;
def by: to_entries | map("\(.value) × \(.key)") | join(", ") | if . == "" then "none" else . end;
def row: "| " + join(" | ") + " |";
# A row for each [name, goal, peer, value of each size…].
def figures(sizes): (["", (sizes[] | "\(.n) packages"), "goal", "the peer, 100"] | row), (["---", (sizes[] | "---:"), "---", "---"] | row),
    (.[] | [.[0], .[3:][], .[1], .[2]] | row);

(map(select(.kind == "about"))[0]) as $about
| (map(select(.kind == "floor")) | group_by(.n)) as $floors
| [map(select(.kind == "operator")) | group_by(.n)[] | {n: .[0].n, o: ., last: (map(select(.quiet))[-1] // .[-1])}
    | .n as $n | . + {f: ($floors | map(select(.[0].n == $n))[0])}
    | . + {floor_write: (.f | map(.last_write_s) | median), floor_ready: (.f | map(.all_ready_s) | median),
           write: (.o | map(.last_write_s) | median), ready: (.o | map(.all_ready_s) | median)}] as $sizes
| def each(f): [$sizes[] | f];
"## The operator",
"",
"Written by `\($about.command)`, which measures all of it again, on \($about.date).",
"\($about.version); \($about.cores) cores shared by all processes; kube-apiserver \($about.kubernetes), etcd \($about.etcd), all on loopback.",
"",
"Each package is a namespace, five ConfigMaps of 300 bytes, a Deployment with 0 replicas and a Service; a fifth of the packages stand in",
"dependency chains of five. The *floor* is `test/bench/floor`: it sends the same objects by server-side apply over 16 HTTP/1.1 connections,",
"namespaces first, and waits until every Deployment is ready by the operator's rule. The operator gets one PackageManifest a package, posted",
"over 16 connections, and installs from a repository on loopback, as `deploy/` has it: restricted rights, a lease, everything written as",
"the account `davit-packages`. Time runs from the first POST; *last write* is the end of the last write of a package's object, by the audit",
"log. Every run has a fresh cluster, floor and operator take turns, and the figures are medians. The peer is Glasskube's package-operator",
"(May 2025), measured with 100 such packages on a machine of the same kind.",
"",
([
    ["rounds", "", "", each(.o | length | tostring)[]],
    ["load of the machine before each", "", "", each(.f + .o | map(.load) | spread(1))[]],
    ["floor: last write, s", "", "", each(.floor_write | number(2))[]],
    ["operator: last write, s", "", "", each(.write | number(2))[]],
    ["**ratio of last writes**", "2, aiming at 1.5", "", each("**\(.write / .floor_write | number(2))**")[]],
    ["floor: all Ready, s", "", "1.67", each(.floor_ready | number(2))[]],
    ["operator: all Ready, s", "", "149.7", each(.ready | number(2))[]],
    ["**ratio of all Ready**", "2, aiming at 1.5", "90", each("**\(.ready / .floor_ready | number(2))**")[]],
    ["that ratio, round by round", "", "", each([.f, .o] | transpose | map(select(.[0] and .[1]) | .[1].all_ready_s / .[0].all_ready_s) | spread(2))[]],
    ["half of them Ready, s", "", "32.3", each(.o | map(.ready_at_s["50%"]) | median | number(2))[]],
    ["**API requests a package**", "13", "55", each(.n as $n | "**\(.o | map(.requests / $n) | median | number(2))**")[]],
    ["operator, CPU s", "", "8.4", each(.o | map(.cpu_s) | median | number(2))[]],
    ["API server, CPU s: floor", "", "1.4", each(.f | map(.apiserver_cpu_s) | median | number(1))[]],
    ["API server, CPU s: with the operator", "", "31.9", each(.o | map(.apiserver_cpu_s) | median | number(1))[]],
    ["**resident idle, MiB (anonymous)**", "18 (6)", "48", each("**\(.last.idle | memory)**")[]],
    ["the same, with the repository read", "", "", each(.last.synced | memory)[]],
    ["**resident with all installed, MiB (anonymous)**", "45 with 1000", "60", each("**\(.last.installed | memory)**")[]],
    ["its peak, MiB", "", "61", each(.o | map(.installed.peak) | median | mib)[]],
    ["the same with its caged workers, proportional, MiB", "", "", each(.last.installed.together | mib)[]],
    ["resident after a restart, MiB (anonymous)", "", "", each(.last.restarted | memory)[]],
    ["seconds in which nothing changed", "900", "60", each(.last.quiet.seconds | number(0))[]],
    ["**requests in that time, but the lease's and watches'**", "0", "1603", each("**\(.last.quiet.requests | number(0))**")[]],
    ["requests of the lease; watches begun", "", "", each(.last.quiet | if . then "\(.leases); \(.watches)" else "–" end)[]],
    ["operator, CPU s in that time", "", "1.78", each(.last.quiet.cpu_s | number(2))[]],
    ["requests to the repository in that time, by code", "", "100", each(.last.quiet | if . then .repository | by else "–" end)[]],
    ["start to first write, ms", "", "", each(.last.start | if . then .first_write_s * 1000 | number(0) else "–" end)[]],
    ["of it the API server was answering, ms", "", "", each(.last.start | if . then .answers_s * 1000 | number(0) else "–" end)[]],
    ["**start to first write beyond that, ms**", "100", "", each(.last.start | if . then "**\(.own_s * 1000 | number(0))**" else "–" end)[]],
    ["the same with all installed, ms", "", "", each(.last.restart | if . then .own_s * 1000 | number(0) else "–" end)[]]
] | figures($sizes)),
"",
"## Which requests",
"",
($sizes[] | "- \(.n) packages: \(.last.by | by). Answered with an error: \(.last.refused | by). Beside them \(.last.watches) watches and \(.last.leases) of the lease."),
"",
"## How to read it",
"",
"- A start counts from exec until the operator's first write for a package that waited for it; TLS handshakes count as its own.",
"- Anonymous memory is the operator's own; the rest are pages of Debian's shared libraries and of the program. The caged workers, which parse",
"  what comes from repositories, share most of theirs with it: the proportional size (Pss) of all its processes together is told.",
"- In the quiet time packages and the repository have an interval of one minute."
