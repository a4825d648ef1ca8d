# Every target sets itself up in .venv: Python 3.11 to 3.14 and make are all it needs.
VENV ?= .venv
PYTHON ?=
BIN := $(abspath $(VENV))/bin
CODE := core plugins adapters proofs scripts benchmarks
export VENV PYTHON

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@sed -n 's/^\([a-z%-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

.PHONY: demo
demo: run-setup ## Ask Citewell's own documentation four questions
	@PATH="$(BIN):$$PATH" scripts/demo

.PHONY: test
test: test-setup ## Run the tests; what this machine cannot run is skipped and counted
	@"$(BIN)/python" -m pytest $(if $(ARGS),$(ARGS),-n 2 --dist loadfile --no-loadscope-reorder)

.PHONY: coverage
coverage: test-setup ## Run the tests and tell which lines and branches of the core they reach
	@"$(BIN)/python" -m pytest --cov --cov-report=term:skip-covered $(ARGS)

.PHONY: lint
lint: dev-setup ## Check style, format and which package imports which
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/lint-imports"

.PHONY: types
types: dev-setup ## Check the types
	@"$(BIN)/mypy" $(CODE)
	@"$(BIN)/pyright" --pythonpath "$(BIN)/python"

.PHONY: check
check: lint types test ## Everything a change must pass

.PHONY: docs
docs: test-setup ## Write the generated parts of the documentation
	@"$(BIN)/python" -m scripts.generate_docs

.PHONY: site
site: test-setup ## Build the documentation as a site in site/
	@NO_MKDOCS_2_WARNING=1 "$(BIN)/python" -m mkdocs build --strict

proof-%: test-setup ## Run the proof NAME at full size: make proof-places
	@"$(BIN)/python" -m proofs $*

.PHONY: bench
bench: test-setup ## Measure speed beside other libraries
	@"$(BIN)/python" -m benchmarks

.PHONY: lock
lock: ## Choose the newest packages again and write requirements/
	@scripts/lock

.PHONY: clean
clean: ## Remove .venv and everything that was built
	rm -rf "$(VENV)" build dist site htmlcov mutants .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find core plugins adapters proofs benchmarks scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: run-setup test-setup dev-setup
run-setup test-setup dev-setup: %-setup:
	@scripts/setup $*
