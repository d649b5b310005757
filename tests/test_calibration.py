import numpy as np
import pytest
from scipy.special import softmax

from eval.calibration import brier_score, expected_calibration_error
from train.calibrate import fit_temperature


def test_the_calibration_error_of_a_worked_example():
    """Ten sentences at 90% of which six are right, ten at 60% of which six are right: (0.3 + 0) / 2."""
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    labels = np.array(([0] * 6 + [1] * 4) * 2)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.15)


def test_the_brier_score_of_a_worked_example():
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert brier_score(probabilities, np.array([0, 0, 0])) == pytest.approx((0 + 0.5 + 2) / 3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_spoilt_the_logits_is_found(temperature):
    random = np.random.default_rng(0)
    honest = random.normal(size=(20_000, 4)) * 2
    probabilities = softmax(honest, axis=-1)
    labels = np.array([random.choice(4, p=row) for row in probabilities])
    assert fit_temperature(honest * temperature, labels) == pytest.approx(temperature, rel=0.05)
