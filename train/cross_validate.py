"""Measures a recipe on train itself: no document is scored by a model that has seen it.

python train/cross_validate.py train/recipes/default.yaml --name default [--any_option value]

Every fold's model is trained for all epochs of the recipe and its last weights are taken, since the held-back fold may
not choose among them. ``--runs`` measures finished runs instead, each on the fold that it held back. A line with the
figures is added to ``cross_validation.jsonl`` beside this file, and the table of README.md is written anew.
"""

import argparse
import copy
import json
import shlex
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))  # for eval/, which is no installed package

import datasets
import evaluate
import numpy as np
from distil import DistilRecipe, make_student, not_seen, soft_label_logits
from finetune import METRICS, find_data, make_trainer, parse, tokenize, without
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


class Task(NamedTuple):
    """One model to measure."""

    learn: Learn
    fold: Fold
    seed: int


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], allow_abbrev=False)
    parser.add_argument("recipe")
    parser.add_argument("--name", required=True, help="what the table calls these settings")
    parser.add_argument("--baseline", choices=BASELINES, help="measure this instead of the recipe")
    parser.add_argument("--runs", type=Path, nargs="+", help="measure these, trained with --folds and --hold_back")
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--jobs", type=int, default=1, help="folds trained side by side, the threads shared among them")
    parser.add_argument("--first", type=int, help="stop after this many folds: a cheaper look")
    parser.add_argument("--seeds", type=int, nargs="+", help="train every fold once with each of these")
    parser.add_argument(
        "--leave_out", choices=("document", "source", "outlet"), default="document", help="what is held back"
    )
    parser.add_argument("--log", type=Path, default=LOG)
    options, overrides = parser.parse_known_args(arguments)
    if options.runs and options.leave_out != "document":
        raise ClaimsiftError("--runs are measured on the documents that they held back, not on sources or outlets")
    if options.seeds and (options.runs or options.baseline):
        raise ClaimsiftError("--seeds are for models that are trained here, not for --runs or --baseline")

    with tempfile.TemporaryDirectory() as scratch:
        settings = [f"--{key}={value}" for key, value in (UNSAVED | {"output_dir": scratch}).items()]
        recipe, args = parse([options.recipe, *overrides, *settings], DistilRecipe)
        dataset = load_annotations(find_data(recipe.data), require_all=True)
        dataset["train"] = without(recipe.without, dataset["train"])
        figures = cross_validate(make_tasks(options, recipe, args, dataset["train"]), dataset, options.jobs)
    entry = {"name": options.name, "leave_out": options.leave_out, "options": described(options, overrides), **figures}
    with options.log.open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")
    if options.log == LOG:
        fill_block(HERE / "README.md", "cross-validation", to_table(LOG))
    print(json.dumps(entry, indent=2))


def make_tasks(
    options: argparse.Namespace, recipe: DistilRecipe, args: TrainingArguments, train: datasets.Dataset
) -> list[Task]:
    if options.runs:
        return [Task(run_learner(run, args), held_back_fold(run, train), args.seed) for run in options.runs]
    folds = list(split(train, options.folds, options.leave_out))[: options.first]
    if options.baseline:
        return [Task(baseline_learner(options.baseline), fold, args.seed) for fold in folds]
    for teacher in recipe.teachers:
        if not all(not_seen(Path(teacher), train.select(fold.held_back)).all() for fold in folds):
            raise ClaimsiftError(f"{teacher}: has seen what is to be held back; take one that held it back too")
    learners = {seed: recipe_learner(recipe, with_seed(args, seed)) for seed in options.seeds or [args.seed]}
    return [Task(learn, fold, seed) for seed, learn in learners.items() for fold in folds]


def with_seed(args: TrainingArguments, seed: int) -> TrainingArguments:
    args = copy.copy(args)
    args.seed = seed
    return args


def described(options: argparse.Namespace, overrides: list[str]) -> list[str]:
    """Returns the options that decide the figures."""
    chosen = [] if options.recipe == RECIPE else [options.recipe]
    if options.runs:
        chosen += ["--runs", *map(str, options.runs)]
    for name, default in (("baseline", None), ("folds", FOLDS), ("first", None)):
        value = getattr(options, name)
        chosen += [] if value == default else [f"--{name}", str(value)]
    if options.seeds:
        chosen += ["--seeds", *map(str, options.seeds)]
    return [*chosen, *overrides]


def recipe_learner(recipe: DistilRecipe, args: TrainingArguments) -> Learn:
    def learn(train: datasets.Dataset) -> Predict:
        trainer = (make_student if recipe.teachers else make_trainer)(recipe, args, train, None)
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


def cross_validate(tasks: list[Task], dataset: datasets.DatasetDict, jobs: int = 1) -> dict:
    """Trains a model for each task.

    Returns:
        ``held_back``: figures of ``claim_metrics`` over the held-back sentences of all folds together, the mean over
        seeds. ``folds``: macro-F1 of each, likewise. ``seeds``: macro-F1 with each seed. ``dev``: the mean of all
        models' figures on dev.
    """
    metric = evaluate.load(str(METRICS), keep_in_memory=True)
    scored = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(score_fold)(task.learn, dataset, task.fold) for task in tasks
    )
    by_fold, by_seed, on_dev = defaultdict(list), {}, []
    for task, (held_back, dev) in zip(tasks, scored, strict=True):
        together = by_seed.setdefault(task.seed, ([], []))
        for some, more in zip(together, held_back, strict=True):
            some += more
        by_fold[task.fold.name].append(compute(metric, held_back)["macro_f1"])
        on_dev.append(compute(metric, dev))
        figure = by_fold[task.fold.name][-1]
        print(f"fold {task.fold.name}: macro-F1 {figure:.3f}, on dev {on_dev[-1]['macro_f1']:.3f}", flush=True)
    of_seeds = {str(seed): compute(metric, together) for seed, together in by_seed.items()}
    return {
        "held_back": {"sentences": len(together[0])} | mean_figures(of_seeds.values()),
        "folds": {name: float(np.mean(values)) for name, values in by_fold.items()},
        "seeds": {seed: figures["macro_f1"] for seed, figures in of_seeds.items()},
        "dev": mean_figures(on_dev),
    }


def compute(metric: evaluate.EvaluationModule, scored: Scored) -> dict[str, float]:
    predictions, labels = scored
    figures = metric.compute(predictions=predictions, references=labels)
    return {key: figures[key] for key in ("macro_f1", *(f"f1_{label}" for label in LABELS))}


def mean_figures(figures: Collection[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([some[key] for some in figures])) for key in next(iter(figures))}


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
    held_back, *of_labels = _figures(entry["held_back"])
    seeds = list(entry.get("seeds", {}).values())
    if len(seeds) > 1:
        held_back += f" ± {np.std(seeds, ddof=1):.3f}"
    return [settings, entry["leave_out"], held_back, *of_labels, folds, *_figures(entry["dev"])]


def _figures(figures: dict) -> list[str]:
    return [f"{figures['macro_f1']:.3f}", *(f"{figures[f'f1_{label}']:.2f}" for label in LABELS)]


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"cross_validate.py: {error}")
