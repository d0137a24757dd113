#!/usr/bin/env bash
# pictures.sh WORKFLOW FOLDER [refrain run options ...]: COUNT pictures of a workflow into FOLDER, BATCH at a time. Goes on
# where a run was stopped. The scripts of the tables call it. Variables: docs/reproduce.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workflow=$1 folder=$2
: "${COUNT:?}" "${BATCH:?}"
shift 2
mkdir -p "$folder"
settings="$(basename "$workflow") COUNT=$COUNT BATCH=$BATCH STEPS=${STEPS:-} CHECKPOINT=${CHECKPOINT:-} LABELS=${LABELS:-} CAPTIONS=${CAPTIONS:-} $*"
if [ -f "$folder/settings.txt" ] && [ "$(cat "$folder/settings.txt")" != "$settings" ]; then
  echo "pictures.sh: $folder holds pictures of other settings: choose another OUT, or delete it. There: $(cat "$folder/settings.txt")" >&2
  exit 2
fi
printf '%s\n' "$settings" > "$folder/settings.txt"
python3 "$here/runs.py" --workflow "$workflow" --folder "$folder/workflows" --count "$COUNT" --batch "$BATCH" --pictures "$folder/pictures" \
  ${LABELS:+--classes "$LABELS"} ${CAPTIONS:+--captions "$CAPTIONS"}
# One process for many runs: the checkpoint is loaded once. xargs keeps the command line within the system's limit.
find "$folder/workflows" -name '*.json' -print0 | sort -z | xargs -0 -r -n 500 \
  "${REFRAIN:-refrain}" run --models "${MODELS:-models}" --output-directory "$folder/pictures" \
  ${CHECKPOINT:+--set "Checkpoint.ckpt_name=$CHECKPOINT"} ${STEPS:+--set "Timesteps.steps=$STEPS"} "$@"
