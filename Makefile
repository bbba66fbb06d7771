# The only build file. `make help` lists the targets.
COMMA := ,
Q     := $(if $(V),,@)
say    = $(if $(V),,@printf '  %-7s %s\n' '$1' '$2')

MODE := $(or $(and $(SANITIZE),san-$(subst $(COMMA),-,$(SANITIZE))),$(and $(COVERAGE),coverage),release)
B    := build/$(MODE)

PKGS := libmicrohttpd libcurl libcjson zlib
WARN := -Wall -Wextra -Wshadow -Wconversion -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -Ilib -I. -ffile-prefix-map=$(CURDIR)=. -pthread \
    $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer) $(if $(COVERAGE),--coverage) \
    $(shell pkg-config --cflags $(PKGS) gnutls)
LIBS := $(shell pkg-config --libs $(PKGS) gnutls) -lm -pthread

LIB_SRC := $(sort $(wildcard lib/*/*.c))
CMD_SRC := $(sort $(wildcard cmd/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(B)/%.o)
UNIT    := $(sort $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c)))
PROGS   := $(sort $(patsubst tests/programs/%.c,$(B)/tests/programs/%,$(wildcard tests/programs/*.c)))

all: $(B)/perfkit ## build the program (the default)
$(B)/perfkit: $(CMD_OBJ) $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
	$(if $(filter release,$(MODE)),$(Q)ln -sf $(MODE)/perfkit build/perfkit)
$(B)/libperfkit.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS)' > $@
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $< $(WRAP_$(*F)) $(B)/libperfkit.a $(LIBS) -lcmocka -o $@
$(B)/tests/programs/%: $(B)/tests/programs/%.o $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $< $(B)/libperfkit.a $(LIBS) -o $@
FUZZ_BIN := $(sort $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c)))
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
replay: $(FUZZ_BIN)
	$(Q)set -e; for t in $(FUZZ_BIN); do $$t tests/fuzz/seeds/$${t##*/fuzz_}; done
unit: $(UNIT)
	$(Q)set -e; for t in $(UNIT); do $$t; done
progs: $(PROGS)
.PHONY: all unit progs replay FORCE
FORCE:
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
