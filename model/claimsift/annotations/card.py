"""The figures of a dataset card: label counts, and agreement between the readings."""

import re
from collections import Counter
from pathlib import Path

from claimsift.annotations.agreement import measure_agreement
from claimsift.annotations.records import AUTHORED, SPLITS, Record, read_records
from claimsift.cards import fill_block, table
from claimsift.labels import LABELS


def write_card(folder: Path) -> Path:
    """Writes the figures of the dataset in ``folder`` into its ``README.md``, and returns the path of that."""
    card = folder / "README.md"
    records = read_records(folder)
    fill_block(card, "label counts", label_counts(records))
    if written := [record for record in records if record.source == AUTHORED]:
        fill_block(card, "written", written_figures(written))
    fill_block(card, "agreement", agreement_table(folder))
    return card


def label_counts(records: list[Record]) -> str:
    """A table of sentences by split, source, way they were drawn, and label."""
    groups = Counter((record.split, record.source, record.drawn or "") for record in records)
    labels = Counter((record.split, record.source, record.drawn or "", record.label) for record in records)
    rows = [
        [*group, count, *(labels[*group, label] for label in LABELS)]
        for group, count in sorted(groups.items(), key=lambda item: (SPLITS.index(item[0][0]), item[0]))
    ]
    return table(["split", "source", "drawn", "sentences", *LABELS], rows)


def written_figures(records: list[Record]) -> str:
    """How varied the sentences written for the dataset are: words, different words, and how often openings recur."""
    words = [re.findall(r"\w+", record.text.lower()) for record in records]
    running, different = sum(map(len, words)), len({word for sentence in words for word in sentence})
    opening, times = Counter(" ".join(sentence[:4]) for sentence in words if len(sentence) >= 4).most_common(1)[0]
    return table(
        ["pieces", "sentences", "words", "different words", "type–token ratio", "most frequent opening of four words"],
        [
            [
                len({record.doc for record in records}),
                len(records),
                running,
                different,
                f"{different / running:.3f}",
                f"“{opening} …”, {times} times",
            ]
        ],
    )


def agreement_table(folder: Path) -> str:
    """A table of Cohen's kappa, overall and for each label."""
    rows = [
        [name, measured.sentences, f"{measured.agreed:.1%}", f"{measured.kappa:.2f}"]
        + [f"{measured.by_label[label]:.2f}" if label in measured.by_label else "–" for label in LABELS]
        for name, measured in measure_agreement(folder).items()
    ]
    return table(["readings compared", "sentences", "agreed", "κ", *(f"κ {label}" for label in LABELS)], rows)
