// SPDX-License-Identifier: Apache-2.0

module davit.dev/test/bench

go 1.24.0
