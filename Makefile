# Two commands are all a newcomer needs: `make demo` and `make test`. Both build the environment first.
# python3.11 is preferred: the newer lane needs glibc >= 2.39.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUN ?= runs/demo
CONFIG ?= laptop

.PHONY: demo look test test-fast docs lint lock clean setup bench gpu sbom audit fuzz

demo: setup
	$(BIN)/python -m tfx_pipeline demo --run $(RUN) --config $(CONFIG)

# The finished report in the repository, and its affinities solved: no training, no large install.
look:
	@$(if $(wildcard $(VENV)/.ready),$(BIN)/python,$(PYTHON)) models/reports/look.py

# Two processes, a file each at a time; the files that cost most of a processor, and the slowest
# tests, are listed at the end. A thread each for products of matrices: in the demo's tournaments
# two took a half more of the cores' time than one.
test test-fast: export OPENBLAS_NUM_THREADS = 1
test: setup
	$(BIN)/python -m pytest tests -n 2 --dist loadfile --no-loadscope-reorder --durations=15 --durations-min=5

# The inner loop: rooms that load without TensorFlow.
test-fast: setup
	$(BIN)/python -m pytest tests/test_floor_plan.py tests/test_lock.py tests/test_documents.py tests/models/arguments tests/models/provenance tests/models/tasks tests/models/taxonomy -n 2 --dist loadfile --no-loadscope-reorder

# Documents and API reference as pages, into site/.
docs: setup
	$(BIN)/python docs/draw_architecture.py
	$(BIN)/mkdocs build --quiet

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

setup: $(VENV)/.ready

# Bytecode is compiled at install: importing TFX is two to three times faster with it.
$(VENV)/.ready: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --require-hashes --compile-bytecode -r requirements.txt
	touch $@

# The lock: resolved for both platform lanes, written without the address of any package host.
lock: setup
	$(BIN)/uv lock
	$(BIN)/uv export --frozen --quiet --format requirements-txt --no-emit-project --all-groups --no-header -o requirements.txt
	$(BIN)/uv export --frozen --quiet --format requirements-txt --no-emit-project --no-default-groups --extra gpu --prune tensorflow-cpu --no-header -o requirements-gpu.txt

# A machine with an NVIDIA GPU: the CUDA wheel instead of the CPU one.
gpu: setup
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip uninstall --quiet tensorflow-cpu
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --require-hashes --compile-bytecode -r requirements-gpu.txt

# Coverage-guided fuzzing of what strangers' bytes reach first; MINUTES of all targets together.
MINUTES ?= 6
fuzz: setup
	$(BIN)/python tests/fuzz/run.py --minutes $(MINUTES)

bench: setup
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# What the lock installs, a CycloneDX document a lane, in runs/sbom.
sbom: setup
	$(BIN)/python -m serving sbom

# The locked packages against advisories: make audit ADVISORIES=FILE (a folder or zip in the OSV form).
audit: setup
	$(BIN)/python -m serving audit $(if $(ADVISORIES),--advisories $(ADVISORIES))

clean:
	rm -rf runs/demo
