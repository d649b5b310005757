import csv
import io
import json

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cli import EXAMPLE, claimsift

from claimsift.articles import Article
from claimsift.labels import LABELS
from claimsift.output import WRITERS
from claimsift.output.csv import FORMULA_STARTS, CsvWriter
from claimsift.output.rows import to_row
from claimsift.predict import ScoredSentence

# All that UTF-8 can hold, with what file formats trip over more often than chance would have it.
TEXTS = st.text(
    st.one_of(
        st.characters(codec="utf-8"), st.sampled_from("\n\r\t\x00\x0b\x0c\x1c\x85\u2028\u2029\ufeff\"',;\\=+-@😀\u202e")
    ),
    max_size=40,
)
SENTENCES = st.builds(
    lambda text, start, scores, *flags: ScoredSentence(
        text, start, start + len(text), LABELS[0], scores[0], dict(zip(LABELS, scores, strict=True)), *flags
    ),
    TEXTS,
    st.integers(0, 2**53),
    st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4),
    st.booleans(),
    st.booleans(),
)
ARTICLES = st.lists(st.tuples(TEXTS, st.lists(SENTENCES, max_size=3)), max_size=4)
QUICKLY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def from_jsonl(content: bytes) -> list[dict]:
    return [json.loads(line) for line in content.decode().split("\n")[:-1]]


def from_csv(content: bytes) -> list[dict]:
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    numbers = dict.fromkeys(("score", *LABELS), float) | dict.fromkeys(("sentence_index", "start", "end"), int)
    return [
        {name: numbers[name](value) if name in numbers else value for name, value in row.items()}
        | {name: {"True": True, "False": False}[row[name]] for name in ("truncated", "furniture")}
        for row in rows
    ]


def from_parquet(content: bytes) -> list[dict]:
    return pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()


def written(writer, articles) -> bytes:
    for article_id, sentences in articles:
        writer.write(Article(article_id, ""), sentences)
    writer.close()


@pytest.mark.parametrize(("format", "read"), [("jsonl", from_jsonl), ("csv", from_csv), ("parquet", from_parquet)])
@QUICKLY
@given(articles=ARTICLES)
def test_what_is_written_is_read_back(format, read, articles):
    stream = io.BytesIO()
    written(WRITERS[format](stream), articles)
    expected = [to_row(name, index, each) for name, sentences in articles for index, each in enumerate(sentences)]
    assert read(stream.getvalue()) == expected


@QUICKLY
@given(st.lists(ARTICLES, max_size=3), st.sampled_from([("jsonl", from_jsonl), ("csv", from_csv)]))
def test_joined_parts_hold_the_rows_of_all(tmp_path_factory, parts, format_and_reader):
    format, read = format_and_reader
    paths = [tmp_path_factory.mktemp("part") / "part" for _ in parts]
    for path, articles in zip(paths, parts, strict=True):
        with path.open("wb") as stream:
            written(WRITERS[format](stream), articles)
    whole, joined = io.BytesIO(), io.BytesIO()
    written(WRITERS[format](whole), [article for articles in parts for article in articles])
    WRITERS[format].join(paths, joined)
    assert read(joined.getvalue()) == read(whole.getvalue())


@QUICKLY
@given(articles=ARTICLES)
def test_no_cell_begins_a_formula_where_that_is_asked_for(articles):
    stream = io.BytesIO()
    written(CsvWriter(stream, escape_formulas=True), articles)
    rows = from_csv(stream.getvalue())
    sentences = [(name, sentence.text) for name, sentences in articles for sentence in sentences]
    for row, originals in zip(rows, sentences, strict=True):
        for value, original in zip((row["article_id"], row["text"]), originals, strict=True):
            assert not value.startswith(FORMULA_STARTS)
            assert value == (f"'{original}" if original.startswith(FORMULA_STARTS) else original)


def test_formulas_are_escaped_on_request_alone(tmp_path):
    article = tmp_path / "=1.txt"
    article.write_text('=HYPERLINK("http://x.example")\nHe denied it.\n@here\n')
    plain = claimsift("score", "=1.txt", "--format", "csv", cwd=tmp_path)
    escaped = claimsift("score", "=1.txt", "-o", "out.csv", "--escape-formulas", cwd=tmp_path)
    assert (plain.returncode, escaped.returncode) == (0, 0)
    rows = from_csv((tmp_path / "out.csv").read_bytes())
    assert [row["text"] for row in rows] == ['\'=HYPERLINK("http://x.example")', "He denied it.", "'@here"]
    assert {row["article_id"] for row in rows} == {"'=1.txt"}
    assert from_csv(plain.stdout.encode())[0]["text"].startswith("=HYPERLINK")


def test_escaping_formulas_is_for_csv_alone():
    done = claimsift("score", EXAMPLE, "--format", "jsonl", "--escape-formulas")
    assert done.returncode == 1
    assert done.stderr == (
        "claimsift: --escape-formulas is for spreadsheets, which read CSV, not jsonl; leave it out\n"
    )
