"""Which labels may be wrong: confident learning (Northcutt et al. 2021, doi:10.1613/jair.1.12125), by cleanlab."""

import datasets
import numpy as np
from cleanlab.filter import find_label_issues

WORST = 50


def audit(probabilities: np.ndarray, rows: datasets.Dataset) -> dict:
    """Looks for labels that a model, which has not seen the sentences, contradicts with confidence.

    Args:
        probabilities: ``(sentences, 4)``.
        rows: the sentences, in the same order.

    Returns:
        ``sentences``, ``suspects``, how many look wrong, their ``share``, and the ``worst`` fifty, the least likely
        label first: ``id``, ``label``, and ``probability`` of that label.
    """
    labels = np.array(rows["label"])
    # One process: starting others takes longer than the work.
    suspects = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    names = rows.features["label"].names
    return {
        "sentences": len(rows),
        "suspects": len(suspects),
        "share": len(suspects) / len(rows),
        "worst": [
            {
                "id": rows[index]["id"],
                "label": names[labels[index]],
                "probability": float(probabilities[index, labels[index]]),
            }
            for index in suspects[:WORST].tolist()
        ],
    }
