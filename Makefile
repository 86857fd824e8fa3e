# make search   set up .venv and run the quickstart search
# make test     set up .venv and run the tests, in under ten minutes
# make slow     those that take longer: benchmarks in their smallest form, searches that are killed and resumed
# make lab      a whole cluster on this machine: ray up, lost machines and heads, and home again
# make docs     the pages of docs/ as a site, in site/
# make check    lint, types, and the arrows between the rooms
PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip install --quiet --constraint constraints.txt
# faiss-gpu where a CUDA GPU answers, faiss-cpu elsewhere: the two exclude each other.
FAISS := $(shell nvidia-smi --list-gpus >/dev/null 2>&1 && echo gpu || echo cpu)

.PHONY: search test slow lab docs check clean

search: $(VENV)/ready
	$(VENV)/bin/python -m xit_ray.search

# A cluster's whole way, on this machine (as root, with openssh-server, rsync and iproute2).
lab: $(VENV)/ready-to-test
	$(VENV)/bin/python -m pytest -m lab -s tests/lab

test: $(VENV)/ready-to-test
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist worksteal -m "not slow and not alone and not lab"

# Several at a time, but for those that look at the whole machine: its ports, its processes, its speed.
slow: $(VENV)/ready-to-test
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist worksteal -m "slow and not alone and not lab"
	$(VENV)/bin/python -m pytest -m alone

docs: $(VENV)/ready-to-test
	$(PIP) --editable '.[$(FAISS),offline,test,docs]'
	$(VENV)/bin/mkdocs build --strict --quiet

check: $(VENV)/ready-to-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=…")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing (a few minutes the first time)"
	$(PIP) --editable '.[$(FAISS),offline]'
	touch $@

$(VENV)/ready-to-test: $(VENV)/ready
	$(PIP) --editable '.[$(FAISS),offline,test]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
