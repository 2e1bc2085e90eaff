# Shortcuts to devenv; `python3 -m devenv --help` tells all settings.
PYTHON ?= python3
T ?=
B ?=
ARGS ?=
export T B ARGS

.PHONY: help setup demo up down test test-counts lint format bench shell clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

setup: ## system packages, Odoo 19, virtual environment, PostgreSQL
	@$(PYTHON) -m devenv setup

test: ## all tests, or T=module, T=path, T=path::node; ARGS= goes to pytest
	@$(PYTHON) -m devenv test "$$T" --arguments="$$ARGS"

test-counts: ## all tests, and raise tests/expected_counts.json to what ran
	@$(PYTHON) -m devenv test --record

demo: ## the demo in the foreground: http://127.0.0.1:8069, SG_HTTP_PORT changes it
	@$(PYTHON) -m devenv demo

up: ## the demo in the background
	@$(PYTHON) -m devenv up

down: ## stop the demo in the background
	@$(PYTHON) -m devenv down

lint: ## all linters and format checks
	@$(PYTHON) -m devenv lint

format: ## let the formatters rewrite what they can
	@$(PYTHON) -m devenv format

bench: ## one script of benchmarks/: B=name ARGS="..."
	@$(PYTHON) -m devenv bench "$$B" --arguments="$$ARGS"

shell: ## odoo shell on the demo database
	@$(PYTHON) -m devenv shell

clean: ## delete all that devenv made
	@$(PYTHON) -m devenv clean
