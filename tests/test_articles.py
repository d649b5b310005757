import io

import pytest

from claimsift.articles import ArticleReader
from claimsift.errors import InputError


def read(*inputs, **options):
    """Returns the articles of the inputs and the errors met on the way."""
    errors = []
    reader = ArticleReader(**options, on_error=errors.append)
    return list(reader.read(map(str, inputs))), [str(error) for error in errors]


def test_a_text_file_is_one_article_with_its_line_ends_as_they_are(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffOne.\r\nTwo – “three”.\n".encode())
    articles, errors = read(path)
    assert [(a.id, a.text) for a in articles] == [(str(path), "One.\r\nTwo – “three”.\n")]
    assert not errors


def test_jsonl_rows_are_named_by_id_or_by_line(write_jsonl):
    path = write_jsonl("a.jsonl", [{"id": 7, "text": "One."}, "", {"text": "Two.", "outlet": "x"}])
    articles, errors = read(path)
    assert [a.id for a in articles] == ["7", f"{path}:3"]
    assert articles[1].metadata == {"outlet": "x"}
    assert not errors


def test_broken_rows_are_named_by_line_and_the_rest_is_read(write_jsonl):
    rows = [
        {"text": "One."},
        '{"text": ',
        "[1]",
        {"body": "x"},
        {"text": None},
        '{"text": "\\ud800"}',
        {"text": "Two."},
    ]
    path = write_jsonl("a.jsonl", rows)
    articles, errors = read(path)
    assert [a.text for a in articles] == ["One.", "Two."]
    assert [error.removeprefix(f"{path}:")[0] for error in errors] == list("23456")
    assert "not valid JSON" in errors[0]
    assert "not a JSON object" in errors[1]
    assert "no column 'text' among 'body'" in errors[2]
    assert "column 'text' is null" in errors[3]
    assert "surrogate" in errors[4]


def test_a_row_that_is_not_utf_8_fails_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "caf\xe9"}\n{"text": "Two."}\n')
    articles, errors = read(path)
    assert [a.text for a in articles] == ["Two."]
    assert errors[0].startswith(f"{path}:1: not valid JSON")


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_a_line_that_is_not_utf_8_fails_alone_in_other_files_too(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"text\nOne.\ncaf\xe9\nTwo.\n")
    articles, errors = read(path, lines=True)
    assert [a.text for a in articles][-2:] == ["One.", "Two."]
    assert [error.split(": ")[0] for error in errors] == [f"{path}:3"]


def test_what_breaks_a_whole_file_breaks_no_other(tmp_path):
    (tmp_path / "nested.jsonl").write_text("[" * 100_000 + "\n" + '{"text": "Nested."}\n')
    (tmp_path / "mac.csv").write_bytes(b"text\rOne.\r")
    (tmp_path / "surrogate.jsonl").write_text('{"id": "\\ud800", "text": "One."}\n')
    (tmp_path / "good.txt").write_text("Good.")
    names = [tmp_path / name for name in ("nested.jsonl", "mac.csv", "surrogate.jsonl", "x" * 300, "good.txt")]
    articles, errors = read(*names)
    assert [a.text for a in articles] == ["Nested.", "Good."]
    assert [error.split(": ")[0] for error in errors] == [
        f"{names[0]}:1",
        f"{names[1]}:1",
        f"{names[2]}:1",
        str(names[3]),
    ]


def test_an_empty_id_is_none(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,text\nx,One.\n,Two.\n")
    assert [a.id for a in read(path)[0]] == ["x", f"{path}:3"]


def test_csv_rows_that_span_lines_are_named_by_their_first(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('nr,body\n1,"One.\nStill one."\n2\n3,"Two, three."\n', newline="")
    articles, errors = read(path, text_column="body")
    assert [(a.id, a.text) for a in articles] == [(f"{path}:2", "One.\nStill one."), (f"{path}:5", "Two, three.")]
    assert errors == [f"{path}:4: 1 fields where the header has 2"]


def test_a_csv_field_may_be_longer_than_the_default_limit(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text\n" + "word " * 100_000 + "\n")
    assert len(read(path)[0][0].text) == 500_000


def test_a_named_id_column_must_be_there(write_jsonl):
    path = write_jsonl("a.jsonl", [{"text": "One.", "nr": "x"}, {"text": "Two."}])
    articles, errors = read(path, id_column="nr")
    assert [a.id for a in articles] == ["x"]
    assert errors == [f"{path}:2: no 'nr' to name the article by (--id-column)"]


def test_a_folder_is_read_in_order_and_its_articles_named_from_it(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.txt", "sub/c.txt", "a.txt", "ignored.pdf"):
        (tmp_path / name).write_text(name)
    assert [a.id for a in read(tmp_path)[0]] == ["a.txt", "b.txt", "sub/c.txt"]


def test_a_glob_is_expanded(tmp_path):
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).write_text("text\n")
    assert [a.id for a in read(tmp_path / "*.txt")[0]] == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]


def test_input_that_cannot_be_read_is_named_and_the_rest_is_read(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"one\ncaf\xe9\n")
    (tmp_path / "a.docx").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.txt").write_text("Good.")
    names = ("missing.txt", "latin.txt", "a.docx", "empty", "no*.txt", "good.txt")
    articles, errors = read(*(tmp_path / name for name in names))
    assert [a.text for a in articles] == ["Good."]
    reasons = (": No such file", ":2: not UTF-8", ": not one of .txt", ": no .txt", ": no file matches")
    for name, error, reason in zip(names, errors, reasons, strict=False):
        assert error.startswith(f"{tmp_path / name}{reason}")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("One.\nTwo.\n", [("-", "One.\nTwo.\n")]),
        ('\n{"text": "One."}\n{"id": "b", "text": "Two."}\n', [("-:2", "One."), ("b", "Two.")]),
        ('{"text": \n{"text": "Two."}\n', [("-:2", "Two.")]),
        ("", [("-", "")]),
    ],
)
def test_standard_input_is_text_or_json_lines(monkeypatch, content, expected):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert [(a.id, a.text) for a in read("-")[0]] == expected


def test_lines_can_be_texts_of_their_own(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One.\n\n Two. \n")
    assert [(a.id, a.text) for a in read(path, lines=True)[0]] == [(f"{path}:1", "One."), (f"{path}:3", "Two.")]


def test_without_on_error_the_first_error_is_raised():
    with pytest.raises(InputError, match=r"missing\.txt: No such file"):
        list(ArticleReader().read(["missing.txt"]))
