# What a developer needs, each target with the virtual environment it needs. `make` alone runs all checks.
#
#   make demo       a charge point and a central system talking to each other
#   make check      format, lint, types, test: what must be green before a commit
#   make test       the tests alone            ARGS="tests/config -x" narrows them
#   make coverage   the tests, with the lines and branches they leave out
#   make flapping   the tests RUNS times, two suites at once, a new seed each: finds tests that depend on luck;
#                   then 20 days of charging over a link that is cut every few seconds
#   make schemas    schemas/*.json anew from the message classes
#   make docs       docs/*.rst as HTML in docs/_build, the tables of keys anew
#   make dist       source archive and wheel in dist/
#   make reformat   let ruff mend layout and what else it can
#   make clean      remove what was made, the environment too
#
# PYTHON3=... is the interpreter that makes the environment, VENV=... its folder.

VENV ?= .venv
PYTHON3 ?= python3
ARGS ?=
RUNS ?= 5

PYTHON = $(VENV)/bin/python
USER_STAMP = $(VENV)/.stamp-user
DEV_STAMP = $(VENV)/.stamp-dev
SOURCES = openocpp tests samples docs benchmarks setup.py
PRESENT = $(wildcard $(SOURCES))

.PHONY: all check format reformat lint types test coverage flapping demo venv schemas docs dist clean

all: check

check: format lint types test

# One after the other, also under `make -j`: the output stays readable, and 2 cores are soon full.
.NOTPARALLEL:

venv: $(DEV_STAMP)

$(PYTHON):
	sh .ci/make-venv "$(PYTHON3)" "$(VENV)"

# What a user gets: the package and its requirements.
$(USER_STAMP): setup.cfg setup.py | $(PYTHON)
	$(PYTHON) -m pip install --quiet --editable .
	touch $@

# What a developer gets: the tools and the foreign peers of the tests too.
$(DEV_STAMP): setup.cfg setup.py | $(PYTHON)
	$(PYTHON) -m pip install --quiet --upgrade --editable '.[dev]'
	touch $(USER_STAMP) $@

demo: $(USER_STAMP)
	$(PYTHON) samples/demo/main.py

format: $(DEV_STAMP)
	$(PYTHON) -m ruff format --check --quiet $(PRESENT)

reformat: $(DEV_STAMP)
	$(PYTHON) -m ruff check --fix --quiet $(PRESENT)
	$(PYTHON) -m ruff format $(PRESENT)

lint: $(DEV_STAMP)
	$(PYTHON) -m ruff check $(PRESENT)

types: $(DEV_STAMP)
	$(PYTHON) -m mypy

test: $(DEV_STAMP)
	$(PYTHON) -m pytest $(ARGS)

coverage: $(DEV_STAMP)
	$(PYTHON) -m coverage erase
	$(PYTHON) -m coverage run -m pytest $(ARGS)
	$(PYTHON) -m coverage combine --quiet
	$(PYTHON) -m coverage html --quiet
	$(PYTHON) -m coverage report

flapping: $(DEV_STAMP)
	sh .ci/flapping "$(PYTHON)" $(RUNS) $(ARGS)
	$(PYTHON) -m tests.chargepoint.flapping

schemas: $(DEV_STAMP)
	$(PYTHON) -m openocpp.messages.schema schemas

docs: $(DEV_STAMP)
	$(PYTHON) docs/build.py

dist: $(DEV_STAMP)
	rm -rf dist build
	$(PYTHON) -m build --no-isolation --outdir dist .

clean:
	rm -rf build dist docs/_build htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf openocpp.egg-info $(VENV)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
