# SPDX-License-Identifier: Apache-2.0
#
# Writes the section of docs/benchmarks.md about versions and the solver from the lines of resolve.jsonl (hack/bench-resolve.sh).

def median: sort | if length == 0 then null else .[(length - 1) / 2 | floor] end;
def number(digits): if . == null then "–" else pow(10; digits) as $k | . * $k | round / $k | tostring end;
def mib: if . == null then null else . / 1024 end;
def row: "| " + join(" | ") + " |";
def answered: map(select(.exit == 0 or .exit == 1));
def sum: answered as $a | if ($a | length) == 0 then null
    else {cpu: ($a | map(.cpu_s) | median), kib: ($a | map(.peak_kib) | median), bytes: $a[0].bytes, exit: $a[0].exit} end;
def cell(limit; mib_limit): if length == 0 then "–" else . as $all | sum as $s
    | if $s then "\($s.cpu | number(3)) s, \($s.kib | mib | number(1)) MiB" + if $s.exit == 1 then ", \($s.bytes) B" else "" end
      elif ($all[0].ended) then "none in \(limit) s (\($all[0].peak_kib | mib | number(0)) MiB)"
      else "ended by itself within \(mib_limit) MiB, after \($all[0].cpu_s | number(0)) CPU s" end end;
def ratio(a; b): if a == null or b == null then "–" else (a / b | number(1)) end;

(map(select(.kind == "about"))[0]) as $about
| (map(select(.kind == "check" and .who == "davit") | .cpu_s) | median) as $ours
| (map(select(.kind == "check" and .who == "library") | .cpu_s) | median) as $theirs
| (map(select(.kind == "check"))[0].lines) as $lines
| (map(select(.kind == "solve")) | group_by([.n, .family]) | map({n: .[0].n, family: .[0].family, all: .} | . + {
      version: (.all | map(select(.who == "version")) | sum), davit: (.all | map(select(.who == "davit")) | sum),
      peers: [("pubgrub", "resolvo") as $w | .all | map(select(.who == $w)) | sum | select(.)]})) as $problems
| "## Versions and the solver",
"",
"Written by `make bench-resolve` on \($about.date): \($about.version), \($about.cores) shared cores, seed \($about.seed). Whole processes,",
"CPU seconds and peak resident memory, medians of the rounds; each process may take \($about.limit) s and \($about.mib) MiB of address space.",
"",
(if $ours and $theirs then
    "**Constraints.** \($lines) generated lines (`test/semverdiff`), each with a constraint and a version to be read and checked, all answers equal:",
    "",
    (["", "CPU s", "lines a second"] | row), (["---", "---:", "---:"] | row),
    (["`davit semver check`", ($ours | number(3)), ($lines / $ours | number(0))] | row),
    (["Masterminds/semver v3.5.0 (Go)", ($theirs | number(3)), ($lines / $theirs | number(0))] | row),
    (["**ratio** (goal: 10)", "", "**\($theirs / $ours | number(1))**"] | row),
    ""
else empty end),
"**Solver.** Problem files of six families (`test/resolve_families.h`), with tens of versions a package; `davit resolve --problem FILE` beside the",
"crates pubgrub 0.4.0 and resolvo 0.12.2 on the same files (`test/bench/resolve/peers`; the versions of a package are numbers to them, a",
"constraint a set of numbers). Where there is no solution, the bytes of the printed explanation are told. Ratios are against the better of",
"the peers that answer: above 1, davit is faster, or smaller.",
"",
(["problem", "davit", "pubgrub", "resolvo", "ratio of time", "ratio of memory"] | row), (["---", "---:", "---:", "---:", "---:", "---:"] | row),
($problems[] | . as $p | ["\(.family)-\(.n)", (.all | map(select(.who == "davit")) | cell($about.limit; $about.mib)),
    (("pubgrub", "resolvo") as $w | .all | map(select(.who == $w)) | cell($about.limit; $about.mib)),
    ratio($p.peers | map(.cpu) | min; $p.davit.cpu), ratio($p.peers | map(.kib) | min; $p.davit.kib)] | row),
"",
"`davit --version` alone takes \($problems | map(.version.cpu) | median | . * 1000 | number(1)) ms and \($problems | map(.version.kib) | median | mib | number(1)) MiB."
