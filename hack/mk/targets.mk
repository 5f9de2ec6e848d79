# SPDX-License-Identifier: Apache-2.0
# What people type.

.DEFAULT_GOAL := all
.PHONY: all help check check-offline check-headers check-layers clean

all: $(PROGRAMS) $(HELPERS) ## build the programs

help: ## this list
	@awk -F':.*## ' '/^[a-z_.-]+:.*## /{printf "  %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: $(TEST_BINS) $(FUZZ_BINS) check-layers check-offline ## unit tests, fuzz corpora, the command line without a cluster
	$(Q)hack/run-tests.sh $(TEST_BINS)
	$(Q)hack/run-corpus.sh $(FUZZ_BINS)

check-offline: $(B)/bin/davit
	$(Q)for test in test/cli/*_test.sh; do DAVIT=$(abspath $(B)/bin/davit) $$test || exit 1; done

check-headers: ## every header compiles alone
	$(Q)for h in pkg/*/*.h cli/*.h; do \
	  $(CC) $(CPPFLAGS) $(CFLAGS) -fsyntax-only -x c -include $$h /dev/null || exit 1; done

check-layers: ## includes point downwards, each library has one door
	$(Q)hack/check-layers.sh

clean: ## remove what was built
	$(Q)rm -rf $(O)

demo: ## a cluster, the operator, and packages becoming ready
	$(Q)hack/demo.sh
demo-down: ## end what a demo left running
	$(Q)hack/demo.sh down

manifests: ## write what is made from crds/
	$(Q)hack/manifests.sh
check-manifests: ## what is made from crds/ is up to date
	$(Q)hack/manifests.sh --check

IMAGE ?= davit.dev/davit-controller:latest
image: ## build the operator's image (IMAGE=...) with podman, docker or buildah
	$(Q)hack/image.sh $(IMAGE)
deploy: ## apply deploy/ with that image to the cluster of the present kubeconfig
	$(Q)kubectl apply -f deploy/base -f deploy/rbac-restricted.yaml
	$(Q)sed 's|image: davit.dev/davit-controller:latest|image: $(IMAGE)|' deploy/deployment.yaml | kubectl apply -f -

install: all ## copy the programs to $(DESTDIR)$(PREFIX)/bin (STRIP=1: without debug information)
	$(Q)for p in $(PROGRAMS); do install -D -m 755 $(if $(STRIP),-s) $$p $(DESTDIR)$(PREFIX)/bin/$${p##*/} || exit 1; done
uninstall: ## take them away again
	$(Q)for p in $(PROGRAMS); do rm -f $(DESTDIR)$(PREFIX)/bin/$${p##*/}; done

.PHONY: demo demo-down manifests check-manifests image deploy install uninstall
