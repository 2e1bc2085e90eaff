# Shortcuts to devenv; `python3 -m devenv --help` tells all settings.
PYTHON ?= python3
T ?=
ARGS ?=

.PHONY: help setup demo up down test test-counts lint bench shell clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

setup: ## system packages, Odoo 19, virtual environment, PostgreSQL
	@$(PYTHON) -m devenv setup

test: ## all tests, or T=module, T=path, T=path::node; ARGS= goes to pytest
	@$(PYTHON) -m devenv test "$(T)" --arguments="$(ARGS)"

test-counts: ## all tests, and raise tests/expected_counts.json to what ran
	@$(PYTHON) -m devenv test --record
