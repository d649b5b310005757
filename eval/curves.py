"""What a model's probabilities are good for: precision against recall, and quality against the share that is kept."""

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve

from claimsift.labels import LABELS

POINTS = 100  # of a curve, at most: enough for a picture
KEPT = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5)


def precision_recall(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, dict]:
    """Returns for each label that occurs its ``average_precision`` and ``points``, pairs of recall and precision."""
    curves = {}
    for index, label in enumerate(LABELS):
        if (labels == index).any():
            precision, recall, _ = precision_recall_curve(labels == index, probabilities[:, index])
            chosen = np.unique(np.linspace(0, len(recall) - 1, POINTS).astype(int))
            curves[label] = {
                "average_precision": float(average_precision_score(labels == index, probabilities[:, index])),
                "points": [[float(recall[point]), float(precision[point])] for point in chosen],
            }
    return curves


def selective(probabilities: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Returns quality on the sentences that the model is surest of (selective classification).

    Geifman and El-Yaniv 2017, https://arxiv.org/abs/1705.08500. For each share ``kept``: the smallest ``score`` kept,
    and ``accuracy`` and ``macro_f1`` on what is kept.
    """
    score, predicted = probabilities.max(-1), probabilities.argmax(-1)
    surest = np.argsort(-score, kind="stable")
    steps = []
    for share in KEPT:
        kept = surest[: max(1, round(share * len(surest)))]
        steps.append(
            {
                "kept": share,
                "score": float(score[kept].min()),
                "accuracy": float((predicted[kept] == labels[kept]).mean()),
                "macro_f1": macro_f1(labels[kept], predicted[kept]),
            }
        )
    return steps


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    return float(f1_score(labels, predicted, labels=range(len(LABELS)), average="macro", zero_division=0))
