#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# davit lint: each rule on a repository that breaks it alone.
# shellcheck source=test/cli/lib.sh
source "$(dirname "$0")/lib.sh"

# fresh: a repository $repo without faults: shop (two versions) needs database.
fresh() {
    repo=$work/repository
    rm -rf "$repo"
    mkdir -p "$repo"/shop/v1.0.0 "$repo"/shop/v1.1.0 "$repo"/database/v2.0.0
    cat >"$repo/index.yaml" <<'END'
packages:
- name: shop
  latestVersion: v1.1.0
- name: database
  latestVersion: v2.0.0
END
    printf 'latestVersion: v1.1.0\nversions:\n- version: v1.0.0\n- version: v1.1.0\n' >"$repo/shop/versions.yaml"
    printf 'latestVersion: v2.0.0\nversions:\n- version: v2.0.0\n' >"$repo/database/versions.yaml"
    for folder in shop/v1.0.0 shop/v1.1.0 database/v2.0.0; do
        printf 'name: %s\nmanifests:\n- url: manifest.yaml\n' "${folder%/*}" >"$repo/$folder/package.yaml"
        printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n' >"$repo/$folder/manifest.yaml"
    done
    printf 'dependencies:\n- name: database\n  version: ^2.0.0\n' >>"$repo/shop/v1.1.0/package.yaml"
}
# finds NAME SEVERITY PLACE-AND-MESSAGE RULE: exactly this one finding. Regular expressions, but for the rule.
finds() {
    run lint "$repo"
    local want=0
    [ "$2" = warning ] || want=1
    says "$1" "$want" "^[^"$'\n'"]*/repository/$3: $2: $4 \[$5\]"$'\n'"[01] errors, [01] warnings\$" ''
}

fresh
run lint "$repo"
says 'a repository without faults' 0 '^0 errors, 0 warnings$' ''
run lint "$repo/shop"
says 'one package of it' 0 '^0 errors, 0 warnings$' ''
run lint "$repo/shop/v1.1.0"
says 'one version of it' 0 '^0 errors, 0 warnings$' ''
(cd "$repo/shop" && "$DAVIT" lint .) >"$work/out" 2>"$work/err" && status=0 || status=$?
out=$(cat "$work/out") err=$(cat "$work/err")
says 'the folder that one stands in' 0 '^0 errors, 0 warnings$' ''

#
# index.yaml
#

fresh && printf 'packages: [\n' >"$repo/index.yaml"
run lint "$repo"
says 'an index that is no YAML' 1 'index.yaml:[0-9]+: error: .* \[bad-yaml\]' ''
fresh && printf 'packages: none\n' >"$repo/index.yaml"
run lint "$repo"
says 'an index of another shape' 1 'index.yaml:1: error: packages: a list must be here \[bad-shape\]' ''
fresh && printf -- '- name: ../etc\n' >>"$repo/index.yaml"
finds 'a name that is none' error 'index.yaml:6' 'packages\[2\]: no valid package name' bad-name
fresh && printf -- '- name: shop\n' >>"$repo/index.yaml"
finds 'a package that is listed twice' error 'index.yaml:6' 'package shop is listed twice' duplicate-package
fresh && printf -- '- name: ghost\n' >>"$repo/index.yaml"
finds 'a package without a folder' error 'index.yaml:6' 'package ghost has no folder' missing-file
fresh && sed -i '3s/v1.1.0/v1.0.0/' "$repo/index.yaml"
finds 'a latest version that differs' warning 'index.yaml:3' 'latestVersion of shop is v1.0.0 here and v1.1.0 in shop/versions.yaml' latest-differs
fresh && cp -r "$repo/database" "$repo/spare" && sed -i 's/name: database/name: spare/' "$repo/spare/v2.0.0/package.yaml"
finds 'a package that no list names' warning 'spare/versions.yaml' 'index.yaml does not list package spare' unreachable-package

#
# versions.yaml
#

fresh && rm "$repo/database/versions.yaml"
run lint "$repo"
says 'no versions.yaml' 1 'database/versions.yaml: error: package database has no versions.yaml \[missing-file\]' ''
fresh && printf -- '- version: 1.x\n' >>"$repo/shop/versions.yaml"
finds 'a text that is no version' error 'shop/versions.yaml:5' '[^]]*1\.x[^]]*' bad-version
fresh && printf -- '- version: v1.2.0+build\n' >>"$repo/shop/versions.yaml"
finds 'a build that is no number' error 'shop/versions.yaml:5' '[^]]*' bad-version
fresh && printf -- '- version: v1.0.0\n' >>"$repo/shop/versions.yaml"
finds 'a version twice' error 'shop/versions.yaml:5' 'version v1.0.0 stands here twice' duplicate-version
fresh && printf -- '- version: 1.0.0\n' >>"$repo/shop/versions.yaml"
finds 'a version twice, in other letters' error 'shop/versions.yaml:5' 'version 1.0.0 stands here twice, also as v1.0.0' duplicate-version
fresh && printf -- '- version: v1.0.5\n' >>"$repo/shop/versions.yaml"
finds 'a version without package.yaml' error 'shop/versions.yaml:5' 'version v1.0.5 has no shop/v1.0.5/package.yaml' missing-file
fresh && cp -r "$repo/shop/v1.0.0" "$repo/shop/v1.0.7"
finds 'a version that no list names' warning 'shop/v1.0.7/package.yaml' 'versions.yaml does not list v1.0.7' unreachable-version
fresh && sed -i '1s/v1.1.0/v3.0.0/' "$repo/shop/versions.yaml" && sed -i '3s/v1.1.0/v3.0.0/' "$repo/index.yaml"
finds 'a latest version that is not there' error 'shop/versions.yaml:1' 'latestVersion v3.0.0 is not among the versions' bad-latest
fresh && sed -i '1s/v1.1.0/v1.0.0/' "$repo/shop/versions.yaml" && sed -i '3s/v1.1.0/v1.0.0/' "$repo/index.yaml"
finds 'a latest version that is not the newest' warning 'shop/versions.yaml:1' 'latestVersion is v1.0.0, but v1.1.0 is newer' old-latest
fresh && sed -i 1d "$repo/shop/versions.yaml"
finds 'no latest version' warning 'shop/versions.yaml(:1)?' 'there is no latestVersion' no-latest

#
# package.yaml and manifests
#

package() { printf '%b' "$1" >>"$repo/shop/v1.1.0/package.yaml"; }
fresh && package 'shinyNewField: 1\n'
finds 'a field that nobody knows' warning 'shop/v1.1.0/package.yaml:7' 'unknown field "shinyNewField"' unknown-field
fresh && package 'scope: 7\n'
finds 'a field of the wrong type' error 'shop/v1.1.0/package.yaml:7' 'scope: [^]]*' bad-package
fresh && sed -i '1s/shop/ship/' "$repo/shop/v1.1.0/package.yaml"
finds 'another name' error 'shop/v1.1.0/package.yaml:1' 'the name is ship, but the package is shop' name-differs
fresh && printf 'name: database\n' >"$repo/database/v2.0.0/package.yaml"
finds 'nothing to install' warning 'database/v2.0.0/package.yaml(:1)?' 'there is nothing to install: [^]]*' empty-package
fresh && rm "$repo/shop/v1.1.0/manifest.yaml"
finds 'a manifest that is not there' error 'shop/v1.1.0/package.yaml:3' 'manifest manifest.yaml is not there' missing-file
fresh && sed -i '3s|manifest.yaml|../../database/v2.0.0/manifest.yaml|' "$repo/shop/v1.1.0/package.yaml"
finds 'a manifest of elsewhere' error 'shop/v1.1.0/package.yaml:3' 'a relative manifest stays in the folder of package.yaml' outside
fresh && sed -i '3s|manifest.yaml|http://example.com/x.yaml|' "$repo/shop/v1.1.0/package.yaml"
finds 'a manifest over plain http' warning 'shop/v1.1.0/package.yaml:3' 'a manifest over plain http [^]]*' plain-http
fresh && printf 'apiVersion: v1\nkind: [\n' >"$repo/shop/v1.1.0/manifest.yaml"
finds 'a manifest that is no YAML' error 'shop/v1.1.0/manifest.yaml:[0-9]+' '[^]]*' bad-manifest
fresh && printf 'apiVersion: v1\nmetadata: {name: x}\n' >"$repo/shop/v1.1.0/manifest.yaml"
finds 'a manifest that is no object' error 'shop/v1.1.0/manifest.yaml' 'document 1: kind is missing' bad-manifest
fresh && printf -- '---\n' >"$work/separator" && cat "$repo/database/v2.0.0/manifest.yaml" "$work/separator" "$repo/database/v2.0.0/manifest.yaml" >"$repo/shop/v1.1.0/manifest.yaml"
finds 'an object twice' error 'shop/v1.1.0/manifest.yaml' '[^]]*' bad-manifest

#
# Links between packages
#

fresh && sed -i 's/name: database/name: dtabase/' "$repo/shop/v1.1.0/package.yaml"
finds 'a dependency that nobody has' error 'shop/v1.1.0/package.yaml:5' 'the repository has no package dtabase' unknown-package
fresh && sed -i 's/\^2.0.0/^3.0.0/' "$repo/shop/v1.1.0/package.yaml"
finds 'a range that no version is in' error 'shop/v1.1.0/package.yaml:5' 'no version of database is in \^3.0.0' unsatisfiable
fresh && sed -i 's/\^2.0.0/=>=2/' "$repo/shop/v1.1.0/package.yaml"
finds 'a range that is none' error 'shop/v1.1.0/package.yaml:6' 'dependencies\[0\].version: [^]]*' bad-package
fresh && printf 'dependencies:\n- name: shop\n  version: ^1.0.0 <1.1.0\n' >>"$repo/database/v2.0.0/package.yaml"
run lint "$repo"
says 'ranges that can not hold together' 1 'shop/v1.1.0/package.yaml:4: error: can.t be installed: .*shop.* \[unsatisfiable\]' ''

#
# Around it
#

fresh && package 'shinyNewField: 1\n'
run lint --strict "$repo"
says 'strict: warnings count' 1 '0 errors, 1 warnings' ''
run lint "$repo" -o json
same 'findings for programs' '{
  "findings": [
    {
      "file": "shop/v1.1.0/package.yaml",
      "line": 7,
      "severity": "warning",
      "rule": "unknown-field",
      "message": "unknown field \"shinyNewField\""
    }
  ],
  "errors": 0,
  "warnings": 1
}'
run lint "$work/none"
says 'no such folder' 2 '' 'is not a folder'
mkdir -p "$work/empty"
run lint "$work/empty"
says 'a folder that is nothing of it' 2 '' 'neither index.yaml'
fresh && ln -sf /dev/zero "$repo/shop/v1.1.0/manifest.yaml"
finds 'a device in the place of a file' error 'shop/v1.1.0/(package.yaml:3|manifest.yaml)' '[^]]*' '(missing-file|unreadable)'
fresh && for ((i = 0; i < 1200; i++)); do printf -- '- version: no-%s\n' "$i"; done >>"$repo/shop/versions.yaml"
run lint "$repo"
says 'findings have a limit' 1 '200 further findings are not shown' ''
bomb() { # each list holds the one before nine times
    local name before=a
    printf 'a: &a [x, x, x, x, x, x, x, x, x]\n'
    for name in b c d e f g h i j; do
        printf '%s: &%s [' "$name" "$name"
        for _ in 1 2 3 4 5 6 7 8 9; do printf '*%s, ' "$before"; done
        printf ']\n'
        before=$name
    done
}
fresh && bomb >>"$repo/shop/v1.1.0/package.yaml"
finds 'aliases that multiply' error 'shop/v1.1.0/package.yaml(:[0-9]+)?' '[^]]*' bad-package

run lint "$root/deploy/samples/repository"
says 'our samples' 0 '^0 errors, 0 warnings$' ''
corpus=${DAVIT_CORPUS:-$root/../shared/corpus}/glasskube
if [ -d "$corpus" ]; then
    run lint "$corpus"
    says 'a real repository has no errors' 0 '0 errors, [0-9]+ warnings$' ''
    ok 'and warnings of two kinds, which are true' equal 'latest-differs old-latest' \
        "$(sed -n 's/.*\[\(.*\)\]$/\1/p' "$work/out" | sort -u | paste -sd ' ')"
else
    skip 'a real repository: there is none at ../shared/corpus (DAVIT_CORPUS)'
fi

finish
