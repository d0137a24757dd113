#!/bin/sh
# The quick start: four prompts drawn by the small trained model of this repository, without and with DeepCache on the
# same seeds. Prints both sampling times and the speed-up, and saves the pictures and a contact sheet.
#
#   REFRAIN_BIN=build/release/bin workflows/demo/run.sh [options of refrain run, such as --device cuda]
#
# REFRAIN_BIN   the folder of the command refrain
# DEMO_OUTPUT   where pictures go; default output/demo
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${REFRAIN_BIN:?the folder of the command refrain}" && pwd)
output=${DEMO_OUTPUT:-output/demo}
work=$(dirname "$bin")/demo
mkdir -p "$output" "$work"

# Two steps first: memory, kernels and threads are warm when the clock runs, for both alike.
"$bin/refrain" run "$here/warm_up.json" "$here/demo.json" --models "$here/../models" --output-directory "$output" \
  --temp-directory "$work/temp" --report "$work/report.json" "$@" >"$work/files.txt"

cmake -D REPORT="$work/report.json" -P "$here/summary.cmake"
echo
echo "pictures:"
grep -v "^$work/temp/" "$work/files.txt" | sed 's/^/  /'  # without the warm-up's previews
