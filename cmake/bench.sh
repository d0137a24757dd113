#!/usr/bin/env bash
# Runs every benchmark program of a build folder, one after the other: they measure, so nothing runs beside them.
# Usage: cmake/bench.sh <build folder> [arguments for each program]
set -euo pipefail
build="$1"
shift
shopt -s nullglob
programs=("$build"/bench/*)
if ((${#programs[@]} == 0)); then
  echo "bench: no benchmark was built in $build/bench" >&2
  exit 1
fi
for program in "${programs[@]}"; do
  [[ -f "$program" && -x "$program" ]] || continue
  printf '\n== %s\n' "$(basename "$program")"
  "$program" "$@"
done
