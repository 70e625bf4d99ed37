# Set-up and daily work. Needs Python 3.11+ with venv; everything else goes into .venv.
# Another Python: make install PYTHON=python3.12 (after `make clean`). A package mirror: set PIP_INDEX_URL
# and UV_DEFAULT_INDEX to it.

PYTHON ?= python3
# Most tests wait for servers and workers that they start: four at a time keep two cores busy.
PYTEST_ARGS ?= -n 4 --dist=worksteal
CHECKS := 'ruff format --check .' 'ruff check .' mypy lint-imports 'hadolint docker/Dockerfile' \
    'check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml' \
    'check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml' \
    'kubernetes-validate --strict --quiet docker/k8s/base/[!k]*.yaml'

VENV := .venv
BIN := $(VENV)/bin
# Written last, so a half-made .venv has none. It names its folder: scripts in a moved .venv do not start.
STAMP := $(VENV)/.installed

# The tests start some thousand processes: where the user has Python keep no bytecode, each compiled all of sweeper anew.
export PYTHONDONTWRITEBYTECODE :=

# uv trusts its own list of authorities; a company's own one is in the system's.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= 1
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:  # also under `make -j`: the tools use every core by themselves
.PHONY: help install demo test test-long test-browser test-failures test-cookbook test-model chaos test-sdks test-clusters test-slurm test-frameworks test-ray test-containers test-wheel test-pythons mutants dist check format bench fuzz audit screenshots clean

# Not ready (half made, moved, or its Python is gone): $(STAMP) counts as missing and .venv is made anew.
READY := test "$$(cat $(STAMP) 2>&1)" = "$$(pwd -P)" && $(BIN)/python -c 'import uv' 2>/dev/null
ifneq ($(shell $(READY) && echo yes),yes)
.PHONY: $(STAMP)
endif

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*##/  make \1\t/p' Makefile

install: $(STAMP)  ## make .venv with everything in it (about 6 GB: PyTorch brings CUDA)

demo: $(STAMP)  ## run a real sweep of six runs on handwritten digits
	$(BIN)/sweeper create --backend local sweeps/quickstart.yaml
	$(BIN)/sweeper launch --backend local --count 6
	$(BIN)/sweeper status --backend local
	@echo
	@echo 'The server goes on in the background, so `$(BIN)/sweeper status` works from here on.'
	@echo 'Stop it with `$(BIN)/sweeper server stop`; the next command that needs it starts it again.'

test: $(STAMP)  ## run the tests, but those below (make test PYTEST_ARGS='-k grid' runs some)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-long: $(STAMP)  ## run the journeys from end to end that take a quarter of a minute or more each
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m 'long and not chaos' tests/e2e

test-failures: $(STAMP)  ## run trainers that fail, and files and commands that are wrong, from end to end (minutes)
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m failures tests/e2e

test-cookbook: $(STAMP)  ## do every task of docs/cookbook.md and docs/trainers.md as they say
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m cookbook tests/e2e

# they wait more than they compute: four at a time
CLUSTER_TESTS ?= tests/slurm tests/e2e
test-clusters: $(STAMP)  ## let machines join a sweep, move and kill the server under runs that log, and launch on a real Slurm
	$(BIN)/python -m pytest $(PYTEST_ARGS) -n 4 -m 'slurm or away' $(CLUSTER_TESTS)

test-slurm: $(STAMP)  ## of these, what launches on a real Slurm that is started on this machine (Debian: slurm-wlm, munge; as root), else skipped
	$(BIN)/python -m pytest $(PYTEST_ARGS) -n 4 -m slurm tests/slurm

# all of it in four minutes; CHAOS_ROUNDS=200 plays so many rounds and nothing else, from CHAOS_SEED on, which a failed one names
test-model: $(STAMP)  ## hold ten thousand random steps of the server's rules against a model (docs/guarantees.md)
	$(BIN)/python -m pytest $(PYTEST_ARGS) -n 2 -m model tests/model

chaos: $(STAMP)  ## faults one at a time, then rounds of random ones with an auditor (CHAOS_ROUNDS=N for hours, CHAOS_SEED=S)
	@test -n "$(CHAOS_ROUNDS)" || $(BIN)/python -m pytest $(PYTEST_ARGS) -m chaos tests/e2e
	CHAOS_ROUNDS="$(CHAOS_ROUNDS)" CHAOS_SEED="$(CHAOS_SEED)" $(BIN)/python -m pytest -n 0 -m rounds tests/chaos

# In one round each fills the waits of the others, and there is one last test to be waited for instead of six.
SLICES ?= long or failures or cookbook or chaos or model or away or slurm or (sdks and scenario)
SLICE_TESTS ?= tests/sdks tests/slurm tests/model tests/e2e
test-slices: $(STAMP)  ## run long, failures, cookbook, chaos, model, clusters and sdks side by side, as .ci/run does
	SDKS="$(SDKS)" $(BIN)/python -m pytest $(PYTEST_ARGS) -m '$(SLICES)' $(SLICE_TESTS)

# a browser and a server of its own for each of two; make test-browser BROWSER_ARGS='-n 0 -k netron' runs some
BROWSER_ARGS ?= -n 2 --dist=worksteal
# BROWSER_WORLD=/tmp/world keeps the server that is looked at, which takes a minute to fill, for the next time
test-browser: $(STAMP)  ## open the server's pages in a real Chromium, where one is here (Debian: chromium), at a real server
	BROWSER_WORLD="$(BROWSER_WORLD)" $(BIN)/python -m pytest $(BROWSER_ARGS) -m browser tests/browser

mutants: $(STAMP)  ## put some hundred faults into the code, one at a time, and tell which no test notices (make mutants WORDS=search)
	$(BIN)/python -m tests.mutants.run --jobs 2 $(WORDS)

# The releases of a round: make test-sdks SDKS="0.18.7 0.22.3". All of them write the table of docs/protocol.md.
SDKS ?=
# the folders are named so that the process that hears of all results reads their conftest.py, which writes the table
SDK_TESTS ?= tests/sdks tests/e2e
test-sdks: $(STAMP)  ## do what people do with one release of each minor version of wandb (made in .cache/, 130 MB each)
	SDKS="$(SDKS)" $(BIN)/python -m pytest $(PYTEST_ARGS) -m sdks $(SDK_TESTS)

FRAMEWORKS := .cache/frameworks
test-frameworks: $(STAMP)  ## run docs/frameworks.md: Lightning, Hugging Face, Keras, ... (made in .cache/, about 2.3 GB; skipped where it cannot be)
	@$(MAKE) --no-print-directory $(FRAMEWORKS)/.installed || echo 'no frameworks: their tests are skipped'
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m frameworks tests/frameworks

# torch and the SDK are those of .venv, which it sees behind its own
PURELIB := python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
$(FRAMEWORKS)/.installed: tests/frameworks/requirements.txt | $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(FRAMEWORKS)
	$(BIN)/uv pip install --quiet --no-deps --compile-bytecode --python $(FRAMEWORKS)/bin/python -r $<
	echo "import site; site.addsitedir('$$($(BIN)/$(PURELIB))')" > "$$($(FRAMEWORKS)/bin/$(PURELIB))/beside.pth"
	@touch $@

# as root, with buildah and debootstrap (Debian's); the base is made once, in .cache/
test-containers: $(STAMP)  ## build docker/Dockerfile's images, and run a sweep in containers that are killed meanwhile
	$(BIN)/python -m pytest -n 0 -m containers tests/containers

RAY := .cache/ray
test-ray: $(STAMP)  ## launch on a real Ray cluster of two nodes (made in .cache/, about 200 MB; skipped where it cannot be)
	@$(MAKE) --no-print-directory $(RAY)/.installed || echo 'no Ray: its tests are skipped'
	@# a process that joins a cluster has Ray itself: pytest is started by the environment that has it
	$$(test -e $(RAY)/.installed && echo $(RAY)/bin || echo $(BIN))/python -m pytest -n 0 -m ray tests/ray

$(RAY)/.installed: tests/ray/requirements.txt constraints.txt | $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(RAY)
	$(BIN)/uv pip install --quiet --no-deps --compile-bytecode --python $(RAY)/bin/python -c constraints.txt -r $<
	echo "import site; site.addsitedir('$$($(BIN)/$(PURELIB))')" > "$$($(RAY)/bin/$(PURELIB))/beside.pth"
	@touch $@

dist: $(STAMP)  ## build sdist and wheel into dist/
	@# what an earlier build listed would be packed again; setuptools is .venv's own, which constraints.txt pins
	rm -rf build *.egg-info
	$(BIN)/uv build --quiet --clear --no-build-isolation --python $(BIN)/python --out-dir dist
	@ls dist

test-wheel: dist  ## install dist/'s wheel into a fresh environment, without PyTorch, and run a sweep with it
	$(BIN)/python -m pytest -n 0 -m wheel tests/e2e/test_wheel.py

# Those that PATH has; others by name: make test-pythons PYTHONS='/opt/python3.14/bin/python3'
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
test-pythons:  ## run the tests with every Python from 3.11 to 3.14 that is here (each has its .venv in .cache/)
	@failed=; for python in $(PYTHONS); do \
	  version=$$("$$python" -c 'import platform; print(platform.python_version())' 2>/dev/null) \
	    || { echo "== $$python: skipped, it is not here"; continue; }; \
	  own="PYTHON=$$python VENV=.cache/python-$$version"; \
	  $(MAKE) --no-print-directory $$own install || { echo "== $$python: skipped, no environment"; continue; }; \
	  echo "== $$python: $$version"; \
	  $(MAKE) --no-print-directory $$own test || failed="$$failed $$version"; \
	done; test -z "$$failed" || { echo "The tests fail on Python$$failed"; exit 1; }

# an environment of its own, for 117 MB of schemas
KUBERNETES := .cache/kubernetes
$(KUBERNETES)/.installed: | $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(KUBERNETES)
	$(BIN)/uv pip install --quiet --python $(KUBERNETES)/bin/python 'kubernetes-validate>=1.37'
	@touch $@

check: $(STAMP) $(KUBERNETES)/.installed  ## check format, lint, types, layers, docker/ and workflows, all of them even if one fails
	@export PATH="$$PWD/$(BIN):$$PWD/$(KUBERNETES)/bin:$$PATH"; \
	failed=0; for check in $(CHECKS); do echo "$$check"; $$check || failed=1; done; exit $$failed

format: $(STAMP)  ## format the code and apply safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)  ## run every benchmark: hours; each script also runs by itself
	@set -- benchmarks/*.py; test -e "$$1" || { echo 'There are no benchmarks yet.'; exit 0; }; \
	for script; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

fuzz: $(STAMP)  ## send the server 12,000 requests of every kind, at random: some minutes
	$(BIN)/python -m pytest -n 0 --timeout 1800 --hypothesis-profile fuzz tests/unit/server/test_fuzz.py

AUDIT := .cache/audit
audit: $(STAMP)  ## ask the index's database of advisories about every pinned version (needs a network; before a release)
	@test -x $(AUDIT)/bin/pip-audit || { $(BIN)/uv venv --quiet --clear --python $(BIN)/python $(AUDIT) && \
	$(BIN)/uv pip install --quiet --python $(AUDIT)/bin/python pip-audit; }
	$(AUDIT)/bin/pip-audit --no-deps --disable-pip --requirement constraints.txt

SCREENSHOTS := .cache/screenshots
screenshots: $(STAMP) $(SCREENSHOTS)/.installed  ## draw docs/pictures/ anew: a launch, and pages where Chromium is here (minutes)
	$(SCREENSHOTS)/bin/python docs/screenshots.py

$(SCREENSHOTS)/.installed: | $(STAMP)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SCREENSHOTS)
	$(BIN)/uv pip install --quiet -c constraints.txt --python $(SCREENSHOTS)/bin/python playwright pyte rich
	@touch $@

clean:  ## remove .venv, caches and build leftovers; sweeps and their results stay
	@# the server in the background would go on with half its code gone; it loses nothing by a stop
	@test ! -x $(BIN)/sweeper || $(BIN)/sweeper server stop || true
	rm -rf $(VENV) .cache build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# __init__.py has the version, which the installed package's metadata names too; vendor.py those of the chart libraries
$(STAMP): pyproject.toml constraints.txt sweeper/__init__.py sweeper/server/pages/vendor.py
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "sweeper needs Python 3.11 or newer; $(PYTHON) is: $$("$(PYTHON)" --version 2>&1)"; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: its venv module is missing."; \
	  echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; } >&2
	@$(READY) || { echo "Making $(VENV) with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv --clear $(VENV); }
	@rm -f $(STAMP)
	@# PIP_USER: a user who set it means the Python outside
	PIP_USER=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@# with bytecode: `import torch, wandb` takes 4 s instead of 10 s, in every process where Python writes none itself
	$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python -c constraints.txt -e '.[dev,trainer]'
	@# the pages' chart libraries; without a network it says which command fetches them, and all else is there
	$(BIN)/python -m sweeper.server.pages.vendor || true
	@pwd -P > $(STAMP)
