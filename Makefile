# Guichet: `make help` lists the commands. Each installs the Debian packages that it lacks.
#
# Variants are built from the same rules: VARIANT=release into build/, asan (address and undefined
# behaviour sanitizers) into build/asan/, tsan (threads) into build/tsan/, cov (counts which
# branches the unit tests take) into build/cov/, clang (a second compiler, for its warnings)
# into build/clang/, and fuzz (the fuzzers of tests/fuzz) into build/fuzz/.

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

sanitize_asan := -DCRASH_POINTS -DFAIL_POINTS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# gcc's shared libubsan writes to standard error, whatever log_path says: unseen behind multiwatch.
static_asan := -static-libasan -static-libubsan
sanitize_tsan := -DCRASH_POINTS -DFAIL_POINTS -fsanitize=thread -fno-omit-frame-pointer
sanitize_cov := -O0 --coverage
compiler_clang := clang-14
compiler_fuzz := clang-14
sanitize_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
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
rooms := base domain store provider flow front ctl
programs := $(addprefix $(out)/,guichet guichet-jobs guichetctl guichet-sandbox)
archive := $(out)/libguichet.a

objects_of = $(patsubst src/%.c,$(out)/obj/%.o,$(wildcard $(1)))
room_objects := $(call objects_of,$(rooms:%=src/%/*.c))
sandbox_objects := $(call objects_of,src/sandbox/*.c)
# Only these have the points at which the fault sweep lets calls fail.
without_points := $(if $(filter asan tsan,$(VARIANT)),,tests/unit/test_torture.c)
unit_tests := $(patsubst tests/unit/%.c,$(out)/unit/%,\
	$(filter-out $(without_points),$(wildcard tests/unit/test_*.c)))
fuzzers := $(patsubst tests/fuzz/fuzz_%.c,$(out)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
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

$(out)/fuzz/%: tests/fuzz/fuzz_%.c $(archive) $(out)/flags
	@echo "compile  $@"
	@mkdir -p $(@D) && $(compile) -MF $@.d -MT $@ -o $@ $< $(archive) \
		-fsanitize=fuzzer $(link_flags) $(library_libs)

# What only the benchmark needs: the provider, and the bare rivals that check nothing.
$(out)/bench/%: tests/bench/%.c tests/bench/plain.h $(out)/flags
	@echo "compile  $@"
	@mkdir -p $(@D) && $(compile) -o $@ $< $(link_flags) $(library_libs)

# These two change, and with them what depends on them, when the flags or the list of sources do.
$(out)/flags: content = $(compile) $(link)
$(out)/sources: content = $(room_objects)
$(out)/flags $(out)/sources: always | packages-run
	@mkdir -p $(@D) && echo "$(content)" | cmp -s - $@ || echo "$(content)" >$@

-include $(objects:.o=.d) $(unit_tests:=.d) $(fuzzers:=.d)

# --- what is installed where: GNU's names, with DESTDIR before each ---

PREFIX ?= /usr/local
# Not below PREFIX: the programs look for /etc/guichet/guichet.conf, and nginx for /etc/nginx.
sysconfdir ?= /etc
localstatedir ?= /var
runstatedir ?= /run
sbindir ?= $(PREFIX)/sbin
datadir ?= $(PREFIX)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/guichet
# systemd reads its three folders below /usr/local/lib as well as below /usr/lib.
libdir ?= $(PREFIX)/lib
unitdir ?= $(libdir)/systemd/system
nginxdir ?= $(sysconfdir)/nginx

# The sandbox is no part of an installation.
installed_programs := guichet guichet-jobs guichetctl
pages = $(shell cd nginx/www && find . -path ./shop -prune -o -type f -printf '%P ')

# Shipped files name the folders of a Debian package; installed ones name these.
relocate = sed -e 's|^\# \(migrations = \)/usr/share/guichet|\1$(datadir)/guichet|' \
	-e 's|/usr/share/guichet|$(datadir)/guichet|g' -e 's|/usr/sbin/guichet|$(sbindir)/guichet|g' \
	-e 's|/etc/guichet|$(sysconfdir)/guichet|g' -e 's|/run/guichet|$(runstatedir)/guichet|g' \
	-e 's|/var/log|$(localstatedir)/log|g'

# $(call text,FILE,MODE,TARGET) installs a relocated file; own does it once: it is the admin's then.
text = $(relocate) $(1) | install -D -m $(2) /dev/stdin '$(DESTDIR)$(3)'
own = [ -e '$(DESTDIR)$(3)' ] || { $(text); }

# --- commands ---

.DEFAULT_GOAL := all
.PHONY: all always programs unit fuzzers fuzz run up down test tsan coverage chaos figures bench bench-programs torture lint install deb uninstall clean \
	install-deps help packages-run packages-demo packages-test packages-lint packages-bench packages-deb test-packages run-unit run-e2e run-torture clang model

all:
	@$(MAKE) -j$(jobs) programs

programs: $(programs)
unit: $(unit_tests)
bench-programs: $(addprefix $(out)/bench/,provider bare limit)
fuzzers: $(fuzzers)

run up: all packages-demo
	@exec nginx/demo/demo $@

down: packages-run
	@exec nginx/demo/demo down

test: test-packages
	@echo "test: building the programs and, with sanitizers, programs and unit tests"
	@$(MAKE) -j$(jobs) programs
	@$(MAKE) -j$(jobs) VARIANT=asan programs unit bench-programs
	@$(MAKE) -j2 VARIANT=asan run-unit model
	@$(MAKE) VARIANT=asan run-e2e

# Needs no build: the verifier is spin's, with the domain's tables.
model: packages-run packages-test
	@tests/model/verify build/model

tsan: test-packages
	@echo "tsan: building programs and unit tests with the thread sanitizer"
	@$(MAKE) -j$(jobs) VARIANT=tsan programs unit bench-programs
	@AT_ONCE=1 $(MAKE) VARIANT=tsan run-unit run-e2e

torture: test-packages
	@echo "torture: building the programs and the sweep with sanitizers"
	@$(MAKE) -j$(jobs) VARIANT=asan programs build/asan/unit/test_torture
	@$(MAKE) VARIANT=asan run-torture

run-torture:
	@.ci/tests torture $(out)

coverage: test-packages
	@echo "coverage: building the unit tests with counters"
	@$(MAKE) -j$(jobs) VARIANT=cov unit
	@.ci/tests coverage build/cov

# DURATION, SEED and the like reach the program as they stand on the command line.
chaos figures: test-packages
	@$(MAKE) -j$(jobs) programs
	@.ci/tests $@ $(out)

# bash has a SECONDS of its own, so it travels under another name.
bench: test-packages packages-bench
	@$(MAKE) -j$(jobs) programs bench-programs
	@BENCH_SECONDS='$(SECONDS)' .ci/tests bench $(out)

# FUZZ_SECONDS each (60); what a run has found is where the next begins.
fuzz: packages-run packages-lint
	@echo "fuzz: building the fuzzers"
	@$(MAKE) -j$(jobs) VARIANT=fuzz fuzzers
	@.ci/tests fuzz build/fuzz

run-unit:
	@.ci/tests unit $(out)

run-e2e:
	@.ci/tests e2e $(out)

lint: packages-run packages-test packages-lint
	@$(MAKE) -j$(jobs) VARIANT=clang programs
	@$(MAKE) -j$(jobs) programs
	@tests/lint/all

packages-run packages-demo packages-test packages-lint packages-bench packages-deb:
	@$(packages) $(@:packages-%=%)

test-packages: packages-run packages-demo packages-test
	@.ci/tests npm

# An older file of nginx's that differs is kept beside the new one as .old.
install: all
	@install -D -t '$(DESTDIR)$(sbindir)' $(installed_programs:%=$(out)/%)
	@$(foreach program,$(installed_programs),\
		$(call text,nginx/man/$(program).8,0644,$(mandir)/man8/$(program).8) &&) true
	@install -D -m 0644 -t '$(DESTDIR)$(datadir)/guichet/sql' $(filter-out sql/demo.sql,$(wildcard sql/*.sql))
	@$(foreach page,$(pages),install -D -m 0644 'nginx/www/$(page)' \
		'$(DESTDIR)$(datadir)/guichet/www/$(page)' &&) true
	@$(call text,nginx/systemd/guichet.service,0644,$(unitdir)/guichet.service)
	@$(call text,nginx/systemd/guichet-jobs.service,0644,$(unitdir)/guichet-jobs.service)
	@$(call text,nginx/systemd/sysusers.conf,0644,$(libdir)/sysusers.d/guichet.conf)
	@$(call text,nginx/systemd/tmpfiles.conf,0644,$(libdir)/tmpfiles.d/guichet.conf)
	@$(foreach folder,conf.d snippets,install -D -C -b -S .old -m 0644 \
		-t '$(DESTDIR)$(nginxdir)/$(folder)' nginx/$(folder)/*.conf &&) true
	@$(call own,nginx/sites-available/guichet,0644,$(nginxdir)/sites-available/guichet)
	@$(call own,nginx/guichet.conf,0640,$(sysconfdir)/guichet/guichet.conf)
	@$(call own,nginx/guichetctl.conf,0600,$(sysconfdir)/guichet/guichetctl.conf)
	@$(call text,nginx/sites-available/guichet,0644,$(docdir)/examples/site)
	@$(call text,nginx/guichet.conf,0644,$(docdir)/examples/guichet.conf)
	@$(call text,nginx/guichetctl.conf,0644,$(docdir)/examples/guichetctl.conf)
	@install -D -m 0644 -t '$(DESTDIR)$(docdir)/examples' nginx/prometheus/guichet.rules.yml
	@install -D -m 0644 -t '$(DESTDIR)$(docdir)' README.md LICENSE
	@echo "install: programs in $(DESTDIR)$(sbindir), settings in $(DESTDIR)$(sysconfdir)/guichet"

deb: all packages-deb
	@nginx/debian/package $(out) $(VARIANT)

# What the admin has made stays: settings, secrets, the site, the database.
uninstall:
	@rm -f $(installed_programs:%='$(DESTDIR)$(sbindir)'/%) \
		$(installed_programs:%='$(DESTDIR)$(mandir)/man8'/%.8) '$(DESTDIR)$(unitdir)'/guichet{,-jobs}.service \
		'$(DESTDIR)$(libdir)'/{sysusers,tmpfiles}.d/guichet.conf \
		'$(DESTDIR)$(nginxdir)'/{conf.d,snippets}/guichet-*.conf{,.old}
	@rm -rf '$(DESTDIR)$(datadir)/guichet' '$(DESTDIR)$(docdir)'

install-deps: packages-run packages-demo packages-test packages-lint test-packages

clean:
	rm -rf build

help:
	@echo "make          build the programs into build/"
	@echo "make run      build and start the demo (https://localhost:8443/shop/); Ctrl-C stops it"
	@echo "make up|down  the same in the background, and its end"
	@echo "make test     unit tests and end-to-end tests, with sanitizers"
	@echo "make model    the life of a payment, verified by spin over the program's own tables"
	@echo "make tsan     the same tests under the thread sanitizer"
	@echo "make torture  every fallible call made to fail in turn, on every path that money takes"
	@echo "make fuzz     the fuzzers of tests/fuzz, FUZZ_SECONDS (60) each"
	@echo "make coverage branches that the unit tests take; all of src/domain must be taken"
	@echo "make chaos    random load, faults and kills, then the books: DURATION=300 SEED=n REQUESTS=0"
	@echo "make figures  copies of notices, and a provider cut at six points: WEBHOOKS=2000 CUTS=1000"
	@echo "make bench    beside PHP, Node, bare C and the database alone: SHORT=1, or JOBS= CONTENDERS= CONCURRENCY="
	@echo "              RUNS=3 SECONDS=5 PROCESSES=2 ROWS= SET=\"section.key=value ...\"; see tests/bench/bench.mjs"
	@echo "make lint     two compilers, formatter, static analysis, rules of the house"
	@echo "make install  programs, units, settings and nginx's files below DESTDIR and PREFIX ($(PREFIX));"
	@echo "              the README's section Deploy goes on from there; make uninstall is its end"
	@echo "make deb      the same as a Debian package, in build/"
	@echo "make install-deps | clean"
	@echo "PORT, SANDBOX_PORT, VAR (default 8443, 8444, var) move the demo; see nginx/demo/demo"

endif
