# make run | test | check | bench | screenshots | soak | compiled | clean
# Needs only make and a Python 3.11 to 3.13 with venv; everything else goes into .venv. `run` installs the app alone.

VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-app
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
TYPED := $(wildcard engines tui benchmarks screenshots tests)

# Each candidate is really run: a version manager's shim can exist and still refuse to start.
PYTHON ?= python3.13 python3.12 python3.11 python3
USABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

.DEFAULT_GOAL := run
.PHONY: run test check bench screenshots soak compiled clean

run: $(RUN_STAMP)
	@exec $(BIN)/dp-tui $(ARGS)

test: check
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports

bench: $(BENCH_STAMP)
	@$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(STAMP)
	@$(BIN)/python screenshots/make.py $(ARGS)

soak: $(STAMP)
	@$(BIN)/python -m pytest -m soak $(ARGS)

compiled: $(BENCH_STAMP)
	@$(BIN)/python -m benchmarks.compiling $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-3.* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find engines tui tests benchmarks screenshots -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(RUN_STAMP): pyproject.toml
	@if ! $(BIN)/python -c '$(USABLE)' >/dev/null 2>&1; then \
		found=; \
		for candidate in $(PYTHON); do \
			if "$$candidate" -c '$(USABLE)' >/dev/null 2>&1; then found="$$candidate"; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "make: no usable Python: tried $(PYTHON)." >&2; \
			echo "dp-tui needs Python 3.11, 3.12 or 3.13 with venv; name one with: make PYTHON=/path/to/python3.12" >&2; \
			exit 2; \
		fi; \
		echo "creating $(VENV) with $$("$$found" --version)"; \
		"$$found" -m venv --clear $(VENV); \
	fi
	@echo "installing dp-tui and what it needs into $(VENV): half a minute, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(STAMP): $(RUN_STAMP)
	@echo "installing the tools that check it: a minute, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

$(BENCH_STAMP): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	@touch $@
