#!/usr/bin/env bash
# Makes the released model from a clean clone: teachers, pool, soft labels, student, its twin, calibration, release.
#
#   bash train/release.sh
#
# Started again, it goes on where it stopped: finished runs are kept, unfinished ones continue from their last epoch.
# ACCELERATE_OPTIONS are those of `accelerate launch`.
set -euo pipefail
cd "$(dirname "$0")/.."

train() { # train RUN SCRIPT RECIPE [OPTION…]
    local run=$1
    shift
    # shellcheck disable=SC2086
    [[ -d $run/model ]] || accelerate launch ${ACCELERATE_OPTIONS:-} "$@" --output_dir "$run" --resume
}

# Neither teacher learns from the other outlets: what they say of those sentences is then no echo of the labels.
for part in 0 1; do
    train "runs/teacher-$part" train/finetune.py train/recipes/teacher.yaml --hold_back $part --without outlets
done
python train/pool.py --output runs/pool.jsonl

# The student, and the twin that calibration and cross-validation need.
train runs/distilled train/distil.py train/recipes/distilled.yaml
train runs/distilled-twin train/distil.py train/recipes/distilled.yaml --folds 3 --hold_back 0 --teachers runs/teacher-0

# What the report compares it with.
train runs/default train/finetune.py train/recipes/default.yaml
train runs/default-twin train/finetune.py train/recipes/default.yaml --folds 3 --hold_back 0

python train/calibrate.py runs/distilled --twin runs/distilled-twin
python train/release.py runs/distilled --twin runs/distilled-twin --plain runs/default --plain-twin runs/default-twin
