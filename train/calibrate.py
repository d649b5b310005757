"""Makes a model's probabilities honest, by what its twin says of sentences that it was not trained on.

python train/calibrate.py runs/distilled --twin runs/distilled-twin

The twin is trained like the run, with ``--folds 3 --hold_back 0`` and by teachers that held back the same part. A
temperature (Guo et al. 2017, https://arxiv.org/abs/1706.04599) and a bias of each label, which takes back what class
weights add to the rare ones (Alexandari et al. 2020, https://arxiv.org/abs/1901.06852), are fitted to the twin's logits
on that part and written into ``<run>/model/training.json``; ``release.py`` folds them into the classifier's weights, so
that every runtime gives calibrated probabilities.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for eval/, which is no installed package

import datasets
import evaluate
import numpy as np
from finetune import METRICS, find_data
from folds import held_back_fold, read_training
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.model_selection import GroupKFold

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import document_names
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from eval.calibration import Calibration, logarithms
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
    calibration = fit(probabilities, labels)
    halves = fit_by_halves(probabilities, labels, document_names(rows))
    run["calibration"] = dataclasses.asdict(calibration) | {
        "sentences": len(labels),
        "before": measure(probabilities, labels),
        "after": measure(calibration.apply(probabilities), labels),
        "after_by_halves": measure(halves, labels),
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


def fit(probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
    """Returns the calibration that makes the labels most likely; its biases add up to 0."""
    logits = logarithms(probabilities)

    def loss(parameters: np.ndarray) -> float:
        calibrated = log_softmax(logits / np.exp(parameters[0]) + parameters[1:], axis=-1)
        return -calibrated[np.arange(len(labels)), labels].mean()

    found = minimize(loss, np.zeros(1 + len(LABELS)), method="L-BFGS-B", bounds=[(-3, 3)] + [(-5, 5)] * len(LABELS)).x
    return Calibration(float(np.exp(found[0])), (found[1:] - found[1:].mean()).tolist())


def fit_by_halves(probabilities: np.ndarray, labels: np.ndarray, documents: Sequence[str]) -> np.ndarray:
    """Returns calibrated probabilities of all sentences; what is fitted on half of the documents calibrates the others.

    They tell what the calibration does to sentences that it was not fitted on.
    """
    calibrated = np.empty_like(probabilities)
    for some, others in GroupKFold(2, shuffle=True, random_state=0).split(probabilities, groups=documents):
        calibrated[others] = fit(probabilities[some], labels[some]).apply(probabilities[others])
    return calibrated


def measure(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    metric = evaluate.load(str(METRICS), keep_in_memory=True)
    figures = metric.compute(predictions=probabilities.argmax(-1), references=labels)
    return {key: figures[key] for key in ("macro_f1", *(f"f1_{label}" for label in LABELS))} | calibration_figures(
        probabilities, labels
    )


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"calibrate.py: {error}")
