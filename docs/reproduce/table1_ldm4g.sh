#!/usr/bin/env bash
# Table 1 (and 11) of DeepCache: LDM-4-G on ImageNet 256, 250 DDIM steps, guidance 1.5. docs/reproduce.md says what it needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workflows=$here/../../workflows
OUT=${OUT:-out/table1}
export COUNT=${COUNT:-50000} BATCH=${BATCH:-16} LABELS=${LABELS:-1000}
measure=${SCORE:-npz}

"$here/pictures.sh" "$workflows/ldm4g_ddim250.json" "$OUT/uncached"
[ "$measure" = psnr ] || python3 "$here/score.py" "$measure" "$OUT/uncached" ${REFERENCE:+--reference "$REFERENCE"}
for interval in ${INTERVALS:-2 3 5 10 20}; do
  "$here/pictures.sh" "$workflows/ldm4g_ddim250_deepcache.json" "$OUT/n$interval" --set "Policy.interval=$interval"
  python3 "$here/score.py" "$measure" "$OUT/n$interval" --reference "${REFERENCE:-$OUT/uncached}"
done
