#!/usr/bin/env bash
# Configures a preset unless its build folder is configured already for this libtorch and has the vocabulary.
# Usage: cmake/configure.sh <preset>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset="$1"
build="build/$preset"
stamp="$build/.configured-for"
wanted="Torch_DIR=${Torch_DIR-} CMAKE_PREFIX_PATH=${CMAKE_PREFIX_PATH-} CXX=${CXX-} CXXFLAGS=${CXXFLAGS-}"

if [[ -f "$build/build.ninja" && -f "$build/share/refrain/bpe_simple_vocab_16e6.txt.gz" &&
      -f "$stamp" && "$(<"$stamp")" == "$wanted" && ! CMakePresets.json -nt "$stamp" ]]; then
  exit 0
fi
# Another compiler or libtorch needs a fresh cache: CMake keeps what it found first.
fresh=()
if [[ -f "$stamp" && "$(<"$stamp")" != "$wanted" ]]; then
  fresh=(--fresh)
fi
cmake --preset "$preset" "${fresh[@]}"
printf '%s\n' "$wanted" >"$stamp"
