import datasets
import pytest
from conftest import ANNOTATIONS

from claimsift.annotations import load_annotations, read_records
from claimsift.annotations.leakage import find_leaks


def dataset(**splits):
    return datasets.DatasetDict(
        {
            split: datasets.Dataset.from_dict({"id": [f"{split}-{n}" for n in range(len(texts))], "text": texts})
            for split, texts in splits.items()
        }
    )


def test_near_duplicates_of_two_splits_are_found():
    sentence = "The coastguard said that all of the passengers had been taken ashore by nine o'clock on Tuesday."
    leaks = find_leaks(
        dataset(
            train=["Something else entirely was reported from the harbour by several people.", sentence.upper()],
            dev=[sentence.replace("Tuesday", "Monday")],
            test=["Another sentence about the weather that shares nothing with the others."],
        )
    )
    assert [(leak.first, leak.second) for leak in leaks] == [("dev-0", "train-1")]
    assert leaks[0].similarity == pytest.approx(17 / 18)


def test_short_sentences_may_recur():
    assert find_leaks(dataset(train=["He denied the charge."], dev=["He denied the charge."])) == []


def test_the_dataset_leaks_nothing(all_sources):
    assert find_leaks(load_annotations(ANNOTATIONS, require_all=True)) == []


def test_no_reserved_document_is_in_a_split():
    import json

    reserved = json.loads((ANNOTATIONS / "reserved.json").read_text())
    assert len(reserved["fnc1-train"]) == 129
    used = {(record.source, record.doc) for record in read_records(ANNOTATIONS)}
    assert not [(source, doc) for source, docs in reserved.items() for doc in docs if (source, doc) in used]
