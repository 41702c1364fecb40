PYTHON ?= python3
CORES ?= 2
VENV := .venv
STAMP := $(VENV)/.installed
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Also holds inside the build environments of packages that come as source.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.PHONY: help install demo test format lock bench clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(STAMP)  ## Install everything into .venv

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## Run the demo suite from data to page
	snakemake --cores $(CORES) --workflow-profile workflow/profiles/default --configfile configs/suites/demo.yaml
	@python -m mmseg_ext summary demo

test: $(STAMP)  ## Lint, type-check and test
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	mypy
	OMP_NUM_THREADS=1 python -m pytest --numprocesses $(CORES) --dist loadfile

format: $(STAMP)  ## Bring code and generated files into form
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow
	python -m mmseg_ext schemas
	python -m mmseg_ext docs

lock:  ## Write constraints.txt anew from the newest releases (torch stays pinned)
	rm -rf .lock && $(PYTHON) -m venv .lock
	grep '^torch==' constraints.txt > .lock/torch.txt
	PIP_CONSTRAINT=$(CURDIR)/.lock/torch.txt .lock/bin/pip install --quiet '.[dev,bench]'
	{ grep '^#' constraints.txt; .lock/bin/pip freeze | grep -v '^mmseg-ext' | sed 's/+cpu//' | sort -f; } > .lock/new.txt
	mv .lock/new.txt constraints.txt && rm -rf .lock

bench: $(STAMP)  ## Time the measures beside their peers, and training beside a bare loop
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	python -m benchmarks.measures
	python -m benchmarks.training

clean: $(STAMP)  ## Free the disk space of checkpoints of finished runs
	python -m mmseg_ext clean
