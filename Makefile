# Guichet: `make help` lists the commands. Each installs the Debian packages that it lacks.
#
# Variants are built from the same rules: VARIANT=release into build/, asan (address and undefined
# behaviour sanitizers) into build/asan/, tsan (threads) into build/tsan/, cov (counts which
# branches the unit tests take) into build/cov/, and clang (a second compiler, for its warnings)
# into build/clang/.

# Recipes use paths relative to this file's folder. Called from elsewhere (make -f ../Makefile),
# hand everything to a make that runs here.
here := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
ifneq ($(here),.)
goals := $(or $(MAKECMDGOALS),all)
.PHONY: $(goals)
$(goals):
	@exec $(MAKE) --no-print-directory -C '$(here)' $@
else

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory --no-builtin-rules
VARIANT ?= release
jobs := $(shell nproc)
packages := nginx/demo/packages

# --- flags: the upper half is the builder's to replace, the lower half is the project's ---

CFLAGS ?= -O2 -g -fstack-protector-strong
CPPFLAGS ?= $(fortify_$(VARIANT))
LDFLAGS ?= -Wl,-z,relro,-z,now
fortify_release := -D_FORTIFY_SOURCE=2
fortify_clang := -D_FORTIFY_SOURCE=2

sanitize_asan := -DCRASH_POINTS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# gcc's shared libubsan writes to standard error, whatever log_path says: unseen behind multiwatch.
static_asan := -static-libasan -static-libubsan
sanitize_tsan := -DCRASH_POINTS -fsanitize=thread -fno-omit-frame-pointer
sanitize_cov := -O0 --coverage
compiler_clang := clang-14
compiler := $(or $(compiler_$(VARIANT)),$(CC))

warnings := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wconversion -Wno-sign-conversion -Wswitch-enum \
	-Wundef -Wimplicit-fallthrough -Wwrite-strings
libraries := fcgi libcurl yajl libmariadb openssl inih
# Asked once, and late: the packages are installed by then. System headers warn about themselves.
library_cflags = $(eval library_cflags := $(shell pkg-config --cflags $(libraries) | \
	sed 's/-I/-isystem /g'))$(library_cflags)
library_libs = $(eval library_libs := $(shell pkg-config --libs $(libraries)))$(library_libs)

compile = $(compiler) -std=c17 -D_GNU_SOURCE -Iinclude $(CPPFLAGS) $(library_cflags) $(warnings) \
	$(CFLAGS) -fPIE -pthread $(sanitize_$(VARIANT)) -MMD -MP
link_flags = $(LDFLAGS) -Wl,--as-needed -pie -pthread $(static_$(VARIANT))
link = $(compiler) $(CFLAGS) $(sanitize_$(VARIANT)) $(link_flags)

# --- what is built from what ---

out := build$(if $(filter-out release,$(VARIANT)),/$(VARIANT))
rooms := base domain store provider flow front
programs := $(addprefix $(out)/,guichet guichet-jobs guichetctl guichet-sandbox)
archive := $(out)/libguichet.a

objects_of = $(patsubst src/%.c,$(out)/obj/%.o,$(wildcard $(1)))
room_objects := $(call objects_of,$(rooms:%=src/%/*.c))
sandbox_objects := $(call objects_of,src/sandbox/*.c)
unit_tests := $(patsubst tests/unit/%.c,$(out)/unit/%,$(wildcard tests/unit/test_*.c))
objects := $(call objects_of,src/*.c) $(room_objects) $(sandbox_objects)

# A program is its main and the archive; the sandbox shares nothing with Guichet but base.
$(out)/guichet: $(out)/obj/guichet.o $(archive)
$(out)/guichet-jobs: $(out)/obj/guichet_jobs.o $(archive)
$(out)/guichetctl: $(out)/obj/guichetctl.o $(archive)
$(out)/guichet-sandbox: $(sandbox_objects) $(call objects_of,src/base/*.c)

$(programs):
	@echo "link     $@"
	@$(link) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(library_libs)

$(archive): $(room_objects) $(out)/sources
	@rm -f $@ && $(AR) rcs $@ $(room_objects)

$(out)/obj/%.o: src/%.c $(out)/flags
	@echo "compile  $@"
	@mkdir -p $(@D) && $(compile) -c -o $@ $<

$(out)/unit/%: tests/unit/%.c $(archive) $(out)/flags
	@echo "compile  $@"
	@mkdir -p $(@D) && $(compile) -Isrc -MF $@.d -MT $@ -o $@ $< $(archive) \
		$(link_flags) $(library_libs) -lcmocka

# These two change, and with them what depends on them, when the flags or the list of sources do.
$(out)/flags: content = $(compile) $(link)
$(out)/sources: content = $(room_objects)
$(out)/flags $(out)/sources: always | packages-run
	@mkdir -p $(@D) && echo "$(content)" | cmp -s - $@ || echo "$(content)" >$@

-include $(objects:.o=.d) $(unit_tests:=.d)

# --- commands ---

.DEFAULT_GOAL := all
.PHONY: all always programs unit run up down test tsan coverage lint clean install-deps help \
	packages-run packages-test packages-lint test-packages run-unit run-e2e clang

all:
	@$(MAKE) -j$(jobs) programs

programs: $(programs)
unit: $(unit_tests)

run up: all
	@exec nginx/demo/demo $@

down: packages-run
	@exec nginx/demo/demo down

test: test-packages
	@echo "test: building the programs and, with sanitizers, programs and unit tests"
	@$(MAKE) -j$(jobs) programs
	@$(MAKE) -j$(jobs) VARIANT=asan programs unit
	@$(MAKE) VARIANT=asan run-unit run-e2e

tsan: test-packages
	@echo "tsan: building programs and unit tests with the thread sanitizer"
	@$(MAKE) -j$(jobs) VARIANT=tsan programs unit
	@$(MAKE) VARIANT=tsan run-unit run-e2e

coverage: test-packages
	@echo "coverage: building the unit tests with counters"
	@$(MAKE) -j$(jobs) VARIANT=cov unit
	@.ci/tests coverage build/cov

run-unit:
	@.ci/tests unit $(out)

run-e2e:
	@.ci/tests e2e $(out)

lint: packages-run packages-test packages-lint
	@$(MAKE) -j$(jobs) VARIANT=clang programs
	@$(MAKE) -j$(jobs) programs
	@tests/lint/all

packages-run packages-test packages-lint:
	@$(packages) $(@:packages-%=%)

test-packages: packages-run packages-test
	@.ci/tests npm

install-deps: packages-run packages-test packages-lint test-packages

clean:
	rm -rf build

help:
	@echo "make          build the programs into build/"
	@echo "make run      build and start the demo (https://localhost:8443/shop/); Ctrl-C stops it"
	@echo "make up|down  the same in the background, and its end"
	@echo "make test     unit tests and end-to-end tests, with sanitizers"
	@echo "make tsan     the same tests under the thread sanitizer"
	@echo "make coverage branches that the unit tests take; all of src/domain must be taken"
	@echo "make lint     two compilers, formatter, static analysis, rules of the house"
	@echo "make install-deps | clean"
	@echo "PORT, SANDBOX_PORT, VAR (default 8443, 8444, var) move the demo; see nginx/demo/demo"

endif
