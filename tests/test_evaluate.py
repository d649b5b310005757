import json
import subprocess
import sys

import datasets
import evaluate
import numpy as np
import pytest
from conftest import OWN_DATA, ROOT
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import document_names
from claimsift.labels import LABEL_TO_ID, LABELS
from eval.baselines import majority, rules, tfidf_logistic_regression
from eval.bootstrap import document_confusions, f1_scores, resample
from eval.evaluate import figures, mcnemar
from eval.predictions import Predictions


@pytest.fixture(scope="module")
def metric():
    return evaluate.load(str(ROOT / "eval" / "metrics" / "claim_metrics"), keep_in_memory=True)


@pytest.mark.parametrize("seed", range(5))
def test_the_metric_agrees_with_scikit_learn(metric, seed):
    references, predictions = np.random.default_rng(seed).integers(0, 4, (2, 60))
    figures = metric.compute(predictions=predictions, references=references)
    assert figures["macro_f1"] == pytest.approx(f1_score(references, predictions, average="macro"))
    assert figures["mcc"] == pytest.approx(matthews_corrcoef(references, predictions))
    assert figures["accuracy"] == pytest.approx((references == predictions).mean())
    for name, figure in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        by_label = figure(references, predictions, average=None)
        assert [figures[f"{name}_{label}"] for label in LABELS] == pytest.approx(by_label)
    assert np.sum(figures["confusion"]) == 60


def test_a_label_that_is_nowhere_counts_zero(metric):
    assert metric.compute(predictions=[3, 3], references=[3, 3])["macro_f1"] == 0.25


def test_f1_from_confusions_is_that_of_the_metric(metric):
    references, predictions = np.random.default_rng(0).integers(0, 4, (2, 60))
    confusions = document_confusions(predictions, references, [n // 7 for n in range(60)], 4)
    assert confusions.shape == (9, 4, 4)
    figures = metric.compute(predictions=predictions, references=references)
    assert f1_scores(confusions.sum(0)).tolist() == pytest.approx([figures[f"f1_{label}"] for label in LABELS])


def test_resamples_draw_whole_documents():
    confusions = np.zeros((2, 4, 4), dtype=int)
    confusions[0, 0, 0], confusions[1, 1, 1] = 10, 30
    sizes = set(resample(confusions).sum((1, 2)).tolist())
    assert sizes == {20, 40, 60}


def test_rules_follow_the_cue_words():
    sentences = {
        "The ministry denied that its aircraft had been in the area.": "denial",
        "He was denied bail.": "background",
        "He allegedly ran the scheme from his kitchen.": "unverified_report",
        "Local officials said the cell had been broken up.": "claim",
        "The army seized the town in May.": "background",
    }
    given = rules([], [], list(sentences))
    assert given.argmax(-1).tolist() == [LABEL_TO_ID[label] for label in sentences.values()]


def test_baselines_that_learn_learn_from_train():
    train = ["he denied it", "she denied all", "they left", "we left early", "they left soon"]
    labels = [1, 1, 3, 3, 3]
    assert majority(train, labels, ["x", "y"]).tolist() == [[0, 0.4, 0, 0.6]] * 2
    given = tfidf_logistic_regression(train, labels, ["they denied it", "he left early"])
    assert given.argmax(-1).tolist() == [1, 3]


def run(tmp_path, *options):
    command = [sys.executable, ROOT / "eval" / "evaluate.py", "--data", OWN_DATA, *options]
    return subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)


def test_the_report_holds_the_model_and_its_baselines(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "eval-results" / "dev.json").read_text())
    assert list(report["systems"]) == ["majority", "rules", "TF-IDF + logistic regression", "claimsift"]
    for system in report["systems"].values():
        low, high = system["interval"]["macro_f1"]
        assert 0 <= low <= high <= 1
    assert report["systems"]["claimsift"]["macro_f1"] > report["systems"]["majority"]["macro_f1"]
    assert (tmp_path / "eval-results" / "dev.md").read_text() in done.stdout


def test_test_is_not_to_be_had_by_the_way(tmp_path):
    done = run(tmp_path, "--split", "test")
    assert done.returncode == 2
    assert "invalid choice: 'test'" in done.stderr


def test_a_sentence_without_a_document_is_one_of_its_own(write_jsonl):
    rows = load_annotations(write_jsonl("a.jsonl", [{"text": str(n), "label": "claim"} for n in range(20)]))["train"]
    assert len(set(document_names(rows))) == len(rows)


def certain(*labels: int) -> np.ndarray:
    return np.eye(4)[list(labels)]


def rows_of(labels: list[int], documents: list[str]) -> datasets.Dataset:
    names = [f"{document}:{number}" for number, document in enumerate(documents)]
    columns = {"id": names, "source": [None] * len(names), "doc": documents, "label": labels}
    return datasets.Dataset.from_dict(columns)


def test_a_system_is_compared_with_the_last_one_on_the_same_sentences():
    labels = [0, 1, 2, 3] * 5
    rows = rows_of(labels, [str(number // 4) for number in range(20)])
    right, wrong = certain(*labels), certain(*([3] * 20))
    compared = figures(Predictions(rows["id"], {"other": wrong, "ours": right}), rows)["systems"]
    assert compared["other"]["ahead"]["macro_f1"] == pytest.approx(0.9)
    assert compared["other"]["ahead"]["interval"] == pytest.approx((0.9, 0.9))  # every document is alike
    assert compared["other"]["ahead"]["mcnemar"] == pytest.approx(2 * 0.5**15)  # 15 sentences to none
    assert "ahead" not in compared["ours"]


def test_mcnemar_counts_only_where_two_systems_differ():
    right, other = np.array([1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 1, 0], bool)
    assert mcnemar(right, other) == 1.0
    assert mcnemar(right, right) == 1.0
    assert mcnemar(np.ones(10, bool), np.zeros(10, bool)) == pytest.approx(2 * 0.5**10)
