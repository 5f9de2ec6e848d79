#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Finds what Davit needs on a Debian machine and installs what is missing, when it may.
#
#   hack/deps.sh build      what compiling needs
#   hack/deps.sh test       what the tests and the dev cluster need: all of the above too
#   hack/deps.sh cluster    what hack/devcluster needs besides Go
#   hack/deps.sh go         prints the path of a Go that is new enough; brings one when there is none
#
# With everything there this is one query of dpkg's database. Without root or a sudo that asks for no password it installs
# nothing: it prints the one command to run and exits with 1.
set -euo pipefail

readonly build_packages=(gcc g++ make pkg-config libcurl4-openssl-dev libjansson-dev libyaml-dev libssl-dev libwebsockets-dev
    libcmocka-dev zlib1g-dev libarchive-dev libre2-dev libcrypt-dev libseccomp-dev)
readonly dev_packages=(clang libclang-rt-14-dev valgrind gcovr)
readonly cluster_packages=(openssl jq curl ca-certificates git util-linux)

readonly go_wanted=1.26
readonly go_pinned=1.26.0
cache=${DAVIT_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/davit}
readonly cache

say() { printf 'deps: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# Prints those of the packages that are not installed. A package that another one provides (pkg-config by pkgconf) counts.
missing() {
    local wanted=("$@") have name
    have=$(dpkg-query -W -f='${db:Status-Status} ${Package}, ${Provides}\n' 2>/dev/null | sed -n 's/^installed //p' | tr ',' '\n' |
        sed 's/^ *//; s/ .*//')
    for name in "${wanted[@]}"; do
        grep -qxF -- "$name" <<<"$have" || printf '%s\n' "$name"
    done
}

# Prints the words that run a command as root here, or fails.
root_prefix() {
    if [ "$(id -u)" = 0 ]; then
        printf 'env'
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        printf 'sudo -n env'
    else
        return 1
    fi
}

ensure() {
    local lacking as_root
    command -v dpkg-query >/dev/null || die "this is no Debian machine: install by its own means what stands for: $*"
    mapfile -t lacking < <(missing "$@")
    [ ${#lacking[@]} -gt 0 ] || return 0
    if ! as_root=$(root_prefix); then
        say "missing: ${lacking[*]}"
        say "run this as root, or with sudo, then come back:"
        printf 'apt-get update && apt-get install -y --no-install-recommends %s\n' "${lacking[*]}" >&2
        exit 1
    fi
    say "installing ${lacking[*]}"
    # shellcheck disable=SC2086  # the prefix is words of ours
    $as_root DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update >&2
    # shellcheck disable=SC2086
    $as_root DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${lacking[@]}" >&2
}

# Says whether a go binary is at least version go_wanted. GOTOOLCHAIN=local: its own version, not one that it would bring.
new_enough() {
    local version
    version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
    version=${version#go}
    [ -n "$version" ] && printf '%s\n%s\n' "$go_wanted" "$version" | sort -V -C
}

go_platform() {
    case $(uname -m) in
        x86_64) printf 'linux-amd64' ;;
        aarch64) printf 'linux-arm64' ;;
        *) die "no pinned Go toolchain for $(uname -m): install Go $go_wanted or newer" ;;
    esac
}

# A whole toolchain is published as a module, so that any older Go brings it. The module cache drops the run bits.
bring_go() {
    local target=$1 bootstrap=$2 module platform dir staged
    platform=$(go_platform)
    module=golang.org/toolchain@v0.0.1-go$go_pinned.$platform
    say "bringing Go $go_pinned as a module, with $bootstrap"
    staged=$(mktemp -d "$cache/.go.XXXXXX")
    # In an empty folder: a go.mod that asks for a newer Go must not be read by an old one.
    dir=$(cd "$staged" && GOTOOLCHAIN=local GOFLAGS=-mod=mod GO111MODULE=on "$bootstrap" mod download -json "$module" |
        sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
    [ -n "$dir" ] || die "the Go proxy did not bring $module"
    cp -R "$dir/." "$staged/"
    chmod -R u+w "$staged"
    chmod 755 "$staged"
    chmod a+x "$staged"/bin/* "$staged"/pkg/tool/*/*
    rm -rf "$target"
    mv "$staged" "$target"
}

print_go() {
    local candidate target=$cache/go-$go_pinned bootstrap lock
    for candidate in "$(command -v go || true)" "$target/bin/go" /usr/local/go/bin/go; do
        if [ -n "$candidate" ] && [ -x "$candidate" ] && new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    mkdir -p "$cache"
    exec {lock}<"$cache"
    flock "$lock"
    if ! new_enough "$target/bin/go"; then
        bootstrap=$(command -v go || true)
        if [ -z "$bootstrap" ]; then
            ensure golang-go
            bootstrap=$(command -v go) || bootstrap=/usr/lib/go/bin/go
        fi
        bring_go "$target" "$bootstrap"
    fi
    new_enough "$target/bin/go" || die "$target/bin/go does not run"
    printf '%s\n' "$target/bin/go"
}

case ${1:-} in
    build) ensure "${build_packages[@]}" ;;
    test) ensure "${build_packages[@]}" "${dev_packages[@]}" "${cluster_packages[@]}" ;;
    cluster) ensure "${cluster_packages[@]}" ;;
    go) print_go ;;
    *)
        sed -n '4,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
