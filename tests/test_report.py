import json
import re
import subprocess
import sys

import datasets
import numpy as np
import pytest
from conftest import ANNOTATIONS, OWN_DATA, ROOT
from markupsafe import escape

from claimsift.annotations import load_annotations
from claimsift.hub import SHIPPED_MODEL, weights_sha256
from claimsift.model_card import REPORT, SPLITS
from eval.evaluate import MODEL, figures
from eval.predictions import Predictions, predict
from eval.report import each_once, errors, make_report, page, probability_figures, read_predictions, write_report

KEPT = ROOT / "eval" / "results" / "predictions"
SHIPPED_REPORT = json.loads((SHIPPED_MODEL / REPORT).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def own():
    """Two splits of the tests' own pieces, and the predictions of the shipped model and a useless system.

    The model gets every third sentence wrong, so that there is something to report.
    """
    dataset = load_annotations(OWN_DATA)
    uniform = {"uniform": lambda texts, labels, wanted: np.full((len(wanted), 4), 0.25)}
    predictions = {
        split: predict(dataset[split], dataset["train"], uniform, {MODEL: SHIPPED_MODEL}) for split in ("dev", "test")
    }
    for split in predictions.values():
        split.systems[MODEL][::3] = np.roll(split.systems[MODEL][::3], 1, axis=1)
    return dataset, predictions


@pytest.fixture(scope="module")
def report(own):
    dataset, predictions = own
    return make_report(SHIPPED_MODEL, predictions, dataset)


def test_the_command_makes_a_report_of_a_dataset_of_ones_own(tmp_path):
    command = [sys.executable, ROOT / "eval" / "report.py", "--data", OWN_DATA, "--output", "out"]
    done = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "out" / "report.json").read_text())
    assert list(made["splits"]) == ["dev"]  # test is for releases
    assert list(made["splits"]["dev"]["systems"])[-1] == MODEL
    assert made["weights_sha256"] == weights_sha256(SHIPPED_MODEL)
    assert (tmp_path / "out" / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_a_sentence_of_two_splits_is_audited_once():
    rows = load_annotations(OWN_DATA)["dev"]
    probabilities = np.eye(4)[[0] * len(rows)], np.eye(4)[[1] * len(rows)]
    joined, both = each_once(dict(enumerate(probabilities)), {0: rows, 1: rows})
    assert both["id"] == rows["id"]
    assert np.array_equal(joined, probabilities[0])


def test_the_page_needs_nothing_from_outside(report, own, tmp_path):
    write_report(report, tmp_path, own[0])
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|iframe|img)\b", html)
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", re.sub(r"xlink:href=\"#", "", html))
    assert html.count("<svg") == len(list(tmp_path.glob("*.png")))


def test_the_page_shows_texts_only_when_it_may(own, report, tmp_path):
    dataset, _ = own
    everything = datasets.concatenate_datasets(list(dataset.values()))
    texts = {row["id"]: row["text"] for row in everything}
    wrong = [error["id"] for split in report["splits"].values() for error in split["errors"]]
    assert wrong
    escaped = {id: str(escape(texts[id])) for id in wrong}
    assert all(escaped[id] in page(report, {}, dataset) for id in wrong)
    assert not any(escaped[id] in page(report, {}, None) for id in wrong)
    assert not any(texts[id] in json.dumps(report) for id in wrong)


def test_markup_in_a_text_is_text(own, report):
    dataset, _ = own
    nasty = {
        split: rows.map(lambda row: {"text": "<script>alert(1)</script>" + row["text"]})
        for split, rows in dataset.items()
    }
    html = page(report, {}, datasets.DatasetDict(nasty))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_errors_are_those_it_was_surest_of():
    labels = datasets.ClassLabel(names=["claim", "denial", "unverified_report", "background"])
    columns = {"id": list("abcd"), "label": [0, 0, 1, 3]}
    columns |= {key: [None] * 4 for key in ("source", "doc", "start", "end")}
    rows = datasets.Dataset.from_dict(columns).cast_column("label", labels)
    probabilities = np.array([[0.9, 0.1, 0, 0], [0.3, 0.7, 0, 0], [0.9, 0.1, 0, 0], [0, 0, 0, 1.0]])
    assert [(error["id"], error["label"], error["predicted"]) for error in errors(probabilities, rows)] == [
        ("c", "denial", "claim"),
        ("b", "claim", "denial"),
    ]


def test_the_temperature_is_taken_back_for_the_figures_before_calibration():
    logits = np.random.default_rng(0).normal(size=(200, 4)) * 3
    before, after = (np.exp(logits / t) / np.exp(logits / t).sum(-1, keepdims=True) for t in (1, 2))
    labels = logits.argmax(-1)
    measured = probability_figures(after, labels, 2.0)["calibration_bins"]
    unscaled = probability_figures(before, labels, None)["calibration_bins"]
    assert measured["before"]["ece"] == pytest.approx(unscaled["after"]["ece"])
    assert measured["before"]["ece"] != pytest.approx(measured["after"]["ece"])
    assert "before" not in unscaled


def test_the_shipped_report_is_about_the_shipped_weights():
    assert SHIPPED_REPORT["weights_sha256"] == weights_sha256(SHIPPED_MODEL)
    assert list(SHIPPED_REPORT["splits"]) == list(SPLITS)


def test_the_shipped_report_follows_from_the_predictions_that_were_kept(all_sources):
    dataset = load_annotations(ANNOTATIONS, require_all=True)
    everything = datasets.concatenate_datasets(list(dataset.values()))
    for split, predictions in read_predictions(KEPT).items():
        measured = json.loads(json.dumps(figures(predictions, predictions.rows(everything))))
        shipped = SHIPPED_REPORT["splits"][split]
        assert measured["systems"] == {
            name: pytest.approx(system, nan_ok=True) if isinstance(system, float) else system
            for name, system in shipped["systems"].items()
        }
        assert measured["calibration"] == pytest.approx(shipped["calibration"])


def test_the_kept_predictions_of_dev_are_what_the_shipped_model_says(predictor, all_sources):
    kept = read_predictions(KEPT)["dev"]
    rows = kept.rows(load_annotations(ANNOTATIONS, require_all=True)["dev"])
    scored = predictor.score_sentences(rows["text"])
    given = Predictions(kept.ids, {MODEL: np.array([list(sentence.scores.values()) for sentence in scored])})
    # Processors round the last bits of int8 sums alike and those of the rest not.
    assert (given.systems[MODEL].argmax(-1) == kept.systems[MODEL].argmax(-1)).mean() > 0.995
    assert given.systems[MODEL] == pytest.approx(kept.systems[MODEL], abs=0.02)
