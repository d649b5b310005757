"""Fits a temperature that makes a model's probabilities honest, on sentences that its twin was not trained on.

python train/calibrate.py runs/distilled --twin runs/distilled-twin

The twin is trained like the run, with ``--folds 3 --hold_back 0`` and by teachers that held back the same part. One
temperature (Guo et al. 2017, https://arxiv.org/abs/1706.04599) is fitted to the twin's logits on that part and written
into ``<run>/model/training.json``; ``release.py`` folds it into the classifier's weights, so that every runtime gives
calibrated probabilities. No label changes.
"""

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for eval/, which is no installed package

import datasets
import evaluate
import numpy as np
from finetune import METRICS, find_data
from folds import held_back_fold, read_training
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from eval.evaluate import calibration_figures
from eval.predictions import model_probabilities


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="output_dir of the run to calibrate")
    parser.add_argument("--twin", type=Path, required=True, help="output_dir of the run that held a part back")
    options = parser.parse_args(arguments)
    run = read_training(options.run)
    train = load_annotations(find_data(run["recipe"]["data"]), require_all=True)["train"]
    rows = held_back_rows(options.twin, train)
    probabilities, labels = model_probabilities(options.twin / "model", rows), np.array(rows["label"])
    logits = np.log(probabilities)
    temperature = fit_temperature(logits, labels)
    metric = evaluate.load(str(METRICS), keep_in_memory=True)
    run["calibration"] = {
        "temperature": temperature,
        "sentences": len(labels),
        "twin": metric.compute(predictions=probabilities.argmax(-1), references=labels),
        "before": calibration_figures(probabilities, labels),
        "after": calibration_figures(softmax(logits / temperature, axis=-1), labels),
    }
    (options.run / "model" / "training.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(run["calibration"], indent=2))


def held_back_rows(twin: Path, train: datasets.Dataset) -> datasets.Dataset:
    """Returns the sentences that neither the twin nor a teacher of its own has seen.

    Raises:
        ClaimsiftError: it is no twin, or one of its teachers has seen them.
    """
    settings = read_training(twin)["recipe"]
    for teacher in map(Path, settings.get("teachers", [])):
        theirs = read_training(teacher)["recipe"]
        if any(theirs.get(key) != settings.get(key) for key in ("folds", "hold_back")):
            raise ClaimsiftError(f"{twin}: its teacher {teacher} was trained on what it held back; leave that one out")
    return train.select(held_back_fold(twin, train).held_back)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature that makes the labels most likely."""

    def loss(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=-1)[np.arange(len(labels)), labels].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"calibrate.py: {error}")
