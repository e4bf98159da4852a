# Everything is installed into this checkout: .venv (the project and its tools) and .venv-cloud
# (the local cloud, whose botocore conflicts with aws-sam-cli's).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --jobs=2

# The first interpreter that runs and is supported; `make setup PYTHON=…` chooses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null \
	&& { echo $$python; break; }; done)

# `sam build` looks for pythonX.Y on PATH: the one of .venv, which is the one that runs the bundle here.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
# Tests start Python some two hundred times: what it compiled once, it need not compile again.
unexport PYTHONDONTWRITEBYTECODE

# Not compiled when installed: most of it is never imported.
INSTALL := -m pip --disable-pip-version-check --quiet --quiet install --no-compile

.PHONY: help
help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.PHONY: setup
setup: .venv/.made .venv-cloud/.made ## Install everything into the checkout (nothing, when nothing changed)

.venv/bin/python:
	@$(if $(PYTHON),,echo "Python 3.11, 3.12, 3.13 or 3.14 is needed, and none is on PATH." >&2; exit 1)
	@$(PYTHON) -m venv .venv

.venv/.made: pyproject.toml src/requirements.in src/requirements.txt src/checks.in src/checks.txt ops/requirements.txt | .venv/bin/python
	@echo "Installing Ringhook and its tools into .venv (a minute or two)"
	@.venv/bin/python $(INSTALL) --requirement src/requirements.txt --requirement src/checks.txt
	@.venv/bin/python $(INSTALL) --editable '.[dev]'
	@touch $@

# The functions run on this one's Python, and are built for the other's: it must be the same.
.venv-cloud/.made: ops/cloud-requirements.txt | .venv/bin/python
	@echo "Installing the local cloud into .venv-cloud"
	@[ -x .venv-cloud/bin/python ] || .venv/bin/python -m venv .venv-cloud
	@.venv-cloud/bin/python $(INSTALL) --requirement ops/cloud-requirements.txt
	@touch $@

.PHONY: run
run: setup ## The whole of Ringhook on this machine, with sample webhooks, until Ctrl-C
	@exec .venv/bin/ringhook up

.PHONY: test
test: style types template ## Format, lint, types, template, and every test, with coverage
	pytest --cov --numprocesses auto

.PHONY: style
style: setup
	ruff format --check .
	ruff check .

.PHONY: types
types: setup
	mypy

.PHONY: template
template: setup
	sam validate --lint
	cfn-lint template.yaml

# So many histories from this seed on; one seed alone is told whole by `python -m tests.simulation SEED`.
COUNT ?= 2000
FIRST ?= 1000

.PHONY: simulate
simulate: setup ## Histories of everything going wrong at once, checked from outside (COUNT=2000 FIRST=1000)
	python -m tests.simulation $(FIRST) $(COUNT)

.PHONY: mutate
mutate: setup ## Break one thing at a time: does a test fail? (CHANGES="NAME NAME" makes these alone)
	python -m tests.mutation $(CHANGES)

.PHONY: bench
bench: setup ## What Ringhook costs on this machine, measured into bench/RESULTS.md
	python -m bench

# Processor, Python and routes are the template's and src/routes.toml; see docs/building.md.
.PHONY: build
build: setup ## What `sam deploy` uploads, in .aws-sam/build, with its bill of materials
	sam build
	python -m ringhook_ops.deployed.manifest .aws-sam/build

.PHONY: lock
lock: setup ## Pin what src/requirements.in and src/checks.in ask for, and all that it needs, with hashes
	for name in requirements checks; do \
		uv pip compile --quiet --universal --python-version 3.11 --no-annotate --generate-hashes \
			--only-binary :all: --emit-build-options --custom-compile-command "make lock" \
			--output-file src/$$name.txt src/$$name.in; done

.PHONY: clean
clean: ## Remove everything that the other commands made
	rm -rf .venv .venv-cloud .aws-sam .ringhook .bench .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage
	find src ops tests -name __pycache__ -prune -exec rm -rf {} +
	find . -maxdepth 2 -name '*.egg-info' -prune -exec rm -rf {} +
