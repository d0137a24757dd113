#!/usr/bin/env bash
# Table 2 (and 6, 12) of DeepCache: DDPM on CIFAR-10, LSUN bedroom and LSUN church, 100 DDIM steps, the third skip path
# (depth 2), or those in DEPTHS. Give the rows: table2_ddpm.sh cifar10 church. docs/reproduce.md says what it needs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
workflows=$here/../../workflows
measure=${SCORE:-fid}
export COUNT=${COUNT:-50000}

for data in "${@:-cifar10}"; do
  case $data in
    cifar10) export BATCH=${BATCH:-64}; intervals="2 3 5 10" ;;
    bedroom | church) export BATCH=${BATCH:-4}; intervals="2 3 5" ;;
    *) echo "table2_ddpm.sh: no data set is called $data: cifar10, bedroom or church" >&2; exit 2 ;;
  esac
  out=${OUT:-out/table2}/$data
  "$here/pictures.sh" "$workflows/ddpm_${data}_ddim100.json" "$out/uncached"
  [ "$measure" = psnr ] || python3 "$here/score.py" "$measure" "$out/uncached" ${REFERENCE:+--reference "$REFERENCE"}
  for steps in ${FEWER_STEPS-}; do
    STEPS=$steps "$here/pictures.sh" "$workflows/ddpm_${data}_ddim100.json" "$out/ddim$steps"
    python3 "$here/score.py" "$measure" "$out/ddim$steps" --reference "${REFERENCE:-$out/uncached}"
  done
  for depth in ${DEPTHS:-2}; do
    for interval in ${INTERVALS-$intervals}; do
      row=$out/n${interval}_d$depth
      "$here/pictures.sh" "$workflows/ddpm_${data}_ddim100_deepcache.json" "$row" \
        --set "Policy.interval=$interval" --set "Policy.depth=$depth"
      python3 "$here/score.py" "$measure" "$row" --reference "${REFERENCE:-$out/uncached}"
    done
  done
done
