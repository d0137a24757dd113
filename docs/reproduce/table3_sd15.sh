#!/usr/bin/env bash
# Table 3 (and 13, 14) of DeepCache: Stable Diffusion 1.5 at 512, PLMS, guidance 7.5, on the prompts in CAPTIONS.
# The uncached rows with fewer steps stand beside the cached ones, uniform and non-uniform (interval:center:power, table 10's
# for COCO). docs/reproduce.md says what it needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workflows=$here/../../workflows
OUT=${OUT:-out/table3}
: "${CAPTIONS:?a text file with one prompt in a line}"
export CAPTIONS BATCH=1
COUNT=${COUNT:-$(wc -l < "$CAPTIONS")}
export COUNT
measure=${SCORE:-clip}
score() { python3 "$here/score.py" "$measure" "$@" --captions "$CAPTIONS"; }
pictures() { "$here/pictures.sh" "$@" ${SIZE:+--set "Latent.width=$SIZE" --set "Latent.height=$SIZE"}; }

pictures "$workflows/sd15_plms50.json" "$OUT/plms${STEPS:-50}"
[ "$measure" = psnr ] || score "$OUT/plms${STEPS:-50}"
for steps in ${FEWER_STEPS-45 40 35 30 25 20 15}; do
  STEPS=$steps pictures "$workflows/sd15_plms50.json" "$OUT/plms$steps"
  score "$OUT/plms$steps" --reference "$OUT/plms${STEPS:-50}"
done
for interval in ${INTERVALS-2 3 4 5 6 7 8}; do
  pictures "$workflows/sd15_plms50_deepcache.json" "$OUT/n$interval" --set "Policy.interval=$interval"
  score "$OUT/n$interval" --reference "$OUT/plms${STEPS:-50}"
done
for row in ${NONUNIFORM-2:20:1.3 3:20:1.4 4:20:1.4 5:15:1.3 6:15:1.5 7:15:1.5 8:20:1.3}; do
  IFS=: read -r interval center power <<< "$row"
  pictures "$workflows/sd15_plms50_nonuniform.json" "$OUT/n${interval}_c${center}_p$power" \
    --set "Policy.interval=$interval" --set "Policy.center=$center" --set "Policy.power=$power"
  score "$OUT/n${interval}_c${center}_p$power" --reference "$OUT/plms${STEPS:-50}"
done
