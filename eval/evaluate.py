"""Measures a model on dev, beside its baselines.

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

from claimsift import Predictor
from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import document_names
from claimsift.cards import table, write_figures
from claimsift.errors import ClaimsiftError
from claimsift.hub import resolve_model, weights_sha256
from claimsift.labels import LABEL_TO_ID, LABELS
from eval.baselines import BASELINES
from eval.bootstrap import document_confusions, f1_scores, interval, resample
from eval.calibration import brier_score, expected_calibration_error

MODEL = "claimsift"
STRONGEST_BASELINE = "TF-IDF + logistic regression"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder or Hub id; the shipped model by default")
    parser.add_argument("--split", choices=("dev",), default="dev", help="test is for releases")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "annotations")
    parser.add_argument("--output", type=Path, default=Path("eval-results"), help="folder (default: eval-results)")
    options = parser.parse_args(arguments)
    # Figures that left a source out could not be compared with those that did not.
    dataset = load_annotations(options.data, require_all=True)
    report = evaluate_split(resolve_model(options.model), dataset, options.split)
    write_report(report, options.output)
    print(to_markdown(report))


def write_report(report: dict, folder: Path) -> None:
    """Writes a report as JSON and as Markdown."""
    write_figures(folder / report["split"], report, to_markdown(report))


def evaluate_split(model: Path, dataset: datasets.DatasetDict, split: str) -> dict:
    """Scores a split with the model and the baselines.

    Returns:
        ``systems``: for each, the figures of ``claim_metrics`` and ``interval``, the 95% interval of macro-F1 and of
        each label's F1. ``calibration``: of the model's probabilities. ``better_than_baseline``: share of the resamples
        in which the model's F1 is higher than that of TF-IDF, for each label and for macro-F1.

    Raises:
        ClaimsiftError: the dataset lacks train or the split.
    """
    if not {"train", split} <= dataset.keys():
        raise ClaimsiftError(f"the dataset holds only {', '.join(dataset)}; these figures take train and {split}")
    train, rows = dataset["train"], dataset[split]
    documents = document_names(rows)
    material = list(train["text"]), list(train["label"]), list(rows["text"])
    predictions = {name: baseline(*material) for name, baseline in BASELINES.items()}
    scored = Predictor.from_pretrained(model).score_sentences(rows["text"], rows["context"])
    predictions[MODEL] = [LABEL_TO_ID[sentence.label] for sentence in scored]
    probabilities = np.array([[sentence.scores[label] for label in LABELS] for sentence in scored])

    metric = evaluate.load(str(ROOT / "eval" / "metrics" / "claim_metrics"), keep_in_memory=True)
    systems, resampled = {}, {}
    for name, predicted in predictions.items():
        figures = metric.compute(predictions=predicted, references=rows["label"])
        confusions = document_confusions(predicted, rows["label"], documents, len(LABELS))
        resampled[name] = with_macro(f1_scores(resample(confusions)))
        systems[name] = figures | {"interval": {key: interval(resampled[name][key]) for key in resampled[name]}}
    return {
        "split": split,
        "weights_sha256": weights_sha256(model),
        "sentences": len(rows),
        "documents": len(set(documents)),
        "train_sentences": len(train),
        "systems": systems,
        "calibration": {
            "ece": expected_calibration_error(probabilities, np.array(rows["label"])),
            "brier": brier_score(probabilities, np.array(rows["label"])),
        },
        "better_than_baseline": {
            key: float(np.mean(resampled[MODEL][key] > resampled[STRONGEST_BASELINE][key])) for key in resampled[MODEL]
        },
    }


def with_macro(f1: np.ndarray) -> dict[str, np.ndarray]:
    return {"macro_f1": f1.mean(-1)} | {f"f1_{label}": f1[:, index] for index, label in enumerate(LABELS)}


def headline_table(report: dict) -> str:
    """Macro-F1 with its interval, each label's F1, accuracy and MCC of every system; the model's calibration."""
    rows = []
    for name, system in report["systems"].items():
        low, high = system["interval"]["macro_f1"]
        label_figures = [f"{system[f'f1_{label}']:.2f}" for label in LABELS]
        macro = f"**{system['macro_f1']:.2f}** ({low:.2f}–{high:.2f})"
        rows.append([name, macro, *label_figures, f"{system['accuracy']:.2f}", f"{system['mcc']:.2f}"])
    header = [f"F1 on {report['split']}", "macro (95% interval)", *LABELS, "accuracy", "MCC"]
    calibration = report["calibration"]
    honesty = f"Expected calibration error {calibration['ece']:.3f} (15 bins), Brier score {calibration['brier']:.3f}."
    return f"{table(header, rows)}\n\n{honesty}"


def to_markdown(report: dict) -> str:
    model = report["systems"][MODEL]
    by_label = table(
        ["label", "precision", "recall", "F1", "95% interval", "sentences", "better than TF-IDF"],
        [
            [
                label,
                *(f"{model[f'{figure}_{label}']:.2f}" for figure in ("precision", "recall", "f1")),
                "–".join(f"{bound:.2f}" for bound in model["interval"][f"f1_{label}"]),
                model[f"support_{label}"],
                f"{report['better_than_baseline'][f'f1_{label}']:.1%}",
            ]
            for label in LABELS
        ],
    )
    confusion = table(
        ["labelled ↓, predicted →", *LABELS],
        [[label, *row] for label, row in zip(LABELS, model["confusion"], strict=True)],
    )
    return f"""# Figures on {report["split"]}

{report["sentences"]} sentences of {report["documents"]} documents; every system that learns was trained on the same
{report["train_sentences"]} sentences. Intervals: bootstrap over documents. Written by `eval/evaluate.py`.

{headline_table(report)}

## {MODEL}, by label

The last column is the share of the resamples in which its F1 is higher than that of {STRONGEST_BASELINE}.

{by_label}

## {MODEL}, confusion

{confusion}
"""


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"evaluate.py: {error}")
