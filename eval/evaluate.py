"""Measures a model on dev, beside its baselines: the quick look; ``report.py`` makes the whole report.

python eval/evaluate.py --model runs/distilled/model

Writes ``<output>/dev.json`` and ``<output>/dev.md``. Test is read by ``train/release.py`` alone, once for each release.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# This file has the name of the Hugging Face library that it uses: run as a script, its folder must not come first.
if Path(sys.path[0]).resolve() == ROOT / "eval":
    sys.path[0] = str(ROOT)

import datasets
import evaluate
import numpy as np
from scipy.stats import binomtest

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import document_names
from claimsift.cards import write_figures
from claimsift.errors import ClaimsiftError
from claimsift.hub import resolve_model, weights_sha256
from claimsift.labels import LABELS
from claimsift.model_card import confusion_table, headline_table, label_table
from eval.baselines import BASELINES, FROZEN_ENCODER
from eval.bootstrap import document_confusions, f1_scores, interval, resample
from eval.calibration import brier_score, expected_calibration_error
from eval.predictions import Predictions, predict

MODEL = "claimsift"
METRIC = ROOT / "eval" / "metrics" / "claim_metrics"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder or Hub id; the shipped model by default")
    parser.add_argument("--split", choices=("dev",), default="dev", help="test is for releases")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "annotations")
    parser.add_argument("--output", type=Path, default=Path("eval-results"), help="folder (default: eval-results)")
    options = parser.parse_args(arguments)
    # Figures that left a source out could not be compared with those that did not.
    dataset = load_annotations(options.data, require_all=True)
    check_splits(dataset, options.split)
    model, rows = resolve_model(options.model), dataset[options.split]
    quick = {name: baseline for name, baseline in BASELINES.items() if name != FROZEN_ENCODER}
    predictions = predict(rows, dataset["train"], quick, {MODEL: model})
    report = {
        "split": options.split,
        "weights_sha256": weights_sha256(model),
        "train_sentences": len(dataset["train"]),
        **figures(predictions, rows),
    }
    write_figures(options.output / options.split, report, to_markdown(report))
    print(to_markdown(report))


def check_splits(dataset: datasets.DatasetDict, *splits: str) -> None:
    if not {"train", *splits} <= dataset.keys():
        raise ClaimsiftError(
            f"the dataset holds only {', '.join(dataset)}; these figures take train and {', '.join(splits)}"
        )


def figures(predictions: Predictions, rows: datasets.Dataset) -> dict:
    """Works out how good several systems are on the same sentences.

    Args:
        predictions: theirs; the last system is the one that the others are compared with.
        rows: the sentences, in the same order.

    Returns:
        ``systems``: for each, the figures of ``claim_metrics``; ``interval``, the 95% interval of macro-F1 and of each
        label's F1; ``ahead``, for all but the last, by how much the last is better: ``macro_f1``, its 95% ``interval``
        (paired bootstrap), and ``mcnemar``, the probability of sentence counts as unlike as these if both were equally
        accurate (exact test; McNemar 1947). ``calibration``: ECE and Brier score of the last one.
    """
    labels = np.array(rows["label"])
    documents = document_names(rows)
    metric = evaluate.load(str(METRIC), keep_in_memory=True)
    names = list(predictions.systems)
    predicted = {name: probabilities.argmax(-1) for name, probabilities in predictions.systems.items()}
    resampled = {
        name: f1_scores(resample(document_confusions(predicted[name], labels, documents, len(LABELS))))
        for name in names
    }
    systems = {
        name: metric.compute(predictions=predicted[name], references=labels) | {"interval": intervals(resampled[name])}
        for name in names
    }
    last = names[-1]
    for name in names[:-1]:
        systems[name]["ahead"] = {
            "macro_f1": systems[last]["macro_f1"] - systems[name]["macro_f1"],
            "interval": interval(resampled[last].mean(-1) - resampled[name].mean(-1)),
            "mcnemar": mcnemar(predicted[last] == labels, predicted[name] == labels),
        }
    return {
        "sentences": len(rows),
        "documents": len(set(documents)),
        "systems": systems,
        "calibration": calibration_figures(predictions.systems[last], labels),
    }


def intervals(f1: np.ndarray) -> dict[str, tuple[float, float]]:
    """Returns the intervals of macro-F1 and of each label's F1, of resampled F1 scores ``(resamples, 4)``."""
    by_label = {f"f1_{label}": interval(f1[:, index]) for index, label in enumerate(LABELS)}
    return {"macro_f1": interval(f1.mean(-1))} | by_label


def mcnemar(right: np.ndarray, other_right: np.ndarray) -> float:
    """Returns the two-sided p-value of the exact test, from which sentences each of two systems labels rightly."""
    only, other_only = int((right & ~other_right).sum()), int((other_right & ~right).sum())
    return float(binomtest(only, only + other_only).pvalue) if only + other_only else 1.0


def calibration_figures(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    return {
        "ece": expected_calibration_error(probabilities, labels),
        "brier": brier_score(probabilities, labels),
    }


def to_markdown(report: dict) -> str:
    return f"""# Figures on {report["split"]}

{report["sentences"]} sentences of {report["documents"]} documents; every system that learns was trained on the same
{report["train_sentences"]} sentences. Intervals: bootstrap over documents. Written by `eval/evaluate.py`.

{headline_table(report, report["split"])}

## {MODEL}, by label

{label_table(report)}

## {MODEL}, confusion

{confusion_table(report)}
"""


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"evaluate.py: {error}")
