import numpy as np
import pytest

from claimsift.labels import LABELS
from eval.curves import precision_recall, selective


def test_a_perfect_ranking_has_an_average_precision_of_one():
    labels = np.arange(40) % 4
    curves = precision_recall(0.7 * np.eye(4)[labels] + 0.075, labels)
    assert list(curves) == list(LABELS)
    for curve in curves.values():
        assert curve["average_precision"] == pytest.approx(1)
        assert curve["points"][-1] == [0, 1]


def test_a_label_that_does_not_occur_has_no_curve():
    assert list(precision_recall(np.full((4, 4), 0.25), np.array([0, 0, 3, 3]))) == ["claim", "background"]


def test_quality_is_that_of_the_sentences_kept():
    # The model is right on the half that it is sure of, and wrong on the rest.
    labels = np.array([0, 1, 2, 3] * 10)
    sure = np.arange(40) < 20
    predicted = np.where(sure, labels, (labels + 1) % 4)
    probabilities = np.where(sure, 0.9, 0.6)[:, None] * np.eye(4)[predicted] + 0.01
    steps = {step["kept"]: step for step in selective(probabilities, labels)}
    assert steps[1.0]["accuracy"] == pytest.approx(0.5)
    assert steps[0.5]["accuracy"] == steps[0.5]["macro_f1"] == 1
    assert steps[0.5]["score"] == pytest.approx(0.91)
    assert steps[0.8]["accuracy"] == pytest.approx(20 / 32)
