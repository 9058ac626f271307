# wherry: see README.md. Products are left in build/<arch>/. `make help` lists what there is to make.
#
# On Debian and Ubuntu whatever is missing is installed by apt and built once by
# `make deps`, which the other targets start themselves. Where there is no apt-get, as on
# Alpine, the compiler's own libc must be musl and pkg-config must find the static libraries.

HOST := $(shell uname -m)
HOST := $(or $(patsubst armv7%,armhf,$(filter armv7%,$(HOST))),\
	$(patsubst armv8%,armhf,$(filter armv8%,$(HOST))),\
	$(patsubst armv%,arm,$(filter armv%,$(HOST))),$(HOST))
ARCH ?= $(HOST)
# Debian's and Docker's names are understood too.
override ARCH := $(or $(word 2,$(subst :, ,$(filter $(ARCH):%,\
	amd64:x86_64 arm64:aarch64 armel:arm armv5:arm armv7:armhf armv7l:armhf))),$(ARCH))

TRIPLET.x86_64  = x86_64-linux-gnu
TRIPLET.aarch64 = aarch64-linux-gnu
TRIPLET.armhf   = arm-linux-gnueabihf
TRIPLET.arm     = arm-linux-gnueabi
TRIPLET.riscv64 = riscv64-linux-gnu
TRIPLET := $(TRIPLET.$(ARCH))
ifeq ($(TRIPLET),)
$(error ARCH=$(ARCH): not one of x86_64 aarch64 armhf arm riscv64)
endif

PREFIX ?= /usr/local
B := build/$(ARCH)
O := $B/obj
DEPS := $B/deps

# Who decodes gzip: zlib, or ISA-L (isal), whose fast parts are for x86-64. On Alpine zlib, since a
# static libisal is rare; GUNZIP=isal asks for it.
APT  := $(shell command -v apt-get)
GUNZIP ?= $(if $(APT),$(if $(filter x86_64,$(ARCH)),isal,zlib),zlib)

LAUNCHER_SRC := $(sort $(filter-out launcher/seccomp/build.c,$(wildcard launcher/*.c launcher/*/*.c)))
ROOTFS_SRC   := $(sort $(filter-out rootfs/decode/gunzip_%,$(wildcard rootfs/*/*.c)) rootfs/decode/gunzip_$(GUNZIP).c)
INIT_SRC     := $(sort $(wildcard init/*.c init/*.S))
TEST_DIRS    := lib init rootfs launcher security vm
TEST_SRC     := $(sort $(filter-out tests/lib/tap.c,$(wildcard $(TEST_DIRS:%=tests/%/*.c))))
BENCH_SRC    := $(sort $(wildcard tests/bench/*.c))

# What apt must have installed: to compile, to build the libraries, to test.
DEBIAN.x86_64 = amd64
DEBIAN.aarch64 = arm64
DEBIAN.armhf = armhf
DEBIAN.arm = armel
DEBIAN.riscv64 = riscv64
TOOL_PACKAGES = $(if $(filter $(HOST),$(ARCH)),linux-libc-dev,gcc-$(subst _,-,$(TRIPLET)) \
	linux-libc-dev-$(DEBIAN.$(ARCH))-cross) gcc libc6-dev
DEPS_PACKAGES = dpkg-dev $(if $(filter x86_64,$(ARCH)),nasm)
CHECK_PACKAGES = $(shell sed '/^\#/d' tests/packages 2>/dev/null)

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# $(call install,PACKAGES): does nothing, and asks for no password, where all are there. apt itself says how much it
# fetches and how much disk that takes.
install = set -e; missing=; for p in $1; do \
	dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || \
	missing="$$missing $$p"; done; \
	[ -z "$$missing" ] || { \
	[ -z "$(SUDO)" ] || command -v sudo >/dev/null || { \
	echo "make: no sudo here: as root, apt-get install --no-install-recommends$$missing" >&2; exit 1; }; \
	echo "make: installs$$missing"; \
	$(SUDO) apt-get -q update; \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
	-o DPkg::Lock::Timeout=300 install $$missing; } </dev/null

# ---- flags
ifneq ($(APT),)
TOOL = $(TRIPLET)-
CC = $(TOOL)gcc
LIBC_CPPFLAGS = -nostdinc -isystem $(DEPS)/include -isystem $(shell $(CC) -print-file-name=include)
# What -static-pie means is said to the linker itself: for ARM and RISC-V gcc leaves it out.
LINK = $(CC) -nostdlib -static-pie -Wl,-static,-pie,--no-dynamic-linker,-z,text $(LDFLAGS_ALL) \
	-o $@ $(DEPS)/lib/rcrt1.o $(DEPS)/lib/crti.o \
	$(shell $(CC) -print-file-name=crtbeginS.o) $1 -L$(DEPS)/lib $(DEP_LIBS) -lc -lgcc -lgcc_eh -lc \
	$(shell $(CC) -print-file-name=crtendS.o) $(DEPS)/lib/crtn.o
GUNZIP_LIB.isal = -lisal
GUNZIP_LIB.zlib = -lz
DEP_LIBS = -larchive -lzstd -llzma $(GUNZIP_LIB.$(GUNZIP)) -ljansson
else
PKGS = libarchive libzstd liblzma zlib jansson $(filter libisal,lib$(GUNZIP))
LIBC_CPPFLAGS = $(shell pkg-config --static --cflags $(PKGS))
LINK = $(CC) -static-pie $(LDFLAGS_ALL) -o $@ $1 $(DEP_LIBS)
DEP_LIBS = $(shell pkg-config --static --libs $(PKGS))
endif
HOST_CC ?= cc
AR = $(TOOL)ar
STRIP = $(TOOL)strip
READELF = $(TOOL)readelf

CFLAGS_COMMON = -std=gnu11 -Wall -Wextra -Wshadow -Os -g -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables '-ffile-prefix-map=$(CURDIR)=.'
CFLAGS_ALL = $(CFLAGS_COMMON) -fPIE -fstack-protector-strong \
	-ftrivial-auto-var-init=zero $(CLASH) $(CFLAGS)
CLASH.x86_64 = -fstack-clash-protection
CLASH.aarch64 = -fstack-clash-protection
CLASH = $(CLASH.$(ARCH))
CPPFLAGS_ALL = -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(LIBC_CPPFLAGS) $(CPPFLAGS)
# Large buffers first: the small variables, which are in use, then lie together in a page or two.
# --exclude-libs: else ld for RISC-V leaves some symbols to be looked up by name, which nobody does in a static program.
LDFLAGS_ALL = -Wl,--exclude-libs,ALL,--gc-sections,--sort-section=alignment,-z,relro,-z,now,-z,noexecstack \
	-Wl,--build-id=none,--fatal-warnings \
	$(LDFLAGS)

# The init: no libc, only the kernel's headers. All of it is compiled as one, at the link; what is
# switched off (-fno-...) would save time, not space.
INIT_CFLAGS = $(CFLAGS_COMMON) -Oz -ffreestanding -fno-pie -fno-stack-protector -fomit-frame-pointer \
	-flto -fno-inline-functions-called-once -fno-cse-follow-jumps -fno-ipa-cp $(INIT_CFLAGS.$(ARCH))
INIT_CFLAGS.x86_64 = -mpreferred-stack-boundary=3 -mno-sse -malign-data=abi -fno-jump-tables
# Constants in .sdata would share a page, and its rights, with .sbss.
INIT_CFLAGS.riscv64 = -msmall-data-limit=0
# A fifth less. libgcc's division would raise(3) a signal for a zero that never comes.
INIT_CFLAGS.arm = -mthumb
INIT_LDFLAGS.arm = -Wl,--defsym=raise=0
INIT_CPPFLAGS = -I.
INIT_LDFLAGS = -nostdlib -static -no-pie -Wl,--gc-sections,--build-id=none,--fatal-warnings \
	-Wl,--sort-section=name \
	-Wl,-z,noseparate-code,-z,norelro,-z,noexecstack $(INIT_LDFLAGS.$(ARCH))
INIT_LIBS = -lgcc

# The kernel reads an ELF file's segments; the table of its sections, 350 bytes, is for tools. What is zeroed in
# the file's header is where the table is, and how many there are: elf(5), in 64-bit files and in others.
cut_sections = set -e; \
	end=$$($(READELF) -lW $1 | awk '$$1 == "LOAD" { print $$5; exit }'); head -c $$(($$end)) $1 >$1.cut; \
	case $$($(READELF) -h $1) in *ELF64*) at="40 8 60 4" ;; *) at="32 4 48 4" ;; esac; set -- $$at; \
	head -c $$2 /dev/zero | dd of=$1.cut bs=1 seek=$$1 conv=notrunc status=none; \
	head -c $$4 /dev/zero | dd of=$1.cut bs=1 seek=$$3 conv=notrunc status=none; chmod 755 $1.cut; mv $1.cut $1

# `make V=1` shows the commands. An object says which of how many it is.
say = $(if $V,,@printf '%-5s %s%s\n' $1 '$(if $(number.$(@:%.strict=%.o)),$(number.$(@:%.strict=%.o)) of $(words $(numbered)): )' $@;)

# ---- products
.PHONY: all help init deps run quick check powercut bench fuzz size install clean
.DELETE_ON_ERROR:
all: $B/wherry $B/wherry-init
init: $B/wherry-init
deps: $(DEPS)/stamp

help:
	@printf '%s\n' \
	'make                 build/$(ARCH)/wherry and wherry-init; the first time it builds their libraries' \
	'make run             a busybox image made here, loaded and run' \
	'make quick           the tests that take a minute and need little' \
	'make check           all tests: half an hour the first time, ten minutes later; 2 GB in build/' \
	'make check T=limits  one test file, or as tests/run has it: T="-n swap limits"' \
	'make bench           figures beside those of others; make size: bytes; make powercut, make fuzz TIME=600' \
	'make install         below PREFIX=/usr/local, in DESTDIR' \
	'make deps            the libraries alone: afterwards nothing is fetched' \
	'make clean           leaves the libraries; rm -rf build takes them too' \
	'ARCH=aarch64 armhf arm riscv64 x86_64: for another processor; V=1 shows the commands'

launcher_obj := $(LAUNCHER_SRC:%.c=$O/%.o)
rootfs_obj   := $(ROOTFS_SRC:%.c=$O/%.o)
init_obj     := $(patsubst %,$O/%.o,$(basename $(INIT_SRC)))
test_obj     := $(patsubst %.c,$O/%.o,$(TEST_SRC) tests/lib/tap.c $(BENCH_SRC))
numbered     := $(launcher_obj) $(rootfs_obj) $(init_obj) $(test_obj)
counted      :=
$(foreach object,$(numbered),$(eval counted += x)$(eval number.$(object) := $(words $(counted))))
test_bin     := $(TEST_SRC:tests/%.c=$B/tests/%)
bench_bin    := $(BENCH_SRC:tests/bench/%.c=$B/bench/%)

# All but main is a library, for the unit tests. Nothing refers to relro.o, which works
# before main, so that a library would not be asked for it.
main_obj := $O/launcher/main.o $O/rootfs/base/relro.o

$B/wherry.debug: $(main_obj) $B/libwherry.a
	$(call say,LINK)$(call LINK,$^)

# The folders: a source that is gone must go from here too.
$B/libwherry.a: $(filter-out $(main_obj),$(launcher_obj) $(rootfs_obj)) $(sort $(patsubst %/,%,$(dir $(LAUNCHER_SRC) $(ROOTFS_SRC))))
	@rm -f $@
	$(call say,AR)$(AR) qcsD $@ $(filter %.o,$^)

$B/wherry-init.debug: $(init_obj)
	$(call say,LINK)$(CC) $(INIT_CFLAGS) $(INIT_LDFLAGS) -o $@ $^ $(INIT_LIBS)

$B/wherry $B/wherry-init: %: %.debug
	$(call say,STRIP)$(STRIP) -s -R .comment -o $@ $<
	$(if $(filter %-init,$@),@$(call cut_sections,$@))

$(test_bin): $B/tests/%: $O/tests/%.o $O/tests/lib/tap.o $B/libwherry.a
	@mkdir -p $(@D)
	$(call say,LINK)$(call LINK,$^)

$(bench_bin): $B/bench/%: $O/tests/bench/%.o $B/libwherry.a
	@mkdir -p $(@D)
	$(call say,LINK)$(call LINK,$^)

# The launcher carries the init.
$O/launcher/container/carried.o $O/launcher/container/carried.strict: $B/wherry-init
$O/launcher/container/carried.o $O/launcher/container/carried.strict: CPPFLAGS_ALL += -DWHERRY_INIT_FILE='"$B/wherry-init"'

# The default seccomp filter is compiled by a program that runs here, for the machine that
# wherry will run on.
seccomp_src := $(addprefix launcher/seccomp/,build.c calls.c default.c filter.c policy.c)
$B/seccomp_build: $(seccomp_src) $(wildcard launcher/seccomp/*.h) Makefile | $B/tools
	$(call say,CC)$(HOST_CC) -std=gnu11 -Wall -Wextra -O1 -I. -D_GNU_SOURCE \
	-DSECCOMP_TARGET=TARGET_$(ARCH:armhf=arm) -o $@ $(seccomp_src)

$B/seccomp_built.inc: $B/seccomp_build
	$(call say,MAKE)$< >$@

$O/launcher/seccomp/seccomp.o $O/launcher/seccomp/seccomp.strict: $B/seccomp_built.inc
$O/launcher/seccomp/seccomp.o $O/launcher/seccomp/seccomp.strict: \
	CPPFLAGS_ALL += -DSECCOMP_BUILT_FILE='"$B/seccomp_built.inc"'

$O/init/%.o: init/%.c Makefile | $B/tools
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(INIT_CFLAGS) $(INIT_CPPFLAGS) -MMD -MP -c $< -o $@

$O/init/%.o: init/%.S Makefile | $B/tools
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(INIT_CPPFLAGS) -MMD -MP -c $< -o $@

$O/%.o: %.c Makefile $(DEPS)/stamp
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_ALL) $(CPPFLAGS_ALL) -MMD -MP -c $< -o $@

# `make check` compiles everything once more with warnings as errors, since what an
# earlier `make` has compiled says nothing any more. A person's new compiler may warn.
strict := $(patsubst %.o,%.strict,$(launcher_obj) $(rootfs_obj) $(init_obj) $(test_obj))

$O/init/%.strict: init/%.c $O/init/%.o
	$(call say,CHECK)$(CC) $(INIT_CFLAGS) -Werror $(INIT_CPPFLAGS) -c $< -o /dev/null
	@touch $@

$O/init/%.strict: init/%.S $O/init/%.o
	@touch $@

$O/%.strict: %.c $O/%.o
	$(call say,CHECK)$(CC) $(CFLAGS_ALL) -Werror $(CPPFLAGS_ALL) -c $< -o /dev/null
	@touch $@

-include $(patsubst %.o,%.d,$(launcher_obj) $(rootfs_obj) $(init_obj) $(test_obj))

# ---- what they are made with
$B/tools: Makefile
	$(if $(APT),@$(call install,$(TOOL_PACKAGES)))
	@mkdir -p $B && touch $@

ifneq ($(APT),)
$(DEPS)/stamp: rootfs/deps/deps.sh rootfs/deps/apt.sh rootfs/deps/libarchive_config.h | $B/tools
	@$(call install,$(DEPS_PACKAGES))
	rootfs/deps/deps.sh $(DEBIAN.$(ARCH)) $(TRIPLET) $(DEPS)
	@touch $@
else
$(DEPS)/stamp: | $B/tools
	@case $$($(CC) -dumpmachine) in *-musl*) ;; *) \
	echo "neither apt-get nor a musl compiler is here: see README.md" >&2; exit 1;; esac
	pkg-config --static --exists --print-errors $(PKGS)
	@mkdir -p $(@D) && touch $@
endif

# ---- what is done with them
run: all
	@$(if $(APT),$(call install,busybox-static))
	BUILD=$B tests/demo.sh

# What gcc, python3 and a busybox can do.
QUICK = harness run root bind image-config store save layers names path sha256 pack links
QUICK_PACKAGES = busybox-static python3 jq procps libcap2-bin file strace

# What is made on the way is made by all processors, whatever this make was told.
comma := ,
own_make = +@$(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
step = @echo 'make $@: $1'

quick:
	$(call step,wherry$(comma) then $(words $(QUICK)) of the test files. About a minute$(comma) four the first time; 600 MB in build/)
	$(own_make) all test-programs
	@$(if $(APT),$(call install,$(QUICK_PACKAGES)))
	@exec env BUILD=$B tests/run $(QUICK)

# `make check T=limits`, `make check T='-n swap limits'`: some of it, as tests/run has it.
ifneq ($T,)
check:
	$(own_make) all test-programs
	@$(if $(APT),$(call install,$(CHECK_PACKAGES)))
	@exec env BUILD=$B tests/run $T
else
check:
	$(call step,on a fresh Debian about 200 packages (1.2 GB) and 2 GB in build/$(comma) half an hour with two processors)
	$(call step,later about ten minutes. `make quick` needs little of that)
	$(call step,1 of 5: wherry and its libraries)
	$(own_make) all
	$(call step,2 of 5: all of it once more$(comma) with warnings as errors; test programs)
	$(own_make) strict test-programs $(bench_bin)
	$(call step,3 of 5: for $(words $(OTHERS)) other processors$(comma) to be emulated)
	$(own_make) others
	$(call step,4 of 5: what the tests need)
	@$(if $(APT),$(call install,$(CHECK_PACKAGES)))
	$(call step,5 of 5: the tests)
	@exec env BUILD=$B tests/run
endif
.PHONY: strict test-programs
strict: $(strict)
test-programs: $(test_bin)

# `make check` has a few of them.
powercut: all
	@$(if $(APT),$(call install,$(CHECK_PACKAGES)))
	BUILD=$B CUTS=100 tests/vm/powercut.sh

# For other processors, which tests/vm/arch.sh emulates. Cross compilers are apt's here. What a mirror cannot
# give now is skipped there, what does not compile is not.
OTHERS := $(if $(APT),$(filter-out $(ARCH),aarch64 armhf arm riscv64))
.PHONY: others $(OTHERS:%=other-%)
others: $(OTHERS:%=other-%)
$(OTHERS:%=other-%): other-%: all
	@if $(MAKE) ARCH=$* deps; then $(MAKE) ARCH=$* all build/$*/tests/rootfs/sha256; \
	else echo "make: no libraries for $*: it will not be tested"; fi

bench: all $(bench_bin)
	@$(if $(APT),$(call install,$(CHECK_PACKAGES)))
	BUILD=$B tests/bench/run

# `make fuzz TIME=600`: seconds for each of them. The decoder is a thread here, so that both sides are seen;
# the libraries are the system's own. A thread that is stopped leaves its memory: hence -fork. What is found stays in build/<arch>/fuzz, and the next run goes on there.
TIME = 60
FUZZ_PACKAGES = clang libarchive-dev libjansson-dev liblzma-dev libzstd-dev \
	$(if $(filter isal,$(GUNZIP)),libisal-dev,zlib1g-dev)
fuzz_bin := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(filter-out %/decoder_thread.c %/slow.c,$(wildcard tests/fuzz/*.c)))
fuzz_src := tests/fuzz/decoder_thread.c tests/fuzz/slow.c $(filter-out rootfs/decode/decoder.c rootfs/decode/sandbox.c,$(ROOTFS_SRC))

fuzz: fuzz-packages $(fuzz_bin)
	python3 tests/fuzz/seeds.py $B/fuzz/seeds
	@for one in $(notdir $(fuzz_bin)); do mkdir -p $B/fuzz/found/$$one; echo "== $$one, $(TIME) s"; \
	ASAN_OPTIONS=detect_leaks=0:use_sigaltstack=0 $B/fuzz/$$one -max_total_time=$(TIME) -timeout=20 \
	-rss_limit_mb=2048 -fork=1 -ignore_ooms=1 -artifact_prefix=$B/fuzz/$$one- \
	$B/fuzz/found/$$one $B/fuzz/seeds/$$one || exit 1; done

.PHONY: fuzz-packages
fuzz-packages:
	@$(if $(APT),$(call install,$(FUZZ_PACKAGES)))

$B/fuzz/%: tests/fuzz/%.c $(fuzz_src) $(wildcard rootfs/*/*.h) | fuzz-packages
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -I. \
	-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $< $(fuzz_src) -o $@ -larchive -ljansson -llzma -lzstd \
	$(if $(filter isal,$(GUNZIP)),-lisal,-lz) -lpthread

# Bytes: 1 MiB on every architecture; for what is PID 1 in every container 10 KiB, and 12 where the
# instructions are longer or do less.
INIT_BUDGET = $(if $(filter aarch64 arm riscv64,$(ARCH)),12288,10240)
size: all
	@status=0; for line in wherry:1048576 wherry-init:$(INIT_BUDGET); do \
	size=$$(wc -c <$B/$${line%:*}); printf '%-12s %8d of %8d bytes\n' \
	$${line%:*} $$size $${line#*:}; [ $$size -le $${line#*:} ] || status=1; done; exit $$status

install: all
	install -D -m 755 $B/wherry $(DESTDIR)$(PREFIX)/bin/wherry
	install -D -m 755 $B/wherry-init $(DESTDIR)$(PREFIX)/libexec/wherry/wherry-init
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 launcher/wherry.1 init/wherry-init.1

# Leaves what `make deps` has built; `rm -rf build` takes that too.
clean:
	rm -rf $O $B/tests $B/bench $B/fuzz $B/wherry $B/wherry-init $B/seccomp_* $B/*.debug $B/*.a
