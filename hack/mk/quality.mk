# SPDX-License-Identifier: Apache-2.0
# What holds the quality: everything a change should pass, and what looks deeper and takes longer.

# With the tools of this output folder, so that O=… leaves nothing elsewhere.
FOR_CLUSTER = BIN=$(or $(BIN),$(abspath $(B)/bin/davit-controller)) TOOLS=$(abspath $(O)/tools)

# A make of its own each: what deps.sh installs, pkg-config finds only afterwards.
# What is drawn from a seed is drawn from the same one each time, so that a change is judged by itself: SEED=… draws other
# cases, and `make nightly` does.
test: export SEED ?= 1
test: ## set up, then unit tests, fuzz corpora, comparisons with the Go libraries, integration tests
	$(Q)hack/deps.sh test
	$(Q)checked=0; $(MAKE) --no-print-directory -k check differential || checked=1; \
	  $(MAKE) --no-print-directory integration && [ $$checked = 0 ]

differential: differential-semver differential-templates ## versions and templates against the Go libraries they follow (SEED=… again)
differential-semver: $(B)/bin/davit
	$(Q)TOOLS=$(abspath $(O)/tools) hack/semverdiff.sh $<
differential-templates: $(REPLAY)
	$(Q)hack/differential.sh $(REPLAY)

# With VARIANT=asan or tsan, what the sanitizers say of operators in the background is gathered, and fails the run.
SAID := $(abspath $(B)/said)
SANITIZE = rm -rf $(SAID) && mkdir -p $(SAID) && export ASAN_OPTIONS=log_path=$(SAID)/asan UBSAN_OPTIONS=log_path=$(SAID)/ubsan \
           TSAN_OPTIONS=log_path=$(SAID)/tsan;
integration: all $(INTEGRATION_BINS) ## integration tests, each file on a cluster of its own (FILES="install fault": some)
	$(Q)failed=0; $(if $(filter asan tsan,$(VARIANT)),$(SANITIZE)) \
	  hack/integration-programs.sh $(INTEGRATION_BINS) || failed=1; \
	  $(FOR_CLUSTER) hack/integration.sh $(FILES) || failed=1; \
	  if [ -n "$$(ls $(SAID) 2>/dev/null)" ]; then head -n 60 $(SAID)/*; echo "sanitizers spoke: $(SAID)"; failed=1; fi; \
	  exit $$failed

sweep: all ## a package's life with each request failing in each way (hours)
	$(Q)SWEEP=all FILE_LIMIT=14400 $(FOR_CLUSTER) hack/integration.sh sweep

# The cage's own tests are left out: seccomp ends valgrind's system calls, and the limits its memory.
VALGRIND_SKIP := sandbox
VALGRIND := valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible \
            --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 --child-silent-after-fork=yes
valgrind: ## unit tests under valgrind, all or of the module ONLY=…
	$(Q)$(MAKE) --no-print-directory VARIANT=debug valgrind-tests
	@echo "skipped: valgrind of $(VALGRIND_SKIP): its cage forbids what valgrind does"
valgrind-tests: $(foreach t,$(TESTS),$(if $(filter $(VALGRIND_SKIP),$(call module_of,$(t))),,$(if $(filter \
                $(or $(ONLY),%),$(call module_of,$(t))),$(B)/test/$(t))))
	$(Q)TEST_WRAPPER='$(VALGRIND)' TEST_TIMEOUT=1200 DV_TEST_SKIP="$$(grep -v '^#' test/unit/valgrind.skip)" hack/run-tests.sh $^

coverage: ## how much of pkg/ the unit tests and corpora reach (COVERAGE_MIN=85 fails below)
	$(Q)$(MAKE) --no-print-directory VARIANT=coverage coverage-programs
	$(Q)hack/coverage.sh $(O)/coverage
coverage-programs: $(TEST_BINS) $(FUZZ_BINS)

fuzz: ## look for inputs that break a parser, FUZZ_SECONDS (60) each, with clang
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs
	$(Q)hack/fuzz.sh $(O)/fuzz
fuzz-programs: $(FUZZ_BINS)
programs-of-tests: $(TEST_BINS) $(FUZZ_BINS) $(INTEGRATION_BINS) $(REPLAY) $(BENCH_TEMPLATES)

bench: bench-operator bench-resolve bench-templates ## all measurements, written to docs/benchmarks.md
bench-templates: $(BENCH_TEMPLATES) ## templates against Go's engine, one run, a ratio
	$(Q)hack/bench-templates.sh $(BENCH_TEMPLATES)
bench-operator: all ## the operator against the floor (N="100 1000")
	$(Q)$(FOR_CLUSTER) hack/bench.sh $(N)
bench-resolve: $(B)/bin/davit $(B)/bench/problem $(B)/bench/measure ## versions and the solver against Go and Rust libraries
	$(Q)DAVIT=$(abspath $(B)/bin/davit) BENCH_PROGRAMS=$(abspath $(B)/bench) hack/bench-resolve.sh $(N)

nightly: ## all of the above that takes long: sanitizers, valgrind, sweep, fuzzing, benchmarks
	$(Q)hack/nightly.sh $(O)

# Style

SCRIPTS = $(shell git ls-files .ci hack test '*.sh' | xargs grep -lE '^\#!(/usr)?/bin/(env )?(ba)?sh' 2>/dev/null | sort -u)
GO_FOLDERS := $(patsubst %/go.mod,%,$(wildcard test/*/go.mod))
C_SOURCES := $(wildcard pkg/*/*.c controller/*.c cli/*.c cli/*/*.c registry/*.c test/*.c test/*/*.c test/*/*/*.c)
C_HEADERS := $(wildcard pkg/*/*.h controller/*.h cli/*.h cli/*/*.h registry/*.h test/*.h test/*/*.h)

lint: check-headers check-layers check-manifests lint-scripts lint-go ## what can be said without running
lint-scripts:
	$(Q)if command -v shellcheck >/dev/null; then shellcheck -x $(SCRIPTS); else echo "lint-scripts: skipped: no shellcheck"; fi
lint-go:
	$(Q)go=$$(hack/deps.sh go) && for folder in $(GO_FOLDERS); do \
	  (cd $$folder && [ -z "$$($$(dirname $$go)/gofmt -l . | tee /dev/stderr)" ] && GOWORK=off $$go vet ./...) || exit 1; done

# clang's analyzer, a file at a time: `make -j2 analyze`. It does not see into other files, so not that a result is set when no
# error was returned: the checkers that would doubt every result are left out (ANALYZE_ALL=1 asks them too), and what it still says
# of lists is to be judged. It is no part of `make lint`.
ANALYZE_NOT := deadcode.DeadStores core.uninitialized core.UndefinedBinaryOperatorResult core.CallAndMessage \
               core.NullDereference core.NonNullParamChecker unix.cstring.NullArg
ANALYZED := $(patsubst %.c,$(B)/analyze/%.ok,$(filter pkg/% controller/% cli/% registry/%,$(C_SOURCES)))
analyze: $(ANALYZED) ## what clang's static analyzer suspects
$(B)/analyze/%.ok: %.c $(C_HEADERS) $(STAMP)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  ANALYZE $<")
	$(Q)clang --analyze $(if $(ANALYZE_ALL),,$(ANALYZE_NOT:%=-Xclang -analyzer-disable-checker=%)) -Xclang -analyzer-werror --analyzer-output text -std=gnu17 $(CPPFLAGS) -o /dev/null $< && touch $@

format: ## let clang-format rewrite the C files
	$(Q)command -v clang-format >/dev/null || { echo "format: clang-format is missing: apt-get install clang-format" >&2; exit 1; }
	$(Q)clang-format -i $(C_SOURCES) $(C_HEADERS)
check-format: ## what clang-format would change
	$(Q)command -v clang-format >/dev/null || { echo "check-format: clang-format is missing: apt-get install clang-format" >&2; exit 1; }
	$(Q)clang-format --dry-run -Werror $(C_SOURCES) $(C_HEADERS)

# For editors and tools: how each file is compiled in this variant.
json_string = "$(subst ",\",$(subst \,\\,$(1)))"
define compile_command

{"directory": $(call json_string,$(CURDIR)), "file": "$(1)", "command": $(call json_string,$(CC) $(CPPFLAGS) $(2) $(CFLAGS) -c -o $(B)/obj/$(1:.c=.o) $(1))},
endef
compile_commands.json: ## how each file is compiled, for editors and tools
	$(file >$@.new,[$(foreach f,$(C_SOURCES),$(call compile_command,$(f),$(if $(filter test/%,$(f)),$(TEST_CPPFLAGS)))))
	$(Q)sed -e '$$s/},$$/}]/' $@.new >$@ && rm $@.new

.PHONY: programs-of-tests test differential differential-semver differential-templates integration sweep valgrind valgrind-tests coverage coverage-programs fuzz fuzz-programs bench bench-operator bench-resolve bench-templates nightly lint lint-scripts lint-go \
        analyze format check-format compile_commands.json
