"""The probabilities that several systems give the same sentences: what every figure of the report is worked out from.

Those of a release are kept in ``eval/results/predictions``, without any text, so that anybody can work out the figures
again, and test need not be read for it.
"""

from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import pandas as pd

from claimsift import Predictor
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from eval.baselines import Baseline

SUFFIX = ".csv.gz"
DIGITS = 6


@dataclass(frozen=True)
class Predictions:
    """Ids of sentences and, for each system, the probabilities of their labels, ``(sentences, 4)``."""

    ids: list[str]
    systems: dict[str, np.ndarray]

    def write(self, path: Path) -> None:
        """Writes a CSV file with a column ``<system>: <label>`` for each; the same predictions give the same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {
            f"{name}: {label}": probabilities[:, column]
            for name, probabilities in self.systems.items()
            for column, label in enumerate(LABELS)
        }
        frame = pd.DataFrame({"id": self.ids, **columns})
        frame.to_csv(path, index=False, float_format=f"%.{DIGITS}f", compression={"method": "gzip", "mtime": 0})

    @classmethod
    def read(cls, path: Path) -> "Predictions":
        frame = pd.read_csv(path, dtype={"id": str})
        names = dict.fromkeys(column.rpartition(": ")[0] for column in frame.columns[1:])
        systems = {name: frame[[f"{name}: {label}" for label in LABELS]].to_numpy() for name in names}
        return cls(list(frame["id"]), systems)

    def rows(self, rows: datasets.Dataset) -> datasets.Dataset:
        """Returns the sentences that were predicted, in the same order.

        Raises:
            ClaimsiftError: the dataset does not hold one of them.
        """
        index = {id: number for number, id in enumerate(rows["id"])}
        if missing := [id for id in self.ids if id not in index]:
            raise ClaimsiftError(f"predictions of {missing[0]}, which the dataset does not hold; make them anew")
        return rows.select([index[id] for id in self.ids])


def predict(
    rows: datasets.Dataset, train: datasets.Dataset, baselines: dict[str, Baseline], models: dict[str, Path]
) -> Predictions:
    """Has baselines learn from train, and them and the models label the rows."""
    texts = list(rows["text"])
    learnt = {name: learn(list(train["text"]), train["label"], texts) for name, learn in baselines.items()}
    scored = {name: model_probabilities(model, rows) for name, model in models.items()}
    return Predictions(list(rows["id"]), learnt | scored)


def model_probabilities(model: Path, rows: datasets.Dataset) -> np.ndarray:
    """Returns what the library gives with the model, ``(sentences, 4)``."""
    scored = Predictor.from_pretrained(model).score_sentences(rows["text"], rows["context"])
    return np.array([[sentence.scores[label] for label in LABELS] for sentence in scored])
