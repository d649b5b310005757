import numpy as np
import pytest
from scipy.special import softmax

from eval.calibration import Calibration, brier_score, expected_calibration_error
from train.calibrate import fit, fit_by_halves


def test_the_calibration_error_of_a_worked_example():
    """Ten sentences at 90% of which six are right, ten at 60% of which six are right: (0.3 + 0) / 2."""
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    labels = np.array(([0] * 6 + [1] * 4) * 2)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.15)


def test_the_brier_score_of_a_worked_example():
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert brier_score(probabilities, np.array([0, 0, 0])) == pytest.approx((0 + 0.5 + 2) / 3)


BIASES = (0.3, -0.6, -0.2, 0.5)


@pytest.fixture
def honest():
    """Probabilities, and labels that are drawn by them."""
    random = np.random.default_rng(0)
    probabilities = softmax(random.normal(size=(20_000, 4)) * 2, axis=-1)
    return probabilities, np.array([random.choice(4, p=row) for row in probabilities])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_what_spoilt_the_logits_is_found(honest, temperature):
    probabilities, labels = honest
    spoilt = Calibration(temperature, BIASES).undo(probabilities)
    found = fit(spoilt, labels)
    assert found.temperature == pytest.approx(temperature, rel=0.05)
    assert found.biases == pytest.approx(BIASES, abs=0.08)
    assert sum(found.biases) == pytest.approx(0)


def test_a_calibration_can_be_undone(honest):
    calibration = Calibration(1.7, BIASES)
    assert calibration.undo(calibration.apply(honest[0])) == pytest.approx(honest[0])


def test_by_halves_no_document_is_calibrated_by_itself(honest):
    """Half of the documents are labelled at random: fitted on the others, that must not show in their confidence."""
    probabilities, labels = honest[0][:2000], honest[1][:2000].copy()
    documents = [str(number // 1000) for number in range(2000)]
    labels[1000:] = np.random.default_rng(1).integers(0, 4, 1000)
    calibrated = fit_by_halves(probabilities, labels, documents)
    assert expected_calibration_error(calibrated[1000:], labels[1000:]) > 0.2
    own = fit(probabilities[1000:], labels[1000:]).apply(probabilities[1000:])
    assert expected_calibration_error(own, labels[1000:]) < 0.05
