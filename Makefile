# Every target sets up what it needs: Python >= 3.11 with pip, make and a package index are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
TYPED := index server clients/python/coterie/client protos

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench proto many soak clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready ## make the virtual environment

# The second form serves systems whose Python comes without ensurepip.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Coterie needs Python 3.11 or newer; try: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || \
		{ $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(VENV)/bin/python install pip; }

$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[dev]'
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready
	$(PIP) install --editable '.[dev,bench]'
	@touch $@

demo: $(VENV)/.ready ## a simulated shop: server, live events, segments, joins and leaves
	$(BIN)/coterie demo

test: $(VENV)/.ready ## the test suite
	$(BIN)/python -m pytest

check: $(VENV)/.ready ## style, types, contract, architecture, generated code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/buf lint protos
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_generated.py

many: $(VENV)/.ready ## five thousand random journals through engine and oracle: some ten minutes on two cores
	$(BIN)/python -m pytest -s -m many tests/test_state_machine.py

soak: $(VENV)/.ready ## a hundred thousand of them: hours
	$(BIN)/python -m pytest -s -m soak tests/test_state_machine.py

bench: $(VENV)/.ready-bench ## the benchmarks, with their peers
	$(BIN)/python -m bench

proto: $(VENV)/.ready ## regenerate the stubs from protos/
	$(BIN)/python protos/generate.py clients/python
	$(BIN)/python -m pytest -q tests/test_generated.py

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
