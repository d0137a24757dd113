#!/usr/bin/env bash
# Table 1 (and 4, 7, 8, 11) of DeepCache: LDM-4-G on ImageNet 256, 250 DDIM steps, guidance 1.5: uncached, with fewer steps,
# uniform and non-uniform (interval:center:power, table 9). docs/reproduce.md says what it needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workflows=$here/../../workflows
OUT=${OUT:-out/table1}
export COUNT=${COUNT:-50000} BATCH=${BATCH:-16} LABELS=${LABELS:-1000}
measure=${SCORE:-npz}

score() { python3 "$here/score.py" "$measure" "$1" --reference "${REFERENCE:-$OUT/uncached}"; }

"$here/pictures.sh" "$workflows/ldm4g_ddim250.json" "$OUT/uncached"
[ "$measure" = psnr ] || python3 "$here/score.py" "$measure" "$OUT/uncached" ${REFERENCE:+--reference "$REFERENCE"}
for steps in ${FEWER_STEPS-59 91}; do
  STEPS=$steps "$here/pictures.sh" "$workflows/ldm4g_ddim250.json" "$OUT/ddim$steps"
  score "$OUT/ddim$steps"
done
for interval in ${INTERVALS-2 3 5 10 20}; do
  "$here/pictures.sh" "$workflows/ldm4g_ddim250_deepcache.json" "$OUT/n$interval" --set "Policy.interval=$interval"
  score "$OUT/n$interval"
done
for row in ${NONUNIFORM-2:120:1.2 3:120:1.2 5:110:1.4 10:110:1.2 20:120:1.4}; do
  IFS=: read -r interval center power <<< "$row"
  "$here/pictures.sh" "$workflows/ldm4g_ddim250_nonuniform.json" "$OUT/n${interval}_c${center}_p$power" \
    --set "Policy.interval=$interval" --set "Policy.center=$center" --set "Policy.power=$power"
  score "$OUT/n${interval}_c${center}_p$power"
done
