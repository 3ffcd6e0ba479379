# What each target runs is configured in pyproject.toml and explained in docs/contributing.md.
PYTHON ?= python3
BIN := .venv/bin
SOAK_MESSAGES ?= 10000
SOAK_SEED ?=

.PHONY: demo test test-fast check bench image test-image soak comparison clean

demo: .venv/stamp
	$(BIN)/python -m demo

test: .venv/stamp
	$(BIN)/python -m pytest -q

test-fast: .venv/stamp
	$(BIN)/python -m pytest -q tests/unit tests/test_layers.py tests/test_vocabulary.py tests/test_file_sizes.py

check: .venv/stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/stamp
	$(BIN)/python -m bench

image:
	tools/image build

# Without an engine there is nothing to build; the tests then say why they are skipped, which fails in CI.
test-image: .venv/stamp
	! tools/image engine || tools/image build
	$(BIN)/python -m pytest -q -rs tests/image

soak: .venv/stamp
	$(BIN)/python -m tests.soak --messages $(SOAK_MESSAGES) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

comparison: .venv/stamp
	$(BIN)/python -m tests.comparison

clean:
	rm -rf .cache .venv build demo/out dist .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

.venv/stamp: pyproject.toml tools/bootstrap
	tools/bootstrap $(PYTHON)
