# Each of these sets up what it needs in .venv by itself and is quick the second time.
PYTHON ?= python3
EXTRAS ?= test
BIN := .venv/bin
ASSIGNMENT ?= 09-backprop

.PHONY: lab test grade bench demo site clean

lab: .venv/.ready-grade ; $(BIN)/course lab $(OPTIONS)
test: .venv/.ready-$(EXTRAS) ; $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/pytest
grade: .venv/.ready-grade ; $(BIN)/course grade $(ASSIGNMENT)
bench: .venv/.ready-test,bench ; $(BIN)/python -m benchmarks
demo: .venv/.ready-grade ; $(BIN)/course demo
site: .venv/.ready-grade ; $(BIN)/course site
clean: ; rm -rf .venv site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.ready-%: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
	@touch $@
