"""Makes the evaluation report of a model: a page to read, the figures as JSON, and pictures.

python eval/report.py --model runs/distilled/model [--plain runs/default/model]
python eval/report.py --predictions eval/results/predictions

The first scores dev with the model and with systems that learn from the same sentences. The second works out the report
of the shipped model again, from the probabilities that were kept when it was released: dev, test, and the documents
that a twin of the model had not seen. The page shows the sentences that the model got wrong, so keep it to yourself:
news texts are not ours to publish. ``--without-texts`` leaves them out.
"""

import argparse
import io
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A file beside this one has the name of a Hugging Face library: run as a script, this folder must not come first.
if Path(sys.path[0]).resolve() == ROOT / "eval":
    sys.path[0] = str(ROOT)

import datasets
import jinja2
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from claimsift import Predictor
from claimsift.annotations import load_annotations
from claimsift.errors import ClaimsiftError
from claimsift.hub import resolve_model, weights_sha256
from claimsift.labels import COLOURS, LABELS
from claimsift.model_card import SPLITS, last_system, plain_name
from eval.baselines import BASELINES
from eval.behaviour.suite import load_suite, run_suite
from eval.calibration import reliability, with_temperature
from eval.curves import precision_recall, selective
from eval.evaluate import MODEL, calibration_figures, check_splits, figures
from eval.label_noise import audit
from eval.plots import draw
from eval.predictions import SUFFIX, Predictions, predict
from eval.slices import slice_figures

RESULTS = ROOT / "eval" / "results"
PLAIN = "plain fine-tune"
ERRORS = 100
# Written for the model card, where the Hub shows them with what the model says.
EXAMPLES = (
    "The ministry denied that its aircraft had been in the area.",
    "Local officials said the cell had been broken up.",
    "He allegedly ran the scheme from his kitchen.",
    "It was not immediately clear who had fired the shot.",
    "The army seized the town in May.",
    "The minister was denied entry at the border.",
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder or Hub id; the shipped model by default")
    parser.add_argument("--plain", type=Path, help="model folder of a plain fine-tune, to compare with")
    parser.add_argument("--predictions", type=Path, help="folder of kept predictions, instead of scoring dev")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "annotations")
    parser.add_argument("--output", type=Path, default=Path("eval-report"), help="folder (default: eval-report)")
    parser.add_argument("--without-texts", action="store_true", help="leave out sentences of the dataset")
    options = parser.parse_args(arguments)
    dataset = load_annotations(options.data, require_all=True)
    model = resolve_model(options.model)
    if options.predictions:
        predictions = read_predictions(options.predictions)
    else:
        check_splits(dataset, "dev")
        predictions = {"dev": predict(dataset["dev"], dataset["train"], BASELINES, systems(model, options.plain))}
    write_report(make_report(model, predictions, dataset), options.output, None if options.without_texts else dataset)
    print(f"the report is in {options.output / 'report.html'}")


def systems(model: Path, plain: Path | None) -> dict[str, Path]:
    """Returns the folders of the models that are measured, the reported one last."""
    return ({PLAIN: plain} if plain else {}) | {MODEL: model}


def read_predictions(folder: Path) -> dict[str, Predictions]:
    found = {split: folder / f"{split}{SUFFIX}" for split in SPLITS}
    predictions = {split: Predictions.read(path) for split, path in found.items() if path.is_file()}
    if not predictions:
        raise ClaimsiftError(f"{folder}: holds no predictions; train/release.py keeps them")
    return predictions


def make_report(model: Path, predictions: dict[str, Predictions], dataset: datasets.DatasetDict) -> dict:
    """Works out everything that the report says.

    Args:
        model: folder of the model.
        predictions: for each of ``SPLITS`` that was measured; the model's own stand last.
        dataset: all splits, for labels, documents and offsets.
    """
    everything = datasets.concatenate_datasets(list(dataset.values()))
    rows = {split: predictions[split].rows(everything) for split in SPLITS if split in predictions}
    training = json.loads((model / "training.json").read_text(encoding="utf-8"))
    calibration = training.get("calibration", {})
    own = {split: predictions[split].systems[MODEL] for split in rows}
    predictor, weights = Predictor.from_pretrained(model), weights_sha256(model)
    return {
        "weights_sha256": weights,
        "train_sentences": training["sentences"]["train"],  # the dataset may have grown since
        "training": {key: training.get("recipe", {}).get(key) for key in ("base", "data", "teachers")},
        "splits": {
            split: figures(predictions[split], rows[split])
            | probability_figures(own[split], np.array(rows[split]["label"]), calibration.get("temperature"))
            | {"slices": slice_figures(own[split], rows[split]), "errors": errors(own[split], rows[split])}
            for split in rows
        },
        "label_noise": audit(*each_once(own, rows)),
        "behaviour": run_suite(predictor, load_suite()),
        "examples": examples(predictor),
        "learning_curve": read_results("learning_curve"),
        "speed": speed(weights),
    }


def each_once(
    probabilities: dict[str, np.ndarray], rows: dict[str, datasets.Dataset]
) -> tuple[np.ndarray, datasets.Dataset]:
    """Joins splits; of a sentence that stands in two, as those of dev do, the first is taken."""
    joined = datasets.concatenate_datasets(list(rows.values()))
    first = np.sort(np.unique(joined["id"], return_index=True)[1])
    return np.concatenate(list(probabilities.values()))[first], joined.select(first)


def probability_figures(probabilities: np.ndarray, labels: np.ndarray, temperature: float | None) -> dict:
    """Works out what shows how far the model's probabilities can be relied on.

    Args:
        probabilities: ``(sentences, 4)``, calibrated.
        labels: ``(sentences,)``.
        temperature: by which the model's logits were divided, if they were.
    """
    stages = {"after": probabilities}
    if temperature:
        stages = {"before": with_temperature(probabilities, 1 / temperature)} | stages
    return {
        "calibration_bins": {
            name: calibration_figures(stage, labels) | {"bins": reliability(stage, labels)}
            for name, stage in stages.items()
        },
        "precision_recall": precision_recall(probabilities, labels),
        "selective": selective(probabilities, labels),
    }


def errors(probabilities: np.ndarray, rows: datasets.Dataset) -> list[dict]:
    """Returns the hundred errors that the model was surest of, by offsets, without any text."""
    predicted, labels = probabilities.argmax(-1), np.array(rows["label"])
    wrong = np.flatnonzero(predicted != labels)
    surest = wrong[np.argsort(-probabilities[wrong].max(-1), kind="stable")][:ERRORS]
    return [
        {key: rows[index][key] for key in ("id", "source", "doc", "start", "end")}
        | {
            "label": LABELS[labels[index]],
            "predicted": LABELS[predicted[index]],
            "score": float(probabilities[index].max()),
        }
        for index in surest.tolist()
    ]


def examples(predictor: Predictor) -> list[dict]:
    """Returns what the model says of the examples, in the form of the Hub's widget."""
    return [
        {
            "text": sentence.text,
            "output": [
                {"label": label, "score": round(score, 3)}
                for label, score in sorted(sentence.scores.items(), key=lambda item: -item[1])
            ],
        }
        for sentence in predictor.score_sentences(EXAMPLES)
    ]


def read_results(name: str) -> dict | None:
    """Returns the committed results of another command, if there are any."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def speed(weights: dict[str, str]) -> dict | None:
    """Returns what ``benchmark.py`` measured of this very model."""
    measured = read_results("benchmark")
    return measured if measured and measured["model_sha256"] in weights.values() else None


def write_report(report: dict, folder: Path, dataset: datasets.DatasetDict | None = None) -> None:
    """Writes ``report.json``, ``report.html`` and the pictures; with a dataset, the page shows sentences too."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    # Text as text keeps the page small; the salt and the missing date make the same figures give the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "claimsift", "font.family": "sans-serif"}):
        pictures = draw(report)
        for name, picture in pictures.items():
            picture.savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})
        drawings = {name: as_svg(picture) for name, picture in pictures.items()}
    (folder / "report.html").write_text(page(report, drawings, dataset), encoding="utf-8")


def as_svg(picture: Figure) -> str:
    stream = io.StringIO()
    picture.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    drawn = stream.getvalue()
    return drawn[drawn.index("<svg") :]


def page(report: dict, drawings: dict[str, str], dataset: datasets.DatasetDict | None) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.jinja").render(
        report=report,
        drawings=drawings,
        labels=LABELS,
        colours=COLOURS,
        plain_name=plain_name,
        last_system=last_system,
        sentences=sentences(report, dataset) if dataset else None,
    )


def sentences(report: dict, dataset: datasets.DatasetDict) -> dict[str, dict]:
    """Returns text and context of the sentences that the report names, by their ids."""
    named = {error["id"] for figures in report["splits"].values() for error in figures["errors"]}
    named.update(suspect["id"] for suspect in report["label_noise"]["worst"])
    everything = datasets.concatenate_datasets(list(dataset.values()))
    return {row["id"]: row for row in everything.filter(lambda row: row["id"] in named)}


if __name__ == "__main__":
    try:
        main()
    except ClaimsiftError as error:
        sys.exit(f"report.py: {error}")
