# Two commands on a bare machine with Python 3.11 or 3.12: `make demo` and `make test`. Each sets up what it needs.

PYTHON ?= $(firstword $(foreach python,python3 python3.12 python3.11,$(shell $(python) -c \
	"import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))" >/dev/null 2>&1 && echo $(python))))
UV_VERSION = 0.13.9
CODE = core pipelines trainers tuning phantom app bench examples tests
READY = .venv/ready
# A cluster or an image needs no test tools and no demo: make setup LOCK=requirements.lock
LOCK ?= requirements-dev.lock

.PHONY: setup demo docs bench test test-cluster test-browser gpu-check soak check lint format lock

demo: $(READY)  ## the main job on the embedded corpus, from case reports to the report
	.venv/bin/figray demo

bench: $(READY)  ## the line beside a plain loop of PaddleOCR; training beside its published arrangement; MLIP; Ray; rates
	OMP_NUM_THREADS=1 .venv/bin/figray bench; line=$$?; \
	OMP_NUM_THREADS=1 .venv/bin/python -m bench.training runs/bench-training.json; training=$$?; \
	OMP_NUM_THREADS=1 .venv/bin/python -m bench.mlip runs/bench-mlip.json; mlip=$$?; \
	OMP_NUM_THREADS=1 .venv/bin/python -m bench.cluster runs/bench-cluster.json; cluster=$$?; \
	OMP_NUM_THREADS=1 .venv/bin/python -m bench.rates runs/rates.json && exit $$((line | training | mlip | cluster))

# Tests with Ray take one core on the mean, one after the other on one Ray; the others go beside them. Their lines follow.
RAY_LOG = .venv/tests-with-ray.log
test: $(READY)
	.venv/bin/python -m pytest -m "ray and not cluster and not browser" > $(RAY_LOG) 2>&1 & ray=$$!; \
	.venv/bin/python -m pytest -m "not ray and not cluster and not browser" --numprocesses 2 --dist loadfile; others=$$?; \
	wait $$ray; with_ray=$$?; cat $(RAY_LOG); exit $$((others | with_ray))

test-cluster: $(READY)  ## several nodes on this machine, workers and nodes that die, sweeps that are killed
	.venv/bin/python -m pytest -m cluster

# Debian's Chromium: apt-get install chromium. Without one the tests are skipped, and say so.
test-browser: $(READY)  ## the pages as a browser shows them
	.venv/bin/python -m pytest -m browser tests/browser

gpu-check: $(READY)  ## on a machine with a GPU, at most eight minutes: what both recipes make of it, at 224 px
	.venv/bin/python -m pytest -m gpu tests/bench/test_gpu_check.py
	timeout 480 .venv/bin/python -m bench.gpu_check runs/gpu-check.json

docs: $(READY)  ## the site, from docs/ to site/; nothing in it is loaded from elsewhere
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

ARTICLES ?= 2000
KILLS ?= 20
soak: $(READY)  ## one run killed again and again beside one that is not; hours: make soak ARTICLES=60 KILLS=5 takes minutes
	OMP_NUM_THREADS=1 .venv/bin/python -m tests.soak --articles $(ARTICLES) --kills $(KILLS)

check: test lint  ## format, lint, types, tests

lint: $(READY)  ## format, lint, types
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/ruff check $(CODE)
	.venv/bin/mypy

format: $(READY)
	.venv/bin/ruff format $(CODE)
	.venv/bin/ruff check --fix $(CODE)

setup: $(READY)

# Bytecode is compiled at once: Ray starts up to twenty processes, and each would compile Ray and torch for itself.
$(READY): $(LOCK) pyproject.toml
	@test -n "$(PYTHON)" || { echo "figray needs Python 3.11 or 3.12; name one with make PYTHON=/path/to/python"; exit 1; }
	@# PaddleOCR's OpenCV needs a library that no wheel brings.
	@test "$$(uname)" != Linux || $(PYTHON) -c "import ctypes; ctypes.CDLL('libGL.so.1')" 2>/dev/null || { \
		echo "libGL.so.1 is missing, which PaddleOCR needs: apt-get install libgl1 (Debian, Ubuntu) or dnf install mesa-libGL"; \
		exit 1; }
	@echo "figray's packages go into .venv: some 7 GB, a few minutes on the first time"
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet uv==$(UV_VERSION)
	.venv/bin/uv pip sync --python .venv/bin/python --require-hashes --compile-bytecode $(LOCK)
	.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	touch $(READY)

COMPILE = .venv/bin/uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-header --quiet
lock:  ## exact versions with hashes for Linux and macOS, Python 3.11 and 3.12
	$(COMPILE) --extra demo --extra aws --extra dev --extra pretrained --extra serve --extra docs --output-file requirements-dev.lock
	$(COMPILE) --extra aws --constraint requirements-dev.lock --output-file requirements.lock
