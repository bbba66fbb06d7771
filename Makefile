# The only build file. `make help` lists what it can do.
#
# One folder per mode below build/: release, san-address-undefined, san-thread, coverage, fuzz, with
# "-clang" and so on behind for another compiler, "-without-gnutls" for a build without a library.
# Nothing runs at the time this file is read that would fail on a machine with only git and make:
# `demo` and `check` install what is missing and then call make again.

MAKEFLAGS += --no-builtin-rules
COMMA  := ,
EMPTY  :=
SPACE  := $(EMPTY) $(EMPTY)
CORES  := $(shell nproc 2>/dev/null || echo 1)
# For a make called from here: as many jobs as processors, unless -j was given.
JOBS    = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(CORES))

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
INCLUDEDIR ?= $(PREFIX)/include
MANDIR  ?= $(DATADIR)/man
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR  ?= $(DATADIR)/zsh/site-functions
FISHDIR ?= $(DATADIR)/fish/vendor_completions.d
FUZZ_S  ?= 60

# ---- what kind of build -------------------------------------------------------------------------

CC_NAME  := $(notdir $(firstword $(CC)))
VARIANT  := $(addprefix -,$(filter-out cc gcc,$(CC_NAME))) $(addprefix -without-,$(WITHOUT))
MODE     := $(subst $(SPACE),,$(strip $(or $(and $(FUZZ),fuzz),$(and $(COVERAGE),coverage),\
            $(and $(SANITIZE),san-$(subst $(COMMA),-,$(SANITIZE))),release)$(VARIANT)))
B        := build/$(MODE)

# Libraries: pkg-config's name, and what Debian calls the package.
REQUIRED := libmicrohttpd libcurl openssl libcjson zlib libdw libelf
OPTIONAL := gnutls libzstd libiberty libbpf
DEB_libmicrohttpd := libmicrohttpd-dev
DEB_libcurl       := libcurl4-openssl-dev
DEB_openssl       := libssl-dev
DEB_libcjson      := libcjson-dev
DEB_zlib          := zlib1g-dev
DEB_libdw         := libdw-dev
DEB_libelf        := libelf-dev
DEB_gnutls        := libgnutls28-dev
DEB_libzstd       := libzstd-dev
DEB_libiberty     := libiberty-dev
DEB_libbpf        := libbpf-dev clang
DEB_cmocka        := libcmocka-dev

# libbpf is of use only with a compiler for what it loads, written for x86-64 so far.
CLANG ?= clang
# $(call absent,NAMES): those that pkg-config does not know.
absent  = $(shell for p in $1; do pkg-config --exists $$p 2>/dev/null || echo $$p; done)
MISSING := $(call absent,$(REQUIRED))
# libiberty is unknown to pkg-config; its package brings header and library together.
ABSENT  := $(call absent,$(filter-out libiberty,$(OPTIONAL))) \
    $(if $(wildcard $(addsuffix /libiberty/demangle.h,/usr/include /usr/local/include)),,libiberty) \
    $(if $(and $(filter x86_64,$(shell uname -m)),$(shell command -v $(CLANG) 2>/dev/null)),,libbpf)
HAVE    := $(filter-out $(WITHOUT) $(ABSENT),$(OPTIONAL))
LIBRARIES := $(filter-out $(MISSING),$(REQUIRED)) $(filter-out libiberty,$(HAVE))

# Unoptimised, as coverage wants it, gcc guesses less well what it warns of.
WARN     := -Wall -Wextra -Wshadow -Wconversion $(if $(COVERAGE),-w,-Werror)
CFLAGS   ?= $(if $(COVERAGE),-O0,-O2) -g
SANITIZERS := $(if $(FUZZ),fuzzer-no-link$(COMMA)address$(COMMA)undefined,$(SANITIZE))
# A fused multiply-add would give other last digits where the machine has it.
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -Ilib -I. -pthread \
    -ffp-contract=off "-ffile-prefix-map=$(CURDIR)=." \
    $(if $(SANITIZERS),-fsanitize=$(SANITIZERS) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
    $(if $(COVERAGE),--coverage -fprofile-update=atomic) \
    $(foreach l,$(HAVE),-DHAVE_$(shell echo $l | tr a-z- A-Z_)=1) \
    $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LIBS := -Wl,--as-needed $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) $(if $(filter libiberty,$(HAVE)),-liberty) -lm -pthread
# Tests assert, and wrap the functions that a fortified libc would hide behind other names.
TEST_CFLAGS := -UNDEBUG -U_FORTIFY_SOURCE

# ---- what there is to build ---------------------------------------------------------------------

WORKER_MAIN := lib/bench/worker_main.c
LAUNCHER_MAIN := lib/bench/launcher_main.c
HOOK_SRC := $(sort $(wildcard lib/alloc/hook_*.c))
# What runs in the kernel, and what loads it.
BPF_SRC := lib/alloc/bpf_alloc.bpf.c $(if $(filter libbpf,$(HAVE)),,lib/alloc/bpf_probe.c lib/alloc/bpf_session.c)
LIB_SRC := $(filter-out $(WORKER_MAIN) $(LAUNCHER_MAIN) $(HOOK_SRC) $(BPF_SRC),$(sort $(wildcard lib/*/*.c)))
CMD_SRC := $(sort $(wildcard cmd/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(B)/%.o)
# The worker of bench is a program of its own, without our libraries, since a process of it must
# start quickly; of the rooms that need no library it takes what it uses. perfkit embeds it.
WORKER_OBJ := $(patsubst %,$(B)/lib/bench/%.o,metric protocol worker_crew worker_main worker_measure worker_target worker_unit worker_work)
PLAIN_OBJ  := $(filter $(addprefix $(B)/lib/,base/% stats/% timing/%),$(LIB_OBJ))
# The hook of alloc is loaded into other programs: an object of its own, of its parts and the reader
# of call frame information, which allocates nothing.
HOOK_OBJ := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null)),\
    $(patsubst %.c,$(B)/hook/%.o,$(HOOK_SRC) $(addprefix lib/profile/,cfi.c cfi_rows.c cfi_step.c)))
HOOK_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -fPIC -ftls-model=initial-exec -fvisibility=hidden \
    -fno-builtin-malloc -fno-builtin-free -fno-tree-vectorize -fno-stack-protector -U_FORTIFY_SOURCE -Ilib
PACES   := 0 20 21 50
SUITE   := $(patsubst lib/bench/%.c,$(B)/%.so,$(wildcard lib/bench/suite/*.c))
UNIT    := $(sort $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c)))
PROGS   := $(sort $(patsubst %.c,$(B)/%,$(wildcard tests/programs/*.c)))
PARTS   := $(sort $(patsubst %.c,$(B)/%.o,$(wildcard tests/programs/conformance/*.c)))
TEST_SO := $(patsubst tests/programs/%.c,$(B)/tests/%.so,$(filter-out %/pace.c,$(wildcard tests/programs/objects/*.c))) \
           $(PACES:%=$(B)/tests/objects/pace_%.so)
CXX_NAME := $(firstword $(foreach c,c++ g++ clang++,$(if $(shell command -v $c 2>/dev/null),$c)))
SYMBOLS := $(addprefix $(B)/tests/symbols/,places.so bare.so linked.so stripped.so apart.so packed.so $(if $(CXX_NAME),nested.so))
RUSTC   ?= rustc
HAVE_RUSTC := $(shell command -v $(RUSTC) 2>/dev/null)
BURNERS := $(addprefix $(B)/tests/flame/,burner fp inlined stripped library.so $(if $(CXX_NAME),names deep) $(if $(HAVE_RUSTC),names_rs))
JEMALLOC := $(firstword $(wildcard /usr/lib/*/libjemalloc.so.2 /usr/lib/libjemalloc.so.2 /usr/lib64/libjemalloc.so.2))
ALLOCATORS := $(addprefix $(B)/tests/alloc/,known frames loop static corners attached injected one.so two.so $(if $(CXX_NAME),news) $(if $(JEMALLOC),jemalloc) $(if $(shell command -v musl-gcc 2>/dev/null),musl))
ORACLES := $(sort $(patsubst %.c,$(B)/%.o,$(wildcard tests/oracle/*.c)))
FUZZERS := $(sort $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c)))
OBJECTS := $(LIB_OBJ) $(CMD_OBJ) $(WORKER_OBJ) $(HOOK_OBJ) $(LAUNCHER_MAIN:%.c=$(B)/%.o) $(addsuffix .o,$(UNIT) $(PROGS) $(FUZZERS)) $(B)/tests/fuzz/replay.o $(PARTS) $(ORACLES)

# Functions that a unit test replaces to make them fail.
WRAP_test_file := -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=rename
WRAP_test_bench_store := -Wl,--wrap=renameat2
WRAP_test_serve_suspend := -Wl,--wrap=MHD_suspend_connection -Wl,--wrap=MHD_resume_connection

Q    := $(if $(V),,@)
say   = $(if $(V),,@printf '  %-7s %s\n' '$1' '$2')

all: $(B)/perfkit $(B)/compile_commands.json links ## build the program: build/perfkit (the default)

$(B)/perfkit: $(CMD_OBJ) $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(B)/libperfkit.a: $(LIB_OBJ) $(B)/sources
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $(LIB_OBJ)

$(B)/libplain.a: $(PLAIN_OBJ) $(B)/sources
	@rm -f $@ && ar rcsD $@ $(PLAIN_OBJ)
$(B)/bench_worker: $(WORKER_OBJ) $(B)/libplain.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(if $(SANITIZERS)$(COVERAGE),,-s) -Wl,-z,now $^ -Wl,--as-needed -lm -o $@
# Benchmarks are compiled alike in every kind of build, without sanitizers: what is measured is they.
$(B)/suite/%.so: lib/bench/suite/%.c lib/bench/perfkit.h $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(shared)
shared = $(CC) -std=gnu11 $(WARN) -O2 -fPIC -shared -Wl,-z,now,--build-id=none -s -Ilib/bench $< $(EXTRA_LDFLAGS) -o $@
# Objects for the tests of bench. The paces differ in one word of data.
$(B)/tests/objects/%.so: tests/programs/objects/%.c lib/bench/perfkit.h $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(shared)
$(B)/tests/objects/pace_%.so: tests/programs/objects/pace.c lib/bench/perfkit.h $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(shared) -DSLOWER=$*
$(B)/tests/objects/nothing.so: private EXTRA_LDFLAGS := -Wl,-soname,libperfkit-test-gone.so.1
$(B)/tests/objects/lonely.so: $(B)/tests/objects/nothing.so
$(B)/tests/objects/lonely.so: private EXTRA_LDFLAGS = $(B)/tests/objects/nothing.so
# The launcher of commands adds its own size to what they take: static, without sanitizers. Where
# there is no static libc it is a little larger.
LAUNCHER_SRC := $(LAUNCHER_MAIN) lib/timing/counters.c
$(B)/launcher: $(LAUNCHER_SRC) lib/bench/launch_block.h lib/timing/counters.h lib/timing/clock.h $(B)/flags
	$(call say,LINK,$@)
	$(Q)$(launcher) -static 2>/dev/null || $(launcher)
launcher = $(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -s -Ilib $(LAUNCHER_SRC) -o $@
# The hook is compiled alike in every kind of build, without sanitizers and libraries: programs
# must not notice it. There is none but for x86-64; an empty file says so.
$(B)/hook.so: $(HOOK_OBJ)
	$(call say,LINK,$@)
	$(Q)$(if $(HOOK_OBJ),$(CC) -shared -s -Wl$(COMMA)-Bsymbolic-functions$(COMMA)-z$(COMMA)now$(COMMA)-z$(COMMA)defs$(COMMA)--build-id=none $(HOOK_OBJ) -o $@,: >$@)
$(B)/hook/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(compile)
	@$(note_command)
$(B)/hook/%.o: private ALL_CFLAGS = $(HOOK_CFLAGS)
$(B)/lib/alloc/preload.o: $(B)/hook.so
$(B)/lib/alloc/preload.o: private EXTRA_CFLAGS := -DPK_ALLOC_HOOK_PATH=\"$(B)/hook.so\"
# The program for the kernel is alike in every kind of build as well.
$(B)/alloc.bpf.o: lib/alloc/bpf_alloc.bpf.c lib/alloc/bpf_shared.h lib/alloc/image.h $(B)/flags
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -mcpu=v3 -std=gnu11 -O2 -g -Wall -Wextra -Werror -ffreestanding -D__TARGET_ARCH_x86 -Ilib \
	    $(shell pkg-config --cflags libbpf 2>/dev/null) -idirafter /usr/include/$(shell uname -m)-linux-gnu \
	    "-ffile-prefix-map=$(CURDIR)=." -c $< -o $@
$(B)/lib/alloc/bpf_probe.o: $(B)/alloc.bpf.o
$(B)/lib/alloc/bpf_probe.o: private EXTRA_CFLAGS := -DPK_BPF_OBJECT_PATH=\"$(B)/alloc.bpf.o\"
$(B)/lib/bench/launcher.o: $(B)/launcher
$(B)/lib/bench/launcher.o: private EXTRA_CFLAGS := -DPK_LAUNCHER_PATH=\"$(B)/launcher\"
$(B)/lib/bench/program.o: $(B)/bench_worker $(SUITE)
$(B)/lib/bench/program.o: private EXTRA_CFLAGS := -DPK_WORKER_PATH=\"$(B)/bench_worker\" -DPK_SUITE_PATH=\"$(B)/suite/fib.so\"

# The compiler does not know what .incbin reads, so that dependency is taken from the source. Each
# object leaves its command beside it, for compile_commands.json.
$(B)/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(compile)
	@sed -n 's|^PK_EMBED(.*"\(.*\)").*|$@: \1\n\1:|p' $< >>$(@:.o=.d)
	@$(note_command)
note_command = printf '{"directory": "%s", "file": "%s", "command": "%s"}\n' '$(CURDIR)' '$<' \
    "$$(printf %s '$(compile)' | sed 's/["\\]/\\&/g')" >$(@:.o=.command)
compile = $(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c $< -o $@
$(B)/tests/%: private EXTRA_CFLAGS := $(TEST_CFLAGS)

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(WRAP_$(*F)) $(B)/libperfkit.a $(LIBS) -lcmocka -o $@
# It walks the tables of all tools: it has their objects, but its own main.
$(B)/tests/unit/test_cmd_tables: $(filter-out %/perfkit.o,$(CMD_OBJ))

$(B)/tests/unit/test_bench_worker $(B)/tests/unit/test_bench_program $(B)/tests/unit/test_bench_spawn $(B)/tests/unit/test_bench_run $(B)/tests/unit/test_bench_old_side: | $(TEST_SO)

# One source file makes a program; the one of several parts has the others in a folder.
$(B)/tests/programs/conformance_server: $(PARTS)
$(B)/tests/programs/%: $(B)/tests/programs/%.o $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

# Shared objects whose functions lie at places that they tell themselves, made in the ways that the
# search for symbols has to cope with: with debug information, without, with it packed, with it in a
# file of its own that is found by link or by build-id, and with code that lies elsewhere in memory
# than in the file.
$(B)/tests/symbols/%.so: tests/programs/symbols/places.c $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(places)
	$(Q)$(AFTER)
places = $(CC) -std=gnu11 $(WARN) -O2 -fPIC -shared $(HOW) $< -o $@
BUILD_ID := 0123456789abcdef0123456789abcdef01234567
$(B)/tests/symbols/places.so: private HOW := -g -Wl,--build-id=none
$(B)/tests/symbols/bare.so: private HOW := -g0 -Wl,--build-id=none
$(B)/tests/symbols/linked.so: private HOW := -g -Wl,--build-id=none
$(B)/tests/symbols/linked.so: private AFTER = objcopy --only-keep-debug $@ $@.debug && strip $@ && objcopy --add-gnu-debuglink=$@.debug $@
$(B)/tests/symbols/stripped.so: private HOW := -g -Wl,--build-id=0x$(BUILD_ID)
$(B)/tests/symbols/stripped.so: private AFTER = objcopy --only-keep-debug $@ $@.debug && strip $@
$(B)/tests/symbols/apart.so: private HOW := -g -Wl,--build-id=none,--section-start=.text=0x654000
$(B)/tests/symbols/packed.so: private HOW := -g -Wl,--build-id=none
$(B)/tests/symbols/packed.so: private AFTER = objcopy --compress-debug-sections=zlib-gabi $@
$(B)/tests/symbols/nested.so: tests/programs/symbols/nested.cpp $(B)/flags
	$(call say,CXX,$@)
	@mkdir -p $(@D)
	$(Q)$(CXX_NAME) -O2 -g -fPIC -shared $< -o $@
$(B)/tests/unit/test_symbols $(B)/tests/unit/test_inlines $(B)/tests/unit/test_elf_image $(B)/tests/unit/test_modules: | $(SYMBOLS)

# What `perfkit flame` is tested on: programs whose shares are known, built in the ways that make
# stacks and names hard to find. Without frame pointers, as most programs are; without sanitizers.
$(B)/tests/flame/%: tests/programs/flame/burner.c tests/programs/flame/burn.h $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 $(or $(HOW),-g) $< -o $@ -pthread -ldl
	$(Q)$(AFTER)
$(B)/tests/flame/fp: private HOW := -g -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer
$(B)/tests/flame/inlined: private HOW := -g "-DPK_BURN=inline __attribute__((always_inline))"
$(B)/tests/flame/stripped: private AFTER = objcopy --only-keep-debug $@ $@.debug && strip $@ && objcopy --add-gnu-debuglink=$@.debug $@
$(B)/tests/flame/library.so: tests/programs/flame/library.c tests/programs/flame/burn.h $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -shared $< -o $@
$(B)/tests/flame/names $(B)/tests/flame/deep: $(B)/tests/flame/%: tests/programs/flame/%.cpp tests/programs/flame/burn.h $(B)/flags
	$(call say,CXX,$@)
	@mkdir -p $(@D)
	$(Q)$(CXX_NAME) -O2 -g $< -o $@
$(B)/tests/flame/names_rs: tests/programs/flame/names.rs $(B)/flags
	$(call say,RUSTC,$@)
	@mkdir -p $(@D)
	$(Q)$(RUSTC) -O -g $< -o $@

# What `perfkit alloc` is tested on: programs that allocate a known number of times, built in the
# ways in which programs meet an allocator. Without frame pointers, without sanitizers; a call in a
# loop is one place in the program, as its stacks are expected.
$(B)/tests/alloc/%: tests/programs/alloc/known.c $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(known)
known = $(or $(MUSL_CC),$(CC)) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -g -fno-optimize-sibling-calls -fno-unroll-loops $(HOW) $< -o $@ -pthread $(LINK)
$(B)/tests/alloc/frames: private HOW := -fno-omit-frame-pointer
$(B)/tests/alloc/static: private HOW := -static -DPK_STATIC
$(B)/tests/alloc/jemalloc: private LINK := -Wl,--no-as-needed $(JEMALLOC)
$(B)/tests/alloc/musl: private MUSL_CC := musl-gcc
$(B)/tests/alloc/corners $(B)/tests/alloc/loop $(B)/tests/alloc/attached $(B)/tests/alloc/injected: $(B)/tests/alloc/%: tests/programs/alloc/%.c $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(known)
$(B)/tests/alloc/one.so $(B)/tests/alloc/two.so: $(B)/tests/alloc/%.so: tests/programs/alloc/library.c $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -O2 -g -fno-unroll-loops -fPIC -shared -DWORK=work_of_$* $< -o $@
$(B)/tests/alloc/news: tests/programs/alloc/news.cpp $(B)/flags
	$(call say,CXX,$@)
	@mkdir -p $(@D)
	$(Q)$(CXX_NAME) -std=c++17 -O2 -g -fno-optimize-sibling-calls $< -o $@

$(B)/tests/unit/test_alloc_run $(B)/tests/unit/test_alloc_bpf $(B)/tests/unit/test_alloc_inject $(B)/tests/unit/test_alloc_hook: | $(ALLOCATORS)

# Measured for its memory, so static and without sanitizers.
$(B)/tests/programs/take_memory: tests/programs/take_memory.c $(B)/flags
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(small) -static 2>/dev/null || $(small)
small = $(CC) -std=gnu11 $(WARN) -O2 -s $< -o $@
$(B)/tests/unit/test_launcher: | $(B)/tests/programs/take_memory

# Under libFuzzer it brings the main function, else replay.c does.
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(if $(FUZZ),,$(B)/tests/fuzz/replay.o) $(B)/libperfkit.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(if $(FUZZ),-fsanitize=fuzzer) $^ $(LIBS) -o $@

# What these two judge by.
$(B)/tests/unit/test_http1 $(B)/tests/fuzz/fuzz_http1: $(ORACLES)

$(B)/compile_commands.json: $(LIB_OBJ) $(CMD_OBJ) $(B)/$(WORKER_MAIN:.c=.o) $(B)/$(LAUNCHER_MAIN:.c=.o) $(filter $(B)/hook/lib/alloc/%,$(HOOK_OBJ))
	@{ echo '['; cat $(^:.o=.command) | sed '$$!s/$$/,/'; echo ']'; } >$@

# build/perfkit is the release program of the compiler that was used last.
links: $(B)/perfkit
ifneq ($(filter release%,$(MODE)),)
ifeq ($(WITHOUT),)
	@for f in perfkit compile_commands.json; do \
	    [ "$$(readlink build/$$f)" = $(MODE)/$$f ] || ln -sfn $(MODE)/$$f build/$$f; done
endif
endif

# Stamps: rewritten, and so newer, only when what they hold has changed.
stamp = @mkdir -p $(@D); echo '$1' | cmp -s - $@ || echo '$1' >$@
$(B)/flags: FORCE
	@$(if $(shell command -v $(firstword $(CC)) 2>/dev/null),,echo 'no compiler "$(firstword $(CC))"; `make deps` installs one' >&2; exit 1)
	@$(foreach l,$(MISSING),echo 'the library $l is missing (Debian: $(DEB_$l)); `make deps` installs all that is needed' >&2;) \
	$(if $(MISSING),exit 1)
	$(call stamp,$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(LIBS) $(HOOK_CFLAGS))
$(B)/sources: FORCE
	$(call stamp,$(LIB_SRC))

-include $(OBJECTS:.o=.d)

# ---- tests --------------------------------------------------------------------------------------

tests: $(B)/perfkit $(B)/compile_commands.json $(UNIT) $(PROGS) $(TEST_SO) $(SYMBOLS) $(BURNERS) $(ALLOCATORS) $(FUZZERS) ## build the program and everything that tests it
golden: $(B)/tests/unit/test_load_render $(B)/tests/unit/test_bench_render $(B)/tests/unit/test_command_text $(B)/tests/unit/test_command_export $(B)/tests/unit/test_functions $(B)/tests/unit/test_difference $(B)/tests/unit/test_alloc_render $(B)/tests/unit/test_alloc_change ## rewrite the golden files of the reports; then read the diff
	$(Q)for test in $^; do UPDATE_GOLDEN=1 $$test >/dev/null 2>&1; done; git --no-pager diff --stat tests/unit/golden
unit: $(UNIT) ## run the unit tests alone
	$(Q)tests/run $(B) unit
run-tests: tests
	$(Q)tests/run $(B) $(ONLY)

check: deps ## install what is missing, build, run all tests (ONLY=load: those with this in their name)
	$(Q)$(MAKE) --no-print-directory $(JOBS) tests links
	$(Q)$(MAKE) --no-print-directory run-tests

demo: deps-build ## install what is missing, build, serve and load on this machine
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	$(Q)tests/demo build/perfkit

fuzz: ## run each fuzz target for FUZZ_S seconds (clang)
	$(Q)$(MAKE) --no-print-directory $(JOBS) CC=clang FUZZ=1 run-fuzzers
run-fuzzers: $(FUZZERS)
	$(Q)tests/fuzz/run $(B) $(FUZZ_S)

coverage: ## run all tests, print the covered lines and branches per room
	$(Q)$(MAKE) --no-print-directory COVERAGE=1 check; status=$$?; tests/coverage build/coverage && exit $$status

compare: tests links ## perfkit beside its peers, as far as they are installed: what they print, what they cost
	$(Q)tests/peers/run $(B)

lint: all ## clang-format, clang-tidy and cppcheck find nothing
	$(Q)clang-format --dry-run -Werror $(SOURCES)
	$(Q)printf '%s\n' $(LIB_SRC) $(CMD_SRC) $(WORKER_MAIN) $(LAUNCHER_MAIN) $(HOOK_SRC) | xargs -P $(CORES) -n 1 clang-tidy --quiet -p $(B)
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -D_GNU_SOURCE -Ilib -I. -j $(CORES) \
	    --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=identicalInnerCondition $(LIB_SRC) $(CMD_SRC) $(WORKER_MAIN) $(LAUNCHER_MAIN) $(HOOK_SRC)
	$(Q)echo 'lint: $(words $(LIB_SRC) $(CMD_SRC) $(WORKER_MAIN) $(LAUNCHER_MAIN) $(HOOK_SRC)) files, nothing found'
format: ## rewrite all C sources in the house's format
	$(Q)clang-format -i $(SOURCES)
SOURCES = $(sort $(wildcard lib/*/*.[ch] lib/*/*/*.[ch] cmd/*.[ch] tests/*/*.[ch] tests/programs/*/*.[ch]))

# ---- packages -----------------------------------------------------------------------------------

DEPS_BUILD := gcc libc6-dev pkg-config curl $(foreach l,$(REQUIRED) $(OPTIONAL),$(DEB_$l))
# Where node came with its own npm, Debian's package would be in conflict with it.
NPM        := $(if $(shell command -v npm 2>/dev/null),,npm)
DEPS_TEST  := $(DEB_cmocka) bats jq zsh fish tmux bash-completion mandoc openssl procps iproute2 \
              libclang-rt-dev llvm clang-tidy clang-format cppcheck gcovr \
              chromium fonts-dejavu-core nodejs $(NPM) hyperfine python3-jsonschema python3-prometheus-client linux-perf

FEDORA := gcc glibc-static pkgconf curl libmicrohttpd-devel libcurl-devel openssl-devel cjson-devel zlib-devel elfutils-devel gnutls-devel libzstd-devel binutils-devel libbpf-devel clang
FEDORA_TEST := libcmocka-devel bats jq zsh fish tmux bash-completion mandoc openssl procps-ng iproute compiler-rt llvm clang-tools-extra cppcheck gcovr chromium nodejs-npm hyperfine python3-jsonschema python3-prometheus_client perf
ARCH   := gcc pkgconf curl openssl libmicrohttpd cjson zlib libelf gnutls zstd binutils libbpf clang
ARCH_TEST := cmocka bats jq zsh fish tmux bash-completion mandoc openssl procps-ng iproute2 compiler-rt llvm cppcheck gcovr chromium nodejs npm hyperfine python-jsonschema python-prometheus_client perf
ALPINE := gcc musl-dev pkgconf curl libmicrohttpd-dev curl-dev openssl-dev cjson-dev zlib-dev elfutils-dev gnutls-dev zstd-dev binutils-dev libbpf-dev clang
ALPINE_TEST := bash cmocka-dev bats jq zsh fish tmux bash-completion mandoc openssl procps iproute2 compiler-rt llvm clang-extra-tools cppcheck gcovr chromium font-dejavu nodejs npm hyperfine py3-jsonschema py3-prometheus-client perf

deps: ## install the packages that are missing (Debian and its kin; names them elsewhere)
	@$(call packages,$(DEPS_BUILD) $(DEPS_TEST),$(FEDORA) $(FEDORA_TEST),$(ARCH) $(ARCH_TEST),$(ALPINE) $(ALPINE_TEST),cmocka,bats jq tmux)
deps-build:
	@$(call packages,$(DEPS_BUILD),$(FEDORA),$(ARCH),$(ALPINE),,curl)

# $(call packages,DEBIAN,FEDORA,ARCH,ALPINE,LIBRARIES,COMMANDS): installs what is missing of DEBIAN.
# Where there is no apt-get: content when the libraries and commands are there, else it names them.
define packages
set -e; mkdir -p build; \
if command -v apt-get >/dev/null; then \
    missing=$$(for p in $1; do \
        [ "$$(dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || echo $$p; done); \
    [ -n "$$missing" ] || exit 0; \
    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
    printf '  %-7s %s\n' DEPS "$$(echo $$missing)"; \
    get() { $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$$@" \
        </dev/null >>build/deps.log 2>&1; }; \
    : >build/deps.log; \
    apt-cache show $$missing >/dev/null 2>&1 || get update || true; \
    get install --no-install-recommends $$missing || \
        { get update && get install --no-install-recommends $$missing; } || \
        { tail -n 20 build/deps.log >&2; echo "could not install: "$$missing >&2; exit 1; }; \
else \
    missing=; \
    for l in $(REQUIRED) $5; do pkg-config --exists $$l 2>/dev/null || missing="$$missing $$l"; done; \
    for c in $6; do command -v $$c >/dev/null || missing="$$missing $$c"; done; \
    [ -n "$$missing" ] || exit 0; \
    printf '%s\n' "missing:$$missing. This machine has no apt-get; what is needed is called" \
        '  Fedora: dnf install $2' '  Arch:   pacman -S $3' '  Alpine: apk add $4' >&2; \
    exit 1; \
fi
endef

# ---- installation -------------------------------------------------------------------------------

# The names come from the program itself: its tools, and the peers by whose names it answers.
TOOLS = $(shell $(B)/perfkit __completeNoDesc help '' | grep -v '^:')
PEERS := oha hyperfine flamegraph dtrace inferno-flamegraph inferno-collapse-perf inferno-diff-folded \
    flamegraph.pl stackcollapse-perf.pl difffolded.pl
APPLETS = $(addprefix perfkit-,$(TOOLS)) $(PEERS)
PAGES = perfkit.1 $(patsubst %,perfkit-%.1,$(TOOLS))

man: all ## write the man pages to build/release/man
	@mkdir -p $(B)/man
	$(Q)$(B)/perfkit man >$(B)/man/perfkit.1
	$(Q)for tool in $(TOOLS); do $(B)/perfkit man $$tool >$(B)/man/perfkit-$$tool.1 || exit 1; done

install: man ## install program, perfkit.h, man pages and completions (DESTDIR, PREFIX, ZSHDIR)
	$(Q)install -d $(addprefix $(DESTDIR),$(BINDIR) $(INCLUDEDIR) $(MANDIR)/man1 $(BASHDIR) $(ZSHDIR) $(FISHDIR))
	$(Q)install -m 755 $(B)/perfkit $(DESTDIR)$(BINDIR)/perfkit
	$(Q)install -m 644 lib/bench/perfkit.h $(DESTDIR)$(INCLUDEDIR)/perfkit.h
	$(Q)install -m 644 $(addprefix $(B)/man/,$(PAGES)) $(DESTDIR)$(MANDIR)/man1
	$(Q)install -m 644 completions/perfkit.bash $(DESTDIR)$(BASHDIR)/perfkit
	$(Q)install -m 644 completions/_perfkit $(DESTDIR)$(ZSHDIR)/_perfkit
	$(Q)install -m 644 completions/perfkit.fish $(DESTDIR)$(FISHDIR)/perfkit.fish
install-applets: install ## links as well: perfkit-TOOL, and the names of the peers it can stand in for
	$(Q)for name in $(APPLETS); do ln -sfn perfkit $(DESTDIR)$(BINDIR)/$$name || exit 1; done
# A link of a peer's name is removed only if it is ours.
uninstall: all ## remove what install and install-applets have installed
	$(Q)for name in $(APPLETS); do link=$(DESTDIR)$(BINDIR)/$$name; \
	    [ "$$(readlink $$link)" != perfkit ] || rm -f $$link; done
	$(Q)rm -f $(DESTDIR)$(BINDIR)/perfkit $(DESTDIR)$(INCLUDEDIR)/perfkit.h $(addprefix $(DESTDIR)$(MANDIR)/man1/,$(PAGES)) \
	    $(DESTDIR)$(BASHDIR)/perfkit $(DESTDIR)$(ZSHDIR)/_perfkit $(DESTDIR)$(FISHDIR)/perfkit.fish

clean: ## remove everything that was built
	$(Q)rm -rf build
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24
	@echo
	@echo 'Variables: CC=clang  V=1 (show commands)  SANITIZE=address,undefined|thread  WITHOUT=gnutls'

.PHONY: all links tests unit golden run-tests check demo fuzz run-fuzzers coverage compare lint format deps \
    deps-build man install install-applets uninstall clean help FORCE
FORCE:
.DELETE_ON_ERROR:
.SECONDARY:
