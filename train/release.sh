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

for part in 0 1; do
    train "runs/teacher-$part-news" train/finetune.py train/recipes/teacher.yaml --hold_back $part \
        --without written uncertain
    train "runs/teacher-$part" train/finetune.py train/recipes/teacher.yaml --hold_back $part --without uncertain \
        --base "runs/teacher-$part-news/model" --num_train_epochs 1 --learning_rate 3e-5
done
python train/pool.py --output runs/pool.jsonl

# The student, then a last epoch on the labelled sentences alone, with those that the teachers were unsure of; the same
# for its twin.
student() { # student SUFFIX [OPTION…]
    local suffix=$1
    shift
    train "runs/student$suffix" train/distil.py train/recipes/distilled.yaml --without uncertain "$@"
    train "runs/distilled$suffix" train/distil.py train/recipes/distilled.yaml --base "runs/student$suffix/model" \
        --pool "" --label_weight 3 --num_train_epochs 1 --learning_rate 5e-5 "$@"
}
student ""
student "-twin" --folds 3 --hold_back 0 --teachers runs/teacher-0

# What the report compares it with.
train runs/default train/finetune.py train/recipes/default.yaml
train runs/default-twin train/finetune.py train/recipes/default.yaml --folds 3 --hold_back 0

python train/calibrate.py runs/distilled --twin runs/distilled-twin
python train/release.py runs/distilled --twin runs/distilled-twin --plain runs/default --plain-twin runs/default-twin
