// SPDX-License-Identifier: Apache-2.0

module davit.dev/test/faults

go 1.24.0
