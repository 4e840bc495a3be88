# One word per job. Each target sets itself up in .venv; no root rights needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PTBXL ?=
DATA ?= ../shared/data
SAMPLE ?=
SEED ?= 0
FUZZ_SECONDS ?= 60

.PHONY: demo test fuzz test-slow test-real test-clusters mutants figures check docs bench clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

demo: $(VENV)/installed  ## full data, DBPD and ERTS side by side: one table, two figures
	$(BIN)/python examples/demo.py $(if $(PTBXL),--ptbxl "$(PTBXL)")

test: $(VENV)/installed  ## the suite without slow tests and real recordings, about 10 minutes on 2 cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not real and not slow and not cluster"

# atheris is large, and of no use but here.
fuzz: $(VENV)/installed  ## 2,000 new examples of each property; FUZZ_SECONDS of damaged files of each kind
	OMP_NUM_THREADS=1 HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests -n 2 -m hypothesis
	$(BIN)/python -m pip install --quiet -c constraints.txt atheris
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.guided --seconds $(FUZZ_SECONDS)

test-slow: $(VENV)/installed  ## scikit-learn's checks at the defaults, processes that are killed, all exports
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n 2 -m slow

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
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/installed  ## tables of docs/performance.md and reliability.md; DATA holds ptbxl and cinc2017
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
	rm -rf $(VENV) docs/_build demo_output
