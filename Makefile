# SPDX-License-Identifier: Apache-2.0
#
# make help      what there is to make
# make demo      a cluster, the operator, a package with its dependencies becoming Ready
# make test      unit tests, fuzz corpora, integration tests
#
# VARIANT=release|debug|asan|tsan|coverage|fuzz   objects and programs go to $(O)/$(VARIANT)
# V=1 shows commands, CC=clang works, WERROR= lets warnings pass, O=… moves the output.

VARIANT ?= release
O ?= build
B := $(O)/$(VARIANT)
PREFIX ?= /usr/local
WERROR ?= -Werror
Q := $(if $(V),,@)

include hack/mk/flags.mk
include hack/mk/build.mk
include hack/mk/check.mk
include hack/mk/targets.mk
