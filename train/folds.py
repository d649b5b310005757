"""Parts of train that are held back: the same documents in every script and for every recipe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import datasets
import numpy as np
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from claimsift.annotations.dataset import document_names
from claimsift.annotations.records import AUTHORED
from claimsift.annotations.sources import NEWSARTICLES, article_hosts
from claimsift.errors import ClaimsiftError


class Fold(NamedTuple):
    """Indices into train."""

    name: str
    train: np.ndarray
    held_back: np.ndarray


def split(
    train: datasets.Dataset, folds: int, leave_out: Literal["document", "source", "outlet"] = "document"
) -> Iterator[Fold]:
    """Yields folds that hold back documents, or each source or outlet of real news in turn.

    Sentences written for the dataset are never held back: figures are those on real news.
    """
    sources = np.array(train["source"])
    authored = np.flatnonzero(sources == AUTHORED)
    real = np.flatnonzero(sources != AUTHORED)
    groups = {"document": document_names, "source": lambda rows: rows["source"], "outlet": outlets}[leave_out](train)
    groups = np.array(groups)[real]
    whole = leave_out == "document"
    splitter = GroupKFold(folds, shuffle=True, random_state=0) if whole else LeaveOneGroupOut()
    for number, (chosen, held_back) in enumerate(splitter.split(real, groups=groups)):
        name = str(number) if whole else str(groups[held_back][0])
        if name:  # sentences of no known outlet are none of their own
            yield Fold(name, np.concatenate([real[chosen], authored]), real[held_back])


def held_back_fold(run: Path, train: datasets.Dataset) -> Fold:
    """Returns the fold that a finished run of one with ``--folds`` was trained on and held back.

    Raises:
        ClaimsiftError: there is no finished run, or it held nothing back.
    """
    settings = read_training(run)["recipe"]
    if not settings.get("folds"):
        raise ClaimsiftError(f"{run}: was trained on all documents; train one with --folds 3 --hold_back 0")
    return list(split(train, settings["folds"]))[settings["hold_back"]]


def read_training(run: Path) -> dict:
    """Returns what a finished run recorded: its recipe, the sentences of each split, figures, versions."""
    try:
        return json.loads((run / "model" / "training.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClaimsiftError(f"{run}: no finished run; finish it with --resume") from None


def outlets(train: datasets.Dataset) -> list[str]:
    """Returns the web host of each sentence's article where the source tells it, else an empty string."""
    hosts = article_hosts()
    return [
        hosts[doc] if source == NEWSARTICLES else "" for source, doc in zip(train["source"], train["doc"], strict=True)
    ]
