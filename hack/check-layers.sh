#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds the architecture: a module includes only the layers before it, and each library is
# included behind one door only.
set -u
layers=(base json yaml semver regex gotemplate http httpd oci kube runtime resolve manifest repo
        helm sandbox install)
failed=0

say() {
    printf '%s\n' "$1" >&2
    failed=1
}

check_module() { # module, then the layers it may include
    local module=$1 allowed=" $2 $1 " file line target
    while IFS=: read -r file line target; do
        target=${target#*\"}
        target=${target%%/*}
        [[ $allowed == *" $target "* ]] || say "$file:$line: $module must not include $target"
    done < <(grep -nHE '^#include "[a-z]+/' pkg/"$module"/*.[ch] 2>/dev/null)
}

check_door() { # header pattern, then the files that may include it
    local pattern=$1 allowed=$2 hit
    while read -r hit; do
        [[ ${hit%%:*} =~ ^($allowed) ]] || say "$hit: outside its door ($allowed)"
    done < <(grep -rnE "^#include <$pattern" pkg controller cli registry 2>/dev/null)
}

below=
for layer in "${layers[@]}"; do
    [ -d "pkg/$layer" ] && check_module "$layer" "$below"
    below="$below $layer"
done
check_door 'jansson' 'pkg/json/'
check_door 'yaml\.h' 'pkg/yaml/'
check_door 're2/' 'pkg/regex/'
check_door 'curl/' 'pkg/http/'
check_door 'libwebsockets' 'pkg/httpd/'
check_door 'openssl/' 'pkg/base/crypto|pkg/http/tls'
check_door 'crypt\.h' 'pkg/base/crypto'
check_door '(zlib|archive|archive_entry)\.h' 'pkg/base/archive'
check_door '(spawn|sys/wait)\.h' 'pkg/base/process|pkg/sandbox/'
exit "$failed"
