"""How far a model's probabilities can be taken at their word."""

import numpy as np

BINS = 15


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean gap between confidence and accuracy, over fifteen equal bins of confidence.

    Guo et al. 2017, https://arxiv.org/abs/1706.04599: of the predicted label; each bin weighs by its sentences.

    Args:
        probabilities: ``(sentences, labels)``.
        labels: ``(sentences,)``, the labels' ids.
    """
    confidence = probabilities.max(-1)
    correct = probabilities.argmax(-1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(correct[bins == bin].mean() - confidence[bins == bin].mean()) * (bins == bin).mean() for bin in set(bins)
    ]
    return float(sum(gaps))


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean squared distance of the probabilities from the label's, summed over labels: 0 at best, 2 at worst."""
    return float(((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(-1).mean())
