from dataclasses import replace
from itertools import pairwise

import datasets
import pytest
from conftest import ANNOTATIONS, OWN_DATA

from claimsift.annotations import dataset as module
from claimsift.annotations import load_annotations, read_records
from claimsift.annotations.dataset import assign_splits, hydrate
from claimsift.annotations.records import AUTHORED, SPLITS, UNSEEN_OUTLETS, RecordError
from claimsift.annotations.sources import NEWSAPI, SOURCES, Source, newsapi_outlets, read_documents
from claimsift.errors import ClaimsiftError
from claimsift.labels import LABELS
from claimsift.sentences import split_sentences


@pytest.fixture(scope="module")
def lee_records():
    """Records of the smallest source, which the package index can always give."""
    return [record for record in read_records(ANNOTATIONS / "train.jsonl") if record.source == "lee"]


def test_hydrated_text_is_the_labelled_one_in_its_context(lee_records):
    documents = read_documents("lee")
    hydrated = hydrate(lee_records)
    assert [record.id for record in hydrated] == [record.id for record in lee_records]
    for record in hydrated:
        text = documents[record.doc]
        assert record.text == text[record.start : record.end]
        sentences = split_sentences(text, context_sentences=2)
        assert record.context == next(s.context for s in sentences if s.start == record.start)


def test_annotated_sentences_are_those_of_the_splitter(lee_records):
    """Else training and scoring would see different sentences."""
    documents = read_documents("lee")
    for record in lee_records:
        assert (record.start, record.end) in [(s.start, s.end) for s in split_sentences(documents[record.doc])]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"end": 10**6}, "lies outside the text"),
        ({"start": 1}, "is not the one that was labelled"),
        ({"doc": "999"}, "lee has no document '999'"),
        ({"source": "gazette"}, "unknown source 'gazette'; known are newsarticles, lee, fnc1-train"),
    ],
)
def test_a_record_that_does_not_fit_its_document_is_named(lee_records, change, reason):
    with pytest.raises(RecordError, match=rf"train\.jsonl:\d+: .*{reason}"):
        hydrate([replace(lee_records[0], **change)])


def test_a_missing_source_is_left_out_with_the_command_that_gets_it(lee_records, monkeypatch, caplog):
    missing = Source("gone", "gone.csv", "0" * 64, dict, how_to_get="git clone gone")
    monkeypatch.setitem(SOURCES, "gone", missing)
    records = [lee_records[0], replace(lee_records[1], source="gone")]
    assert len(hydrate(records)) == 1
    assert "source gone is not here: 1 records are left out; get it with: git clone gone" in caplog.text
    with pytest.raises(ClaimsiftError, match="get it with: git clone gone"):
        hydrate(records, require_all=True)


def test_a_listed_folder_with_another_version_of_a_source_is_refused(tmp_path, monkeypatch):
    (tmp_path / "fnc-1").mkdir()
    (tmp_path / "fnc-1" / "train_bodies.csv").write_text("Body ID,articleBody\n")
    monkeypatch.setenv("CLAIMSIFT_SOURCES", str(tmp_path))
    with pytest.raises(ClaimsiftError, match=r"train_bodies\.csv: not the version"):
        SOURCES["fnc1-train"].path()


def test_own_data_becomes_a_dataset_split_by_document():
    loaded = load_annotations(OWN_DATA, seed=1)
    assert sum(map(len, loaded.values())) == 60
    documents = {split: set(rows["doc"]) for split, rows in loaded.items()}
    assert documents.keys() == {"train", "dev", "test"}
    assert sum(map(len, documents.values())) == 6  # none in two splits
    assert loaded["train"].features["label"] == datasets.ClassLabel(names=list(LABELS))
    assert load_annotations(OWN_DATA, seed=1)["dev"]["doc"] == loaded["dev"]["doc"]


def test_given_splits_are_kept_and_absent_ones_follow_their_document(write_jsonl):
    rows = [{"text": str(n), "label": "claim", "doc": str(n // 2)} for n in range(40)]
    rows[0]["split"] = "test"
    records = assign_splits(read_records(write_jsonl("own.jsonl", rows)))
    assert [record.split for record in records[:2]] == ["test", "test"]
    assert {record.split for record in records} == {"train", "dev", "test"}


def test_the_whole_dataset_hydrates(all_sources):
    loaded = load_annotations(ANNOTATIONS, require_all=True)
    files = {"train": ("train", "written")} | {split: (split,) for split in ("dev", "test", "unseen_outlets")}
    counts = {
        split: sum(len((ANNOTATIONS / f"{name}.jsonl").read_text().splitlines()) for name in names)
        for split, names in files.items()
    }
    assert {split: len(rows) for split, rows in loaded.items()} == counts
    assert tuple(loaded["train"].column_names) == module.COLUMNS


def test_datasets_loads_the_records_as_the_card_says(tmp_path):
    loaded = datasets.load_dataset(str(ANNOTATIONS), cache_dir=tmp_path)
    sizes = {"train": 31717, "dev": 931, "test": 955, "unseen_outlets": 2259}
    assert {split: len(rows) for split, rows in loaded.items()} == sizes
    assert loaded["dev"].features["label"].names == list(LABELS)
    first = read_records(ANNOTATIONS / "dev.jsonl")[0]
    assert LABELS[loaded["dev"][0]["label"]] == first.label
    readings = datasets.load_dataset(str(ANNOTATIONS), "readings", cache_dir=tmp_path)["readings"]
    assert len(readings) == 46950


def test_no_outlet_is_both_in_train_and_unseen():
    outlets = newsapi_outlets()
    found = {split: set() for split in SPLITS}
    for record in read_records(ANNOTATIONS):
        if record.source == NEWSAPI:
            found[record.split].add(outlets[record.doc])
    assert len(found["train"]) >= 100
    assert len(found[UNSEEN_OUTLETS]) == 64
    assert not found["train"] & found[UNSEEN_OUTLETS]


def test_documents_of_several_outlets_are_read_as_they_were_published():
    articles = read_documents(NEWSAPI)
    assert len(articles) == len(newsapi_outlets()) == 5592
    assert not any("_x000D_" in text for text in articles.values())
    stories = read_documents("bbc")
    assert len(stories) == 2225
    assert {name.partition("/")[0] for name in stories} == {"business", "entertainment", "politics", "sports", "tech"}


def test_the_written_corpus_is_whole_and_in_train_alone():
    records = read_records(ANNOTATIONS / "written.jsonl")
    assert len(records) >= 3000
    assert len({record.doc for record in records}) >= 300
    assert {(record.source, record.split) for record in records} == {(AUTHORED, "train")}
    for before, record in pairwise(records):
        assert (record.context == "") == (record.doc != before.doc)
        assert record.context.endswith(before.text if record.doc == before.doc else "")
