# Each target does its own set-up: a virtual environment in .venv with the pinned packages.
PYTHON ?= python3
VENV := .venv
# see videmo/__init__.py
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 2000
INSTALLED := $(VENV)/.installed

.PHONY: help demo app docs test coverage clean

help:  ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(INSTALLED): pyproject.toml setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt torch
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

# glibc keeps freed memory instead of asking the kernel for it again at every step: 10 to 20% of a step on a CPU.
demo test coverage: export MALLOC_TRIM_THRESHOLD_ := 8000000000
demo test coverage: export MALLOC_MMAP_MAX_ := 0
demo: $(INSTALLED)  ## draw faces, train a tiny model on them, print its scores (13 to 25 minutes on 2 cores)
	$(VENV)/bin/videmo demo --out runs/demo

app: $(INSTALLED)  ## a page that reasons about clips with the demo's model: drop one, ask, see the tree grow
	@test -e runs/demo/grpo || { echo "there is no model in runs/demo/grpo yet: \`make demo\` trains one"; exit 1; }
	$(VENV)/bin/videmo app --ckpt runs/demo/grpo

docs: $(INSTALLED)  ## the documentation as a site, in docs/_build/html; a link that leads nowhere is an error
	$(VENV)/bin/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build/html

# Two workers, whatever the cores: each has fixtures of its own. One that runs out of tests takes half of the other's
# last ones, in their order, so that a file's fixtures are made twice only where it was cut.
test: $(INSTALLED)  ## lint, check types and run the tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyrefly check
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal

coverage: $(INSTALLED)  ## run the tests, and show which lines of which modules none of them reaches
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal --timeout 900 --cov --cov-report=term-missing:skip-covered

clean:  ## remove the virtual environment, the site and what the demo made
	rm -rf $(VENV) runs/demo docs/_build
