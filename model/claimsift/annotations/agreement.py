"""How far the readings behind the labels agree: Cohen's kappa, recomputed from ``readings.jsonl``.

Each line holds the labels that one sentence got, ``{"id": …, "first": […], "second": […]}``: ``first`` the readings
before, ``second`` those after the guidelines were settled, of the sentences that were read again, and ``suspect``,
where it is there, those of sentences that were read anew because a model doubted their label.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from claimsift.annotations.records import READINGS, RecordError
from claimsift.labels import LABELS

# What the ids begin with of sentences that were read twice from the first on, and what those are called.
READ_TWICE = {"dev": "dev", "test": "test", "outlets": "unseen outlets", "written": "written"}


@dataclass(frozen=True)
class Agreement:
    """Agreement between pairs of readings of the same sentences.

    ``kappa`` is Cohen's (1960) over the four labels; ``by_label`` that of each label that occurs against the others.
    """

    sentences: int
    agreed: float
    kappa: float
    by_label: dict[str, float]


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    from sklearn.metrics import cohen_kappa_score

    first, second = (list(reading) for reading in zip(*pairs, strict=True))
    return Agreement(
        sentences=len(pairs),
        agreed=sum(a == b for a, b in pairs) / len(pairs),
        kappa=float(cohen_kappa_score(first, second)),
        by_label={
            label: float(cohen_kappa_score([a == label for a in first], [b == label for b in second]))
            for label in LABELS
            if label in first + second
        },
    )


def measure_agreement(folder: Path | str) -> dict[str, Agreement]:
    """Compares the readings of a dataset.

    Returns:
        By what was compared: the two first readings of each sentence of dev, of test, of the unseen outlets and of
        those written for the dataset, the two second readings of the sentences of dev and test that were read again,
        and, in train, the first reading with the second, and the two of the suspects.
    """
    readings = _read(Path(folder) / READINGS)
    read_twice = {name: [r for r in readings if r["id"].startswith(prefix)] for prefix, name in READ_TWICE.items()}
    train = [r for r in readings if not r["id"].startswith(tuple(READ_TWICE))]
    pairs = {f"{name}, two first readings": [tuple(r["first"]) for r in rows] for name, rows in read_twice.items()} | {
        "hard rows of dev and test, two second readings": [
            tuple(r["second"]) for split in ("dev", "test") for r in read_twice[split] if r["second"]
        ],
        "hard rows of train, first and second reading": [(r["first"][0], r["second"][0]) for r in train if r["second"]],
        "suspects of train, two fresh readings": [tuple(r["suspect"]) for r in readings if r["suspect"]],
    }
    return {name: agreement(compared) for name, compared in pairs.items() if compared}


def _read(path: Path) -> list[dict]:
    if not path.exists():
        raise RecordError(str(path), "no such file; name the folder that holds it")
    with path.open("rb") as lines:
        return [_reading(f"{path}:{number}", line) for number, line in enumerate(lines, start=1)]


def _reading(place: str, line: bytes) -> dict:
    try:
        fields = json.loads(line)
        reading = {key: fields[key] for key in ("id", "first", "second")} | {"suspect": fields.get("suspect", [])}
        unknown = {*reading["first"], *reading["second"], *reading["suspect"]} - set(LABELS)
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(place, f"not a reading with id, first and second ({error!r})") from None
    if unknown:
        raise RecordError(place, f"unknown label {', '.join(sorted(map(str, unknown)))}")
    return reading
