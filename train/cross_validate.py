"""Measures a recipe on train itself: no document is scored by a model that has seen it.

python train/cross_validate.py train/recipes/default.yaml --name default [--any_option value]

Every fold's model is trained for all epochs of the recipe and its last weights are taken, since the held-back fold may
not choose among them. ``--runs`` measures finished runs instead, each on the fold that it held back. A line with the
figures is added to ``cross_validation.jsonl`` beside this file, and the table of README.md is written anew.
"""

import argparse
import json
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for eval/, which is no installed package

import datasets
import evaluate
import numpy as np
from distil import soft_label_logits
from finetune import METRICS, Recipe, find_data, make_trainer, parse, tokenize, without
from folds import Fold, held_back_fold, split
from joblib import Parallel, delayed
from transformers import TrainingArguments

from claimsift.annotations import load_annotations
from claimsift.cards import fill_block, table
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from eval.baselines import BASELINES

LOG = HERE / "cross_validation.jsonl"
RECIPE = "train/recipes/default.yaml"  # which the table does not name
FOLDS = 3
# A fold has neither a dev split to choose an epoch by nor anything to keep.
UNSAVED = {"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": "false", "report_to": "none"}


Scored = tuple[list[int], list[int]]  # predicted labels, and those of the same sentences
Predict = Callable[[datasets.Dataset], Scored]
Learn = Callable[[datasets.Dataset], Predict]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("recipe")
    parser.add_argument("--name", required=True, help="what the table calls these settings")
    parser.add_argument("--baseline", choices=BASELINES, help="measure this instead of the recipe")
    parser.add_argument("--runs", type=Path, nargs="+", help="measure these, trained with --folds and --hold_back")
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--jobs", type=int, default=1, help="folds trained side by side, the threads shared among them")
    parser.add_argument("--first", type=int, help="stop after this many folds: a cheaper look")
    parser.add_argument(
        "--leave_out", choices=("document", "source", "outlet"), default="document", help="what is held back"
    )
    parser.add_argument("--log", type=Path, default=LOG)
    options, overrides = parser.parse_known_args(arguments)
    if options.runs and options.leave_out != "document":
        raise ClaimsiftError("--runs are measured on the documents that they held back, not on sources or outlets")

    with tempfile.TemporaryDirectory() as scratch:
        settings = [f"--{key}={value}" for key, value in (UNSAVED | {"output_dir": scratch}).items()]
        recipe, args = parse([options.recipe, *overrides, *settings])
        dataset = load_annotations(find_data(recipe.data), require_all=True)
        dataset["train"] = without(recipe.without, dataset["train"])
        if options.runs:
            tasks = [(run_learner(run, args), held_back_fold(run, dataset["train"])) for run in options.runs]
        else:
            learn = baseline_learner(options.baseline) if options.baseline else recipe_learner(recipe, args)
            folds = list(split(dataset["train"], options.folds, options.leave_out))[: options.first]
            tasks = [(learn, fold) for fold in folds]
        figures = cross_validate(tasks, dataset, options.jobs)
    entry = {"name": options.name, "leave_out": options.leave_out, "options": described(options, overrides), **figures}
    with options.log.open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")
    if options.log == LOG:
        fill_block(HERE / "README.md", "cross-validation", to_table(LOG))
    print(json.dumps(entry, indent=2))


def described(options: argparse.Namespace, overrides: list[str]) -> list[str]:
    """Returns the options that decide the figures."""
    chosen = [] if options.recipe == RECIPE else [options.recipe]
    if options.runs:
        chosen += ["--runs", *map(str, options.runs)]
    for name, default in (("baseline", None), ("folds", FOLDS), ("first", None)):
        value = getattr(options, name)
        chosen += [] if value == default else [f"--{name}", str(value)]
    return [*chosen, *overrides]


def recipe_learner(recipe: Recipe, args: TrainingArguments) -> Learn:
    def learn(train: datasets.Dataset) -> Predict:
        trainer = make_trainer(recipe, args, train, None)
        trainer.train()

        def predict(rows: datasets.Dataset) -> Scored:
            output = trainer.predict(tokenize(rows, trainer.processing_class, recipe))
            # Both in the Trainer's order, which need not be that of the rows.
            return output.predictions.argmax(-1).tolist(), output.label_ids.tolist()

        return predict

    return learn


def baseline_learner(name: str) -> Learn:
    def learn(train: datasets.Dataset) -> Predict:
        def predict(rows: datasets.Dataset) -> Scored:
            probabilities = BASELINES[name](list(train["text"]), list(train["label"]), list(rows["text"]))
            return probabilities.argmax(-1).tolist(), list(rows["label"])

        return predict

    return learn


def run_learner(run: Path, args: TrainingArguments) -> Learn:
    """Returns a learner that has learnt already."""

    def learn(train: datasets.Dataset) -> Predict:
        def predict(rows: datasets.Dataset) -> Scored:
            logits = soft_label_logits(run / "model", list(rows["text"]), args)
            return logits.argmax(-1).tolist(), list(rows["label"])

        return predict

    return learn


def cross_validate(tasks: list[tuple[Learn, Fold]], dataset: datasets.DatasetDict, jobs: int = 1) -> dict:
    """Trains a model for each fold.

    Returns:
        ``held_back``: figures of ``claim_metrics`` over the held-back sentences of all folds together. ``folds``:
        macro-F1 of each. ``dev``: the mean of the fold models' figures on dev.
    """
    metric = evaluate.load(str(METRICS), keep_in_memory=True)
    all_predictions, all_labels, by_fold, on_dev = [], [], {}, []
    scored = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(score_fold)(learn, dataset, fold) for learn, fold in tasks
    )
    for (_, fold), (held_back, dev) in zip(tasks, scored, strict=True):
        predictions, labels = held_back
        all_predictions += predictions
        all_labels += labels
        by_fold[fold.name] = metric.compute(predictions=predictions, references=labels)["macro_f1"]
        on_dev.append(metric.compute(predictions=dev[0], references=dev[1]))
        print(f"fold {fold.name}: macro-F1 {by_fold[fold.name]:.3f}, on dev {on_dev[-1]['macro_f1']:.3f}", flush=True)
    wanted = ("macro_f1", *(f"f1_{label}" for label in LABELS))
    held_back = metric.compute(predictions=all_predictions, references=all_labels)
    return {
        "held_back": {"sentences": len(all_labels)} | {key: held_back[key] for key in wanted},
        "folds": by_fold,
        "dev": {key: float(np.mean([figures[key] for figures in on_dev])) for key in wanted},
    }


def score_fold(learn: Learn, dataset: datasets.DatasetDict, fold: Fold) -> tuple[Scored, Scored]:
    """Returns predictions and labels of the held-back sentences, and of dev."""
    predict = learn(dataset["train"].select(fold.train))
    return predict(dataset["train"].select(fold.held_back)), predict(dataset["dev"])


def to_table(log: Path) -> str:
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    header = ["settings", "held back", "macro-F1", *LABELS, "of each fold", "dev macro-F1", *LABELS]
    return table(header, [_row(entry) for entry in entries])


def _row(entry: dict) -> list[str]:
    settings = f"{entry['name']}: `{shlex.join(entry['options'])}`" if entry["options"] else entry["name"]
    folds = ", ".join(f"{name}: {figure:.3f}" for name, figure in entry["folds"].items())
    return [settings, entry["leave_out"], *_figures(entry["held_back"]), folds, *_figures(entry["dev"])]


def _figures(figures: dict) -> list[str]:
    return [f"{figures['macro_f1']:.3f}", *(f"{figures[f'f1_{label}']:.2f}" for label in LABELS)]


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"cross_validate.py: {error}")
