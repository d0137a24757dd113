#!/usr/bin/env bash
# Runs fuzz targets, one after the other, from what they found before, the small checkpoints of tests/data and the
# regression files. Usage: tests/fuzz/run.sh <build folder> <runs of each> [target ...]
set -euo pipefail
build="$(realpath "$1")"
runs="$2"
shift 2
here="$(cd "$(dirname "$0")" && pwd)"
targets=("$@")
((${#targets[@]} > 0)) || targets=(json pickle safetensors torch_legacy torch_zip zip)

for target in "${targets[@]}"; do
  printf '== %s\n' "$target"
  found="$build/corpus/$target"
  mkdir -p "$found" "$here/regressions/$target" "$build/failures"
  case "$target" in
    torch_legacy | torch_zip | zip) seeds=("$here/../data/checkpoints") ;;
    *) seeds=("$here/seeds/$target") ;;
  esac
  "$build/fuzz_$target" -runs="$runs" -max_len=8192 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$build/failures/$target-" "$found" "${seeds[@]}" "$here/regressions/$target"
done
