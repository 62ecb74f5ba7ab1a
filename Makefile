# What each target does: make help. Everything it installs goes into $(VENV); nothing else on the machine changes.
#   make test VENV=/tmp/other     another virtual environment
#   make start PYTHON=python3.13  another Python (3.11 or newer)

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV ?= .venv
PORT ?= 4566
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := $(VENV)/bin

# A stamp inside the virtual environment says which lock file it was made from.
LEARNER := $(VENV)/.ready-learner
TEST := $(VENV)/.ready-test
# The AWS CLI and the SAM CLI pin other versions of what the kit uses.
CLIENTS := $(VENV)/share/clients

.PHONY: help start test mutants policy second attacks demo notebooks bench soak train lint lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(LEARNER) ## set up, and no more

start: $(LEARNER) ## set up, start the local cloud and JupyterLab, open the first notebook
	@exec $(BIN)/lab start --port $(PORT)

demo: $(LEARNER) ## a photograph in, a thumbnail out: the whole path without a browser
	@$(BIN)/lab demo

test: $(TEST) $(CLIENTS)/.ready ## set up, then run every test and every notebook
	$(BIN)/python -m pytest -n 2 --dist loadscope tests
	$(BIN)/python -m pytest -n 2 --dist loadscope --nbval --nbval-current-env --nbval-cell-timeout=60 \
		--nbval-sanitize-with notebooks/sanitize.cfg notebooks

mutants: $(TEST) ## grade every wrong and right submission, then every small change of the solutions (KEYS="09 11" for some)
	$(BIN)/lab author check $(KEYS)
	$(BIN)/python tests/mutation.py $(KEYS)

policy: $(TEST) ## record what stages and notebooks ask of the cloud, write the learner's policies for AWS, and try them (KEYS="09 11")
	$(BIN)/python tests/stage_needs.py $(KEYS)

second: $(TEST) ## run everything against a second, independent cloud, and say what passes there (WHAT="demo 09" anew)
	PYTHONPATH=. $(BIN)/python tests/second_cloud.py $(WHAT)

attacks: $(TEST) ## grade every hostile submission in tests/ among honest ones and print what came of it
	$(BIN)/python tests/attacks.py

notebooks: $(TEST) ## run every notebook from top to bottom and keep its outputs
	$(BIN)/python -m labkit.notebooks notebooks/*.ipynb

bench: $(TEST) ## measure speed beside another local AWS, and the local language model
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.retrieval
	$(BIN)/python -m benchmarks.language_model

soak: $(TEST) ## ten minutes of mixed load (MINUTES=3 for less): does the local cloud stay as it was?
	$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),10)

# A run that was stopped goes on where it was. PyTorch and the checkpoint lie in build/.
TRAINING := build/training/bin/python
train: ## train the image model anew, for an hour or two of one processor (STEPS=38000 for longer)
	@test -x $(TRAINING) || { "$(PYTHON)" -m venv build/training && \
		$(TRAINING) -m pip install --disable-pip-version-check -r training/requirements.txt; }
	PYTHONPATH=src:. $(TRAINING) -m training.train $(if $(STEPS),--steps $(STEPS))
	PYTHONPATH=src:. $(TRAINING) -m training.export

lint: $(TEST) ## check format, style and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cfn-lint cloudformation/*.yaml solutions/*/template.yaml

# Needs uv. The lock files hold versions and hashes, and no address to download from. Left out: a checker of
# international web addresses, optional to jsonschema, that takes 4 s to load whenever JupyterLab starts.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' --extra build --extra model \
	--no-emit-package rfc3987-syntax --no-emit-package lark
lock: ## pin the dependencies of pyproject.toml anew
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --extra test -c requirements.lock pyproject.toml -o requirements-test.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --custom-compile-command 'make lock' --group clients -o tests/clients.lock

clean: ## remove the virtual environment and everything that was made in this folder
	rm -rf .venv .lab build dist .pytest_cache .ruff_cache src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

$(LEARNER): requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

# The test lock holds the learner's packages too.
$(TEST): requirements-test.lock requirements.lock pyproject.toml
	$(call install,requirements-test.lock)
	@touch $@ $(LEARNER)

$(CLIENTS)/.ready: tests/clients.lock $(TEST)
	@echo 'Setting up the AWS CLI and the SAM CLI in $(CLIENTS), for the tests.'
	@$(BIN)/python -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r tests/clients.lock
	@touch $@

# pip names each package as it comes to it; the counter tells how far it is.
define install
@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo 'This kit needs Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python3.13' >&2; exit 1; }
@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	echo 'This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv' >&2; exit 1; }
@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
@echo 'Setting up $(VENV): about 800 MB, one to two minutes. This happens once.'
@set -o pipefail; $(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes --progress-bar off -r $(1) \
	| awk -v total="$$(grep -c '^[a-zA-Z]' $(1))" ' \
		/^(Collecting|Processing)/ {n++; sub(/.*\//, "", $$2); printf "\r  [%3d/%d] %-45.45s", n, total, $$2; fflush()} \
		/^Installing/ {printf "\r  [%3d/%d] %-45s", n, total, "unpacking them all"; fflush()} \
		END {printf "\r%-60s\r", ""}'
@case "$$(uname -s)" in Darwin) $(MAKE) --no-print-directory -s runtime-client LOCK=$(1);; esac
@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
@echo 'Ready.'
endef

# AWS builds its runtime client for Linux only. On macOS its Python part is laid where localcloud finds it, which
# has a stand-in for the rest.
.PHONY: runtime-client
runtime-client:
	@sed -n '/^awslambdaric==/,/[^\\]$$/p' $(LOCK) | sed 's/ ;[^\\]*/ /' > $(VENV)/awslambdaric.lock
	@rm -rf $(VENV)/share/localcloud/awslambdaric
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes \
		--only-binary=:all: --platform manylinux2014_x86_64 \
		--target $(VENV)/share/localcloud/awslambdaric -r $(VENV)/awslambdaric.lock
