import json

import numpy as np
import pytest

from claimsift.annotations.dataset import to_dataset
from claimsift.annotations.records import UNSEEN_OUTLETS, Record
from claimsift.annotations.sources import read_documents
from claimsift.sentences import split_sentences
from train import pool


@pytest.fixture
def dataset(monkeypatch):
    """Two documents of Lee in dev and train; the pool is drawn from Lee alone."""
    monkeypatch.setattr(pool, "QUOTAS", {"lee": 40})
    records = [
        Record("", f"{doc}-{number}", "claim", "lee", doc, split, sentence.start, sentence.end, text=sentence.text)
        for doc, split in (("0", "dev"), ("1", "train"))
        for number, sentence in enumerate(split_sentences(read_documents("lee")[doc]))
    ]
    return to_dataset(records) | {"test": to_dataset(records)["dev"]}


def test_no_labelled_or_reserved_document_is_in_the_pool(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "ANNOTATIONS", tmp_path)
    (tmp_path / "reserved.json").write_text(json.dumps({"lee": ["2", "3"]}))
    documents = {row["doc"] for row in pool.gather(dataset)}
    assert not documents & {"0", "1", "2", "3"}
    assert len(documents) > 200


def test_no_article_of_an_unseen_outlet_is_in_the_pool(dataset, monkeypatch):
    outlets = {"1": "Gazette", "2": "Courier", "3": "Gazette", "4": "Herald"}
    articles = {doc: f"Article {doc} says that something happened." for doc in outlets}
    monkeypatch.setattr(pool, "QUOTAS", {pool.NEWSAPI: 4})
    monkeypatch.setattr(pool, "newsapi_outlets", lambda: outlets)
    monkeypatch.setattr(pool, "read_documents", lambda source: articles)
    record = Record("", "x", "claim", pool.NEWSAPI, "1", UNSEEN_OUTLETS, 0, 1, text="One.")
    assert [row["doc"] for row in pool.gather(dataset | to_dataset([record]))] == ["2", "4"]


def test_near_duplicates_of_evaluated_sentences_are_left_out(dataset, tmp_path, monkeypatch):
    """The pool of a small quota, with a copy of a sentence of dev and of a reserved document in what may be drawn."""
    monkeypatch.setattr(pool, "ANNOTATIONS", tmp_path)
    (tmp_path / "reserved.json").write_text(json.dumps({"lee": ["2"]}))
    reserved = max((sentence.text for sentence in split_sentences(read_documents("lee")["2"])), key=len)
    evaluated = max(dataset["dev"]["text"], key=len)
    new = {"source": "lee", "doc": "9", "text": "Something else was reported from the harbour by the night watch."}
    rows = [new | {"text": evaluated.upper()}, new, new | {"text": f"{reserved} And more."}]
    monkeypatch.setattr(pool, "load_annotations", lambda *args, **options: dataset)
    monkeypatch.setattr(pool, "gather", lambda dataset: rows)
    monkeypatch.setattr(pool, "likely_not_background", lambda train, rows: np.array([True, False, False]))
    pool.main(["--output", str(tmp_path / "pool.jsonl")])
    assert [json.loads(line) for line in (tmp_path / "pool.jsonl").read_text().splitlines()] == [new]


def test_half_of_a_sample_is_drawn_from_the_likely_ones():
    rows = [{"source": "a", "n": n} for n in range(100)] + [{"source": "b", "n": n} for n in range(100)]
    likely = np.array(([True] * 30 + [False] * 70) * 2)
    chosen = pool.sample(rows, likely, "a", 40, np.random.default_rng(0))
    assert {row["source"] for row in chosen} == {"a"}
    assert sum(row["n"] < 30 for row in chosen) == 20
    assert len({row["n"] for row in chosen}) == 40
    assert len(pool.sample(rows, likely, "b", 100, np.random.default_rng(0))) == 100


def test_a_finished_pool_is_kept(tmp_path, capsys):
    path = tmp_path / "pool.jsonl"
    path.write_text("{}\n")
    pool.main(["--output", str(path)])
    assert path.read_text() == "{}\n"
    assert "is there already" in capsys.readouterr().out
