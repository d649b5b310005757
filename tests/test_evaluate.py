import json
import subprocess
import sys

import evaluate
import numpy as np
import pytest
from conftest import OWN_DATA, ROOT
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import document_names
from claimsift.hub import SHIPPED_MODEL, weights_sha256
from claimsift.labels import LABEL_TO_ID, LABELS
from eval.baselines import majority, rules, tfidf_logistic_regression
from eval.bootstrap import document_confusions, f1_scores, resample


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
    assert rules([], [], list(sentences)) == [LABEL_TO_ID[label] for label in sentences.values()]


def test_baselines_that_learn_learn_from_train():
    train = ["he denied it", "she denied all", "they left", "we left early", "they left soon"]
    labels = [1, 1, 3, 3, 3]
    assert majority(train, labels, ["x", "y"]) == [3, 3]
    assert tfidf_logistic_regression(train, labels, ["they denied it", "he left early"]) == [1, 3]


def run(tmp_path, *options):
    command = [sys.executable, ROOT / "eval" / "evaluate.py", "--data", OWN_DATA, *options]
    return subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)


def test_the_report_holds_the_model_and_its_baselines(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "eval-results" / "dev.json").read_text())
    assert list(report["systems"]) == ["majority", "rules", "TF-IDF + logistic regression", "claimsift"]
    for figures in report["systems"].values():
        low, high = figures["interval"]["macro_f1"]
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


def test_the_released_figures_are_those_of_the_shipped_model():

    for split in ("dev", "test"):
        report = json.loads((ROOT / "eval" / "results" / f"{split}.json").read_text())
        assert report["weights_sha256"] == weights_sha256(SHIPPED_MODEL)
