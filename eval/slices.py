"""Figures on parts of the sentences: where a model is good, and where it is not."""

import re
from collections.abc import Callable

import datasets
import numpy as np

from claimsift.annotations.dataset import document_names
from claimsift.annotations.sources import NEWSARTICLES, article_hosts, article_years
from claimsift.labels import LABELS
from eval.bootstrap import document_confusions, f1_scores, interval, resample

SMALLEST = 30  # sentences; figures on fewer say nothing
QUOTATION = re.compile(r"[\"“”«»„]|(?<!\w)['‘](?=\w)")
WORDS = (10, 20, 30, 40)
# Sources whose documents carry no date, or are all of the same years.
YEARS = {"lee": "2001–2002", "bbc": "2004–2005", "fnc1-train": "2014–2015", "newsapi": "2021–2022"}


def slice_figures(probabilities: np.ndarray, rows: datasets.Dataset) -> dict[str, dict[str, dict]]:
    """Works out a model's figures on each part of the sentences.

    Returns:
        For each way to divide them, such as ``outlet``, and each part of it: ``sentences``, ``accuracy``, ``macro_f1``
        with its 95% ``interval`` (of the labels that occur in the part), and of each label ``support`` (sentences),
        ``precision`` and ``recall``.
        Parts of fewer than thirty sentences are left out.
    """
    predicted, labels = probabilities.argmax(-1), np.array(rows["label"])
    documents = np.array(document_names(rows))
    divided = {}
    for name, divide in SLICES.items():
        parts = np.array(divide(rows))
        members = {part: parts == part for part in sorted(set(parts)) if part and (parts == part).sum() >= SMALLEST}
        divided[name] = {
            str(part): part_figures(predicted[here], labels[here], documents[here]) for part, here in members.items()
        }
    return divided


def part_figures(predicted: np.ndarray, labels: np.ndarray, documents: np.ndarray) -> dict:
    confusions = document_confusions(predicted, labels, documents, len(LABELS))
    return {
        "sentences": len(labels),
        "accuracy": float((predicted == labels).mean()),
        "macro_f1": float(mean_f1(confusions.sum(0))),
        "interval": interval(mean_f1(resample(confusions))),
    } | rates(confusions.sum(0))


def rates(confusion: np.ndarray) -> dict[str, dict[str, float]]:
    """Returns support, precision and recall of each label, from a matrix of counts with a row for each true label."""
    right, support, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    figures = {
        "support": support,
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(support, 1),
    }
    return {name: dict(zip(LABELS, values.tolist(), strict=True)) for name, values in figures.items()}


def mean_f1(confusions: np.ndarray) -> np.ndarray:
    """The mean F1 of the labels that occur, from matrices of shape (…, labels, labels)."""
    occurring = confusions.sum(-1) > 0
    return (f1_scores(confusions) * occurring).sum(-1) / np.maximum(occurring.sum(-1), 1)


def by_source(rows: datasets.Dataset) -> list[str]:
    return [source or "" for source in rows["source"]]


def by_outlet(rows: datasets.Dataset) -> list[str]:
    return of_newsarticles(rows, article_hosts)


def by_year(rows: datasets.Dataset) -> list[str]:
    years = of_newsarticles(rows, article_years)
    return [year or YEARS.get(source, "") for year, source in zip(years, rows["source"], strict=True)]


def of_newsarticles(rows: datasets.Dataset, read: Callable[[], dict[str, str]]) -> list[str]:
    """Returns what is known of each row's article, or an empty text for those of other sources."""
    known = read() if NEWSARTICLES in rows["source"] else {}
    return [
        known[doc] if source == NEWSARTICLES else "" for source, doc in zip(rows["source"], rows["doc"], strict=True)
    ]


def by_length(rows: datasets.Dataset) -> list[str]:
    bounds = (0, *WORDS)
    names = [f"{low + 1:2d}–{high} words" for low, high in zip(bounds, WORDS, strict=False)] + [f"{WORDS[-1]}+ words"]
    return [names[int(np.searchsorted(WORDS, len(text.split())))] for text in rows["text"]]


def by_position(rows: datasets.Dataset) -> list[str]:
    """Where a sentence stands in its article, of those of which every sentence is labelled."""
    documents = document_names(rows)
    order: dict[str, list[int]] = {}
    for number in sorted(range(len(rows)), key=lambda number: rows[number]["start"] or 0):
        if rows[number]["drawn"] == "article":
            order.setdefault(documents[number], []).append(number)
    positions = [""] * len(rows)
    for members in order.values():
        for rank, number in enumerate(members):
            third = ("1st third", "2nd third", "3rd third")[3 * rank // len(members)]
            positions[number] = "1st sentence" if rank == 0 else third
    return positions


def by_quotation(rows: datasets.Dataset) -> list[str]:
    return ["with quotation marks" if QUOTATION.search(text) else "without" for text in rows["text"]]


def by_drawn(rows: datasets.Dataset) -> list[str]:
    return [drawn or "" for drawn in rows["drawn"]]


SLICES: dict[str, Callable[[datasets.Dataset], list[str]]] = {
    "source": by_source,
    "outlet": by_outlet,
    "year": by_year,
    "length": by_length,
    "position": by_position,
    "quotation": by_quotation,
    "drawn": by_drawn,
}
