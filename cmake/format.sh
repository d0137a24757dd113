#!/usr/bin/env bash
# Runs clang-format over every C++ and CUDA file of the project.
# Usage: cmake/format.sh [-i | --dry-run -Werror]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v clang-format >/dev/null; then
  echo "format: clang-format was not found; install the package clang-format." >&2
  exit 1
fi
find plugin nodes graph-runtime tests -type f \
  \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) -print0 | xargs -0 -r clang-format --style=file "$@"
