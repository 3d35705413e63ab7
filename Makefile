# The only entrances. `make run` serves, `make test` runs everything CI runs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Outside of the clone, so that a fresh clone builds quickly.
export BOWSHOCK_CACHE ?= $(HOME)/.cache/bowshock
export CARGO_TARGET_DIR ?= $(BOWSHOCK_CACHE)/target
BIN := $(CARGO_TARGET_DIR)/release/bowshock
ARGS ?=
ROWS ?=
SEED ?= 1
COMMANDS ?= 60000

.PHONY: help run build test bench faults soak demo tools

help:
	@echo "make run [ARGS='--port 6379']   build in release and serve"
	@echo "make test                       everything CI runs"
	@echo "make bench [ROWS='P1 P2']       the table of bars, beside redis-server"
	@echo "make faults                     planted faults: each must be caught by a test"
	@echo "make soak [SEED=1]              crash and differential runs, longer than in CI"
	@echo "make demo                       the shopping cart on Bowshock"

tools:
	@scripts/tools.sh

build: tools
	@scripts/build.sh

run: build
	@$(BIN) $(ARGS)

test: build
	@scripts/test.sh

bench: build
	@python3 compat-tests/bench/bench.py --bowshock $(BIN) $(if $(ROWS),--rows '$(ROWS)') $(ARGS)

faults: tools
	@python3 compat-tests/faults/run.py $(ARGS)

soak: build
	@SEED=$(SEED) scripts/soak.sh

demo: build
	@scripts/demo.sh
