# Two commands for everybody (make demo, make test) and some for developers. Thin on purpose: what is missing on the
# machine is set up by cmake/setup.sh, everything else is CMake's (CMakePresets.json). `make help` lists the targets.

PRESET ?= release
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local
ARGS ?=

BUILD := build/$(PRESET)
NO_FILES := --models $(BUILD)/none --input-directory $(BUILD)/none  # so that what lies about changes no reference
BUILD_TARGETS = cmake --build --preset $(PRESET) --parallel $(JOBS) --target

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: build setup configure test demo docs bench cuda install format format-check clean distclean help

build: configure  ## build/release/bin/refrain, its node libraries and tools (the default)
	@$(BUILD_TARGETS) refrain_runtime

setup:  ## installs what is missing: system packages, libtorch in .venv, the CLIP vocabulary
	@cmake/setup.sh $(PRESET)

# CMake runs here only when the last configuration cannot serve; ninja repeats it when a CMake file changed.
configure: setup
	@cmake/configure.sh $(PRESET)

test: configure  ## builds everything and runs the tests; ARGS='-R Validator' picks some
	@$(BUILD_TARGETS) all
	@ctest --preset $(PRESET) $(ARGS)

demo: build  ## a ComfyUI workflow without and with DeepCache: times, speed-up, pictures
	@REFRAIN_BIN=$(BUILD)/bin workflows/demo/run.sh $(ARGS)

docs: build  ## writes the references that are made out of the nodes: docs/nodes.md, workflows/workflow.schema.json
	@$(BUILD)/bin/refrain nodes --markdown $(NO_FILES) > docs/nodes.md
	@$(BUILD)/bin/refrain nodes --schema $(NO_FILES) > workflows/workflow.schema.json

bench: configure  ## builds and runs the benchmarks of tests/bench
	@$(BUILD_TARGETS) refrain_bench
	@cmake/bench.sh $(BUILD) $(ARGS)

cuda:  ## builds the cuda preset against a CUDA libtorch (several GB, in .venv-cuda)
	@$(MAKE) --no-print-directory PRESET=cuda configure
	@cmake --build --preset cuda --parallel $(JOBS)

install: build  ## installs into PREFIX (default /usr/local); DESTDIR is honoured
	@cmake --install $(BUILD) --prefix $(PREFIX)

format:  ## applies .clang-format to every source file
	@cmake/format.sh -i

format-check:  ## fails when .clang-format would change a file
	@cmake/format.sh --dry-run -Werror

clean:  ## removes the build folders; libtorch and the vocabulary stay
	rm -rf build

distclean: clean  ## removes what the set-up downloaded as well
	rm -rf .venv .venv-cuda .cache

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
