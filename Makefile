# Each of these sets up what is missing first (tools/setup.sh), so that one command is enough in a fresh checkout.
.DEFAULT_GOAL := help
.PHONY: help demo test bench bench-hearing bench-memory bench-recall setup lint clean
PYTEST_ARGS ?=
BENCH_ARGS ?=

help:
	@echo "make demo    set up, replay the demo's room, and ask it three questions"
	@echo "make test    set up, and run all tests (PYTEST_ARGS='tests/models -k catalog' for some)"
	@echo "make bench   set up, and measure the demo's room"
	@echo "make bench-hearing  set up, and measure how well rooms full of talkers are heard (about 25 minutes on two cores)"
	@echo "make bench-memory   set up, and measure events, a million lines, a week, and faults (about 40 minutes on two cores)"
	@echo "make bench-recall   set up, and measure recall: generated rooms, answerers, free wordings, talks, meetings, speed (hours on two cores; BENCH_ARGS=--quick for minutes)"
	@echo "make lint    ruff and mypy"
	@echo "make clean   remove .venv and what the demo left (weights stay in their cache)"

demo:
	@tools/setup.sh demo
	@.venv/bin/echoic demo --memory demo-memory

test:
	@tools/setup.sh test
	@.venv/bin/python -m pytest $(PYTEST_ARGS)

bench:
	@tools/setup.sh test
	@.venv/bin/python -m tools.bench

bench-hearing:
	@tools/setup.sh test
	@.venv/bin/python -m tools.bench_hearing $(BENCH_ARGS)

bench-memory:
	@tools/setup.sh test
	@.venv/bin/python -m tools.bench_memory $(BENCH_ARGS)

bench-recall:
	@tools/setup.sh test
	@.venv/bin/python -m tools.bench_recall $(BENCH_ARGS)

setup:
	@tools/setup.sh test

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

clean:
	rm -rf .venv .setup demo-memory build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
