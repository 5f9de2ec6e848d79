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

# The manual pages and completion scripts are printed by davit itself.
MAN := $(B)/man
man: $(B)/bin/davit ## manual pages of the command line, into $(O)/$(VARIANT)/man
	$(Q)rm -rf $(MAN) && mkdir -p $(MAN) && $< manual >$(MAN)/davit.1 && \
	  $< manual -o name | while read -r command; do \
	    $< manual $$command >"$(MAN)/davit-$$(printf '%s' "$$command" | tr ' ' '-').1" || exit 1; done
completions: $(B)/bin/davit
	$(Q)mkdir -p $(B)/completions && for shell in bash zsh fish kubectl; do $< completion $$shell >$(B)/completions/$$shell || exit 1; done

# The places where each shell looks without being told.
ROOT_OF = $(DESTDIR)$(PREFIX)
COMPLETIONS := bash:bash-completion/completions/davit zsh:zsh/site-functions/_davit fish:fish/vendor_completions.d/davit.fish
INSTALL := install -D -m
install: all man completions ## copy programs, manual pages and completions below $(DESTDIR)$(PREFIX) (STRIP=1: without debug information)
	$(Q)for p in $(PROGRAMS); do $(INSTALL) 755 $(if $(STRIP),-s) $$p $(ROOT_OF)/bin/$${p##*/} || exit 1; done
	$(Q)for p in $(HELPERS); do $(INSTALL) 755 $(if $(STRIP),-s) $$p $(ROOT_OF)/libexec/davit/$${p##*/} || exit 1; done
	$(Q)ln -sf davit $(ROOT_OF)/bin/kubectl-davit
	$(Q)$(INSTALL) 755 $(B)/completions/kubectl $(ROOT_OF)/bin/kubectl_complete-davit
	$(Q)for page in $(MAN)/*.1; do $(INSTALL) 644 $$page $(ROOT_OF)/share/man/man1/$${page##*/} || exit 1; done
	$(Q)for c in $(COMPLETIONS); do $(INSTALL) 644 $(B)/completions/$${c%%:*} $(ROOT_OF)/share/$${c#*:} || exit 1; done
uninstall: man ## take them away again
	$(Q)for p in $(PROGRAMS); do rm -f $(ROOT_OF)/bin/$${p##*/}; done
	$(Q)rm -rf $(ROOT_OF)/bin/kubectl-davit $(ROOT_OF)/bin/kubectl_complete-davit $(ROOT_OF)/libexec/davit
	$(Q)for page in $(MAN)/*.1; do rm -f $(ROOT_OF)/share/man/man1/$${page##*/}; done
	$(Q)for c in $(COMPLETIONS); do rm -f $(ROOT_OF)/share/$${c#*:}; done

.PHONY: demo demo-down manifests check-manifests image deploy man completions install uninstall
