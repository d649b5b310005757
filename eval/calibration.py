"""How far a model's probabilities can be taken at their word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from claimsift.labels import LABELS

BINS = 15


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean gap between confidence and accuracy, over fifteen equal bins of confidence.

    Guo et al. 2017, https://arxiv.org/abs/1706.04599: of the predicted label; each bin weighs by its sentences.

    Args:
        probabilities: ``(sentences, labels)``.
        labels: ``(sentences,)``, the labels' ids.
    """
    bins = reliability(probabilities, labels)
    return sum(abs(bin["accuracy"] - bin["confidence"]) * bin["sentences"] for bin in bins) / len(labels)


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Returns the bins of the reliability diagram that hold a sentence: its mean confidence, accuracy, sentences."""
    confidence = probabilities.max(-1)
    correct = probabilities.argmax(-1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "confidence": float(confidence[bins == bin].mean()),
            "accuracy": float(correct[bins == bin].mean()),
            "sentences": int((bins == bin).sum()),
        }
        for bin in np.unique(bins)
    ]


@dataclass(frozen=True)
class Calibration:
    """What is done to a model's logits: they are divided by a temperature, and each label's gets its bias added."""

    temperature: float = 1.0
    biases: Sequence[float] = (0.0,) * len(LABELS)

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns calibrated probabilities, ``(sentences, labels)``, from those of the bare logits."""
        return softmax(logarithms(probabilities) / self.temperature + self.biases, axis=-1)

    def undo(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns the probabilities of the bare logits from calibrated ones."""
        return softmax((logarithms(probabilities) - self.biases) * self.temperature, axis=-1)


def read_calibration(training: dict) -> Calibration:
    """Returns the calibration in a model's ``training.json``, or one that changes nothing."""
    known = training.get("calibration", {})
    return Calibration(**{key: known[key] for key in ("temperature", "biases") if key in known})


def logarithms(probabilities: np.ndarray) -> np.ndarray:
    """Logits that give these probabilities, but for a number that is added to all of a sentence's."""
    return np.log(np.maximum(probabilities, 1e-12))


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean squared distance of the probabilities from the label's, summed over labels: 0 at best, 2 at worst."""
    return float(((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(-1).mean())
