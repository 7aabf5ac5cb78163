# `make demo` and `make test` install everything they need. The machine only needs make
# and Python 3.10 or later with venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_DIR ?= demo_output
BENCHMARK_DIR ?= benchmark_output
BENCHMARK_FLAGS ?=
# One process a core. The tests of one file run in the same process and share its setup.
PYTEST_FLAGS ?= -n auto --dist loadfile
# TensorFlow Addons needs Python 3.11 or older.
ADDONS_PYTHON ?= python3.11
ADDONS_VENV ?= .venv-addons
ADDONS_CURRENT_VENV ?= .venv-addons-current

.PHONY: demo test test-long test-quick test-addons test-variants lint docs constraints goldens fuzz \
  test-faults notebooks benchmarks clean

$(BIN)/.installed: setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "$(PYTHON) is older than 3.10: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev,media,ray,report,tune]'
	@touch $@

demo: $(BIN)/.installed
	$(BIN)/yt8m-demo --output_dir=$(DEMO_DIR) --overwrite

test: $(BIN)/.installed lint
	$(BIN)/python -m pip check
	$(BIN)/python docs/make_flags.py --check
	$(BIN)/python -m docs.make_architecture --check
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m "not long"

# Kills and stops, Ray, replicas, workers, notebooks, and commands that take long.
test-long: $(BIN)/.installed
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m long

# The commands as a user types them, and the parts that differ between versions of Python:
#     make test-quick PYTHON=python3.12 VENV=.venv-3.12
test-quick: $(BIN)/.installed
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m "not long" tests/commands_test.py \
	  tests/doctest_test.py tests/golden_files_test.py tests/layout_test.py \
	  tests/yt8m/core tests/yt8m/configs tests/yt8m/data tests/yt8m/extracting \
	  tests/yt8m/media tests/eval/metrics \
	  tests/eval/tuning tests/yt8m/train_command_test.py

$(ADDONS_VENV)/.installed: setup.py pyproject.toml
	@command -v $(ADDONS_PYTHON) > /dev/null || \
	  { echo "No $(ADDONS_PYTHON); TensorFlow Addons needs Python 3.10 or 3.11:" \
	    "make ADDONS_PYTHON=python3.10 $(MAKECMDGOALS)"; exit 1; }
	$(ADDONS_PYTHON) -m venv $(ADDONS_VENV)
	$(ADDONS_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(ADDONS_VENV)/bin/python -m pip install --quiet --editable '.[addons,dev,report]'
	@touch $@

# Keras 2 on today's TensorFlow.
$(ADDONS_CURRENT_VENV)/.installed: setup.py pyproject.toml
	@command -v $(ADDONS_PYTHON) > /dev/null || \
	  { echo "No $(ADDONS_PYTHON); TensorFlow Addons needs Python 3.10 or 3.11:" \
	    "make ADDONS_PYTHON=python3.10 $(MAKECMDGOALS)"; exit 1; }
	$(ADDONS_PYTHON) -m venv $(ADDONS_CURRENT_VENV)
	$(ADDONS_CURRENT_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(ADDONS_CURRENT_VENV)/bin/python -m pip install --quiet --editable \
	  '.[addons-current,dev,report]'
	@touch $@

# Tests of layers, losses, metrics and training steps with Addons, on TensorFlow 2.15 and,
# the most important ones, on today's TensorFlow with Keras 2.
test-addons: $(ADDONS_VENV)/.installed $(ADDONS_CURRENT_VENV)/.installed
	TF_USE_LEGACY_KERAS=1 $(ADDONS_CURRENT_VENV)/bin/python -m pytest $(PYTEST_FLAGS) \
	  tests/addons_test.py tests/conformance_test.py tests/models/keras_loops_test.py \
	  tests/eval/metrics/keras_metrics_test.py tests/yt8m/core/addons_test.py \
	  tests/yt8m/training/step_test.py
	$(ADDONS_VENV)/bin/python -m pytest $(PYTEST_FLAGS) tests/addons_test.py \
	  tests/conformance_test.py tests/replicas_test.py tests/models tests/eval/metrics \
	  tests/yt8m/training/step_test.py \
	  tests/yt8m/training/optimizers_test.py::test_staircase_changes_at_the_exact_example \
	  tests/yt8m/training/optimizers_test.py::test_optimizers_by_name_lower_the_loss

lint: $(BIN)/.installed
	$(BIN)/ruff check .
	$(BIN)/pyright

# Rewrites the pages and the picture that are made from the code and its packages.
docs: $(BIN)/.installed
	$(BIN)/python docs/make_flags.py
	$(BIN)/python -m docs.make_architecture
	$(BIN)/python -m docs.make_licenses
	$(BIN)/python -m docs.make_api

# Rewrites constraints.txt: the versions that this environment has. Do so after its tests
# have passed.
constraints: $(BIN)/.installed
	$(BIN)/python -m pip freeze --all --exclude-editable --exclude pip > constraints.txt

# Runs the notebooks of docs/ and keeps their outputs.
notebooks: $(BIN)/.installed
	$(BIN)/python docs/make_notebooks.py

# Writes a small model for every new aggregation, which later versions must load.
goldens: $(BIN)/.installed
	$(BIN)/python -m tests.goldens.make_goldens

# Damages valid inputs of every parser, 1,000,000 times in all (about 20 minutes of one
# processor), and prints what the parsers made of them.
fuzz: $(BIN)/.installed
	$(BIN)/python -m tests.fuzz.driver --cases=1000000

# The suites over all models, with every variant of every option and every recipe. CI leaves
# most of them out.
test-variants: $(BIN)/.installed
	YT8M_ALL_VARIANTS=1 $(BIN)/python -m pytest $(PYTEST_FLAGS) tests/conformance_test.py \
	  tests/replicas_test.py tests/numerics_test.py tests/device_readiness_test.py \
	  tests/eval/predictions/by_length_test.py tests/export/saved_models/writer_test.py \
	  tests/export/saved_models/compression_test.py \
	  tests/export/saved_models/mediapipe_test.py

# Kills, stops and starves every command at many points; about 40 minutes on two cores.
# Prints the table of docs/reliability.md.
test-faults: $(BIN)/.installed
	$(BIN)/python -m tests.faults.driver --points=50

# Less than 15 minutes on two quiet cores. `make benchmarks BENCHMARK_FLAGS=--update_docs`
# also rewrites the figures of docs/performance.md.
benchmarks: $(BIN)/.installed
	$(BIN)/python -m benchmarks.run_all --output_dir=$(BENCHMARK_DIR) $(BENCHMARK_FLAGS)

clean:
	rm -rf $(VENV) $(ADDONS_VENV) $(ADDONS_CURRENT_VENV) $(DEMO_DIR) $(BENCHMARK_DIR) build dist *.egg-info
