# What a developer types. `make` alone lists the targets; `.ci/run` calls the same ones.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
VENV := $(TARGET)/venv
# nextest runs the same tests in less time, where it is installed.
RUST_TESTS := $(shell command -v cargo-nextest >/dev/null 2>&1 && echo "nextest run --no-fail-fast" || echo "test --no-fail-fast --lib --bins --tests")

# luna and luna-http as the Rust tests build them: with other features all libraries would be built once more.
PROGRAMS := $(CARGO) test --quiet --workspace --no-run

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the luna command and the service, optimised
	$(CARGO) build --release --workspace --exclude luna-py

.PHONY: demo
demo: ## make the demo set, validate it, print the verdict
	$(CARGO) run --release -- demo

.PHONY: test
test: ## install what is missing, then run every check, cheapest first: lint, tests, licences, deploy/
	.ci/missing
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory test-rust
	$(MAKE) --no-print-directory test-python
	$(MAKE) --no-print-directory test-browser
	$(MAKE) --no-print-directory test-api
	$(MAKE) --no-print-directory test-operate
	.ci/dependencies
	$(PROGRAMS)
	.ci/deployment

.PHONY: test-rust
test-rust: ## run the tests of the Rust crates beside real servers, and the examples in their docs
	@test -d ../shared/data || echo "note: no real images at ../shared/data; the tests that need them pass without a look"
	.ci/servers $(CARGO) $(RUST_TESTS) --workspace
	$(CARGO) test --workspace --doc --quiet

.PHONY: test-python
test-python: $(VENV)/tools ## build the Python package, install it in an own environment, test it there
	PATH="$(VENV)/bin:$$PATH" MATURIN_PEP517_ARGS="--profile=dev --locked" $(VENV)/bin/python -m pip install --quiet --force-reinstall --no-deps .
	$(PROGRAMS)
	LUNA_HTTP="$(TARGET)/debug/luna-http" .ci/servers $(VENV)/bin/python -m pytest luna-py/tests --pages $(TARGET)/notebooks
	cd luna-py && $(VENV)/bin/python -m mypy --strict python tests examples
	cd luna-py && $(VENV)/bin/python -m mypy.stubtest luna_py._luna
	$(VENV)/bin/basedpyright --pythonpath $(VENV)/bin/python
	$(VENV)/bin/abi3audit --strict --assume-minimum-abi3 3.10 $(VENV)/lib/python3*/site-packages/luna_py/_luna.abi3.so

.PHONY: test-browser
test-browser: $(VENV)/tools ## open the demo's HTML report and the service's pages in a real Chromium
	rm -rf $(TARGET)/browser && mkdir -p $(TARGET)/browser
	$(PROGRAMS)
	$(TARGET)/debug/luna demo $(TARGET)/browser/demo > /dev/null
	.ci/servers $(VENV)/bin/python -m pytest .ci/browser --demo $(TARGET)/browser/demo --service $(TARGET)/debug/luna-http \
		--axe "$$(.ci/tools --print)/axe/node_modules/axe-core/axe.min.js" --shots $(TARGET)/browser

.PHONY: test-api
test-api: $(VENV)/tools ## call the service as its OpenAPI document says, and otherwise
	$(PROGRAMS)
	.ci/api $(TARGET)/debug/luna-http $(VENV)/bin

.PHONY: test-monitoring
test-monitoring: $(VENV)/tools ## alerts, dashboard and runbook beside a running service; three alerts are provoked and ended
	$(PROGRAMS)
	.ci/servers .ci/monitoring $(TARGET)/debug $(VENV)/bin

.PHONY: load-test
load-test: $(VENV)/tools ## 24 teams by k6 on a service that runs: `LUNA_PASSWORD=… make load-test`; deploy/loadtest says more
	$(VENV)/bin/k6 run deploy/loadtest/teams.js

.PHONY: test-operate
test-operate: $(VENV)/tools ## back the service up while it is used, destroy everything, restore it, compare
	$(PROGRAMS)
	.ci/servers $(VENV)/bin/python -m pytest .ci/operate --programs $(TARGET)/debug

$(VENV)/tools: .ci/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet -r .ci/requirements.txt
	touch $@

.PHONY: fmt
fmt: ## format the code
	$(CARGO) fmt --all

.PHONY: lint
lint: ## format check, clippy, layers, docs; warnings are errors
	$(CARGO) fmt --all --check
	.ci/tidy
	.ci/layers
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

.PHONY: bless
bless: ## rewrite rule pages, schemas, expected reports, the API document, the chart's copies after an intended change
	LUNA_BLESS=1 INSTA_UPDATE=always $(CARGO) test --quiet --package luna-core --test generated --test catalogue
	LUNA_BLESS=1 INSTA_UPDATE=always $(CARGO) test --quiet --package luna-core --lib report
	$(PROGRAMS)
	$(TARGET)/debug/luna-http openapi > docs/openapi.json
	.ci/chart-files
	git status --short

.PHONY: coverage
coverage: ## which lines the Rust tests run, into target/coverage; needs cargo-llvm-cov
	mkdir -p $(TARGET)/coverage
	.ci/servers $(CARGO) llvm-cov --no-report --workspace --lib --bins --tests
	@# Tests kill workers, which then leave half a profile.
	$(CARGO) llvm-cov report --failure-mode all --html --output-dir $(TARGET)/coverage
	$(CARGO) llvm-cov report --failure-mode all --lcov --output-path $(TARGET)/coverage/lcov.info
	$(CARGO) llvm-cov report --failure-mode all > $(TARGET)/coverage/summary.txt
	tail -n 1 $(TARGET)/coverage/summary.txt

.PHONY: fuzz
fuzz: ## fuzz one target, `make fuzz FUZZ=png`, or all; FUZZ_SECONDS=600 each; needs cargo-fuzz
	.ci/fuzz $(or $(FUZZ_SECONDS),600) $(FUZZ)

.PHONY: fuzz-smoke
fuzz-smoke: ## the fuzzers' invariants on seeds and changed copies of them, without a sanitizer
	$(CARGO) test --package luna-core --lib fuzzing

.PHONY: bench
bench: ## measure speed
	$(CARGO) bench --workspace

.PHONY: yardsticks
yardsticks: ## speed beside libjpeg-turbo, libpng and pydicom: `make yardsticks FOLDER=scans ENDINGS=.png`
	$(PYTHON) -m venv $(TARGET)/yardsticks
	$(TARGET)/yardsticks/bin/python -m pip install --quiet imagecodecs numpy opencv-python-headless pydicom \
		pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pylibjpeg-rle
	$(TARGET)/yardsticks/bin/python benches/yardsticks.py $(FOLDER) $(ENDINGS)

.PHONY: peers
peers: ## LUNA beside a Python pipeline and cleanvision: `make peers FOLDER=scans`, `make peers PEERS=--overhead`
	$(PYTHON) -m venv $(TARGET)/peers
	$(TARGET)/peers/bin/python -m pip install --quiet cleanvision==0.3.7 imagehash==4.3.2 matplotlib==3.11.2 \
		numpy==2.4.6 opencv-python-headless==5.0.0.93 pandas==3.1.1 pillow==13.0.0 scipy==1.17.1 pydicom==3.0.2 \
		pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 pylibjpeg-openjpeg==2.6.0 pylibjpeg-rle==2.2.0
	$(TARGET)/peers/bin/python -m pip install --quiet --force-reinstall --no-deps .
	$(TARGET)/peers/bin/python benches/peers.py $(FOLDER) $(PEERS)

.PHONY: memory
memory: ## peak memory on 2,000 and 20,000 generated images
	$(PYTHON) benches/memory.py $(TARGET)/memory

.PHONY: release-dry-run
release-dry-run: $(VENV)/tools ## do of a release what one machine can, into target/release-dry-run; publishes nothing
	.ci/rehearse $(TARGET)/release-dry-run $(VENV)/bin

.PHONY: chart
chart: ## render the Helm chart: `make chart VALUES=deploy/helm/luna/values-prod.yaml`
	.ci/chart-files --check
	@$$(.ci/tools --print)/helm/helm template luna deploy/helm/luna --namespace luna $(addprefix --values=,$(VALUES))

.PHONY: test-deploy
test-deploy: $(VENV)/tools ## the chart, the container file and the compose file, whose processes are started
	$(PROGRAMS)
	.ci/deploy

.PHONY: site
site: $(VENV)/tools ## build the site of all documents into target/site, and check its links
	.ci/site

.PHONY: serve-docs
serve-docs: $(VENV)/tools ## show the site at http://127.0.0.1:8000 while it is written
	.ci/site --serve

.PHONY: docs
docs: ## build the API documentation of the crates
	$(CARGO) doc --workspace --no-deps
