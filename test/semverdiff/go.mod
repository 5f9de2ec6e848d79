// SPDX-License-Identifier: Apache-2.0

module davit.dev/test/semverdiff

go 1.24.0

require github.com/Masterminds/semver/v3 v3.5.0
