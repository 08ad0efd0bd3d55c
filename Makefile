# make run    install what the daemon needs, start it with capture, show its status
# make test   install everything else, then lint, types and every test
# Also: lint, types, bench [WHAT=saves], lock, prices, reference, clean.

# Any Python from 3.11 on; `make PYTHON=python3.12 run` chooses one.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test lint types bench lock prices reference clean

run: .venv/runtime.stamp
	$(BIN)/steno up
	$(BIN)/steno status

test: lint types
	$(BIN)/python -m pytest

lint: .venv/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/dev.stamp
	$(BIN)/mypy
	$(BIN)/pyright --project pyproject.toml --pythonpath $(BIN)/python

bench: .venv/dev.stamp
	PYTHONPATH=tests $(BIN)/python -m bench $(WHAT)

# The distribution itself is put in editable, by the build backend that the lock pins.
.venv/runtime.stamp: requirements.lock pyproject.toml schema/steno_schema/_version.py
	$(if $(PYTHON),,$(error Python 3.11 or newer was not found; say make PYTHON=/path/to/python))
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements-dev.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock
	touch $@

# Keeps what is pinned; `make lock UPGRADE=--upgrade` takes the newest of everything.
UPGRADE ?=
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate \
	--no-emit-index-url --custom-compile-command "make lock" $(UPGRADE) --extra daemon

lock: .venv/runtime.stamp
	$(INSTALL) uv
	$(COMPILE) --group build --output-file requirements.lock pyproject.toml
	$(COMPILE) --group dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

# The newest price list, in an environment of its own: nothing of it is needed at run time.
prices:
	$(PYTHON) -m venv build/prices
	build/prices/bin/python -m pip install --quiet --disable-pip-version-check genai-prices
	build/prices/bin/python tools/make_prices.py

# docs/reference.md from the docstrings; a test holds it up to date.
reference: .venv/runtime.stamp
	$(BIN)/python tools/make_reference.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
