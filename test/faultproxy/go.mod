// SPDX-License-Identifier: Apache-2.0

module davit.dev/test/faultproxy

go 1.24.0
