# The course's commands. Every target sets up what it needs; `make help` lists them.
SHELL := /bin/bash
# A command starts many processes; where bytecode is not kept, each compiles the package again.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ASSIGNMENT ?=
STUDENT ?=
DEVICE ?= auto
ENGINE ?= local
SCHEDULER ?=
SHARD ?=
JOBS ?=
ONLY ?=
SIZES ?=
TORCH ?=
WORKERS ?= auto
TESTS ?=
SEED := $(or $(SEED),$(shell date +%s))
PEERS ?=
PUBLISH ?=
AUTOGRADER := $(BIN)/autograder
TORCH_INDEX := $(if $(filter cpu,$(TORCH)),--extra-index-url https://download.pytorch.org/whl/cpu)

.DEFAULT_GOAL := help
.PHONY: help setup grade compile audit prove redteam test test-gpu gpu-wheels test-cluster bench \
  lint format docs dist doctor clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Setting up $(VENV), once: some minutes, mostly for PyTorch; pip says what it does."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]' \
	  $(TORCH_INDEX)
	@touch $@

setup: $(VENV)/.ready ## make the environment in .venv; TORCH=cpu for PyTorch without CUDA

grade: $(VENV)/.ready ## compile, grade the class, write gradebook, feedback and report
	@$(AUTOGRADER) compile $(ASSIGNMENT)
	@$(AUTOGRADER) grade $(ASSIGNMENT) $(if $(STUDENT),--student $(STUDENT)) --device $(DEVICE) --engine $(ENGINE) \
	  $(if $(SCHEDULER),--scheduler $(SCHEDULER)) $(if $(JOBS),--jobs $(JOBS)) $(if $(SHARD),--shard $(SHARD)) || \
	  { code=$$?; echo "autograder ended with $$code: docs/operators.md says what that means"; \
	  test $$code -eq 1 && test -z "$(STRICT)"; }

compile: $(VENV)/.ready ## write release/ and build/ of each assignment, if its audit passes
	@$(AUTOGRADER) compile $(ASSIGNMENT)

audit: $(VENV)/.ready ## prove the grading again and print what was tried
	@$(AUTOGRADER) audit $(ASSIGNMENT)

prove: $(VENV)/.ready ## prove everything again, and say where a stored proof does not hold
	@$(AUTOGRADER) audit --all $(ASSIGNMENT)

redteam: $(VENV)/.ready ## try every known attack against an assignment
	@$(AUTOGRADER) compile $(ASSIGNMENT)
	@$(AUTOGRADER) redteam $(ASSIGNMENT) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(JOBS),--jobs $(JOBS))

test: $(VENV)/.ready ## run the tests in an order drawn from SEED, on WORKERS processes
	@echo "Tests in the order of SEED=$(SEED), on WORKERS=$(WORKERS)"
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -p randomly --randomly-seed=$(SEED) $(TESTS)

test-gpu: ## run the tests that need a GPU, by PYTHON's PyTorch; writes build/gpu.json
	@$(PYTHON) tests/gpu/run.py

gpu-wheels: ## download what test-gpu needs into build/wheels, to be carried along
	@$(PYTHON) tests/gpu/run.py --download

test-cluster: $(VENV)/.ready ## kill what a cluster consists of while 2,000 submissions are graded
	@$(BIN)/python -m tests.engines.cluster_kills --seed $(SEED)

bench: $(VENV)/.ready ## what grading costs, beside nbgrader and Otter
	@$(AUTOGRADER) bench $(if $(SIZES),--sizes $(SIZES)) $(if $(JOBS),--jobs $(JOBS)) \
	  $(if $(filter no,$(PEERS)),--no-peers,--install-peers) $(if $(PUBLISH),--publish)

lint: $(VENV)/.ready ## ruff and the type checker
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.ready ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

$(VENV)/.docs: $(VENV)/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

docs: $(VENV)/.docs ## build the docs site in build/docs; a broken link or a page left out fails
	@$(BIN)/sphinx-build -E -W --keep-going -q -c docs/site . build/docs
	@echo "wrote build/docs/index.html"

dist: ## build the packages in dist/, try the wheel in a clean environment; takes TORCH too
	@PYTHON=$(PYTHON) .ci/dist $(TORCH_INDEX)

doctor: $(VENV)/.ready ## say what this machine can do
	@$(AUTOGRADER) doctor

clean: ## remove what compile and grade wrote, and the environment
	rm -rf build release results autograded feedback report gradebook.db dist $(VENV)
