# Every target makes .venv when it is missing or older than pyproject.toml. PYTHON is used for that only.
PYTHON ?= python3
BIN := .venv/bin
PACKAGES := search_spaces trainables tune_jobs
WITH_PRIVATE_NAMES := "ray[default,tune]" keras tensorflow hyperopt
SEED ?= 1
INPUTS ?= 10000
CASES ?= ../shared/cases
SEEDS ?= 20
BENCH ?= where_time_goes whole_run equal_work image_folder time_to_accuracy driver proposals leaderboard startup scale report

LCBENCH ?= ../shared/data/lcbench

.PHONY: demo demo-cluster test coverage chance test-slow newest faults fuzz cases bench bench-replay lint types contracts docs format clean

demo: .venv/installed
	$(BIN)/tune-jobs run digits_mlp

demo-cluster: .venv/installed
	$(BIN)/python -m demo.cluster_demo

# Three processes for two cores, because the tests that start a Ray wait for much of their time: those, one after another, and
# beside them two halves of all others. The first process collects only the files that can hold such tests.
test: .venv/installed
	@logs=$$(mktemp -d); $(BIN)/pytest -q -m "integration and not slow" --durations=20 \
	$$(grep -rl --include="test_*.py" "mark.integration" tests | sort) >$$logs/ray 2>&1 & ray=$$!; \
	$(BIN)/pytest -q -m "not integration" --ignore=tests/tune_jobs --durations=10 >$$logs/half 2>&1 & half=$$!; \
	$(BIN)/pytest -m "not integration" tests/tune_jobs --durations=10; others=$$?; \
	wait $$half; half=$$?; cat $$logs/half; wait $$ray; ray=$$?; cat $$logs/ray; rm -r $$logs; exit $$((others + half + ray))

# The share of each package that the tests without Ray reach, and the lines that they do not. Workers and child processes are not
# measured, and it is no gate. It is not part of `make test`, which it makes a third longer.
coverage: .venv/installed
	@mkdir -p build
	$(BIN)/coverage run -m pytest -q -m "not integration"
	@for package in $(PACKAGES); do \
	echo "coverage of $$package: $$($(BIN)/coverage report --include="$$package/*" --format=total) %"; done
	$(BIN)/coverage report --show-missing --skip-covered --sort=cover

# A hunt for tests that fail by chance: each property test with 20 times its examples, and all tests without Ray in random order,
# under SEEDS seeds. A failure prints its seed and the line that repeats its example.
chance: .venv/installed
	@for seed in $$(seq 1 $(SEEDS)); do echo "seed $$seed"; \
	EXAMPLES_TIMES=20 $(BIN)/pytest -q -m "hypothesis and not integration" --timeout=3600 --hypothesis-seed=$$seed \
	|| failed="$$failed examples:$$seed"; \
	$(BIN)/pytest -q -m "not integration" --hypothesis-seed=$$seed --random-order-bucket=global --random-order-seed=$$seed \
	|| failed="$$failed order:$$seed"; done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# Everything that `make test` leaves out, also after a failure. Some tests need more than others have: an S3 server (installed
# here), network namespaces (root), 9 GiB of free memory. Whatever is skipped is listed at the end, with its reason.
test-slow: .venv/installed
	$(BIN)/python -m pip install --quiet --editable ".[s3-server]"
	$(BIN)/pytest -m slow --durations=20

# The newest releases of the packages whose private names are used, beyond the upper bounds of pyproject.toml, in an environment
# of their own. CONTRIBUTING.md says what to do when this fails.
newest:
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/python -m pip install --quiet --editable ".[dev]"
	.venv-newest/bin/python -m pip install --quiet --upgrade $(WITH_PRIVATE_NAMES)
	.venv-newest/bin/pytest -q -m "not integration"; tests=$$?; \
	.venv-newest/bin/python -m pip list 2>/dev/null | grep -iE "^(ray|keras|tensorflow|hyperopt) "; exit $$tests

faults: .venv/installed
	$(BIN)/python -m tests.support.faults --kills 50

# Odd inputs, each of which must be answered in words; INPUTS=1000 makes fewer. A fault is told with the command that repeats it.
fuzz: .venv/installed
	$(BIN)/python -m tests.fuzz --seed $(SEED) --inputs $(INPUTS)

# The programs of strangers in a folder that is not part of the repository, each with what is right for it; a few minutes.
cases: .venv/installed
	$(BIN)/python -m tests.cases $(CASES)

# One after another, each with its table and a file of figures; `make bench BENCH="equal_work startup"` chooses.
bench: .venv/installed
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	@mkdir -p bench-results; for name in $(BENCH); do echo "== $$name"; \
	$(BIN)/python -m benchmarks.$$name --json bench-results/$$name.json || failed="$$failed $$name"; done; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# The regret of searchers and schedulers, by replaying learning curves (docs/search.md). LCBENCH is the folder of the surrogate.
bench-replay: .venv/installed
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	@mkdir -p bench-results
	$(BIN)/python -m benchmarks.replay --worlds lcbench --epochs 1000 --workers 4 16 --data $(LCBENCH) \
		--plot bench-results/replay.svg --json bench-results/replay-lcbench.json
	$(BIN)/python -m benchmarks.replay --worlds synthetic --epochs 500 --json bench-results/replay-synthetic.json

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

contracts: .venv/installed
	$(BIN)/lint-imports

# The pages of docs/ and a reference made of the docstrings. A warning is an error; nothing is fetched.
docs: .venv/installed
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet docs build/docs
	@echo "build/docs/index.html"

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-newest build

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@
