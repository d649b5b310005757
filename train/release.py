"""Makes a release of a finished run: a folder laid out as a Hub repository, the library's shipped model by default.

python train/release.py runs/distilled --twin runs/distilled-twin --plain runs/default --plain-twin runs/default-twin

Weights are stored in fp16, and in int8 for a CPU (``export.py``). The report and the card that lie in the folder are
measured on it as it will ship and as the library runs it: on dev, on documents that the twins had not seen, and on
test and unseen_outlets, which are read here and nowhere else, once for each model; every reading is logged in
``eval/results/test_readings.jsonl``. The probabilities behind the figures are kept in ``eval/results/predictions``. All
of it is made inside the run's folder first, and put in place at the end.
"""

import argparse
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import datasets
import torch
import yaml
from calibrate import held_back_rows
from export import export
from finetune import labels_sha256
from folds import read_training
from safetensors.torch import load_file, save_file
from transformers import TrainingArguments

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # for eval/, which is no installed package

from claimsift.annotations import load_annotations
from claimsift.annotations.records import UNSEEN_OUTLETS
from claimsift.cards import fill_block, table
from claimsift.errors import ClaimsiftError
from claimsift.hub import SHIPPED_MODEL, weights_sha256
from claimsift.model_card import headline_table, write_model_card
from eval.baselines import BASELINES
from eval.calibration import with_temperature
from eval.evaluate import MODEL, figures
from eval.predictions import SUFFIX, Predictions, predict
from eval.report import RESULTS, make_report, read_predictions, systems, write_report

README = ROOT / "README.md"
TRAIN_README = ROOT / "train" / "README.md"
PREDICTIONS = RESULTS / "predictions"
READ_ONCE = ("test", UNSEEN_OUTLETS)  # they choose nothing
READINGS = RESULTS / "test_readings.jsonl"
COPIED = ("tokenizer.json", "tokenizer_config.json", "training.json")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="output_dir of a finished, calibrated run of distil.py")
    parser.add_argument("--twin", type=Path, required=True, help="output_dir of the run that held documents back")
    parser.add_argument("--plain", type=Path, required=True, help="output_dir of a plain fine-tune, to compare with")
    parser.add_argument("--plain-twin", type=Path, required=True, help="the same, which held the twin's documents back")
    # Not the installed package's folder: the release belongs into the repository, from which the wheel is built.
    parser.add_argument("--output", type=Path, default=ROOT / "model" / "claimsift" / SHIPPED_MODEL.name)
    options = parser.parse_args(arguments)

    dataset = load_annotations(ROOT / "data" / "annotations", require_all=True)
    check_complete(options.run / "model", dataset)
    read_training(options.plain)
    unseen = held_back_by_both(options.twin, options.plain_twin, dataset["train"])
    staging = options.run / "release"
    write_release(options.run / "model", staging)
    export(staging, dataset)
    temperature = read_training(options.run)["calibration"]["temperature"]
    models = systems(staging, options.plain / "model")
    predictions = {
        **{split: read_once(split, models, dataset, PREDICTIONS, READINGS) for split in READ_ONCE},
        "dev": predict(dataset["dev"], dataset["train"], BASELINES, models),
        "cross_validation": unseen_by_twins(
            systems(options.twin / "model", options.plain_twin / "model"), unseen, dataset, temperature
        ),
    }
    for split, predicted in predictions.items():
        predicted.write(PREDICTIONS / f"{split}{SUFFIX}")
    report = make_report(staging, read_predictions(PREDICTIONS), dataset)
    write_report(report, staging / "report")
    write_model_card(staging)
    put_in_place(staging, options.output)
    for split in ("dev", *READ_ONCE):
        fill_block(README, f"{split} figures", headline_table(report["splits"][split], split))
    fill_block(README, "example", example(options.output))
    fill_block(TRAIN_README, "cost", cost_table(options.run))
    print(f"released to {options.output}")


def check_complete(model: Path, dataset: datasets.DatasetDict) -> None:
    """Raises ClaimsiftError unless the run is finished, calibrated, and was trained on the dataset as it is now."""
    training = read_training(model.parent)
    if "calibration" not in training:
        raise ClaimsiftError(f"{model}: is not calibrated; train a twin and run train/calibrate.py")
    if training["labels_sha256"] != labels_sha256(dataset):
        raise ClaimsiftError(f"{model}: was trained on other labels than the dataset holds; train it anew")


def write_release(model: Path, folder: Path) -> None:
    """Writes everything but the measured figures into ``folder``, anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        shutil.copyfile(model / name, folder / name)
    training = read_training(model.parent)
    weights = calibrate(load_file(model / "model.safetensors"), training.get("calibration"))
    weights = {name: weight.to(torch.float16) for name, weight in weights.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    # The weights' own precision is what they are stored in; this setting is what they are computed in.
    config = json.loads((model / "config.json").read_text(encoding="utf-8")) | {"dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(training["recipe"], sort_keys=False), encoding="utf-8")


def calibrate(weights: dict[str, torch.Tensor], calibration: dict | None) -> dict[str, torch.Tensor]:
    """Divides the logits by the temperature of ``calibrate.py``: the classifier is the last layer, and linear."""
    if calibration is None:
        return weights
    scaled = {name: weights[name] / calibration["temperature"] for name in ("classifier.weight", "classifier.bias")}
    return weights | scaled


def read_once(
    split: str, models: dict[str, Path], dataset: datasets.DatasetDict, folder: Path, log: Path
) -> Predictions:
    """Returns the predictions on a split: made now, or at an earlier attempt at the release of the same models."""
    weights = {name: weights_sha256(model) for name, model in models.items()}
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    entries = [entry for entry in entries if entry["split"] == split]
    if entries and entries[-1].get("weights") == weights:
        return Predictions.read(folder / f"{split}{SUFFIX}")
    predictions = predict(dataset[split], dataset["train"], BASELINES, models)
    predictions.write(folder / f"{split}{SUFFIX}")
    entry = {"split": split, "read": datetime.now(UTC).isoformat(timespec="seconds"), "weights": weights}
    with log.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry | {"report": figures(predictions, dataset[split])}) + "\n")
    return predictions


def held_back_by_both(twin: Path, plain_twin: Path, train: datasets.Dataset) -> datasets.Dataset:
    rows, plain_rows = (held_back_rows(run, train) for run in (twin, plain_twin))
    if rows["id"] != plain_rows["id"]:
        raise ClaimsiftError(f"{plain_twin}: held back other documents than {twin}; train it with the same hold_back")
    return rows


def unseen_by_twins(
    twins: dict[str, Path], unseen: datasets.Dataset, dataset: datasets.DatasetDict, temperature: float
) -> Predictions:
    """Returns predictions on the documents that the twins held back, and on dev: a second opinion on the rare labels.

    The baselines learn from what is left of train; the model's twin gets the temperature of the release.
    """
    ids = set(unseen["id"])
    rest = dataset["train"].filter(lambda id: id not in ids, input_columns="id")
    rows = datasets.concatenate_datasets([unseen, dataset["dev"]])
    predictions = predict(rows, rest, BASELINES, twins)
    calibrated = with_temperature(predictions.systems[MODEL], temperature)
    return Predictions(predictions.ids, predictions.systems | {MODEL: calibrated})


def example(model: Path) -> str:
    """What the README's first command prints."""
    command = [sys.executable, "-m", "claimsift.cli", "score", "examples/ferry.txt", "--model", str(model)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return f"```text\n{done.stdout.strip()}\n```"


def cost_table(run: Path) -> str:
    """How long the run, the teachers behind it and what those started from took to train."""
    rows = []
    for folder in (*runs_behind(run), run):
        training = read_training(folder)
        epochs = training["recipe"].get("num_train_epochs", TrainingArguments.num_train_epochs)
        rows.append([folder.name, training["sentences"]["train"], f"{epochs:g}", round(training["train_seconds"] / 60)])
    return table(["run", "labelled sentences", "epochs", "minutes"], rows)


def runs_behind(run: Path) -> list[Path]:
    """Returns the runs whose models a run learnt or started from, the earliest first, each once."""
    recipe = read_training(run)["recipe"]
    started_from = [Path(recipe["base"]).parent] if (Path(recipe["base"]) / "training.json").exists() else []
    nearest = [*started_from, *map(Path, recipe.get("teachers", []))]
    return list(dict.fromkeys(folder for near in nearest for folder in (*runs_behind(near), near)))


def put_in_place(staging: Path, output: Path) -> None:
    """Copies the folder to where it belongs; it appears under that name only once all of it is there."""
    part = output.with_name(output.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(staging, part)
    shutil.rmtree(output, ignore_errors=True)
    part.replace(output)


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"release.py: {error}")
