# Every tool runs under the Node.js that npm installs into node_modules, never under the one of the machine.
# That one only runs npm. Works with GNU make 3.81 and later.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Compiled once and kept, as in ./hedgerow: every test file and every server that it starts is a process of its own.
export NODE_COMPILE_CACHE ?= $(CURDIR)/node_modules/.cache/node

installed := node_modules/.stamp
node := node_modules/.bin/node --disable-warning=ExperimentalWarning
test_flags := --test --test-reporter=spec --test-concurrency=3 --test-timeout=120000
sources := $(shell find src -type f 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help install run test test-one check types lint dead-code format format-check golden bench bench-page faults docs docs-check \
	package lockfile clean

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

run: $(installed) ## show a whole trade on this machine and leave it running (ONCE=1 stops after it, DATA=DIR adds studies, PORT=8400 moves it)
	@./hedgerow demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(DATA),--data "$(DATA)") $(if $(PORT),--port "$(PORT)")

test: check ## check types, lint, format and docs, then run every test
	@$(node) scripts/run-tests.ts $(test_flags)

test-one: $(installed) ## run one test file: T=test/kernel/money.test.ts
	@if [ -z "$(T)" ]; then echo 'Say which test file: make test-one T=test/house/tree.test.ts' >&2; exit 2; fi
	@$(node) $(test_flags) '$(T)'

check: types lint dead-code format-check docs-check ## check types, lint, format and generated docs

types: $(installed) ## check the types
	@tsc -p tsconfig.json

lint: $(installed) ## check the rules of docs/conventions.md that a linter can
	@report=$$(oxlint 2>&1) || { printf '%s\n' "$$report" >&2; exit 1; }

dead-code: $(installed) ## list files, exports and dependencies that nothing uses
	@knip --no-progress

format: $(installed) ## write every file in our format
	@oxfmt >/dev/null

format-check: $(installed)
	@oxfmt --list-different || { echo 'The files above are not in our format: run "make format"' >&2; exit 1; }

docs: $(installed) ## write docs/reference from the code
	@$(if $(wildcard scripts/generate-reference.ts),$(node) scripts/generate-reference.ts,:)

docs-check: $(installed)
	@$(if $(wildcard scripts/generate-reference.ts),$(node) scripts/generate-reference.ts --check,:)

golden: $(installed) ## rewrite the golden files and show what changed in them
	@HEDGEROW_UPDATE_GOLDEN=1 $(node) $(test_flags) 'test/**/*golden*.test.ts'
	@git --no-pager diff --stat -- test/golden

bench: $(installed) ## run all benchmarks, or one: NAME=ingest SCALE=0.1 (writes bench/out/NAME.json)
	@mkdir -p bench/out
	@for name in $(or $(NAME),$(basename $(notdir $(wildcard bench/*.ts)))); do \
	  if [ ! -f "bench/$$name.ts" ]; then echo "No benchmark \"$$name\": see bench/" >&2; exit 2; fi; \
	  $(if $(SCALE),SCALE=$(SCALE)) $(node) "bench/$$name.ts" || exit $$?; \
	done

bench-page: $(installed) ## write docs/reference/benchmarks.md from what the benchmarks left in bench/out
	@$(node) scripts/write-benchmarks.ts

faults: $(installed) ## run the fault and crash tests, a hundred thousand random questions and four hundred childhoods
	@HEDGEROW_FAULTS=1 $(node) $(test_flags) 'test/faults/**/*.test.ts' test/site/backup/killed.test.ts test/attacks/random-questions.test.ts test/attacks/differencing.test.ts test/attacks/narrowing.test.ts test/attacks/site-doors.test.ts test/attacks/network-doors.test.ts test/site/guard/measure-distance.test.ts test/site/principals/nobody-under-age.test.ts test/site/retention/killed-sweep.test.ts test/site/rights/acts-at-once.test.ts

package: dist/.stamp ## make the npm package, a .tgz beside this file
	@npm pack --silent --ignore-scripts

# TypeScript is not stripped under node_modules, so the published package carries JavaScript.
dist/.stamp: $(installed) $(sources) tsconfig.json tsconfig.build.json
	@rm -rf dist
	@tsc -p tsconfig.build.json
	@cd src && find . -type f ! -name '*.ts' | while read -r file; do \
	  mkdir -p "../dist/$$(dirname "$$file")" && cp "$$file" "../dist/$$file"; done
	@chmod +x dist/cli/launch.js
	@touch $@

install: $(installed) ## install what is missing

# An install that is already right (made by "npm install NAME") is left alone: "npm ci" would empty node_modules first.
$(installed): package.json package-lock.json .npmrc scripts/install.sh
	@sh scripts/install.sh
	@touch $@

lockfile: $(installed) ## complete package-lock.json after "npm install NAME"
	@$(node) scripts/complete-lockfile.ts
	@touch $(installed)

clean: ## remove what was made; what was installed and .hedgerow stay
	@rm -rf dist bench/out coverage hedgerow-*.tgz
