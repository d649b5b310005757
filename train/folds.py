"""Parts of train that are held back: the same documents in every script and for every recipe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import datasets
import numpy as np
from sklearn.model_selection import GroupKFold

from claimsift.annotations.dataset import document_names
from claimsift.annotations.records import ADDED
from claimsift.annotations.sources import NEWSARTICLES, article_hosts
from claimsift.errors import ClaimsiftError

UNKNOWN = ""


class Fold(NamedTuple):
    """Indices into train."""

    name: str
    train: np.ndarray
    held_back: np.ndarray


def split(
    train: datasets.Dataset, folds: int, leave_out: Literal["document", "source", "outlet"] = "document"
) -> Iterator[Fold]:
    """Yields folds that hold back documents, the articles of some outlets, or each source in turn.

    As many folds of outlets as there are outlets leave one out at a time. Sentences of the kinds in
    ``ADDED`` are never held back: figures are those on the real news that every model was compared on.
    """
    sources = np.array(train["source"])
    is_added = np.array([drawn in ADDED for drawn in train["drawn"]])
    added, real = np.flatnonzero(is_added), np.flatnonzero(~is_added)
    groups = {"document": document_names, "source": lambda rows: rows["source"], "outlet": outlets}[leave_out](train)
    groups = np.array(groups)
    if leave_out == "source":
        parts = [real[sources[real] == source] for source in sorted(set(sources[real]))]
    else:
        candidates = real[groups[real] != UNKNOWN]
        splitter = GroupKFold(folds, shuffle=True, random_state=0)
        parts = [candidates[part] for _, part in splitter.split(candidates, groups=groups[candidates])]
    for number, held_back in enumerate(parts):
        name = str(number) if leave_out == "document" else " ".join(sorted(set(groups[held_back])))
        yield Fold(name, np.concatenate([np.setdiff1d(real, held_back), added]), held_back)


def held_back_fold(run: Path, train: datasets.Dataset) -> Fold:
    """Returns the fold that a finished run of one with ``--folds`` was trained on and held back.

    Raises:
        ClaimsiftError: there is no finished run, it held nothing back, or the dataset has changed since.
    """
    training = read_training(run)
    settings = training["recipe"]
    if not settings.get("folds"):
        raise ClaimsiftError(f"{run}: was trained on all documents; train one with --folds 3 --hold_back 0")
    fold = nth_fold(train, settings["folds"], settings["hold_back"])
    drawn = train.select(fold.train)["drawn"]
    if sum(kind not in settings["without"] for kind in drawn) != training["sentences"]["train"]:
        raise ClaimsiftError(f"{run}: its documents are not those of the dataset as it is now; train it anew")
    return fold


def nth_fold(train: datasets.Dataset, folds: int, number: int | None) -> Fold:
    if folds < 2 or number not in range(folds):
        raise ClaimsiftError(f"hold_back is {number}, folds {folds}: hold_back counts from 0 to one below folds")
    return list(split(train, folds))[number]


def read_training(run: Path) -> dict:
    """Returns what a finished run recorded: its recipe, the sentences of each split, figures, versions."""
    try:
        return json.loads((run / "model" / "training.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClaimsiftError(f"{run}: no finished run; finish it with --resume") from None


def outlets(train: datasets.Dataset) -> list[str]:
    """Returns the web host of each sentence's article, or ``UNKNOWN`` where the source does not tell it."""
    hosts = article_hosts()
    return [
        hosts[doc] if source == NEWSARTICLES else UNKNOWN
        for source, doc in zip(train["source"], train["doc"], strict=True)
    ]
