# SPDX-License-Identifier: Apache-2.0
# What people type.

.DEFAULT_GOAL := all
.PHONY: all help check check-headers check-layers clean run-tests

all: $(PROGRAMS) ## build the programs

help: ## this list
	@awk -F':.*## ' '/^[a-z_.-]+:.*## /{printf "  %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: $(TEST_BINS) $(FUZZ_BINS) check-layers ## unit tests and fuzz corpora
	$(Q)hack/run-tests.sh $(TEST_BINS)
	$(Q)hack/run-corpus.sh $(FUZZ_BINS)

check-headers: ## every header compiles alone
	$(Q)for h in pkg/*/*.h; do \
	  $(CC) $(CPPFLAGS) $(CFLAGS) -fsyntax-only -x c -include $$h /dev/null || exit 1; done

check-layers: ## includes point downwards, each library has one door
	$(Q)hack/check-layers.sh

clean: ## remove what was built
	$(Q)rm -rf $(O)
