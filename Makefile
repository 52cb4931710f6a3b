# make demo   set up and see a remembered place (STAGE=memory for that stage alone)
# make test   set up and run the tests
# make check  set up and run what CI runs beside the tests: format, lint, types, layers, wire
# make bench  set up and print the benchmarks' figures (NAME=ingest for one alone)
# make proto  write memstore/v1 anew from proto/
#
# PYTHON is the interpreter that makes .venv.

PYTHON ?= python3
STAGE ?= all
NAME ?= ingest serve edit
BIN := .venv/bin

.PHONY: demo test check bench proto clean

demo: .venv/.ready
	$(BIN)/memstore demo --stage $(STAGE)

test: .venv/.ready
	$(BIN)/pytest -n auto

check: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/buf lint proto

bench: .venv/.ready
	@for name in $(NAME); do $(BIN)/memstore bench $$name || exit 1; done

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

proto:
	PYTHON=$(PYTHON) proto/generate.sh

clean:
	rm -rf .venv demo-out
