#!/bin/sh
# The quick start: one stock text-to-image graph, sampled without and with DeepCache on the same seed.
# Prints both sampling times and the speed-up, and saves both pictures and a contact sheet.
#
#   REFRAIN_BIN=build/release/bin workflows/demo/run.sh [options of refrain run, such as --device cuda]
#
# REFRAIN_BIN   the folder of refrain and refrain-make-checkpoint
# DEMO_OUTPUT   where pictures go; default output/demo
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${REFRAIN_BIN:?the folder of the command refrain}" && pwd)
output=${DEMO_OUTPUT:-output/demo}
work=$(dirname "$bin")/demo
models=$work/models
checkpoint=$models/checkpoints/demo_small.safetensors

# Until a trained model comes along: SD 1.x's layout at a thirtieth of its size, with random weights, the same on
# every machine. What it draws is coloured noise; the work that a step does is real.
if [ ! -f "$checkpoint" ]; then
  mkdir -p "$models/checkpoints"
  "$bin/refrain-make-checkpoint" --size small --output "$checkpoint"
fi

mkdir -p "$output"
# Two steps first: memory, kernels and threads are warm when the clock runs, for both alike.
"$bin/refrain" run "$here/warm_up.json" "$here/demo.json" --models "$models" --output-directory "$output" \
  --temp-directory "$work/temp" --report "$work/report.json" "$@" >"$work/files.txt"

cmake -D REPORT="$work/report.json" -P "$here/summary.cmake"
echo
echo "pictures:"
grep -v "^$work/temp/" "$work/files.txt" | sed 's/^/  /'  # without the warm-up's previews
