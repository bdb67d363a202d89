# Every target works on a machine with git, make and Python >= 3.11 with venv; what is missing is set up first.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv --quiet
CODE := src tests tools bench faults docs/conf.py

##@ First minutes
help: ## This list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Start PostgreSQL, sandbox, hub and worker with a seeded world; Ctrl-C stops all (ARGS="--port 8180 …")
	@$(BIN)/evergrant demo $(ARGS)

tour: $(VENV)/.run ## One authorization's whole life against the sandbox, in a minute
	@$(BIN)/evergrant tour

setup: $(VENV)/.dev ## Install everything into .venv

##@ Working on it
check: $(VENV)/.dev ## Format, lint, types, architecture
	@$(BIN)/python tools/check.py

fix: $(VENV)/.dev ## Format and fix what can be fixed
	@$(BIN)/ruff format --quiet $(CODE)
	@$(BIN)/ruff check --quiet --fix $(CODE)

test: $(VENV)/.dev $(VENV)/.browser $(VENV)/.clients ## All tests, real browser included; records the requirements they prove
	@$(BIN)/pytest -p tools.shares --record --numprocesses 3 --no-loadscope-reorder

fast: $(VENV)/.dev ## The tests that need neither browser nor processes of their own
	@$(BIN)/pytest -m "not browser and not processes"

faults: $(VENV)/.faults ## Programs killed, frozen and cut off on purpose; 0 violations or exit 1 (FULL=1, ARGS="--only TF-03")
	@$(BIN)/python -m faults $(ARGS)

bench: $(VENV)/.dev ## Figures as ratios against the bare limit, as a table and as JSON
	@$(BIN)/python -m bench

requirements: $(VENV)/.dev ## One line per requirement from the record of the last `make test`
	@$(BIN)/python -m tools.requirements

docs: $(VENV)/.dev ## Build the site into docs/_build
	@$(BIN)/sphinx-build --quiet -n -W -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

hooks: $(VENV)/.dev ## Install the pre-commit hooks
	@$(BIN)/pre-commit install

lock: $(VENV)/.uv ## Write the lock files anew from requirements*.in
	@for name in requirements requirements-dev requirements-faults requirements-setup requirements-node; do \
		echo "locking $$name"; \
		$(UV) pip compile --generate-hashes --universal --python-version 3.11 --no-header $$name.in -o $$name.lock || exit 1; \
	done

clean: ## Remove what set-up and tests made
	rm -rf $(VENV) node_modules build/clients .evergrant .mypy_cache .ruff_cache .pytest_cache .import_linter_cache docs/_build

# What set-up makes. Each stamp is newer than what it was made from.
$(VENV)/.uv: requirements-setup.lock
	@echo "Setting up: a virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Evergrant needs Python 3.11 or newer (here: $$($(PYTHON) --version)). Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing. On Debian: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.lock
	@touch $@

$(VENV)/.run: $(VENV)/.uv requirements.lock pyproject.toml package.json package-lock.json tools/assets.py
	@echo "Setting up: Python packages"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --no-build-isolation --no-deps --editable .
	@echo "Setting up: front-end assets"
	@$(BIN)/python tools/assets.py
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "Setting up: tools to check, test and document"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.clients: $(VENV)/.dev tools/clients.py tests/clients/package-lock.json
	@echo "Setting up: published clients the sandbox is tried with"
	@$(BIN)/python -m tools.clients
	@touch $@

$(VENV)/.browser: $(VENV)/.uv tools/browser.sh
	@sh tools/browser.sh
	@touch $@

$(VENV)/.faults: $(VENV)/.dev requirements-faults.lock tools/faults.sh
	@sh tools/faults.sh $(VENV)
	@touch $@

.PHONY: help demo tour setup check fix test fast faults bench requirements docs hooks lock clean
