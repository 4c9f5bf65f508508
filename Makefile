# Every command of the project. `make help` lists them with the variables that each one reads.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
LOCK ?= requirements/serve.txt
TORCH ?= torch==2.13.0
TORCH_INDEX ?=

PORT ?= 3000
BUNDLE ?= models/default
COHORT ?= cohorts/phantom
PRESET ?= quick
OUT ?= models/$(PRESET)
RUN ?= runs/$(notdir $(OUT))
ROUNDS ?= 1000
SEED ?= 0

VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' lesion/__init__.py)
IMAGE ?= hepatica:$(VERSION)
ENGINE ?= $(shell for engine in docker podman buildah; do \
	$$engine info >/dev/null 2>&1 && echo $$engine && break; done)

# Nobody is told that something was started here, nor how it is used.
export BENTOML_DO_NOT_TRACK := True
export ORT_DISABLE_TELEMETRY := 1

# Debian keeps Orthanc and ip, which tests and benchmarks start, where only root's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: help
help: ## List the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: serve
serve: $(VENV)/.serve ## Serve a bundle on 127.0.0.1 [PORT=3000] [BUNDLE=models/default]
	@echo "Hepatica: http://127.0.0.1:$(PORT)/docs serves $(BUNDLE). Research use only. Stop: Ctrl-C."
	@HEPATICA_BUNDLE=$(BUNDLE) exec $(VENV)/bin/python -m service --host 127.0.0.1 --port $(PORT)

# Some tests run make, which is not to get these ARGS.
.PHONY: test
test: $(VENV)/.dev ## Run the tests [ARGS="-k outline"] [TORCH_INDEX=URL that has torch without CUDA]
	env -u ARGS -u MAKEFLAGS $(VENV)/bin/pytest $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Fuzz the readers of files and both doors [ROUNDS=1000] [SEED=0]
	FUZZ_ROUNDS=$(ROUNDS) FUZZ_SEED=$(SEED) $(VENV)/bin/pytest --timeout 3600 tests/fuzz

.PHONY: check
check: $(VENV)/.dev ## Lint, check the format, the types and the walls between the packages
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: format
format: $(VENV)/.dev ## Format the code and mend what can be mended by itself
	$(VENV)/bin/ruff check --fix-only
	$(VENV)/bin/ruff format

# glibc hands the memory of every training step back to the kernel and asks for it anew, 20,000 page
# faults a step; told to keep it, a step takes a tenth less processor time.
train-export: export MALLOC_MMAP_MAX_ := 0
train-export: export MALLOC_TRIM_THRESHOLD_ := 4000000000
train-export: export MALLOC_TOP_PAD_ := 268435456
.PHONY: train-export
train-export: $(VENV)/.dev $(COHORT) ## Train a bundle [COHORT=DIR] [PRESET=quick] [OUT=models/quick] [ARGS=--resume]
	$(VENV)/bin/python -m training train-export \
		--cohort $(COHORT) --preset $(PRESET) --run $(RUN) --out $(OUT) $(ARGS)

# It has its name once it is whole; drawing goes on where it was interrupted.
cohorts/phantom: | $(VENV)/.dev
	$(VENV)/bin/python -m training phantom --out $@.part --seed 1
	mv $@.part $@

# Without a cohort it draws the phantom in memory.
reproduce: COHORT :=
reproduce: RUN := runs/reproduce-$(PRESET)
.PHONY: reproduce
reproduce: $(VENV)/.dev ## Reproduce the paper [COHORT=DIR] [PRESET=smoke|quick|cohorts|paper] [RUN=DIR] [ARGS="--seed 2"]
	$(VENV)/bin/python -m training reproduce \
		$(if $(COHORT),--cohort $(COHORT)) --preset $(PRESET) --run $(RUN) $(ARGS)

.PHONY: bench
bench: $(VENV)/.dev ## Measure the service against the bare functions
	$(VENV)/bin/python -m benchmarks $(ARGS)

.PHONY: bento
bento: $(VENV)/.serve $(VENV)/bin/uv ## Build the bento in build/bentoml
	rm -rf build/bentoml
	BENTOML_HOME=$(CURDIR)/build/bentoml $(VENV)/bin/bentoml build --output tag --version $(VERSION)
	@echo "Serve it: $(VENV)/bin/bentoml serve build/bentoml/bentos/hepatica/$(VERSION) --host 127.0.0.1"

.PHONY: image
image: ## Build the container image [IMAGE=hepatica:VERSION] [ENGINE=docker|podman|buildah] [ARGS=...]
	@[[ -n "$(ENGINE)" ]] || { echo "found no docker, podman or buildah that runs" >&2; exit 1; }
	$(ENGINE) build $(if $(findstring docker,$(ENGINE)),,--format docker) --tag $(IMAGE) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) $(ARGS) .

.PHONY: lock
lock: $(VENV)/bin/uv ## Lock the run-time dependencies anew, as few changed as can be [ARGS=--upgrade]
	$(COMPILE) --extra cpu --output-file requirements/serve.txt
	$(COMPILE) --extra gpu --output-file requirements/serve-gpu.txt --constraint requirements/serve.txt

# One version of each package for every Python, and the same ones beside a GPU.
COMPILE = $(VENV)/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --custom-compile-command "make lock" $(ARGS)

.PHONY: clean
clean: ## Remove what was built, the environment and the caches; cohorts, runs and models stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find lesion training service tests benchmarks scripts -name __pycache__ -type d -exec rm -rf {} +

# The environment grows in steps; each leaves a stamp, so that nothing is installed twice. pip says
# what it fetches, for the first start takes a minute or two; PIP_QUIET=1 silences it.
PIP_INSTALL = $(VENV)/bin/pip install --disable-pip-version-check
EXTRA_INDEX = $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null || { \
		echo "Found $$($(PYTHON) --version 2>&1), expected Python 3.11 or 3.12." \
			"Name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.serve: $(LOCK) $(VENV)/.python
	$(PIP_INSTALL) --require-hashes --only-binary :all: --requirement $(LOCK)
	touch $@

# `bentoml build` asks for it, though it does not run it, and would fetch it by itself.
$(VENV)/bin/uv: | $(VENV)/.python
	$(PIP_INSTALL) uv

# torch alone and first: whatever else wants torch must find it there. PyPI's build brings 6 GB of
# CUDA along. Beside no GPU, the build for the processor is tried before it: an index (TORCH_INDEX, or
# pip's own configuration) or a local folder may offer it.
$(VENV)/.torch: $(VENV)/.serve
	@if ! command -v nvidia-smi >/dev/null && \
		$(PIP_INSTALL) $(EXTRA_INDEX) '$(TORCH)+cpu' 2>$(VENV)/torch.log; then \
		echo "torch: the build without CUDA"; \
	else \
		command -v nvidia-smi >/dev/null || echo "torch: found no GPU, and no index with a build" \
			"without CUDA; PyPI's takes 6 GB. make TORCH_INDEX=URL names an index."; \
		$(PIP_INSTALL) $(EXTRA_INDEX) '$(TORCH)'; \
	fi
	touch $@

# The lock without its hashes bounds the rest: a test runs on what is served.
$(VENV)/.dev: pyproject.toml $(VENV)/.torch
	sed -n 's/^\([a-z].*==[^\]*\).*/\1/p' $(LOCK) > $(VENV)/constraints.txt
	$(PIP_INSTALL) --constraint $(VENV)/constraints.txt --editable '.[cpu,train,ray,dev]'
	touch $@
