"""Measures what more labels would bring: a recipe on parts of train, scored on documents that none of them holds.

python train/learning_curve.py train/recipes/default.yaml [--any_option value]

Parts are drawn by document, each holds the one before, and the first of three folds is held back from all. Writes
``eval/results/learning_curve.json`` after each part; started again with the same settings, it goes on where it stopped.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for eval/, which is no installed package

import datasets
import evaluate
import numpy as np
from cross_validate import FOLDS, UNSAVED, Learn, baseline_learner, recipe_learner
from distil import DistilRecipe
from finetune import METRICS, find_data, labels_sha256, parse
from folds import nth_fold

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import document_names
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from eval.baselines import TFIDF
from eval.report import PLAIN, RESULTS

OUTPUT = RESULTS / "learning_curve.json"
SHARES = (0.12, 0.25, 0.5, 1.0)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("recipe")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options, overrides = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        settings = [f"--{key}={value}" for key, value in (UNSAVED | {"output_dir": scratch}).items()]
        recipe, args = parse([options.recipe, *overrides, *settings], DistilRecipe)
        dataset = load_annotations(find_data(recipe.data), require_all=True)
        fold = nth_fold(dataset["train"], FOLDS, 0)
        train, held_back = dataset["train"].select(fold.train), dataset["train"].select(fold.held_back)
        curve = begin([options.recipe, *overrides], labels_sha256(dataset), len(held_back), options.output)
        for name, learn in ((TFIDF, baseline_learner(TFIDF)), (PLAIN, recipe_learner(recipe, args))):
            points = curve["systems"].setdefault(name, [])
            for part in list(parts(train))[len(points) :]:
                points.append(measure(learn, part, held_back))
                options.output.write_text(json.dumps(curve, indent=1) + "\n", encoding="utf-8")
                print(f"{name}: {points[-1]}", flush=True)


def begin(settings: list[str], labels: str, held_back: int, output: Path) -> dict:
    """Returns the curve with the points that an earlier start measured, if it had the same settings and labels."""
    empty = {"settings": settings, "labels_sha256": labels, "held_back_sentences": held_back}
    if output.exists():
        earlier = json.loads(output.read_text(encoding="utf-8"))
        if all(earlier.get(key) == value for key, value in empty.items()):
            return earlier
    return empty | {"systems": {}}


def parts(train: datasets.Dataset):
    """Yields growing parts of train, drawn by document."""
    documents = np.array(document_names(train))
    order = np.random.default_rng(0).permutation(np.unique(documents))
    for share in SHARES:
        yield train.select(np.flatnonzero(np.isin(documents, order[: round(share * len(order))])))


def measure(learn: Learn, train: datasets.Dataset, held_back: datasets.Dataset) -> dict:
    predictions, labels = learn(train)(held_back)
    figures = evaluate.load(str(METRICS), keep_in_memory=True).compute(predictions=predictions, references=labels)
    wanted = ("macro_f1", *(f"f1_{label}" for label in LABELS))
    return {"sentences": len(train)} | {key: figures[key] for key in wanted}


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"learning_curve.py: {error}")
