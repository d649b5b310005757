import datasets
import numpy as np

from claimsift.labels import LABELS
from eval.label_noise import audit


def test_labels_that_a_sure_model_contradicts_are_suspects():
    truth = np.arange(200) % 4
    given = truth.copy()
    given[[3, 50]] = (truth[[3, 50]] + 1) % 4
    probabilities = 0.88 * np.eye(4)[truth] + 0.03
    rows = datasets.Dataset.from_dict({"id": [f"s{number}" for number in range(200)], "label": given.tolist()})
    found = audit(probabilities, rows.cast_column("label", datasets.ClassLabel(names=list(LABELS))))
    assert (found["sentences"], found["suspects"], found["share"]) == (200, 2, 0.01)
    assert {suspect["id"] for suspect in found["worst"]} == {"s3", "s50"}
    assert found["worst"][0]["label"] == LABELS[given[int(found["worst"][0]["id"][1:])]]
    assert found["worst"][0]["probability"] < 0.1
