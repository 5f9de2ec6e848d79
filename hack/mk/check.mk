# SPDX-License-Identifier: Apache-2.0
# Unit tests: test/unit/<module>_<name>_test.c links its module and those below it. Fuzz targets:
# test/fuzz/<module>_<name>_fuzz.c, replayed over test/fuzz/corpus/<module>_<name>/. Integration
# tests: test/integration/<name>_test.c links everything and needs a cluster (DAVIT_KUBECONFIG).
# test/cli/*_test.sh runs the command line without one.

TESTS := $(patsubst test/unit/%.c,%,$(wildcard test/unit/*_test.c))
FUZZERS := $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*_fuzz.c))
module_of = $(firstword $(subst _, ,$(1)))

TEST_CPPFLAGS := -Itest -DDV_SOURCE_DIR='"$(CURDIR)"'
$(B)/obj/test/%.o: CPPFLAGS += $(TEST_CPPFLAGS)
$(B)/obj/test/%.o: CFLAGS += -Wno-missing-prototypes

# The command line stands above all modules.
libs_of_test = $(if $(filter cli,$(1)),$(CLI_LIB) $(ALL_LIBS),$(call libs_upto,$(1)))
define test_rule
$(B)/test/$(1): $(B)/obj/test/unit/$(1).o $(B)/obj/test/testlib.o $(call libs_of_test,$(call module_of,$(1)))
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) -lcmocka
endef
$(foreach t,$(TESTS),$(eval $(call test_rule,$(t))))

INTEGRATION := $(patsubst test/integration/%.c,%,$(wildcard test/integration/*_test.c))
define integration_rule
$(B)/integration/$(1): $(B)/obj/test/integration/$(1).o $(B)/obj/test/testlib.o $(ALL_LIBS)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) -lcmocka
endef
$(foreach t,$(INTEGRATION),$(eval $(call integration_rule,$(t))))
INTEGRATION_BINS := $(INTEGRATION:%=$(B)/integration/%)

# With VARIANT=fuzz a target is libFuzzer's; else it replays the files it is given.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),,$(B)/obj/test/fuzz/main.o)
define fuzz_rule
$(B)/fuzz/$(1): $(B)/obj/test/fuzz/$(1).o $(FUZZ_MAIN) $(call libs_upto,$(call module_of,$(1)))
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(LDFLAGS) $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer) -o $$@ $$^ $(LDLIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rule,$(f))))

# What the measurement of the solver runs: test/bench/resolve/*.c, each a program.
$(B)/bench/problem $(B)/bench/measure: $(B)/bench/%: $(B)/obj/test/bench/resolve/%.o $(call libs_upto,resolve)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What is compared with Go's own libraries, and measured against them.
REPLAY := $(B)/test/gotemplate-replay
BENCH_TEMPLATES := $(B)/test/gotemplate-bench
$(REPLAY): $(B)/obj/test/gotemplate/replay/replay.o
$(BENCH_TEMPLATES): $(B)/obj/test/gotemplate/bench/bench.o
$(REPLAY) $(BENCH_TEMPLATES): $(call libs_upto,gotemplate)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

TEST_BINS := $(TESTS:%=$(B)/test/%)
FUZZ_BINS := $(FUZZERS:%=$(B)/fuzz/%)
# check-<module> runs one module's tests.
define module_check_rule
check-$(1): $(foreach t,$(TESTS),$(if $(filter $(1),$(call module_of,$(t))),$(B)/test/$(t)))
	$$(Q)hack/run-tests.sh $$^
.PHONY: check-$(1)
endef
$(foreach m,$(MODULES) cli,$(eval $(call module_check_rule,$(m))))
