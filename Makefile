# SPDX-License-Identifier: Apache-2.0
#
# make help      what there is to make
# make demo      a cluster, the operator, a package with its dependencies becoming Ready
# make test      unit tests, fuzz corpora, integration tests
#
# VARIANT=release|debug|asan|tsan|coverage|fuzz   objects and programs go to $(O)/$(VARIANT)
# SAN=address,undefined or SAN=thread             the same as VARIANT=asan and VARIANT=tsan
# V=1 shows commands, CC=clang works, WERROR= lets warnings pass, O=… moves the output.

VARIANT ?= release
SAN_VARIANTS := address,undefined:asan undefined,address:asan address:asan undefined:asan thread:tsan
ifdef SAN
VARIANT := $(patsubst $(SAN):%,%,$(filter $(SAN):%,$(SAN_VARIANTS)))
$(if $(VARIANT),,$(error unknown SAN "$(SAN)": address,undefined or thread))
endif
O ?= build
B := $(O)/$(VARIANT)
PREFIX ?= /usr/local
WERROR ?= -Werror
Q := $(if $(V),,@)

include hack/mk/flags.mk
include hack/mk/build.mk
include hack/mk/check.mk
include hack/mk/targets.mk
include hack/mk/quality.mk
