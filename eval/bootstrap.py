"""Intervals for figures over sentences that come in documents (Efron 1979; documents are resampled whole)."""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 2000


def document_confusions(
    predictions: Sequence[int], references: Sequence[int], documents: Sequence, classes: int
) -> np.ndarray:
    """Returns the confusion matrix of each document: shape (documents, classes, classes), rows are references."""
    _, document = np.unique(np.array(documents), return_inverse=True)
    confusions = np.zeros((document.max() + 1, classes, classes), dtype=np.int64)
    np.add.at(confusions, (document, np.array(references), np.array(predictions)), 1)
    return confusions


def resample(confusions: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns the summed confusion matrices of resamples of the documents: shape (resamples, classes, classes).

    The same seed draws the same documents, which makes two systems' resamples comparable one by one.
    """
    count = len(confusions)
    draws = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=RESAMPLES)
    return np.einsum("rd,dij->rij", draws, confusions)


def f1_scores(confusions: np.ndarray) -> np.ndarray:
    """F1 of each class from matrices of shape (…, classes, classes); 0 for a class neither present nor predicted."""
    right = np.diagonal(confusions, axis1=-2, axis2=-1)
    total = confusions.sum(-1) + confusions.sum(-2)
    return np.where(total > 0, 2 * right / np.maximum(total, 1), 0.0)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95% of resampled figures."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
