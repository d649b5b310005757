"""How far a model's probabilities can be taken at their word."""

import numpy as np
from scipy.special import softmax

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


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Returns the probabilities that logits divided by ``temperature`` give; below 1 it undoes a calibration."""
    return softmax(np.log(np.maximum(probabilities, 1e-12)) / temperature, axis=-1)


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean squared distance of the probabilities from the label's, summed over labels: 0 at best, 2 at worst."""
    return float(((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(-1).mean())
