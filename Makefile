# The front door. Meson and Ninja do the building; see CONTRIBUTING.md for using them directly.

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build

export BUILD

.DEFAULT_GOAL := all
.PHONY: all deps run stop check conformance bench fuzz soak fmt install uninstall clean help

all: deps ## build into build/
	@scripts/build.sh $(BUILD)

deps:
	@scripts/install-deps.sh run

run: all ## build, then start a supervisord with the programs of examples/quickstart
	@scripts/quickstart.sh start

stop: ## stop the supervisord that `make run` started
	@scripts/quickstart.sh stop

check: ## build with gcc and clang and run every test, check and lint
	@scripts/install-deps.sh check
	@scripts/check.sh

conformance: ## compare with the original, test by test; writes test-output/conformance.txt
	@scripts/install-deps.sh check
	@scripts/build.sh $(BUILD) -Dtests=true
	@python3 tests/conformance/compare.py --build $(BUILD)

bench: ## measure beside the original; writes docs/performance.md
	@scripts/install-deps.sh bench
	@scripts/build.sh $(BUILD)-bench -Dbench=true
	@python3 bench/run.py --programs $(BUILD)-bench/bench \
		--ours-supervisord $(BUILD)-bench/src/supervisord/supervisord \
		--ours-supervisorctl $(BUILD)-bench/src/supervisorctl/supervisorctl

fuzz: ## feed made-up input to every parser; FUZZ_SECONDS, FUZZ_ONLY, FUZZ_ENGINE: see scripts/fuzz.sh
	@scripts/install-deps.sh check
	@scripts/fuzz.sh

soak: ## random operations against a model that knows what must come of them; SOAK_SECONDS (600), SOAK_SEED
	@scripts/install-deps.sh check
	@scripts/build.sh $(BUILD) -Dtests=true
	@python3 tests/soak/soak.py --build $(BUILD)

fmt: ## format the C code
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: ## install below $(DESTDIR)$(PREFIX) (default: /usr/local)
	@[ -f $(BUILD)/build.ninja ] || $(MAKE) --no-print-directory all
	@scripts/build.sh $(BUILD) --prefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet --no-rebuild
	@echo "Installed in $(DESTDIR)$(PREFIX)/bin."

uninstall: ## remove what the last install from $(BUILD) put there
	@ninja -C $(BUILD) uninstall

clean: ## remove what was built
	@scripts/quickstart.sh stop-if-running
	rm -rf $(BUILD) $(BUILD)-clang $(BUILD)-sanitize $(BUILD)-bench $(BUILD)-fuzz $(BUILD)-fuzz-afl $(BUILD)-analyze test-output

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
