# One word per job. Each target sets itself up in .venv; no root rights needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PTBXL ?=
DATA ?= ../shared/data
SAMPLE ?=
SEED ?= 0
LESSON ?=
FUZZ_SECONDS ?= 60

.PHONY: demo test fuzz test-slow test-real test-clusters mutants figures check docs notebooks wheel bench clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

demo: $(VENV)/installed  ## full data, DBPD and ERTS side by side: one table, two figures
	$(BIN)/python examples/demo.py $(if $(PTBXL),--ptbxl "$(PTBXL)")

test: $(VENV)/installed  ## the suite without slow tests and real recordings, some 15 minutes on 2 cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not real and not slow and not cluster"

# atheris is large, and of no use but here.
fuzz: $(VENV)/installed  ## 2,000 new examples of each property; FUZZ_SECONDS of damaged files of each kind
	OMP_NUM_THREADS=1 HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests -n 2 -m hypothesis
	$(BIN)/python -m pip install --quiet -c constraints.txt atheris
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.guided --seconds $(FUZZ_SECONDS)

# By file, since the site is built once for all tests of it.
test-slow: $(VENV)/installed  ## scikit-learn's checks at the defaults, killed processes, all exports, the site
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n 2 --dist loadfile -m slow

# Apart: Dask brings psutil, with which joblib ends workers that have grown, and warns.
test-clusters: $(VENV)/installed  ## searches on Dask and Ray with two processes, and workers that die
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dask,ray]"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -m cluster

test-real: $(VENV)/installed  ## slower tests on real recordings (SK_ERTS_DATA names their folder)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n 2 -m real

mutants: $(VENV)/installed  ## do tests notice broken code? SAMPLE mutants of some 11,000, half a minute each
	$(BIN)/python -m pip install --quiet -c constraints.txt mutmut
	nice $(BIN)/python -m benchmarks.mutants $(if $(SAMPLE),--sample $(SAMPLE) --seed $(SEED))

figures: $(VENV)/installed  ## draw the pictures anew that tests compare with; look at them
	$(BIN)/python -m tests.plotting.figures

check: $(VENV)/installed  ## ruff, mypy (strict on the package), import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/installed  ## HTML pages in docs/_build
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

# Apart: the kernel brings psutil, with which joblib warns.
notebooks: $(VENV)/installed  ## executed notebooks of the lessons; LESSON="03 04" makes some
	$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/kernel -c constraints.txt ipykernel nbclient
	PYTHONPATH=$(CURDIR)/$(VENV)/kernel $(BIN)/python examples/notebooks/make.py $(LESSON)

# In an environment of its own, outside of the checkout: nothing but the wheel is at hand.
wheel: $(VENV)/installed  ## builds a wheel, installs it alone, and runs its quick demo
	rm -rf dist build $(VENV)-wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet -c constraints.txt "$$(ls dist/*.whl)[cli,report]"
	folder=$$(mktemp -d) && here=$$PWD && cd $$folder && $$here/$(VENV)-wheel/bin/sk-erts benchmark synthetic --quick; \
		status=$$?; rm -rf $$folder $$here/$(VENV)-wheel; exit $$status

bench: $(VENV)/installed  ## tables of docs/results.md; DATA holds ptbxl and cinc2017
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.schemes --folder "$(DATA)"
	$(BIN)/python -m benchmarks.schemes --folder "$(DATA)" --width 32
	$(BIN)/python -m benchmarks.schemes --folder "$(DATA)" --data cinc2017
	$(BIN)/python -m benchmarks.schemes --data make_ecg
	$(BIN)/python -m benchmarks.normalisation "$(DATA)/ptbxl"
	$(BIN)/python -m benchmarks.synthetic
	$(BIN)/python -m benchmarks.reading --ptbxl "$(DATA)/ptbxl"
	$(BIN)/python -m benchmarks.reliability "$(DATA)"

clean:
	rm -rf $(VENV) $(VENV)-wheel build dist docs/_build docs/auto_examples docs/generated demo_output
