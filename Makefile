# The names people type. `make` alone lists them.

PG ?= 15
export PG_MAJOR = $(PG)
# Those that are tested: the one that was asked for, or all.
VERSIONS = $(if $(filter file,$(origin PG)),12 13 14 15 16 17 18,$(PG))

.DEFAULT_GOAL := help
.PHONY: help demo clean-demo test test-all versions test-pure lint fmt install install-command package bench bench-curves bench-peers

help: ## list these
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

demo: ## build, start a throwaway server, run a few hundred jobs, show what happened
	@.ci/prepare build $(PG)
	@echo "building the extension" && .ci/install
	@examples/demo/run

clean-demo: ## stop and remove the throwaway server
	@examples/demo/run clean

test: ## all tests, on every version, as in CI; make test PG=17: the extension on that version alone, PG=15 what needs one version only, too
	@.ci/prepare test $(VERSIONS)
	@.ci/test $(VERSIONS)

test-all: VERSIONS = 12 13 14 15 16 17 18
test-all: test ## the same on every version, whatever PG says

versions: ## the table of versions in README.md, from the last run of all tests
	@. .ci/env && python3 -B .ci/versions.py

test-pure: ## the tests that need no server, in seconds
	@. .ci/env && cargo test -p pgqueuer-core

lint: ## formatting, clippy, the rules of the house
	@.ci/test lint

fmt: ## format the code
	@. .ci/env && cargo fmt --all

install: ## make install PG_CONFIG=…: a release build into that PostgreSQL
	@.ci/prepare build
	@PG_MAJOR=$$($${PG_CONFIG:-pg_config} --version | sed 's/[^0-9]*\([0-9]*\).*/\1/') PG_CONFIG=$${PG_CONFIG:-$$(command -v pg_config)} .ci/install --release
	@echo "installed. Add shared_preload_libraries = 'pgqueuer' to postgresql.conf, restart, then CREATE EXTENSION pgqueuer."

install-command: ## the command pgq, into the folder where cargo keeps programs
	@cargo install --locked --path cli

package: ## make package PG=17: a .deb and a .tar.gz of the extension for 17, and of the command pgq, in dist/
	@.ci/prepare build $(PG)
	@.ci/package extension
	@.ci/package command

bench: ## figures of the queue, beside a claim by UPDATE and a bare INSERT on the same server, into docs/benchmarks.md; half an hour
	@.ci/prepare build $(PG)
	@.ci/install --release
	@bench/memory --write

bench-curves: ## what a job costs as the work grows, and the pictures of docs/benchmarks.md; a quarter of an hour
	@.ci/prepare build $(PG)
	@.ci/install --release
	@bench/curves --write

bench-peers: ## the client beside other queues on PostgreSQL, each through its own client; half an hour
	@.ci/prepare build $(PG)
	@.ci/install --release
	@bench/compare
