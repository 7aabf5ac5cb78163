# `make demo` and `make test` set up everything they need: Python >= 3.10 with venv,
# and make, are all that a machine must have.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_DIR ?= demo_output

.PHONY: demo test lint docs benchmarks clean

$(BIN)/.installed: setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "$(PYTHON) is older than 3.10: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev,report]'
	@touch $@

demo: $(BIN)/.installed
	$(BIN)/yt8m-demo --output_dir=$(DEMO_DIR) --overwrite

test: $(BIN)/.installed lint
	$(BIN)/python docs/make_flags.py --check
	$(BIN)/python -m pytest

lint: $(BIN)/.installed
	$(BIN)/ruff check .

# Rewrites the flag tables of docs/flags.md from the commands themselves.
docs: $(BIN)/.installed
	$(BIN)/python docs/make_flags.py

benchmarks: $(BIN)/.installed
	$(BIN)/python benchmarks/readers.py
	$(BIN)/python benchmarks/metrics.py

clean:
	rm -rf $(VENV) $(DEMO_DIR) build dist *.egg-info
