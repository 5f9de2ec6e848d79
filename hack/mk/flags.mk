# SPDX-License-Identifier: Apache-2.0
# Compilers, warnings, hardening, and what each variant adds.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

ifeq ($(origin CC),default)
CC := gcc
endif
, := ,
# pkg/regex has one file of C++.
ifeq ($(origin CXX),default)
CXX := $(if $(findstring clang,$(CC)),clang++,$(if $(findstring ccache,$(CC)),ccache) g++)
endif
ifeq ($(VARIANT),fuzz)
CC := clang
CXX := clang++
endif

WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
        -Wconversion -Wno-sign-conversion $(WERROR)

OPT_release  := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
OPT_debug    := -O0 -g3
OPT_asan     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan     := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
OPT_coverage := -O0 -g --coverage -fprofile-update=atomic
OPT_fuzz     := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPT := $(OPT_$(VARIANT))
$(if $(OPT),,$(error unknown VARIANT "$(VARIANT)"))

HARDEN := -fstack-protector-strong -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now -Wl,--as-needed

# Which library stands behind which module; a program links those of the modules it uses.
PKGS := libcurl jansson yaml-0.1 openssl libwebsockets zlib libarchive libseccomp re2
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

# In a file of its own, so that a commit rebuilds only what prints it.
$(shell mkdir -p $(B)/gen && printf '#define DV_VERSION "%s"\n' '$(VERSION)' > $(B)/gen/version.h.new && \
  { cmp -s $(B)/gen/version.h.new $(B)/gen/version.h || mv $(B)/gen/version.h.new $(B)/gen/version.h; })

CPPFLAGS += -D_GNU_SOURCE -Ipkg -Icontroller -Icli -I$(B)/gen $(PKG_CFLAGS)
CFLAGS += -std=gnu17 $(OPT) $(HARDEN) $(WARN)
CXXFLAGS += -std=gnu++17 $(OPT) $(HARDEN) -Wall -Wextra -Wshadow $(WERROR)
# clang's runtime for these is C++'s, and programs are linked as C.
CXXFLAGS += $(if $(findstring clang,$(CXX)),$(if $(findstring undefined,$(OPT)),-fno-sanitize=function$(,)vptr))
LDFLAGS += $(OPT) $(LDHARDEN)
LDLIBS += $(PKG_LIBS) -lcrypt -lstdc++ -lpthread -lm
