# Needs make and CPython 3.11 or newer, nothing else. Another interpreter: make test PYTHON=python3.12
PYTHON ?= python3
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
# Stamps: the demonstration needs the package with its extras, the site its own tools, all else those of development.
STAMP  := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
SITE   := $(VENV)/.installed-site

.DEFAULT_GOAL := help
.PHONY: demo test test-floors coverage check wheel docs docs-images site warm bench bench-quick bench-growth bench-feed bench-step bench-soak bench-compat bench-transforms bench-transforms-quick clean help

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP)  ## run the demonstration on pictures that come with the packages
	$(BIN)/imagemill demo -o demo-output

# Tests that lie together need the same kernels, so each process is given a stretch of them: none is compiled twice at once.
test: $(DEV)  ## run all tests and docstring examples (JOBS=1 for one process)
	$(BIN)/python -m pytest $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist worksteal)

test-floors:  ## install the lowest versions that are allowed, in an environment of their own, and run some tests there
	$(PYTHON) .ci/floors.py

coverage: $(DEV)  ## run all tests and say which lines none of them reaches; fails below the floor in pyproject.toml
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report=term:skip-covered

check: $(DEV)  ## lint, format, types, import layers, and the wheel at work where it was installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing
	$(BIN)/lint-imports
	$(BIN)/python .ci/wheel.py

# The release runs `ship_kernels` for each Python and system that it is for, and puts the archives side by side first.
wheel: $(DEV)  ## compile the usual kernels for this Python and system, and build a wheel with them in dist/
	$(BIN)/python -m imagemill.app.ship_kernels
	$(BIN)/python -m hatchling build --target wheel

docs: $(DEV)  ## write the reference pages and notebooks, and run every code block of README.md and docs/
	$(BIN)/python -m imagemill.transforms.public_names
	$(BIN)/python -m imagemill.transforms.catalogue > docs/reference/transforms.md
	$(BIN)/python -m imagemill.compat.translate.catalogue > docs/reference/translation.md
	$(BIN)/python -m imagemill.data.layouts.catalogue > docs/reference/layouts.md
	$(BIN)/python -m imagemill.data.codecs.catalogue > docs/reference/formats.md
	$(BIN)/python docs/draw_rooms.py
	$(BIN)/python -m docs.builder.notebooks
	$(BIN)/python -m pytest tests/docs

site: $(SITE)  ## build the documentation site, build/site/index.html; nothing is fetched but the tools, once
	$(BIN)/python -m docs.builder

docs-images: demo $(DEV)  ## make the pictures of README.md and docs/ again
	cd demo-output/input && ../../$(BIN)/imagemill preview photos/cat.png --boxes cat.json --keypoints cat.json \
	  --pipeline photo --size 176 --grid 2x4 --seed 7 -o ../../docs/images/grid.png
	cd demo-output/input && ../../$(BIN)/imagemill preview scan --masks scan \
	  --pipeline scan --size 192 --before-after --seed 7 -o ../../docs/images/scan.png
	$(BIN)/python docs/draw_comparison.py

# Numba keeps what it compiled beside the sources; the kernels' own tests ask for every variant.
warm: $(DEV)  ## compile the kernels once, so that the first run is as fast as the second
	$(BIN)/python -m pytest tests/engine

# Peers live in an environment of their own, built once; see bench/requirements*.txt for what is pinned.
BENCH  := .venv-bench/bin/python
BSTAMP := .venv-bench/.installed

bench: $(BSTAMP)  ## time everything beside its peers, write bench/results.md (IMAGEMILL_DATA=folder for real inputs)
	$(BENCH) -m bench.run

bench-quick: $(BSTAMP)  ## the same in under two minutes: fewer rounds and workloads, printed only
	$(BENCH) -m bench.run --quick

bench-growth: $(BSTAMP)  ## measure how time and memory grow, write docs/benchmarks
	$(BENCH) -m bench.growth

bench-feed: $(BSTAMP)  ## time loaders beside their peers, what grows, same samples; write bench/feed/results.md
	$(BENCH) -W ignore -m bench.feed.run

bench-step: $(BSTAMP)  ## steps a second of a network fed by our threads and by DataLoader's processes, write docs/benchmarks/training-step.md
	$(BENCH) -W ignore -m bench.training_step

bench-soak: $(BSTAMP)  ## 200 epochs of 50,000 small pictures: memory, threads, and how a loader ends; printed only
	$(BENCH) -W ignore -m bench.feed.soak

bench-compat: $(BSTAMP)  ## ImageDataGenerator beside Keras's own: 32x32, every fill mode, many sets of arguments
	$(BENCH) -W ignore -m bench.compat

bench-transforms: $(BSTAMP)  ## time every transform that others have too, one by one, write docs/benchmarks/transforms.md
	$(BENCH) -W ignore -m bench.transforms.run

bench-transforms-quick: $(BSTAMP)  ## the same in three short rounds, printed only
	$(BENCH) -W ignore -m bench.transforms.run --quick

clean:  ## remove caches, builds and compiled kernels (delete .venv by hand to start over)
	rm -rf build dist demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# What development needs holds what the demonstration needs, so the second rule sets both stamps.
$(STAMP): pyproject.toml
	$(call install,all)
	@touch $(STAMP)

$(DEV): pyproject.toml
	$(call install,all$(comma)dev)
	@touch $(STAMP) $(DEV)

$(SITE): pyproject.toml
	$(call install,site)
	@touch $(SITE)

comma := ,
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo "expected CPython 3.11 or newer, got $$($(PYTHON) --version 2>&1); do: make PYTHON=python3.11"; exit 1; }
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_MORE) -e '.[$(1)]'
endef

$(BSTAMP): pyproject.toml bench/requirements.txt bench/requirements-nodeps.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "expected CPython 3.11 or newer, got $$($(PYTHON) --version 2>&1); do: make PYTHON=python3.11"; exit 1; }
	test -x $(BENCH) || $(PYTHON) -m venv .venv-bench
	$(BENCH) -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt -e '.[all]'
	$(BENCH) -m pip install --quiet --disable-pip-version-check --no-deps -r bench/requirements-nodeps.txt
	@touch $@
