import numpy as np
import pytest
from conftest import ANNOTATIONS

from claimsift.annotations import load_annotations
from claimsift.annotations.dataset import document_names
from claimsift.annotations.records import ADDED
from train.folds import split


@pytest.fixture(scope="module")
def train(all_sources):
    return load_annotations(ANNOTATIONS)["train"]


@pytest.mark.parametrize(("leave_out", "folds"), [("document", 3), ("source", 3), ("outlet", 3), ("outlet", 9)])
def test_each_natural_sentence_is_held_back_once_and_no_added_one_ever(train, leave_out, folds):
    parts = list(split(train, folds, leave_out))
    assert len(parts) == folds
    held_back = np.concatenate([part.held_back for part in parts])
    rows = zip(train["source"], train["drawn"], strict=True)
    may_be = [drawn not in ADDED and (source == "newsarticles" or leave_out != "outlet") for source, drawn in rows]
    assert sorted(held_back) == np.flatnonzero(may_be).tolist()
    documents = np.array(document_names(train))
    for part in parts:
        assert not set(documents[part.train]) & set(documents[part.held_back])
        assert set(part.train) | set(part.held_back) == set(range(len(train)))


def test_added_sentences_do_not_change_what_is_held_back(train):
    """Figures with and without them are to be of the same sentences."""
    real = train.filter(lambda row: row["drawn"] not in ADDED)
    for with_written, without in zip(split(train, 3), split(real, 3), strict=True):
        assert train.select(with_written.held_back)["id"] == real.select(without.held_back)["id"]
