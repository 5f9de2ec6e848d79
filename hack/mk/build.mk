# SPDX-License-Identifier: Apache-2.0
# Modules become archives, programs link them. The order below is the layering: a module sees
# only those before it, and its tests link only those, so a reference that points back fails.

LAYERS := base json yaml semver regex gotemplate http httpd oci kube runtime resolve manifest repo \
          helm sandbox install
MODULES := $(foreach m,$(LAYERS),$(if $(wildcard pkg/$(m)/*.c pkg/$(m)/*.cc),$(m)))

lib = $(B)/lib/lib$(1).a
objects = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c)) $(patsubst %.cc,$(B)/obj/%.o,$(wildcard $(1)/*.cc))
# The module and all below it, highest first, as the linker wants them.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
upto = $(call reverse,$(call upto_,$(1),$(MODULES)))
upto_ = $(if $(2),$(firstword $(2)) $(if $(filter $(1),$(firstword $(2))),,$(call upto_,$(1),$(wordlist 2,$(words $(2)),$(2)))))
libs_upto = $(foreach m,$(call upto,$(1)),$(call lib,$(m)))
ALL_LIBS := $(foreach m,$(call reverse,$(MODULES)),$(call lib,$(m)))

PROGRAMS := $(B)/bin/davit-controller $(B)/bin/davit
# Those that other programs start.
HELPERS := $(B)/bin/davit-cluster

# Flags are part of what an object depends on.
STAMP := $(B)/flags
FLAGS_NOW := $(CC) $(CPPFLAGS) $(CFLAGS) $(CXX) $(CXXFLAGS) $(LDFLAGS) $(LDLIBS)
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(FLAGS_NOW))
$(shell mkdir -p $(B) && printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $(STAMP))
endif

$(B)/obj/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/%.o: %.cc $(STAMP)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CXX     $<")
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

define module_rule
$(call lib,$(1)): $(call objects,pkg/$(1))
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $(AR) crs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

$(B)/bin/davit-controller: $(call objects,controller) $(ALL_LIBS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What both programs of the command line, and its tests, share.
CLI_LIB := $(B)/lib/libcli.a
$(CLI_LIB): $(filter-out %/main.o,$(call objects,cli))
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) crs $@ $^

# --as-needed keeps what `davit` loads to jansson and libyaml, so that it starts in a millisecond.
$(B)/bin/davit: $(B)/obj/cli/main.o $(CLI_LIB) $(ALL_LIBS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/bin/davit-cluster: $(call objects,cli/cluster) $(CLI_LIB) $(ALL_LIBS)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
